//! The bodies and answers of the calls about referrers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::field::{Clearable, ExternalId, IdText, Kept, Line, Many, Metadata, OneOf, Tried, Word, number_schema};
use crate::api::problem::Problem;
use crate::api::v1::common::{instant, maybe_instant, number};
use crate::api::v1::leads::ItemError;
use crate::api::v1::window::{Limit, Window};
use crate::email::Email;
use crate::id::{self, Kind};
use crate::links;
use crate::referrers::State as Standing;
use crate::referrers::rows::{BalanceRow, EnrollmentRow, ReferrerRow};
use crate::{meta, object};

object! {
    /// The filters of the referrers.
    strict pub struct ReferrersAsked {
        /// Only with this very e-mail address, as it is matched.
        email "email": Option<Line<320>>,
        /// Only the one with this external id.
        external_id "external_id": Option<ExternalId>,
        /// Words of name, e-mail, phone, company and codes, or pieces of them; case and accents do not matter.
        q "q": Option<Line<200>>,
        /// Only those in this campaign.
        campaign "campaign": Option<IdText>,
        /// Only referrers in this state, in the named campaign, else in any.
        state "state": Option<OneOf<Standing>>,
        /// Only those with a code, or only those without: in the campaign where one is named, else in any.
        has_code "has_code": Option<bool>,
        /// Archived ones instead of the others.
        archived "archived": Option<bool>;
        window: Window
    }
}

object! {
    /// A referrer to add.
    strict pub struct NewReferrer {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The full name.
        name "name": Line<200>,
        /// The e-mail address. A referrer who has it already is found and enrolled.
        email "email": Option<Email>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        /// The company they work for.
        company "company": Option<Line<200>>,
        /// The id by which your program knows them; unique among the referrers of the business.
        external_id "external_id": Option<ExternalId>,
        /// Up to 50 fields of your own: names of up to 40 characters, texts of up to 500.
        metadata "metadata": Option<Metadata>,
        /// True to give them a code at once; true by default.
        generate_code "generate_code": Option<bool>,
    }
}

object! {
    /// Referrers to add.
    strict pub struct NewReferrers {
        /// Up to 1,000.
        items "items": Many<Tried<NewReferrer>, 1000>,
    }
}

object! {
    /// The facts of a referrer.
    strict pub struct ReferrerFacts {
        /// The full name.
        name "name": Line<200>,
        /// The e-mail address.
        email "email": Option<Email>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Line<60>>,
        /// The company they work for.
        company "company": Option<Line<200>>,
        /// The id by which your program knows them.
        external_id "external_id": Option<ExternalId>,
        /// Fields of your own.
        metadata "metadata": Option<Metadata>,
    }
}

object! {
    /// Changes to a referrer. A missing field stays; an empty text clears it.
    strict pub struct ReferrerChange {
        /// The full name.
        name "name": Kept<Line<200>>,
        /// The e-mail address.
        email "email": Option<Clearable<320>>,
        /// In the business's country where it has no country code.
        phone "phone": Option<Clearable<60>>,
        /// The company they work for.
        company "company": Option<Clearable<200>>,
        /// The id by which your program knows them.
        external_id "external_id": Option<Clearable<200>>,
        /// Fields of your own: those that are named change, null takes one away. Null for the whole takes all away.
        metadata "metadata": Option<Metadata>,
    }
}

object! {
    /// A campaign for a referrer.
    strict pub struct NewEnrollment {
        /// `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// True to give them a code at once; true by default.
        generate_code "generate_code": Option<bool>,
    }
}

impl Word for Standing {
    const WORDS: &'static [&'static str] = &["active", "paused", "banned"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The state of a referrer in a campaign.
    strict pub struct NewState {
        /// The campaign; the key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// `active`, `paused` or `banned`.
        state "state": OneOf<Standing>,
        /// For the audit.
        reason "reason": Option<Line<500>>,
    }
}

