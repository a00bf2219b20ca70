//! Generating codes from the pages: one row's button, a chosen code, and all that are missing.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use crate::codes::{self, Batch, Chosen, Generated, Plan, store};
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};
use crate::{campaigns, jobs, query};

pub fn routes() -> Routes {
    let edit = Access::May(Right::EditReferrers);
    Routes::new()
        .get("/referrers/generate", edit, confirm)
        .post("/referrers/generate", edit, generate_all)
        .get("/referrers/generate/{job}", edit, show)
        .post("/enrollments/{id}/generate", edit, generate)
        .get("/enrollments/{id}/code", edit, new)
        .form("/enrollments/{id}/code", edit, create)
}

#[derive(Template)]
#[template(path = "codes/generate.html")]
struct ConfirmPage {
    frame: Frame,
    plan: Plan,
    title: String,
    button: String,
    have: String,
    resting: String,
    campaign: String,
    campaign_id: i64,
}

/// "1 code", "214 codes".
fn counted_codes(n: i64) -> String {
    if n == 1 { "1 code".to_owned() } else { format!("{} codes", counted(n)) }
}

async fn confirm(page: Page) -> PageResult {
    let plan = codes::plan(&mut page.read().await?, page.campaign.id).await?;
    html(&ConfirmPage {
        frame: page.frame("referrers").await?,
        title: if plan.codeless == 0 {
            "No codes to generate".into()
        } else {
            format!("Generate {}", counted_codes(plan.codeless))
        },
        button: format!("Generate {}", counted_codes(plan.codeless)),
        have: counted(plan.have),
        resting: counted(plan.resting),
        campaign: page.campaign.name.clone(),
        campaign_id: page.campaign.id,
        plan,
    })
}

async fn generate_all(page: Page, form: Form) -> PageResult {
    // The page that asked may have shown another campaign than the one looked at now.
    let wanted = form.value("campaign").parse().unwrap_or(page.campaign.id);
    if !page.has_campaign(wanted) {
        return Err(Fault::NotFound);
    }
    let actor = Arc::new(page.member.actor());
    let job = codes::generate_all(&page.app, &actor, page.member.business_id, wanted).await?;
    jobs::wait_briefly(&page.app, page.member.business_id, job).await?;
    Ok(Redirect::to(&format!("/referrers/generate/{job}")).into_response())
}

#[derive(Template)]
#[template(path = "codes/generated.html")]
struct ResultPage {
    frame: Frame,
    running: bool,
    failed: bool,
    poll_url: String,
    done: i64,
    total: i64,
    progress: String,
    title: String,
    sentence: String,
    campaign_id: i64,
    sheet_url: String,
    list_url: String,
    /// The file of texts for these codes; empty for a role that gets no file of everybody.
    texts_url: String,
    made: i64,
}

async fn show(mut page: Page, Path(id): Path<i64>) -> PageResult {
    let job = jobs::find(&mut page.read().await?, page.member.business_id, id).await?;
    let job = job.filter(|j| j.kind == codes::KIND).ok_or(Fault::NotFound)?;
    let batch = Batch::of(&job.result());
    let running = !job.is_over();
    let campaign_id = job.campaign_id.unwrap_or(page.campaign.id);
    page.of_campaign(campaign_id);
    let resting = campaigns::resting(&page.campaign.name, &page.campaign.state);
    let in_campaign = |address: &str| query::in_campaign(address, campaign_id);
    let skipped = match batch.skipped {
        0 => "All of them got one.".to_owned(),
        1 => "1 referrer had one already and keeps it.".to_owned(),
        n => format!("{} referrers had one already and keep it.", counted(n)),
    };
    html(&ResultPage {
        frame: page.frame("referrers").await?,
        running,
        failed: job.state == "failed",
        poll_url: if running { format!("/referrers/generate/{id}") } else { String::new() },
        done: job.done,
        total: job.total.max(1),
        progress: format!("{} of {}", counted(job.done), counted_codes(job.total)),
        title: if batch.made == 0 {
            "No code was missing".into()
        } else {
            format!("{} generated", counted_codes(batch.made))
        },
        sentence: format!("{skipped} No e-mail was sent. {resting}"),
        campaign_id,
        sheet_url: in_campaign(&format!("/codes/print?state=active&since={}", job.created_at)),
        list_url: in_campaign(&format!("/codes?since={}", job.created_at)),
        texts_url: if page.member.may(Right::SeeLeads) && resting.is_empty() {
            in_campaign(&format!("/codes/texts?since={}", job.created_at))
        } else {
            String::new()
        },
        made: batch.made,
    })
}

/// The page that tells a referrer their code.
fn ready_url(enrollment_id: i64) -> String {
    format!("/enrollments/{enrollment_id}/text")
}

async fn generate(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let flash = match codes::generate_one(&page.app, &actor, page.member.business_id, id).await? {
        Generated::Made { text, name } => {
            Flash::good(format!("{name} has the code {text} now.")).next(ready_url(id), "Tell them")
        }
        Generated::Had { text, name } => Flash::info(format!("{name} has a code already: {text}.")),
        Generated::NotActive { name, state } => {
            Flash::bad(format!("{name} is {state} in this campaign, so no code was generated."))
        }
        Generated::NotFound => return Err(Fault::NotFound),
    };
    page.go(form.back("/referrers"), flash).await
}

#[derive(Template)]
#[template(path = "codes/choose.html")]
struct ChoosePage {
    frame: Frame,
    form: Form,
    name: String,
    person_url: String,
    action: String,
    now: Option<String>,
}

impl ChoosePage {
    async fn of(page: &Page, id: i64, form: Form) -> Result<Self, Fault> {
        let mut conn = page.read().await?;
        let owner = store::enrollment(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
        let now = store::active(&mut conn, &[id]).await?.pop().map(|c| c.text);
        drop(conn);
        Ok(Self {
            frame: page.frame("codes").await?,
            form,
            name: owner.name,
            person_url: format!("/referrers/{}", owner.referrer_id),
            action: format!("/enrollments/{id}/code"),
            now,
        })
    }
}

async fn new(page: Page, Path(id): Path<i64>) -> PageResult {
    html(&ChoosePage::of(&page, id, Form::default()).await?)
}

async fn create(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    if !form.is_fine() {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &ChoosePage::of(&page, id, form).await?);
    }
    let actor = Arc::new(page.member.actor());
    let chosen = codes::choose(&page.app, &actor, page.member.business_id, id, form.value("code")).await?;
    let wrong = match chosen {
        Chosen::Set { text, was, .. } => {
            let shown = ChoosePage::of(&page, id, form).await?;
            let flash = match was {
                Some(was) => format!("{text} is the code of {} now. {was} keeps working.", shown.name),
                None => format!("{} has the code {text} now.", shown.name),
            };
            return page.go(&shown.person_url, Flash::good(flash).next(ready_url(id), "Tell them")).await;
        }
        Chosen::NotFound => return Err(Fault::NotFound),
        Chosen::Same => "That is the code already.".to_owned(),
        Chosen::Invalid(why) => format!("The code {why}."),
        Chosen::Archived => "This referrer is archived. Restore them first.".to_owned(),
        Chosen::Taken { text, name, state } if state == "retired" => {
            format!("The retired code {text} of {name} reads the same, so this one cannot be told from it.")
        }
        Chosen::Taken { text, name, .. } => {
            format!("The code {text} of {name} reads the same, so this one cannot be told from it.")
        }
    };
    form.fail("code", wrong);
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &ChoosePage::of(&page, id, form).await?)
}
