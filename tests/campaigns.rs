//! /campaigns, /products and the switcher

use futures::future::join_all;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{TestApp, ThreeNodes};

on_both_databases! {
    a_campaign_is_made_as_a_draft_and_goes_live,
    settings_are_read_in_words_and_money,
    a_reward_is_paid_in_the_currency_it_was_set_in,
    the_default_campaign_is_chosen,
    amounts_are_read_as_every_country_writes_them,
    the_referrers_of_another_campaign_are_enrolled,
    those_with_a_tag_are_enrolled,
    a_campaign_says_what_it_pays,
    the_switcher_keeps_the_choice_and_goes_back,
    another_business_has_its_own_campaigns,
    terms_are_numbered_and_valid_from_a_date,
    the_preview_says_what_100_earns_and_stores_nothing,
    flat_terms_are_read_per_currency,
    two_who_save_terms_at_once_get_a_number_each,
    a_test_product_at_0_makes_a_test_row,
    a_form_that_is_sent_twice_makes_one_thing,
    terms_that_begin_in_the_past_are_asked_about,
}

const CAMPAIGN: [(&str, &str); 7] = [
    ("name", "Summer"),
    ("qualify_on", "payment"),
    ("least", "1,250.00"),
    ("least_other", "EUR 45.00\nJPY 5000"),
    ("reward_hold_days", "7"),
    ("link_days", "30"),
    ("destination", "https://example.com/welcome"),
];

fn with<'f>(fields: &[(&'f str, &'f str)], changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let unchanged = fields.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    unchanged.chain(changes).copied().collect()
}

async fn a_campaign_is_made_as_a_draft_and_goes_live(app: TestApp) {
    app.sign_in().await;
    let made = app.post_form("/campaigns", &CAMPAIGN).await.follow().await.is(200);
    assert!(made.flash().starts_with("Summer is now a draft."), "{}", made.flash());
    assert_eq!(made.text(".head .badge"), "draft");
    made.clone().says("At the first payment of at least 45.00 EUR or 5,000 JPY or 1,250.00 USD.").says("for 30 days");
    let id = app.number("SELECT max(id) FROM campaigns").await;
    let state = format!("/campaigns/{id}/state");

    let paused = app.post_form(&state, &[("state", "paused")]).await.follow().await;
    assert_eq!(paused.flash(), "Summer is draft, and cannot become paused.");
    let live = app.post_form(&state, &[("state", "live")]).await.follow().await;
    assert!(live.flash().starts_with("Summer is live now."), "{}", live.flash());
    assert!(!live.has(".flash form"), "there is no way back to draft");
    let ended = app.post_form(&state, &[("state", "ended")]).await.follow().await;
    assert_eq!(ended.attr(".flash form input[name=state]", "value"), "live", "ending can be undone");
    app.post_form(&state, &[("state", "gone")]).await.is(400);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'campaign.state'").await, 2);
}

async fn settings_are_read_in_words_and_money(app: TestApp) {
    app.sign_in().await;
    let bad = with(
        &CAMPAIGN,
        &[
            ("name", ""),
            ("least", "12.345"),
            ("least_other", "EUR five"),
            ("reward", "5.00"),
            ("reward_currency", "XXX"),
            ("destination", "javascript:alert(1)"),
            ("link_days", "401"),
        ],
    );
    let page = app.post_form("/campaigns", &bad).await.is(422);
    assert_eq!(page.error_at("name"), "The name is missing.");
    assert!(page.error_at("least").starts_with("The least payment"), "{}", page.error_at("least"));
    assert!(page.error_at("reward_currency").starts_with("The reward's currency is not known."));
    assert_eq!(page.error_at("destination"), "The address must start with https:// or http://.");
    assert_eq!(page.field("least"), "12.345", "what was typed stays");
    assert_eq!(app.number("SELECT count(*) FROM campaigns").await, 1);

    let here = format!("/campaigns/{}", app.business.campaign_id);
    let same = app.post_form(&here, &with(&CAMPAIGN, &[("least_other", "45.00 EUR twice")])).await.is(422);
    assert!(same.error_at("least_other").contains("“45.00 EUR twice”"), "{}", same.error_at("least_other"));
    app.post_form(&here, &CAMPAIGN).await.goes_to(&here);
    let again = app.post_form(&here, &CAMPAIGN).await.follow().await;
    assert!(again.flash().ends_with("Nothing was different, so nothing was changed."), "{}", again.flash());
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'campaign.changed'").await, 1);
}

