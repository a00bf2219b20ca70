//! Why: the traces of commissions, leads, payout lines and balances, on pages, by /v1 and by links.

use std::fmt::Display;

use refdesk::clock::Instant;
use refdesk::engine::{Approve, Void};
use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{TestApp, day};
use crate::v1::{call, text};

on_both_databases! {
    a_commission_tells_its_whole_story,
    a_refund_and_a_dispute_are_steps,
    a_lead_without_a_commission_says_what_is_missing,
    a_line_of_a_payout_says_what_it_pays,
    a_link_shows_one_answer_and_no_name,
    a_link_ends,
    traces_are_of_the_business_and_for_those_who_see_money,
    a_balance_is_the_sum_of_what_happened,
}

async fn trace(app: &TestApp, of: &str, id: impl Display) -> Json {
    call(app, "GET", &format!("/v1/{of}/{id}/trace"), None).await.is(200).json()
}

fn kinds(trace: &Json) -> Vec<&str> {
    trace["steps"].as_array().unwrap().iter().map(|s| text(&s["kind"])).collect()
}

fn step<'t>(trace: &'t Json, kind: &str) -> &'t Json {
    let of = trace["steps"].as_array().unwrap().iter().find(|s| s["kind"] == kind);
    of.unwrap_or_else(|| panic!("no {kind} in {trace}"))
}

