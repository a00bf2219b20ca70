//! Test data goes for good: one lead, or all of it; live data never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use refdesk::core::Core;
use refdesk::db::{DbError, DbResult, Tx};
use refdesk::jobs::{self, Claimed, Kinds, Progress};
use refdesk::test_data::{self, Purged};
use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Answer, Referrer, TestApp, actor};

on_both_databases! {
    a_test_lead_goes_with_all_that_hangs_on_it,
    all_test_data_goes_and_live_data_stays,
    a_live_lead_is_never_deleted,
    what_comes_later_stays,
    a_worker_that_dies_leaves_nothing_counted_twice,
    a_lead_with_many_repeats_goes_with_all_of_them,
    events_that_arrive_meanwhile_are_all_answered,
    owners_and_marketing_delete_test_data,
}

/// The rows of test mode in every table that may have some.
const TEST_ROWS: [(&str, &str); 13] = [
    ("leads", "SELECT count(*) FROM leads WHERE test"),
    ("touches", "SELECT count(*) FROM touches t JOIN leads l ON l.id = t.lead_id WHERE l.test"),
    ("sign-ups", "SELECT count(*) FROM sign_ups WHERE test"),
    ("payments", "SELECT count(*) FROM payments WHERE test"),
    ("purchases", "SELECT count(*) FROM purchases q JOIN leads l ON l.id = q.lead_id WHERE l.test"),
    ("refunds", "SELECT count(*) FROM refunds WHERE test"),
    ("cancellations", "SELECT count(*) FROM cancellations WHERE test"),
    ("commissions", "SELECT count(*) FROM commissions WHERE test"),
    ("inbox of leads", "SELECT count(*) FROM inbox_items i JOIN leads l ON l.id = i.lead_id WHERE l.test"),
    ("inbox of payments", "SELECT count(*) FROM inbox_items i JOIN payments p ON p.id = i.payment_id WHERE p.test"),
    ("messages", "SELECT count(*) FROM outbox WHERE test"),
    ("to be searched", "SELECT count(*) FROM search_queue WHERE scope % 4 = 1"),
    ("stored answers", "SELECT count(*) FROM stored_answers k JOIN api_keys a ON a.id = k.key_id WHERE a.test"),
];

async fn left(app: &TestApp) -> Vec<(&'static str, i64)> {
    let mut all = Vec::new();
    for (what, text) in TEST_ROWS {
        all.push((what, app.number(text).await));
    }
    all
}

/// Every live row there is, and all that is counted or shared.
async fn live(app: &TestApp) -> Vec<(String,)> {
    let texts = [
        "SELECT 'lead ' || CAST(id AS TEXT) || status || CAST(updated_at AS TEXT) FROM leads WHERE NOT test ORDER BY id",
        "SELECT 'touch ' || CAST(t.id AS TEXT) FROM touches t JOIN leads l ON l.id = t.lead_id WHERE NOT l.test ORDER BY t.id",
        "SELECT 'sign-up ' || CAST(id AS TEXT) FROM sign_ups WHERE NOT test ORDER BY id",
        "SELECT 'payment ' || CAST(id AS TEXT) || decision || CAST(refunded AS TEXT) FROM payments WHERE NOT test ORDER BY id",
        "SELECT 'purchase ' || CAST(q.lead_id AS TEXT) FROM purchases q JOIN leads l ON l.id = q.lead_id WHERE NOT l.test ORDER BY q.lead_id",
        "SELECT 'refund ' || CAST(id AS TEXT) || state FROM refunds WHERE NOT test ORDER BY id",
        "SELECT 'cancellation ' || CAST(id AS TEXT) FROM cancellations WHERE NOT test ORDER BY id",
        "SELECT 'commission ' || CAST(id AS TEXT) || state FROM commissions WHERE NOT test ORDER BY id",
        "SELECT 'entry ' || CAST(id AS TEXT) || CAST(amount AS TEXT) FROM ledger_entries ORDER BY id",
        "SELECT 'item ' || CAST(i.id AS TEXT) || i.state FROM inbox_items i LEFT JOIN leads l ON l.id = i.lead_id LEFT JOIN payments p ON p.id = i.payment_id
          WHERE NOT COALESCE(l.test, p.test) ORDER BY i.id",
        "SELECT 'message ' || CAST(id AS TEXT) FROM outbox WHERE NOT test ORDER BY id",
        "SELECT 'searched ' || CAST(id AS TEXT) FROM search_queue WHERE scope % 4 <> 1 ORDER BY id",
        "SELECT 'answer ' || k.text FROM stored_answers k JOIN api_keys a ON a.id = k.key_id WHERE NOT a.test ORDER BY k.text",
        "SELECT 'counter ' || CAST(scope_id AS TEXT) || name || day || CAST(CAST(sum(value) AS BIGINT) AS TEXT) FROM counters GROUP BY scope_id, name, day ORDER BY 1",
        "SELECT 'referrer ' || CAST(id AS TEXT) FROM referrers ORDER BY id",
        "SELECT 'code ' || CAST(id AS TEXT) || state FROM codes ORDER BY id",
    ];
    let mut all = Vec::new();
    for text in texts {
        all.extend(app.rows::<(String,)>(text).await);
    }
    all
}

