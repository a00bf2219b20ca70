//! A payment: stored once by its names, and decided as soon as its lead has a referrer.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::clock::{Day, Instant};
use crate::email::Email;
use crate::engine::decision::{By, Decided, Earned, ProductScope};
use crate::engine::facts::{InboxItem, Paid};
use crate::engine::ids::{BusinessId, LeadId, PaymentId};
use crate::engine::names::{Names, PaymentName};
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::earning::{self, Warning};
use crate::engine::rules::{attribution, leads, refunds};
use crate::engine::settle::{Came, settle};
use crate::engine::state::{Decision, DecisionReason, InboxKind, Subscription};
use crate::engine::subjects::Subjects;
use crate::engine::work::{NewInboxItem, Work};
use crate::money::{Currency, Money};
use crate::phone::Phone;

/// An identical body within this many seconds is a retry and only counted.
const RETRY_WINDOW: i64 = 10 * 60;

#[derive(Debug, Clone)]
pub struct Payment {
    pub of: ProductScope,
    pub email: Email,
    pub phone: Option<Phone>,
    pub amount: Money,
    pub subscription_status: Subscription,
    pub date: Day,
    pub names: Names,
    /// SHA-256 over the parsed fields: tells a retry from a second payment.
    pub body_hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentOutcome {
    Recorded { payment_id: PaymentId, lead_id: Option<LeadId>, earned: Option<Earned>, warning: Option<Warning> },
    Duplicate { payment_id: PaymentId, amount: Money, earned: Option<Earned>, body_differs: bool, mismatch: bool },
}

impl Change for PaymentOutcome {
    fn changed(&self) -> bool {
        matches!(self, Self::Recorded { .. })
    }
}

impl Rule for Payment {
    type Outcome = PaymentOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.product(self.of);
        about.person(business_id, self.of.scope, Some(self.email.key()), self.phone.as_ref().map(Phone::e164));
        if self.phone.is_some() {
            about.phoned.insert((self.of.scope, self.email.key().to_owned()));
        }
        about.payment(business_id, self.of, self.email.key(), self.date, &self.names);
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<PaymentOutcome> {
        work.facts.prove(by, self.of)?;
        if let Some(known) = self.same(work, by) {
            return Ok(self.repeated(work, by, known));
        }
        let phone = self.phone.as_ref();
        let lead_id = work.facts.find_lead(self.of.scope, Some(self.email.key()), phone.map(Phone::e164));
        if let Some(id) = lead_id {
            leads::add_contact(work, by, id, (self.email.text(), self.email.key()), phone);
        }
        let payment_id = self.keep(work, by, lead_id);
        let warning = settle(work, by, lead_id, Came { payment: Some(payment_id), ..Came::by_event() });
        let earned = earning::earned_by(work, payment_id);
        let why = work.facts.payments.get(&payment_id).map(|p| p.decision_why);
        let note = Note::payment("payment.recorded", payment_id, lead_id)
            .of_referrer(earned.as_ref().map(|e| e.referrer_id))
            .after(json!({
                "amount": self.amount.shown(),
                "date": self.date.to_string(),
                "commission": earned.as_ref().map(|e| e.amount.shown()),
                "why": why,
            }));
        audit(work, by, note);
        Ok(PaymentOutcome::Recorded { payment_id, lead_id, earned, warning })
    }
}

impl Payment {
    /// The payment this one repeats. With names that decide only these do; without one, any payment of the
    /// product, e-mail address and date.
    fn same(&self, work: &Work, by: &By) -> Option<Paid> {
        let test = self.of.scope.test;
        if self.names.deciding.is_empty() {
            let day = (self.of.product_id, test, self.email.key().to_owned(), self.date);
            return work.facts.payments.get(work.facts.payment_by_date.get(&day)?).cloned();
        }
        work.facts.payment_named(by.business_id, test, &self.names.deciding).cloned()
    }

    /// Gives the payment those of some names that no payment has; answers which.
    fn give(&self, work: &mut Work, by: &By, id: PaymentId, names: &[PaymentName]) -> Vec<PaymentName> {
        let mut given = Vec::new();
        for name in names {
            if work.name_payment((by.business_id, self.of.scope.test, name.clone()), id) {
                given.push(name.clone());
            }
        }
        given
    }

