use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use tower_sessions::Session;

use crate::app::App;
use crate::business::{self, Created, NewBusiness};
use crate::db::DbResult;
use crate::first_steps::pages::Checklist;
use crate::shell::{Access, Routes, browser, session};
use crate::users::Passwords;
use crate::web::page::{BareFrame, Group, Places, html_with, zones};
use crate::web::{Fault, Form, PageResult, html, layers};
use crate::{campaigns, first_steps, places};

pub fn routes() -> Routes {
    Routes::new().get("/setup", Access::Public, show).post("/setup", Access::Public, create)
}

#[derive(Template)]
#[template(path = "setup/new.html")]
struct SetupPage {
    frame: BareFrame,
    form: Form,
    zones: Vec<Group>,
    places: Places,
    propose: &'static str,
}

#[derive(Template)]
#[template(path = "setup/done.html")]
pub struct DonePage {
    frame: BareFrame,
    business: String,
    business_id: String,
    product_id: String,
    api_key: String,
    curl: String,
    /// None when the database did not answer: the key is shown all the same.
    steps: Option<Checklist>,
}

/// The ids and the key of a business that was made.
pub struct Made {
    pub business_id: i64,
    pub public_id: String,
    pub product_id: String,
    pub api_key: String,
}

impl DonePage {
    /// The result, with the key, which is shown this once.
    pub async fn new(app: &App, business: String, made: Made) -> Self {
        let Made { business_id, public_id, product_id, api_key } = made;
        let steps = steps_of(app, business_id).await.ok().flatten();
        let curl = crate::keys::sign_up_curl(&app.config.public_url, &api_key, &public_id, &product_id);
        Self { frame: BareFrame::new(), business, business_id: public_id, product_id, api_key, curl, steps }
    }
}

async fn steps_of(app: &App, business_id: i64) -> DbResult<Option<Checklist>> {
    let mut conn = app.db.read().await?;
    let campaign = campaigns::choices(&mut conn, business_id).await?.pop();
    let steps = first_steps::of(&mut conn, business_id).await?;
    Ok(steps.zip(campaign).map(|(steps, campaign)| Checklist::bare(steps, &campaign)))
}

fn page(form: Form) -> SetupPage {
    let zones = zones(form.value("timezone"));
    SetupPage { frame: BareFrame::new(), form, zones, places: Places, propose: "browser" }
}

async fn show(State(app): State<App>) -> PageResult {
    if !business::none_yet(&mut app.db.read().await?).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    html(&page(Form::filled(&[
        ("country", "United States"),
        ("campaign", "Refer a friend"),
        ("referral_rate", "20"),
        ("recurring_rate", "20"),
        ("hold_days", "14"),
    ])))
}

/// The fields that describe a business, wherever it is made: set-up, a further one.
pub struct NewBusinessForm;

impl NewBusinessForm {
    /// Reads everything but the owner.
    pub fn read(form: &mut Form, owner: Option<business::Owner>, only_first: bool) -> Option<NewBusiness> {
        let name = form.line("business", "The business's name", 120);
        let country = form.country("country", "The country");
        // Left empty, both are what is usual in the country.
        if let Some(usual) = country.as_deref().and_then(places::country) {
            for (name, value) in [("currency", usual.currency), ("timezone", usual.zone)] {
                if form.value(name).trim().is_empty() {
                    form.set(name, value);
                }
            }
        }
        // Both follow the country, once it is known: until then one mistake is named, and not three.
        let waits = |form: &Form, name| country.is_none() && form.value(name).trim().is_empty();
        let currency = if waits(form, "currency") { None } else { form.currency("currency", "The currency") };
        let zone = if waits(form, "timezone") { None } else { form.zone("timezone", "The time zone") };
        let campaign = form.line("campaign", "The campaign's name", 120);
        let product = form.line("product", "The product's name", 120);
        let referral_rate = form.rate("referral_rate", "The rate on the first payment");
        let recurring_rate = form.rate("recurring_rate", "The rate on later payments");
        let hold_days = form.number("hold_days", "The hold", 0, 3650);
        Some(NewBusiness {
            name: name?,
            zone: zone?,
            currency: currency?,
            country: country?,
            owner: owner?,
            campaign: campaign?,
            product: product?,
            referral_rate: referral_rate?,
            recurring_rate: recurring_rate?,
            hold_days: hold_days?,
            only_first,
        })
    }
}

async fn create(
    State(app): State<App>,
    session: Session,
    extensions: axum::http::Extensions,
    headers: HeaderMap,
    mut form: Form,
) -> PageResult {
    if !business::none_yet(&mut app.db.read().await?).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    if form.value("token").trim() != &*app.setup_token {
        form.fail("token", "That is not the token the server printed when it started.");
    }
    let name = form.line("name", "Your name", 120);
    let email = form.email("email", "Your e-mail address");
    let password = form.value("password").to_owned();
    let known = [form.value("email").to_owned(), form.value("business").to_owned()];
    if let Err(why) = Passwords::judge_for(&password, &known.each_ref().map(String::as_str)) {
        form.fail("password", format!("The password {why}."));
    }
    let blank = name.zip(email).map(|(name, email)| business::Owner { email, name, password_hash: String::new() });
    let new = NewBusinessForm::read(&mut form, blank, true);
    let Some(mut new) = new.filter(|_| form.is_fine()) else {
        form.set("password", "");
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page(form));
    };
    new.owner.password_hash =
        app.passwords.hash(password).await.ok_or_else(|| Fault::Ours("no password hash".into()))?;
    let business_name = new.name.clone();
    let Created::Made { business_id, public_id, product_id, api_key, user_id, .. } =
        business::create(&app, new).await?
    else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    let ip = layers::client_ip(&extensions, &headers, &app.config);
    session::start(&session, user_id, &ip, &headers).await?;
    let cookie = browser::remember(&app, &headers, user_id).await?;
    let made = Made { business_id, public_id, product_id, api_key };
    let page = html(&DonePage::new(&app, business_name, made).await)?;
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}
