//! A trace as somebody sees it who was sent its link: no sign-in, no name, no other page.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use super::show::{Shown, read};
use crate::app::App;
use crate::clock::{Instant, Zone};
use crate::trace::{self, Reader, Trace};
use crate::web::page::{BareFrame, html_with};
use crate::web::{Fault, PageResult};
use crate::when::When;

#[derive(Template)]
#[template(path = "trace/visitor.html")]
struct VisitorPage {
    frame: BareFrame,
    business: String,
    t: Trace,
    steps: Vec<Shown>,
    until: String,
}

#[derive(Template)]
#[template(path = "trace/over.html")]
struct OverPage {
    frame: BareFrame,
}

/// Nothing keeps what it shows, and no other site hears its address.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "private, no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn over() -> PageResult {
    let page = html_with(StatusCode::NOT_FOUND, &OverPage { frame: BareFrame::new() })?;
    Ok((headers(), page).into_response())
}

pub(super) async fn show(State(app): State<App>, token: Result<Path<String>, PathRejection>) -> PageResult {
    let token = token.map(|token| token.0).unwrap_or_default();
    let now = app.clock.now();
    let mut conn = app.db.read().await?;
    let link = trace::link_by_token(&mut conn, &token).await?.filter(|link| link.works(now));
    let Some(link) = link else { return over() };
    let business = crate::business::by_id(&mut conn, link.business_id).await?;
    let found = read(&mut conn, link.business_id, (link.subject, link.subject_id), Reader::Stranger).await;
    drop(conn);
    let t = match found {
        Err(Fault::NotFound) => return over(),
        found => found?,
    };
    let zone = business.as_ref().and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default();
    let at = |at: i64| When::at(zone, now, Instant::from_micros(at));
    let shown = |step: &trace::Step| Shown {
        when: match (step.at, &step.day) {
            (Some(moment), _) => Some(at(moment)),
            (None, Some(day)) => Some(When::on_text(zone.day_of(now), day)),
            (None, None) => None,
        },
        url: String::new(),
        step: step.clone(),
    };
    let page = html_with(
        StatusCode::OK,
        &VisitorPage {
            frame: BareFrame::new(),
            business: business.map(|b| b.name).unwrap_or_default(),
            steps: t.steps.iter().map(shown).collect(),
            until: at(link.expires_at).exact,
            t,
        },
    )?;
    Ok((headers(), page).into_response())
}
