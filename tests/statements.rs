//! Statements: what a referrer was owed over a month, on their page, in files and by /v1.

use refdesk::clock::Instant;
use refdesk::engine::{Approve, Void};
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::pdf::Pdf;
use crate::support::{TestApp, day};
use crate::v1::{call, text};

on_both_databases! {
    a_month_adds_up_and_opens_with_the_one_before,
    a_month_that_is_over_never_changes,
    money_on_its_way_out_stands_in_its_lines,
    a_statement_goes_page_by_page,
    statements_are_of_the_business_and_for_those_who_see_money,
    a_statement_is_a_pdf_with_the_same_table,
    a_pdf_holds_any_name_and_any_number_of_pages,
}

fn at(app: &TestApp, instant: &str) {
    app.clock.set(Instant::parse_rfc3339(instant).unwrap());
}

/// A lead of a referrer, with a payment.
async fn paid(app: &TestApp, code: &str, name: &str, amount: &str, date: &str) -> i64 {
    let address = format!("{name}@customers.example");
    app.shop().lead(&address, Some(code)).await;
    app.shop().pay(&address, amount, date).await;
    app.number("SELECT max(id) FROM commissions").await
}

async fn approve(app: &TestApp, id: i64) {
    app.shop().send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
}

async fn statement(app: &TestApp, referrer: i64, month: &str) -> Json {
    let path = format!("/v1/referrers/{referrer}/statements/{month}?currency=USD");
    call(app, "GET", &path, None).await.is(200).json()
}

/// (kind, amount) of each line.
fn moved(statement: &Json) -> Vec<(String, i64)> {
    let lines = statement["lines"].as_array().unwrap().iter();
    lines.map(|l| (text(&l["kind"]).to_owned(), l["amount_minor"].as_i64().unwrap())).collect()
}

fn lines(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(kind, amount)| ((*kind).to_owned(), *amount)).collect()
}

async fn owed(app: &TestApp, referrer: i64) -> i64 {
    let sum = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account <> 'paid' AND";
    app.number(&format!("{sum} referrer_id = {referrer}")).await
}

async fn a_month_adds_up_and_opens_with_the_one_before(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let first = paid(&app, &jane.code, "amy", "100.00", "2026-06-10").await;
    paid(&app, &jane.code, "bob", "12.37", "2026-06-11").await;
    approve(&app, first).await;
    let june = statement(&app, jane.id, "2026-06").await;
    assert_eq!(moved(&june), lines(&[("earned", 2_000), ("earned", 247)]), "an approval moves nothing that is owed");
    assert_eq!((&june["open"], &june["opening"], &june["closing_minor"]), (&json!(true), &json!(0.0), &json!(2_247)));
    assert_eq!(june["closing_balances"], json!({ "held_minor": 247, "due_minor": 2_000, "paying_minor": 0 }));
    let words: Vec<&str> = june["lines"].as_array().unwrap().iter().map(|l| text(&l["explanation"])).collect();
    assert_eq!(words, ["20 % of 100.00 USD, terms 1", "20 % of 12.37 USD, terms 1, rounded from 2.474 USD"]);

    at(&app, "2026-07-02T12:00:00Z");
    let third = paid(&app, &jane.code, "cid", "50.00", "2026-07-01").await;
    app.shop().send(Void { commission_id: third.into(), reason: "fraud".into() }).await;
    app.shop().pay_out("USD").await;
    let (june, july) = (statement(&app, jane.id, "2026-06").await, statement(&app, jane.id, "2026-07").await);
    assert_eq!((&june["open"], &june["closing_minor"]), (&json!(false), &json!(2_247)));
    assert_eq!((&july["opening"], &july["opening_balances"]), (&june["closing"], &june["closing_balances"]));
    assert_eq!(moved(&july), lines(&[("earned", 1_000), ("voided", -1_000), ("paid", -2_000)]));
    assert_eq!((&july["earned"], &july["paid"], &july["closing"]), (&json!(0.0), &json!(20.0), &json!(2.47)));
    assert_eq!(july["closing_minor"], owed(&app, jane.id).await);

    // Months without an entry open and close alike, and are listed too.
    at(&app, "2026-09-15T12:00:00Z");
    let list = call(&app, "GET", &format!("/v1/referrers/{}/statements", jane.id), None).await.is(200).json();
    let months: Vec<(&str, i64)> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (text(&m["month"]), m["closing_minor"].as_i64().unwrap()))
        .collect();
    assert_eq!(months, [("2026-09", 247), ("2026-08", 247), ("2026-07", 247), ("2026-06", 2_247)]);
    let august = statement(&app, jane.id, "2026-08").await;
    assert_eq!((moved(&august), &august["opening"], &august["closing"]), (vec![], &json!(2.47), &json!(2.47)));

    app.sign_in().await;
    let page = app.get(&format!("/referrers/{}/statements", jane.id)).await.is(200).says("So far");
    assert_eq!(page.count("tbody tr"), 4);
    let page = app.get(&format!("/referrers/{}/statements/2026-07", jane.id)).await.is(200);
    assert_eq!(page.texts("tbody td.num:last-child").last().unwrap(), "2.47 USD");
    page.says("cid").says("payout P-1").does_not_say("This month is not over");
    app.get(&format!("/referrers/{}/statements/2026-06?currency=USD", jane.id))
        .await
        .is(200)
        .says("rounded from 2.474");
}

