//! The account that pays and the recipients saved at Wise are stored encrypted, and never shown whole.

use std::sync::Arc;

use refdesk::config::Config;
use refdesk::core::Core;
use refdesk::db::Db;
use refdesk::payouts::files::{Payer, SepaFile, TableFile};
use refdesk::payouts::{self, SetUp};
use serde_json::json;

use crate::on_both_databases;
use crate::payout_files::{JANE, ZOE, bank, earned, locked, path, set_up_sepa};
use crate::support::{Engine, TestApp, actor};
use crate::v1::call;

on_both_databases! {
    accounts_of_the_business_are_encrypted_and_shown_masked,
    an_account_that_is_not_given_stays,
    a_server_without_a_key_stores_no_account,
}

/// Every text that the settings and the audit hold.
async fn stored(app: &TestApp) -> String {
    let settings: Vec<(String, Option<String>)> = app.rows("SELECT settings, sealed FROM payout_settings").await;
    let audit: Vec<(Option<String>, Option<String>)> = app.rows("SELECT before, after FROM audit_entries").await;
    format!("{settings:?} {audit:?}")
}

async fn accounts_of_the_business_are_encrypted_and_shown_masked(app: TestApp) {
    app.sign_in().await;
    set_up_sepa(&app).await;
    let wise = json!({ "format": "wise", "source_currency": "EUR" });
    call(&app, "POST", "/v1/payout-formats", Some(wise)).await.is(200);
    let file = "recipientId,name,account,targetCurrency\n71,Ann Lee,(EUR) ending 4711,EUR\n72,Bo Li,x,EUR\n";
    app.post_file("/payouts/settings/wise/recipients", &[], "file", "saved.csv", file).await;
    let stored = stored(&app).await;
    for part in [JANE, "0400", "0532", "Ann Lee", "4711"] {
        assert!(!stored.contains(part), "{part} in {stored}");
    }
    assert!(stored.contains("DE89 •••• 3000"), "{stored}");
    let settings = call(&app, "GET", "/v1/payout-settings", None).await.is(200).json();
    assert_eq!(settings["formats"]["sepa"]["payer_iban"], "DE89 •••• 3000");
    assert_eq!(settings["formats"]["wise"]["saved_recipients"], "2");
    let page = app.get("/payouts/settings/sepa").await.is(200);
    let page = page.says("DE89 •••• 3000 is stored. Leave this empty to keep it.");
    assert_eq!(page.attr("#f-payer_iban", "value"), "");
    assert!(!page.body.contains("0532"), "{page:?}");
    app.get("/payouts/settings/wise").await.is(200).says("2 recipients are used.");
    // A row that is copied to another business does not open there.
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    let made = locked(&app, json!({ "currency": "EUR", "method": "bank" })).await;
    let file = format!("{}/file?format=sepa", path(&made));
    assert!(call(&app, "GET", &file, None).await.is(200).body.contains(JANE));
    app.tamper("UPDATE payout_settings SET sealed = (SELECT sealed FROM payout_details) WHERE format = 'sepa'").await;
    let refused = call(&app, "GET", &file, None).await.is(409).json();
    let why = "The settings of the SEPA file cannot be read: it does not open with its key";
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.starts_with(why)), "{refused}");
}

async fn an_account_that_is_not_given_stays(app: TestApp) {
    app.sign_in().await;
    let versions = "SELECT count(*) FROM audit_entries WHERE action = 'payout.settings'";
    let without = json!({ "format": "sepa", "payer_name": "Acme GmbH" });
    let needed = call(&app, "POST", "/v1/payout-formats", Some(without.clone())).await.is(400).json();
    assert_eq!(needed["errors"][0]["pointer"], "/payer_iban");
    set_up_sepa(&app).await;
    // The same again, whole or without the account, changes nothing.
    set_up_sepa(&app).await;
    call(&app, "POST", "/v1/payout-formats", Some(without)).await.is(200);
    assert_eq!(app.number(versions).await, 1);
    let renamed = [("payer_name", "Bode GmbH"), ("payer_iban", "")];
    app.post_form("/payouts/settings/sepa", &renamed).await.follow().await.is(200).says("were saved.");
    assert_eq!(app.number(versions).await, 2);
    assert_eq!(app.number("SELECT count(*) FROM payout_settings").await, 1);
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    let made = locked(&app, json!({ "currency": "EUR", "method": "bank" })).await;
    let file = call(&app, "GET", &format!("{}/file?format=sepa", path(&made)), None).await.is(200).body;
    assert!(file.contains("Bode GmbH") && file.contains(JANE), "{file}");
    let other = [("payer_name", "Bode GmbH"), ("payer_iban", ZOE)];
    app.post_form("/payouts/settings/sepa", &other).await.follow().await.is(200).says("were saved.");
    app.get("/payouts/settings/sepa").await.is(200).says("FR14 •••• 2606 is stored.");
}

async fn a_server_without_a_key_stores_no_account(app: TestApp) {
    let database_url = match app.engine() {
        Engine::Sqlite => "sqlite:///nowhere/refdesk.db".to_owned(),
        Engine::Postgres => app.database.url.clone(),
    };
    let config = Config { secret_keys: Vec::new(), database_url, ..app.app.config.as_ref().clone() };
    let core = Core::new(Db::open(&app.database.url).await.unwrap(), app.clock.clone(), config);
    let (actor, business): (Arc<_>, i64) = (actor(), app.business.id);
    let sepa = SepaFile { name: "Acme".into(), iban: JANE.into(), ..SepaFile::default() };
    let set = async |payer: Payer| payouts::set_payer(&core, &actor, business, payer).await.unwrap();
    let SetUp::Refused(why) = set(Payer::Sepa(Box::new(sepa))).await else { panic!("stored without a key") };
    match app.engine() {
        Engine::Postgres => assert!(why.contains("REFDESK_SECRET_KEY") && why.contains("secrets new"), "{why}"),
        Engine::Sqlite => assert!(why.contains("/nowhere/refdesk.db.key"), "{why}"),
    }
    // All else works.
    let table = TableFile { columns: vec![refdesk::payouts::files::Column::Amount], ..TableFile::default() };
    assert_eq!(set(Payer::Csv(table)).await, SetUp::Changed);
    assert_eq!(app.number("SELECT count(*) FROM payout_settings").await, 1);
    core.db.close().await;
}
