//! Record a referral: the search, the form, the receipt. Each is a page that works without script; the
//! list below the search field is also a fragment of its own, for the live look-up.

mod beside;
mod unknown;
mod whose;

use std::sync::Arc;

use askama::Template;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};

use super::find::{Asked, Hit, best, find};
use super::store::{self, EnrollmentOf, ReferrerOf};
use super::{Reach, Receipt, Recording, Undone};
use crate::clock::Instant;
use crate::codes::{self, Known};
use crate::email::Email;
use crate::phone::{self, Phone};
use crate::query::{ListQuery, url};
use crate::shell::{Access, Frame, Page, Routes};
use crate::spelling;
use crate::text::looked_at;
use crate::users::Right;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, html};
use crate::when::said;

pub use beside::{Beside, is_due};
pub use whose::whose;

pub fn routes() -> Routes {
    let record = Access::May(Right::Record);
    Routes::new()
        .get("/record", record, show)
        .get("/record/people", record, people)
        .form("/record", record, create)
        .get("/record/receipt", record, receipt)
        .post("/record/undo", record, undo)
        .get("/record/unknown", record, unknown::ask)
        .form("/record/unknown", record, unknown::create)
}

#[derive(Template)]
#[template(path = "record/search.html")]
struct SearchPage {
    frame: Frame,
    q: String,
    list: People,
}

/// The list below the field, on the page and alone.
#[derive(Template)]
#[template(path = "record/people.html")]
struct PeopleFragment {
    q: String,
    list: People,
}

struct People {
    /// For those who were not found: recording what was said, and adding the referrer where the person may.
    said_url: String,
    add_url: Option<String>,
    /// The address of the one who is meant without doubt.
    only: Option<String>,
    hits: Vec<Line>,
    near: Vec<Line>,
    understood: String,
    more: bool,
    /// The number of referrers that were looked through, where not all were.
    looked: String,
}

struct Line {
    hit: Hit,
    url: String,
    last: String,
}

impl Line {
    fn detail(&self) -> &str {
        let person = &self.hit.person;
        person.company.as_deref().or(person.email.as_deref()).unwrap_or_default()
    }
}

impl People {
    async fn of(page: &Page, q: &str) -> Result<Self, Fault> {
        let asked = Asked {
            business_id: page.member.business_id,
            campaign_id: page.campaign.id,
            country: &page.member.country,
            text: q,
        };
        let found = find(&page.app.db, asked).await?;
        let today = page.today();
        let line = |hit: Hit| {
            let last = match hit.person.last_at {
                Some(at) => {
                    let day = page.member.zone.day_of(Instant::from_micros(at));
                    format!("last referral {}", said(today, day))
                }
                None => "no referral yet".to_owned(),
            };
            let (referrer, code) = (hit.person.id.to_string(), hit.code_id.map(|id| id.to_string()));
            let mut pairs = vec![("referrer", referrer.as_str())];
            pairs.extend(code.as_deref().map(|code| ("code", code)));
            pairs.push(("q", q));
            Line { url: page.at(&url("/record", &pairs)), last, hit }
        };
        Ok(Self {
            said_url: url("/record/unknown", &[("q", q)]),
            add_url: page
                .member
                .may(Right::EditReferrers)
                .then(|| page.at(&url("/referrers/new", &[("name", q), ("then", "record")]))),
            only: found.only().map(|hit| line(hit.clone()).url),
            hits: found.hits.into_iter().map(line).collect(),
            near: found.near.into_iter().map(line).collect(),
            understood: found.understood,
            more: found.more,
            looked: looked_at(found.looked),
        })
    }
}

async fn show(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = page.list("/record", &uri, &["q", "referrer", "code", "open"]);
    if let Ok(referrer) = query.get("referrer").parse() {
        let form = Form::filled(&[("q", query.get("q")), ("code", query.get("code"))]);
        return html(&TellPage::of(&page, referrer, form).await?);
    }
    let q = query.get("q").to_owned();
    let list = People::of(&page, &q).await?;
    // Enter opens the one who is meant; the way back shows the list.
    if let Some(only) = list.only.as_deref().filter(|_| !query.get("open").is_empty()) {
        return Ok(Redirect::to(only).into_response());
    }
    html(&SearchPage { frame: page.frame("record").await?, q, list })
}

