//! Disputes of payments: product rule 8.

use refdesk::engine::purge::{Lot, Tally};
use refdesk::engine::{Approve, Reattribute, Void, What};

use crate::support::Outcome;

use super::refunds::{AMY, balance, commission, paid, pay_out};
use crate::on_both_databases;
use crate::support::{TestApp, actor, day};
use refdesk::db::{DbResult, Tx};

on_both_databases! {
    a_disputed_payment_is_neither_swept_nor_approved,
    what_is_due_is_held_until_the_dispute_ends,
    a_refund_of_the_whole_decides_it,
    a_refund_in_part_and_a_dispute_end_alike_in_either_order,
    what_is_void_and_what_was_paid_stay,
    where_nothing_is_left_there_is_nothing_to_dispute,
    what_a_moved_lead_s_payment_earns_again_is_held,
    a_payment_nobody_is_known_for_earns_held_money,
    staff_void_what_is_disputed,
    test_data_is_disputed_on_no_ledger_and_goes_with_its_mark,
}

async fn balances(app: &TestApp) -> (i64, i64) {
    (balance(app, "held").await, balance(app, "due").await)
}

async fn count(app: &TestApp, table: &str, column: &str, word: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM {table} WHERE {column} = '{word}'")).await
}

async fn sweep(app: &TestApp) {
    refdesk::sweep::all(&app.app).await.unwrap();
}

fn done(id: i64, changed: bool) -> Outcome {
    Outcome::Done { id, changed }
}

async fn approve(app: &TestApp) -> Outcome {
    let commission_id = app.number("SELECT max(id) FROM commissions").await;
    app.shop().send(What::Approve(Approve { commission_id: commission_id.into(), reason: Some("early".into()) })).await
}

async fn a_disputed_payment_is_neither_swept_nor_approved(app: TestApp) {
    let payment = paid(&app).await;
    assert_eq!(app.shop().dispute(payment, true).await, done(payment, true));
    assert_eq!(balances(&app).await, (2_000, 0), "what is pending is held as it was");
    app.clock.advance_days(30);
    let swept = refdesk::sweep::all(&app.app).await.unwrap();
    assert_eq!((swept.due, swept.approved, swept.held_back), (1, 0, 1));
    assert!(matches!(approve(&app).await, Outcome::Refused { why } if why.contains("disputed")));
    assert_eq!(app.shop().dispute(payment, false).await, done(payment, true));
    assert_eq!(commission(&app).await.0, "pending");
    sweep(&app).await;
    assert_eq!((commission(&app).await.0.as_str(), balances(&app).await), ("approved", (0, 2_000)));
}

async fn what_is_due_is_held_until_the_dispute_ends(app: TestApp) {
    let payment = paid(&app).await;
    approve(&app).await;
    for (disputed, changed, expected) in [
        (false, false, (0, 2_000)),
        (true, true, (2_000, 0)),
        (true, false, (2_000, 0)),
        (false, true, (0, 2_000)),
        (false, false, (0, 2_000)),
    ] {
        assert_eq!(app.shop().dispute(payment, disputed).await, done(payment, changed));
        assert_eq!((commission(&app).await.0.as_str(), balances(&app).await), ("approved", expected));
    }
    for action in ["payment.disputed", "payment.dispute_ended"] {
        assert_eq!(count(&app, "audit_entries", "action", action).await, 1, "{action}");
        assert_eq!(count(&app, "outbox", "kind", action).await, 1, "{action}");
    }
    let reasons = "SELECT count(*) FROM audit_entries WHERE reason = 'a chargeback' AND lead_id IS NOT NULL AND referrer_id IS NOT NULL";
    assert_eq!(app.number(reasons).await, 2);
    let foreign = app.another_business("Other").await;
    assert_eq!(app.shop_of(&foreign).dispute(payment, true).await, Outcome::NotFound);
    assert_eq!(app.shop().dispute(1, true).await, Outcome::NotFound);
}

