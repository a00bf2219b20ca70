//! Cashfin's leads API: leads are created one call each, in bulk and in parallel, and listed by page number.
//!
//! A lead goes to the key's campaign, else to the business's first. The list shows the leads of every
//! campaign, since this contract knows none: a client finds every lead it created, also after its key got
//! another campaign. Live and test data are separate as everywhere. Any spelling of an address or phone
//! number is accepted; what is no address or number is stored and never matched.

mod lead;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::caller::Caller;
use super::dialect::Dialect;
use super::facts::{Contract, Given, number_schema, text_schema};
use super::field::{self, AnyLine, Field, Line, NumberText, OneOf, PassedCode, Wrong, or_none};
use super::operation::{Api, Operation};
use super::problem::Problem;
use super::read::{Asked, Sent};
use crate::app::App;
use crate::db::DbError;
use crate::engine::{self, AddLead, Claim, ClaimBy, Contact, SourceOrigin, Status, TouchKind};
use crate::leads::budget;
use crate::leads::fields::{Kind, LeadFact, Plain};
use crate::leads::listed::{self, Which};
use crate::leads::rows;
use crate::phone::Phone;
use crate::{email, object};
use lead::Lead;

pub fn api() -> Api {
    Api::new(Dialect::Cf, &["/business/lead"])
        .with(
            Operation::post("/business/lead/create", "cfCreateLead", "Create a lead")
                .about("A known e-mail address is accepted and stored as a possible duplicate of the first lead, so that bulk loops may send all their rows, hundreds of calls at a time. `referralCode` (or `referral_code`, or `code`) is an extension: the referral code the lead came with.")
                .scope("leads:write")
                .takes::<Create>(CREATE)
                .answers::<Created>(201, "The lead as it is stored.", CREATED),
            create,
        )
        .with(
            Operation::get("/business/lead/list", "cfListLeads", "List leads")
                .about("The business's leads, newest first, without archived ones. `total` is exact; for a test key it is exact up to 10,000. With `search` it is exact up to 10,000, and 10,000 for what more leads have: the pages end there, and `status` and `source` then choose among the newest 10,000 or so that have the text. A text of one or two characters is looked for in the newest 4,000 leads. `pages` is 0 when there are none. A page behind the last is empty.")
                .scope("leads:read")
                .asks::<List>()
                .answers::<Leads>(200, "A page of leads.", LISTED),
            list,
        )
}

const CREATE: &str = r#"{"name": "Jane Smith", "email": "jane@example.com", "phone": "+254722000001", "company": "Acme Corp", "jobtitle": "CTO", "source": "website", "request": "Interested in enterprise billing solution", "budget": 50000}"#;
const CREATED: &str = r#"{"success": true, "message": "Lead created successfully", "data": {"_id": "507f1f77bcf86cd799439050", "name": "Jane Smith", "email": "jane@example.com", "phone": "+254722000001", "company": "Acme Corp", "jobtitle": "CTO", "industry": null, "website": null, "request": "Interested in enterprise billing solution", "budget": 50000, "country": null, "state": null, "address": null, "source": "website", "status": "new", "sourceorigin": "api", "active": true, "createdat": "2024-01-15T12:00:00.000Z", "updatedat": "2024-01-15T12:00:00.000Z"}}"#;
const LISTED: &str = r#"{"success": true, "data": [{"_id": "507f1f77bcf86cd799439050", "name": "Jane Smith", "email": "jane@example.com", "phone": "+254722000001", "company": "Acme Corp", "jobtitle": "CTO", "industry": null, "website": null, "request": null, "budget": 50000, "country": null, "state": null, "address": null, "source": "website", "status": "new", "sourceorigin": "api", "active": true, "createdat": "2024-01-15T12:00:00.000Z", "updatedat": "2024-01-15T12:00:00.000Z"}], "pagination": {"total": 42, "page": 1, "limit": 10, "pages": 5}, "meta": {"total": 42, "page": 1, "limit": 10, "pages": 5}}"#;

