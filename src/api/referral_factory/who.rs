//! Finds the user that a call means. A user found by an address, or as a referrer's only lead, may be another
//! one a moment later: a verb that changes it looks again in its own transaction.

use std::sync::Arc;

use super::store::find::{self, KnownLead};
use super::store::list::{ENROLLMENT, LEAD};
use super::user::{RfUser, Wanted, shown};
use crate::actor::Actor;
use crate::api::Caller;
use crate::api::field::IdText;
use crate::api::problem::{FieldProblem, Problem};
use crate::app::App;
use crate::campaigns;
use crate::clock::Zone;
use crate::db::{Conn, DbError, DbResult};
use crate::email::Email;
use crate::engine::By;
use crate::id::{self, Kind};

/// The scope of a look-up: one business, in one mode.
#[derive(Debug, Clone)]
pub struct Scope {
    pub business_id: i64,
    pub test: bool,
    pub zone: Zone,
    pub country: String,
    pub public_url: String,
    /// The campaign of calls that name none.
    pub campaign_id: Option<i64>,
    pub actor: Arc<Actor>,
}

impl Scope {
    /// In whose name the call's events happen.
    pub fn by(&self) -> By {
        By::new(self.business_id, &self.actor)
    }

    pub fn of(app: &App, caller: &Caller) -> Self {
        Self {
            business_id: caller.business_id(),
            test: caller.test(),
            zone: caller.key.zone,
            country: caller.key.row.country.clone(),
            public_url: app.config.public_url.clone(),
            campaign_id: caller.key.campaign(),
            actor: caller.actor.clone(),
        }
    }
}

/// Why no user was found: a refusal, or the database.
#[derive(Debug)]
pub enum Stop {
    No(Problem),
    Db(DbError),
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<FieldProblem> for Stop {
    fn from(problem: FieldProblem) -> Self {
        Self::No(problem.into())
    }
}

impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::No(problem) => problem,
            Stop::Db(error) => error.into(),
        }
    }
}

/// A user by what they are.
#[derive(Debug, Clone)]
pub enum Who {
    Lead(KnownLead),
    /// In one of their campaigns.
    Referrer {
        referrer_id: i64,
        enrollment_id: i64,
    },
}

impl Who {
    fn key(&self) -> (i64, i64) {
        match self {
            Self::Lead(lead) => (LEAD, lead.id),
            Self::Referrer { enrollment_id, .. } => (ENROLLMENT, *enrollment_id),
        }
    }
}

/// The campaign that a field names: its integer or `campaign_…`. It is the business's.
pub async fn campaign(conn: &mut Conn, scope: &Scope, named: Option<&IdText>) -> Result<Option<i64>, Stop> {
    let Some(IdText(text)) = named else { return Ok(None) };
    let id = text.parse().ok().or_else(|| id::parse(Kind::Campaign, text));
    let all = campaigns::choices(conn, scope.business_id).await?;
    match id.filter(|id| all.iter().any(|c| c.id == *id)) {
        Some(id) => Ok(Some(id)),
        None => Err(FieldProblem::wrong("campaign_id", "is not a campaign of this business").into()),
    }
}

/// Every campaign of the business.
pub async fn campaign_ids(conn: &mut Conn, scope: &Scope) -> DbResult<Vec<i64>> {
    Ok(campaigns::choices(conn, scope.business_id).await?.into_iter().map(|c| c.id).collect())
}

/// The integer in an id, of a lead or of a referrer.
pub fn user_id(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| id::parse(Kind::Lead, text)).or_else(|| id::parse(Kind::Referrer, text))
}

/// The user named by an address of the API: id, e-mail address, own code, or a referrer's code. A code of
/// digits alone may read as an id; since programs use ids, an existing id wins.
pub async fn named(conn: &mut Conn, scope: &Scope, text: &str, campaign_id: Option<i64>) -> DbResult<Option<Who>> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 320 {
        return Ok(None);
    }
    if let Some(id) = user_id(text)
        && let Some(who) = by_id(conn, scope, id, campaign_id).await?
    {
        return Ok(Some(who));
    }
    if text.contains('@') {
        return match Email::parse(text) {
            Ok(email) => by_email(conn, scope, &email, campaign_id).await,
            Err(_) => Ok(None),
        };
    }
    if let Some(id) = id::parse_lead_code(text) {
        let lead = find::lead(conn, scope.business_id, scope.test, id).await?;
        return Ok(lead.filter(|l| campaign_id.is_none_or(|c| c == l.campaign_id)).map(Who::Lead));
    }
    let code = find::code(conn, scope.business_id, text).await?.filter(|c| !c.archived);
    Ok(code
        .filter(|c| campaign_id.is_none_or(|id| id == c.campaign_id))
        .map(|c| Who::Referrer { referrer_id: c.referrer_id, enrollment_id: c.enrollment_id }))
}

async fn by_id(conn: &mut Conn, scope: &Scope, id: i64, campaign_id: Option<i64>) -> DbResult<Option<Who>> {
    if let Some(lead) = find::lead(conn, scope.business_id, scope.test, id).await? {
        return Ok(Some(lead).filter(|l| campaign_id.is_none_or(|c| c == l.campaign_id)).map(Who::Lead));
    }
    referrer(conn, scope, id, campaign_id).await
}

pub async fn referrer(
    conn: &mut Conn,
    scope: &Scope,
    referrer_id: i64,
    campaign_id: Option<i64>,
) -> DbResult<Option<Who>> {
    let enrollment = find::enrollment(conn, scope.business_id, referrer_id, campaign_id).await?;
    Ok(enrollment.map(|enrollment_id| Who::Referrer { referrer_id, enrollment_id }))
}

/// A lead before a referrer; without a campaign, the lead of the key's campaign before those of others.
async fn by_email(conn: &mut Conn, scope: &Scope, email: &Email, campaign_id: Option<i64>) -> DbResult<Option<Who>> {
    let campaigns = match campaign_id {
        Some(id) => vec![id],
        None => campaign_ids(conn, scope).await?,
    };
    let leads = find::leads_by_email(conn, &campaigns, scope.test, email.key()).await?;
    if let Some(lead) = leads.into_iter().min_by_key(|l| (Some(l.campaign_id) != scope.campaign_id, l.id)) {
        return Ok(Some(Who::Lead(lead)));
    }
    match find::referrer_by_email(conn, scope.business_id, email.key()).await? {
        Some(id) => referrer(conn, scope, id, campaign_id).await,
        None => Ok(None),
    }
}

/// The user as they are shown.
pub async fn show(conn: &mut Conn, scope: &Scope, who: &Who, analytics: bool) -> Result<RfUser, Problem> {
    let key = who.key();
    let (leads, enrollments) = match who {
        Who::Lead(lead) => (vec![lead.id], Vec::new()),
        Who::Referrer { enrollment_id, .. } => (Vec::new(), vec![*enrollment_id]),
    };
    let wanted = Wanted { leads, enrollments, analytics };
    shown(conn, scope, &wanted).await?.remove(&key).ok_or_else(nobody)
}

/// A lead by id, as it is shown after a change.
pub async fn show_lead(app: &App, scope: &Scope, lead_id: i64) -> Result<RfUser, Problem> {
    let wanted = Wanted { leads: vec![lead_id], ..Wanted::default() };
    shown(&mut app.db.read().await?, scope, &wanted).await?.remove(&(LEAD, lead_id)).ok_or_else(nobody)
}

pub fn nobody() -> Problem {
    Problem::not_found("There is no such user.")
}
