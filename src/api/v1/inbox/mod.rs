//! The inbox: events that need a person's decision, and the one call that settles each. Accepting does what
//! the button on the item's page does; a preview shows the money it moves.

mod shape;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;

use super::common::{field_id, nothing, path_id};
use super::moves::{Preview, is_as_seen, look, may_move, rejected};
use super::part::{Hits, Page, Part, page};
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, SentIfAny};
use crate::app::App;
use crate::codes::{self, Lookup};
use crate::engine::{Dismiss, Event, Reopen, What};
use crate::id::Kind;
use crate::inbox::rows::{self as store};
use crate::inbox::{self, Claimant, Fix, ItemRow};
use crate::referrers::rows as people;
use shape::{Acceptance, InboxAsked, Item};

const ID: &str = "Its id: `inbox_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/inbox", "listInbox", "List inbox items")
            .about("The newest first; open ones unless asked otherwise, and with `updated_since` those of every state.")
            .scope("leads:read")
            .asks::<InboxAsked>()
            .answers::<Page<Item>>(200, "A page of items.", "")
            .link("getInboxItem", "item", "/data/0/id")
            .link("acceptInboxItem", "item", "/data/0/id")
            .link("dismissInboxItem", "item", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/inbox/{item}", "getInboxItem", "Read an inbox item")
            .about("With its details, the closest codes where it asks for one, and its outcome.")
            .scope("leads:read")
            .in_path("item", ID)
            .answers::<Item>(200, "The item.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::post("/v1/inbox/{item}/accept", "acceptInboxItem", "Accept an inbox item")
            .once()
            .about("Does what its page offers: attributes the lead (its waiting payments earn), records the second payment, or lets the older payments earn. An item about an unknown code needs the referrer. The preview says which money moves; with its `seen`, exactly that is done, or nothing (412). Where money moves, the key needs `money:write` as well. Accepting twice changes nothing.")
            .scope("leads:write")
            .in_path("item", ID)
            .may_take::<Acceptance>("{}")
            .answers::<Item>(200, "The item as it is now.", "")
            .refuses(&[404, 409, 412]),
        accept,
    )
    .with(
        Operation::post(
            "/v1/inbox/{item}/accept/preview",
            "previewAcceptance",
            "See which money accepting an item would move",
        )
        .about("Takes what `POST /v1/inbox/{item}/accept` takes, and does nothing.")
        .scope("money:read")
        .in_path("item", ID)
        .may_take::<Acceptance>("{}")
        .answers::<Preview>(200, "The money that would move.", "")
        .refuses(&[404, 409]),
        preview,
    )
    .with(
        Operation::post("/v1/inbox/{item}/dismiss", "dismissInboxItem", "Dismiss an inbox item")
            .once()
            .about("Nothing is done about it. Doing it twice changes nothing.")
            .scope("leads:write")
            .in_path("item", ID)
            .answers::<Item>(200, "The item as it is now.", "")
            .refuses(&[404, 409]),
        dismiss,
    )
    .with(
        Operation::post("/v1/inbox/{item}/reopen", "reopenInboxItem", "Take a dismissal back")
            .once()
            .about("The item is open again. An accepted item stays done: 409.")
            .scope("leads:write")
            .in_path("item", ID)
            .answers::<Item>(200, "The item as it is now.", "")
            .refuses(&[404, 409]),
        reopen,
    )
}

fn no_item() -> Problem {
    nothing("inbox item")
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<InboxAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window, &caller, app.clock.now());
    let filter = store::Filter {
        test: caller.test(),
        // A reader of changes hears that an item was closed.
        state: asked.state.map(|s| s.0.0).or((!part.by_changes()).then_some("open")),
        by_changes: part.by_changes(),
        kind: asked.kind.map(|kind| kind.0),
        lead_id: asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?,
    };
    let list = store::listing(caller.business_id(), &filter);
    let rows: Hits<store::ItemRow> = part.rows(&mut app.db.read().await?, list).await?;
    let mut items = Vec::with_capacity(rows.rows.len());
    for (at, row) in rows.rows.into_iter().enumerate() {
        let key = (part.at(row.created_at, row.updated_at), row.id);
        items.push((key, item(&app, &caller, row, at < LOOKED_UP).await?));
    }
    let items = Hits { rows: items, rest: rows.rest };
    Ok(page(&uri, &part, items, |(key, _)| *key, |(_, item)| item))
}

/// Items of a list that the closest codes are looked up for, as on the page.
const LOOKED_UP: usize = 20;

/// An item, with the codes that are closest to the one that came.
async fn item(app: &App, caller: &Caller, row: store::ItemRow, look_up: bool) -> Result<Item, Problem> {
    let mut near = None;
    if look_up && row.state == "open" {
        let mut conn = app.db.read().await?;
        let whole = inbox::by_id(&mut conn, caller.business_id(), row.id).await?;
        if let Some(whole) = whole.filter(|whole| inbox::fix_of(whole) == Fix::Closest) {
            near = Some(inbox::closest(&mut conn, caller.business_id(), &whole).await?);
        }
    }
    Ok(Item::of(row, near))
}

