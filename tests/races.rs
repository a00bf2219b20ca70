//! Many at once: three nodes on one PostgreSQL, one node on SQLite. Whatever the order, the outcome is one
//! that some order explains, and nobody gets an error of ours.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::support::Outcome;
use refdesk::codes;
use refdesk::engine::{Approve, ClaimBy, Qualify, What};
use refdesk::products::NewTerms;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::race::{Call, Reply, at_once};
use crate::support::{Database, Engine, Referrer, Shop, Start, TestApp, ThreeNodes, is_long, rate};

on_both_databases! {
    one_of_many_equal_payments_counts,
    one_of_many_equal_sign_ups_counts,
    one_of_many_equal_refunds_counts,
    parallel_refunds_never_exceed_the_payment,
    a_refund_beside_its_payment_and_sign_up_ends_alike,
    one_of_many_disputes_marks_the_payment,
    a_dispute_beside_an_approval_and_a_refund_leaves_the_ledger_true,
    one_of_many_equal_cancellations_counts,
    one_of_many_codes_for_one_person_wins,
    one_of_many_amounts_of_one_day_wins,
    one_of_many_payments_of_one_person_is_first,
    a_sign_up_beside_its_payment_earns_once,
    one_person_by_address_and_by_phone_is_decided_in_turn,
    a_toggle_pressed_by_many_gives_one_reward,
    one_enrollment_gets_one_code_from_everybody,
    codes_for_all_from_everywhere_are_one_each,
    every_node_sweeps_and_each_commission_is_approved_once,
}

const AT_ONCE: usize = 50;

fn rounds() -> usize {
    if is_long() { 200 } else { 20 }
}

fn payment(app: &TestApp, address: &str, amount: u32, id: Option<String>) -> Json {
    let mut body = json!({
        "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": address,
        "amount": amount, "currency": "USD", "subscriptionStatus": "active", "paymentDate": "2026-06-20",
    });
    if let Some(id) = id {
        body["eventId"] = id.into();
    }
    body
}

fn sign_up(app: &TestApp, address: &str, code: &str) -> Json {
    json!({
        "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": address,
        "customerName": "Amy", "referralCode": code,
    })
}

const PAY: &str = "/api/events/payment-succeeded";
const REFUND: &str = "/api/events/payment-refunded";
const SIGN_UP: &str = "/api/events/customer-created";

/// The one that was accepted, and the others.
#[track_caller]
fn one_winner(replies: &[Reply]) -> (&Reply, Vec<&Reply>) {
    let (won, lost): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|r| r.status == 200);
    let mut by_status = BTreeMap::new();
    for reply in replies {
        *by_status.entry(reply.status).or_insert(0) += 1;
    }
    assert!(
        won.len() == 1 && lost.iter().all(|r| r.status == 409),
        "{by_status:?}: {:?}",
        replies.iter().find(|r| r.status >= 500)
    );
    (won[0], lost)
}

async fn one_of_many_equal_payments_counts(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() {
        let address = format!("amy{round}@example.com");
        nodes.shop().lead(&address, Some(&jane.code)).await;
        let id = (round % 2 == 1).then(|| format!("evt_{round}"));
        let calls = (0..AT_ONCE).map(|n| Call::new(nodes.node(n), PAY, payment(&nodes, &address, 100, id.clone())));
        let replies = at_once(calls.collect()).await;
        let (won, lost) = one_winner(&replies);
        assert!(won.text.contains("\"commissionAmount\":20.00"), "{won:?}");
        for reply in lost {
            assert_eq!(reply.json["commissionId"], won.json["commissionId"], "everybody learns the same id");
            assert_eq!(reply.json["bodyDiffers"], false);
        }
    }
    let rounds = rounds() as i64;
    assert_eq!(nodes.number("SELECT count(*) FROM payments").await, rounds);
    assert_eq!(nodes.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, rounds * 2_000);
    assert_eq!(nodes.number("SELECT count(*) FROM inbox_items").await, 0, "a retry is nothing to look at");
}

