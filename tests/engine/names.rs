//! The names of a payment: any of them finds it, and no other payment has them.

use refdesk::engine::NameKind::{self, Charge, Event, Intent, Invoice};
use refdesk::engine::{Dispute, DisputedPayment, Names, PaymentName, PaymentRef, Refunded, What};

use super::refunds::{AMY, balance};
use crate::on_both_databases;
use crate::support::{Outcome, TestApp, ThreeNodes};

on_both_databases! {
    any_name_is_the_same_payment_which_gets_the_others,
    a_name_stays_with_the_payment_that_had_it_first,
    a_repeat_of_a_sender_gives_no_names,
    a_refund_is_of_the_payment_that_has_any_of_its_names,
    a_refund_waits_for_a_name_that_comes_later,
    two_addresses_of_one_payment_end_alike,
    a_dispute_names_its_payment,
    test_payments_have_names_of_their_own,
    one_of_many_payments_with_a_common_name_counts,
    a_further_name_of_many_payments_is_one_s,
}

fn names(names: &[(NameKind, &str)]) -> Vec<PaymentName> {
    names.iter().map(|(kind, id)| PaymentName::new(*kind, *id)).collect()
}

/// A payment as a provider tells of it: every name decides.
fn told(app: &TestApp, address: &str, all: &[(NameKind, &str)]) -> What {
    let What::Payment(mut payment) = app.shop().payment_event(address, "100.00", "2026-06-14") else { unreachable!() };
    payment.names = Names::all_decide(names(all));
    What::Payment(payment)
}

/// A payment as a sender of events tells of it: the first name decides.
fn sent(app: &TestApp, amount: &str, all: &[(NameKind, &str)]) -> What {
    let What::Payment(mut payment) = app.shop().payment_event(AMY, amount, "2026-06-14") else { unreachable!() };
    payment.names = Names::first_decides(names(all));
    What::Payment(payment)
}

/// The payment, and whether it is new.
#[track_caller]
fn payment(outcome: Outcome) -> (i64, bool) {
    match outcome {
        Outcome::PaymentRecorded { payment_id, .. } => (payment_id, true),
        Outcome::PaymentDuplicate { payment_id, .. } => (payment_id, false),
        other => panic!("no payment: {other:?}"),
    }
}

#[track_caller]
fn refunded(outcome: Outcome) -> Refunded {
    match outcome {
        Outcome::Refunded(refunded) => refunded,
        other => panic!("no refund: {other:?}"),
    }
}

async fn named(app: &TestApp, payment_id: i64) -> Vec<String> {
    let text = format!("SELECT name FROM payment_names WHERE payment_id = {payment_id} ORDER BY name");
    app.rows::<(String,)>(&text).await.into_iter().map(|(name,)| name).collect()
}

/// Amy, whom Jane referred.
async fn amy(app: &TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead(AMY, Some(&jane.code)).await;
}

async fn any_name_is_the_same_payment_which_gets_the_others(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    let (id, new) = payment(shop.send(told(&app, AMY, &[(Event, "cs_1"), (Invoice, "in_1")])).await);
    assert!(new);
    let again = told(&app, AMY, &[(Intent, "pi_1"), (Invoice, "in_1"), (Charge, "ch_1")]);
    assert_eq!(payment(shop.send(again).await), (id, false));
    assert_eq!(payment(shop.send(told(&app, AMY, &[(Charge, "ch_1")])).await), (id, false));
    assert_eq!(named(&app, id).await, ["charge:ch_1", "event:cs_1", "intent:pi_1", "invoice:in_1"]);
    // The same id of another kind is another name.
    assert!(payment(shop.send(told(&app, AMY, &[(Intent, "ch_1")])).await).1);
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'payment.named'";
    assert_eq!(app.number(audited).await, 1);
    assert_eq!(balance(&app, "held").await, 4_000);
    // In one slice as well.
    let all = [
        [(Charge, "ch_9"), (Intent, "pi_9")],
        [(Intent, "pi_9"), (Invoice, "in_9")],
        [(Invoice, "in_9"), (Charge, "ch_9")],
    ];
    let outcomes = shop.send_all(all.iter().map(|names| told(&app, AMY, names)).collect()).await;
    let new: Vec<bool> = outcomes.into_iter().map(|outcome| payment(outcome).1).collect();
    assert_eq!(new, [true, false, false]);
    assert_eq!(app.number("SELECT count(*) FROM payment_names WHERE name LIKE '%_9'").await, 3);
}

