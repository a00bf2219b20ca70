//! The race of equal payouts by a program without the guard: it shows that the race is one.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::Value as Json;
use tokio::sync::Barrier;

use super::{draft, earned, path, seen, sums};
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::race::{Call, at_once};

on_both_databases! { without_the_guard_everything_is_taken_and_paid_by_every_click }

const CLICKS: usize = 50;
const PEOPLE: i64 = 3;
const SUM: i64 = 2_000 * PEOPLE;

/// A payout that nobody has locked yet, and three connections to click by.
struct Race {
    nodes: [TestApp; 3],
    draft: Json,
}

impl Race {
    async fn start(app: &TestApp, name: &str) -> Self {
        for n in 0..PEOPLE {
            earned(app, &format!("{name} {n}")).await;
        }
        let nodes = [app.another_node().await, app.another_node().await, app.another_node().await];
        Self { nodes, draft: draft(app).await }
    }

    fn node(&self, click: usize) -> &TestApp {
        &self.nodes[click % 3]
    }

    /// All clicks of one button at once, by the verbs.
    async fn click(&self, button: &str, body: &Json) {
        let button = format!("{}/{button}", path(&self.draft));
        let calls = (0..CLICKS).map(|n| Call::new(self.node(n), &button, body.clone()));
        let replies = at_once(calls.collect()).await;
        assert!(replies.iter().all(|r| r.status == 200), "{replies:?}");
    }

    /// All clicks at once, each by a program that looks first and then writes what it has seen. The barrier between
    /// the two is the moment at which the guard would have made the others wait.
    async fn click_naively(&self, looks: &str, writes: impl Fn(&Seen) -> [String; 2]) {
        let everybody_has_looked = Arc::new(Barrier::new(CLICKS));
        let clicks = (0..CLICKS).map(|n| {
            let (barrier, writes) = (everybody_has_looked.clone(), &writes);
            async move {
                let items: Vec<(i64, i64, i64)> = self.node(n).rows(looks).await;
                barrier.wait().await;
                for (commission, referrer, line) in items {
                    let seen = Seen { commission, referrer, line };
                    for text in writes(&seen) {
                        let ids = (self.node(n).app.ids.next().await, self.node(n).app.ids.next().await);
                        let (one, two) = (ids.0.expect("an id"), ids.1.expect("an id"));
                        let text = text.replace("$one", &one.to_string()).replace("$two", &two.to_string());
                        self.node(n).arrange(&text).await;
                    }
                }
            }
        });
        join_all(clicks).await;
    }
}

/// An item as the naive program saw it.
struct Seen {
    commission: i64,
    referrer: i64,
    line: i64,
}

impl Seen {
    /// The entries that move its 20.00 from one account to another.
    fn moves(&self, business: i64, from: &str, to: &str, kind: &str) -> String {
        let Self { commission, referrer, line } = self;
        let entry = |id: &str, account: &str, amount: i64| {
            format!(
                "({id}, {business}, {referrer}, 'USD', '{account}', {amount}, '{kind}', {commission}, {line}, '2026-06-20', 0)"
            )
        };
        format!(
            "INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, line_id, day, at)
             VALUES {}, {}",
            entry("$one", from, -2_000),
            entry("$two", to, 2_000)
        )
    }
}

/// The times that each item came to this account by an entry of this kind.
async fn times(app: &TestApp, account: &str, kind: &str) -> Vec<i64> {
    let text = format!(
        "SELECT count(*) FROM ledger_entries WHERE account = '{account}' AND kind = '{kind}' AND amount > 0
          GROUP BY commission_id ORDER BY commission_id"
    );
    let found: Vec<(i64,)> = app.rows(&text).await;
    found.into_iter().map(|(times,)| times).collect()
}

async fn without_the_guard_everything_is_taken_and_paid_by_every_click(app: TestApp) {
    let guarded = Race::start(&app, "Guarded").await;
    guarded.click("lock", &seen(&guarded.draft).unwrap_or_default()).await;
    assert_eq!((times(&app, "paying", "locked").await, sums(&app).await), (vec![1; 3], (0, 0, SUM, 0)));
    guarded.click("paid", &serde_json::json!({})).await;
    assert_eq!((times(&app, "paid", "paid").await, sums(&app).await), (vec![1; 3], (0, 0, 0, SUM)));
    app.database.prove().await;

    app.database.tampered();
    let naive = Race::start(&app, "Naive").await;
    let (business, clicks) = (app.business.id, CLICKS as i64);
    let lines = "SELECT c.id, c.referrer_id, l.id FROM commissions c
        JOIN payout_lines l ON l.referrer_id = c.referrer_id WHERE";
    let waits = format!("{lines} c.line_id IS NULL AND c.state = 'approved' AND l.state = 'in'");
    naive
        .click_naively(&waits, |item| {
            let Seen { commission, line, .. } = item;
            let take = format!("UPDATE commissions SET line_id = {line} WHERE id = {commission}");
            [take, item.moves(business, "due", "paying", "locked")]
        })
        .await;
    assert_eq!(times(&app, "paying", "locked").await, [1, 1, 1, clicks, clicks, clicks]);
    app.arrange("UPDATE payout_lines SET state = 'locked' WHERE state = 'in'").await;
    let is_locked = format!("{lines} c.line_id = l.id AND l.state = 'locked'");
    naive
        .click_naively(&is_locked, |item| {
            let Seen { line, .. } = item;
            let pay = format!("UPDATE payout_lines SET state = 'paid' WHERE id = {line}");
            [pay, item.moves(business, "paying", "paid", "paid")]
        })
        .await;
    assert_eq!(times(&app, "paid", "paid").await, [1, 1, 1, clicks, clicks, clicks]);
    assert_eq!(sums(&app).await, (0, SUM - clicks * SUM, 0, SUM + clicks * SUM));
    let report = refdesk::check::check(&app.app.db).await.expect("the check runs");
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
    let line = "a line's ledger entries say what its state says";
    assert!(found.contains(&line), "the check sees that lines were paid {clicks} times: {found:?}");
}