/// Two who refer, and a key for tests.
async fn two(app: &TestApp) -> (Referrer, Referrer, String) {
    (app.shop().referrer("Jane Miller").await, app.shop().referrer("Bob Stone").await, app.key(false).await)
}

/// Everything that can hang on a lead, for one address, by this key.
async fn fill(app: &TestApp, key: &str, email: &str, (code, late): (&str, &str)) -> i64 {
    let ids =
        json!({ "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": email });
    let send = async |path: &str, more: Json, status: u16| {
        let mut body = ids.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.call("POST", &format!("/api/events/{path}"), key, Some(body)).await.is(status)
    };
    send("customer-created", json!({ "customerName": "Amy Adams", "referralCode": code }), 200).await;
    let paid = |amount: i64, day: &str, id: &str| json!({ "amount": amount, "currency": "USD", "subscriptionStatus": "active", "paymentDate": day, "eventId": format!("{id} {email}") });
    send("payment-succeeded", paid(100, "2026-06-14", "first"), 200).await;
    send("payment-succeeded", paid(80, "2026-06-15", "second"), 200).await;
    // The same day without an id, and another amount: a possible second payment, for the inbox.
    let bare = |amount: i64| json!({ "amount": amount, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-16" });
    send("payment-succeeded", bare(10), 200).await;
    send("payment-succeeded", bare(11), 409).await;
    send(
        "payment-refunded",
        json!({ "paymentEventId": format!("first {email}"), "amount": 30, "refundDate": "2026-06-17" }),
        200,
    )
    .await;
    send(
        "payment-refunded",
        json!({ "paymentEventId": format!("never {email}"), "amount": 5, "refundDate": "2026-06-17" }),
        200,
    )
    .await;
    send("subscription-cancelled", json!({ "date": "2026-06-18" }), 200).await;
    // A late claim, and a repeat of the person.
    send("customer-created", json!({ "customerName": "Amy Adams", "referralCode": late }), 409).await;
    app.call("POST", "/business/lead/create", key, Some(json!({ "name": "Amy again", "email": email }))).await.is(201);
    let bearer = format!("Bearer {key}");
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", email)];
    let new = json!({ "name": "Amy Adams", "email": email }).to_string();
    let known = app.request("POST", "/v1/leads", &headers, new.into_bytes()).await.is(200).json();
    known["number"].as_i64().unwrap()
}

/// A payment and a refund of people nobody knows, and a lead with a code that nobody has.
async fn strangers(app: &TestApp, key: &str) {
    let ids = json!({ "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": "nobody@example.com" });
    for (path, more) in [
        (
            "payment-succeeded",
            json!({ "amount": 7, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-14" }),
        ),
        ("payment-refunded", json!({ "paymentEventId": "lost", "amount": 5, "refundDate": "2026-06-17" })),
    ] {
        let mut body = ids.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.call("POST", &format!("/api/events/{path}"), key, Some(body)).await.is(200);
    }
    let new = json!({ "name": "Eve", "email": "eve@example.com", "code": "NO-SUCH-CODE" });
    app.call("POST", "/v1/leads", key, Some(new)).await.is(201);
}

/// Sends a confirming page as it is.
async fn confirm(page: &Answer) -> Answer {
    let names = page.attrs("form.confirm input[type=hidden]", "name");
    let values = page.attrs("form.confirm input[type=hidden]", "value");
    let fields: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    page.visitor.post_form(&page.attr("form.confirm", "action"), &fields).await
}

async fn a_test_lead_goes_with_all_that_hangs_on_it(app: TestApp) {
    app.sign_in().await;
    let (jane, bob, test) = two(&app).await;
    let codes = (jane.code.as_str(), bob.code.as_str());
    fill(&app, &app.business.api_key, "amy@example.com", codes).await;
    fill(&app, &test, "other@example.com", codes).await;
    let before = (left(&app).await, live(&app).await);
    let lead = fill(&app, &test, "amy@example.com", codes).await;
    let page = app.get(&format!("/leads/{lead}")).await.is(200);
    assert!(page.attrs("a[href]", "href").contains(&format!("/leads/{lead}/delete")), "{page:?}");
    let page = app.get(&format!("/leads/{lead}/delete")).await.is(200);
    let there = page.texts(".confirm li");
    assert_eq!(there, ["1 duplicate", "2 referrals", "3 payments", "1 refund", "3 commissions", "1 inbox item"]);
    let gone = confirm(&page).await.goes_to("/leads").follow().await;
    assert!(
        gone.flash().starts_with("Amy Adams is deleted, with 2 referrals, 1 sign-up, 3 payments, 2 refunds, "),
        "{}",
        gone.flash()
    );
    assert_eq!(left(&app).await, before.0, "the other test lead is as it was");
    assert_eq!(live(&app).await, before.1, "live data is as it was");
    let statement = "SELECT after FROM audit_entries WHERE action = 'lead.purged'";
    let entries: Vec<(String,)> = app.rows(statement).await;
    let counts: Json = serde_json::from_str(&entries[0].0).unwrap();
    assert_eq!((&counts["leads"], &counts["payments"], &counts["answers"]), (&json!(2), &json!(3), &json!(1)));
    app.get(&format!("/leads/{lead}")).await.is(404);
    app.get(&format!("/leads/{lead}/delete")).await.is(404);
    let audit = app.get("/audit").await.is(200).says("Test lead deleted");
    let links = audit.attrs("a[href^='/leads/']", "href");
    assert!(!links.is_empty() && !links.contains(&format!("/leads/{lead}")), "what is gone is no link: {links:?}");
    // The same person may come again, and without the stored answer of the one who went.
    fill(&app, &test, "amy@example.com", codes).await;
}

async fn all_test_data_goes_and_live_data_stays(app: TestApp) {
    app.sign_in().await;
    let (jane, bob, test) = two(&app).await;
    let codes = (jane.code.as_str(), bob.code.as_str());
    let empty = app.get("/test-data/delete").await.is(200);
    assert_eq!(empty.text("h1"), "There is no test data");
    fill(&app, &app.business.api_key, "amy@example.com", codes).await;
    strangers(&app, &app.business.api_key).await;
    let before = live(&app).await;
    for n in 0..3 {
        fill(&app, &test, &format!("amy{n}@example.com"), codes).await;
    }
    strangers(&app, &test).await;
    assert!(left(&app).await.iter().all(|(_, n)| *n > 0), "{:?}", left(&app).await);
    let page = app.get("/test-data/delete").await.is(200);
    assert_eq!(
        page.texts(".confirm li"),
        ["7 test leads", "10 payments", "7 refunds", "9 commissions", "4 inbox items"]
    );
    assert_eq!(page.text(".confirm button"), "Delete 7 test leads");
    let done = app.with_jobs(confirm(&page)).await.follow().await.is(200);
    assert_eq!(done.text("h1"), "Test data deleted");
    assert!(
        done.text(".result .lead")
            .starts_with("Deleted: 7 test leads, 7 referrals, 3 sign-ups, 10 payments, 7 refunds"),
        "{done:?}"
    );
    assert!(left(&app).await.iter().all(|(_, n)| *n == 0), "{:?}", left(&app).await);
    assert_eq!(live(&app).await, before);
    let entries: Vec<(String, String)> =
        app.rows("SELECT actor_kind, after FROM audit_entries WHERE action = 'test_data.purged'").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].0, "user");
    let counts: Json = serde_json::from_str(&entries[0].1).unwrap();
    assert_eq!((&counts["leads"], &counts["payments"], &counts["answers"]), (&json!(7), &json!(10), &json!(3)));
    // Again, by the API: nothing is left to do.
    let asked = app.call("POST", "/v1/test-data/purge", &test, None).await.is(202).json();
    assert_eq!((&asked["leads"], &asked["deleting"]), (&json!(0), &json!(true)));
    app.run_jobs().await;
    let after = app.call("GET", "/v1/test-data", &test, None).await.is(200).json();
    assert_eq!(after["deleting"], json!(false));
    assert_eq!(live(&app).await, before);
}

const LIVE: &str = "This lead is live. Live data is never deleted; archive it instead.";

async fn a_live_lead_is_never_deleted(app: TestApp) {
    app.sign_in().await;
    let (jane, bob, test) = two(&app).await;
    let codes = (jane.code.as_str(), bob.code.as_str());
    let lead = fill(&app, &app.business.api_key, "amy@example.com", codes).await;
    let tested = fill(&app, &test, "amy@example.com", codes).await;
    let before = (left(&app).await, live(&app).await);
    let own = format!("/leads/{lead}");
    assert!(!app.get(&own).await.attrs("a[href]", "href").contains(&format!("{own}/delete")));
    assert_eq!(app.get(&format!("{own}/delete")).await.goes_to(&own).follow().await.flash(), LIVE);
    let refused = app.post_form(&format!("{own}/delete"), &[]).await.goes_to(&own).follow().await;
    assert_eq!(refused.flash(), LIVE);
    let live_key = app.business.api_key.as_str();
    let problem = app.call("POST", &format!("/v1/leads/{lead}/purge"), live_key, None).await.is(409).json();
    assert_eq!(problem["code"], "live_data");
    // A key sees its own mode only.
    app.call("POST", &format!("/v1/leads/{lead}/purge"), &test, None).await.is(404);
    app.call("POST", &format!("/v1/leads/{tested}/purge"), live_key, None).await.is(404);
    app.call("POST", "/v1/test-data/purge", live_key, None).await.is(403);
    // The verb is handed a live lead, another business's, and a lot that names live rows.
    let (at, business) = (&app.app, app.business.id);
    assert_eq!(test_data::purge_lead(at, &actor(), business, lead, None).await.unwrap(), Purged::Live);
    assert_eq!(test_data::purge_lead(at, &actor(), business + 1, tested, None).await.unwrap(), Purged::NotFound);
    let ids = async |text: &str| -> Vec<i64> { app.rows::<(i64,)>(text).await.into_iter().map(|(id,)| id).collect() };
    let lot = refdesk::engine::purge::Lot {
        business_id: business,
        leads: vec![lead],
        payments: ids("SELECT id FROM payments WHERE NOT test").await,
        refunds: ids("SELECT id FROM refunds WHERE NOT test").await,
    };
    let gone = app.app.engine.purge(&actor(), lot, (), tally).await.unwrap();
    assert_eq!(gone, refdesk::engine::purge::Tally::default());
    assert_eq!((left(&app).await, live(&app).await), before);
    let gone = app.call("POST", &format!("/v1/leads/{tested}/purge"), &test, None).await.is(200).json();
    assert_eq!((&gone["leads"], &gone["payments"]), (&json!(2), &json!(3)));
}

async fn what_comes_later_stays(app: TestApp) {
    app.sign_in().await;
    let test = app.key(false).await;
    let add = async |name: &str| {
        app.call("POST", "/v1/leads", &test, Some(json!({ "name": name }))).await.is(201);
    };
    add("Early").await;
    let page = app.get("/test-data/delete").await.is(200);
    assert_eq!(page.text(".confirm button"), "Delete 1 test lead");
    app.clock.set(app.clock.now().plus_seconds(5));
    add("Late").await;
    app.with_jobs(confirm(&page)).await.follow().await.is(200);
    let names: Vec<(String,)> = app.rows("SELECT name FROM leads").await;
    assert_eq!(names, [("Late".to_owned(),)]);
    // A time that has not come, or is none, means now.
    app.with_jobs(app.post_form("/test-data/delete", &[("until", "9999999999999999")])).await;
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}

/// Deletes a lot, and dies before anybody hears of it, the first times it is asked.
fn dies(app: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let died = &DIED[usize::from(app.db.is_postgres())];
        let progress = test_data::step(app, job).await?;
        if died.swap(true, Ordering::SeqCst) {
            Ok(progress)
        } else {
            Err(DbError::Unavailable("the power is out".into()))
        }
    })
}

