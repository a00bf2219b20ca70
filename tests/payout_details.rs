//! How referrers are paid: stored, shown, and kept from those whom it does not concern.

use std::sync::Arc;

use refdesk::core::Core;
use refdesk::db::Db;
use refdesk::payout_details::{self, Details, Method, Opened, Saved};
use refdesk::users::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Engine, TestApp, actor};

on_both_databases! {
    a_change_is_a_new_version_and_the_same_again_is_none,
    details_are_stored_encrypted_and_open_for_their_referrer_only,
    a_server_with_another_key_says_so_and_stores_nothing,
    many_at_once_leave_one_version_that_counts,
    staff_enter_change_see_and_remove_them,
    an_empty_field_keeps_what_is_stored,
    a_form_names_every_field_that_is_wrong,
    those_who_may_not_pay_see_nothing_of_them,
    a_program_sets_reads_and_removes_them,
    a_file_of_referrers_brings_them,
    the_last_row_of_a_person_with_details_counts,
}

const IBAN: &str = "DE89370400440532013000";

pub fn bank(iban: &'static str) -> Details {
    let value = move |field: &str| match field {
        "account_holder" => "Jane Ng",
        "iban" => iban,
        _ => "",
    };
    payout_details::read(Method::Bank, &value, "US").unwrap()
}

pub fn paypal(email: &'static str) -> Details {
    let value = move |field: &str| if field == "paypal_email" { email } else { "" };
    payout_details::read(Method::Paypal, &value, "US").unwrap()
}

/// Stores details as somebody of staff.
pub async fn set(core: &Core, app: &TestApp, referrer_id: i64, details: &Details) -> Saved {
    payout_details::set(core, &actor(), app.business.id, referrer_id, details).await.unwrap()
}

pub const CHANGED: Saved = Saved::Done { changed: true };

pub async fn open(core: &Core, app: &TestApp, ids: &[i64]) -> Vec<Opened> {
    let mut conn = core.db.read().await.unwrap();
    payout_details::open(&mut conn, &core.keyring, app.business.id, ids).await.unwrap()
}

async fn a_change_is_a_new_version_and_the_same_again_is_none(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    assert_eq!(set(&app.app, &app, jane, &bank(IBAN)).await, CHANGED);
    assert_eq!(set(&app.app, &app, jane, &bank(IBAN)).await, Saved::Done { changed: false });
    assert_eq!(set(&app.app, &app, jane, &paypal("jane@example.com")).await, CHANGED);
    assert_eq!(set(&app.app, &app, jane + 1_000_000, &bank(IBAN)).await, Saved::NotFound);
    let globex = app.another_business("Globex").await;
    let foreign = payout_details::set(&app.app, &actor(), globex.id, jane, &bank(IBAN)).await.unwrap();
    assert_eq!(foreign, Saved::NotFound);

    let versions: Vec<(i64, String, bool)> =
        app.rows("SELECT id, masked, replaced_at IS NULL FROM payout_details ORDER BY id").await;
    let shown: Vec<(&str, bool)> = versions.iter().map(|(_, masked, counts)| (masked.as_str(), *counts)).collect();
    assert_eq!(shown, [("DE89 •••• 3000", false), ("j•••@example.com", true)]);
    let ids: Vec<i64> = versions.iter().map(|(id, ..)| *id).collect();
    let opened: Vec<Details> = open(&app.app, &app, &ids).await.into_iter().map(|o| o.details.unwrap()).collect();
    assert_eq!(opened, [bank(IBAN), paypal("jane@example.com")], "a payout opens the version it was made with");
    let mut conn = app.app.db.read().await.unwrap();
    let current = payout_details::current_of(&mut conn, app.business.id, &[jane, 1]).await.unwrap();
    assert_eq!(current.len(), 1);
    assert_eq!((current[0].id, current[0].method, current[0].is_change), (ids[1], Method::Paypal, true));
    assert!(payout_details::current_of(&mut conn, globex.id, &[jane]).await.unwrap().is_empty());
    drop(conn);
    let mut conn = app.app.db.read().await.unwrap();
    assert!(payout_details::open(&mut conn, &app.app.keyring, globex.id, &ids).await.unwrap().is_empty());
    drop(conn);

    let actor = actor();
    let remove = || payout_details::remove(&app.app, &actor, app.business.id, jane);
    assert_eq!(remove().await.unwrap(), Some(true));
    assert_eq!(remove().await.unwrap(), Some(false));
    assert_eq!(app.number("SELECT count(*) FROM payout_details WHERE replaced_at IS NULL").await, 0);
    let entries: Vec<(String, Option<String>, Option<String>)> = app
        .rows("SELECT action, before, after FROM audit_entries WHERE action LIKE 'referrer.details%' ORDER BY id")
        .await;
    let german = r#"{"account":"DE89 •••• 3000","method":"Bank transfer"}"#;
    let at_paypal = r#"{"account":"j•••@example.com","method":"PayPal"}"#;
    let text = |text: &str| Some(text.to_owned());
    let wanted = [
        ("referrer.details_set".to_owned(), None, text(german)),
        ("referrer.details_set".to_owned(), text(german), text(at_paypal)),
        ("referrer.details_removed".to_owned(), text(at_paypal), None),
    ];
    assert_eq!(entries, wanted);
}

