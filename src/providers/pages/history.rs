//! Payments of a past period: from which day on, what they would come to, and what they came to.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use super::campaign::{account, find, named};
use super::runs::{Line, lines, many};
use crate::campaigns::Campaign;
use crate::clock::Instant;
use crate::jobs::{self, JobRow};
use crate::money::Money;
use crate::providers::accounts::Account;
use crate::providers::store::runs::{self as store, NewRun, RunKind, RunRow, RunState};
use crate::providers::store::staged;
use crate::providers::stripe::runs::{self as verbs, HistoryCounts};
use crate::shell::{Frame, Page};
use crate::text::counted;
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult, html};
use crate::when::When;

/// Runs that the page shows.
const SHOWN: i64 = 10;
/// The longest period.
const LONGEST_DAYS: i64 = 731;

#[derive(Template)]
#[template(path = "providers/history.html")]
struct HistoryPage {
    frame: Frame,
    form: Form,
    campaign: Campaign,
    account: Account,
    runs: Vec<Line>,
}

impl HistoryPage {
    async fn of(page: &Page, form: Form, campaign: Campaign, account: Account) -> Result<Self, Fault> {
        let of = (account.row.id, campaign.id);
        let runs = store::last(&mut page.read().await?, of, RunKind::History, SHOWN).await?;
        let runs = lines(page, runs);
        Ok(Self { runs, frame: page.frame("campaign").await?, form, campaign, account })
    }

    fn name(&self) -> &str {
        named(&self.account)
    }
}

pub(super) async fn show(page: Page, Path((id, account_id)): Path<(i64, i64)>) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let from = page.today().plus_days(-90).to_string();
    html(&HistoryPage::of(&page, Form::filled(&[("from", &from)]), campaign, account).await?)
}

