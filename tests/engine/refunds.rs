//! Money given back, and subscriptions that end: product rule 7.

use crate::support::Outcome;
use refdesk::engine::{Field, NameKind, Names, PaymentName, PaymentRef, Reattribute, Refunded, What};
use refdesk::money::Currency;
use refdesk::products::{NewTerms, Pays};

use crate::on_both_databases;
use crate::support::{TestApp, day, rate};

on_both_databases! {
    a_part_is_computed_from_what_is_left_and_the_whole_is_void,
    an_approved_commission_is_less_due,
    a_paid_commission_is_taken_off_the_next_payout,
    a_flat_one_stays_until_the_whole_is_refunded,
    more_than_is_left_changes_nothing,
    the_same_refund_counts_once,
    an_id_decides_alone,
    a_payment_is_named_by_its_day_its_id_or_its_commission,
    a_refund_waits_for_its_payment,
    one_that_does_not_fit_its_payment_is_for_a_person,
    both_orders_leave_the_same_rows,
    a_refunded_payment_stays_the_first_and_the_customer_converted,
    what_waits_earns_what_is_left,
    a_moved_lead_s_refund_follows_the_commission_that_stands,
    figures_go_down_where_they_went_up,
    test_refunds_never_meet_live_payments,
    of_two_payments_of_a_day_the_oldest_that_has_enough,
    an_ordinary_payment_asks_for_no_refunds,
    a_cancelled_subscription_goes_on_with_a_later_payment,
}

pub(super) const AMY: &str = "amy@example.com";

pub(super) async fn balance(app: &TestApp, account: &str) -> i64 {
    let sum =
        format!("SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = '{account}'");
    app.number(&sum).await
}

pub(super) async fn commission(app: &TestApp) -> (String, i64, i64) {
    let rows: Vec<(String, i64, i64)> =
        app.rows("SELECT state, amount, taken_back FROM commissions ORDER BY id LIMIT 1").await;
    rows[0].clone()
}

#[track_caller]
fn refunded(outcome: Outcome) -> Refunded {
    match outcome {
        Outcome::Refunded(told) => told,
        other => panic!("no refund: {other:?}"),
    }
}

#[track_caller]
fn invalid(outcome: Outcome) -> (Field, String) {
    match outcome {
        Outcome::Invalid { field, why } => (field, why),
        other => panic!("accepted: {other:?}"),
    }
}

/// Amy, referred by Jane, paid 100.00 on 14 June; what that is called.
pub(super) async fn paid(app: &TestApp) -> i64 {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead(AMY, Some(&jane.code)).await;
    match shop.pay_as("evt_1", AMY, "100.00", "2026-06-14").await {
        Outcome::PaymentRecorded { payment_id, .. } => payment_id,
        other => panic!("{other:?}"),
    }
}

async fn a_part_is_computed_from_what_is_left_and_the_whole_is_void(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms::percent(rate("12.5"), rate("10"), 14)).await;
    let payment_id = paid(&app).await;
    let part = refunded(shop.refund(AMY, day("2026-06-14"), Some("33.33")).await);
    assert_eq!(part.payment_id, Some(payment_id.into()));
    assert_eq!(part.amount.unwrap().shown(), "33.33 USD");
    assert_eq!(part.left.unwrap().shown(), "66.67 USD");
    // 12.5 % of 66.67 is 8.33375, which 12.50 less 4.17 (12.5 % of 33.33) would not be.
    let earned = part.earned.unwrap();
    assert_eq!((earned.amount.shown().as_str(), earned.state.word()), ("8.33 USD", "pending"));
    shop.refund(AMY, day("2026-06-14"), Some("33.34")).await;
    // 12.5 % of 33.33 is 4.16625.
    assert_eq!(commission(&app).await, ("pending".into(), 417, 0));
    assert_eq!(balance(&app, "held").await, 417);
    let rest = refunded(shop.refund(AMY, day("2026-06-14"), None).await);
    assert_eq!(rest.left.unwrap().minor, 0);
    assert_eq!(rest.earned.unwrap().state.word(), "void");
    assert_eq!(balance(&app, "held").await, 0);
    let row: Vec<(String, i64, i64, String)> =
        app.rows("SELECT state, amount, base_amount, void_cause FROM commissions").await;
    assert_eq!(row, [("void".into(), 0, 10_000, "refunded".into())], "the base stays what it was frozen from");
    let audited: Vec<(String, String)> =
        app.rows("SELECT before, after FROM audit_entries WHERE action = 'payment.refunded' ORDER BY id").await;
    assert_eq!(audited.len(), 3);
    assert!(audited[1].0.contains("33.33 USD") && audited[1].1.contains("66.67 USD"), "{audited:?}");
    assert_eq!(app.number("SELECT count(*) FROM outbox WHERE kind = 'payment.refunded'").await, 3);
}

