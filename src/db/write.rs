//! The one way to change anything.
//!
//! A write never runs in the request's own future, so a caller who hangs up cannot cut it in half. SQLite:
//! one task owns the one writing connection; waiting writes run under savepoints of one transaction and are
//! answered after one flush. PostgreSQL: each write is a transaction that takes its advisory locks first; a
//! fixed number are in flight per node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::connect::{Backend, Db, QUEUE};
use super::error::{DbError, DbResult, Stop};
use super::file::Opened;
use super::job::{Answer, Erased, Job, Work, answered, erased};
use super::locks::{self, Key};
use super::sql::{Conn, sql};
use super::tx::{FEW, Lent, Tx};
use crate::actor::Actor;

/// The tries of a lost race before the caller is asked to come back.
const TRIES: u32 = 5;
/// The most writes the writer task takes into one transaction.
const GROUP: usize = 64;
/// The time that one transaction takes writes, so that none of them waits long for the flush.
const GROUP_TIME: Duration = Duration::from_millis(40);
/// A write that has waited this long for its turn is refused, together with all that wait behind it, so that
/// a stuck database is reported at once.
pub const TURN: Duration = Duration::from_secs(2);
/// The time that the outcome of a COMMIT without an answer is asked for.
const DOUBT: Duration = Duration::from_secs(4);

/// A run of ids that is used up is drawn so many times as long.
const LONGER: usize = 16;
const MOST_IDS: usize = 1 << 20;

/// The terms of a write, beside its work.
#[derive(Default)]
pub struct Terms {
    keys: Vec<Key>,
    actor: Option<Arc<Actor>>,
    ids: usize,
}

