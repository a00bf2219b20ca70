//! Codes that people bring along.

use super::give::Enrolled;
use super::store::{self, NewCode};
use crate::clock::Instant;
use crate::db::{DbError, DbResult, Tx};

/// A code of one's own for an enrollment that has none.
#[derive(Debug, Clone)]
pub struct Own {
    pub id: i64,
    pub enrolled: Enrolled,
    pub text: String,
}

/// Stores them in the caller's transaction. One that was taken a moment ago makes the caller look again.
pub async fn claim_own(tx: &mut Tx, now: Instant, own: &[Own]) -> DbResult<()> {
    if own.is_empty() {
        return Ok(());
    }
    let new: Vec<NewCode> = own
        .iter()
        .map(|o| NewCode { kind: "custom", ..NewCode::generated(o.id, &o.enrolled, o.text.clone()) })
        .collect();
    let made = store::insert_missing(tx, now, &new).await?;
    if usize::try_from(made) != Ok(new.len()) {
        return Err(DbError::Lost("a code was taken meanwhile".into()));
    }
    let enrollments: Vec<i64> = own.iter().map(|o| o.enrolled.enrollment_id).collect();
    store::mark(tx, &enrollments).await
}
