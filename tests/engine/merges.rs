//! Two rows of one person become one lead.

use refdesk::engine::{Approve, ClaimBy, Merge, What};
use refdesk::referrers::{self, NewFacts};

use crate::on_both_databases;
use crate::support::{Outcome, Shop, TestApp, actor, address_of, email};

on_both_databases! {
    a_code_that_only_the_repeat_brought_counts_after_the_merge,
    a_touch_of_the_repeat_that_came_before_the_primary_s_counts,
    a_repeat_with_a_code_is_offered_for_a_primary_without_one,
    an_address_that_a_third_lead_has_is_refused_by_name,
    two_leads_that_both_were_paid_for_stay_apart,
    a_touch_of_the_person_themselves_leaves_the_next_one_to_count,
    a_referrer_who_takes_the_address_of_their_lead_loses_what_is_unpaid,
    a_referrer_who_became_the_lead_is_not_approved,
}

/// A form of the leads contract, which takes repeats; answers the lead's id.
async fn form(shop: Shop<'_>, name: &str, code: Option<&str>) -> i64 {
    let What::AddLead(mut add) = shop.lead_event(name, None, code.map(|c| ClaimBy::Code(c.to_owned()))) else {
        unreachable!()
    };
    add.repeats_allowed = true;
    match shop.send(What::AddLead(add)).await {
        Outcome::LeadAdded { lead_id, .. } => lead_id,
        other => panic!("{other:?}"),
    }
}

async fn merge(shop: Shop<'_>, lead_id: i64, into: i64) -> Outcome {
    shop.send(Merge { lead_id: lead_id.into(), into: into.into() }).await
}

async fn referrer_of(app: &TestApp, lead: i64) -> Option<i64> {
    app.rows::<(Option<i64>,)>(&format!("SELECT referrer_id FROM leads WHERE id = {lead}")).await[0].0
}

async fn held(app: &TestApp, referrer: i64) -> i64 {
    let sum = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries";
    app.number(&format!("{sum} WHERE account = 'held' AND referrer_id = {referrer}")).await
}

async fn items(app: &TestApp) -> Vec<(String, Option<i64>)> {
    app.rows("SELECT kind, lead_id FROM inbox_items WHERE state = 'open' ORDER BY id").await
}

async fn a_code_that_only_the_repeat_brought_counts_after_the_merge(app: TestApp) {
    let shop = app.shop();
    let tom = shop.referrer("Tom Ash").await;
    let primary = form(shop, "Amy Pond", None).await;
    let repeat = form(shop, "Amy Pond", Some(&tom.code)).await;
    shop.pay(&address_of("Amy Pond"), "100.00", "2026-06-20").await;
    assert_eq!(held(&app, tom.id).await, 0);
    let event = shop.event(Merge { lead_id: repeat.into(), into: primary.into() });
    let (_, work) = app.app.engine.preview(vec![event]).await.unwrap();
    let moves = refdesk::engine::Moves::of(&work);
    assert_eq!(moves.created.iter().map(|m| m.amount).collect::<Vec<_>>(), [2_000], "the preview shows it");
    merge(shop, repeat, primary).await;
    assert_eq!((referrer_of(&app, primary).await, held(&app, tom.id).await), (Some(tom.id), 2_000));
    let arrival = app.rows::<(String,)>(&format!("SELECT arrival FROM leads WHERE id = {primary}")).await;
    assert_ne!(arrival[0].0, "staff", "the touch itself counts, as if it had always been there");
}

async fn a_touch_of_the_repeat_that_came_before_the_primary_s_counts(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let primary = form(shop, "Amy Pond", None).await;
    let repeat = form(shop, "Amy Pond", Some(&tom.code)).await;
    app.clock.advance_days(1);
    shop.sign_up(&address_of("Amy Pond"), Some(&jane.code)).await;
    shop.pay(&address_of("Amy Pond"), "100.00", "2026-06-20").await;
    assert_eq!((referrer_of(&app, primary).await, held(&app, jane.id).await), (Some(jane.id), 2_000));
    merge(shop, repeat, primary).await;
    assert_eq!(referrer_of(&app, primary).await, Some(tom.id));
    assert_eq!((held(&app, jane.id).await, held(&app, tom.id).await), (0, 2_000));
}