/// Every form of a statement.
async fn all_of(app: &TestApp, referrer: i64, month: &str) -> [String; 3] {
    let own = format!("/referrers/{referrer}/statements/{month}");
    // The days that passed ended the session.
    app.sign_in().await;
    let page = app.get(&format!("{own}?currency=USD")).await.is(200);
    let csv = app.get(&format!("{own}.csv?currency=USD")).await.is(200);
    [statement(app, referrer, month).await.to_string(), page.texts("main table").join(" "), csv.body]
}

async fn a_month_that_is_over_never_changes(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for name in ["amy", "bob", "cid", "dan"] {
        let id = paid(&app, &jane.code, name, "100.00", "2026-06-10").await;
        if ["amy", "bob"].contains(&name) {
            approve(&app, id).await;
        }
    }
    let first = app.number("SELECT min(id) FROM commissions").await;
    app.shop().pay_out("USD").await;
    at(&app, "2026-07-01T00:30:00Z");
    assert_eq!(statement(&app, jane.id, "2026-06").await["open"], true, "a write of the last minute may still end");
    at(&app, "2026-07-03T09:00:00Z");
    let before = all_of(&app, jane.id, "2026-06").await;
    let book = app.get(&format!("/referrers/{}/statements/2026-06.xlsx", jane.id)).await.is(200).body;
    assert!(before[2].contains("Closing balance"), "{}", before[2]);

    // Everything that can happen later: of paid ones and of unpaid ones.
    app.shop().refund("amy@customers.example", day("2026-06-10"), Some("30")).await;
    app.shop().refund("cid@customers.example", day("2026-06-10"), Some("50")).await;
    let last = app.number("SELECT max(id) FROM commissions").await;
    app.shop().send(Void { commission_id: last.into(), reason: "fraud".into() }).await;
    let payment = app.number(&format!("SELECT payment_id FROM commissions WHERE id = {first}")).await;
    app.shop().dispute(payment, true).await;
    at(&app, "2026-07-09T09:00:00Z");
    assert_eq!(all_of(&app, jane.id, "2026-06").await, before);
    assert_eq!(app.get(&format!("/referrers/{}/statements/2026-06.xlsx", jane.id)).await.is(200).body, book);
    let july = statement(&app, jane.id, "2026-07").await;
    assert_eq!(moved(&july), lines(&[("taken back", -600), ("reduced", -1_000), ("voided", -2_000)]));
    assert_eq!(july["closing_minor"], owed(&app, jane.id).await);
}