async fn a_refund_of_the_whole_decides_it(app: TestApp) {
    let (shop, payment) = (app.shop(), paid(&app).await);
    approve(&app).await;
    shop.dispute(payment, true).await;
    shop.refund(AMY, day("2026-06-14"), None).await;
    assert_eq!(commission(&app).await, ("void".into(), 0, 0));
    assert_eq!(balances(&app).await, (0, 0));
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 0);
    assert_eq!(count(&app, "audit_entries", "action", "payment.dispute_ended").await, 1);
    let messages: Vec<(String,)> = app.rows("SELECT payload FROM outbox WHERE kind = 'payment.dispute_ended'").await;
    assert!(messages.len() == 1 && messages[0].0.contains("\"lost\":true"), "{messages:?}");
    assert_eq!(shop.dispute(payment, false).await, done(payment, false));
}

async fn a_refund_in_part_and_a_dispute_end_alike_in_either_order(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    for (n, order) in ["refund, mark, end", "mark, refund, end", "mark, end, refund"].into_iter().enumerate() {
        let address = format!("amy{n}@example.com");
        shop.lead(&address, Some(&jane.code)).await;
        shop.pay(&address, "100.00", "2026-06-14").await;
        let payment = app.number("SELECT max(id) FROM payments").await;
        approve(&app).await;
        for step in order.split(", ") {
            match step {
                "refund" => shop.refund(&address, day("2026-06-14"), Some("30")).await,
                step => shop.dispute(payment, step == "mark").await,
            };
        }
        let times = i64::try_from(n).unwrap() + 1;
        assert_eq!(balances(&app).await, (0, 1_400 * times), "{order}");
    }
    // While it lasts, the refund is taken from what is held.
    let payment = app.number("SELECT max(id) FROM payments").await;
    shop.dispute(payment, true).await;
    assert_eq!(balances(&app).await, (1_400, 2_800));
    shop.refund("amy2@example.com", day("2026-06-14"), Some("20")).await;
    assert_eq!(balances(&app).await, (1_000, 2_800));
}

async fn what_is_void_and_what_was_paid_stay(app: TestApp) {
    let (shop, payment) = (app.shop(), paid(&app).await);
    pay_out(&app).await;
    assert_eq!(shop.dispute(payment, true).await, done(payment, true));
    assert_eq!((balances(&app).await, balance(&app, "paid").await), ((0, 0), 2_000), "what was paid stays paid");
    shop.refund(AMY, day("2026-06-14"), Some("30")).await;
    assert_eq!((balances(&app).await, balance(&app, "paid").await), ((0, -600), 2_000));
    shop.dispute(payment, false).await;
    assert_eq!(balances(&app).await, (0, -600));

    shop.pay(AMY, "50.00", "2026-06-15").await;
    let (payment, commission_id) =
        (app.number("SELECT max(id) FROM payments").await, app.number("SELECT max(id) FROM commissions").await);
    shop.send(Void { commission_id: commission_id.into(), reason: "fraud".into() }).await;
    assert_eq!(shop.dispute(payment, true).await, done(payment, true));
    assert_eq!(shop.dispute(payment, false).await, done(payment, true));
    assert_eq!(balances(&app).await, (0, -600));
}

async fn where_nothing_is_left_there_is_nothing_to_dispute(app: TestApp) {
    let (shop, payment) = (app.shop(), paid(&app).await);
    shop.refund(AMY, day("2026-06-14"), None).await;
    assert!(matches!(shop.dispute(payment, true).await, Outcome::Refused { why } if why.contains("wholly refunded")));
    shop.pay(AMY, "0", "2026-06-15").await;
    let nothing = app.number("SELECT max(id) FROM payments").await;
    assert!(matches!(shop.dispute(nothing, true).await, Outcome::Refused { why } if why.contains("Nothing was paid")));
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE disputed_at IS NOT NULL").await, 0);
}

