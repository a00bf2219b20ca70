//! The end of each line: paid, failed or returned. A line ends once, whoever says it and however often.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lock::{CHUNK, hindrance};
use super::refused::Refused;
use super::store::{self, LineRow, PayoutRow};
use super::wish::Settle;
use super::{ledger::ledger, queue};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::clock::Day;
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::engine::payout::{self as engine, LineEvent, Next, PayoutEvent, Release};
use crate::engine::state::LineState;
use crate::money::Money;

/// The answer about one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settled {
    Done,
    /// It was said before.
    Already,
    /// It cannot happen to a line in this state.
    Never(LineState),
    NotFound,
}

/// Settles lines of a locked payout; an answer for each, in their order.
pub async fn settle(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    all: Vec<Settle>,
) -> DbResult<Result<Vec<Settled>, Refused>> {
    let mut answers = Vec::with_capacity(all.len());
    for lot in all.chunks(CHUNK) {
        let input = (business_id, id, lot.to_vec());
        match core.write_once(vec![Key::Payouts(business_id)], actor, input, settle_in).await? {
            Ok(some) => answers.extend(some),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(answers))
}

/// As [`settle`], for lines that are found anew whenever a call is repeated: no outcome of an earlier try stands for
/// them, and a line ends once anyway.
pub(super) async fn settle_again(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    all: &[Settle],
) -> DbResult<Result<Vec<Settled>, Refused>> {
    let mut answers = Vec::with_capacity(all.len());
    for lot in all.chunks(CHUNK) {
        let input = (business_id, id, lot.to_vec());
        match core.write(vec![Key::Payouts(business_id)], actor, input, settle_in).await? {
            Ok(some) => answers.extend(some),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(answers))
}

async fn settle_in(
    tx: &mut Tx,
    &(business_id, id, ref all): &(i64, i64, Vec<Settle>),
) -> DbResult<Result<Vec<Settled>, Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    if let Some(refused) = hindrance(&payout, store::approval(tx, business_id).await?) {
        return Ok(Err(refused));
    }
    let ids: Vec<i64> = all.iter().map(|s| s.line_id).collect();
    let mut lines: BTreeMap<i64, LineRow> =
        store::lines_by_id(tx, id, &ids).await?.into_iter().map(|line| (line.id, line)).collect();
    let mut answers = Vec::with_capacity(all.len());
    let mut done: Vec<(&Settle, LineRow)> = Vec::new();
    for settle in all {
        let Some(line) = lines.get_mut(&settle.line_id) else {
            answers.push(Settled::NotFound);
            continue;
        };
        answers.push(match line.state.after(settle.event) {
            Next::Already => Settled::Already,
            Next::Never => Settled::Never(line.state),
            Next::To(state) => {
                line.state = state;
                done.push((settle, line.clone()));
                Settled::Done
            }
        });
    }
    end(tx, &payout, &done).await?;
    Ok(Ok(answers))
}

/// Moves the money of lines that end, and writes how they ended.
async fn end(tx: &mut Tx, payout: &PayoutRow, done: &[(&Settle, LineRow)]) -> DbResult<()> {
    if done.is_empty() {
        return Ok(());
    }
    let about = ledger(tx, payout.business_id, payout.currency).await?;
    // A line may be paid and returned by one call: each step has its own statements, in their order.
    for event in [LineEvent::Pay, LineEvent::Fail, LineEvent::Return] {
        let lines: Vec<&(&Settle, LineRow)> = done.iter().filter(|(settle, _)| settle.event == event).collect();
        if lines.is_empty() {
            continue;
        }
        let ids: Vec<i64> = lines.iter().map(|(_, line)| line.id).collect();
        match event {
            LineEvent::Pay => engine::pay(tx, about, &ids).await?,
            LineEvent::Fail => engine::release(tx, about, &ids, Release::Failed).await?,
            _ => engine::release(tx, about, &ids, Release::Returned).await?,
        }
        store::end_lines(tx, &lines, about.day).await?;
        note(tx, payout, event, &lines).await?;
    }
    store::touch(tx, payout.id).await
}

/// One entry for all that were paid; one for each that failed or came back, with its reason.
async fn note(tx: &mut Tx, payout: &PayoutRow, event: LineEvent, lines: &[&(&Settle, LineRow)]) -> DbResult<()> {
    let about = ("payout", payout.id);
    let mut entries = Vec::new();
    if event == LineEvent::Pay {
        let sum = Money { minor: lines.iter().map(|(_, l)| l.amount).sum(), currency: payout.currency };
        let mut entry = NewEntry::by(tx, payout.business_id, "payout.paid", about)?
            .after(json!({ "number": payout.number, "lines": lines.len(), "amount": sum.shown() }));
        if let [(_, only)] = lines {
            entry = entry.of_referrer(only.referrer_id);
        }
        entries.push(entry);
    } else {
        let action = if event == LineEvent::Fail { "payout.line_failed" } else { "payout.line_returned" };
        for (settle, line) in lines {
            let mut entry = NewEntry::by(tx, payout.business_id, action, about)?
                .after(json!({ "number": payout.number, "amount": line.money().shown() }))
                .of_referrer(line.referrer_id);
            entry.reason.clone_from(&settle.reason);
            entries.push(entry);
        }
    }
    audit::write(tx, &entries).await
}

/// Marks every line that is left as paid.
pub async fn pay_all(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    day: Option<Day>,
) -> DbResult<Result<(), Refused>> {
    let done = core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id, day), pay_all_in).await?;
    core.wake.ring();
    Ok(done)
}

