//! The frame around every page of staff, and the extractor that knows what to put into it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect};
use tower_sessions::Session;

use super::form::page_of;
use crate::app::App;
use crate::campaigns::{self, CampaignChoice};
use crate::clock::{Day, Instant};
use crate::db::Conn;
use crate::engine::{By, Event, What};
use crate::query::{self, ListQuery, pairs};
use crate::users::{Member, Right};
use crate::web::flash::{Flashes, flash_on, take_flashes};
use crate::web::page::own_path;
use crate::web::stamp::{FIELD, Stamp};
use crate::web::{Choice, Fault, Flash, PageResult, assets};
use crate::when::When;
use crate::{business, inbox, phone};

/// The data that `layout.html` shows around a page.
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
    pub campaign_id: i64,
    country: String,
    stamp: Stamp,
    rights: Vec<Right>,
}

impl Frame {
    /// True when the navigation shows a place to this role.
    pub fn can(&self, place: &str) -> bool {
        let right = match place {
            "record" => Right::Record,
            "referrers" | "codes" => Right::SeeReferrers,
            "leads" => Right::OwnLeads,
            "commissions" => Right::SeeMoney,
            "payouts" => Right::Pay,
            "imports" => Right::Import,
            "inbox" => Right::SeeInbox,
            "campaign" => Right::SeeCampaigns,
            "integrations" => Right::Integrations,
            "team" => Right::Team,
            "audit" => Right::Audit,
            "business" => Right::Business,
            "home" | "account" | "help" => Right::Home,
            _ => return false,
        };
        self.rights.contains(&right)
    }

    /// The form of a phone number in the business's country.
    pub fn phone_hint(&self) -> String {
        phone::example(&self.country).map(|number| format!("Like {number}.")).unwrap_or_default()
    }

    /// True when the role has a right beyond the places of the navigation.
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// In test mode: which data the page shows, and which a change on it touches.
    pub fn mode(&self) -> &'static str {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        let is_list = ["/leads", "/commissions", "/leads/new"].contains(&path);
        match self.place {
            "leads" | "commissions" if is_list => {
                "This page shows test data. It counts nowhere, earns nothing and is never paid."
            }
            "record" => "What you record here is test data. It counts nowhere, earns nothing and is never paid.",
            "leads" | "commissions" => {
                "Rows marked “test” are test data. Every other lead and commission is live, and a change to it is live."
            }
            "payouts" => "Payouts pay live money. Test data is never in one.",
            "home" => "The figures on this page are of live data. Test data counts in none of them.",
            "referrers" | "codes" => {
                "Referrers and codes are shared by live and test data: a change here is live. The figures are of live data."
            }
            "inbox" => {
                "The inbox is shared: items marked “test” are of test data, and a decision on any other is live."
            }
            "imports" => "An upload always goes into live data, also in test mode.",
            "campaign" => "Campaigns and products are shared by live and test data: a change here is live.",
            "find" => "Leads, payments and commissions are searched in test data. All else is shared with live data.",
            "audit" => "The audit is shared: it has what happened to live and to test data.",
            _ => "This page is shared by live and test data: a change here is live.",
        }
    }

    pub fn side(&self) -> Side<'_> {
        Side { frame: self }
    }

    pub fn dock(&self) -> Dock<'_> {
        Dock { frame: self }
    }

    pub fn flashes(&self) -> Flashes<'_> {
        Flashes { items: &self.flashes, stamp: Some(&self.stamp) }
    }

    /// The stamp of this page's forms.
    pub fn stamp(&self) -> Stamp {
        self.stamp.clone()
    }

    /// The hidden field by which a form acts where it was rendered, and once.
    pub fn stamped(&self) -> String {
        format!(r#"<input type="hidden" name="{FIELD}" value="{}">"#, self.stamp.text())
    }

    /// The stamp of an upload, which its address carries.
    pub fn stamped_address(&self, address: &str) -> String {
        query::url(address, &[(FIELD, &self.stamp.text())])
    }

    /// An address of this business, in the campaign that the page shows.
    pub fn at(&self, address: &str) -> String {
        at(address, self.campaign_id)
    }

    /// This page's address, for the query of another.
    pub fn back(&self) -> String {
        query::encode(&self.path)
    }

    /// The hidden field by which a form that only asks stays in the campaign that the page shows.
    pub fn campaign_field(&self) -> String {
        format!(r#"<input type="hidden" name="campaign" value="{}">"#, self.campaign_id)
    }
}

/// A part that is alike on every page: a template of its own is compiled once, not with each page.
#[derive(Template)]
#[template(path = "ui/side.html")]
pub struct Side<'f> {
    frame: &'f Frame,
}

/// As [`Side`].
#[derive(Template)]
#[template(path = "ui/dock.html")]
pub struct Dock<'f> {
    frame: &'f Frame,
}

/// Places that show another thing in another campaign: their addresses say which.
const OF_A_CAMPAIGN: [&str; 17] = [
    "/",
    "/leads",
    "/leads/new",
    "/leads/export",
    "/referrers",
    "/referrers/new",
    "/referrers/enroll",
    "/referrers/export",
    "/referrers/generate",
    "/codes",
    "/codes/print",
    "/codes/export",
    "/codes/texts",
    "/commissions",
    "/commissions/export",
    "/record",
    "/imports/new",
];

