//! The standing of a caller with their limit, as an answer's headers say it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::dialect::Dialect;
use crate::clock::Instant;
use crate::limits::Standing;

/// Sends the remaining calls to the client, in the contract's headers.
pub fn put(headers: &mut HeaderMap, dialect: Dialect, standing: Standing, now: Instant) {
    let Standing { limit, left, full_in, wait, .. } = standing;
    let mut insert = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let until = if left == 0 { wait } else { full_in };
    insert("ratelimit-policy", format!("\"key\";q={limit};w=60"));
    insert("ratelimit", format!("\"key\";r={left};t={until}"));
    if dialect == Dialect::Cf {
        insert("x-ratelimit-limit", limit.to_string());
        insert("x-ratelimit-remaining", left.to_string());
        insert("x-ratelimit-reset", (now.seconds() + until).to_string());
    }
}