async fn an_approved_commission_is_less_due(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    app.clock.advance_days(30);
    refdesk::sweep::all(&app.app).await.unwrap();
    shop.refund(AMY, day("2026-06-14"), Some("25")).await;
    assert_eq!(commission(&app).await, ("approved".into(), 1_500, 0));
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 1_500));
    shop.refund(AMY, day("2026-06-14"), None).await;
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 0));
    assert_eq!(commission(&app).await, ("void".into(), 0, 0));
}

/// Everything earned so far is approved and paid.
pub(super) async fn pay_out(app: &TestApp) {
    app.clock.advance_days(30);
    refdesk::sweep::all(&app.app).await.unwrap();
    app.shop().pay_out("USD").await;
}

async fn a_paid_commission_is_taken_off_the_next_payout(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    pay_out(&app).await;
    assert_eq!((balance(&app, "due").await, balance(&app, "paid").await), (0, 2_000));
    let part = refunded(shop.refund(AMY, day("2026-06-14"), Some("30")).await);
    let earned = part.earned.unwrap();
    assert_eq!((earned.state.word(), earned.amount.minor), ("paid", 1_400), "what it comes to by now");
    assert_eq!(commission(&app).await, ("paid".into(), 2_000, 600));
    assert_eq!((balance(&app, "due").await, balance(&app, "paid").await), (-600, 2_000));
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE reversed_at IS NOT NULL").await, 0);
    shop.refund(AMY, day("2026-06-14"), None).await;
    assert_eq!(commission(&app).await, ("paid".into(), 2_000, 2_000));
    assert_eq!((balance(&app, "due").await, balance(&app, "paid").await), (-2_000, 2_000));
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE reversed_at IS NOT NULL").await, 1);
}

async fn a_flat_one_stays_until_the_whole_is_refunded(app: TestApp) {
    let shop = app.shop();
    let flat = Pays::Flat([("USD".to_owned(), 5_000)].into());
    shop.terms(NewTerms { referral: flat.clone(), recurring: flat, ..NewTerms::percent(rate("1"), rate("1"), 14) })
        .await;
    paid(&app).await;
    shop.refund(AMY, day("2026-06-14"), Some("99.99")).await;
    assert_eq!(commission(&app).await, ("pending".into(), 5_000, 0));
    shop.refund(AMY, day("2026-06-14"), None).await;
    assert_eq!(commission(&app).await, ("void".into(), 0, 0));
    assert_eq!(balance(&app, "held").await, 0);
}

