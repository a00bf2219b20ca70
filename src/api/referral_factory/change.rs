//! Changing a user, and taking one out of the lists.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use serde_json::json;

use super::ask::{RfChangeUser, changes};
use super::list::{ONE_USER, may_write, needs_either};
use super::store::find::KnownLead;
use super::user::RfOneUser;
use super::who::{self, Scope, Who};
use super::{Version, of_version};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{InPath, Sent};
use crate::app::App;
use crate::audit::{self, NewEntry};
use crate::db::{DbError, DbResult, Stop, Tx};
use crate::engine::{AmendLead, Archive, Decided, Event, Outcome, Qualify, Refusal, Rejected, What};
use crate::leads::{self, MetaSet};
use crate::meta::{self, Meta};
use crate::referrers::{self, Amend, Amended};

const CHANGE: &str =
    r#"{"first_name":"Amy","meta":[{"field":"plan","value":"team"}],"campaign_id":1003,"qualified":true}"#;
const WHO: &str = "An id, a code or an e-mail address. Digits are an id first: a code of digits alone only where no user has that id.";

pub fn calls(api: Api, version: Version) -> Api {
    let (path, id) = of_version!(version, "/users/{identifier}", "rfChangeUser");
    let change = Operation::put(path, id, "Change a user")
        .about("Missing fields stay. `qualified` says whether a lead's referral counts, as in the call for qualification. Needs the scope `leads:write` for a lead, `referrers:write` for a referrer.")
        .in_path("identifier", WHO)
        .takes::<RfChangeUser>(CHANGE)
        .refuses(&[403, 404])
        .answers::<RfOneUser>(200, "The user as they are now.", ONE_USER);
    let (path, id) = of_version!(version, "/users/{identifier}", "rfDeleteUser");
    let delete = Operation::delete(path, id, "Archive a user")
        .about("The user is no longer found and gets no new leads; history, attribution and money stay, and staff can bring them back. Needs the scope `leads:write` for a lead, `referrers:write` for a referrer.")
        .in_path("identifier", WHO)
        .refuses(&[403, 404])
        .answers::<RfOneUser>(200, "The user as they were.", ONE_USER);
    api.with(change, change_user).with(delete, delete_user)
}

/// Applies events about one lead and stores the program's own fields beside it, in one transaction. If one of
/// the events is refused, nothing is done. `lead_id` is none for a lead that the events add.
pub async fn decide(
    app: &App,
    scope: &Scope,
    lead_id: Option<i64>,
    whats: Vec<What>,
    changes: Vec<Meta>,
) -> Result<Vec<Outcome>, Problem> {
    let events: Vec<Event> = whats.into_iter().map(|what| Event::new(scope.by(), what)).collect();
    let wrong = Arc::new(Mutex::new(None));
    let beside = Beside { business_id: scope.business_id, lead_id, changes, wrong: wrong.clone() };
    let decided = app.engine.slice_and(&scope.actor, events, beside, write_beside).await;
    decided.map_err(|error| match (error, wrong.lock().ok().and_then(|mut wrong| wrong.take())) {
        (DbError::Stopped(Stop::Refused), Some(problem)) => problem.into(),
        (error, _) => error.into(),
    })
}

/// The fields stored with the outcomes of events, and the problem where one is refused.
struct Beside {
    business_id: i64,
    lead_id: Option<i64>,
    changes: Vec<Meta>,
    wrong: Arc<Mutex<Option<FieldProblem>>>,
}

impl Beside {
    fn refuse(&self, problem: FieldProblem) -> DbError {
        if let Ok(mut wrong) = self.wrong.lock() {
            *wrong = Some(problem);
        }
        DbError::Stopped(Stop::Refused)
    }
}

async fn write_beside(tx: &mut Tx, beside: &Beside, decided: Vec<Decided<Outcome>>) -> DbResult<Vec<Outcome>> {
    let outcomes = accepted(decided).map_err(|problem| beside.refuse(problem))?;
    let added = || outcomes.iter().find_map(Outcome::lead_id).map(|id| id.0);
    let lead_id = beside.lead_id.or_else(added).unwrap_or_default();
    let now = tx.now();
    let changed = set_meta(tx, lead_id, &beside.changes, now).await?.map_err(|problem| beside.refuse(problem))?;
    if let Some((before, after)) = changed {
        let shown = |list: &str| json!({ "meta": meta::items(list) });
        let entry = NewEntry::by(tx, beside.business_id, "lead.edited", ("lead", lead_id))?;
        let mut entry = entry.before(shown(&before)).after(shown(&after));
        entry.lead_id = Some(lead_id);
        audit::write(tx, &[entry]).await?;
    }
    Ok(outcomes)
}

