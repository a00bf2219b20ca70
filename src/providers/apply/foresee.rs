//! Foresees what messages would come to that are not stored: they are planned as stored ones are, and the engine tries
//! them without writing anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::actor;
use super::group::Group;
use super::plan::{self, Deed, DeedKind, Plan, Rest};
use crate::actor::Actor;
use crate::business::{self, BusinessRow};
use crate::codes;
use crate::core::Core;
use crate::db::{DbError, DbResult};
use crate::engine::{Decided, Event, Outcome, PaymentOutcome, RefundToOutcome, Rejected, SignUpOutcome, Work};
use crate::money::Money;
use crate::products::Catalogue;
use crate::providers::accounts::Account;
use crate::providers::store::messages::{MessageRow, State};

/// A message that is not stored.
#[derive(Debug, Clone)]
pub struct Unstored {
    pub identity: String,
    pub happened_at: i64,
    pub body: String,
}

/// Counts of what some messages would come to. Amounts are in minor units, by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Foreseen {
    /// Payments that would be recorded, and those that are recorded already.
    pub payments: i64,
    pub known: i64,
    /// Payments with a code of the business's, those of a lead, and those that earn.
    pub with_code: i64,
    pub of_lead: i64,
    pub earning: i64,
    pub leads: i64,
    pub revenue: BTreeMap<String, i64>,
    pub commissions: BTreeMap<String, i64>,
    pub refunds: i64,
    pub refunded: BTreeMap<String, i64>,
    /// Why others would come to nothing, with how many.
    pub reasons: BTreeMap<String, i64>,
}

/// Reasons that are told apart.
const REASONS: usize = 20;
const OTHER: &str = "Other reasons: the messages say which, once they are stored.";

impl Foreseen {
    fn because(&mut self, why: impl Into<String>) {
        let why = why.into();
        let why = if self.reasons.len() < REASONS || self.reasons.contains_key(&why) { why } else { OTHER.into() };
        *self.reasons.entry(why).or_default() += 1;
    }
}

fn add(sums: &mut BTreeMap<String, i64>, money: Money) {
    let sum = sums.entry(money.currency.code().to_owned()).or_default();
    *sum = sum.saturating_add(money.minor);
}

/// A look ahead for one account.
pub struct Foresight<'f> {
    core: &'f Core,
    business: BusinessRow,
    account: &'f Account,
    catalogue: Catalogue,
    actor: Arc<Actor>,
    plans: Vec<Plan>,
    events: usize,
    faults: usize,
}

impl<'f> Foresight<'f> {
    pub async fn new(core: &'f Core, account: &'f Account) -> DbResult<Self> {
        let found = business::by_id(&mut core.db.read().await?, account.row.business_id).await?;
        Ok(Self {
            core,
            business: found.ok_or_else(|| DbError::Fault("the business is gone".into()))?,
            account,
            catalogue: Catalogue::new(core.db.clone()),
            actor: actor(account.row.provider),
            plans: Vec::new(),
            events: 0,
            faults: 0,
        })
    }