async fn money_on_its_way_out_stands_in_its_lines(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for name in ["amy", "bob"] {
        let id = paid(&app, &jane.code, name, "100.00", "2026-06-10").await;
        approve(&app, id).await;
    }
    let body = json!({ "currency": "USD", "method": "hand" });
    let lock = async || {
        let made = call(&app, "POST", "/v1/payouts", Some(body.clone())).await.is(201).json();
        let path = format!("/v1/payouts/{}", text(&made["id"]));
        let seen = Some(json!({ "fingerprint": made["fingerprint"] }));
        let locked = call(&app, "POST", &format!("{path}/lock"), seen).await.is(200).json();
        (path.clone(), format!("{path}/lines/{}", text(&locked["lines"][0]["id"])))
    };
    let (_, line) = lock().await;
    let locked = statement(&app, jane.id, "2026-06").await;
    assert_eq!((moved(&locked).len(), &locked["closing_balances"]["paying_minor"]), (2, &json!(4_000)));
    let why = |reason: &str| Some(json!({ "reason": reason }));
    call(&app, "POST", &format!("{line}/failed"), why("account closed")).await.is(200);
    let (path, line) = lock().await;
    call(&app, "POST", &format!("{path}/paid"), Some(json!({}))).await.is(200);
    let paid = statement(&app, jane.id, "2026-06").await.to_string();
    at(&app, "2026-07-05T12:00:00Z");
    call(&app, "POST", &format!("{line}/returned"), why("sent back")).await.is(200);
    let june = statement(&app, jane.id, "2026-06").await;
    assert_eq!(moved(&june), lines(&[("earned", 2_000), ("earned", 2_000), ("failed", 0), ("paid", -4_000)]));
    assert_eq!(
        text(&june["lines"][2]["explanation"]),
        "40.00 USD of payout P-1, by hand: account closed. It is still owed."
    );
    assert_eq!(june.to_string(), paid.replace("\"open\":true", "\"open\":false"), "the return is of July");
    let july = statement(&app, jane.id, "2026-07").await;
    assert_eq!((moved(&july), &july["opening"]), (lines(&[("returned", 4_000)]), &json!(0.0)));
    assert_eq!((&july["paid"], &july["closing_minor"]), (&json!(-40.0), &json!(4_000)));
    assert_eq!(text(&july["lines"][0]["explanation"]), "payout P-2, by hand: sent back");
}

