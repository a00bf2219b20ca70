//! Payouts: from what is owed to the last line paid, and everything that can come between.

mod control;
mod disputes;
mod owed;

use refdesk::engine::{Approve, Void};
use refdesk::payouts;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, at_once};
use crate::support::{TestApp, ThreeNodes, day, is_long};
use crate::v1::{call, text};

on_both_databases! {
    what_is_owed_is_paid_line_by_line,
    a_draft_says_who_is_left_out_and_why,
    a_draft_that_is_no_longer_true_is_not_locked,
    what_changes_while_it_is_being_paid_is_a_correction,
    a_dispute_while_it_is_being_paid_holds_what_comes_back,
    a_locked_payout_is_undone_whole,
    a_second_person_approves_where_the_business_asks,
    a_payout_of_many_goes_on_after_a_stop,
    nobody_is_in_two_payouts,
    one_of_many_equal_locks_takes_and_pays_once,
    other_businesses_and_test_keys_see_no_payout,
    its_file_is_the_same_whatever_happens_later,
    staff_pay_from_what_is_owed_to_the_last_line,
    a_draft_is_made_by_itself_each_month,
    a_campaign_is_paid_in_the_ways_it_offers,
    changed_details_are_marked_for_the_days_that_the_business_chose,
}

/// A referrer with one approved commission of 20.00.
async fn earned(app: &TestApp, name: &str) -> i64 {
    let shop = app.shop();
    let referrer = shop.referrer(name).await;
    let address = format!("{}@customers.example", name.to_lowercase().replace(' ', "."));
    shop.lead(&address, Some(&referrer.code)).await;
    shop.pay(&address, "100.00", "2026-06-10").await;
    let id = app.number(&format!("SELECT max(id) FROM commissions WHERE referrer_id = {}", referrer.id)).await;
    shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    referrer.id
}

async fn draft(app: &TestApp) -> Json {
    let body = json!({ "currency": "USD", "method": "hand" });
    call(app, "POST", "/v1/payouts", Some(body)).await.is(201).json()
}

fn path(payout: &Json) -> String {
    format!("/v1/payouts/{}", text(&payout["id"]))
}

fn seen(payout: &Json) -> Option<Json> {
    Some(json!({ "fingerprint": payout["fingerprint"] }))
}

async fn locked(app: &TestApp) -> Json {
    let made = draft(app).await;
    call(app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(200).json()
}

/// (held, due, paying, paid) of everybody, in minor units.
async fn sums(app: &TestApp) -> (i64, i64, i64, i64) {
    let of = async |account: &str| {
        let sum = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account";
        app.number(&format!("{sum} = '{account}'")).await
    };
    (of("held").await, of("due").await, of("paying").await, of("paid").await)
}

async fn states(app: &TestApp) -> Vec<String> {
    let found: Vec<(String,)> = app.rows("SELECT state FROM commissions ORDER BY id").await;
    found.into_iter().map(|(state,)| state).collect()
}

fn line(payout: &Json, n: usize) -> String {
    format!("{}/lines/{}", path(payout), text(&payout["lines"][n]["id"]))
}

fn why(reason: &str) -> Option<Json> {
    Some(json!({ "reason": reason }))
}

async fn what_is_owed_is_paid_line_by_line(app: TestApp) {
    for name in ["Jane Miller", "Tom Reed", "Zoe Lang"] {
        earned(&app, name).await;
    }
    let made = draft(&app).await;
    assert_eq!(
        (&made["state"], &made["line_count"], &made["amount_minor"]),
        (&json!("draft"), &json!(3), &json!(6_000))
    );
    assert_eq!(sums(&app).await, (0, 6_000, 0, 0), "a draft moves nothing");
    let path = path(&made);
    for _ in 0..2 {
        let locked = call(&app, "POST", &format!("{path}/lock"), seen(&made)).await.is(200).json();
        assert_eq!(locked["state"], "locked");
        assert_eq!(sums(&app).await, (0, 0, 6_000, 0));
    }
    assert_eq!(states(&app).await, ["approved", "approved", "approved"]);
    let body = Some(json!({ "reference": "TX-1", "day": "2026-06-19" }));
    for _ in 0..2 {
        let paid = call(&app, "POST", &format!("{}/paid", line(&made, 0)), body.clone()).await.is(200).json();
        assert_eq!(
            (&paid["state"], &paid["reference"], &paid["day"]),
            (&json!("paid"), &json!("TX-1"), &json!("2026-06-19"))
        );
        assert_eq!(sums(&app).await, (0, 0, 4_000, 2_000));
    }
    assert_eq!(states(&app).await, ["paid", "approved", "approved"]);
    let failed = call(&app, "POST", &format!("{}/failed", line(&made, 1)), why("account closed")).await.is(200).json();
    assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("account closed")));
    assert_eq!(sums(&app).await, (0, 2_000, 2_000, 2_000));
    let open = call(&app, "POST", &format!("{path}/close"), None).await.is(409).json();
    assert_eq!(
        (&open["code"], &open["detail"]),
        (&json!("payout_open"), &json!("1 line is neither paid nor failed yet."))
    );
    call(&app, "POST", &format!("{path}/paid"), Some(json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, 2_000, 0, 4_000));
    assert_eq!(states(&app).await, ["paid", "approved", "paid"]);
    let back = call(&app, "POST", &format!("{}/returned", line(&made, 2)), why("sent back")).await.is(200).json();
    assert_eq!(back["state"], "returned");
    assert_eq!(
        (sums(&app).await, states(&app).await),
        ((0, 4_000, 0, 2_000), vec!["paid".into(), "approved".into(), "approved".into()])
    );
    for (line_of, word) in [(0, "failed"), (1, "paid"), (1, "returned"), (2, "paid")] {
        let never = call(
            &app,
            "POST",
            &format!("{}/{word}", line(&made, line_of)),
            (word != "paid").then(|| json!({ "reason": "x" })).or(Some(json!({}))),
        )
        .await
        .is(409)
        .json();
        assert_eq!(never["code"], "line_state");
    }
    call(&app, "POST", &format!("{path}/unlock"), why("late")).await.is(409);
    for _ in 0..2 {
        assert_eq!(call(&app, "POST", &format!("{path}/close"), None).await.is(200).json()["state"], "closed");
    }
    call(&app, "POST", &format!("{}/returned", line(&made, 0)), why("late")).await.is(409);
    // What came back is in the next one.
    let next = locked(&app).await;
    assert_eq!((&next["number"], &next["amount_minor"], &next["line_count"]), (&json!(2), &json!(4_000), &json!(2)));
    let list = call(&app, "GET", "/v1/payouts", None).await.is(200).json();
    let states: Vec<&Json> = list["data"].as_array().unwrap().iter().map(|p| &p["state"]).collect();
    assert_eq!(states, [&json!("locked"), &json!("closed")]);
}