async fn one_of_many_equal_sign_ups_counts(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() {
        let address = format!("amy{round}@example.com");
        let calls = (0..AT_ONCE).map(|n| Call::new(nodes.node(n), SIGN_UP, sign_up(&nodes, &address, &jane.code)));
        let replies = at_once(calls.collect()).await;
        let (won, lost) = one_winner(&replies);
        assert!(
            lost.iter().all(|r| r.json["leadId"] == won.json["leadId"] && r.json["agentId"] == won.json["agentId"])
        );
    }
    let rounds = rounds() as i64;
    assert_eq!(nodes.number("SELECT count(*) FROM leads").await, rounds);
    assert_eq!(nodes.number("SELECT count(*) FROM touches").await, rounds);
}

fn refund(app: &TestApp, address: &str, amount: Option<&str>, id: Option<String>, name: (&str, &str)) -> Json {
    let mut body = json!({
        "businessId": app.business.public_id, "productId": app.business.product_id, "customerEmail": address,
        "refundDate": "2026-06-20",
    });
    body[name.0] = name.1.into();
    if let Some(amount) = amount {
        body["amount"] = serde_json::from_str(amount).unwrap();
    }
    if let Some(id) = id {
        body["eventId"] = id.into();
    }
    body
}

const BY_DAY: (&str, &str) = ("paymentDate", "2026-06-20");

async fn one_of_many_equal_refunds_counts(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() {
        let address = format!("amy{round}@example.com");
        nodes.shop().lead(&address, Some(&jane.code)).await;
        // Every third waits for its payment.
        if round % 3 != 2 {
            nodes.shop().pay(&address, "100.00", "2026-06-20").await;
        }
        let id = (round % 2 == 1).then(|| format!("ref_{round}"));
        let amount = (round % 4 != 3).then_some("30");
        let calls = (0..AT_ONCE)
            .map(|n| Call::new(nodes.node(n), REFUND, refund(&nodes, &address, amount, id.clone(), BY_DAY)));
        let replies = at_once(calls.collect()).await;
        let (won, lost) = one_winner(&replies);
        assert_eq!(won.json["parked"], round % 3 == 2);
        for reply in lost {
            assert_eq!(reply.json["refundId"], won.json["refundId"], "everybody learns the same id");
            assert_eq!(reply.json["code"], "duplicate_event");
        }
    }
    assert_eq!(nodes.number("SELECT count(*) FROM refunds").await, rounds() as i64);
}

/// Each names the payment in its own way, so that not all of them know whom to lock.
async fn parallel_refunds_never_exceed_the_payment(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() {
        let address = format!("amy{round}@example.com");
        let today = format!("amy{round}@new.example");
        nodes.shop().lead(&address, Some(&jane.code)).await;
        let event = format!("evt_{round}");
        let paid = nodes.api_post(PAY, payment(&nodes, &address, 100, Some(event.clone()))).await.is(200).json();
        // The customer has another address by now: both name the same payment.
        nodes
            .arrange(&format!(
                "UPDATE leads SET email = '{today}', email_key = '{today}' WHERE email_key = '{address}'"
            ))
            .await;
        let commission = paid["commissionId"].as_str().unwrap().to_owned();
        let calls = (0..AT_ONCE).map(|n| {
            let name = match n % 3 {
                0 => BY_DAY,
                1 => ("paymentEventId", event.as_str()),
                _ => ("commissionId", commission.as_str()),
            };
            let who = if n % 3 == 0 || n % 2 == 0 { &address } else { &today };
            Call::new(nodes.node(n), REFUND, refund(&nodes, who, Some("7"), Some(format!("ref_{round}_{n}")), name))
        });
        let replies = at_once(calls.collect()).await;
        let done = replies.iter().filter(|r| r.status == 200).count();
        let refused = replies.iter().filter(|r| r.status == 400 && r.text.contains("2.00 USD that is left")).count();
        assert_eq!(
            (done, refused),
            (14, AT_ONCE - 14),
            "{:?}",
            replies.iter().find(|r| ![200, 400].contains(&r.status))
        );
    }
    assert_eq!(nodes.number("SELECT count(*) FROM payments WHERE refunded <> 9800").await, 0);
    assert_eq!(
        nodes.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await,
        40 * rounds() as i64,
        "20 % of the 2.00 that is left of each"
    );
}