async fn a_reward_is_paid_in_the_currency_it_was_set_in(app: TestApp) {
    app.sign_in().await;
    let here = format!("/campaigns/{}", app.business.campaign_id);
    let reward = [("qualify_on", "sign_up"), ("reward", "9.50"), ("reward_currency", "eur")];
    app.post_form(&here, &with(&CAMPAIGN, &reward)).await.goes_to(&here);
    app.get(&here).await.is(200).says("9.50 EUR per qualified lead, held 7 days.");
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("ann@example.org", Some(&jane.code)).await;
    let rewards: Vec<(String, i64, String)> =
        app.rows("SELECT currency, amount, hold_until FROM commissions WHERE kind = 'reward'").await;
    assert_eq!(rewards, [("EUR".to_owned(), 950, "2026-06-27".to_owned())]);
}

async fn the_default_campaign_is_chosen(app: TestApp) {
    app.sign_in().await;
    app.post_form("/campaigns", &CAMPAIGN).await.is(303);
    let id = app.number("SELECT max(id) FROM campaigns").await;
    let page = app.post_form(&format!("/campaigns/{id}/default"), &[]).await.follow().await;
    assert!(page.flash().ends_with("Summer is the default campaign now."), "{}", page.flash());
    assert_eq!(app.number("SELECT default_campaign_id FROM businesses").await, id);
    let list = app.get("/campaigns").await.is(200);
    assert_eq!(list.texts(".under"), ["Default: takes leads that name no campaign"]);
}

async fn the_switcher_keeps_the_choice_and_goes_back(app: TestApp) {
    app.sign_in().await;
    app.post_form("/campaigns", &CAMPAIGN).await.is(303);
    let id = app.number("SELECT max(id) FROM campaigns").await;
    let switch = |back: &str| format!("/switch-campaign?campaign={id}&back={back}");
    app.get(&switch("%2Freferrers%3Fstate%3Dactive%26campaign%3D1")).await.goes_to("/referrers?state=active");
    let chosen = app.get("/referrers").await.is(200);
    assert_eq!(chosen.text("#switch-campaign option[selected]"), "Summer");
    for evil in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil", "javascript%3Aalert(1)"] {
        app.get(&switch(evil)).await.goes_to("/");
    }
    let other = app.another_business("Globex").await;
    app.get(&format!("/switch-campaign?campaign={}&back=%2F", other.campaign_id)).await.is(404);
    app.get("/switch-campaign").await.goes_to("/");
}

async fn another_business_has_its_own_campaigns(app: TestApp) {
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    let (campaign, product) = (app.business.campaign_id, app.business.product_row);
    for path in [
        format!("/campaigns/{campaign}"),
        format!("/campaigns/{campaign}/edit"),
        format!("/campaigns/{campaign}/products/new"),
        format!("/products/{product}"),
        format!("/products/{product}/terms/new"),
    ] {
        theirs.get(&path).await.is(404);
    }
    let terms = with(&TERMS, &[]);
    for (path, fields) in [
        (format!("/campaigns/{campaign}"), CAMPAIGN.to_vec()),
        (format!("/campaigns/{campaign}/state"), vec![("state", "ended")]),
        (format!("/campaigns/{campaign}/default"), vec![]),
        (format!("/campaigns/{campaign}/products"), with(&terms, &[("name", "Evil"), ("mode", "live")])),
        (format!("/products/{product}"), vec![("name", "Evil")]),
        (format!("/products/{product}/terms"), terms),
    ] {
        theirs.post_form(&path, &fields).await.is(404);
    }
    assert_eq!(app.number("SELECT count(*) FROM terms").await, 2, "one for each business, from set-up");
}

