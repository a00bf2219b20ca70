//! A lead that becomes known by another contact: what waited for it, and whom it turns out to be.

use crate::support::Outcome;
use refdesk::engine::{
    AddLead, ClaimBy, Contact, Dismiss, EditLead, Merge, PayBack, Qualify, Reattribute, SettleItem, What,
};
use refdesk::leads::fields::{LeadFact, LeadFacts};
use refdesk::phone::Phone;
use refdesk::products::NewTerms;

use crate::on_both_databases;
use crate::support::{Referrer, Shop, TestApp, earned, rate};

on_both_databases! {
    a_payment_before_its_lead_had_an_address_is_offered,
    what_a_phone_brings_together_is_decided_in_order_of_its_dates,
    a_sign_up_that_brings_the_address_lets_the_last_day_earn,
    an_address_that_a_rep_brings_offers_what_waited,
    a_payment_that_shows_who_the_lead_is_ends_the_attribution,
    an_edit_that_shows_who_the_lead_is_takes_what_is_unpaid,
    a_merge_that_shows_who_the_lead_is_ends_the_attribution,
    a_referrer_who_becomes_the_lead_earns_no_more,
    an_edited_duplicate_leaves_its_primary_where_it_is_found,
    a_contact_that_is_added_and_a_sign_up_that_repeats_are_audited,
    a_second_lot_of_older_payments_opens_the_item_again,
}

const PHONE: &str = "+1 415 555 2671";

fn rep_s_note(shop: Shop<'_>, address: Option<&str>, referrer: Option<&Referrer>) -> AddLead {
    let claim = referrer.map(|r| ClaimBy::Enrollment(r.enrollment_id.into()));
    let What::AddLead(mut add) = shop.lead_event("Bob", Some(PHONE), claim) else { unreachable!() };
    add.contact.email = address.map(str::to_owned);
    add.contact.email_key = address.map(str::to_owned);
    add
}

/// A rep hears of Bob and notes his number alone.
async fn heard_of_bob(shop: Shop<'_>, referrer: Option<&Referrer>) -> i64 {
    match shop.send(What::AddLead(rep_s_note(shop, None, referrer))).await {
        Outcome::LeadAdded { lead_id, .. } => lead_id,
        other => panic!("{other:?}"),
    }
}

/// The same event with Bob's number.
fn phoned(what: What) -> What {
    let phone = Some(Phone::parse(PHONE, "US").unwrap());
    match what {
        What::Payment(p) => What::Payment(refdesk::engine::Payment { phone, ..p }),
        What::SignUp(s) => What::SignUp(refdesk::engine::SignUp { phone, ..s }),
        other => panic!("{other:?} has no phone"),
    }
}

async fn thirty_ten(shop: Shop<'_>) {
    shop.terms(NewTerms::percent(rate("30"), rate("10"), 14)).await;
}

async fn open_items(app: &TestApp) -> Vec<(String, String)> {
    app.rows("SELECT kind, detail FROM inbox_items WHERE state = 'open' ORDER BY id").await
}

async fn held(app: &TestApp) -> i64 {
    app.number("SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = 'held'").await
}

/// By the date of the payment.
async fn commissions(app: &TestApp) -> Vec<(String, i64)> {
    app.rows(
        "SELECT p.payment_date, c.amount FROM commissions c JOIN payments p ON p.id = c.payment_id
          WHERE c.state <> 'void' ORDER BY p.payment_date",
    )
    .await
}