async fn pay_all_in(tx: &mut Tx, &(business_id, id, day): &(i64, i64, Option<Day>)) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    if let Some(refused) = hindrance(&payout, store::approval(tx, business_id).await?) {
        return Ok(Err(refused));
    }
    if !pay_chunk(tx, &payout, day).await? {
        queue::enqueue(tx, business_id, id, json!({ "pay": true, "day": day })).await?;
    }
    Ok(Ok(()))
}

/// Pays the next lines; answers whether they were the last.
pub(super) async fn pay_chunk(tx: &mut Tx, payout: &PayoutRow, day: Option<Day>) -> DbResult<bool> {
    let lines = store::next_lines(tx, payout.id, LineState::Locked, CHUNK).await?;
    let finished = lines.len() < CHUNK;
    let paid = |line_id| Settle { line_id, event: LineEvent::Pay, reason: None, reference: None, day };
    let settles: Vec<Settle> = lines.iter().map(|line| paid(line.id)).collect();
    let done: Vec<(&Settle, LineRow)> =
        settles.iter().zip(lines).map(|(s, line)| (s, LineRow { state: LineState::Paid, ..line })).collect();
    end(tx, payout, &done).await?;
    Ok(finished)
}

/// Closes a payout of which every line has ended; nothing of it changes any more.
pub async fn close(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64) -> DbResult<Result<(), Refused>> {
    core.write_once(vec![Key::Payouts(business_id)], actor, (business_id, id), close_in).await
}

async fn close_in(tx: &mut Tx, &(business_id, id): &(i64, i64)) -> DbResult<Result<(), Refused>> {
    let Some(payout) = store::find(tx, business_id, id).await? else { return Ok(Err(Refused::NotFound)) };
    let state = match payout.state.after(PayoutEvent::Close) {
        Next::Already => return Ok(Ok(())),
        Next::Never => return Ok(Err(Refused::State(payout.state))),
        Next::To(state) => state,
    };
    let open = store::count(tx, id, LineState::Locked).await?;
    if open > 0 {
        return Ok(Err(Refused::Open(open)));
    }
    store::set_closed(tx, id, state).await?;
    let entry =
        NewEntry::by(tx, business_id, "payout.closed", ("payout", id))?.after(json!({ "number": payout.number }));
    audit::write(tx, &[entry]).await?;
    Ok(Ok(()))
}
