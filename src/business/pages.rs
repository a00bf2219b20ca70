//! A business's settings, adding a further one, switching between them, and the page for people without one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use tower_sessions::Session;

use super::{Created, Owner, Settings};
use crate::app::App;
use crate::email::Email;
use crate::places;
use crate::setup::pages::{DonePage, Made, NewBusinessForm};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::{Right, SignedInUser};
use crate::web::page::{BareFrame, Group, Places, html_once, html_with, zones};
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    let may = Access::May(Right::Business);
    Routes::new()
        .post("/switch-business", Access::SignedIn, switch)
        .get("/no-business", Access::SignedIn, none)
        .get("/business", may, show)
        .form("/business", may, update)
        .get("/business/new", may, new)
        .form("/business/new", may, create)
        .post("/test-data", Access::SignedIn, test_data)
}

#[derive(Template)]
#[template(path = "business/show.html")]
struct ShowPage {
    frame: Frame,
    form: Form,
    zones: Vec<Group>,
    places: Places,
    propose: &'static str,
    campaigns: Vec<Choice>,
}

impl ShowPage {
    async fn of(page: &Page, form: Form) -> Result<Self, Fault> {
        let all = crate::campaigns::choices(&mut page.read().await?, page.member.business_id).await?;
        let all = all.into_iter().map(|c| (c.id, c.name));
        Ok(Self {
            zones: zones(form.value("timezone")),
            places: Places,
            propose: "",
            campaigns: Choice::list(all, form.value("campaign")),
            form,
            frame: page.frame("business").await?,
        })
    }
}

async fn show(page: Page) -> PageResult {
    let member = &page.member;
    let campaign = member.default_campaign_id.map(|id| id.to_string()).unwrap_or_default();
    let row = super::by_id(&mut page.read().await?, member.business_id).await?;
    let address = row.map(|row| row.address).unwrap_or_default();
    let form = Form::filled(&[
        ("business", &member.business_name),
        ("timezone", member.zone.name()),
        ("currency", member.currency.code()),
        ("country", places::country_name(&member.country)),
        ("campaign", &campaign),
        ("address", &address),
    ]);
    html(&ShowPage::of(&page, form).await?)
}

fn read_address(form: &mut Form) -> String {
    let (lines, characters) = Settings::MOST_ADDRESS;
    let address = form.optional_text("address", "The address", characters).unwrap_or_default();
    let all: Vec<&str> = address.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if all.len() > lines {
        form.fail("address", format!("The address has more than {lines} lines."));
    }
    all.join("\n")
}

async fn update(page: Page, mut form: Form) -> PageResult {
    let name = form.line("business", "The business's name", 120);
    let zone = form.zone("timezone", "The time zone");
    let currency = form.currency("currency", "The currency");
    let country = form.country("country", "The country");
    let campaign = form.choice("campaign", "The default campaign", |id| id.parse::<i64>().ok());
    let address = read_address(&mut form);
    let (Some(name), Some(zone), Some(currency), Some(country), Some(campaign), true) =
        (name, zone, currency, country, campaign, form.is_fine())
    else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &ShowPage::of(&page, form).await?);
    };
    let actor = Arc::new(page.member.actor());
    let business_id = page.member.business_id;
    // Each is a change of its own in the audit; the campaign first, because it can be refused.
    let Some(moved) = super::set_default_campaign(&page.app, &actor, business_id, campaign).await? else {
        form.fail("campaign", "The default campaign is not one of the choices.");
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &ShowPage::of(&page, form).await?);
    };
    let new = Settings { name, zone, currency, country, address };
    let changed = super::change(&page.app, &actor, business_id, new).await?;
    let flash = if changed || moved {
        Flash::good("The settings were saved.")
    } else {
        Flash::info("Nothing was different, so nothing was changed.")
    };
    page.go("/business", flash).await
}

#[derive(Template)]
#[template(path = "business/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    zones: Vec<Group>,
    places: Places,
    propose: &'static str,
}

impl NewPage {
    async fn of(page: &Page, form: Form) -> Result<Self, Fault> {
        let zones = zones(form.value("timezone"));
        Ok(Self { frame: page.frame("business").await?, form, zones, places: Places, propose: "country" })
    }
}

async fn new(page: Page) -> PageResult {
    let form = Form::filled(&[
        ("timezone", page.member.zone.name()),
        ("currency", page.member.currency.code()),
        ("country", places::country_name(&page.member.country)),
        ("campaign", "Refer a friend"),
        ("referral_rate", "20"),
        ("recurring_rate", "20"),
        ("hold_days", "14"),
    ]);
    html(&NewPage::of(&page, form).await?)
}

async fn create(page: Page, mut form: Form) -> PageResult {
    // The person who makes it owns it; their password stays.
    let email = Email::parse(&page.member.email).map_err(|why| Fault::Ours(format!("a user's address {why}")))?;
    let owner = Owner { email, name: page.member.name.clone(), password_hash: String::new() };
    let Some(new) = NewBusinessForm::read(&mut form, Some(owner), false).filter(|_| form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
    };
    let name = new.name.clone();
    let Created::Made { business_id, public_id, product_id, api_key, .. } = super::create(&page.app, new).await? else {
        return Err(Fault::Ours("a further business was refused as if it had to be the first".into()));
    };
    page.session.insert("business", business_id).await?;
    page.session.remove::<i64>("campaign").await?;
    let made = Made { business_id, public_id, product_id, api_key };
    html_once(&DonePage::new(&page.app, name, made).await)
}

/// True when the lists show test data, for this session.
async fn test_data(page: Page, form: Form) -> PageResult {
    let on = form.checked("on");
    page.session.insert("test", on).await?;
    Ok(Redirect::to(form.back("/")).into_response())
}

async fn switch(
    State(app): State<App>,
    axum::Extension(user): axum::Extension<SignedInUser>,
    session: Session,
    form: Form,
) -> PageResult {
    let wanted: i64 = form.value("business").parse().map_err(|_| Fault::NotFound)?;
    let of_user = super::of_user(&mut app.db.read().await?, user.id).await?;
    if !of_user.iter().any(|(id, _)| *id == wanted) {
        return Err(Fault::NotFound);
    }
    session.insert("business", wanted).await?;
    session.remove::<i64>("campaign").await?;
    Ok(Redirect::to(form.back("/")).into_response())
}

#[derive(Template)]
#[template(path = "users/no_business.html")]
struct NoBusinessPage {
    frame: BareFrame,
    email: String,
}

async fn none(State(app): State<App>, axum::Extension(user): axum::Extension<SignedInUser>) -> PageResult {
    if !super::of_user(&mut app.db.read().await?, user.id).await?.is_empty() {
        return Ok(Redirect::to("/").into_response());
    }
    html(&NoBusinessPage { frame: BareFrame::new(), email: user.email })
}