object! {
    /// A lead to create.
    struct Create {
        /// The lead's full name.
        name "name": AnyLine<200>,
        /// Stored as sent; matched when it is an address.
        email "email": Option<AnyLine<1000>>,
        /// Stored as sent; matched when it is a phone number.
        phone "phone": Option<AnyLine<60>>,
        /// The first status; `new` by default.
        status "status": Option<OneOf<Status>>,
        /// An extension: the referral code the lead came with.
        referral_code "referralCode": Option<PassedCode>,
        /// The same as `referralCode`.
        referral_code_too "referral_code": Option<PassedCode>,
        /// The same as `referralCode`.
        code "code": Option<PassedCode>;
        facts: Given<Cashfin>
    }
}

/// The facts of a lead as this contract has them.
#[derive(Debug, Clone)]
struct Cashfin;

impl Contract for Cashfin {
    type Given = Option<String>;

    fn about(plain: &Plain) -> &'static str {
        plain.about_cashfin
    }

    fn read(plain: &'static Plain, raw: Option<&str>) -> Result<Self::Given, Wrong> {
        let Some(raw) = raw.filter(|raw| *raw != "null") else { return Ok(None) };
        or_none(match plain.kind {
            Kind::Line | Kind::Web => field::any_line(Some(raw), plain.most),
            Kind::Text => field::lines(Some(raw), plain.most),
            Kind::Number => number(raw, plain.most),
        })
    }

    fn schema(plain: &Plain) -> Schema {
        if plain.kind != Kind::Number {
            return text_schema(plain);
        }
        let mut schema = number_schema();
        schema.insert("minimum".into(), 0.into());
        schema
    }
}

/// A JSON number from 0 up.
fn number(raw: &str, most: usize) -> Result<String, Wrong> {
    let NumberText(text) = NumberText::read(Some(raw))?;
    if text.starts_with('-') {
        return Err(Wrong::because("must not be negative"));
    }
    budget::plain(&text).ok_or_else(|| Wrong::because(format!("must have at most {most} digits")))
}

/// The answer to a lead that was created.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CfCreated")]
struct Created {
    /// Always true.
    success: bool,
    /// "Lead created successfully"
    message: &'static str,
    data: Lead,
}

impl Create {
    /// The lead, with what it can be matched by.
    fn into_lead(self, caller: &Caller, campaign_id: i64) -> AddLead {
        let code = self.referral_code.or(self.referral_code_too).or(self.code).map(|code| code.0);
        let mut facts = self.facts.facts();
        if code.is_some() && facts[LeadFact::Source].is_none() {
            facts = facts.with(LeadFact::Source, "referral");
        }
        let email = self.email.map(|email| email.0);
        let phone = self.phone.map(|phone| phone.0);
        let number = phone.as_deref().and_then(|text| Phone::parse(text, &caller.key.row.country).ok());
        let contact = Contact {
            name: self.name.0,
            email_key: email.as_deref().and_then(email::key_of),
            email,
            phone_key: number.as_ref().map(|number| number.e164().to_owned()),
            phone: number.map(|number| number.text().to_owned()).or(phone),
            facts,
            marks: None,
            history: crate::engine::History::default(),
        };
        AddLead {
            scope: engine::Scope::new(campaign_id, caller.test()),
            contact: Box::new(contact),
            status: self.status.map_or(Status::New, |status| status.0),
            source_origin: SourceOrigin::Api,
            claim: code.map(|text| Claim { kind: TouchKind::Code, by: ClaimBy::Code(text) }),
            recorded_by: None,
            repeats_allowed: true,
            qualify: false,
        }
    }
}

