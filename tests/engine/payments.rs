//! The earnings of a payment: product rules 1 to 6.

use std::collections::BTreeMap;

use crate::support::Outcome;
use refdesk::engine::{AcceptPayment, ProductScope, Reattribute, What};
use refdesk::products::{Limit, NewTerms, Pays};

use crate::on_both_databases;
use crate::support::{TestApp, day, earned, rate};

on_both_databases! {
    the_first_payment_earns_the_referral_rate_and_later_ones_the_recurring,
    the_first_decided_is_first_whatever_its_date,
    payments_that_waited_are_decided_in_order_of_their_dates,
    months_of_recurring_commission_end_on_the_calendar_day,
    a_number_of_recurring_payments_is_counted,
    the_terms_in_force_on_the_payment_date_decide,
    nothing_paid_earns_nothing_and_is_not_first,
    a_test_product_earns_a_row_of_nothing,
    a_test_key_never_touches_money,
    flat_terms_pay_no_more_than_the_payment_and_name_their_currency,
    every_currency_keeps_its_decimals_and_rounds_once,
    the_same_day_is_the_same_payment_unless_somebody_says_otherwise,
    an_id_decides_alone,
    each_product_has_a_first_payment_of_its_own,
    a_commission_freezes_its_terms,
    revenue_is_what_the_leads_of_a_code_paid,
}

/// 30 % first, 10 % later.
fn thirty_ten() -> NewTerms {
    NewTerms::percent(rate("30"), rate("10"), 14)
}

async fn the_first_payment_earns_the_referral_rate_and_later_ones_the_recurring(app: TestApp) {
    let shop = app.shop();
    shop.terms(thirty_ten()).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let first = shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert_eq!(earned(&first).as_deref(), Some("30.00 USD"));
    let later = shop.pay("Amy@Example.com ", "100.00", "2026-06-21").await;
    assert_eq!(earned(&later).as_deref(), Some("10.00 USD"));
    let rows: Vec<(String, String, i64, String)> =
        app.rows("SELECT kind, state, base_amount, hold_until FROM commissions ORDER BY id").await;
    assert_eq!(rows[0], ("referral".into(), "pending".into(), 10_000, "2026-07-04".into()));
    assert_eq!(rows[1], ("recurring".into(), "pending".into(), 10_000, "2026-07-05".into()));
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE status = 'converted'").await, 1);
}

async fn the_first_decided_is_first_whatever_its_date(app: TestApp) {
    let shop = app.shop();
    shop.terms(thirty_ten()).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await).as_deref(), Some("30.00 USD"));
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-01").await).as_deref(), Some("10.00 USD"));
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2020-02-29").await).as_deref(), Some("10.00 USD"));
}

async fn payments_that_waited_are_decided_in_order_of_their_dates(app: TestApp) {
    let shop = app.shop();
    shop.terms(thirty_ten()).await;
    let jane = shop.referrer("Jane Miller").await;
    for date in ["2026-06-20", "2026-06-18", "2026-06-19"] {
        assert_eq!(earned(&shop.pay("amy@example.com", "100.00", date).await), None);
    }
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let rows: Vec<(String, i64)> = app
        .rows("SELECT p.payment_date, c.amount FROM commissions c JOIN payments p ON p.id = c.payment_id ORDER BY p.payment_date")
        .await;
    assert_eq!(rows, [("2026-06-18".into(), 3_000), ("2026-06-19".into(), 1_000), ("2026-06-20".into(), 1_000)]);
}

async fn months_of_recurring_commission_end_on_the_calendar_day(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms { limit: Limit::Months(3), ..thirty_ten() }).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    for (date, earns) in [
        ("2026-01-31", Some("30.00 USD")),
        ("2026-04-29", Some("10.00 USD")),
        // Three months after 31 January is 30 April.
        ("2026-04-30", None),
        ("2026-05-01", None),
        ("2026-03-01", Some("10.00 USD")),
    ] {
        assert_eq!(earned(&shop.pay("amy@example.com", "100.00", date).await).as_deref(), earns, "{date}");
    }
}

