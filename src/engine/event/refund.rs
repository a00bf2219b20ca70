//! Money given back on a payment. A refund is stored once; it takes its amount off the payment, and the
//! commissions follow. One that comes before its payment is parked.
//!
//! A refund that names a day is of that day's oldest payment that has enough left.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refund_to;
use crate::clock::Day;
use crate::email::Email;
use crate::engine::decision::{By, Decided, Earned, Field, ProductScope, Rejected};
use crate::engine::facts::{Paid, RefundRow};
use crate::engine::ids::{BusinessId, PaymentId, RefundId};
use crate::engine::names::PaymentRef;
use crate::engine::rule::{Change, Rule};
use crate::engine::rules::audit::{Note, audit};
use crate::engine::rules::earning;
use crate::engine::rules::refunds::{apply, is_of, wanted};
use crate::engine::state::RefundState;
use crate::engine::subjects::Subjects;
use crate::engine::work::Work;
use crate::money::{Currency, Money, MoneyError, Unpriced};

/// RN payment-refunded, and the form on a lead's page.
#[derive(Debug, Clone)]
pub struct Refund {
    pub of: ProductScope,
    pub email: Email,
    pub payment: PaymentRef,
    /// None is all that is left.
    pub amount: Option<Unpriced>,
    /// The payment's, if it is given.
    pub currency: Option<Currency>,
    pub date: Day,
    /// `event:…`; none means payment, date and amount decide.
    pub identity: Option<String>,
    /// SHA-256 over the parsed fields.
    pub body_hash: String,
    /// Why staff gave it back.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundOutcome {
    Recorded(Refunded),
    Duplicate {
        known: Refunded,
        /// The same id came with another content.
        mismatch: bool,
    },
}

impl Change for RefundOutcome {
    fn changed(&self) -> bool {
        matches!(self, Self::Recorded(_))
    }
}

/// A refund, as its answer reports it, by how things stand now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    pub refund_id: RefundId,
    pub state: RefundState,
    pub payment_id: Option<PaymentId>,
    /// The amount given back; none unless it was applied.
    pub amount: Option<Money>,
    /// The rest of the payment, if that is known.
    pub left: Option<Money>,
    pub earned: Option<Earned>,
}

/// The payment that a refund is of.
enum Found {
    Of(PaymentId, Money),
    Again(RefundId),
    Unknown,
}

impl Rule for Refund {
    type Outcome = RefundOutcome;

    fn subjects(&self, business_id: BusinessId, about: &mut Subjects) {
        about.product(self.of);
        about.person(business_id, self.of.scope, Some(self.email.key()), None);
        if let Some(identity) = &self.identity {
            about.lock(business_id, format!("refund {identity}"));
        }
        let identity = self.identity.clone().unwrap_or_else(|| self.parked_identity());
        about.refunds.insert((business_id, self.of.scope.test, identity));
        about.seek(self.payment.sought(business_id, self.of, self.email.key()));
    }

    fn decide(&self, work: &mut Work, by: &By) -> Decided<RefundOutcome> {
        work.facts.prove(by, self.of)?;
        if let Some(id) = self.identity.as_deref().and_then(|identity| self.known_as(work, by, identity)) {
            return Ok(again(work, id, Some(self)));
        }
        match self.find(work, by)? {
            Found::Of(payment_id, money) => {
                let asked = self.amount.map_or("all".to_owned(), |_| money.minor.to_string());
                let unnamed = || format!("same:{payment_id}|{}|{asked}", self.date);
                let id = self.keep(work, by, self.identity.clone().unwrap_or_else(unnamed));
                apply(work, by, id, payment_id, money, self.reason.as_deref());
                Ok(RefundOutcome::Recorded(report(work, id)))
            }
            Found::Again(id) => Ok(again(work, id, None)),
            Found::Unknown if self.payment.names(self.of.product_id, self.email.key()).is_empty() => {
                Err(Rejected::NotFound)
            }
            Found::Unknown => {
                let identity = self.identity.clone().unwrap_or_else(|| self.parked_identity());
                match self.known_as(work, by, &identity) {
                    Some(id) => Ok(again(work, id, None)),
                    None => self.park(work, by, identity),
                }
            }
        }
    }
}

impl Refund {
    fn known_as(&self, work: &Work, by: &By, identity: &str) -> Option<RefundId> {
        let identity = (by.business_id, self.of.scope.test, identity.to_owned());
        work.facts.refund_by_identity.get(&identity).copied()
    }

    /// The identity of a refund without an id of its own until its payment arrives.
    fn parked_identity(&self) -> String {
        let asked = self.amount.map_or("all".to_owned(), Unpriced::plain);
        format!("parked:{}|{}|{asked}", self.payment.text(self.of.product_id, self.email.key()), self.date)
    }