async fn create(State(app): State<App>, caller: Caller, Sent(sent): Sent<Create>) -> Result<Response, Problem> {
    let campaign = caller.key.campaign();
    let campaign_id = campaign.ok_or_else(|| Problem::conflict("no_campaign", "The business has no campaign yet."))?;
    let add = sent.into_lead(&caller, campaign_id);
    let lead_id = match app.engine.one(caller.by(), add).await {
        Ok(Ok(outcome)) => outcome.lead_id().0,
        Ok(other) => return Err(broken(DbError::Fault(format!("a lead came to {other:?}")))),
        Err(error) => return Err(broken(error)),
    };
    let data = stored(&app, &caller, lead_id).await?;
    let created = Created { success: true, message: "Lead created successfully", data };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// A fault of ours in the words that clients of the original know.
fn broken(error: DbError) -> Problem {
    let ours = matches!(error, DbError::Fault(_));
    let problem = Problem::from(error);
    if ours { Problem { message: "Error creating lead".into(), ..problem } } else { problem }
}

/// The lead was stored but cannot be shown: the client must not send it again.
async fn stored(app: &App, caller: &Caller, lead_id: i64) -> Result<Lead, Problem> {
    let found = async { rows::by_id(&mut app.db.read().await?, caller.business_id(), lead_id).await };
    match found.await {
        Ok(Some(lead)) => Ok(lead.into()),
        Ok(None) => Err(broken(DbError::Fault(format!("lead {lead_id} is not there")))),
        Err(error) => {
            tracing::warn!(%error, lead_id, "a lead that was stored could not be read");
            let message = "The lead was created, but cannot be shown just now. It is in the list.";
            Err(Problem::of(StatusCode::SERVICE_UNAVAILABLE, message))
        }
    }
}

object! {
    /// The filters of the list.
    struct List {
        /// The page, from 1; anything else is 1.
        page "page": Page,
        /// Leads on a page, at most 100; anything else is 10.
        limit "limit": Limit,
        /// A piece of name, e-mail, phone or company; case, accents and apostrophes do not matter.
        search "search": Option<Line<400>>,
        /// A status: new, contacted, qualified, converted, lost. There are no leads of any other.
        status "status": Option<Line<400>>,
        /// The source, exactly as it was sent.
        source "source": Option<Line<400>>,
    }
}

/// The largest number that JavaScript represents exactly.
const LARGEST: i64 = (1 << 53) - 1;

/// A whole number; `None` for other text, and the largest number for larger ones.
fn lenient(raw: Option<&str>) -> Option<i64> {
    let text = raw?.trim().trim_matches('"').trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(LARGEST).min(LARGEST)).filter(|number| *number >= 1)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Page(i64);

impl Field for Page {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        Ok(Self(lenient(raw).unwrap_or(1)))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "default": 1 })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(i64);

impl Field for Limit {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        Ok(Self(lenient(raw).unwrap_or(10).min(100)))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 10 })
    }
}

/// A page of leads.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CfLeads")]
struct Leads {
    /// Always true.
    success: bool,
    data: Vec<Lead>,
    pagination: Pagination,
    /// The same as `pagination`, for clients that read this one.
    meta: Pagination,
}

/// The position of a page among all.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "CfPagination")]
struct Pagination {
    /// Leads in all.
    total: i64,
    /// This page.
    page: i64,
    /// Leads on a page.
    limit: i64,
    /// Pages in all; 0 when there are no leads.
    pages: i64,
}

async fn list(State(app): State<App>, caller: Caller, Asked(asked): Asked<List>) -> Result<Json<Leads>, Problem> {
    let (Page(page), Limit(limit)) = (asked.page, asked.limit);
    let status = asked.status.as_deref().map(Status::parse);
    let which = Which {
        business_id: caller.business_id(),
        test: caller.test(),
        status: status.flatten(),
        source: asked.source.map(|source| source.0),
        search: asked.search.map(|search| search.0).unwrap_or_default(),
    };
    let offset = (page - 1).saturating_mul(limit);
    let (total, found) = match status {
        Some(None) => (0, Vec::new()),
        _ => listed::page(&app.db, &which, offset, limit).await?,
    };
    let pages = total / limit + i64::from(total % limit > 0);
    let pagination = Pagination { total, page, limit, pages };
    let data = found.into_iter().map(Lead::from).collect();
    Ok(Json(Leads { success: true, data, pagination, meta: pagination }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_falls_back() {
        let read = |text: &str| (Page::read_text(text).unwrap().0, Limit::read_text(text).unwrap().0);
        for nonsense in ["", " ", "0", "-1", "abc", "1.5", "1e3", "0x10", "NaN", "1 2", "\u{0}", "٣", "\"", "null"] {
            assert_eq!(read(nonsense), (1, 10), "{nonsense:?}");
        }
        assert_eq!(read("7"), (7, 7));
        assert_eq!(read(" 007 "), (7, 7));
        assert_eq!(read("101"), (101, 100));
        assert_eq!(read("99999999999999999999999"), (LARGEST, 100));
        assert_eq!(LARGEST.saturating_sub(1).saturating_mul(100), 900_719_925_474_099_000);
    }
}