async fn details_are_stored_encrypted_and_open_for_their_referrer_only(app: TestApp) {
    let (jane, mallory) = (app.shop().referrer("Jane").await.id, app.shop().referrer("Mallory").await.id);
    set(&app.app, &app, jane, &bank(IBAN)).await;
    set(&app.app, &app, mallory, &bank("GB29NWBK60161331926819")).await;
    let stored: Vec<(i64, String)> = app.rows("SELECT id, sealed FROM payout_details ORDER BY id").await;
    assert!(stored.iter().all(|(_, sealed)| !sealed.contains("0440") && !sealed.contains("Jane")));
    // Somebody with the database, and without the key, gives Jane's money to Mallory.
    let swap = format!("UPDATE payout_details SET sealed = '{}' WHERE id = {}", stored[1].1, stored[0].0);
    app.tamper(&swap).await;
    let opened = open(&app.app, &app, &[stored[0].0, stored[1].0]).await;
    let why = opened[0].details.clone().unwrap_err();
    assert!(why.contains("copied from another row"), "{why}");
    assert_eq!(opened[1].details, Ok(bank("GB29NWBK60161331926819")));
    app.tamper(&format!("UPDATE payout_details SET sealed = '{IBAN}' WHERE id = {}", stored[0].0)).await;
    assert!(open(&app.app, &app, &[stored[0].0]).await[0].details.is_err());
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.findings.iter().any(|f| f.rule.starts_with("payout details are encrypted")), "{report:?}");
}

/// The same database with other keys in the settings.
async fn with_keys(app: &TestApp, keys: Vec<refdesk::secret_key::SecretKey>) -> Core {
    let url = match app.engine() {
        Engine::Sqlite => "sqlite:///nowhere/refdesk.db".to_owned(),
        Engine::Postgres => app.database.url.clone(),
    };
    let config = refdesk::config::Config { secret_keys: keys, database_url: url, ..app.app.config.as_ref().clone() };
    Core::new(Db::open(&app.database.url).await.unwrap(), app.clock.clone(), config)
}