async fn a_payment_before_its_lead_had_an_address_is_offered(app: TestApp) {
    let shop = app.shop();
    thirty_ten(shop).await;
    let jane = shop.referrer("Jane Miller").await;
    let lead = heard_of_bob(shop, Some(&jane)).await;
    shop.pay("bob@example.com", "100.00", "2026-06-20").await;
    assert_eq!(app.number("SELECT count(*) FROM payments WHERE lead_id IS NULL").await, 1, "nobody knows whose it is");
    app.clock.advance_days(30);
    let next = shop.send(phoned(shop.payment_event("bob@example.com", "50.00", "2026-07-20"))).await;
    assert_eq!(earned(&next).as_deref(), Some("15.00 USD"), "the first that is decided has the referral rate");
    assert_eq!(app.number(&format!("SELECT count(*) FROM payments WHERE lead_id = {lead}")).await, 2);
    assert_eq!(open_items(&app).await[0].0, "older_payments");
    let why = app.rows::<(String,)>("SELECT decision_why FROM payments WHERE decision = 'waiting'").await;
    assert_eq!(why, [("it came before its lead had this address".to_owned(),)]);
    shop.send(PayBack::of(lead.into())).await;
    assert_eq!(commissions(&app).await, [("2026-06-20".into(), 1_000), ("2026-07-20".into(), 1_500)]);
}

async fn what_a_phone_brings_together_is_decided_in_order_of_its_dates(app: TestApp) {
    let shop = app.shop();
    thirty_ten(shop).await;
    let other = shop.product("Team plan", false).await;
    let jane = shop.referrer("Jane Miller").await;
    heard_of_bob(shop, Some(&jane)).await;
    shop.pay("bob@example.com", "100.00", "2026-06-20").await;
    let What::Payment(mut team) = shop.payment_event("bob@example.com", "100.00", "2026-06-17") else { unreachable!() };
    team.of.product_id = other.into();
    shop.send(What::Payment(team)).await;
    let paid = shop.send(phoned(shop.payment_event("bob@example.com", "100.00", "2026-06-19"))).await;
    assert_eq!(earned(&paid).as_deref(), Some("30.00 USD"));
    let all = [("2026-06-17".into(), 2_000), ("2026-06-19".into(), 3_000), ("2026-06-20".into(), 1_000)];
    assert_eq!(commissions(&app).await, all);
    assert!(open_items(&app).await.is_empty());
}

async fn a_sign_up_that_brings_the_address_lets_the_last_day_earn(app: TestApp) {
    let shop = app.shop();
    thirty_ten(shop).await;
    let jane = shop.referrer("Jane Miller").await;
    let lead = heard_of_bob(shop, Some(&jane)).await;
    shop.pay("bob@example.com", "40.00", "2026-06-18").await;
    app.clock.advance_days(2);
    shop.pay("bob@example.com", "100.00", "2026-06-22").await;
    let known = shop.send(phoned(shop.sign_up_event("bob@example.com", None))).await;
    assert!(matches!(known, Outcome::SignedUp { lead_id, known: true, .. } if lead_id == lead), "{known:?}");
    assert_eq!(commissions(&app).await, [("2026-06-22".into(), 3_000)], "the older one waits for a person");
    assert_eq!(open_items(&app).await[0].0, "older_payments");
    shop.send(PayBack::of(lead.into())).await;
    assert_eq!(held(&app).await, 3_400);
}

async fn an_address_that_a_rep_brings_offers_what_waited(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = heard_of_bob(shop, Some(&jane)).await;
    shop.pay("bob@example.com", "100.00", "2026-06-20").await;
    let known = shop.send(What::AddLead(rep_s_note(shop, Some("bob@example.com"), None))).await;
    assert!(matches!(known, Outcome::LeadKnown { lead_id, .. } if lead_id == lead), "{known:?}");
    assert_eq!(held(&app).await, 0, "what staff bring together earns after a preview");
    assert_eq!(open_items(&app).await[0].0, "older_payments");
    shop.send(PayBack::of(lead.into())).await;
    assert_eq!(held(&app).await, 2_000);
}

async fn referrer_of(app: &TestApp, lead: i64) -> Option<i64> {
    app.rows::<(Option<i64>,)>(&format!("SELECT referrer_id FROM leads WHERE id = {lead}")).await[0].0
}

