//! Sets whether a referral counts: by a program with a key, or by a campaign's webhook address.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap};

use super::ask::{RfQualification, RfWebhook};
use super::list::ONE_USER;
use super::store::find::{self, KnownLead};
use super::user::RfOneUser;
use super::who::{self, Scope, Stop};
use super::{Version, of_version};
use crate::actor::{Actor, ActorKind};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::app::App;
use crate::clock::Zone;
use crate::code;
use crate::db;
use crate::db::{Conn, DbError, DbResult, Tx};
use crate::email::Email;
use crate::engine::{
    self, AddLead, Claim, ClaimBy, Contact, Decided, Event, Outcome, Qualify, QualifyBy, SourceOrigin, Status,
    TouchKind,
};
use crate::keys;
use crate::leads::fields::LeadFact;
use crate::phone::Phone;
use crate::web::layers::client_ip;

const BY_EMAIL: &str = r#"{"email":"amy@example.org","campaign_id":1003,"qualified":true}"#;
const BY_CODE: &str = r#"{"code":"L5ZK09Q3MT"}"#;

pub fn calls(api: Api, version: Version) -> Api {
    let (path, id) = of_version!(version, "/users/qualification", "rfQualifyUser");
    let qualify = Operation::put(path, id, "Qualify a lead")
        .about("By `id`, by `code`, or by `email` with `campaign_id`; several must mean the same lead. A `code` is the lead's own; else a referrer's: with `email` or `phone` that lead is made if need be and counts for the referrer, alone the one lead is meant that the referrer has in the campaign. Doing it again changes nothing. `qualified: false` takes it back.")
        .scope("leads:write")
        .takes_form::<RfQualification>(BY_EMAIL)
        .answers::<RfOneUser>(200, "The lead as it is now.", ONE_USER);
    api.with(qualify, qualify_user)
}

pub fn webhook(api: Api) -> Api {
    let hook = Operation::post("/webhook/{token}/qualify", "rfQualifyByWebhook", "Qualify a lead by a webhook")
        .about("For programs that can call an address and set no header. The address is a campaign's and stands on the Integrations page; whoever has it may qualify its leads.")
        .open()
        .in_path("token", "The secret of the campaign's address.")
        .takes_form::<RfWebhook>(BY_CODE)
        .refuses(&[404])
        .answers::<RfOneUser>(200, "The lead as it is now.", ONE_USER);
    api.with(hook, qualify_by_webhook)
}

async fn qualify_user(
    State(app): State<App>,
    caller: Caller,
    Sent(sent): Sent<RfQualification>,
) -> Result<Json<RfOneUser>, Problem> {
    let scope = Scope::of(&app, &caller);
    let campaign_id = who::campaign(&mut app.db.read().await?, &scope, sent.campaign_id.as_ref()).await?;
    let names = Names {
        id: sent.id.map(|id| id.0),
        code: one_code(sent.code.map(|c| c.0), sent.coupon.map(|c| c.0))?,
        phone: phone(&scope, sent.phone.map(|p| p.0))?,
        email: sent.email,
        first_name: sent.first_name.map(|n| n.0),
        campaign_id,
    };
    qualify(&app, &scope, names, sent.qualified).await
}

async fn qualify_by_webhook(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    Sent(sent): Sent<RfWebhook>,
) -> Result<Json<RfOneUser>, Problem> {
    let found = keys::find_webhook(&mut app.db.read().await?, &token).await?;
    let hook = found.ok_or_else(|| Problem::not_found("There is no such webhook."))?;
    let actor = Actor {
        kind: ActorKind::Key,
        id: None,
        name: format!("Webhook of {}", hook.campaign),
        origin: client_ip(&extensions, &headers, &app.config),
        call: None,
    };
    let scope = Scope {
        business_id: hook.business_id,
        test: false,
        zone: Zone::parse(&hook.timezone).unwrap_or_default(),
        country: hook.country,
        public_url: app.config.public_url.clone(),
        campaign_id: Some(hook.campaign_id),
        actor: Arc::new(actor),
    };
    let names = Names {
        id: None,
        code: one_code(sent.code.map(|c| c.0), sent.coupon.map(|c| c.0))?,
        phone: phone(&scope, sent.phone.map(|p| p.0))?,
        email: sent.email,
        first_name: sent.first_name.map(|n| n.0),
        campaign_id: Some(hook.campaign_id),
    };
    qualify(&app, &scope, names, sent.qualified.unwrap_or(true)).await
}

