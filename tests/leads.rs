//! /leads: the list, one lead, and what staff decide about them.

mod disputes;

use crate::support::Outcome;
use refdesk::engine::{AddLead, Archive, ClaimBy, Contact, Qualify, Scope, SourceOrigin, What};
use refdesk::leads::fields::{LeadFact, LeadFacts};
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, TestApp, Visitor};

on_both_databases! {
    the_toggle_does_a_thing_once_and_is_undone,
    a_reward_is_asked_for_before_it_is_taken,
    a_status_qualifies_and_takes_back,
    many_leads_are_decided_at_once,
    more_than_a_page_of_leads_is_confirmed_first,
    many_that_are_qualified_are_asked_about,
    many_that_end_early_are_told_apart,
    leads_are_narrowed_to_whom_somebody_names,
    the_preview_of_a_new_referrer_is_what_happens,
    waiting_payments_earn_when_staff_say_so,
    money_is_given_back_on_the_lead_s_page,
    a_duplicate_is_merged,
    a_merged_lead_is_counted_once,
    of_two_leads_the_one_that_earned_stays,
    of_one_moment_what_followed_is_on_top,
    a_lead_is_added_and_edited,
    the_list_counts_what_it_shows,
    sales_see_what_they_recorded_and_no_money,
    a_wrong_code_and_a_name_ask_who_is_meant,
    a_rep_adds_leads_and_mends_those_of_the_day,
    a_form_that_is_confirmed_too_late_is_shown_again,
}

async fn state_of(app: &TestApp, lead: i64) -> (String, i64) {
    let rows: Vec<(String, i64)> = app
        .rows(&format!("SELECT status, CAST(CASE WHEN qualified_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM leads WHERE id = {lead}"))
        .await;
    let (status, qualified) = rows.into_iter().next().unwrap();
    (status, qualified)
}

/// The balance of a referrer's account, in minor units.
async fn balance(app: &TestApp, referrer: i64, account: &str) -> i64 {
    app.number(&format!(
        "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE referrer_id = {referrer} AND account = '{account}'"
    ))
    .await
}

async fn proves(app: &TestApp) {
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
}

/// Sends the small form that a flash offers to take things back with.
async fn undo(page: &Answer) -> Answer {
    let names = page.attrs(".flash form input", "name");
    let values = page.attrs(".flash form input", "value");
    let fields: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    page.visitor.post_form(&page.attr(".flash form", "action"), &fields).await
}

/// Sends a confirming page as it is, with more fields.
async fn confirm(page: &Answer, more: &[(&str, &str)]) -> Answer {
    let names = page.attrs("form.confirm input[type=hidden]", "name");
    let values = page.attrs("form.confirm input[type=hidden]", "value");
    let mut fields: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.extend(more);
    page.visitor.post_form(&page.attr("form.confirm", "action"), &fields).await
}

async fn the_toggle_does_a_thing_once_and_is_undone(app: TestApp) {
    app.sign_in().await;
    let lead = app.shop().lead("amy@example.com", None).await;
    let path = format!("/leads/{lead}/qualification");
    let back = format!("/leads?status=new#lead_{lead}");
    let on = [("on", "yes"), ("back", back.as_str())];
    let list = app.post_form(&path, &on).await.goes_to(&back).follow().await;
    assert_eq!(list.flash(), "amy is qualified.");
    assert_eq!(state_of(&app, lead).await, ("qualified".into(), 1));
    let again = app.post_form(&path, &on).await.follow().await;
    assert_eq!(again.flash(), "amy was qualified already.");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'lead.qualified'").await, 1);

    let undone = undo(&list).await.goes_to(&back).follow().await;
    assert_eq!(undone.flash(), "amy is pending again.");
    assert_eq!(state_of(&app, lead).await, ("new".into(), 0));
    app.post_form(&path, &[("on", "perhaps")]).await.is(400);
    assert_eq!(
        app.post_form(&path, &[("on", "yes"), ("back", "//evil.example")]).await.header("location"),
        format!("/leads/{lead}")
    );
}

async fn a_reward_is_asked_for_before_it_is_taken(app: TestApp) {
    app.sign_in().await;
    app.tamper("UPDATE campaigns SET reward = '{\"USD\":500}'").await;
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let path = format!("/leads/{lead}/qualification");
    app.post_form(&path, &[("on", "yes")]).await.is(303);
    assert_eq!(balance(&app, jane.id, "held").await, 500);

    let asked = app.post_form(&path, &[("on", "no")]).await.is(409).says("5.00 USD").says("Jane Miller");
    assert_eq!(state_of(&app, lead).await.1, 1, "nothing is done before it is confirmed");
    confirm(&asked, &[]).await.is(303);
    assert_eq!(state_of(&app, lead).await, ("new".into(), 0));
    assert_eq!(balance(&app, jane.id, "held").await, 0);
    app.post_form(&path, &[("on", "yes")]).await.is(303);
    app.post_form(&path, &[("on", "yes")]).await.is(303);
    assert_eq!(balance(&app, jane.id, "held").await, 500, "restored exactly once");
    proves(&app).await;
}