async fn people(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let q = ListQuery::new("/record/people", uri.query(), &["q"]).get("q").to_owned();
    let list = People::of(&page, &q).await?;
    html(&PeopleFragment { q, list })
}

#[derive(Template)]
#[template(path = "record/tell.html")]
struct TellPage {
    frame: Frame,
    form: Form,
    referrer: ReferrerOf,
    code: String,
    code_id: String,
    campaigns: Vec<Choice>,
    campaign_id: i64,
    /// Why a claim would not count, shown before any typing.
    warning: Option<String>,
    /// Ways to reach customers, with a number as it is written here.
    hint: String,
    back: String,
}

fn warning(enrollment: &EnrollmentOf, code: Option<&Known>) -> Option<String> {
    let why = match (enrollment.state.as_str(), enrollment.campaign_state.as_str()) {
        _ if code.is_some_and(|c| c.state == "retired") => "the code is retired",
        ("banned", _) => "the referrer is banned in this campaign",
        ("paused", _) => "the referrer is paused in this campaign",
        (_, "live") => return None,
        _ => "the campaign takes no new referrals",
    };
    Some(format!("A referral would be recorded but not count: {why}."))
}

impl TellPage {
    async fn of(page: &Page, referrer_id: i64, form: Form) -> Result<Self, Fault> {
        let business = page.member.business_id;
        let mut conn = page.read().await?;
        let referrer = store::referrer(&mut conn, business, referrer_id).await?.ok_or(Fault::NotFound)?;
        let enrolled = store::enrollments(&mut conn, business, referrer_id).await?;
        let code = match form.value("code").parse() {
            Ok(id) => codes::by_id(&mut conn, business, id).await?.filter(|c| c.referrer_id == referrer_id),
            Err(_) => None,
        };
        drop(conn);
        let typed: Option<i64> = form.value("campaign").parse().ok();
        let wanted = typed.or(code.as_ref().map(|c| c.campaign_id)).unwrap_or(page.campaign.id);
        let here = best(&enrolled, referrer_id, wanted).ok_or(Fault::NotFound)?;
        let hint = phone::example(&page.member.country).map_or_else(
            || "One way to reach them.".to_owned(),
            |number| format!("One way to reach them, like {number} or jane@example.com. Only an e-mail address finds their payments."),
        );
        let shown = code.as_ref().map(|c| c.text.clone()).or_else(|| here.code.clone());
        Ok(Self {
            frame: page.frame("record").await?,
            warning: warning(here, code.as_ref()),
            hint,
            code: shown.unwrap_or_default(),
            code_id: code.map(|c| c.id.to_string()).unwrap_or_default(),
            campaign_id: here.campaign_id,
            campaigns: Choice::list(
                enrolled.iter().map(|e| (e.campaign_id, e.campaign.clone())),
                &here.campaign_id.to_string(),
            ),
            back: page.at(&url("/record", &[("q", form.value("q"))])),
            referrer,
            form,
        })
    }
}

/// A phone number or an e-mail address, whichever it is.
fn reach(form: &mut Form, country: &str) -> Option<Reach> {
    let typed = form.value("reach").trim().to_owned();
    let read = match typed.as_str() {
        "" => Err("A phone number or an e-mail address is missing.".to_owned()),
        _ if typed.contains('@') => Email::parse(&typed).map(Reach::Email).map_err(|why| why.sentence().to_owned()),
        _ if !typed.contains(|c: char| c.is_ascii_digit()) => {
            Err("This is neither a phone number nor an e-mail address.".to_owned())
        }
        _ => Phone::parse(&typed, country).map(Reach::Phone).map_err(|why| why.sentence(country)),
    };
    read.map_err(|why| form.fail("reach", why)).ok()
}

async fn create(page: Page, mut form: Form) -> PageResult {
    let referrer_id: i64 = form.value("referrer").parse().map_err(|_| Fault::NotFound)?;
    let customer = form.line("name", "The customer's name", 120);
    let reach = reach(&mut form, &page.member.country);
    let (Some(customer), Some(reach), true) = (customer, reach, form.is_fine()) else {
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &TellPage::of(&page, referrer_id, form).await?);
    };
    let recording = Recording {
        business_id: page.member.business_id,
        user_id: page.member.user_id,
        campaign_id: form.value("campaign").parse().map_err(|_| Fault::NotFound)?,
        referrer_id,
        code_id: form.value("code").parse().ok(),
        test: page.test,
        customer,
        reach,
    };
    let done = super::record(&page.app, &Arc::new(page.member.actor()), recording).await?.ok_or(Fault::NotFound)?;
    page.session.insert("receipt", done).await?;
    Ok(Redirect::to("/record/receipt").into_response())
}