fn one_code(code: Option<String>, coupon: Option<String>) -> Result<Option<String>, FieldProblem> {
    match (code, coupon) {
        (Some(code), Some(coupon)) if code::lookup_form(&code) != code::lookup_form(&coupon) => {
            Err(FieldProblem::wrong("coupon", "is not the same as code"))
        }
        (code, coupon) => Ok(code.or(coupon)),
    }
}

fn phone(scope: &Scope, text: Option<String>) -> Result<Option<Phone>, FieldProblem> {
    let parse = |text: String| Phone::parse(&text, &scope.country);
    text.map(parse).transpose().map_err(|why| FieldProblem::wrong("phone", why))
}

/// The ways a call names a lead.
#[derive(Debug, Clone)]
struct Names {
    id: Option<String>,
    code: Option<String>,
    email: Option<Email>,
    phone: Option<Phone>,
    first_name: Option<String>,
    campaign_id: Option<i64>,
}

/// Whom they mean.
enum Target {
    /// These names always mean the same lead.
    Lead(i64),
    /// Valid while the referrer has no other lead, or no other lead has the phone number.
    Only(i64),
    /// The lead with this address.
    Address { campaign_id: i64, email: Email },
    /// The lead of this contact, who is made if need be and claimed for the code's referrer.
    Contact { campaign_id: i64, code: String },
}

/// Times that whom the names mean may change meanwhile.
const TRIES: usize = 5;

async fn qualify(app: &App, scope: &Scope, names: Names, qualified: bool) -> Result<Json<RfOneUser>, Problem> {
    for _ in 0..TRIES {
        let target = target(&mut app.db.read().await?, scope, &names, qualified).await?;
        let outcome = match target {
            Target::Contact { campaign_id, code } => {
                let add = contact_event(scope, &names, campaign_id, code);
                app.engine.one(scope.by(), add).await?.map(|added| added.lead_id())
            }
            Target::Lead(lead_id) => {
                let qualify = Qualify { lead_id: lead_id.into(), qualified, reason: None };
                app.engine.one(scope.by(), qualify).await?.map(|done| done.lead_id)
            }
            Target::Address { campaign_id, email } => {
                let scope_of = engine::Scope::new(campaign_id, scope.test);
                let qualify = QualifyBy { scope: scope_of, email, qualified };
                app.engine.one(scope.by(), qualify).await?.map(|done| done.lead_id)
            }
            Target::Only(lead_id) => match while_meant(app, scope, &names, lead_id, qualified).await {
                Err(DbError::Stopped(db::Stop::Moved)) => continue,
                other => other?.map(|_| lead_id.into()),
            },
        };
        // Otherwise it became part of another lead, or was archived: whom do the names mean now?
        if let Ok(lead_id) = outcome {
            return Ok(Json(RfOneUser { data: who::show_lead(app, scope, lead_id.0).await? }));
        }
    }
    Err(DbError::Unavailable("the lead that is meant keeps changing".into()).into())
}

/// Qualifies a lead if the names still mean it in the transaction that holds its locks; the write is given up
/// where they mean another one by now.
async fn while_meant(
    app: &App,
    scope: &Scope,
    names: &Names,
    lead_id: i64,
    qualified: bool,
) -> DbResult<Decided<Outcome>> {
    let qualify = Qualify { lead_id: lead_id.into(), qualified, reason: None };
    let asked = Meant { scope: scope.clone(), names: names.clone(), lead_id, qualified };
    app.engine.slice_and(&scope.actor, vec![Event::new(scope.by(), qualify)], asked, if_meant).await
}

struct Meant {
    scope: Scope,
    names: Names,
    lead_id: i64,
    qualified: bool,
}

