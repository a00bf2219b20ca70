//! Drafts: found from what is approved, refreshed, and dropped. Nothing of a draft is on the ledger.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::fitting::leave_out_unfit;
use super::formats;
use super::ledger::ledger;
use super::line::{Built, OutReason};
use super::refused::Refused;
use super::store::{self, Marks, PayoutRow};
use super::wish::NewPayout;
use super::{line::build, queue};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::engine::payout::{self as engine, Candidate, Next, PayoutEvent};
use crate::engine::state::{LineState, PayoutState};
use crate::id::sha256_hex;
use crate::keyring::Keyring;
use crate::payout_details::{self, CurrentRow};

/// Referrers of one transaction.
pub const CHUNK: usize = 200;

/// Makes a draft and answers its id.
pub async fn create(core: &Core, actor: &Arc<Actor>, new: NewPayout) -> DbResult<Result<i64, Refused>> {
    let input = (new, core.keyring.clone());
    let made = core.write_once(vec![Key::Payouts(new.business_id)], actor, input, create_in).await?;
    core.wake.ring();
    Ok(made)
}

pub(super) async fn create_in(tx: &mut Tx, (new, keyring): &(NewPayout, Keyring)) -> DbResult<Result<i64, Refused>> {
    let format = match formats::wanted(tx, new).await? {
        Ok(format) => format,
        Err(refused) => return Ok(Err(refused)),
    };
    let id = tx.id()?;
    let number = store::next_number(tx, new.business_id).await?;
    store::insert(tx, id, number, new, format).await?;
    let made = json!({
        "number": number,
        "campaign": new.campaign_id,
        "currency": new.currency.code(),
        "method": new.method,
        "format": format,
    });
    let entry = NewEntry::by(tx, new.business_id, "payout.created", ("payout", id))?.after(made);
    audit::write(tx, &[entry]).await?;
    begin(tx, keyring, new.business_id, id).await?;
    Ok(Ok(id))
}

/// Finds the lines of a draft again.
pub async fn refresh(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64) -> DbResult<Result<(), Refused>> {
    let input = (business_id, id, core.keyring.clone());
    let done = core.write_once(vec![Key::Payouts(business_id)], actor, input, refresh_in).await?;
    core.wake.ring();
    Ok(done)
}

async fn refresh_in(
    tx: &mut Tx,
    &(business_id, id, ref keyring): &(i64, i64, Keyring),
) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    match payout.state.after(PayoutEvent::Refresh) {
        // A job is at it, or gave up: then the lines are found from the start.
        Next::Already if super::job(tx, business_id, id).await?.is_some() => return Ok(Ok(())),
        Next::Already => {}
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => store::set_state(tx, id, state).await?,
    }
    store::clear(tx, id).await?;
    begin(tx, keyring, business_id, id).await?;
    Ok(Ok(()))
}

/// The first lot at once, and a job for the rest.
async fn begin(tx: &mut Tx, keyring: &Keyring, business_id: i64, id: i64) -> DbResult<()> {
    if let Some(after) = chunk(tx, keyring, business_id, id, 0).await? {
        queue::enqueue(tx, business_id, id, json!({ "after": after })).await?;
    }
    Ok(())
}

/// Finds the lines of the next referrers; answers behind which the following ones begin, and none when all were
/// found.
pub(super) async fn chunk(
    tx: &mut Tx,
    keyring: &Keyring,
    business_id: i64,
    id: i64,
    after: i64,
) -> DbResult<Option<i64>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(None) };
    let Next::To(built) = payout.state.after(PayoutEvent::Built) else { return Ok(None) };
    let referrers = engine::next_referrers(tx, &payout.selection(), after, CHUNK).await?;
    let theirs = candidates_of(tx, &payout, &referrers).await?;
    let mut lines = of_referrers(tx, keyring, &payout, &referrers, &theirs).await?;
    let mut failed = store::last_failed(tx, id, &referrers).await?;
    lines.iter_mut().for_each(|line| line.failed = failed.remove(&line.referrer_id));
    let first = tx.ids(lines.len())?;
    let days = store::changed_days(tx, payout.business_id).await?;
    let recent = tx.now().plus_days(-days).micros();
    let today = ledger(tx, business_id, payout.currency).await?.day;
    store::put_lines(tx, &payout, &lines, first, Marks { recent, today }).await?;
    let inside: Vec<&Built> = lines.iter().filter(|l| l.out.is_none()).collect();
    let fingerprint = mixed(&payout.fingerprint, &inside);
    let amount = inside.iter().map(|l| l.amount).sum();
    store::grow(tx, id, i64::try_from(inside.len()).unwrap_or(0), amount, &fingerprint).await?;
    if referrers.len() < CHUNK {
        store::set_state(tx, id, built).await?;
        return Ok(None);
    }
    Ok(referrers.last().copied())
}