static DIED: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

async fn a_worker_that_dies_leaves_nothing_counted_twice(app: TestApp) {
    let test = app.key(false).await;
    let items: Vec<Json> =
        (0..230).map(|n| json!({ "name": format!("Amy {n}"), "email": format!("amy{n}@example.com") })).collect();
    app.call("POST", "/v1/leads/batch", &test, Some(json!({ "items": items }))).await.is(200);
    for n in 0..12 {
        let again = json!({ "name": "Again", "email": format!("amy{n}@example.com") });
        app.call("POST", "/business/lead/create", &test, Some(again)).await.is(201);
    }
    let job = test_data::purge_all(&app.app, &actor(), app.business.id, app.clock.now()).await.unwrap();
    let kinds = Kinds::new().with(test_data::KIND, dies);
    jobs::run_all(&app.app, &kinds).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 230, "the repeats went, and then the power");
    app.clock.set(app.clock.now().plus_seconds(90));
    jobs::run_all(&app.another_node().await.app, &kinds).await.unwrap();
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
    let row = jobs::find(&mut app.app.db.read().await.unwrap(), app.business.id, job).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.done, row.total), ("done", 242, 242));
    assert_eq!(test_data::of_result(&row.result()).leads, 242);
}

async fn a_lead_with_many_repeats_goes_with_all_of_them(app: TestApp) {
    let test = app.key(false).await;
    let again = json!({ "name": "Amy", "email": "amy@example.com" });
    let first = app.call("POST", "/v1/leads", &test, Some(again.clone())).await.is(201).json();
    for _ in 0..205 {
        app.call("POST", "/business/lead/create", &test, Some(again.clone())).await.is(201);
    }
    let path = format!("/v1/leads/{}/purge", first["id"].as_str().unwrap());
    assert_eq!(app.call("POST", &path, &test, None).await.is(200).json()["leads"], json!(206));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}

