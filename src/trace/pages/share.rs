//! Links for people without an account: made once, shown once, ended at any time.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;

use super::balance::currency_of;
use crate::shell::{Frame, Page};
use crate::trace::{self, DAYS, Ended, LinkRow, Reader, Thing};
use crate::users::Right;
use crate::web::page::html_once;
use crate::web::{Fault, Flash, PageResult};
use crate::when::When;

/// The links to a trace, on its page.
pub(super) struct Links {
    pub url: String,
    pub can_share: bool,
    pub links: Vec<Link>,
}

pub(super) struct Link {
    pub row: LinkRow,
    pub made: When,
    pub until: When,
}

impl Links {
    pub async fn of(page: &Page, thing: Thing) -> Result<Self, Fault> {
        let can_share = page.member.may(Right::DecideMoney);
        let rows = match can_share {
            true => trace::links(&mut page.read().await?, thing, page.app.clock.now()).await?,
            false => Vec::new(),
        };
        let link = |row: LinkRow| Link { made: page.when(row.created_at), until: page.when(row.expires_at), row };
        Ok(Self { url: format!("{}/links", thing.path()), can_share, links: rows.into_iter().map(link).collect() })
    }
}

#[derive(Template)]
#[template(path = "trace/shared.html")]
struct SharedPage {
    frame: Frame,
    link: String,
    days: i64,
    title: String,
    back: String,
}

pub(super) async fn make(page: Page, Path((of, id)): Path<(String, i64)>) -> PageResult {
    shared(&page, Thing::of_path(&of, id).ok_or(Fault::NotFound)?).await
}

pub(super) async fn make_of_balance(page: Page, Path((id, currency)): Path<(i64, String)>) -> PageResult {
    shared(&page, Thing::Balance(id, currency_of(&currency)?)).await
}

async fn shared(page: &Page, thing: Thing) -> PageResult {
    let business_id = page.member.business_id;
    let answer = trace::of(&mut page.read().await?, business_id, thing, Reader::Staff).await?;
    let answer = answer.ok_or(Fault::NotFound)?;
    let actor = Arc::new(page.member.actor());
    let token = trace::share(&page.app, &actor, business_id, thing, DAYS).await?;
    html_once(&SharedPage {
        frame: page.frame("commissions").await?,
        link: format!("{}/t/{token}", page.app.config.public_url),
        days: DAYS,
        title: answer.title().to_owned(),
        back: thing.path(),
    })
}

pub(super) async fn end(page: Page, Path(id): Path<i64>) -> PageResult {
    let business_id = page.member.business_id;
    let row = trace::link(&mut page.read().await?, business_id, id).await?.ok_or(Fault::NotFound)?;
    let actor = Arc::new(page.member.actor());
    let said = match trace::end(&page.app, &actor, business_id, id).await? {
        Ended::NotFound => return Err(Fault::NotFound),
        Ended::Already => Flash::good("The link had ended before."),
        Ended::Ended => Flash::good("The link no longer works."),
    };
    page.go(&row.thing().map_or_else(|| "/".to_owned(), Thing::path), said).await
}