async fn if_meant(tx: &mut Tx, asked: &Meant, mut outcomes: Vec<Decided<Outcome>>) -> DbResult<Decided<Outcome>> {
    match target(tx, &asked.scope, &asked.names, asked.qualified).await {
        Ok(Target::Only(now)) if now == asked.lead_id => Ok(outcomes.swap_remove(0)),
        Err(Stop::Db(error)) => Err(error),
        _ => Err(DbError::Stopped(db::Stop::Moved)),
    }
}

fn contact_event(scope: &Scope, names: &Names, campaign_id: i64, code: String) -> AddLead {
    let email = names.email.as_ref();
    let phone = names.phone.as_ref();
    let fallback = email.and_then(|e| e.text().split('@').next()).or(phone.map(|p| p.text())).unwrap_or_default();
    let name = names.first_name.as_deref().unwrap_or(fallback);
    AddLead {
        scope: engine::Scope::new(campaign_id, scope.test),
        contact: Box::new(Contact::new(name, email, phone).with(LeadFact::Source, "referral")),
        status: Status::New,
        source_origin: SourceOrigin::Api,
        claim: Some(Claim { kind: TouchKind::Code, by: ClaimBy::Code(code) }),
        recorded_by: None,
        repeats_allowed: false,
        qualify: true,
    }
}

/// Whom the names mean; all of them must mean the same lead.
async fn target(conn: &mut Conn, scope: &Scope, names: &Names, qualified: bool) -> Result<Target, Stop> {
    let mut lead = None;
    if let Some(text) = &names.id {
        lead = Some(by_id(conn, scope, text).await?);
    }
    let mut only = false;
    if let Some(text) = &names.code {
        match by_code(conn, scope, names, text, lead.as_ref(), qualified).await? {
            ByCode::Own(own) => {
                if lead.as_ref().is_some_and(|l| l.id != own.id) {
                    return Err(FieldProblem::wrong("code", "is the code of another lead than the id").into());
                }
                lead = Some(own);
            }
            ByCode::Only(one) => (lead, only) = (Some(one), true),
            ByCode::Same => {}
            ByCode::Contact { campaign_id } if qualified => {
                return Ok(Target::Contact { campaign_id, code: text.clone() });
            }
            ByCode::Contact { campaign_id } => return of_contact(conn, scope, names, campaign_id).await,
        }
    }
    let Some(lead) = lead else {
        if names.email.is_some() {
            let campaign_id = names.campaign_id.ok_or_else(|| FieldProblem::missing("campaign_id"))?;
            return of_contact(conn, scope, names, campaign_id).await;
        }
        let why = match names.phone {
            Some(_) => FieldProblem::wrong("phone", "identifies a lead only beside a referrer’s code"),
            None => FieldProblem::wrong("id", "or code, or email with campaign_id, is required"),
        };
        return Err(why.into());
    };
    agrees(names, &lead)?;
    if names.campaign_id.is_some_and(|id| id != lead.campaign_id) {
        return Err(FieldProblem::wrong("campaign_id", "is not the campaign of that lead").into());
    }
    if lead.duplicate_of.is_some() && qualified {
        return Err(FieldProblem::wrong("id", "is a duplicate; its primary lead can be qualified").into());
    }
    Ok(if only { Target::Only(lead.id) } else { Target::Lead(lead.id) })
}

/// True when the contact named beside a lead is the lead's.
fn agrees(names: &Names, lead: &KnownLead) -> Result<(), FieldProblem> {
    if names.email.as_ref().is_some_and(|email| lead.email_key.as_deref() != Some(email.key())) {
        return Err(FieldProblem::wrong("email", "is not the address of that lead"));
    }
    if names.phone.as_ref().is_some_and(|phone| lead.phone_key.as_deref() != Some(phone.e164())) {
        return Err(FieldProblem::wrong("phone", "is not the number of that lead"));
    }
    Ok(())
}

/// The lead of a contact, which is there.
async fn of_contact(conn: &mut Conn, scope: &Scope, names: &Names, campaign_id: i64) -> Result<Target, Stop> {
    let lead = by_contact(conn, scope, names, campaign_id).await?;
    agrees(names, &lead)?;
    Ok(match &names.email {
        Some(email) => Target::Address { campaign_id, email: email.clone() },
        None => Target::Only(lead.id),
    })
}

