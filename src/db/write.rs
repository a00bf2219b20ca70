//! The one way to change anything.
//!
//! A write never runs in the request's own future, so a caller who hangs up cannot cut it in half. SQLite:
//! one task owns the one writing connection; waiting writes run under savepoints of one transaction and are
//! answered after one flush. PostgreSQL: each write is a transaction that takes its advisory locks first; a
//! fixed number are in flight per node.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use rand::RngExt;
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::connect::{Backend, Db};
use super::{Conn, DbError, DbResult, Key, locks, sql};

/// A transaction that has its locks. Statements go through the [`Conn`] it derefs to.
pub struct Tx {
    conn: Conn,
    held: HashSet<i64>,
    /// The counter slot of this writer lane.
    pub slot: i64,
    witness: Option<i64>,
}

impl Tx {
    pub(super) fn new(conn: Conn, slot: i64) -> Self {
        Self { conn, held: HashSet::new(), slot, witness: None }
    }

    /// Names an audit entry that this transaction writes: when the answer of its COMMIT is lost, the entry
    /// proves whether it was committed. Called by the writer of the entry.
    pub fn witness(&mut self, entry: i64) {
        self.witness = Some(entry);
    }

    /// True when the transaction was opened with this key; verbs assert it for what they decide about.
    pub fn holds(&self, key: &Key) -> bool {
        self.held.contains(&key.number())
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}
impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// How often a lost race is run again before the caller is asked to come back.
const TRIES: u32 = 5;
/// The most writes the writer task takes into one transaction.
const GROUP: usize = 64;
/// How long one transaction keeps taking writes, so that none of them waits long for the flush.
const GROUP_TIME: Duration = Duration::from_millis(40);
/// A write that has waited this long for its turn is refused, together with all that wait behind it, so that
/// a stuck database is reported at once.
pub const TURN: Duration = Duration::from_secs(2);
/// How long the outcome of a COMMIT without an answer is asked for.
const DOUBT: Duration = Duration::from_secs(4);

/// A queued write: runs as often as needed, answers once.
pub trait Work: Send {
    fn keys(&self) -> &HashSet<i64>;
    fn since(&self) -> Instant;
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, DbResult<()>>;
    fn answer(self: Box<Self>, outcome: DbResult<()>);
}

impl dyn Work {
    /// A panic must not take the writer, or a half-open transaction, with it.
    async fn run(&mut self, tx: &mut Tx) -> DbResult<()> {
        let guarded = AssertUnwindSafe(self.attempt(tx)).catch_unwind().await;
        guarded.unwrap_or_else(|_| Err(DbError::Fault("a write panicked".into())))
    }
}

struct Typed<T, F> {
    closure: F,
    held: HashSet<i64>,
    since: Instant,
    value: Option<T>,
    reply: oneshot::Sender<DbResult<T>>,
}

impl<T, F> Work for Typed<T, F>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, DbResult<T>> + Send + Sync + 'static,
{
    fn keys(&self) -> &HashSet<i64> {
        &self.held
    }
    fn since(&self) -> Instant {
        self.since
    }
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, DbResult<()>> {
        Box::pin(async move {
            self.value = Some((self.closure)(tx).await?);
            Ok(())
        })
    }
    fn answer(mut self: Box<Self>, outcome: DbResult<()>) {
        let value = self.value.take();
        // The caller may have hung up; the write stands.
        let _ = self
            .reply
            .send(outcome.and_then(|()| value.ok_or_else(|| DbError::Fault("a write ended without a value".into()))));
    }
}

impl Db {
    /// Runs `closure` in one transaction that holds `keys`, and answers when it is on disk.
    ///
    /// The closure runs again, from the locks, when it answers [`DbError::Lost`]; so it takes what it
    /// needs by clone. Any error rolls everything back.
    pub async fn write<T, F>(&self, keys: Vec<Key>, closure: F) -> DbResult<T>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, DbResult<T>> + Send + Sync + 'static,
    {
        let numbers = locks::numbers(&keys);
        let held = numbers.iter().copied().collect();
        let (reply, answer) = oneshot::channel();
        let work = Typed { closure, held, since: Instant::now(), value: None, reply };
        self.queue(numbers, Box::new(work)).await?;
        answer.await.unwrap_or_else(|_| Err(DbError::Unavailable("the write was dropped".into())))
    }

    /// Hands a write over to be run. Knows nothing of its type, so that it is compiled once.
    async fn queue(&self, numbers: Vec<i64>, work: Box<dyn Work>) -> DbResult<()> {
        if self.is_postgres() && numbers.len() > locks::MOST {
            return Err(DbError::Fault(format!("a write may hold {} keys at most", locks::MOST)));
        }
        match self.backend() {
            Backend::Sqlite { writer, .. } => writer.try_send(work).map_err(|refused| {
                DbError::Unavailable(match refused {
                    mpsc::error::TrySendError::Full(_) => "too many writes are waiting".into(),
                    mpsc::error::TrySendError::Closed(_) => "the database is closing".into(),
                })
            })?,
            Backend::Postgres { writers, lanes, unlocked, .. } => {
                let (pool, lanes) = (writers.clone(), lanes.clone());
                let numbers = if *unlocked { Vec::new() } else { numbers };
                let slot_base = self.slot_base();
                tokio::spawn(async move { write_postgres(pool, &lanes, numbers, slot_base, work).await });
            }
            Backend::Rehearsal(shared) => shared.write(work).await,
        }
        Ok(())
    }
}

async fn write_postgres(pool: PgPool, lanes: &Lanes, keys: Vec<i64>, slot_base: i64, mut work: Box<dyn Work>) {
    let Some(lane) = lanes.take().await else {
        return work.answer(Err(DbError::Unavailable("too many writes are waiting".into())));
    };
    let (mut doubt, mut attempt) = (None, 0);
    let outcome = loop {
        let outcome = attempt_postgres(&pool, &keys, slot_base + lane.number, &mut work, &mut doubt).await;
        let again = match (&outcome, &doubt) {
            (Err(DbError::Unavailable(_)), Some(doubt)) => doubt.since.elapsed() < DOUBT,
            (Err(DbError::Lost(_)), _) => attempt + 1 < TRIES,
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
        None => spent(error),
    }));
}

