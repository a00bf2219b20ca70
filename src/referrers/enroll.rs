//! Enrolling a referrer in a campaign, and what staff decide about an enrollment: paused, banned, or
//! active again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::enroll_set::{Set, enroll_each};
use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enrolled {
    Done {
        enrollment_id: i64,
        code: Option<String>,
    },
    Already,
    /// An archived referrer is restored first.
    Archived,
    /// The referrer or the campaign is unknown.
    NotFound,
}

/// Enrolls a referrer who is known in a campaign, with a code if wanted.
pub async fn enroll(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    referrer_id: i64,
    campaign_id: i64,
    generate: bool,
) -> DbResult<Enrolled> {
    let set = Set { business_id, campaign_id, referrers: vec![referrer_id], generate, job_id: None };
    Ok(enroll_each(core, actor, set).await?.pop().unwrap_or(Enrolled::NotFound))
}

/// The states of an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    /// No new attributions; leads and commissions continue.
    Paused,
    /// No new attributions and no new commissions; unpaid ones stay out of payouts.
    Banned,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Banned => "banned",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Banned].into_iter().find(|s| s.word() == word)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    Done { referrer_id: i64, name: String, was: State },
    Already { referrer_id: i64, name: String },
    NotFound,
}

/// Pauses, bans, or makes active again.
pub async fn decide(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    enrollment_id: i64,
    to: State,
    reason: Option<String>,
) -> DbResult<Decided> {
    core.write(vec![Key::Enrollment(enrollment_id)], actor, (business_id, enrollment_id, to, reason), decide_in).await
}

async fn decide_in(
    tx: &mut Tx,
    &(business_id, enrollment_id, to, ref reason): &(i64, i64, State, Option<String>),
) -> DbResult<Decided> {
    let Some(e) = store::enrollment_by_id(tx, business_id, enrollment_id).await? else {
        return Ok(Decided::NotFound);
    };
    let was = State::parse(&e.state).unwrap_or(State::Active);
    if was == to {
        return Ok(Decided::Already { referrer_id: e.referrer_id, name: e.name });
    }
    store::set_enrollment_state(tx, enrollment_id, e.referrer_id, to.word()).await?;
    let action = match (was, to) {
        (_, State::Paused) => "enrollment.paused",
        (_, State::Banned) => "enrollment.banned",
        (State::Banned, State::Active) => "enrollment.ban_lifted",
        (_, State::Active) => "enrollment.resumed",
    };
    let mut entry = NewEntry::by(tx, business_id, action, ("enrollment", enrollment_id))?
        .before(json!({ "state": was.word() }))
        .after(json!({ "state": to.word(), "campaign": e.campaign_id }))
        .of_referrer(e.referrer_id);
    entry.reason.clone_from(reason);
    audit::write(tx, &[entry]).await?;
    Ok(Decided::Done { referrer_id: e.referrer_id, name: e.name, was })
}
