//! Lists that people work with: figures, orders, days, columns, saved views, files.

use refdesk::app::App;
use refdesk::engine::{Merge, Reattribute};
use refdesk::figures;
use refdesk::users::Role;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Outcome, TestApp};

on_both_databases! {
    referrers_are_sorted_by_every_figure,
    codes_are_sorted_by_their_figures,
    figures_follow_a_lead_to_another_referrer,
    figures_are_of_the_business_currency,
    two_nodes_write_and_copy_the_same_figures,
    a_list_shows_the_days_it_is_asked_for,
    a_list_shows_the_columns_it_is_asked_for,
    an_order_of_a_head_outlives_a_search,
    a_view_is_saved_shared_and_removed,
    a_view_of_somebody_else_is_left_alone,
    a_file_has_just_what_the_list_shows,
    a_file_has_no_more_than_its_reader_sees,
    commissions_are_sorted_by_amount,
    referrers_are_tagged_and_found_by_tag,
    tags_and_notes_follow_a_merged_lead,
    a_person_has_so_many_tags_and_no_more,
    many_referrers_are_changed_at_once,
    remarks_of_another_business_are_out_of_reach,
    leads_without_an_address_are_found,
}

/// Copies all waiting figures.
async fn settle(app: &TestApp) {
    while figures::run(&app.app).await.unwrap() {}
}

/// Ann has three leads and 100 of revenue, Ben one lead and 500, Cal none.
async fn three_referrers(app: &TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("Ann").await;
    let ben = shop.referrer("Ben").await;
    shop.referrer("Cal").await;
    for lead in ["one@example.com", "two@example.com", "three@example.com"] {
        shop.lead(lead, Some(&ann.code)).await;
    }
    shop.lead("four@example.com", Some(&ben.code)).await;
    shop.pay("one@example.com", "100.00", "2026-06-14").await;
    shop.pay("four@example.com", "500.00", "2026-06-15").await;
    settle(app).await;
}

async fn names(app: &TestApp, address: &str) -> Vec<String> {
    app.get(address).await.is(200).texts("tbody th a")
}

async fn referrers_are_sorted_by_every_figure(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    assert_eq!(names(&app, "/referrers?sort=-leads").await, ["Ann", "Ben", "Cal"]);
    assert_eq!(names(&app, "/referrers?sort=leads").await, ["Cal", "Ben", "Ann"]);
    assert_eq!(names(&app, "/referrers?sort=-qualified").await, ["Ben", "Ann", "Cal"]);
    assert_eq!(names(&app, "/referrers?sort=-revenue").await, ["Ben", "Ann", "Cal"]);
    assert_eq!(names(&app, "/referrers?sort=-earned").await, ["Ben", "Ann", "Cal"]);
    assert_eq!(names(&app, "/referrers?sort=-last").await[2], "Cal");
    let page = app.get("/referrers?sort=-revenue").await.is(200);
    let cells = |label: &str| page.texts(&format!("td[data-label='{label}']"));
    assert_eq!(cells("Leads"), ["1", "3", "0"]);
    assert_eq!(cells("Qualified"), ["1", "1", "0"]);
    assert_eq!(cells("Revenue"), ["500.00 USD", "100.00 USD", "0"]);
    assert_eq!(cells("Earned"), ["100.00 USD", "20.00 USD", "0"]);
    assert_eq!(page.attr("th[aria-sort]", "aria-sort"), "descending");
    let sales = app.member(Role::Sales).await;
    let theirs = sales.get("/referrers?cols=leads&cols=revenue&cols=earned").await.is(200);
    assert_eq!(theirs.count("td[data-label='Revenue'], td[data-label='Earned']"), 0, "sales see no money");
}

async fn codes_are_sorted_by_their_figures(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let owners =
        async |sort: &str| app.get(&format!("/codes?sort={sort}")).await.is(200).texts("td[data-label='Referrer']");
    assert_eq!(owners("-leads").await, ["Ann", "Ben", "Cal"]);
    assert_eq!(owners("-revenue").await, ["Ben", "Ann", "Cal"]);
    assert_eq!(owners("revenue").await, ["Cal", "Ann", "Ben"]);
}

