//! Plans what is to be done about a payment: the events that its story has beyond what the engine knows.

use std::sync::Arc;

use super::group::Group;
use crate::actor::Actor;
use crate::business::BusinessRow;
use crate::clock::{Day, Zone};
use crate::core::Core;
use crate::db::DbResult;
use crate::email::Email;
use crate::engine::{
    By, Dispute, DisputedPayment, Event, Names, PaymentName, ProductScope, QualifyBy, RefundTo, Scope, What,
};
use crate::intake::{Fault, Intake, RawCancel, RawPayment, RawProduct, RawSignUp, Sender};
use crate::money::{Currency, Money};
use crate::products::Catalogue;
use crate::providers::accounts::Account;
use crate::providers::store::messages::State;
use crate::providers::store::{self, KnownPayment, LinkRow};
use crate::providers::story::Story;
use crate::providers::told::{Ended, Fact};

/// Everything that follows from one message.
#[derive(Debug, Clone)]
pub struct Plan {
    pub account_id: i64,
    /// The messages that it settles.
    pub ids: Vec<i64>,
    pub deeds: Vec<Deed>,
    /// Ids that another message has to explain.
    pub awaits: Vec<String>,
    /// Ids that its messages explain to others.
    pub explains: Vec<String>,
    /// The text by which others know the lead of the customer who paid.
    pub customer: Option<String>,
    pub rest: Rest,
    pub provider: &'static str,
    /// Said beside what was done.
    pub notes: Vec<String>,
}

/// The end of a plan without a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Everything that it says is known.
    Known,
    /// It explains an id.
    Explains,
    Waits(String),
    Ignored(String),
    Failed(String),
}

/// One event, with the words for what it does.
#[derive(Debug, Clone)]
pub struct Deed {
    pub kind: DeedKind,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeedKind {
    SignUp {
        code: String,
    },
    Payment(Money),
    /// The refunds are brought to a sum.
    Refund {
        /// A message that is not applied yet says that one failed.
        fails: bool,
        /// The lead lost its qualification when the whole payment had been given back.
        unqualified: bool,
    },
    Dispute(bool),
    Qualify(bool),
    End,
}

/// The sender of the events of one account.
pub struct Planner<'p> {
    pub core: &'p Core,
    intake: Intake<'p>,
    pub business: &'p BusinessRow,
    pub account: &'p Account,
    by: By,
    zone: Zone,
    pub plan: Plan,
}

pub async fn plan(
    core: &Core,
    catalogue: &Catalogue,
    business: &BusinessRow,
    account: &Account,
    actor: &Arc<Actor>,
    group: Group,
) -> DbResult<Plan> {
    let zone = Zone::parse(&business.timezone).unwrap_or_default();
    let sender = Sender {
        business_id: business.id,
        business: &business.public_id,
        zone,
        country: &business.country,
        test: account.row.test,
    };
    let first = group.messages.first().map(|(row, _)| row.id);
    let open = group.messages.iter().filter(|(row, _)| row.is_open() || Some(row.id) == first);
    let mut planner = Planner {
        core,
        intake: Intake { db: &core.db, catalogue, now: core.clock.now(), sender },
        business,
        account,
        by: By::new(business.id, actor),
        zone,
        plan: Plan {
            account_id: account.row.id,
            ids: open.map(|(row, _)| row.id).collect(),
            deeds: Vec::new(),
            awaits: Vec::new(),
            explains: group.told().flat_map(|told| told.explains.iter().cloned()).collect(),
            customer: None,
            rest: Rest::Known,
            provider: account.row.provider.title(),
            notes: Vec::new(),
        },
    };
    planner.follow(&group).await?;
    Ok(planner.plan)
}

/// The payment, as the engine knows it after the plan.
enum Recorded {
    /// It cannot be recorded; the plan says why.
    Faulty,
    /// A code was used, and nothing was paid.
    Nothing,
    Paid(Money, Day),
}

/// The refunds of a payment, as its story has them.
struct Back {
    amount: Money,
    total: Money,
    failed: i64,
    /// The engine knows that all of it was given back.
    was_whole: bool,
    paid_on: Day,
}

