//! Gives enrollments their missing code. Safe against two clicks, two nodes, and a random code that exists
//! already: the unique constraints decide, and enrollments that got none are tried again.

use super::store::{self, NewCode};
use crate::code;
use crate::db::{DbError, DbResult, Tx};

/// An enrollment to give a code to.
#[derive(Debug, Clone)]
pub struct Enrolled {
    pub enrollment_id: i64,
    pub business_id: i64,
    pub campaign_id: i64,
    pub referrer_id: i64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub enrollment_id: i64,
    pub referrer_id: i64,
    pub code_id: i64,
    pub text: String,
    /// False where it had one already.
    pub made: bool,
}

/// Random codes that are taken are tried so often again; more means the generator is broken.
const TRIES: usize = 5;

/// Makes a code for each enrollment that has no active one, in the caller's transaction.
pub async fn give(tx: &mut Tx, enrolled: &[Enrolled]) -> DbResult<Vec<Given>> {
    let (now, ids) = (tx.now(), tx.ids(enrolled.len())?);
    let mut given: Vec<Given> = Vec::with_capacity(enrolled.len());
    let mut left: Vec<(Enrolled, i64)> = enrolled.iter().cloned().zip(ids).collect();
    for _ in 0..TRIES {
        if left.is_empty() {
            return Ok(given);
        }
        let new: Vec<NewCode> = {
            let mut rng = rand::rng();
            left.iter().map(|(e, id)| NewCode::generated(*id, e, code::generate(&mut rng))).collect()
        };
        store::insert_missing(tx, now, &new).await?;
        let enrollments: Vec<i64> = left.iter().map(|(e, _)| e.enrollment_id).collect();
        let have = store::active(tx, &enrollments).await?;
        left.retain(|(e, id)| {
            let Some(row) = have.iter().find(|row| row.enrollment_id == e.enrollment_id) else { return true };
            given.push(Given {
                enrollment_id: e.enrollment_id,
                referrer_id: e.referrer_id,
                code_id: row.id,
                text: row.text.clone(),
                made: row.id == *id,
            });
            false
        });
        store::mark(tx, &enrollments).await?;
    }
    if left.is_empty() { Ok(given) } else { Err(DbError::Fault("random codes keep being taken".into())) }
}