async fn more_than_is_left_changes_nothing(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let audited = app.number("SELECT count(*) FROM audit_entries").await;
    let (field, why) = invalid(shop.refund(AMY, day("2026-06-14"), Some("100.01")).await);
    assert_eq!(field, Field::Amount);
    assert!(why.contains("100.00 USD"), "{why}");
    assert_eq!(invalid(shop.refund(AMY, day("2026-06-14"), Some("0")).await).0, Field::Amount);
    assert_eq!(invalid(shop.refund(AMY, day("2026-06-14"), Some("1.001")).await).0, Field::Amount);
    let in_euro = |what: What| match what {
        What::Refund(mut r) => {
            r.currency = Some(Currency::parse("EUR").unwrap());
            What::Refund(r)
        }
        other => other,
    };
    let euro = shop.send(in_euro(shop.refund_event(AMY, day("2026-06-14"), Some("1")))).await;
    assert_eq!(invalid(euro).0, Field::Currency);
    shop.refund(AMY, day("2026-06-14"), Some("60")).await;
    assert_eq!(invalid(shop.refund(AMY, day("2026-06-14"), Some("40.01")).await).0, Field::Amount);
    // Nothing was paid, so nothing can be given back.
    shop.pay(AMY, "0", "2026-06-15").await;
    assert_eq!(invalid(shop.refund(AMY, day("2026-06-15"), None).await).0, Field::Amount);
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 1);
    // The refund (payment and commission) and the payment of nothing.
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, audited + 3);
}

async fn the_same_refund_counts_once(app: TestApp) {
    let shop = app.shop();
    let payment_id = paid(&app).await;
    let first = refunded(shop.refund(AMY, day("2026-06-14"), Some("30")).await);
    // By whichever name of the payment.
    for of in [PaymentRef::Day(day("2026-06-14")), PaymentRef::id("evt_1"), PaymentRef::Id(payment_id.into())] {
        let again = shop.refund(AMY, of, Some("30.00")).await;
        let Outcome::RefundDuplicate { known, mismatch: false } = again else { panic!("{again:?}") };
        assert_eq!(known.refund_id, first.refund_id);
        assert_eq!(known.left.unwrap().minor, 7_000);
    }
    let rest = refunded(shop.refund(AMY, day("2026-06-14"), None).await);
    for amount in [None, Some("100")] {
        let again = shop.refund(AMY, day("2026-06-14"), amount).await;
        let Outcome::RefundDuplicate { known, .. } = again else { panic!("{again:?}") };
        assert_eq!(known.refund_id, rest.refund_id, "the whole of a payment that was wholly refunded");
    }
    assert_eq!(invalid(shop.refund(AMY, day("2026-06-14"), Some("20")).await).0, Field::Amount);
    assert_eq!(app.number("SELECT count(*) FROM refunds").await, 2);
}

async fn an_id_decides_alone(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let one = refunded(shop.refund_as("ref_1", AMY, day("2026-06-14"), Some("10")).await);
    refunded(shop.refund_as("ref_2", AMY, day("2026-06-14"), Some("10")).await);
    let same = shop.refund_as("ref_1", AMY, day("2026-06-14"), Some("10")).await;
    let Outcome::RefundDuplicate { known, mismatch: false } = same else { panic!("{same:?}") };
    assert_eq!(known.refund_id, one.refund_id);
    for (address, of, amount) in [
        (AMY, day("2026-06-14"), Some("11")),
        (AMY, day("2026-06-13"), Some("10")),
        ("bob@example.com", day("2026-06-14"), Some("10")),
    ] {
        let other = shop.refund_as("ref_1", address, of, amount).await;
        assert!(matches!(other, Outcome::RefundDuplicate { mismatch: true, .. }), "{other:?}");
    }
    assert_eq!(app.number("SELECT refunded FROM payments").await, 2_000);
}

