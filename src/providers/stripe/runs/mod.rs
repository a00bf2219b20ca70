//! Fetching from Stripe in the background: customers become referrers, and payments of a past period are
//! recorded. A run fetches page by page and notes
//! what would become of each object; then it is applied, at once or when a person says so. Each page is a transaction
//! with the place behind it, so a run that was cut goes on where it was, on whichever node.

mod customers;
mod history;
mod run;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::json;

use super::client::{ApiError, Client};
use super::discount;
use crate::actor::{Actor, ActorKind};
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Key, Terms, Tx};
use crate::jobs::{self, Claimed, NewJob, Progress};
use crate::providers::accounts::{self, Account};
use crate::providers::provider::Provider;
use crate::providers::store::runs::{self as store, NewRun, RunKind, RunRow, RunState, Tidy};

pub use customers::Counts as CustomerCounts;
pub use history::Counts as HistoryCounts;
use run::{Step, Stopped};

/// The kind of job.
pub const KIND: &str = "stripe_run";

/// A run goes on by itself so long after Stripe did not answer.
const AGAIN_SECONDS: i64 = 300;
/// Runs and campaigns of one scheduled look.
const LOOK: i64 = 50;
/// Customers of an earlier sync are asked for again for so long: a list may lack the newest for a moment.
const OVERLAP_SECONDS: i64 = 3_600;
/// The customers of a dry run that nobody confirmed stay for so long, and those of a finished run.
const UNCONFIRMED_DAYS: i64 = 7;
const FINISHED_DAYS: i64 = 30;

/// The sentence for an account in test mode: referrers have no test mode.
pub const TEST_REFERRERS: &str = "This account is in Stripe’s test mode, and referrers have no test mode: test customers \
     would get codes and count in your figures. Connect the live account to sync its customers. A preview changes \
     nothing, so that works.";

/// A run that was asked for, and the job that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub run_id: i64,
    pub job_id: i64,
    /// Somebody else had asked for it.
    pub joined: bool,
}

/// Starts a run, or joins one that does just the same.
///
/// # Errors
/// A sentence: why nothing can be fetched.
pub async fn start(core: &Core, actor: &Arc<Actor>, new: NewRun) -> DbResult<Result<Asked, String>> {
    let found = account_of(&mut core.db.read().await?, new.business_id, new.account_id).await?;
    let account = match found {
        Some(account) if account.link(new.campaign_id).is_some() => account,
        _ => return Ok(Err("The account is not connected to this campaign.".into())),
    };
    if let Err(why) = discount::client(core, &account) {
        return Ok(Err(why));
    }
    if account.row.test && !new.asks && new.kind == RunKind::Customers {
        return Ok(Err(TEST_REFERRERS.into()));
    }
    let asked = core.write(vec![Key::Row(new.account_id)], actor, new, start_in).await?;
    core.wake.ring();
    Ok(Ok(asked))
}

async fn start_in(tx: &mut Tx, new: &NewRun) -> DbResult<Asked> {
    if let Some(run) = store::at_it(tx, new).await?
        && let Some(job_id) = work(tx, &run, (run.state, run.asks)).await?
    {
        return Ok(Asked { run_id: run.id, job_id, joined: true });
    }
    let run_id = tx.id()?;
    store::insert(tx, run_id, new).await?;
    let run = store::find(tx, new.business_id, run_id).await?;
    let run = run.ok_or_else(|| DbError::Fault("the run is gone".into()))?;
    let job_id = work(tx, &run, (RunState::Checking, new.asks)).await?;
    let job_id = job_id.ok_or_else(|| DbError::Fault("the run is over before it began".into()))?;
    Ok(Asked { run_id, job_id, joined: false })
}

