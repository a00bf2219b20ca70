//! Every form: it acts in the business, mode and campaign it was rendered for, it acts once, and what was typed
//! survives a session that ends.

use refdesk::router;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, PASSWORD, TestApp, Visitor};

on_both_databases! {
    a_form_acts_in_the_campaign_it_was_rendered_for,
    a_form_of_another_business_stores_nothing_and_has_a_way_back,
    a_form_of_the_other_mode_stores_nothing,
    a_form_that_was_filled_in_by_somebody_else_stores_nothing,
    a_form_without_a_stamp_stores_nothing,
    a_form_sent_twice_acts_once_and_leads_to_the_same_page,
    a_form_sent_again_with_other_words_says_what_was_saved,
    a_form_with_an_error_may_be_sent_again,
    what_was_typed_survives_a_session_that_ends,
    what_was_typed_is_shown_to_nobody_else,
    a_stranger_leaves_no_form_for_a_person,
    passwords_and_files_are_not_kept,
    a_page_s_script_is_told_in_place,
    no_form_that_comes_back_acts_by_itself,
    a_new_key_is_shown_once_and_made_once,
    a_campaign_of_nobody_is_not_replaced_by_another,
    every_list_and_every_way_to_it_names_its_campaign,
    a_decision_from_a_list_leads_back_to_the_list_as_it_was,
    many_leads_are_lost_only_when_that_is_confirmed,
    a_question_can_be_reloaded,
}

const LEADS: &str = "SELECT count(*) FROM leads";

async fn count(app: &TestApp) -> i64 {
    app.number(LEADS).await
}

/// A stamp with another word at a place: user, business, campaign or mode.
fn stamped(stamp: &str, at: usize, word: impl ToString) -> String {
    let mut parts: Vec<String> = stamp.split('.').map(str::to_owned).collect();
    parts[at] = word.to_string();
    parts.join(".")
}

async fn end_all_sessions(app: &TestApp) {
    app.arrange("DELETE FROM sessions").await;
}

fn amy(stamp: &str) -> [(&str, &str); 4] {
    [("name", "Amy Pond"), ("email", "amy@example.com"), ("status", "contacted"), ("stamp", stamp)]
}

async fn a_form_acts_in_the_campaign_it_was_rendered_for(app: TestApp) {
    app.sign_in().await;
    let other = app.shop().campaign("Partners").await;
    let form = app.get(&format!("/leads/new?campaign={other}")).await.is(200);
    let stamp = form.attr("form.form input[name=stamp]", "value");
    // Another tab goes back to the first campaign.
    app.get(&format!("/switch-campaign?campaign={}", app.business.campaign_id)).await.is(303);
    app.post_form("/leads", &amy(&stamp)).await.is(303);
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE campaign_id = {other}")).await, 1);
    let nobody_s = app.stamp().await;
    app.post_form("/leads", &amy(&stamped(&nobody_s, 2, 987_654_321))).await.is(404);
    assert_eq!(count(&app).await, 1);
}

/// A second business of the owner of the first.
async fn second_business(app: &TestApp) -> i64 {
    let globex = app.another_business("Globex").await;
    app.arrange(&format!(
        "INSERT INTO memberships (business_id, user_id, role, created_at) VALUES ({}, {}, 'owner', 2000000000000000)",
        globex.id, app.business.owner_id
    ))
    .await;
    globex.id
}

async fn switch(visitor: &Visitor, business: i64) {
    visitor.post_form("/switch-business", &[("business", &business.to_string())]).await.goes_to("/");
}

async fn a_form_of_another_business_stores_nothing_and_has_a_way_back(app: TestApp) {
    app.sign_in().await;
    let globex = second_business(&app).await;
    let stamp = app.stamp().await;
    switch(&app, globex).await;
    let refused = app.post_form("/leads", &amy(&stamp)).await.is(409);
    assert_eq!(refused.text("h1"), "You are in another business now");
    assert_eq!(count(&app).await, 0);
    // A button has nothing to give back: its way leads to its business.
    let lead = app.post_form("/leads/1/archive", &[("stamp", &stamp)]).await.is(409);
    assert_eq!(lead.attr("main form", "action"), "/switch-business");
    // The typed text comes back in the business it was typed for.
    let way = refused.attr("main .actions a.primary", "href");
    let back = app.get(&way).await.is(200);
    assert_eq!((back.field("name"), back.field("email")), ("Amy Pond".into(), "amy@example.com".into()));
    assert_eq!(back.attr("select[name=status] option[selected]", "value"), "contacted");
    assert_eq!(count(&app).await, 0, "it is shown, and not sent");
    let stamp = back.attr("form.form input[name=stamp]", "value");
    app.post_form("/leads", &amy(&stamp)).await.is(303);
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE business_id = {}", app.business.id)).await, 1);
    app.get(&way).await.is(404);
}