async fn a_number_of_recurring_payments_is_counted(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms { limit: Limit::Payments(2), ..thirty_ten() }).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    for (date, earns) in [("2026-06-01", true), ("2026-06-02", true), ("2026-06-03", true), ("2026-06-04", false)] {
        assert_eq!(earned(&shop.pay("amy@example.com", "1.00", date).await).is_some(), earns, "{date}");
    }
    let why = app.rows::<(String,)>("SELECT decision_why FROM payments ORDER BY id DESC").await;
    assert_eq!(why[0].0, "the recurring limit is reached");
    // None at all after the first.
    shop.terms(NewTerms { limit: Limit::Payments(0), ..thirty_ten() }).await;
    shop.lead("bob@example.com", Some(&jane.code)).await;
    assert!(earned(&shop.pay("bob@example.com", "1.00", "2026-06-01").await).is_some());
    assert!(earned(&shop.pay("bob@example.com", "1.00", "2026-06-02").await).is_none());
}

async fn the_terms_in_force_on_the_payment_date_decide(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.lead("bob@example.com", Some(&jane.code)).await;
    let from = NewTerms { valid_from: Some(day("2026-06-10")), ..NewTerms::percent(rate("50"), rate("50"), 30) };
    shop.terms(from).await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-09").await).as_deref(), Some("20.00 USD"));
    assert_eq!(earned(&shop.pay("bob@example.com", "100.00", "2026-06-10").await).as_deref(), Some("50.00 USD"));
    let rows: Vec<(i64, String)> = app.rows("SELECT terms_number, hold_until FROM commissions ORDER BY id").await;
    assert_eq!(rows, [(1, "2026-06-23".into()), (2, "2026-07-10".into())]);
}

async fn nothing_paid_earns_nothing_and_is_not_first(app: TestApp) {
    let shop = app.shop();
    shop.terms(thirty_ten()).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let nothing = shop.pay("amy@example.com", "0", "2026-06-01").await;
    assert_eq!(earned(&nothing), None);
    let lead: Vec<(String, Option<i64>)> = app.rows("SELECT status, qualified_at FROM leads").await;
    assert_eq!(lead, [("new".into(), None)], "it does not convert");
    assert_eq!(app.rows::<(String,)>("SELECT subscription_status FROM purchases").await[0].0, "active");
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-02").await).as_deref(), Some("30.00 USD"));
}

async fn a_test_product_earns_a_row_of_nothing(app: TestApp) {
    let shop = app.shop();
    let product = shop.product("Trial", true).await;
    shop.terms_of(product, NewTerms::percent(rate("0"), rate("0"), 0)).await;
    let jane = shop.referrer("Jane Miller").await;
    let of_trial = ProductScope::new(product, app.business.campaign_id, true);
    let on = |what: What| match what {
        What::SignUp(mut s) => {
            s.of = of_trial;
            What::SignUp(s)
        }
        What::Payment(mut p) => {
            p.of = of_trial;
            What::Payment(p)
        }
        other => other,
    };
    shop.send(on(shop.sign_up_event("amy@example.com", Some(&jane.code)))).await;
    for (amount, date) in [("0", "2026-06-01"), ("49.00", "2026-06-02")] {
        let paid = shop.send(on(shop.payment_event("amy@example.com", amount, date))).await;
        assert_eq!(earned(&paid).as_deref(), Some("0.00 USD"), "{amount}");
    }
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE test AND amount = 0").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM ledger_entries").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE NOT test").await, 0);
}