async fn find(app: &App, caller: &Caller, id: i64) -> Result<store::ItemRow, Problem> {
    let row = store::by_id(&mut app.db.read().await?, caller.business_id(), caller.test(), id).await?;
    row.ok_or_else(no_item)
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    let row = find(&app, &caller, id).await?;
    Ok(Json(item(&app, &caller, row, true).await?))
}

/// The effect of accepting an item, or why it cannot be accepted.
async fn acceptance(app: &App, caller: &Caller, id: i64, asked: &Acceptance) -> Result<What, Problem> {
    let row = inbox::by_id(&mut app.db.read().await?, caller.business_id(), id).await?.ok_or_else(no_item)?;
    if row.state != "open" {
        return Err(Problem::conflict("refused", format!("This item is {} already.", row.state)));
    }
    let fix = inbox::fix_of(&row);
    if fix == Fix::None {
        let advice = inbox::words_of(&row).advice;
        return Err(Problem::conflict("refused", format!("This item cannot be accepted. {advice}")));
    }
    let chosen = if fix == Fix::Closest {
        Some(claimant(app, caller, &row, asked).await?)
    } else if asked.code.is_some() || asked.referrer.is_some() {
        let field = if asked.code.is_some() { "code" } else { "referrer" };
        return Err(FieldProblem::wrong(field, "is not asked for by this item").into());
    } else {
        None
    };
    inbox::accepting(&row, chosen).ok_or_else(|| Problem::conflict("refused", "This item cannot be accepted."))
}

/// The referrer, where the item names none.
async fn claimant(app: &App, caller: &Caller, row: &ItemRow, asked: &Acceptance) -> Result<Claimant, Problem> {
    let mut conn = app.db.read().await?;
    let (field, referrer, code) = match (&asked.code, &asked.referrer) {
        (Some(text), None) => match codes::look_up(&mut conn, caller.business_id(), text).await? {
            Lookup::Found { code, .. } if code.state != "retired" => ("code", code.referrer_id, Some(code)),
            _ => return Err(FieldProblem::wrong("code", "attributes nobody").into()),
        },
        (None, Some(text)) => ("referrer", field_id(Kind::Referrer, "referrer", &text.0, "referrer")?, None),
        (Some(_), Some(_)) => return Err(FieldProblem::wrong("code", "cannot stand beside referrer").into()),
        (None, None) => {
            let message = "or referrer is required for this item: the owner of the code".to_owned();
            return Err(FieldProblem { message, ..FieldProblem::missing("code") }.into());
        }
    };
    let wrong = || FieldProblem::wrong(field, "is of nobody who is enrolled in the lead's campaign");
    if people::by_id(&mut conn, caller.business_id(), referrer).await?.is_none() {
        return Err(wrong().into());
    }
    let enrollments = people::enrollments(&mut conn, &[referrer]).await?;
    let enrollment = enrollments.into_iter().find(|e| Some(e.campaign_id) == row.lead_campaign_id).ok_or_else(wrong)?;
    let code_id = code.filter(|code| code.enrollment_id == enrollment.id).map(|code| code.id);
    Ok(Claimant { enrollment_id: enrollment.id, code_id })
}

async fn accept(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    SentIfAny(asked): SentIfAny<Acceptance>,
) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    let item = find(&app, &caller, id).await?;
    if item.state == "accepted" {
        return Ok(Json(Item::of(item, None)));
    }
    let what = acceptance(&app, &caller, id, &asked).await?;
    may_move(&app, &caller, &what, no_item).await?;
    is_as_seen(&app, &caller, &what, asked.seen.as_ref(), no_item).await?;
    app.engine.one_of(Event::new(caller.by(), what)).await?.map_err(|why| rejected(why, no_item))?;
    Ok(Json(Item::of(find(&app, &caller, id).await?, None)))
}

async fn preview(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    SentIfAny(asked): SentIfAny<Acceptance>,
) -> Result<Json<Preview>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    find(&app, &caller, id).await?;
    let what = acceptance(&app, &caller, id, &asked).await?;
    Ok(Json(Preview::of(&look(&app, &caller, &what, no_item).await?)?))
}

/// Closes an item, or opens it, without doing anything about it.
async fn settle(app: &App, caller: &Caller, id: i64, what: impl Into<What>) -> Result<Json<Item>, Problem> {
    find(app, caller, id).await?;
    app.engine.one_of(Event::new(caller.by(), what)).await?.map_err(|why| rejected(why, no_item))?;
    let row = find(app, caller, id).await?;
    Ok(Json(item(app, caller, row, true).await?))
}

async fn dismiss(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    settle(&app, &caller, id, Dismiss { item_id: id.into() }).await
}

async fn reopen(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<Item>, Problem> {
    let id = path_id(Kind::InboxItem, &text, "inbox item")?;
    settle(&app, &caller, id, Reopen { item_id: id.into() }).await
}
