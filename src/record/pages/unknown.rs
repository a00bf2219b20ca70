//! A referral by somebody who was not found: it is recorded with what the customer said, and staff decide.

use std::sync::Arc;

use askama::Template;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use super::reach;
use crate::phone;
use crate::query::{ListQuery, url};
use crate::record::{Saying, record_said};
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Form, PageResult, html};

#[derive(Template)]
#[template(path = "record/unknown.html")]
struct UnknownPage {
    frame: Frame,
    form: Form,
    campaigns: Vec<Choice>,
    campaign_id: i64,
    hint: String,
    back: String,
}

async fn page_of(page: &Page, form: Form) -> Result<UnknownPage, Fault> {
    let wanted = form.value("campaign").parse().unwrap_or(page.campaign.id);
    Ok(UnknownPage {
        frame: page.frame("record").await?,
        campaigns: Choice::list(page.campaigns().iter().map(|c| (c.id, c.name.clone())), &wanted.to_string()),
        campaign_id: wanted,
        hint: phone::example(&page.member.country).map_or_else(
            || "One way to reach them.".to_owned(),
            |number| format!("One way to reach them, like {number} or jane@example.com."),
        ),
        back: page.at(&url("/record", &[("q", form.value("said"))])),
        form,
    })
}

pub async fn ask(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/record/unknown", uri.query(), &["q"]);
    html(&page_of(&page, Form::filled(&[("said", query.get("q"))])).await?)
}

pub async fn create(page: Page, mut form: Form) -> PageResult {
    let said = form.line("said", "What they said", 120);
    let customer = form.line("name", "The customer's name", 120);
    let reach = reach(&mut form, &page.member.country);
    let (Some(said), Some(customer), Some(reach), true) = (said, customer, reach, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of(&page, form).await?);
    };
    let wanted: i64 = form.value("campaign").parse().map_err(|_| Fault::NotFound)?;
    let campaign = page.campaigns().iter().find(|c| c.id == wanted).ok_or(Fault::NotFound)?;
    let saying = Saying {
        business_id: page.member.business_id,
        user_id: page.member.user_id,
        campaign_id: campaign.id,
        campaign: campaign.name.clone(),
        test: page.test,
        customer,
        reach,
        said,
    };
    let done = record_said(&page.app, &Arc::new(page.member.actor()), saying).await?.ok_or(Fault::NotFound)?;
    page.session.insert("receipt", done).await?;
    Ok(Redirect::to("/record/receipt").into_response())
}