async fn a_server_with_another_key_says_so_and_stores_nothing(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let without = with_keys(&app, Vec::new()).await;
    let Saved::Refused(why) = set(&without, &app, jane, &bank(IBAN)).await else { panic!("stored without a key") };
    match app.engine() {
        Engine::Postgres => assert!(why.contains("REFDESK_SECRET_KEY") && why.contains("secrets new"), "{why}"),
        Engine::Sqlite => assert!(why.contains("/nowhere/refdesk.db.key cannot be made"), "{why}"),
    }
    assert_eq!(app.number("SELECT count(*) FROM secret_keys").await, 0);
    assert_eq!(set(&app.app, &app, jane, &bank(IBAN)).await, CHANGED);
    let (key,): (String,) = app.rows("SELECT id FROM secret_keys").await.pop().unwrap();

    let other = with_keys(&app, vec![refdesk::secret_key::SecretKey::draw()]).await;
    for core in [&other, &without] {
        let Saved::Refused(why) = set(core, &app, jane, &paypal("jane@example.com")).await else {
            panic!("stored with another key")
        };
        assert!(why.contains(&key), "{why}");
        let id = app.number("SELECT id FROM payout_details").await;
        let why = open(core, &app, &[id]).await[0].details.clone().unwrap_err();
        assert!(why.contains(&format!("the key {key}, which this server does not have")), "{why}");
    }
    assert_eq!(app.number("SELECT count(*) FROM payout_details").await, 1);
    for core in [other, without] {
        core.db.close().await;
    }
}

async fn many_at_once_leave_one_version_that_counts(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let nodes = [app.another_node().await, app.another_node().await];
    let app = Arc::new(app);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let core: Core = (*nodes[n % 2].app).clone();
        let app = app.clone();
        let details = if n % 3 == 0 { bank(IBAN) } else { paypal("jane@example.com") };
        tasks.spawn(async move { set(&core, &app, jane, &details).await });
    }
    while let Some(done) = tasks.join_next().await {
        assert!(matches!(done.unwrap(), Saved::Done { .. }));
    }
    assert_eq!(app.number("SELECT count(*) FROM payout_details WHERE replaced_at IS NULL").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM secret_keys").await, 1);
    let versions = app.number("SELECT count(*) FROM payout_details").await;
    let entries = "SELECT count(*) FROM audit_entries WHERE action = 'referrer.details_set'";
    assert_eq!(app.number(entries).await, versions);
}

const HELD: [(&str, &str); 3] =
    [("method", "bank"), ("account_holder", "Jane Ng"), ("iban", "de89 3704 0044 0532 0130 00")];

async fn staff_enter_change_see_and_remove_them(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let (page, form) = (format!("/referrers/{jane}"), format!("/referrers/{jane}/payout-details"));
    app.sign_in().await;
    app.get(&page).await.is(200).says("Not known yet. Without it they are in no payout.");
    for (method, says) in [("paypal", "Payer ID"), ("wise", "Sort code"), ("bank", "BIC"), ("hand", "Instructions")] {
        app.get(&format!("{form}?method={method}")).await.is(200).says(says);
    }
    app.post_form(&form, &HELD).await.goes_to(&page).follow().await.says("Saved: Bank transfer, DE89 •••• 3000.");
    app.post_form(&form, &HELD).await.goes_to(&page).follow().await.says("Nothing was changed.");
    let shown = app.get(&page).await.is(200).says("DE89 •••• 3000").body;
    assert!(shown.contains("Acme Owner") && !shown.contains("0440") && !shown.contains("changed lately"));
    let to_paypal = [("method", "paypal"), ("paypal_email", "jane@example.com")];
    app.post_form(&form, &to_paypal).await.goes_to(&page).follow().await.says("changed lately");
    app.clock.set(app.clock.now().plus_days(4));
    app.sign_in().await;
    let later = app.get(&page).await.is(200).says("j•••@example.com").body;
    assert!(!later.contains("changed lately"), "three days are over");
    app.post_form(&form, &HELD).await.goes_to(&page);

    let looks = "SELECT count(*) FROM audit_entries WHERE action = 'referrer.details_seen'";
    assert_eq!(app.number(looks).await, 0);
    app.post_form(&format!("{form}/look"), &[]).await.is(200).says("DE89 3704 0044 0532 0130 00").says("Jane Ng");
    assert_eq!(app.number(looks).await, 1);
    let written = "SELECT count(*) FROM audit_entries WHERE COALESCE(before, '') || COALESCE(after, '') LIKE '%0440%'
                      OR COALESCE(before, '') || COALESCE(after, '') LIKE '%jane@example.com%'";
    assert_eq!(app.number(written).await, 0, "the audit has a few characters of it");
    app.get("/audit").await.is(200).says("Payout details looked at").says("DE89 •••• 3000");

    app.get(&format!("{form}/remove")).await.is(200).says("They are in no further payout");
    app.post_form(&format!("{form}/remove"), &[]).await.goes_to(&page).follow().await.says("were removed");
    app.post_form(&format!("{form}/look"), &[]).await.goes_to(&page).follow().await.says("no payout details any more");
    app.get(&format!("{form}/remove")).await.goes_to(&page);
}