/// The missing conditions, in one text.
fn needed(trace: &Json) -> String {
    trace["needed"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join(" ")
}

async fn a_commission_tells_its_whole_story(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let tom = shop.referrer("Tom Reed").await;
    shop.lead("amy@customers.example", Some(&jane.code)).await;
    shop.sign_up("amy@customers.example", Some(&tom.code)).await;
    shop.pay("amy@customers.example", "12.37", "2026-06-10").await;
    let id = app.number("SELECT id FROM commissions").await;
    let held = trace(&app, "commissions", id).await;
    assert_eq!(kinds(&held), ["touch", "touch", "payment", "terms", "amount", "hold"]);
    assert_eq!((&held["state"], &held["outcome"]), (&json!("pending"), &json!("Held until 24 Jun 2026.")));
    let counts: Vec<&Json> = held["steps"].as_array().unwrap().iter().map(|s| &s["counts"]).collect();
    assert_eq!(counts[..2], [&json!(true), &json!(false)]);
    assert_eq!(text(&held["steps"][1]["text"]), "Also claimed by Tom Reed. An earlier claim counts.");
    assert_eq!(text(&step(&held, "amount")["text"]), "20 % of 12.37 USD, terms 1, rounded once from 2.474 USD.");
    assert_eq!(step(&held, "amount")["amount_minor"], 247);
    assert!(text(&step(&held, "payment")["text"]).contains("first payment"), "{held}");
    assert!(text(&step(&held, "terms")["text"]).starts_with("In force from the start. 20 % of the first payment"));
    assert!(needed(&held).contains("The hold ends on 24 Jun 2026, or staff approve it earlier."), "{held}");

    shop.send(Approve { commission_id: id.into(), reason: Some("a good partner".into()) }).await;
    let due = trace(&app, "commissions", id).await;
    assert_eq!(due["outcome"], "Due: approved and not paid yet.");
    assert!(text(&step(&due, "approved")["text"]).ends_with(": a good partner"), "{due}");
    shop.pay_out("USD").await;
    let paid = trace(&app, "commissions", id).await;
    assert_eq!(kinds(&paid)[6..], ["approved", "payout", "paid"]);
    assert_eq!((&paid["outcome"], &paid["needed"]), (&json!("Paid with payout P-1."), &json!([])));

    app.sign_in().await;
    let page = app.get(&format!("/why/commissions/{id}")).await.is(200);
    page.says("Paid with payout P-1.").says("rounded once from 2.474 USD").says("Tom Reed");
    app.get(&format!("/commissions/{id}")).await.is(200).says("Why?");
}

async fn a_refund_and_a_dispute_are_steps(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@customers.example", Some(&jane.code)).await;
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    let id = app.number("SELECT id FROM commissions").await;
    shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    let payment = app.number("SELECT id FROM payments").await;
    shop.dispute(payment, true).await;
    let held = trace(&app, "commissions", id).await;
    assert_eq!(held["outcome"], "Approved, and held: its payment is disputed.");
    assert!(needed(&held).starts_with("The dispute of the payment ends in favour of the business."), "{held}");
    shop.dispute(payment, false).await;
    shop.refund("amy@customers.example", day("2026-06-10"), Some("30")).await;
    let less = trace(&app, "commissions", id).await;
    assert_eq!(text(&step(&less, "refund")["title"]), "30.00 USD of the payment given back");
    assert!(less.to_string().contains("6.00 USD less"), "{less}");
    shop.pay_out("USD").await;
    shop.refund("amy@customers.example", day("2026-06-10"), None).await;
    let back = trace(&app, "commissions", id).await;
    assert_eq!(text(&step(&back, "taken back")["title"]), "14.00 USD taken off the next payout");
    assert_eq!(back["outcome"], "Paid with payout P-1; 14.00 USD was taken back.");
}

async fn a_lead_without_a_commission_says_what_is_missing(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let wants = async |id: i64| needed(&trace(&app, "leads", id).await);
    let nobody = shop.lead("amy@customers.example", None).await;
    let said = wants(nobody).await;
    assert!(
        said.contains("A referrer claims the lead") && said.contains("A payment by amy@customers.example arrives"),
        "{said}"
    );
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    let said = wants(nobody).await;
    assert!(
        said.contains("The lead has a referrer. Then the payment of 100.00 USD of 10 Jun 2026 can earn."),
        "{said}"
    );
    let wrong = shop.lead("bob@customers.example", Some("NOSUCHCODE")).await;
    assert!(wants(wrong).await.contains("Staff say who was meant"));
    let quiet = shop.lead("cid@customers.example", Some(&jane.code)).await;
    let said = trace(&app, "leads", quiet).await;
    assert_eq!(said["outcome"], "Referred by Jane Miller. Nothing was earned yet.");
    assert_eq!(needed(&said), "A payment by cid@customers.example arrives, above 0, for a product of the campaign.");
    shop.pay("cid@customers.example", "0", "2026-06-10").await;
    assert!(wants(quiet).await.contains("A payment above 0 arrives."));
    let own = shop.lead("dan@customers.example", Some(&jane.code)).await;
    shop.pay("dan@customers.example", "100.00", "2026-06-10").await;
    let earned = trace(&app, "leads", own).await;
    assert_eq!((kinds(&earned), needed(&earned)), (vec!["touch", "qualified", "payment", "commission"], String::new()));
    let id = app.number("SELECT max(id) FROM commissions").await;
    shop.send(Void { commission_id: id.into(), reason: "fraud".into() }).await;
    assert!(wants(own).await.contains("What staff voided stays void"));
    assert_eq!(trace(&app, "commissions", id).await["outcome"], "Void: staff voided it. Nothing is owed for it.");
    app.sign_in().await;
    app.get(&format!("/why/leads/{wrong}")).await.is(200).says("What would have to be true");
}

async fn a_line_of_a_payout_says_what_it_pays(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    for name in ["amy", "bob"] {
        let address = format!("{name}@customers.example");
        shop.lead(&address, Some(&jane.code)).await;
        shop.pay(&address, "100.00", "2026-06-10").await;
        let id = app.number("SELECT max(id) FROM commissions").await;
        shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    }
    let draft = shop.draft("USD").await;
    let line = app.number("SELECT id FROM payout_lines").await;
    let own = format!("payouts/{draft}/lines");
    let drafted = trace(&app, &own, line).await;
    assert_eq!(drafted["outcome"], "In the draft P-1. Nothing moves until it is locked.");
    shop.pay_out("USD").await;
    let line = app.number("SELECT id FROM payout_lines WHERE state = 'paid'").await;
    let payout = app.number(&format!("SELECT payout_id FROM payout_lines WHERE id = {line}")).await;
    let paid = trace(&app, &format!("payouts/{payout}/lines"), line).await;
    assert_eq!(kinds(&paid), ["item", "item", "payout", "payout", "paid"]);
    assert_eq!(paid["title"], "40.00 USD for Jane Miller");
    assert!(text(&paid["steps"][0]["title"]).starts_with("20.00 USD: commission for "), "{paid}");
    call(&app, "GET", &format!("/v1/payouts/{draft}/lines/{line}/trace"), None).await.is(404);
    app.sign_in().await;
    app.get(&format!("/why/payout-lines/{line}")).await.is(200).says("Paid with P-2.");
}

/// Makes a link by the button; answers its path.
async fn shared(app: &TestApp, of: &str, id: impl Display) -> String {
    app.sign_in().await;
    let page = app.post_form(&format!("/why/{of}/{id}/links"), &[]).await;
    let page = if page.status == 303 { page.follow().await } else { page };
    let link = page.text("output.secret");
    let at = link.find("/t/").unwrap_or_else(|| panic!("{page:?}"));
    link[at..].to_owned()
}

async fn a_link_shows_one_answer_and_no_name(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Reed").await);
    let lead = shop.lead("amy@customers.example", Some(&jane.code)).await;
    shop.sign_up("amy@customers.example", Some(&tom.code)).await;
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    let id = app.number("SELECT id FROM commissions").await;
    shop.send(Approve { commission_id: id.into(), reason: Some("Zora told me".into()) }).await;
    shop.pay_out("USD").await;
    let line = app.number("SELECT id FROM payout_lines WHERE state = 'paid'").await;
    for (of, id) in [("commissions", id), ("leads", lead), ("payout-lines", line)] {
        let path = shared(&app, of, id).await;
        let page = app.stranger().get(&path).await.is(200).says("20.00 USD");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(page.header("x-robots-tag").contains("noindex") && page.header("cache-control").contains("no-store"));
        let body = page.body.to_lowercase();
        for secret in [
            "jane",
            "miller",
            "reed",
            "amy",
            "customers.example",
            "zora",
            &tom.code.to_lowercase(),
            "/commissions",
            "/leads",
            "/referrers",
        ] {
            assert!(!body.contains(secret), "{of}: {secret} in {body}");
        }
    }
}

async fn a_link_ends(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@customers.example", Some(&jane.code)).await;
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    let id = app.number("SELECT id FROM commissions").await;
    let first = shared(&app, "commissions", id).await;
    let stored =
        app.number("SELECT count(*) FROM trace_links WHERE token_hash LIKE '%/%' OR length(token_hash) <> 64").await;
    assert_eq!(stored, 0, "only a hash is stored");
    let link = app.number("SELECT id FROM trace_links").await;
    let end = format!("/why/links/{link}/end");
    app.get(&format!("/why/commissions/{id}")).await.is(200).says("End it");
    app.post_form(&end, &[]).await.is(303).follow().await.says("The link no longer works.");
    app.stranger().get(&first).await.is(404).says("This link no longer works");
    app.post_form(&end, &[]).await.is(303).follow().await.says("had ended before");
    let second = shared(&app, "commissions", id).await;
    app.stranger().get(&second).await.is(200);
    app.clock.set(Instant::parse_rfc3339("2026-06-27T11:59:00Z").unwrap());
    app.stranger().get(&second).await.is(200);
    app.clock.set(Instant::parse_rfc3339("2026-06-27T12:01:00Z").unwrap());
    app.stranger().get(&second).await.is(404);
    for wrong in ["/t/x", "/t/%00", &format!("{first}x")] {
        app.stranger().get(wrong).await.is(404);
    }
}

async fn traces_are_of_the_business_and_for_those_who_see_money(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@customers.example", Some(&jane.code)).await;
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    let id = app.number("SELECT id FROM commissions").await;
    let other = app.another_business("Other").await;
    let test_key = app.key(false).await;
    for path in [format!("/v1/commissions/{id}/trace"), format!("/v1/leads/{lead}/trace")] {
        app.call("GET", &path, &other.api_key, None).await.is(404);
        app.call("GET", &path, &test_key, None).await.is(404);
    }
    let page = format!("/why/commissions/{id}");
    app.member(Role::Sales).await.get(&page).await.is(403);
    let viewer = app.member(Role::Viewer).await;
    viewer.get(&page).await.is(200).does_not_say("Make a link");
    viewer.post_form(&format!("{page}/links"), &[]).await.is(403);
    app.member_of(&other, Role::Owner).await.get(&page).await.is(404);
    app.sign_in().await;
    app.get("/why/nothing/5").await.is(404);
    app.post_form("/why/leads/5/links", &[]).await.is(404);
}

async fn of_balance(app: &TestApp, referrer: i64) -> Json {
    let trace = trace(app, &format!("referrers/{referrer}/balances"), "USD").await;
    // The parts are the accounts, and the accounts are the ledger.
    for account in trace["accounts"].as_array().unwrap() {
        let parts = account["parts"].as_array().unwrap();
        let sum: i64 = parts.iter().map(|part| part["amount_minor"].as_i64().unwrap()).sum();
        let word = text(&account["account"]);
        let stored = format!(
            "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries
              WHERE referrer_id = {referrer} AND currency = 'USD' AND account = '{word}'"
        );
        assert_eq!((sum, sum), (account["amount_minor"].as_i64().unwrap(), app.number(&stored).await), "{trace}");
    }
    let stored = format!("SELECT count(*) FROM ledger_entries WHERE referrer_id = {referrer} AND currency = 'USD'");
    assert_eq!(trace["entry_count"], app.number(&stored).await);
    trace
}

fn account<'t>(trace: &'t Json, word: &str) -> &'t Json {
    trace["accounts"].as_array().unwrap().iter().find(|account| account["account"] == word).expect("an account")
}