async fn a_status_qualifies_and_takes_back(app: TestApp) {
    app.sign_in().await;
    let lead = app.shop().lead("amy@example.com", None).await;
    let path = format!("/leads/{lead}/status");
    for (status, qualified) in [("contacted", 0), ("qualified", 1), ("lost", 0), ("converted", 1), ("new", 0)] {
        let page = app.post_form(&path, &[("status", status)]).await.goes_to(&format!("/leads/{lead}")).follow().await;
        assert_eq!(page.flash(), format!("amy is {status} now."));
        assert_eq!(state_of(&app, lead).await, (status.to_owned(), qualified));
    }
    app.post_form(&path, &[("status", "sold")]).await.is(400);
    assert_eq!(app.post_form(&path, &[("status", "new")]).await.follow().await.flash(), "amy was new already.");
    // A lost lead that is qualified comes back as lost.
    app.post_form(&path, &[("status", "lost")]).await.is(303);
    let toggle = format!("/leads/{lead}/qualification");
    app.post_form(&toggle, &[("on", "yes")]).await.is(303);
    app.post_form(&toggle, &[("on", "no")]).await.is(303);
    assert_eq!(state_of(&app, lead).await, ("lost".into(), 0));
}

async fn many_leads_are_decided_at_once(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (amy, bob, cid) = (
        shop.lead("amy@example.com", None).await.to_string(),
        shop.lead("bob@example.com", None).await.to_string(),
        shop.lead("cid@example.com", None).await,
    );
    let fields = [("do", "qualify"), ("id", amy.as_str()), ("id", bob.as_str()), ("back", "/leads")];
    let list = app.post_form("/leads/bulk", &fields).await.goes_to("/leads").follow().await;
    assert_eq!(list.flash(), "2 leads are qualified now.");
    assert_eq!(state_of(&app, cid).await.1, 0);
    assert_eq!(undo(&list).await.follow().await.flash(), "2 leads are un-qualified now.");

    let all = [("do", "archive"), ("scope", "all"), ("back", "/leads?q=amy")];
    assert_eq!(app.post_form("/leads/bulk", &all).await.follow().await.flash(), "1 lead is archived now.");
    assert_eq!(app.get("/leads").await.texts("tbody th a"), ["cid", "bob"]);
    assert_eq!(app.get("/leads?archived=yes").await.texts("tbody th a"), ["amy"]);
    assert_eq!(
        app.post_form("/leads/bulk", &[("do", "qualify")]).await.follow().await.flash(),
        "Nothing was selected."
    );
    app.post_form("/leads/bulk", &[("do", "sell")]).await.is(400);

    let globex = app.another_business("Globex").await;
    let theirs = app.shop_of(&globex).lead("zoe@example.com", None).await.to_string();
    app.post_form("/leads/bulk", &[("do", "qualify"), ("id", &theirs), ("id", &bob)]).await.is(404);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 0);
}

async fn more_than_a_page_of_leads_is_confirmed_first(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let people: Vec<What> = (0..60).map(|n| shop.sign_up_event(&format!("person{n}@example.com"), None)).collect();
    shop.send_all(people).await;
    let list = app.get("/leads").await;
    assert_eq!(list.count("tbody tr"), 50);
    assert_eq!(list.text("#pager-summary"), "60 leads");
    let fields = [("do", "qualify"), ("scope", "all"), ("back", "/leads")];
    let asked = app.post_form("/leads/bulk", &fields).await.is(200).says("Qualify 60 leads");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 0);
    assert_eq!(confirm(&asked, &[]).await.goes_to("/leads").follow().await.flash(), "60 leads are qualified now.");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 60);
    // The second page, and back again.
    let second = app.get(&list.attr("a[rel=next]", "href")).await;
    assert_eq!(second.count("tbody tr"), 10);
    let first = app.get(&second.attr("a[rel=prev]", "href")).await;
    assert_eq!(first.texts("tbody th a"), list.texts("tbody th a"));
}