async fn a_refund_beside_its_payment_and_sign_up_ends_alike(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    let rounds = rounds() * 2;
    for round in 0..rounds {
        let address = format!("amy{round}@example.com");
        let event = format!("evt_{round}");
        let calls = (0..9).map(|n| match n % 3 {
            0 => Call::new(nodes.node(n), SIGN_UP, sign_up(&nodes, &address, &jane.code)),
            1 => Call::new(nodes.node(n), PAY, payment(&nodes, &address, 100, Some(event.clone()))),
            _ => {
                let name = ("paymentEventId", event.as_str());
                Call::new(nodes.node(n), REFUND, refund(&nodes, &address, Some("30"), None, name))
            }
        });
        let replies = at_once(calls.collect()).await;
        assert_eq!(replies.iter().filter(|r| r.status == 200).count(), 3, "{replies:?}");
        assert!(replies.iter().all(|r| [200, 409].contains(&r.status)), "{replies:?}");
    }
    let wrong = "SELECT count(*) FROM commissions c JOIN payments p ON p.id = c.payment_id WHERE c.amount <> 1400 OR p.refunded <> 3000";
    assert_eq!(nodes.number(wrong).await, 0);
    assert_eq!(nodes.number("SELECT count(*) FROM commissions").await, rounds as i64);
    assert_eq!(nodes.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 1_400 * rounds as i64);
}

fn dispute(app: &TestApp, payment: i64, end: &str) -> Call {
    Call::new(app, &format!("/v1/payments/{payment}/dispute{end}"), json!({ "reason": "a chargeback" }))
}

/// A payment of 100.00 of a referred lead; what its row is.
async fn one_payment(nodes: &ThreeNodes, address: &str, code: &str) -> i64 {
    nodes.shop().lead(address, Some(code)).await;
    match nodes.shop().pay(address, "100.00", "2026-06-20").await {
        Outcome::PaymentRecorded { payment_id, .. } => payment_id,
        other => panic!("{other:?}"),
    }
}

/// Payments that earned what is approved are disputed by many at once, and not disputed, and disputed.
async fn disputed_by_many(nodes: &ThreeNodes, rounds: Range<usize>) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in rounds {
        let payment = one_payment(nodes, &format!("amy{round}@example.com"), &jane.code).await;
        let commission_id = nodes.number("SELECT max(id) FROM commissions").await;
        nodes
            .shop()
            .send(What::Approve(Approve { commission_id: commission_id.into(), reason: Some("early".into()) }))
            .await;
        for end in ["", "/end", ""] {
            let replies = at_once((0..AT_ONCE).map(|n| dispute(nodes.node(n), payment, end)).collect()).await;
            assert!(replies.iter().all(|r| r.status == 200), "{replies:?}");
            assert!(replies.iter().all(|r| r.json["disputed_at"].is_null() == (end == "/end")), "{replies:?}");
        }
    }
}

async fn one_of_many_disputes_marks_the_payment(nodes: ThreeNodes) {
    disputed_by_many(&nodes, 0..rounds() / 2).await;
    let rounds = (rounds() / 2) as i64;
    for (action, times) in [("payment.disputed", 2 * rounds), ("payment.dispute_ended", rounds)] {
        for (table, column) in [("audit_entries", "action"), ("outbox", "kind")] {
            let text = format!("SELECT count(*) FROM {table} WHERE {column} = '{action}'");
            assert_eq!(nodes.number(&text).await, times, "{text}");
        }
    }
    let held = "SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries WHERE account = 'held'";
    assert_eq!(nodes.number(held).await, 2_000 * rounds);
    assert_eq!(nodes.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries").await, 2_000 * rounds);
}

/// Without the advisory locks the same race must go wrong: it shows that the test above can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_locks_a_payment_is_marked_twice() {
    let nodes = unlocked_nodes().await;
    let mut fair = 0;
    for round in 0..100 {
        disputed_by_many(&nodes, round..round + 1).await;
        fair += 2;
        if nodes.number("SELECT count(*) FROM audit_entries WHERE action = 'payment.disputed'").await > fair {
            return;
        }
    }
    panic!("three nodes without locks agreed {fair} times: the race is no race");
}

