//! When a referral counts, and what that earns: product rules 9 and 10.

use crate::support::Outcome;
use refdesk::engine::{Approve, Changed, PayBack, Qualify, Reattribute, Refusal, Rejected, SetStatus, Void, What};

use crate::inbox::confirm;
use crate::on_both_databases;
use crate::support::{Referrer, TestApp};

on_both_databases! {
    by_hand_is_once_and_undone_once,
    the_campaign_decides_what_qualifies,
    a_reward_follows_the_toggle_exactly_once,
    a_reward_that_comes_back_is_as_it_was_decided,
    a_reward_that_staff_voided_is_not_made_again,
    a_reward_in_doubt_waits_for_a_person,
    a_reward_in_doubt_is_asked_about_at_any_time,
    a_reward_in_doubt_is_for_whom_it_was_asked,
    without_a_reward_nothing_is_in_doubt,
    a_reward_is_found_among_very_many,
    more_than_is_looked_at_at_once_is_refused,
    an_approved_reward_is_taken_back,
    holds_end_on_the_business_s_day,
    staff_approve_earlier_and_void_with_a_reason,
    a_campaign_s_rule_fires_once,
}

fn toggle(lead_id: i64, qualified: bool) -> What {
    What::Qualify(Qualify { lead_id: lead_id.into(), qualified, reason: None })
}

async fn status(app: &TestApp) -> (String, bool) {
    let rows: Vec<(String, Option<i64>)> = app.rows("SELECT status, qualified_at FROM leads").await;
    (rows[0].0.clone(), rows[0].1.is_some())
}

async fn balance(app: &TestApp, account: &str) -> i64 {
    let sum =
        format!("SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = '{account}'");
    app.number(&sum).await
}

async fn by_hand_is_once_and_undone_once(app: TestApp) {
    let shop = app.shop();
    let lead_id = shop.lead("amy@example.com", None).await;
    shop.send(SetStatus { lead_id: lead_id.into(), status: refdesk::engine::Status::Contacted }).await;
    let yes = Outcome::Qualification { lead_id, changed: Changed::Yes };
    let already = Outcome::Qualification { lead_id, changed: Changed::Already };
    assert_eq!(shop.send(toggle(lead_id, true)).await, yes);
    assert_eq!(status(&app).await, ("qualified".into(), true));
    let audited = app.number("SELECT count(*) FROM audit_entries").await;
    assert_eq!(shop.send(toggle(lead_id, true)).await, already);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries").await, audited, "nothing happened, nothing is audited");
    assert_eq!(shop.send(toggle(lead_id, false)).await, yes);
    assert_eq!(status(&app).await, ("contacted".into(), false), "the status before comes back");
    assert_eq!(shop.send(toggle(lead_id, false)).await, already);
    assert_eq!(shop.send(toggle(987_654_321, true)).await, Outcome::NotFound);
    // A converted lead stays converted.
    shop.pay("amy@example.com", "10.00", "2026-06-20").await;
    shop.send(toggle(lead_id, false)).await;
    assert_eq!(status(&app).await, ("converted".into(), false));
}

async fn the_campaign_decides_what_qualifies(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'sign_up'").await;
    shop.lead("amy@example.com", None).await;
    assert_eq!(status(&app).await, ("qualified".into(), true));

    app.arrange("UPDATE campaigns SET qualify_on = 'payment', qualify_least = '{\"USD\": 5000}'").await;
    let bob = shop.lead("bob@example.com", None).await;
    let qualified = format!("SELECT count(*) FROM leads WHERE id = {bob} AND qualified_at IS NOT NULL");
    shop.pay("bob@example.com", "49.99", "2026-06-01").await;
    shop.pay("bob@example.com", "100.00 EUR", "2026-06-02").await;
    assert_eq!(app.number(&qualified).await, 0);
    shop.pay("bob@example.com", "50.00", "2026-06-03").await;
    assert_eq!(app.number(&qualified).await, 1);

    // Within so many days of the lead.
    app.arrange("UPDATE campaigns SET qualify_least = '{}', qualify_days = 30").await;
    let (dan, gil) = (shop.lead("dan@example.com", None).await, shop.lead("gil@example.com", None).await);
    let qualified = |id: i64| format!("SELECT count(*) FROM leads WHERE id = {id} AND qualified_at IS NOT NULL");
    app.clock.advance_days(31);
    shop.pay("gil@example.com", "1.00", "2026-07-21").await;
    assert_eq!(app.number(&qualified(gil)).await, 0, "a day too late");
    shop.pay("dan@example.com", "1.00", "2026-07-20").await;
    assert_eq!(app.number(&qualified(dan)).await, 1, "the last day");

    app.arrange("UPDATE campaigns SET qualify_on = 'hand'").await;
    let eve = shop.lead("eve@example.com", None).await;
    shop.pay("eve@example.com", "500.00", "2026-06-01").await;
    let rows: Vec<(String, Option<i64>)> =
        app.rows(&format!("SELECT status, qualified_at FROM leads WHERE id = {eve}")).await;
    assert_eq!(rows, [("converted".into(), None)]);
}