async fn a_statement_goes_page_by_page(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for n in 0..7 {
        at(&app, &format!("2026-06-{:02}T12:00:00Z", 20 + n / 2));
        let id = paid(&app, &jane.code, &format!("c{n}"), "100.00", "2026-06-10").await;
        approve(&app, id).await;
        if n == 3 {
            app.shop().pay_out("USD").await;
        }
    }
    let whole = statement(&app, jane.id, "2026-06").await;
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/referrers/{}/statements/2026-06?currency=USD&limit=3{after}", jane.id);
        let part = call(&app, "GET", &path, None).await.is(200).json();
        assert_eq!(part["closing"], whole["closing"]);
        found.extend(part["lines"].as_array().unwrap().clone());
        let Some(next) = part["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!((&Json::from(found), whole["lines"].as_array().unwrap().len()), (&whole["lines"], 8));
}

async fn statements_are_of_the_business_and_for_those_who_see_money(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    paid(&app, &jane.code, "amy", "100.00", "2026-06-10").await;
    let other = app.another_business("Other").await;
    let own = format!("/v1/referrers/{}/statements", jane.id);
    for path in [own.clone(), format!("{own}/2026-06?currency=USD")] {
        app.call("GET", &path, &other.api_key, None).await.is(404);
    }
    let test_key = app.key(false).await;
    let none = app.call("GET", &own, &test_key, None).await.is(200).json();
    assert_eq!(none["data"], json!([]), "test data are on no account");
    for (path, status) in [
        (format!("{own}/2026-13?currency=USD"), 404),
        (format!("{own}/2026-07?currency=USD"), 404),
        (format!("{own}/2026-06"), 400),
        (format!("{own}/2026-06?currency=XXY"), 400),
        (format!("{own}/2026-06?currency=USD&after=entry_x"), 400),
    ] {
        call(&app, "GET", &path, None).await.is(status);
    }
    let empty = call(&app, "GET", &format!("{own}/2026-06?currency=EUR"), None).await.is(200).json();
    assert_eq!((moved(&empty), &empty["closing_minor"]), (vec![], &json!(0)));
    let page = format!("/referrers/{}/statements/2026-06", jane.id);
    let rep = app.member(refdesk::users::Role::Sales).await;
    rep.get(&page).await.is(403);
    let stranger = app.member_of(&other, refdesk::users::Role::Owner).await;
    stranger.get(&page).await.is(404);
    app.sign_in().await;
    for wrong in ["2026-06.pdx", "2026-6", "2026-07"] {
        app.get(&format!("/referrers/{}/statements/{wrong}", jane.id)).await.is(404);
    }
}

async fn set_address(app: &TestApp, address: &str) {
    let campaign = app.business.campaign_id.to_string();
    let fields = [
        ("business", "Harbour & Co"),
        ("currency", "USD"),
        ("country", "US"),
        ("timezone", "UTC"),
        ("campaign", &campaign),
        ("address", address),
    ];
    app.post_form("/business", &fields).await.is(303);
}

async fn pdf(app: &TestApp, referrer: i64, month: &str) -> Vec<u8> {
    app.sign_in().await;
    let answer = app.get(&format!("/referrers/{referrer}/statements/{month}.pdf?currency=USD")).await.is(200);
    assert_eq!(answer.header("content-type"), "application/pdf");
    assert!(answer.header("content-disposition").ends_with(&format!("{month}-USD.pdf\"")), "{answer:?}");
    answer.bytes
}

async fn a_statement_is_a_pdf_with_the_same_table(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.sign_in().await;
    set_address(&app, "12 Quay Street\n\n  Bristol BS1 4XQ ").await;
    for name in ["amy", "bob", "cid"] {
        let id = paid(&app, &jane.code, name, "1000.50", "2026-06-10").await;
        approve(&app, id).await;
    }
    app.shop().refund("bob@customers.example", day("2026-06-10"), None).await;
    app.shop().pay_out("USD").await;
    let open = Pdf::read(&pdf(&app, jane.id, "2026-06").await);
    assert!(open.texts().contains(&"This month is not over. The statement is as of 20 Jun 2026."), "{:?}", open.pages);
    at(&app, "2026-07-03T09:00:00Z");
    let bytes = pdf(&app, jane.id, "2026-06").await;
    let june = Pdf::read(&bytes);
    let texts = june.texts();
    for said in [
        "Harbour & Co",
        "12 Quay Street",
        "Bristol BS1 4XQ",
        "Jane Miller",
        "Statement of June 2026",
        "Owed on 30 Jun 2026",
        "Opening balance",
        "Commission",
        "20 % of 1,000.50 USD, terms 1",
        "Closing balance",
        "Amount, USD",
        "Page 1 of 1",
    ] {
        assert!(texts.contains(&said), "{said}: {texts:?}");
    }
    // The amounts of the file and of the table are the same ones, in the same order.
    let csv = app.get(&format!("/referrers/{}/statements/2026-06.csv?currency=USD", jane.id)).await.is(200).body;
    let mut read = csv::Reader::from_reader(csv.as_bytes());
    let mut expected: Vec<String> = Vec::new();
    for row in read.records().map(Result::unwrap) {
        expected.extend([&row[6], &row[7]].into_iter().filter(|cell| !cell.is_empty()).map(str::to_owned));
    }
    let begins = texts.iter().position(|text| *text == "Opening balance").unwrap();
    let plain = |text: &str| text.replace(',', "").replace('\u{2212}', "-");
    let is_amount = |text: &String| text.contains('.') && text.parse::<f64>().is_ok();
    let amounts: Vec<String> = texts[begins..].iter().map(|text| plain(text)).filter(is_amount).collect();
    assert_eq!(amounts, expected);
    assert!(amounts.len() > 6 && amounts.contains(&"-400.20".to_owned()), "{amounts:?}");
    // Two tables: the sums, and the lines with a head of each column and of each row.
    let lines = csv.lines().count() - 1;
    assert_eq!((june.roles["H1"], june.roles["Table"], june.roles["TH"]), (1, 2, 4 + 5 + lines));
    assert_eq!((june.roles["TR"], june.roles["Document"]), (2 + 1 + lines, 1));
    app.clock.advance_days(9);
    assert_eq!(pdf(&app, jane.id, "2026-06").await, bytes, "the same statement gives the same bytes");
    let page = app.get(&format!("/referrers/{}/statements/2026-06?currency=USD", jane.id)).await.is(200);
    assert_eq!(page.count("a[href*='.pdf'][download]"), 1);
    page.says("12 Quay Street").says("Bristol BS1 4XQ");
    let me = call(&app, "GET", "/v1/me", None).await.is(200).json();
    assert_eq!(me["business"]["address"], "12 Quay Street\nBristol BS1 4XQ");
    assert_eq!(app.get("/business").await.text("textarea[name=address]"), "12 Quay Street Bristol BS1 4XQ");
    let campaign = app.business.campaign_id.to_string();
    let long = [
        ("business", "Acme"),
        ("currency", "USD"),
        ("country", "US"),
        ("timezone", "UTC"),
        ("campaign", campaign.as_str()),
        ("address", "a\nb\nc\nd\ne\nf\ng"),
    ];
    assert_eq!(
        app.post_form("/business", &long).await.is(422).error_at("address"),
        "The address has more than 6 lines."
    );
}

async fn a_pdf_holds_any_name_and_any_number_of_pages(app: TestApp) {
    let name = "Александра Δημητρίου-Żółć 王小明 \u{202e}мир\u{1f600}";
    let who = app.shop().referrer("Sasha").await;
    app.arrange(&format!("UPDATE referrers SET name = '{name}' WHERE id = {}", who.id)).await;
    let empty = Pdf::read(&pdf(&app, who.id, "2026-06").await);
    assert!(empty.texts().contains(&"Balance so far"), "a month without a line is two balances");
    let drawn = "Александра Δημητρίου-Żółć \u{fffd}\u{fffd}\u{fffd} мир\u{fffd}";
    assert!(empty.texts().contains(&drawn), "{:?}", empty.pages);
    for n in 0..70 {
        paid(&app, &who.code, &format!("c{n}"), "100.00", "2026-06-10").await;
    }
    let words = "W".repeat(400);
    let wish = json!({ "referrer": who.id, "amount": 3.00, "currency": "USD", "reason": words });
    call(&app, "POST", "/v1/adjustments", Some(wish)).await.is(201);
    let many = Pdf::read(&pdf(&app, who.id, "2026-06").await);
    let pages = many.pages.len();
    assert!(pages > 2, "{pages}");
    for (n, page) in (1..).zip(&many.pages) {
        assert!(page.contains(&format!("Page {n} of {pages}")), "{page:?}");
        assert!(page.contains(&"Entry".to_owned()) && page.contains(&"Owed, USD".to_owned()), "the head on each page");
    }
    assert_eq!(many.texts().iter().filter(|text| **text == "Commission").count(), 70);
    // A head that is repeated is no head to those who hear it.
    assert_eq!(many.roles["TH"], 4 + 5 + 73);
    let whole: String = many.texts().iter().filter(|text| text.contains("WWW")).copied().collect();
    assert_eq!(whole.len(), 400, "a word that is wider than its column is broken, and nothing of it is lost");
}