async fn what_a_moved_lead_s_payment_earns_again_is_held(app: TestApp) {
    let (shop, payment) = (app.shop(), paid(&app).await);
    let tom = shop.referrer("Tom Busy").await;
    approve(&app).await;
    shop.dispute(payment, true).await;
    let lead_id = app.number("SELECT id FROM leads").await;
    let to = |to: Option<i64>| {
        What::Reattribute(Reattribute {
            lead_id: lead_id.into(),
            to: to.map(Into::into),
            code_id: None,
            reason: "a mistake".into(),
            pay_back: false,
        })
    };
    shop.send(to(Some(tom.enrollment_id))).await;
    let of_tom = format!("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries WHERE referrer_id = {}", tom.id);
    assert_eq!((balances(&app).await, app.number(&of_tom).await), ((2_000, 0), 2_000));
    // Away, and back: the commission that was void is pending again.
    shop.send(to(None)).await;
    assert_eq!(balances(&app).await, (0, 0));
    shop.send(to(Some(tom.enrollment_id))).await;
    assert_eq!((balances(&app).await, app.number(&of_tom).await), ((2_000, 0), 2_000));
    app.clock.advance_days(30);
    sweep(&app).await;
    assert_eq!(balances(&app).await, (2_000, 0), "the payment is still disputed");
    shop.dispute(payment, false).await;
    sweep(&app).await;
    assert_eq!(balances(&app).await, (0, 2_000));
}

async fn a_payment_nobody_is_known_for_earns_held_money(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.pay(AMY, "100.00", "2026-06-01").await;
    let payment = app.number("SELECT id FROM payments").await;
    assert_eq!(shop.dispute(payment, true).await, done(payment, true));
    shop.lead(AMY, Some(&jane.code)).await;
    assert_eq!(balances(&app).await, (2_000, 0));
    sweep(&app).await;
    assert_eq!(balances(&app).await, (2_000, 0));
    shop.dispute(payment, false).await;
    sweep(&app).await;
    assert_eq!(balances(&app).await, (0, 2_000));
}

async fn staff_void_what_is_disputed(app: TestApp) {
    let (shop, payment) = (app.shop(), paid(&app).await);
    approve(&app).await;
    shop.dispute(payment, true).await;
    let commission_id = app.number("SELECT id FROM commissions").await;
    shop.send(Void { commission_id: commission_id.into(), reason: "fraud".into() }).await;
    assert_eq!(balances(&app).await, (0, 0));
    shop.dispute(payment, false).await;
    assert_eq!((commission(&app).await.0.as_str(), balances(&app).await), ("void", (0, 0)));
}

async fn test_data_is_disputed_on_no_ledger_and_goes_with_its_mark(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let testing = |what: What| match what {
        What::SignUp(mut s) => {
            s.of.scope.test = true;
            What::SignUp(s)
        }
        What::Payment(mut p) => {
            p.of.scope.test = true;
            What::Payment(p)
        }
        other => other,
    };
    shop.send(testing(shop.sign_up_event(AMY, Some(&jane.code)))).await;
    shop.send(testing(shop.payment_event(AMY, "100.00", "2026-06-14"))).await;
    let payment = app.number("SELECT id FROM payments WHERE test").await;
    approve(&app).await;
    assert_eq!(shop.dispute(payment, true).await, done(payment, true));
    assert!(matches!(approve(&app).await, Outcome::Refused { .. }));
    assert_eq!(app.number("SELECT count(*) FROM ledger_entries").await, 0);
    assert_eq!(count(&app, "outbox", "kind", "payment.disputed").await, 1);
    let leads = vec![app.number("SELECT id FROM leads").await];
    let lot = Lot { business_id: app.business.id, leads, ..Lot::default() };
    let gone = app.app.engine.purge(&actor(), lot, (), tally).await.unwrap();
    assert_eq!((gone.payments, gone.commissions), (1, 1));
    assert_eq!(count(&app, "outbox", "kind", "payment.disputed").await, 0);
}

async fn tally(_: &mut Tx, (): &(), tally: Tally) -> DbResult<Tally> {
    Ok(tally)
}
