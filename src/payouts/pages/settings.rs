//! The settings of payouts: the people who have to agree, the mark of changed details, and for each campaign the least
//! amounts, the day of the month and the ways of paying.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;

use crate::adjustments;
use crate::amounts::Amounts;
use crate::money::Money;
use crate::payout_details::{Method, Offered};
use crate::payouts::files::Format;
use crate::payouts::{self, Approval, MOST_CHANGED_DAYS, Paying, Set, USUAL_CHANGED_DAYS};
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
    campaigns: Vec<CampaignFields>,
    /// Each kind of file: its word, its name, and whether it is set up.
    formats: Vec<(&'static str, &'static str, bool)>,
}

/// The fields of a campaign: its name, and theirs.
struct CampaignFields {
    campaign: String,
    least: String,
    day: String,
    methods: String,
    offered: Vec<Choice>,
}

impl CampaignFields {
    fn of(c: &Paying, form: &Form) -> Self {
        let methods = methods_of(c.id);
        Self {
            campaign: c.name.clone(),
            least: least_of(c.id),
            day: day_of(c.id),
            offered: Choice::many(Method::ALL.map(|m| (m.word(), m.title())), form.all(&methods)),
            methods,
        }
    }
}

/// The amounts above which an adjustment needs a second person.
const LIMIT: &str = "adjustment_limit";

/// The days within which changed payout details are marked.
const CHANGED_DAYS: &str = "changed_details_days";

fn least_of(campaign_id: i64) -> String {
    format!("least_{campaign_id}")
}

fn day_of(campaign_id: i64) -> String {
    format!("day_{campaign_id}")
}

fn methods_of(campaign_id: i64) -> String {
    format!("methods_{campaign_id}")
}

fn label(approval: Approval) -> &'static str {
    match approval {
        Approval::None => "Nobody: a locked payout can be paid",
        Approval::Owner => "An owner who did not lock it",
        Approval::Anyone => "Anybody else who may pay",
    }
}

async fn shown(page: &Page, form: Form, status: StatusCode) -> PageResult {
    let mut conn = page.read().await?;
    let all = payouts::paying(&mut conn, page.member.business_id).await?;
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
        campaigns: all.iter().map(|c| CampaignFields::of(c, &form)).collect(),
        formats,
        form,
    };
    html_with(status, &answer)
}

pub(super) async fn show(page: Page) -> PageResult {
    let (business_id, currency) = (page.member.business_id, page.member.currency);
    let mut conn = page.read().await?;
    let approval = payouts::approval(&mut conn, business_id).await?;
    let changed_days = payouts::changed_days(&mut conn, business_id).await?;
    let all = payouts::paying(&mut conn, business_id).await?;
    let limits = adjustments::limits(&mut conn, business_id).await?;
    drop(conn);
    let mut form = Form::filled(&[("approval", approval.word()), (CHANGED_DAYS, &changed_days.to_string())]);
    form.set(LIMIT, limits.get(currency).map(Money::plain).unwrap_or_default());
    form.set(&format!("{LIMIT}_other"), limits.lines_without(currency));
    for c in all {
        let least = Amounts::from_json(&c.payout_minimum);
        form.set(&least_of(c.id), least.get(currency).map(Money::plain).unwrap_or_default());
        form.set(&format!("{}_other", least_of(c.id)), least.lines_without(currency));
        form.set(&day_of(c.id), c.payout_day.map(|day| day.to_string()).unwrap_or_default());
        c.offered.methods().for_each(|method| form.add(&methods_of(c.id), method.word()));
    }
    shown(&page, form, StatusCode::OK).await
}

pub(super) async fn update(page: Page, mut form: Form) -> PageResult {
    let (business_id, currency) = (page.member.business_id, page.member.currency);
    let approval = form.choice("approval", "Who approves", Approval::parse);
    let changed_days = match form.value(CHANGED_DAYS).trim() {
        "" => Some(USUAL_CHANGED_DAYS),
        _ => form.number(CHANGED_DAYS, "The mark of changed details", 0, MOST_CHANGED_DAYS),
    };
    let all = payouts::paying(&mut page.read().await?, business_id).await?;
    let (mut least, mut days, mut offered) = (Vec::new(), Vec::new(), Vec::new());
    for c in &all {
        let name = day_of(c.id);
        let day = match form.value(&name).trim() {
            "" => Some(None),
            _ => form.number(&name, "The day", 1, payouts::LAST_DAY).map(Some),
        };
        days.extend(day.map(|day| (c.id, day)));
        least.extend(form.amounts(&least_of(c.id), "The least amount", currency).map(|read| (c.id, read)));
        offered.push((c.id, Offered::of(form.all(&methods_of(c.id)).filter_map(Method::parse))));
    }
    let limits = form.amounts(LIMIT, "The limit", currency);
    let (Some(approval), Some(limits), Some(changed_days), true) = (approval, limits, changed_days, form.is_fine())
    else {
        return shown(&page, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let actor = Arc::new(page.member.actor());
    let mut changed = payouts::set_approval(&page.app, &actor, business_id, approval).await? == Set::Changed;
    changed |= adjustments::set_limits(&page.app, &actor, business_id, limits).await?;
    let mut set = vec![payouts::set_changed_days(&page.app, &actor, business_id, changed_days).await?];
    for (campaign_id, minimum) in least {
        set.push(payouts::set_minimum(&page.app, &actor, business_id, campaign_id, minimum).await?);
    }
    for (campaign_id, day) in days {
        set.push(payouts::set_day(&page.app, &actor, business_id, campaign_id, day).await?);
    }
    for (campaign_id, offered) in offered {
        set.push(payouts::set_offered(&page.app, &actor, business_id, campaign_id, offered).await?);
    }
    if set.contains(&Set::NotFound) {
        return Err(Fault::NotFound);
    }
    changed |= set.contains(&Set::Changed);
    let flash = if changed {
        Flash::good("The settings were saved.")
    } else {
        Flash::info("Nothing was different, so nothing was changed.")
    };
    page.go("/payouts/settings", flash).await
}
