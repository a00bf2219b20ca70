//! The script, what it tells, and the page of a campaign that shows how to use it.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Lines, Visit, Watch};
use crate::app::App;
use crate::campaigns::{self, Campaign, Settings};
use crate::clock::{Instant, Zone};
use crate::id::{self, Kind};
use crate::query;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Fault, PageResult, html, layers};

pub fn routes() -> Routes {
    Routes::new().get("/refdesk.js", Access::Public, script).get("/refdesk/seen", Access::Public, seen).get(
        "/campaigns/{id}/shop",
        Access::May(Right::SeeCampaigns),
        show,
    )
}

const SCRIPT: &str = include_str!("refdesk.js");
static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", &id::sha256_hex(SCRIPT)[..16]));

/// Shops load the script from their own origins, and each customer's browser asks for it anew every ten minutes.
async fn script(headers: HeaderMap) -> PageResult {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|line| line.split(','));
    let mut response = if known.any(|one| one.trim().trim_start_matches("W/") == *TAG) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, HeaderValue::from_str(&TAG).map_err(|e| Fault::Ours(e.to_string()))?);
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    for_other_sites(&mut response);
    Ok(response)
}

fn for_other_sites(response: &mut Response) {
    response.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
}

/// The script tells that a page was opened. The answer is the same to everybody; a browser keeps it for an hour where
/// the visit is noted, so that a page that is opened often tells it once.
async fn seen(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> PageResult {
    let pairs = query::pairs(uri.query().unwrap_or_default());
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let from = layers::client_ip(&extensions, &headers, &app.config).parse().ok();
    let campaign = value("campaign").parse().ok().or_else(|| id::parse(Kind::Campaign, value("campaign")));
    let now = app.clock.now();
    let noted = match campaign {
        Some(id) if app.limits.visit(from, now) => {
            let may = || app.limits.watched(id, now);
            super::note(&app, id, value("watch"), value("origin"), may).await?
        }
        _ => false,
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let kept = if noted { "private, max-age=3600" } else { "no-store" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    for_other_sites(&mut response);
    Ok(response)
}

#[derive(Template)]
#[template(path = "shop/show.html")]
struct ShopPage {
    frame: Frame,
    campaign: Campaign,
    settings: Settings,
    lines: Lines,
    seen: Vec<Seen>,
}

/// An origin on which the script was seen.
struct Seen {
    shop: String,
    first: Said,
    last: Said,
}

/// A time of today, or a day with its time.
#[derive(PartialEq, Eq)]
struct Said {
    iso: String,
    label: String,
}

impl Said {
    fn at(zone: Zone, now: Instant, micros: i64) -> Self {
        let at = Instant::from_micros(micros);
        let shown = zone.shown(at);
        let label = match shown.rsplit_once(", ") {
            Some((_, time)) if zone.day_of(at) == zone.day_of(now) => format!("at {time}"),
            _ => format!("on {shown}"),
        };
        Self { iso: at.to_rfc3339_millis(), label }
    }
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let business_id = page.member.business_id;
    let campaign = campaigns::find(&mut page.read().await?, business_id, id).await?.ok_or(Fault::NotFound)?;
    let (now, zone) = (page.app.clock.now(), page.member.zone);
    let seen = |visit: Visit| Seen {
        // Nearly every shop has https, so its scheme is left out.
        shop: visit.origin.strip_prefix("https://").unwrap_or(&visit.origin).to_owned(),
        first: Said::at(zone, now, visit.first_at),
        last: Said::at(zone, now, visit.last_at),
    };
    let visits = super::of_campaign(&mut page.read().await?, id).await?;
    let watch = Watch::from(now, &page.member.business_public_id, id);
    let settings = Settings::of(&campaign);
    html(&ShopPage {
        lines: Lines::new(&page.app.config.public_url, id, settings.link_days, &watch),
        seen: visits.into_iter().map(seen).collect(),
        settings,
        campaign,
        frame: page.frame("campaign").await?,
    })
}
