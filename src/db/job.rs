//! The job of a write: an async function that is lent its transaction and its input. It is erased here, so
//! that the queue is compiled once and not once for each write.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::error::{DbError, DbResult};
use super::tx::{Lent, Tx};

/// `async fn(&mut Tx, &I) -> DbResult<T>`.
pub trait Job<'t, I, T>: Send + Sync {
    fn run(&self, tx: &'t mut Tx, input: &'t I) -> impl Future<Output = DbResult<T>> + Send;
}

impl<'t, I: 't, T, F, Fut> Job<'t, I, T> for F
where
    F: Fn(&'t mut Tx, &'t I) -> Fut + Send + Sync,
    Fut: Future<Output = DbResult<T>> + Send + 't,
{
    fn run(&self, tx: &'t mut Tx, input: &'t I) -> impl Future<Output = DbResult<T>> + Send {
        self(tx, input)
    }
}

/// The second half of a write, which takes its decision: `async fn(&mut Tx, &I, O) -> DbResult<T>`.
pub trait Then<'t, I, O, T>: Send + Sync {
    fn run(&self, tx: &'t mut Tx, input: &'t I, decided: O) -> impl Future<Output = DbResult<T>> + Send;
}

impl<'t, I: 't, O, T, F, Fut> Then<'t, I, O, T> for F
where
    F: Fn(&'t mut Tx, &'t I, O) -> Fut + Send + Sync,
    Fut: Future<Output = DbResult<T>> + Send + 't,
{
    fn run(&self, tx: &'t mut Tx, input: &'t I, decided: O) -> impl Future<Output = DbResult<T>> + Send {
        self(tx, input, decided)
    }
}

/// Such a job with its input, whatever they are.
pub trait ErasedThen<O>: Send + Sync {
    fn run<'t>(&'t self, tx: &'t mut Tx, decided: O) -> BoxFuture<'t, DbResult<Answer>>;
}

impl<I, O, T, F> ErasedThen<O> for Whole<I, T, F>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    T: Send + 'static,
    F: for<'t> Then<'t, I, O, T> + 'static,
{
    fn run<'t>(&'t self, tx: &'t mut Tx, decided: O) -> BoxFuture<'t, DbResult<Answer>> {
        Box::pin(async move { self.job.run(tx, &self.input, decided).await.map(|value| Box::new(value) as Answer) })
    }
}

pub fn then<I, O, T, F>(input: I, job: F) -> Arc<dyn ErasedThen<O>>
where
    I: Send + Sync + 'static,
    O: Send + 'static,
    T: Send + 'static,
    F: for<'t> Then<'t, I, O, T> + 'static,
{
    Arc::new(Whole { input, job, answer: PhantomData })
}

/// The answer of an erased job.
pub fn answered<T: 'static>(answer: Answer) -> DbResult<T> {
    answer.downcast().map(|value| *value).map_err(|_| DbError::Fault("a write answered something else".into()))
}

pub type Answer = Box<dyn Any + Send>;

/// A job with its input, whatever they are.
pub(super) trait Erased: Send + Sync {
    fn run<'t>(&'t self, tx: &'t mut Tx) -> BoxFuture<'t, DbResult<Answer>>;
}

struct Whole<I, T, F> {
    input: I,
    job: F,
    answer: PhantomData<fn() -> T>,
}

impl<I, T, F> Erased for Whole<I, T, F>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Job<'t, I, T> + 'static,
{
    fn run<'t>(&'t self, tx: &'t mut Tx) -> BoxFuture<'t, DbResult<Answer>> {
        Box::pin(async move { self.job.run(tx, &self.input).await.map(|value| Box::new(value) as Answer) })
    }
}

pub(super) fn erased<I, T, F>(input: I, job: F) -> Arc<dyn Erased>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'t> Job<'t, I, T> + 'static,
{
    Arc::new(Whole { input, job, answer: PhantomData })
}

/// A queued write: runs as often as needed, answers once.
pub(super) struct Work {
    pub job: Arc<dyn Erased>,
    pub lent: Lent,
    pub since: Instant,
    pub value: Option<Answer>,
    pub reply: oneshot::Sender<DbResult<Answer>>,
}

impl Work {
    pub async fn run(&mut self, tx: &mut Tx) -> DbResult<()> {
        tx.begin(&self.lent);
        // A panic must not take the writer, or a half-open transaction, with it.
        let guarded = AssertUnwindSafe(self.job.run(tx)).catch_unwind().await;
        self.value = Some(guarded.unwrap_or_else(|_| Err(DbError::Fault("a write panicked".into())))?);
        Ok(())
    }

    pub fn answer(self, outcome: DbResult<()>) {
        let value = self.value;
        // The caller may have hung up; the write stands all the same.
        let _ = self
            .reply
            .send(outcome.and_then(|()| value.ok_or_else(|| DbError::Fault("a write ended without a value".into()))));
    }
}
