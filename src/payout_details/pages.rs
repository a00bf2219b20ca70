//! The way a referrer is paid: the card on their page, the form, the look at the whole, and removing it.

mod form;

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;

use super::Details;
use super::store::{self, CurrentRow};
use crate::payouts;
use crate::referrers;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_once;
use crate::web::stamp::Stamp;
use crate::web::{Fault, Flash, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let pay = Access::May(Right::Pay);
    Routes::new()
        .merge(form::routes())
        .post("/referrers/{id}/payout-details/look", pay, look)
        .get("/referrers/{id}/payout-details/remove", pay, confirm_remove)
        .post("/referrers/{id}/payout-details/remove", pay, remove)
}

/// The details that count, in words.
struct Line {
    row: CurrentRow,
    since: When,
    /// Changed so lately that somebody should ask before money goes there.
    is_recent: bool,
}

/// The card on the page of a referrer. Those who may not pay see none of it.
#[derive(Template)]
#[template(path = "payout_details/card.html")]
pub struct Card {
    referrer_id: i64,
    line: Option<Line>,
    can_edit: bool,
    stamp: Stamp,
}

impl Card {
    pub async fn of(page: &Page, frame: &Frame, referrer_id: i64, can_edit: bool) -> Result<Option<Self>, Fault> {
        if !page.member.may(Right::Pay) {
            return Ok(None);
        }
        let mut conn = page.read().await?;
        let row = store::current_of(&mut conn, page.member.business_id, &[referrer_id]).await?.pop();
        let days = payouts::changed_days(&mut conn, page.member.business_id).await?;
        drop(conn);
        let since = page.app.clock.now().plus_days(-days).micros();
        let line = row.map(|row| Line {
            since: page.when(row.created_at),
            is_recent: row.is_change && row.created_at > since,
            row,
        });
        Ok(Some(Self { referrer_id, line, can_edit, stamp: frame.stamp() }))
    }
}

/// The name of a referrer of this business.
async fn name_of(page: &Page, id: i64) -> Result<String, Fault> {
    let found = referrers::rows::by_id(&mut page.read().await?, page.member.business_id, id).await?;
    found.map(|row| row.name).ok_or(Fault::NotFound)
}

#[derive(Template)]
#[template(path = "payout_details/look.html")]
struct LookPage {
    frame: Frame,
    id: i64,
    name: String,
    method: &'static str,
    lines: Vec<(&'static str, String)>,
}

/// The whole details, once, for somebody who may pay.
async fn look(page: Page, Path(id): Path<i64>) -> PageResult {
    let name = name_of(&page, id).await?;
    let url = format!("/referrers/{id}");
    let actor = Arc::new(page.member.actor());
    let details: Details = match super::look(&page.app, &actor, page.member.business_id, id).await? {
        None => return page.go(&url, Flash::bad("There are no payout details any more.")).await,
        Some(Err(why)) => return page.go(&url, Flash::bad(why)).await,
        Some(Ok(details)) => details,
    };
    html_once(&LookPage {
        frame: page.frame("referrers").await?,
        id,
        name,
        method: details.method().title(),
        lines: details.lines(),
    })
}

#[derive(Template)]
#[template(path = "payout_details/remove.html")]
struct RemovePage {
    frame: Frame,
    id: i64,
    name: String,
    line: CurrentRow,
}

async fn confirm_remove(page: Page, Path(id): Path<i64>) -> PageResult {
    let name = name_of(&page, id).await?;
    let row = store::current_of(&mut page.read().await?, page.member.business_id, &[id]).await?.pop();
    let Some(line) = row else {
        return page.go(&format!("/referrers/{id}"), Flash::info("There are no payout details.")).await;
    };
    html(&RemovePage { frame: page.frame("referrers").await?, id, name, line })
}

async fn remove(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let removed = super::remove(&page.app, &actor, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    let said =
        if removed { Flash::good("The payout details were removed.") } else { Flash::info("Nothing was changed.") };
    page.go(&format!("/referrers/{id}"), said).await
}