async fn a_payment_is_named_by_its_day_its_id_or_its_commission(app: TestApp) {
    let shop = app.shop();
    let payment_id = paid(&app).await;
    let commission_id = app.number("SELECT id FROM commissions").await;
    let mut left = 10_000;
    for (n, of) in [
        PaymentRef::Day(day("2026-06-14")),
        PaymentRef::id("evt_1"),
        PaymentRef::Commission(commission_id.into()),
        PaymentRef::Id(payment_id.into()),
    ]
    .into_iter()
    .enumerate()
    {
        let told = refunded(shop.refund(AMY, of, Some(&format!("{}", n + 1))).await);
        left -= 100 * (n as i64 + 1);
        assert_eq!((told.payment_id, told.left.unwrap().minor), (Some(payment_id.into()), left));
    }
    // An invoice id is a name as well.
    let What::Payment(mut invoiced) = shop.payment_event(AMY, "50.00", "2026-06-15") else { unreachable!() };
    invoiced.names = Names::first_decides([PaymentName::new(NameKind::Invoice, "in_9")]);
    shop.send(What::Payment(invoiced)).await;
    assert_eq!(refunded(shop.refund(AMY, PaymentRef::id("in_9"), None).await).amount.unwrap().minor, 5_000);
    // Somebody else's payment, and one of another product, are not what was meant.
    let other = shop.refund("bob@example.com", PaymentRef::id("evt_1"), Some("5")).await;
    assert_eq!(invalid(other).0, Field::Email);
    let product = shop.product("Team plan", false).await;
    let What::Refund(mut wrong) = shop.refund_event(AMY, PaymentRef::id("evt_1"), Some("5")) else { unreachable!() };
    wrong.of.product_id = product.into();
    assert_eq!(invalid(shop.send(What::Refund(wrong)).await).0, Field::Product);
    for of in [PaymentRef::Commission(987_654.into()), PaymentRef::Id(987_654.into())] {
        assert_eq!(shop.refund(AMY, of, None).await, Outcome::NotFound);
    }
    // Another business's commission is as unknown.
    let other = app.another_business("Globex").await;
    let theirs = app.shop_of(&other).refund(AMY, PaymentRef::Commission(commission_id.into()), None).await;
    assert_eq!(theirs, Outcome::NotFound);
    // Today's address of a customer names their older payments.
    app.arrange("UPDATE leads SET email = 'amy@new.example', email_key = 'amy@new.example'").await;
    refunded(shop.refund("amy@new.example", PaymentRef::id("evt_1"), Some("6")).await);
    let by_day = refunded(shop.refund("amy@new.example", day("2026-06-14"), Some("7")).await);
    assert_eq!(by_day.payment_id, Some(payment_id.into()));
}

async fn a_refund_waits_for_its_payment(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead(AMY, Some(&jane.code)).await;
    for of in [PaymentRef::id("evt_7"), PaymentRef::Day(day("2026-06-14"))] {
        let parked = refunded(shop.refund(AMY, of.clone(), Some("10")).await);
        assert_eq!((parked.state.word(), parked.payment_id, parked.amount), ("parked", None, None));
        let again = shop.refund(AMY, of, Some("10")).await;
        let Outcome::RefundDuplicate { known, mismatch: false } = again else { panic!("{again:?}") };
        assert_eq!(known, parked);
    }
    // Neither another day's payment nor another id's is what they wait for.
    shop.pay_as("evt_6", AMY, "50.00", "2026-06-13").await;
    assert_eq!(app.number("SELECT count(*) FROM refunds WHERE state = 'parked'").await, 2);
    let paid = shop.pay_as("evt_7", AMY, "50.00", "2026-06-14").await;
    let Outcome::PaymentRecorded { earned: Some(earned), .. } = paid else { panic!("{paid:?}") };
    assert_eq!(earned.amount.shown(), "6.00 USD", "20 % of 30.00: both are applied at once");
    assert_eq!(app.number("SELECT count(*) FROM refunds WHERE state = 'applied'").await, 2);
    // The client who asks again learns what became of it; its payment has a name now.
    let again = shop.refund(AMY, PaymentRef::id("evt_7"), Some("10")).await;
    let Outcome::RefundDuplicate { known, .. } = again else { panic!("{again:?}") };
    assert_eq!((known.state.word(), known.left.unwrap().minor), ("applied", 3_000));
}

