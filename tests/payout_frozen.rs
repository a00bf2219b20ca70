//! A locked payout's files are made from what was set up when it was locked, whatever is changed later.

use refdesk::check::check;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::payout_files::{JANE, ZOE, bank, earned, locked, path, set_up_sepa};
use crate::support::TestApp;
use crate::v1::call;

on_both_databases! {
    files_of_a_locked_payout_stay_as_they_are,
    what_is_set_up_while_a_payout_is_being_locked_is_for_the_next_one,
    a_kind_that_is_set_up_later_is_kept_at_its_first_download,
    a_payout_without_its_settings_is_found_out,
}

/// A payout of each method in euros, locked, with the kinds of file that pay it.
async fn four_locked(app: &TestApp) -> Vec<(Json, Vec<&'static str>)> {
    earned(app, "Jane Miller", "EUR", bank("Jane Müller", JANE)).await;
    earned(app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    earned(app, "Tom Reed", "EUR", json!({ "method": "paypal", "paypal_email": "tom@paypal.example" })).await;
    let by_email = json!({ "method": "wise", "account_holder": "Ann Lee", "wise_email": "ann@wise.example" });
    earned(app, "Ann Lee", "EUR", by_email).await;
    let mut all = Vec::new();
    for (method, own) in [("bank", "sepa"), ("paypal", "paypal"), ("wise", "wise")] {
        all.push((locked(app, json!({ "currency": "EUR", "method": method })).await, vec![own, "csv", "xlsx"]));
    }
    all
}

async fn files(app: &TestApp, payouts: &[(Json, Vec<&'static str>)]) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (payout, formats) in payouts {
        for format in formats {
            let asked = format!("{}/file?format={format}", path(payout));
            let made = call(app, "GET", &asked, None).await.is(200);
            all.push((asked, made.header("content-disposition").to_owned(), made.body));
        }
    }
    all
}

async fn set(app: &TestApp, settings: Json) {
    call(app, "POST", "/v1/payout-formats", Some(settings)).await.is(200);
}

/// Changes everything that a file could be made from.
async fn change_everything(app: &TestApp) {
    let sepa = json!({ "format": "sepa", "payer_name": "Other GmbH", "payer_iban": ZOE, "payer_bic": "COBADEFFXXX",
        "payer_address_line": "Side Street 1", "payer_postcode": "10115", "payer_town": "Berlin", "payer_country": "DE",
        "batch_booking": "no", "without_bic": "not_provided", "rows_per_file": "1" });
    set(app, sepa).await;
    set(app, json!({ "format": "csv", "columns": "amount, name", "delimiter": "semicolon", "decimal": "comma" })).await;
    set(app, json!({ "format": "xlsx", "columns": "amount" })).await;
    set(app, json!({ "format": "paypal", "decimal": "comma" })).await;
    set(app, json!({ "format": "wise", "source_currency": "EUR", "fixed": "source" })).await;
    let saved = "recipientId,name,account,targetCurrency\n71,Ann Lee,(EUR) ending 3000,EUR\n";
    let saved = app.post_file("/payouts/settings/wise/recipients", &[("do", "read")], "file", "saved.csv", saved).await;
    saved.follow().await.says("1 saved recipients were read.");
    app.arrange("UPDATE businesses SET name = 'Renamed', timezone = 'Pacific/Kiritimati'").await;
    app.arrange("UPDATE referrers SET name = 'Renamed', email = 'renamed@x.example'").await;
    app.clock.advance_days(3);
}

async fn files_of_a_locked_payout_stay_as_they_are(app: TestApp) {
    app.sign_in().await;
    set_up_sepa(&app).await;
    set(&app, json!({ "format": "wise", "source_currency": "USD", "fixed": "target" })).await;
    let payouts = four_locked(&app).await;
    let first = files(&app, &payouts).await;
    assert_eq!(first.len(), 9);
    change_everything(&app).await;
    for (before, after) in first.iter().zip(files(&app, &payouts).await) {
        assert_eq!(*before, after);
    }
    assert!(check(&app.app.db).await.unwrap().ok);
    // Given back and locked again, a payout has the settings of that day.
    for (payout, _) in &payouts {
        let own = path(payout);
        call(&app, "POST", &format!("{own}/unlock"), Some(json!({ "reason": "new bank" }))).await.is(200);
    }
    assert_eq!(app.number("SELECT count(*) FROM payout_frozen").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM payout_settings").await, 5, "versions that nothing needs are gone");
    assert!(check(&app.app.db).await.unwrap().ok);
    for (payout, _) in &payouts {
        let seen = json!({ "fingerprint": payout["fingerprint"] });
        call(&app, "POST", &format!("{}/lock", path(payout)), Some(seen)).await.is(200);
    }
    let second = files(&app, &payouts).await;
    for ((asked, _, before), (_, _, after)) in first.iter().zip(&second) {
        assert_ne!(before, after, "{asked}");
    }
    for (at, part) in
        [(0, "Other GmbH"), (0, "Renamed referral"), (1, "amount;name"), (3, "\"20,00\""), (6, "71,Ann Lee")]
    {
        assert!(second[at].2.contains(part), "{part} in {}", second[at].2);
    }
    assert!(second[0].1.contains("refdesk-1-1.xml"), "a file for each transfer: {}", second[0].1);
}

async fn what_is_set_up_while_a_payout_is_being_locked_is_for_the_next_one(app: TestApp) {
    // More than one lot of lines.
    let most = 120;
    let shop = app.shop();
    for n in 0..most {
        let referrer = shop.referrer(&format!("Referrer {n}")).await;
        let address = format!("lead{n}@customers.example");
        shop.lead(&address, Some(&referrer.code)).await;
        shop.pay(&address, "100.00", "2026-05-01").await;
    }
    refdesk::sweep::all(&app.app).await.unwrap();
    let made = locked(&app, json!({ "currency": "USD", "method": "hand" })).await;
    assert_eq!(made["state"], "locking");
    set(&app, json!({ "format": "csv", "columns": "amount, name", "delimiter": "semicolon", "decimal": "comma" }))
        .await;
    app.run_jobs().await;
    assert_eq!(call(&app, "GET", &path(&made), None).await.json()["state"], "locked");
    let file = call(&app, "GET", &format!("{}/file?format=csv", path(&made)), None).await.is(200).body;
    assert!(file.starts_with("line,name,"), "{file}");
    assert_eq!(file.lines().count(), most + 1);
}

async fn a_kind_that_is_set_up_later_is_kept_at_its_first_download(app: TestApp) {
    earned(&app, "Jane Miller", "EUR", bank("Jane Müller", JANE)).await;
    let made = locked(&app, json!({ "currency": "EUR", "method": "bank" })).await;
    let file = format!("{}/file?format=sepa", path(&made));
    assert_eq!(call(&app, "GET", &file, None).await.is(409).json()["code"], "payout_not_set_up");
    set_up_sepa(&app).await;
    set(&app, json!({ "format": "sepa", "payer_name": "Bode GmbH", "payer_iban": JANE })).await;
    let first = call(&app, "GET", &file, None).await.is(200).body;
    assert!(first.contains("Bode GmbH"), "until it is downloaded, the settings of now count: {first}");
    set(&app, json!({ "format": "sepa", "payer_name": "Other GmbH", "payer_iban": ZOE })).await;
    assert_eq!(call(&app, "GET", &file, None).await.is(200).body, first);
    assert!(check(&app.app.db).await.unwrap().ok);
}

/// Statements that break what a payout's files are made from, each with the one that mends it.
const BROKEN: [(&str, &str, &str); 5] = [
    ("has the settings", "UPDATE payouts SET payer = NULL", "UPDATE payouts SET payer = 'Acme'"),
    ("has the settings", "UPDATE payouts SET state = 'draft'", "UPDATE payouts SET state = 'locked'"),
    (
        "has the settings",
        "UPDATE payout_settings SET format = CASE format WHEN 'csv' THEN 'xlsx' ELSE 'csv' END",
        "UPDATE payout_settings SET format = CASE format WHEN 'csv' THEN 'xlsx' ELSE 'csv' END",
    ),
    (
        "can stand in its files",
        "UPDATE payout_lines SET details_id = -details_id WHERE state <> 'out'",
        "UPDATE payout_lines SET details_id = -details_id WHERE state <> 'out'",
    ),
    (
        "can stand in its files",
        "UPDATE payout_details SET method = 'wise'",
        "UPDATE payout_details SET method = 'bank'",
    ),
];

async fn a_payout_without_its_settings_is_found_out(app: TestApp) {
    earned(&app, "Jane Miller", "USD", bank("Jane Müller", JANE)).await;
    locked(&app, json!({ "currency": "USD", "method": "bank" })).await;
    for (rule, breaks, mends) in BROKEN {
        assert!(check(&app.app.db).await.unwrap().ok, "before {breaks}");
        app.tamper(breaks).await;
        let report = check(&app.app.db).await.unwrap();
        assert!(report.findings.iter().any(|f| f.rule.contains(rule)), "{breaks}: {:#?}", report.findings);
        app.tamper(mends).await;
    }
}