async fn many_that_are_qualified_are_asked_about(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let mut ids = Vec::new();
    for name in ["amy", "bob", "cid"] {
        ids.push(shop.lead(&format!("{name}@example.com"), None).await.to_string());
    }
    for id in &ids[..2] {
        app.post_form(&format!("/leads/{id}/qualification"), &[("on", "yes")]).await.is(303);
    }
    let mut fields = vec![("do", "lost"), ("back", "/leads")];
    fields.extend(ids.iter().map(|id| ("id", id.as_str())));
    let asked = app.post_form("/leads/bulk", &fields).await.is(200).says("Mark lost 3 leads");
    let asked = asked.says("2 of them are qualified and will be unqualified. This cannot be undone.");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 2);
    // One more was qualified meanwhile: the page that was confirmed said another number.
    app.post_form(&format!("/leads/{}/qualification", ids[2]), &[("on", "yes")]).await.is(303);
    let asked = confirm(&asked, &[]).await.is(200).says("3 of them are qualified");
    let done = confirm(&asked, &[]).await.goes_to("/leads").follow().await;
    assert_eq!(done.flash(), "3 leads are lost now.");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 0);
    // Nothing is taken back from these.
    let fields = [("do", "contacted"), ("id", ids[0].as_str()), ("back", "/leads")];
    assert_eq!(app.post_form("/leads/bulk", &fields).await.follow().await.flash(), "1 lead is contacted now.");
}

async fn leads_are_narrowed_to_whom_somebody_names(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, june) = (shop.referrer("Jane Miller").await, shop.referrer("Jane Long").await);
    shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.lead("bob@example.com", Some(&june.code)).await;
    shop.lead("cid@example.com", None).await;
    let theirs = format!("/leads?status=new&referrer={}", jane.id);
    for by in ["miller", "JANE.MILLER@example.org", &jane.code.to_lowercase()] {
        let by = by.replace('@', "%40");
        app.get(&format!("/leads?status=new&by={by}")).await.goes_to(&theirs);
    }
    let list = app.get(&theirs).await.is(200);
    assert_eq!(list.texts("tbody th a"), ["amy"]);
    assert_eq!(list.texts(".chips .chip"), ["new", "by Jane Miller"]);
    assert_eq!(list.text("#pager-summary"), "1 lead");
    assert_eq!(list.attr("form.filters input[name=referrer]", "value"), jane.id.to_string());

    let list = list.does_not_say("Not all were searched");
    assert!(list.has("th[aria-sort=descending]"), "{list:?}");
    let several = app.get("/leads?status=new&by=jane").await.is(200);
    assert_eq!(several.text("h1"), "Whose leads");
    assert_eq!(several.attrs(".people a", "href").len(), 2);
    let theirs = format!("/leads?status=new&campaign={}&referrer={}", app.business.campaign_id, jane.id);
    assert!(several.attrs(".people a", "href").contains(&theirs), "{several:?}");
    app.get("/leads?by=nobody+at+all").await.is(200).says("No match");
    let sales = app.member(Role::Sales).await;
    let own = sales.get(&format!("/leads?referrer={}", jane.id)).await.is(200);
    assert_eq!(own.count("tbody tr"), 0, "only what they recorded");
}

async fn many_that_end_early_are_told_apart(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let people: Vec<What> = (0..140).map(|n| shop.sign_up_event(&format!("person{n}@example.com"), None)).collect();
    shop.send_all(people).await;
    let ids: Vec<(i64,)> = app.rows("SELECT id FROM leads ORDER BY id").await;
    let ids: Vec<String> = ids.into_iter().map(|(id,)| id.to_string()).collect();
    // The database takes the first transaction, and never the second. On SQLite it is but one.
    app.tamper(&format!("UPDATE leads SET name = 'twin' WHERE id >= {}", ids[138])).await;
    app.tamper("CREATE UNIQUE INDEX no_twins ON leads (name) WHERE name = 'twin' AND qualified_at IS NOT NULL").await;
    let mut fields = vec![("do", "qualify"), ("back", "/leads")];
    fields.extend(ids.iter().map(|id| ("id", id.as_str())));
    let asked = app.post_form("/leads/bulk", &fields).await.is(200).says("Qualify 140 leads");
    let told = confirm(&asked, &[]).await;
    let qualified = app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await;
    if app.app.db.is_postgres() {
        told.is(503).says("128 leads are qualified now. 12 were left.").does_not_say("Nothing was changed");
        assert_eq!(qualified, 128);
    } else {
        told.is(409).says("nothing was changed");
        assert_eq!(qualified, 0);
    }
}

