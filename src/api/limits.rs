//! How many calls may be made: by a key that has a limit, and with bad keys from one address. Each node
//! counts for itself, in memory.
//!
//! A bucket holds a minute's calls and is filled evenly, so that a burst is fine as long as the minute is. What is
//! kept of it is one instant: when it would be full again.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::dialect::Dialect;
use crate::clock::Instant;

/// In nanoseconds: in micro-seconds the largest limits would come out a little higher.
const MINUTE: i64 = 60_000_000_000;
const SECOND: i64 = 1_000_000_000;
/// Calls with a bad key from one address in a minute.
pub const BAD_KEYS: i64 = 60;
/// Buckets kept, at most; those that are full again are forgotten first.
const MOST: usize = 50_000;

/// What is left after a call, or when the next one may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub allowed: bool,
    /// Calls a minute.
    pub limit: i64,
    /// Calls that could be made at once now.
    pub left: i64,
    /// Seconds until there is a call again; 0 while there is one.
    pub wait: i64,
    /// Seconds until all of them are there again.
    pub full_in: i64,
}

struct Buckets<K>(Mutex<HashMap<K, i64>>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Takes a call out of a bucket of so many a minute. A refused one takes nothing.
    fn take(&self, key: K, limit: i64, now: Instant) -> Standing {
        let (now, each) = (now.micros().saturating_mul(1_000), MINUTE / limit.max(1));
        let Ok(mut buckets) = self.0.lock() else { return standing(true, limit, each, 0) };
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            buckets.retain(|_, full_at| *full_at > now);
            // So many at once are no one caller: nobody is refused for the others.
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let full_at = buckets.get(&key).copied().filter(|at| *at <= now + MINUTE).unwrap_or(now).max(now);
        let missing = full_at - now;
        if missing + each > MINUTE {
            return standing(false, limit, each, missing);
        }
        buckets.insert(key, full_at + each);
        standing(true, limit, each, missing + each)
    }
}

/// What a bucket comes to that lacks so many nanoseconds of being full.
fn standing(allowed: bool, limit: i64, each: i64, missing: i64) -> Standing {
    let seconds = |nanos: i64| nanos.max(0) / SECOND + i64::from(nanos.max(0) % SECOND > 0);
    let left = ((MINUTE - missing) / each).clamp(0, limit);
    Standing { allowed, limit, left, wait: seconds(missing + each - MINUTE), full_in: seconds(missing) }
}

/// The buckets of this node; cheap to clone.
#[derive(Clone, Default)]
pub struct Limits {
    keys: Arc<Buckets<i64>>,
    addresses: Arc<Buckets<Option<IpAddr>>>,
}

impl Limits {
    /// A call by a key that may make so many a minute.
    pub fn call(&self, key_id: i64, per_minute: i64, now: Instant) -> Standing {
        self.keys.take(key_id, per_minute, now)
    }

    /// A call with a key that is not good. Who has one address of version 6 has its whole network.
    pub fn bad_key(&self, from: Option<IpAddr>, now: Instant) -> Standing {
        let network = from.map(|ip| match ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) >> 64 << 64)),
            v4 => v4,
        });
        self.addresses.take(network, BAD_KEYS, now)
    }
}

/// Tells a client where it stands, in the contract's way.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(1_000_000_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn a_burst_is_a_minute_s_calls_and_comes_back_evenly() {
        let limits = Limits::default();
        for n in 1..=60 {
            let standing = limits.call(1, 60, at(0));
            assert_eq!((standing.allowed, standing.left, standing.full_in), (true, 60 - n, n));
        }
        let refused = Standing { allowed: false, limit: 60, left: 0, wait: 1, full_in: 60 };
        assert_eq!(limits.call(1, 60, at(0)), refused);
        assert_eq!(limits.call(1, 60, at(0)), refused, "a refused call takes nothing");
        assert!(limits.call(2, 60, at(0)).allowed, "another key has its own");
        assert!(limits.call(1, 60, at(1)).allowed);
        assert!(!limits.call(1, 60, at(1)).allowed);
        assert_eq!((0..60).filter(|_| limits.call(1, 60, at(31)).allowed).count(), 30);
        assert_eq!(limits.call(1, 60, at(1_000)).left, 59, "never more than a minute's");
    }

    #[test]
    fn limits_that_do_not_divide_a_minute() {
        for limit in [1, 7, 1_000, 90_007, 100_000] {
            let limits = Limits::default();
            let allowed = (0..limit + 10).filter(|_| limits.call(1, limit, at(0)).allowed).count();
            assert_eq!(i64::try_from(allowed), Ok(limit));
            let refused = limits.call(1, limit, at(0));
            assert!(limits.call(1, limit, at(refused.wait)).allowed, "{limit}: {refused:?}");
        }
        // A limit that was lowered does not keep a key out for longer than a minute, nor a clock that went back.
        let limits = Limits::default();
        (0..600).for_each(|_| assert!(limits.call(1, 600, at(0)).allowed));
        assert!(limits.call(1, 1, at(60)).allowed);
        assert!(limits.call(1, 60, at(-3_600)).allowed);
    }

    #[test]
    fn bad_keys_are_counted_by_address_and_by_network() {
        let limits = Limits::default();
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        for n in 0..60 {
            assert!(limits.bad_key(ip("203.0.113.9"), at(0)).allowed);
            assert!(limits.bad_key(ip(&format!("2001:db8::{n}")), at(0)).allowed);
        }
        for same in ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8::ffff", "2001:db8:0:0:1::"] {
            assert!(!limits.bad_key(ip(same), at(0)).allowed, "{same}");
        }
        for other in ["203.0.113.10", "2001:db8:0:1::", "unknown"] {
            assert!(limits.bad_key(ip(other), at(0)).allowed, "{other}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::default();
        let count = |limits: &Limits| limits.addresses.0.lock().map(|b| b.len()).unwrap_or_default();
        for n in 0..60_000_u32 {
            limits.bad_key(Some(IpAddr::from(n.to_be_bytes())), at(0));
        }
        assert!(count(&limits) <= MOST);
        for n in 0..60_000_u32 {
            limits.bad_key(Some(IpAddr::from(n.to_be_bytes())), at(i64::from(n) / 100 * 2));
        }
        assert!(count(&limits) <= MOST);
    }
}