/// Starts a dry run.
pub(super) async fn preview(page: Page, Path((id, account_id)): Path<(i64, i64)>, mut form: Form) -> PageResult {
    let campaign = find(&page, id).await?;
    let account = account(&page, id, account_id).await?;
    let today = page.today();
    let from = form.day("from", "The first day", today);
    if from.is_some_and(|from| from > today) {
        form.fail("from", "The first day is in the future.");
    } else if from.is_some_and(|from| from < today.plus_days(-LONGEST_DAYS)) {
        form.fail("from", "The first day is more than two years ago. Choose a later one.");
    }
    if let (Some(from), true) = (from, form.is_fine()) {
        let new = NewRun {
            business_id: page.member.business_id,
            account_id,
            campaign_id: id,
            kind: RunKind::History,
            asks: true,
            daily: false,
            since: Some(page.member.zone.start_of(from).micros()),
        };
        match verbs::start(&page.app, &Arc::new(page.member.actor()), new).await? {
            Ok(asked) => {
                jobs::wait_briefly(&page.app, page.member.business_id, asked.job_id).await?;
                let to = format!("/campaigns/{id}/payments/runs/{}", asked.run_id);
                return page.go(&to, Flash::info("Nothing is recorded until you say so.")).await;
            }
            Err(why) => form.fail("", why),
        }
    }
    let page = HistoryPage::of(&page, form, campaign, account).await?;
    html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

#[derive(Template)]
#[template(path = "providers/history_run.html")]
struct RunPage {
    frame: Frame,
    campaign: Campaign,
    account: Account,
    run: RunRow,
    counts: HistoryCounts,
    from: String,
    done: i64,
    /// The states of the stored messages, with how many there are of each.
    came_of: Vec<(String, i64)>,
    stopped: Option<(String, Option<When>)>,
}

impl RunPage {
    fn path(&self) -> String {
        format!("/campaigns/{}/payments/runs/{}", self.campaign.id, self.run.id)
    }

    fn back(&self) -> String {
        format!("/campaigns/{}/payments/accounts/{}/history", self.campaign.id, self.account.row.id)
    }

    fn name(&self) -> &str {
        named(&self.account)
    }

    fn is_at_it(&self) -> bool {
        matches!(self.run.state, RunState::Checking | RunState::Running)
    }

    fn is_done(&self) -> bool {
        self.run.state == RunState::Done
    }

    fn may_be_thrown_away(&self) -> bool {
        super::runs::may_be_thrown_away(&self.run, self.stopped.is_some())
    }

    fn step(&self) -> usize {
        match self.run.state {
            RunState::Checking => 2,
            RunState::Running => 4,
            RunState::Done => 5,
            _ => 3,
        }
    }

    fn title(&self) -> String {
        match self.run.state {
            RunState::Checking => "Reading past payments".into(),
            RunState::Running => "Importing past payments".into(),
            RunState::Done => format!("{} imported", many(self.counts.stored, "message", "messages")),
            _ => format!("{} would be recorded", many(self.counts.foreseen.payments, "payment", "payments")),
        }
    }

    fn total(&self) -> i64 {
        self.counts.staged.max(1)
    }

    /// The progress; none while the lists of Stripe's are still being read.
    fn part(&self) -> i64 {
        match self.run.state {
            RunState::Running => self.done,
            _ => self.counts.looked_at,
        }
    }

    fn progress(&self) -> String {
        match (self.run.state, self.counts.looked_at) {
            (RunState::Running, _) => format!("{} of {} messages", counted(self.done), counted(self.counts.staged)),
            (_, 0) => many(self.counts.read, "object read at Stripe", "objects read at Stripe"),
            (_, looked) => format!("{} of {} objects tried", counted(looked), counted(self.counts.staged)),
        }
    }

    fn payments(&self) -> Vec<(&'static str, String)> {
        let f = &self.counts.foreseen;
        vec![
            ("New payments", counted(f.payments)),
            ("… with a referral code", counted(f.with_code)),
            ("… of leads", counted(f.of_lead)),
            ("… that earn a commission", counted(f.earning)),
            ("Paid in all", sums(&f.revenue)),
            ("New leads", counted(f.leads)),
            (
                "Refunds",
                if f.refunds == 0 { "0".into() } else { format!("{}: {}", counted(f.refunds), sums(&f.refunded)) },
            ),
            ("Commissions, after refunds", sums(&f.commissions)),
        ]
    }

    /// The objects that are left out: why, and how many.
    fn left_out(&self) -> Vec<(String, String)> {
        let counts = &self.counts;
        let own = [
            (counts.foreseen.known, "Known already: each stays as it is."),
            (counts.earlier, "Stored by an earlier import."),
            (counts.outside, "Paid before that day, or not paid."),
            (
                counts.of_others,
                "Refunds and disputes of payments from before that day, or of payments made without a checkout or an invoice.",
            ),
        ];
        let own = own.into_iter().filter(|(n, _)| *n > 0).map(|(n, why)| (why.to_owned(), counted(n)));
        own.chain(counts.foreseen.reasons.iter().map(|(why, n)| (why.clone(), counted(*n)))).collect()
    }

    fn to_import(&self) -> String {
        many(self.counts.staged, "message", "messages")
    }

    /// The stored messages by what became of them, in words.
    fn became(&self) -> Vec<(&'static str, String)> {
        let words = |state: &str| match state {
            "new" => "Being applied",
            "done" => "Applied",
            "waiting" => "Waiting for another message",
            "ignored" => "Saying nothing that counts",
            _ => "In need of a look",
        };
        self.came_of.iter().map(|(state, n)| (words(state), counted(*n))).collect()
    }
}

/// "1,200.00 USD, 90.00 EUR"
fn sums(sums: &std::collections::BTreeMap<String, i64>) -> String {
    let sums: Vec<String> = sums.iter().map(|(currency, minor)| Money::shown_in(*minor, currency)).collect();
    if sums.is_empty() { "none".into() } else { sums.join(", ") }
}

/// A run in a line.
pub(super) fn sentence(run: &RunRow) -> String {
    let counts = HistoryCounts::of(run);
    match run.state {
        RunState::Done => format!("{} imported", many(counts.stored, "message", "messages")),
        RunState::Checking => many(counts.read, "object read at Stripe", "objects read at Stripe"),
        _ => format!("{} to record", many(counts.foreseen.payments, "payment", "payments")),
    }
}

pub(super) async fn run_page(
    page: &Page,
    campaign: Campaign,
    account: Account,
    run: RunRow,
    job: Option<JobRow>,
    stopped: Option<(String, Option<When>)>,
) -> PageResult {
    let since = Instant::from_micros(run.since.unwrap_or_default());
    let came_of = match run.state {
        RunState::Done => staged::by_state(&mut page.read().await?, account.row.id).await?,
        _ => Vec::new(),
    };
    html(&RunPage {
        frame: page.frame("campaign").await?,
        counts: HistoryCounts::of(&run),
        from: page.member.zone.day_of(since).shown(),
        done: job.map_or(0, |job| job.done),
        campaign,
        account,
        run,
        came_of,
        stopped,
    })
}
