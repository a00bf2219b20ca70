//! The engine of attribution and money: events in, outcomes out.
//!
//! A slice of events is applied inside a transaction: what they are about ([`subjects`]) is locked and loaded,
//! the pure rules of [`event`] are folded over it, and what was decided is written. [`Engine`] is how the rest
//! of the program gets there: [`Engine::one`] gathers single calls that wait at the same moment into one slice,
//! [`Engine::slice`] is for callers that have many.

mod batcher;
pub mod claim;
pub mod contact;
pub mod decision;
pub mod event;
pub mod facts;
pub mod ids;
mod load;
mod lock;
pub mod message;
mod moves;
pub mod names;
mod once;
pub mod payout;
pub mod purge;
pub mod rule;
pub mod rules;
mod save;
mod settle;
pub mod state;
pub mod subjects;
#[cfg(test)]
mod tests;
mod work;

use std::ops::Range;
use std::sync::{Arc, Mutex};

pub use claim::{Claim, ClaimBy};
pub use contact::{Contact, History};
pub use decision::{By, Changed, Decided, Done, Earned, Field, ProductScope, Refusal, Rejected, Scope, Seen};
pub use event::{
    AcceptOutcome, AcceptPayment, AddLead, AddLeadOutcome, AmendLead, Approve, Archive, CancelOutcome,
    CancelSubscription, Dismiss, Dispute, DisputedPayment, EditLead, Event, FindSelfReferral, Kind, Merge, Outcome,
    PayBack, Payment, PaymentOutcome, Qualified, Qualify, QualifyBy, Reattribute, Refund, RefundOutcome, RefundTo,
    RefundToOutcome, Refunded, Reopen, SetStatus, SettleItem, SignUp, SignUpOutcome, Void, What,
};
pub use moves::{Moved, Moves, sum_shown};
pub use names::{NameKind, Names, PaymentName, PaymentRef};
pub use rule::Change;
pub use rules::earning::Warning;
pub use state::{ClaimRefusal, Decision, InboxKind, SourceOrigin, Status, Subscription, TouchKind};
pub use work::Work;

use crate::actor::Actor;
use crate::clock::{Clock, Instant};
use crate::db::{Answer, Db, DbError, DbResult, ErasedThen, Key, Part, Stop, Terms, Then, Tx, answered, then};
use batcher::Batcher;
use once::EventsOfCall;
use subjects::Subjects;

/// The first id of previews, far above those of rows.
const PREVIEW: i64 = 1 << 60;
/// Ids one event may use before the slice is run again with more.
const IDS_PER_EVENT: usize = 24;
/// Events of one transaction, at most: keys stay below what a transaction may lock, and the writer is
/// not held long.
pub const SLICE: usize = 128;
/// Events of one transaction where nothing is locked: a batch on SQLite is one flush.
const BATCH: usize = 1_000;

/// The engine with what it needs from outside: a database, ids and a clock.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    batcher: Batcher,
}

struct Inner {
    db: Db,
    clock: Clock,
}

/// Many events that ended early: what was decided before stays decided.
#[derive(Debug)]
pub struct Halted {
    /// The outcomes of the first events, in order.
    pub done: Vec<Decided<Outcome>>,
    pub error: DbError,
}

/// Events of one transaction, what is written about their outcomes, and the keys they were found to lack.
struct Slice {
    events: Vec<Event>,
    calls: Vec<EventsOfCall>,
    then: Option<Arc<dyn ErasedThen<Vec<Decided<Outcome>>>>>,
    lacking: Mutex<Vec<Key>>,
}

async fn run(tx: &mut Tx, slice: &Arc<Slice>) -> DbResult<Answer> {
    let (now, ids) = (tx.now(), tx.many_ids());
    let outcomes = if slice.calls.is_empty() {
        attempt(tx, now, ids, &slice.events, &slice.lacking).await?
    } else {
        attempt_once(tx, now, ids, slice).await?
    };
    match &slice.then {
        Some(then) => then.run(tx, outcomes).await,
        None => Ok(Box::new(outcomes)),
    }
}

