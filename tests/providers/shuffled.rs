//! Messages in every order, doubled and lost for a while: always the same ledger.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use refdesk::providers::Provider;
use serde_json::{Value as Json, json};

use super::{SECRET, THEN, checkout, event};
use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    messages_in_any_order_come_to_one_ledger,
}

/// Orders that are tried on each database.
const ORDERS: u32 = 24;

/// Everything that Stripe says of a subscription that was bought with a code, refunded in part, disputed and won, and
/// of another payment that was lost.
fn messages(code: &str, n: usize) -> Vec<Json> {
    let id = |kind: &str| format!("{kind}_{n}");
    let email = format!("amy{n}@example.com");
    let mut session = checkout(&email, json!(id("promo")));
    for (field, value) in
        [("id", id("cs")), ("invoice", id("in")), ("customer", id("cus")), ("mode", "subscription".into())]
    {
        session[field] = json!(value);
    }
    session["payment_intent"] = Json::Null;
    let invoice = json!({
        "id": id("in"), "customer": id("cus"), "customer_email": email, "currency": "usd", "amount_paid": 11900,
        "total": 11900, "total_excluding_tax": 10000, "billing_reason": "subscription_create", "discounts": [id("di")],
        "status_transitions": { "paid_at": THEN },
    });
    let tie = json!({ "invoice": id("in"), "payment": { "type": "payment_intent", "payment_intent": id("pi") } });
    let refund = |refund: &str, amount: i64, status: &str| json!({ "id": id(refund), "amount": amount, "currency": "usd", "charge": id("ch"), "payment_intent": id("pi"), "status": status });
    let charge = json!({ "id": id("ch"), "payment_intent": id("pi"), "amount_refunded": 4000, "currency": "usd" });
    let dispute = |status: &str| json!({ "id": id("dp"), "charge": id("ch"), "payment_intent": id("pi"), "amount": 7900, "currency": "usd", "status": status });
    let ended = json!({ "id": id("sub"), "customer": id("cus"), "status": "canceled", "ended_at": THEN + 90 });
    let all = [
        ("promotion_code.created", -50, json!({ "id": id("promo"), "code": code })),
        ("checkout.session.completed", 0, session),
        ("invoice.paid", 0, invoice.clone()),
        ("invoice.payment_succeeded", 0, invoice),
        ("invoice_payment.paid", 1, tie),
        ("refund.created", 10, refund("re", 1000, "pending")),
        ("refund.updated", 11, refund("re", 1000, "succeeded")),
        ("refund.created", 12, refund("rf", 3000, "succeeded")),
        ("charge.refunded", 12, charge),
        ("charge.dispute.created", 20, dispute("needs_response")),
        ("charge.dispute.updated", 30, dispute("under_review")),
        ("charge.dispute.closed", 40, dispute(if n.is_multiple_of(2) { "won" } else { "lost" })),
        ("customer.subscription.deleted", 90, ended),
    ];
    let event = |(at, (kind, after, object)): (usize, (&str, i64, Json))| {
        event(&format!("evt_{n}_{at}"), kind, THEN + after, object)
    };
    all.into_iter().enumerate().map(event).collect()
}

async fn messages_in_any_order_come_to_one_ledger(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    app.connect(Provider::Stripe, SECRET, false, None).await;
    let mut runner = TestRunner::new(Config { cases: ORDERS, ..Config::default() });
    let any = (
        Just((0..13usize).collect::<Vec<_>>()).prop_shuffle(),
        proptest::collection::vec((any::<Index>(), any::<bool>()), 0..8),
    );
    for n in 0..usize::try_from(ORDERS).unwrap() {
        let (order, repeats) = any.new_tree(&mut runner).unwrap().current();
        let all = messages(&jane.code, n);
        let mut sent: Vec<usize> = order;
        for (at, _) in &repeats {
            let again = sent[at.index(sent.len())];
            sent.push(again);
        }
        let pause = repeats.first().map(|(at, _)| at.index(sent.len()));
        for (at, message) in sent.iter().enumerate() {
            app.stripe(&all[*message]).await.is(200);
            if Some(at) == pause || repeats.get(at).is_some_and(|(_, apply)| *apply) {
                app.apply().await;
            }
        }
        app.apply().await;
        let found: Vec<(i64, i64, bool, String, i64, String)> = app
            .rows(&format!(
                "SELECT p.amount, p.refunded, p.disputed_at IS NOT NULL, c.state, c.amount, u.subscription_status
                   FROM payments p
                   JOIN leads l ON l.id = p.lead_id
                   JOIN commissions c ON c.payment_id = p.id
                   JOIN purchases u ON u.lead_id = l.id
                  WHERE p.email = 'amy{n}@example.com'"
            ))
            .await;
        let expected = if n.is_multiple_of(2) {
            (10_000, 3_361, false, "pending".to_owned(), 1_328, "cancelled".to_owned())
        } else {
            (10_000, 10_000, false, "void".to_owned(), 0, "cancelled".to_owned())
        };
        let outcomes = format!(
            "SELECT kind, state, outcome FROM provider_messages WHERE identity LIKE 'evt!_{n}!_%' ESCAPE '!' ORDER BY id"
        );
        let outcomes = app.rows::<(String, String, String)>(&outcomes).await;
        assert_eq!(found, [expected], "{sent:?} paused {pause:?}: {:#?}", outcomes);
        let open = format!(
            "SELECT count(*) FROM provider_messages WHERE state NOT IN ('done', 'ignored') AND identity LIKE 'evt!_{n}!_%' ESCAPE '!'"
        );
        assert_eq!(app.number(&open).await, 0);
    }
    app.is_sound().await;
}
