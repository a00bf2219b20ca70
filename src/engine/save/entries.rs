//! The ledger: rows are only ever added, and noted for its chain of seals.

use crate::db::{DbResult, Tx};
use crate::engine::work::Entry;
use crate::insert_rows;
use crate::seal::{self, Chain, Posted};

pub async fn post(tx: &mut Tx, entries: &[Entry]) -> DbResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    insert_rows!("ledger_entries", entries, e => {
        id BIGINT = e.id,
        business_id BIGINT = e.business_id,
        referrer_id BIGINT = e.referrer_id,
        currency TEXT = e.currency,
        account TEXT = e.account,
        amount BIGINT = e.amount,
        kind TEXT = e.kind,
        commission_id BIGINT = e.commission_id,
        adjustment_id BIGINT = e.adjustment_id,
        line_id BIGINT = e.line_id,
        day TEXT = e.day,
        at BIGINT = now,
    })
    .execute(tx)
    .await?;
    let digests = entries.iter().map(|e| {
        let posted = Posted {
            id: e.id,
            business_id: e.business_id.0,
            referrer_id: e.referrer_id.0,
            currency: e.currency.code(),
            account: e.account.word(),
            amount: e.amount,
            kind: e.kind.word(),
            commission_id: e.commission_id.map(|id| id.0),
            adjustment_id: e.adjustment_id.map(|id| id.0),
            line_id: e.line_id.map(|id| id.0),
            day: &e.day.to_string(),
            at: now.micros(),
        };
        posted.digest()
    });
    seal::note(tx, Chain::Ledger, digests.collect()).await
}