async fn a_test_key_never_touches_money(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let as_test = |what: What| match what {
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
    shop.send(as_test(shop.sign_up_event("amy@example.com", Some(&jane.code)))).await;
    let paid = shop.send(as_test(shop.payment_event("amy@example.com", "100.00", "2026-06-20"))).await;
    assert_eq!(earned(&paid).as_deref(), Some("20.00 USD"), "it is computed as a live one would be");
    assert_eq!(app.number("SELECT count(*) FROM ledger_entries").await, 0);
    assert_eq!(
        app.number("SELECT CAST(COALESCE(sum(value), 0) AS BIGINT) FROM counters WHERE name LIKE 'lead%'").await,
        0
    );
    // The live person of the same address is somebody else.
    let Outcome::SignedUp { known, .. } = shop.sign_up("amy@example.com", None).await else { panic!("a duplicate") };
    assert!(!known);
    let live = shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert!(matches!(live, Outcome::PaymentRecorded { earned: None, .. }), "{live:?}");
}

async fn flat_terms_pay_no_more_than_the_payment_and_name_their_currency(app: TestApp) {
    let shop = app.shop();
    let flat = Pays::Flat(BTreeMap::from([("USD".to_owned(), 5_000), ("JPY".to_owned(), 700)]));
    shop.terms(NewTerms { referral: flat.clone(), recurring: flat, ..thirty_ten() }).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    for (amount, date, earns) in [
        ("200.00", "2026-06-01", Some("50.00 USD")),
        ("12.34", "2026-06-02", Some("12.34 USD")),
        ("9000 JPY", "2026-06-03", Some("700 JPY")),
        ("100.00 EUR", "2026-06-04", None),
    ] {
        let outcome = shop.pay("amy@example.com", amount, date).await;
        assert_eq!(earned(&outcome).as_deref(), earns, "{amount}");
        let Outcome::PaymentRecorded { warning, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(warning.is_some(), earns.is_none(), "{amount}: {warning:?}");
    }
    let items: Vec<(String,)> = app.rows("SELECT kind FROM inbox_items").await;
    assert_eq!(items, [("no_flat_amount".to_owned(),)]);
}

async fn every_currency_keeps_its_decimals_and_rounds_once(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms::percent(rate("12.5"), rate("12.5"), 0)).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    for (n, (amount, earns)) in [
        ("100.00", "12.50 USD"),
        // 0.025: half away from zero.
        ("0.20", "0.03 USD"),
        ("0.04", "0.01 USD"),
        ("310 JPY", "39 JPY"),
        ("1.004 KWD", "0.126 KWD"),
        ("10000.00 KES", "1,250.00 KES"),
        ("9999999999.99 USD", "1,250,000,000.00 USD"),
    ]
    .into_iter()
    .enumerate()
    {
        let paid = shop.pay("amy@example.com", amount, &format!("2026-05-{:02}", n + 1)).await;
        assert_eq!(earned(&paid).as_deref(), Some(earns), "{amount}");
    }
    // 0.03 USD at 12.5 % is less than half a cent.
    let tiny = shop.pay("amy@example.com", "0.03", "2026-05-20").await;
    assert_eq!(earned(&tiny), None);
    let held: Vec<(String, i64)> = app
        .rows("SELECT currency, CAST(sum(amount) AS BIGINT) FROM ledger_entries GROUP BY currency ORDER BY currency")
        .await;
    let expected = [("JPY", 39), ("KES", 125_000), ("KWD", 126), ("USD", 125_000_000_000 + 1_250 + 3 + 1)];
    assert_eq!(held, expected.map(|(c, n)| (c.to_owned(), n)), "currencies are never added together");
}

async fn the_same_day_is_the_same_payment_unless_somebody_says_otherwise(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let Outcome::PaymentRecorded { payment_id: first, .. } = shop.pay("amy@example.com", "100.00", "2026-06-20").await
    else {
        panic!("it is new")
    };
    let again = shop.pay("AMY@example.com", "100.00", "2026-06-20").await;
    let Outcome::PaymentDuplicate { payment_id, body_differs: false, .. } = again else { panic!("{again:?}") };
    assert_eq!(payment_id, first);
    let retry = shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    let Outcome::PaymentDuplicate { body_differs: false, mismatch: false, .. } = &retry else { panic!("{retry:?}") };
    assert_eq!(earned(&retry).as_deref(), Some("20.00 USD"), "the answer tells what the first one earned");

    for _ in 0..3 {
        let other = shop.pay("amy@example.com", "120.00", "2026-06-20").await;
        let Outcome::PaymentDuplicate { amount, body_differs: true, .. } = &other else { panic!("{other:?}") };
        assert_eq!(amount.shown(), "100.00 USD", "the stored amount is named");
    }
    let item: Vec<(i64, i64)> = app.rows("SELECT id, times FROM inbox_items WHERE detail LIKE '%12000%'").await;
    assert_eq!((item.len(), item[0].1), (1, 3), "one item per payment and body");
    // Ten minutes later the identical body is no retry any more.
    let before = app.number("SELECT count(*) FROM inbox_items").await;
    app.clock.set(app.clock.now().plus_seconds(601));
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert_eq!(app.number("SELECT count(*) FROM inbox_items").await, before + 1);

    let accepted = shop.send(AcceptPayment { item_id: item[0].0.into() }).await;
    assert_eq!(earned(&accepted).as_deref(), Some("24.00 USD"));
    let twice = shop.send(AcceptPayment { item_id: item[0].0.into() }).await;
    assert_eq!(twice, Outcome::Done { id: item[0].0, changed: false });
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 2);
}

