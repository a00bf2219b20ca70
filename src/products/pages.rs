mod form;

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use super::store::{self, ProductRow};
use super::{Added, NewProduct, Numbered, Renamed, words};
use crate::campaigns::{self, SameName};
use crate::clock::Day;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};
use crate::when::When;

pub fn routes() -> Routes {
    let (see, edit) = (Access::May(Right::SeeCampaigns), Access::May(Right::EditCampaigns));
    Routes::new()
        .get("/campaigns/{campaign}/products/new", edit, new)
        .form("/campaigns/{campaign}/products", edit, create)
        .get("/products/{id}", see, show)
        .form("/products/{id}", edit, rename)
        .get("/products/{id}/terms/new", edit, new_terms)
        .form("/products/{id}/terms", edit, create_terms)
}

#[derive(Template)]
#[template(path = "products/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    campaign_id: i64,
    campaign_name: String,
    modes: Vec<Choice>,
    kinds: Vec<Choice>,
    limits: Vec<Choice>,
    currency: &'static str,
    /// The earnings of a sample payment, when one was entered.
    preview: String,
}

impl NewPage {
    async fn of(page: &Page, campaign_id: i64, form: Form, preview: String) -> Result<Self, Fault> {
        let campaign = campaigns::find(&mut page.read().await?, page.member.business_id, campaign_id).await?;
        Ok(Self {
            frame: page.frame("campaign").await?,
            form,
            campaign_id,
            campaign_name: campaign.ok_or(Fault::NotFound)?.name,
            modes: Choice::list([("live", "Live"), ("test", "Test: its events are test data")], "live"),
            kinds: form::kinds(),
            limits: form::limits(),
            currency: page.member.currency.code(),
            preview,
        })
    }
}

