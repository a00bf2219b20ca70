//! Events of calls with an `Idempotency-Key`: what they came to is stored in their transaction, and given again
//! when the call comes again.

use std::ops::Range;

use super::decision::{Decided, Refusal};
use super::event::{Event, Outcome};
use crate::db::{DbError, DbResult, Earlier, Part, StoredPart, Tx, earlier, store};

/// Events of a slice that one write of a call is made of.
pub struct EventsOfCall {
    pub part: Part,
    pub events: Range<usize>,
}

type Outcomes = Vec<Decided<Outcome>>;

/// The outcomes of the events that were done before, and none for those that are still to be done.
pub async fn known(tx: &mut Tx, calls: &[EventsOfCall], events: &[Event]) -> DbResult<Vec<Option<Decided<Outcome>>>> {
    let mut outcomes: Vec<Option<Decided<Outcome>>> = events.iter().map(|_| None).collect();
    let parts: Vec<&Part> = calls.iter().map(|call| &call.part).collect();
    for (call, earlier) in calls.iter().zip(earlier(tx, &parts).await?) {
        let done: Outcomes = match earlier {
            Earlier::None => continue,
            Earlier::OtherCall => call.events.clone().map(|_| Err(Refusal::AnotherCall.into())).collect(),
            Earlier::Outcome(text) => serde_json::from_str(&text).map_err(|why| DbError::Fault(why.to_string()))?,
        };
        // A repeated call may read otherwise by now: events beyond the first ones are refused.
        let rest = std::iter::repeat(Err(Refusal::AnotherCall.into()));
        for (at, outcome) in call.events.clone().zip(done.into_iter().chain(rest)) {
            outcomes[at] = Some(outcome);
        }
    }
    Ok(outcomes)
}

/// Stores what the events of calls came to, where `known` had nothing about them.
pub async fn keep(
    tx: &mut Tx,
    calls: &[EventsOfCall],
    known: &[Option<Decided<Outcome>>],
    outcomes: &[Decided<Outcome>],
) -> DbResult<()> {
    let mut parts = Vec::new();
    for call in calls.iter().filter(|call| known[call.events.clone()].iter().all(Option::is_none)) {
        let outcome = serde_json::to_string(&outcomes[call.events.clone()]);
        parts.push(StoredPart { part: &call.part, outcome: outcome.map_err(|why| DbError::Fault(why.to_string()))? });
    }
    let now = tx.now();
    store(tx, &parts, now).await
}
