//! Writes of a call with an `Idempotency-Key`: the outcome is a row of the same transaction. When the call comes
//! again, its writes are given the stored outcomes and change nothing.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connect::Db;
use super::error::{DbError, DbResult};
use super::job::{Answer, Erased, Job, answered, erased};
use super::locks::Key;
use super::sql::{Conn, sql};
use super::tx::Tx;
use super::write::Terms;
use crate::actor::{Actor, OnceCall};
use crate::clock::Instant;
use crate::{row, rows};

/// One write of a call.
#[derive(Debug, Clone)]
pub struct Part {
    call: Arc<OnceCall>,
    number: usize,
}

impl Part {
    /// The next write of the call by which an actor acts, if there is one.
    pub fn next_of(actor: &Actor) -> Option<Self> {
        actor.call.as_ref().map(|call| Self { call: call.clone(), number: call.next_write() })
    }

    /// Keeps two nodes from doing the same call at once.
    pub fn key(&self) -> Key {
        Key::Call(self.call.key_id, self.call.text.clone())
    }
}

/// An earlier run of the same write.
#[derive(Debug, PartialEq, Eq)]
pub enum Earlier {
    None,
    /// Its outcome, as [`store`] was given it.
    Outcome(String),
    /// Another call has the `Idempotency-Key`.
    OtherCall,
}

row! {
    struct Stored {
        key_id: i64,
        text: String,
        fingerprint: String,
        outcomes: String,
    }
}

/// The earlier run of each write. The outcomes of a call are lines, in the order of its writes.
pub async fn earlier(conn: &mut Conn, parts: &[&Part]) -> DbResult<Vec<Earlier>> {
    let calls = rows!(parts, part => { key_id: part.call.key_id, text: &part.call.text });
    let stored: Vec<Stored> = sql("SELECT s.key_id, s.text, s.fingerprint, s.outcomes
           FROM rows($1, key_id BIGINT, text TEXT) r
           JOIN stored_answers s ON s.key_id = r.key_id AND s.text = r.text")
    .bind(calls)
    .all(conn)
    .await?;
    let of = |part: &&Part| {
        let Part { call, number } = part;
        let Some(stored) = stored.iter().find(|s| s.key_id == call.key_id && s.text == call.text) else {
            return Earlier::None;
        };
        if stored.fingerprint != call.fingerprint {
            return Earlier::OtherCall;
        }
        stored.outcomes.lines().nth(*number).map_or(Earlier::None, |outcome| Earlier::Outcome(outcome.to_owned()))
    };
    Ok(parts.iter().map(of).collect())
}

/// A write of a call with its outcome, a text of one line.
pub struct StoredPart<'p> {
    pub part: &'p Part,
    pub outcome: String,
}

/// Stores outcomes in the transaction of their writes.
pub async fn store(conn: &mut Conn, parts: &[StoredPart<'_>], now: Instant) -> DbResult<()> {
    let rows = rows!(parts, new => {
        key_id: new.part.call.key_id,
        text: &new.part.call.text,
        fingerprint: &new.part.call.fingerprint,
        outcome: format!("{}\n", new.outcome),
    });
    sql("INSERT INTO stored_answers (key_id, text, fingerprint, outcomes, status, headers, body, begun_at)
         SELECT r.key_id, r.text, r.fingerprint, r.outcome, NULL, '', '', $2
           FROM rows($1, key_id BIGINT, text TEXT, fingerprint TEXT, outcome TEXT) r
          WHERE true
             ON CONFLICT (key_id, text) DO UPDATE
            SET outcomes = stored_answers.outcomes || excluded.outcomes")
    .bind(rows)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// A write that is a part of a call.
struct Once {
    part: Part,
    job: Arc<dyn Erased>,
    to_text: fn(&Answer) -> DbResult<String>,
    of_text: fn(&str) -> DbResult<Answer>,
}

impl Erased for Once {
    fn run<'t>(&'t self, tx: &'t mut Tx) -> BoxFuture<'t, DbResult<Answer>> {
        Box::pin(async move {
            match earlier(tx, &[&self.part]).await?.pop() {
                Some(Earlier::Outcome(text)) => return (self.of_text)(&text),
                Some(Earlier::OtherCall) => return Err(DbError::Lost("another call has this Idempotency-Key".into())),
                Some(Earlier::None) | None => {}
            }
            let answer = self.job.run(tx).await?;
            let stored = StoredPart { part: &self.part, outcome: (self.to_text)(&answer)? };
            let now = tx.now();
            store(tx, &[stored], now).await?;
            Ok(answer)
        })
    }
}

fn to_text<T: Serialize + 'static>(answer: &Answer) -> DbResult<String> {
    let value = answer.downcast_ref::<T>().ok_or_else(|| DbError::Fault("a write answered something else".into()))?;
    serde_json::to_string(value).map_err(|why| DbError::Fault(why.to_string()))
}

fn of_text<T: DeserializeOwned + Send + 'static>(text: &str) -> DbResult<Answer> {
    let value: T = serde_json::from_str(text).map_err(|why| DbError::Fault(why.to_string()))?;
    Ok(Box::new(value))
}

impl Db {
    /// A write that is a part of a call: it is done unless it was done before, and its outcome is stored with it.
    pub async fn write_once<I, T, F>(&self, terms: Terms, part: Part, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'t> Job<'t, I, T> + 'static,
    {
        let terms = terms.and(part.key());
        let once = Once { part, job: erased(input, job), to_text: to_text::<T>, of_text: of_text::<T> };
        answered(self.perform(terms, Arc::new(once)).await?)
    }
}
