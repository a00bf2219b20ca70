//! The life of sessions, and the row that stores one.

/// A session unused for this long ends.
pub const IDLE_SECONDS: i64 = 24 * 3600;
/// A session ends after this long in any case.
pub const ABSOLUTE_SECONDS: i64 = 14 * 24 * 3600;
/// A stored session as the store of sessions reads it.
pub struct StoredSession {
    pub data: String,
    pub seen_at: i64,
    pub expires_at: i64,
}
