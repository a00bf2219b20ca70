//! One run: its progress, what it would do, what it did.

use std::sync::Arc;

use askama::Template;
use axum::extract::{OriginalUri, Path};

use super::campaign::{find, named};
use super::history;
use crate::campaigns::Campaign;
use crate::jobs;
use crate::providers::accounts::{self, Account};
use crate::providers::store::runs::{self as store, CustomerFate, CustomerRow, RunKind, RunRow, RunState};
use crate::providers::stripe::runs::{self as verbs, CustomerCounts, TEST_REFERRERS};
use crate::query::ListQuery;
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::{Fault, Flash, PageResult, Tab, html};
use crate::when::When;

/// Rows shown at one time.
const SHOWN: usize = 50;

/// A run in a list.
pub(super) struct Line {
    pub url: String,
    pub at: When,
    pub state: &'static str,
    pub tone: &'static str,
    pub daily: bool,
    pub words: String,
}

pub(super) fn lines(page: &Page, runs: Vec<RunRow>) -> Vec<Line> {
    let line = |run: RunRow| {
        let (state, tone) = state_words(&run);
        Line {
            url: format!("/campaigns/{}/payments/runs/{}", run.campaign_id, run.id),
            at: page.when(run.created_at),
            state,
            tone,
            daily: run.daily,
            words: match run.kind {
                RunKind::Customers => sentence(&run),
                RunKind::History => history::sentence(&run),
            },
        }
    };
    runs.into_iter().map(line).collect()
}

/// A state in words, and the meaning its colour has.
fn state_words(run: &RunRow) -> (&'static str, &'static str) {
    match (run.state, &run.stopped, run.again_at) {
        (_, Some(_), Some(_)) => ("tries again", "warning"),
        (_, Some(_), None) => ("stopped", "bad"),
        (RunState::Checking, ..) => ("reading", "neutral"),
        (RunState::Checked, ..) => ("waits for you", "warning"),
        (RunState::Running, ..) => ("running", "neutral"),
        (RunState::Done, ..) => ("done", "good"),
        (RunState::Discarded, ..) => ("thrown away", "neutral"),
    }
}

/// A preview that waits for somebody, or does not go on.
pub(super) fn may_be_thrown_away(run: &RunRow, stopped: bool) -> bool {
    run.asks && (run.state == RunState::Checked || (run.state == RunState::Checking && stopped))
}

pub(super) fn many(n: i64, one: &str, more: &str) -> String {
    format!("{} {}", counted(n), if n == 1 { one } else { more })
}

fn sentence(run: &RunRow) -> String {
    let counts = CustomerCounts::of(run);
    let read = many(counts.read, "customer read", "customers read");
    match run.state {
        RunState::Done => format!("{read}, {}", many(counts.to_add(), "referrer added", "referrers added")),
        RunState::Checking => read,
        _ => format!("{read}, {} to add", many(counts.to_add(), "referrer", "referrers")),
    }
}

#[derive(Template)]
#[template(path = "providers/run.html")]
struct RunPage {
    frame: Frame,
    campaign: Campaign,
    account: Account,
    run: RunRow,
    counts: CustomerCounts,
    tabs: Vec<Tab>,
    rows: Vec<CustomerRow>,
    fate: CustomerFate,
    next: Option<String>,
    done: i64,
    /// Why it does not go on, and when it does by itself.
    stopped: Option<(String, Option<When>)>,
}

impl RunPage {
    fn path(&self) -> String {
        format!("/campaigns/{}/payments/runs/{}", self.campaign.id, self.run.id)
    }

    fn back(&self) -> String {
        format!("/campaigns/{}/payments/accounts/{}/customers", self.campaign.id, self.account.row.id)
    }

    fn name(&self) -> &str {
        named(&self.account)
    }

    fn title(&self) -> String {
        let referrers = many(self.counts.to_add(), "customer", "customers");
        let one = self.counts.to_add() == 1;
        match self.run.state {
            RunState::Checking => "Reading customers".into(),
            RunState::Running => "Adding referrers".into(),
            RunState::Done => format!("{referrers} became {}", if one { "a referrer" } else { "referrers" }),
            _ => format!("{referrers} would become {}", if one { "a referrer" } else { "referrers" }),
        }
    }

    fn is_at_it(&self) -> bool {
        matches!(self.run.state, RunState::Checking | RunState::Running)
    }

    /// The step of the three that it is in; beyond them when all is done.
    fn step(&self) -> usize {
        match self.run.state {
            RunState::Checking => 1,
            RunState::Running => 3,
            RunState::Done => 4,
            _ => 2,
        }
    }

    fn shown<'r>(&self, row: &'r CustomerRow) -> &'r str {
        [&row.name, &row.email].into_iter().find(|text| !text.is_empty()).unwrap_or(&row.customer)
    }

    /// Why the customers of the tab are treated so.
    fn meaning(&self) -> &'static str {
        meaning(self.fate)
    }

    fn has_reasons(&self) -> bool {
        self.rows.iter().any(|row| !row.why.is_empty())
    }

    fn is_done(&self) -> bool {
        self.run.state == RunState::Done
    }

    fn may_be_thrown_away(&self) -> bool {
        may_be_thrown_away(&self.run, self.stopped.is_some())
    }

    fn total(&self) -> i64 {
        if self.run.state == RunState::Running { self.counts.to_add().max(1) } else { 1 }
    }

    fn part(&self) -> i64 {
        if self.run.state == RunState::Running { self.done } else { 0 }
    }

    fn progress(&self) -> String {
        match self.run.state {
            RunState::Running => {
                format!("{} of {}", counted(self.done), many(self.counts.to_add(), "referrer", "referrers"))
            }
            _ => many(self.counts.read, "customer read", "customers read"),
        }
    }

    fn test_mode(&self) -> &'static str {
        TEST_REFERRERS
    }

    fn read(&self) -> String {
        many(self.counts.read, "customer", "customers")
    }

    fn to_add(&self) -> String {
        many(self.counts.to_add(), "referrer", "referrers")
    }
}

