//! /inbox: what waits, and the one click that settles it.

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    an_unknown_code_is_settled_by_the_closest_one,
    a_code_like_no_other_asks_who_it_was,
    a_late_claim_shows_its_money_first,
    a_second_payment_is_recorded_once,
    older_payments_are_let_earn,
    a_dismissal_is_taken_back,
    a_refusal_leaves_the_item_open,
    what_is_about_test_data_says_so,
}

pub async fn confirm(page: &Answer) -> Answer {
    let names = page.attrs("form.confirm input[type=hidden]", "name");
    let values = page.attrs("form.confirm input[type=hidden]", "value");
    // As from a tab of its own: the form of one page acts once, which `forms` tests.
    let fields = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).filter(|(name, _)| *name != "stamp");
    let fields: Vec<(&str, &str)> = fields.collect();
    page.visitor.post_form(&page.attr("form.confirm", "action"), &fields).await
}

async fn held(app: &TestApp) -> i64 {
    app.number("SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = 'held'").await
}

async fn open(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM inbox_items WHERE state = 'open'").await
}

async fn an_unknown_code_is_settled_by_the_closest_one(app: TestApp) {
    app.sign_in().await;
    app.get("/inbox").await.is(200).says("Nothing waits");
    let jane = app.shop().referrer("Jane Miller").await;
    let last = if jane.code.ends_with('7') { "8" } else { "7" };
    let heard = format!("{}{last}", &jane.code[..jane.code.len() - 1]);
    let lead = app.shop().lead("amy@example.com", Some(&heard)).await;
    let list = app.get("/inbox").await.is(200).says(&jane.code).says("Jane Miller");
    let (to, code) = (list.attr("[name=to]", "value"), list.attr("[name=code]", "value"));
    let path = list.attr(".item .actions form", "action");
    let fields = [("to", to.as_str()), ("code", code.as_str()), ("back", "/inbox")];
    let done = app.post_form(&path, &fields).await.goes_to("/inbox").follow().await;
    assert_eq!(done.flash(), "amy has a referrer now.");
    assert_eq!(app.number(&format!("SELECT referrer_id FROM leads WHERE id = {lead}")).await, jane.id);
    assert_eq!(app.number(&format!("SELECT code_id FROM leads WHERE id = {lead}")).await.to_string(), code);
    assert_eq!(open(&app).await, 0);
    let again = app.post_form(&path, &fields).await.follow().await;
    assert_eq!(again.flash(), "This item is accepted already.");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'lead.attributed'").await, 1);
    app.get("/inbox?state=accepted").await.says("given to one of the closest codes");
}

async fn a_code_like_no_other_asks_who_it_was(app: TestApp) {
    app.sign_in().await;
    app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some("NOTHING-LIKE-IT")).await;
    let next = app.get("/inbox").await.is(200).attr(".item .actions a.button", "href");
    assert_eq!(next, format!("/leads/{lead}/referrer"));
    app.get(&next).await.is(200).says("Who referred amy?");
}

async fn a_late_claim_shows_its_money_first(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    let list = app.get("/inbox").await.says("came again");
    let path = list.attr(".item .actions form", "action");
    let asked = app.post_form(&path, &[("back", "/inbox")]).await.is(409).says("20.00 USD");
    assert_eq!((held(&app).await, open(&app).await), (0, 1), "nothing is done before it is confirmed");
    confirm(&asked).await.goes_to("/inbox");
    assert_eq!((held(&app).await, open(&app).await), (2_000, 0));
    assert!(confirm(&asked).await.follow().await.flash().contains("already"));
    assert_eq!(held(&app).await, 2_000);
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn a_second_payment_is_recorded_once(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    shop.pay("amy@example.com", "50.00", "2026-06-14").await;
    let list = app.get("/inbox").await.says("50.00 USD").says("100.00 USD");
    let path = list.attr(".item .actions form", "action");
    let asked = app.post_form(&path, &[("back", "/inbox")]).await.is(409).says("10.00 USD");
    confirm(&asked).await.goes_to("/inbox");
    confirm(&asked).await;
    assert_eq!(app.number("SELECT count(*) FROM payments").await, 2);
    assert_eq!((held(&app).await, open(&app).await), (3_000, 0));
}

async fn older_payments_are_let_earn(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-10").await;
    app.clock.advance_days(3);
    app.sign_in().await;
    let another = refdesk::engine::ClaimBy::Enrollment(jane.enrollment_id.into());
    let refdesk::engine::What::AddLead(mut lead) = shop.lead_event("Amy", None, Some(another)) else { unreachable!() };
    lead.contact.email = Some("amy@example.com".into());
    lead.contact.email_key = Some("amy@example.com".into());
    shop.send(refdesk::engine::What::AddLead(lead)).await;
    let list = app.get("/inbox").await.says("1 older payment of amy could earn");
    let path = list.attr(".item .actions form", "action");
    let asked = app.post_form(&path, &[("back", "/inbox")]).await.is(409).says("20.00 USD");
    confirm(&asked).await.goes_to("/inbox");
    assert_eq!((held(&app).await, open(&app).await), (2_000, 0));
}

async fn a_dismissal_is_taken_back(app: TestApp) {
    app.sign_in().await;
    app.shop().lead("amy@example.com", Some("NOBODY99")).await;
    let id = app.number("SELECT id FROM inbox_items").await;
    let list =
        app.post_form(&format!("/inbox/{id}/dismiss"), &[("back", "/inbox")]).await.goes_to("/inbox").follow().await;
    assert_eq!((list.flash(), open(&app).await), ("Dismissed.".into(), 0));
    let again = app.post_form(&format!("/inbox/{id}/dismiss"), &[]).await.follow().await;
    assert_eq!(again.flash(), "This item was dismissed already.");
    assert_eq!(list.attr(".flash form", "action"), format!("/inbox/{id}/reopen"));
    app.post_form(&format!("/inbox/{id}/reopen"), &[("back", "/inbox")]).await.goes_to("/inbox");
    assert_eq!(open(&app).await, 1);
    app.get(&format!("/inbox/{id}")).await.is(200).says("NOBODY99");
    app.post_form(&format!("/inbox/{id}/accept"), &[]).await.is(400);
}

async fn a_refusal_leaves_the_item_open(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.tamper("UPDATE enrollments SET state = 'paused'").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let list = app.get("/inbox").await.says("Jane Miller is paused");
    let path = list.attr(".item .actions form", "action");
    app.tamper("UPDATE enrollments SET state = 'banned'").await;
    let refused = app.post_form(&path, &[("back", "/inbox")]).await.goes_to("/inbox").follow().await;
    assert_eq!(refused.flash(), "That referrer is banned.");
    assert_eq!(open(&app).await, 1);
    app.tamper("UPDATE enrollments SET state = 'paused'").await;
    app.post_form(&path, &[("back", "/inbox")]).await.goes_to("/inbox");
    assert_eq!((open(&app).await, app.number("SELECT referrer_id FROM leads").await), (0, jane.id));
}

async fn what_is_about_test_data_says_so(app: TestApp) {
    app.sign_in().await;
    app.shop().lead("amy@example.com", Some("NO-SUCH-CODE")).await;
    let new = serde_json::json!({ "name": "Tom", "email": "tom@example.com", "code": "NO-SUCH-CODE" });
    app.call("POST", "/v1/leads", &app.key(false).await, Some(new)).await.is(201);
    let list = app.get("/inbox").await.is(200);
    assert_eq!(list.texts(".item:has(.badge.is-test) h2").len(), 1, "{list:?}");
    assert!(list.text(".item:has(.badge.is-test) h2").starts_with("Tom "), "{list:?}");
}
