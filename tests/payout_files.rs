//! The files that payouts are paid by, and the reports that come back about them.

use refdesk::engine::{Approve, Payment, What};
use refdesk::money::{Currency, Money};
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Answer, TestApp};
use crate::v1::{call, text};

on_both_databases! {
    a_bank_s_file_is_set_up_and_leaves_out_whom_it_cannot_pay,
    wise_has_a_file_of_addresses_and_one_of_accounts,
    a_report_settles_the_lines_it_matches_and_nothing_else,
    a_bank_s_answer_is_read,
    a_report_of_another_payout_changes_nothing,
    columns_are_chosen_once_and_remembered,
    staff_set_up_a_file_and_read_a_report,
}

pub const JANE: &str = "DE89370400440532013000";
pub const ZOE: &str = "FR1420041010050500013M02606";

/// A referrer with 20.00 due, and a way of being paid.
pub async fn earned(app: &TestApp, name: &str, currency: &str, details: Json) -> i64 {
    let shop = app.shop();
    let referrer = shop.referrer(name).await;
    let address = format!("{}@customers.example", name.to_lowercase().replace(' ', "."));
    shop.lead(&address, Some(&referrer.code)).await;
    let What::Payment(payment) = shop.payment_event(&address, "100.00", "2026-06-10") else {
        panic!("a payment is one")
    };
    let amount = Money { minor: payment.amount.minor, currency: Currency::parse(currency).expect("a currency") };
    shop.send(What::Payment(Payment { amount, ..payment })).await;
    let id = app.number(&format!("SELECT max(id) FROM commissions WHERE referrer_id = {}", referrer.id)).await;
    shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    let path = format!("/v1/referrers/{}/payout-details", referrer.id);
    call(app, "PUT", &path, Some(details)).await.is(200);
    referrer.id
}

pub fn bank(holder: &str, iban: &str) -> Json {
    json!({ "method": "bank", "account_holder": holder, "iban": iban })
}

async fn draft(app: &TestApp, body: Json) -> Json {
    call(app, "POST", "/v1/payouts", Some(body)).await.is(201).json()
}

pub fn path(payout: &Json) -> String {
    format!("/v1/payouts/{}", text(&payout["id"]))
}

pub async fn locked(app: &TestApp, body: Json) -> Json {
    let made = draft(app, body).await;
    let seen = json!({ "fingerprint": made["fingerprint"] });
    call(app, "POST", &format!("{}/lock", path(&made)), Some(seen)).await.is(200).json()
}

/// Our id of a line in files.
fn reference(payout: &Json, name: &str) -> String {
    let lines = payout["lines"].as_array().expect("lines");
    let line = lines.iter().find(|line| line["name"] == name).expect("a line of that name");
    text(&line["id"]).to_owned()
}

async fn send(app: &TestApp, payout: &Json, query: &str, kind: &str, report: &str) -> Answer {
    let key = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", key.as_str()), ("content-type", kind)];
    app.request("POST", &format!("{}/results{query}", path(payout)), &headers, report.as_bytes().to_vec()).await
}

/// The states of a payout's lines, by name.
async fn states(app: &TestApp, payout: &Json) -> Vec<(String, String)> {
    let now = call(app, "GET", &path(payout), None).await.is(200).json();
    let lines = now["lines"].as_array().expect("lines");
    lines.iter().map(|line| (text(&line["name"]).to_owned(), text(&line["state"]).to_owned())).collect()
}