async fn an_empty_field_keeps_what_is_stored(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let (page, form) = (format!("/referrers/{jane}"), format!("/referrers/{jane}/payout-details"));
    app.sign_in().await;
    let first = [&HELD[..], &[("bic", "COBADEFFXXX"), ("town", "Köln"), ("address_country", "DE")]].concat();
    app.post_form(&form, &first).await.goes_to(&page);
    let shown = app.get(&format!("{form}?method=bank")).await.is(200).says("Stored: DE89 •••• 3000.");
    let shown = shown.says("A field that you leave empty keeps what is stored.").body;
    assert!(!["0440", "Jane Ng", "COBA", "Köln"].iter().any(|text| shown.contains(text)), "nothing is shown");
    assert!(!app.get(&format!("{form}?method=paypal")).await.body.contains("Stored:"), "of another method");
    let whole = async || {
        let id = app.number("SELECT id FROM payout_details WHERE replaced_at IS NULL").await;
        open(&app.app, &app, &[id]).await[0]
            .details
            .clone()
            .unwrap()
            .lines()
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    };
    let of = async |changes: &[(&str, &str)]| -> Vec<String> {
        app.post_form(&form, &[&[("method", "bank")], changes].concat()).await.goes_to(&page);
        whole().await
    };
    let (germany, iban) = ("Germany", "DE89 3704 0044 0532 0130 00");
    assert_eq!(of(&[]).await, ["Jane Ng", germany, iban, "COBADEFFXXX", "Köln, Germany"]);
    assert_eq!(of(&[("account_holder", "J. Ng")]).await, ["J. Ng", germany, iban, "COBADEFFXXX", "Köln, Germany"]);
    // Another account has another bank, and another address is a whole one.
    let other = "GB29 NWBK 6016 1331 9268 19";
    assert_eq!(of(&[("iban", other)]).await, ["J. Ng", "United Kingdom", other, "Köln, Germany"]);
    assert_eq!(of(&[("town", "Leeds")]).await, ["J. Ng", "United Kingdom", other, "Leeds, United Kingdom"]);
    let local = [("bank_country", "US"), ("account_number", "12345678"), ("routing_number", "021000021")];
    assert_eq!(of(&local).await, ["J. Ng", "United States", "12345678", "021000021", "Leeds, United Kingdom"]);
    // What is kept for Wise is of its currency.
    let wise = [("method", "wise"), ("account_holder", "Jane"), ("wise_currency", "GBP")];
    let number = [("sort_code", "60-16-13"), ("account_number", "31926819")];
    app.post_form(&form, &[&wise[..], &number[..]].concat()).await.goes_to(&page);
    let kept = app.get(&format!("{form}?method=wise")).await.is(200).says("Stored: GBP •••• 19.");
    assert_eq!(kept.attr("#f-wise_currency option[selected]", "value"), "GBP");
    app.post_form(&form, &[("method", "wise"), ("wise_currency", "GBP")]).await.goes_to(&page);
    let (_, masked): (i64, String) =
        app.rows("SELECT id, masked FROM payout_details WHERE replaced_at IS NULL").await.remove(0);
    assert_eq!(masked, "GBP •••• 19");
    let euros = app.post_form(&form, &[("method", "wise"), ("wise_currency", "EUR")]).await.is(422);
    assert_eq!(euros.error_at("iban"), "The IBAN is missing.");
}

