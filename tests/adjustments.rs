//! Adjustments by hand: what they do to what is owed, the second person above the limit, and everything refused.

use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, at_once};
use crate::support::{TestApp, ThreeNodes};
use crate::v1::{call, text};

on_both_databases! {
    a_bonus_counts_at_once_and_is_paid,
    a_correction_is_taken_off_the_next_payout,
    what_is_owed_back_is_left_out_with_its_reason,
    above_the_limit_somebody_else_decides,
    one_of_many_approvals_counts,
    what_cannot_be_is_refused_and_nothing_is_stored,
    other_businesses_and_test_keys_see_no_adjustment,
    the_same_call_sent_again_makes_no_second_one,
    paused_banned_and_archived_people_have_them_too,
    a_list_is_narrowed_and_followed,
    staff_add_approve_and_refuse_on_pages,
    those_who_may_not_pay_see_none,
}

async fn made(app: &TestApp, referrer: i64, amount: f64) -> Json {
    made_by(app, &app.business.api_key, referrer, amount).await
}

async fn made_by(app: &TestApp, key: &str, referrer: i64, amount: f64) -> Json {
    let body = json!({ "referrer": referrer, "amount": amount, "currency": "USD", "reason": "the fair" });
    app.call("POST", "/v1/adjustments", key, Some(body)).await.is(201).json()
}

fn path(adjustment: &Json) -> String {
    format!("/v1/adjustments/{}", text(&adjustment["id"]))
}

/// (held, due, paying, paid) of everybody, in minor units.
async fn sums(app: &TestApp) -> (i64, i64, i64, i64) {
    let of = async |account: &str| {
        let sum = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account";
        app.number(&format!("{sum} = '{account}'")).await
    };
    (of("held").await, of("due").await, of("paying").await, of("paid").await)
}

/// A draft: its lines, and the referrers left out with the reason.
async fn draft(app: &TestApp) -> (Json, Vec<(i64, String)>) {
    let body = json!({ "currency": "USD", "method": "hand" });
    let made = call(app, "POST", "/v1/payouts", Some(body)).await.is(201).json();
    let out = made["left_out"].as_array().unwrap().iter();
    let out = out.map(|l| (l["amount_minor"].as_i64().unwrap(), text(&l["left_out"]).to_owned())).collect();
    (made, out)
}

async fn limit(app: &TestApp, limits: Json) {
    let body = json!({ "adjustment_limit": limits });
    let set = call(app, "POST", "/v1/payout-settings", Some(body)).await.is(200).json();
    assert_eq!(set["adjustment_limit"], limits);
}

async fn a_bonus_counts_at_once_and_is_paid(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    let bonus = made(&app, jane, 25.5).await;
    assert_eq!(
        (&bonus["kind"], &bonus["state"], &bonus["amount_minor"], &bonus["reason"]),
        (&json!("bonus"), &json!("posted"), &json!(2_550), &json!("the fair"))
    );
    assert_eq!(sums(&app).await, (0, 2_550, 0, 0));
    assert_eq!(call(&app, "GET", &path(&bonus), None).await.is(200).json(), bonus);
    let (payout, out) = draft(&app).await;
    assert_eq!((&payout["amount_minor"], &payout["line_count"], out), (&json!(2_550), &json!(1), Vec::new()));
    let at = format!("/v1/payouts/{}", text(&payout["id"]));
    let seen = Some(json!({ "fingerprint": payout["fingerprint"] }));
    call(&app, "POST", &format!("{at}/lock"), seen).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 2_550, 0));
    call(&app, "POST", &format!("{at}/paid"), Some(json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 0, 2_550));
    let paid = call(&app, "GET", &path(&bonus), None).await.is(200).json();
    assert_eq!((&paid["state"], paid["payout_line"].is_string()), (&json!("posted"), true));
    let earned = "SELECT CAST(sum(value) AS BIGINT) FROM counters WHERE name = 'earned.USD'";
    assert_eq!(app.number(earned).await, 2_550);
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'adjustment.added' AND reason = 'the fair'";
    assert_eq!(app.number(audited).await, 1);
}

