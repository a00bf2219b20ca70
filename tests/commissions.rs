//! /commissions: approve earlier, void, one or many, with the ledger beside.

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    a_commission_is_approved_and_voided_with_a_reason,
    many_are_decided_with_exact_sums,
    a_paid_one_stays,
    they_are_narrowed_by_lead_and_by_referrer,
}

async fn confirm(page: &Answer, more: &[(&str, &str)]) -> Answer {
    let names = page.attrs("form.confirm input[type=hidden]", "name");
    let values = page.attrs("form.confirm input[type=hidden]", "value");
    let mut fields: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.extend(more);
    page.visitor.post_form(&page.attr("form.confirm", "action"), &fields).await
}

async fn balances(app: &TestApp) -> (i64, i64) {
    let of = async |account: &str| {
        app.number(&format!(
            "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account = '{account}'"
        ))
        .await
    };
    (of("held").await, of("due").await)
}

async fn proves(app: &TestApp) {
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

async fn a_commission_is_approved_and_voided_with_a_reason(app: TestApp) {
    app.sign_in().await;
    app.get("/commissions").await.is(200).says("Nothing pending");
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let id = app.number("SELECT id FROM commissions").await;
    let list = app.get("/commissions").await.says("20 % of 100.00 USD, terms 1").says("in 8 days");
    assert_eq!(list.text("#sums"), "20.00 USD held");

    let path = format!("/commissions/{id}/approve");
    let asked = app.get(&path).await.is(200).says("20.00 USD");
    assert_eq!(confirm(&asked, &[]).await.is(422).error_at("reason"), "The reason is missing.");
    assert_eq!(balances(&app).await, (2_000, 0));
    let done =
        confirm(&asked, &[("reason", "A good partner")]).await.goes_to(&format!("/commissions/{id}")).follow().await;
    assert_eq!(done.flash(), "20.00 USD of Jane Miller approved.");
    assert_eq!(balances(&app).await, (0, 2_000));
    let again = confirm(&asked, &[("reason", "Twice")]).await;
    assert_eq!(balances(&app).await, (0, 2_000), "{again:?}");
    done.says("A good partner");

    let asked = app.get(&format!("/commissions/{id}/void")).await.is(200);
    confirm(&asked, &[("reason", "Fraud")]).await.is(303);
    assert_eq!(balances(&app).await, (0, 0));
    app.get("/commissions?state=void").await.says("Fraud").says("20.00 USD");
    proves(&app).await;
}

async fn many_are_decided_with_exact_sums(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    for (name, amount) in [("amy", "100.00"), ("bob", "50.00"), ("cid", "10.00")] {
        let address = format!("{name}@example.com");
        shop.lead(&address, Some(&jane.code)).await;
        shop.pay(&address, amount, "2026-06-14").await;
    }
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM commissions WHERE amount >= 1000 ORDER BY id").await;
    let ids: Vec<String> = ids.into_iter().map(|(id,)| id.to_string()).collect();
    let fields = [("do", "approve"), ("id", ids[0].as_str()), ("id", ids[1].as_str()), ("back", "/commissions")];
    let asked = app.post_form("/commissions/bulk", &fields).await.is(200);
    assert_eq!(asked.texts("form.confirm caption"), ["Approved 30.00 USD"]);
    confirm(&asked, &[]).await.is(422);
    let done = confirm(&asked, &[("reason", "Early this month")]).await.goes_to("/commissions").follow().await;
    assert_eq!(done.flash(), "2 commissions are approved now.");
    assert_eq!(balances(&app).await, (200, 3_000));

    let all = [("do", "void"), ("scope", "all"), ("back", "/commissions?state=approved")];
    let asked = app.post_form("/commissions/bulk", &all).await.is(200);
    assert_eq!(asked.texts("form.confirm caption"), ["Voided 30.00 USD"]);
    confirm(&asked, &[("reason", "The campaign was a mistake")]).await.is(303);
    assert_eq!(balances(&app).await, (200, 0));
    proves(&app).await;
}

async fn they_are_narrowed_by_lead_and_by_referrer(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    for (name, code, date) in
        [("amy", &jane.code, "2026-06-14"), ("bob", &jane.code, "2026-06-12"), ("cid", &tom.code, "2026-06-13")]
    {
        let address = format!("{name}@example.com");
        shop.lead(&address, Some(code)).await;
        shop.pay(&address, "100.00", date).await;
    }
    let theirs = format!("/commissions?referrer={}", jane.id);
    let list = app.get("/commissions?by=miller").await.goes_to(&theirs).follow().await.is(200);
    assert_eq!(list.texts("tbody th a"), ["bob", "amy"], "the newest on top");
    assert_eq!(list.texts(".chips .chip"), ["by Jane Miller"]);
    assert_eq!(list.text("#pager-summary"), "2 commissions");
    let list = list.does_not_say("Not all were searched");
    assert_eq!(list.attr("form.filters input[name=referrer]", "value"), jane.id.to_string());
    let by_hold = app.get(&format!("{theirs}&sort=-hold")).await;
    assert_eq!(by_hold.texts("tbody th a"), ["amy", "bob"]);

    let found = app.get("/commissions?q=bob").await.is(200);
    assert_eq!((found.texts("tbody th a"), found.text("#pager-summary")), (vec!["bob".into()], "1 commission".into()));
    assert_eq!(found.texts(".chips .chip"), ["“bob”"]);
    assert_eq!(app.get("/commissions?q=EXAMPLE.com").await.texts("tbody th a"), ["bob", "cid", "amy"], "by hold");
    app.get("/commissions?q=nobody-here").await.is(200).says("No commissions match");
    app.get("/commissions?q=bob&state=paid").await.is(200).says("No commissions match");
    let all = [("do", "void"), ("scope", "all"), ("back", "/commissions?q=bob")];
    let asked = app.post_form("/commissions/bulk", &all).await.is(200);
    assert_eq!(asked.texts("form.confirm caption"), ["Voided 20.00 USD"]);
}

async fn a_paid_one_stays(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let id = app.number("SELECT id FROM commissions").await;
    shop.pay_commission(id).await;
    let refused =
        app.get(&format!("/commissions/{id}/void")).await.goes_to(&format!("/commissions/{id}")).follow().await;
    assert!(refused.flash().contains("It was paid"), "{}", refused.flash());
}
