//! The subjects a write decides about, and the advisory locks they become on PostgreSQL.
//!
//! SQLite has one writer, so nothing needs locking there. On PostgreSQL a lead that does not exist yet cannot
//! be row-locked; a hash of what identifies it can.

use sha2::{Digest, Sha256};

use super::{Conn, DbResult, sql};

/// Names what is decided about. Two writes that share a key run one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A person of a business by normalised e-mail address, or by E.164 phone number.
    Person(i64, String),
    /// The codes of one enrollment.
    Enrollment(i64),
    /// The people of a business: adding a referrer, enrolling, archiving.
    Referrer(i64, String),
    /// One row other than a person: a campaign, a product's terms, a user, an inbox item.
    Row(i64),
    /// First set-up, or the order in which a business's chain is sealed.
    Setup,
    Seal(i64),
    /// The payouts of a business, and the adjustments beside them.
    Payouts(i64),
    /// The copies of counters that lists are sorted by.
    Figures,
    /// The key that secrets are stored with.
    Secrets,
    /// The counting anew of counters.
    Recount,
    /// A call of an API key, by its `Idempotency-Key`.
    Call(i64, String),
}

impl Key {
    /// Eight bytes of its SHA-256: what PostgreSQL locks.
    pub fn number(&self) -> i64 {
        let text = match self {
            Self::Person(business, contact) => format!("person/{business}/{contact}"),
            Self::Enrollment(id) => format!("enrollment/{id}"),
            Self::Referrer(business, contact) => format!("referrer/{business}/{contact}"),
            Self::Row(id) => format!("row/{id}"),
            Self::Setup => "setup".to_owned(),
            Self::Seal(business) => format!("seal/{business}"),
            Self::Payouts(business) => format!("payouts/{business}"),
            Self::Figures => "figures".to_owned(),
            Self::Secrets => "secrets".to_owned(),
            Self::Recount => "recount".to_owned(),
            Self::Call(key_id, text) => format!("call/{key_id}/{text}"),
        };
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(bytes)
    }
}

/// The most keys one transaction may take: PostgreSQL's lock table is shared and bounded.
pub const MOST: usize = 1_000;

/// Sorted and without repeats, so that two writers never deadlock.
pub fn numbers(keys: &[Key]) -> Vec<i64> {
    let mut numbers: Vec<i64> = keys.iter().map(Key::number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Takes the locks as the transaction's first statement.
pub async fn take(conn: &mut Conn, keys: &[i64]) -> DbResult<()> {
    if keys.is_empty() || !matches!(conn, Conn::Postgres(_)) {
        return Ok(());
    }
    let table = crate::rows!(keys, k => { k: *k });
    // OFFSET 0 keeps the planner from moving the lock call below the sort.
    sql("SELECT count(pg_advisory_xact_lock(s.k))
           FROM (SELECT r.k FROM rows($1, k BIGINT) r ORDER BY r.k OFFSET 0) s")
    .bind(table)
    .scalar::<i64>(conn)
    .await?;
    Ok(())
}