async fn a_form_names_every_field_that_is_wrong(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let form = format!("/referrers/{jane}/payout-details");
    app.sign_in().await;
    let wrong = [("method", "bank"), ("account_holder", ""), ("iban", "DE89 3704 O044 0532 0130 00"), ("bic", "COBA")];
    app.post_form(&form, &wrong)
        .await
        .is(422)
        .says("The name of the account holder is missing.")
        .says("Group 3 of this IBAN has a letter where IBANs of Germany have digits.")
        .says("A BIC has 8 or 11 letters and digits");
    app.post_form(&form, &[("method", "cheque")]).await.is(422).says("The method is not one of the choices.");
    app.post_form(&form, &[("method", "hand")]).await.is(422).says("The text of the instructions is missing.");
    assert_eq!(app.number("SELECT count(*) FROM payout_details").await, 0);
    // A form that was sent twice acts once.
    let typed = app.get(&format!("{form}?method=bank")).await.is(200);
    assert_eq!(typed.attrs("input[name=account_holder]", "value"), ["Jane"]);
}

async fn those_who_may_not_pay_see_nothing_of_them(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    assert_eq!(set(&app.app, &app, jane, &bank(IBAN)).await, CHANGED);
    let page = format!("/referrers/{jane}");
    let marketing = app.member(Role::Marketing).await;
    marketing.get(&page).await.is(200).says("DE89 •••• 3000");
    marketing.post_form(&format!("{page}/payout-details/look"), &[]).await.is(200).says("DE89 3704");
    for role in [Role::Developer, Role::Viewer, Role::Sales] {
        let member = app.member(role).await;
        let shown = member.get(&page).await.is(200).body;
        for words in ["DE89", "How they are paid", "Payout details"] {
            assert!(!shown.contains(words), "{role:?} sees {words}");
        }
        for (method, path) in [("GET", ""), ("GET", "/remove"), ("POST", ""), ("POST", "/look"), ("POST", "/remove")] {
            let path = format!("{page}/payout-details{path}");
            let answer = if method == "GET" { member.get(&path).await } else { member.post_form(&path, &HELD).await };
            answer.is(403);
        }
        if role == Role::Developer {
            let audit = member.get("/audit").await.is(200).says("Payout details changed").body;
            assert!(!audit.contains("DE89"), "a developer reads that they were changed, and not to what");
        }
    }
    let globex = app.another_business("Globex").await;
    let stranger = app.member_of(&globex, Role::Owner).await;
    stranger.get(&format!("{page}/payout-details")).await.is(404);
    stranger.post_form(&format!("{page}/payout-details/look"), &[]).await.is(404);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'referrer.details_seen'").await, 1);
}

async fn a_program_sets_reads_and_removes_them(app: TestApp) {
    let jane = app.shop().referrer("Jane").await.id;
    let path = format!("/v1/referrers/{jane}/payout-details");
    app.api_get(&path).await.is(404);
    let new = json!({ "method": "bank", "account_holder": "Jane Ng", "iban": "DE89 3704 0044 0532 0130 00" });
    let set = app.api_put(&path, new.clone()).await.is(200);
    let answer = set.json();
    assert_eq!((&answer["method"], &answer["account"]), (&json!("bank"), &json!("DE89 •••• 3000")));
    assert_eq!(answer["changed"], false);
    assert!(!set.body.contains("0440") && !set.body.contains("Jane"));
    app.api_put(&path, new).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM payout_details").await, 1, "the same again is no new version");
    let other = json!({ "method": "paypal", "paypal_email": "jane@example.com" });
    assert_eq!(app.api_put(&path, other).await.is(200).json()["changed"], true);
    assert_eq!(app.api_get(&path).await.is(200).json()["account"], "j•••@example.com");
    for (wrong, field) in [
        (json!({ "method": "bank", "account_holder": "Jane", "iban": "DE89 3704 0044 0532 0130 01" }), "iban"),
        (json!({ "method": "bank", "iban": "DE89 3704 0044 0532 0130 00" }), "account_holder"),
        (json!({ "method": "cheque" }), "method"),
        (json!({ "method": "hand" }), "instructions"),
        (json!({ "method": "hand", "instructions": "cash", "note": "x" }), "note"),
    ] {
        let refused = app.api_put(&path, wrong).await.is(400);
        assert_eq!(refused.json()["errors"][0]["pointer"], format!("/{field}"), "{}", refused.body);
        assert!(!refused.body.contains("0532"), "{}", refused.body);
    }
    let audit = format!("/v1/audit?referrer={jane}&action=referrer.details_set");
    assert_eq!(app.api_get(&audit).await.is(200).json()["data"][0]["after"]["account"], "j•••@example.com");
    app.sign_in().await;
    let scopes = [("name", "Sync"), ("mode", "live"), ("scope", "referrers:write"), ("scope", "audit:read")];
    let key = app.post_form("/integrations/keys", &scopes).await.is(200).text("#secret");
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| json!({ "method": "hand", "instructions": "cash" }));
        app.call(method, &path, &key, body).await.is(403);
    }
    let entry = app.call("GET", &audit, &key, None).await.is(200).json()["data"][0].clone();
    assert_eq!((&entry["action"], &entry["after"]), (&json!("referrer.details_set"), &json!(null)));
    let test_key = app.key(false).await;
    app.call("DELETE", &path, &test_key, None).await.is(403);
    app.call("DELETE", &path, &app.business.api_key, None).await.is(204);
    app.call("DELETE", &path, &app.business.api_key, None).await.is(204);
    app.api_get(&path).await.is(404);
}

