//! Deleting test data from the pages: one lead, and all there is.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect};

use super::{Purged, store};
use crate::clock::Instant;
use crate::engine::purge::Tally;
use crate::jobs;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::{Fault, Flash, Form, PageResult, html};

pub fn routes() -> Routes {
    let may = Access::May(Right::EditLeads);
    Routes::new()
        .get("/test-data/delete", may, confirm)
        .post("/test-data/delete", may, delete)
        .get("/test-data/delete/{job}", may, show)
        .get("/leads/{id}/delete", may, confirm_lead)
        .post("/leads/{id}/delete", may, delete_lead)
}

/// "1 payment", "1,204 payments" for everything there is of it.
fn words(tally: &Tally) -> Vec<String> {
    let of = [
        (tally.leads, "test lead", "test leads"),
        (tally.touches, "referral", "referrals"),
        (tally.sign_ups, "sign-up", "sign-ups"),
        (tally.payments, "payment", "payments"),
        (tally.refunds, "refund", "refunds"),
        (tally.cancellations, "cancellation", "cancellations"),
        (tally.commissions, "commission", "commissions"),
        (tally.inbox_items, "inbox item", "inbox items"),
        (tally.answers, "stored answer", "stored answers"),
    ];
    let there = of.into_iter().filter(|(n, ..)| *n > 0);
    there.map(|(n, one, many)| format!("{} {}", counted(n), if n == 1 { one } else { many })).collect()
}

/// "a", "a and b", "a, b and c".
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[derive(Template)]
#[template(path = "test_data/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    title: String,
    button: String,
    there: Vec<String>,
    /// Rows that came after the page was made are not in its numbers, and stay.
    until: i64,
    running: Option<i64>,
}

async fn confirm(page: Page) -> PageResult {
    let until = page.app.clock.now().micros();
    let mut conn = page.read().await?;
    let tally = store::count(&mut conn, page.member.business_id).await?;
    let running = super::running(&mut conn, page.member.business_id).await?;
    drop(conn);
    let there = words(&tally);
    let button = match tally.leads {
        0 => "Delete it".to_owned(),
        1 => "Delete 1 test lead".to_owned(),
        n => format!("Delete {} test leads", counted(n)),
    };
    let title = if there.is_empty() { "There is no test data" } else { "Delete all test data" };
    let frame = page.frame("leads").await?;
    html(&ConfirmPage { frame, title: title.to_owned(), button, there, until, running })
}

async fn delete(page: Page, form: Form) -> PageResult {
    let now = page.app.clock.now();
    let until = form.value("until").parse().map_or(now, |micros| Instant::from_micros(micros).min(now));
    let actor = Arc::new(page.member.actor());
    let job = super::purge_all(&page.app, &actor, page.member.business_id, until).await?;
    jobs::wait_briefly(&page.app, page.member.business_id, job).await?;
    Ok(Redirect::to(&format!("/test-data/delete/{job}")).into_response())
}

#[derive(Template)]
#[template(path = "test_data/result.html")]
struct ResultPage {
    frame: Frame,
    running: bool,
    failed: bool,
    poll_url: String,
    done: i64,
    total: i64,
    progress: String,
    sentence: String,
}

async fn show(page: Page, Path(id): Path<i64>) -> PageResult {
    let job = jobs::find(&mut page.read().await?, page.member.business_id, id).await?;
    let job = job.filter(|j| j.kind == super::KIND).ok_or(Fault::NotFound)?;
    let gone = words(&super::of_result(&job.result()));
    let running = !job.is_over();
    html(&ResultPage {
        frame: page.frame("leads").await?,
        running,
        failed: job.state == "failed",
        poll_url: if running { format!("/test-data/delete/{id}") } else { String::new() },
        done: job.done,
        total: job.total.max(1),
        progress: format!("{} of {} test leads", counted(job.done), counted(job.total)),
        sentence: match gone.as_slice() {
            [] => "There was nothing to delete.".to_owned(),
            some => format!("Deleted: {}.", listed(some)),
        },
    })
}

#[derive(Template)]
#[template(path = "test_data/lead.html")]
struct LeadPage {
    frame: Frame,
    id: i64,
    name: String,
    there: Vec<String>,
}

async fn confirm_lead(page: Page, Path(id): Path<i64>) -> PageResult {
    let mut conn = page.read().await?;
    let lead = store::lead(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    if !lead.test {
        drop(conn);
        return page.go(&format!("/leads/{id}"), live()).await;
    }
    let hanging = store::count_of(&mut conn, id).await?;
    drop(conn);
    let mut there = Vec::new();
    if hanging.leads > 0 {
        let many = if hanging.leads == 1 { "duplicate" } else { "duplicates" };
        there.push(format!("{} {many}", counted(hanging.leads)));
    }
    there.extend(words(&Tally { leads: 0, ..hanging }));
    html(&LeadPage { frame: page.frame("leads").await?, id, name: lead.name, there })
}

fn live() -> Flash {
    Flash::bad("This lead is live. Live data is never deleted; archive it instead.")
}

async fn delete_lead(page: Page, Path(id): Path<i64>) -> PageResult {
    let actor = Arc::new(page.member.actor());
    let name = store::lead(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?.name;
    let gone = match super::purge_lead(&page.app, &actor, page.member.business_id, id, None).await? {
        Purged::NotFound => return Err(Fault::NotFound),
        Purged::Live => return page.go(&format!("/leads/{id}"), live()).await,
        Purged::Gone(tally) => words(&Tally { leads: 0, ..tally }),
    };
    let with = if gone.is_empty() { String::new() } else { format!(", with {}", listed(&gone)) };
    page.go("/leads", Flash::good(format!("{name} is deleted{with}."))).await
}