async fn a_form_of_the_other_mode_stores_nothing(app: TestApp) {
    app.sign_in().await;
    let live = app.stamp().await;
    app.post_form("/test-data", &[("on", "yes")]).await.is(303);
    let refused = app.post_form("/leads", &amy(&live)).await.is(409);
    assert_eq!(refused.text("h1"), "You are in test data now");
    assert_eq!(count(&app).await, 0);
    let way = refused.attr("main .actions a.primary", "href");
    let back = app.get(&way).await.is(200);
    assert!(!back.has(".test-bar"), "back in live data");
    app.post_form("/leads", &amy(&back.attr("form.form input[name=stamp]", "value"))).await.is(303);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE NOT test").await, 1);
}

async fn a_form_that_was_filled_in_by_somebody_else_stores_nothing(app: TestApp) {
    let marketing = app.member(Role::Marketing).await;
    app.sign_in().await;
    let stamp = app.stamp().await;
    let refused = marketing.post_form("/leads", &amy(&stamp)).await.is(409);
    assert_eq!(refused.text("h1"), "You are somebody else now");
    assert!(!refused.has("main .actions a.primary[href^='/unsent']"));
    assert_eq!(count(&app).await, 0);
}

async fn a_form_without_a_stamp_stores_nothing(app: TestApp) {
    app.sign_in().await;
    for stamp in ["", "1.2.3", "nonsense"] {
        app.post_form("/leads", &amy(stamp)).await.is(400).says("Open it again");
    }
    assert_eq!(count(&app).await, 0);
}

async fn a_form_sent_twice_acts_once_and_leads_to_the_same_page(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    // As on a slow line: the second click leaves before the first answer is there.
    let fields = amy(&stamp);
    let (first, second) = tokio::join!(app.post_form("/leads", &fields), app.post_form("/leads", &fields));
    let third = app.post_form("/leads", &fields).await;
    let to = |answer: &Answer| (answer.status, answer.header("location").to_owned());
    assert_eq!(to(&first), to(&second));
    assert_eq!(to(&first), to(&third));
    assert_eq!(first.status, 303);
    assert_eq!(count(&app).await, 1);
}

async fn a_form_sent_again_with_other_words_says_what_was_saved(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    let first = app.post_form("/leads", &amy(&stamp)).await.is(303).header("location").to_owned();
    let mended = [("name", "Amy Williams"), ("email", "williams@example.com"), ("status", "new"), ("stamp", &stamp)];
    let again = app.post_form("/leads", &mended).await.is(409);
    assert_eq!(again.text("h1"), "This was sent already");
    assert_eq!(again.attr("main .actions a", "href"), first);
    assert_eq!(count(&app).await, 1);
    let anew = app.get("/unsent/leads").await.is(200);
    assert_eq!(anew.field("name"), "Amy Williams");
}

async fn a_form_with_an_error_may_be_sent_again(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    let broken = [("name", ""), ("status", "new"), ("stamp", stamp.as_str())];
    app.post_form("/leads", &broken).await.is(422);
    app.post_form("/leads", &amy(&stamp)).await.is(303);
    assert_eq!(count(&app).await, 1);
}

async fn what_was_typed_survives_a_session_that_ends(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    end_all_sessions(&app).await;
    let lost = app.post_form("/leads", &amy(&stamp)).await.goes_to("/sign-in?back=%2Funsent%2Fleads");
    let sign_in = lost.follow().await.is(200);
    assert_eq!(sign_in.flash(), "You were signed out. Sign in, and what you typed comes back.");
    assert_eq!(count(&app).await, 0);
    let fields =
        [("email", app.business.owner_email.as_str()), ("password", PASSWORD), ("back", &sign_in.field("back"))];
    let back = app.post_form("/sign-in", &fields).await.goes_to("/unsent/leads").follow().await.is(200);
    assert_eq!((back.field("name"), back.field("email")), ("Amy Pond".into(), "amy@example.com".into()));
    let said = back.text(".errors");
    assert!(said.contains("You were signed out before this was sent"), "{said}");
    assert_eq!(count(&app).await, 0, "nothing is sent by itself");
    app.post_form("/leads", &amy(&back.attr("form.form input[name=stamp]", "value"))).await.is(303);
    assert_eq!(count(&app).await, 1);
    app.get("/unsent/leads").await.is(404).says("Nothing is waiting to be sent");
}