async fn a_name_stays_with_the_payment_that_had_it_first(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    let (first, _) = payment(shop.send(sent(&app, "100.00", &[(Event, "evt_1"), (Invoice, "in_1")])).await);
    let (second, new) = payment(shop.send(sent(&app, "50.00", &[(Event, "evt_2"), (Invoice, "in_1")])).await);
    assert!(new, "the event's id decides alone");
    assert_eq!(named(&app, first).await, ["event:evt_1", "invoice:in_1"]);
    assert_eq!(named(&app, second).await, ["event:evt_2"]);
    let refund = refunded(shop.refund(AMY, PaymentRef::id("in_1"), Some("10")).await);
    assert_eq!(refund.payment_id.unwrap().0, first);
    // An invoice alone names the payment that has it.
    assert_eq!(payment(shop.send(sent(&app, "100.00", &[(Invoice, "in_1")])).await), (first, false));
    let other = shop.send(sent(&app, "50.00", &[(Invoice, "in_1")])).await;
    assert!(matches!(other, Outcome::PaymentDuplicate { mismatch: true, .. }), "{other:?}");
}

async fn a_repeat_of_a_sender_gives_no_names(app: TestApp) {
    let shop = app.shop();
    let (id, _) = payment(shop.send(sent(&app, "100.00", &[(Event, "evt_1")])).await);
    let audited = app.number("SELECT count(*) FROM audit_entries").await;
    assert_eq!(payment(shop.send(sent(&app, "100.00", &[(Event, "evt_1"), (Invoice, "in_1")])).await), (id, false));
    assert_eq!(named(&app, id).await, ["event:evt_1"]);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, audited);
}

async fn a_refund_is_of_the_payment_that_has_any_of_its_names(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    let known = [(Event, "cs_1"), (Invoice, "in_1"), (Charge, "ch_1"), (Intent, "pi_1")];
    let (id, _) = payment(shop.send(told(&app, AMY, &known)).await);
    for (n, (_, name)) in (1..).zip(known) {
        let refund = refunded(shop.refund_as(&format!("r{n}"), AMY, PaymentRef::id(name), Some("1")).await);
        assert_eq!((refund.payment_id.unwrap().0, refund.left.unwrap().minor), (id, 10_000 - n * 100));
    }
    let some = PaymentRef::Names(names(&[(Charge, "ch_unknown"), (Intent, "pi_1")]));
    assert_eq!(refunded(shop.refund(AMY, some, None).await).left.unwrap().minor, 0);
    // A name that makes a payment unique in the desk alone names it for nobody else.
    let (_, new) = payment(shop.pay(AMY, "20.00", "2026-06-15").await);
    assert!(new);
    let by_day = app.number("SELECT count(*) FROM payment_names WHERE name LIKE 'date:%'").await;
    assert_eq!(by_day, 1);
    assert_eq!(shop.refund(AMY, PaymentRef::Names(Vec::new()), None).await, Outcome::NotFound);
}

async fn a_refund_waits_for_a_name_that_comes_later(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    // Before the payment, and before the name by which it is asked for.
    let before = refunded(shop.refund_as("r1", AMY, PaymentRef::id("pi_1"), Some("10")).await);
    assert_eq!(before.state.word(), "parked");
    let (id, _) = payment(shop.send(told(&app, AMY, &[(Invoice, "in_1"), (Event, "cs_1")])).await);
    let by_charge = PaymentRef::Names(names(&[(Charge, "ch_1"), (Intent, "pi_1")]));
    assert_eq!(refunded(shop.refund_as("r2", AMY, by_charge, Some("20")).await).state.word(), "parked");
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0);
    assert_eq!(payment(shop.send(told(&app, AMY, &[(Invoice, "in_1"), (Intent, "pi_1")])).await), (id, false));
    assert_eq!(app.number("SELECT refunded FROM payments").await, 3_000);
    assert_eq!(balance(&app, "held").await, 1_400);
    // In the other order, in one slice.
    let late = vec![
        shop.refund_event(AMY, PaymentRef::id("ch_7"), Some("40")),
        told(&app, AMY, &[(Invoice, "in_7")]),
        told(&app, AMY, &[(Charge, "ch_7"), (Invoice, "in_7")]),
    ];
    shop.send_all(late).await;
    assert_eq!(app.number("SELECT count(*) FROM refunds WHERE state = 'applied'").await, 3);
    assert_eq!(balance(&app, "held").await, 2_600);
}

