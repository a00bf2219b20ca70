//! The bodies of Referral Factory's clients.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json_;

use crate::api::field::{Digits, Field, IdText, Kept, Line, Many, Nested, OneOf, Word, Wrong};
use crate::email::Email;
use crate::meta::{self, Meta};
use crate::object;
use crate::text;

/// A number of a page or of its rows: what is no number says nothing, as their own API has it.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub Option<i64>);

impl Number {
    /// This one, else another.
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl Field for Number {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let text = raw.unwrap_or_default().trim_matches('"').trim();
        Ok(Self(text.parse().ok()))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "int64", "minimum": 1 })
    }
}

/// A plain value: text, a number, true or false, or null.
#[derive(Debug, Clone)]
pub struct Plain(pub Json_);

impl Field for Plain {
    const REQUIRED: bool = false;

    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let Some(raw) = raw else { return Ok(Self(Json_::Null)) };
        let value: Json_ = serde_json::from_str(raw).map_err(Wrong::because)?;
        match value {
            Json_::Array(_) | Json_::Object(_) => Err(Wrong::because("must be a string, a number, true or false")),
            Json_::String(line) => Ok(Self(text::clean(&line, 1_000).map_err(Wrong::because)?.into())),
            plain => Ok(Self(plain)),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// The ways to name a referrer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    Id,
    Code,
    Email,
}

impl Word for NamedBy {
    const WORDS: &'static [&'static str] = &["id", "code", "email"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "id" => Some(Self::Id),
            "code" => Some(Self::Code),
            "email" => Some(Self::Email),
            _ => None,
        }
    }
}

object! {
    /// A field of the program's own.
    pub struct RfMeta {
        /// Its name.
        field "field": Line<80>,
        /// A plain value; null takes the field away.
        value "value": Plain,
    }
}

pub type MetaList = Many<Nested<RfMeta>, { meta::MOST }>;

/// The changes that a call asks for.
pub fn changes(list: Option<MetaList>) -> Vec<Meta> {
    let all = list.map(|list| list.0).unwrap_or_default();
    all.into_iter().map(|Nested(m)| Meta { field: m.field.0, value: m.value.0 }).collect()
}

object! {
    /// The referrer of a lead.
    pub struct RfReferrer {
        /// The kind of name: `id`, `code` or `email`.
        field "field": OneOf<NamedBy>,
        /// The id, code or address.
        value "value": Digits<200>,
    }
}

object! {
    /// A user to add: a referrer, or with `referrer` a lead.
    pub struct RfNewUser {
        /// The campaign, as its integer or `campaign_…`; without it the key's, else the default campaign.
        campaign_id "campaign_id": Option<IdText>,
        /// The name.
        first_name "first_name": Line<120>,
        /// Their address. In a campaign it is one lead's and one referrer's.
        email "email": Email,
        /// The referrer; with it the user is a lead.
        referrer "referrer": Option<Nested<RfReferrer>>,
        /// The code of who referred them, as older clients send it.
        referrer_code "referrer_code": Option<Digits<200>>,
        /// Fields of your own.
        meta "meta": Option<MetaList>,
    }
}

object! {
    /// The filters and page size of the list.
    pub struct RfListUsers {
        /// Users of this campaign; without it of all.
        campaign_id "campaign_id": Option<IdText>,
        /// The page, from 1.
        page "page": Number,
        /// Users of a page: 25 by default, at most 250.
        per_page "per_page": Number,
        /// `user.analytics` adds `analytics` to every user.
        with "with": Option<Line<200>>,
    }
}

object! {
    /// Decides between several users with the same text.
    pub struct RfGetUser {
        /// The campaign in which an e-mail address is looked up, or whose figures of a referrer are shown.
        campaign_id "campaign_id": Option<IdText>,
        /// `user.analytics` adds `analytics`.
        with "with": Option<Line<200>>,
    }
}

object! {
    /// The search: users who match every given field.
    pub struct RfSearchUsers {
        /// The whole address.
        email "email": Option<Email>,
        /// A lead's own code, or a referrer's.
        code "code": Option<Digits<200>>,
        /// The beginning of the name.
        first_name "first_name": Option<Line<120>>,
        /// Users of this campaign; without it of all.
        campaign_id "campaign_id": Option<IdText>,
        /// The page, from 1.
        page "page": Number,
        /// Users of a page: 25 by default, at most 250.
        per_page "per_page": Number,
        /// `user.analytics` adds `analytics` to every user.
        with "with": Option<Line<200>>,
    }
}

object! {
    /// The changes to a user; missing fields stay.
    pub struct RfChangeUser {
        /// The name.
        first_name "first_name": Kept<Line<120>>,
        /// Their address.
        email "email": Kept<Email>,
        /// Fields of your own to set; the others stay.
        meta "meta": Option<MetaList>,
        /// The campaign of a lead to qualify.
        campaign_id "campaign_id": Option<IdText>,
        /// True when the lead's referral counts.
        qualified "qualified": Kept<bool>,
    }
}

object! {
    /// The lead whose referral counts, or does not. Several identifiers must mean the same lead.
    pub struct RfQualification {
        /// True when it counts.
        qualified "qualified": bool,
        /// The lead's id.
        id "id": Option<IdText>,
        /// The lead's own code; or the code of a referrer: with `email` or `phone` that lead is made if need
        /// be, alone the one lead that the referrer has in the campaign is meant.
        code "code": Option<Digits<200>>,
        /// The same as `code`.
        coupon "coupon": Option<Digits<200>>,
        /// The lead's address; without a code it needs `campaign_id`.
        email "email": Option<Email>,
        /// The lead's phone number, with a referrer's code.
        phone "phone": Option<Digits<60>>,
        /// The name of a lead that is created.
        first_name "first_name": Option<Line<120>>,
        /// The campaign, as its integer or `campaign_…`.
        campaign_id "campaign_id": Option<IdText>,
    }
}

object! {
    /// The customer who converted, in the campaign of this address.
    pub struct RfWebhook {
        /// The lead's own code, or a referrer's.
        code "code": Option<Digits<200>>,
        /// The same as `code`.
        coupon "coupon": Option<Digits<200>>,
        /// The lead's address.
        email "email": Option<Email>,
        /// The lead's phone number, with a referrer's code.
        phone "phone": Option<Digits<60>>,
        /// The name of a lead that is created.
        first_name "first_name": Option<Line<120>>,
        /// False takes a qualification back; without it, it counts.
        qualified "qualified": Option<bool>,
    }
}

object! {
    /// The page. For a search it may be in the address, as in the links of its answers, or in the body.
    pub struct RfPages {
        /// The page, from 1.
        page "page": Number,
        /// Rows of a page: 25 by default, at most 250.
        per_page "per_page": Number,
    }
}

object! {
    /// The filters of the campaigns.
    pub struct RfSearchCampaigns {
        /// A piece of the name.
        name "name": Option<Line<200>>,
        /// `campaign_…`.
        code "code": Option<Digits<200>>,
        /// The integer, or `campaign_…`.
        id "id": Option<IdText>,
        /// The page, from 1.
        page "page": Number,
        /// Campaigns of a page: 25 by default, at most 250.
        per_page "per_page": Number,
    }
}