impl Planner<'_> {
    async fn follow(&mut self, group: &Group) -> DbResult<()> {
        if self.account.links.is_empty() {
            self.plan.rest = Rest::Ignored("The account is connected to no campaign any more.".into());
            return Ok(());
        }
        if let Some(why) = &group.unreadable {
            self.plan.rest = Rest::Failed(why.clone());
            return Ok(());
        }
        let story = Story::of(group.told());
        let ended = group.told().flat_map(|told| &told.facts).find_map(|fact| match fact {
            Fact::Ended(ended) => Some(ended.clone()),
            _ => None,
        });
        if let Some(ended) = ended {
            return self.end(&ended).await;
        }
        let names: Vec<String> = group.names.iter().cloned().collect();
        let mut conn = self.core.db.read().await?;
        let known = if names.is_empty() {
            None
        } else {
            store::payment(&mut conn, self.business.id, self.is_test(None), &names).await?
        };
        drop(conn);
        if story.paid.is_none() && story.used_at.is_none() && known.is_none() {
            self.plan.rest = if story.tells_of_return() {
                Rest::Waits("It waits for the payment that it is about.".into())
            } else if self.plan.explains.is_empty() {
                Rest::Ignored("It names a payment and says nothing new of it.".into())
            } else {
                Rest::Explains
            };
            return Ok(());
        }
        Box::pin(self.pay(group, &story, known)).await
    }

    /// Rows are test data by the account's mode, or the product's.
    pub fn is_test(&self, link: Option<&LinkRow>) -> bool {
        self.account.row.test || link.is_some_and(|link| link.product_test)
    }

    /// A sign-up with the code that was used, the payment, what it qualifies, and what became of it since.
    async fn pay(&mut self, group: &Group, story: &Story, known: Option<KnownPayment>) -> DbResult<()> {
        let Some((email, name)) = self.person(&story.who, known.as_ref()).await? else { return Ok(()) };
        self.plan.customer = story.who.customer.as_deref().map(lead);
        self.plan.explains.extend(self.plan.customer.clone());
        let used = self.code(&story.hints).await?;
        let Some(link) = self.link(used.as_ref(), &email, known.as_ref()).await? else { return Ok(()) };
        // A link to a test product keeps its payments in test mode, where the account's own are not.
        let known = match known {
            Some(known) => Some(known),
            None if self.is_test(Some(&link)) != self.account.row.test => {
                let names: Vec<String> = group.names.iter().cloned().collect();
                store::payment(&mut self.core.db.read().await?, self.business.id, true, &names).await?
            }
            None => None,
        };
        let is_news = group.messages.iter().any(|(row, told)| row.state == State::New && told.says_code());
        let is_news = is_news || known.is_none();
        if let (Some(used), true) = (&used, is_news) {
            let raw = RawSignUp {
                of: self.of(&link.product),
                email: email.clone(),
                name: name.unwrap_or_else(|| email.text().to_owned()),
                phone: None,
                code: Some(used.text.clone()),
            };
            let event = self.intake.sign_up(raw).await;
            let Some(event) = self.taken(event) else { return Ok(()) };
            self.push(DeedKind::SignUp { code: used.text.clone() }, event);
        }
        let recorded = self.record(group, story, known.as_ref(), &link, &email).await?;
        if let Recorded::Faulty = recorded {
            return Ok(());
        }
        // The first use of a code qualifies: no renewal and no repeat overrules what people decided since.
        let is_first = group.messages.iter().all(|(row, _)| row.lead_id.is_none());
        if used.is_some() && link.qualify_on_code && is_news && is_first {
            let (scope, known) = ((link.campaign_id, self.is_test(Some(&link))), known.as_ref().map(|known| known.id));
            let mut conn = self.core.db.read().await?;
            if !store::has_paid(&mut conn, scope, email.key(), known).await? {
                self.qualify(&link, &email, true);
            }
        }
        if let Recorded::Paid(amount, day) = recorded {
            self.converge(group, story, known.as_ref(), (&link, &email), (amount, day));
        }
        Ok(())
    }

    /// The payment itself; answers what the engine knows of it then.
    async fn record(
        &mut self,
        group: &Group,
        story: &Story,
        known: Option<&KnownPayment>,
        link: &LinkRow,
        email: &Email,
    ) -> DbResult<Recorded> {
        if let Some(known) = known {
            let (Ok(currency), Ok(day)) = (Currency::parse(&known.currency), Day::parse(&known.payment_date)) else {
                return Ok(Recorded::Nothing);
            };
            let recorded = Money { minor: known.amount, currency };
            let told = story.paid.as_ref().filter(|_| story.amounts_differ);
            let told = told.map(|paid| paid.base_money(link.with_tax, link.with_shipping));
            if let Some(told) =
                told.filter(|told| *told != recorded && group.brings(|fact| matches!(fact, Fact::Paid(_))))
            {
                let (told, recorded) = (told.shown(), recorded.shown());
                self.plan.rest = Rest::Failed(format!(
                    "Two messages give this payment with different amounts: it is recorded with {recorded}, and should be \
                     {told}. Refund the difference on the lead’s page, or owe it by an adjustment."
                ));
            }
            return Ok(Recorded::Paid(recorded, day));
        }
        let Some(paid) = &story.paid else { return Ok(Recorded::Nothing) };
        let amount = paid.base_money(link.with_tax, link.with_shipping);
        if story.amounts_differ {
            self.plan.notes.push("Two messages give this payment with different amounts. The invoice's counts.".into());
        }
        let day = self.zone.day_of(paid.at);
        let raw = RawPayment {
            of: self.of(&link.product),
            email: email.clone(),
            phone: None,
            amount: amount.plain(),
            currency: amount.currency.code().to_owned(),
            subscription_status: paid.status,
            date: day,
            names: Names::all_decide(names_of(group)),
        };
        let event = self.intake.payment(raw).await;
        let Some(event) = self.taken(event) else { return Ok(Recorded::Faulty) };
        self.push(DeedKind::Payment(amount), event);
        Ok(Recorded::Paid(amount, day))
    }

    /// Refunds, disputes, and what a whole refund takes back.
    fn converge(
        &mut self,
        group: &Group,
        story: &Story,
        known: Option<&KnownPayment>,
        (link, email): (&LinkRow, &Email),
        (amount, day): (Money, Day),
    ) {
        if story.currencies.iter().any(|currency| *currency != amount.currency) {
            let why = format!(
                "It gives money back in another currency than the payment's, which was in {}.",
                amount.currency
            );
            self.plan.rest = Rest::Failed(format!("{why} Refund the right amount on the lead's page."));
            return;
        }
        let (refunded, target) = (known.map_or(0, |k| k.refunded), story.refunded_of(amount.minor));
        // A message that was left out may say that a refund was made after all.
        let failed = if group.is_cut { 0 } else { story.failed_of(amount.minor) };
        if target > refunded || (target < refunded && failed > 0) {
            let was_whole = refunded == amount.minor;
            let back = Back { total: Money { minor: target, ..amount }, failed, amount, was_whole, paid_on: day };
            self.give_back(group, story, link, email, back);
        }
        let is_disputed = known.is_some_and(|k| k.disputed_at.is_some());
        if let Some(disputed) = story.disputed.filter(|disputed| *disputed != is_disputed && target < amount.minor) {
            let test = self.is_test(Some(link));
            let payment = DisputedPayment::Names { test, names: names_of(group).collect() };
            let reason = format!("{} says so.", self.plan.provider);
            self.push(DeedKind::Dispute(disputed), Dispute { payment, disputed, reason });
        }
    }

    /// Brings the engine to what the story says was given back in all.
    fn give_back(&mut self, group: &Group, story: &Story, link: &LinkRow, email: &Email, back: Back) {
        let at = story.refunded_at.unwrap_or(self.intake.now);
        let refund = RefundTo {
            of: ProductScope::new(link.product_id, link.campaign_id, self.is_test(Some(link))),
            email: email.clone(),
            names: names_of(group).collect(),
            total: back.total,
            date: self.zone.day_of(at).max(back.paid_on),
            failed: back.failed,
            reason: format!("{} says so.", self.plan.provider),
        };
        let fails = group.brings(Fact::takes_back);
        let unqualified = back.was_whole && link.unqualify_on_refund;
        self.push(DeedKind::Refund { fails, unqualified }, refund);
        if back.total == back.amount && link.unqualify_on_refund {
            self.qualify(link, email, false);
        }
    }

    fn qualify(&mut self, link: &LinkRow, email: &Email, qualified: bool) {
        let scope = Scope::new(link.campaign_id, self.is_test(Some(link)));
        self.push(DeedKind::Qualify(qualified), QualifyBy { scope, email: email.clone(), qualified });
    }

    async fn end(&mut self, ended: &Ended) -> DbResult<()> {
        let Some((email, _)) = self.person(&ended.who, None).await? else { return Ok(()) };
        // Whoever is no lead has nothing here that could end; it counts when they become one.
        self.plan.awaits.extend(ended.who.customer.as_deref().map(lead));
        let Some(link) = self.link(None, &email, None).await? else { return Ok(()) };
        let date = self.zone.day_of(ended.at).min(self.zone.day_of(self.intake.now));
        let raw = RawCancel { of: self.of(&link.product), email, date, id: None };
        let event = self.intake.cancel(raw).await;
        if let Some(event) = self.taken(event) {
            self.push(DeedKind::End, event);
        }
        Ok(())
    }

    fn of(&self, product: &str) -> RawProduct {
        RawProduct { business: self.business.public_id.clone(), product: product.to_owned() }
    }

    /// An event that was read; a fault is for a person.
    fn taken<T>(&mut self, event: Result<T, Fault>) -> Option<T> {
        match event {
            Ok(event) => Some(event),
            Err(Fault::Field { field, why }) => {
                self.plan.deeds.clear();
                self.plan.rest = Rest::Failed(format!("Its {} {why}.", field.words()));
                None
            }
            Err(Fault::Failed(error)) => {
                self.plan.deeds.clear();
                tracing::warn!(%error, "a message could not be read yet");
                self.plan.rest = Rest::Waits("It is applied when the database answers again.".into());
                None
            }
            Err(_) => {
                self.plan.deeds.clear();
                self.plan.rest = Rest::Failed("Its product is no longer there.".into());
                None
            }
        }
    }

    fn push(&mut self, kind: DeedKind, event: impl Into<What>) {
        self.plan.deeds.push(Deed { kind, event: Event::new(self.by.clone(), event) });
    }
}

/// The text by which messages wait until a customer is a lead.
pub fn lead(customer: &str) -> String {
    format!("lead:{customer}")
}

fn names_of(group: &Group) -> impl Iterator<Item = PaymentName> {
    group.names.iter().filter_map(|name| PaymentName::parse(name))
}

impl crate::providers::told::Told {
    /// It says which code was used.
    fn says_code(&self) -> bool {
        self.facts.iter().any(|fact| match fact {
            Fact::Used(used) => !used.hints.is_empty(),
            Fact::Paid(paid) => !paid.hints.is_empty(),
            _ => false,
        })
    }
}
