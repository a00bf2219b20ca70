//! Referrers, leads and payments, made by the same verbs as the pages and the APIs use.

use std::sync::Arc;

use refdesk::actor::{Actor, ActorKind};
use refdesk::app::App;
use refdesk::campaigns::{self, NewCampaign};
use refdesk::clock::Day;
use refdesk::db::{DbResult, Tx, sql};
use refdesk::email::Email;
use refdesk::engine::{
    AddLead, Approve, By, CancelSubscription, Claim, ClaimBy, Contact, Dispute, DisputedPayment, Event, NameKind,
    Names, Payment, PaymentName, PaymentRef, ProductScope, Refund, Scope, SignUp, SourceOrigin, Status, Subscription,
    TouchKind, What,
};
use refdesk::money::{Currency, Money, Rate, Unpriced};
use refdesk::payout_details::Method;
use refdesk::payouts::{self, NewPayout};
use refdesk::phone::Phone;
use refdesk::products::{self, NewTerms};
use refdesk::referrers::{self, AddReferrer, Added};

use super::{Business, Outcome};

/// Somebody who refers, with their code.
#[derive(Debug, Clone)]
pub struct Referrer {
    pub id: i64,
    pub enrollment_id: i64,
    /// Empty when they were added without one.
    pub code: String,
}

/// A business at work.
#[derive(Clone, Copy)]
pub struct Shop<'a> {
    pub app: &'a App,
    pub business: &'a Business,
}

pub fn actor() -> Arc<Actor> {
    Arc::new(Actor { kind: ActorKind::Command, id: None, name: "test".into(), origin: "test".into(), call: None })
}

/// "Jane Miller" is jane.miller@example.org.
pub fn address_of(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}

pub fn email(text: &str) -> Email {
    Email::parse(text).unwrap_or_else(|e| panic!("{text:?} {e}"))
}

pub fn day(text: &str) -> Day {
    Day::parse(text).unwrap_or_else(|e| panic!("{text:?} {e}"))
}

/// "100.00" is in dollars, "10000 KES" in what it says.
pub fn money(text: &str) -> Money {
    let (amount, code) = text.split_once(' ').unwrap_or((text, "USD"));
    Money::from_text(amount, Currency::parse(code).expect("a currency")).unwrap_or_else(|e| panic!("{text:?} {e}"))
}

pub fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap_or_else(|e| panic!("{text:?} {e}"))
}

/// The name by which a refund finds its payment: a day, or anything else.
pub struct Named(PaymentRef);

impl From<Day> for Named {
    fn from(day: Day) -> Self {
        Self(PaymentRef::Day(day))
    }
}

impl From<PaymentRef> for Named {
    fn from(of: PaymentRef) -> Self {
        Self(of)
    }
}

/// The earnings of a payment, as "20.00 USD".
#[track_caller]
pub fn earned(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::PaymentRecorded { earned, .. } | Outcome::PaymentDuplicate { earned, .. } => {
            earned.as_ref().map(|e| e.amount.shown())
        }
        other => panic!("no payment: {other:?}"),
    }
}

