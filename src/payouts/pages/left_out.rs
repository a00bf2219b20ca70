//! The referrers whom a payout would leave out, and why.

use askama::Template;
use axum::extract::OriginalUri;

use super::list::wish;
use crate::payouts::{self, NewPayout, OutLine};
use crate::query::pairs;
use crate::shell::{Frame, Page};
use crate::web::{Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "payouts/left_out.html")]
struct LeftOutPage {
    frame: Frame,
    title: String,
    /// The campaign, where one was chosen.
    campaign: Option<String>,
    rows: Vec<Row>,
    /// Others would be in the payout, or left out too.
    is_nobody: bool,
    is_cut: bool,
}

struct Row {
    amount: String,
    line: OutLine,
}

/// The page about a payout that somebody wished for.
pub(super) fn address(new: &NewPayout) -> String {
    let campaign = new.campaign_id.map(|id| format!("&of={id}")).unwrap_or_default();
    let format = new.format.map(|format| format!("&format={format}")).unwrap_or_default();
    format!("/payouts/left-out?currency={}&method={}{campaign}{format}", new.currency, new.method)
}

pub(super) async fn show(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let mut form = Form::default();
    for (name, value) in pairs(uri.query().unwrap_or_default()) {
        form.set(if name == "of" { "campaign" } else { &name }, value);
    }
    let Some(new) = wish(&page, &mut form) else {
        return page.go("/payouts", Flash::bad("Choose a currency and a way of paying.")).await;
    };
    let found = match payouts::preview(&page.app, new, false).await? {
        Ok(found) => found,
        Err(why) => return page.go("/payouts", Flash::bad(why.sentence())).await,
    };
    let campaign = new.campaign_id.and_then(|id| page.campaigns().iter().find(|c| c.id == id));
    html(&LeftOutPage {
        frame: page.frame("payouts").await?,
        title: format!("Left out of a payout in {} {}", new.currency, new.method.within()),
        campaign: campaign.map(|campaign| campaign.name.clone()),
        is_nobody: found.is_of_nobody(),
        is_cut: !found.is_whole || found.left_out.len() == payouts::TOLD,
        rows: found.left_out.into_iter().map(|line| Row { amount: line.amount.shown(), line }).collect(),
    })
}
