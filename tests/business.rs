//! /business, /audit, /test-data, and who may go where

use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! {
    the_settings_of_a_business_are_changed,
    a_further_business_is_added_and_switched_to,
    places_are_named_as_people_name_them,
    a_new_business_takes_what_is_usual_in_its_country,
    test_data_are_switched_on_for_a_session,
    the_audit_is_read_narrowed_and_paged,
    a_run_is_one_line_of_the_audit,
    test_mode_says_which_data_a_page_shows,
    every_role_goes_where_it_may,
}

async fn the_settings_of_a_business_are_changed(app: TestApp) {
    app.sign_in().await;
    let campaign = app.business.campaign_id.to_string();
    let fields = [
        ("business", "Acme Coffee"),
        ("currency", "kes"),
        ("country", "ke"),
        ("timezone", "Africa/Nairobi"),
        ("campaign", &campaign),
    ];
    let page = app.post_form("/business", &fields).await.goes_to("/business").follow().await;
    assert_eq!((page.flash().as_str(), page.text(".brand span").as_str()), ("The settings were saved.", "Acme Coffee"));
    assert_eq!((page.field("currency"), page.field("country")), ("KES".to_owned(), "Kenya".to_owned()));
    let again = app.post_form("/business", &fields).await.follow().await;
    assert!(again.flash().starts_with("Nothing was different"));
    let bad = [("business", ""), ("currency", "XXX"), ("country", "Kenyaa"), ("timezone", "Mars"), ("campaign", "1")];
    let page = app.post_form("/business", &bad).await.is(422);
    for field in ["business", "currency", "country", "timezone"] {
        assert!(!page.error_at(field).is_empty(), "{field}");
    }
    // Two letters that are no country would refuse every phone number.
    let bad: Vec<_> = fields.into_iter().map(|(k, v)| (k, if k == "country" { "QQ" } else { v })).collect();
    let page = app.post_form("/business", &bad).await.is(422);
    assert_eq!(
        page.error_at("country"),
        "The country is not known. Choose one of the list, or type its name or its letters, such as Kenya or KE."
    );
    assert_eq!(page.field("country"), "QQ", "what was typed stays");
    let other = app.another_business("Globex").await.campaign_id.to_string();
    let foreign: Vec<_> =
        fields.into_iter().filter(|(k, _)| *k != "campaign").chain([("campaign", other.as_str())]).collect();
    let page = app.post_form("/business", &foreign).await.is(422);
    assert_eq!(page.error_at("campaign"), "The default campaign is not one of the choices.");
}

async fn places_are_named_as_people_name_them(app: TestApp) {
    app.sign_in().await;
    let campaign = app.business.campaign_id.to_string();
    for (country, currency, zone, stored) in [
        ("Kenya", "Kenyan shilling", "Nairobi", "KE KES Africa/Nairobi"),
        ("deutschland", "Euro", "Europe/Berlin", "DE EUR Europe/Berlin"),
        ("United States", "us dollars", "US/Eastern", "US USD US/Eastern"),
        ("Cote d'Ivoire", "xof", "Abidjan", "CI XOF Africa/Abidjan"),
    ] {
        let fields = [
            ("business", "Acme"),
            ("currency", currency),
            ("country", country),
            ("timezone", zone),
            ("campaign", &campaign),
        ];
        let page = app.post_form("/business", &fields).await.goes_to("/business").follow().await.is(200);
        let sql = "SELECT country || ' ' || currency || ' ' || timezone FROM businesses";
        let (found,) = app.rows::<(String,)>(sql).await.remove(0);
        assert_eq!(found, stored);
        let zone = stored.rsplit(' ').next().unwrap();
        assert_eq!(page.attr("#f-timezone option[selected]", "value"), zone, "also one that is no longer listed");
        assert_eq!(page.count("#f-timezone option[selected]"), 1);
    }
    let page = app.get("/business").await;
    assert!(page.count("#countries option") > 240 && page.has("#countries option[value='Kenya'][data-currency=KES]"));
    assert!(page.has("#currencies option[value=KES]"));
    assert_eq!(page.attrs("#f-timezone optgroup", "label")[0], "Common");
    assert!(!page.has("[maxlength]"), "a browser would cut what is pasted");
    let long = "x".repeat(200);
    let bad = [("business", long.as_str()), ("currency", &long), ("country", &long), ("timezone", &long)];
    let page = app.post_form("/business", &bad).await.is(422);
    assert!(page.error_at("business").contains("at most 120"));
    assert_eq!(page.field("country"), long, "nothing is cut");
    assert!(page.error_at("currency").starts_with("The currency is not known."));
    assert!(page.error_at("timezone").starts_with("The time zone is not known."));
}

