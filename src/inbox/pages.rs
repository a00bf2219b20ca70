//! The inbox: its list, an item, and the one click that settles it.

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use super::decide::{Claimant, accepting};
use super::store::{self, ItemRow, KNOWN};
use super::words::{Fix, Words, fix_of, is_about_money, words_of};
use crate::codes;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::db::Cursor;
use crate::engine::{AcceptOutcome, Change, ClaimRefusal, Dismiss, Outcome, PaymentOutcome, Rejected, Reopen};
use crate::query::ListQuery;
use crate::record;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Fault, Flash, Form, PageResult, Pager, Tab, html};
use crate::when::When;

pub fn routes() -> Routes {
    let decide = Access::May(Right::DecideInbox);
    Routes::new()
        .get("/inbox", Access::May(Right::SeeInbox), list)
        .get("/inbox/{id}", Access::May(Right::SeeInbox), show)
        .post("/inbox/{id}/accept", decide, accept)
        .post("/inbox/{id}/dismiss", decide, dismiss)
        .post("/inbox/{id}/reopen", decide, reopen)
}

#[derive(Template)]
#[template(path = "inbox/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<Tab>,
    state: &'static str,
    items: Vec<Item>,
    pager: Pager,
    can_decide: bool,
}

#[derive(Template)]
#[template(path = "inbox/show.html")]
struct ShowPage {
    frame: Frame,
    i: Item,
    can_decide: bool,
}

/// An item, ready to read.
struct Item {
    row: ItemRow,
    words: Words,
    when: When,
    closed: Option<When>,
    choices: Vec<Choice>,
    /// The button of a fix that needs no choice; empty where there is none.
    button: String,
    /// The codes to choose from are on the item's own page.
    elsewhere: bool,
    /// No code is close: a person has to say who it was.
    asks_who: bool,
    /// It asks about money, and not who referred the lead.
    about_money: bool,
    test: bool,
}

/// One of the closest codes.
struct Choice {
    enrollment_id: i64,
    /// Empty for a person who was named without a code.
    code_id: String,
    code: String,
    name: String,
}

/// Items of a list that the closest codes are looked up for; the others show them on their own page.
const LOOKED_UP: usize = 20;
const STATES: [(&str, &str); 3] = [("open", "Open"), ("accepted", "Accepted"), ("dismissed", "Dismissed")];

async fn list(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/inbox", uri.query(), &KNOWN);
    let state = STATES.iter().map(|(word, _)| *word).find(|s| *s == query.get("state")).unwrap_or("open");
    let mut rows = store::page(&mut page.read().await?, page.member.business_id, state, &query).await?;
    let pager = Pager::cut(&query, &mut rows, |r| Cursor { value: r.created_at.to_string(), id: r.id }, "Newest first");
    let mut items = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        items.push(item(&page, row, at < LOOKED_UP).await?);
    }
    let frame = page.frame("inbox").await?;
    html(&ListPage {
        tabs: STATES
            .iter()
            .map(|(word, label)| Tab {
                label: (*label).to_owned(),
                url: query.with("state", if *word == "open" { "" } else { word }),
                current: *word == state,
                count: match *word {
                    "open" if frame.inbox_open >= 100 => "100+".to_owned(),
                    "open" => frame.inbox_open.to_string(),
                    _ => String::new(),
                },
            })
            .collect(),
        frame,
        state,
        items,
        pager,
        can_decide: page.member.may(Right::DecideInbox),
    })
}