async fn a_draft_says_who_is_left_out_and_why(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    let tom = earned(&app, "Tom Reed").await;
    let zoe = earned(&app, "Zoe Lang").await;
    let out = async |method: &str| -> Vec<(String, String)> {
        let body = json!({ "currency": "USD", "method": method });
        let made = call(&app, "POST", "/v1/payouts", Some(body)).await.is(201).json();
        let rows = made["left_out"].as_array().unwrap().iter();
        rows.map(|l| (text(&l["name"]).to_owned(), text(&l["left_out"]).to_owned())).collect()
    };
    let of = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
    let everybody = ["Jane Miller", "Tom Reed", "Zoe Lang"];
    assert_eq!(out("paypal").await, everybody.map(|name| of(name, "no details")));
    assert_eq!(out("hand").await, []);
    let payment = app.number(&format!("SELECT payment_id FROM commissions WHERE referrer_id = {jane}")).await;
    app.shop().dispute(payment, true).await;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE referrer_id = {tom}")).await;
    let least = json!({ "campaign": app.business.campaign_id, "minimum": { "USD": 5_000, "EUR": 1 } });
    call(&app, "POST", "/v1/payout-settings", Some(least)).await.is(200);
    let expected = [of("Jane Miller", "disputed"), of("Tom Reed", "banned"), of("Zoe Lang", "below the minimum")];
    assert_eq!(out("hand").await, expected);
    let made = draft(&app).await;
    let below = &made["left_out"][2];
    assert_eq!((&below["minimum_minor"], &below["due_since"]), (&json!(5_000), &json!("2026-06-20")));
    let refused = call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(409).json();
    assert_eq!(refused["code"], "payout_empty");
    call(&app, "DELETE", &path(&made), None).await.is(204);
    assert_eq!(call(&app, "GET", &path(&made), None).await.json()["state"], "dropped");
    call(&app, "POST", &format!("{}/refresh", path(&made)), None).await.is(409);
    let any = json!({ "campaign": app.business.campaign_id, "minimum": {} });
    call(&app, "POST", "/v1/payout-settings", Some(any)).await.is(200);

    // Staff leave one out, and a refresh remembers.
    let made = draft(&app).await;
    let left = call(&app, "POST", &format!("{}/leave-out", line(&made, 0)), None).await.is(200).json();
    assert_eq!((&left["line_count"], &left["left_out"][2]["left_out"]), (&json!(0), &json!("by hand")));
    assert_ne!(left["fingerprint"], made["fingerprint"]);
    let again = call(&app, "POST", &format!("{}/refresh", path(&made)), None).await.is(200).json();
    assert_eq!((&again["line_count"], &again["state"]), (&json!(0), &json!("draft")));
    let id = again["left_out"].as_array().unwrap().iter().find(|l| l["left_out"] == "by hand").unwrap()["id"].clone();
    let taken = call(&app, "POST", &format!("{}/lines/{}/take-in", path(&made), text(&id)), None).await.is(200).json();
    assert_eq!((&taken["line_count"], &taken["amount_minor"]), (&json!(1), &json!(2_000)));
    call(&app, "POST", &format!("{}/lock", path(&made)), seen(&taken)).await.is(200);
    let referrer = app.number("SELECT referrer_id FROM commissions WHERE line_id IS NOT NULL").await;
    assert_eq!(referrer, zoe);
    for (body, field) in [
        (json!({ "currency": "XXY", "method": "hand" }), "/currency"),
        (json!({ "currency": "USD", "method": "gold" }), "/method"),
        (json!({ "currency": "USD", "method": "hand", "campaign": "campaign_nope" }), "/campaign"),
    ] {
        let wrong = call(&app, "POST", "/v1/payouts", Some(body)).await.is(400).json();
        assert_eq!(wrong["errors"][0]["pointer"], field);
    }
}