    fn keep(&self, work: &mut Work, by: &By, lead_id: Option<LeadId>) -> PaymentId {
        let id = work.id();
        let paid = Paid {
            id,
            business_id: by.business_id,
            campaign_id: self.of.scope.campaign_id,
            product_id: self.of.product_id,
            test: self.of.scope.test,
            lead_id,
            email: self.email.text().to_owned(),
            email_key: self.email.key().to_owned(),
            amount: self.amount.minor,
            currency: self.amount.currency,
            subscription_status: self.subscription_status,
            payment_date: self.date,
            body_hash: self.body_hash.clone(),
            decision: Decision::Waiting,
            decision_why: DecisionReason::NoLead,
            repeats: 0,
            disputed_at: None,
            refunded: 0,
            received_at: work.now.micros(),
        };
        if !paid.test {
            work.count(paid.campaign_id, format!("revenue.{}", paid.currency), Some(self.date), paid.amount);
        }
        attribution::count_revenue(work, &paid, paid.amount);
        work.facts.add_payment(paid);
        work.writes.new_payments.insert(id);
        if self.names.deciding.is_empty() {
            let by_day = PaymentName::paid_on(self.of.product_id, self.email.key(), self.date);
            self.give(work, by, id, &[by_day]);
        }
        self.give(work, by, id, &self.names.deciding);
        self.give(work, by, id, &self.names.further);
        id
    }

    fn repeated(&self, work: &mut Work, by: &By, known: Paid) -> PaymentOutcome {
        self.learn(work, by, &known);
        let earned = earning::earned_at_first(work, known.id);
        let body_differs = known.body_hash != self.body_hash;
        let by_id = !self.names.deciding.is_empty();
        if !by_id {
            let fresh = work.now < Instant::from_micros(known.received_at).plus_seconds(RETRY_WINDOW);
            if !body_differs && fresh {
                if let Some(paid) = work.payment_mut(known.id) {
                    paid.repeats += 1;
                }
            } else {
                self.ask(work, by, &known);
            }
        }
        PaymentOutcome::Duplicate {
            payment_id: known.id,
            amount: known.money(known.amount),
            earned,
            body_differs,
            mismatch: by_id && body_differs,
        }
    }

    /// The payment is known by one of its names: it gets the others that decide, and refunds may have waited for
    /// one of these.
    fn learn(&self, work: &mut Work, by: &By, known: &Paid) {
        let given = self.give(work, by, known.id, &self.names.deciding);
        if given.is_empty() {
            return;
        }
        let names: Vec<String> = given.iter().map(PaymentName::to_string).collect();
        let note = Note::payment("payment.named", known.id, known.lead_id).after(json!({ "names": names }));
        audit(work, by, note);
        refunds::apply_parked(work, by, known.id);
    }

    /// One item per payment and distinct body: it may be a genuine second payment of that day.
    fn ask(&self, work: &mut Work, by: &By, known: &Paid) {
        let id = work.id();
        work.writes.inbox.push(NewInboxItem {
            id,
            business_id: by.business_id,
            campaign_id: known.campaign_id,
            kind: InboxKind::SecondPayment,
            cause: format!("second:{}:{}", known.id, self.body_hash),
            detail: json!({
                "product": self.of.product_id,
                "email": self.email.text(),
                "amount": self.amount.minor,
                "currency": self.amount.currency.code(),
                "status": self.subscription_status,
                "date": self.date.to_string(),
                "test": known.test,
                "body_hash": self.body_hash,
            }),
            lead_id: known.lead_id,
            payment_id: Some(known.id),
            referrer_id: None,
            touch_id: None,
        });
    }

    /// The payment that an item of the inbox holds, under a name of its own.
    pub fn of_item(item: &InboxItem) -> Option<Self> {
        if item.kind != InboxKind::SecondPayment {
            return None;
        }
        let detail: Json = serde_json::from_str(&item.detail).ok()?;
        let text = |name: &str| detail.get(name).and_then(Json::as_str);
        let product_id = detail.get("product")?.as_i64()?;
        let currency = Currency::parse(text("currency")?).ok()?;
        Some(Self {
            of: ProductScope::new(product_id, item.campaign_id?.0, detail.get("test")?.as_bool()?),
            email: Email::parse(text("email")?).ok()?,
            phone: None,
            amount: Money { minor: detail.get("amount")?.as_i64()?, currency },
            subscription_status: Subscription::parse(text("status")?)?,
            date: Day::parse(text("date")?).ok()?,
            names: Names::all_decide([PaymentName::of_item(item.id)]),
            body_hash: text("body_hash")?.to_owned(),
        })
    }
}