async fn a_correction_is_taken_off_the_next_payout(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    made(&app, jane, 25.0).await;
    let less = made(&app, jane, -10.25).await;
    assert_eq!((&less["kind"], &less["amount_minor"]), (&json!("correction"), &json!(-1_025)));
    assert!(call(&app, "GET", &path(&less), None).await.body.contains("\"amount\":-10.25"));
    let (payout, _) = draft(&app).await;
    assert_eq!((&payout["amount_minor"], &payout["lines"][0]["items"]), (&json!(1_475), &json!(2)));
}

async fn what_is_owed_back_is_left_out_with_its_reason(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await.id, shop.referrer("Tom Reed").await.id);
    made(&app, jane, -10.0).await;
    made(&app, tom, 10.0).await;
    made(&app, tom, -10.0).await;
    let (payout, out) = draft(&app).await;
    assert_eq!(payout["line_count"], 0);
    assert_eq!(out, [(-1_000, "negative balance".to_owned()), (0, "nothing is left".to_owned())]);
    // Later earnings are netted with it.
    made(&app, jane, 15.0).await;
    let (payout, _) = draft(&app).await;
    assert_eq!(payout["amount_minor"], 500);
}

async fn above_the_limit_somebody_else_decides(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    let other = app.key(true).await;
    limit(&app, json!({ "USD": 5_000 })).await;
    assert_eq!(made(&app, jane, 50.0).await["state"], "posted", "the limit itself needs nobody");
    assert_eq!(made(&app, jane, -50.0).await["state"], "posted");
    let asked = async |amount| {
        let made = made(&app, jane, amount).await;
        assert_eq!(made["state"], "pending");
        path(&made)
    };
    let (yes, no, gone) = (asked(50.01).await, asked(-60.0).await, asked(70.0).await);
    assert_eq!(sums(&app).await, (0, 0, 0, 0), "what waits is on no ledger");
    assert_eq!(draft(&app).await.0["line_count"], 0);
    let reason = Some(json!({ "reason": "agreed with nobody" }));
    let conflict = async |at: String, key: &str, body: Option<Json>| {
        text(&app.call("POST", &at, key, body).await.is(409).json()["code"]).to_owned()
    };
    let own = &app.business.api_key;
    assert_eq!(conflict(format!("{yes}/approve"), own, None).await, "adjustment_same_person");
    assert_eq!(conflict(format!("{yes}/refuse"), own, reason.clone()).await, "adjustment_same_person");
    assert_eq!(conflict(format!("{gone}/withdraw"), &other, None).await, "adjustment_not_maker");
    app.call("POST", &format!("{no}/refuse"), &other, Some(json!({}))).await.is(400);
    for _ in 0..2 {
        let approved = app.call("POST", &format!("{yes}/approve"), &other, None).await.is(200).json();
        assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("posted"), &json!("A key")));
        let refused = app.call("POST", &format!("{no}/refuse"), &other, reason.clone()).await.is(200).json();
        assert_eq!((&refused["state"], &refused["note"]), (&json!("refused"), &json!("agreed with nobody")));
        let withdrawn = app.call("POST", &format!("{gone}/withdraw"), own, None).await.is(200).json();
        assert_eq!(withdrawn["state"], "withdrawn");
    }
    assert_eq!(sums(&app).await, (0, 5_001, 0, 0));
    assert_eq!(conflict(format!("{no}/approve"), &other, None).await, "adjustment_state");
    assert_eq!(conflict(format!("{yes}/refuse"), &other, reason).await, "adjustment_state");
    assert_eq!(conflict(format!("{gone}/approve"), &other, None).await, "adjustment_state");
    // Another currency has no limit, and an empty one takes it away.
    limit(&app, json!({})).await;
    assert_eq!(made(&app, jane, 9_000.0).await["state"], "posted");
    limit(&app, json!({ "USD": 0 })).await;
    assert_eq!(made(&app, jane, 0.01).await["state"], "pending");
}