async fn a_draft_that_is_no_longer_true_is_not_locked(app: TestApp) {
    let shop = app.shop();
    earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    let lock = async |payout: &Json| call(&app, "POST", &format!("{}/lock", path(payout)), seen(payout)).await;
    let changes: [&str; 4] = ["refund", "earn", "dispute", "void"];
    for change in changes {
        let made = draft(&app).await;
        match change {
            "refund" => drop(shop.refund("jane.miller@customers.example", day("2026-06-10"), Some("10")).await),
            "earn" => earned_again(&app).await,
            "dispute" => {
                let payment = app.number("SELECT min(id) FROM payments").await;
                shop.dispute(payment, true).await;
            }
            _ => {
                let id = app.number("SELECT max(id) FROM commissions").await;
                shop.send(Void { commission_id: id.into(), reason: "fraud".into() }).await;
            }
        }
        let before = sums(&app).await;
        let refused = lock(&made).await.is(409).json();
        assert_eq!(refused["code"], "payout_changed", "{change}: {refused}");
        assert_eq!((sums(&app).await, before.2), (before, 0), "{change}");
        let fresh = call(&app, "POST", &format!("{}/refresh", path(&made)), None).await.is(200).json();
        assert_ne!(fresh["fingerprint"], made["fingerprint"], "{change}");
        let stale = call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(409).json();
        assert_eq!(stale["code"], "payout_changed", "{change}");
    }
    let made = draft(&app).await;
    lock(&made).await.is(200);
}

/// Another approved commission of the first referrer.
async fn earned_again(app: &TestApp) {
    let shop = app.shop();
    shop.pay("jane.miller@customers.example", "50.00", "2026-06-11").await;
    let id = app.number("SELECT max(id) FROM commissions").await;
    shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
}

async fn what_changes_while_it_is_being_paid_is_a_correction(app: TestApp) {
    let shop = app.shop();
    earned(&app, "Jane Miller").await;
    let first = locked(&app).await;
    shop.refund("jane.miller@customers.example", day("2026-06-10"), Some("30")).await;
    assert_eq!(sums(&app).await, (0, -600, 2_000, 0), "the batch stays as it was locked");
    let id = app.number("SELECT id FROM commissions").await;
    let refused = call(&app, "POST", &format!("/v1/commissions/{id}/void"), why("fraud")).await.is(409).json();
    assert!(text(&refused["detail"]).contains("payout"), "{refused}");
    let negative = draft(&app).await;
    assert_eq!(negative["left_out"][0]["left_out"], "negative balance");
    call(&app, "POST", &format!("{}/paid", path(&first)), Some(json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, -600, 0, 2_000));
    shop.refund("jane.miller@customers.example", day("2026-06-10"), None).await;
    assert_eq!(sums(&app).await, (0, -2_000, 0, 2_000));

    // What comes next is netted, and pays the rest.
    shop.lead("other@customers.example", Some(&code_of(&app).await)).await;
    shop.pay("other@customers.example", "150.00", "2026-06-12").await;
    let id = app.number("SELECT max(id) FROM commissions").await;
    shop.send(Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    let next = locked(&app).await;
    assert_eq!((&next["amount_minor"], &next["lines"][0]["items"]), (&json!(1_000), &json!(3)));
    assert_eq!(sums(&app).await, (0, 0, 1_000, 2_000));
    // It fails: all of it is due again, and the next one is the same.
    call(&app, "POST", &format!("{}/failed", line(&next, 0)), why("closed")).await.is(200);
    assert_eq!(sums(&app).await, (0, 1_000, 0, 2_000));
    let last = locked(&app).await;
    assert_eq!(last["amount_minor"], json!(1_000));
    call(&app, "POST", &format!("{}/paid", path(&last)), Some(json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 0, 3_000));
}

async fn code_of(app: &TestApp) -> String {
    let found: Vec<(String,)> = app.rows("SELECT text FROM codes").await;
    found.into_iter().next().expect("a code").0
}

async fn a_dispute_while_it_is_being_paid_holds_what_comes_back(app: TestApp) {
    let shop = app.shop();
    earned(&app, "Jane Miller").await;
    let payout = locked(&app).await;
    let payment = app.number("SELECT id FROM payments").await;
    shop.dispute(payment, true).await;
    assert_eq!(sums(&app).await, (0, 0, 2_000, 0), "a dispute does not reach into a locked payout");
    call(&app, "POST", &format!("{}/failed", line(&payout, 0)), why("stopped")).await.is(200);
    assert_eq!(sums(&app).await, (2_000, 0, 0, 0));
    shop.dispute(payment, false).await;
    assert_eq!(sums(&app).await, (0, 2_000, 0, 0));
    // A whole refund of what came back is netted to nothing.
    let again = locked(&app).await;
    shop.refund("jane.miller@customers.example", day("2026-06-10"), None).await;
    assert_eq!(sums(&app).await, (0, -2_000, 2_000, 0));
    call(&app, "POST", &format!("{}/failed", line(&again, 0)), why("stopped")).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 0, 0));
    assert_eq!(draft(&app).await["left_out"][0]["left_out"], "nothing is left");
}

