//! Deletes the rows of test keys and test products: one lead, or all of them. Live rows are never touched.
//! Referrers, codes, products and keys stay, and so does the audit.

pub mod pages;
mod store;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::campaigns;
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{Conn, DbResult, Tx};
use crate::engine::purge::{self, Lot, Tally};
use crate::id::{self, Kind};
use crate::jobs::{self, Claimed, NewJob, Progress};

pub use store::{count, count_of};

/// The outcome of deleting one lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purged {
    NotFound,
    /// It is live, and stays.
    Live,
    Gone(Tally),
}

/// Leads of one transaction: few enough for a short turn of the writer and for the keys.
const CHUNK: i64 = 100;
/// Stored answers examined, or forgotten, at once.
const ANSWERS: i64 = 500;

/// Deletes a test lead with all that hangs on it. One with many duplicates goes in several lots, itself last.
/// A caller who sees one mode only finds leads of that.
pub async fn purge_lead(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    lead_id: i64,
    mode: Option<bool>,
) -> DbResult<Purged> {
    let mut gone = Tally::default();
    loop {
        let mut conn = core.db.read().await?;
        match store::lead(&mut conn, business_id, lead_id).await?.map(|lead| lead.test) {
            None if gone == Tally::default() => return Ok(Purged::NotFound),
            None => return Ok(Purged::Gone(gone)),
            Some(test) if mode.is_some_and(|mode| mode != test) => return Ok(Purged::NotFound),
            Some(false) => return Ok(Purged::Live),
            Some(true) => {}
        }
        let mut leads = store::duplicates(&mut conn, lead_id, CHUNK).await?;
        if leads.len() < usize::try_from(CHUNK).unwrap_or_default() {
            leads.push(lead_id);
        }
        let answers = answers_about(&mut conn, core, business_id, &leads).await?;
        drop(conn);
        let lot = Lot { business_id, leads, ..Lot::default() };
        let done = core.engine.purge(actor, lot, (business_id, lead_id, answers), purged).await?;
        gone = gone.plus(&done);
    }
}

async fn purged(
    tx: &mut Tx,
    &(business_id, lead_id, ref answers): &(i64, i64, Vec<(i64, String)>),
    tally: Tally,
) -> DbResult<Tally> {
    let tally = Tally { answers: purge::forget(tx, answers).await?, ..tally };
    if tally.leads > 0 {
        let mut about = NewEntry::by(tx, business_id, "lead.purged", ("lead", lead_id))?.after(counts(&tally));
        about.lead_id = Some(lead_id);
        audit::write(tx, &[about]).await?;
    }
    Ok(tally)
}

/// The stored answers that name one of these leads or its earnings.
async fn answers_about(conn: &mut Conn, core: &Core, business_id: i64, leads: &[i64]) -> DbResult<Vec<(i64, String)>> {
    let earned = store::commissions(conn, leads).await?;
    let names = leads.iter().map(|lead| id::render(Kind::Lead, *lead));
    let names: Vec<String> = names.chain(earned.iter().map(|c| id::render(Kind::Commission, *c))).collect();
    let (mut found, mut behind) = (Vec::new(), (0, String::new()));
    loop {
        let answers =
            store::stored_answers(conn, business_id, core.clock.now(), (behind.0, &behind.1), ANSWERS).await?;
        let Some(last) = answers.last() else { return Ok(found) };
        behind = (last.key_id, last.text.clone());
        let about = answers.into_iter().filter(|k| names.iter().any(|name| k.body.contains(name)));
        found.extend(about.map(|k| (k.key_id, k.text)));
    }
}

/// The non-zero counts, for the audit.
fn counts(tally: &Tally) -> Json {
    let there = tally.parts().into_iter().filter(|(_, n)| *n > 0);
    Json::Object(there.map(|(name, n)| (name.to_owned(), json!(n))).collect::<Map<_, _>>())
}

/// The progress of a deleting job.
pub fn of_result(result: &Json) -> Tally {
    Tally::read(|name| result.get(name).and_then(Json::as_i64).unwrap_or_default())
}

/// The kind of job that deletes all test data.
pub const KIND: &str = "test_data";

/// The job that is at it, if there is one.
pub async fn running(conn: &mut Conn, business_id: i64) -> DbResult<Option<i64>> {
    jobs::running(conn, business_id, KIND).await
}

/// Asks for all test data that came until an instant to be deleted, and answers the job's id. Asking again
/// joins the job that runs.
pub async fn purge_all(core: &Core, actor: &Arc<Actor>, business_id: i64, until: Instant) -> DbResult<i64> {
    let total = store::count(&mut core.db.read().await?, business_id).await?.leads;
    let new = NewJob {
        business_id,
        campaign_id: None,
        kind: KIND,
        join_key: KIND.to_owned(),
        input: json!({ "until": until.micros() }),
        total,
        actor: actor.clone(),
    };
    jobs::enqueue(core, new).await
}