async fn new(page: Page, Path(campaign_id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let test = uri.query().is_some_and(|query| query == "test");
    // A test product pays 0 %: it shows that calls arrive, and promises no money.
    let rate = if test { "0" } else { "20" };
    let name = if test { "Test product" } else { "" };
    let form = Form::filled(&[
        ("name", name),
        ("mode", if test { "test" } else { "live" }),
        ("referral_kind", "percent"),
        ("referral_rate", rate),
        ("recurring_kind", "percent"),
        ("recurring_rate", rate),
        ("limit", "none"),
        ("hold_days", "14"),
    ]);
    html(&NewPage::of(&page, campaign_id, form, String::new()).await?)
}

async fn create(page: Page, Path(campaign_id): Path<i64>, mut form: Form) -> PageResult {
    let currency = page.member.currency;
    let preview_only = form.value("do") == "preview";
    let terms = form::read(&mut form, currency);
    if let (true, Some(terms), true) = (preview_only, &terms, form.is_fine()) {
        let preview = words::earns(terms, currency);
        return html(&NewPage::of(&page, campaign_id, form, preview).await?);
    }
    let name = form.line("name", "The product's name", 120);
    let test = form.choice("mode", "Live or test", |mode| match mode {
        "live" => Some(false),
        "test" => Some(true),
        _ => None,
    });
    let (Some(terms), Some(name), Some(test), true) = (terms, name, test, form.is_fine()) else {
        let shown = NewPage::of(&page, campaign_id, form, String::new()).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    let said = format!("{name} was added. Its id is below, ready to copy.{}", form.understood());
    let new = NewProduct { campaign_id, name, test, terms, same_name: SameName::Refused };
    let actor = Arc::new(page.member.actor());
    match super::add(&page.app, &actor, page.member.business_id, new).await? {
        Added::As(id) => page.go(&format!("/products/{id}"), Flash::good(said)).await,
        Added::NotFound => Err(Fault::NotFound),
        Added::NameTaken => {
            form.fail("name", "This campaign has a product of this name already. Give this one another name.");
            let shown = NewPage::of(&page, campaign_id, form, String::new()).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
    }
}

#[derive(Template)]
#[template(path = "products/show.html")]
struct ShowPage {
    frame: Frame,
    form: Form,
    product: ProductRow,
    campaign_name: String,
    /// The earnings of a payment of today.
    preview: String,
    versions: Vec<Version>,
    can_edit: bool,
}

struct Version {
    number: i64,
    valid_from: String,
    first: String,
    later: String,
    sentence: String,
    hold: String,
    /// in force, later, over
    standing: &'static str,
    made: String,
    at: When,
}

impl ShowPage {
    async fn of(page: &Page, id: i64, form: Option<Form>) -> Result<Self, Fault> {
        let mut conn = page.read().await?;
        let business = page.member.business_id;
        let product = store::find(&mut conn, business, id).await?.ok_or(Fault::NotFound)?;
        let campaign = campaigns::find(&mut conn, business, product.campaign_id).await?.ok_or(Fault::NotFound)?;
        let rows = store::terms_of(&mut conn, id).await?;
        drop(conn);
        let today = page.today().to_string();
        let in_force =
            rows.iter().filter(|t| t.valid_from <= today).max_by_key(|t| (t.valid_from.clone(), t.number)).cloned();
        let version = |row: &store::TermsRow| {
            let terms = row.terms();
            let in_force_number = in_force.as_ref().map(|t| t.number);
            Version {
                number: row.number,
                valid_from: terms.valid_from.map_or_else(|| "the beginning".to_owned(), Day::shown),
                first: words::line(&terms.referral),
                later: words::line(&terms.recurring),
                sentence: words::sentence(&terms),
                hold: campaigns::days(terms.hold_days),
                standing: match in_force_number {
                    Some(number) if number == row.number => "in force",
                    _ if row.valid_from > today => "later",
                    _ => "",
                },
                made: row.made_by.clone().unwrap_or_default(),
                at: page.when(row.created_at),
            }
        };
        let versions = rows.iter().map(version).collect();
        let preview = in_force.map_or_else(String::new, |t| words::earns(&t.terms(), page.member.currency));
        Ok(Self {
            frame: page.frame("campaign").await?,
            form: form.unwrap_or_else(|| Form::filled(&[("name", &product.name)])),
            product,
            campaign_name: campaign.name,
            preview,
            versions,
            can_edit: page.member.may(Right::EditCampaigns),
        })
    }
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    html(&ShowPage::of(&page, id, None).await?)
}

async fn rename(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(name) = form.line("name", "The product's name", 120) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &ShowPage::of(&page, id, Some(form)).await?);
    };
    let actor = Arc::new(page.member.actor());
    let to = format!("/products/{id}");
    match super::rename(&page.app, &actor, page.member.business_id, id, name).await? {
        Renamed::NotFound => Err(Fault::NotFound),
        Renamed::Same => page.go(&to, Flash::info("That is its name already.")).await,
        Renamed::Yes => page.go(&to, Flash::good("The name was changed.")).await,
    }
}

#[derive(Template)]
#[template(path = "products/terms.html")]
struct TermsPage {
    frame: Frame,
    form: Form,
    product: ProductRow,
    number: i64,
    kinds: Vec<Choice>,
    limits: Vec<Choice>,
    currency: &'static str,
    understood: String,
    preview: String,
    /// Said where they begin in the past, and which day that was said of.
    back_dated: String,
    sure: String,
}

impl TermsPage {
    async fn of(page: &Page, id: i64, form: Option<Form>, preview: String) -> Result<Self, Fault> {
        let mut conn = page.read().await?;
        let product = store::find(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
        let rows = store::terms_of(&mut conn, id).await?;
        drop(conn);
        let currency = page.member.currency;
        let form = form.unwrap_or_else(|| {
            let today = page.today();
            let mut form = Form::filled(&[("valid_from", &today.shown())]);
            if let Some(newest) = rows.first() {
                form::fill(&mut form, &newest.terms(), currency);
            }
            form
        });
        Ok(Self {
            frame: page.frame("campaign").await?,
            understood: Day::parse_said(form.value("valid_from"), page.today()).map(Day::shown).unwrap_or_default(),
            form,
            product,
            number: rows.first().map_or(1, |t| t.number + 1),
            kinds: form::kinds(),
            limits: form::limits(),
            currency: currency.code(),
            preview,
            back_dated: String::new(),
            sure: String::new(),
        })
    }
}

/// The consequence of terms that begin in the past; no question when no payment since then was decided.
async fn back_dated(page: &Page, id: i64, day: Day) -> Result<Option<String>, Fault> {
    // A payment is dated a day after it came at most.
    let received = page.member.zone.start_of(day.plus_days(-1));
    let business = page.member.business_id;
    let (looked, decided) = store::decided_since(&mut page.read().await?, business, id, received, day).await?;
    let plus = if looked < 10_000 { "" } else { "+" };
    let so_far = match decided {
        0 if plus.is_empty() => return Ok(None),
        1 if plus.is_empty() => {
            "1 payment with a date since then was decided by older terms, and stays as it is.".to_owned()
        }
        n => format!(
            "{}{plus} payments with a date since then were decided by older terms, and stay as they are.",
            counted(n)
        ),
    };
    Ok(Some(format!(
        "{} is in the past. {so_far} These terms decide what waits, and what arrives from now on with a date since then.",
        day.shown()
    )))
}

async fn new_terms(page: Page, Path(id): Path<i64>) -> PageResult {
    html(&TermsPage::of(&page, id, None, String::new()).await?)
}

async fn create_terms(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let currency = page.member.currency;
    let valid_from = form.day("valid_from", "The date it is valid from", page.today());
    let terms = form::read(&mut form, currency);
    let (Some(valid_from), Some(mut terms), true) = (valid_from, terms, form.is_fine()) else {
        let shown = TermsPage::of(&page, id, Some(form), String::new()).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    if form.value("do") == "preview" {
        let preview = format!("From {}: {}", valid_from.shown(), words::earns(&terms, currency));
        return html(&TermsPage::of(&page, id, Some(form), preview).await?);
    }
    if valid_from < page.today()
        && form.value("sure") != valid_from.to_string()
        && let Some(back_dated) = back_dated(&page, id, valid_from).await?
    {
        let sure = valid_from.to_string();
        return html(&TermsPage { back_dated, sure, ..TermsPage::of(&page, id, Some(form), String::new()).await? });
    }
    terms.valid_from = Some(valid_from);
    let actor = Arc::new(page.member.actor());
    match super::new_terms(&page.app, &actor, page.member.business_id, id, terms).await? {
        Numbered::NotFound => Err(Fault::NotFound),
        Numbered::As(number) => {
            let said = format!("Terms {number} are stored, valid from {}.{}", valid_from.shown(), form.understood());
            page.go(&format!("/products/{id}"), Flash::good(said)).await
        }
    }
}
