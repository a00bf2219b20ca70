mod publishable;

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::curls::{self, Curl};
use super::store::{self, KeyLine};
use super::{Made, MakeKey, Networks, OVERLAPS, Revoked, Rotated, scopes_of};
use crate::campaigns::{self, CampaignChoice};
use crate::clock::Instant;
use crate::id::{self, Kind};
use crate::money::Money;
use crate::products::{self, ProductLine};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::{html_once, html_with};
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let may = Access::May(Right::Integrations);
    Routes::new()
        .get("/integrations", may, index)
        .get("/integrations/keys/new", may, new)
        .form("/integrations/keys", may, create)
        .get("/integrations/keys/{id}/rotate", may, ask_rotate)
        .form("/integrations/keys/{id}/rotate", may, rotate)
        .get("/integrations/keys/{id}/revoke", may, confirm_revoke)
        .post("/integrations/keys/{id}/revoke", may, revoke)
        .merge(publishable::routes())
        .get("/integrations/campaigns/{id}/webhook", may, confirm_webhook)
        .post("/integrations/campaigns/{id}/webhook", may, make_webhook)
}

#[derive(Template)]
#[template(path = "keys/index.html")]
struct IndexPage {
    frame: Frame,
    business_id: String,
    campaigns: Vec<CampaignLine>,
    keys: Vec<Line>,
    publishable: Vec<publishable::PublishableRow>,
    /// True when the person may delete test data.
    purges: bool,
}

struct CampaignLine {
    campaign: CampaignChoice,
    public_id: String,
    products: Vec<ProductLine>,
    /// The end of the secret in the address that qualifies leads without a key; empty where there is none.
    webhook: String,
}

fn webhook_address(page: &Page, token: &str) -> String {
    format!("{}/webhook/{token}/qualify", page.app.config.public_url)
}

struct Line {
    key: KeyLine,
    /// "", expired, left or revoked
    over: &'static str,
    made: When,
    used: Option<When>,
    expires: Option<When>,
}

fn line(page: &Page, key: KeyLine) -> Line {
    let now = page.app.clock.now();
    let over = if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|at| at <= now.micros()) {
        "expired"
    } else if key.held_by.is_some() && key.holder_role.is_none() {
        "left"
    } else {
        ""
    };
    // An instant that is no day's end is shown with its time.
    let expires = |at: i64| {
        let day = page.member.zone.day_of(Instant::from_micros(at - 1));
        let ends_with_day = page.member.zone.start_of(day.plus_days(1)).micros() == at;
        if ends_with_day { When::on(page.today(), day) } else { page.when(at) }
    };
    Line {
        made: page.when(key.created_at),
        used: key.last_used_at.map(|at| page.when(at)),
        // A key works through the day it expires on; the stored instant is the end of that day.
        expires: key.expires_at.map(expires),
        over,
        key,
    }
}

async fn index(page: Page) -> PageResult {
    let mut conn = page.read().await?;
    let business = page.member.business_id;
    let keys = store::list(&mut conn, business).await?;
    let products = products::of_business(&mut conn, business).await?;
    let campaigns = campaigns::choices(&mut conn, business).await?;
    let publishable = publishable::rows(&page, &mut conn).await?;
    let webhooks = super::webhooks(&mut conn, business).await?;
    drop(conn);
    let mut lines = Vec::with_capacity(campaigns.len());
    for campaign in campaigns {
        lines.push(CampaignLine {
            public_id: id::render(Kind::Campaign, campaign.id),
            products: products.iter().filter(|p| p.campaign_id == campaign.id).cloned().collect(),
            webhook: webhooks
                .iter()
                .find(|(id, _)| *id == campaign.id)
                .map_or_else(String::new, |(_, end)| end.clone()),
            campaign,
        });
    }
    html(&IndexPage {
        frame: page.frame("integrations").await?,
        business_id: page.member.business_public_id.clone(),
        campaigns: lines,
        keys: keys.into_iter().map(|key| line(&page, key)).collect(),
        publishable,
        purges: page.member.may(Right::EditLeads),
    })
}

#[derive(Template)]
#[template(path = "keys/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    modes: Vec<Choice>,
    scopes: Vec<Choice>,
    campaigns: Vec<Choice>,
    understood: String,
}

impl NewPage {
    async fn of(page: &Page, form: Form) -> Result<Self, Fault> {
        let all = campaigns::choices(&mut page.read().await?, page.member.business_id).await?;
        let default = (String::new(), "The business's default campaign".to_owned());
        let all = all.into_iter().map(|c| (c.id.to_string(), c.name));
        let scope = |(scope, words): (&str, &str)| Choice {
            value: scope.to_owned(),
            label: words.to_owned(),
            selected: form.all("scope").any(|chosen| chosen == scope),
        };
        let modes = [("live", "Live: what it sends counts"), ("test", "Test: everything it sends is test data")];
        Ok(Self {
            frame: page.frame("integrations").await?,
            modes: Choice::list(modes, "live"),
            scopes: scopes_of(page.member.role).map(scope).collect(),
            campaigns: Choice::list([default].into_iter().chain(all), form.value("campaign")),
            understood: crate::clock::Day::parse_said(form.value("expires"), page.today())
                .map(|d| d.shown())
                .unwrap_or_default(),
            form,
        })
    }
}