async fn the_preview_of_a_new_referrer_is_what_happens(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    shop.pay("amy@example.com", "50.00", "2026-06-18").await;
    let path = format!("/leads/{lead}/referrer");
    app.get(&format!("{path}?q=tom")).await.says("Tom Ash").does_not_say("Jane Miller referred");

    let shown = app.get(&format!("{path}?to={}", tom.enrollment_id)).await.is(200);
    let sums = shown.texts("form.confirm caption");
    assert_eq!(sums, ["Voided 30.00 USD", "Created 30.00 USD"]);
    assert_eq!(balance(&app, jane.id, "held").await, 3_000, "looking changes nothing");
    let unsaid = confirm(&shown, &[("reason", "")]).await.is(422);
    assert_eq!(unsaid.error_at("reason"), "The reason is missing.");
    let page =
        confirm(&unsaid, &[("reason", "Tom called first")]).await.goes_to(&format!("/leads/{lead}")).follow().await;
    assert_eq!(page.flash(), "Tom Ash counts as the referrer of amy now.");
    assert_eq!((balance(&app, jane.id, "held").await, balance(&app, tom.id, "held").await), (0, 3_000));
    let page = page.says("Tom called first").says("Counted until staff decided otherwise.");
    assert!(page.words().contains("20 % of 100.00 USD, terms 1, held until 28 Jun"), "{page:?}");

    // Nobody did: the money goes, and a void commission comes back when Jane did after all.
    let nobody = app.get(&format!("{path}?to=none")).await.is(200);
    confirm(&nobody, &[("reason", "a mistake")]).await.is(303);
    assert_eq!(balance(&app, tom.id, "held").await, 0);
    let after_all = app.get(&format!("{path}?to={}", jane.enrollment_id)).await.is(200);
    assert_eq!(after_all.texts("form.confirm caption"), ["Created 30.00 USD"]);
    confirm(&after_all, &[("reason", "she did")]).await.is(303);
    assert_eq!((balance(&app, jane.id, "held").await, balance(&app, tom.id, "held").await), (3_000, 0));
    assert_eq!(app.number("SELECT count(*) FROM commissions").await, 4, "the same ones, not new ones");
    proves(&app).await;
}

async fn waiting_payments_earn_when_staff_say_so(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let shown = app.get(&format!("/leads/{lead}/referrer?to={}", jane.enrollment_id)).await;
    assert_eq!(shown.texts("form.confirm caption"), ["Earned by waiting payments 20.00 USD"]);
    confirm(&shown, &[("reason", "She rang")]).await.is(303);
    assert_eq!(balance(&app, jane.id, "held").await, 0, "the box was left out");

    let path = format!("/leads/{lead}/payments");
    let shown = app.get(&path).await.is(200).says("20.00 USD");
    confirm(&shown, &[]).await.goes_to(&format!("/leads/{lead}"));
    assert_eq!(balance(&app, jane.id, "held").await, 2_000);
    confirm(&shown, &[]).await;
    assert_eq!(balance(&app, jane.id, "held").await, 2_000, "once");
    proves(&app).await;
}

