//! The settings of payouts: the people who have to agree, the least amounts, and the day of the month.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;

use crate::adjustments;
use crate::amounts::Amounts;
use crate::money::Money;
use crate::payouts::files::Format;
use crate::payouts::{self, Approval, Set};
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult};

#[derive(Template)]
#[template(path = "payouts/settings.html")]
struct SettingsPage {
    frame: Frame,
    form: Form,
    approvals: Vec<Choice>,
    currency: &'static str,
    adjustment_limit: &'static str,
    /// The names of the two fields, and of the campaign.
    campaigns: Vec<(String, String, String)>,
    /// Each kind of file: its word, its name, and whether it is set up.
    formats: Vec<(&'static str, &'static str, bool)>,
}

/// The amounts above which an adjustment needs a second person.
const LIMIT: &str = "adjustment_limit";

fn label(approval: Approval) -> &'static str {
    match approval {
        Approval::None => "Nobody: a locked payout can be paid",
        Approval::Owner => "An owner who did not lock it",
        Approval::Anyone => "Anybody else who may pay",
    }
}

async fn shown(page: &Page, form: Form, status: StatusCode) -> PageResult {
    let mut conn = page.read().await?;
    let all = payouts::minimums(&mut conn, page.member.business_id).await?;
    let mut formats = Vec::new();
    for format in Format::ALL {
        let is_set_up = payouts::version(&mut conn, page.member.business_id, format).await?.is_some();
        formats.push((format.word(), format.title(), is_set_up));
    }
    drop(conn);
    let answer = SettingsPage {
        frame: page.frame("payouts").await?,
        approvals: Choice::list(Approval::ALL.map(|a| (a.word(), label(a))), form.value("approval")),
        currency: page.member.currency.code(),
        adjustment_limit: LIMIT,
        campaigns: all.into_iter().map(|c| (format!("least_{}", c.id), format!("day_{}", c.id), c.name)).collect(),
        formats,
        form,
    };
    html_with(status, &answer)
}

pub(super) async fn show(page: Page) -> PageResult {
    let (business_id, currency) = (page.member.business_id, page.member.currency);
    let mut conn = page.read().await?;
    let approval = payouts::approval(&mut conn, business_id).await?;
    let all = payouts::minimums(&mut conn, business_id).await?;
    let limits = adjustments::limits(&mut conn, business_id).await?;
    drop(conn);
    let mut form = Form::filled(&[("approval", approval.word())]);
    form.set(LIMIT, limits.get(currency).map(Money::plain).unwrap_or_default());
    form.set(&format!("{LIMIT}_other"), limits.lines_without(currency));
    for c in all {
        let least = Amounts::from_json(&c.payout_minimum);
        form.set(&format!("least_{}", c.id), least.get(currency).map(Money::plain).unwrap_or_default());
        form.set(&format!("least_{}_other", c.id), least.lines_without(currency));
        form.set(&format!("day_{}", c.id), c.payout_day.map(|day| day.to_string()).unwrap_or_default());
    }
    shown(&page, form, StatusCode::OK).await
}

pub(super) async fn update(page: Page, mut form: Form) -> PageResult {
    let (business_id, currency) = (page.member.business_id, page.member.currency);
    let approval = form.choice("approval", "Who approves", Approval::parse);
    let all = payouts::minimums(&mut page.read().await?, business_id).await?;
    let (mut least, mut days) = (Vec::new(), Vec::new());
    for c in &all {
        let name = format!("day_{}", c.id);
        let day = match form.value(&name).trim() {
            "" => Some(None),
            _ => form.number(&name, "The day", 1, payouts::LAST_DAY).map(Some),
        };
        days.extend(day.map(|day| (c.id, day)));
        least.extend(form.amounts(&format!("least_{}", c.id), "The least amount", currency).map(|read| (c.id, read)));
    }
    let limits = form.amounts(LIMIT, "The limit", currency);
    let (Some(approval), Some(limits), true) = (approval, limits, form.is_fine()) else {
        return shown(&page, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let actor = Arc::new(page.member.actor());
    let mut changed = payouts::set_approval(&page.app, &actor, business_id, approval).await? == Set::Changed;
    changed |= adjustments::set_limits(&page.app, &actor, business_id, limits).await?;
    for (campaign_id, minimum) in least {
        match payouts::set_minimum(&page.app, &actor, business_id, campaign_id, minimum).await? {
            Set::Changed => changed = true,
            Set::Already => {}
            Set::NotFound => return Err(Fault::NotFound),
        }
    }
    for (campaign_id, day) in days {
        match payouts::set_day(&page.app, &actor, business_id, campaign_id, day).await? {
            Set::Changed => changed = true,
            Set::Already => {}
            Set::NotFound => return Err(Fault::NotFound),
        }
    }
    let flash = if changed {
        Flash::good("The settings were saved.")
    } else {
        Flash::info("Nothing was different, so nothing was changed.")
    };
    page.go("/payouts/settings", flash).await
}
