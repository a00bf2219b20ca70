//! Enrolling the referrers of another campaign in this one: what is asked, how far it is, and the result.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use crate::referrers::enroll_many::{self, Many, Wanted};
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Form, PageResult, html};
use crate::{campaigns, jobs, query, remarks};

pub fn routes() -> Routes {
    let edit = Access::May(Right::EditReferrers);
    Routes::new().get("/referrers/enroll", edit, new).form("/referrers/enroll", edit, create).get(
        "/referrers/enroll/{job}",
        edit,
        show,
    )
}

#[derive(Template)]
#[template(path = "referrers/enroll.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    /// The other campaigns.
    campaigns: Vec<Choice>,
    /// Empty where the business has none.
    tags: Vec<Choice>,
}

impl NewPage {
    async fn of(page: &Page, form: Form) -> Result<Self, Fault> {
        let others = page.campaigns().iter().filter(|c| c.id != page.campaign.id);
        let campaigns = Choice::list(others.map(|c| (c.id, c.name.clone())), form.value("from"));
        let tags = remarks::all_tags(&mut page.read().await?, page.member.business_id).await?;
        let tags = match tags.is_empty() {
            true => Vec::new(),
            false => {
                let all = tags.into_iter().map(|(id, name)| (id.to_string(), name));
                Choice::list(std::iter::once((String::new(), "Any tag".to_owned())).chain(all), form.value("tag"))
            }
        };
        Ok(Self { frame: page.frame("referrers").await?, form, campaigns, tags })
    }
}

async fn new(page: Page) -> PageResult {
    html(&NewPage::of(&page, Form::filled(&[("generate", "yes")])).await?)
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let known = |id: &str| id.parse().ok().filter(|id| page.has_campaign(*id) && *id != page.campaign.id);
    let from = form.choice("from", "The campaign", known);
    let tags = remarks::all_tags(&mut page.read().await?, page.member.business_id).await?;
    let tag = form.choice("tag", "The tag", |id| match id {
        "" => Some(0),
        id => id.parse().ok().filter(|id| tags.iter().any(|(known, _)| known == id)),
    });
    let (Some(from), Some(tag), true) = (from, tag, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &NewPage::of(&page, form).await?);
    };
    let wanted = Wanted { from, tag, generate: form.checked("generate") };
    let actor = Arc::new(page.member.actor());
    let business = page.member.business_id;
    let job = enroll_many::enroll_many(&page.app, &actor, business, page.campaign.id, wanted).await?;
    jobs::wait_briefly(&page.app, business, job).await?;
    Ok(Redirect::to(&format!("/referrers/enroll/{job}")).into_response())
}

#[derive(Template)]
#[template(path = "referrers/enrolled.html")]
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
    campaign: String,
    list_url: String,
    /// The file of texts for the new codes; empty where there is none.
    texts_url: String,
    again_url: String,
}

/// "1 referrer", "12 referrers".
fn people(n: i64) -> String {
    if n == 1 { "1 referrer".to_owned() } else { format!("{} referrers", counted(n)) }
}

async fn show(mut page: Page, Path(id): Path<i64>) -> PageResult {
    let job = jobs::find(&mut page.read().await?, page.member.business_id, id).await?;
    let job = job.filter(|j| j.kind == enroll_many::KIND).ok_or(Fault::NotFound)?;
    let campaign_id = job.campaign_id.unwrap_or(page.campaign.id);
    page.of_campaign(campaign_id);
    let many = Many::of(&job.result());
    let running = !job.is_over();
    let left = match many.left {
        0 => String::new(),
        1 => "1 was in it before and stays as they are. ".to_owned(),
        n => format!("{} were in it before and stay as they are. ", counted(n)),
    };
    let with = if many.codes && many.enrolled > 0 { "Each has a code for it. " } else { "" };
    let resting = campaigns::resting(&page.campaign.name, &page.campaign.state);
    let texts = many.codes && many.enrolled > 0 && resting.is_empty() && page.member.may(Right::SeeLeads);
    let texts_url = format!("/codes/texts?since={}", job.created_at);
    html(&ResultPage {
        frame: page.frame("referrers").await?,
        running,
        failed: job.state == "failed",
        poll_url: if running { format!("/referrers/enroll/{id}") } else { String::new() },
        done: job.done,
        total: job.total.max(1),
        progress: format!("{} of {}", counted(job.done), people(job.total)),
        title: match many.enrolled {
            0 if many.left == 0 => "No active referrer matches".to_owned(),
            0 => "All of them are enrolled already".to_owned(),
            n => format!("{} enrolled", people(n)),
        },
        sentence: format!("{with}{left}No e-mail was sent. {resting}"),
        campaign: page.campaign.name.clone(),
        list_url: query::in_campaign("/referrers", campaign_id),
        texts_url: if texts { query::in_campaign(&texts_url, campaign_id) } else { String::new() },
        again_url: query::in_campaign("/referrers/enroll", campaign_id),
    })
}