/// Lets a job do a run, or finds the one that is at it; `None` for a run that changed meanwhile.
async fn work(tx: &mut Tx, run: &RunRow, to: (RunState, bool)) -> DbResult<Option<i64>> {
    let new = NewJob {
        business_id: run.business_id,
        campaign_id: Some(run.campaign_id),
        kind: KIND,
        join_key: format!("{KIND}:{}", run.id),
        input: json!({ "run": run.id }),
        total: 0,
        actor: tx.actor()?.clone(),
    };
    let job_id = jobs::enqueue_in(tx, &new).await?;
    Ok(store::begin(tx, run, to, job_id).await?.then_some(job_id))
}

/// Applies what a dry run found, or goes on with a run that stopped.
///
/// # Errors
/// A sentence: why it does not.
pub async fn go_on(core: &Core, actor: &Arc<Actor>, business_id: i64, run_id: i64) -> DbResult<Result<Asked, String>> {
    let mut conn = core.db.read().await?;
    let Some(run) = store::find(&mut conn, business_id, run_id).await? else { return Ok(Err(GONE.into())) };
    let Some(account) = account_of(&mut conn, business_id, run.account_id).await? else { return Ok(Err(GONE.into())) };
    drop(conn);
    if account.row.test && run.state == RunState::Checked && run.kind == RunKind::Customers {
        return Ok(Err(TEST_REFERRERS.into()));
    }
    let asked = core.write(vec![Key::Row(run_id)], actor, (business_id, run_id), go_on_in).await?;
    core.wake.ring();
    Ok(asked.ok_or_else(|| "It is over.".to_owned()))
}

const GONE: &str = "It is no longer there.";

async fn go_on_in(tx: &mut Tx, &(business_id, run_id): &(i64, i64)) -> DbResult<Option<Asked>> {
    let Some(run) = store::find(tx, business_id, run_id).await? else { return Ok(None) };
    let to = match run.state {
        RunState::Checking => (RunState::Checking, run.asks),
        RunState::Checked | RunState::Running => (RunState::Running, false),
        RunState::Done | RunState::Discarded => return Ok(None),
    };
    let job_id = work(tx, &run, to).await?;
    Ok(job_id.map(|job_id| Asked { run_id, job_id, joined: false }))
}

/// Throws a dry run away; false for a run that is applied.
pub async fn discard(core: &Core, business_id: i64, run_id: i64) -> DbResult<bool> {
    core.db.write(vec![Key::Row(run_id)], (business_id, run_id), store::discard).await
}

/// Switches the daily sync of customers. Answers whether anything was different.
///
/// # Errors
/// A sentence: why it cannot be switched on.
pub async fn set_daily(
    core: &Core,
    actor: &Arc<Actor>,
    (business_id, account_id, campaign_id): (i64, i64, i64),
    on: bool,
) -> DbResult<Result<bool, String>> {
    let account = account_of(&mut core.db.read().await?, business_id, account_id).await?;
    let Some(account) = account else { return Ok(Err(GONE.into())) };
    let Some(link) = account.link(campaign_id) else { return Ok(Err(GONE.into())) };
    if account.row.test && on {
        return Ok(Err(TEST_REFERRERS.into()));
    }
    let input = (business_id, campaign_id, link.id, on);
    core.write(vec![Key::Row(account_id)], actor, input, set_daily_in).await.map(Ok)
}