/// Their order decides the result; a proof behind every test says that the ledger agrees.
async fn a_dispute_beside_an_approval_and_a_refund_leaves_the_ledger_true(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() {
        let address = format!("amy{round}@example.com");
        let payment = one_payment(&nodes, &address, &jane.code).await;
        let commission = nodes.number("SELECT max(id) FROM commissions").await;
        let calls = (0..12).map(|n| match n % 4 {
            0 => dispute(nodes.node(n), payment, ""),
            1 => {
                let path = format!("/v1/commissions/{commission}/approve");
                Call::new(nodes.node(n), &path, json!({ "reason": "early" }))
            }
            2 => Call::new(nodes.node(n), REFUND, refund(&nodes, &address, Some("30"), None, BY_DAY)),
            _ => dispute(nodes.node(n), payment, "/end"),
        });
        let replies = at_once(calls.collect()).await;
        assert!(replies.iter().all(|r| [200, 409].contains(&r.status)), "{replies:?}");
    }
    assert_eq!(nodes.number("SELECT count(*) FROM commissions WHERE amount <> 1400").await, 0);
}

async fn one_of_many_equal_cancellations_counts(nodes: ThreeNodes) {
    for round in 0..rounds() / 2 {
        let address = format!("amy{round}@example.com");
        nodes.shop().lead(&address, None).await;
        let body = json!({
            "businessId": nodes.business.public_id, "productId": nodes.business.product_id, "customerEmail": address,
            "date": "2026-06-20",
        });
        let calls = (0..AT_ONCE).map(|n| Call::new(nodes.node(n), "/api/events/subscription-cancelled", body.clone()));
        let replies = at_once(calls.collect()).await;
        let (won, lost) = one_winner(&replies);
        assert!(lost.iter().all(|r| r.json["leadId"] == won.json["leadId"]));
    }
}

async fn people(shop: Shop<'_>, count: usize) -> Vec<Referrer> {
    let mut all = Vec::new();
    for n in 0..count {
        all.push(shop.referrer(&format!("Person {n}")).await);
    }
    all
}

async fn one_of_many_codes_for_one_person_wins(nodes: ThreeNodes) {
    let people = people(nodes.shop(), AT_ONCE).await;
    for round in 0..rounds() / 2 {
        let address = format!("amy{round}@example.com");
        let calls = people
            .iter()
            .enumerate()
            .map(|(n, p)| Call::new(nodes.node(n), SIGN_UP, sign_up(&nodes, &address, &p.code)));
        let replies = at_once(calls.collect()).await;
        let (won, lost) = one_winner(&replies);
        let winner = replies.iter().position(|r| r.status == 200).unwrap();
        assert!(lost.iter().all(|r| r.json["agentId"] == won.json["agentId"]), "the losers hear who won");
        let stored = format!("SELECT referrer_id FROM leads WHERE email_key = '{address}'");
        assert_eq!(nodes.number(&stored).await, people[winner].id);
    }
}

async fn one_of_many_amounts_of_one_day_wins(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() / 2 {
        let address = format!("amy{round}@example.com");
        nodes.shop().lead(&address, Some(&jane.code)).await;
        let amount = |n: usize| if n.is_multiple_of(2) { 100 } else { 120 };
        let calls = (0..AT_ONCE).map(|n| Call::new(nodes.node(n), PAY, payment(&nodes, &address, amount(n), None)));
        let replies = at_once(calls.collect()).await;
        let (_, _) = one_winner(&replies);
        let winner = replies.iter().position(|r| r.status == 200).unwrap();
        for (n, reply) in replies.iter().enumerate().filter(|(n, _)| *n != winner) {
            assert!(reply.text.contains(&format!("\"amount\":{}.00", amount(winner))), "the stored amount is named");
            assert_eq!(reply.json["bodyDiffers"], amount(n) != amount(winner));
        }
    }
    let rounds = (rounds() / 2) as i64;
    assert_eq!(
        nodes.number("SELECT count(*) FROM inbox_items WHERE times = 25").await,
        rounds,
        "one item for 25 equal bodies"
    );
}

