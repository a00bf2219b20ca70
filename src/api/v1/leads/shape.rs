//! What calls about leads take and answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::Caller;
use crate::api::field::{Field, IdText, Line, Many, NumberText, OneOf, Text, Tried, Word, Wrong, maybe_number_schema};
use crate::api::problem::FieldProblem;
use crate::api::v1::common::{After, Limit, instant, maybe_instant};
use crate::api::v1::store::leads::{LeadRow, TouchRow};
use crate::desk::{AddLead, Claim, ClaimBy, Contact, Status, TouchKind};
use crate::id::{self, Kind};
use crate::leads::ARRIVALS;
use crate::object;
use crate::phone::Phone;

object! {
    /// Which part of a list is asked for.
    strict pub struct PageAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
    }
}

/// A way of arrival.
#[derive(Debug, Clone, Copy)]
pub struct Arrival(pub &'static str);

impl Word for Arrival {
    const WORDS: &'static [&'static str] = &["code", "link", "verbal", "upload", "staff"];

    fn of(word: &str) -> Option<Self> {
        ARRIVALS.iter().map(|(known, _)| *known).find(|known| *known == word).map(Self)
    }
}

object! {
    /// Which leads are asked for.
    strict pub struct LeadsAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only with this status.
        status "status": Option<OneOf<Status>>,
        /// Only those that came this way.
        arrival "arrival": Option<OneOf<Arrival>>,
        /// Only qualified ones, or only those that are not.
        qualified "qualified": Option<bool>,
        /// Only those of a referrer, by id; `none` for those of nobody.
        referrer "referrer": Option<IdText>,
        /// Only with this very e-mail address, as it is matched: case and domain spelling do not count.
        email "email": Option<Line<320>>,
        /// A piece of name, e-mail, phone or company.
        q "q": Option<Line<200>>,
        /// Archived ones instead of the others.
        archived "archived": Option<bool>,
    }
}

object! {
    /// A lead to add.
    strict pub struct NewLead {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The full name.
        name "name": Line<200>,
        /// The e-mail address. Text that is no address is kept and not matched by.
        email "email": Option<Line<320>>,
        /// The phone number, in the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        company "company": Option<Line<200>>,
        jobtitle "jobtitle": Option<Line<200>>,
        industry "industry": Option<Line<200>>,
        website "website": Option<Line<500>>,
        /// What they want.
        request "request": Option<Text<5000>>,
        /// A plain decimal.
        budget "budget": Option<NumberText>,
        country "country": Option<Line<100>>,
        state "state": Option<Line<100>>,
        address "address": Option<Text<500>>,
        /// Where they came from, in your words.
        source "source": Option<Line<100>>,
        /// `new` otherwise.
        status "status": Option<OneOf<Status>>,
        /// The referral code they brought.
        code "code": Option<Line<60>>,
    }
}

object! {
    /// Leads to add.
    strict pub struct NewLeads {
        /// Up to 1,000.
        items "items": Many<Tried<NewLead>, 1000>,
    }
}

object! {
    /// What changes about a lead. A field that is left out stays; an empty text clears it.
    strict pub struct LeadChange {
        name "name": Option<Line<200>>,
        email "email": Option<Clearable<320>>,
        phone "phone": Option<Clearable<60>>,
        company "company": Option<Clearable<200>>,
        jobtitle "jobtitle": Option<Clearable<200>>,
        industry "industry": Option<Clearable<200>>,
        website "website": Option<Clearable<500>>,
        request "request": Option<Clearable<5000>>,
        /// A plain decimal.
        budget "budget": Option<NumberText>,
        country "country": Option<Clearable<100>>,
        state "state": Option<Clearable<100>>,
        address "address": Option<Clearable<500>>,
        source "source": Option<Clearable<100>>,
        /// Whether it is worked on.
        active "active": Option<bool>,
    }
}

/// Text that an empty one clears.
#[derive(Debug, Clone)]
pub struct Clearable<const MOST: usize>(pub Option<String>);

impl<const MOST: usize> Field for Clearable<MOST> {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        match Text::<MOST>::read(Some(raw.ok_or(Wrong::Missing)?)) {
            Ok(text) => Ok(Self(Some(text.0.trim().to_owned()))),
            Err(Wrong::Missing) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }

    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "maxLength": MOST })
    }
}

object! {
    /// A status.
    strict pub struct NewStatus {
        status "status": OneOf<Status>,
    }
}