async fn one_that_does_not_fit_its_payment_is_for_a_person(app: TestApp) {
    let shop = app.shop();
    shop.refund_as("ref_1", AMY, day("2026-06-14"), Some("70")).await;
    shop.refund_as("ref_2", AMY, day("2026-06-14"), Some("70")).await;
    shop.refund_as("ref_3", "bob@example.com", PaymentRef::id("evt_1"), Some("1")).await;
    paid(&app).await;
    assert_eq!(app.number("SELECT refunded FROM payments").await, 7_000);
    let states: Vec<(String,)> = app.rows("SELECT state FROM refunds ORDER BY id").await;
    assert_eq!(states, ["applied", "refused", "refused"].map(|s| (s.to_owned(),)));
    assert_eq!(app.number("SELECT count(*) FROM inbox_items WHERE kind = 'refund_unfit'").await, 2);
    app.sign_in().await;
    let inbox = app.get("/inbox").await.is(200);
    assert!(inbox.words().contains("only 30.00 USD is left of the payment"), "{inbox:?}");
    let again = shop.refund_as("ref_2", AMY, day("2026-06-14"), Some("70")).await;
    assert!(matches!(again, Outcome::RefundDuplicate { .. }), "{again:?}");
}

async fn both_orders_leave_the_same_rows(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let mut ends = Vec::new();
    for (n, order) in [[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0], [2, 0, 1], [0, 2, 1]].into_iter().enumerate() {
        let address = format!("person{n}@example.com");
        for step in order {
            match step {
                0 => drop(shop.lead(&address, Some(&jane.code)).await),
                1 => drop(shop.refund_as(&format!("ref_{n}"), &address, day("2026-06-14"), Some("33.33")).await),
                _ => drop(shop.pay(&address, "99.99", "2026-06-14").await),
            }
        }
        let rows: Vec<(String, i64, i64, i64, i64)> = app
            .rows(&format!(
                "SELECT c.state, c.base_amount, c.amount, p.refunded, CAST(sum(e.amount) AS BIGINT)
                   FROM leads l JOIN commissions c ON c.lead_id = l.id JOIN payments p ON p.id = c.payment_id
                   JOIN ledger_entries e ON e.commission_id = c.id AND e.account = 'held'
                  WHERE l.email_key = '{address}' GROUP BY c.id, c.state, c.base_amount, c.amount, p.refunded"
            ))
            .await;
        let entries: Vec<(String, i64)> = app
            .rows(&format!(
                "SELECT e.kind, e.amount FROM leads l JOIN ledger_entries e ON e.commission_id IN (SELECT id FROM commissions WHERE lead_id = l.id)
                  WHERE l.email_key = '{address}' ORDER BY e.id"
            ))
            .await;
        ends.push((rows, entries));
    }
    assert_eq!(ends[0].0, [("pending".to_owned(), 9_999, 1_333, 3_333, 1_333)]);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

async fn a_refunded_payment_stays_the_first_and_the_customer_converted(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms::percent(rate("30"), rate("10"), 14)).await;
    paid(&app).await;
    shop.refund(AMY, day("2026-06-14"), None).await;
    let later = shop.pay(AMY, "100.00", "2026-06-15").await;
    assert_eq!(crate::support::earned(&later).as_deref(), Some("10.00 USD"));
    let lead: Vec<(String, bool)> = app.rows("SELECT status, qualified_at IS NOT NULL FROM leads").await;
    assert_eq!(lead, [("converted".into(), true)]);
}

async fn what_waits_earns_what_is_left(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.pay(AMY, "100.00", "2026-06-14").await;
    shop.pay(AMY, "100.00", "2026-06-15").await;
    shop.refund(AMY, day("2026-06-14"), None).await;
    let told = refunded(shop.refund(AMY, day("2026-06-15"), Some("25")).await);
    assert_eq!(told.earned, None);
    shop.lead(AMY, Some(&jane.code)).await;
    let rows: Vec<(String, String, i64)> = app.rows("SELECT kind, state, amount FROM commissions ORDER BY id").await;
    let expected = [("referral", "void", 0), ("recurring", "pending", 1_500)];
    assert_eq!(rows, expected.map(|(k, s, a)| (k.to_owned(), s.to_owned(), a)));
    assert_eq!(balance(&app, "held").await, 1_500);
}