/// The outcomes, where every event is accepted.
fn accepted(decided: Vec<Decided<Outcome>>) -> Result<Vec<Outcome>, FieldProblem> {
    let wrong = |rejected| match rejected {
        Rejected::Refused(Refusal::EmailTaken(_)) => {
            FieldProblem::wrong("email", "has already been taken in this campaign")
        }
        Rejected::Refused(_) => FieldProblem::wrong("qualified", "cannot be set: the lead is a duplicate"),
        _ => FieldProblem::wrong("campaign_id", "no longer has this user"),
    };
    decided.into_iter().collect::<Result<Vec<_>, _>>().map_err(wrong)
}

async fn set_meta(
    tx: &mut Tx,
    lead_id: i64,
    changes: &[Meta],
    now: crate::clock::Instant,
) -> DbResult<Result<Option<(String, String)>, FieldProblem>> {
    if changes.is_empty() {
        return Ok(Ok(None));
    }
    Ok(match leads::set_meta(tx, lead_id, changes, now).await? {
        MetaSet::Same => Ok(None),
        MetaSet::Changed(before, after) => Ok(Some((before, after))),
        MetaSet::TooMuch => Err(FieldProblem::wrong("meta", format!("may have at most {} fields in all", meta::MOST))),
    })
}

async fn change_user(
    State(app): State<App>,
    caller: Caller,
    InPath(identifier): InPath,
    Sent(new): Sent<RfChangeUser>,
) -> Result<Json<RfOneUser>, Problem> {
    needs_either(&caller, "write")?;
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let campaign_id = who::campaign(&mut conn, &scope, new.campaign_id.as_ref()).await?;
    // An address may belong to several leads; the campaign beside it decides.
    let looked_in = campaign_id.filter(|_| identifier.contains('@'));
    let who = who::named(&mut conn, &scope, &identifier, looked_in).await?.ok_or_else(who::nobody)?;
    drop(conn);
    may_write(&caller, &who)?;
    match &who {
        Who::Lead(lead) => change_lead(&app, &scope, lead, campaign_id, new).await?,
        Who::Referrer { referrer_id, .. } => {
            if new.qualified.0.is_some() {
                return Err(
                    FieldProblem::wrong("qualified", "cannot be set: the user is a referrer, not a lead").into()
                );
            }
            let amend = Amend { name: new.first_name.0.map(|n| n.0), email: new.email.0, meta: changes(new.meta) };
            accepted_amend(referrers::amend(&app, &scope.actor, scope.business_id, *referrer_id, amend).await?)?;
        }
    }
    let data = who::show(&mut app.db.read().await?, &scope, &who, false).await?;
    Ok(Json(RfOneUser { data }))
}

async fn change_lead(
    app: &App,
    scope: &Scope,
    lead: &KnownLead,
    campaign_id: Option<i64>,
    new: RfChangeUser,
) -> Result<(), Problem> {
    if campaign_id.is_some_and(|id| id != lead.campaign_id) {
        return Err(FieldProblem::wrong("campaign_id", "is not the campaign of this lead").into());
    }
    let lead_id = lead.id;
    // Runs without a change too: the fields stored with the lead are written in a slice of their own.
    let amend = AmendLead { lead_id: lead_id.into(), name: new.first_name.0.map(|n| n.0), email: new.email.0 };
    let qualify = new.qualified.0.map(|qualified| Qualify { lead_id: lead_id.into(), qualified, reason: None });
    let whats: Vec<What> = std::iter::once(amend.into()).chain(qualify.map(What::from)).collect();
    decide(app, scope, Some(lead_id), whats, changes(new.meta)).await?;
    Ok(())
}

/// The refusal of a change of a referrer.
pub fn accepted_amend(amended: Amended) -> Result<(), Problem> {
    match amended {
        Amended::Done { .. } => Ok(()),
        Amended::EmailTaken => Err(FieldProblem::wrong("email", "has already been taken").into()),
        Amended::TooMuchMeta => {
            Err(FieldProblem::wrong("meta", format!("may have at most {} fields in all", meta::MOST)).into())
        }
        Amended::NotFound => Err(who::nobody()),
    }
}

async fn delete_user(
    State(app): State<App>,
    caller: Caller,
    InPath(identifier): InPath,
) -> Result<Json<RfOneUser>, Problem> {
    needs_either(&caller, "write")?;
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let who = who::named(&mut conn, &scope, &identifier, None).await?.ok_or_else(who::nobody)?;
    may_write(&caller, &who)?;
    let data = who::show(&mut conn, &scope, &who, false).await?;
    drop(conn);
    let done = match &who {
        Who::Lead(lead) => {
            let archive = Archive { lead_id: lead.id.into(), archived: true };
            app.engine.one(scope.by(), archive).await?.is_ok_and(|done| done.changed)
        }
        Who::Referrer { referrer_id, .. } => {
            let archived = referrers::archive(&app, &scope.actor, scope.business_id, *referrer_id, true).await?;
            archived == Some(true)
        }
    };
    if done { Ok(Json(RfOneUser { data })) } else { Err(who::nobody()) }
}