async fn by_id(conn: &mut Conn, scope: &Scope, text: &str) -> Result<KnownLead, Stop> {
    if let Some(id) = who::user_id(text) {
        if let Some(lead) = find::lead(conn, scope.business_id, scope.test, id).await? {
            return Ok(lead);
        }
        if who::referrer(conn, scope, id, None).await?.is_some() {
            return Err(FieldProblem::wrong("id", "is a referrer; only leads are qualified").into());
        }
    }
    Err(FieldProblem::wrong("id", "is not a user of this business").into())
}

/// The meaning of a code beside the other names.
enum ByCode {
    /// It is the lead's own.
    Own(KnownLead),
    /// It is a referrer's, who has one lead in the campaign.
    Only(KnownLead),
    /// It is the code of the referrer of the lead that the id means.
    Same,
    /// A referrer's code, with the contact of the lead beside it.
    Contact { campaign_id: i64 },
}

async fn by_code(
    conn: &mut Conn,
    scope: &Scope,
    names: &Names,
    text: &str,
    lead: Option<&KnownLead>,
    qualified: bool,
) -> Result<ByCode, Stop> {
    if let Some(id) = crate::id::parse_lead_code(text)
        && let Some(own) = find::lead(conn, scope.business_id, scope.test, id).await?
    {
        return Ok(ByCode::Own(own));
    }
    let known = find::code(conn, scope.business_id, text).await?;
    let known = known.ok_or_else(|| FieldProblem::wrong("code", "is not the code of a lead or of a referrer"))?;
    if let Some(lead) = lead {
        return match lead.referrer_id == Some(known.referrer_id) {
            true => Ok(ByCode::Same),
            false => Err(FieldProblem::wrong("code", "is not the code of that lead’s referrer").into()),
        };
    }
    let campaign_id = names.campaign_id.unwrap_or(known.campaign_id);
    if campaign_id != known.campaign_id
        && !known.archived
        && find::enrollment(conn, scope.business_id, known.referrer_id, Some(campaign_id)).await?.is_none()
    {
        return Err(FieldProblem::wrong("code", "is the code of a referrer of another campaign").into());
    }
    if names.email.is_some() || names.phone.is_some() {
        return Ok(ByCode::Contact { campaign_id });
    }
    let of = find::leads_of(conn, campaign_id, scope.test, known.referrer_id).await?;
    let only = match of.only.filter(|_| of.leads == 1) {
        Some(id) => find::lead(conn, scope.business_id, scope.test, id).await?,
        None => None,
    };
    only.map(ByCode::Only).ok_or_else(|| {
        let what = if qualified { "qualified" } else { "taken back" };
        let why = format!(
            "is a referrer’s who has {} leads in this campaign, {} of them qualified: nothing was {what}. Add the email of the lead, or send the lead’s own code",
            of.leads, of.qualified
        );
        FieldProblem::wrong("code", why).into()
    })
}

/// The lead of the address; of the phone number where no address is given.
async fn by_contact(conn: &mut Conn, scope: &Scope, names: &Names, campaign_id: i64) -> Result<KnownLead, Stop> {
    if let Some(email) = &names.email {
        let found = find::leads_by_email(conn, &[campaign_id], scope.test, email.key()).await?;
        if let Some(lead) = found.into_iter().next() {
            return Ok(lead);
        }
        let why = match find::referrer_by_email(conn, scope.business_id, email.key()).await? {
            Some(_) => "is a referrer’s; only leads are qualified",
            None => "is not the address of a lead in this campaign",
        };
        return Err(FieldProblem::wrong("email", why).into());
    }
    let key = names.phone.as_ref().map(|phone| phone.e164()).unwrap_or_default();
    let mut found = find::leads_by_phone(conn, campaign_id, scope.test, key).await?;
    match (found.pop(), found.pop()) {
        (Some(lead), None) => Ok(lead),
        (None, _) => Err(FieldProblem::wrong("phone", "is not the number of a lead in this campaign").into()),
        _ => Err(FieldProblem::wrong("phone", "is the number of several leads in this campaign").into()),
    }
}