#[derive(Template)]
#[template(path = "record/receipt.html")]
struct ReceiptPage {
    frame: Frame,
    title: String,
    sentence: String,
    tone: &'static str,
    code: Option<String>,
    spoken: String,
    again_url: String,
    can_undo: bool,
    receipt: Receipt,
}

/// The words of the receipt: title, sentence, tone.
fn words(r: &Receipt, since: Option<String>) -> (String, String, &'static str) {
    let (customer, referrer) = (&r.customer, &r.referrer);
    let known = since.map(|day| format!("{customer} was known already, since {day}. ")).unwrap_or_default();
    if let Some(said) = &r.said {
        let rest = match &r.holder {
            Some(holder) => format!("The referral stays with {holder}."),
            None => "An inbox item asks staff who that is.".to_owned(),
        };
        return (format!("Recorded: {customer}"), format!("{known}Sent by “{said}”. {rest}"), "good");
    }
    if let Some(why) = &r.refused {
        let rest = match (&r.holder, r.theirs_already) {
            (Some(holder), _) => format!(" The referral stays with {holder}."),
            (None, true) => format!(" The referral of {referrer} that was there stays."),
            (None, false) => " An inbox item asks staff to decide.".to_owned(),
        };
        let sentence = format!("{known}{customer} is saved as a lead, but this claim does not count: {why}.{rest}");
        return (format!("Not counted for {referrer}"), sentence, "warning");
    }
    match (&r.holder, r.theirs_already, r.counts) {
        (Some(holder), ..) => {
            let sentence =
                format!("{known}The referral stays with {holder}. {referrer} is shown as “also claimed by”.");
            (format!("{customer} is {holder}’s referral already"), sentence, "warning")
        }
        (None, true, _) => (format!("Already recorded for {referrer}"), format!("{known}Nothing was changed."), "good"),
        (None, false, true) if !known.is_empty() => {
            let sentence = format!("{known}{customer} had no referrer until now.");
            (format!("Recorded for {referrer}"), sentence, "good")
        }
        (None, false, true) => (format!("Recorded for {referrer}"), format!("{referrer} referred {customer}."), "good"),
        (None, false, false) => (
            format!("Claim recorded for {referrer}"),
            format!("{known}The claim is recorded but does not count."),
            "warning",
        ),
    }
}

/// Takes back what the receipt says, for some minutes.
async fn undo(page: Page) -> PageResult {
    let Some(receipt) = page.session.get::<Receipt>("receipt").await? else {
        return Ok(Redirect::to(&page.at("/record")).into_response());
    };
    let actor = Arc::new(page.member.actor());
    match super::undo(&page.app, &actor, page.member.business_id, &receipt).await? {
        Undone::Done => {
            page.session.remove::<Receipt>("receipt").await?;
            let to = match receipt.referrer_id {
                0 => "/record".to_owned(),
                id => format!("/record?referrer={id}"),
            };
            page.go(&to, Flash::good(format!("The referral of {} is undone.", receipt.customer))).await
        }
        Undone::Over => {
            let why = "It cannot be undone any longer. Ask marketing to change the lead.";
            page.go("/record/receipt", Flash::info(why)).await
        }
    }
}

async fn receipt(page: Page) -> PageResult {
    let Some(receipt) = page.session.get::<Receipt>("receipt").await? else {
        return Ok(Redirect::to(&page.at("/record")).into_response());
    };
    let today = page.today();
    let since = receipt.known_since.map(|at| said(today, page.member.zone.day_of(Instant::from_micros(at))));
    let (title, sentence, tone) = words(&receipt, since);
    html(&ReceiptPage {
        frame: page.frame("record").await?,
        title,
        sentence,
        tone,
        spoken: receipt.code.as_deref().map(spelling::spelled).unwrap_or_default(),
        code: receipt.code.clone(),
        can_undo: receipt.can_undo(page.app.clock.now().micros()),
        again_url: page.at(&format!("/record?referrer={}", receipt.referrer_id)),
        receipt,
    })
}
