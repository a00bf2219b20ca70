//! The list of first steps, as Home, the end of set-up and the help page show it; and the help page.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::Steps;
use crate::campaigns::{CampaignChoice, State};
use crate::shell::{Access, Frame, Page, Routes};
use crate::users::Right;
use crate::web::{Flash, Form, PageResult, Stamp, html};

pub fn routes() -> Routes {
    Routes::new()
        .get("/help", Access::May(Right::Home), help)
        // Sales send texts as well; they do not hide the list of those who set the programme up.
        .post("/first-steps/told", Access::May(Right::Record), told)
        .post("/first-steps/hidden", Access::May(Right::EditReferrers), hide)
}

/// One step, with what does it.
struct Line {
    done: bool,
    title: &'static str,
    sentence: &'static str,
    way: Way,
    /// True for the first that is to do.
    next: bool,
}

/// The link or the button of a step.
enum Way {
    Link {
        url: String,
        words: &'static str,
    },
    /// A button that sends (name, value).
    Deed {
        url: String,
        words: &'static str,
        field: (&'static str, &'static str),
    },
    /// A link, for a step that people tick by hand as well.
    LinkOrTick {
        url: String,
        words: &'static str,
    },
    /// A step before it is missing.
    NotYet,
}

/// The list.
#[derive(Template)]
#[template(path = "first_steps/list.html")]
pub struct Checklist {
    lines: Vec<Line>,
    done: usize,
    /// All steps are done, and no referral counts yet.
    is_done: bool,
    /// None where nobody is signed in to a business yet: then nothing is sent from the list.
    stamp: Option<Stamp>,
    /// The address that the list's own buttons lead back to.
    back: String,
    may_hide: bool,
}

impl Checklist {
    pub fn of(steps: Steps, frame: &Frame, campaign: &CampaignChoice) -> Self {
        let at = |address: &str| frame.at(address);
        let mut list = Self::new(steps, at, campaign);
        list.stamp = Some(frame.stamp());
        list.back = frame.path.clone();
        list.may_hide = true;
        list
    }

    /// As set-up ends on it.
    pub fn bare(steps: Steps, campaign: &CampaignChoice) -> Self {
        Self::new(steps, str::to_owned, campaign)
    }

    fn new(steps: Steps, at: impl Fn(&str) -> String, campaign: &CampaignChoice) -> Self {
        let link = |possible: bool, address: &str, words: &'static str| match possible {
            true => Way::Link { url: at(address), words },
            false => Way::NotYet,
        };
        let state = State::parse(&campaign.state).unwrap_or(State::Live);
        let go_live = Way::Deed {
            url: format!("/campaigns/{}/state", campaign.id),
            words: state.verb(State::Live),
            field: ("state", State::Live.word()),
        };
        let line = |done, title, sentence, way| Line { done, title, sentence, way, next: false };
        let mut lines = vec![
            line(
                steps.referrers,
                "Add referrers",
                "The people who recommend you: one by one, or a list of them as a file.",
                link(true, "/referrers/new", "Add referrer"),
            ),
            line(
                steps.codes,
                "Give them codes",
                "Each gets a code to say and a link to share.",
                link(steps.referrers, "/referrers/generate", "Generate codes"),
            ),
            line(
                steps.told,
                "Tell them",
                "A ready text for each has their link and code in it. You send it: Refdesk e-mails nobody.",
                match steps.codes {
                    true => Way::LinkOrTick { url: at("/codes?state=active"), words: "Open the texts" },
                    false => Way::NotYet,
                },
            ),
            line(
                steps.recorded,
                "Record a first referral",
                "A customer who was sent by one of them. A test checkout of your developers counts for this step.",
                link(steps.codes, "/record", "Record a referral"),
            ),
            line(steps.live, "Go live", "From then on, referrals of real customers count.", go_live),
        ];
        if let Some(next) = lines.iter_mut().find(|line| !line.done && !matches!(line.way, Way::NotYet)) {
            next.next = true;
        }
        let done = steps.all().into_iter().filter(|done| *done).count();
        Self { is_done: done == lines.len(), lines, done, stamp: None, back: "/".to_owned(), may_hide: false }
    }
}

#[derive(Template)]
#[template(path = "first_steps/help.html")]
struct HelpPage {
    frame: Frame,
    /// Shown to those who set the programme up, until a referral counts.
    list: Option<Checklist>,
    hidden: bool,
}

async fn help(page: Page) -> PageResult {
    let steps = match page.member.may(Right::EditReferrers) {
        true => super::of(&mut page.read().await?, page.member.business_id).await?,
        false => None,
    };
    let frame = page.frame("help").await?;
    html(&HelpPage {
        list: steps.map(|steps| Checklist::of(steps, &frame, &page.campaign)),
        hidden: steps.is_some_and(|steps| steps.hidden),
        frame,
    })
}

/// By hand, or by the script of a page whose text was copied or sent: that one says nothing about it.
async fn told(page: Page, form: Form) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let noted = super::told(&page.app, &actor, page.member.business_id).await?;
    let words = match noted {
        true => "Noted: your referrers know their links and codes.",
        false => "That was noted before.",
    };
    if form.checked("quiet") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    page.go(form.back("/"), Flash::good(words)).await
}

async fn hide(page: Page, form: Form) -> PageResult {
    let hidden = form.checked("hidden");
    let actor = Arc::new(page.member.actor());
    super::hide(&page.app, &actor, page.member.business_id, hidden).await?;
    let flash = match hidden {
        true => Flash::info("The first steps are hidden. You find them under Help."),
        false => Flash::good("The first steps are on Home again."),
    };
    page.go(form.back("/"), flash).await
}
