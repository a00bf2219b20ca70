//! Locking a draft: its amounts leave what is due, so that nothing can be in two payouts. It is refused when what
//! was reviewed is not what is there now. Undoing it gives everything back.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::draft::{candidates_of, of_referrers};
use super::frozen;
use super::line::is_payable;
use super::refused::Refused;
use super::store::{self, Approval, LineRow, PayoutRow};
use super::{ledger::ledger, queue};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::business;
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::engine::ids::LineId;
use crate::engine::payout::{self as engine, Next, PayoutEvent, Release, Taken};
use crate::engine::state::{LineState, PayoutState};
use crate::keyring::Keyring;

/// Lines of one transaction.
pub const CHUNK: usize = 100;

/// Locks a draft as it was reviewed: `fingerprint` is that of the draft that the person saw. `person` is the user, or
/// the holder of the key; whoever locks a payout is not its second person.
pub async fn lock(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    fingerprint: String,
    person: Option<i64>,
) -> DbResult<Result<(), Refused>> {
    let input = (business_id, id, fingerprint, person, core.keyring.clone());
    let done = core.write_once(vec![Key::Payouts(business_id)], actor, input, lock_in).await?;
    core.wake.ring();
    Ok(done)
}

async fn lock_in(
    tx: &mut Tx,
    &(business_id, id, ref fingerprint, person, ref keyring): &(i64, i64, String, Option<i64>, Keyring),
) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    let state = match payout.state.after(PayoutEvent::Lock) {
        Next::Already => {
            if payout.state == PayoutState::Locking {
                queue::again(tx, business_id, id).await?;
            }
            return Ok(Ok(()));
        }
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => state,
    };
    if payout.fingerprint != *fingerprint {
        return Ok(Err(Refused::Outdated));
    }
    if payout.lines == 0 {
        return Ok(Err(Refused::Empty));
    }
    let Some(business) = business::by_id(tx, business_id).await? else { return Ok(Err(Refused::NotFound)) };
    // Nothing is written before the first lot is found to be as it was reviewed.
    let lot = match next_lot(tx, keyring, &payout).await? {
        Ok(lot) => lot,
        Err(referrer) => return Ok(Err(Refused::Changed { referrer })),
    };
    store::set_locking(tx, id, state, person, &business).await?;
    frozen::freeze(tx, &payout).await?;
    let entry = NewEntry::by(tx, business_id, "payout.locked", ("payout", id))?.after(json!({
        "number": payout.number,
        "lines": payout.lines,
        "amount": payout.money().shown(),
        "fingerprint": payout.fingerprint,
    }));
    audit::write(tx, &[entry]).await?;
    let payout = PayoutRow { state, ..payout };
    if !take(tx, &payout, lot).await? {
        queue::enqueue(tx, business_id, id, json!({})).await?;
    }
    Ok(Ok(()))
}

/// The next lines with the items they take.
type Lot = Vec<(LineRow, Vec<Taken>)>;

/// The next lines of a draft, each as it was reviewed; the name of the first referrer for whom that is not so.
async fn next_lot(tx: &mut Tx, keyring: &Keyring, payout: &PayoutRow) -> DbResult<Result<Lot, String>> {
    let lines = store::next_lines(tx, payout.id, LineState::In, CHUNK).await?;
    let referrers: Vec<i64> = lines.iter().map(|l| l.referrer_id).collect();
    // Read once: what is compared is what is taken, whatever is approved a moment later.
    let theirs = candidates_of(tx, payout, &referrers).await?;
    let now = of_referrers(tx, keyring, payout, &referrers, &theirs).await?;
    let now: HashMap<i64, _> = now.into_iter().map(|built| (built.referrer_id, built)).collect();
    let same = |line: &LineRow| {
        now.get(&line.referrer_id).is_some_and(|b| {
            b.out.is_none()
                && b.amount == line.amount
                && b.digest == line.digest
                && b.details.as_ref().map(|d| d.id) == line.details_id
        })
    };
    if let Some(changed) = lines.iter().find(|line| !same(line)) {
        return Ok(Err(changed.referrer.clone()));
    }
    let lot = lines.into_iter().map(|line| {
        let items = theirs.get(&line.referrer_id).into_iter().flatten().filter(|c| is_payable(c, payout.method));
        let taken = items.map(|c| Taken { item: c.item(), line_id: LineId(line.id) }).collect();
        (line, taken)
    });
    Ok(Ok(lot.collect()))
}

/// Takes a lot off what is due; answers whether it was the last.
async fn take(tx: &mut Tx, payout: &PayoutRow, lot: Lot) -> DbResult<bool> {
    let about = ledger(tx, payout.business_id, payout.currency).await?;
    let lines: Vec<i64> = lot.iter().map(|(line, _)| line.id).collect();
    let taken: Vec<Taken> = lot.into_iter().flat_map(|(_, taken)| taken).collect();
    engine::lock(tx, about, &taken).await?;
    store::move_lines(tx, &lines, LineState::In, LineState::Locked).await?;
    let finished = lines.len() < CHUNK;
    if finished && let Next::To(state) = payout.state.after(PayoutEvent::Taken) {
        store::set_locked(tx, payout.id, state).await?;
    }
    Ok(finished)
}