impl Terms {
    /// The keys of a decision: writes that share a key run one after the other.
    pub fn of(keys: Vec<Key>) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Another subject that is decided about.
    pub fn and(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// The actor of an audited write; with a few ids, since it has an entry at least.
    pub fn by(self, actor: &Arc<Actor>) -> Self {
        Self { actor: Some(actor.clone()), ids: self.ids.max(FEW), ..self }
    }

    /// The number of ids that a large write will draw.
    pub fn ids(self, ids: usize) -> Self {
        Self { ids: ids + FEW, ..self }
    }
}

impl Db {
    /// Runs a job in one transaction that holds `keys`, and answers when it is on disk. The job runs again,
    /// from the locks, when it answers [`DbError::Lost`] or [`DbError::Taken`]. Any error rolls everything back.
    pub async fn write<I, T, F>(&self, keys: Vec<Key>, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Job<'t, I, T> + 'static,
    {
        self.write_on(Terms::of(keys), input, job).await
    }

    /// The same for a write that is audited, or that draws ids.
    pub async fn write_on<I, T, F>(&self, terms: Terms, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Job<'t, I, T> + 'static,
    {
        answered(self.perform(terms, erased(input, job)).await?)
    }

    pub(super) async fn perform(&self, terms: Terms, job: Arc<dyn Erased>) -> DbResult<Answer> {
        let numbers = locks::numbers(&terms.keys);
        if self.is_postgres() && numbers.len() > locks::MOST {
            return Err(DbError::Fault(format!("a write may hold {} keys at most", locks::MOST)));
        }
        let mut count = terms.ids;
        loop {
            let ids = if count == 0 { 0..0 } else { self.draw(count).await? };
            let lent = Lent {
                held: numbers.iter().copied().collect(),
                actor: terms.actor.clone(),
                ids,
                clock: self.clock().clone(),
            };
            match self.queue(job.clone(), lent, &numbers).await {
                Err(DbError::Stopped(Stop::MoreIds)) if count < MOST_IDS => count = count.max(FEW) * LONGER,
                other => return other,
            }
        }
    }

    async fn queue(&self, job: Arc<dyn Erased>, lent: Lent, numbers: &[i64]) -> DbResult<Answer> {
        let (reply, answer) = oneshot::channel();
        let work = Work { job, lent, since: Instant::now(), value: None, reply };
        match self.backend() {
            Backend::Sqlite { writer, .. } => writer.try_send(work).map_err(|refused| {
                DbError::Unavailable(match refused {
                    mpsc::error::TrySendError::Full(_) => "too many writes are waiting".into(),
                    mpsc::error::TrySendError::Closed(_) => "the database is closing".into(),
                })
            })?,
            Backend::Postgres { writers, .. } => {
                let numbers = if writers.unlocked { Vec::new() } else { numbers.to_vec() };
                let writers = writers.clone();
                tokio::spawn(async move { write_postgres(&writers, numbers, work).await });
            }
        }
        answer.await.unwrap_or_else(|_| Err(DbError::Unavailable("the write was dropped".into())))
    }
}

/// The statements that begin and end the transaction of a write.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    begin: &'static str,
    commit: &'static str,
    rollback: &'static str,
    /// SQLite's writer has its connection to itself, and keeps it between two writes.
    keeps_connection: bool,
}

impl Brackets {
    pub const SQLITE: Self =
        Self { begin: "BEGIN IMMEDIATE", commit: "COMMIT", rollback: "ROLLBACK", keeps_connection: true };
    pub const POSTGRES: Self = Self { begin: "BEGIN", ..Self::SQLITE };
    /// Within a transaction that is never committed.
    pub const REHEARSAL: Self = Self {
        begin: "SAVEPOINT rehearsed",
        commit: "RELEASE SAVEPOINT rehearsed",
        rollback: "ROLLBACK TO SAVEPOINT rehearsed",
        keeps_connection: false,
    };
}

/// The connections of PostgreSQL that write.
pub(super) struct Writers {
    pub pool: PgPool,
    pub lanes: Lanes,
    /// Leaves the advisory locks out: the control run of the race tests, and rehearsals.
    pub unlocked: bool,
    pub brackets: Brackets,
}

async fn write_postgres(writers: &Writers, keys: Vec<i64>, mut work: Work) {
    let Some(lane) = writers.lanes.take().await else {
        return work.answer(Err(DbError::Unavailable("too many writes are waiting".into())));
    };
    let (mut doubt, mut attempt) = (None, 0);
    let outcome = loop {
        let outcome = attempt_postgres(writers, &keys, lane.number, &mut work, &mut doubt).await;
        let again = match (&outcome, &doubt) {
            (Err(DbError::Unavailable(_)), Some(doubt)) => doubt.since.elapsed() < DOUBT,
            (Err(error), _) if error.may_be_a_race() => attempt + 1 < TRIES,
            _ => false,
        };
        if !again {
            break outcome;
        }
        attempt += 1;
        pause(attempt).await;
    };
    drop(lane);
    work.answer(outcome.map_err(|error| match doubt {
        Some(_) => DbError::InDoubt(error.to_string()),
        None => error,
    }));
}

/// A COMMIT whose answer was lost, and the audit entry that exists if it was committed.
struct Doubt {
    witness: Option<i64>,
    since: Instant,
}

async fn attempt_postgres(
    writers: &Writers,
    keys: &[i64],
    slot: i64,
    work: &mut Work,
    doubt: &mut Option<Doubt>,
) -> DbResult<()> {
    let mut tx = Tx::new(Conn::Postgres(writers.pool.acquire().await?), slot);
    let Brackets { begin, commit, rollback, .. } = writers.brackets;
    tx.held.clone_from(&work.lent.held);
    // A connection that died while it was idle is found out here; nothing has happened, so another is tried.
    sql(begin).execute(&mut tx).await.map_err(|e| if doubt.is_none() { lost(e) } else { e })?;
    let outcome = async {
        locks::take(&mut tx, keys).await?;
        if took(&mut tx, doubt).await? {
            return Ok(());
        }
        work.run(&mut tx).await
    }
    .await;
    match outcome {
        Ok(()) => {
            let committed = sql(commit).execute(&mut tx).await.map(|_| ());
            match &committed {
                Ok(()) => *doubt = None,
                Err(DbError::Unavailable(_)) if doubt.is_none() => {
                    *doubt = Some(Doubt { witness: tx.witness, since: Instant::now() });
                }
                Err(_) => {}
            }
            committed
        }
        Err(error) => {
            if sql(rollback).execute(&mut tx).await.is_err()
                && let Conn::Postgres(c) = &mut tx.conn
            {
                c.close_on_drop();
            }
            Err(error)
        }
    }
}

/// True when an earlier attempt of this write was committed after all. Its locks are held, so that attempt is
/// over. A write without an audit entry must give the same result when it runs twice.
async fn took(tx: &mut Tx, doubt: &mut Option<Doubt>) -> DbResult<bool> {
    let Some(Doubt { witness, .. }) = doubt else { return Ok(false) };
    let found = match *witness {
        Some(id) => {
            sql("SELECT count(*)
                   FROM audit_entries
                  WHERE id = $1")
            .bind(id)
            .scalar::<i64>(tx)
            .await?
                == 1
        }
        None => false,
    };
    if !found && !tx.held.is_empty() {
        *doubt = None;
    }
    Ok(found)
}

fn lost(error: DbError) -> DbError {
    if let DbError::Unavailable(why) = error { DbError::Lost(why) } else { error }
}

async fn pause(attempt: u32) {
    let most = 4_u64 << attempt;
    let wait = rand::rng().random_range(1..=most);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}

/// A bounded number of transactions in flight, each with a number of its own for counter slots.
pub struct Lanes {
    free: std::sync::Mutex<Vec<i64>>,
    permits: Semaphore,
    waiting: Semaphore,
}

pub struct Lane<'l> {
    number: i64,
    lanes: &'l Lanes,
    _permit: tokio::sync::SemaphorePermit<'l>,
    _queued: tokio::sync::SemaphorePermit<'l>,
}

impl Lanes {
    /// So many lanes, with slots from `first` on.
    pub fn new(first: i64, count: i64, waiting: usize) -> Self {
        Self {
            free: std::sync::Mutex::new((first..first + count).rev().collect()),
            permits: Semaphore::new(usize::try_from(count).unwrap_or(1)),
            waiting: Semaphore::new(waiting),
        }
    }
    /// `None` when the queue is full or stuck.
    async fn take(&self) -> Option<Lane<'_>> {
        let queued = self.waiting.try_acquire().ok()?;
        let permit = tokio::time::timeout(TURN, self.permits.acquire()).await.ok()?.ok()?;
        let number = self.free.lock().ok()?.pop()?;
        Some(Lane { number, lanes: self, _permit: permit, _queued: queued })
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        if let Ok(mut free) = self.lanes.free.lock() {
            free.push(self.number);
        }
    }
}

/// Starts the task that owns SQLite's one writing connection, and answers its queue.
pub(super) fn sqlite_writer(
    pool: SqlitePool,
    file: Option<Opened>,
    slot: i64,
    brackets: Brackets,
) -> mpsc::Sender<Work> {
    let (send, receive) = mpsc::channel(QUEUE);
    tokio::spawn(write_sqlite(pool, file, receive, slot, brackets));
    send
}

async fn write_sqlite(
    pool: SqlitePool,
    file: Option<Opened>,
    mut queue: mpsc::Receiver<Work>,
    slot: i64,
    brackets: Brackets,
) {
    let mut tx: Option<Tx> = None;
    while let Some(first) = queue.recv().await {
        if first.since.elapsed() > TURN {
            first.answer(Err(DbError::Unavailable("the write waited too long for its turn".into())));
            continue;
        }
        if let Some(Err(gone)) = file.as_ref().map(Opened::is_there) {
            first.answer(Err(gone));
            continue;
        }
        let open = match tx.take() {
            Some(open) => Ok(open),
            None => pool.acquire().await.map(|conn| Tx::new(Conn::Sqlite(conn), slot)),
        };
        match open {
            Ok(mut open) => {
                if write_group(&mut open, first, &mut queue, brackets).await {
                    tx = brackets.keeps_connection.then_some(open);
                } else if let Conn::Sqlite(c) = &mut open.conn {
                    // After a full disk or an I/O error nothing is presumed of a connection.
                    c.close_on_drop();
                }
            }
            Err(error) => first.answer(Err(error.into())),
        }
    }
}

/// Writes what waits in one transaction. Answers whether the connection is sound.
async fn write_group(tx: &mut Tx, first: Work, queue: &mut mpsc::Receiver<Work>, brackets: Brackets) -> bool {
    if let Err(error) = sql(brackets.begin).execute(tx).await {
        first.answer(Err(error));
        return false;
    }
    let started = Instant::now();
    let mut written = Vec::new();
    let mut next = Some(first);
    while let Some(mut work) = next.take() {
        let run =
            if written.is_empty() { run_first(tx, &mut work, brackets).await } else { run_saved(tx, &mut work).await };
        match run {
            Ok(outcome) => written.push((work, outcome)),
            Err(fatal) => {
                // The transaction itself failed (full disk, I/O error), so every write in it failed.
                let _ = sql(brackets.rollback).execute(tx).await;
                work.answer(Err(fatal.clone()));
                for (work, outcome) in written {
                    work.answer(outcome.and(Err(fatal.clone())));
                }
                return false;
            }
        }
        if written.len() < GROUP && started.elapsed() < GROUP_TIME {
            next = queue.try_recv().ok();
        }
    }
    match sql(brackets.commit).execute(tx).await {
        Ok(_) => {
            written.into_iter().for_each(|(work, outcome)| work.answer(outcome));
            true
        }
        Err(error) => {
            let _ = sql(brackets.rollback).execute(tx).await;
            written.into_iter().for_each(|(work, outcome)| work.answer(outcome.and(Err(error.clone()))));
            false
        }
    }
}

/// Runs the first write of a transaction without a savepoint, since SQLite copies each page that a savepoint
/// could bring back. The transaction is still empty, so after a failure it is begun anew.
async fn run_first(tx: &mut Tx, work: &mut Work, brackets: Brackets) -> Result<DbResult<()>, DbError> {
    let outcome = work.run(tx).await;
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(DbError::Unavailable(why)) => Err(DbError::Unavailable(why)),
        Err(error) => {
            sql(brackets.rollback).execute(tx).await?;
            sql(brackets.begin).execute(tx).await?;
            if error.may_be_a_race() { run_saved(tx, work).await } else { Ok(Err(error)) }
        }
    }
}

/// Runs one write under a savepoint. The outer error means that the whole transaction is lost.
async fn run_saved(tx: &mut Tx, work: &mut Work) -> Result<DbResult<()>, DbError> {
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        sql("SAVEPOINT item").execute(tx).await?;
        outcome = work.run(tx).await;
        match &outcome {
            Ok(()) => {
                sql("RELEASE item").execute(tx).await?;
                return Ok(Ok(()));
            }
            Err(DbError::Unavailable(why)) => return Err(DbError::Unavailable(why.clone())),
            Err(_) => {
                sql("ROLLBACK TO item").execute(tx).await?;
                sql("RELEASE item").execute(tx).await?;
            }
        }
        if !outcome.as_ref().is_err_and(DbError::may_be_a_race) {
            break;
        }
    }
    Ok(outcome)
}
