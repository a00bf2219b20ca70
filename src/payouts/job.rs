//! The job that does what a call about a payout began.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::store;
use super::{draft, lock, settle};
use crate::clock::Day;
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::engine::state::PayoutState;
use crate::jobs::{Claimed, Progress};
use crate::keyring::Keyring;

/// Ids drawn for a lot; one that needs more draws them when it runs again.
const IDS: usize = 1_200;

pub fn step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let terms = Terms::of(vec![Key::Payouts(job.business_id)]).by(&job.actor).ids(IDS);
        core.db.write_on(terms, (job, core.keyring.clone()), chunk).await
    })
}

async fn chunk(tx: &mut Tx, (job, keyring): &(Arc<Claimed>, Keyring)) -> DbResult<Progress> {
    let input = job.input();
    let id = input.get("payout").and_then(Json::as_i64).unwrap_or_default();
    let mut progress = job.progress();
    let payout = store::find(tx, job.business_id, id).await?;
    progress.finished = match &payout {
        None => true,
        Some(payout) => match payout.state {
            PayoutState::Building => {
                let begun = input.get("after").and_then(Json::as_i64).unwrap_or_default();
                let next = draft::chunk(tx, keyring, job.business_id, id, job.cursor.parse().unwrap_or(begun)).await?;
                progress.done += i64::try_from(draft::CHUNK).unwrap_or_default();
                progress.cursor = next.map(|after| after.to_string()).unwrap_or_default();
                next.is_none()
            }
            PayoutState::Locking => {
                progress.done += i64::try_from(lock::CHUNK).unwrap_or_default();
                lock::lock_chunk(tx, keyring, payout).await?
            }
            PayoutState::Unlocking => lock::unlock_chunk(tx, payout).await?,
            PayoutState::Locked | PayoutState::Approved if input.get("pay").is_some() => {
                let day = input.get("day").and_then(Json::as_str).and_then(|day| Day::parse(day).ok());
                progress.done += i64::try_from(lock::CHUNK).unwrap_or_default();
                settle::pay_chunk(tx, payout, day).await?
            }
            PayoutState::Draft
            | PayoutState::Locked
            | PayoutState::Approved
            | PayoutState::Closed
            | PayoutState::Dropped => true,
        },
    };
    job.advance(tx, &progress).await?;
    Ok(progress)
}