/// An address, with its campaign where the place shows another thing in another campaign.
fn at(address: &str, campaign: i64) -> String {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    if OF_A_CAMPAIGN.contains(&path) { query::in_campaign(address, campaign) } else { address.to_owned() }
}

/// Everything a page's handler starts from: who asks, the campaign they look at, where they are.
pub struct Page {
    pub app: App,
    pub member: Member,
    pub session: Session,
    /// Path and query of this page: of the one that sent the form, where one was sent.
    pub path: String,
    /// The campaign the lists show.
    pub campaign: CampaignChoice,
    campaigns: Vec<CampaignChoice>,
    /// True when test data are shown instead of live ones.
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
        let here = || parts.uri.path_and_query().map(|p| p.as_str().to_owned());
        // A form's page is the one to come back to: the address that it was sent to may show nothing.
        let path = if parts.method == Method::POST { page_of(&parts.headers) } else { here() };
        let path = path.unwrap_or_else(|| "/".to_owned());
        let mut conn = app.db.read().await?;
        let campaigns = campaigns::choices(&mut conn, member.business_id).await?;
        drop(conn);
        let campaign = match named(parts)? {
            Some(id) => campaigns.iter().find(|c| c.id == id).ok_or(Fault::NoCampaign)?,
            None => {
                let remembered: Option<i64> = session.get("campaign").await?;
                let usual = [remembered, member.default_campaign_id].into_iter().flatten();
                let usual = usual.filter_map(|id| campaigns.iter().find(|c| c.id == id)).next();
                usual.or_else(|| campaigns.first()).ok_or(Fault::NotFound)?
            }
        };
        let campaign = campaign.clone();
        let path = at(&path, campaign.id);
        let test = session.get::<bool>("test").await?.unwrap_or(false);
        Ok(Self { app, member, session, path, campaign, campaigns, test })
    }
}

/// The campaign that a form or an address names; an address without one shows the last that was chosen.
fn named(parts: &Parts) -> Result<Option<i64>, Fault> {
    if let Some(stamp) = parts.extensions.get::<Stamp>() {
        return Ok(Some(stamp.campaign));
    }
    let pairs = pairs(parts.uri.query().unwrap_or_default());
    match pairs.iter().find(|(key, _)| key == "campaign") {
        Some((_, text)) => text.parse().map(Some).map_err(|_| Fault::NoCampaign),
        None => Ok(None),
    }
}

impl Page {
    /// An event in the name of the signed-in person.
    pub fn event(&self, what: impl Into<What>) -> Event {
        Event::new(self.by(), what)
    }

    /// In whose name it happens.
    pub fn by(&self) -> By {
        By::new(self.member.business_id, &Arc::new(self.member.actor()))
    }

    /// A stored moment, as the business's people say it.
    pub fn when(&self, micros: i64) -> When {
        When::at(self.member.zone, self.app.clock.now(), Instant::from_micros(micros))
    }

    /// The business's day.
    pub fn today(&self) -> Day {
        self.member.zone.day_of(self.app.clock.now())
    }

    /// An address of this business, in the campaign of this page.
    pub fn at(&self, address: &str) -> String {
        at(address, self.campaign.id)
    }

    /// True when a campaign belongs to this business.
    pub fn has_campaign(&self, id: i64) -> bool {
        self.campaigns.iter().any(|c| c.id == id)
    }

    /// The campaigns of this business, oldest first.
    pub fn campaigns(&self) -> &[CampaignChoice] {
        &self.campaigns
    }

    /// The state of a list of this campaign, as the address of the request says it.
    pub fn list(&self, path: &'static str, uri: &Uri, known: &[&str]) -> ListQuery {
        let mut query = ListQuery::new(path, uri.query(), known);
        query.set("campaign", &self.campaign.id.to_string());
        query
    }

    /// Shows the campaign of the thing that the page is about.
    pub fn of_campaign(&mut self, id: i64) {
        if let Some(found) = self.campaigns.iter().find(|campaign| campaign.id == id) {
            self.campaign = found.clone();
        }
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Conn, Fault> {
        Ok(self.app.db.read().await?)
    }

    /// The frame of this page; takes the flashes with it.
    pub async fn frame(&self, place: &'static str) -> Result<Frame, Fault> {
        let member = &self.member;
        let mut conn = self.app.db.read().await?;
        let inbox_open =
            if member.may(Right::SeeInbox) { inbox::open_count(&mut conn, member.business_id).await? } else { 0 };
        let businesses = business::of_user(&mut conn, member.user_id).await?;
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
            campaign_id: self.campaign.id,
            country: member.country.clone(),
            stamp: Stamp::of(member.user_id, member.business_id, self.campaign.id, self.test),
            rights: Right::ALL.into_iter().filter(|r| member.may(*r)).collect(),
        })
    }

    /// Says something on the next page, and goes there.
    pub async fn go(&self, to: &str, flash: Flash) -> PageResult {
        flash_on(&self.session, flash).await?;
        Ok(Redirect::to(&self.at(own_path(to, "/"))).into_response())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or(Fault::SignIn { back: String::new() })
    }
}
