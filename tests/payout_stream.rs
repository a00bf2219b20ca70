//! A payout's file is sent as its lines are read: whole and in order, or broken off where everybody sees it.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::payout_files::{ZOE, bank, earned, locked, path, set_up_sepa};
use crate::support::TestApp;
use crate::v1::call;

on_both_databases! {
    a_long_file_is_whole_and_in_order,
    a_file_that_cannot_be_finished_breaks_off,
    a_line_that_cannot_be_sent_is_said_before_anything_is,
}

/// Lines beside the first one: more than are read at once.
const MANY: usize = 1_200;

/// A locked payout by hand with many lines, each with this name and its number behind.
async fn long(app: &TestApp, name: &str) -> Json {
    earned(app, "Jane Miller", "USD", json!({ "method": "hand", "instructions": "cash" })).await;
    let made = locked(app, json!({ "currency": "USD", "method": "hand" })).await;
    let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    app.tamper(&format!(
        "INSERT INTO referrers (id, business_id, name, first_name, search, meta, created_at, updated_at)
         {numbers}
         SELECT 50000000 + n.i, r.business_id, 'P', 'P', 'p', '[]', r.created_at, r.updated_at
           FROM n, referrers r"
    ))
    .await;
    app.arrange(&format!(
        "INSERT INTO payout_lines (id, business_id, payout_id, referrer_id, name, currency, amount, items, digest, state,
                updated_at)
         {numbers}
         SELECT 60000000 + n.i, l.business_id, l.payout_id, 50000000 + n.i, '{name}' || CAST(n.i AS TEXT), l.currency,
                n.i, 0, '', 'locked', l.updated_at
           FROM n, payout_lines l"
    ))
    .await;
    made
}

async fn a_long_file_is_whole_and_in_order(app: TestApp) {
    let made = long(&app, "Person ").await;
    for format in ["csv", "xlsx"] {
        let file = format!("{}/file?format={format}", path(&made));
        let first = call(&app, "GET", &file, None).await.is(200);
        assert_eq!(first.header("refdesk-parts"), "1");
        assert_eq!(call(&app, "GET", &file, None).await.is(200).body, first.body);
        if format == "csv" {
            let lines: Vec<&str> = first.body.lines().collect();
            assert_eq!(lines.len(), MANY + 2);
            assert!(lines[1].contains(",Jane Miller,") && lines[1].contains(",20.00,"), "{}", lines[1]);
            for (line, n) in lines[2..].iter().zip(1..) {
                assert!(line.contains(&format!(",Person {n},")), "{n}: {line}");
            }
        }
    }
}

async fn a_file_that_cannot_be_finished_breaks_off(app: TestApp) {
    let made = long(&app, &"x".repeat(20_000)).await;
    let client = reqwest::Client::new();
    let asked = client
        .get(app.url(&format!("{}/file?format=csv", path(&made))))
        .header("accept-encoding", "identity")
        .bearer_auth(&app.business.api_key);
    let mut answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().get("content-length").is_none(), "nobody knows the length yet");
    let looks = app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.file_made'").await;
    assert_eq!(looks, 1, "the look is in the audit before the first byte is read");
    answer.chunk().await.unwrap().expect("a first piece");
    // The payout is given back while a slow caller still reads.
    let undo = Some(json!({ "reason": "wrong day" }));
    call(&app, "POST", &format!("{}/unlock", path(&made)), undo).await.is(200);
    let rest = async {
        while let Some(piece) = answer.chunk().await? {
            drop(piece);
        }
        Ok::<(), reqwest::Error>(())
    };
    let rest = tokio::time::timeout(Duration::from_secs(60), rest).await.expect("the answer ends");
    assert!(rest.is_err(), "a part of a file must not look like a whole one");
}

async fn a_line_that_cannot_be_sent_is_said_before_anything_is(app: TestApp) {
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    let local = json!({ "method": "bank", "account_holder": "Tom Reed", "bank_country": "US",
        "account_number": "000123456789", "routing_number": "021000021" });
    earned(&app, "Tom Reed", "EUR", local).await;
    set_up_sepa(&app).await;
    let made = locked(&app, json!({ "currency": "EUR", "method": "bank", "format": "csv" })).await;
    let refused = call(&app, "GET", &format!("{}/file?format=sepa", path(&made)), None).await.is(409).json();
    assert_eq!(refused["code"], "payout_line_unfit");
    assert!(refused["detail"].as_str().is_some_and(|why| why.contains("Tom Reed has an account without an IBAN")));
    let looks = app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.file_made'").await;
    assert_eq!(looks, 0);
}
