//! The messages that came: what each said, and what became of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::campaign::named;
use crate::audit::{self, NewEntry};
use crate::codes;
use crate::db::{Cursor, DbResult, Key, Tx};
use crate::providers::accounts::{self, Account};
use crate::providers::store::messages::{self, KNOWN, MessageLine, MessageRow, State};
use crate::providers::why;
use crate::query::ListQuery;
use crate::shell::{Frame, Page};
use crate::users::Right;
use crate::web::{Chip, Choice, Fault, Flash, PageResult, Pager, html};
use crate::when::When;

#[derive(Template)]
#[template(path = "providers/messages.html")]
struct ListPage {
    frame: Frame,
    q: String,
    accounts: Vec<Choice>,
    states: Vec<Choice>,
    chips: Vec<Chip>,
    /// Values of the list that the filter form has no field for.
    rest: Vec<(String, String)>,
    rows: Vec<Line>,
    pager: Pager,
    searched: bool,
}

struct Line {
    row: MessageLine,
    from: String,
    at: When,
}

impl Line {
    fn state(&self) -> (&'static str, &'static str) {
        shown(self.row.state)
    }
}

/// A state as people read it, with its tone.
fn shown(state: State) -> (&'static str, &'static str) {
    match state {
        State::New => ("to be applied", "neutral"),
        State::Done => ("done", "good"),
        State::Waiting => ("waiting", "warning"),
        State::Ignored => ("ignored", "neutral"),
        State::Failed => ("needs a look", "bad"),
    }
}

fn label(account: &Account) -> String {
    let mode = if account.row.test { ", test" } else { "" };
    format!("{}: {}{mode}", account.row.provider.title(), named(account))
}

pub(super) async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/provider-messages", uri.query(), &KNOWN);
    let mut conn = page.read().await?;
    let (mut rows, searched) = messages::list(&mut conn, page.member.business_id, &query).await?;
    let accounts = accounts::of(&mut conn, page.member.business_id).await?;
    let code = match query.get("code").parse() {
        Ok(id) => codes::by_id(&mut conn, page.member.business_id, id).await?,
        Err(_) => None,
    };
    drop(conn);
    let pager = Pager::cut(&query, &mut rows, |r| Cursor { value: r.id.to_string(), id: r.id }, "Newest first");
    let mut chips = Vec::new();
    if !query.get("q").is_empty() {
        chips.push(Chip::of(&query, "q", format!("“{}”", query.get("q"))));
    }
    if let Some(account) = accounts.iter().find(|a| a.row.id.to_string() == query.get("account")) {
        chips.push(Chip::of(&query, "account", label(account)));
    }
    if let Some(code) = code {
        chips.push(Chip::of(&query, "code", code.text));
    }
    if let Some(state) = State::parse(query.get("state")) {
        chips.push(Chip::of(&query, "state", shown(state).0));
    }
    let any = [(String::new(), "Any account".to_owned())];
    let of = |id: i64| accounts.iter().find(|a| a.row.id == id).map(label).unwrap_or_default();
    let rows =
        rows.into_iter().map(|row| Line { from: of(row.account_id), at: page.when(row.received_at), row }).collect();
    let states = [("", "Any state")].into_iter().chain(State::ALL.map(|state| (state.word(), shown(state).0)));
    html(&ListPage {
        q: query.get("q").to_owned(),
        accounts: Choice::list(
            any.into_iter().chain(accounts.iter().map(|a| (a.row.id.to_string(), label(a)))),
            query.get("account"),
        ),
        states: Choice::list(states, query.get("state")),
        chips,
        rest: query.rest(&["q", "account", "state"]),
        rows,
        pager,
        searched,
        frame: page.frame("campaign").await?,
    })
}

#[derive(Template)]
#[template(path = "providers/message.html")]
struct ShowPage {
    frame: Frame,
    row: MessageRow,
    from: String,
    happened: When,
    received: When,
    applied: Option<When>,
    /// The answer to what became of the use of a code.
    used: Option<why::Answer>,
    /// The message as it came, indented.
    body: String,
    can_edit: bool,
}

impl ShowPage {
    fn used_tone(&self) -> &'static str {
        if self.used.as_ref().is_some_and(|used| used.is_good) { "good" } else { "info" }
    }

    fn state(&self) -> (&'static str, &'static str) {
        shown(self.row.state)
    }
}

pub(super) async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let mut conn = page.read().await?;
    let row = messages::find(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    let accounts = accounts::of(&mut conn, page.member.business_id).await?;
    let used = match accounts.iter().find(|a| a.row.id == row.account_id) {
        Some(account) => why::of_message(&mut conn, account, &row).await?,
        None => None,
    };
    drop(conn);
    let parsed: Option<serde_json::Value> = serde_json::from_str(&row.body).ok();
    html(&ShowPage {
        from: accounts.iter().find(|a| a.row.id == row.account_id).map(label).unwrap_or_default(),
        happened: page.when(row.happened_at),
        received: page.when(row.received_at),
        applied: row.applied_at.map(|at| page.when(at)),
        body: parsed.map_or_else(|| row.body.clone(), |json| format!("{json:#}")),
        can_edit: page.member.may(Right::EditCampaigns),
        used,
        row,
        frame: page.frame("campaign").await?,
    })
}

pub(super) async fn apply(page: Page, Path(id): Path<i64>) -> PageResult {
    let known = messages::find(&mut page.read().await?, page.member.business_id, id).await?;
    known.ok_or(Fault::NotFound)?;
    let input = (page.member.business_id, id);
    let renewed = page.app.db.write(vec![], input, renew).await?;
    let flash = if renewed {
        Flash::good("It is being applied again. Nothing is counted twice.")
    } else {
        Flash::info("It is about to be applied.")
    };
    page.go(&format!("/provider-messages/{id}"), flash).await
}

/// Nothing is to be done about it: it leaves the list of those to look at.
pub(super) async fn dismiss(page: Page, Path(id): Path<i64>) -> PageResult {
    let known = messages::find(&mut page.read().await?, page.member.business_id, id).await?;
    let row = known.ok_or(Fault::NotFound)?;
    let outcome = format!("{} {} looked at it: nothing to do.", row.outcome, page.member.name);
    let input = (page.member.business_id, id, outcome.trim().to_owned());
    let done = page.app.write(vec![Key::Row(id)], &Arc::new(page.member.actor()), input, dismiss_in).await?;
    let flash = if done {
        Flash::good("It was set aside. You find it under “ignored”.")
    } else {
        Flash::info("It needs no look, so nothing was changed.")
    };
    page.go(&format!("/provider-messages/{id}"), flash).await
}

async fn dismiss_in(tx: &mut Tx, input: &(i64, i64, String)) -> DbResult<bool> {
    let dismissed = messages::dismiss(tx, input).await?;
    if dismissed {
        let entry = NewEntry::by(tx, input.0, "provider.dismissed", ("provider_message", input.1))?;
        audit::write(tx, &[entry]).await?;
    }
    Ok(dismissed)
}

async fn renew(tx: &mut Tx, &(business_id, id): &(i64, i64)) -> DbResult<bool> {
    messages::renew(tx, business_id, id).await
}
