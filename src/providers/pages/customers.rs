//! Customers at Stripe as referrers: the preview, the daily switch, and the runs so far.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::campaign::{account, find, named};
use super::runs::{Line, lines};
use crate::campaigns::Campaign;
use crate::jobs;
use crate::providers::accounts::Account;
use crate::providers::store::runs::{self as store, NewRun, RunKind};
use crate::providers::stripe::runs::{self as verbs, TEST_REFERRERS};
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};
use crate::when::When;

/// Runs that the page shows.
const SHOWN: i64 = 10;

#[derive(Template)]
#[template(path = "providers/customers.html")]
struct CustomersPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    account: Account,
    /// The next sync by itself.
    next: Option<When>,
    /// Customers made before then were looked at.
    until: Option<When>,
    runs: Vec<Line>,
}

impl CustomersPage {
    async fn of(page: &Page, form: Form, campaign: Campaign, account: Account) -> Result<Self, Fault> {
        let Some(link) = account.link(campaign.id) else { return Err(Fault::NotFound) };
        let of = (account.row.id, campaign.id);
        let runs = store::last(&mut page.read().await?, of, RunKind::Customers, SHOWN).await?;
        Ok(Self {
            next: link.sync_next_at.map(|at| page.when(at)),
            until: link.synced_until.map(|at| page.when(at)),
            runs: lines(page, runs),
            frame: page.frame("campaign").await?,
            form,
            campaign,
            account,
        })
    }

    fn name(&self) -> &str {
        named(&self.account)
    }

    fn test_mode(&self) -> &'static str {
        TEST_REFERRERS
    }
}

pub(super) async fn show(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    html(&CustomersPage::of(&page, Form::default(), campaign, account).await?)
}

/// Starts a dry run.
pub(super) async fn preview(page: Page, Path((id, account_id)): Path<(i64, i64)>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let new = NewRun {
        business_id: page.member.business_id,
        account_id,
        campaign_id: id,
        kind: RunKind::Customers,
        asks: true,
        daily: false,
        since: None,
    };
    match verbs::start(&page.app, &Arc::new(page.member.actor()), new).await? {
        Ok(asked) => {
            jobs::wait_briefly(&page.app, page.member.business_id, asked.job_id).await?;
            let to = format!("/campaigns/{id}/payments/runs/{}", asked.run_id);
            page.go(&to, Flash::info("Nothing is stored as a referrer until you say so.")).await
        }
        Err(why) => {
            form.fail("", why);
            let page = CustomersPage::of(&page, form, campaign, account).await?;
            html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Switches the daily sync.
pub(super) async fn daily(page: Page, Path((id, account_id)): Path<(i64, i64)>, form: Form) -> PageResult {
    account(&page, id, account_id).await?;
    let of = (page.member.business_id, account_id, id);
    let on = form.value("daily") == "yes";
    let flash = match verbs::set_daily(&page.app, &Arc::new(page.member.actor()), of, on).await? {
        Err(why) => Flash::bad(why),
        Ok(false) => Flash::info("Nothing was different, so nothing was changed."),
        Ok(true) if on => {
            Flash::good("New customers become referrers every day from now on. The first sync starts within a minute.")
        }
        Ok(true) => Flash::good("Customers do not become referrers by themselves any more."),
    };
    page.go(&format!("/campaigns/{id}/payments/accounts/{account_id}/customers"), flash).await
}
