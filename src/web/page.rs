//! The frame around every page, and the extractor that knows what to put into it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::{Fault, Member, PageResult, Right, When, assets};
use crate::app::App;
use crate::campaigns::{self, CampaignChoice};
use crate::clock::{Day, Instant};
use crate::db::Conn;
use crate::engine::{Event, What};
use crate::phone;

/// One entry of a select or radio group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub selected: bool,
}

impl Choice {
    /// Choices from (value, label) pairs, the one that is chosen marked.
    pub fn list<V: ToString, L: ToString>(all: impl IntoIterator<Item = (V, L)>, chosen: &str) -> Vec<Self> {
        all.into_iter()
            .map(|(value, label)| {
                let value = value.to_string();
                Self { selected: value == chosen, value, label: label.to_string() }
            })
            .collect()
    }
}

/// Said once, on the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flash {
    /// good, bad, info or warning
    pub kind: String,
    pub text: String,
    pub undo: Option<Undo>,
}

impl Flash {
    pub fn good(text: impl Into<String>) -> Self {
        Self { kind: "good".into(), text: text.into(), undo: None }
    }
    pub fn bad(text: impl Into<String>) -> Self {
        Self { kind: "bad".into(), text: text.into(), undo: None }
    }
    pub fn info(text: impl Into<String>) -> Self {
        Self { kind: "info".into(), text: text.into(), undo: None }
    }
    pub fn undo(mut self, action: impl Into<String>, label: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.undo = Some(Undo { action: action.into(), label: label.into(), fields });
        self
    }
}

/// A small form that takes back what the flash reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undo {
    pub action: String,
    pub label: String,
    pub fields: Vec<(String, String)>,
}

/// What `layout.html` shows around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    pub css_url: &'static str,
    pub js_url: &'static str,
    pub icon_url: &'static str,
    pub theme: String,
    pub place: &'static str,
    pub user_name: String,
    pub user_email: String,
    pub role: &'static str,
    pub business_name: String,
    pub businesses: Vec<Choice>,
    pub campaign_name: String,
    pub campaigns: Vec<Choice>,
    pub inbox_open: i64,
    pub flashes: Vec<Flash>,
    pub test: bool,
    pub path: String,
    country: String,
    rights: Vec<Right>,
}

impl Frame {
    /// Whether the navigation shows a place to this role.
    pub fn can(&self, place: &str) -> bool {
        let right = match place {
            "record" => Right::Record,
            "referrers" | "codes" => Right::SeeReferrers,
            "leads" => Right::OwnLeads,
            "commissions" => Right::SeeMoney,
            "imports" => Right::Import,
            "inbox" => Right::SeeInbox,
            "campaign" => Right::SeeCampaigns,
            "integrations" => Right::Integrations,
            "team" => Right::Team,
            "audit" => Right::Audit,
            "business" => Right::Business,
            "home" | "account" => Right::Home,
            _ => return false,
        };
        self.rights.contains(&right)
    }

    /// How a phone number is written where the business is.
    pub fn phone_hint(&self) -> String {
        phone::example(&self.country).map(|number| format!("Like {number}.")).unwrap_or_default()
    }

    /// Whether the role has a right that is not a place.
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
}

/// What `bare.html` shows around a page for nobody in particular.
#[derive(Debug, Clone)]
pub struct BareFrame {
    pub css_url: &'static str,
    pub js_url: &'static str,
    pub icon_url: &'static str,
    pub theme: &'static str,
    pub flashes: Vec<Flash>,
}

impl BareFrame {
    pub fn new() -> Self {
        let (css_url, js_url, icon_url) = assets::urls();
        Self { css_url, js_url, icon_url, theme: "auto", flashes: Vec::new() }
    }

    /// With what the session has to say.
    pub async fn of(session: &Session) -> Result<Self, Fault> {
        Ok(Self { flashes: take_flashes(session).await?, ..Self::new() })
    }
}

impl Default for BareFrame {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything a page's handler starts from: who asks, the campaign they look at, where they are.
pub struct Page {
    pub app: App,
    pub member: Member,
    pub session: Session,
    /// Path and query of this request.
    pub path: String,
    /// The campaign the lists show.
    pub campaign: CampaignChoice,
    campaigns: Vec<CampaignChoice>,
    /// Whether test data are shown instead of live ones.
    pub test: bool,
}

impl<S> FromRequestParts<S> for Page
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let app = App::from_ref(state);
        let member = Member::from_request_parts(parts, state).await?;
        let session =
            Session::from_request_parts(parts, state).await.map_err(|(_, why)| Fault::Ours(why.to_owned()))?;
        let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), |p| p.as_str().to_owned());
        let mut conn = app.db.read().await?;
        let campaigns = campaigns::choices(&mut conn, member.business_id).await?;
        drop(conn);
        let wanted = query_value(parts.uri.query(), "campaign").and_then(|text| text.parse().ok());
        let remembered: Option<i64> = session.get("campaign").await?;
        let campaign = [wanted, remembered, member.default_campaign_id]
            .into_iter()
            .flatten()
            .find_map(|id| campaigns.iter().find(|c| c.id == id))
            .or_else(|| campaigns.first())
            .cloned()
            .ok_or(Fault::NotFound)?;
        let test = session.get::<bool>("test").await?.unwrap_or(false);
        Ok(Self { app, member, session, path, campaign, campaigns, test })
    }
}

fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    super::list::pairs(query.unwrap_or_default()).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

impl Page {
    /// What the person who asks does.
    pub fn event(&self, what: What) -> Event {
        Event { business_id: self.member.business_id, actor: Arc::new(self.member.actor()), what }
    }

    /// A stored moment, as the business's people say it.
    pub fn when(&self, micros: i64) -> When {
        When::at(self.member.zone, self.app.clock.now(), Instant::from_micros(micros))
    }

    /// The business's day.
    pub fn today(&self) -> Day {
        self.member.zone.day_of(self.app.clock.now())
    }

    /// Whether a campaign is one of this business.
    pub fn has_campaign(&self, id: i64) -> bool {
        self.campaigns.iter().any(|c| c.id == id)
    }

    /// The campaigns of this business, oldest first.
    pub fn campaigns(&self) -> &[CampaignChoice] {
        &self.campaigns
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Conn, Fault> {
        Ok(self.app.db.read().await?)
    }

    /// The frame of this page; takes the flashes with it.
    pub async fn frame(&self, place: &'static str) -> Result<Frame, Fault> {
        let member = &self.member;
        let mut conn = self.app.db.read().await?;
        let inbox_open = if member.may(Right::SeeInbox) {
            crate::inbox::open_count(&mut conn, member.business_id).await?
        } else {
            0
        };
        let businesses = crate::business::of_user(&mut conn, member.user_id).await?;
        drop(conn);
        let (css_url, js_url, icon_url) = assets::urls();
        Ok(Frame {
            css_url,
            js_url,
            icon_url,
            theme: member.theme.clone(),
            place,
            user_name: member.name.clone(),
            user_email: member.email.clone(),
            role: member.role.title(),
            business_name: member.business_name.clone(),
            businesses: Choice::list(businesses, &member.business_id.to_string()),
            campaign_name: self.campaign.name.clone(),
            campaigns: Choice::list(
                self.campaigns.iter().map(|c| (c.id, c.name.clone())),
                &self.campaign.id.to_string(),
            ),
            inbox_open,
            flashes: take_flashes(&self.session).await?,
            test: self.test,
            path: self.path.clone(),
            country: member.country.clone(),
            rights: Right::ALL.into_iter().filter(|r| member.may(*r)).collect(),
        })
    }

    /// Says something on the next page, and goes there.
    pub async fn go(&self, to: &str, flash: Flash) -> PageResult {
        flash_on(&self.session, flash).await?;
        Ok(Redirect::to(own_path(to, "/")).into_response())
    }
}

/// Only a path of ours is ever redirected to: one slash, then no second slash or backslash, no controls.
pub fn own_path<'p>(to: &'p str, otherwise: &'p str) -> &'p str {
    let fine = to.starts_with('/')
        && !to[1..].starts_with(['/', '\\'])
        && !to.contains('\\')
        && to.len() < 2_000
        && to.chars().all(|c| !c.is_control() && c.is_ascii());
    if fine { to } else { otherwise }
}

/// Keeps a flash for the next page.
pub async fn flash_on(session: &Session, flash: Flash) -> Result<(), Fault> {
    let mut flashes: Vec<Flash> = session.get("flash").await?.unwrap_or_default();
    flashes.push(flash);
    session.insert("flash", flashes).await?;
    Ok(())
}

async fn take_flashes(session: &Session) -> Result<Vec<Flash>, Fault> {
    if session.get_value("flash").await?.is_none() {
        return Ok(Vec::new());
    }
    Ok(session.remove("flash").await?.unwrap_or_default())
}

/// A template as an answer.
pub fn html(page: &impl Template) -> PageResult {
    Ok(Html(page.render()?).into_response())
}

/// A template as an answer with another status: 422 for a form with errors.
pub fn html_with(status: axum::http::StatusCode, page: &impl Template) -> PageResult {
    Ok((status, Html(page.render()?)).into_response())
}

/// A first call to try, ready to paste.
pub fn sign_up_curl(public_url: &str, key: &str, business: &str, product: &str) -> String {
    format!(
        "curl -X POST {public_url}/api/events/customer-created \\\n  -H \"Authorization: Bearer {key}\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{{\n    \"businessId\": \"{business}\",\n    \"productId\": \"{product}\",\n    \"customerEmail\": \"jane@example.com\",\n    \"customerName\": \"Jane Smith\"\n  }}'"
    )
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_own_paths_are_followed() {
        for to in
            ["//evil.example", "/\\evil", "https://evil", "javascript:alert(1)", "", "/a\r\nb", "\\\\evil", "/a\\b"]
        {
            assert_eq!(own_path(to, "/"), "/", "{to:?}");
        }
        for to in ["/", "/leads?status=new#lead_4", "/%2f%2fevil"] {
            assert_eq!(own_path(to, "/x"), to);
        }
    }
}
