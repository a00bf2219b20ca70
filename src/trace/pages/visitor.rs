//! A trace as somebody sees it who was sent its link: no sign-in, no name, no other page.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use super::balance::Parts;
use super::show::Shown;
use crate::app::App;
use crate::clock::{Instant, Zone};
use crate::trace::{self, Answer, BalanceTrace, Reader, Trace};
use crate::web::PageResult;
use crate::web::page::{BareFrame, html_with};
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
#[template(path = "trace/visitor_balance.html")]
struct VisitorBalancePage {
    frame: BareFrame,
    business: String,
    t: BalanceTrace,
    parts: Parts,
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
    let found = match link.thing() {
        Some(thing) => trace::of(&mut conn, link.business_id, thing, Reader::Stranger).await?,
        None => None,
    };
    drop(conn);
    let Some(answer) = found else { return over() };
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
    let business = business.map(|b| b.name).unwrap_or_default();
    let (frame, until) = (BareFrame::new(), at(link.expires_at).exact);
    let page = match answer {
        Answer::Steps(t) => {
            let steps = t.steps.iter().map(shown).collect();
            html_with(StatusCode::OK, &VisitorPage { frame, business, steps, until, t })?
        }
        Answer::Balance(t) => {
            let parts = Parts::of(&t, Reader::Stranger, at);
            html_with(StatusCode::OK, &VisitorBalancePage { frame, business, parts, until, t })?
        }
    };
    Ok((headers(), page).into_response())
}