async fn figures_follow_a_lead_to_another_referrer(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let lead = app.number("SELECT id FROM leads WHERE email_key = 'four@example.com'").await;
    let cal = app.number("SELECT id FROM enrollments WHERE name_fold = 'cal'").await;
    let what = Reattribute {
        lead_id: lead.into(),
        to: Some(cal.into()),
        code_id: None,
        reason: "a call".into(),
        pay_back: true,
    };
    app.shop().send(what).await;
    // What a page shows is exact before anything is copied; what it is sorted by follows.
    let page = app.get("/referrers?sort=name").await.is(200);
    assert_eq!(page.texts("td[data-label='Leads']"), ["3", "0", "1"]);
    settle(&app).await;
    assert_eq!(names(&app, "/referrers?sort=-leads").await, ["Ann", "Cal", "Ben"]);
    assert_eq!(app.number("SELECT last_lead_at FROM enrollments WHERE name_fold = 'ben'").await, 0);
}

async fn figures_are_of_the_business_currency(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    app.arrange("UPDATE businesses SET currency = 'EUR'").await;
    let fields = [("business", "Acme"), ("timezone", "UTC"), ("currency", "USD"), ("country", "US")];
    let campaign = app.number("SELECT default_campaign_id FROM businesses").await.to_string();
    let form: Vec<(&str, &str)> = fields.into_iter().chain([("campaign", campaign.as_str())]).collect();
    app.arrange("UPDATE enrollments SET revenue = 0, earned = 0").await;
    app.post_form("/business", &form).await;
    settle(&app).await;
    assert_eq!(app.number("SELECT revenue FROM enrollments WHERE name_fold = 'ben'").await, 50_000);
}

async fn two_nodes_write_and_copy_the_same_figures(app: TestApp) {
    let jane = app.shop().referrer("Jane").await;
    let other = app.another_node().await;
    let (here, there) = (&app.app, &other.app);
    let copies = async |core: &App| figures::run(core).await.unwrap();
    for round in 0..10 {
        // Writes at one time, and those of another node, count in slots of their own.
        let lead = async |node: &TestApp, n: i32| {
            node.shop().lead(&format!("lead{round}-{n}@example.com"), Some(&jane.code)).await;
        };
        futures::join!(lead(&app, 0), lead(&app, 1), lead(&other, 2));
        futures::join!(copies(here), copies(there));
        assert_eq!(app.number("SELECT max(leads) FROM codes").await, 3 * (i64::from(round) + 1));
    }
}

async fn a_list_shows_the_days_it_is_asked_for(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let today = app.clock.now().date_utc();
    let (today, later) = (today.to_string(), today.plus_days(1).to_string());
    for list in ["referrers", "codes", "leads"] {
        let rows =
            async |query: String| app.get(&format!("/{list}?{query}")).await.is(200).count("table.list tbody tr");
        let all = rows(String::new()).await;
        assert!(all > 0, "{list}");
        assert_eq!(rows(format!("from={today}&to={today}")).await, all, "{list}");
        assert_eq!(rows(format!("from={later}")).await, 0, "{list}");
        assert_eq!(rows(format!("from={today}&sort=name")).await, all, "{list}");
    }
    let page = app.get(&format!("/leads?to={today}&from=soon")).await.is(200);
    assert!(page.texts(".chip").iter().any(|chip| chip.contains("“soon” is not a day")), "{:?}", page.texts(".chip"));
    assert_eq!(app.get(&format!("/commissions?from={later}")).await.is(200).count("table.list tbody tr"), 0);
}

async fn an_order_of_a_head_outlives_a_search(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    for list in ["/referrers?sort=-earned", "/referrers?sort=-created", "/codes?sort=-revenue"] {
        let page = app.get(list).await.is(200);
        let sort = page.attr("select[name=sort] option[selected]", "value");
        let wanted = list.split_once("sort=").unwrap().1;
        assert!(sort == wanted || sort.is_empty() && wanted == "-created", "{list}: {sort}");
    }
}

async fn a_list_shows_the_columns_it_is_asked_for(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let page = app.get("/referrers?cols=phone&cols=leads").await.is(200);
    assert_eq!(page.texts("thead .sort, thead th:not(:has(.hide)):not(:has(.sort))"), ["Name", "Phone", "Leads"]);
    // Sorting and filtering keep the columns.
    assert!(page.attrs("thead a.sort", "href").iter().all(|url| url.contains("cols=phone&cols=leads")));
    let page = app.get("/leads?cols=email&cols=status").await.is(200);
    assert_eq!(page.texts("tbody td[data-label='E-mail']").len(), 4);
    assert_eq!(page.count("tbody td[data-label='Referrer']"), 0);
}