async fn a_moved_lead_s_refund_follows_the_commission_that_stands(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let ben = shop.referrer("Ben Otieno").await;
    let lead_id = app.number("SELECT id FROM leads").await;
    let to = |to: Option<i64>| {
        What::Reattribute(Reattribute {
            lead_id: lead_id.into(),
            to: to.map(Into::into),
            code_id: None,
            reason: "a test".into(),
            pay_back: true,
        })
    };
    let jane_s = app.number("SELECT enrollment_id FROM commissions").await;
    shop.send(to(Some(ben.enrollment_id))).await;
    let told = refunded(shop.refund(AMY, day("2026-06-14"), Some("30")).await);
    let earned = told.earned.unwrap();
    assert_eq!((earned.referrer_id.0, earned.amount.minor), (ben.id, 1_400));
    // The commission taken from Jane comes back with its worth of today.
    shop.send(to(Some(jane_s))).await;
    let held: Vec<(i64, i64)> = app
        .rows("SELECT referrer_id, CAST(sum(amount) AS BIGINT) FROM ledger_entries GROUP BY referrer_id ORDER BY 2")
        .await;
    assert_eq!(held.iter().map(|(_, sum)| *sum).collect::<Vec<_>>(), [0, 1_400]);
    assert_eq!(held[0].0, ben.id);
    // The commission is named, whoever had it.
    let ben_s = app.number(&format!("SELECT id FROM commissions WHERE referrer_id = {}", ben.id)).await;
    let whole = refunded(shop.refund(AMY, PaymentRef::Commission(ben_s.into()), None).await);
    assert_eq!(whole.earned.unwrap().state.word(), "void");
    assert_eq!(balance(&app, "held").await, 0);
}

async fn figures_go_down_where_they_went_up(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let ben = shop.referrer("Ben Otieno").await;
    let code = app.number("SELECT code_id FROM leads").await;
    let lead_id = app.number("SELECT id FROM leads").await;
    // A lead's payments go with the lead to the referrer who counts by now.
    let moved = What::Reattribute(Reattribute {
        lead_id: lead_id.into(),
        to: Some(ben.enrollment_id.into()),
        code_id: None,
        reason: "x".into(),
        pay_back: true,
    });
    shop.send(moved).await;
    shop.refund(AMY, day("2026-06-14"), Some("30")).await;
    let of = |scope: i64, day: &str| {
        format!(
            "SELECT CAST(COALESCE(sum(value), 0) AS BIGINT) FROM counters WHERE scope_id = {scope} AND name = 'revenue.USD' AND day = '{day}'"
        )
    };
    let campaign = app.business.campaign_id;
    assert_eq!(app.number(&of(campaign, "")).await, 7_000);
    assert_eq!(app.number(&of(campaign, "2026-06-14")).await, 7_000);
    assert_eq!(app.number(&of(code, "")).await, 0);
    assert_eq!(app.number(&of(ben.enrollment_id, "")).await, 7_000);
}

async fn test_refunds_never_meet_live_payments(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let commission_id = app.number("SELECT id FROM commissions").await;
    let as_test = |what: What| match what {
        What::Refund(mut r) => {
            r.of.scope.test = true;
            What::Refund(r)
        }
        other => other,
    };
    for of in [PaymentRef::Day(day("2026-06-14")), PaymentRef::id("evt_1")] {
        let told = refunded(shop.send(as_test(shop.refund_event(AMY, of, Some("10")))).await);
        assert_eq!(told.state.word(), "parked");
    }
    let named = shop.send(as_test(shop.refund_event(AMY, PaymentRef::Commission(commission_id.into()), None))).await;
    assert_eq!(named, Outcome::NotFound);
    assert_eq!(app.number("SELECT refunded FROM payments").await, 0);
}

