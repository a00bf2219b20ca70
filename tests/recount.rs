//! `refdesk recount` counts everything anew, and disturbs no node that writes meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use refdesk::check::check;
use refdesk::engine::PaymentRef;
use refdesk::recount::{self, Recount};
use serde_json::json;

use crate::on_both_databases;
use crate::support::{TestApp, actor, day};

on_both_databases! {
    sound_counters_stay_as_they_are,
    damaged_counters_are_mended_beside_a_node_that_writes,
    two_recounts_at_once_correct_once,
    a_correction_is_corrected_like_any_other_count,
}

/// A business in which every counter has something to count.
async fn fill(app: &TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann Ash").await;
    shop.referrer("Bea Brook").await;
    shop.lead("jane@example.com", Some(&ann.code)).await;
    shop.lead("kim@example.com", None).await;
    shop.pay("jane@example.com", "100", "2026-06-14").await;
    shop.pay("jane@example.com", "100", "2026-06-15").await;
    shop.pay("kim@example.com", "5", "2026-06-15").await;
    shop.refund("jane@example.com", day("2026-06-15"), Some("30")).await;
    shop.refund("jane@example.com", PaymentRef::id("never"), Some("10")).await;
    let source = json!({ "name": "Lee", "email": "lee@example.com", "source": "Fair" });
    assert_eq!(app.api_post("/business/lead/create", source).await.status, 201);
    while refdesk::figures::run(&app.app).await.unwrap() {}
}

async fn recounted(app: &TestApp) -> Recount {
    recount::run(&app.app, &actor()).await.unwrap()
}

async fn sound_counters_stay_as_they_are(app: TestApp) {
    fill(&app).await;
    let report = recounted(&app).await;
    assert_eq!(report.corrected, []);
    assert!(report.businesses == 1 && report.counters > 20, "{report:?}");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'business.recounted'").await, 0);
}

const DAMAGE: [&str; 8] = [
    "UPDATE counters SET value = value + 7 WHERE name = 'leads'",
    "UPDATE counters SET value = value - 900 WHERE name LIKE 'revenue.%' AND day <> ''",
    "DELETE FROM counters WHERE name LIKE 'money.%' OR name = 'qualified' OR name LIKE 'listed.%'",
    "UPDATE counters SET value = value * 3 WHERE name LIKE 'earned.%' OR name LIKE 'users.%'",
    "INSERT INTO counters (scope_id, name, day, slot, value) VALUES (999999999, 'leads', '', 3, 4)",
    "INSERT INTO counters (scope_id, name, day, slot, value)
     SELECT id, 'leads.status.lost', '', 5, 2 FROM campaigns",
    "UPDATE enrollments SET leads = leads + 1, revenue = 5, earned = 6, last_lead_at = 7",
    "UPDATE codes SET clicks = 3, qualified = qualified + 2",
];

async fn damaged_counters_are_mended_beside_a_node_that_writes(app: TestApp) {
    fill(&app).await;
    for damage in DAMAGE {
        assert!(app.arrange(damage).await > 0, "{damage}");
    }
    assert!(!check(&app.app.db).await.unwrap().ok);
    let done = AtomicBool::new(false);
    let code = app.rows::<(String,)>("SELECT text FROM codes ORDER BY id LIMIT 1").await.remove(0).0;
    let busy = async {
        let shop = app.shop();
        let mut n = 0;
        while !done.load(Ordering::SeqCst) {
            n += 1;
            let address = format!("busy{n}@example.com");
            shop.sign_up(&address, Some(&code)).await;
            shop.pay(&address, "10", "2026-06-16").await;
        }
        n
    };
    let node = app.another_node().await;
    let mend = async {
        let report = recounted(&node).await;
        done.store(true, Ordering::SeqCst);
        report
    };
    let (written, report) = tokio::join!(busy, mend);
    assert!(written > 0);
    let was = |of: &str, counter: &str| {
        report.corrected.iter().any(|c| c.of.starts_with(of) && c.counter == counter && c.was != c.is)
    };
    for (of, counter) in [
        ("campaign", "leads"),
        ("campaign", "leads.status.lost"),
        ("campaign", "revenue.USD"),
        ("campaign", "money.held.USD"),
        ("business", "listed.new|Fair"),
        ("business", "users.referrers"),
        ("enrollment", "earned.USD"),
        ("enrollment", "copy of revenue"),
        ("code", "copy of clicks"),
        ("nothing 999999999", "leads"),
    ] {
        assert!(was(of, counter), "{of}, {counter}: {:#?}", report.corrected);
    }
    while refdesk::figures::run(&app.app).await.unwrap() {}
    let checked = check(&app.app.db).await.unwrap();
    assert!(checked.ok, "{:#?}", checked.findings);
    assert_eq!(recounted(&app).await.corrected, []);
    let entry = app.rows::<(String,)>("SELECT after FROM audit_entries WHERE action = 'business.recounted'").await;
    assert_eq!(entry.len(), 1, "one entry, with its count");
    assert!(entry[0].0.contains("corrected"), "{entry:?}");
}

async fn two_recounts_at_once_correct_once(app: TestApp) {
    fill(&app).await;
    for round in 0..5 {
        app.arrange("UPDATE counters SET value = value + 3 WHERE name = 'leads'").await;
        let by = actor();
        let (one, other) = tokio::join!(recount::run(&app.app, &by), recount::run(&app.app, &by));
        assert!(one.is_ok() || other.is_ok(), "round {round}: {one:?} {other:?}");
        assert_eq!(recounted(&app).await.corrected, [], "round {round}");
    }
    assert!(check(&app.app.db).await.unwrap().ok);
}

async fn a_correction_is_corrected_like_any_other_count(app: TestApp) {
    fill(&app).await;
    app.arrange("UPDATE counters SET value = value + 3 WHERE name = 'leads'").await;
    assert_ne!(recounted(&app).await.corrected, []);
    app.arrange("UPDATE counters SET value = value * 2 WHERE name = 'leads'").await;
    assert_ne!(recounted(&app).await.corrected, []);
    assert_eq!(recounted(&app).await.corrected, []);
}