object! {
    /// Whether a lead counts.
    strict pub struct Qualification {
        qualified "qualified": bool,
        /// For the audit.
        reason "reason": Option<Line<500>>,
    }
}

object! {
    /// One of many qualifications.
    strict pub struct QualificationItem {
        /// `lead_…` or the integer.
        lead "lead": IdText,
        qualified "qualified": bool,
        reason "reason": Option<Line<500>>,
    }
}

object! {
    /// Leads to qualify, or to take it back from.
    strict pub struct Qualifications {
        /// Up to 1,000.
        items "items": Many<Tried<QualificationItem>, 1000>,
    }
}

/// A lead.
#[derive(Serialize, JsonSchema)]
pub struct Lead {
    /// `lead_…`.
    pub id: String,
    /// The integer behind it, as Referral Factory's API has it.
    pub number: i64,
    /// `campaign_…`.
    pub campaign: String,
    /// Whether it is test data.
    pub test: bool,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub jobtitle: Option<String>,
    pub industry: Option<String>,
    pub website: Option<String>,
    pub request: Option<String>,
    #[schemars(schema_with = "maybe_number_schema")]
    pub budget: Option<Box<RawValue>>,
    pub country: Option<String>,
    pub state: Option<String>,
    pub address: Option<String>,
    pub source: Option<String>,
    /// `api` or `dashboard`.
    pub source_origin: String,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    pub status: String,
    pub active: bool,
    /// Set while the referral counts.
    pub qualified_at: Option<String>,
    pub converted_at: Option<String>,
    /// Who referred it; null while nobody counts.
    pub attribution: Option<Attribution>,
    /// The lead it is a duplicate of.
    pub duplicate_of: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub archived_at: Option<String>,
}

/// What counts for a lead.
#[derive(Serialize, JsonSchema)]
pub struct Attribution {
    /// `agent_…`.
    pub referrer: String,
    pub code: Option<String>,
    /// `code`, `link`, `verbal`, `upload` or `staff`.
    pub arrival: Option<String>,
    /// The touch that counts: `touch_…`.
    pub touch: Option<String>,
}

impl Lead {
    pub fn of(row: LeadRow) -> Self {
        let lead = |id| id::render(Kind::Lead, id);
        Self {
            id: lead(row.id),
            number: row.id,
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            name: row.name,
            email: row.email,
            phone: row.phone,
            company: row.company,
            jobtitle: row.jobtitle,
            industry: row.industry,
            website: row.website,
            request: row.request,
            budget: row.budget.as_deref().and_then(crate::leads::budget::number),
            country: row.country,
            state: row.region,
            address: row.address,
            source: row.source,
            source_origin: row.source_origin,
            status: row.status,
            active: row.active,
            qualified_at: maybe_instant(row.qualified_at),
            converted_at: maybe_instant(row.converted_at),
            attribution: row.referrer_id.map(|referrer| Attribution {
                referrer: id::render(Kind::Referrer, referrer),
                code: row.code,
                arrival: row.arrival,
                touch: row.touch_id.map(|id| id::render(Kind::Touch, id)),
            }),
            duplicate_of: row.duplicate_of.map(lead),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            archived_at: maybe_instant(row.archived_at),
        }
    }
}

/// A touch: evidence that links a lead to a referrer.
#[derive(Serialize, JsonSchema)]
pub struct Touch {
    /// `touch_…`.
    pub id: String,
    /// `click`, `code`, `verbal`, `event`, `import` or `staff`.
    pub kind: String,
    pub code: Option<String>,
    /// `agent_…`.
    pub referrer: Option<String>,
    /// Why it could not count when it came.
    pub refused: Option<String>,
    pub reason: Option<String>,
    pub at: String,
}

impl Touch {
    pub fn of(row: TouchRow) -> Self {
        Self {
            id: id::render(Kind::Touch, row.id),
            kind: row.kind,
            code: row.code,
            referrer: row.referrer_id.map(|id| id::render(Kind::Referrer, id)),
            refused: row.refused,
            reason: row.reason,
            at: instant(row.at),
        }
    }
}

/// What became of one of many leads.
#[derive(Serialize, JsonSchema)]
pub struct LeadAdded {
    /// `added`, `known` or `invalid`.
    pub result: &'static str,
    /// `lead_…`.
    pub lead: Option<String>,
    /// Who counts as its referrer: `agent_…`.
    pub referrer: Option<String>,
    /// Why the code does not count.
    pub refused: Option<&'static str>,
    /// What is wrong with the item.
    pub errors: Vec<ItemError>,
}

