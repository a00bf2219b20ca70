//! `refdesk check` finds what is broken: each invariant is broken in turn, named, and mended again.

use refdesk::check::check;
use refdesk::engine::{Approve, NameKind, Names, PaymentName, PaymentRef, What};
use refdesk::seal;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{TestApp, day};

on_both_databases! {
    every_broken_invariant_is_named,
    what_is_named_is_there,
    no_column_of_terms_changes_unseen,
}

/// The rule, a statement that breaks it, and one that mends it.
const BROKEN: [(&str, &str, &str); 48] = [
    (
        "a lead's referrer is its enrollment's",
        "UPDATE leads SET referrer_id = (SELECT max(id) FROM referrers)",
        "UPDATE leads SET referrer_id = (SELECT min(id) FROM referrers)",
    ),
    (
        "those of its terms",
        "UPDATE terms SET referral_rate = referral_rate + 1",
        "UPDATE terms SET referral_rate = referral_rate - 1",
    ),
    ("those of its terms", "UPDATE terms SET hold_days = hold_days + 1", "UPDATE terms SET hold_days = hold_days - 1"),
    (
        "those of its terms",
        "UPDATE commissions SET flat = rate, rate = NULL WHERE kind = 'recurring'",
        "UPDATE commissions SET rate = flat, flat = NULL WHERE kind = 'recurring'",
    ),
    (
        "entries say what its state says",
        "UPDATE ledger_entries SET amount = amount + 1",
        "UPDATE ledger_entries SET amount = amount - 1",
    ),
    (
        "entries say what its state says",
        "UPDATE payments SET disputed_at = 1 WHERE payment_date = '2026-06-17'",
        "UPDATE payments SET disputed_at = NULL WHERE payment_date = '2026-06-17'",
    ),
    (
        "entries say what its state says",
        "UPDATE payments SET disputed_at = NULL WHERE payment_date = '2026-06-18'",
        "UPDATE payments SET disputed_at = 1 WHERE payment_date = '2026-06-18'",
    ),
    (
        "a disputed payment has something left",
        "UPDATE payments SET disputed_at = 1 WHERE payment_date = '2026-06-16'",
        "UPDATE payments SET disputed_at = NULL WHERE payment_date = '2026-06-16'",
    ),
    (
        "of its commission's referrer and currency",
        "UPDATE ledger_entries SET currency = 'EUR'",
        "UPDATE ledger_entries SET currency = 'USD'",
    ),
    (
        "a commission is on its payment",
        "UPDATE payments SET amount = amount + 1",
        "UPDATE payments SET amount = amount - 1",
    ),
    (
        "a payment that earned has a commission",
        "UPDATE payments SET decision = 'waiting'",
        "UPDATE payments SET decision = 'earned'",
    ),
    (
        "what was refunded of a payment",
        "UPDATE payments SET refunded = refunded + 1 WHERE refunded > 0 AND refunded < amount",
        "UPDATE payments SET refunded = refunded - 1 WHERE refunded > 0 AND refunded < amount",
    ),
    (
        "what was refunded of a payment",
        "UPDATE refunds SET amount = amount + 1 WHERE state = 'applied'",
        "UPDATE refunds SET amount = amount - 1 WHERE state = 'applied'",
    ),
    (
        "less refunds, held for its days",
        "UPDATE commissions SET amount = amount + 1 WHERE kind = 'recurring'",
        "UPDATE commissions SET amount = amount - 1 WHERE kind = 'recurring'",
    ),
    (
        "less refunds, held for its days",
        "UPDATE commissions SET taken_back = 1 WHERE amount > 0",
        "UPDATE commissions SET taken_back = 0",
    ),
    (
        "whose payment was wholly refunded",
        "UPDATE commissions SET state = 'pending', void_cause = NULL WHERE state = 'void'",
        "UPDATE commissions SET state = 'void', void_cause = 'refunded' WHERE amount = 0",
    ),
    (
        "a parked refund waits",
        "UPDATE refund_names SET name = 'event:evt_3' WHERE name = 'event:never'",
        "UPDATE refund_names SET name = 'event:never' WHERE name = 'event:evt_3'",
    ),
    (
        "a parked refund waits",
        "UPDATE refund_names SET name = (SELECT max(name) FROM payment_names WHERE name LIKE 'date:%') WHERE name = 'charge:never'",
        "UPDATE refund_names SET name = 'charge:never'
          WHERE refund_id IN (SELECT id FROM refunds WHERE state = 'parked') AND name LIKE 'date:%'",
    ),
    (
        "a name it was asked by",
        "UPDATE payment_names SET payment_id = (SELECT min(id) FROM payments) WHERE name = 'intent:pi_4'",
        "UPDATE payment_names SET payment_id = (SELECT payment_id FROM payment_names WHERE name = 'event:evt_4') WHERE name = 'intent:pi_4'",
    ),
    (
        "every payment has a name",
        "UPDATE payment_names SET payment_id = (SELECT max(id) FROM payments) WHERE name = 'event:evt_3'",
        "UPDATE payment_names SET payment_id = (SELECT id FROM payments WHERE payment_date = '2026-06-16') WHERE name = 'event:evt_3'",
    ),
    (
        "ids that are copied",
        "UPDATE payment_names SET test = true WHERE name = 'event:evt_3'",
        "UPDATE payment_names SET test = false WHERE name = 'event:evt_3'",
    ),
    (
        "ids that are copied",
        "UPDATE refund_names SET business_id = business_id + 1 WHERE name LIKE 'date:%'",
        "UPDATE refund_names SET business_id = business_id - 1 WHERE name LIKE 'date:%'",
    ),
    (
        "ids that are copied",
        "UPDATE refunds SET campaign_id = campaign_id + 1",
        "UPDATE refunds SET campaign_id = campaign_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE cancellations SET business_id = business_id + 1",
        "UPDATE cancellations SET business_id = business_id - 1",
    ),
    (
        "exactly one payment of a lead and product",
        "UPDATE commissions SET kind = 'referral', reason = kind",
        "UPDATE commissions SET kind = reason, reason = NULL",
    ),
    (
        "the payment with the referral rate",
        "UPDATE purchases SET first_payment_id = NULL",
        "UPDATE purchases SET first_payment_id = (SELECT min(id) FROM payments)",
    ),
    (
        "a commission is its lead's",
        "UPDATE commissions SET campaign_id = campaign_id + 1",
        "UPDATE commissions SET campaign_id = campaign_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE leads SET business_id = business_id + 1",
        "UPDATE leads SET business_id = business_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE touches SET business_id = business_id + 1",
        "UPDATE touches SET business_id = business_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE sign_ups SET business_id = business_id + 1",
        "UPDATE sign_ups SET business_id = business_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE payments SET campaign_id = campaign_id + 1",
        "UPDATE payments SET campaign_id = campaign_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE commissions SET product_id = product_id + 1",
        "UPDATE commissions SET product_id = product_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE purchases SET product_id = product_id + 1",
        "UPDATE purchases SET product_id = product_id - 1",
    ),
    (
        "ids that are copied",
        "UPDATE audit_entries SET business_id = business_id + 1",
        "UPDATE audit_entries SET business_id = business_id - 1",
    ),
    (
        "an attributed lead has the touch",
        "UPDATE leads SET touch_id = touch_id + 1",
        "UPDATE leads SET touch_id = touch_id - 1",
    ),
    ("a duplicate holds no attribution", "UPDATE leads SET duplicate_of = id", "UPDATE leads SET duplicate_of = NULL"),
    (
        "whose status is qualified is qualified",
        "UPDATE leads SET status = 'qualified', qualified_at = NULL",
        "UPDATE leads SET status = 'converted', qualified_at = 1",
    ),
    (
        "knows whether it has an active code",
        "UPDATE enrollments SET has_code = NOT has_code",
        "UPDATE enrollments SET has_code = NOT has_code",
    ),
    (
        "the leads counted are",
        "UPDATE counters SET value = value + 1 WHERE name = 'leads'",
        "UPDATE counters SET value = value - 1 WHERE name = 'leads'",
    ),
    (
        "the qualified leads counted",
        "UPDATE counters SET value = value + 1 WHERE name = 'qualified'",
        "UPDATE counters SET value = value - 1 WHERE name = 'qualified'",
    ),
    (
        "counted by status",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'leads.status.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'leads.status.%'",
    ),
    (
        "counted by the day they came",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'users.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'users.%'",
    ),
    (
        "counted by status and source",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'listed.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'listed.%'",
    ),
    (
        "the revenue counted",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'revenue.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'revenue.%'",
    ),
    (
        "the revenue counted of a code",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'revenue.%' AND scope_id IN (SELECT id FROM codes)",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'revenue.%' AND scope_id IN (SELECT id FROM codes)",
    ),
    (
        "the money counted",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'money.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'money.%'",
    ),
    (
        "is in the index of the search",
        "UPDATE search_queue SET scope = scope + 1000000",
        "UPDATE search_queue SET scope = scope - 1000000",
    ),
    ("every business has an owner", "UPDATE memberships SET role = 'viewer'", "UPDATE memberships SET role = 'owner'"),
];