async fn a_stranger_leaves_no_form_for_a_person(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    let stranger = app.stranger();
    stranger.post_form("/leads", &amy(&stamp)).await.goes_to("/sign-in");
    assert_eq!(app.number("SELECT count(*) FROM kept_texts").await, 0);
    // A browser that knows another person is a stranger too.
    let sales = app.member(Role::Sales).await;
    end_all_sessions(&app).await;
    sales.post_form("/leads", &amy(&stamp)).await.goes_to("/sign-in");
    assert_eq!(app.number("SELECT count(*) FROM kept_texts").await, 0);
}

async fn what_was_typed_is_shown_to_nobody_else(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    end_all_sessions(&app).await;
    app.post_form("/leads", &amy(&stamp)).await.is(303);
    let text = app.rows::<(String,)>("SELECT text FROM kept_texts").await[0].0.clone();
    // Base64 without padding has no sign of equality.
    assert!(!text.contains("name="), "a copy of the table shows nothing: {text}");
    // Another person at the same browser, and the same person at another one.
    let email = app.add_member(&app.business, Role::Marketing).await;
    app.sign_in_as(&email, PASSWORD).await.goes_to("/");
    app.get("/unsent/leads").await.is(404);
    let elsewhere = app.stranger();
    elsewhere.sign_in_as(&app.business.owner_email, PASSWORD).await.goes_to("/");
    elsewhere.get("/unsent/leads").await.is(404);
    // An hour later it is gone.
    app.sign_in().await;
    app.get("/unsent/leads").await.is(200);
    app.clock.set(app.clock.now().plus_seconds(3_601));
    app.get("/unsent/leads").await.is(404);
}

async fn passwords_and_files_are_not_kept(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    end_all_sessions(&app).await;
    let fields = [("current", PASSWORD), ("password", "another good pass phrase"), ("stamp", &stamp)];
    let lost = app.post_form("/account/password", &fields).await.is(303).follow().await;
    assert_eq!(lost.flash(), "You were signed out, so nothing was done. Sign in, and do it again.");
    assert_eq!(app.number("SELECT count(*) FROM kept_texts").await, 0);
    let upload = app.stranger().post_file("/imports", &[("kind", "leads")], "file", "a.csv", "email\n").await.is(303);
    assert!(upload.header("location").starts_with("/sign-in"), "{upload:?}");
}

async fn a_page_s_script_is_told_in_place(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    end_all_sessions(&app).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let script = ("x-requested-with", "fetch");
    let body = format!("on=yes&stamp={stamp}").into_bytes();
    app.request("POST", "/leads/1/qualification", &[form, script], body).await.is(401);
    app.request("GET", "/record/people?q=jane", &[script], Vec::new()).await.is(401);
}

/// Something for every field that a form may have, right enough to be acted on.
const ANYTHING: [(&str, &str); 27] = [
    ("name", "New Name"),
    ("email", "new.name@example.com"),
    ("phone", "+1 202 555 0142"),
    ("reach", "+1 202 555 0143"),
    ("company", "New Company"),
    ("status", "contacted"),
    ("active", "yes"),
    ("reason", "Because"),
    ("amount", "1.00"),
    ("date", "2026-06-20"),
    ("valid_from", "2026-06-21"),
    ("role", "viewer"),
    ("to", "banned"),
    ("business", "New Business"),
    ("product", "New Product"),
    ("timezone", "UTC"),
    ("currency", "USD"),
    ("country", "US"),
    ("mode", "live"),
    ("scope", "leads:read"),
    ("qualify_on", "payment"),
    ("reward_hold_days", "3"),
    ("link_days", "30"),
    ("overlap", "day"),
    ("code", "NEWCODE1"),
    ("hold_days", "3"),
    ("do", "void"),
];