/// The lead has nobody any more, a person is asked, and the audit says why.
async fn turned_out_to_be_the_referrer(app: &TestApp, lead: i64) {
    assert_eq!(referrer_of(app, lead).await, None);
    assert_eq!(open_items(app).await[0].0, "self_referral");
    let why = app.rows::<(String,)>("SELECT reason FROM audit_entries WHERE action = 'lead.attributed'").await;
    assert_eq!(why, [("the referrer and the lead are the same person".to_owned(),)]);
}

async fn a_payment_that_shows_who_the_lead_is_ends_the_attribution(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 500}'").await;
    let jane = shop.referrer("Jane Miller").await;
    let lead = heard_of_bob(shop, Some(&jane)).await;
    shop.send(Qualify { lead_id: lead.into(), qualified: true, reason: None }).await;
    assert_eq!(held(&app).await, 500);
    let paid = shop.send(phoned(shop.payment_event("jane.miller@example.org", "100.00", "2026-06-20"))).await;
    assert_eq!(earned(&paid), None);
    turned_out_to_be_the_referrer(&app, lead).await;
    assert_eq!(held(&app).await, 0, "the reward goes as well");
    // Somebody else referred her: then it is theirs.
    let tom = shop.referrer("Tom Ash").await;
    let to = Some(tom.enrollment_id);
    let reason = "he did".to_owned();
    shop.send(Reattribute { lead_id: lead.into(), to: to.map(Into::into), code_id: None, reason, pay_back: true })
        .await;
    assert_eq!(held(&app).await, 2_500);
}

fn known_as(address: &str) -> Box<Contact> {
    let (email, email_key) = (Some(address.to_owned()), Some(address.to_owned()));
    Box::new(Contact { name: "Amy".into(), email, email_key, ..Contact::default() })
}

async fn an_edit_that_shows_who_the_lead_is_takes_what_is_unpaid(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-18").await;
    shop.pay("amy@example.com", "50.00", "2026-06-19").await;
    shop.pay_commission(app.number("SELECT id FROM commissions WHERE amount = 2000").await).await;
    let contact = known_as("jane.miller@example.org");
    shop.send(EditLead { lead_id: lead.into(), contact, active: true }).await;
    turned_out_to_be_the_referrer(&app, lead).await;
    let states: Vec<(String, Option<String>)> = app.rows("SELECT state, void_cause FROM commissions ORDER BY id").await;
    assert_eq!(states, [("paid".into(), None), ("void".into(), Some("self-referral".into()))]);
}

