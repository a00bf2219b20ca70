//! Writes what a slice decided: a few set-wise statements, rows and audit and messages together. It
//! never decides; a statement that changes fewer rows than it was given means that facts had moved.

pub mod entries;
mod inbox;
mod leads;
mod money;

use super::work::Work;
use crate::db::{DbError, DbResult, Tx};
use crate::insert_rows;

pub async fn save(tx: &mut Tx, work: &Work) -> DbResult<()> {
    leads::save(tx, work).await?;
    money::save(tx, work).await?;
    leads::merge(tx, work).await?;
    inbox::save(tx, work).await?;
    crate::audit::write(tx, &work.writes.audit).await?;
    insert_messages(tx, work).await?;
    count(tx, work).await
}

fn expect(changed: u64, wanted: usize, what: &str) -> DbResult<()> {
    if usize::try_from(changed) == Ok(wanted) {
        Ok(())
    } else {
        Err(DbError::Lost(format!("{what}: {changed} rows instead of {wanted}")))
    }
}

async fn insert_messages(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.messages.is_empty() {
        return Ok(());
    }
    insert_rows!("outbox", &work.writes.messages, m => {
        id BIGINT = m.id,
        business_id BIGINT = m.business_id,
        test BOOLEAN = m.test,
        kind TEXT = m.news.kind(),
        subject_id BIGINT = m.news.subject(),
        payload TEXT = m.news.payload().to_string(),
        at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

/// The counters come last, sorted, each lane in a slot of its own: nobody waits for a count.
async fn count(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changes: Vec<_> = work.writes.counters.iter().filter(|(_, by)| **by != 0).collect();
    let scopes = changes.iter().map(|((scope, ..), _)| *scope);
    let of_figures = scopes.filter(|scope| work.writes.figures.contains(scope));
    let of_figures = of_figures.chain(work.writes.last_leads.iter().copied()).collect();
    crate::figures::enqueue(tx, &of_figures).await?;
    crate::counters::add(tx, &changes).await
}