async fn new(page: Page) -> PageResult {
    let mut values = vec![("mode", "live")];
    values.extend(scopes_of(page.member.role).map(|(scope, _)| ("scope", scope)));
    html(&NewPage::of(&page, Form::filled(&values)).await?)
}

/// The form as a key to make, or the words of what is wrong.
fn read(page: &Page, form: &mut Form) -> Option<MakeKey> {
    let name = form.line("name", "The name", 80);
    let test = form.choice("mode", "Live or test", |mode| match mode {
        "live" => Some(false),
        "test" => Some(true),
        _ => None,
    });
    let may = scopes_of(page.member.role).map(|(scope, _)| scope);
    let scopes: Vec<&str> = may.filter(|s| form.all("scope").any(|c| c == *s)).collect();
    if scopes.is_empty() {
        form.fail("scope", "Choose at least one thing that the key may do.");
    }
    let expires_at = read_expiry(page, form);
    let networks = read_networks(form);
    let per_minute = read_limit(form);
    let campaign = form.value("campaign").trim().to_owned();
    let campaign_id = if campaign.is_empty() { Ok(None) } else { campaign.parse().map(Some) };
    if campaign_id.is_err() {
        form.fail("campaign", "The campaign is not one of the choices.");
    }
    let new = MakeKey {
        business_id: page.member.business_id,
        name: name?,
        test: test?,
        scopes: scopes.join(" "),
        campaign_id: campaign_id.ok()?,
        networks: networks?,
        per_minute: per_minute?,
        expires_at: expires_at?,
    };
    form.is_fine().then_some(new)
}

fn read_networks(form: &mut Form) -> Option<Networks> {
    let read = Networks::parse(form.value("networks"));
    read.map_err(|why| form.fail("networks", format!("The list of addresses {why}."))).ok()
}

/// `Some(None)` for as many as it likes.
fn read_limit(form: &mut Form) -> Option<Option<i64>> {
    if form.value("per_minute").trim().is_empty() {
        return Some(None);
    }
    form.number("per_minute", "The calls a minute", 1, 100_000).map(Some)
}

/// `Some(None)` for never. A key works through the typed day, in the business's zone.
fn read_expiry(page: &Page, form: &mut Form) -> Option<Option<Instant>> {
    if form.value("expires").trim().is_empty() {
        return Some(None);
    }
    let day = form.day("expires", "The date it expires", page.today())?;
    let ends = super::through(day, page.member.zone, page.app.clock.now());
    if ends.is_none() {
        form.fail("expires", "The date it expires has passed.");
    }
    ends.map(Some)
}

#[derive(Template)]
#[template(path = "keys/made.html")]
struct MadePage {
    frame: Frame,
    name: String,
    text: String,
    test: bool,
    business_id: String,
    product: Option<ProductLine>,
    curls: Vec<Curl>,
    /// The end of the old key.
    replaces: Option<String>,
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let Some(new) = read(&page, &mut form) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
    };
    let (name, test, scopes) = (new.name.clone(), new.test, new.scopes.clone());
    let campaign = new.campaign_id.or(page.member.default_campaign_id).unwrap_or(page.campaign.id);
    let actor = Arc::new(page.member.actor());
    let text = match super::make(&page.app, &actor, new).await? {
        Made::Key { text, .. } => text,
        Made::NoSuchCampaign => {
            form.fail("campaign", "The campaign is not one of the choices.");
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
        }
        Made::BeyondRole => {
            form.fail("scope", "Your role no longer allows all of this.");
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
        }
    };
    made(&page, KeyMade { name, test, scopes, campaign, text, replaces: None }).await
}

/// A key that was just made, whichever way.
struct KeyMade {
    name: String,
    test: bool,
    scopes: String,
    campaign: i64,
    text: String,
    /// The key that it took over from, and what becomes of that.
    replaces: Option<String>,
}

async fn made(page: &Page, key: KeyMade) -> PageResult {
    let KeyMade { name, test, scopes, campaign, text, replaces } = key;
    let products = products::of_campaign(&mut page.read().await?, page.member.business_id, campaign).await?;
    // A test key shows calls for a test product where there is one.
    let product = products.iter().find(|p| p.test == test).or(products.first()).cloned();
    let ids = curls::Ids {
        public_url: &page.app.config.public_url,
        business: &page.member.business_public_id,
        product: product.as_ref().map_or("", |p| p.public_id.as_str()),
        campaign,
        paid: Money::from_text("100", page.member.currency).map_err(|why| Fault::Ours(why.to_string()))?,
        today: page.today(),
        test,
    };
    html_once(&MadePage {
        frame: page.frame("integrations").await?,
        name,
        test,
        business_id: page.member.business_public_id.clone(),
        curls: curls::ready(&scopes, &text, &ids),
        text,
        product,
        replaces,
    })
}

