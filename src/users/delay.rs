//! The wait of a sign-in after failures, and the names they are counted under.

/// Failures that cost nothing: people mistype.
const FREE: i64 = 5;

/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 60;

/// After this long without a failure the count starts again.
pub const FORGET_SECONDS: i64 = 3_600;

/// The keys one attempt is counted under. An address is allowed more than an account: an office shares it.
pub fn keys(email_key: &str, ip: &str) -> [(String, i64); 2] {
    [(format!("account:{}", crate::id::sha256_hex(email_key)), FREE), (format!("address:{ip}"), FREE * 10)]
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
}
