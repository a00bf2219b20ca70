//! `refdesk check` finds what is broken: each invariant is broken in turn, named, and mended again.

use refdesk::check::check;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    every_broken_invariant_is_named,
}

/// What should hold, a statement that breaks it, and one that mends it.
const BROKEN: [(&str, &str, &str); 25] = [
    (
        "entries say what its state says",
        "UPDATE ledger_entries SET amount = amount + 1",
        "UPDATE ledger_entries SET amount = amount - 1",
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
        "the money counted",
        "UPDATE counters SET value = value + 1 WHERE name LIKE 'money.%'",
        "UPDATE counters SET value = value - 1 WHERE name LIKE 'money.%'",
    ),
    ("every business has an owner", "UPDATE memberships SET role = 'viewer'", "UPDATE memberships SET role = 'owner'"),
];

async fn every_broken_invariant_is_named(app: TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann Ash").await;
    shop.lead("jane@example.com", Some(&ann.code)).await;
    shop.pay("jane@example.com", "100", "2026-06-14").await;
    shop.pay("jane@example.com", "100", "2026-06-15").await;
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