async fn every_broken_invariant_is_named(app: TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann Ash").await;
    shop.referrer("Bea Brook").await;
    shop.lead("jane@example.com", Some(&ann.code)).await;
    shop.pay("jane@example.com", "100", "2026-06-14").await;
    shop.pay("jane@example.com", "100", "2026-06-15").await;
    shop.pay_as("evt_3", "jane@example.com", "100", "2026-06-16").await;
    shop.refund("jane@example.com", day("2026-06-15"), Some("30")).await;
    shop.refund("jane@example.com", day("2026-06-16"), None).await;
    shop.refund("jane@example.com", PaymentRef::id("never"), Some("10")).await;
    let What::Payment(mut named) = shop.payment_event("jane@example.com", "100", "2026-06-19") else { unreachable!() };
    named.names = Names::all_decide(
        [(NameKind::Event, "evt_4"), (NameKind::Intent, "pi_4")].map(|(kind, id)| PaymentName::new(kind, id)),
    );
    shop.send(named).await;
    shop.refund("jane@example.com", PaymentRef::id("pi_4"), Some("10")).await;
    shop.cancel("jane@example.com", "2026-06-20").await;
    for date in ["2026-06-17", "2026-06-18"] {
        shop.pay("jane@example.com", "100", date).await;
        let commission_id = app.number("SELECT max(id) FROM commissions").await;
        shop.send(Approve { commission_id: commission_id.into(), reason: Some("early".into()) }).await;
    }
    shop.dispute(app.number("SELECT max(id) FROM payments").await, true).await;
    for (what, breaks, mends) in BROKEN {
        assert!(check(&app.app.db).await.unwrap().ok, "before {breaks}");
        app.tamper(breaks).await;
        let report = check(&app.app.db).await.unwrap();
        let named = |f: &refdesk::check::Finding| f.rule.contains(what) && !f.broken.is_empty();
        assert!(!report.ok && report.findings.iter().any(named), "{breaks}: {:#?}", report.findings);
        app.tamper(mends).await;
    }
    assert!(check(&app.app.db).await.unwrap().ok);
}