const TERMS: [(&str, &str); 8] = [
    ("valid_from", "1 Jul 2026"),
    ("referral_kind", "percent"),
    ("referral_rate", "12.5"),
    ("recurring_kind", "percent"),
    ("recurring_rate", "7.1234"),
    ("limit", "months"),
    ("limit_count", "12"),
    ("hold_days", "30"),
];

async fn terms_are_numbered_and_valid_from_a_date(app: TestApp) {
    app.sign_in().await;
    let product = format!("/products/{}", app.business.product_row);
    let page = app.post_form(&format!("{product}/terms"), &TERMS).await.follow().await.is(200);
    assert_eq!(page.flash(), "Terms 2 are stored, valid from 1 Jul 2026.");
    assert_eq!(page.texts("tbody .name"), ["Terms 2", "Terms 1"]);
    assert_eq!(page.texts("tbody .badge"), ["Later", "In force"]);
    page.says(
        "12.5 % of the first payment; 7.1234 % of later ones, for 12 months after the first payment; held 30 days.",
    );

    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("ann@example.org", Some(&jane.code)).await;
    app.shop().pay("ann@example.org", "100.00", "2026-06-20").await;
    app.clock.advance_days(20);
    app.shop().pay("ann@example.org", "100.00", "2026-07-10").await;
    let earned: Vec<(i64, i64, i64)> =
        app.rows("SELECT terms_number, amount, hold_days FROM commissions ORDER BY id").await;
    assert_eq!(earned, [(1, 2000, 14), (2, 712, 30)], "the version in force on the payment's date");

    app.sign_in().await;
    let bad = with(&TERMS, &[("referral_rate", "12.34567"), ("limit_count", ""), ("valid_from", "soon")]);
    let refused = app.post_form(&format!("{product}/terms"), &bad).await.is(422);
    assert!(refused.error_at("referral_rate").contains("at most 4 decimals"), "{}", refused.error_at("referral_rate"));
    assert_eq!(refused.error_at("limit_count"), "The number of months must be a whole number from 1 to 1200.");
    assert!(refused.error_at("valid_from").starts_with("The date it is valid from is not understood. Write it as"));
    assert_eq!(app.number("SELECT count(*) FROM terms").await, 2);
}

async fn the_preview_says_what_100_earns_and_stores_nothing(app: TestApp) {
    app.sign_in().await;
    let product = format!("/products/{}", app.business.product_row);
    let fields = with(&TERMS, &[("do", "preview")]);
    app.post_form(&format!("{product}/terms"), &fields).await.is(200).says(
        "From 1 Jul 2026: A first payment of 100.00 USD earns 12.50 USD. Each later one earns 7.12 USD, for 12 months after the first payment.",
    );
    assert_eq!(app.number("SELECT count(*) FROM terms").await, 1);
}