async fn no_form_that_comes_back_acts_by_itself(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-20").await;
    app.api_post("/v1/payout-settings", serde_json::json!({ "adjustment_limit": { "USD": 0 } })).await.is(200);
    app.arrange("UPDATE campaigns SET customer_reward_kind = 'credit', customer_reward = '{\"USD\": 500}'").await;
    app.shop().lead("eve@example.com", Some(&jane.code)).await;
    app.shop().pay("eve@example.com", "10.00", "2026-06-20").await;
    let bonus = serde_json::json!({ "referrer": jane.id, "amount": 5, "currency": "USD", "reason": "the fair" });
    app.api_post("/v1/adjustments", bonus).await.is(201);
    let one = async |table: &str| app.number(&format!("SELECT min(id) FROM {table}")).await;
    let ids = [
        ("/adjustments/{id}", one("adjustments").await),
        ("/customer-rewards/{id}", one("customer_rewards").await),
        ("{campaign}", app.business.campaign_id),
        ("{payment}", one("payments").await),
        ("{account}", app.connect(refdesk::providers::Provider::Stripe, "whsec_1", false, None).await),
        ("/enrollments/{id}", jane.enrollment_id),
        ("/referrers/{id}", jane.id),
        ("/leads/{id}", lead),
        ("/products/{id}", app.business.product_row),
        ("/campaigns/{id}", app.business.campaign_id),
        ("/commissions/{id}", one("commissions").await),
        ("/keys/{id}", one("api_keys").await),
        ("/payouts/{id}", app.shop().draft("USD").await),
        ("/imports/{id}", 987_654_321),
    ];
    let (campaign, referrer) = (app.business.campaign_id.to_string(), jane.id.to_string());
    let commission = one("commissions").await.to_string();
    let audited = "SELECT count(*) FROM audit_entries";
    let mut shown = 0;
    for route in router::pages().table().iter().filter(|route| route.comes_back) {
        let mut address = route.path.to_owned();
        for (name, id) in &ids {
            let prefix = name.split('{').next().unwrap_or_default();
            address = address.replace(name, &format!("{prefix}{id}"));
        }
        address = address.replace("{format}", "sepa").replace("{provider}", "stripe");
        assert!(!address.contains('{'), "an id is missing for {address}");
        app.sign_in().await;
        let stamp = app.stamp().await;
        end_all_sessions(&app).await;
        let mut fields = ANYTHING.to_vec();
        if address.ends_with("/referrer") {
            fields.retain(|(name, _)| *name != "to");
            fields.push(("to", "none"));
        }
        fields.extend([
            ("campaign", campaign.as_str()),
            ("referrer", &referrer),
            ("id", &commission),
            ("stamp", &stamp),
        ]);
        app.post_form(&address, &fields).await.is(303);
        app.sign_in().await;
        let before = app.number(audited).await;
        let back = app.get(&format!("/unsent{address}")).await;
        // There is no such import, and no dispute to end.
        let fine = match back.status {
            200 => true,
            303 => address.ends_with("/dispute/end"),
            status => status == 404 && address.starts_with("/imports"),
        };
        assert!(fine, "it is shown: {back:?}");
        shown += i32::from(back.status == 200);
        assert_eq!(app.number(audited).await, before, "{address} only shows what was typed");
    }
    assert!(shown > 15, "{shown}");
}

async fn a_new_key_is_shown_once_and_made_once(app: TestApp) {
    app.sign_in().await;
    let stamp = app.stamp().await;
    let before = app.number("SELECT count(*) FROM api_keys").await;
    let fields = [("name", "Shop"), ("mode", "live"), ("scope", "leads:read"), ("stamp", &stamp)];
    app.post_form("/integrations/keys", &fields).await.is(200).says("rk_live_");
    let again = app.post_form("/integrations/keys", &fields).await.is(404);
    assert!(!again.body.contains("rk_live_"), "what is shown once is shown once");
    assert_eq!(app.number("SELECT count(*) FROM api_keys").await, before + 1);
    let texts = app.rows::<(String,)>("SELECT text FROM kept_texts").await;
    assert_eq!(texts.len(), 0, "what was shown is forgotten");
}

async fn a_campaign_of_nobody_is_not_replaced_by_another(app: TestApp) {
    app.sign_in().await;
    let globex = app.another_business("Globex").await;
    for nobody_s in ["987654321".to_owned(), "x".to_owned(), globex.campaign_id.to_string()] {
        for list in ["/leads", "/codes", "/referrers", "/commissions", "/leads/new", "/switch-campaign"] {
            let answer = app.get(&format!("{list}?campaign={nobody_s}")).await.is(404);
            assert_eq!(answer.text("h1"), "No such campaign", "{list}");
        }
    }
}

/// The addresses of links on a page that lead to a place of a campaign.
fn links(page: &Answer) -> Vec<String> {
    let places = ["/", "/leads", "/leads/new", "/referrers", "/codes", "/codes/export", "/codes/print", "/commissions"];
    let all = page.attrs("a[href^='/']", "href").into_iter();
    all.filter(|href| places.contains(&href.split('?').next().unwrap_or_default())).collect()
}