async fn money_is_given_back_on_the_lead_s_page(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let payment = app.number("SELECT id FROM payments").await;
    let (own, path) = (format!("/leads/{lead}"), format!("/leads/{lead}/payments/{payment}/refund"));
    assert_eq!(app.get(&own).await.attr("a[href$='/refund']", "href"), path);
    let asked = app.get(&path).await.is(200).says("100.00 USD for Pro plan");
    assert_eq!((asked.field("amount"), asked.field("date")), ("100.00".into(), "2026-06-20".into()));

    let send = |fields: [(&'static str, &'static str); 3]| {
        let (app, path) = (&app, path.clone());
        async move { app.post_form(&path, &fields).await }
    };
    let fields = |amount, date, reason| [("amount", amount), ("date", date), ("reason", reason)];
    let lacking = send(fields("30", "20 Jun 2026", "")).await.is(422);
    assert_eq!(lacking.error_at("reason"), "The reason is missing.");
    assert_eq!(lacking.field("amount"), "30", "what was typed stays");
    let much = send(fields("100.01", "2026-06-20", "x")).await.is(422);
    assert_eq!(much.error_at("amount"), "The amount is more than the 100.00 USD that is left of the payment.");
    assert_eq!(send(fields("1", "2026-06-22", "x")).await.is(422).error_at("date"), "The day is in the future.");
    let typed = send(fields("1", "next week", "x")).await.is(422);
    assert_eq!(
        typed.error_at("date"),
        "The day is not understood. Write it as YYYY-MM-DD, like 2026-06-14, or as 14/06/2026 or 14 Jun 2026."
    );
    let turned = send(fields("1", "06/14/2026", "x")).await.is(422);
    assert!(turned.error_at("date").contains("The day comes before the month"), "{}", turned.error_at("date"));
    assert_eq!(balance(&app, jane.id, "held").await, 2_000, "nothing was done yet");

    let done = send(fields("30", "today", "A broken cup")).await.goes_to(&own).follow().await;
    assert_eq!(done.flash(), "30.00 USD refunded. 70.00 USD is left of the payment.");
    assert_eq!(balance(&app, jane.id, "held").await, 1_400);
    let shown = done.says("30.00 USD refunded").says("A broken cup").says("30.00 USD given back today");
    let shown = shown.says("Given back on 20 Jun 2026. 70.00 USD is left of the payment.");
    assert!(shown.attrs(".timeline time", "title").iter().all(|at| at.starts_with("20 Jun 2026, ")), "{shown:?}");
    shown.says("20 % of 100.00 USD less 30.00 USD refunded").says("Commission is 14.00 USD after a refund");
    let again = send(fields("30.00", "2026-06-20", "Once more")).await.goes_to(&own).follow().await;
    assert_eq!(again.flash(), "That refund was recorded already: same payment, amount and day.");

    assert_eq!(app.get(&path).await.is(200).field("amount"), "70.00", "what is left");
    send(fields("70", "2026-06-20", "All of it")).await.goes_to(&own);
    let whole = app.get(&own).await.says("wholly refunded");
    assert!(!whole.has("a[href$='/refund']"), "nothing is left to give back");
    assert_eq!(app.get(&path).await.goes_to(&own).follow().await.flash(), "Nothing is left of this payment.");
    let commission = app.number("SELECT id FROM commissions").await;
    let shown = app.get(&format!("/commissions/{commission}")).await.is(200).says("Created with 20.00 USD");
    assert_eq!(shown.texts(".plain tbody td:nth-child(3)"), ["created", "refunded", "voided"]);
    shown.says("Changed by a refund").says("20 % of 100.00 USD less 100.00 USD refunded");
    app.get("/audit").await.is(200).says("Payment refunded").says("Commission changed by a refund");

    // A person who only reads is not offered it.
    let viewer = app.member(Role::Viewer).await;
    assert!(!viewer.get(&own).await.is(200).has("a[href$='/refund']"));
    // A payment of somebody else is not this lead's.
    let other = shop.lead("bob@example.com", None).await;
    app.get(&format!("/leads/{other}/payments/{payment}/refund")).await.is(404);
    shop.cancel("amy@example.com", "2026-06-20").await;
    app.get(&own).await.says("Subscription cancelled").says("Subscriptions");
    proves(&app).await;
}

fn repeat(app: &TestApp, name: &str, address: &str, company: &str) -> What {
    What::AddLead(AddLead {
        scope: Scope::new(app.business.campaign_id, false),
        contact: Box::new(Contact {
            name: name.into(),
            email: Some(address.into()),
            email_key: Some(address.into()),
            facts: LeadFacts::default().with(LeadFact::Company, company),
            ..Contact::default()
        }),
        status: refdesk::engine::Status::New,
        source_origin: SourceOrigin::Api,
        claim: None,
        recorded_by: None,
        repeats_allowed: true,
        qualify: false,
    })
}

async fn a_duplicate_is_merged(app: TestApp) {
    app.sign_in().await;
    let primary = app.shop().lead("amy@example.com", None).await;
    let Outcome::LeadAdded { lead_id, duplicate_of, .. } =
        app.shop().send(repeat(&app, "Amy Again", "amy@example.com", "Harbour")).await
    else {
        panic!("no duplicate");
    };
    assert_eq!(duplicate_of, Some(primary));
    app.get(&format!("/leads/{primary}")).await.says("Amy Again").says("Merge into this lead");
    app.post_form(&format!("/leads/{lead_id}/qualification"), &[("on", "yes")]).await.is(303);
    assert_eq!(state_of(&app, lead_id).await.1, 0, "a duplicate is never qualified");
    let shown = app.get(&format!("/leads/{lead_id}/merge")).await.is(200).says("No money moves");
    confirm(&shown, &[]).await.goes_to(&format!("/leads/{primary}")).follow().await.says("Harbour");
    assert_eq!(app.get("/leads").await.texts("tbody th a"), ["amy"]);
    proves(&app).await;
}

