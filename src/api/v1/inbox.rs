//! The inbox: what arrived and could not simply be applied. What an item asks for is decided on its page,
//! where the money it moves is shown first; a program may read items and dismiss them.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{After, Limit, Page, Turn, instant, maybe_instant, nothing, page, path_id};
use super::store::inbox::{self as store, ItemRow};
use crate::api::Caller;
use crate::api::field::{OneOf, Word};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{Asked, InPath};
use crate::app::App;
use crate::desk::{Event, Outcome, What};
use crate::id::{self, Kind};
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/inbox", "listInbox", "List inbox items")
            .about("The newest first; open ones unless asked otherwise.")
            .scope("leads:read")
            .asks::<InboxAsked>()
            .answers::<Page<Item>>(200, "A page of items.", "")
            .link("getInboxItem", "item", "/data/0/id")
            .link("dismissInboxItem", "item", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/inbox/{item}", "getInboxItem", "Read an inbox item")
            .scope("leads:read")
            .in_path("item", "Its id: `inbox_…` or the integer.")
            .answers::<Item>(200, "The item.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::post("/v1/inbox/{item}/dismiss", "dismissInboxItem", "Dismiss an inbox item")
            .about("Nothing is done about it. Doing it twice changes nothing.")
            .scope("leads:write")
            .in_path("item", "Its id: `inbox_…` or the integer.")
            .answers::<Item>(200, "The item as it is now.", "")
            .refuses(&[404, 409]),
        dismiss,
    )
}

/// Where an item can stand.
#[derive(Debug, Clone, Copy)]
pub struct ItemState(&'static str);

impl Word for ItemState {
    const WORDS: &'static [&'static str] = &["open", "accepted", "dismissed"];

    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|known| **known == word).map(|known| Self(known))
    }
}

object! {
    /// Which items are asked for.
    strict struct InboxAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// Where it begins: `next` of the page before.
        after "after": Option<After>,
        /// `open` otherwise.
        state "state": Option<OneOf<ItemState>>,
    }
}

/// An inbox item.
#[derive(Serialize, JsonSchema)]
struct Item {
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
    /// `lead_…`.
    lead: Option<String>,
    /// `pay_…`.
    payment: Option<String>,
    /// `agent_…`.
    referrer: Option<String>,
    /// What became of it.
    outcome: Option<String>,
    created_at: String,
    updated_at: String,
    closed_at: Option<String>,
}

impl Item {
    fn of(row: ItemRow) -> Self {
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

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<InboxAsked>,
) -> Result<Response, Problem> {
    let turn = Turn::new(asked.limit, asked.after);
    let list = store::listing(caller.business_id(), asked.state.map_or("open", |s| s.0.0));
    let rows: Vec<ItemRow> = turn.rows(&mut app.db.read().await?, list).await?;
    Ok(page(&uri, &turn, rows, |row| (row.created_at, row.id), Item::of))
}

async fn find(app: &App, caller: &Caller, id: i64) -> Result<ItemRow, Problem> {
    let row = store::by_id(&mut app.db.read().await?, caller.business_id(), id).await?;
    row.ok_or_else(|| nothing("inbox item"))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    Ok(Json(Item::of(find(&app, &caller, id).await?)))
}

async fn dismiss(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    find(&app, &caller, id).await?;
    let event =
        Event { business_id: caller.business_id(), actor: caller.actor.clone(), what: What::Dismiss { item_id: id } };
    match app.desk.one(event).await? {
        Outcome::Done { .. } => Ok(Json(Item::of(find(&app, &caller, id).await?))),
        Outcome::Refused { why } => Err(Problem::conflict("refused", why)),
        _ => Err(nothing("inbox item")),
    }
}