async fn a_file_of_referrers_brings_them(app: TestApp) {
    let send = async |key: &str, query: &str, file: &str| {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let path = format!("/v1/imports?kind=referrers{query}");
        app.with_jobs(app.request("POST", &path, &headers, file.as_bytes().to_vec())).await
    };
    let key = app.business.api_key.clone();
    let file = "Name,Email,IBAN,Account holder,PayPal e-mail,Payout method\n\
                Ann,ann@r.test,DE89 3704 0044 0532 0130 00,Ann Ash,,\n\
                Bob,bob@r.test,DE89 3704 0044 0532 0130 01,Bob,,\n\
                Cleo,cleo@r.test,,,cleo.pays@paypal.test,paypal\n\
                Dora,dora@r.test,,,,\n";
    let looked = send(&key, "&dry_run=true", file).await.is(201).json();
    assert_eq!((&looked["counts"]["new"], &looked["counts"]["invalid"]), (&json!(3), &json!(1)), "{looked}");
    assert_eq!(app.number("SELECT count(*) FROM payout_details").await, 0);
    let done = send(&key, "", file).await.is(201).json();
    assert_eq!((&done["counts"]["new"], &done["counts"]["invalid"]), (&json!(3), &json!(1)), "{done}");
    let known: Vec<(String, String)> = app
        .rows("SELECT p.name, d.masked FROM payout_details d JOIN referrers p ON p.id = d.referrer_id ORDER BY 1")
        .await;
    let known: Vec<(&str, &str)> = known.iter().map(|(name, masked)| (name.as_str(), masked.as_str())).collect();
    assert_eq!(known, [("Ann", "DE89 •••• 3000"), ("Cleo", "c•••@paypal.test")]);
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM payout_details ORDER BY id").await;
    assert_eq!(open(&app.app, &app, &[ids[1].0]).await[0].details, Ok(paypal("cleo.pays@paypal.test")));

    // Nothing of the file is stored or shown whole.
    let plain = "SELECT count(*) FROM import_rows WHERE cells LIKE '%0440%' OR cells LIKE '%0044 05%'
                     OR cells LIKE '%cleo.pays%' OR COALESCE(reason, '') LIKE '%0532%'";
    assert_eq!(app.number(plain).await, 0);
    let id = done["id"].as_str().unwrap();
    let rejects = app.api_get(&format!("/v1/imports/{id}/rejects")).await.is(200).body;
    assert!(
        rejects.contains("IBAN: The check digits of this IBAN do not fit") && !rejects.contains("0532"),
        "{rejects}"
    );
    app.sign_in().await;
    let page = format!("/imports/{}", app.number("SELECT max(id) FROM imports").await);
    let shown = app.get(&page).await.is(200).body;
    assert!(!shown.contains("0532") && !shown.contains("cleo.pays"), "{shown}");

    // The same file again changes nothing, another account updates.
    let again = send(&key, "", file).await.is(201).json();
    assert_eq!((&again["counts"]["already"], &again["counts"]["updated"]), (&json!(3), &json!(0)), "{again}");
    let other = "Name,Email,PayPal e-mail\nAnn,ann@r.test,ann@paypal.test\n";
    let looked = send(&key, "&dry_run=true", other).await.is(201).json();
    assert_eq!(looked["counts"]["updated"], 1, "{looked}");
    assert_eq!(send(&key, "", other).await.is(201).json()["counts"]["updated"], 1);
    assert_eq!(app.number("SELECT count(*) FROM payout_details WHERE replaced_at IS NULL").await, 2);
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'referrer.details_set'";
    assert_eq!(app.number(audited).await, 3);

    // A key for referrers alone brings none, and a column without a name that says so is not read.
    let scopes = ["leads:write", "referrers:write"].map(|scope| ("scope", scope));
    let scopes = [[("name", "Sync"), ("mode", "live")], scopes].concat();
    let lesser = app.post_form("/integrations/keys", &scopes).await.is(200).text("#secret");
    let refused = send(&lesser, "", other).await.is(400);
    assert!(refused.body.contains("payouts:write"), "{}", refused.body);
    let unnamed = "Eve,eve@r.test,GB29NWBK60161331926819\n";
    let named = send(&key, "&header=false&columns=name,email,iban", unnamed).await.is(201).json();
    assert_eq!(named["counts"]["invalid"], 1, "{named}");
    assert_eq!(app.number("SELECT count(*) FROM import_rows WHERE cells LIKE '%NWBK%'").await, 0);
}