async fn a_merged_lead_is_counted_once(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.send(shop.lead_event("Bob Ray", None, Some(ClaimBy::Enrollment(jane.enrollment_id.into())))).await;
    let known = app.number("SELECT id FROM leads").await;
    shop.send(Qualify { lead_id: known.into(), qualified: true, reason: None }).await;
    let What::AddLead(mut heard) = shop.lead_event("Bobby", Some("+14155552671"), None) else { unreachable!() };
    (heard.contact.email, heard.contact.email_key) = (None, None);
    shop.send(What::AddLead(heard)).await;
    let heard = app.number("SELECT id FROM leads WHERE email IS NULL").await;
    // The one with the address goes into the one with the phone: address, referrer and qualification go along.
    let shown = app.get(&format!("/leads/{known}/merge?into={heard}")).await.is(200);
    let page = confirm(&shown, &[]).await.goes_to(&format!("/leads/{heard}")).follow().await;
    let page = page.says("bob.ray@example.org").says("Jane Miller");
    assert_eq!(page.flash(), "Bob Ray is part of this lead now.");
    assert_eq!(state_of(&app, heard).await.1, 1);
    confirm(&shown, &[]).await;
    let tabs = app.get("/leads").await.texts("nav.tabs a");
    assert_eq!(tabs, ["All 1", "Pending 0", "Qualified 1", "Without a referrer 0", "No e-mail", "Archived 1"]);
    let counted = "SELECT CAST(sum(value) AS BIGINT) FROM counters WHERE day = '' AND name = ";
    assert_eq!(app.number(&format!("{counted}'leads.arrival.verbal'")).await, 1, "the touch itself counts");
    proves(&app).await;
}

async fn of_two_leads_the_one_that_earned_stays(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let paid = shop.lead("amy@example.com", None).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let What::AddLead(mut heard) = shop.lead_event("Amy Pond", Some("+14155552671"), None) else { unreachable!() };
    (heard.contact.email, heard.contact.email_key) = (None, None);
    shop.send(What::AddLead(heard)).await;
    let heard = app.number("SELECT id FROM leads WHERE email IS NULL").await;
    let merge = app.get(&format!("/leads/{paid}")).await.is(200).attr(".head a[href$='/merge']", "href");
    let turned = app.get(&format!("{merge}?into={heard}")).await.goes_to(&format!("/leads/{heard}/merge?into={paid}"));
    let asked = turned.follow().await.is(200);
    assert_eq!(asked.flash(), "amy has sign-ups, payments or commissions, so it is the one that stays.");
    confirm(&asked, &[]).await.goes_to(&format!("/leads/{paid}"));
    proves(&app).await;
}

async fn of_one_moment_what_followed_is_on_top(app: TestApp) {
    app.sign_in().await;
    let lead = app.shop().lead("amy@example.com", None).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-14").await;
    let titles = app.get(&format!("/leads/{lead}")).await.is(200).texts(".timeline b");
    assert_eq!(titles, ["Converted", "Qualified", "Paid 100.00 USD", "Signed up"]);
}

async fn a_lead_is_added_and_edited(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.get("/leads").await.says("No leads yet");
    let faulty = app
        .post_form("/leads", &[("name", ""), ("phone", "12"), ("status", "new"), ("company", "A <b>")])
        .await
        .is(422);
    assert_eq!(faulty.error_at("name"), "The name is missing.");
    let example = "Write it like 2015550123, or with + and the country code.";
    assert_eq!(faulty.error_at("phone"), format!("This number has too few or too many digits. {example}"));
    assert_eq!(faulty.field("company"), "A <b>");

    let code = jane.code.to_lowercase().replace('-', " ");
    let fields = [
        ("name", "Amy Lee"),
        ("email", "amy at home"),
        ("phone", "(415) 555-2671"),
        ("status", "contacted"),
        ("code", &code),
    ];
    let added = app.post_form("/leads", &fields).await.follow().await.says("Jane Miller").says("not an address");
    assert!(added.flash().contains("The e-mail is not an address"), "{}", added.flash());
    let id = app.number("SELECT id FROM leads").await;
    assert_eq!(app.rows::<(String,)>("SELECT phone_key FROM leads").await[0].0, "+14155552671");

    let other = app.shop().lead("bob@example.com", None).await;
    let edit = app.get(&format!("/leads/{id}/edit")).await.is(200);
    assert_eq!((edit.field("name"), edit.field("email")), ("Amy Lee".into(), "amy at home".into()));
    let taken = app
        .post_form(
            &format!("/leads/{id}"),
            &[("name", "Amy"), ("email", "bob@example.com"), ("status", "contacted"), ("active", "yes")],
        )
        .await
        .is(422);
    assert!(taken.error_at("email").contains("Another lead"), "{taken:?}");
    let saved = app
        .post_form(
            &format!("/leads/{id}"),
            &[("name", "Amy"), ("email", "amy@example.com"), ("status", "qualified"), ("active", "")],
        )
        .await
        .follow()
        .await;
    assert_eq!(saved.flash(), "The changes are saved. Amy Lee is qualified now.");
    assert_eq!(state_of(&app, id).await, ("qualified".into(), 1));
    assert_eq!(state_of(&app, other).await, ("new".into(), 0));

    let fields = [("name", "Amelia"), ("email", "AMY@example.com"), ("status", "new"), ("company", "Boats")];
    let known = app.post_form("/leads", &fields).await.is(422);
    assert_eq!(known.error_at("email"), "Amy has this e-mail address already, so nothing was added.");
    assert_eq!((known.field("name"), known.field("company")), ("Amelia".into(), "Boats".into()));
    assert_eq!(known.attr(".note a", "href"), format!("/leads/{id}"));
    app.post_form("/leads", &[("name", "Bo"), ("phone", "(415) 555-0000"), ("status", "new")]).await.is(303);
    let found = [("name", "Bo"), ("phone", "(415) 555-0000"), ("email", "bo@example.com"), ("status", "new")];
    let completed = app.post_form("/leads", &found).await.follow().await.says("bo@example.com");
    assert!(completed.flash().contains("The e-mail address was added"), "{}", completed.flash());
    let wrong = [("name", "Cid"), ("status", "new"), ("code", "NOBODY99")];
    let asked = app.post_form("/leads", &wrong).await.is(422);
    assert!(asked.error_at("code").contains("No code reads like “NOBODY99”"), "{}", asked.error_at("code"));
    let kept = [wrong[0], wrong[1], wrong[2], ("take", "keep"), ("asked", "NOBODY99")];
    let wrong = app.post_form("/leads", &kept).await.follow().await;
    assert!(wrong.flash().contains("without a referrer"), "{}", wrong.flash());
    assert_eq!(app.number("SELECT count(*) FROM inbox_items WHERE kind = 'unknown_code'").await, 1);
}