async fn set_daily_in(tx: &mut Tx, &(business_id, campaign_id, link_id, on): &(i64, i64, i64, bool)) -> DbResult<bool> {
    let next = on.then(|| tx.now());
    if !store::set_daily(tx, link_id, next).await? {
        return Ok(false);
    }
    let entry =
        NewEntry::by(tx, business_id, "provider.daily", ("campaign", campaign_id))?.after(json!({ "daily": on }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}

/// A connected account of Stripe's.
async fn account_of(conn: &mut Conn, business_id: i64, account_id: i64) -> DbResult<Option<Account>> {
    let all = accounts::of(conn, business_id).await?;
    Ok(all.into_iter().find(|a| a.row.id == account_id && a.row.provider == Provider::Stripe && a.is_connected()))
}

/// True when a run goes on by itself, or a campaign's customers are due.
pub async fn is_due(core: &Core) -> DbResult<bool> {
    store::any_due(&mut core.db.read().await?, core.clock.now()).await
}

/// One run of the scheduled task.
pub async fn run_due(core: &Core) -> DbResult<bool> {
    let actor = Arc::new(Actor {
        kind: ActorKind::Job,
        id: None,
        name: Provider::Stripe.title().into(),
        origin: "payment provider".into(),
        call: None,
    });
    let now = core.clock.now();
    let mut conn = core.db.read().await?;
    let again = store::again(&mut conn, now, LOOK).await?;
    let links = store::due_links(&mut conn, now, LOOK).await?;
    drop(conn);
    for run in again {
        core.write(vec![Key::Row(run.1)], &actor, run, go_on_in).await?;
    }
    for link in links {
        core.write(vec![Key::Row(link.account_id)], &actor, link, daily_in).await?;
    }
    core.wake.ring();
    Ok(false)
}

async fn daily_in(tx: &mut Tx, link: &store::DueLink) -> DbResult<()> {
    let now = tx.now();
    if !store::take_link(tx, link.id, now, now.plus_days(1)).await? || !link.connected {
        return Ok(());
    }
    let new = NewRun {
        business_id: link.business_id,
        account_id: link.account_id,
        campaign_id: link.campaign_id,
        kind: RunKind::Customers,
        asks: false,
        daily: true,
        since: link.synced_until.map(|until| until - OVERLAP_SECONDS * 1_000_000),
    };
    start_in(tx, &new).await?;
    Ok(())
}

/// One step of a run.
pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let mut conn = core.db.read().await?;
        let run_id = job.input()["run"].as_i64().unwrap_or_default();
        let run = store::find(&mut conn, job.business_id, run_id).await?;
        drop(conn);
        let run = run.ok_or_else(|| DbError::Fault("the run no longer exists".into()))?;
        if matches!(run.state, RunState::Checked | RunState::Done | RunState::Discarded) {
            return core.db.write(vec![], Step::over(&job), run::end).await;
        }
        let account = account_of(&mut core.db.read().await?, job.business_id, run.account_id).await?;
        let way = match &account {
            Some(account) => discount::client(&core, account).map(|client| (account, client)),
            None => Err("The account is not connected any more.".to_owned()),
        };
        let outcome = match way {
            Ok((account, client)) => Box::pin(turn(&core, &job, &run, account, &client)).await?,
            Err(why) => Err(Stopped { why, again_at: None }),
        };
        match outcome {
            Ok(progress) => Ok(progress),
            Err(stopped) => {
                tracing::warn!(run = run.id, why = stopped.why, "a run of Stripe's stopped");
                core.db.write(vec![], Step::stopped(&job, &run, stopped), run::end).await
            }
        }
    })
}

async fn turn(
    core: &Core,
    job: &Arc<Claimed>,
    run: &RunRow,
    account: &Account,
    client: &Client,
) -> DbResult<Result<Progress, Stopped>> {
    let done = match (run.kind, run.state) {
        (RunKind::Customers, RunState::Running) => return customers::apply(core, job, run).await.map(Ok),
        (RunKind::Customers, _) => customers::fetch(core, job, run, account, client).await?,
        (RunKind::History, RunState::Running) => return history::apply(core, job, run, account).await.map(Ok),
        (RunKind::History, _) => history::check(core, job, run, account, client).await?,
    };
    Ok(done.map_err(|error| {
        let waits = matches!(error, ApiError::Unreachable(_));
        let again_at = waits.then(|| core.clock.now().plus_seconds(AGAIN_SECONDS).micros());
        Stopped { why: error.to_string(), again_at }
    }))
}

/// Removes what runs leave behind: one run of a scheduled task. True when there is more.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    const BATCH: i64 = 500;
    let now = core.clock.now();
    let input = Tidy {
        unconfirmed_before: now.plus_days(-UNCONFIRMED_DAYS),
        finished_before: now.plus_days(-FINISHED_DAYS),
        most: BATCH,
    };
    for _ in 0..100 {
        if core.db.write_on(Terms::of(vec![]), input, store::tidy).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