/// A referrer.
#[derive(Serialize, JsonSchema)]
pub struct Referrer {
    /// `agent_…`.
    id: String,
    /// The integer behind it, as Referral Factory's API has it.
    number: i64,
    /// The full name.
    name: String,
    /// The e-mail address, as it was written.
    email: Option<String>,
    /// The phone number, as it was written.
    phone: Option<String>,
    /// The company they work for.
    company: Option<String>,
    /// The id by which your program knows them.
    external_id: Option<String>,
    /// Fields of your program.
    metadata: BTreeMap<String, String>,
    /// The campaigns they are in.
    enrollments: Vec<Enrollment>,
    /// When they were added.
    created_at: String,
    /// When what is known of them was last changed.
    updated_at: String,
    /// Set while they are archived.
    archived_at: Option<String>,
}

/// A referrer in a campaign.
#[derive(Serialize, JsonSchema)]
pub struct Enrollment {
    /// `enroll_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// `active`, `paused` or `banned`.
    state: String,
    /// The active code, if they have one.
    code: Option<String>,
    /// The link that carries it.
    url: Option<String>,
}

/// The outcome of one of many referrers.
#[derive(Serialize, JsonSchema)]
pub struct ReferrerAdded {
    /// `added`, `known` or `invalid`.
    pub result: &'static str,
    /// `agent_…`.
    pub referrer: Option<String>,
    /// Their code in the campaign, where one was generated.
    pub code: Option<String>,
    /// The fault of the item.
    pub errors: Vec<ItemError>,
}

/// The outcome of each referrer.
#[derive(Serialize, JsonSchema)]
pub struct ReferrersAdded {
    /// In the order of what was sent.
    pub items: Vec<ReferrerAdded>,
}

/// One balance.
#[derive(Serialize, JsonSchema)]
pub struct Balance {
    /// ISO 4217.
    currency: String,
    /// `held`, `due` or `paid`.
    account: String,
    /// In the currency's own decimals.
    #[schemars(schema_with = "number_schema")]
    amount: Box<RawValue>,
    /// In minor units.
    amount_minor: i64,
}

/// The amounts owed to a referrer.
#[derive(Serialize, JsonSchema)]
pub struct Balances {
    /// One for each account and currency that has entries.
    data: Vec<Balance>,
}

impl Balances {
    pub fn of(rows: Vec<BalanceRow>) -> Result<Self, Problem> {
        let balance = |b: BalanceRow| {
            let amount = number(b.amount, &b.currency)?;
            Ok(Balance { amount, amount_minor: b.amount, currency: b.currency, account: b.account })
        };
        Ok(Self { data: rows.into_iter().map(balance).collect::<Result<_, Problem>>()? })
    }
}

object! {
    /// The requested part of the balances.
    strict pub struct BalancesAsked {
        /// Referrers of the page.
        limit "limit": Option<Limit>,
        /// The start of the page: `next` of the page before.
        after "after": Option<Line<40>>,
    }
}

/// The amounts owed to one of all referrers.
#[derive(Serialize, JsonSchema)]
pub struct ReferrerBalances {
    /// `agent_…`.
    referrer: String,
    /// One for each account and currency that has entries.
    balances: Vec<Balance>,
}

/// A page of balances.
#[derive(Serialize, JsonSchema)]
pub struct AllBalances {
    /// In the order of the referrers' ids.
    pub data: Vec<ReferrerBalances>,
    /// The `after` of the next call; null on the last page.
    pub next: Option<String>,
}

impl ReferrerBalances {
    pub fn of(referrer_id: i64, rows: Vec<BalanceRow>) -> Result<Self, Problem> {
        Ok(Self { referrer: id::render(Kind::Referrer, referrer_id), balances: Balances::of(rows)?.data })
    }
}

impl Referrer {
    pub fn of(row: ReferrerRow, enrollments: Vec<EnrollmentRow>, public_url: &str) -> Self {
        let enrollment = |e: EnrollmentRow| Enrollment {
            id: id::render(Kind::Enrollment, e.id),
            campaign: id::render(Kind::Campaign, e.campaign_id),
            state: e.state,
            url: e.code.as_deref().map(|c| links::address(public_url, e.campaign_id, c, e.elder.unwrap_or(false))),
            code: e.code,
        };
        Self {
            id: id::render(Kind::Referrer, row.id),
            number: row.id,
            name: row.name,
            email: row.email,
            phone: row.phone,
            company: row.company,
            external_id: row.external_id,
            metadata: meta::texts(&row.meta),
            enrollments: enrollments.into_iter().map(enrollment).collect(),
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            archived_at: maybe_instant(row.archived_at),
        }
    }
}