async fn a_wrong_code_and_a_name_ask_who_is_meant(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().referrer("Tom Ash").await;
    let plain = jane.code.replace('-', "");
    let slip = format!("{}{}", &plain[..4], &plain[5..]);
    for (n, typed) in [slip.as_str(), "Jane Miller", "jane", "Jane Miler"].into_iter().enumerate() {
        let email = format!("lead{n}@example.com");
        let fields = [("name", "Cid"), ("email", email.as_str()), ("status", "new"), ("code", typed)];
        let asked = app.post_form("/leads", &fields).await.is(422);
        let choices = asked.texts("input[name=take] + span");
        assert!(choices[0].starts_with("Jane Miller"), "{typed}: {choices:?}");
        assert_eq!(asked.field("asked"), typed);
        let take = asked.attr("input[name=take]", "value");
        let answered = [fields[0], fields[1], fields[2], fields[3], ("take", take.as_str()), ("asked", typed)];
        app.post_form("/leads", &answered).await.is(303);
        let theirs = app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await;
        assert_eq!(theirs, i64::try_from(n).unwrap() + 1, "{typed}");
    }
    // A link, a spelled code and the code itself need no question.
    let link = format!("https://shop.example.com/?ref={}", jane.code);
    let spelled = refdesk::spelling::spelled(&jane.code);
    for (n, typed) in [link.as_str(), spelled.as_str(), jane.code.as_str()].into_iter().enumerate() {
        let email = format!("more{n}@example.com");
        let fields = [("name", "Dan"), ("email", email.as_str()), ("status", "new"), ("code", typed)];
        app.post_form("/leads", &fields).await.is(303);
    }
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await, 7);
    assert_eq!(app.number("SELECT count(*) FROM inbox_items").await, 0);
    // The longest code that there may be, spelled out.
    let longest = refdesk::spelling::spelled(&"N".repeat(40));
    let fields = [("name", "Eve"), ("email", "eve@example.com"), ("status", "new"), ("code", longest.as_str())];
    let asked = app.post_form("/leads", &fields).await.is(422);
    assert!(!asked.texts(".error").iter().any(|error| error.contains("at most")), "{:?}", asked.texts(".error"));
}

async fn a_rep_adds_leads_and_mends_those_of_the_day(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let sam = app.member(Role::Sales).await;
    let form = sam.get("/leads/new").await.is(200);
    assert!(!form.has("#f-status"), "a rep sets no status");
    let fields = [("name", "Cleo"), ("email", "cleo@example.org"), ("code", &*jane.code), ("status", "converted")];
    sam.post_form("/leads", &fields).await.is(303);
    let lead = app.number("SELECT id FROM leads WHERE status = 'new' AND referrer_id IS NOT NULL").await;
    let url = format!("/leads/{lead}");
    assert_eq!(sam.get(&url).await.is(200).texts(".head .button"), ["Edit"]);
    let fields = [("name", "Cleopatra"), ("email", "cleo@example.org"), ("status", "converted")];
    sam.post_form(&url, &fields).await.is(303);
    sam.get(&url).await.is(200).says("Cleopatra");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE status = 'new' AND active").await, 1);
    // Another person's, and one of the day before, stay.
    let other = app.shop().lead("bob@example.com", Some(&jane.code)).await;
    sam.post_form(&format!("/leads/{other}"), &fields).await.is(404);
    let taken = [("name", "Bob"), ("email", "bob@example.com")];
    let refused = sam.post_form("/leads", &taken).await.is(422);
    assert!(refused.error_at("name").contains("A colleague recorded this person"), "{refused:?}");
    app.tamper(&format!("UPDATE leads SET created_at = created_at - 90000000000 WHERE id = {lead}")).await;
    assert!(!sam.get(&url).await.is(200).has(".head .button"), "the day is over");
    sam.post_form(&url, &fields).await.is(400).says("on the day you recorded it");
    app.member(Role::Viewer).await.get(&format!("{url}/edit")).await.is(403);
}

