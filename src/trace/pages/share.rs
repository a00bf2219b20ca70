//! Links for people without an account: made once, shown once, ended at any time.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;

use super::show::read;
use crate::shell::{Frame, Page};
use crate::trace::{self, DAYS, Ended, Reader, Subject};
use crate::web::page::html_once;
use crate::web::{Fault, Flash, PageResult};

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
    let subject = Subject::of_path(&of).ok_or(Fault::NotFound)?;
    let business_id = page.member.business_id;
    let t = read(&mut page.read().await?, business_id, (subject, id), Reader::Staff).await?;
    let actor = Arc::new(page.member.actor());
    let token = trace::share(&page.app, &actor, business_id, (subject, id), DAYS).await?;
    html_once(&SharedPage {
        frame: page.frame("commissions").await?,
        link: format!("{}/t/{token}", page.app.config.public_url),
        days: DAYS,
        title: t.title,
        back: format!("/why/{of}/{id}"),
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
    page.go(&format!("/why/{}/{}", row.subject.path(), row.subject_id), said).await
}