async fn a_locked_payout_is_undone_whole(app: TestApp) {
    for name in ["Jane Miller", "Tom Reed"] {
        earned(&app, name).await;
    }
    let payout = locked(&app).await;
    for _ in 0..2 {
        let wrong = call(&app, "POST", &format!("{}/unlock", path(&payout)), Some(json!({}))).await.is(400).json();
        assert_eq!(wrong["errors"][0]["pointer"], "/reason");
    }
    let undone = call(&app, "POST", &format!("{}/unlock", path(&payout)), why("wrong day")).await.is(200).json();
    assert_eq!((&undone["state"], &undone["note"]), (&json!("draft"), &json!("wrong day")));
    assert_eq!((sums(&app).await, states(&app).await), ((0, 4_000, 0, 0), vec!["approved".into(), "approved".into()]));
    call(&app, "POST", &format!("{}/paid", line(&payout, 0)), Some(json!({}))).await.is(409);
    call(&app, "POST", &format!("{}/lock", path(&payout)), seen(&undone)).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 4_000, 0));
}

async fn a_second_person_approves_where_the_business_asks(app: TestApp) {
    earned(&app, "Jane Miller").await;
    let asked = Some(json!({ "approval": "anyone" }));
    let set = call(&app, "POST", "/v1/payout-settings", asked).await.is(200).json();
    assert_eq!(set["approval"], "anyone");
    let payout = locked(&app).await;
    let early = call(&app, "POST", &format!("{}/paid", line(&payout, 0)), Some(json!({}))).await.is(409).json();
    assert_eq!(early["code"], "payout_not_approved");
    let same = call(&app, "POST", &format!("{}/approve", path(&payout)), None).await.is(409).json();
    assert_eq!(same["code"], "payout_same_person");
    let other = app.key(true).await;
    let approved = app.call("POST", &format!("{}/approve", path(&payout)), &other, None).await;
    assert_eq!(approved.is(200).json()["state"], "approved");
    call(&app, "POST", &format!("{}/paid", line(&payout, 0)), Some(json!({}))).await.is(200);
    assert_eq!(sums(&app).await, (0, 0, 0, 2_000));
}