async fn flat_terms_are_read_per_currency(app: TestApp) {
    app.sign_in().await;
    let path = format!("/products/{}/terms", app.business.product_row);
    let flat = [("referral_kind", "flat"), ("referral_flat", "15"), ("referral_flat_other", "KES 2,000")];
    app.post_form(&path, &with(&TERMS, &flat)).await.is(303);
    let stored: Vec<(Option<i64>, Option<String>)> =
        app.rows("SELECT referral_rate, referral_flat FROM terms WHERE number = 2").await;
    assert_eq!(stored, [(None, Some(r#"{"KES":200000,"USD":1500}"#.to_owned()))]);
    let form = app.get(&format!("{path}/new")).await.is(200);
    assert_eq!(form.field("referral_flat"), "15.00", "a new version begins with the newest");
    let none = with(&TERMS, &[("referral_kind", "flat")]);
    let refused = app.post_form(&path, &none).await.is(422);
    assert_eq!(
        refused.error_at("referral_flat"),
        "The commission on the first payment is missing. Write 0 for nothing."
    );
}

async fn two_who_save_terms_at_once_get_a_number_each(three: ThreeNodes) {
    let path = format!("/products/{}/terms", three.business.product_row);
    for node in &three.nodes {
        node.sign_in().await;
    }
    let saves = (0..12).map(|n| three.node(n).post_form(&path, &TERMS));
    for answer in join_all(saves).await {
        answer.is(303);
    }
    let numbers: Vec<(i64,)> = three.rows("SELECT number FROM terms ORDER BY number").await;
    assert_eq!(numbers, (1..=13).map(|n| (n,)).collect::<Vec<_>>());
}

async fn a_form_that_is_sent_twice_makes_one_thing(app: TestApp) {
    app.sign_in().await;
    let again = with(&CAMPAIGN, &[("name", " SUMMER ")]);
    let (first, second) = tokio::join!(app.post_form("/campaigns", &CAMPAIGN), app.post_form("/campaigns", &again));
    let mut answers = [first.status, second.status];
    answers.sort_unstable();
    assert_eq!(answers, [303, 422]);
    let refused = app.post_form("/campaigns", &again).await.is(422);
    assert_eq!(refused.error_at("name"), "There is a campaign of this name already. Give this one another name.");
    assert_eq!(refused.field("least"), "1,250.00", "what was typed stays");
    assert_eq!(app.number("SELECT count(*) FROM campaigns").await, 2);

    let path = format!("/campaigns/{}/products", app.business.campaign_id);
    let product = with(&TERMS, &[("name", "Yearly plan"), ("mode", "live")]);
    app.post_form(&path, &product).await.is(303);
    let refused = app.post_form(&path, &with(&product, &[("name", "yearly  plan")])).await.is(422);
    assert!(refused.error_at("name").contains("a product of this name already"), "{}", refused.error_at("name"));
    app.post_form(&path, &with(&product, &[("mode", "test")])).await.is(303);
    assert_eq!(app.number("SELECT count(*) FROM products WHERE name LIKE 'Yearly%'").await, 2, "one live, one test");
}

async fn terms_that_begin_in_the_past_are_asked_about(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("ann@example.org", Some(&jane.code)).await;
    for date in ["2026-06-09", "2026-06-10", "2026-06-19"] {
        shop.pay("ann@example.org", "100.00", date).await;
    }
    // Nobody referred this one, so it waits.
    shop.lead("bob@example.org", None).await;
    shop.pay("bob@example.org", "100.00", "2026-06-19").await;
    let product = format!("/products/{}", app.business.product_row);
    let past = with(&TERMS, &[("valid_from", "10/06/2026")]);
    let asked = app.post_form(&format!("{product}/terms"), &past).await.is(200);
    assert_eq!(app.number("SELECT count(*) FROM terms").await, 1, "nothing is stored before it is confirmed");
    let asked = asked.says("10 Jun 2026 is in the past.").says("2 payments with a date since then were decided");
    assert_eq!(asked.field("hold_days"), "30", "what was typed stays");

    let sure = asked.attr("input[name=sure]", "value");
    let other = with(&past, &[("valid_from", "9 Jun 2026"), ("sure", &sure)]);
    app.post_form(&format!("{product}/terms"), &other).await.is(200).says("3 payments with a date since then");
    let done = app.post_form(&format!("{product}/terms"), &with(&past, &[("sure", &sure)])).await.follow().await;
    assert_eq!(done.flash(), "Terms 2 are stored, valid from 10 Jun 2026.");
    let earned: Vec<(i64,)> = app.rows("SELECT terms_number FROM commissions ORDER BY id").await;
    assert_eq!(earned, [(1,), (1,), (1,)], "nothing decided is decided again");
    let today = with(&TERMS, &[("valid_from", "today")]);
    app.post_form(&format!("{product}/terms"), &today).await.is(303);
}

async fn a_test_product_at_0_makes_a_test_row(app: TestApp) {
    app.sign_in().await;
    let campaign = format!("/campaigns/{}/products", app.business.campaign_id);
    let form = app.get(&format!("{campaign}/new?test")).await.is(200);
    assert_eq!((form.field("name").as_str(), form.field("referral_rate").as_str()), ("Test product", "0"));
    let zero = [("name", "Test product"), ("mode", "test"), ("referral_rate", "0"), ("recurring_rate", "0")];
    let page = app.post_form(&campaign, &with(&TERMS, &zero)).await.follow().await.is(200);
    assert_eq!(page.text(".head .badge"), "test");
    page.says("A first payment of 100.00 USD earns nothing.");
    let products: Vec<(bool, i64)> = app.rows("SELECT test, (SELECT count(*) FROM terms t WHERE t.product_id = products.id AND number = 1) FROM products ORDER BY id").await;
    assert_eq!(products, [(false, 1), (true, 1)]);
}

async fn amounts_are_read_as_every_country_writes_them(app: TestApp) {
    app.sign_in().await;
    for (n, (typed, shown)) in
        [("1.250,50", "1,250.50"), ("1 000,5", "1,000.50"), ("10,5", "10.50"), ("1,000", "1,000.00")]
            .into_iter()
            .enumerate()
    {
        let name = format!("Campaign {n}");
        let fields = with(&CAMPAIGN, &[("name", &name), ("least", typed), ("least_other", "EUR 2.500,00")]);
        let made = app.post_form("/campaigns", &fields).await.follow().await.is(200);
        let (unclear, flash) = (typed == "1,000", made.flash());
        made.says(&format!("At the first payment of at least 2,500.00 EUR or {shown} USD."));
        assert_eq!(flash.contains("“1,000” was read as 1,000.00 USD."), unclear, "{flash}");
    }
    let page = app.post_form("/campaigns", &with(&CAMPAIGN, &[("least", "1.000")])).await.is(422);
    assert!(page.error_at("least").contains("may part thousands or decimals"), "{}", page.error_at("least"));
}

async fn the_referrers_of_another_campaign_are_enrolled(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let ann = shop.referrer("Ann A").await;
    shop.referrer("Ben B").await;
    let resting = shop.referrer("Pat Paused").await;
    app.post_form(&format!("/enrollments/{}/state", resting.enrollment_id), &[("to", "paused")]).await.is(303);
    let made = app.post_form("/campaigns", &CAMPAIGN).await.follow().await.is(200);
    assert!(made.flash().contains("You work in it now"), "{}", made.flash());
    let summer = app.number("SELECT max(id) FROM campaigns").await;
    assert_eq!(made.text("#switch-campaign option[selected]"), "Summer", "one is in the campaign one made");
    let list = app.get("/referrers").await.is(200).says("No referrers in Summer yet");
    let ask = app.get(&list.attr("main .empty a[href^='/referrers/enroll']", "href")).await.is(200);
    assert_eq!(ask.texts("#f-from option"), ["Refer a friend"]);
    let own = summer.to_string();
    app.post_form("/referrers/enroll", &[("from", &own), ("generate", "yes")]).await.is(422);
    let from = app.business.campaign_id.to_string();
    let fields = [("from", from.as_str()), ("generate", "yes")];
    let answer = app.with_jobs(app.post_form("/referrers/enroll", &fields)).await.is(303);
    let result = app.get(answer.header("location")).await.is(200);
    assert_eq!(result.text("h1"), "2 referrers enrolled in Summer");
    let count = format!("SELECT count(*) FROM codes WHERE campaign_id = {summer} AND state = 'active'");
    assert_eq!(app.number(&count).await, 2);
    // Codes of a draft count for nobody, so nobody is told them before it is live.
    assert!(!result.says("Summer is a draft: its codes do not count").has("a[href^='/codes/texts']"));
    app.post_form(&format!("/campaigns/{summer}/state"), &[("state", "live")]).await.is(303);
    let result = app.get(answer.header("location")).await.is(200).does_not_say("draft:");
    let texts = app.get(&result.attr(".actions .primary", "href")).await.is(200);
    assert_eq!(texts.body.matches("@example.org").count(), 2, "{}", texts.body);
    assert!(app.get("/referrers").await.is(200).says("Ann A").count("tbody tr") == 2);
    let again = app.with_jobs(app.post_form("/referrers/enroll", &fields)).await.is(303);
    let again = app.get(again.header("location")).await.is(200).says("2 were in it before and stay as they are.");
    assert_eq!(again.text("h1"), "All of them are enrolled already in Summer");
    assert_eq!(app.number(&count).await, 2, "a second time makes nothing");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'referrers.enrolled'").await, 2);
    let each = "SELECT count(*) FROM audit_entries WHERE action = 'referrer.enrolled'";
    assert_eq!(app.number(each).await, 0, "one entry speaks of all");
    app.get(&format!("/referrers/{}", ann.id)).await.is(200).says("Enrolled in a campaign").says("Summer");
    app.post_form("/enrollments/0/state", &[("to", "paused")]).await.is(404);
    let shown = app.get(&format!("/campaigns/{from}")).await.is(200).says("You work in Summer.");
    let there = app.get(&shown.attr("a[href^='/switch-campaign']", "href")).await.follow().await;
    there.is(200).says("You work in this campaign");
    let theirs = app.another_business("Globex").await.campaign_id.to_string();
    app.post_form("/referrers/enroll", &[("from", &theirs)]).await.is(422);
}

async fn those_with_a_tag_are_enrolled(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let ann = shop.referrer("Ann A").await;
    for n in 0..60 {
        shop.referrer(&format!("Person {n}")).await;
    }
    app.post_form("/referrers/bulk", &[("tags", "VIP"), ("do", "tag"), ("id", &ann.enrollment_id.to_string())]).await;
    let tag = app.number("SELECT coalesce(max(id), 0) FROM tags").await.to_string();
    assert_ne!(tag, "0", "a tag was made");
    let autumn = app.shop().campaign("Autumn").await;
    app.get(&format!("/switch-campaign?campaign={autumn}&back=/")).await.is(303);
    let from = app.business.campaign_id.to_string();
    let count = format!("SELECT count(*) FROM enrollments WHERE campaign_id = {autumn}");
    app.with_jobs(app.post_form("/referrers/enroll", &[("from", &from), ("tag", &tag)])).await.is(303);
    assert_eq!(app.number(&count).await, 1);
    app.with_jobs(app.post_form("/referrers/enroll", &[("from", &from), ("tag", "")])).await.is(303);
    assert_eq!(app.number(&count).await, 61, "more than one chunk");
    assert_eq!(app.number(&format!("SELECT count(*) FROM codes WHERE campaign_id = {autumn}")).await, 0);
}

async fn a_campaign_says_what_it_pays(app: TestApp) {
    app.sign_in().await;
    let usual = format!("#campaign_{}", app.business.campaign_id);
    let list = app.get("/campaigns").await.is(200);
    assert!(list.text(&usual).contains("20 % of the first payment; 20 % of later ones"), "{}", list.text(&usual));
    app.get(&format!("/campaigns/{}", app.business.campaign_id)).await.is(200).says("Referrers earn");
    app.post_form("/campaigns", &CAMPAIGN).await.is(303);
    let summer = app.number("SELECT max(id) FROM campaigns").await;
    let state = format!("/campaigns/{summer}/state");
    let live = app.post_form(&state, &[("state", "live")]).await.follow().await.is(200);
    assert!(live.flash().contains("It pays nothing yet"), "{}", live.flash());
    assert!(live.has(&format!("main a[href='/campaigns/{summer}/products/new']")));
    live.says("This campaign is live and pays nothing yet");
    assert!(app.get("/campaigns").await.text(&format!("#campaign_{summer}")).contains("nothing yet"));
    app.post_form(&format!("/campaigns/{summer}"), &with(&CAMPAIGN, &[("reward", "5"), ("reward_currency", "USD")]))
        .await
        .is(303);
    app.get(&format!("/campaigns/{summer}"))
        .await
        .says("5.00 USD for each referral that counts")
        .does_not_say("pays nothing yet");
}
