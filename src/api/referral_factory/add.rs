//! Adds a user: a referrer, or with a referrer a lead. Existing users keep their referrer; the other fields
//! sent are updated, so that a call may be made again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::ask::{NamedBy, RfNewUser, changes};
use super::change;
use super::list::{ONE_USER, needs};
use super::store::find;
use super::user::RfOneUser;
use super::who::{self, Scope, Stop, Who};
use super::{Version, of_version};
use crate::api::Caller;
use crate::api::field::Nested;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::app::App;
use crate::db::Conn;
use crate::email::Email;
use crate::engine::{
    self, AddLead, AddLeadOutcome, AmendLead, Claim, ClaimBy, Contact, Outcome, SourceOrigin, Status, TouchKind,
};
use crate::fold::fold;
use crate::leads::fields::LeadFact;
use crate::meta::Meta;
use crate::referrers::{self, AddReferrer, Added, Amend};

const NEW: &str = r#"{"campaign_id":1003,"first_name":"Amy","email":"amy@example.org","referrer":{"field":"code","value":"K7M-4XP-D2CW"},"meta":[{"field":"plan","value":"pro"}]}"#;

pub fn calls(api: Api, version: Version) -> Api {
    let (path, id) = of_version!(version, "/users", "rfAddUser");
    let add = Operation::post(path, id, "Add a user")
        .about("Without `referrer` the user is a referrer and gets a code; with it a lead. An existing user of the campaign is updated and answered with 200: first name and `meta` change, the referrer never does. A test key adds leads, not referrers. `notify` and `promotion` are taken and not acted on. Needs the scope `leads:write` for a lead, `referrers:write` for a referrer.")
        .takes::<RfNewUser>(NEW)
        .refuses(&[403])
        .answers::<RfOneUser>(201, "The new user.", ONE_USER)
        .answers::<RfOneUser>(200, "The user who was there already.", ONE_USER);
    api.with(add, add_user)
}

async fn add_user(State(app): State<App>, caller: Caller, Sent(new): Sent<RfNewUser>) -> Result<Response, Problem> {
    let invited = new.referrer.is_some() || new.referrer_code.is_some();
    needs(&caller, if invited { "leads:write" } else { "referrers:write" })?;
    if !invited {
        caller.may_change("Referrers")?;
    }
    let scope = Scope::of(&app, &caller);
    let mut conn = app.db.read().await?;
    let named = who::campaign(&mut conn, &scope, new.campaign_id.as_ref()).await?;
    let campaign_id = named.or(scope.campaign_id).ok_or_else(|| FieldProblem::missing("campaign_id"))?;
    let claim = if invited { Some(claim(&mut conn, &scope, campaign_id, &new).await?) } else { None };
    drop(conn);
    let person = Person {
        campaign_id,
        name: new.first_name.0.clone(),
        email: new.email.clone(),
        meta: changes(new.meta.clone()),
    };
    let (status, who) = match claim {
        Some(by) => add_lead(&app, &scope, person, by).await?,
        None => add_referrer(&app, &scope, person).await?,
    };
    let data = who::show(&mut app.db.read().await?, &scope, &who, false).await?;
    Ok((status, Json(RfOneUser { data })).into_response())
}

struct Person {
    campaign_id: i64,
    name: String,
    email: Email,
    meta: Vec<Meta>,
}

impl Person {
    /// The name from now on: a user known as Jane Miller stays so when only Jane is sent.
    fn renamed(&self, known: &str) -> Option<String> {
        let (known, sent) = (fold(known), fold(&self.name));
        let same = known == sent || known.strip_prefix(&sent).is_some_and(|rest| rest.starts_with(' '));
        (!same).then(|| self.name.clone())
    }
}

/// The stated referrer. An unknown referrer is refused; a code that no longer counts is accepted: the lead is
/// stored, and a person looks at it.
async fn claim(conn: &mut Conn, scope: &Scope, campaign_id: i64, new: &RfNewUser) -> Result<ClaimBy, Stop> {
    let Some(Nested(referrer)) = &new.referrer else {
        let code = new.referrer_code.as_ref().map(|code| code.0.clone()).unwrap_or_default();
        let wrong = |why| FieldProblem::wrong("referrer_code", why);
        return Ok(code_claim(conn, scope, campaign_id, code).await?.map_err(wrong)?);
    };
    let value = &referrer.value.0;
    let wrong = |why: String| FieldProblem::wrong("value", why).within("referrer");
    let referrer_id = match referrer.field.0 {
        NamedBy::Code => {
            let claim = code_claim(conn, scope, campaign_id, value.clone()).await?;
            return Ok(claim.map_err(|why| wrong(why.to_owned()))?);
        }
        NamedBy::Id => who::user_id(value),
        NamedBy::Email => {
            let email = Email::parse(value).map_err(|why| wrong(why.to_string()))?;
            find::referrer_by_email(conn, scope.business_id, email.key()).await?
        }
    };
    let found = match referrer_id {
        Some(id) => who::referrer(conn, scope, id, Some(campaign_id)).await?,
        None => None,
    };
    match found {
        Some(Who::Referrer { enrollment_id, .. }) => Ok(ClaimBy::Enrollment(enrollment_id.into())),
        _ => Err(wrong("is not a referrer of this campaign".to_owned()).into()),
    }
}

