//! People of staff: who they are, how they sign in, what business they are in.

mod account;
mod agent;
mod pages;
mod password;
mod reset;
mod store;
mod throttle;

use crate::app::App;
use crate::clock::{Instant, Zone};
use crate::db::{Conn, DbResult};
use crate::money::Currency;
use crate::web::session::SignedInUser;
use crate::web::{Member, Role};

pub use account::{Named, change_password, end_others, rename};
pub use agent::agent_in_words;
pub use pages::{routes, start_session};
pub use password::{PasswordError, Passwords};
pub use reset::{Ended, reset_password, sign_out};
pub use store::{
    PersonRow, SessionRow, delete_session, everybody, id_by_email, insert_membership, insert_user, load_session,
    put_session, session_seen,
};

/// A user by id.
pub async fn find(conn: &mut Conn, id: i64) -> DbResult<Option<SignedInUser>> {
    let found = store::by_id(conn, id).await?;
    Ok(found.map(|u| SignedInUser { id: u.id, name: u.name, email: u.email }))
}

/// The user as a member of the business they chose, else of the first they are in.
pub async fn member(conn: &mut Conn, user_id: i64, wanted: Option<i64>, ip: String) -> DbResult<Option<Member>> {
    let found = store::memberships(conn, user_id).await?;
    let chosen = found.iter().position(|m| Some(m.business_id) == wanted).unwrap_or(0);
    Ok(found.into_iter().nth(chosen).and_then(|m| {
        Some(Member {
            user_id,
            name: m.name,
            email: m.email,
            theme: m.theme,
            role: Role::parse(&m.role)?,
            business_id: m.business_id,
            business_public_id: m.public_id,
            business_name: m.business_name,
            zone: Zone::parse(&m.timezone).unwrap_or_default(),
            currency: Currency::parse(&m.currency).ok()?,
            country: m.country,
            default_campaign_id: m.default_campaign_id,
            ip,
        })
    }))
}

/// A stored session as the store of sessions reads it.
pub struct StoredSession {
    pub data: String,
    pub seen_at: i64,
    pub expires_at: i64,
}

/// Instants of the throttle are compared with the clock's.
pub(crate) fn is_over(until: i64, now: Instant) -> bool {
    until <= now.micros()
}

/// Removes sessions nobody can use any more and failures that are forgotten: one turn of a scheduled
/// task. True when there are more.
pub async fn tidy(app: App) -> DbResult<bool> {
    const BATCH: i64 = 500;
    let now = app.clock.now();
    let removed = app.db.write(vec![], move |tx| Box::pin(store::tidy(tx, now, BATCH))).await?;
    Ok(removed >= BATCH.unsigned_abs())
}