async fn a_new_business_takes_what_is_usual_in_its_country(app: TestApp) {
    app.sign_in().await;
    let fields = [
        ("business", "Second"),
        ("country", "Kenya"),
        ("currency", ""),
        ("timezone", ""),
        ("campaign", "Friends"),
        ("product", "Plan"),
        ("referral_rate", "10,5"),
        ("recurring_rate", "12,500"),
        ("hold_days", "30"),
    ];
    app.post_form("/business/new", &fields).await.is(200).says("Second is ready").says("For developers");
    let sql = "SELECT country || ' ' || currency || ' ' || timezone FROM businesses ORDER BY id DESC";
    assert_eq!(app.rows::<(String,)>(sql).await.remove(0).0, "KE KES Africa/Nairobi");
    let sql = "SELECT referral_rate, recurring_rate FROM terms ORDER BY id DESC";
    assert_eq!(app.rows::<(i64, i64)>(sql).await.remove(0), (105_000, 125_000));
}

async fn a_further_business_is_added_and_switched_to(app: TestApp) {
    app.sign_in().await;
    let fields = [
        ("business", "Second"),
        ("currency", "EUR"),
        ("country", "DE"),
        ("timezone", "Europe/Berlin"),
        ("campaign", "Freunde"),
        ("product", "Plan"),
        ("referral_rate", "10"),
        ("recurring_rate", "5"),
        ("hold_days", "30"),
    ];
    let refused = app.post_form("/business/new", &fields[..4]).await.is(422);
    assert_eq!(refused.error_at("product"), "The product's name is missing.");
    let done = app.post_form("/business/new", &fields).await.is(200).says("Second is ready");
    assert!(done.text("#secret").starts_with("rk_live_"));
    let home = app.get("/").await.is(200);
    assert_eq!(
        (home.text(".brand span"), home.text("#switch-campaign option[selected]")),
        ("Second".into(), "Freunde".into())
    );
    let first = app.business.id.to_string();
    app.post_form("/switch-business", &[("business", &first), ("back", "/")]).await.goes_to("/");
    assert_eq!(app.get("/").await.text(".brand span"), "Acme");
    let other = app.another_business("Globex").await.id.to_string();
    app.post_form("/switch-business", &[("business", &other)]).await.is(404);
    app.get("/no-business").await.goes_to("/");
    assert_eq!(app.number("SELECT count(*) FROM users").await, 2, "the owner is one person in both");
}

async fn test_data_are_switched_on_for_a_session(app: TestApp) {
    app.sign_in().await;
    assert!(!app.get("/account").await.has(".test-bar"));
    app.post_form("/test-data", &[("on", "yes"), ("back", "/account")]).await.goes_to("/account");
    assert!(app.get("/account").await.has(".test-bar"));
    let sam = app.member(Role::Viewer).await;
    assert!(!sam.get("/account").await.has(".test-bar"), "in this session only");
    app.post_form("/test-data", &[("on", "no"), ("back", "/account")]).await.goes_to("/account");
    assert!(!app.get("/account").await.has(".test-bar"));
}

async fn the_audit_is_read_narrowed_and_paged(app: TestApp) {
    app.sign_in().await;
    let product = format!("/products/{}", app.business.product_row);
    for n in 0..60 {
        app.clock.set(app.clock.now().plus_seconds(1));
        app.post_form(&product, &[("name", &format!("Plan {n}"))]).await.is(303);
    }
    let jane = app.shop().referrer("Jane Miller").await;
    let page = app.get("/audit").await.is(200);
    assert_eq!(page.count("tbody tr"), 50);
    assert!(page.texts("tbody .name")[0].starts_with("Referrer added"));
    assert_eq!(page.attrs("tbody td a", "href")[0], format!("/referrers/{}", jane.id));
    assert_eq!(page.texts("tbody td a")[0], "referrer Jane Miller");
    let lead = app.shop().lead("amy@example.com", Some(&jane.code)).await;
    let signed_up = app.get("/audit?what=customer.").await.is(200);
    assert_eq!(signed_up.texts("tbody td a"), ["lead amy"]);
    assert_eq!(signed_up.attrs("tbody td a", "href"), [format!("/leads/{lead}")]);
    assert_eq!(signed_up.texts("tbody td .under"), ["Jane Miller"]);
    app.shop().pay("amy@example.com", "100.00", "2026-06-14").await;
    let paid = app.get("/audit?what=payment").await.is(200);
    assert_eq!(paid.texts("tbody td a"), ["amy"], "a payment is on the page of its lead");
    let next = app.get(&page.attr("a[rel=next]", "href")).await.is(200);
    assert_eq!(next.count("tbody tr"), 13, "60 renamed, one added, one signed in, one business made");
    assert!(next.texts("tbody .name").last().unwrap().starts_with("Business made"));

    let renamed = app.get("/audit?what=product.&who=user").await.is(200);
    assert_eq!(renamed.texts("tbody .changes > div:first-child").first().unwrap(), "Name Plan 58 → Plan 59");
    assert_eq!(renamed.count("tbody tr"), 50);
    assert_eq!(app.get("/audit?about=referrer").await.count("tbody tr"), 1);
    assert_eq!(app.get("/audit?q=ACME+own").await.count("tbody tr"), 50, "by name, in any case");
    app.get("/audit?q=nobody&what=lead.").await.is(200).says("No entries match");
    let theirs = app.member_of(&app.another_business("Globex").await, Role::Owner).await;
    assert_eq!(theirs.get("/audit").await.is(200).count("tbody tr"), 2, "only their own");
}

