//! The sums owed as Home and the page of payouts tell them, who is left out of them, and what the last payment came to.

use refdesk::payouts;
use serde_json::json;

use super::{draft, earned, line, locked, offer, path, second_campaign, why};
use crate::on_both_databases;
use crate::support::TestApp;
use crate::v1::{call, text};

on_both_databases! {
    home_and_payouts_tell_the_sum_that_drafts_have,
    what_is_taken_back_is_netted_where_the_rest_waits,
    a_draft_of_nobody_is_not_made_and_told,
    the_last_payment_is_marked_where_it_did_not_arrive,
    the_list_of_payouts_counts_what_arrived,
    what_is_due_is_due_since_one_day_on_every_page,
}

/// Gives a referrer an amount of the first campaign, or takes it.
async fn adjust(app: &TestApp, referrer: i64, amount: f64) {
    let wish = json!({
        "referrer": referrer, "campaign": app.business.campaign_id, "currency": "USD", "amount": amount, "reason": "Fair",
    });
    call(app, "POST", "/v1/adjustments", Some(wish)).await.is(201);
}

async fn paid_by_hand(app: &TestApp, referrer: i64) {
    let by_hand = json!({ "method": "hand", "instructions": "In cash." });
    call(app, "PUT", &format!("/v1/referrers/{referrer}/payout-details"), Some(by_hand)).await.is(200);
}

/// The sums that the page of payouts tells by way of being paid, and those that it tells to be left out.
async fn told(app: &TestApp) -> (Vec<String>, Vec<String>) {
    let page = app.get("/payouts").await.is(200);
    (page.texts("table.plain td.num"), page.texts("table.plain th .under"))
}

async fn home_and_payouts_tell_the_sum_that_drafts_have(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    for name in ["Tom Reed", "Zoe Lang", "Ann Ash", "Bob Gray"] {
        earned(&app, name).await;
    }
    let of = async |name: &str| app.number(&format!("SELECT id FROM referrers WHERE name = '{name}'")).await;
    // Another campaign's, a debt, a banned one, a small sum, a disputed payment: none of them is hidden in the sum.
    second_campaign(&app, jane).await;
    adjust(&app, of("Tom Reed").await, -50.0).await;
    app.arrange(&format!("UPDATE enrollments SET state = 'banned' WHERE referrer_id = {}", of("Zoe Lang").await)).await;
    adjust(&app, of("Ann Ash").await, -18.0).await;
    let least = json!({ "campaign": app.business.campaign_id, "minimum": { "USD": 1_000 } });
    call(&app, "POST", "/v1/payout-settings", Some(least)).await.is(200);
    let payment = app.number("SELECT max(payment_id) FROM commissions").await;
    app.shop().dispute(payment, true).await;
    paid_by_hand(&app, jane).await;

    let made = draft(&app).await;
    assert_eq!((&made["line_count"], &made["amount_minor"]), (&json!(1), &json!(2_500)), "{made}");
    app.sign_in().await;
    app.get("/").await.is(200).says("25.00 USD to be paid");
    let (due, left_out) = told(&app).await;
    assert_eq!(due, ["", "25.00 USD"]);
    let out = |amount: &str, why: &str| format!("Left out: {amount} USD of 1 referrer: {why}");
    assert_eq!(
        left_out,
        [
            out("20.00", "banned"),
            out("2.00", "below the minimum"),
            out("20.00", "disputed"),
            out("\u{2212}30.00", "negative balance"),
        ]
    );
    let by_draft = made["left_out"].as_array().unwrap().iter();
    let mut by_draft: Vec<(i64, &str)> =
        by_draft.map(|l| (l["amount_minor"].as_i64().unwrap(), text(&l["left_out"]))).collect();
    by_draft.sort_unstable();
    let today = refdesk::clock::Zone::UTC.day_of(app.clock.now());
    let owed = payouts::owed(&mut app.app.db.read().await.unwrap(), app.business.id, today).await.unwrap();
    let by_sum = owed.iter().flat_map(|of| &of.left_out);
    let mut by_sum: Vec<(i64, &str)> = by_sum.map(|out| (out.amount.minor, out.reason.word())).collect();
    by_sum.sort_unstable();
    assert_eq!(by_sum, by_draft, "sums and lines are decided alike");
}

async fn what_is_taken_back_is_netted_where_the_rest_waits(app: TestApp) {
    let campaign = app.business.campaign_id;
    let jane = earned(&app, "Jane Miller").await;
    paid_by_hand(&app, jane).await;
    let second = second_campaign(&app, jane).await;
    adjust(&app, jane, -4.0).await;
    offer(&app, campaign, &["paypal"]).await;
    app.sign_in().await;
    assert_eq!(told(&app).await.0, ["1.00 USD"], "what is offered, less what was taken back");
    offer(&app, second, &["paypal"]).await;
    let (due, left_out) = told(&app).await;
    let waits = "Left out: 21.00 USD of 1 referrer: not offered by the campaign";
    assert_eq!((due, left_out), (vec![String::new()], vec![waits.to_owned()]));
    assert_eq!(draft(&app).await["left_out"][0]["amount_minor"], 2_100);
    app.get("/").await.is(200).says("0.00 USD to be paid").says("what is due is left out of payouts");
}