/// Tells what is in a draft from what was in it.
fn mixed(before: &str, lines: &[&Built]) -> String {
    let mut text = before.to_owned();
    for l in lines {
        let details = l.details.as_ref().map_or(0, |d| d.id);
        text.push_str(&format!(";{}:{}:{}:{details}", l.referrer_id, l.amount, l.digest));
    }
    sha256_hex(&text).chars().take(32).collect()
}

/// Everything approved of some referrers, by referrer.
pub(super) type Theirs = HashMap<i64, Vec<Candidate>>;

pub(super) async fn candidates_of(conn: &mut Conn, payout: &PayoutRow, referrers: &[i64]) -> DbResult<Theirs> {
    let mut by_referrer = Theirs::new();
    for c in engine::candidates(conn, &payout.selection(), referrers).await? {
        by_referrer.entry(c.referrer_id.0).or_default().push(c);
    }
    Ok(by_referrer)
}

/// The lines of some referrers as they would be now.
pub(super) async fn of_referrers(
    conn: &mut Conn,
    keyring: &Keyring,
    payout: &PayoutRow,
    referrers: &[i64],
    by_referrer: &Theirs,
) -> DbResult<Vec<Built>> {
    let minimums = store::minimums(conn, payout.business_id, payout.currency).await?;
    let details = payout_details::current_of(conn, payout.business_id, referrers).await?;
    let mut details: HashMap<i64, CurrentRow> = details.into_iter().map(|d| (d.referrer_id, d)).collect();
    let by_hand = store::left_out(conn, payout.id, referrers).await?;
    let minimum_of = |campaign: i64| minimums.get(&campaign).copied().unwrap_or(0);
    let built = referrers.iter().filter_map(|id| {
        let theirs = by_referrer.get(id)?;
        Some(build(*id, theirs, minimum_of, payout.method, details.remove(id), by_hand.contains(id)))
    });
    let mut built: Vec<Built> = built.collect();
    leave_out_unfit(conn, keyring, payout, &mut built).await?;
    Ok(built)
}

/// Leaves a referrer out of a draft.
pub async fn leave_out(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    line_id: i64,
) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id, line_id, true), choose).await
}

/// Takes a referrer in again whom staff left out.
pub async fn take_in(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    line_id: i64,
) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id, line_id, false), choose).await
}

async fn choose(
    tx: &mut Tx,
    &(business_id, id, line_id, out): &(i64, i64, i64, bool),
) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    if payout.state != PayoutState::Draft {
        return Ok(Err(Refused::State(payout.state)));
    }
    let Some(line) = store::line(tx, business_id, line_id).await?.filter(|l| l.payout_id == id) else {
        return Ok(Err(Refused::NotFound));
    };
    let sign = match (line.state, line.out_reason) {
        (LineState::In, _) if out => -1,
        (LineState::Out, Some(OutReason::ByHand)) if !out && line.amount > 0 => 1,
        _ => return Ok(Ok(())),
    };
    // It may be out for another reason by now: a draft that is locked asks that again.
    store::choose(tx, line_id, out).await?;
    let fingerprint: String =
        sha256_hex(&format!("{};{sign}:{line_id}", payout.fingerprint)).chars().take(32).collect();
    store::grow(tx, id, sign, sign * line.amount, &fingerprint).await?;
    let action = if out { "payout.left_out" } else { "payout.taken_in" };
    let entry = NewEntry::by(tx, business_id, action, ("payout", id))?
        .after(json!({ "number": payout.number, "amount": line.money().shown() }))
        .of_referrer(line.referrer_id);
    audit::write(tx, &[entry]).await?;
    Ok(Ok(()))
}

/// Gives a draft up.
pub async fn drop_draft(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id), drop_in).await
}

async fn drop_in(tx: &mut Tx, &(business_id, id): &(i64, i64)) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    match payout.state.after(PayoutEvent::Drop) {
        Next::Already => return Ok(Ok(())),
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => store::set_state(tx, id, state).await?,
    }
    let entry =
        NewEntry::by(tx, business_id, "payout.dropped", ("payout", id))?.after(json!({ "number": payout.number }));
    audit::write(tx, &[entry]).await?;
    Ok(Ok(()))
}