async fn find(page: &Page, id: i64) -> Result<ItemRow, Fault> {
    store::by_id(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let row = find(&page, id).await?;
    let i = item(&page, row, true).await?;
    html(&ShowPage { frame: page.frame("inbox").await?, i, can_decide: page.member.may(Right::DecideInbox) })
}

async fn item(page: &Page, row: ItemRow, look_up: bool) -> Result<Item, Fault> {
    let fix = fix_of(&row);
    let referrer = row.referrer.as_deref().unwrap_or("the referrer");
    let choices = if fix == Fix::Closest && look_up { closest(page, &row).await? } else { Vec::new() };
    Ok(Item {
        words: words_of(&row),
        when: page.when(row.created_at),
        closed: row.closed_at.map(|at| page.when(at)),
        button: match fix {
            Fix::Attribute => format!("Give to {referrer}"),
            Fix::RecordPayment => "Record as a second payment".to_owned(),
            Fix::Reward => "See the reward".to_owned(),
            Fix::PayBack => "See what they would earn".to_owned(),
            Fix::Closest | Fix::None => String::new(),
        },
        elsewhere: fix == Fix::Closest && !look_up,
        asks_who: fix == Fix::Closest && look_up && choices.is_empty() && row.lead_id.is_some(),
        choices,
        about_money: is_about_money(&row),
        test: row.lead_test == Some(true)
            || detail(&row).get("test").and_then(serde_json::Value::as_bool) == Some(true),
        row,
    })
}

fn detail(row: &ItemRow) -> serde_json::Value {
    serde_json::from_str(&row.detail).unwrap_or_default()
}

/// Active codes of the lead's campaign that are almost the one that came.
async fn closest(page: &Page, row: &ItemRow) -> Result<Vec<Choice>, Fault> {
    if row.refused.as_deref() == Some(ClaimRefusal::Unnamed.word()) {
        let detail = detail(row);
        let text = detail.get("code").and_then(serde_json::Value::as_str).unwrap_or_default();
        return said(page, row, text).await;
    }
    let near = super::closest(&mut page.read().await?, page.member.business_id, row).await?;
    let choice = |c: codes::Known| Choice {
        enrollment_id: c.enrollment_id,
        code_id: c.id.to_string(),
        code: c.text,
        name: c.name,
    };
    Ok(near.into_iter().map(choice).collect())
}

/// People of the lead's campaign who may be meant by what was said.
async fn said(page: &Page, row: &ItemRow, text: &str) -> Result<Vec<Choice>, Fault> {
    let asked = record::Asked {
        business_id: page.member.business_id,
        campaign_id: row.lead_campaign_id.unwrap_or(page.campaign.id),
        country: &page.member.country,
        text,
    };
    let found = record::candidates(&page.app.db, asked).await?;
    let choice = |c: record::Candidate| Choice {
        enrollment_id: c.enrollment_id,
        code_id: c.code_id.map(|id| id.to_string()).unwrap_or_default(),
        code: c.code,
        name: c.name,
    };
    Ok(found.into_iter().map(choice).collect())
}

async fn accept(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let row = find(&page, id).await?;
    let back = form.back("/inbox").to_owned();
    if row.state != "open" {
        return page.go(&back, Flash::info(format!("This item is {} already.", row.state))).await;
    }
    let chosen = form.value("to").parse().ok();
    let chosen = chosen.map(|enrollment_id| Claimant { enrollment_id, code_id: form.value("code").parse().ok() });
    let gone = || Fault::Bad("There is nothing left to do about this item.".into());
    let what = accepting(&row, chosen).ok_or_else(gone)?;
    let (outcomes, moves) = preview(&page, &[page.event(what.clone())]).await?;
    if let Some(Err(Rejected::Refused(why))) = outcomes.into_iter().next() {
        return page.go(&back, Flash::bad(why.sentence())).await;
    }
    if !moves.is_nothing() && form.value("seen") != moves.seal() {
        let fields = ["to", "code"].into_iter().filter(|name| !form.value(name).is_empty());
        let mut fields: Vec<_> = fields.map(|name| (name.to_owned(), form.value(name).to_owned())).collect();
        fields.push(("back".into(), back.clone()));
        let words = words_of(&row);
        let ask = Ask {
            frame: page.frame("inbox").await?,
            title: words.title,
            from: (format!("/inbox/{id}"), "Inbox item".into()),
            action: format!("/inbox/{id}/accept"),
            button: match fix_of(&row) {
                Fix::RecordPayment => "Record the payment".into(),
                Fix::Reward => "Give the reward".into(),
                Fix::PayBack => "Let them earn".into(),
                _ => "Give the lead to its referrer".into(),
            },
            cancel_url: back,
            tone: "primary",
            sentences: vec![words.happened, "This moves money:".into()],
            preview: Preview::of(&page, &moves).await?,
            fields,
            asks_reason: false,
            form: Form::default(),
        };
        return ask.answer(StatusCode::CONFLICT);
    }
    let flash = match page.app.engine.one_of(page.event(what)).await? {
        Ok(Outcome::AcceptPayment(AcceptOutcome::Payment(PaymentOutcome::Recorded { .. }))) => {
            Flash::good("The second payment is recorded.")
        }
        Ok(Outcome::AcceptPayment(AcceptOutcome::Payment(_))) => Flash::info("It was recorded already."),
        Ok(outcome) if outcome.changed() => Flash::good(done(&row)),
        Ok(_) => Flash::info("Another person has already decided this."),
        Err(Rejected::Refused(why)) => Flash::bad(why.sentence()),
        Err(_) => return Err(Fault::NotFound),
    };
    page.go(&back, flash).await
}

fn done(row: &ItemRow) -> String {
    let lead = row.lead.as_deref().unwrap_or("The lead");
    match fix_of(row) {
        Fix::Reward => format!("The reward for {lead} is given."),
        Fix::PayBack => format!("The older payments of {lead} were decided."),
        _ => format!("{lead} has a referrer now."),
    }
}

async fn dismiss(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let row = find(&page, id).await?;
    let back = form.back("/inbox");
    let flash = match page.app.engine.one(page.by(), Dismiss { item_id: id.into() }).await? {
        Ok(dismissed) if dismissed.changed => {
            Flash::good("Dismissed.").undo(format!("/inbox/{id}/reopen"), "Undo", &[("back", back)])
        }
        Ok(_) => Flash::info(format!("This item was {} already.", row.state)),
        Err(Rejected::Refused(why)) => Flash::bad(why.sentence()),
        Err(_) => return Err(Fault::NotFound),
    };
    page.go(back, flash).await
}

async fn reopen(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    find(&page, id).await?;
    let flash = match page.app.engine.one(page.by(), Reopen { item_id: id.into() }).await? {
        Ok(reopened) if reopened.changed => Flash::good("The item is open again."),
        Ok(_) => Flash::info("The item was open already."),
        Err(Rejected::Refused(why)) => Flash::bad(why.sentence()),
        Err(_) => return Err(Fault::NotFound),
    };
    page.go(form.back("/inbox"), flash).await
}