async fn the_last_row_of_a_person_with_details_counts(app: TestApp) {
    let send = async |query: &str, file: &str| {
        let bearer = format!("Bearer {}", app.business.api_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let path = format!("/v1/imports?kind=referrers{query}");
        let answer = app.with_jobs(app.request("POST", &path, &headers, file.as_bytes().to_vec())).await;
        let counts = answer.is(201).json()["counts"].clone();
        ["new", "updated", "already", "duplicate", "invalid"].map(|name| counts[name].as_i64().unwrap())
    };
    let known = async || -> Vec<String> {
        let rows: Vec<(String,)> = app
            .rows(
                "SELECT p.name || ' ' || d.masked FROM payout_details d JOIN referrers p ON p.id = d.referrer_id
                  WHERE d.replaced_at IS NULL ORDER BY 1",
            )
            .await;
        rows.into_iter().map(|(text,)| text).collect()
    };
    let file = "Name,Email,PayPal e-mail\n\
                Ann,ann@r.test,ann.old@paypal.test\n\
                Bob,bob@r.test,\n\
                Ann,ann@r.test,\n\
                Ann,ann@r.test,bnn.new@paypal.test\n\
                Bob,bob@r.test,bob@paypal.test\n\
                Ann,ann@r.test,bnn.new@paypal.test\n\
                Cleo,cleo@r.test,cleo@paypal.test\n\
                Cleo,cleo@r.test,cleo@paypal.test\n";
    let counts = [3, 2, 0, 3, 0];
    assert_eq!(send("&dry_run=true", file).await, counts, "the dry run says what the run does");
    assert_eq!(send("", file).await, counts);
    assert_eq!(known().await, ["Ann b•••@paypal.test", "Bob b•••@paypal.test", "Cleo c•••@paypal.test"]);

    // The same rows about people who are there: the first of Ann's brings the old account back for a moment.
    let counts = [0, 2, 3, 3, 0];
    assert_eq!(send("&dry_run=true", file).await, counts);
    assert_eq!(send("", file).await, counts);
    assert_eq!(known().await, ["Ann b•••@paypal.test", "Bob b•••@paypal.test", "Cleo c•••@paypal.test"]);
}