#[derive(Template)]
#[template(path = "keys/rotate.html")]
struct RotatePage {
    frame: Frame,
    line: Line,
    form: Form,
    overlaps: Vec<Choice>,
    understood: String,
}

impl RotatePage {
    async fn of(page: &Page, key: KeyLine, form: Form) -> Result<Self, Fault> {
        Ok(Self {
            frame: page.frame("integrations").await?,
            line: line(page, key),
            overlaps: Choice::list(OVERLAPS.map(|(word, words, _)| (word, words)), form.value("overlap")),
            understood: crate::clock::Day::parse_said(form.value("expires"), page.today())
                .map(|d| d.shown())
                .unwrap_or_default(),
            form,
        })
    }
}

async fn ask_rotate(page: Page, Path(id): Path<i64>) -> PageResult {
    let key = store::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    html(&RotatePage::of(&page, key, Form::filled(&[("overlap", OVERLAPS[0].0)])).await?)
}

async fn rotate(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let business = page.member.business_id;
    let key = store::find(&mut page.read().await?, business, id).await?.ok_or(Fault::NotFound)?;
    let overlap = form.choice("overlap", "How long the old key still works", |word| {
        OVERLAPS.iter().find(|(known, ..)| *known == word)
    });
    let expires = read_expiry(&page, &mut form);
    let (Some((_, words, seconds)), Some(expires), true) = (overlap, expires, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &RotatePage::of(&page, key, form).await?);
    };
    let actor = Arc::new(page.member.actor());
    let text = match super::rotate(&page.app, &page.app.keys, &actor, business, id, *seconds, expires).await? {
        Rotated::Key { text, .. } => text,
        Rotated::NotFound => return Err(Fault::NotFound),
        Rotated::BeyondRole => {
            let why = "This key may do more than your role allows. Ask an owner to rotate it.";
            return page.go("/integrations", Flash::bad(why)).await;
        }
        Rotated::Over => {
            let flash = Flash::info("That key has expired or was replaced already. No key was made.");
            return page.go("/integrations", flash).await;
        }
    };
    let campaign = key.campaign_id.or(page.member.default_campaign_id).unwrap_or(page.campaign.id);
    let ends = match seconds {
        0 => "is refused from now on".to_owned(),
        _ => format!("still works {}", words.to_lowercase()),
    };
    let replaces = Some(format!("{} {ends}.", key.shown));
    made(&page, KeyMade { name: key.name, test: key.test, scopes: key.scopes, campaign, text, replaces }).await
}

#[derive(Template)]
#[template(path = "keys/revoke.html")]
struct RevokePage {
    frame: Frame,
    line: Line,
}

async fn confirm_revoke(page: Page, Path(id): Path<i64>) -> PageResult {
    let key = store::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    html(&RevokePage { frame: page.frame("integrations").await?, line: line(&page, key) })
}

async fn revoke(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let flash = match super::revoke(&page.app, &page.app.keys, &actor, page.member.business_id, id).await? {
        Revoked::NotFound => return Err(Fault::NotFound),
        Revoked::Already => Flash::info("That key was revoked already."),
        Revoked::Yes => Flash::good("The key was revoked. Calls with it are refused from now on."),
    };
    page.go("/integrations", flash).await
}

#[derive(Template)]
#[template(path = "keys/webhook.html")]
struct WebhookPage {
    frame: Frame,
    campaign: campaigns::Campaign,
    /// True where another address stops working.
    replaces: bool,
}

#[derive(Template)]
#[template(path = "keys/webhook_made.html")]
struct WebhookMadePage {
    frame: Frame,
    campaign: campaigns::Campaign,
    address: String,
}

async fn campaign_of(page: &Page, id: i64) -> Result<campaigns::Campaign, Fault> {
    let found = campaigns::find(&mut page.read().await?, page.member.business_id, id).await?;
    found.ok_or(Fault::NotFound)
}

async fn confirm_webhook(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = campaign_of(&page, id).await?;
    let webhooks = super::webhooks(&mut page.read().await?, page.member.business_id).await?;
    let replaces = webhooks.iter().any(|(campaign, _)| *campaign == id);
    html(&WebhookPage { frame: page.frame("integrations").await?, campaign, replaces })
}

async fn make_webhook(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = campaign_of(&page, id).await?;
    let actor = Arc::new(page.member.actor());
    let made = super::set_webhook(&page.app, &actor, page.member.business_id, id).await?;
    let address = webhook_address(&page, &made.ok_or(Fault::NotFound)?);
    html(&WebhookMadePage { frame: page.frame("integrations").await?, campaign, address })
}