async fn a_draft_of_nobody_is_not_made_and_told(app: TestApp) {
    let jane = earned(&app, "Jane Miller").await;
    paid_by_hand(&app, jane).await;
    earned(&app, "Tom Reed").await;
    app.sign_in().await;
    let form = [("currency", "USD"), ("method", "paypal")];
    let page = app.post_form("/payouts", &form).await.follow().await.is(200);
    let page = page.says("No draft was made: nobody would be in it.");
    page.says("Jane Miller").says("They are paid by hand.").says("Tom Reed").says("Nothing says how they are paid.");
    assert_eq!(app.number("SELECT count(*) FROM payouts").await, 0);
    let euros = [("currency", "EUR"), ("method", "hand")];
    app.post_form("/payouts", &euros).await.follow().await.is(200).says("Nothing is due in this currency.");
    app.get("/payouts/left-out?currency=USD&method=hand").await.is(200).says("Nobody is left out.");
    app.get("/payouts/left-out?currency=gold&method=hand").await.goes_to("/payouts");
    // All that is due is below the minimum: the page offers the reason and no button.
    let least = json!({ "campaign": app.business.campaign_id, "minimum": { "USD": 3_000 } });
    call(&app, "POST", "/v1/payout-settings", Some(least)).await.is(200);
    let page = app.get("/payouts").await.is(200);
    assert_eq!(page.count("table.plain form"), 0);
    let why = page.attr("table.plain td.do a", "href");
    app.get(&why).await.is(200).says("Below the minimum of 30.00 USD.");
    assert_eq!(app.number("SELECT count(*) FROM payouts").await, 0);
}

async fn the_last_payment_is_marked_where_it_did_not_arrive(app: TestApp) {
    earned(&app, "Jane Miller").await;
    earned(&app, "Tom Reed").await;
    let first = locked(&app).await;
    assert_eq!(first["lines"][0]["last_failure"], json!(null));
    let ended = json!({ "reason": "account closed", "day": "2026-06-19" });
    call(&app, "POST", &format!("{}/failed", line(&first, 0)), Some(ended)).await.is(200);
    call(&app, "POST", &format!("{}/paid", line(&first, 1)), Some(json!({}))).await.is(200);
    let second = locked(&app).await;
    let marked = &second["lines"][0];
    assert_eq!(
        (&marked["last_failure"], &marked["last_failure_day"], &marked["last_failure_reason"]),
        (&json!("failed"), &json!("2026-06-19"), &json!("account closed"))
    );
    app.sign_in().await;
    let page = app.get(&format!("/payouts/{}", app.number("SELECT max(id) FROM payouts").await)).await.is(200);
    page.says("Not paid last time").says("Last payment failed yesterday: account closed");
    call(&app, "POST", &format!("{}/paid", line(&second, 0)), Some(json!({}))).await.is(200);
    call(&app, "POST", &format!("{}/returned", line(&first, 1)), why("unclaimed")).await.is(200);
    call(&app, "POST", &format!("{}/returned", line(&second, 0)), why("sent back")).await.is(200);
    let third = draft(&app).await;
    let lines = third["lines"].as_array().unwrap().iter();
    let told: Vec<(&str, &str)> = lines.map(|l| (text(&l["last_failure"]), text(&l["last_failure_reason"]))).collect();
    assert_eq!(told, [("returned", "sent back"), ("returned", "unclaimed")]);
    // Paid at last, the next one has no mark.
    let lock = Some(json!({ "fingerprint": third["fingerprint"] }));
    call(&app, "POST", &format!("{}/lock", path(&third)), lock).await.is(200);
    call(&app, "POST", &format!("{}/paid", path(&third)), Some(json!({}))).await.is(200);
    let jane = app.number("SELECT id FROM referrers WHERE name = 'Jane Miller'").await;
    adjust(&app, jane, 5.0).await;
    assert_eq!(draft(&app).await["lines"][0]["last_failure"], json!(null));
}

async fn the_list_of_payouts_counts_what_arrived(app: TestApp) {
    for name in ["Jane Miller", "Tom Reed", "Zoe Lang"] {
        earned(&app, name).await;
    }
    let made = locked(&app).await;
    call(&app, "POST", &format!("{}/failed", line(&made, 0)), why("account closed")).await.is(200);
    app.sign_in().await;
    let row = app.get("/payouts").await.is(200).texts("table.list tbody td.num");
    assert_eq!(row, ["2", "40.00 USDwithout 20.00 USD of 1 referrer that did not arrive"]);
}

async fn what_is_due_is_due_since_one_day_on_every_page(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@customers.example", Some(&jane.code)).await;
    // Held to 24 June.
    shop.pay("amy@customers.example", "100.00", "2026-06-10").await;
    app.sign_in().await;
    let days = app.get("/payouts/forecast").await.is(200).texts("main tbody time");
    assert_eq!(days, ["in 5 days"], "on 25 June");
    app.get("/").await.is(200).says("commissions to be approved this week").says("20.00 USD");
    app.clock.advance_days(5);
    refdesk::sweep::run(&app.app).await.unwrap();
    app.sign_in().await;
    app.get("/").await.is(200).says("20.00 USD to be paid").says("since today");
    assert_eq!(app.get("/payouts").await.is(200).texts("table.plain time"), ["today"]);
    let made = draft(&app).await;
    assert_eq!(made["lines"][0]["due_since"], "2026-06-25");
    let shown = app.get(&format!("/payouts/{}", app.number("SELECT id FROM payouts").await)).await.is(200);
    assert_eq!(shown.texts("table.list td[data-label='Due since'] time"), ["today"]);
}