async fn a_campaign_s_rule_fires_once(app: TestApp) {
    let shop = app.shop();
    let lead_id = shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "10.00", "2026-06-01").await;
    shop.send(toggle(lead_id, false)).await;
    shop.pay("amy@example.com", "10.00", "2026-06-02").await;
    assert!(!status(&app).await.1, "what a person took back, the rule does not give again");
}

async fn a_reward_follows_the_toggle_exactly_once(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}', reward_hold_days = 7").await;
    let jane = shop.referrer("Jane Miller").await;
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    for _ in 0..2 {
        shop.send(toggle(lead_id, true)).await;
        assert_eq!(balance(&app, "held").await, 2_500);
    }
    shop.pay("amy@example.com", "100.00", "2026-06-20").await;
    assert_eq!(balance(&app, "held").await, 4_500);
    shop.send(toggle(lead_id, false)).await;
    assert_eq!(balance(&app, "held").await, 2_000, "what payments earned is not touched");
    shop.send(toggle(lead_id, true)).await;
    shop.send(toggle(lead_id, true)).await;
    assert_eq!(balance(&app, "held").await, 4_500);
    let live = "SELECT count(*) FROM commissions WHERE kind = 'reward' AND state <> 'void'";
    assert_eq!(app.number(live).await, 1);
}

async fn a_reward_that_comes_back_is_as_it_was_decided(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}', reward_hold_days = 7").await;
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.send(toggle(lead_id, true)).await;
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 9900}', reward_hold_days = 60").await;
    app.clock.advance_days(3);
    shop.send(toggle(lead_id, false)).await;
    shop.send(toggle(lead_id, true)).await;
    let rewards = "SELECT referrer_id, state, amount, hold_until FROM commissions ORDER BY id";
    let hers = (jane.id, "pending".to_owned(), 2_500, "2026-06-27".to_owned());
    assert_eq!(app.rows::<(i64, String, i64, String)>(rewards).await, std::slice::from_ref(&hers));
    // To Tom and back, un-qualified and qualified again on the way: one reward at a time, never another one.
    let to = |r: &crate::support::Referrer| {
        What::Reattribute(Reattribute {
            lead_id: lead_id.into(),
            to: Some(r.enrollment_id.into()),
            code_id: None,
            reason: "a test".into(),
            pay_back: false,
        })
    };
    shop.send_all(vec![to(&tom), toggle(lead_id, false), toggle(lead_id, true), to(&jane)]).await;
    let rows = app.rows::<(i64, String, i64, String)>(rewards).await;
    let his = (tom.id, "void".to_owned(), 2_500, "2026-06-27".to_owned());
    assert_eq!(rows, [hers.clone(), his.clone()]);
    shop.send_all(vec![toggle(lead_id, false), to(&tom), toggle(lead_id, true)]).await;
    let rows = app.rows::<(i64, String, i64, String)>(rewards).await;
    assert_eq!(rows, [(jane.id, "void".into(), 2_500, hers.3), (tom.id, "pending".into(), 2_500, his.3)]);
    assert_eq!(balance(&app, "held").await, 2_500);
}

async fn a_reward_that_staff_voided_is_not_made_again(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}'").await;
    let jane = shop.referrer("Jane Miller").await;
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.send(toggle(lead_id, true)).await;
    let reward = app.number("SELECT id FROM commissions").await;
    shop.send(Void { commission_id: reward.into(), reason: "fraud".into() }).await;
    shop.send(toggle(lead_id, false)).await;
    shop.send(toggle(lead_id, true)).await;
    shop.send(PayBack::of(lead_id.into())).await;
    assert_eq!(balance(&app, "held").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 1);
}

/// Staff voided what Jane earned with the lead. Then the lead is Tom's.
async fn voided_and_moved(app: &TestApp, qualified_before: bool) -> (i64, Referrer) {
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 2500}'").await;
    voided(app, qualified_before).await
}

async fn voided(app: &TestApp, qualified_before: bool) -> (i64, Referrer) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand'").await;
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ford").await);
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    if qualified_before {
        shop.send(toggle(lead_id, true)).await;
    }
    let earned = app.number("SELECT id FROM commissions WHERE kind <> 'reward'").await;
    shop.send(Void { commission_id: earned.into(), reason: "fraud".into() }).await;
    let to = Reattribute {
        lead_id: lead_id.into(),
        to: Some(tom.enrollment_id.into()),
        code_id: None,
        reason: "she asked Tom".into(),
        pay_back: true,
    };
    shop.send(to).await;
    (lead_id, tom)
}