async fn the_list_counts_what_it_shows(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let amy = shop.lead("amy@example.com", Some(&jane.code)).await;
    shop.lead("bob@example.com", Some(&jane.code)).await;
    shop.lead("cid@example.com", None).await;
    shop.send(Qualify { lead_id: amy.into(), qualified: true, reason: None }).await;
    shop.send(shop.lead_event("Dan Eze", None, Some(ClaimBy::Enrollment(jane.enrollment_id.into())))).await;
    shop.send(Archive { lead_id: amy.into(), archived: true }).await;
    let tabs = app.get("/leads").await.texts("nav.tabs a");
    assert_eq!(tabs, ["All 3", "Pending 3", "Qualified 0", "Without a referrer 1", "No e-mail", "Archived 1"]);
    let shown = async |query: &str| {
        let page = app.get(&format!("/leads{query}")).await.is(200);
        (page.texts("tbody th a"), page.texts("#pager-summary").join(""))
    };
    assert_eq!(shown("?referrer=none").await, (vec!["cid".into()], "1 lead".into()));
    assert_eq!(shown("?arrival=verbal").await, (vec!["Dan Eze".into()], "1 lead".into()));
    assert_eq!(shown(&format!("?referrer={}&arrival=code", jane.id)).await, (vec!["bob".into()], "1 lead".into()));
    assert_eq!(shown("?sort=name").await.0, ["bob", "cid", "Dan Eze"]);
    assert_eq!(shown("?sort=-name&status=new").await.0, ["Dan Eze", "cid", "bob"]);
    assert_eq!(shown("?q=EZE").await, (vec!["Dan Eze".into()], "1 lead".into()));
    app.get("/leads?q=nobody%25&status=lost").await.says("No leads match");
}

async fn sales_see_what_they_recorded_and_no_money(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let sam = app.member(Role::Sales).await;
    let user = app.number("SELECT user_id FROM memberships WHERE role = 'sales'").await;
    let What::AddLead(mut own) = shop.lead_event("Amy Lee", None, Some(ClaimBy::Enrollment(jane.enrollment_id.into())))
    else {
        unreachable!()
    };
    own.recorded_by = Some(user.into());
    shop.send(What::AddLead(own)).await;
    let own = app.number("SELECT id FROM leads").await;
    let other = shop.lead("bob@example.com", Some(&jane.code)).await;
    shop.pay("amy.lee@example.org", "100.00", "2026-06-14").await;

    let list = sam.get("/leads").await.is(200);
    assert_eq!(list.texts("tbody th a"), ["Amy Lee"]);
    assert!(!list.has("form.toggle") && !list.has("form.bulk") && !list.body.contains("2 leads"), "{list:?}");
    sam.get(&format!("/leads/{own}")).await.is(200).says("Jane Miller").does_not_say("100.00").does_not_say("20.00");
    sam.get(&format!("/leads/{other}")).await.is(404).says("Recorded by a colleague");
    sam.get("/leads/99999").await.is(404);
    sam.post_form(&format!("/leads/{own}/qualification"), &[("on", "yes")]).await.is(403);
    refuses(&sam, &["/commissions", "/inbox"]).await;
}

async fn refuses(visitor: &Visitor, paths: &[&str]) {
    for path in paths {
        visitor.get(path).await.is(403);
    }
}

async fn a_form_that_is_confirmed_too_late_is_shown_again(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Ash").await);
    let lead = shop.lead("amy@example.com", Some(&jane.code)).await;
    let shown = app.get(&format!("/leads/{lead}/referrer?to={}", tom.enrollment_id)).await;
    shop.pay("amy@example.com", "100.00", "2026-06-14").await;
    let again = confirm(&shown, &[("reason", "Tom called")]).await.is(409).says("Something changed").says("20.00 USD");
    assert_eq!(balance(&app, jane.id, "held").await, 2_000);
    confirm(&again, &[("reason", "Tom called")]).await.is(303);
    assert_eq!(balance(&app, tom.id, "held").await, 2_000);
}
