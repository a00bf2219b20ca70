//! Gathers single calls that wait at the same moment into one slice and one transaction.
//!
//! While a slice is being written the next one fills, so a busy node writes long slices and an idle one
//! answers at once. Callers who ask one thing after the other would fall into two halves that take turns,
//! each slice half as long as it could be; so whoever was just answered gets a moment to come back, in
//! proportion to how long the slice took, and none where that is shorter than a timer can tell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::once::EventsOfCall;
use super::{Decided, Event, Inner, Outcome, SLICE};
use crate::db::{DbError, DbResult, Part, TURN};

/// An event that waits for the next slice.
struct Waiting {
    since: Instant,
    event: Event,
    /// The write of a call with an `Idempotency-Key` that it is.
    part: Option<Part>,
    reply: oneshot::Sender<DbResult<Decided<Outcome>>>,
}

/// Calls that may wait before further ones are asked to come back.
const QUEUE: usize = 8_192;
#[derive(Clone)]
pub struct Batcher {
    queue: mpsc::Sender<Waiting>,
}

impl Batcher {
    pub fn start(engine: Arc<Inner>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(engine, waiting));
        Self { queue }
    }

    pub async fn submit(&self, event: Event) -> DbResult<Decided<Outcome>> {
        let (reply, answer) = oneshot::channel();
        let part = Part::next_of(&event.by.actor);
        let waiting = Waiting { since: Instant::now(), event, part, reply };
        self.queue.try_send(waiting).map_err(|_| DbError::Unavailable("too many events are waiting".into()))?;
        answer.await.unwrap_or_else(|_| Err(DbError::Unavailable("the event was dropped".into())))
    }
}

/// The share of a slice's time that those who were answered have to come back, and the longest.
const MOMENT: u32 = 4;
const LONGEST: Duration = Duration::from_millis(4);
/// The answers of a timer.
const SHORTEST: Duration = Duration::from_millis(1);

/// One slice of a node is written at a time. Two or three on PostgreSQL were tried: no more events a
/// second, and half as much again of the database's time for each, because the slices are shorter.
async fn run(engine: Arc<Inner>, mut waiting: mpsc::Receiver<Waiting>) {
    let (mut answered, mut moment) = (0, Duration::ZERO);
    while let Some(first) = waiting.recv().await {
        let mut gathered = vec![first];
        while gathered.len() < SLICE
            && let Ok(next) = waiting.try_recv()
        {
            gathered.push(next);
        }
        if answered > 1 && moment >= SHORTEST {
            let whole = (gathered.len() + answered).min(SLICE);
            let _ = tokio::time::timeout(moment, async {
                while gathered.len() < whole
                    && let Some(next) = waiting.recv().await
                {
                    gathered.push(next);
                }
            })
            .await;
        }
        answered = gathered.len();
        let began = Instant::now();
        let engine = engine.clone();
        // A task of its own: a panic drops this slice's callers, not the batcher.
        let _ = tokio::spawn(async move { write(&engine, gathered).await }).await;
        moment = (began.elapsed() / MOMENT).min(LONGEST);
    }
}

/// True when one event of a slice may be all that is wrong.
fn of_one(error: &DbError) -> bool {
    matches!(error, DbError::Fault(_) | DbError::Taken(_) | DbError::Lost(_))
}

async fn write(engine: &Inner, gathered: Vec<Waiting>) {
    let (late, gathered): (Vec<_>, Vec<_>) = gathered.into_iter().partition(|waiting| waiting.since.elapsed() > TURN);
    for waiting in late {
        let _ = waiting.reply.send(Err(DbError::Unavailable("the event waited too long for its turn".into())));
    }
    if gathered.is_empty() {
        return;
    }
    let events: Vec<Event> = gathered.iter().map(|waiting| waiting.event.clone()).collect();
    match engine.transaction(events, calls(&gathered)).await {
        Ok(outcomes) => {
            for (waiting, outcome) in gathered.into_iter().zip(outcomes) {
                // A caller who hung up is answered all the same; the write stands.
                let _ = waiting.reply.send(Ok(outcome));
            }
        }
        // A fault of one item, or a race that is lost on every try, must not fail its neighbours: each on its own.
        Err(error) if gathered.len() > 1 && of_one(&error) => {
            for waiting in gathered {
                let calls = calls(std::slice::from_ref(&waiting));
                let outcome = engine.transaction(vec![waiting.event], calls).await.map(|mut all| all.swap_remove(0));
                let _ = waiting.reply.send(outcome);
            }
        }
        Err(error) => {
            for waiting in gathered {
                let _ = waiting.reply.send(Err(error.clone()));
            }
        }
    }
}

/// The calls with an `Idempotency-Key` among the events of a slice.
fn calls(gathered: &[Waiting]) -> Vec<EventsOfCall> {
    let part =
        |(at, waiting): (usize, &Waiting)| waiting.part.clone().map(|part| EventsOfCall { part, events: at..at + 1 });
    gathered.iter().enumerate().filter_map(part).collect()
}