/// Applies the events of a slice that were not done before, when their calls came first.
async fn attempt_once(tx: &mut Tx, now: Instant, ids: Range<i64>, slice: &Slice) -> DbResult<Vec<Decided<Outcome>>> {
    let known = once::known(tx, &slice.calls, &slice.events).await?;
    let new = slice.events.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(event, _)| event.clone());
    let new: Vec<Event> = new.collect();
    let mut decided = attempt(tx, now, ids, &new, &slice.lacking).await?.into_iter();
    let all = known.iter().map(|known| known.clone().or_else(|| decided.next()));
    let all: Option<Vec<Decided<Outcome>>> = all.collect();
    let all = all.ok_or_else(|| DbError::Fault("an event has no outcome".into()))?;
    once::keep(tx, &slice.calls, &known, &all).await?;
    Ok(all)
}

/// Applies a slice inside a transaction that holds its keys. Where it ends with [`Stop::OtherKeys`], `lacking`
/// says which keys to come back with.
async fn attempt(
    tx: &mut Tx,
    now: Instant,
    mut ids: Range<i64>,
    events: &[Event],
    lacking: &Mutex<Vec<Key>>,
) -> DbResult<Vec<Decided<Outcome>>> {
    let about = event::subjects(events);
    let loaded = load::load(tx, &about).await?;
    if !loaded.is_part || events.len() == 1 {
        return apply(tx, (&about, loaded), now, &mut ids, events, lacking).await;
    }
    // Together they are about more than is looked at: each by itself, in the same transaction.
    let mut outcomes = Vec::with_capacity(events.len());
    for one in events.chunks(1) {
        let about = event::subjects(one);
        let loaded = load::load(tx, &about).await?;
        outcomes.extend(apply(tx, (&about, loaded), now, &mut ids, one, lacking).await?);
    }
    Ok(outcomes)
}

async fn apply(
    tx: &mut Tx,
    (about, loaded): (&Subjects, facts::Facts),
    now: Instant,
    ids: &mut Range<i64>,
    events: &[Event],
    lacking: &Mutex<Vec<Key>>,
) -> DbResult<Vec<Decided<Outcome>>> {
    let keys = lock::lacking(tx, &loaded, about);
    if !keys.is_empty() {
        if let Ok(mut lacking) = lacking.lock() {
            lacking.extend(keys);
        }
        return Err(DbError::Stopped(Stop::OtherKeys));
    }
    let mut work = Work::new(loaded, now, ids.clone());
    let outcomes = decide(&mut work, events);
    if work.ran_out() {
        return Err(DbError::Stopped(Stop::MoreIds));
    }
    work.count_listed();
    save::save(tx, &work).await?;
    *ids = work.ids_left();
    Ok(outcomes)
}

/// The outcomes of a slice. Nothing is decided on a part of the facts.
fn decide(work: &mut Work, events: &[Event]) -> Vec<Decided<Outcome>> {
    if work.facts.is_part {
        return events.iter().map(|_| Err(Refusal::TooMuch.into())).collect();
    }
    let outcomes = events.iter().map(|event| event.decide(work)).collect();
    rules::customer_reward::follow(work);
    outcomes
}

impl Engine {
    pub fn new(db: Db, clock: Clock) -> Self {
        let inner = Arc::new(Inner { db, clock });
        Self { batcher: Batcher::start(inner.clone()), inner }
    }

    /// One event, gathered with others that wait at the same moment; answered when it is on disk.
    pub async fn one<E: Kind>(&self, by: By, event: E) -> DbResult<Decided<E::Outcome>> {
        match self.one_of(Event::new(by, event)).await? {
            Ok(outcome) => typed::<E>(outcome).map(Ok),
            Err(rejected) => Ok(Err(rejected)),
        }
    }

    /// As [`Engine::one`], for an event whose kind is chosen as the program runs.
    pub async fn one_of(&self, event: Event) -> DbResult<Decided<Outcome>> {
        self.batcher.submit(event).await
    }

