//! The bodies and answers of the calls about leads.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::facts::{Changed, New};
use crate::api::facts::{Given, Shown};
use crate::api::field::{Clearable, ExternalId, IdText, Kept, Line, Many, Metadata, OneOf, Tried, Word};
use crate::api::problem::FieldProblem;
use crate::api::v1::common::{instant, maybe_instant};
use crate::api::v1::window::Window;
use crate::engine::Status;
use crate::id::{self, Kind};
use crate::leads::{ARRIVALS, LeadRow};
use crate::{meta, object};

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
    /// The filters of the leads.
    strict pub struct LeadsAsked {
        /// Only of this campaign; of all otherwise.
        campaign "campaign": Option<IdText>,
        /// Only with this status.
        status "status": Option<OneOf<Status>>,
        /// Only those that came this way.
        arrival "arrival": Option<OneOf<Arrival>>,
        /// Only qualified ones, or only the others.
        qualified "qualified": Option<bool>,
        /// Only leads of this referrer, by id; `none` for leads without one.
        referrer "referrer": Option<IdText>,
        /// Only with this very source, as it is written.
        source "source": Option<Line<100>>,
        /// Only leads with this e-mail address, ignoring case and the spelling of the domain.
        email "email": Option<Line<320>>,
        /// Only the one with this external id; one in each campaign where none is named.
        external_id "external_id": Option<ExternalId>,
        /// Words of name, e-mail, phone, company and code, or pieces of them; case and accents do not matter.
        q "q": Option<Line<200>>,
        /// Archived ones instead of the others.
        archived "archived": Option<bool>;
        window: Window
    }
}

object! {
    /// A lead to add.
    strict pub struct NewLead {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The full name.
        name "name": Line<200>,
        /// The e-mail address. Text that is no address is stored and never matched.
        email "email": Option<Line<320>>,
        /// The phone number, in the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        /// `new` otherwise.
        status "status": Option<OneOf<Status>>,
        /// The referral code they brought.
        code "code": Option<Line<60>>,
        /// The id by which your program knows them; unique among the leads of the campaign, live and test apart.
        external_id "external_id": Option<ExternalId>,
        /// Up to 50 fields of your own: names of up to 40 characters, texts of up to 500.
        metadata "metadata": Option<Metadata>;
        facts: Given<New>
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
    /// Changes to a lead. A missing field stays; an empty text clears it.
    strict pub struct LeadChange {
        /// The full name.
        name "name": Kept<Line<200>>,
        /// The e-mail address.
        email "email": Option<Clearable<320>>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Clearable<60>>,
        /// True while it is worked on.
        active "active": Kept<bool>,
        /// The id by which your program knows them.
        external_id "external_id": Option<Clearable<200>>,
        /// Fields of your own: those that are named change, null takes one away. Null for the whole takes all away.
        metadata "metadata": Option<Metadata>;
        facts: Given<Changed>
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
    /// True when a lead counts.
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
    /// True for test data.
    pub test: bool,
    /// The full name.
    pub name: String,
    /// As it was written; matched without case and domain spelling.
    pub email: Option<String>,
    /// As it was written.
    pub phone: Option<String>,
    #[serde(flatten)]
    pub facts: Shown<New>,
    /// `api` or `dashboard`.
    pub source_origin: String,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    pub status: String,
    /// True while it is worked on.
    pub active: bool,
    /// Set while the referral counts.
    pub qualified_at: Option<String>,
    /// When they first paid.
    pub converted_at: Option<String>,
    /// The referrer; null while none counts.
    pub attribution: Option<Attribution>,
    /// The lead it is a duplicate of: `lead_…`.
    pub duplicate_of: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// Set while it is archived.
    pub archived_at: Option<String>,
    /// The id by which your program knows them.
    pub external_id: Option<String>,
    /// Fields of your program.
    pub metadata: BTreeMap<String, String>,
    /// Warnings in words: it is stored, and may not be what was meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The e-mail of a lead is stored as it comes.
pub fn warnings(email: Option<&str>) -> Vec<String> {
    let odd = email.is_some_and(|text| crate::email::key_of(text).is_none());
    if odd { vec![ODD_EMAIL.to_owned()] } else { Vec::new() }
}

const ODD_EMAIL: &str =
    "email is stored as text: it is no e-mail address, so the lead is not found by it and earns nothing by it.";

/// The attribution of a lead.
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
            warnings: warnings(row.email.as_deref()),
            metadata: meta::texts(&row.meta),
            external_id: row.external_id,
            id: lead(row.id),
            number: row.id,
            campaign: id::render(Kind::Campaign, row.campaign_id),
            test: row.test,
            name: row.name,
            email: row.email,
            phone: row.phone,
            facts: row.facts.into(),
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

/// The outcome of one of many leads.
#[derive(Serialize, JsonSchema)]
pub struct LeadAdded {
    /// `added`, `known` or `invalid`.
    pub result: &'static str,
    /// `lead_…`.
    pub lead: Option<String>,
    /// The referrer that counts: `agent_…`.
    pub referrer: Option<String>,
    /// Why the code does not count.
    pub refused: Option<&'static str>,
    /// Warnings in words: it is stored, and may not be what was meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The fault of the item.
    pub errors: Vec<ItemError>,
}

/// One field of an item that is wrong.
#[derive(Serialize, JsonSchema)]
pub struct ItemError {
    /// Its name; inside another one's with a point.
    pub field: String,
    /// The fault of the field.
    pub message: String,
}

impl ItemError {
    pub fn all(problems: &[FieldProblem]) -> Vec<Self> {
        problems.iter().map(|p| Self { field: p.field.to_string(), message: p.sentence() }).collect()
    }
}

/// The outcome of each lead.
#[derive(Serialize, JsonSchema)]
pub struct LeadsAdded {
    /// In the order of what was sent.
    pub items: Vec<LeadAdded>,
}

/// The outcome of one qualification.
#[derive(Serialize, JsonSchema)]
pub struct QualifiedItem {
    /// `changed`, `already`, `refused`, `not_found` or `invalid`.
    pub result: &'static str,
    /// `lead_…`; null where no lead was found.
    pub lead: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The fault of the item.
    pub errors: Vec<ItemError>,
}

/// The outcome of each qualification.
#[derive(Serialize, JsonSchema)]
pub struct Qualified {
    /// In the order of what was sent.
    pub items: Vec<QualifiedItem>,
}
