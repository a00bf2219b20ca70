//! Decisions about customers' rewards.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use crate::customer_rewards::{self, Act, CustomerRewardRow, MOST, Refused, Tally, Wish};
use crate::query::pairs;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::page::{html, html_with};
use crate::web::{Fault, Flash, Form, PageResult};

const LIST: &str = "/customer-rewards";

/// Rewards that "all that are due" takes, at most.
const ALL: usize = 20_000;

async fn find(page: &Page, id: i64) -> Result<CustomerRewardRow, Fault> {
    let found = customer_rewards::find(&mut page.read().await?, page.member.business_id, id).await?;
    found.ok_or(Fault::NotFound)
}

async fn decide(page: &Page, ids: Vec<i64>, act: Act) -> Result<Tally, Fault> {
    let wish = Wish { business_id: page.member.business_id, ids, act, today: page.today() };
    Ok(customer_rewards::decide(&page.app, &Arc::new(page.member.actor()), wish).await?)
}

/// Decides about one, and goes back.
async fn one(page: &Page, id: i64, back: &str, act: Act, done: &str) -> PageResult {
    let row = find(page, id).await?;
    let undo = matches!(act, Act::Give { .. });
    let already = match act {
        Act::Give { .. } => "given",
        Act::TakeBack => "due",
        Act::Void { .. } => "void",
    };
    let tally = decide(page, vec![id], act).await?;
    let flash = match tally.refused.first() {
        Some((_, why)) => Flash::bad(why.sentence()),
        None if tally.changed == 0 => Flash::info(format!("Nothing changed: it is {already} already.")),
        None => {
            let flash = Flash::good(format!("{} for {}: {done}", row.shown(), row.lead));
            if undo { flash.undo(format!("{LIST}/{id}/not-given"), "Undo", &[("back", back)]) } else { flash }
        }
    };
    page.go(back, flash).await
}

pub(super) async fn give(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    one(&page, id, form.back(LIST), Act::Give { early: None }, "given.").await
}

pub(super) async fn take_back(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    one(&page, id, form.back(LIST), Act::TakeBack, "not given, and due again.").await
}

/// Asks for the reason of a decision.
#[derive(Template)]
#[template(path = "customer_rewards/ask.html")]
struct Ask {
    frame: Frame,
    form: Form,
    row: CustomerRewardRow,
    word: &'static str,
    button: &'static str,
    sentence: &'static str,
    tone: &'static str,
    back: String,
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    Early,
    Void,
}

async fn asked(page: &Page, id: i64, form: Form, asked: Asked, status: StatusCode) -> PageResult {
    let (word, button, tone) = match asked {
        Asked::Early => ("early", "Give now", "primary"),
        Asked::Void => ("void", "Void", "danger"),
    };
    let sentence = match asked {
        Asked::Early => "Its hold is not over. Look whether the customer keeps what they bought.",
        Asked::Void => "The customer does not get it, whatever comes later. This cannot be undone.",
    };
    let row = find(page, id).await?;
    let back = form.back(LIST).to_owned();
    html_with(status, &Ask { frame: page.frame("commissions").await?, form, row, word, button, sentence, tone, back })
}

fn asked_from(uri: &axum::http::Uri) -> Form {
    let query = pairs(uri.query().unwrap_or_default());
    let back = query.iter().find(|(name, _)| name == "back").map_or("", |(_, back)| back.as_str());
    Form::filled(&[("back", back)])
}

pub(super) async fn ask_early(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    asked(&page, id, asked_from(&uri), Asked::Early, StatusCode::OK).await
}

pub(super) async fn give_early(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(reason) = form.line("reason", "The reason", 300) else {
        return asked(&page, id, form, Asked::Early, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    one(&page, id, form.back(LIST), Act::Give { early: Some(reason) }, "given.").await
}

pub(super) async fn ask_void(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    asked(&page, id, asked_from(&uri), Asked::Void, StatusCode::OK).await
}

pub(super) async fn void(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(reason) = form.line("reason", "The reason", 300) else {
        return asked(&page, id, form, Asked::Void, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    one(&page, id, form.back(LIST), Act::Void { reason }, "void.").await
}

/// Asks before all that are due are given.
#[derive(Template)]
#[template(path = "customer_rewards/all.html")]
struct AskAll {
    frame: Frame,
    count: usize,
    count_shown: String,
    /// There may be more than are taken at once.
    is_part: bool,
    back: String,
}

/// Gives the chosen ones, or all of the campaign whose hold is over.
pub(super) async fn bulk(page: Page, form: Form) -> PageResult {
    let back = form.back(LIST).to_owned();
    let mut ids: Vec<i64> = form.all("id").filter_map(|id| id.parse().ok()).collect();
    if form.value("scope") == "all" {
        let most = i64::try_from(ALL).unwrap_or(i64::MAX);
        let mut conn = page.read().await?;
        ids = customer_rewards::ready(&mut conn, page.campaign.id, page.test, page.today(), most).await?;
        drop(conn);
        // A person confirms the number that they have seen.
        if form.value("count") != ids.len().to_string() && !ids.is_empty() {
            let count_shown = counted(i64::try_from(ids.len()).unwrap_or(i64::MAX));
            let (frame, is_part) = (page.frame("commissions").await?, ids.len() >= ALL);
            return html(&AskAll { frame, count: ids.len(), count_shown, is_part, back });
        }
    }
    let (mut changed, mut refused, mut held, mut why) = (0, 0, 0, String::new());
    for lot in ids.chunks(MOST) {
        let tally = decide(&page, lot.to_vec(), Act::Give { early: None }).await?;
        changed += tally.changed;
        refused += tally.refused.len();
        held += tally.refused.iter().filter(|(_, why)| matches!(why, Refused::Held(_))).count();
        if let Some((_, first)) = tally.refused.first().filter(|_| why.is_empty()) {
            why = first.sentence();
        }
    }
    let said = if changed == 1 { "1 reward was given.".to_owned() } else { format!("{changed} rewards were given.") };
    let flash = match (changed, refused) {
        (0, 0) => Flash::info("Nothing was selected that is due."),
        _ if held > 0 && held == refused => Flash::info(format!("{said} Still held: {held}.")),
        (_, 0) => Flash::good(said),
        (_, 1) => Flash::info(format!("{said} 1 stays as it is: {why}")),
        _ => Flash::info(format!("{said} {refused} stay as they are: {why}")),
    };
    page.go(&back, flash).await
}