/// The order of deletion: duplicates before their leads, so that a batch stays small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Repeats,
    Leads,
    Rest,
}

/// Before every lead.
const START: store::Position = (i64::MIN, 0);

/// The position of a job: its phase, and in it the campaign and the last lead.
fn position(cursor: &str) -> (Phase, i64, store::Position) {
    let mut words = cursor.split(' ');
    let phase = match words.next() {
        Some("leads") => Phase::Leads,
        Some("rest") => Phase::Rest,
        _ => Phase::Repeats,
    };
    let mut number = || words.next().and_then(|w| w.parse::<i64>().ok());
    let campaign = number().unwrap_or_default();
    (phase, campaign, (number().unwrap_or(START.0), number().unwrap_or(START.1)))
}

/// The next batch, with the cursor after it; `None` when only stored answers are left.
async fn next(conn: &mut Conn, job: &Claimed, until: i64) -> DbResult<Option<(Lot, String)>> {
    let business_id = job.business_id;
    let (phase, mut first, mut last) = position(&job.cursor);
    let campaigns = campaigns::choices(conn, business_id).await?;
    for (now, word) in [(Phase::Repeats, "repeats"), (Phase::Leads, "leads")] {
        if phase > now {
            continue;
        }
        for campaign in campaigns.iter().map(|c| c.id).filter(|id| *id >= first) {
            let behind = if campaign == first { last } else { START };
            let found = store::leads(conn, campaign, now == Phase::Repeats, until, behind, CHUNK).await?;
            if let Some((at, id)) = found.last() {
                let cursor = format!("{word} {campaign} {at} {id}");
                let leads = found.iter().map(|(_, id)| *id).collect();
                return Ok(Some((Lot { business_id, leads, ..Lot::default() }, cursor)));
            }
        }
        (first, last) = (0, START);
    }
    for campaign in &campaigns {
        let payments = store::payments(conn, campaign.id, until, CHUNK).await?;
        if !payments.is_empty() {
            return Ok(Some((Lot { business_id, payments, ..Lot::default() }, "rest".into())));
        }
    }
    let refunds = store::refunds(conn, business_id, until, CHUNK).await?;
    let some = !refunds.is_empty();
    Ok(some.then(|| (Lot { business_id, refunds, ..Lot::default() }, "rest".into())))
}

/// Deletes the next lot. The audit entry with the counts is written with the last of it.
pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let until = job.input().get("until").and_then(Json::as_i64).unwrap_or_default();
        let mut conn = core.db.read().await?;
        let Some((lot, cursor)) = next(&mut conn, &job, until).await? else {
            let until = Instant::from_micros(until);
            let answers = store::stored_answers(&mut conn, job.business_id, until, (0, ""), ANSWERS).await?;
            drop(conn);
            return finish(&core, job, answers, until).await;
        };
        drop(conn);
        let actor = job.actor.clone();
        core.engine.purge(&actor, lot, (job, cursor), advance).await
    })
}

async fn advance(tx: &mut Tx, (job, cursor): &(Arc<Claimed>, String), tally: Tally) -> DbResult<Progress> {
    let mut progress = job.progress();
    progress.cursor.clone_from(cursor);
    progress.done += tally.leads;
    progress.result = counts(&of_result(&job.result()).plus(&tally)).to_string();
    job.advance(tx, &progress).await?;
    Ok(progress)
}

/// Stored answers are deleted last, a bounded number at a time, until none are left.
async fn finish(
    core: &Core,
    job: Arc<Claimed>,
    answers: Vec<store::StoredAnswer>,
    until: Instant,
) -> DbResult<Progress> {
    let answers: Vec<(i64, String)> = answers.into_iter().map(|k| (k.key_id, k.text)).collect();
    let actor = job.actor.clone();
    core.write(vec![], &actor, (job, answers, until), finish_in).await
}

async fn finish_in(
    tx: &mut Tx,
    (job, answers, until): &(Arc<Claimed>, Vec<(i64, String)>, Instant),
) -> DbResult<Progress> {
    let forgotten = Tally { answers: purge::forget(tx, answers).await?, ..Tally::default() };
    let all = of_result(&job.result()).plus(&forgotten);
    let mut progress = job.progress();
    progress.cursor = "rest".into();
    progress.result = counts(&all).to_string();
    progress.finished = answers.is_empty();
    job.advance(tx, &progress).await?;
    if progress.finished {
        purge::silence(tx, job.business_id, *until).await?;
        let subject = ("business", job.business_id);
        let done = NewEntry::by(tx, job.business_id, "test_data.purged", subject)?;
        audit::write(tx, &[done.after(counts(&all))]).await?;
    }
    Ok(progress)
}
