//! Limits on calls: by a key, with bad keys from one address, and from the source of web pages. Each node
//! counts for itself, in memory.
//!
//! A bucket fills evenly and holds a burst. It is stored as one instant: the one at which it is full again.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use crate::clock::Instant;

/// In nanoseconds: in micro-seconds the largest limits would come out a little higher.
const MINUTE: i64 = 60_000_000_000;
const SECOND: i64 = 1_000_000_000;
/// The most buckets of one kind in memory; full ones are forgotten first.
const MOST: usize = 50_000;

/// The rate and size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: i64,
    pub burst: i64,
}

impl Rate {
    /// This many a minute, at once or one after the other.
    pub const fn a_minute(calls: i64) -> Self {
        Self { per_minute: calls, burst: calls }
    }

    /// Nanoseconds until there is one more.
    fn each(self) -> i64 {
        MINUTE / self.per_minute.max(1)
    }
}

/// Calls with a bad key from one address.
pub const BAD_KEYS: Rate = Rate::a_minute(60);
/// Audit entries about refusals of one person.
pub const REFUSALS: Rate = Rate::a_minute(10);
/// Look-ups by publishable keys from one address: a customer who types, or a shop with several tills.
pub const ADDRESS: Rate = Rate { per_minute: 60, burst: 30 };
/// Look-ups by one publishable key, over all who read it.
pub const PUBLISHABLE: Rate = Rate { per_minute: 1_200, burst: 600 };

/// Visits to pages with the script from one address.
pub const VISITS: Rate = Rate::a_minute(60);
/// Visits to pages of one campaign's shop that are written.
pub const WATCHED: Rate = Rate::a_minute(30);

/// The calls left after this one, or when the next one may come.
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

impl Standing {
    /// The header's number for callers without a limit: more than a node can answer.
    pub const NO_LIMIT: Self = Self { allowed: true, limit: 6_000_000, left: 5_999_999, wait: 0, full_in: 1 };
}

/// The buckets of one kind of callers.
struct Buckets<K>(Mutex<HashMap<K, i64>>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Takes a call out of a bucket. A refused one takes nothing.
    fn take(&self, key: K, rate: Rate, now: Instant) -> Standing {
        let (now, each) = (now.micros().saturating_mul(1_000), rate.each());
        let Ok(mut buckets) = self.0.lock() else { return standing(true, rate, 0) };
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            buckets.retain(|_, full_at| *full_at > now);
            // This many buckets are more than one caller makes: all are let through rather than refused for
            // each other.
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let missing = missing(&buckets, &key, rate, now);
        if missing + each > each * rate.burst {
            return standing(false, rate, missing);
        }
        buckets.insert(key, now + missing + each);
        standing(true, rate, missing + each)
    }

    /// Charges a call that was let through, even beyond the rest of the bucket. No caller waits longer than
    /// the whole bucket takes to fill.
    fn charge(&self, key: K, rate: Rate, calls: i64, now: Instant) {
        let Ok(mut buckets) = self.0.lock() else { return };
        let (now, each) = (now.micros().saturating_mul(1_000), rate.each());
        let missing = missing(&buckets, &key, rate, now) + each * calls;
        buckets.insert(key, now + missing.min(each * rate.burst));
    }
}

/// The nanoseconds until a bucket is full. A bucket emptied under another rate, or by a clock that
/// went back, locks nobody out for longer than it takes to fill.
fn missing<K: Eq + Hash>(buckets: &HashMap<K, i64>, key: &K, rate: Rate, now: i64) -> i64 {
    let longest = (rate.each() * rate.burst).max(MINUTE);
    buckets.get(key).map(|full_at| full_at - now).filter(|missing| (0..=longest).contains(missing)).unwrap_or(0)
}

/// The state of a bucket that lacks this many nanoseconds of being full.
fn standing(allowed: bool, rate: Rate, missing: i64) -> Standing {
    let seconds = |nanos: i64| nanos.max(0) / SECOND + i64::from(nanos.max(0) % SECOND > 0);
    let (each, holds) = (rate.each(), rate.each() * rate.burst);
    let left = ((holds - missing) / each).clamp(0, rate.burst);
    let wait = seconds(missing + each - holds);
    Standing { allowed, limit: rate.per_minute, left, wait, full_in: seconds(missing) }
}

/// The buckets of this node; cheap to clone.
#[derive(Clone, Default)]
pub struct Limits(Arc<Kinds>);

#[derive(Default)]
struct Kinds {
    keys: Buckets<i64>,
    bad_keys: Buckets<Option<IpAddr>>,
    publishable: Buckets<i64>,
    readers: Buckets<Option<IpAddr>>,
    refusals: Buckets<i64>,
    visits: Buckets<Option<IpAddr>>,
    watched: Buckets<i64>,
}

impl Limits {
    /// A call by a key.
    pub fn call(&self, key_id: i64, rate: Rate, now: Instant) -> Standing {
        self.0.keys.take(key_id, rate, now)
    }

    /// A call with a bad key.
    pub fn bad_key(&self, from: Option<IpAddr>, now: Instant) -> Standing {
        self.0.bad_keys.take(network(from), BAD_KEYS, now)
    }

    /// A look-up from an address, whatever its publishable key is.
    pub fn reader(&self, from: Option<IpAddr>, now: Instant) -> Standing {
        self.0.readers.take(network(from), ADDRESS, now)
    }

