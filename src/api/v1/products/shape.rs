//! The bodies and answers of the calls about products and their terms.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::amounts::Amounts;
use crate::api::field::{Field, IdText, Line, Nested, OneOf, UpTo, Word, Wrong};
use crate::api::problem::FieldProblem;
use crate::api::v1::campaigns::ByCurrency;
use crate::api::v1::common::instant;
use crate::clock::Day;
use crate::id::{self, Kind};
use crate::money::Rate;
use crate::object;
use crate::products::versions::TermsRow;
use crate::products::{Limit, NewTerms, Pays as PaysBy, ProductLine};

/// A percentage, as a number or as text.
#[derive(Debug, Clone, Copy)]
pub struct Percent(pub Rate);

impl Field for Percent {
    fn read(raw: Option<&str>) -> Result<Self, Wrong> {
        let raw = raw.ok_or(Wrong::Missing)?;
        let rate = match serde_json::from_str::<String>(raw) {
            Ok(text) => Rate::parse(&text),
            Err(_) => Rate::from_json_number(raw),
        };
        rate.map(Self).map_err(Wrong::because)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "minimum": 0, "maximum": 100 })
    }
}

/// The bound on later payments that earn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    None,
    Months,
    Payments,
}

impl Word for LimitKind {
    const WORDS: &'static [&'static str] = &["none", "months", "payments"];

    fn of(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "months" => Some(Self::Months),
            "payments" => Some(Self::Payments),
            _ => None,
        }
    }
}

object! {
    /// The pay of one line of the terms: one of the two.
    strict pub struct NewPays {
        /// A share of the payment, from 0 to 100, with up to four decimals.
        percent "percent": Option<Percent>,
        /// An amount per payment, in minor units by currency; never more than the payment.
        flat "flat": Option<ByCurrency>,
    }
}

object! {
    /// A version of terms.
    strict pub struct NewVersion {
        /// The first payment date it is for; today otherwise. A product's first version is for all.
        valid_from "valid_from": Option<Day>,
        /// For the first payment.
        referral "referral": Nested<NewPays>,
        /// For later payments; as the first by default.
        recurring "recurring": Option<Nested<NewPays>>,
        /// The time that later payments earn: always (`none`), or for `recurring_count` months or payments.
        recurring_limit "recurring_limit": Option<OneOf<LimitKind>>,
        /// The number of months after the first payment, or of payments after it.
        recurring_count "recurring_count": Option<UpTo<1200>>,
        /// Days for which a commission stays pending; 14 otherwise.
        hold_days "hold_days": Option<UpTo<3650>>,
    }
}

object! {
    /// A product to add.
    strict pub struct NewProductFacts {
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// The name.
        name "name": Line<120>,
        /// True for a test product, whose commissions are never owed.
        test "test": Option<bool>,
        /// The first version of its terms.
        terms "terms": Nested<NewVersion>,
    }
}

object! {
    /// Changes to a product.
    strict pub struct ProductChange {
        /// The name.
        name "name": Line<120>,
    }
}

fn line(name: &'static str, pays: NewPays) -> Result<PaysBy, FieldProblem> {
    match (pays.percent, pays.flat) {
        (Some(percent), None) => Ok(PaysBy::Percent(percent.0)),
        (None, Some(flat)) if flat.0.is_empty() => {
            Err(FieldProblem::wrong("flat", "must name an amount; 0 for nothing").within(name))
        }
        (None, Some(flat)) => Ok(PaysBy::Flat(flat.0.codes())),
        (None, None) => Err(FieldProblem::missing("percent").within(name)),
        (Some(_), Some(_)) => Err(FieldProblem::wrong("flat", "cannot stand beside percent").within(name)),
    }
}

impl NewVersion {
    /// As stored; `valid_from` is as sent.
    pub fn terms(self) -> Result<NewTerms, FieldProblem> {
        let referral = line("referral", self.referral.0)?;
        let recurring = self.recurring.map(|pays| line("recurring", pays.0)).transpose()?;
        let count = self.recurring_count.map_or(0, |count| count.0);
        let kind = self.recurring_limit.map_or(LimitKind::None, |kind| kind.0);
        if kind == LimitKind::None && count > 0 {
            return Err(FieldProblem::wrong("recurring_count", "says nothing without recurring_limit"));
        }
        if kind != LimitKind::None && count == 0 {
            return Err(FieldProblem::missing("recurring_count"));
        }
        Ok(NewTerms {
            valid_from: self.valid_from,
            recurring: recurring.unwrap_or_else(|| referral.clone()),
            referral,
            limit: match kind {
                LimitKind::None => Limit::None,
                LimitKind::Months => Limit::Months(count),
                LimitKind::Payments => Limit::Payments(count),
            },
            hold_days: self.hold_days.map_or(14, |days| days.0),
        })
    }
}

/// Something sold under a campaign.
#[derive(Serialize, JsonSchema)]
pub struct Product {
    /// `product_…`.
    id: String,
    /// `campaign_…`.
    campaign: String,
    /// The name.
    name: String,
    /// True for a test product, whose commissions are never owed.
    test: bool,
    /// When it was made.
    created_at: String,
    /// When its name or its terms last changed.
    updated_at: String,
}

impl Product {
    pub fn of(row: &ProductLine) -> Self {
        Self {
            id: row.public_id.clone(),
            campaign: id::render(Kind::Campaign, row.campaign_id),
            name: row.name.clone(),
            test: row.test,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
        }
    }
}

/// A product with its terms.
#[derive(Serialize, JsonSchema)]
pub struct ProductTerms {
    #[serde(flatten)]
    pub product: Product,
    /// Every version of its terms, the newest first.
    pub terms: Vec<Terms>,
}

/// The pay of one line of the terms: one of the two is set.
#[derive(Serialize, JsonSchema)]
pub struct Pays {
    /// In percent, up to four decimals, as text: "20", "12.5".
    percent: Option<String>,
    /// In minor units by currency.
    flat: Option<BTreeMap<String, i64>>,
}

/// One version of terms; never changed.
#[derive(Serialize, JsonSchema)]
pub struct Terms {
    /// The first is 1.
    number: i64,
    /// The first payment date it is for.
    valid_from: String,
    /// For the first payment.
    referral: Pays,
    /// For later payments.
    recurring: Pays,
    /// `none`, `months` or `payments`.
    recurring_limit: String,
    /// The number of months or payments; 0 for no limit.
    recurring_count: i64,
    /// Days for which a commission stays pending.
    hold_days: i64,
    /// When this version was made.
    created_at: String,
}

fn pays(rate: Option<i64>, flat: Option<&str>) -> Pays {
    let percent = rate.and_then(Rate::from_units).map(|rate| rate.shown().trim_end_matches('%').trim().to_owned());
    let flat = flat.filter(|_| percent.is_none()).map(|text| Amounts::from_json(text).codes());
    Pays { percent, flat }
}

impl Terms {
    pub fn of(row: TermsRow) -> Self {
        Self {
            number: row.number,
            valid_from: row.valid_from,
            referral: pays(row.referral_rate, row.referral_flat.as_deref()),
            recurring: pays(row.recurring_rate, row.recurring_flat.as_deref()),
            recurring_limit: row.recurring_limit,
            recurring_count: row.recurring_count,
            hold_days: row.hold_days,
            created_at: instant(row.created_at),
        }
    }
}