impl Shop<'_> {
    pub fn event(&self, what: impl Into<What>) -> Event {
        Event::new(By::new(self.business.id, &actor()), what)
    }

    /// One event through the desk, as an API call sends it.
    pub async fn send(&self, what: impl Into<What>) -> Outcome {
        let event = self.event(what);
        let decided = self.app.engine.one_of(event.clone()).await.expect("the engine answers");
        Outcome::of(&event.what, decided)
    }

    /// Several in one slice, as an import sends them.
    pub async fn send_all(&self, all: Vec<What>) -> Vec<Outcome> {
        let events: Vec<Event> = all.iter().map(|what| self.event(what.clone())).collect();
        let decided = self.app.engine.slice(events).await.expect("the engine answers");
        all.iter().zip(decided).map(|(what, decided)| Outcome::of(what, decided)).collect()
    }

    /// A draft of what is due in a currency, to be paid by hand.
    pub async fn draft(&self, currency: &str) -> i64 {
        let (business_id, currency) = (self.business.id, Currency::parse(currency).expect("a currency"));
        let new = NewPayout { business_id, campaign_id: None, currency, method: Method::Hand, format: None };
        payouts::create(self.app, &actor(), new).await.expect("the database answers").expect("the draft is made")
    }

    /// Pays what is due in a currency, by hand; answers the payout.
    pub async fn pay_out(&self, currency: &str) -> i64 {
        let (app, business_id) = (self.app, self.business.id);
        let id = self.draft(currency).await;
        let draft = payouts::find(&mut app.db.read().await.expect("a connection"), business_id, id).await;
        let seen = draft.expect("the database answers").expect("there is a draft").fingerprint;
        let locked = payouts::lock(app, &actor(), business_id, id, seen, None).await.expect("the database answers");
        locked.expect("it is locked");
        let paid = payouts::pay_all(app, &actor(), business_id, id, None).await.expect("the database answers");
        paid.expect("it is paid");
        id
    }

    /// Approves one commission, and pays what is due.
    pub async fn pay_commission(&self, id: i64) {
        self.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
        self.pay_out("USD").await;
    }

    /// Adds somebody, with a code.
    pub async fn referrer(&self, name: &str) -> Referrer {
        self.referrer_in(self.business.campaign_id, name, true).await
    }

    pub async fn referrer_without_code(&self, name: &str) -> Referrer {
        self.referrer_in(self.business.campaign_id, name, false).await
    }

    pub async fn referrer_in(&self, campaign_id: i64, name: &str, generate: bool) -> Referrer {
        let new = AddReferrer {
            business_id: self.business.id,
            campaign_id,
            name: name.to_owned(),
            email: Some(email(&address_of(name))),
            phone: None,
            company: None,
            marks: refdesk::meta::Marks::default(),
            generate,
        };
        match referrers::add(self.app, &actor(), new).await.expect("a referrer") {
            Added::New { referrer_id, enrollment_id, code } | Added::Known { referrer_id, enrollment_id, code, .. } => {
                Referrer { id: referrer_id, enrollment_id, code: code.unwrap_or_default() }
            }
            Added::ExternalIdTaken { .. } => panic!("no external id was given"),
        }
    }

    /// Makes the next version of the product's terms.
    pub async fn terms(&self, terms: NewTerms) {
        self.terms_of(self.business.product_row, terms).await;
    }

    pub async fn terms_of(&self, product: i64, terms: NewTerms) {
        let new = (self.app.ids.next().await.expect("an id"), product, terms);
        self.app.db.write(vec![], new, insert_terms).await.expect("terms");
    }

    /// A further product of the first campaign, at 20 % on everything; its row.
    pub async fn product(&self, name: &str, test: bool) -> i64 {
        let id = self.app.ids.next().await.expect("an id");
        let public_id = refdesk::id::random_public_id("product", &mut rand::rng());
        let new = Product {
            id,
            business_id: self.business.id,
            campaign_id: self.business.campaign_id,
            public_id,
            name: name.to_owned(),
            test,
        };
        self.app.db.write(vec![], new, insert_product).await.expect("a product");
        self.terms_of(id, NewTerms::percent(rate("20"), rate("20"), 14)).await;
        id
    }

    /// A further live campaign; its id.
    pub async fn campaign(&self, name: &str) -> i64 {
        let id = self.app.ids.next().await.expect("an id");
        let new = NewCampaign::live(id, self.business.id, name.to_owned());
        self.app.db.write(vec![], new, insert_campaign).await.expect("a campaign");
        id
    }

    /// The product of set-up, live.
    pub fn product_scope(&self) -> ProductScope {
        ProductScope::new(self.business.product_row, self.business.campaign_id, false)
    }

    pub fn sign_up_event(&self, address: &str, code: Option<&str>) -> What {
        What::SignUp(SignUp {
            of: self.product_scope(),
            email: email(address),
            name: address.split('@').next().unwrap_or_default().to_owned(),
            phone: None,
            code: code.map(str::to_owned),
        })
    }

    /// A customer signs up, with a code or without.
    pub async fn sign_up(&self, address: &str, code: Option<&str>) -> Outcome {
        self.send(self.sign_up_event(address, code)).await
    }

    /// A customer who signed up, as a lead.
    pub async fn lead(&self, address: &str, code: Option<&str>) -> i64 {
        match self.sign_up(address, code).await {
            Outcome::SignedUp { lead_id, .. } | Outcome::SignUpDuplicate { lead_id, .. } => lead_id,
            other => panic!("no lead: {other:?}"),
        }
    }

    pub fn payment_event(&self, address: &str, amount: &str, date: &str) -> What {
        What::Payment(Payment {
            of: self.product_scope(),
            email: email(address),
            phone: None,
            amount: money(amount),
            subscription_status: Subscription::Active,
            date: day(date),
            names: Names::default(),
            body_hash: refdesk::id::sha256_hex(&format!("{}|{amount}|{date}", email(address).key())),
        })
    }

    /// A payment of that day; the same again is the same payment.
    pub async fn pay(&self, address: &str, amount: &str, date: &str) -> Outcome {
        self.send(self.payment_event(address, amount, date)).await
    }

    /// A payment with an id of its own.
    pub async fn pay_as(&self, id: &str, address: &str, amount: &str, date: &str) -> Outcome {
        let What::Payment(mut payment) = self.payment_event(address, amount, date) else { unreachable!() };
        payment.names = Names::first_decides([PaymentName::new(NameKind::Event, id)]);
        self.send(What::Payment(payment)).await
    }

    /// A refund of that day's payment, event or commission; all that is left where no amount is given.
    pub fn refund_event(&self, address: &str, of: impl Into<Named>, amount: Option<&str>) -> What {
        let payment = of.into().0;
        What::Refund(Refund {
            of: self.product_scope(),
            email: email(address),
            amount: amount.map(|text| Unpriced::from_json_number(text).expect("an amount")),
            currency: None,
            date: day("2026-06-20"),
            identity: None,
            body_hash: refdesk::id::sha256_hex(&format!("{address}|{payment:?}|{amount:?}")),
            reason: None,
            payment,
        })
    }

    pub async fn refund(&self, address: &str, of: impl Into<Named>, amount: Option<&str>) -> Outcome {
        self.send(self.refund_event(address, of, amount)).await
    }

    /// As [`Self::refund`], with an id of its own.
    pub async fn refund_as(&self, id: &str, address: &str, of: impl Into<Named>, amount: Option<&str>) -> Outcome {
        let What::Refund(mut refund) = self.refund_event(address, of, amount) else { unreachable!() };
        refund.identity = Some(format!("event:{id}"));
        self.send(What::Refund(refund)).await
    }

    pub fn dispute_event(&self, payment_id: i64, disputed: bool) -> What {
        What::Dispute(Dispute {
            payment: DisputedPayment::Id(payment_id.into()),
            disputed,
            reason: "a chargeback".to_owned(),
        })
    }

    /// The payment is disputed, or is not any more.
    pub async fn dispute(&self, payment_id: i64, disputed: bool) -> Outcome {
        self.send(self.dispute_event(payment_id, disputed)).await
    }

    /// The subscription ended on that day.
    pub async fn cancel(&self, address: &str, date: &str) -> Outcome {
        self.send(What::CancelSubscription(self.cancel_event(address, day(date)))).await
    }

    pub fn cancel_event(&self, address: &str, date: Day) -> CancelSubscription {
        CancelSubscription {
            of: self.product_scope(),
            email: email(address),
            date,
            identity: format!("date:{}|{}|{date}", self.business.product_row, email(address).key()),
            body_hash: format!("{address}|{date}"),
        }
    }

    /// A lead that a person of staff typed in.
    pub fn lead_event(&self, name: &str, phone: Option<&str>, claim: Option<ClaimBy>) -> What {
        let phone = phone.map(|p| Phone::parse(p, "US").expect("a phone number"));
        What::AddLead(AddLead {
            scope: Scope::new(self.business.campaign_id, false),
            contact: Box::new(Contact {
                name: name.to_owned(),
                email: Some(address_of(name)),
                email_key: Some(email(&address_of(name)).key().to_owned()),
                phone: phone.as_ref().map(|p| p.text().to_owned()),
                phone_key: phone.as_ref().map(|p| p.e164().to_owned()),
                ..Contact::default()
            }),
            status: Status::New,
            source_origin: SourceOrigin::Dashboard,
            claim: claim.map(|by| Claim { kind: TouchKind::Verbal, by }),
            recorded_by: None,
            repeats_allowed: false,
            qualify: false,
        })
    }
}

async fn insert_terms(tx: &mut Tx, &(id, product, ref terms): &(i64, i64, NewTerms)) -> DbResult<()> {
    let now = tx.now();
    let number = sql("SELECT count(*) + 1 FROM terms WHERE product_id = $1").bind(product).scalar(tx).await?;
    products::insert_terms(tx, id, product, number, terms, None, now).await
}

struct Product {
    id: i64,
    business_id: i64,
    campaign_id: i64,
    public_id: String,
    name: String,
    test: bool,
}

async fn insert_product(tx: &mut Tx, p: &Product) -> DbResult<()> {
    products::insert(tx, p.id, p.business_id, p.campaign_id, &p.public_id, &p.name, p.test).await
}

async fn insert_campaign(tx: &mut Tx, new: &NewCampaign) -> DbResult<()> {
    let now = tx.now();
    campaigns::insert(tx, new, now).await
}
