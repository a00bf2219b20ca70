//! Applies the messages that came: each new one makes the story of its payment be read anew, and the engine gets the
//! events that the story has beyond what it knows.

pub mod foresee;
pub(in crate::providers) mod group;
mod plan;
mod who;
mod words;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accounts::{self, Account};
use super::provider::Provider;
use super::store::messages::{self, Fate, MessageRow, Role, State};
use super::store::ties;
use crate::actor::{Actor, ActorKind};
use crate::business;
use crate::business::BusinessRow;
use crate::code;
use crate::core::Core;
use crate::db::{DbError, DbResult, Tx};
use crate::engine::{Decided, Event, Outcome};
use crate::products::Catalogue;
use group::Group;
use plan::{Deed, DeedKind, Plan};

/// Messages of one go.
const GO: i64 = 100;
/// Goes of one scheduled run, so that a run ends well within its lease.
const GOES: usize = 20;
/// Waiting messages are looked at again for so many days.
const WAITS_DAYS: i64 = 30;
/// Waiting messages that one look takes: fresh ones do not queue behind them.
const LOOKED_AT: i64 = 500;

/// True when there is something to apply.
pub async fn is_due(core: &Core) -> DbResult<bool> {
    messages::any_new(&mut core.db.read().await?).await
}

/// One run of the scheduled task; true when more is left.
pub async fn run(core: &Core) -> DbResult<bool> {
    for _ in 0..GOES {
        if core.stop.is_cancelled() {
            return Ok(true);
        }
        if go(core).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Looks again at what waits: a payment may have come by a call meanwhile.
pub async fn look_again(core: &Core) -> DbResult<bool> {
    let now = core.clock.now();
    core.db.write(vec![], now.plus_days(-1).micros(), messages::give_up_waiting).await?;
    core.db.write(vec![], (now.plus_days(-WAITS_DAYS).micros(), LOOKED_AT), messages::wake_waiting).await?;
    Ok(false)
}

/// A business while its messages are applied.
struct Scene {
    business: BusinessRow,
    accounts: Vec<Account>,
}

/// Applies some messages; answers how many there were.
async fn go(core: &Core) -> DbResult<usize> {
    let new = messages::new(&mut core.db.read().await?, GO).await?;
    let count = new.len();
    let catalogue = Catalogue::new(core.db.clone());
    let mut scenes: BTreeMap<i64, Option<Scene>> = BTreeMap::new();
    let mut done: BTreeSet<i64> = BTreeSet::new();
    let mut named: BTreeSet<(i64, String)> = BTreeSet::new();
    let mut plans = Vec::new();
    for message in new {
        if done.contains(&message.id) {
            continue;
        }
        let scene = match scenes.entry(message.business_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(scene(core, message.business_id).await?),
        };
        let Some(scene) = scene else { continue };
        let Some(account) = scene.accounts.iter().find(|a| a.row.id == message.account_id) else { continue };
        let id = message.id;
        let mut conn = core.db.read().await?;
        let group = Group::of(&mut conn, account.row.provider, message).await;
        drop(conn);
        let group = match group {
            Ok(group) => group,
            Err(DbError::Fault(why)) => {
                give_up(core, vec![id], why).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        // A payment's story is read after what the slice before made of it.
        let names: Vec<_> = group.names.iter().map(|name| (account.row.id, name.clone())).collect();
        if names.iter().any(|name| named.contains(name)) {
            send(core, std::mem::take(&mut plans)).await?;
            named.clear();
        }
        named.extend(names);
        done.extend(group.messages.iter().map(|(row, _)| row.id));
        let actor = actor(account.row.provider);
        match plan::plan(core, &catalogue, &scene.business, account, &actor, group).await {
            Ok(plan) => plans.push((actor, plan)),
            Err(DbError::Fault(why)) => give_up(core, vec![id], why).await?,
            Err(error) => return Err(error),
        }
    }
    send(core, plans).await?;
    Ok(count)
}

async fn scene(core: &Core, business_id: i64) -> DbResult<Option<Scene>> {
    let mut conn = core.db.read().await?;
    let Some(business) = business::by_id(&mut conn, business_id).await? else { return Ok(None) };
    Ok(Some(Scene { business, accounts: accounts::of(&mut conn, business_id).await? }))
}

fn actor(provider: Provider) -> Arc<Actor> {
    Arc::new(Actor {
        kind: ActorKind::Job,
        id: None,
        name: provider.title().into(),
        origin: "payment provider".into(),
        call: None,
    })
}

/// Sends the events of some plans to the engine, in one transaction with what becomes of their messages.
async fn send(core: &Core, plans: Vec<(Arc<Actor>, Plan)>) -> DbResult<()> {
    let mut waiting: Vec<(Arc<Actor>, Plan)> = Vec::new();
    let mut events = 0;
    for (actor, plan) in plans {
        if !waiting.is_empty() && events + plan.deeds.len() > crate::engine::SLICE {
            send_slice(core, std::mem::take(&mut waiting)).await?;
            events = 0;
        }
        events += plan.deeds.len();
        waiting.push((actor, plan));
    }
    if waiting.is_empty() { Ok(()) } else { send_slice(core, waiting).await }
}

/// One slice. Where a plan breaks it, the others are applied without it, and its messages are for a person.
async fn send_slice(core: &Core, plans: Vec<(Arc<Actor>, Plan)>) -> DbResult<()> {
    match try_slice(core, &plans).await {
        Err(DbError::Fault(why) | DbError::Taken(why)) if plans.len() == 1 => {
            give_up(core, plans.iter().flat_map(|(_, plan)| plan.ids.clone()).collect(), why).await
        }
        Err(DbError::Fault(_) | DbError::Taken(_)) => {
            for plan in plans.chunks(1) {
                Box::pin(send_slice(core, plan.to_vec())).await?;
            }
            Ok(())
        }
        other => other,
    }
}

async fn try_slice(core: &Core, plans: &[(Arc<Actor>, Plan)]) -> DbResult<()> {
    let Some((actor, _)) = plans.first() else { return Ok(()) };
    let events: Vec<Event> =
        plans.iter().flat_map(|(_, plan)| plan.deeds.iter().map(|deed| deed.event.clone())).collect();
    let plans: Vec<Plan> = plans.iter().map(|(_, plan)| plan.clone()).collect();
    core.engine.slice_and(actor, events, plans, settle).await
}

/// Leaves messages to a person, so that those behind them are applied.
async fn give_up(core: &Core, ids: Vec<i64>, why: String) -> DbResult<()> {
    tracing::error!(why, ?ids, "messages of a payment provider could not be applied");
    let outcome = "Refdesk could not apply it. Its log says why; apply it again once that is mended.".to_owned();
    let fate = Fate { ids, state: State::Failed, outcome, payment_id: None, lead_id: None, code: String::new() };
    core.db.write(vec![], fate, messages::settle).await
}

/// Writes what became of the messages.
async fn settle(tx: &mut Tx, plans: &Vec<Plan>, outcomes: Vec<Decided<Outcome>>) -> DbResult<()> {
    let mut outcomes = outcomes.into_iter();
    for plan in plans {
        let of: Vec<(&Deed, Decided<Outcome>)> = plan.deeds.iter().zip(outcomes.by_ref()).collect();
        let fate = words::fate(plan, &of);
        messages::settle(tx, &fate).await?;
        for id in &fate.ids {
            let awaits = plan.awaits.iter().map(|id| (Role::Awaits, id.clone())).collect::<Vec<_>>();
            messages::mention(tx, plan.account_id, *id, &awaits).await?;
        }
        // A customer is tied to their lead once: they may pay every month.
        if let (Some(customer), true, Some(id)) = (&plan.customer, fate.lead_id.is_some(), fate.ids.first())
            && ties::address_of(tx, plan.account_id, customer).await?.is_none()
        {
            messages::mention(tx, plan.account_id, *id, &[(Role::Explains, customer.clone())]).await?;
        }
        messages::wake(tx, plan.account_id, &plan.explains).await?;
    }
    Ok(())
}

impl MessageRow {
    /// It is to be applied, or waits.
    fn is_open(&self) -> bool {
        matches!(self.state, State::New | State::Waiting)
    }
}

impl Plan {
    /// The look-up form of the code that its messages say was used; empty for none.
    fn code(&self) -> String {
        let used = self.deeds.iter().find_map(|deed| match &deed.kind {
            DeedKind::SignUp { code } => Some(code::lookup_form(code)),
            _ => None,
        });
        used.unwrap_or_default()
    }

    /// The fate of its messages where nothing is to be done.
    fn plain(&self, state: State, outcome: &str) -> Fate {
        Fate {
            ids: self.ids.clone(),
            state,
            outcome: outcome.to_owned(),
            payment_id: None,
            lead_id: None,
            code: self.code(),
        }
    }
}