async fn a_merge_that_shows_who_the_lead_is_ends_the_attribution(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    app.arrange("UPDATE referrers SET phone = '+14155552671', phone_key = '+14155552671'").await;
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    let heard = heard_of_bob(shop, None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-18").await;
    assert_eq!(held(&app).await, 2_000);
    shop.send(Merge { lead_id: heard.into(), into: amy.into() }).await;
    turned_out_to_be_the_referrer(&app, amy).await;
    assert_eq!(held(&app).await, 0);
}

async fn a_referrer_who_becomes_the_lead_earns_no_more(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    for day in 1..=3 {
        shop.pay("amy@example.com", "100.00", &format!("2026-06-0{day}")).await;
    }
    app.arrange("UPDATE referrers SET email = 'amy@example.com', email_key = 'amy@example.com'").await;
    assert_eq!(earned(&shop.pay("amy@example.com", "100.00", "2026-06-20").await), None);
    turned_out_to_be_the_referrer(&app, amy).await;
    assert_eq!(held(&app).await, 0, "what earlier payments earned is not hers either");
}

async fn an_edited_duplicate_leaves_its_primary_where_it_is_found(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    let mut repeat = rep_s_note(shop, Some("amy@example.com"), None);
    repeat.repeats_allowed = true;
    let Outcome::LeadAdded { lead_id: repeat, .. } = shop.send(What::AddLead(repeat)).await else { panic!("known") };
    let bob = heard_of_bob(shop, None).await;
    let edit = |lead_id: i64, address: &str| {
        What::EditLead(EditLead { lead_id: lead_id.into(), contact: known_as(address), active: true })
    };
    // In one slice: what the edits leave behind is found by what follows.
    let outcomes = shop
        .send_all(vec![
            edit(repeat, "amy.two@example.com"),
            shop.payment_event("amy@example.com", "100.00", "2026-06-20"),
            edit(bob, "bob@example.com"),
            What::AddLead(rep_s_note(shop, None, None)),
        ])
        .await;
    assert!(matches!(outcomes[1], Outcome::PaymentRecorded { lead_id: Some(id), .. } if id == amy), "{outcomes:?}");
    assert!(matches!(outcomes[3], Outcome::LeadAdded { .. }), "the number is nobody's any more: {outcomes:?}");
}

async fn a_contact_that_is_added_and_a_sign_up_that_repeats_are_audited(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = heard_of_bob(shop, Some(&jane)).await;
    shop.send(phoned(shop.payment_event("bob@example.com", "100.00", "2026-06-20"))).await;
    let edits = format!("SELECT before, after FROM audit_entries WHERE action = 'lead.edited' AND lead_id = {lead}");
    let (before, after) = app.rows::<(String, String)>(&edits).await.remove(0);
    assert!(before.contains("\"email\":null") && after.contains("\"email\":\"bob@example.com\""), "{before} {after}");
    shop.sign_up("bob@example.com", None).await;
    let entries = app.number("SELECT count(*) FROM audit_entries").await;
    shop.sign_up("bob@example.com", Some("OTHER-CODE")).await;
    let after = app.rows::<(String,)>("SELECT after FROM audit_entries WHERE action = 'lead.touched'").await;
    assert!(after.len() == 1 && after[0].0.contains("OTHER-CODE"), "{after:?}");
    shop.sign_up("bob@example.com", Some("OTHER-CODE")).await;
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, entries + 1, "the same again says nothing new");
}

async fn a_second_lot_of_older_payments_opens_the_item_again(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead_id = heard_of_bob(shop, Some(&jane)).await;
    shop.pay("bob@example.com", "100.00", "2026-06-17").await;
    shop.pay("bob@example.org", "50.00", "2026-06-18").await;
    let now_known_as = async |address: &str| {
        shop.send(EditLead { lead_id: lead_id.into(), contact: known_as(address), active: true }).await;
        app.number("SELECT count(*) FROM inbox_items WHERE state = 'open'").await
    };
    assert_eq!(now_known_as("bob@example.com").await, 1);
    let item_id = app.number("SELECT id FROM inbox_items").await;
    shop.send(Dismiss { item_id: item_id.into() }).await;
    let contact = Box::new(Contact {
        facts: LeadFacts::default().with(LeadFact::Company, "Harbour"),
        ..*known_as("bob@example.com")
    });
    shop.send(EditLead { lead_id: lead_id.into(), contact, active: true }).await;
    assert!(open_items(&app).await.is_empty(), "the same payments were dismissed");
    assert_eq!(now_known_as("bob@example.org").await, 1, "another payment waits beside it");
    assert!(open_items(&app).await[0].1.contains("\"count\":2"));
    let by = Box::new(What::PayBack(PayBack::of(lead_id.into())));
    shop.send(SettleItem { item_id: item_id.into(), by, outcome: "let earn".into() }).await;
    assert_eq!((held(&app).await, open_items(&app).await.len()), (3_000, 0));
    shop.pay("bob@example.net", "10.00", "2026-06-19").await;
    assert_eq!(now_known_as("bob@example.net").await, 1, "and a third one after they were let earn");
    let closed = app.rows::<(Option<String>, Option<i64>)>("SELECT outcome, closed_at FROM inbox_items").await;
    assert_eq!(closed, [(None, None)]);
}