async fn two_addresses_of_one_payment_end_alike(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    let (id, _) = payment(shop.send(told(&app, AMY, &[(Invoice, "in_1")])).await);
    refunded(shop.refund_as("r1", AMY, PaymentRef::id("ch_1"), Some("100")).await);
    // The provider knows the payer by another address, whom nobody here knows.
    let other = told(&app, "amy@work.example", &[(Charge, "ch_1"), (Invoice, "in_1")]);
    assert_eq!(payment(shop.send(other).await), (id, false));
    assert_eq!(balance(&app, "held").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'void'").await, 1);
}

async fn a_dispute_names_its_payment(app: TestApp) {
    amy(&app).await;
    let shop = app.shop();
    shop.send(told(&app, AMY, &[(Invoice, "in_1"), (Charge, "ch_1")])).await;
    let dispute = |id: &str, disputed: bool| Dispute {
        payment: DisputedPayment::Names { test: false, names: names(&[(Intent, "pi_1"), (Charge, id)]) },
        disputed,
        reason: "a chargeback".into(),
    };
    let by = |event: Dispute| app.app.engine.one(shop.event(event.clone()).by, event);
    assert!(by(dispute("ch_1", true)).await.unwrap().unwrap().changed);
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 1);
    assert!(!by(dispute("ch_1", true)).await.unwrap().unwrap().changed);
    assert!(by(dispute("ch_2", true)).await.unwrap().is_err());
    assert!(by(dispute("ch_1", false)).await.unwrap().unwrap().changed);
}

async fn test_payments_have_names_of_their_own(app: TestApp) {
    let shop = app.shop();
    let (live, _) = payment(shop.send(told(&app, AMY, &[(Charge, "ch_1")])).await);
    let What::Payment(mut test) = told(&app, AMY, &[(Charge, "ch_1")]) else { unreachable!() };
    test.of.scope.test = true;
    let (second, new) = payment(shop.send(test).await);
    assert!(new && live != second);
    let refund = refunded(shop.refund(AMY, PaymentRef::id("ch_1"), None).await);
    assert_eq!(refund.payment_id.unwrap().0, live);
}

const AT_ONCE: usize = 24;

/// Sends each of some payments to a node of its own, all at once.
async fn at_once(nodes: &ThreeNodes, all: Vec<What>) -> Vec<(i64, bool)> {
    let engines = (0..).map(|n| nodes.node(n).app.engine.clone());
    let running: Vec<_> = engines
        .zip(all)
        .map(|(engine, what)| {
            let event = nodes.shop().event(what.clone());
            tokio::spawn(async move { Outcome::of(&what, engine.one_of(event).await.expect("an answer")) })
        })
        .collect();
    let mut outcomes = Vec::new();
    for one in running {
        outcomes.push(payment(one.await.unwrap()));
    }
    outcomes
}

async fn one_of_many_payments_with_a_common_name_counts(nodes: ThreeNodes) {
    amy(&nodes).await;
    for round in 0..8 {
        let (common, own) = (format!("in_{round}"), |n: usize| format!("cs_{round}_{n}"));
        // Half of them come with another address.
        let addresses = [AMY, "amy@work.example"];
        let all = (0..AT_ONCE).map(|n| told(&nodes, addresses[n % 2], &[(Event, &own(n)), (Invoice, &common)]));
        let outcomes = at_once(&nodes, all.collect()).await;
        assert_eq!(outcomes.iter().filter(|(_, new)| *new).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|(id, _)| *id == outcomes[0].0));
        assert_eq!(named(&nodes, outcomes[0].0).await.len(), AT_ONCE + 1, "it got everybody's name");
    }
    assert_eq!(nodes.number("SELECT count(*) FROM payments").await, 8);
}

async fn a_further_name_of_many_payments_is_one_s(nodes: ThreeNodes) {
    amy(&nodes).await;
    for round in 0..8 {
        let (common, own) = (format!("in_{round}"), |n: usize| format!("evt_{round}_{n}"));
        let all = (0..AT_ONCE).map(|n| sent(&nodes, "100.00", &[(Event, &own(n)), (Invoice, &common)]));
        let outcomes = at_once(&nodes, all.collect()).await;
        assert!(outcomes.iter().all(|(_, new)| *new), "each has an id of its own: {outcomes:?}");
    }
    assert_eq!(nodes.number("SELECT count(*) FROM payment_names WHERE name LIKE 'invoice:%'").await, 8);
}
