//! Staff decide the referrer of a lead: find a referrer, see which money moves, give a reason.

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use super::find::find;
use super::qualification::refused;
use super::show::names_of;
use crate::commissions::pages::{Preview, preview};
use crate::engine::{Moves, Reattribute, Rejected};
use crate::leads::LeadRow;
use crate::leads::store::one::{self, CandidateRow, LeadNames};
use crate::query::ListQuery;
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "leads/referrer_find.html")]
struct FindPage {
    frame: Frame,
    person: LeadRow,
    names: LeadNames,
    q: String,
    found: Vec<CandidateRow>,
}

#[derive(Template)]
#[template(path = "leads/referrer_confirm.html")]
struct ConfirmPage {
    frame: Frame,
    person: LeadRow,
    names: LeadNames,
    /// "none", or the enrollment.
    to: String,
    title: String,
    changed: bool,
    moves: Preview,
    /// The additional earnings of the waiting payments and the qualification.
    waiting: Preview,
    seen: String,
    form: Form,
}

/// Both answers to "should waiting payments earn": the money that moves without, the additional money with,
/// and the digest of both.
struct Seen {
    without: Moves,
    on_top: Moves,
    seal: String,
    refused: Option<Rejected>,
}

fn event_of(lead: &LeadRow, to: Option<i64>, reason: &str, pay_back: bool) -> Reattribute {
    Reattribute { lead_id: lead.id.into(), to: to.map(Into::into), code_id: None, reason: reason.to_owned(), pay_back }
}

async fn look(page: &Page, lead: &LeadRow, to: Option<i64>) -> Result<Seen, Fault> {
    let (outcomes, without) = preview(page, &[page.event(event_of(lead, to, "", false))]).await?;
    let (_, with) = preview(page, &[page.event(event_of(lead, to, "", true))]).await?;
    let seal = format!("{}{}", without.seal(), with.seal());
    let known = |m: &crate::engine::Moved| {
        without
            .created
            .iter()
            .any(|x| x.payment_id == m.payment_id && x.kind == m.kind && x.referrer_id == m.referrer_id)
    };
    let on_top = Moves {
        created: with.created.iter().filter(|m| !known(m)).cloned().collect(),
        nothing: with.nothing,
        ..Moves::default()
    };
    let refused = outcomes.into_iter().find_map(Result::err);
    Ok(Seen { without, on_top, seal, refused })
}

/// The enrollment that is meant, checked to be of the lead's campaign, and what it is called.
async fn target(page: &Page, lead: &LeadRow, to: &str) -> Result<(Option<i64>, String), Fault> {
    if to == "none" {
        return Ok((None, "Nobody".to_owned()));
    }
    let id = to.parse().map_err(|_| Fault::NotFound)?;
    let found = one::candidate(&mut page.read().await?, lead.campaign_id, id).await?.ok_or(Fault::NotFound)?;
    Ok((Some(found.enrollment_id), found.name))
}

pub(super) async fn choose(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/leads", uri.query(), &["q", "to"]);
    let lead = find(&page, id).await?;
    if !query.get("to").is_empty() {
        return confirm(&page, lead, query.get("to"), false, Form::default()).await;
    }
    let q = query.get("q").to_owned();
    let found = match q.as_str() {
        "" => Vec::new(),
        q => one::candidates(&mut page.read().await?, lead.campaign_id, q).await?,
    };
    let names = names_of(&page, &lead).await?;
    html(&FindPage { frame: page.frame("leads").await?, person: lead, names, q, found })
}

async fn confirm(page: &Page, lead: LeadRow, to: &str, changed: bool, form: Form) -> PageResult {
    let (enrollment, name) = target(page, &lead, to).await?;
    let own = format!("/leads/{}", lead.id);
    if enrollment == lead.enrollment_id {
        return page.go(&own, Flash::info(format!("{name} is the referrer already."))).await;
    }
    let seen = look(page, &lead, enrollment).await?;
    if let Some(refusal) = seen.refused {
        return page.go(&format!("{own}/referrer"), refused(refusal)?).await;
    }
    let status = match (form.is_fine(), changed) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, true) => StatusCode::CONFLICT,
        (true, false) => StatusCode::OK,
    };
    let page_shown = ConfirmPage {
        frame: page.frame("leads").await?,
        title: match enrollment {
            Some(_) => format!("{name} referred {}", lead.name),
            None => format!("{} has no referrer", lead.name),
        },
        to: to.to_owned(),
        changed,
        moves: Preview::of(page, &seen.without).await?,
        waiting: Preview::of(page, &seen.on_top).await?,
        seen: seen.seal,
        form,
        names: names_of(page, &lead).await?,
        person: lead,
    };
    html_with(status, &page_shown)
}

pub(super) async fn change(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let lead = find(&page, id).await?;
    let to = form.value("to").to_owned();
    let (enrollment, name) = target(&page, &lead, &to).await?;
    let reason = form.line("reason", "The reason", 300);
    let seen = look(&page, &lead, enrollment).await?;
    let changed = form.value("seen") != seen.seal;
    let Some(reason) = reason.filter(|_| !changed) else {
        return confirm(&page, lead, &to, changed, form).await;
    };
    let what = event_of(&lead, enrollment, &reason, form.checked("pay_back"));
    let flash = match page.app.engine.one(page.by(), what).await? {
        Ok(done) if done.changed && enrollment.is_none() => Flash::good(format!("{} has no referrer now.", lead.name)),
        Ok(done) if done.changed => Flash::good(format!("{name} counts as the referrer of {} now.", lead.name)),
        Ok(_) => Flash::info(format!("{name} was the referrer already.")),
        Err(why) => refused(why)?,
    };
    page.go(&format!("/leads/{id}"), flash).await
}