    fn find(&self, work: &Work, by: &By) -> Decided<Found> {
        let unfit = |field, why: String| Err(Rejected::Invalid { field, why });
        let all = work.facts.payments_named(&self.payment.sought(by.business_id, self.of, self.email.key()));
        let Some(first) = all.first().copied() else {
            return match self.is_of_reward(work, by) {
                true => unfit(Field::Commission, "is a reward for a qualification, which no payment is behind".into()),
                false => Ok(Found::Unknown),
            };
        };
        if let Err((field, why)) = is_of(work, first, self.of.product_id, self.email.key(), self.date) {
            return unfit(field, why.into());
        }
        let fitting: Vec<&Paid> =
            all.iter().copied().filter(|p| self.currency.is_none_or(|c| c == p.currency)).collect();
        let Some(oldest) = fitting.first().copied() else {
            return unfit(Field::Currency, format!("is not the payment's, which was in {}", first.currency));
        };
        if let Some(id) = fitting.iter().find_map(|p| self.same(work, p)) {
            return Ok(Found::Again(id));
        }
        let asked: Vec<(&Paid, Result<Money, MoneyError>)> =
            fitting.iter().map(|p| (*p, wanted(p, self.amount))).collect();
        let fits = asked.iter().find_map(|(p, w)| {
            let money = (*w).ok().filter(|money| money.minor > 0 && money.minor <= p.left())?;
            Some(Found::Of(p.id, money))
        });
        if let Some(fits) = fits {
            return Ok(fits);
        }
        // The whole of a payment that was wholly refunded, in one or in several parts.
        let whole = |(p, w): &&(&Paid, Result<Money, MoneyError>)| {
            p.refunded > 0 && p.left() == 0 && (self.amount.is_none() || w.is_ok_and(|money| money.minor == p.amount))
        };
        let last = asked.iter().find(whole).and_then(|(p, _)| work.facts.refunds_of(p.id).last().map(|known| known.id));
        if let Some(last) = last {
            return Ok(Found::Again(last));
        }
        let why = match asked.iter().find_map(|(_, w)| w.err()) {
            Some(why) => why.to_string(),
            None if self.amount.is_some_and(|a| a.units() == 0) => "must be more than 0".to_owned(),
            None if oldest.amount == 0 => "cannot be given back: nothing was paid".to_owned(),
            None => {
                let most = fitting.iter().map(|p| p.left()).max().unwrap_or_default();
                format!("is more than the {} that is left of the payment", oldest.money(most).shown())
            }
        };
        unfit(Field::Amount, why)
    }

    /// True when it names a commission that no payment is behind.
    fn is_of_reward(&self, work: &Work, by: &By) -> bool {
        let PaymentRef::Commission(id) = self.payment else { return false };
        let named = work.facts.commission(by, id);
        named.is_ok_and(|c| c.payment_id.is_none() && c.test == self.of.scope.test)
    }

    /// A refund of the payment with the same day and amount. For one with an id of its own, that is only what a payment
    /// provider told, which has none.
    fn same(&self, work: &Work, paid: &Paid) -> Option<RefundId> {
        let asked = self.amount.and_then(|asked| asked.in_currency(paid.currency).ok());
        let minor = asked.map(|money| money.minor);
        let equal = |known: &&&RefundRow| {
            let alike = if self.amount.is_some() { known.amount == minor } else { known.asked.is_none() };
            let may_be = self.identity.is_none() || known.identity.starts_with(refund_to::IDENTITY);
            may_be && known.refund_date == self.date && alike && known.amount.is_some_and(|minor| minor > 0)
        };
        work.facts.refunds_of(paid.id).iter().find(equal).map(|known| known.id)
    }

    fn keep(&self, work: &mut Work, by: &By, identity: String) -> RefundId {
        let id = work.id();
        work.facts.add_refund(RefundRow {
            id,
            business_id: by.business_id,
            campaign_id: self.of.scope.campaign_id,
            product_id: self.of.product_id,
            test: self.of.scope.test,
            email: self.email.text().to_owned(),
            email_key: self.email.key().to_owned(),
            payment_id: None,
            asked: self.amount.map(Unpriced::units),
            amount: None,
            currency: self.currency,
            refund_date: self.date,
            identity,
            body_hash: self.body_hash.clone(),
            state: RefundState::Parked,
            why: None,
            received_at: work.now.micros(),
        });
        work.writes.new_refunds.insert(id);
        let names = self.payment.names(self.of.product_id, self.email.key());
        let named = names.iter().map(|name| ((by.business_id, self.of.scope.test, name.clone()), id));
        work.writes.refund_names.extend(named);
        work.facts.waits_for.insert(id, names.into_iter().collect());
        id
    }

    fn park(&self, work: &mut Work, by: &By, identity: String) -> Decided<RefundOutcome> {
        if self.amount.is_some_and(|a| a.units() == 0) {
            return Err(Rejected::Invalid { field: Field::Amount, why: "must be more than 0".to_owned() });
        }
        let id = self.keep(work, by, identity);
        let lead_id = work.facts.find_lead(self.of.scope, Some(self.email.key()), None);
        let note = Note::refund("payment.refund_parked", id, lead_id)
            .after(json!({
                "amount": self.amount.map_or("all".to_owned(), Unpriced::plain),
                "date": self.date.to_string(),
                "email": self.email.text(),
            }))
            .reason(self.reason.as_deref());
        audit(work, by, note);
        Ok(RefundOutcome::Recorded(report(work, id)))
    }
}

/// The refund was here before. With an id, another content is no repeat of it.
fn again(work: &Work, id: RefundId, by_id: Option<&Refund>) -> RefundOutcome {
    let differs = |r: &Refund| work.facts.refunds.get(&id).is_some_and(|known| known.body_hash != r.body_hash);
    RefundOutcome::Duplicate { known: report(work, id), mismatch: by_id.is_some_and(differs) }
}

fn report(work: &Work, id: RefundId) -> Refunded {
    let known = work.facts.refunds.get(&id);
    let payment_id = known.and_then(|r| r.payment_id);
    let paid = payment_id.and_then(|id| work.facts.payments.get(&id));
    let money = |minor: Option<i64>| Some(paid?.money(minor?));
    Refunded {
        refund_id: id,
        state: known.map_or(RefundState::Parked, |r| r.state),
        payment_id,
        amount: money(known.and_then(|r| r.amount)),
        left: money(paid.map(Paid::left)),
        earned: payment_id.and_then(|id| earning::earned_by(work, id)),
    }
}