/// One field of an item that is wrong.
#[derive(Serialize, JsonSchema)]
pub struct ItemError {
    pub field: String,
    pub message: String,
}

impl ItemError {
    pub fn all(problems: &[FieldProblem]) -> Vec<Self> {
        problems.iter().map(|p| Self { field: p.field.to_string(), message: p.sentence() }).collect()
    }
}

/// What became of each lead.
#[derive(Serialize, JsonSchema)]
pub struct LeadsAdded {
    pub items: Vec<LeadAdded>,
}

/// What became of one qualification.
#[derive(Serialize, JsonSchema)]
pub struct QualifiedItem {
    /// `changed`, `already`, `refused`, `not_found` or `invalid`.
    pub result: &'static str,
    pub lead: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    pub errors: Vec<ItemError>,
}

/// What became of each qualification.
#[derive(Serialize, JsonSchema)]
pub struct Qualified {
    pub items: Vec<QualifiedItem>,
}

impl NewLead {
    /// The event that adds it, in a campaign.
    pub fn event(self, campaign_id: i64, caller: &Caller) -> Result<AddLead, FieldProblem> {
        let phone = self.phone.as_deref().map(|text| Phone::parse(text, &caller.key.row.country)).transpose();
        let phone = phone.map_err(|why| FieldProblem::wrong("phone", why))?;
        let budget = self.budget.map(|b| {
            crate::leads::budget::plain(&b.0).ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))
        });
        let email = self.email.map(|line| line.0);
        let line = |text: Option<String>| text;
        let code = self.code.map(|code| code.0);
        let source = self.source.map(|s| s.0).or_else(|| code.is_some().then(|| "referral".to_owned()));
        Ok(AddLead {
            campaign_id,
            test: caller.test(),
            contact: Contact {
                name: self.name.0,
                email_key: email.as_deref().and_then(crate::email::key_of),
                email,
                phone_key: phone.as_ref().map(|p| p.e164().to_owned()),
                phone: phone.map(|p| p.text().to_owned()),
                company: line(self.company.map(|l| l.0)),
                jobtitle: line(self.jobtitle.map(|l| l.0)),
                industry: line(self.industry.map(|l| l.0)),
                website: line(self.website.map(|l| l.0)),
                request: self.request.map(|t| t.0),
                budget: budget.transpose()?,
                country: self.country.map(|l| l.0),
                region: self.state.map(|l| l.0),
                address: self.address.map(|t| t.0),
                source,
            },
            status: self.status.map_or(Status::New, |s| s.0),
            source_origin: "api",
            claim: code.map(|text| Claim { kind: TouchKind::Code, by: ClaimBy::Code(text) }),
            recorded_by: None,
            repeats_allowed: false,
            qualify: false,
        })
    }
}

/// A lead's facts with a change made to them.
pub fn changed(row: LeadRow, change: LeadChange, caller: &Caller) -> Result<Contact, FieldProblem> {
    fn or<const N: usize>(change: Option<Clearable<N>>, before: Option<String>) -> Option<String> {
        change.map_or(before, |c| c.0)
    }
    let email = or(change.email, row.email);
    let (phone, phone_key) = match change.phone {
        None => (row.phone, row.phone_key),
        Some(Clearable(None)) => (None, None),
        Some(Clearable(Some(text))) => {
            let phone =
                Phone::parse(&text, &caller.key.row.country).map_err(|why| FieldProblem::wrong("phone", why))?;
            (Some(phone.text().to_owned()), Some(phone.e164().to_owned()))
        }
    };
    let budget = match change.budget {
        None => row.budget,
        Some(text) => Some(
            crate::leads::budget::plain(&text.0)
                .ok_or_else(|| FieldProblem::wrong("budget", "must be a plain decimal"))?,
        ),
    };
    Ok(Contact {
        name: change.name.map_or(row.name, |n| n.0),
        email_key: email.as_deref().and_then(crate::email::key_of),
        email,
        phone,
        phone_key,
        company: or(change.company, row.company),
        jobtitle: or(change.jobtitle, row.jobtitle),
        industry: or(change.industry, row.industry),
        website: or(change.website, row.website),
        request: or(change.request, row.request),
        budget,
        country: or(change.country, row.country),
        region: or(change.state, row.region),
        address: or(change.address, row.address),
        source: or(change.source, row.source),
    })
}
