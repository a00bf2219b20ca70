//! Deleting test rows for good: a lot of them in one transaction, with all that hangs on them. Nothing
//! counts them and no ledger knows them, so nothing else moves.

mod store;

use std::sync::Arc;

use super::Engine;
use crate::actor::Actor;
use crate::clock::Instant;
use crate::db::{Answer, Conn, DbError, DbResult, ErasedThen, Key, Stop, Terms, Then, Tx, answered, then};

/// Test rows that are deleted together; few enough that the writer is not held long.
#[derive(Debug, Clone, Default)]
pub struct Lot {
    pub business_id: i64,
    pub leads: Vec<i64>,
    /// Without a lead.
    pub payments: Vec<i64>,
    /// Without a payment.
    pub refunds: Vec<i64>,
}

/// The number of rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub leads: i64,
    pub touches: i64,
    pub sign_ups: i64,
    pub payments: i64,
    pub refunds: i64,
    pub cancellations: i64,
    pub commissions: i64,
    pub inbox_items: i64,
    /// Answers stored for calls with an `Idempotency-Key`.
    pub answers: i64,
}

impl Tally {
    pub fn parts(&self) -> [(&'static str, i64); 9] {
        [
            ("leads", self.leads),
            ("touches", self.touches),
            ("sign_ups", self.sign_ups),
            ("payments", self.payments),
            ("refunds", self.refunds),
            ("cancellations", self.cancellations),
            ("commissions", self.commissions),
            ("inbox_items", self.inbox_items),
            ("answers", self.answers),
        ]
    }

    pub fn read(part: impl Fn(&str) -> i64) -> Self {
        Self {
            leads: part("leads"),
            touches: part("touches"),
            sign_ups: part("sign_ups"),
            payments: part("payments"),
            refunds: part("refunds"),
            cancellations: part("cancellations"),
            commissions: part("commissions"),
            inbox_items: part("inbox_items"),
            answers: part("answers"),
        }
    }

    pub fn plus(&self, other: &Self) -> Self {
        let of =
            |all: &Self, name: &str| all.parts().into_iter().find(|(known, _)| *known == name).map_or(0, |(_, n)| n);
        Self::read(|name| of(self, name) + of(other, name))
    }
}

/// The test data of a lot, with duplicates that came meanwhile, and every key to decide
/// about it.
async fn whole(conn: &mut Conn, lot: &Lot) -> DbResult<(Lot, Vec<Key>)> {
    let business_id = lot.business_id;
    let lot = Lot {
        business_id,
        leads: store::with_duplicates(conn, business_id, &lot.leads).await?,
        payments: store::test_payments(conn, business_id, &lot.payments).await?,
        refunds: store::test_refunds(conn, business_id, &lot.refunds).await?,
    };
    let contacts = store::contacts(conn, &lot).await?;
    let people = contacts.into_iter().map(|contact| Key::Person(business_id, contact));
    let keys = lot.leads.iter().map(|id| Key::Row(*id)).chain(people).collect();
    Ok((lot, keys))
}

impl Engine {
    /// Deletes the test rows of a lot, and what `job` writes about it, in one transaction. What of it is not
    /// test data of the business is left alone.
    pub async fn purge<I, T, F>(&self, actor: &Arc<Actor>, lot: Lot, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Then<'t, I, Tally, T> + 'static,
    {
        let purge = Arc::new((lot, then(input, job)));
        for _ in 0..4 {
            let (_, keys) = whole(&mut self.inner.db.read().await?, &purge.0).await?;
            match self.inner.db.write_on(Terms::of(keys).by(actor), purge.clone(), run).await {
                Err(DbError::Stopped(Stop::OtherKeys)) => {}
                other => return answered(other?),
            }
        }
        Err(DbError::Unavailable("the test data keeps changing".into()))
    }
}

async fn run(tx: &mut Tx, purge: &Arc<(Lot, Arc<dyn ErasedThen<Tally>>)>) -> DbResult<Answer> {
    let (lot, keys) = whole(tx, &purge.0).await?;
    if !keys.iter().all(|key| tx.holds(key)) {
        return Err(DbError::Stopped(Stop::OtherKeys));
    }
    let gone = store::delete(tx, &lot).await?;
    purge.1.run(tx, gone).await
}

/// Forgets stored answers about test rows: (key, text). Answers how many.
pub async fn forget(tx: &mut Tx, answers: &[(i64, String)]) -> DbResult<i64> {
    if answers.is_empty() { Ok(0) } else { store::forget(tx, answers).await }
}

/// Takes back messages about test data that nobody was handed yet.
pub async fn silence(tx: &mut Tx, business_id: i64, until: Instant) -> DbResult<()> {
    store::silence(tx, business_id, until).await
}
