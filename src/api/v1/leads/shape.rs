//! What calls about leads take and answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::field::{
    Clearable, ClearableNumber, IdText, Line, Many, NumberText, OneOf, Text, Tried, Word, maybe_number_schema,
};
use crate::api::problem::FieldProblem;
use crate::api::v1::common::{After, Limit, Sort, instant, maybe_instant};
use crate::api::v1::store::leads::LeadRow;
use crate::engine::Status;
use crate::id::{self, Kind};
use crate::leads::ARRIVALS;
use crate::object;

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
        /// `-created`, the newest first, otherwise; `created` is the oldest first, for whoever copies the list.
        sort "sort": Option<OneOf<Sort>>,
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
        /// Only with this very source, as it is written.
        source "source": Option<Line<100>>,
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
        /// Where they work.
        company "company": Option<Line<200>>,
        /// What they do there.
        jobtitle "jobtitle": Option<Line<200>>,
        /// What the company does.
        industry "industry": Option<Line<200>>,
        /// The company's address on the web.
        website "website": Option<Line<500>>,
        /// What they want.
        request "request": Option<Text<5000>>,
        /// A plain decimal.
        budget "budget": Option<NumberText>,
        /// In your words.
        country "country": Option<Line<100>>,
        /// The part of the country.
        state "state": Option<Line<100>>,
        /// Street and town.
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
        /// The full name.
        name "name": Option<Line<200>>,
        /// The e-mail address.
        email "email": Option<Clearable<320>>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Clearable<60>>,
        /// Where they work.
        company "company": Option<Clearable<200>>,
        /// What they do there.
        jobtitle "jobtitle": Option<Clearable<200>>,
        /// What the company does.
        industry "industry": Option<Clearable<200>>,
        /// The company's address on the web.
        website "website": Option<Clearable<500>>,
        /// What they want.
        request "request": Option<Clearable<5000>>,
        /// A plain decimal.
        budget "budget": Option<ClearableNumber>,
        /// In your words.
        country "country": Option<Clearable<100>>,
        /// The part of the country.
        state "state": Option<Clearable<100>>,
        /// Street and town.
        address "address": Option<Clearable<500>>,
        /// Where they came from, in your words.
        source "source": Option<Clearable<100>>,
        /// Whether it is worked on.
        active "active": Option<bool>,
    }
}

object! {
    /// A status.
    strict pub struct NewStatus {
        /// `qualified` and `converted` qualify the lead.
        status "status": OneOf<Status>,
    }
}

object! {
    /// Whether a lead counts.
    strict pub struct Qualification {
        /// False takes it back.
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
        /// False takes it back.
        qualified "qualified": bool,
        /// For the audit.
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
    /// The full name.
    pub name: String,
    /// As it was written; matched without case and domain spelling.
    pub email: Option<String>,
    /// As it was written.
    pub phone: Option<String>,
    /// Where they work.
    pub company: Option<String>,
    /// What they do there.
    pub jobtitle: Option<String>,
    /// What the company does.
    pub industry: Option<String>,
    /// The company's address on the web.
    pub website: Option<String>,
    /// What they want.
    pub request: Option<String>,
    /// A plain decimal, without a currency.
    #[schemars(schema_with = "maybe_number_schema")]
    pub budget: Option<Box<RawValue>>,
    /// In your words.
    pub country: Option<String>,
    /// The part of the country.
    pub state: Option<String>,
    /// Street and town.
    pub address: Option<String>,
    /// Where they came from, in your words.
    pub source: Option<String>,
    /// `api` or `dashboard`.
    pub source_origin: String,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    pub status: String,
    /// Whether it is worked on.
    pub active: bool,
    /// Set while the referral counts.
    pub qualified_at: Option<String>,
    /// When they first paid.
    pub converted_at: Option<String>,
    /// Who referred it; null while nobody counts.
    pub attribution: Option<Attribution>,
    /// The lead it is a duplicate of: `lead_…`.
    pub duplicate_of: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Set while it is archived.
    pub archived_at: Option<String>,
}

/// What counts for a lead.
#[derive(Serialize, JsonSchema)]
pub struct Attribution {
    /// `agent_…`.
    pub referrer: String,
    /// The code it came by, where there was one.
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
    /// Its name; inside another one's with a point.
    pub field: String,
    /// What is wrong with it.
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
    /// In the order of what was sent.
    pub items: Vec<LeadAdded>,
}

/// What became of one qualification.
#[derive(Serialize, JsonSchema)]
pub struct QualifiedItem {
    /// `changed`, `already`, `refused`, `not_found` or `invalid`.
    pub result: &'static str,
    /// `lead_…`; null where no lead was found.
    pub lead: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// What is wrong with the item.
    pub errors: Vec<ItemError>,
}

/// What became of each qualification.
#[derive(Serialize, JsonSchema)]
pub struct Qualified {
    /// In the order of what was sent.
    pub items: Vec<QualifiedItem>,
}