/// The rounds that went wrong: not all accepted, or not exactly one at the referral rate. It is 30 %, the others' is 10 %.
async fn first_of_many(nodes: &ThreeNodes, rounds: usize, enough: usize) -> Vec<String> {
    nodes.shop().terms(NewTerms::percent(rate("30"), rate("10"), 14)).await;
    let jane = nodes.shop().referrer("Jane Miller").await;
    let mut wrong = Vec::new();
    for round in 0..rounds {
        let address = format!("amy{round}@example.com");
        nodes.shop().lead(&address, Some(&jane.code)).await;
        let calls = (0..AT_ONCE)
            .map(|n| Call::new(nodes.node(n), PAY, payment(nodes, &address, 100, Some(format!("evt_{round}_{n}")))));
        let replies = at_once(calls.collect()).await;
        let failed = replies.iter().filter(|r| r.status != 200).count();
        let first = replies.iter().filter(|r| r.text.contains("\"commissionAmount\":30.00")).count();
        if failed > 0 || first != 1 {
            wrong.push(format!("round {round}: {first} firsts, {failed} refused"));
        }
        if wrong.len() >= enough {
            break;
        }
    }
    wrong
}

async fn one_of_many_payments_of_one_person_is_first(nodes: ThreeNodes) {
    let wrong = first_of_many(&nodes, rounds() / 2, rounds()).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let decided = "SELECT CAST(sum(decided) AS BIGINT) FROM purchases";
    assert_eq!(nodes.number(decided).await, (rounds() / 2 * AT_ONCE) as i64);
}

async fn unlocked_nodes() -> ThreeNodes {
    let database = std::sync::Arc::new(Database::new(Engine::Postgres).await);
    database.tampered();
    let first = TestApp::start(database).await;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(first.another_unlocked_node().await);
    }
    ThreeNodes { nodes }
}

/// Without the advisory locks the same race must go wrong: it shows that the test above can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_locks_first_payments_are_counted_wrong() {
    let nodes = unlocked_nodes().await;
    let wrong = first_of_many(&nodes, 50, 1).await;
    assert!(
        wrong.iter().any(|w| !w.contains(": 1 firsts")),
        "three nodes without locks agreed 50 times: the race is no race"
    );
}

async fn a_sign_up_beside_its_payment_earns_once(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    let rounds = rounds() * 2;
    for round in 0..rounds {
        let address = format!("amy{round}@example.com");
        let calls = (0..6).map(|n| {
            let node = nodes.node(n);
            match n % 2 {
                0 => Call::new(node, SIGN_UP, sign_up(&nodes, &address, &jane.code)),
                _ => Call::new(node, PAY, payment(&nodes, &address, 100, None)),
            }
        });
        let replies = at_once(calls.collect()).await;
        assert_eq!(replies.iter().filter(|r| r.status == 200).count(), 2, "{replies:?}");
    }
    assert_eq!(nodes.number("SELECT count(*) FROM commissions").await, rounds as i64, "whichever came first");
    assert_eq!(nodes.number("SELECT count(*) FROM payments WHERE decision <> 'earned'").await, 0);
}

/// A lead with an address and a phone: an event names one, a rep the other. Neither may undo the other.
async fn one_person_by_address_and_by_phone_is_decided_in_turn(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() * 2 {
        let (address, phone) = (format!("amy{round}@example.com"), format!("+1 202 555 {:04}", 100 + round));
        let What::AddLead(mut add) = nodes.shop().lead_event("Amy", Some(&phone), None) else { unreachable!() };
        add.contact.email = Some(address.clone());
        add.contact.email_key = Some(address.clone());
        nodes.shop().send(What::AddLead(add.clone())).await;
        // The rep has only the phone number and Jane's name.
        add.contact.email = None;
        add.contact.email_key = None;
        add.claim = Some(refdesk::engine::Claim {
            kind: refdesk::engine::TouchKind::Verbal,
            by: ClaimBy::Enrollment(jane.enrollment_id.into()),
        });
        let rep = nodes.node(1).shop();
        let claimed = async { rep.send(What::AddLead(add)).await };
        let paid = async { nodes.node(0).shop().pay(&address, "100.00", "2026-06-20").await };
        let (claimed, paid) = tokio::join!(claimed, paid);
        assert!(matches!(claimed, Outcome::LeadKnown { attributed: true, .. }), "{claimed:?}");
        assert!(matches!(paid, Outcome::PaymentRecorded { lead_id: Some(_), .. }), "{paid:?}");
        let lost = format!(
            "SELECT count(*) FROM leads l JOIN payments p ON p.lead_id = l.id WHERE l.email_key = '{address}' AND (l.referrer_id IS NULL
                OR l.status <> 'converted' OR (p.decision <> 'earned' AND NOT EXISTS (SELECT 1 FROM inbox_items i WHERE i.lead_id = l.id)))"
        );
        assert_eq!(nodes.number(&lost).await, 0, "round {round}: one of the two was undone");
    }
}

