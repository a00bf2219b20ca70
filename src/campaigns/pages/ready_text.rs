//! The ready text of a campaign: seen as a referrer gets it, and changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::find;
use crate::campaigns::ready_text::{MOST, PLACES, Person, ReadyText};
use crate::campaigns::{self, Campaign, Saved, Settings, store};
use crate::products;
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    let edit = Access::May(Right::EditCampaigns);
    Routes::new().get("/campaigns/{id}/text", edit, show).form("/campaigns/{id}/text", edit, update)
}

#[derive(Template)]
#[template(path = "campaigns/ready_text.html")]
struct TextPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    /// As a referrer gets it.
    sample: String,
    places: [(&'static str, &'static str); 8],
    /// Places of the text that this campaign has nothing for.
    holes: Vec<&'static str>,
    most: String,
}

impl TextPage {
    async fn of(page: &Page, campaign: Campaign, form: Form, text: &ReadyText) -> Result<Self, Fault> {
        let reward = pays(page, &campaign).await?;
        let holes = [("reward", &reward), ("offer", &campaign.offer)];
        let holes = holes.into_iter().filter(|(place, value)| value.is_empty() && text.names(place));
        let holes: Vec<&str> = holes.map(|(place, _)| place).collect();
        let link = format!("{}/r/JN7-K4M-8XQ", page.app.config.public_url);
        let person = Person {
            name: "Jane Njeri",
            link: &link,
            code: "JN7-K4M-8XQ",
            business: &page.member.business_name,
            campaign: &campaign.name,
            reward: &reward,
            offer: &campaign.offer,
        };
        Ok(Self {
            frame: page.frame("campaign").await?,
            form,
            sample: text.for_person(&person),
            campaign,
            places: PLACES,
            holes,
            most: MOST.to_string(),
        })
    }
}

/// What the campaign pays a referrer today, in one line.
async fn pays(page: &Page, campaign: &Campaign) -> Result<String, Fault> {
    let today = page.member.zone.day_of(page.app.clock.now());
    let all = products::in_force(&mut page.read().await?, page.member.business_id, today).await?;
    let own: Vec<_> = all.iter().filter(|one| one.campaign_id == campaign.id).collect();
    Ok(products::pays(&Settings::of(campaign).reward, &own).join(", and "))
}

async fn stored(page: &Page, id: i64) -> Result<ReadyText, Fault> {
    let stored = store::ready_text(&mut page.read().await?, page.member.business_id, id).await?;
    Ok(ReadyText::of(&stored.ok_or(Fault::NotFound)?))
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let campaign = find(&page, id).await?;
    let text = stored(&page, id).await?;
    let form = Form::filled(&[("text", text.text()), ("seen", text.text())]);
    html(&TextPage::of(&page, campaign, form, &text).await?)
}

async fn update(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let read = ReadyText::parse(form.value("text")).map_err(|why| form.fail("text", format!("The text {why}."))).ok();
    let Some(text) = read.filter(|_| form.is_fine()) else {
        let text = stored(&page, id).await?;
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &TextPage::of(&page, campaign, form, &text).await?);
    };
    if form.value("do") == "preview" {
        return html(&TextPage::of(&page, campaign, form, &text).await?);
    }
    let actor = Arc::new(page.member.actor());
    let seen = form.value("seen");
    let seen = ReadyText::parse(seen).unwrap_or_else(|_| ReadyText::of(seen));
    let saved = campaigns::set_ready_text(&page.app, &actor, page.member.business_id, id, seen, text.clone()).await?;
    let flash = match saved {
        Saved::NotFound => return Err(Fault::NotFound),
        Saved::Stale => {
            let theirs = stored(&page, id).await?;
            form.fail(
                "text",
                "Somebody else saved another text meanwhile: it is beside this one. Save again to replace it.",
            );
            form.set("seen", theirs.text());
            return html_with(StatusCode::CONFLICT, &TextPage::of(&page, campaign, form, &theirs).await?);
        }
        Saved::Same => Flash::info("Nothing was different, so nothing was changed."),
        Saved::Changed => Flash::good("The text was saved. Every referrer of this campaign is told in these words."),
    };
    page.go(&format!("/campaigns/{id}/text"), flash).await
}