fn of(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

/// The verdicts on the rows, by their first line.
fn verdicts(answer: &Json) -> Vec<(u64, String)> {
    let rows = answer["rows"].as_array().expect("rows");
    rows.iter().map(|row| (row["row"].as_u64().expect("a number"), text(&row["verdict"]).to_owned())).collect()
}

fn row(at: u64, verdict: &str) -> (u64, String) {
    (at, verdict.to_owned())
}

pub async fn set_up_sepa(app: &TestApp) {
    let wanted = json!({ "format": "sepa", "payer_name": "Acme GmbH", "payer_iban": JANE });
    let set = call(app, "POST", "/v1/payout-formats", Some(wanted)).await.is(200).json();
    assert_eq!(set["formats"]["sepa"]["payer_iban"], "DE89 •••• 3000");
}

async fn a_bank_s_file_is_set_up_and_leaves_out_whom_it_cannot_pay(app: TestApp) {
    earned(&app, "Jane Miller", "EUR", bank("Jane Müller", JANE)).await;
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    let local = json!({ "method": "bank", "account_holder": "Tom Reed", "bank_country": "US",
        "account_number": "000123456789", "routing_number": "021000021" });
    earned(&app, "Tom Reed", "EUR", local).await;
    let euros = json!({ "currency": "EUR", "method": "bank" });
    let plain = draft(&app, euros.clone()).await;
    assert_eq!((&plain["format"], &plain["line_count"]), (&json!("csv"), &json!(3)));
    let asked = json!({ "currency": "EUR", "method": "bank", "format": "sepa" });
    let refused = call(&app, "POST", "/v1/payouts", Some(asked)).await.is(409).json();
    assert_eq!(refused["code"], "payout_not_set_up");
    for (body, field) in [
        (json!({ "format": "sepa", "payer_name": "Acme", "payer_iban": "DE89 3704 0044 0532 0130 01" }), "/payer_iban"),
        (json!({ "format": "csv", "columns": "name" }), "/columns"),
        (json!({ "format": "wise" }), "/source_currency"),
    ] {
        let wrong = call(&app, "POST", "/v1/payout-formats", Some(body)).await.is(400).json();
        assert_eq!(wrong["errors"][0]["pointer"], field);
    }
    set_up_sepa(&app).await;
    let dollars = json!({ "currency": "USD", "method": "bank", "format": "sepa" });
    assert_eq!(call(&app, "POST", "/v1/payouts", Some(dollars)).await.is(409).json()["code"], "payout_format");

    let made = draft(&app, euros.clone()).await;
    assert_eq!((&made["format"], &made["line_count"]), (&json!("sepa"), &json!(2)));
    let out = &made["left_out"][0];
    assert_eq!((&out["name"], &out["left_out"]), (&json!("Tom Reed"), &json!("cannot be sent")));
    assert_eq!(out["reason"], "Tom Reed has an account without an IBAN, and SEPA pays to IBANs only.");
    let file = format!("{}/file?format=sepa", path(&made));
    assert_eq!(call(&app, "GET", &file, None).await.is(409).json()["code"], "payout_state");
    let seen = Some(json!({ "fingerprint": made["fingerprint"] }));
    call(&app, "POST", &format!("{}/lock", path(&made)), seen).await.is(200);
    let first = call(&app, "GET", &file, None).await.is(200).body;
    for part in ["<NbOfTxs>2</NbOfTxs>", "<CtrlSum>40.00</CtrlSum>", "Jane Mueller", JANE, ZOE] {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(first.contains(&reference(&made, "Zoe Lang").replace('_', "-")), "{first}");
    // Days that pass change nothing in a file.
    app.clock.advance_days(2);
    assert_eq!(call(&app, "GET", &file, None).await.is(200).body, first);
}

async fn wise_has_a_file_of_addresses_and_one_of_accounts(app: TestApp) {
    let by_email = json!({ "method": "wise", "account_holder": "Jane Miller", "wise_email": "jane@wise.example" });
    earned(&app, "Jane Miller", "EUR", by_email).await;
    let account = json!({ "method": "wise", "account_holder": "Zoe Lang", "wise_currency": "EUR", "iban": ZOE });
    earned(&app, "Zoe Lang", "EUR", account).await;
    let wise = json!({ "format": "wise", "source_currency": "USD", "fixed": "target" });
    call(&app, "POST", "/v1/payout-formats", Some(wise)).await.is(200);
    let made = locked(&app, json!({ "currency": "EUR", "method": "wise" })).await;
    assert_eq!((&made["format"], &made["line_count"]), (&json!("wise"), &json!(2)));
    let part = async |n: u8| call(&app, "GET", &format!("{}/file?format=wise&part={n}", path(&made)), None).await;
    let emails = part(1).await.is(200);
    assert_eq!(emails.header("refdesk-parts"), "2");
    assert!(emails.header("content-disposition").contains("refdesk-1-email.csv"));
    assert!(emails.body.contains("jane@wise.example") && !emails.body.contains(ZOE), "{}", emails.body);
    let accounts = part(2).await.is(200).body;
    assert!(accounts.contains(ZOE) && !accounts.contains("jane@wise.example"), "{accounts}");
    part(3).await.is(404);
}

/// A locked payout by PayPal of four people in USD.
async fn four_by_paypal(app: &TestApp) -> Json {
    for name in ["Jane Miller", "Tom Reed", "Zoe Lang", "Ann Lee"] {
        let address = format!("{}@paypal.example", name[..3].to_lowercase());
        earned(app, name, "USD", json!({ "method": "paypal", "paypal_email": address })).await;
    }
    locked(app, json!({ "currency": "USD", "method": "paypal" })).await
}

async fn a_report_settles_the_lines_it_matches_and_nothing_else(app: TestApp) {
    let made = four_by_paypal(&app).await;
    let (jane, tom) = (reference(&made, "Jane Miller"), reference(&made, "Tom Reed"));
    let report = format!(
        "Customer ID,Name,Status,Amount,Transaction ID,Reason\n\
         {jane},Jane Miller,Completed,-20.00,TX-1,\n\
         {tom},Tom Reed,Denied,-20.00,TX-2,Account closed\n\
         ,zoe@paypal.example,Unclaimed,-20.00,TX-3,\n\
         ,Nobody Known,Completed,-20.00,TX-4,\n\
         {ann},Ann Lee,Completed,-19.00,TX-5,\n\
         {ann},Ann Lee,Sideways,-20.00,TX-6,\n",
        ann = reference(&made, "Ann Lee"),
    );
    let expected = [row(2, "matched"), row(3, "matched"), row(4, "pending"), row(5, "unmatched"), row(6, "differs")];
    let dry = send(&app, &made, "?dry_run=true", "text/csv", &report).await.is(200).json();
    assert_eq!(verdicts(&dry), expected);
    assert_eq!(dry["unread"][0]["row"], 7);
    let untouched = states(&app, &made).await;
    assert!(untouched.iter().all(|(_, state)| state == "locked"), "a look changes nothing: {untouched:?}");
    let read = send(&app, &made, "", "text/csv", &report).await.is(200).json();
    assert_eq!(verdicts(&read), expected);
    assert_eq!(read["rows"][0]["change"], "paid");
    let after = states(&app, &made).await;
    let expected =
        [of("Jane Miller", "paid"), of("Tom Reed", "failed"), of("Zoe Lang", "locked"), of("Ann Lee", "locked")];
    assert_eq!(after, expected);
    let now = call(&app, "GET", &path(&made), None).await.json();
    assert_eq!((&now["lines"][0]["reference"], &now["lines"][1]["reason"]), (&json!("TX-1"), &json!("Account closed")));
    // The same report once more.
    let again = send(&app, &made, "", "text/csv", &report).await.is(200).json();
    assert_eq!(verdicts(&again)[..2], [row(2, "already_so"), row(3, "already_so")]);
    assert_eq!(states(&app, &made).await, after);
    // Paid money comes back later.
    let back = format!("Customer ID,Status,Amount\n{jane},Returned,20.00\n{tom},Completed,20.00\n");
    let back = send(&app, &made, "", "text/csv", &back).await.is(200).json();
    assert_eq!(verdicts(&back), [row(2, "matched"), row(3, "refused")]);
    assert_eq!(states(&app, &made).await[0], of("Jane Miller", "returned"));
    let looks = app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.results_read'").await;
    assert_eq!(looks, 3);
}

async fn a_bank_s_answer_is_read(app: TestApp) {
    earned(&app, "Jane Miller", "EUR", bank("Jane Miller", JANE)).await;
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    set_up_sepa(&app).await;
    let made = locked(&app, json!({ "currency": "EUR", "method": "bank" })).await;
    let rejected = reference(&made, "Zoe Lang").replace('_', "-");
    let answer = |message: &str| {
        format!(
            "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
             <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts>\
             <OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>{rejected}</OrgnlEndToEndId><TxSts>RJCT</TxSts>\
             <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>\
             </CstmrPmtStsRpt></Document>"
        )
    };
    let other = send(&app, &made, "", "application/xml", &answer("refdesk-99")).await.is(200).json();
    assert!(verdicts(&other).iter().all(|(_, verdict)| verdict == "refused"), "{other}");
    let locked_still = [of("Jane Miller", "locked"), of("Zoe Lang", "locked")];
    assert_eq!(states(&app, &made).await, locked_still);
    let name = format!("refdesk-{}", made["number"]);
    send(&app, &made, "", "application/xml", &answer(&name)).await.is(200);
    assert_eq!(states(&app, &made).await, [of("Jane Miller", "paid"), of("Zoe Lang", "failed")]);
    let now = call(&app, "GET", &path(&made), None).await.json();
    assert_eq!(now["lines"][1]["reason"], "AC04, the account is closed");
    for (kind, broken) in [("application/xml", "<Document/>"), ("text/csv", "Status\nCompleted\n"), ("text/csv", "")] {
        send(&app, &made, "", kind, broken).await.is(400);
    }
    send(&app, &made, "", "image/png", "x").await.is(415);
}

async fn a_report_of_another_payout_changes_nothing(app: TestApp) {
    let first = four_by_paypal(&app).await;
    let line = reference(&first, "Jane Miller");
    earned(&app, "Jane Miller Junior", "USD", json!({ "method": "paypal", "paypal_email": "jj@paypal.example" })).await;
    let second = locked(&app, json!({ "currency": "USD", "method": "paypal" })).await;
    let report = format!("Customer ID,Status,Amount\n{line},Completed,20.00\n");
    let read = send(&app, &second, "", "text/csv", &report).await.is(200).json();
    assert_eq!(verdicts(&read), [row(2, "refused")]);
    assert_eq!(states(&app, &second).await, [of("Jane Miller Junior", "locked")]);
    assert_eq!(states(&app, &first).await[0], of("Jane Miller", "locked"));
    let made = draft(&app, json!({ "currency": "USD", "method": "hand" })).await;
    assert_eq!(send(&app, &made, "", "text/csv", &report).await.is(409).json()["code"], "payout_state");
}

async fn columns_are_chosen_once_and_remembered(app: TestApp) {
    let made = four_by_paypal(&app).await;
    let report = |name: &str, word: &str| format!("Konto,Zustand,Betrag\n{},{word},20.00\n", reference(&made, name));
    let unknown = send(&app, &made, "", "text/csv", &report("Jane Miller", "erledigt")).await.is(400).json();
    assert_eq!(unknown["errors"][0]["detail"], "file cannot be used: Choose the column with the status.");
    let chosen = "?status=Zustand&line=Konto&amount=Betrag&paid=erledigt,fertig&failed=abgelehnt";
    send(&app, &made, chosen, "text/csv", &report("Jane Miller", "erledigt")).await.is(200);
    let later = send(&app, &made, "", "text/csv", &report("Tom Reed", "Abgelehnt")).await.is(200).json();
    assert_eq!(verdicts(&later), [row(2, "matched")]);
    // A report with other columns is read by their names.
    let usual = format!("Customer ID,Status,Amount\n{},Completed,20.00\n", reference(&made, "Zoe Lang"));
    let usual = send(&app, &made, "", "text/csv", &usual).await.is(200).json();
    assert_eq!(verdicts(&usual), [row(2, "matched")]);
    let now = states(&app, &made).await;
    assert_eq!(
        now,
        [of("Jane Miller", "paid"), of("Tom Reed", "failed"), of("Zoe Lang", "paid"), of("Ann Lee", "locked")]
    );
}

async fn staff_set_up_a_file_and_read_a_report(app: TestApp) {
    app.sign_in().await;
    earned(&app, "Jane Miller", "EUR", bank("Jane Müller", JANE)).await;
    earned(&app, "Zoe Lang", "EUR", bank("Zoe Lang", ZOE)).await;
    app.get("/payouts/settings").await.is(200).says("SEPA file").says("Not set up");
    let wrong = [("payer_name", "Acme GmbH"), ("payer_iban", "DE00"), ("payer_country", "Narnia")];
    app.post_form("/payouts/settings/sepa", &wrong).await.is(422).says("“Narnia” is no country.");
    let right = [("payer_name", "Acme GmbH"), ("payer_iban", JANE)];
    app.post_form("/payouts/settings/sepa", &right).await.follow().await.is(200).says("were saved.");
    let settings = app.get("/payouts/settings/sepa").await.is(200);
    let settings = settings.says("DE89 •••• 3000 is stored.");
    assert_eq!(settings.attr("#f-payer_iban", "value"), "", "the account is never filled in again");
    for page in ["paypal", "wise", "csv", "xlsx"] {
        app.get(&format!("/payouts/settings/{page}")).await.is(200);
    }
    app.get("/payouts/settings/gold").await.is(404);
    let made = app.post_form("/payouts", &[("currency", "EUR"), ("method", "bank")]).await.follow().await.is(200);
    made.says("Look at the SEPA file");
    let id = app.number("SELECT id FROM payouts").await;
    let own = format!("/payouts/{id}");
    let look = app.get(&format!("{own}/files?format=sepa")).await.is(200);
    look.says("Jane Mueller").says("Lock the payout to download this file.").says("DE89 •••• 3000");
    let fingerprint = app.get(&format!("{own}/lock")).await.attr("form.confirm input[name=fingerprint]", "value");
    app.post_form(&format!("{own}/lock"), &[("fingerprint", &fingerprint)]).await.follow().await.is(200);
    app.get(&format!("{own}/files?format=sepa")).await.is(200).says("Download");
    app.get(&format!("{own}/file?format=sepa")).await.is(200);

    app.get(&format!("{own}/results")).await.is(200).says("pain.002").says("Our line id").says("Like line_");
    let upload = async |report: String| app.post_file(&format!("{own}/results"), &[], "file", "bank.csv", report).await;
    upload("  ".to_owned()).await.is(422).says("This file is empty.");
    let lines: Vec<(i64,)> = app.rows("SELECT id FROM payout_lines ORDER BY id").await;
    let of = |id: i64| refdesk::id::render(refdesk::id::Kind::PayoutLine, id);
    let report = format!("Ref,Stand,Sum\n{},ok,20.00\n{},ok,20.00\n", of(lines[0].0), of(lines[1].0));
    let page = upload(report).await.is(303).follow().await.is(200);
    page.says("Choose the column with the status.");
    let report_id = app.number("SELECT id FROM payout_reports").await;
    let here = format!("{own}/results/{report_id}");
    let columns = [("do", "look"), ("status", "Stand"), ("line", "Ref"), ("amount", "Sum")];
    app.post_form(&here, &columns).await.follow().await.is(200).says("is not known: choose what it means");
    let meaning = [columns.as_slice(), &[("known", "ok"), ("means", "paid")]].concat();
    app.post_form(&here, &meaning).await.follow().await.is(200).says("Change 2 lines").says("Jane Miller");
    let stored: Vec<(String,)> = app.rows("SELECT sealed FROM payout_reports").await;
    assert!(!stored[0].0.contains("line_"), "it is encrypted");
    app.post_form(&here, &[("do", "apply")]).await.follow().await.is(200).says("The report changed 2 lines.");
    assert_eq!(app.number("SELECT count(*) FROM payout_lines WHERE state = 'paid'").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM payout_reports").await, 0);
    app.get(&here).await.is(404);
    // Another business sees neither the report nor the settings.
    app.post_form("/payouts/settings/wise/recipients", &[]).await;
}
