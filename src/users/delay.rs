//! The wait of a sign-in after failures, and the counts of failures.
//!
//! A stranger's failures must not keep a person out. They are counted per account and network, so that only those
//! who fail wait, and a browser from which the person signed in before has a count of its own.

use crate::id::sha256_hex;
use crate::limits::network_of;

/// Failures that cost nothing: people mistype.
const FREE: i64 = 5;

/// The longest wait, in seconds.
pub const LONGEST_WAIT: i64 = 60;

/// After this long without a failure a count for a time starts again.
pub const FORGET_SECONDS: i64 = 3_600;

/// After this long even a count of failures in a row is forgotten.
pub const FORGET_LASTING_SECONDS: i64 = 30 * 86_400;

/// After this many failures in a row the password alone opens the account no more.
pub const MOST_IN_A_ROW: i64 = 100;

/// A count of failures to which an attempt belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub key: String,
    /// Failures that cost nothing; none where failures cost no time.
    pub free: Option<i64>,
    /// True for failures in a row.
    pub lasting: bool,
}

fn account(email_key: &str) -> String {
    format!("account:{}", sha256_hex(email_key))
}

/// The start of every key of an account.
pub fn of_account(email_key: &str) -> String {
    account(email_key)
}

/// The counts of an attempt from an address. An address is allowed more than an account: an office shares it.
pub fn from_address(email_key: &str, ip: &str) -> Vec<Count> {
    let (account, network) = (account(email_key), network_of(ip));
    vec![
        Count { key: format!("{account}/{network}"), free: Some(FREE), lasting: false },
        Count { key: format!("address:{network}"), free: Some(FREE * 10), lasting: false },
        Count { key: account, free: None, lasting: true },
    ]
}

/// The count of an attempt from a browser that the account knows.
pub fn from_browser(email_key: &str, token_hash: &str) -> Vec<Count> {
    vec![Count { key: format!("{}/browser:{token_hash}", account(email_key)), free: Some(FREE), lasting: true }]
}

/// The wait of the next attempt after this many failures.
pub fn delay(failures: i64, free: i64) -> i64 {
    let over = failures - free;
    if over < 0 { 0 } else { (1_i64 << over.min(6)).min(LONGEST_WAIT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_stays_short() {
        assert_eq!(delay(4, FREE), 0);
        assert_eq!(delay(5, FREE), 1);
        assert_eq!(delay(8, FREE), 8);
        assert_eq!(delay(500, FREE), LONGEST_WAIT);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let keys = |ip| from_address("jane@example.com", ip).into_iter().map(|count| count.key).collect::<Vec<_>>();
        assert_eq!(keys("2001:db8::1"), keys("2001:db8::ffff:7"));
        assert_ne!(keys("2001:db8::1"), keys("2001:db8:0:1::1"));
        assert_ne!(keys("203.0.113.7"), keys("203.0.113.8"));
    }
}