async fn of_two_payments_of_a_day_the_oldest_that_has_enough(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead(AMY, Some(&jane.code)).await;
    let mut ids = Vec::new();
    for (id, amount) in [("a", "40.00"), ("b", "100.00"), ("c", "100.00")] {
        let paid = shop.pay_as(id, AMY, amount, "2026-06-14").await;
        let Outcome::PaymentRecorded { payment_id, .. } = paid else { panic!("{paid:?}") };
        ids.push(payment_id);
    }
    let of = |told: Refunded| ids.iter().position(|id| Some((*id).into()) == told.payment_id).unwrap();
    assert_eq!(of(refunded(shop.refund(AMY, day("2026-06-14"), Some("50")).await)), 1);
    assert_eq!(of(refunded(shop.refund(AMY, day("2026-06-14"), Some("60")).await)), 2);
    // Sent again it is the same one, although another payment would have enough left.
    let again = shop.refund(AMY, day("2026-06-14"), Some("50")).await;
    assert!(matches!(again, Outcome::RefundDuplicate { .. }), "{again:?}");
    let whole = refunded(shop.refund(AMY, day("2026-06-14"), None).await);
    assert_eq!((whole.amount.unwrap().minor, of(whole)), (4_000, 0));
    let again = shop.refund(AMY, day("2026-06-14"), None).await;
    assert!(matches!(again, Outcome::RefundDuplicate { .. }), "all that is left, again: {again:?}");
}

async fn an_ordinary_payment_asks_for_no_refunds(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let What::Payment(payment) = shop.payment_event(AMY, "1.00", "2026-06-16") else { unreachable!() };
    let event = shop.event(What::Payment(payment));
    let waits = |work: &refdesk::engine::Work| work.facts.businesses.values().any(|b| b.parked);
    let (_, work) = app.app.engine.preview(vec![event.clone()]).await.unwrap();
    assert!(!waits(&work), "the business is read anyway, and says that nothing waits");
    shop.refund("bob@example.com", day("2026-06-14"), None).await;
    let (_, work) = app.app.engine.preview(vec![event]).await.unwrap();
    assert!(waits(&work) && work.facts.refunds.is_empty(), "another person's refund is not this one's");
}

async fn a_cancelled_subscription_goes_on_with_a_later_payment(app: TestApp) {
    let shop = app.shop();
    paid(&app).await;
    let status = "SELECT subscription_status FROM purchases";
    let cancelled = shop.cancel(AMY, "2026-06-18").await;
    let Outcome::SubscriptionCancelled { lead_id: Some(lead_id), .. } = cancelled else { panic!("{cancelled:?}") };
    assert_eq!(app.rows::<(String,)>(status).await[0].0, "cancelled");
    let again = shop.cancel(AMY, "2026-06-18").await;
    assert!(matches!(again, Outcome::CancellationDuplicate { lead_id: same, mismatch: false, .. } if same == lead_id));
    // A payment of before it that comes after it changes nothing about it.
    shop.pay(AMY, "10.00", "2026-06-17").await;
    assert_eq!(app.rows::<(String,)>(status).await[0].0, "cancelled");
    shop.pay(AMY, "10.00", "2026-06-19").await;
    assert_eq!(app.rows::<(String,)>(status).await[0].0, "active");
    // Nor does a cancellation of before that payment.
    let late = shop.cancel(AMY, "2026-06-16").await;
    let Outcome::SubscriptionCancelled { status: now, .. } = late else { panic!("{late:?}") };
    assert_eq!(now, "active");
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state <> 'pending'").await, 0);
    // Nobody: nothing is stored, so it counts when it is sent again for somebody.
    for _ in 0..2 {
        let nobody = shop.cancel("bob@example.com", "2026-06-18").await;
        assert!(matches!(nobody, Outcome::SubscriptionCancelled { lead_id: None, .. }), "{nobody:?}");
    }
    shop.lead("bob@example.com", None).await;
    let known = shop.cancel("bob@example.com", "2026-06-18").await;
    assert!(matches!(known, Outcome::SubscriptionCancelled { lead_id: Some(_), .. }), "{known:?}");
}