async fn a_balance_is_the_sum_of_what_happened(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let nothing = format!("/v1/referrers/{}/balances/USD/trace", jane.id);
    call(&app, "GET", &nothing, None).await.is(404);
    let mut commissions = Vec::new();
    for name in ["amy", "bob", "cid"] {
        let address = format!("{name}@customers.example");
        shop.lead(&address, Some(&jane.code)).await;
        shop.pay(&address, "100.00", "2026-06-10").await;
        commissions.push(app.number("SELECT max(id) FROM commissions").await);
    }
    let held = of_balance(&app, jane.id).await;
    assert_eq!((&held["state"], &held["owed_minor"]), (&json!("held"), &json!(6_000)));
    assert_eq!(held["outcome"], "60.00 USD is owed: held 60.00 USD.");
    assert_eq!(needed(&held), "60.00 USD is held until 24 Jun 2026, or until staff approve it earlier.");

    let approve = async |id: i64| {
        shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    };
    approve(commissions[0]).await;
    approve(commissions[1]).await;
    let due = of_balance(&app, jane.id).await;
    assert_eq!(account(&due, "due")["parts"], json!([{ "kind": "approved", "amount_minor": 4_000 }]));
    assert_eq!(due["outcome"], "60.00 USD is owed: held 20.00 USD, due 40.00 USD.");
    assert!(needed(&due).contains("40.00 USD is due since 25 Jun 2026: the next payout by hand takes it."), "{due}");
    assert!(needed(&due).contains("No payout details are entered"), "{due}");
    assert_eq!(text(&due["entries"][0]["about"]), refdesk::id::render(refdesk::id::Kind::Commission, commissions[1]));

    // Every reason not to pay it says what has to happen.
    let set = async |body: Json| {
        call(&app, "POST", "/v1/payout-settings", Some(body)).await.is(200);
    };
    let campaign = app.business.campaign_id;
    set(json!({ "campaign": campaign, "minimum": { "USD": 5_000 } })).await;
    let below = needed(&of_balance(&app, jane.id).await);
    assert!(below.contains("40.00 USD is below the minimum of 50.00 USD since 25 Jun 2026"), "{below}");
    set(json!({ "campaign": campaign, "minimum": {}, "methods": ["wise"] })).await;
    let other = needed(&of_balance(&app, jane.id).await);
    assert!(other.contains("40.00 USD is not paid by hand: its campaign offers by Wise."), "{other}");
    set(json!({ "campaign": campaign, "methods": ["hand", "wise", "bank", "paypal"] })).await;
    let payment = app.number(&format!("SELECT payment_id FROM commissions WHERE id = {}", commissions[0])).await;
    shop.dispute(payment, true).await;
    let disputed = of_balance(&app, jane.id).await;
    assert!(needed(&disputed).contains("20.00 USD is held until the disputes of its payments end."), "{disputed}");
    assert!(needed(&disputed).contains("20.00 USD is due"), "{disputed}");
    shop.dispute(payment, false).await;
    app.arrange("UPDATE enrollments SET state = 'banned'").await;
    let banned = needed(&of_balance(&app, jane.id).await);
    assert!(banned.contains("40.00 USD is kept out of payouts: the referrer is banned."), "{banned}");
    app.arrange("UPDATE enrollments SET state = 'active'").await;

    // On its way, paid, and taken back.
    let draft = shop.draft("USD").await;
    let seen = call(&app, "GET", &format!("/v1/payouts/{draft}"), None).await.is(200).json();
    let body = json!({ "fingerprint": seen["fingerprint"] });
    call(&app, "POST", &format!("/v1/payouts/{draft}/lock"), Some(body)).await.is(200);
    let paying = of_balance(&app, jane.id).await;
    assert!(needed(&paying).contains("40.00 USD is in payout P-1, which waits to be paid."), "{paying}");
    assert_eq!(text(&paying["entries"][0]["title"]), "Taken by a payout");
    assert!(text(&paying["entries"][0]["about"]).starts_with("line_"), "{paying}");
    call(&app, "POST", &format!("/v1/payouts/{draft}/paid"), Some(json!({}))).await.is(200);
    let wish = json!({ "referrer": jane.id, "amount": -3.00, "currency": "USD", "reason": "Zora counted twice" });
    call(&app, "POST", "/v1/adjustments", Some(wish)).await.is(201);
    shop.refund("bob@customers.example", day("2026-06-10"), None).await;
    let back = of_balance(&app, jane.id).await;
    assert_eq!(
        (&account(&back, "paid")["amount_minor"], &account(&back, "due")["amount_minor"]),
        (&json!(4_000), &json!(-2_300))
    );
    assert_eq!(back["outcome"], "3.00 USD more was taken back than was earned since. 40.00 USD was paid so far.");
    assert!(needed(&back).contains("23.00 USD was taken back: what is earned next is netted with it."), "{back}");

    // The page, and a stranger's.
    app.sign_in().await;
    let own = format!("/why/balances/{}/USD", jane.id);
    assert_eq!(app.get(&format!("/referrers/{}", jane.id)).await.is(200).attr("td.do a", "href"), own);
    let page = app.get(&own).await.is(200);
    page.says("USD balance of Jane Miller").says("Taken back").says("Zora counted twice").says("Balance");
    let link = shared(&app, "balances", format!("{}/USD", jane.id)).await;
    app.get(&own).await.is(200).says("End it");
    let page = app.stranger().get(&link).await.is(200).says("A balance in USD").says("23.00");
    let body = page.body.to_lowercase();
    for secret in ["jane", "miller", "amy", "bob", "customers.example", "zora", "/why", "/referrers", "/leads"] {
        assert!(!body.contains(secret), "{secret} in {body}");
    }
    let shares = "SELECT count(*) FROM audit_entries WHERE action = 'trace.shared' AND after LIKE '%USD%'";
    assert_eq!(app.number(shares).await, 1);
    app.post_form(&format!("/why/links/{}/end", app.number("SELECT id FROM trace_links").await), &[]).await.is(303);
    app.stranger().get(&link).await.is(404);

    // It is the business's alone.
    let other = app.another_business("Other").await;
    let path = format!("/v1/referrers/{}/balances/USD/trace", jane.id);
    app.call("GET", &path, &other.api_key, None).await.is(404);
    app.call("GET", &path, &app.key(false).await, None).await.is(404);
    for wrong in ["EUR", "gold"] {
        call(&app, "GET", &format!("/v1/referrers/{}/balances/{wrong}/trace", jane.id), None).await.is(404);
        app.get(&format!("/why/balances/{}/{wrong}", jane.id)).await.is(404);
    }
    app.member_of(&other, Role::Owner).await.get(&own).await.is(404);
    app.member(Role::Sales).await.get(&own).await.is(403);
}