async fn a_view_is_saved_shared_and_removed(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let back = "/referrers?state=active&sort=-leads&cols=leads";
    let view = [("list", "referrers"), ("name", "Best first"), ("shared", "yes"), ("back", back)];
    let page = app.post_form("/views", &view).await.follow().await.is(200);
    assert!(page.texts("#tabs a[aria-current]").contains(&"Best first".to_owned()), "{:?}", page.texts("#tabs a"));
    assert_eq!(page.texts("tbody th a"), ["Ann", "Ben", "Cal"]);
    let sam = app.member(Role::Marketing).await;
    let theirs = sam.get("/referrers").await.is(200);
    assert!(theirs.texts("#tabs a").contains(&"Best first".to_owned()), "a shared view is everybody's");
    let again = [("list", "referrers"), ("name", "Best first"), ("back", "/referrers?sort=-earned")];
    app.post_form("/views", &again).await.follow().await;
    assert_eq!(app.number("SELECT count(*) FROM saved_views").await, 1, "the same name again replaces it");
    assert!(!sam.get("/referrers").await.is(200).texts("#tabs a").contains(&"Best first".to_owned()));
    let id = app.number("SELECT id FROM saved_views").await;
    app.post_form(&format!("/views/{id}/remove"), &[("back", "/referrers")]).await.follow().await;
    assert_eq!(app.number("SELECT count(*) FROM saved_views").await, 0);
    let nameless =
        app.post_form("/views", &[("list", "leads"), ("name", " "), ("back", "/leads")]).await.follow().await;
    assert_eq!(nameless.flash(), "The name is missing.");
    app.post_form("/views", &[("list", "audit"), ("name", "x"), ("back", "/audit")]).await.is(400);
}

async fn a_view_of_somebody_else_is_left_alone(app: TestApp) {
    let sam = app.member(Role::Marketing).await;
    sam.post_form("/views", &[("list", "leads"), ("name", "Mine"), ("back", "/leads?status=new")]).await;
    let id = app.number("SELECT id FROM saved_views").await;
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    theirs.post_form(&format!("/views/{id}/remove"), &[]).await.is(404);
    let kim = app.member(Role::Marketing).await;
    kim.post_form(&format!("/views/{id}/remove"), &[]).await.is(404);
    assert!(!kim.get("/leads").await.is(200).texts("#tabs a").contains(&"Mine".to_owned()));
    assert_eq!(app.number("SELECT count(*) FROM saved_views").await, 1);
}

async fn a_file_has_just_what_the_list_shows(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let file = app.get("/referrers/export?sort=-revenue&cols=leads&cols=revenue&q=n").await.is(200);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"referrers.csv\"");
    let lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(lines[0], "name,email,leads,revenue");
    assert_eq!(lines[1], "Ben,ben@example.org,1,500.00 USD");
    assert_eq!(lines[2], "Ann,ann@example.org,3,100.00 USD");
    let leads = app.get("/leads/export?status=converted&cols=status&cols=referrer").await.is(200);
    assert_eq!(leads.body.lines().next(), Some("name,email,phone,company,status,referrer,code"));
    assert_eq!(leads.body.lines().count(), 3, "{}", leads.body);
    let commissions = app.get("/commissions/export?cols=amount&sort=-amount").await.is(200);
    let lines: Vec<&str> = commissions.body.lines().collect();
    assert_eq!(lines[0], "id,lead,arithmetic,amount,currency");
    assert!(lines[1].ends_with("100.00,USD") && lines[2].ends_with("20.00,USD"), "{}", commissions.body);
    let codes = app.get("/codes/export?cols=clicks&sort=-leads").await.is(200);
    assert_eq!(codes.body.lines().next(), Some("code,kind,link,clicks"));
    assert_eq!(codes.body.lines().count(), 4);
}

async fn a_file_has_no_more_than_its_reader_sees(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let sales = app.member(Role::Sales).await;
    assert_eq!(sales.get("/leads/export").await.is(200).body.lines().count(), 1, "none of them is theirs");
    for file in ["/referrers/export", "/codes/export", "/commissions/export"] {
        sales.get(file).await.is(403);
    }
}