/// The next lot of a payout that is being locked; answers whether it was the last. Where a line is not as it was
/// reviewed, everything is given back.
pub(super) async fn lock_chunk(tx: &mut Tx, keyring: &Keyring, payout: &PayoutRow) -> DbResult<bool> {
    match next_lot(tx, keyring, payout).await? {
        Ok(lot) => take(tx, payout, lot).await,
        Err(referrer) => {
            if let Next::To(state) = payout.state.after(PayoutEvent::Unlock) {
                let why = Refused::Changed { referrer };
                store::set_unlocking(tx, payout.id, state, &why.sentence()).await?;
                frozen::thaw(tx, payout).await?;
                let entry = NewEntry::by(tx, payout.business_id, "payout.unlocked", ("payout", payout.id))?
                    .after(json!({ "number": payout.number }))
                    .reason(why.sentence());
                audit::write(tx, &[entry]).await?;
            }
            Ok(false)
        }
    }
}

/// Gives a locked payout back: it is a draft again. Refused once a line is paid, failed or returned.
pub async fn unlock(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    reason: String,
) -> DbResult<Result<(), Refused>> {
    let done = core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id, reason), unlock_in).await?;
    core.wake.ring();
    Ok(done)
}

async fn unlock_in(tx: &mut Tx, &(business_id, id, ref reason): &(i64, i64, String)) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    let state = match payout.state.after(PayoutEvent::Unlock) {
        Next::Already => {
            if payout.state == PayoutState::Unlocking {
                queue::again(tx, business_id, id).await?;
            }
            return Ok(Ok(()));
        }
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => state,
    };
    if store::is_settled(tx, id).await? {
        return Ok(Err(Refused::Settled));
    }
    store::set_unlocking(tx, id, state, reason).await?;
    frozen::thaw(tx, &payout).await?;
    let entry = NewEntry::by(tx, business_id, "payout.unlocked", ("payout", id))?
        .after(json!({ "number": payout.number, "lines": payout.lines, "amount": payout.money().shown() }))
        .reason(reason.as_str());
    audit::write(tx, &[entry]).await?;
    if !unlock_chunk(tx, &PayoutRow { state, ..payout }).await? {
        queue::enqueue(tx, business_id, id, json!({})).await?;
    }
    Ok(Ok(()))
}

/// Gives the next lines back; answers whether they were the last.
pub(super) async fn unlock_chunk(tx: &mut Tx, payout: &PayoutRow) -> DbResult<bool> {
    let lines = store::next_lines(tx, payout.id, LineState::Locked, CHUNK).await?;
    let ids: Vec<i64> = lines.iter().map(|l| l.id).collect();
    let about = ledger(tx, payout.business_id, payout.currency).await?;
    engine::release(tx, about, &ids, Release::Unlocked).await?;
    store::move_lines(tx, &ids, LineState::Locked, LineState::In).await?;
    let finished = ids.len() < CHUNK;
    if finished && let Next::To(state) = payout.state.after(PayoutEvent::GivenBack) {
        store::set_state(tx, payout.id, state).await?;
    }
    Ok(finished)
}

/// The person or program that approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The user, or the holder of the key.
    pub person: Option<i64>,
    pub is_owner: bool,
}

/// A second person agrees to a locked payout.
pub async fn approve(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    who: Approver,
) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id, who), approve_in).await
}

async fn approve_in(tx: &mut Tx, &(business_id, id, who): &(i64, i64, Approver)) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    let state = match payout.state.after(PayoutEvent::Approve) {
        Next::Already => return Ok(Ok(())),
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => state,
    };
    let asked = store::approval(tx, business_id).await?;
    if asked == Approval::Owner && !who.is_owner {
        return Ok(Err(Refused::NotOwner));
    }
    if asked != Approval::None && payout.locked_by_id == who.person {
        return Ok(Err(Refused::SamePerson));
    }
    store::set_approved(tx, id, state).await?;
    let entry = NewEntry::by(tx, business_id, "payout.approved", ("payout", id))?
        .after(json!({ "number": payout.number, "lines": payout.lines, "amount": payout.money().shown() }));
    audit::write(tx, &[entry]).await?;
    Ok(Ok(()))
}

/// Why the lines of a payout cannot be paid yet.
pub(super) fn hindrance(payout: &PayoutRow, asked: Approval) -> Option<Refused> {
    match payout.state {
        PayoutState::Locked if asked != Approval::None => Some(Refused::NotApproved),
        PayoutState::Locked | PayoutState::Approved => None,
        state => Some(Refused::State(state)),
    }
}
