//! Lists of users, one user, and looking for some.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{RfGetUser, RfListUsers, RfPages, RfSearchUsers};
use super::paging::{Paging, RfLinks, RfPageMeta, frame};
use super::store::list::{self, ENROLLMENT, Hit, LEAD, Position, REFERRER, Which};
use super::user::{RfOneUser, RfUser, Wanted, shown, wants_analytics};
use super::who::{self, Scope, Who};
use super::{Version, of_version, store};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath, Sent};
use crate::app::App;
use crate::db::{Conn, DbResult};
use crate::fold::fold;

/// A page of users.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RfUsers {
    pub data: Vec<RfUser>,
    pub links: RfLinks,
    pub meta: RfPageMeta,
}

const ONE: &str = r#"{"data":{"id":10453,"campaign_id":1003,"referrer_id":1007,"code":"L5ZK09Q3MT","url":null,"promotion":{"code":null},"qr":{"src":null,"download":null},"first_name":"Amy","email":"amy@example.org","reach":0,"source":"Api","type":"person_invited","ip":null,"signed_up_at":"2026-06-20","qualified_at":null,"unsubscribed_at":null,"meta":[{"field":"plan","value":"pro"}],"sharing":{"socials":[],"subject":null,"text":null}}}"#;
const SOME: &str = r#"{"data":[{"id":1007,"campaign_id":1003,"referrer_id":null,"code":"K7M-4XP-D2CW","url":"https://desk.example.com/r/K7M-4XP-D2CW","promotion":{"code":null},"qr":{"src":"https://desk.example.com/r/K7M-4XP-D2CW/qr.svg","download":"https://desk.example.com/r/K7M-4XP-D2CW/qr.svg?download"},"first_name":"Jane","email":"jane@example.com","reach":0,"source":"Api","type":"person_referring","ip":null,"signed_up_at":"2026-06-20","qualified_at":null,"unsubscribed_at":null,"meta":[],"sharing":{"socials":[],"subject":null,"text":null}}],"links":{"first":"https://desk.example.com/api/v2/users?page=1&per_page=25","last":"https://desk.example.com/api/v2/users?page=1&per_page=25","prev":null,"next":null},"meta":{"current_page":1,"from":1,"last_page":1,"path":"https://desk.example.com/api/v2/users","per_page":25,"to":1,"total":1}}"#;
const SEARCH: &str = r#"{"email":"jane@example.com","campaign_id":1003}"#;

/// The example of one user, for the other calls.
pub const ONE_USER: &str = ONE;

pub fn calls(api: Api, version: Version) -> Api {
    let (path, id) = of_version!(version, "/users", "rfListUsers");
    let list = Operation::get(path, id, "List users")
        .about("Leads and referrers in one list, newest first. A referrer of several campaigns is listed once, unless `campaign_id` names one. Archived users are left out. Needs the scope `referrers:read` as well.")
        .scope("leads:read")
        .asks::<RfListUsers>()
        .answers::<RfUsers>(200, "A page of users.", SOME);
    let (path, id) = of_version!(version, "/users/{identifier}", "rfGetUser");
    let one = Operation::get(path, id, "Read a user")
        .about("Needs the scope `leads:read` for a lead, `referrers:read` for a referrer.")
        .in_path(
            "identifier",
            "An id, a code or an e-mail address. Digits are an id first: a code of digits alone is found only where no user has that id, and always by `POST users/search`. By an address that is a lead's and a referrer's, the lead is found.",
        )
        .asks::<RfGetUser>()
        .refuses(&[403, 404])
        .answers::<RfOneUser>(200, "The user.", ONE);
    let (path, id) = of_version!(version, "/users/search", "rfSearchUsers");
    let search = Operation::post(path, id, "Look for users")
        .about("Users who match every given filter, newest first; without a filter all users. Needs the scope `referrers:read` as well.")
        .scope("leads:read")
        .asks::<RfPages>()
        .takes::<RfSearchUsers>(SEARCH)
        .answers::<RfUsers>(200, "A page of those who fit.", SOME);
    api.with(list, list_users).with(one, get_user).with(search, search_users)
}