async fn commissions_are_sorted_by_amount(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let amounts =
        async |sort: &str| app.get(&format!("/commissions?sort={sort}")).await.is(200).texts("td[data-label='Amount']");
    assert_eq!(amounts("-amount").await, ["100.00 USD", "20.00 USD"]);
    assert_eq!(amounts("amount").await, ["20.00 USD", "100.00 USD"]);
}

async fn referrers_are_tagged_and_found_by_tag(app: TestApp) {
    app.sign_in().await;
    three_referrers(&app).await;
    let ids: Vec<String> = app
        .rows::<(i64,)>("SELECT id FROM enrollments WHERE name_fold <> 'cal' ORDER BY id")
        .await
        .into_iter()
        .map(|(id,)| id.to_string())
        .collect();
    let mut form = vec![("do", "tag"), ("tags", "VIP, Presse"), ("back", "/referrers?cols=tags")];
    form.extend(ids.iter().map(|id| ("id", id.as_str())));
    let page = app.post_form("/referrers/bulk", &form).await.follow().await.is(200);
    assert_eq!(page.flash(), "2 referrers are tagged VIP, Presse now.");
    assert_eq!(page.texts("td[data-label='Tags']"), ["", "Presse VIP", "Presse VIP"]);
    let vip = app.number("SELECT id FROM tags WHERE name = 'VIP'").await;
    assert_eq!(names(&app, &format!("/referrers?tag={vip}&sort=name")).await, ["Ann", "Ben"]);
    let file = app.get(&format!("/referrers/export?tag={vip}&sort=-name&cols=tags")).await.is(200);
    assert_eq!(file.body.lines().nth(1), Some("Ben,ben@example.org,\"Presse, VIP\""));
    // Another spelling is the same tag.
    let ben = app.number("SELECT id FROM referrers WHERE name = 'Ben'").await;
    let page = app.post_form(&format!("/referrers/{ben}/tags"), &[("add", "vip")]).await.follow().await;
    assert_eq!(page.flash(), "Nothing was changed.");
    let page = app.post_form(&format!("/referrers/{ben}/tags"), &[("take", "VIP")]).await.follow().await;
    assert_eq!(page.texts(".remarks .chip"), ["Presse"]);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'referrer.tagged'").await, 3);
}

async fn tags_and_notes_follow_a_merged_lead(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let added = async |name: &str| match shop.send(shop.lead_event(name, None, None)).await {
        Outcome::LeadAdded { lead_id, .. } => lead_id,
        other => panic!("{other:?}"),
    };
    let (one, two) = (added("Amy Pond").await, added("Amy Ponds").await);
    for (lead, tag) in [(one, "trial"), (two, "trial, fair")] {
        app.post_form(&format!("/leads/{lead}/tags"), &[("add", tag)]).await.is(303);
        app.post_form(&format!("/leads/{lead}/notes"), &[("note", "Called <b>twice</b>\nand again")]).await.is(303);
    }
    shop.send(Merge { lead_id: two.into(), into: one.into() }).await;
    let page = app.get(&format!("/leads/{one}")).await.is(200);
    assert_eq!(page.texts(".remarks .chip"), ["fair", "trial"]);
    assert_eq!(page.count(".notes li"), 2);
    let fair = app.number("SELECT id FROM tags WHERE name = 'fair'").await;
    assert_eq!(app.get(&format!("/leads?tag={fair}")).await.is(200).texts("tbody th a"), ["Amy Pond"]);
    assert_eq!(app.get("/leads?tag=1").await.is(200).count("tbody th"), 0, "no such tag, no such lead");
    assert_eq!(page.texts(".notes .wrap")[0], "Called <b>twice</b> and again");
    assert_eq!(app.number(&format!("SELECT count(*) FROM tagged WHERE subject_id = {two}")).await, 0);
}

async fn a_person_has_so_many_tags_and_no_more(app: TestApp) {
    app.sign_in().await;
    let ann = app.shop().referrer("Ann").await.id;
    let all: Vec<String> = (0..20).map(|n| format!("tag {n}")).collect();
    let path = format!("/referrers/{ann}/tags");
    app.post_form(&path, &[("add", &all.join(","))]).await.is(303);
    let page = app.post_form(&path, &[("add", "one more")]).await.follow().await;
    assert!(page.flash().ends_with("20 tags are the most that one can have."), "{}", page.flash());
    let page = app.post_form(&path, &[("add", &"x".repeat(41))]).await.follow().await;
    assert!(page.flash().contains("40"), "{}", page.flash());
    assert_eq!(app.number("SELECT count(*) FROM tagged").await, 20);
    let page = app.post_form(&format!("/referrers/{ann}/notes"), &[("note", "  ")]).await.follow().await;
    assert!(page.flash().ends_with("Write something first."), "{}", page.flash());
}