/// A payout beyond the first lot: the rest is done by a job, and what is there between two lots is true as well.
async fn a_payout_of_many_goes_on_after_a_stop(app: TestApp) {
    let most = 230;
    let shop = app.shop();
    for n in 0..most {
        let referrer = shop.referrer(&format!("Referrer {n}")).await;
        let address = format!("lead{n}@customers.example");
        shop.lead(&address, Some(&referrer.code)).await;
        shop.pay(&address, "100.00", "2026-06-01").await;
    }
    app.clock.advance_days(30);
    refdesk::sweep::all(&app.app).await.unwrap();
    let made = draft(&app).await;
    assert_eq!(made["state"], "building");
    // A job that gave up is taken up again by asking once more.
    let give_up =
        "UPDATE jobs SET state = 'failed', finished_at = created_at WHERE kind = 'payout' AND state = 'queued'";
    app.arrange(give_up).await;
    let again = call(&app, "POST", &format!("{}/refresh", path(&made)), None).await.is(200).json();
    assert_eq!(again["state"], "building");
    app.run_jobs().await;
    let made = call(&app, "GET", &path(&made), None).await.json();
    assert_eq!((&made["state"], &made["line_count"]), (&json!("draft"), &json!(most)));
    let locking = call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(200).json();
    assert_eq!(locking["state"], "locking");
    app.arrange(give_up).await;
    call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(200);
    app.database.prove().await;
    call(&app, "POST", &format!("{}/paid", path(&made)), Some(json!({}))).await.is(409);
    // The last one changes before its lot: everything is given back, with the reason.
    shop.refund(&format!("lead{}@customers.example", most - 1), day("2026-06-01"), Some("1")).await;
    app.run_jobs().await;
    let back = call(&app, "GET", &path(&made), None).await.json();
    assert_eq!(back["state"], "draft");
    assert!(text(&back["note"]).contains(&format!("Referrer {}", most - 1)), "{}", back["note"]);
    assert_eq!(sums(&app).await.2, 0);
    let fresh = call(&app, "POST", &format!("{}/refresh", path(&made)), None).await.is(200).json();
    assert_eq!(fresh["state"], "building");
    app.run_jobs().await;
    let fresh = call(&app, "GET", &path(&made), None).await.json();
    call(&app, "POST", &format!("{}/lock", path(&made)), seen(&fresh)).await.is(200);
    app.run_jobs().await;
    call(&app, "POST", &format!("{}/paid", path(&made)), Some(json!({}))).await.is(200);
    app.database.prove().await;
    app.run_jobs().await;
    assert_eq!(sums(&app).await, (0, 0, 0, 2_000 * most - 20));
    let mut after = String::new();
    let mut names = std::collections::BTreeSet::new();
    loop {
        let page = call(&app, "GET", &format!("{}/lines?limit=100{after}", path(&made)), None).await.is(200).json();
        names.extend(page["data"].as_array().unwrap().iter().map(|l| text(&l["id"]).to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(names.len(), usize::try_from(most).unwrap());
}

async fn nobody_is_in_two_payouts(app: TestApp) {
    earned(&app, "Jane Miller").await;
    let (one, two) = (draft(&app).await, draft(&app).await);
    call(&app, "POST", &format!("{}/lock", path(&one)), seen(&one)).await.is(200);
    let refused = call(&app, "POST", &format!("{}/lock", path(&two)), seen(&two)).await.is(409).json();
    assert_eq!(refused["code"], "payout_changed");
    assert_eq!(sums(&app).await, (0, 0, 2_000, 0));
}

async fn one_of_many_equal_locks_takes_and_pays_once(nodes: ThreeNodes) {
    for round in 0..if is_long() { 100 } else { 5 } {
        for n in 0..3 {
            earned(&nodes, &format!("Referrer {round} {n}")).await;
            let address = format!("referrer.{round}.{n}@customers.example");
            nodes.shop().pay(&address, "50.00", "2026-06-11").await;
        }
        let pending: Vec<(i64,)> = nodes.rows("SELECT id FROM commissions WHERE state = 'pending' ORDER BY id").await;
        let approve = |(id,): &(i64,)| {
            Call::new(nodes.node(0), &format!("/v1/commissions/{id}/approve"), json!({ "reason": "early" }))
        };
        // Two drafts of the same money, each locked by many at once; a refund and approvals come beside them.
        let drafts = [draft(&nodes).await, draft(&nodes).await];
        let lock = |n: usize| {
            let draft = &drafts[n % 2];
            Call::new(nodes.node(n), &format!("{}/lock", path(draft)), seen(draft).unwrap_or_default())
        };
        let refund = Call::new(
            nodes.node(1),
            "/api/events/payment-refunded",
            json!({
                "businessId": nodes.business.public_id, "productId": nodes.business.product_id, "amount": 10,
                "customerEmail": format!("referrer.{round}.0@customers.example"), "paymentDate": "2026-06-10",
                "refundDate": "2026-06-20",
            }),
        );
        let beside = [refund].into_iter().chain(pending.iter().map(approve));
        let replies = at_once((0..49).map(lock).chain(beside).collect()).await;
        assert!(replies.iter().all(|r| matches!(r.status, 200 | 409)), "{replies:?}");
        assert_eq!(replies[49].status, 200, "{:?}", replies[49]);
        nodes.database.prove().await;
        let (_, due, paying, paid) = sums(&nodes).await;
        assert_eq!(due + paying + paid, (round + 1) * 8_800, "nothing is lost, nothing is there twice");
        // One of the drafts, or none where the refund came first, took everything.
        let taken = replies.iter().take(49).filter(|r| r.status == 200).count();
        assert!(if taken == 0 { paying == 0 } else { paying == 6_000 || paying == 5_800 }, "{taken} {paying}");
        let all = call(&nodes, "GET", "/v1/payouts", None).await.json();
        for payout in all["data"].as_array().unwrap().iter().filter(|p| p["state"] == "locked") {
            let pay = |n| Call::new(nodes.node(n), &format!("{}/paid", path(payout)), json!({}));
            let replies = at_once((0..50).map(pay).collect()).await;
            assert!(replies.iter().all(|r| r.status == 200), "{replies:?}");
        }
        // What is left is for the next round: pay it by hand.
        if sums(&nodes).await.1 > 0 {
            nodes.shop().pay_out("USD").await;
        }
        // A refund that came behind the lock is owed back.
        let (held, due, paying, paid) = sums(&nodes).await;
        assert_eq!((held, due + paid, paying), (0, (round + 1) * 8_800, 0));
        nodes.database.prove().await;
    }
}

async fn other_businesses_and_test_keys_see_no_payout(app: TestApp) {
    earned(&app, "Jane Miller").await;
    let payout = locked(&app).await;
    let stranger = app.another_business("Other").await.api_key;
    let test = app.key(false).await;
    for key in [&stranger, &test] {
        for (method, at, body) in [
            ("GET", path(&payout), None),
            ("DELETE", path(&payout), None),
            ("POST", format!("{}/lock", path(&payout)), seen(&payout)),
            ("POST", format!("{}/paid", line(&payout, 0)), Some(json!({}))),
            ("GET", format!("{}/lines", path(&payout)), None),
        ] {
            app.call(method, &at, key, body).await.is(404);
        }
        let list = app.call("GET", "/v1/payouts", key, None).await.is(200).json();
        assert_eq!(list["data"], json!([]));
    }
    let body = Some(json!({ "currency": "USD", "method": "hand" }));
    app.call("POST", "/v1/payouts", &test, body).await.is(403);
}

async fn its_file_is_the_same_whatever_happens_later(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    let made = draft(&app).await;
    let file = format!("{}/file?format=csv", path(&made));
    assert_eq!(call(&app, "GET", &file, None).await.is(409).json()["code"], "payout_state");
    call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(200);
    let first = call(&app, "GET", &file, None).await.is(200).body;
    assert!(first.contains("Jane Miller") && first.contains("20.00"), "{first}");
    assert_eq!(first.lines().count(), 3);
    app.clock.advance_days(3);
    app.arrange(&format!("UPDATE referrers SET name = 'Jane Smith' WHERE id = {jane}")).await;
    call(&app, "POST", &format!("{}/failed", line(&made, 1)), why("closed")).await.is(200);
    call(&app, "POST", &format!("{}/paid", path(&made)), Some(json!({}))).await.is(200);
    assert_eq!(call(&app, "GET", &file, None).await.is(200).body, first);
    let other = format!("{}/file?format=paypal", path(&made));
    assert_eq!(call(&app, "GET", &other, None).await.is(409).json()["code"], "payout_format");
    call(&app, "GET", &format!("{file}&part=2"), None).await.is(404);
    let looks = app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.file_made'").await;
    assert_eq!(looks, 2, "each look at whole accounts is in the audit");
}

async fn staff_pay_from_what_is_owed_to_the_last_line(app: TestApp) {
    app.sign_in().await;
    app.get("/payouts").await.is(200).says("Nothing is due.").says("No payout yet.");
    earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    app.get("/payouts").await.is(200).says("2 referrers").says("40.00");
    let page = app.post_form("/payouts", &[("currency", "USD"), ("method", "hand")]).await.follow().await.is(200);
    page.says("Jane Miller").says("Lock 40.00 USD");
    let id = app.number("SELECT id FROM payouts").await;
    let own = format!("/payouts/{id}");
    let asked = app.get(&format!("{own}/lock")).await.is(200);
    let fingerprint = asked.attr("form.confirm input[name=fingerprint]", "value");
    let lock = [("fingerprint", fingerprint.as_str())];
    app.post_form(&format!("{own}/lock"), &lock).await.follow().await.is(200).says("Locked.");
    let lines = app.get(&own).await.is(200);
    let chosen = lines.attr("td.pick input[name=id]", "value");
    let unsaid = [("id", chosen.as_str()), ("do", "failed")];
    app.post_form(&format!("{own}/lines"), &unsaid).await.says("Enter the reason");
    let failed = [("id", chosen.as_str()), ("do", "failed"), ("reason", "account closed")];
    app.post_form(&format!("{own}/lines"), &failed).await.follow().await.is(200).says("account closed");
    app.post_form(&format!("{own}/paid"), &[]).await.follow().await.is(200).says("Marked as paid.");
    app.get(&format!("{own}/close")).await.is(200).says("A closed payout never changes");
    app.post_form(&format!("{own}/close"), &[]).await.follow().await.is(200).says("The payout is closed.");
    assert_eq!(sums(&app).await, (0, 2_000, 0, 2_000));
    let file = app.get(&format!("{own}/file?format=csv")).await.is(200);
    assert!(file.body.contains("Tom Reed"));
    app.post_form("/payouts", &[("currency", "gold"), ("method", "hand")]).await.says("The currency");
    let least = format!("least_{}", app.business.campaign_id);
    let set = [("approval", "owner"), (least.as_str(), "25.00")];
    app.post_form("/payouts/settings", &set).await.follow().await.is(200).says("The settings were saved.");
    assert_eq!(app.get("/payouts/settings").await.attr(&format!("#f-{least}"), "value"), "25.00");
    let none = app.post_form("/payouts", &[("currency", "USD"), ("method", "hand")]).await.follow().await.is(200);
    none.says("No draft was made").says("Jane Miller").says("Below the minimum of 25.00 USD.");
    assert_eq!(app.number("SELECT max(id) FROM payouts").await, id);
}

async fn a_draft_is_made_by_itself_each_month(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    let by_hand = json!({ "method": "hand", "instructions": "In cash." });
    call(&app, "PUT", &format!("/v1/referrers/{jane}/payout-details"), Some(by_hand)).await.is(200);
    let campaign = app.business.campaign_id;
    let set = async |day: i64| {
        call(&app, "POST", "/v1/payout-settings", Some(json!({ "campaign": campaign, "day": day }))).await
    };
    assert_eq!(set(29).await.is(400).json()["errors"][0]["pointer"], "/day");
    let alone = call(&app, "POST", "/v1/payout-settings", Some(json!({ "day": 5 }))).await.is(400).json();
    assert_eq!(alone["errors"][0]["pointer"], "/campaign");
    let days = set(5).await.is(200).json()["days"].clone();
    assert_eq!(days.as_object().unwrap().values().collect::<Vec<_>>(), [&json!(5)]);
    let drafts = async |at: &str| {
        app.clock.set(refdesk::clock::Instant::parse_rfc3339(at).expect("an instant"));
        let (first, second) = tokio::join!(payouts::run_rhythm(&app.app), payouts::run_rhythm(&app.app));
        first.expect("the database answers");
        second.expect("the database answers");
        app.number("SELECT count(*) FROM payouts").await
    };
    assert_eq!(drafts("2026-06-28T12:00:00Z").await, 0, "the day of this month had passed when it was set");
    assert_eq!(drafts("2026-07-04T12:00:00Z").await, 0);
    // No server ran on the fifth.
    assert_eq!(drafts("2026-07-07T12:00:00Z").await, 1);
    assert_eq!(drafts("2026-07-08T12:00:00Z").await, 1);
    let made = app.number("SELECT id FROM payouts").await;
    let made = call(&app, "GET", &format!("/v1/payouts/{made}"), None).await.is(200).json();
    assert_eq!(
        (&made["state"], &made["method"], &made["line_count"], &made["made_by"]),
        (&json!("draft"), &json!("hand"), &json!(2), &json!("monthly payouts"))
    );
    assert_eq!(drafts("2026-08-05T00:30:00Z").await, 2);
    set(0).await.is(200);
    assert_eq!(drafts("2026-09-05T12:00:00Z").await, 2);
}

async fn offer(app: &TestApp, campaign: i64, methods: &[&str]) -> Json {
    let body = json!({ "campaign": campaign, "methods": methods });
    call(app, "POST", "/v1/payout-settings", Some(body)).await.is(200).json()
}

async fn a_campaign_is_paid_in_the_ways_it_offers(app: TestApp) {
    let campaign = app.business.campaign_id;
    let jane = earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    let by_hand = json!({ "method": "hand", "instructions": "In cash." });
    call(&app, "PUT", &format!("/v1/referrers/{jane}/payout-details"), Some(by_hand)).await.is(200);
    let set = offer(&app, campaign, &["wise", "paypal"]).await;
    let shown = set["methods"].as_object().unwrap().values().collect::<Vec<_>>();
    assert_eq!(shown, [&json!(["paypal", "wise"])]);
    let before = app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.settings'").await;
    offer(&app, campaign, &["paypal", "wise"]).await;
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'payout.settings'").await, before);
    for (body, field) in [
        (json!({ "campaign": campaign, "methods": [] }), "/methods"),
        (json!({ "campaign": campaign, "methods": ["gold"] }), "/methods/0"),
        (json!({ "methods": ["wise"] }), "/campaign"),
        (json!({ "changed_details_days": 91 }), "/changed_details_days"),
    ] {
        let wrong = call(&app, "POST", "/v1/payout-settings", Some(body)).await.is(400).json();
        assert_eq!(wrong["errors"][0]["pointer"], field, "{wrong}");
    }

    // Nothing else is there: the referrers are out, with the reason.
    let made = draft(&app).await;
    let out = made["left_out"].as_array().unwrap();
    assert!(out.iter().all(|line| line["left_out"] == "not offered by the campaign"), "{made}");
    assert_eq!((out.len(), &out[0]["amount_minor"]), (2, &json!(2_000)));
    call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(409);
    let told =
        call(&app, "GET", &format!("{}/lines/{}/trace", path(&made), text(&out[0]["id"])), None).await.is(200).json();
    assert!(text(&told["needed"][0]).contains("offers"), "{told}");
    let commission = app.number("SELECT max(id) FROM commissions").await;
    let told = call(&app, "GET", &format!("/v1/commissions/{commission}/trace"), None).await.is(200).json();
    assert!(text(&told["needed"][0]).contains("by PayPal or by Wise"), "{told}");

    // A draft over several campaigns takes what each of them offers.
    let second = second_campaign(&app, jane).await;
    let made = draft(&app).await;
    assert_eq!((&made["line_count"], &made["amount_minor"]), (&json!(1), &json!(500)));
    // An amount taken back is netted, whichever campaign it is of.
    let wish = json!({
        "referrer": jane, "campaign": campaign, "currency": "USD", "amount": -2.00, "reason": "Counted twice",
    });
    call(&app, "POST", "/v1/adjustments", Some(wish)).await.is(201);
    let made = draft(&app).await;
    assert_eq!((&made["line_count"], &made["amount_minor"]), (&json!(1), &json!(300)));
    offer(&app, second, &["bank"]).await;
    let changed = call(&app, "POST", &format!("{}/lock", path(&made)), seen(&made)).await.is(409).json();
    assert_eq!(changed["code"], "payout_changed");
    let none = draft(&app).await;
    let of_jane = none["left_out"].as_array().unwrap().iter().find(|line| line["name"] == "Jane Miller").unwrap();
    assert_eq!(
        (&none["line_count"], &of_jane["left_out"], &of_jane["amount_minor"]),
        (&json!(0), &json!("not offered by the campaign"), &json!(2_300))
    );

    // The pages say it, and set it.
    app.sign_in().await;
    app.get("/payouts").await.is(200).says("not offered by the campaign");
    app.get(&format!("/payouts/{}?lines=out", app.number("SELECT max(id) FROM payouts").await))
        .await
        .is(200)
        .says("Not offered by the campaign: it pays in other ways.");
    app.get(&format!("/campaigns/{second}")).await.is(200).says("by bank transfer");
    let (one, other) = (format!("methods_{campaign}"), format!("methods_{second}"));
    let form = [("approval", "none"), (one.as_str(), "hand"), (one.as_str(), "bank"), (other.as_str(), "hand")];
    app.post_form("/payouts/settings", &form).await.follow().await.is(200).says("The settings were saved.");
    let stored: Vec<(String,)> = app.rows("SELECT payout_methods FROM campaigns ORDER BY id").await;
    assert_eq!(stored, [("bank hand".to_owned(),), ("hand".to_owned(),)]);
    let page = app.get("/payouts/settings").await.is(200);
    assert_eq!(page.count(&format!("input[name={one}][checked]")), 2);
    let made = locked(&app).await;
    assert_eq!((&made["line_count"], &made["amount_minor"]), (&json!(2), &json!(4_300)));
    app.get("/audit").await.is(200).says("Settings of payouts changed");

    // Monthly drafts are made in the ways that are offered.
    call(&app, "POST", &format!("{}/unlock", path(&made)), why("again")).await.is(200);
    offer(&app, campaign, &["paypal"]).await;
    call(&app, "POST", "/v1/payout-settings", Some(json!({ "campaign": campaign, "day": 28 }))).await.is(200);
    let before = app.number("SELECT count(*) FROM payouts").await;
    app.clock.set(refdesk::clock::Instant::parse_rfc3339("2026-07-28T12:00:00Z").expect("an instant"));
    payouts::run_rhythm(&app.app).await.expect("the database answers");
    assert_eq!(app.number("SELECT count(*) FROM payouts").await, before);
    let marked = "SELECT count(*) FROM campaigns WHERE payout_month = '2026-07'";
    assert_eq!(app.number(marked).await, 1, "the day of the month was looked at");
}

/// A second campaign in which a referrer is owed 5.00.
async fn second_campaign(app: &TestApp, referrer: i64) -> i64 {
    let made = call(app, "POST", "/v1/campaigns", Some(json!({ "name": "Second" }))).await.is(201).json();
    let campaign = made["number"].as_i64().unwrap_or_else(|| panic!("{made}"));
    call(app, "PUT", &format!("/v1/campaigns/{campaign}/state"), Some(json!({ "state": "live" }))).await.is(200);
    let wish = json!({ "campaign": campaign, "referrers": [referrer] });
    call(app, "POST", "/v1/enrollments", Some(wish)).await.is(200);
    let wish = json!({
        "referrer": referrer, "campaign": campaign, "currency": "USD", "amount": 5.00, "reason": "Was fast",
    });
    call(app, "POST", "/v1/adjustments", Some(wish)).await.is(201);
    campaign
}

async fn changed_details_are_marked_for_the_days_that_the_business_chose(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    let details = format!("/v1/referrers/{jane}/payout-details");
    for words in ["In cash.", "As a voucher."] {
        let by_hand = json!({ "method": "hand", "instructions": words });
        call(&app, "PUT", &details, Some(by_hand)).await.is(200);
    }
    let is_marked = async || !draft(&app).await["lines"][0]["details_changed_at"].is_null();
    let days = async |days: i64| {
        let set = call(&app, "POST", "/v1/payout-settings", Some(json!({ "changed_details_days": days }))).await;
        assert_eq!(set.is(200).json()["changed_details_days"], days);
    };
    assert!(is_marked().await);
    days(0).await;
    assert!(!is_marked().await, "no mark at all");
    days(5).await;
    app.clock.advance_days(4);
    assert!(is_marked().await);
    app.sign_in().await;
    app.get(&format!("/referrers/{jane}")).await.is(200).says("changed lately");
    let changed = [("approval", "none"), ("changed_details_days", "3")];
    app.post_form("/payouts/settings", &changed).await.follow().await.is(200).says("The settings were saved.");
    assert_eq!(app.get("/payouts/settings").await.attr("#f-changed_details_days", "value"), "3");
    assert!(!is_marked().await, "three days are over");
    let wrong = [("approval", "none"), ("changed_details_days", "91")];
    app.post_form("/payouts/settings", &wrong).await.is(422).says("must be a whole number from 0 to 90");
}