/// Refuses a key without a scope.
pub fn needs(caller: &Caller, scope: &str) -> Result<(), Problem> {
    if caller.key.may(scope) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("This API key may not do that: it lacks the scope {scope}.")))
}

/// Refuses a key without the right for a lead, or for a referrer.
fn needs_for(caller: &Caller, who: &Who, action: &str) -> Result<(), Problem> {
    match who {
        Who::Lead(_) => needs(caller, &format!("leads:{action}")),
        Who::Referrer { .. } => needs(caller, &format!("referrers:{action}")),
    }
}

/// Refuses a key that may not change this user: also a test key for a referrer, since referrers are live.
pub fn may_write(caller: &Caller, who: &Who) -> Result<(), Problem> {
    needs_for(caller, who, "write")?;
    if let Who::Referrer { .. } = who { caller.may_change("Referrers") } else { Ok(()) }
}

/// Refuses a key that may neither, before it learns who is there.
pub fn needs_either(caller: &Caller, action: &str) -> Result<(), Problem> {
    if caller.key.may(&format!("referrers:{action}")) { Ok(()) } else { needs(caller, &format!("leads:{action}")) }
}

async fn which(conn: &mut Conn, scope: &Scope, campaign_id: Option<i64>) -> DbResult<Which> {
    let campaigns = match campaign_id {
        Some(id) => vec![id],
        None => who::campaign_ids(conn, scope).await?,
    };
    Ok(Which { business_id: scope.business_id, test: scope.test, campaigns, of_one: campaign_id.is_some() })
}

async fn list_users(
    State(app): State<App>,
    caller: Caller,
    Extension(operation): Extension<Arc<Operation>>,
    Asked(asked): Asked<RfListUsers>,
) -> Result<Json<RfUsers>, Problem> {
    needs(&caller, "referrers:read")?;
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let campaign_id = who::campaign(&mut conn, &scope, asked.campaign_id.as_ref()).await?;
    let paging = Paging::of(asked.page, asked.per_page);
    let mut filters = Vec::new();
    filters.extend(campaign_id.map(|id| ("campaign_id", id.to_string())));
    filters.extend(asked.with.as_ref().map(|with| ("with", with.to_string())));
    let which = which(&mut conn, &scope, campaign_id).await?;
    let with = wants_analytics(asked.with.as_deref());
    let (total, data) = everybody(&mut conn, &scope, &which, paging, with).await?;
    let path = format!("{}{}", scope.public_url, operation.path);
    let (links, meta) = frame(paging, total, data.len(), path, &filters);
    Ok(Json(RfUsers { data, links, meta }))
}

/// A page of all users, and how many there are.
async fn everybody(
    conn: &mut Conn,
    scope: &Scope,
    which: &Which,
    paging: Paging,
    analytics: bool,
) -> DbResult<(i64, Vec<RfUser>)> {
    let total = list::total(conn, which).await?;
    let positions = list::page(conn, which, total, paging.offset(), paging.per_page).await?;
    Ok((total, at(conn, scope, &positions, analytics).await?))
}

/// The users at these positions of a list, in its order.
async fn at(conn: &mut Conn, scope: &Scope, positions: &[Position], analytics: bool) -> DbResult<Vec<RfUser>> {
    let of = |kind: i64| positions.iter().filter(|p| p.kind == kind).map(|p| p.id).collect::<Vec<_>>();
    let (referrers, mut enrollments) = (of(REFERRER), of(ENROLLMENT));
    if !referrers.is_empty() {
        enrollments.extend(store::first_enrollments(conn, &referrers).await?);
    }
    let wanted = Wanted { leads: of(LEAD), enrollments, analytics };
    let mut users = shown(conn, scope, &wanted).await?;
    Ok(positions.iter().filter_map(|position| users.remove(&(position.kind, position.id))).collect())
}

async fn get_user(
    State(app): State<App>,
    caller: Caller,
    InPath(identifier): InPath,
    Asked(asked): Asked<RfGetUser>,
) -> Result<Json<RfOneUser>, Problem> {
    needs_either(&caller, "read")?;
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let campaign_id = who::campaign(&mut conn, &scope, asked.campaign_id.as_ref()).await?;
    let who = who::named(&mut conn, &scope, &identifier, campaign_id).await?.ok_or_else(who::nobody)?;
    needs_for(&caller, &who, "read")?;
    let data = who::show(&mut conn, &scope, &who, wants_analytics(asked.with.as_deref())).await?;
    Ok(Json(RfOneUser { data }))
}