const ASKED: &str = "SELECT count(*) FROM inbox_items WHERE kind = 'reward_in_doubt' AND state = 'open'";

async fn a_reward_in_doubt_waits_for_a_person(app: TestApp) {
    let (lead_id, tom) = voided_and_moved(&app, true).await;
    assert_eq!((balance(&app, "held").await, app.number(ASKED).await), (0, 1));
    // The terms of the reward are those of the day it was decided.
    app.arrange("UPDATE campaigns SET reward = '{\"USD\": 9900}'").await;
    app.shop().send(PayBack::of(lead_id.into())).await;
    assert_eq!(balance(&app, "held").await, 0, "that is about payments");
    app.shop().send(PayBack::reward(lead_id.into(), tom.id.into())).await;
    let his = format!("SELECT CAST(sum(amount) AS BIGINT) FROM ledger_entries WHERE referrer_id = {}", tom.id);
    assert_eq!((app.number(&his).await, balance(&app, "held").await), (2_500, 2_500));
}

async fn a_reward_in_doubt_is_asked_about_at_any_time(app: TestApp) {
    let (lead_id, tom) = voided_and_moved(&app, false).await;
    assert_eq!(app.number(ASKED).await, 0);
    app.shop().send(toggle(lead_id, true)).await;
    assert_eq!((balance(&app, "held").await, app.number(ASKED).await), (0, 1));
    app.sign_in().await;
    let list = app.get("/inbox").await.says("Does Tom Ford get the reward for amy?");
    let path = list.attr(".item .actions form", "action");
    let asked = app.post_form(&path, &[("back", "/inbox")]).await.is(409).says("25.00 USD");
    confirm(&asked).await.goes_to("/inbox");
    let his = format!("SELECT amount FROM commissions WHERE state = 'pending' AND referrer_id = {}", tom.id);
    assert_eq!((app.number(&his).await, app.number(ASKED).await), (2_500, 0));
}

async fn a_reward_in_doubt_is_for_whom_it_was_asked(app: TestApp) {
    let (lead_id, tom) = voided_and_moved(&app, true).await;
    let sam = app.shop().referrer("Sam Hill").await;
    let tom_s = app.number("SELECT id FROM inbox_items").await;
    let to = Some(sam.enrollment_id.into());
    let reason = "it was Sam".to_owned();
    app.shop().send(Reattribute { lead_id: lead_id.into(), to, code_id: None, reason, pay_back: true }).await;
    assert_eq!((balance(&app, "held").await, app.number(ASKED).await), (0, 2));
    app.sign_in().await;
    let page = app.get(&format!("/inbox/{tom_s}")).await.says("Sam Hill counts as the referrer by now");
    assert!(!page.says("Does Tom Ford").has(&format!("form[action='/inbox/{tom_s}/accept']")));
    app.post_form(&format!("/inbox/{tom_s}/accept"), &[]).await.is(400);
    // The rules refuse it as well, where Sam came between the look and the click.
    let refused =
        app.app.engine.one_of(app.shop().event(PayBack::reward(lead_id.into(), tom.id.into()))).await.unwrap();
    assert!(matches!(refused, Err(Rejected::Refused(Refusal::NoRewardDue))), "{refused:?}");
    app.shop().send(PayBack::reward(lead_id.into(), sam.id.into())).await;
    let again = app.app.engine.one_of(app.shop().event(PayBack::reward(lead_id.into(), sam.id.into()))).await.unwrap();
    assert!(matches!(again, Err(Rejected::Refused(Refusal::NoRewardDue))), "{again:?}");
    let his = format!("SELECT amount FROM commissions WHERE state = 'pending' AND referrer_id = {}", sam.id);
    assert_eq!((app.number(&his).await, balance(&app, "held").await), (2_500, 2_500));
}

async fn without_a_reward_nothing_is_in_doubt(app: TestApp) {
    app.arrange("UPDATE campaigns SET reward = '{}'").await;
    let (lead_id, _) = voided(&app, true).await;
    app.shop().send(PayBack::of(lead_id.into())).await;
    assert_eq!((balance(&app, "held").await, app.number(ASKED).await), (0, 0));
}

const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 20001)";

async fn a_reward_is_found_among_very_many(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}'").await;
    let jane = shop.referrer("Jane Miller").await;
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.send(toggle(lead_id, true)).await;
    let columns = "business_id, campaign_id, test, kind, lead_id, referrer_id, enrollment_id, flat, base_amount, amount, currency, hold_days, hold_until";
    let voided = "'void', 'unqualified', released, created_at, updated_at FROM commissions, n";
    app.arrange(&format!(
        "INSERT INTO commissions (id, {columns}, state, reason, released, created_at, updated_at) {NUMBERS} SELECT -i, {columns}, {voided}"
    ))
    .await;
    shop.send(toggle(lead_id, false)).await;
    assert_eq!(balance(&app, "held").await, 0);
}