    /// Many events, in few transactions; an outcome each, in order. Where it ended after some were stored,
    /// the error says that it is in doubt.
    pub async fn slice(&self, events: Vec<Event>) -> DbResult<Vec<Decided<Outcome>>> {
        self.slice_so_far(events).await.map_err(|Halted { done, error }| match error {
            DbError::Unavailable(why) | DbError::Lost(why) | DbError::Taken(why) if !done.is_empty() => {
                DbError::InDoubt(format!("after {} of the events: {why}", done.len()))
            }
            error => error,
        })
    }

    /// As [`Engine::slice`], for a caller that reports what was done when it ended early.
    pub async fn slice_so_far(&self, events: Vec<Event>) -> Result<Vec<Decided<Outcome>>, Halted> {
        let mut done = Vec::with_capacity(events.len());
        let longest = if self.inner.db.is_postgres() { SLICE } else { BATCH };
        for chunk in events.chunks(longest) {
            let part = chunk.first().and_then(|event| Part::next_of(&event.by.actor));
            let calls = part.into_iter().map(|part| EventsOfCall { part, events: 0..chunk.len() }).collect();
            match self.inner.transaction(chunk.to_vec(), calls).await {
                Ok(outcomes) => done.extend(outcomes),
                Err(error) => return Err(Halted { done, error }),
            }
        }
        Ok(done)
    }

    /// At most [`SLICE`] events, and what `job` writes about their outcomes, in one transaction: an import
    /// marks its rows and notes how far it has come.
    pub async fn slice_and<I, T, F>(&self, actor: &Arc<Actor>, events: Vec<Event>, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Then<'t, I, Vec<Decided<Outcome>>, T> + 'static,
    {
        answered(self.inner.transaction_and(Some(actor), events, Vec::new(), Some(then(input, job))).await?)
    }

    /// The outcomes of a slice without storing them: previews and dry runs.
    pub async fn preview(&self, events: Vec<Event>) -> DbResult<(Vec<Decided<Outcome>>, Work)> {
        let mut conn = self.inner.db.read().await?;
        let loaded = load::load(&mut conn, &event::subjects(&events)).await?;
        // Ids no row has.
        let mut work = Work::new(loaded, self.inner.clock.now(), PREVIEW..i64::MAX);
        let outcomes = decide(&mut work, &events);
        Ok((outcomes, work))
    }

    /// The keys a slice has to hold, with the contacts of the leads and commissions it names by id.
    pub async fn keys(&self, events: &[Event]) -> DbResult<Vec<Key>> {
        lock::keys(&self.inner.db, &event::subjects(events)).await
    }

    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }
}

/// The outcome of an event as its kind has it.
fn typed<E: Kind>(outcome: Outcome) -> DbResult<E::Outcome> {
    E::of(outcome).ok_or_else(|| DbError::Fault("an event came to the outcome of another kind".into()))
}

impl Inner {
    /// One slice, one transaction.
    async fn transaction(&self, events: Vec<Event>, calls: Vec<EventsOfCall>) -> DbResult<Vec<Decided<Outcome>>> {
        answered(self.transaction_and(None, events, calls, None).await?)
    }

    /// One slice, and what the caller writes with it. A slice that finds people it has not locked (a lead with
    /// another contact, or one that changed it) starts again.
    async fn transaction_and(
        &self,
        actor: Option<&Arc<Actor>>,
        events: Vec<Event>,
        calls: Vec<EventsOfCall>,
        then: Option<Arc<dyn ErasedThen<Vec<Decided<Outcome>>>>>,
    ) -> DbResult<Answer> {
        let slice = Arc::new(Slice { events, calls, then, lacking: Mutex::default() });
        for _ in 0..4 {
            let mut keys = lock::keys(&self.db, &event::subjects(&slice.events)).await?;
            keys.extend(slice.calls.iter().map(|call| call.part.key()));
            keys.extend(slice.lacking.lock().map(|keys| keys.clone()).unwrap_or_default());
            let terms = actor.iter().fold(Terms::of(keys), |terms, actor| terms.by(actor));
            let terms = terms.ids(slice.events.len() * IDS_PER_EVENT);
            match self.db.write_on(terms, slice.clone(), run).await {
                Err(DbError::Stopped(Stop::OtherKeys)) => {}
                other => return other,
            }
        }
        Err(DbError::Unavailable("the people of this slice keep changing".into()))
    }
}