async fn a_run_is_one_line_of_the_audit(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    for n in 0..5 {
        let email = format!("customer{n}@example.com");
        app.shop().lead(&email, Some(&jane.code)).await;
        app.shop().pay(&email, "100.00", "2026-06-14").await;
    }
    app.clock.advance_days(40);
    refdesk::sweep::all(&app.app).await.unwrap();
    app.sign_in().await;
    let page = app.get("/audit?who=job").await.is(200);
    assert!(page.texts("tbody .name")[0].starts_with("Commission approved 5 times"), "{page:?}");
    assert_eq!(page.count("tbody tr:first-child .run li"), 5);
    assert_eq!(page.texts("tbody tr:first-child [data-label=Who]"), ["Automatic"]);
    let people = app.get("/audit?who=user").await.is(200);
    assert_eq!(people.text(".tabs [aria-current]"), "People");
    people.does_not_say("Commission approved");
    let history = app.get(&format!("/referrers/{}", jane.id)).await.is(200);
    assert_eq!(history.texts(".timeline-title b")[0], "Commission of 20.00 USD approved");
    assert_eq!(history.texts(".timeline-body")[0], "customer4");
}

async fn test_mode_says_which_data_a_page_shows(app: TestApp) {
    app.sign_in().await;
    app.shop().referrer("Jane Miller").await;
    assert!(!app.get("/codes").await.has(".mode"));
    app.post_form("/test-data", &[("on", "yes"), ("back", "/")]).await.is(303);
    for (path, words) in [
        ("/", "The figures on this page are of live data."),
        ("/leads", "This page shows test data."),
        ("/commissions", "This page shows test data."),
        ("/codes", "a change here is live"),
        ("/referrers", "a change here is live"),
        ("/campaigns", "a change here is live"),
        ("/team", "a change here is live"),
        ("/imports", "An upload always goes into live data"),
    ] {
        let page = app.get(path).await.is(200);
        assert!(page.text(".mode").contains(words), "{path}: {page:?}");
    }
}

/// A sample of every kind of page, and the roles that may see it, as product.md has them.
async fn every_role_goes_where_it_may(app: TestApp) {
    let campaign = app.business.campaign_id;
    let product = app.business.product_row;
    use Role::{Developer, Marketing, Owner, Sales, Viewer};
    let everybody = &[Owner, Marketing, Sales, Developer, Viewer][..];
    let readers = &[Owner, Marketing, Developer, Viewer][..];
    let table = [
        ("/account".to_owned(), everybody),
        ("/referrers".to_owned(), everybody),
        ("/campaigns".to_owned(), readers),
        (format!("/campaigns/{campaign}"), readers),
        (format!("/products/{product}"), readers),
        ("/campaigns/new".to_owned(), &[Owner, Marketing]),
        (format!("/campaigns/{campaign}/edit"), &[Owner, Marketing]),
        (format!("/products/{product}/terms/new"), &[Owner, Marketing]),
        ("/integrations".to_owned(), &[Owner, Developer]),
        ("/integrations/keys/new".to_owned(), &[Owner, Developer]),
        ("/team".to_owned(), &[Owner]),
        ("/business".to_owned(), &[Owner]),
        ("/business/new".to_owned(), &[Owner]),
        ("/audit".to_owned(), &[Owner, Marketing, Developer]),
    ];
    for role in Role::ALL {
        let visitor = app.member(role).await;
        for (path, may) in &table {
            let expected = if may.contains(&role) { 200 } else { 403 };
            assert_eq!(visitor.get(path).await.status, expected, "{} at {path}", role.word());
        }
        let posts = [
            ("/team/invitations".to_owned(), &[Owner][..], [("email", ""), ("role", "")]),
            ("/integrations/keys".to_owned(), &[Owner, Developer], [("name", ""), ("mode", "")]),
            ("/campaigns".to_owned(), &[Owner, Marketing], [("name", ""), ("qualify_on", "")]),
            (format!("/products/{product}/terms"), &[Owner, Marketing], [("valid_from", ""), ("limit", "")]),
            ("/business".to_owned(), &[Owner], [("business", ""), ("currency", "")]),
        ];
        for (path, may, fields) in &posts {
            let expected = if may.contains(&role) { 422 } else { 403 };
            assert_eq!(visitor.post_form(path, fields).await.status, expected, "{} posts to {path}", role.word());
        }
    }
}
