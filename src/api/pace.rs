//! How often somebody may call: a bucket that fills with time and is emptied by calls, for everybody who
//! calls. All that is kept of each is the moment at which their bucket is full again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::clock::Instant;

/// How a bucket fills, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: i64,
    pub burst: i64,
}

/// Who is remembered before those whose buckets are full again are forgotten.
const MOST: usize = 20_000;

/// The buckets of many.
#[derive(Clone, Default)]
pub struct Buckets(Arc<Mutex<HashMap<String, i64>>>);

impl Buckets {
    /// Takes one call's worth. The error is after how many seconds there is one.
    pub fn take(&self, who: &str, rate: Rate, now: Instant) -> Result<(), u64> {
        let Ok(mut full_at) = self.0.lock() else { return Ok(()) };
        let (now, one) = (now.micros(), 60_000_000 / rate.per_minute.max(1));
        let at = full_at.get(who).copied().unwrap_or(now).max(now) + one;
        let over = at - now - one * rate.burst;
        if over > 0 {
            return Err(over.unsigned_abs().div_ceil(1_000_000));
        }
        if full_at.len() >= MOST && !full_at.contains_key(who) {
            full_at.retain(|_, at| *at > now);
            // So many at once is an attack; whoever was remembered starts again.
            if full_at.len() >= MOST {
                full_at.clear();
            }
        }
        full_at.insert(who.to_owned(), at);
        Ok(())
    }

    /// Takes more for a call that was let through, even if there is not so much left.
    pub fn charge(&self, who: &str, rate: Rate, calls: i64, now: Instant) {
        let Ok(mut full_at) = self.0.lock() else { return };
        let (now, one) = (now.micros(), 60_000_000 / rate.per_minute.max(1));
        let at = full_at.get(who).copied().unwrap_or(now).max(now) + one * calls;
        // Nobody has to wait for longer than the whole bucket takes to fill.
        full_at.insert(who.to_owned(), at.min(now + one * rate.burst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_minute: 60, burst: 3 };

    #[test]
    fn a_burst_passes_and_then_one_a_second() {
        let buckets = Buckets::default();
        let start = Instant::from_micros(1_000_000_000);
        for _ in 0..3 {
            assert_eq!(buckets.take("a", RATE, start), Ok(()));
        }
        assert_eq!(buckets.take("a", RATE, start), Err(1));
        assert_eq!(buckets.take("b", RATE, start), Ok(()), "everybody has a bucket");
        assert_eq!(buckets.take("a", RATE, start.plus_seconds(1)), Ok(()));
        assert_eq!(buckets.take("a", RATE, start.plus_seconds(1)), Err(1));
        for _ in 0..3 {
            assert_eq!(buckets.take("a", RATE, start.plus_seconds(60)), Ok(()));
        }
        assert_eq!(buckets.take("a", RATE, start.plus_seconds(60)), Err(1), "it holds no more than the burst");
    }

    #[test]
    fn a_charge_empties_it_but_never_for_longer_than_it_fills() {
        let buckets = Buckets::default();
        let start = Instant::from_micros(1_000_000_000);
        buckets.take("a", RATE, start).unwrap();
        buckets.charge("a", RATE, 100, start);
        assert_eq!(buckets.take("a", RATE, start), Err(1));
        assert_eq!(buckets.take("a", RATE, start.plus_seconds(1)), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let buckets = Buckets::default();
        let start = Instant::from_micros(1_000_000_000);
        for n in 0..2 * MOST {
            buckets.take(&n.to_string(), RATE, start).unwrap();
        }
        assert!(buckets.0.lock().unwrap().len() <= MOST);
    }
}