async fn a_toggle_pressed_by_many_gives_one_reward(nodes: ThreeNodes) {
    nodes.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}'").await;
    let jane = nodes.shop().referrer("Jane Miller").await;
    for round in 0..rounds() / 2 {
        let lead_id = nodes.shop().lead(&format!("amy{round}@example.com"), Some(&jane.code)).await;
        let all = (0..AT_ONCE).map(|n| {
            let shop = nodes.node(n).shop();
            async move { shop.send(Qualify { lead_id: lead_id.into(), qualified: true, reason: None }).await }
        });
        let outcomes = futures::future::join_all(all).await;
        let yes = Outcome::Qualification { lead_id, changed: refdesk::engine::Changed::Yes };
        assert_eq!(outcomes.iter().filter(|o| **o == yes).count(), 1);
    }
    let rewards = nodes.number("SELECT count(*) FROM commissions WHERE kind = 'reward'").await;
    assert_eq!(rewards, (rounds() / 2) as i64);
}

async fn one_enrollment_gets_one_code_from_everybody(nodes: ThreeNodes) {
    for round in 0..rounds() {
        let bob = nodes.shop().referrer_without_code(&format!("Bob {round}")).await;
        let all = (0..AT_ONCE / 2).map(|n| crate::engine::codes::give(nodes.node(n), std::slice::from_ref(&bob)));
        let given: Vec<codes::Given> = futures::future::join_all(all).await.concat();
        assert_eq!(given.iter().filter(|g| g.made).count(), 1);
        assert!(given.iter().all(|g| g.text == given[0].text), "everybody sees the same code");
    }
}

async fn codes_for_all_from_everywhere_are_one_each(nodes: ThreeNodes) {
    let mut people = Vec::new();
    for n in 0..200 {
        people.push(nodes.shop().referrer_without_code(&format!("Person {n}")).await);
    }
    let mut backwards = people.clone();
    backwards.reverse();
    let all = (0..6).map(|n| crate::engine::codes::give(nodes.node(n), if n % 2 == 0 { &people } else { &backwards }));
    let given: Vec<codes::Given> = futures::future::join_all(all).await.concat();
    assert_eq!(given.iter().filter(|g| g.made).count(), 200);
    assert_eq!(nodes.number("SELECT count(*) FROM codes").await, 200);
}

async fn every_node_sweeps_and_each_commission_is_approved_once(nodes: ThreeNodes) {
    let jane = nodes.shop().referrer("Jane Miller").await;
    let shop = nodes.shop();
    let mut events = Vec::new();
    for n in 0..100 {
        events.push(shop.sign_up_event(&format!("amy{n}@example.com"), Some(&jane.code)));
        events.push(shop.payment_event(&format!("amy{n}@example.com"), "10.00", "2026-06-20"));
    }
    shop.send_all(events).await;
    nodes.clock.advance_days(30);
    let sweeps = (0..9).map(|n| refdesk::sweep::all(&nodes.node(n).app));
    for swept in futures::future::join_all(sweeps).await {
        swept.unwrap();
    }
    assert_eq!(nodes.number("SELECT count(*) FROM audit_entries WHERE action = 'commission.approved'").await, 100);
    assert_eq!(nodes.number("SELECT count(*) FROM outbox WHERE kind = 'commission.approved'").await, 100);
    assert_eq!(
        nodes.number("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries WHERE account = 'due'").await,
        20_000
    );
}