/// The columns that name rows: the table and the column.
const NAMES: [(&str, &str); 19] = [
    ("leads", "campaign_id"),
    ("leads", "referrer_id"),
    ("leads", "enrollment_id"),
    ("leads", "code_id"),
    ("leads", "touch_id"),
    ("touches", "lead_id"),
    ("touches", "code_id"),
    ("touches", "enrollment_id"),
    ("sign_ups", "product_id"),
    ("sign_ups", "lead_id"),
    ("payments", "product_id"),
    ("payments", "lead_id"),
    ("payment_names", "payment_id"),
    ("purchases", "first_payment_id"),
    ("commissions", "payment_id"),
    ("commissions", "terms_id"),
    ("commissions", "enrollment_id"),
    ("ledger_entries", "referrer_id"),
    ("ledger_entries", "commission_id"),
];

/// A row that names one which is not there is refused by the database, or named by the check.
async fn what_is_named_is_there(app: TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann Ash").await;
    shop.sign_up("jane@example.com", Some(&ann.code)).await;
    shop.pay("jane@example.com", "100", "2026-06-14").await;
    app.tamper("SELECT 1").await;
    for (table, column) in NAMES {
        let text = format!("UPDATE {table} SET {column} = -{column}");
        let change = || app.app.db.write(vec![], text.clone(), crate::support::run_text);
        match change().await {
            Ok(changed) => {
                assert!(changed > 0, "{text}: nothing to break");
                let report = check(&app.app.db).await.unwrap();
                let named = format!("names {column} -");
                assert!(
                    report.findings.iter().any(|f| f.broken.iter().any(|b| b.starts_with(table) && b.contains(&named))),
                    "{text}: {report:#?}"
                );
                change().await.unwrap();
            }
            Err(refused) => assert!(refused.to_string().to_lowercase().contains("foreign key"), "{text}: {refused}"),
        }
    }
    assert!(check(&app.app.db).await.unwrap().ok);
}

