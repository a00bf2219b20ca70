//! Asks for the rest of a payout's lines to be done.

use serde_json::{Value as Json, json};

use super::store;
use crate::db::{DbResult, Tx};
use crate::jobs::{self, NewJob};

/// The kind of job that does the rest.
pub const KIND: &str = "payout";

pub fn join_key(id: i64) -> String {
    format!("payout:{id}")
}

/// Takes up a payout again whose job gave up: asking for the same once more is enough.
pub async fn again(tx: &mut Tx, business_id: i64, id: i64) -> DbResult<()> {
    if jobs::running(tx, business_id, &join_key(id)).await?.is_none() {
        enqueue(tx, business_id, id, json!({})).await?;
    }
    Ok(())
}

/// Asks for the rest of a payout's lines, in the transaction that did the first.
pub async fn enqueue(tx: &mut Tx, business_id: i64, id: i64, mut input: Json) -> DbResult<()> {
    let actor = tx.actor()?.clone();
    let total = store::size(tx, id).await?;
    input["payout"] = json!(id);
    let new = NewJob { business_id, campaign_id: None, kind: KIND, join_key: join_key(id), input, total, actor };
    jobs::enqueue_in(tx, &new).await?;
    Ok(())
}
