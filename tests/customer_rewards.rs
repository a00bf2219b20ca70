//! The reward of the referred customer, beside the referrer's: made once per lead, ended and restored with its
//! qualification, and given by staff.

use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, at_once};
use crate::support::{TestApp, ThreeNodes, address_of};
use crate::v1::{call, text};

on_both_databases! {
    a_customer_who_counts_gets_it_once,
    it_is_void_and_restored_with_the_qualification,
    what_was_given_is_reversed_and_counts_again,
    what_staff_voided_stays_void,
    one_that_nobody_referred_gets_nothing,
    a_self_referral_loses_it,
    a_voucher_and_money_are_as_the_campaign_had_them,
    a_held_one_needs_a_reason,
    a_merged_customer_has_one,
    test_leads_have_test_rewards_that_go_with_them,
    other_businesses_see_none,
    many_who_qualify_and_give_at_once_make_one,
    staff_give_on_pages,
    a_campaign_reads_what_customers_get,
    those_who_may_not_decide_only_look,
}

const LIST: &str = "/v1/customer-rewards";

async fn set(app: &TestApp, change: Json) -> Json {
    let at = format!("/v1/campaigns/{}", app.business.campaign_id);
    call(app, "PATCH", &at, Some(change)).await.is(200).json()
}

async fn ten_dollars(app: &TestApp) {
    let change =
        json!({ "customer_reward_kind": "credit", "customer_reward": { "USD": 1_000 }, "reward_hold_days": 0 });
    set(app, change).await;
}

async fn rewards(app: &TestApp) -> Vec<Json> {
    call(app, "GET", LIST, None).await.is(200).json()["data"].as_array().unwrap().clone()
}

