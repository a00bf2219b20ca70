//! What calls about the inbox take and answer.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::field::{IdText, Line, OneOf, Word};
use crate::api::v1::common::{After, Limit, instant, maybe_instant};
use crate::api::v1::moves::Seen;
use crate::api::v1::store::inbox::ItemRow;
use crate::id::{self, Kind};
use crate::object;

/// Where an item can stand.
#[derive(Debug, Clone, Copy)]
pub struct ItemState(pub &'static str);

impl Word for ItemState {
    const WORDS: &'static [&'static str] = &["open", "accepted", "dismissed"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

object! {
    /// Which items are asked for.
    strict pub struct InboxAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// `open` otherwise.
        state "state": Option<OneOf<ItemState>>,
        /// Only of this kind: `unknown_code`, `late_claim`, `second_payment` …
        kind "kind": Option<Line<40>>,
        /// Only about this lead.
        lead "lead": Option<IdText>,
    }
}

object! {
    /// Whom an item about an unknown code means: one of the two. Other items ask for neither.
    strict pub struct Acceptance {
        /// The code that was meant: whose it is referred the lead.
        code "code": Option<Line<60>>,
        /// Or the referrer who was meant: `agent_…` or the integer.
        referrer "referrer": Option<IdText>,
        /// What the preview was called: with it, nothing is done if other money would move by now.
        seen "seen": Option<Seen>,
    }
}

/// An inbox item.
#[derive(Serialize, JsonSchema)]
pub struct Item {
    /// `inbox_…`.
    id: String,
    /// What it is about: `unknown_code`, `late_claim`, `second_payment` …
    kind: String,
    /// `open`, `accepted` or `dismissed`.
    state: String,
    /// How often the same came.
    times: i64,
    /// What is known of it; by kind.
    detail: serde_json::Map<String, serde_json::Value>,
    /// The lead it is about: `lead_…`.
    lead: Option<String>,
    /// The payment it is about: `pay_…`.
    payment: Option<String>,
    /// Who was named: `agent_…`.
    referrer: Option<String>,
    /// What became of it.
    outcome: Option<String>,
    /// When it came first.
    created_at: String,
    /// When it came last, or was decided.
    updated_at: String,
    /// When it was decided; null while it waits.
    closed_at: Option<String>,
}

impl Item {
    pub fn of(row: ItemRow) -> Self {
        Self {
            id: id::render(Kind::InboxItem, row.id),
            kind: row.kind,
            state: row.state,
            times: row.times,
            detail: serde_json::from_str(&row.detail).unwrap_or_default(),
            lead: row.lead_id.map(|id| id::render(Kind::Lead, id)),
            payment: row.payment_id.map(|id| id::render(Kind::Payment, id)),
            referrer: row.referrer_id.map(|id| id::render(Kind::Referrer, id)),
            outcome: row.outcome,
            created_at: instant(row.created_at),
            updated_at: instant(row.updated_at),
            closed_at: maybe_instant(row.closed_at),
        }
    }
}