async fn many_referrers_are_changed_at_once(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    for name in ["Ann", "Ben", "Cal"] {
        shop.referrer_without_code(name).await;
    }
    app.arrange("UPDATE enrollments SET state = 'banned' WHERE name_fold = 'cal'").await;
    let other = shop.campaign("Second").await.to_string();
    let ids: Vec<String> =
        app.rows::<(i64,)>("SELECT id FROM enrollments").await.into_iter().map(|(id,)| id.to_string()).collect();
    let bulk = async |fields: &[(&str, &str)]| {
        let mut form = vec![("back", "/referrers")];
        form.extend(fields);
        form.extend(ids.iter().map(|id| ("id", id.as_str())));
        app.post_form("/referrers/bulk", &form).await.follow().await.is(200).flash()
    };
    let said = bulk(&[("do", "generate")]).await;
    assert!(said.ends_with("2 codes were generated. No e-mail was sent. 1 was left alone: Cal is banned."), "{said}");
    let said = bulk(&[("do", "pause")]).await;
    assert!(said.ends_with("2 referrers are paused now. 1 was left alone: Cal is banned."), "{said}");
    let said = bulk(&[("do", "enroll"), ("into", &other)]).await;
    assert!(said.ends_with("3 referrers were enrolled, each with a code."), "{said}");
    assert_eq!(app.number(&format!("SELECT count(*) FROM enrollments WHERE campaign_id = {other}")).await, 3);
    app.post_form("/referrers/bulk", &[("do", "enroll"), ("into", "1"), ("back", "/referrers")]).await.is(400);
    // All that match, whatever page they are on.
    let all = [("do", "tag"), ("tags", "spring"), ("scope", "all"), ("back", "/referrers?q=n")];
    let said = app.post_form("/referrers/bulk", &all).await.follow().await.flash();
    assert!(said.ends_with("2 referrers are tagged spring now."), "{said}");
}

async fn remarks_of_another_business_are_out_of_reach(app: TestApp) {
    let shop = app.shop();
    let (ann, lead) = (shop.referrer("Ann").await.id, shop.lead("one@example.com", None).await);
    let enrollment = app.number("SELECT id FROM enrollments").await.to_string();
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    for path in [format!("/referrers/{ann}/tags"), format!("/leads/{lead}/tags")] {
        theirs.post_form(&path, &[("add", "mine")]).await.is(404);
    }
    for path in [format!("/referrers/{ann}/notes"), format!("/leads/{lead}/notes")] {
        theirs.post_form(&path, &[("note", "mine")]).await.is(404);
    }
    theirs.post_form("/referrers/bulk", &[("do", "pause"), ("id", &enrollment)]).await.is(404);
    let sales = app.member(Role::Sales).await;
    sales.post_form(&format!("/leads/{lead}/notes"), &[("note", "not my lead")]).await.is(404);
    sales.post_form(&format!("/referrers/{ann}/notes"), &[("note", "met her")]).await.is(303);
    let viewer = app.member(Role::Viewer).await;
    viewer.post_form(&format!("/referrers/{ann}/notes"), &[("note", "no")]).await.is(403);
    assert_eq!(app.number("SELECT count(*) FROM notes").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM tagged").await, 0);
}

async fn leads_without_an_address_are_found(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    shop.lead("one@example.com", None).await;
    let amy = json!({ "name": "Amy Pond", "phone": "+12025550147" });
    app.api_post("/v1/leads", amy).await.is(201);
    let page = app.get("/leads?email=none").await.is(200);
    assert_eq!(page.texts("tbody th a"), ["Amy Pond"]);
    assert_eq!(page.text("#tabs a[aria-current]"), "No e-mail");
    assert_eq!(app.get("/leads/export?email=none").await.is(200).body.lines().count(), 2);
    assert_eq!(names(&app, "/leads?email=none&status=lost").await, Vec::<String>::new());
}