async fn an_id_decides_alone(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.lead("bob@example.com", Some(&jane.code)).await;
    let one = shop.pay_as("evt_1", "amy@example.com", "100.00", "2026-06-20").await;
    let two = shop.pay_as("evt_2", "amy@example.com", "100.00", "2026-06-20").await;
    assert!(matches!((&one, &two), (Outcome::PaymentRecorded { .. }, Outcome::PaymentRecorded { .. })));
    let same = shop.pay_as("evt_1", "amy@example.com", "100.00", "2026-06-20").await;
    assert!(matches!(same, Outcome::PaymentDuplicate { mismatch: false, .. }), "{same:?}");
    for (address, amount, date) in [
        ("amy@example.com", "99.00", "2026-06-20"),
        ("amy@example.com", "100.00", "2026-06-19"),
        ("bob@example.com", "100.00", "2026-06-20"),
    ] {
        let other = shop.pay_as("evt_1", address, amount, date).await;
        assert!(matches!(other, Outcome::PaymentDuplicate { mismatch: true, .. }), "{other:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM inbox_items").await, 0, "nobody has to look at it");
    // A payment without an id is the same as any of that day.
    let plain = shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert!(matches!(plain, Outcome::PaymentDuplicate { .. }), "{plain:?}");
}

async fn each_product_has_a_first_payment_of_its_own(app: TestApp) {
    let shop = app.shop();
    shop.terms(thirty_ten()).await;
    let other = shop.product("Team plan", false).await;
    shop.terms_of(other, NewTerms::percent(rate("40"), rate("5"), 14)).await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let on_other = |amount: &str, date: &str| {
        let What::Payment(mut p) = shop.payment_event("amy@example.com", amount, date) else { unreachable!() };
        p.of.product_id = other.into();
        What::Payment(p)
    };
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await).as_deref(), Some("30.00 USD"));
    assert_eq!(earned(&shop.send(on_other("100.00", "2026-06-20")).await).as_deref(), Some("40.00 USD"));
    assert_eq!(earned(&shop.send(on_other("100.00", "2026-06-21")).await).as_deref(), Some("5.00 USD"));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1, "one person in the campaign");
}

async fn a_commission_freezes_its_terms(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    shop.terms(NewTerms::percent(rate("90"), rate("90"), 1)).await;
    let row: Vec<(i64, i64, i64, i64)> =
        app.rows("SELECT rate, amount, hold_days, terms_number FROM commissions").await;
    assert_eq!(row, [(200_000, 2_000, 14, 1)]);
    let repeat = shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert_eq!(earned(&repeat).as_deref(), Some("20.00 USD"));
}

async fn revenue_is_what_the_leads_of_a_code_paid(app: TestApp) {
    let shop = app.shop();
    shop.terms(NewTerms { limit: Limit::Payments(0), ..thirty_ten() }).await;
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let code =
        async |enrollment: i64| app.number(&format!("SELECT id FROM codes WHERE enrollment_id = {enrollment}")).await;
    let (hers, his) = (code(jane.enrollment_id).await, code(tom.enrollment_id).await);
    let revenue = async |scope: i64| {
        let sum = "SELECT CAST(COALESCE(sum(value), 0) AS BIGINT) FROM counters WHERE name = 'revenue.USD'";
        app.number(&format!("{sum} AND scope_id = {scope}")).await
    };
    // Before the lead, within the limit and beyond it: all of it was paid by somebody Jane brought.
    shop.pay("amy@example.com", "10.00", "2026-06-01").await;
    assert_eq!(revenue(hers).await, 0);
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "20.00", "2026-06-02").await;
    shop.pay("amy@example.com", "30.00", "2026-06-03").await;
    assert_eq!(revenue(hers).await, 6_000);
    let to = async |to: Option<i64>, code_id: Option<i64>| {
        let reason = "a correction".to_owned();
        shop.send(Reattribute {
            lead_id: lead_id.into(),
            to: to.map(Into::into),
            code_id: code_id.map(Into::into),
            reason,
            pay_back: false,
        })
        .await;
    };
    to(Some(tom.enrollment_id), Some(his)).await;
    assert_eq!((revenue(hers).await, revenue(his).await), (0, 6_000));
    to(None, None).await;
    assert_eq!((revenue(hers).await, revenue(his).await), (0, 0));
    shop.pay("amy@example.com", "40.00", "2026-06-04").await;
    to(Some(jane.enrollment_id), Some(hers)).await;
    assert_eq!((revenue(hers).await, revenue(his).await), (10_000, 0));
}
