//! Stripe's lists, page by page, from a place that can be stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::client::{ApiError, CALLS_A_SECOND, Client, Form};
use crate::jobs::LEASE_SECONDS;
use crate::providers::read::{text, whole};

/// A place in a list: behind an object, which was made at a second. The beginning by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    pub after: Option<String>,
    pub created: Option<i64>,
}

/// A page of a list, and the place behind it; `None` at the end.
pub struct Listed {
    pub objects: Vec<Json>,
    pub next: Option<Place>,
}

/// The pause between two calls of work in the background, from when it is made.
pub fn pause() -> tokio::time::Sleep {
    tokio::time::sleep(Duration::from_millis(1_000 / CALLS_A_SECOND))
}

/// A page is given up after this, well within the lease of a background job: else a second worker would begin meanwhile.
const PATIENCE: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs() * 2 / 3);

/// One page. Where the object of the place was deleted since, the list goes on with those of the same second: the caller
/// knows which it has.
pub async fn page(client: &Client, path: &str, query: &Form, place: &Place) -> Result<Listed, ApiError> {
    let pause = pause();
    let found = tokio::time::timeout(PATIENCE, ask(client, path, query, place)).await;
    pause.await;
    let (objects, more) = found.unwrap_or_else(|_| Err(ApiError::Unreachable("it did not answer in time".into())))?;
    let last = objects.last();
    let next = last.and_then(|last| {
        let after = Some(text(last, "id")?);
        Some(Place { after, created: whole(last, "created") })
    });
    Ok(Listed { next: next.filter(|_| more), objects })
}

async fn ask(client: &Client, path: &str, query: &Form, place: &Place) -> Result<(Vec<Json>, bool), ApiError> {
    match (client.page(path, query, place.after.as_deref()).await, place.created) {
        (Err(ApiError::Refused { .. }), Some(created)) => {
            let mut query = query.clone();
            query.push(("created[lte]".into(), created.to_string()));
            client.page(path, &query, None).await
        }
        (found, _) => found,
    }
}