/// What becomes of a customer, in words.
fn label(fate: CustomerFate) -> &'static str {
    match fate {
        CustomerFate::New => "New",
        CustomerFate::Joins => "Joins this campaign",
        CustomerFate::Known => "Known already",
        CustomerFate::Same => "Same e-mail twice",
        CustomerFate::NoEmail => "Without e-mail",
        CustomerFate::Invalid => "E-mail unreadable",
    }
}

/// Why nothing is done with the customers of a tab.
fn meaning(fate: CustomerFate) -> &'static str {
    match fate {
        CustomerFate::New => "Each gets a code in this campaign. Nobody is e-mailed.",
        CustomerFate::Joins => "Referrers of another campaign. Each gets a code in this one too. Nobody is e-mailed.",
        CustomerFate::Known => {
            "They are in this campaign, or in the archive, and stay as they are. One without a code gets none by this."
        }
        CustomerFate::Same => "Another customer has the same e-mail address, and one person is one referrer.",
        CustomerFate::NoEmail => "Stripe has no e-mail address of them. Referrers are told apart by it.",
        CustomerFate::Invalid => "Correct the address at Stripe, then sync again.",
    }
}

async fn run_of(page: &Page, campaign_id: i64, id: i64) -> Result<RunRow, Fault> {
    let run = store::find(&mut page.read().await?, page.member.business_id, id).await?;
    run.filter(|run| run.campaign_id == campaign_id && run.state != RunState::Discarded).ok_or(Fault::NotFound)
}

pub(super) async fn show(
    page: Page,
    Path((id, run_id)): Path<(i64, i64)>,
    OriginalUri(uri): OriginalUri,
) -> PageResult {
    let campaign = find(&page, id).await?;
    let run = run_of(&page, id, run_id).await?;
    let query = ListQuery::new("/campaigns", uri.query(), &["fate", "after"]);
    let mut conn = page.read().await?;
    let all = accounts::of(&mut conn, page.member.business_id).await?;
    let account = all.into_iter().find(|account| account.row.id == run.account_id).ok_or(Fault::NotFound)?;
    let job = jobs::find(&mut conn, run.business_id, run.job_id.unwrap_or_default()).await?;
    let failed = job.as_ref().filter(|job| job.state == "failed").map(|job| job.error.clone().unwrap_or_default());
    let stopped = run.stopped.clone().map(|why| (why, run.again_at.map(|at| page.when(at))));
    let stopped = stopped.or(failed.map(|why| (why, None)));
    if run.kind == RunKind::History {
        drop(conn);
        return history::run_page(&page, campaign, account, run, job, stopped).await;
    }
    let counts = CustomerCounts::of(&run);
    let asked = CustomerFate::parse(query.get("fate"));
    let first = CustomerFate::ALL.into_iter().find(|fate| counts.get(*fate) > 0).unwrap_or(CustomerFate::New);
    let fate = asked.filter(|fate| counts.get(*fate) > 0).unwrap_or(first);
    let after = query.get("after").parse().unwrap_or(0);
    let most = i64::try_from(SHOWN + 1).unwrap_or(i64::MAX);
    let mut rows = store::customers(&mut conn, run.id, fate, after, most).await?;
    drop(conn);
    let more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let path = format!("/campaigns/{id}/payments/runs/{run_id}");
    let next = rows.last().filter(|_| more).map(|row| format!("{path}?fate={fate}&after={}", row.n));
    let tab = |f: CustomerFate| Tab {
        label: label(f).to_owned(),
        url: format!("{path}?fate={f}"),
        current: f == fate,
        count: counted(counts.get(f)),
    };
    html(&RunPage {
        tabs: CustomerFate::ALL.into_iter().filter(|f| counts.get(*f) > 0).map(tab).collect(),
        stopped,
        done: job.map_or(0, |job| job.done),
        frame: page.frame("campaign").await?,
        campaign,
        account,
        counts,
        rows,
        fate,
        next,
        run,
    })
}

/// Applies what was found, or goes on with what stopped.
pub(super) async fn go_on(page: Page, Path((id, run_id)): Path<(i64, i64)>) -> PageResult {
    let run = run_of(&page, id, run_id).await?;
    let path = format!("/campaigns/{id}/payments/runs/{run_id}");
    let business_id = page.member.business_id;
    match verbs::go_on(&page.app, &Arc::new(page.member.actor()), business_id, run.id).await? {
        Ok(asked) => {
            jobs::wait_briefly(&page.app, business_id, asked.job_id).await?;
            page.go(&path, Flash::info("It goes on when you leave this page.")).await
        }
        Err(why) => page.go(&path, Flash::bad(why)).await,
    }
}

pub(super) async fn throw_away(page: Page, Path((id, run_id)): Path<(i64, i64)>) -> PageResult {
    let run = run_of(&page, id, run_id).await?;
    let place = match run.kind {
        RunKind::Customers => "customers",
        RunKind::History => "history",
    };
    let back = format!("/campaigns/{id}/payments/accounts/{}/{place}", run.account_id);
    if verbs::discard(&page.app, page.member.business_id, run_id).await? {
        return page.go(&back, Flash::good("It was thrown away. Nothing of it was applied.")).await;
    }
    let path = format!("/campaigns/{id}/payments/runs/{run_id}");
    page.go(&path, Flash::bad("It is running or done, and cannot be thrown away.")).await
}