async fn one_of_many_approvals_counts(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await.id;
    limit(&nodes, json!({ "USD": 0 })).await;
    let keys = [nodes.key(true).await, nodes.key(true).await];
    for round in 1..=4 {
        let waits = made(&nodes, jane, 20.0).await;
        let decide = |n: usize| {
            let deed = if n % 3 == 2 { "refuse" } else { "approve" };
            let at = format!("{}/{deed}", path(&waits));
            let body = if n % 3 == 2 { json!({ "reason": "no" }) } else { Json::Null };
            Call { key: keys[n % 2].clone(), ..Call::new(nodes.node(n), &at, body) }
        };
        let replies = at_once((0..30).map(decide).collect()).await;
        assert!(replies.iter().all(|r| matches!(r.status, 200 | 409)), "{replies:?}");
        nodes.database.prove().await;
        let entries = format!("SELECT count(*) FROM ledger_entries WHERE amount = 2000 AND referrer_id = {jane}");
        let posted = nodes.number("SELECT count(*) FROM adjustments WHERE state = 'posted'").await;
        assert_eq!(nodes.number(&entries).await, posted);
        assert_eq!(nodes.number("SELECT count(*) FROM adjustments WHERE state <> 'pending'").await, round);
    }
}

async fn what_cannot_be_is_refused_and_nothing_is_stored(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await.id;
    let other = shop.campaign("Other").await;
    let stranger = app.another_business("Else").await;
    let bob = app.shop_of(&stranger).referrer("Bob Stone").await.id;
    let fine = json!({ "referrer": jane, "amount": 5, "currency": "USD", "reason": "x" });
    for (field, value, pointer) in [
        ("referrer", json!(bob), "/referrer"),
        ("referrer", json!("agent_nope"), "/referrer"),
        ("campaign", json!(other), "/campaign"),
        ("campaign", json!(stranger.campaign_id), "/campaign"),
        ("amount", json!(0), "/amount"),
        ("amount", json!(-0.0), "/amount"),
        ("amount", json!(0.001), "/amount"),
        ("amount", json!("5"), "/amount"),
        ("amount", json!(1e30), "/amount"),
        ("amount", json!(-10_000_000_000.01), "/amount"),
        ("currency", json!("XYZ"), "/currency"),
        ("currency", json!("EUR"), "/currency"),
        ("reason", json!(""), "/reason"),
        ("reason", json!("x".repeat(501)), "/reason"),
    ] {
        let mut body = fine.clone();
        body[field] = value.clone();
        let wrong = call(&app, "POST", "/v1/adjustments", Some(body)).await.is(400).json();
        assert_eq!(wrong["errors"][0]["pointer"], pointer, "{field} {value}: {wrong}");
    }
    assert_eq!(app.number("SELECT count(*) FROM adjustments").await, 0);
    assert_eq!(sums(&app).await, (0, 0, 0, 0));
    // The campaign has euros as soon as anything of it is in euros.
    let least = json!({ "campaign": app.business.campaign_id, "minimum": { "EUR": 1 } });
    call(&app, "POST", "/v1/payout-settings", Some(least)).await.is(200);
    let mut euros = fine.clone();
    euros["currency"] = json!("EUR");
    call(&app, "POST", "/v1/adjustments", Some(euros)).await.is(201);
    for amount in [10_000_000_000.0, -10_000_000_000.0] {
        made(&app, jane, amount).await;
    }
}

async fn other_businesses_and_test_keys_see_no_adjustment(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    limit(&app, json!({ "USD": 0 })).await;
    let waits = made(&app, jane, 20.0).await;
    let stranger = app.another_business("Other").await.api_key;
    let test = app.key(false).await;
    for key in [&stranger, &test] {
        app.call("GET", &path(&waits), key, None).await.is(404);
        for deed in ["approve", "withdraw"] {
            app.call("POST", &format!("{}/{deed}", path(&waits)), key, None).await.is(404);
        }
        let body = Some(json!({ "reason": "x" }));
        app.call("POST", &format!("{}/refuse", path(&waits)), key, body).await.is(404);
        assert_eq!(app.call("GET", "/v1/adjustments", key, None).await.is(200).json()["data"], json!([]));
    }
    let body = json!({ "referrer": jane, "amount": 5, "currency": "USD", "reason": "x" });
    app.call("POST", "/v1/adjustments", &test, Some(body)).await.is(403);
    assert_eq!(app.number("SELECT count(*) FROM adjustments WHERE state = 'pending'").await, 1);
}