/// A COMMIT whose answer was lost, and the audit entry that exists if it was committed.
struct Doubt {
    witness: Option<i64>,
    since: Instant,
}

async fn attempt_postgres(
    pool: &PgPool,
    keys: &[i64],
    slot: i64,
    work: &mut Box<dyn Work>,
    doubt: &mut Option<Doubt>,
) -> DbResult<()> {
    let mut tx = Tx { held: work.keys().clone(), ..Tx::new(Conn::Postgres(pool.acquire().await?), slot) };
    // A connection that died while it was idle is found out here; nothing has happened, so another is tried.
    sql("BEGIN").execute(&mut tx).await.map_err(|e| if doubt.is_none() { lost(e) } else { e })?;
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
            let committed = sql("COMMIT").execute(&mut tx).await.map(|_| ());
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
            if sql("ROLLBACK").execute(&mut tx).await.is_err()
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

/// A race lost five times means too much load: the caller is asked to come back.
fn spent(error: DbError) -> DbError {
    if let DbError::Lost(why) = error {
        DbError::Unavailable(format!("gave up after {TRIES} tries: {why}"))
    } else {
        error
    }
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
    _place: tokio::sync::SemaphorePermit<'l>,
}

impl Lanes {
    pub fn new(count: i64, waiting: usize) -> Self {
        Self {
            free: std::sync::Mutex::new((0..count).rev().collect()),
            permits: Semaphore::new(usize::try_from(count).unwrap_or(1)),
            waiting: Semaphore::new(waiting),
        }
    }
    /// `None` when the queue is full or stuck.
    async fn take(&self) -> Option<Lane<'_>> {
        let place = self.waiting.try_acquire().ok()?;
        let permit = tokio::time::timeout(TURN, self.permits.acquire()).await.ok()?.ok()?;
        let number = self.free.lock().ok()?.pop()?;
        Some(Lane { number, lanes: self, _permit: permit, _place: place })
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        if let Ok(mut free) = self.lanes.free.lock() {
            free.push(self.number);
        }
    }
}

/// The task that owns SQLite's one writing connection.
pub(super) async fn writer(pool: SqlitePool, mut queue: mpsc::Receiver<Box<dyn Work>>, slot: i64) {
    let mut tx: Option<Tx> = None;
    while let Some(first) = queue.recv().await {
        if first.since().elapsed() > TURN {
            first.answer(Err(DbError::Unavailable("the write waited too long for its turn".into())));
            continue;
        }
        let open = match tx.take() {
            Some(open) => Ok(open),
            None => pool.acquire().await.map(|conn| Tx::new(Conn::Sqlite(conn), slot)),
        };
        match open {
            Ok(mut open) => {
                if write_group(&mut open, first, &mut queue).await {
                    tx = Some(open);
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
async fn write_group(tx: &mut Tx, first: Box<dyn Work>, queue: &mut mpsc::Receiver<Box<dyn Work>>) -> bool {
    if let Err(error) = sql("BEGIN IMMEDIATE").execute(tx).await {
        first.answer(Err(error));
        return false;
    }
    let started = Instant::now();
    let mut written = Vec::new();
    let mut next = Some(first);
    while let Some(mut work) = next.take() {
        let run = if written.is_empty() { run_first(tx, &mut work).await } else { run_saved(tx, &mut work).await };
        match run {
            Ok(outcome) => written.push((work, outcome)),
            Err(fatal) => {
                // The transaction itself failed (full disk, I/O error), so every write in it failed.
                let _ = sql("ROLLBACK").execute(tx).await;
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
    match sql("COMMIT").execute(tx).await {
        Ok(_) => {
            written.into_iter().for_each(|(work, outcome)| work.answer(outcome));
            true
        }
        Err(error) => {
            let _ = sql("ROLLBACK").execute(tx).await;
            written.into_iter().for_each(|(work, outcome)| work.answer(outcome.and(Err(error.clone()))));
            false
        }
    }
}

/// Runs the first write of a transaction without a savepoint, since SQLite copies each page that a savepoint
/// could bring back. The transaction is still empty, so after a failure it is begun anew.
async fn run_first(tx: &mut Tx, work: &mut Box<dyn Work>) -> Result<DbResult<()>, DbError> {
    tx.held.clone_from(work.keys());
    let outcome = work.run(tx).await;
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(DbError::Unavailable(why)) => Err(DbError::Unavailable(why)),
        Err(error) => {
            sql("ROLLBACK").execute(tx).await?;
            sql("BEGIN IMMEDIATE").execute(tx).await?;
            if matches!(error, DbError::Lost(_)) { run_saved(tx, work).await } else { Ok(Err(spent(error))) }
        }
    }
}

/// Runs one write under a savepoint. The outer error means that the whole transaction is lost.
pub(super) async fn run_saved(tx: &mut Tx, work: &mut Box<dyn Work>) -> Result<DbResult<()>, DbError> {
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        tx.held.clone_from(work.keys());
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
        if !matches!(outcome, Err(DbError::Lost(_))) {
            break;
        }
    }
    Ok(outcome.map_err(spent))
}