/// The columns of a version, each with another value.
const TERMS: [(&str, &str); 9] = [
    ("number", "number + 40"),
    ("valid_from", "'2020-01-01'"),
    ("referral_rate", "referral_rate + 1"),
    ("recurring_rate", "recurring_rate + 1"),
    ("recurring_limit", "'months'"),
    ("recurring_count", "recurring_count + 1"),
    ("hold_days", "hold_days + 1"),
    ("created_at", "created_at + 1"),
    ("created_by", "(SELECT min(id) FROM users WHERE id <> COALESCE(terms.created_by, 0))"),
];

/// Terms that no commission was computed from are proved by their seal, before and after they are sealed.
async fn no_column_of_terms_changes_unseen(app: TestApp) {
    let shop = app.shop();
    shop.product("Gift", false).await;
    app.member(Role::Viewer).await;
    let first = "id = (SELECT min(id) FROM terms)";
    for sealed in [false, true] {
        if sealed {
            seal::run(&app.app).await.unwrap();
        }
        for (column, change) in TERMS {
            assert!(check(&app.app.db).await.unwrap().ok, "before {column}");
            let read = format!("SELECT CAST({column} AS TEXT) FROM terms WHERE {first}");
            let before = app.rows::<(Option<String>,)>(&read).await.remove(0).0;
            app.tamper(&format!("UPDATE terms SET {column} = {change} WHERE {first}")).await;
            let report = check(&app.app.db).await.unwrap();
            let said = |f: &refdesk::check::Finding| f.broken.iter().any(|b| b.contains("terms entry"));
            assert!(report.findings.iter().any(said), "{column}, sealed {sealed}: {:#?}", report.findings);
            let before = before.map_or("NULL".to_owned(), |value| format!("'{value}'"));
            app.tamper(&format!("UPDATE terms SET {column} = {before} WHERE {first}")).await;
        }
    }
    app.tamper(
        "INSERT INTO terms (id, product_id, number, valid_from, referral_rate, recurring_rate, recurring_limit,
                            recurring_count, hold_days, created_at)
         SELECT -1, product_id, 99, '2026-01-01', 990000, 0, 'none', 0, 0, created_at FROM terms
          WHERE id = (SELECT min(id) FROM terms)",
    )
    .await;
    let report = check(&app.app.db).await.unwrap();
    assert!(report.findings.iter().flat_map(|f| &f.broken).any(|b| b.contains("terms entries")), "{report:#?}");
}