async fn more_than_is_looked_at_at_once_is_refused(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let (many, few) = (shop.lead("amy@example.com", None).await, shop.lead("bob@example.com", None).await);
    for address in ["amy@example.com", "bob@example.com"] {
        shop.pay(address, "1.00", "2026-06-20").await;
    }
    let columns = "business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency, subscription_status, payment_date";
    let rest = "body_hash, decision, decision_why, repeats, received_at, updated_at";
    app.tamper(&format!(
        "INSERT INTO payments (id, {columns}, {rest}) {NUMBERS}
         SELECT -i, {columns}, {rest} FROM payments, n WHERE email_key = 'amy@example.com'"
    ))
    .await;
    let to = |lead_id: i64| {
        What::Reattribute(Reattribute {
            lead_id: lead_id.into(),
            to: Some(jane.enrollment_id.into()),
            code_id: None,
            reason: "a test".into(),
            pay_back: true,
        })
    };
    let outcomes = shop.send_all(vec![to(many), to(few)]).await;
    assert!(matches!(&outcomes[0], Outcome::Refused { why } if why.contains("at once")), "{outcomes:?}");
    assert_eq!(outcomes[1], Outcome::Done { id: few, changed: true });
    assert_eq!(balance(&app, "held").await, 20);
    let many_qualified = shop.send(toggle(many, true)).await;
    assert!(matches!(many_qualified, Outcome::Qualification { changed: Changed::Already, .. }), "{many_qualified:?}");
}

async fn an_approved_reward_is_taken_back(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE campaigns SET qualify_on = 'hand', reward = '{\"USD\": 2500}', reward_hold_days = 0").await;
    let jane = shop.referrer("Jane Miller").await;
    let lead_id = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.send(toggle(lead_id, true)).await;
    app.clock.advance_days(1);
    assert_eq!(refdesk::sweep::all(&app.app).await.unwrap().approved, 1);
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 2_500));
    shop.send(toggle(lead_id, false)).await;
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 0));
}

async fn holds_end_on_the_business_s_day(app: TestApp) {
    let shop = app.shop();
    app.arrange("UPDATE businesses SET timezone = 'Pacific/Kiritimati'").await;
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let held_until: Vec<(String,)> = app.rows("SELECT hold_until FROM commissions").await;
    assert_eq!(held_until[0].0, "2026-06-28");
    let at = |text: &str| refdesk::clock::Instant::parse_rfc3339(text).unwrap();
    // In Kiritimati, 14 hours ahead, the 28th ends at 10:00 UTC.
    app.clock.set(at("2026-06-28T09:59:59Z"));
    assert_eq!(refdesk::sweep::all(&app.app).await.unwrap().approved, 0);
    app.clock.set(at("2026-06-28T10:00:00Z"));
    assert_eq!(refdesk::sweep::all(&app.app).await.unwrap().approved, 1);
    assert_eq!(refdesk::sweep::all(&app.app).await.unwrap().approved, 0);
    // A clock that goes back approves nothing twice and takes nothing back.
    app.clock.set(at("2026-06-20T00:00:00Z"));
    assert_eq!(refdesk::sweep::all(&app.app).await.unwrap().approved, 0);
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 2_000));
}

async fn staff_approve_earlier_and_void_with_a_reason(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    for date in ["2026-06-18", "2026-06-19"] {
        shop.pay("amy@example.com", "100.00", date).await;
    }
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM commissions ORDER BY id").await;
    let (one, two) = (ids[0].0, ids[1].0);
    let by_hold = shop.send(Approve { commission_id: one.into(), reason: None }).await;
    assert_eq!(by_hold, Outcome::Done { id: one, changed: false }, "the hold is not over");
    let early = What::Approve(Approve { commission_id: one.into(), reason: Some("she leaves".into()) });
    assert_eq!(shop.send(early.clone()).await, Outcome::Done { id: one, changed: true });
    assert_eq!(shop.send(early).await, Outcome::Done { id: one, changed: false });
    let void = |id: i64| What::Void(Void { commission_id: id.into(), reason: "a mistake".into() });
    for id in [one, two, one] {
        shop.send(void(id)).await;
    }
    assert_eq!((balance(&app, "held").await, balance(&app, "due").await), (0, 0));
    let again = shop.send(What::Approve(Approve { commission_id: two.into(), reason: Some("no".into()) })).await;
    assert!(matches!(again, Outcome::Refused { .. }), "{again:?}");
    let other = app.another_business("Globex").await;
    let theirs = app.shop_of(&other).send(void(one)).await;
    assert_eq!(theirs, Outcome::NotFound);
}