async fn search_users(
    State(app): State<App>,
    caller: Caller,
    Extension(operation): Extension<Arc<Operation>>,
    Asked(asked): Asked<RfPages>,
    Sent(sought): Sent<RfSearchUsers>,
) -> Result<Json<RfUsers>, Problem> {
    needs(&caller, "referrers:read")?;
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let campaign_id = who::campaign(&mut conn, &scope, sought.campaign_id.as_ref()).await?;
    let paging = Paging::of_search(&asked, sought.page, sought.per_page);
    let which = which(&mut conn, &scope, campaign_id).await?;
    let with = wants_analytics(sought.with.as_deref());
    let (total, data) = match found(&mut conn, &scope, &which, &sought).await? {
        None => everybody(&mut conn, &scope, &which, paging, with).await?,
        Some(hits) => {
            let skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
            let take = usize::try_from(paging.per_page).unwrap_or_default();
            let positions: Vec<Position> =
                hits.iter().skip(skip).take(take).map(|h| Position { kind: h.kind, id: h.id, at: h.at }).collect();
            (i64::try_from(hits.len()).unwrap_or(i64::MAX), at(&mut conn, &scope, &positions, with).await?)
        }
    };
    let path = format!("{}{}", scope.public_url, operation.path);
    let (links, meta) = frame(paging, total, data.len(), path, &[]);
    Ok(Json(RfUsers { data, links, meta }))
}

/// Users who match every filter, newest first; `None` without a filter.
async fn found(conn: &mut Conn, scope: &Scope, which: &Which, sought: &RfSearchUsers) -> DbResult<Option<Vec<Hit>>> {
    let mut fit: Option<BTreeMap<(i64, i64), Hit>> = None;
    let mut narrow = |hits: Vec<Hit>| {
        let hits: BTreeMap<(i64, i64), Hit> = hits.into_iter().map(|h| ((h.kind, h.id), h)).collect();
        fit = Some(match fit.take() {
            None => hits,
            Some(before) => before.into_iter().filter(|(key, _)| hits.contains_key(key)).collect(),
        });
    };
    if let Some(email) = &sought.email {
        let leads = store::find::leads_by_email(conn, &which.campaigns, which.test, email.key()).await?;
        let leads: Vec<i64> = leads.into_iter().map(|l| l.id).collect();
        let referrer = store::find::referrer_by_email(conn, which.business_id, email.key()).await?;
        narrow(list::positions(conn, which, &leads, referrer.as_slice()).await?);
    }
    if let Some(code) = &sought.code {
        let (mut lead, mut hits) = (None, Vec::new());
        if let Some(id) = crate::id::parse_lead_code(code) {
            lead = store::find::lead(conn, scope.business_id, scope.test, id).await?.map(|l| l.id);
        } else if let Some(known) = store::find::code(conn, which.business_id, code).await? {
            // A code is of one campaign; its referrer may be in others.
            hits = list::positions(conn, which, &[], &[known.referrer_id]).await?;
            hits.retain(|h| h.id == known.enrollment_id);
        }
        hits.extend(list::positions(conn, which, lead.as_slice(), &[]).await?);
        narrow(hits);
    }
    if let Some(name) = &sought.first_name {
        narrow(list::called(conn, which, &fold(name)).await?);
    }
    let Some(fit) = fit else { return Ok(None) };
    // A referrer of several campaigns is one user of the business.
    let mut once: BTreeMap<(i64, i64), Hit> = BTreeMap::new();
    for hit in fit.into_values() {
        once.entry((hit.kind, if which.of_one { hit.id } else { hit.person })).or_insert(hit);
    }
    let mut hits: Vec<Hit> = once.into_values().collect();
    hits.sort_unstable_by_key(|h| std::cmp::Reverse((h.at, h.id)));
    Ok(Some(hits))
}