async fn a_repeat_with_a_code_is_offered_for_a_primary_without_one(app: TestApp) {
    let shop = app.shop();
    let tom = shop.referrer("Tom Ash").await;
    let primary = form(shop, "Amy Pond", None).await;
    form(shop, "Amy Pond", Some(&tom.code)).await;
    assert_eq!(items(&app).await, [("late_claim".to_owned(), Some(primary))]);
    form(shop, "Amy Pond", Some(&tom.code)).await;
    assert_eq!(items(&app).await.len(), 1, "the same again is counted on the item");
}

async fn an_address_that_a_third_lead_has_is_refused_by_name(app: TestApp) {
    let shop = app.shop();
    let holder = form(shop, "Amy Pond", None).await;
    let repeat = form(shop, "Amy Pond", None).await;
    let What::AddLead(mut add) = shop.lead_event("Amelia", Some("+1 415 555 2671"), None) else { unreachable!() };
    (add.contact.email, add.contact.email_key) = (None, None);
    let Outcome::LeadAdded { lead_id: by_phone, .. } = shop.send(What::AddLead(add)).await else { panic!("known") };
    let Outcome::Refused { why } = merge(shop, repeat, by_phone).await else { panic!("merged") };
    let name = refdesk::id::render(refdesk::id::Kind::Lead, holder);
    assert!(why.contains(&name), "{why}");
    assert_eq!(merge(shop, repeat, holder).await, Outcome::Done { id: holder, changed: true });
}

async fn two_leads_that_both_were_paid_for_stay_apart(app: TestApp) {
    let shop = app.shop();
    let (amy, bea) = (form(shop, "Amy Pond", None).await, form(shop, "Bea Pond", None).await);
    for name in ["Amy Pond", "Bea Pond"] {
        shop.pay(&address_of(name), "100.00", "2026-06-20").await;
    }
    for (lead, into) in [(amy, bea), (bea, amy)] {
        let Outcome::Refused { why } = merge(shop, lead, into).await else { panic!("merged") };
        assert!(why.starts_with("Both leads"), "{why}");
    }
}

async fn a_touch_of_the_person_themselves_leaves_the_next_one_to_count(app: TestApp) {
    let shop = app.shop();
    let (amy, tom) = (shop.referrer("Amy Pond").await, shop.referrer("Tom Ash").await);
    // By phone nobody knows yet that it is Amy.
    let What::AddLead(mut add) = shop.lead_event("Amelia", Some("+1 415 555 2671"), Some(ClaimBy::Code(amy.code)))
    else {
        unreachable!()
    };
    (add.contact.email, add.contact.email_key) = (None, None);
    let Outcome::LeadAdded { lead_id: by_phone, .. } = shop.send(What::AddLead(add)).await else { panic!("known") };
    app.clock.advance_days(1);
    let by_address = form(shop, "Amy Pond", Some(&tom.code)).await;
    merge(shop, by_phone, by_address).await;
    assert_eq!(referrer_of(&app, by_address).await, Some(tom.id));
}

fn facts(name: &str, address: &str) -> NewFacts {
    NewFacts { name: name.into(), email: Some(email(address)), phone: None, company: None, marks: None }
}

async fn a_referrer_who_takes_the_address_of_their_lead_loses_what_is_unpaid(app: TestApp) {
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    let bob = shop.lead("bob@example.com", Some(&tom.code)).await;
    for address in ["amy@example.com", "bob@example.com"] {
        shop.pay(address, "100.00", "2026-06-20").await;
    }
    let business = app.business.id;
    referrers::edit(&app.app, &actor(), business, jane.id, facts("Jane Miller", "Amy@Example.com"), None)
        .await
        .unwrap();
    assert_eq!((referrer_of(&app, amy).await, held(&app, jane.id).await), (None, 0));
    assert_eq!(items(&app).await, [("self_referral".to_owned(), Some(amy))]);
    let amend = referrers::Amend { email: Some(email("bob@example.com")), ..Default::default() };
    referrers::amend(&app.app, &actor(), business, tom.id, amend).await.unwrap();
    assert_eq!((referrer_of(&app, bob).await, held(&app, tom.id).await), (None, 0));
}

async fn a_referrer_who_became_the_lead_is_not_approved(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    // As a node leaves it that dies between the two writes.
    app.arrange("UPDATE referrers SET email = 'amy@example.com', email_key = 'amy@example.com'").await;
    app.clock.advance_days(60);
    let id = app.number("SELECT id FROM commissions").await;
    shop.send(Approve { commission_id: id.into(), reason: None }).await;
    assert_eq!((referrer_of(&app, amy).await, held(&app, jane.id).await), (None, 0));
    assert_eq!(app.rows::<(String,)>("SELECT state FROM commissions").await[0].0, "void");
}