async fn the_same_call_sent_again_makes_no_second_one(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    let bearer = format!("Bearer {}", app.business.api_key);
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "bonus-1")];
    let body = json!({ "referrer": jane, "amount": 5, "currency": "USD", "reason": "x" }).to_string();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = app.request("POST", "/v1/adjustments", &headers, body.clone().into_bytes()).await.is(201);
        ids.push(answer.json()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(sums(&app).await, (0, 500, 0, 0));
}

async fn paused_banned_and_archived_people_have_them_too(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await.id, shop.referrer("Tom Reed").await.id);
    let zoe = shop.referrer("Zoe Lang").await.id;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE referrer_id = {jane}")).await;
    app.arrange(&format!("UPDATE enrollments SET state = 'paused' WHERE referrer_id = {tom}")).await;
    call(&app, "DELETE", &format!("/v1/referrers/{zoe}"), None).await.is(204);
    for id in [jane, tom, zoe] {
        made(&app, id, 20.0).await;
    }
    let (payout, out) = draft(&app).await;
    assert_eq!((&payout["line_count"], out), (&json!(2), vec![(2_000, "banned".to_owned())]));
    // Owed back is owed back, banned or not.
    made(&app, jane, -30.0).await;
    let (_, out) = draft(&app).await;
    assert_eq!(out, [(-3_000, "negative balance".to_owned())]);
}

async fn a_list_is_narrowed_and_followed(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await.id, shop.referrer("Tom Reed").await.id);
    limit(&app, json!({ "USD": 5_000 })).await;
    let first = made(&app, jane, 10.0).await;
    app.clock.advance_days(1);
    let waits = made(&app, jane, 60.0).await;
    app.clock.advance_days(1);
    let last = made(&app, tom, -5.0).await;
    let ids = async |query: &str| -> Vec<Json> {
        let list = call(&app, "GET", &format!("/v1/adjustments{query}"), None).await.is(200).json();
        list["data"].as_array().unwrap().iter().map(|a| a["id"].clone()).collect()
    };
    let of = |all: &[&Json]| -> Vec<Json> { all.iter().map(|a| a["id"].clone()).collect() };
    assert_eq!(ids("").await, of(&[&last, &waits, &first]));
    assert_eq!(ids(&format!("?referrer={jane}")).await, of(&[&waits, &first]));
    assert_eq!(ids("?state=pending").await, of(&[&waits]));
    assert_eq!(ids("?state=posted&sort=created").await, of(&[&first, &last]));
    assert_eq!(ids(&format!("?campaign={}", app.business.campaign_id)).await.len(), 3);
    let since = text(&waits["created_at"]);
    assert_eq!(ids(&format!("?created_since={since}")).await, of(&[&last, &waits]));
    assert_eq!(ids(&format!("?created_before={since}")).await, of(&[&first]));
    app.clock.advance_days(1);
    let other = app.key(true).await;
    app.call("POST", &format!("{}/approve", path(&waits)), &other, None).await.is(200);
    let changed = text(&last["created_at"]);
    assert_eq!(ids(&format!("?updated_since={changed}")).await, of(&[&last, &waits]));
    let page = call(&app, "GET", "/v1/adjustments?limit=2", None).await.is(200).json();
    assert_eq!(ids(&format!("?limit=2&after={}", text(&page["next"]))).await, of(&[&first]));
    call(&app, "GET", "/v1/adjustments?state=waiting", None).await.is(400);
}