async fn every_list_and_every_way_to_it_names_its_campaign(app: TestApp) {
    let shop = app.shop();
    let other = shop.campaign("Partners").await;
    let jane = shop.referrer_in(other, "Jane Miller", true).await;
    app.sign_in().await;
    let named = format!("campaign={other}");
    for list in ["/", "/leads", "/referrers", "/codes", "/commissions", "/leads/new", "/record"] {
        let page = app.get(&format!("{list}?{named}")).await.is(200);
        let links = links(&page);
        assert!(links.len() > 5, "{list}: {links:?}");
        let lost: Vec<&String> = links.iter().filter(|href| !href.contains(&named)).collect();
        assert!(lost.is_empty(), "links of {list} without their campaign: {lost:?}");
        for form in page.attrs("main form[method=get] input[name=campaign]", "value") {
            assert_eq!(form, other.to_string());
        }
    }
    // The same address shows a colleague the same list, whatever they looked at last.
    let colleague = app.member(Role::Viewer).await;
    for visitor in [&*app as &Visitor, &colleague] {
        visitor.get(&format!("/referrers?{named}")).await.says("Jane Miller");
        visitor.get("/referrers").await.does_not_say("Jane Miller");
    }
    // A page about one thing shows the campaign of that thing.
    let lead = shop.lead("amy@example.com", None).await;
    app.get(&format!("/switch-campaign?campaign={other}&back=/leads")).await.goes_to(&format!("/leads?{named}"));
    let here = app.get(&format!("/leads/{lead}")).await;
    assert_eq!(here.attr("#switch-campaign option[selected]", "value"), app.business.campaign_id.to_string());
    let _ = jane;
}

async fn a_decision_from_a_list_leads_back_to_the_list_as_it_was(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("amy@example.com", Some(&jane.code)).await;
    app.shop().pay("amy@example.com", "100.00", "2026-06-20").await;
    app.sign_in().await;
    let list = format!("/commissions?kind=referral&campaign={}", app.business.campaign_id);
    let ask = app.get(&list).await.attr("td.do a[href*='/void']", "href");
    let question = app.get(&ask).await.is(200).says("This cannot be undone.");
    assert_eq!(question.field("back"), list);
    assert_eq!(question.attr("a[data-dialog-close]", "href"), list);
    let action = question.attr("form.confirm", "action");
    let fields = [("reason", "Fraud"), ("back", &list), ("seen", &question.field("seen"))];
    app.post_form(&action, &fields).await.goes_to(&list);
    assert_eq!(app.number("SELECT count(*) FROM commissions WHERE state = 'void'").await, 1);
}

async fn many_leads_are_lost_only_when_that_is_confirmed(app: TestApp) {
    let (amy, ben) = (app.shop().lead("amy@example.com", None).await, app.shop().lead("ben@example.com", None).await);
    app.sign_in().await;
    let (amy, ben) = (amy.to_string(), ben.to_string());
    let chosen = [("do", "lost"), ("id", amy.as_str()), ("id", &ben), ("back", "/leads?status=new")];
    let question = app.post_form("/leads/bulk", &chosen).await.is(200);
    assert_eq!(question.text("h1"), "Mark lost 2 leads");
    let lost = "SELECT count(*) FROM leads WHERE status = 'lost'";
    assert_eq!(app.number(lost).await, 0);
    let sealed = question.field("sealed");
    let confirmed = [&chosen[..], &[("sealed", sealed.as_str())]].concat();
    app.post_form("/leads/bulk", &confirmed).await.goes_to("/leads?status=new");
    assert_eq!(app.number(lost).await, 2);
}

async fn a_question_can_be_reloaded(app: TestApp) {
    let lead = app.shop().lead("amy@example.com", None).await.to_string();
    app.sign_in().await;
    let body = format!("do=lost&id={lead}&back=/leads&stamp={}", app.stamp().await).into_bytes();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let asked = app.request("POST", "/leads/bulk", &[form], body).await.is(303);
    let shown = asked.header("location").to_owned();
    assert!(shown.starts_with("/shown/"), "{shown}");
    for _ in 0..2 {
        app.get(&shown).await.is(200).says("Mark lost 1 lead");
    }
    app.stranger().get(&shown).await.is(303);
    app.member(Role::Owner).await.get(&shown).await.is(404);
}