    /// True when a refusal of a person is worth another audit entry.
    pub fn refusal(&self, user_id: i64, now: Instant) -> bool {
        self.0.refusals.take(user_id, REFUSALS, now).allowed
    }

    /// True when a visit from an address is looked at.
    pub fn visit(&self, from: Option<IpAddr>, now: Instant) -> bool {
        self.0.visits.take(network(from), VISITS, now).allowed
    }

    /// True when another visit to a campaign's shop may be written.
    pub fn watched(&self, campaign_id: i64, now: Instant) -> bool {
        self.0.watched.take(campaign_id, WATCHED, now).allowed
    }

    /// A look-up by a publishable key.
    pub fn publishable(&self, key_id: i64, now: Instant) -> Standing {
        self.0.publishable.take(key_id, PUBLISHABLE, now)
    }

    /// The extra charge of a look-up that found no usable code.
    pub fn miss(&self, from: Option<IpAddr>, key_id: i64, calls: i64, now: Instant) {
        self.0.readers.charge(network(from), ADDRESS, calls, now);
        self.0.publishable.charge(key_id, PUBLISHABLE, calls, now);
    }
}

/// The part of an address that identifies a caller, as text.
pub fn network_of(ip: &str) -> String {
    network(ip.parse().ok()).map_or_else(|| ip.to_owned(), |network| network.to_string())
}

/// The part of an address that identifies a caller: for version 6 the whole network.
fn network(from: Option<IpAddr>) -> Option<IpAddr> {
    from.map(|ip| match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) >> 64 << 64)),
        v4 => v4,
    })
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
            let standing = limits.call(1, Rate::a_minute(60), at(0));
            assert_eq!((standing.allowed, standing.left, standing.full_in), (true, 60 - n, n));
        }
        let refused = Standing { allowed: false, limit: 60, left: 0, wait: 1, full_in: 60 };
        assert_eq!(limits.call(1, Rate::a_minute(60), at(0)), refused);
        assert_eq!(limits.call(1, Rate::a_minute(60), at(0)), refused, "a refused call takes nothing");
        assert!(limits.call(2, Rate::a_minute(60), at(0)).allowed, "another key has its own");
        assert!(limits.call(1, Rate::a_minute(60), at(1)).allowed);
        assert!(!limits.call(1, Rate::a_minute(60), at(1)).allowed);
        assert_eq!((0..60).filter(|_| limits.call(1, Rate::a_minute(60), at(31)).allowed).count(), 30);
        assert_eq!(limits.call(1, Rate::a_minute(60), at(1_000)).left, 59, "never more than a minute's");
    }

    #[test]
    fn limits_that_do_not_divide_a_minute() {
        for limit in [1, 7, 1_000, 90_007, 100_000] {
            let limits = Limits::default();
            let allowed = (0..limit + 10).filter(|_| limits.call(1, Rate::a_minute(limit), at(0)).allowed).count();
            assert_eq!(i64::try_from(allowed), Ok(limit));
            let refused = limits.call(1, Rate::a_minute(limit), at(0));
            assert!(limits.call(1, Rate::a_minute(limit), at(refused.wait)).allowed, "{limit}: {refused:?}");
        }
        // A lowered limit locks a key out for a minute at most, and so does a clock that went back.
        let limits = Limits::default();
        (0..600).for_each(|_| assert!(limits.call(1, Rate::a_minute(600), at(0)).allowed));
        assert!(limits.call(1, Rate::a_minute(1), at(60)).allowed);
        assert!(limits.call(1, Rate::a_minute(60), at(-3_600)).allowed);
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
    fn a_burst_may_be_smaller_than_a_minute() {
        let limits = Limits::default();
        let ip = "203.0.113.9".parse().ok();
        assert_eq!((0..100).filter(|_| limits.reader(ip, at(0)).allowed).count(), 30);
        let refused = limits.reader(ip, at(0));
        assert_eq!((refused.limit, refused.left, refused.wait, refused.full_in), (60, 0, 1, 30));
        assert!(limits.reader(ip, at(1)).allowed);
        assert!(!limits.reader(ip, at(1)).allowed);
        assert_eq!((0..100).filter(|_| limits.reader(ip, at(600)).allowed).count(), 30, "it holds no more");
    }

    #[test]
    fn a_miss_costs_more_but_never_longer_than_the_bucket_fills() {
        let limits = Limits::default();
        let ip = "203.0.113.9".parse().ok();
        assert_eq!(limits.reader(ip, at(0)).left, 29);
        limits.miss(ip, 7, 5, at(0));
        assert_eq!(limits.reader(ip, at(0)).left, 23);
        limits.miss(ip, 7, 1_000, at(0));
        assert_eq!(limits.reader(ip, at(0)).wait, 1);
        assert!(limits.reader(ip, at(1)).allowed);
        assert_eq!(limits.publishable(7, at(0)).wait, 1, "the key's bucket was emptied as well");
        assert_eq!(limits.publishable(8, at(0)).left, 599);
        assert_eq!(limits.call(7, Rate::a_minute(60), at(0)).left, 59, "a secret key with its number has its own");
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::default();
        let count = |limits: &Limits| limits.0.bad_keys.0.lock().map(|b| b.len()).unwrap_or_default();
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
