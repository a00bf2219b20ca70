//! People of staff: who they are, how they sign in, what business they are in.

mod account;
mod agent;
mod browser;
mod delay;
mod member;
pub mod pages;
mod password;
mod refused;
mod reset;
mod role;
mod session;
mod sign_in;
mod store;
mod throttle;

use crate::core::Core;
use crate::db::DbResult;

pub use account::{Named, change_password, end_others, rename};
pub use agent::agent_in_words;
pub use browser::{knows_browser, remember_browser};
pub use member::{Member, SignedInUser, find, member};
pub use password::{PasswordError, Passwords};
pub use refused::refused;
pub use reset::{Ended, reset_password, sign_out};
pub use role::{Right, Role};
pub use session::{ABSOLUTE_SECONDS, IDLE_SECONDS, StoredSession};
pub use sign_in::{SignedIn, failed, left, proved, succeeded};
pub use store::{
    PersonRow, SessionRow, delete_session, everybody, id_by_email, insert_membership, insert_user, load_session,
    put_session, session_seen,
};
pub use throttle::{Attempt, Trial, permit};

/// Removes expired sessions and forgotten failures: one run of a scheduled task. True when there are more.
pub async fn tidy(core: &Core) -> DbResult<bool> {
    const BATCH: i64 = 500;
    let removed = core.db.write(vec![], BATCH, store::tidy).await?;
    Ok(removed >= BATCH.unsigned_abs())
}