/// The code of a referrer of the campaign, or why it is none.
async fn code_claim(
    conn: &mut Conn,
    scope: &Scope,
    campaign_id: i64,
    code: String,
) -> Result<Result<ClaimBy, &'static str>, Stop> {
    let Some(known) = find::code(conn, scope.business_id, &code).await? else {
        return Ok(Err("is not the code of a referrer"));
    };
    if known.campaign_id != campaign_id && !known.archived {
        let here = find::enrollment(conn, scope.business_id, known.referrer_id, Some(campaign_id)).await?;
        if here.is_none() {
            return Ok(Err("is the code of a referrer of another campaign"));
        }
    }
    Ok(Ok(ClaimBy::Code(code)))
}

async fn add_lead(app: &App, scope: &Scope, person: Person, by: ClaimBy) -> Result<(StatusCode, Who), Problem> {
    let add = AddLead {
        scope: engine::Scope::new(person.campaign_id, scope.test),
        contact: Box::new(Contact::new(&person.name, Some(&person.email), None).with(LeadFact::Source, "referral")),
        status: Status::New,
        source_origin: SourceOrigin::Api,
        claim: Some(Claim { kind: TouchKind::Code, by }),
        recorded_by: None,
        repeats_allowed: false,
        qualify: false,
    };
    let outcomes = change::decide(app, scope, None, vec![add.into()], person.meta.clone()).await?;
    let (status, lead_id) = match outcomes.first() {
        Some(Outcome::AddLead(AddLeadOutcome::Added { lead_id, .. })) => (StatusCode::CREATED, lead_id.0),
        Some(Outcome::AddLead(AddLeadOutcome::Known { lead_id, .. })) => (StatusCode::OK, lead_id.0),
        _ => return Err(FieldProblem::wrong("campaign_id", "is not a campaign of this business").into()),
    };
    let known = find::lead(&mut app.db.read().await?, scope.business_id, scope.test, lead_id).await?;
    if status == StatusCode::OK {
        let user = who::show_lead(app, scope, lead_id).await?;
        if let Some(name) = person.renamed(&user.first_name) {
            let amend = AmendLead { lead_id: lead_id.into(), name: Some(name), email: None };
            let _ = app.engine.one(scope.by(), amend).await?;
        }
    }
    Ok((status, Who::Lead(known.ok_or_else(who::nobody)?)))
}

async fn add_referrer(app: &App, scope: &Scope, person: Person) -> Result<(StatusCode, Who), Problem> {
    let new = AddReferrer {
        business_id: scope.business_id,
        campaign_id: person.campaign_id,
        name: person.name.clone(),
        email: Some(person.email.clone()),
        phone: None,
        company: None,
        marks: crate::meta::Marks::default(),
        generate: true,
    };
    let (status, referrer_id, enrollment_id, known) = match referrers::add(app, &scope.actor, new).await? {
        Added::New { referrer_id, enrollment_id, .. } => (StatusCode::CREATED, referrer_id, enrollment_id, false),
        Added::Known { referrer_id, enrollment_id, enrolled, .. } => {
            let status = if enrolled { StatusCode::CREATED } else { StatusCode::OK };
            (status, referrer_id, enrollment_id, true)
        }
        // None is sent.
        Added::ExternalIdTaken { .. } => return Err(who::nobody()),
    };
    let who = Who::Referrer { referrer_id, enrollment_id };
    let mut name = None;
    if known {
        let user = who::show(&mut app.db.read().await?, scope, &who, false).await?;
        name = person.renamed(&user.first_name);
    }
    if name.is_some() || !person.meta.is_empty() {
        let amend = Amend { name, email: None, meta: person.meta };
        let amended = referrers::amend(app, &scope.actor, scope.business_id, referrer_id, amend).await?;
        change::accepted_amend(amended)?;
    }
    Ok((status, who))
}
