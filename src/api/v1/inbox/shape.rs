//! The bodies and answers of the calls about the inbox.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::field::{IdText, Line, OneOf, Word};
use crate::api::v1::common::{instant, maybe_instant};
use crate::api::v1::moves::Seen;
use crate::api::v1::window::Window;
use crate::codes::Known;
use crate::id::{self, Kind};
use crate::inbox::rows::ItemRow;
use crate::object;

/// The states of an item.
#[derive(Debug, Clone, Copy)]
pub struct ItemState(pub &'static str);

impl Word for ItemState {
    const WORDS: &'static [&'static str] = &["open", "accepted", "dismissed"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

object! {
    /// The filters of the items.
    strict pub struct InboxAsked {
        /// `open` otherwise; in the order of changes, any state.
        state "state": Option<OneOf<ItemState>>,
        /// Only of this kind: `unknown_code`, `late_claim`, `second_payment` …
        kind "kind": Option<Line<40>>,
        /// Only about this lead.
        lead "lead": Option<IdText>;
        window: Window
    }
}

object! {
    /// Whom an item about an unknown code means: one of the two. Other items ask for neither.
    strict pub struct Acceptance {
        /// The intended code: its referrer referred the lead.
        code "code": Option<Line<60>>,
        /// Or the referrer who was meant: `agent_…` or the integer.
        referrer "referrer": Option<IdText>,
        /// The token of the preview: with it, nothing is done if other money would move by now.
        seen "seen": Option<Seen>,
    }
}

/// An inbox item.
#[derive(Serialize, JsonSchema)]
pub struct Item {
    /// `inbox_…`.
    id: String,
    /// The kind of item: `unknown_code`, `late_claim`, `second_payment` …
    kind: String,
    /// `open`, `accepted` or `dismissed`.
    state: String,
    /// The number of times the same event arrived.
    times: i64,
    /// The details; by kind.
    detail: serde_json::Map<String, serde_json::Value>,
    /// The lead it is about: `lead_…`.
    lead: Option<String>,
    /// The payment it is about: `pay_…`.
    payment: Option<String>,
    /// The named referrer: `agent_…`.
    referrer: Option<String>,
    /// The active codes that are closest to an unknown one, the closest first. Null for other items, for settled ones, and
    /// in a list behind the first 20: read the item for them.
    closest: Option<Vec<ClosestCode>>,
    /// The outcome.
    outcome: Option<String>,
    /// When it came first.
    created_at: String,
    /// When it came last, or was decided.
    updated_at: String,
    /// When it was decided; null while it waits.
    closed_at: Option<String>,
}

/// A code that may have been meant: accepting takes it as `code`.
#[derive(Serialize, JsonSchema)]
pub struct ClosestCode {
    /// As it is written.
    code: String,
    /// `agent_…`.
    referrer: String,
    /// The referrer's name.
    referrer_name: String,
}

impl ClosestCode {
    fn of(known: Known) -> Self {
        Self { code: known.text, referrer: id::render(Kind::Referrer, known.referrer_id), referrer_name: known.name }
    }
}

impl Item {
    pub fn of(row: ItemRow, closest: Option<Vec<Known>>) -> Self {
        Self {
            closest: closest.map(|near| near.into_iter().map(ClosestCode::of).collect()),
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