async fn only(app: &TestApp) -> Json {
    let all = rewards(app).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

async fn state(app: &TestApp) -> String {
    text(&only(app).await["state"]).to_owned()
}

async fn qualify(app: &TestApp, lead: i64, on: bool) {
    let at = format!("/v1/leads/{lead}/qualification");
    call(app, "PUT", &at, Some(json!({ "qualified": on }))).await.is(200);
}

fn path(reward: &Json, deed: &str) -> String {
    format!("{LIST}/{}{deed}", text(&reward["id"]))
}

/// A referred lead of a campaign that gives customers ten dollars of credit.
async fn referred(app: &TestApp) -> i64 {
    ten_dollars(app).await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await
}

async fn a_customer_who_counts_gets_it_once(app: TestApp) {
    let lead = referred(&app).await;
    assert_eq!(rewards(&app).await, Vec::<Json>::new());
    app.shop().pay("amy@example.com", "100.00", "2026-06-14").await;
    let reward = only(&app).await;
    assert_eq!(
        (&reward["kind"], &reward["amount"], &reward["currency"], &reward["state"], &reward["text"]),
        (&json!("credit"), &json!(10.0), &json!("USD"), &json!("due"), &Json::Null)
    );
    app.shop().pay("amy@example.com", "100.00", "2026-06-15").await;
    qualify(&app, lead, true).await;
    assert_eq!(only(&app).await, reward);
    assert_eq!(call(&app, "GET", &path(&reward, ""), None).await.is(200).json(), reward);
    let of_lead = call(&app, "GET", &format!("{LIST}?lead={lead}&state=due"), None).await.is(200).json();
    assert_eq!(of_lead["data"], json!([reward]));
    let none = call(&app, "GET", &format!("{LIST}?lead={lead}&state=given"), None).await.is(200).json();
    assert_eq!(none["data"], json!([]));
}

async fn it_is_void_and_restored_with_the_qualification(app: TestApp) {
    let lead = referred(&app).await;
    for _ in 0..2 {
        qualify(&app, lead, true).await;
        assert_eq!(state(&app).await, "due");
        qualify(&app, lead, false).await;
        let void = only(&app).await;
        assert_eq!((&void["state"], &void["cause"]), (&json!("void"), &json!("unqualified")));
    }
    // A later setting of the campaign is for customers who count later.
    set(&app, json!({ "customer_reward_kind": "none" })).await;
    qualify(&app, lead, true).await;
    let reward = only(&app).await;
    assert_eq!(
        (&reward["state"], &reward["amount_minor"], &reward["cause"]),
        (&json!("due"), &json!(1_000), &Json::Null)
    );
}

async fn what_was_given_is_reversed_and_counts_again(app: TestApp) {
    let lead = referred(&app).await;
    qualify(&app, lead, true).await;
    app.clock.advance_days(1);
    let reward = only(&app).await;
    let given = call(&app, "POST", &path(&reward, "/given"), None).await.is(200).json();
    assert_eq!(given["state"], "given");
    assert!(given["given_at"].is_string() && given["given_by"].is_string(), "{given}");
    let again = call(&app, "POST", &path(&reward, "/given"), None).await.is(200).json();
    assert_eq!(again, given);
    qualify(&app, lead, false).await;
    assert_eq!(state(&app).await, "reversed");
    let problem = call(&app, "POST", &path(&reward, "/given"), None).await.is(409).json();
    assert_eq!(problem["code"], "customer_reward_state");
    // It is not given a second time.
    qualify(&app, lead, true).await;
    assert_eq!(state(&app).await, "given");
    call(&app, "POST", &path(&reward, "/void"), Some(json!({ "reason": "x" }))).await.is(409);
    let back = call(&app, "POST", &path(&reward, "/not-given"), None).await.is(200).json();
    assert_eq!((&back["state"], &back["given_at"]), (&json!("due"), &Json::Null));
}

async fn what_staff_voided_stays_void(app: TestApp) {
    let lead = referred(&app).await;
    qualify(&app, lead, true).await;
    let reward = only(&app).await;
    call(&app, "POST", &path(&reward, "/void"), Some(json!({}))).await.is(400);
    let void = call(&app, "POST", &path(&reward, "/void"), Some(json!({ "reason": "fraud" }))).await.is(200).json();
    assert_eq!((&void["cause"], &void["reason"]), (&json!("staff"), &json!("fraud")));
    qualify(&app, lead, false).await;
    qualify(&app, lead, true).await;
    assert_eq!(only(&app).await, void);
}

async fn one_that_nobody_referred_gets_nothing(app: TestApp) {
    ten_dollars(&app).await;
    let lead = app.shop().lead("amy@example.com", None).await;
    qualify(&app, lead, true).await;
    assert_eq!(rewards(&app).await, Vec::<Json>::new());
    // Staff find out who referred them: the customer has it, and loses it with the referrer.
    let jane = app.shop().referrer("Jane Miller").await;
    let attribution = format!("/v1/leads/{lead}/attribution");
    let to = json!({ "referrer": jane.id, "reason": "on the phone" });
    call(&app, "PUT", &attribution, Some(to.clone())).await.is(200);
    assert_eq!(state(&app).await, "due");
    call(&app, "PUT", &attribution, Some(json!({ "referrer": "none", "reason": "a slip" }))).await.is(200);
    let void = only(&app).await;
    assert_eq!((&void["state"], &void["cause"]), (&json!("void"), &json!("not referred")));
    call(&app, "PUT", &attribution, Some(to)).await.is(200);
    assert_eq!(state(&app).await, "due");
    // The lead of a banned referrer gets none by itself.
    let tom = app.shop().lead("tom@example.com", Some(&jane.code)).await;
    call(&app, "PUT", &format!("/v1/referrers/{}/state", jane.id), Some(json!({ "state": "banned" }))).await.is(200);
    qualify(&app, tom, true).await;
    assert_eq!(rewards(&app).await.len(), 1);
    qualify(&app, lead, false).await;
    qualify(&app, lead, true).await;
    assert_eq!(state(&app).await, "void");
}

async fn a_self_referral_loses_it(app: TestApp) {
    let lead = referred(&app).await;
    qualify(&app, lead, true).await;
    assert_eq!(state(&app).await, "due");
    let same = json!({ "email": address_of("Jane Miller") });
    call(&app, "PATCH", &format!("/v1/leads/{lead}"), Some(same)).await.is(200);
    let void = only(&app).await;
    assert_eq!(
        (&void["state"], &void["cause"], &void["referrer"]),
        (&json!("void"), &json!("not referred"), &Json::Null)
    );
}

async fn a_voucher_and_money_are_as_the_campaign_had_them(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    set(&app, json!({ "customer_reward_kind": "voucher", "customer_reward_text": "20 % with WELCOME20" })).await;
    let amy = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    qualify(&app, amy, true).await;
    set(&app, json!({ "customer_reward_kind": "money", "customer_reward": { "EUR": 500 } })).await;
    let bob = app.shop().lead("bob@example.com", Some(&jane.code)).await;
    qualify(&app, bob, true).await;
    let all = rewards(&app).await;
    let of = |r: &Json| (r["kind"].clone(), r["text"].clone(), r["amount"].clone(), r["currency"].clone());
    assert_eq!(of(&all[0]), (json!("money"), Json::Null, json!(5.0), json!("EUR")));
    assert_eq!(of(&all[1]), (json!("voucher"), json!("20 % with WELCOME20"), Json::Null, Json::Null));
}

async fn a_held_one_needs_a_reason(app: TestApp) {
    let lead = referred(&app).await;
    set(&app, json!({ "reward_hold_days": 3 })).await;
    qualify(&app, lead, true).await;
    let reward = only(&app).await;
    assert_eq!(reward["hold_until"], "2026-06-23");
    let problem = call(&app, "POST", &path(&reward, "/given"), None).await.is(409).json();
    assert_eq!(problem["code"], "customer_reward_held");
    let early = json!({ "reason": "promised on the phone" });
    let given = call(&app, "POST", &path(&reward, "/given"), Some(early)).await.is(200).json();
    assert_eq!((&given["state"], &given["reason"]), (&json!("given"), &json!("promised on the phone")));
    call(&app, "POST", &path(&reward, "/not-given"), None).await.is(200);
    app.clock.advance_days(3);
    call(&app, "POST", &path(&reward, "/given"), None).await.is(409);
    app.clock.advance_days(1);
    call(&app, "POST", &path(&reward, "/given"), None).await.is(200);
}

async fn a_merged_customer_has_one(app: TestApp) {
    ten_dollars(&app).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let known = async |email: &str| {
        let body = json!({ "name": "Amy", "email": email, "code": jane.code });
        call(&app, "POST", "/v1/leads", Some(body)).await.is(201).json()["number"].as_i64().unwrap()
    };
    let (lead, twin) = (known("amy@example.com").await, known("amy@example.org").await);
    qualify(&app, twin, true).await;
    app.clock.advance_days(1);
    let reward = only(&app).await;
    call(&app, "POST", &path(&reward, "/given"), None).await.is(200);
    let merge = async |from: i64, into: i64| {
        call(&app, "POST", &format!("/v1/leads/{from}/merge"), Some(json!({ "into": into }))).await
    };
    // A reward that was given, reversed since or not, or voided by staff, stays with the lead that has it.
    merge(twin, lead).await.is(409);
    qualify(&app, twin, false).await;
    merge(twin, lead).await.is(409);
    qualify(&app, twin, true).await;
    call(&app, "POST", &path(&reward, "/not-given"), None).await.is(200);
    call(&app, "POST", &path(&reward, "/void"), Some(json!({ "reason": "fraud" }))).await.is(200);
    merge(twin, lead).await.is(409);
    merge(lead, twin).await.is(200);
    assert_eq!(state(&app).await, "void");
}

async fn test_leads_have_test_rewards_that_go_with_them(app: TestApp) {
    ten_dollars(&app).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let test = app.key(false).await;
    let body = json!({ "name": "Amy", "email": "amy@example.com", "code": jane.code });
    let lead = app.call("POST", "/v1/leads", &test, Some(body)).await.is(201).json();
    let at = format!("/v1/leads/{}/qualification", text(&lead["id"]));
    app.call("PUT", &at, &test, Some(json!({ "qualified": true }))).await.is(200);
    assert_eq!(rewards(&app).await, Vec::<Json>::new());
    let all = app.call("GET", LIST, &test, None).await.is(200).json();
    assert_eq!((&all["data"][0]["test"], all["data"].as_array().unwrap().len()), (&json!(true), 1));
    // A live key sees live rewards alone.
    let of_test = path(&all["data"][0], "");
    call(&app, "GET", &of_test, None).await.is(404);
    call(&app, "POST", &format!("{of_test}/void"), Some(json!({ "reason": "x" }))).await.is(404);
    app.call("GET", &of_test, &test, None).await.is(200);
    app.call("POST", "/v1/test-data/purge", &test, None).await;
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM customer_rewards").await, 0);
}

async fn other_businesses_see_none(app: TestApp) {
    let lead = referred(&app).await;
    qualify(&app, lead, true).await;
    let reward = only(&app).await;
    let stranger = app.another_business("Other").await.api_key;
    for key in [&stranger, &app.key(false).await] {
        assert_eq!(app.call("GET", LIST, key, None).await.is(200).json()["data"], json!([]));
        app.call("GET", &path(&reward, ""), key, None).await.is(404);
        app.call("POST", &path(&reward, "/given"), key, None).await.is(404);
        app.call("POST", &path(&reward, "/void"), key, Some(json!({ "reason": "x" }))).await.is(404);
    }
    let filter = format!("{LIST}?lead={lead}");
    assert_eq!(app.call("GET", &filter, &stranger, None).await.is(200).json()["data"], json!([]));
    assert_eq!(state(&app).await, "due");
}

async fn many_who_qualify_and_give_at_once_make_one(nodes: ThreeNodes) {
    let app = nodes.node(0);
    let lead = referred(app).await;
    let at = format!("/v1/leads/{lead}/qualification");
    let qualify = |n| Call::put(nodes.node(n), &at, json!({ "qualified": true }));
    let replies = at_once((0..30).map(qualify).collect()).await;
    assert!(replies.iter().all(|r| r.status == 200), "{replies:?}");
    let reward = only(app).await;
    app.clock.advance_days(1);
    let given = path(&reward, "/given");
    let replies = at_once((0..30).map(|n| Call::new(nodes.node(n), &given, json!({}))).collect()).await;
    assert!(replies.iter().all(|r| r.status == 200), "{replies:?}");
    let entries = "SELECT count(*) FROM audit_entries WHERE action = 'customer_reward.given'";
    assert_eq!((state(app).await.as_str(), app.number(entries).await), ("given", 1));
}

async fn staff_give_on_pages(app: TestApp) {
    app.sign_in().await;
    app.get("/customer-rewards").await.is(200).says("Customers get nothing in this campaign");
    let lead = referred(&app).await;
    app.get("/customer-rewards").await.is(200).says("Nothing to give");
    let jane = app.number("SELECT min(id) FROM referrers").await;
    let code: Vec<(String,)> = app.rows("SELECT text FROM codes").await;
    for n in 0..4 {
        let id = app.shop().lead(&format!("lead{n}@example.com"), Some(&code[0].0)).await;
        qualify(&app, id, true).await;
    }
    qualify(&app, lead, true).await;
    let held =
        app.get("/customer-rewards").await.is(200).says("10.00 USD credit").says("held until").says("Jane Miller");
    assert_eq!(held.count("td.do a"), 10);
    let id = app.number("SELECT min(id) FROM customer_rewards").await;
    app.post_form(&format!("/customer-rewards/{id}/given"), &[]).await.follow().await.says("It is held until");
    app.get(&format!("/customer-rewards/{id}/early")).await.is(200).says("Its hold is not over");
    app.post_form(&format!("/customer-rewards/{id}/early"), &[("reason", "")]).await.is(422);
    app.post_form(&format!("/customer-rewards/{id}/early"), &[("reason", "asked")]).await.follow().await.says("given.");
    app.post_form(&format!("/customer-rewards/{id}/not-given"), &[]).await.follow().await.says("due again");
    app.clock.advance_days(1);
    app.post_form(&format!("/customer-rewards/{id}/given"), &[]).await.follow().await.says("given.");
    let of_lead = app.number(&format!("SELECT lead_id FROM customer_rewards WHERE id = {id}")).await;
    app.get(&format!("/leads/{of_lead}")).await.is(200).says("Customer reward given");
    let next = app.number("SELECT min(id) FROM customer_rewards WHERE state = 'due'").await;
    app.get(&format!("/customer-rewards/{next}/void")).await.is(200);
    app.post_form(&format!("/customer-rewards/{next}/void"), &[("reason", "fraud")]).await.follow().await.says("void.");
    app.get("/customer-rewards?state=void").await.is(200).says("fraud");
    let ask = app.post_form("/customer-rewards/bulk", &[("scope", "all")]).await.is(200);
    ask.says("Mark 3 as given");
    let sure = [("scope", "all"), ("count", "3")];
    app.post_form("/customer-rewards/bulk", &sure).await.follow().await.says("3 rewards were given.");
    let later = app.shop().lead("later@example.com", Some(&code[0].0)).await;
    qualify(&app, later, true).await;
    let held = app.number("SELECT max(id) FROM customer_rewards").await.to_string();
    let chosen = app.post_form("/customer-rewards/bulk", &[("id", held.as_str())]).await;
    chosen.follow().await.says("Still held: 1.");
    app.post_form("/customer-rewards/bulk", &sure).await.follow().await.says("Nothing was selected");
    let file = app.get("/customer-rewards/export?state=given").await.is(200);
    assert_eq!(file.body.lines().count(), 5, "{}", file.body);
    app.get(&format!("/referrers/{jane}")).await.is(200);
    app.get("/audit").await.is(200).says("Customer reward given");
}

async fn a_campaign_reads_what_customers_get(app: TestApp) {
    app.sign_in().await;
    let here = format!("/campaigns/{}", app.business.campaign_id);
    let base = [("name", "Friends"), ("qualify_on", "payment"), ("reward_hold_days", "3"), ("destination", "")];
    let save = async |extra: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = base.iter().chain(extra).copied().collect();
        app.post_form(&here, &fields).await
    };
    for (kind, amount, currency, words, field) in [
        ("money", "", "USD", "", "customer_reward"),
        ("money", "0", "USD", "", "customer_reward"),
        ("credit", "5", "gold", "", "customer_reward_currency"),
        ("voucher", "", "USD", "", "customer_reward_text"),
        ("cake", "", "USD", "", "customer_reward_kind"),
    ] {
        let answer = save(&[
            ("customer_reward_kind", kind),
            ("customer_reward", amount),
            ("customer_reward_currency", currency),
            ("customer_reward_text", words),
        ])
        .await
        .is(422);
        assert_ne!(answer.error_at(field), "", "{kind} {amount} {currency}: {}", answer.body);
    }
    save(&[("customer_reward_kind", "credit"), ("customer_reward", "7.50"), ("customer_reward_currency", "EUR")])
        .await
        .follow()
        .await
        .is(200)
        .says("7.50 EUR credit");
    let at = format!("/v1{here}");
    let seen = call(&app, "GET", &at, None).await.is(200).json();
    assert_eq!((&seen["customer_reward_kind"], &seen["customer_reward"]), (&json!("credit"), &json!({ "EUR": 750 })));
    for wrong in [
        json!({ "customer_reward_kind": "cake" }),
        json!({ "customer_reward": { "EUR": 1, "USD": 1 } }),
        json!({ "customer_reward": {} }),
        json!({ "customer_reward_kind": "voucher" }),
        json!({ "customer_reward_text": "20 %" }),
        json!({ "customer_reward_kind": "none", "customer_reward": { "USD": 1 } }),
    ] {
        call(&app, "PATCH", &at, Some(wrong)).await.is(400);
    }
    assert_eq!(call(&app, "GET", &at, None).await.is(200).json()["customer_reward_kind"], "credit");
    let none = set(&app, json!({ "customer_reward_kind": "none" })).await;
    assert_eq!((&none["customer_reward_kind"], &none["customer_reward"]), (&json!("none"), &json!({})));
    let new = json!({ "name": "Second", "customer_reward_kind": "money" });
    call(&app, "POST", "/v1/campaigns", Some(new)).await.is(400);
}

async fn those_who_may_not_decide_only_look(app: TestApp) {
    let lead = referred(&app).await;
    qualify(&app, lead, true).await;
    app.clock.advance_days(1);
    let id = app.number("SELECT min(id) FROM customer_rewards").await;
    for role in Role::ALL {
        let visitor = app.member(role).await;
        let decides = role.may(refdesk::users::Right::DecideMoney);
        let status = if role.may(refdesk::users::Right::SeeMoney) { 200 } else { 403 };
        let page = visitor.get("/customer-rewards").await.is(status);
        assert_eq!(page.has("td.do"), decides && status == 200, "{role:?}");
        if !decides {
            visitor.post_form(&format!("/customer-rewards/{id}/given"), &[]).await.is(403);
        }
    }
    assert_eq!(state(&app).await, "due");
}