    /// Events that wait to be tried.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Takes in all messages of one person, so that the engine sees them in their order: a renewal is nobody's until the
    /// first payment brought its lead.
    pub async fn take(&mut self, messages: Vec<Unstored>) -> DbResult<()> {
        let mut account = self.account.clone();
        for group in self.groups(messages).await? {
            let planned = plan::plan(self.core, &self.catalogue, &self.business, &account, &self.actor, group);
            let found = Box::pin(planned).await;
            let found = match found {
                Ok(found) => found,
                Err(DbError::Fault(why)) => {
                    tracing::error!(why, "an object of a past period could not be planned");
                    self.faults += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let code = found.deeds.iter().find_map(|deed| match &deed.kind {
                DeedKind::SignUp { code } => Some(code.clone()),
                _ => None,
            });
            if let (Some(code), true) = (code, account.links.len() > 1) {
                // From here on the person is a lead of the code's campaign.
                let mut conn = self.core.db.read().await?;
                let known = codes::find(&mut conn, self.business.id, &code).await?;
                let campaign = known.map(|(code, _)| code.campaign_id);
                account.links.sort_by_key(|link| Some(link.campaign_id) != campaign);
            }
            self.events += found.deeds.len();
            self.plans.push(found);
        }
        Ok(())
    }

    /// The messages by payment, with the stored ones that are about the same, the oldest payment first.
    async fn groups(&self, messages: Vec<Unstored>) -> DbResult<Vec<Group>> {
        let mut groups: Vec<(i64, Group)> = Vec::new();
        for (n, message) in messages.into_iter().enumerate() {
            let at = message.happened_at;
            let row = self.row(n, message);
            let group = Group::alone(self.account.row.provider, row);
            let (same, others): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|(_, other)| !other.names.is_disjoint(&group.names));
            groups = others;
            let first = same.iter().map(|(at, _)| *at).chain([at]).min().unwrap_or(at);
            let merged = same.into_iter().map(|(_, group)| group).chain([group]).reduce(Group::with);
            groups.extend(merged.map(|group| (first, group)));
        }
        groups.sort_by_key(|(at, _)| *at);
        let mut conn = self.core.db.read().await?;
        let mut wide = Vec::with_capacity(groups.len());
        for (_, mut group) in groups {
            group.widen(&mut conn, self.account.row.provider, self.account.row.id).await?;
            wide.push(group);
        }
        Ok(wide)
    }

    fn row(&self, n: usize, message: Unstored) -> MessageRow {
        MessageRow {
            // No stored message has such an id.
            id: -1 - i64::try_from(n).unwrap_or_default(),
            business_id: self.business.id,
            account_id: self.account.row.id,
            identity: message.identity,
            kind: String::new(),
            happened_at: message.happened_at,
            received_at: message.happened_at,
            body: message.body,
            state: State::New,
            outcome: String::new(),
            applied_at: None,
            payment_id: None,
            lead_id: None,
            code_id: None,
        }
    }

    /// Tries what was taken in, and adds it up.
    pub async fn add_up(&mut self, sum: &mut Foreseen) -> DbResult<()> {
        let plans = std::mem::take(&mut self.plans);
        for _ in 0..std::mem::take(&mut self.faults) {
            sum.because("Refdesk could not read it. Its log says why.");
        }
        self.events = 0;
        let events: Vec<Event> =
            plans.iter().flat_map(|plan| plan.deeds.iter().map(|deed| deed.event.clone())).collect();
        let mut outcomes = Vec::new();
        if !events.is_empty() {
            let (decided, work) = self.core.engine.preview(events).await?;
            earned(&work, sum);
            outcomes = decided;
        }
        let mut outcomes = outcomes.into_iter();
        for plan in &plans {
            let of: Vec<(&Deed, Decided<Outcome>)> = plan.deeds.iter().zip(outcomes.by_ref()).collect();
            tell(plan, &of, sum);
        }
        Ok(())
    }
}

/// The commissions that would be, less what refunds take back.
fn earned(work: &Work, sum: &mut Foreseen) {
    let new = work.writes.new_commissions.iter().filter_map(|id| work.facts.commissions.get(id));
    for commission in new.filter(|commission| !commission.is_void()) {
        add(&mut sum.commissions, Money { minor: commission.amount, currency: commission.currency });
    }
}

fn tell(plan: &Plan, outcomes: &[(&Deed, Decided<Outcome>)], sum: &mut Foreseen) {
    let has_code = outcomes.iter().any(|(deed, _)| matches!(deed.kind, DeedKind::SignUp { .. }));
    let mut has_payment = false;
    for (deed, outcome) in outcomes {
        has_payment |= matches!(deed.kind, DeedKind::Payment(_));
        match (&deed.kind, outcome) {
            (DeedKind::SignUp { .. }, Ok(Outcome::SignUp(SignUpOutcome::Recorded { known, refused, .. }))) => {
                sum.leads += i64::from(!known);
                if let Some(refused) = refused {
                    sum.because(format!("A code is used that attributes nobody: {}.", refused.sentence()));
                }
            }
            (DeedKind::Payment(money), Ok(Outcome::Payment(PaymentOutcome::Recorded { lead_id, earned, .. }))) => {
                sum.payments += 1;
                sum.with_code += i64::from(has_code);
                sum.of_lead += i64::from(lead_id.is_some());
                sum.earning += i64::from(earned.is_some());
                add(&mut sum.revenue, *money);
            }
            (DeedKind::Payment(_), Ok(_)) => sum.known += 1,
            (DeedKind::Refund { .. }, Ok(Outcome::RefundTo(RefundToOutcome::Refunded { amount, .. }))) => {
                sum.refunds += 1;
                add(&mut sum.refunded, *amount);
            }
            (DeedKind::Qualify(_), _) | (_, Ok(_)) => {}
            (_, Err(rejected)) => sum.because(match rejected {
                Rejected::Refused(refusal) => refusal.sentence().to_owned(),
                Rejected::Invalid { field, why } => format!("The {} {why}.", field.words()),
                Rejected::NotFound | Rejected::Stale => "What it is about is not there.".to_owned(),
            }),
        }
    }
    if has_payment {
        return;
    }
    match &plan.rest {
        Rest::Known => sum.known += 1,
        Rest::Explains => {}
        Rest::Waits(_) => sum.because("Stripe does not say whose e-mail address the customer has."),
        Rest::Ignored(why) | Rest::Failed(why) => sum.because(why.clone()),
    }
}
