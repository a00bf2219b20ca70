//! The signed-in person, in their current business.

use std::sync::Arc;

use super::role::{Right, Role};
use super::store;
use crate::actor::{Actor, ActorKind, OnceCall};
use crate::clock::Zone;
use crate::db::{Conn, DbResult};
use crate::money::Currency;

/// The signed-in user, whatever business they are in.
#[derive(Debug, Clone)]
pub struct SignedInUser {
    pub id: i64,
    pub name: String,
    pub email: String,
}

/// The signed-in person. The route's guard puts it into the request, so a handler that takes one is guarded.
#[derive(Debug, Clone)]
pub struct Member {
    pub user_id: i64,
    pub name: String,
    pub email: String,
    pub theme: String,
    pub role: Role,
    pub business_id: i64,
    pub business_public_id: String,
    pub business_name: String,
    pub zone: Zone,
    pub currency: Currency,
    /// ISO 3166 alpha-2: how phone numbers without a country code are read.
    pub country: String,
    pub default_campaign_id: Option<i64>,
    pub ip: String,
    /// The form by which the person acts, which acts once.
    pub call: Option<Arc<OnceCall>>,
}

impl Member {
    pub fn may(&self, right: Right) -> bool {
        self.role.may(right)
    }

    /// For the audit.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::User,
            id: Some(self.user_id),
            name: self.name.clone(),
            origin: self.ip.clone(),
            call: self.call.clone(),
        }
    }
}

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
            call: None,
        })
    }))
}
