//! Telling referrers their codes: the ready text of one, and a file of many for a mailing tool.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path};

use super::search;
use crate::amounts::Amounts;
use crate::campaigns;
use crate::campaigns::ready_text::{Person, ReadyText};
use crate::codes::store::{self, CodeLine, Wanted};
use crate::db::{Conn, DbResult};
use crate::links;
use crate::products;
use crate::query::{self, ListQuery};
use crate::shell::worklist::{CHUNK, Cell, Parts, file, line};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Fault, Flash, PageResult, html};

pub fn routes() -> Routes {
    Routes::new()
        .get("/enrollments/{id}/text", Access::May(Right::SeeReferrers), show)
        // A file of everybody with their addresses is more than a look-up.
        .get("/codes/texts", Access::May(Right::SeeLeads), export)
}

#[derive(Template)]
#[template(path = "codes/ready.html")]
struct ReadyPage {
    frame: Frame,
    name: String,
    person_url: String,
    enrollment_id: i64,
    campaign_id: i64,
    campaign: String,
    /// Paused, banned or archived, or the campaign takes no referrals now.
    resting: String,
    can_edit: bool,
    /// True for those whose sending ticks the first steps.
    can_tell: bool,
    can_change: bool,
    /// None without an active code.
    ready: Option<Ready>,
}

/// A text, and the ways to send it.
struct Ready {
    text: String,
    mail_url: String,
    whatsapp_url: String,
}

impl Ready {
    fn of(text: String, email: &str, phone: &str, business: &str) -> Self {
        let subject = query::encode(&format!("Your link and code for {business}"));
        // A mail program wants the line ends of mail.
        let body = query::encode(&text.replace('\n', "\r\n"));
        Self {
            mail_url: format!("mailto:{}?subject={subject}&body={body}", query::encode(email)),
            // Without a number, WhatsApp asks whom to send it to.
            whatsapp_url: format!("https://wa.me/{}?text={}", phone.trim_start_matches('+'), query::encode(&text)),
            text,
        }
    }
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let business = page.member.business_id;
    let mut conn = page.read().await?;
    let owner = store::told(&mut conn, business, id).await?.ok_or(Fault::NotFound)?;
    let ready = match &owner.code {
        Some(code) => {
            let link = links::of_code(&mut conn, &page.app.config.public_url, business, code).await?;
            let reward = pays(&mut conn, &page, owner.campaign_id, &owner.reward).await?;
            let person = Person {
                reward: &reward,
                offer: &owner.offer,
                name: &owner.name,
                link: &link.unwrap_or_default(),
                code,
                business: &page.member.business_name,
                campaign: &owner.campaign,
            };
            let text = ReadyText::of(&owner.ready_text).for_person(&person);
            let (email, phone) =
                (owner.email.as_deref().unwrap_or_default(), owner.phone.as_deref().unwrap_or_default());
            Some(Ready::of(text, email, phone, &page.member.business_name))
        }
        None => None,
    };
    drop(conn);
    html(&ReadyPage {
        frame: page.frame("referrers").await?,
        resting: owner.resting(),
        person_url: format!("/referrers/{}", owner.referrer_id),
        name: owner.name,
        enrollment_id: id,
        campaign_id: owner.campaign_id,
        campaign: owner.campaign,
        can_edit: page.member.may(Right::EditReferrers),
        can_tell: page.member.may(Right::Record),
        can_change: page.member.may(Right::EditCampaigns),
        ready,
    })
}

/// What a campaign pays a referrer today, in one line.
async fn pays(conn: &mut Conn, page: &Page, campaign_id: i64, reward: &str) -> DbResult<String> {
    let today = page.member.zone.day_of(page.app.clock.now());
    let all = products::in_force(conn, page.member.business_id, today).await?;
    let own: Vec<_> = all.iter().filter(|one| one.campaign_id == campaign_id).collect();
    Ok(products::pays(&Amounts::from_json(reward), &own).join(", and "))
}

struct Export {
    reward: String,
    offer: String,
    page: Page,
    query: ListQuery,
    wanted: Wanted,
    text: ReadyText,
    over: bool,
}

/// A line for each code that counts now: the person, the code, the link, and the text for them.
async fn export(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let mut query = page.list("/codes/texts", &uri, &store::KNOWN_QUERY);
    query.set("state", "active");
    let wanted = search(&page, query.get("q")).await?.wanted;
    let resting = campaigns::resting(&page.campaign.name, &page.campaign.state);
    if !resting.is_empty() {
        return page.go("/codes", Flash::bad(resting)).await;
    }
    let text = campaigns::ready_text(&mut page.read().await?, page.member.business_id, page.campaign.id).await?;
    let text = ReadyText::of(&text.ok_or(Fault::NotFound)?);
    let mut conn = page.read().await?;
    let campaign = campaigns::find(&mut conn, page.member.business_id, page.campaign.id).await?;
    let campaign = campaign.ok_or(Fault::NotFound)?;
    let reward = pays(&mut conn, &page, campaign.id, &campaign.reward).await?;
    drop(conn);
    let query = query.without("after").without("before");
    let state = Export { reward, offer: campaign.offer, page, query, wanted, text, over: false };
    file("texts", &["name", "email", "phone", "code", "link", "text"], state)
}

impl Parts for Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let of = (self.page.campaign.id, self.page.member.zone);
        let rows = store::every(&self.page.app.db, of, &self.query, &self.wanted, CHUNK).await?;
        self.over = rows.len() < CHUNK;
        if let Some(last) = rows.last() {
            self.query.set("after", &store::cursor(&self.query, last).text());
        }
        let mut out = Vec::new();
        for row in rows.iter().filter(|row| !row.archived && row.enrollment_state == "active") {
            line(&self.cells(row), &mut out).map_err(|e| Fault::Ours(e.to_string()))?;
        }
        Ok(Some(Bytes::from(out)))
    }
}

impl Export {
    fn cells(&self, row: &CodeLine) -> [Cell; 6] {
        let link = row.link(&self.page.app.config.public_url);
        let text = self.text.for_person(&Person {
            name: &row.name,
            link: &link,
            code: &row.text,
            business: &self.page.member.business_name,
            campaign: &self.page.campaign.name,
            reward: &self.reward,
            offer: &self.offer,
        });
        [
            Cell::Text(row.name.clone()),
            Cell::maybe(row.email.as_ref()),
            Cell::maybe(row.phone.as_ref()),
            Cell::Text(row.text.clone()),
            Cell::Plain(link),
            Cell::Text(text),
        ]
    }
}