async fn staff_add_approve_and_refuse_on_pages(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    app.sign_in().await;
    app.get("/adjustments").await.is(200).says("No adjustments here");
    let limits = [("approval", "none"), ("adjustment_limit", "50.00")];
    app.post_form("/payouts/settings", &limits).await.follow().await.is(200).says("The settings were saved.");
    app.get(&format!("/referrers/{jane}")).await.is(200).says("Add an adjustment");
    app.get(&format!("/referrers/{jane}/adjustments/new")).await.is(200).says("Above 50.00 USD");
    let campaign = app.business.campaign_id.to_string();
    let add = async |amount: &str, currency: &str, reason: &str| {
        let fields = [("amount", amount), ("currency", currency), ("campaign", &campaign), ("reason", reason)];
        app.post_form(&format!("/referrers/{jane}/adjustments"), &fields).await
    };
    for (amount, currency, reason, field) in [
        ("", "USD", "x", "amount"),
        ("0", "USD", "x", "amount"),
        ("--5", "USD", "x", "amount"),
        ("5", "EUR", "x", "currency"),
        ("5", "gold", "x", "currency"),
        ("5", "USD", "", "reason"),
    ] {
        let answer = add(amount, currency, reason).await.is(422);
        assert_ne!(answer.error_at(field), "", "{amount} {currency} {reason}");
    }
    let counted = add("25.00", "USD", "the fair").await.follow().await.is(200);
    counted.says("25.00 USD for Jane Miller counts now").says("Adjustment of 25.00 USD made");
    add("\u{2212}5.00", "USD", "paid twice").await.follow().await.is(200);
    assert_eq!(sums(&app).await, (0, 2_000, 0, 0));
    let waiting = add("60.00", "USD", "big one").await.follow().await.is(200);
    waiting.says("60.00 USD for Jane Miller waits").says("waits for a second person");
    // One that leaves them owing is asked about, and another amount is asked about again.
    let first = add("-70.00", "USD", "too much").await.is(200).says("They are owed 20.00 USD");
    first.says("this leaves them at \u{2212}50.00 USD").says("Add it anyway");
    let sure = async |amount: &str, sure: &str| {
        let fields = [("amount", amount), ("currency", "USD"), ("campaign", &campaign), ("reason", "too much")];
        app.post_form(&format!("/referrers/{jane}/adjustments"), &[&fields[..], &[("sure", sure)]].concat()).await
    };
    sure("-700.00", "-7000 USD").await.is(200).says("this leaves them at \u{2212}680.00 USD");
    assert_eq!(app.number("SELECT count(*) FROM adjustments").await, 3);
    sure("-70.00", "-7000 USD").await.follow().await.is(200).says("\u{2212}70.00 USD for Jane Miller waits");
    add("80.00", "USD", "a slip").await.follow().await.is(200);
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM adjustments WHERE state = 'pending' ORDER BY id").await;
    let (yes, no, slip) = (ids[0].0, ids[1].0, ids[2].0);
    app.get("/").await.is(200).says("adjustments to be approved");
    // The maker may only withdraw.
    let own = app.get("/adjustments?state=pending").await.is(200);
    assert_eq!((own.count("td.do form"), own.texts("td.do button")[0].starts_with("Withdraw")), (3, true));
    app.post_form(&format!("/adjustments/{yes}/approve"), &[]).await.follow().await.says("You made this adjustment");
    app.post_form(&format!("/adjustments/{slip}/withdraw"), &[]).await.follow().await.says("Withdrawn.");
    let second = app.member(Role::Marketing).await;
    second.post_form(&format!("/adjustments/{yes}/approve"), &[]).await.follow().await.says("Approved.");
    second.get(&format!("/adjustments/{no}/refuse")).await.is(200).says("Jane Miller");
    second.post_form(&format!("/adjustments/{no}/refuse"), &[("reason", "")]).await.is(422);
    let refused = second.post_form(&format!("/adjustments/{no}/refuse"), &[("reason", "not agreed")]).await;
    refused.follow().await.is(200).says("Refused.").says("Nothing waits for approval");
    assert_eq!(sums(&app).await, (0, 8_000, 0, 0));
    app.get("/adjustments").await.is(200).says("Refused: not agreed").says("paid twice");
    app.get(&format!("/adjustments?referrer={jane}")).await.is(200).says("of Jane Miller");
    app.get("/payouts").await.is(200).says("80.00");
}

async fn those_who_may_not_pay_see_none(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await.id;
    made(&app, jane, 12.34).await;
    for role in [Role::Sales, Role::Developer, Role::Viewer] {
        let visitor = app.member(role).await;
        visitor.get("/adjustments").await.is(403);
        visitor.get(&format!("/referrers/{jane}/adjustments/new")).await.is(403);
        let fields = [("amount", "5"), ("currency", "USD"), ("reason", "x")];
        visitor.post_form(&format!("/referrers/{jane}/adjustments"), &fields).await.is(403);
        let page = visitor.get(&format!("/referrers/{jane}")).await.is(200).does_not_say("Add an adjustment");
        if role == Role::Sales {
            page.does_not_say("12.34");
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM adjustments").await, 1);
}
