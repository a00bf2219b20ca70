//! Where a caller stands with their limit, as an answer's headers say it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::dialect::Dialect;
use crate::clock::Instant;
use crate::limits::Standing;

/// Sends the remaining calls to the client, in the contract's headers.
pub fn tell(headers: &mut HeaderMap, dialect: Dialect, standing: Standing, now: Instant) {
    let Standing { limit, left, full_in, wait, .. } = standing;
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let until = if left == 0 { wait } else { full_in };
    put("ratelimit-policy", format!("\"key\";q={limit};w=60"));
    put("ratelimit", format!("\"key\";r={left};t={until}"));
    if dialect == Dialect::Cf {
        put("x-ratelimit-limit", limit.to_string());
        put("x-ratelimit-remaining", left.to_string());
        put("x-ratelimit-reset", (now.seconds() + until).to_string());
    }
}
