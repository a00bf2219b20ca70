//! How long sessions last, and what is stored of one.

/// Unused for so long, a session ends.
pub const IDLE_SECONDS: i64 = 24 * 3600;
/// However it is used, a session ends after so long.
pub const ABSOLUTE_SECONDS: i64 = 14 * 24 * 3600;
/// A stored session as the store of sessions reads it.
pub struct StoredSession {
    pub data: String,
    pub seen_at: i64,
    pub expires_at: i64,
}