async fn events_that_arrive_meanwhile_are_all_answered(app: TestApp) {
    let (jane, test) = (app.shop().referrer("Jane Miller").await, app.key(false).await);
    for n in 0..10 {
        let body = json!({ "businessId": app.business.public_id, "productId": app.business.product_id,
            "customerEmail": "amy@example.com", "customerName": "Amy", "referralCode": jane.code });
        app.call("POST", "/api/events/customer-created", &test, Some(body)).await.is(200);
        let lead = app.number("SELECT id FROM leads WHERE test").await;
        let pay = async |day: u32| {
            let body = json!({ "businessId": app.business.public_id, "productId": app.business.product_id,
                "customerEmail": "amy@example.com", "amount": 10, "currency": "USD", "subscriptionStatus": "active",
                "paymentDate": format!("2026-06-{day:02}"), "eventId": format!("evt_{n}_{day}") });
            app.call("POST", "/api/events/payment-succeeded", &test, Some(body)).await.is(200);
        };
        let purge = async || {
            app.call("POST", &format!("/v1/leads/{lead}/purge"), &test, None).await.is(200);
        };
        tokio::join!(pay(1), pay(2), purge(), pay(3), pay(4));
        assert_eq!(app.number("SELECT count(*) FROM leads WHERE test").await, 0);
        // A payment after it waits for a lead, and goes with the rest.
        test_data::purge_all(&app.app, &actor(), app.business.id, app.clock.now()).await.unwrap();
        app.run_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM payments").await, 0);
    }
}

async fn owners_and_marketing_delete_test_data(app: TestApp) {
    let test = app.key(false).await;
    let new = json!({ "name": "Amy", "email": "amy@example.com" });
    let lead = app.call("POST", "/v1/leads", &test, Some(new)).await.is(201).json()["number"].as_i64().unwrap();
    let one = format!("/leads/{lead}/delete");
    for (role, all, of_one) in [
        (Role::Owner, 200, 200),
        (Role::Developer, 403, 403),
        (Role::Marketing, 200, 200),
        (Role::Sales, 403, 403),
        (Role::Viewer, 403, 403),
    ] {
        let member = app.member(role).await;
        member.get("/test-data/delete").await.is(all);
        member.get(&one).await.is(of_one);
        if of_one == 403 {
            member.post_form(&one, &[]).await.is(403);
        }
        if all == 403 {
            member.post_form("/test-data/delete", &[]).await.is(403);
        }
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
}

async fn tally(_: &mut Tx, (): &(), tally: refdesk::engine::purge::Tally) -> DbResult<refdesk::engine::purge::Tally> {
    Ok(tally)
}
