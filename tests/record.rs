//! /record

use refdesk::engine::ClaimBy;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, Referrer, TestApp, Visitor};

on_both_databases! {
    a_referral_is_recorded_by_sales,
    somebody_is_found_by_any_piece,
    codes_are_found_half_misheard_and_mistyped,
    a_known_customer_stays_whose_they_are,
    a_claim_that_does_not_count_says_why,
    a_form_with_faults_comes_back_as_typed,
    the_campaign_is_chosen_where_there_are_several,
    another_business_finds_nobody,
    enter_opens_the_one_who_is_meant,
    nobody_found_is_no_dead_end,
    a_receipt_is_undone_for_some_minutes,
}

async fn record(visitor: &Visitor, app: &TestApp, r: &Referrer, name: &str, reach: &str) -> Answer {
    let (referrer, campaign) = (r.id.to_string(), app.business.campaign_id.to_string());
    let fields = [("referrer", referrer.as_str()), ("campaign", campaign.as_str()), ("name", name), ("reach", reach)];
    visitor.post_form("/record", &fields).await.goes_to("/record/receipt").follow().await.is(200)
}

async fn a_referral_is_recorded_by_sales(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let sam = app.member(Role::Sales).await;
    let found = sam.get(&format!("/record?q={}", jane.code.to_lowercase())).await.is(200);
    assert_eq!(found.count(".people li"), 1);
    let form = sam.get(&found.attr(".people a", "href")).await.is(200);
    assert_eq!(form.text("h1"), "Who did Jane Miller send?");
    let fields: Vec<(String, String)> =
        ["referrer", "code", "campaign"].iter().map(|n| ((*n).into(), form.field(n))).collect();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    fields.extend([("name", "Cleo Customer"), ("reach", "(202) 555-0147")]);
    let receipt = sam.post_form("/record", &fields).await.goes_to("/record/receipt").follow().await.is(200);
    assert_eq!(receipt.text("h1"), "Recorded for Jane Miller");
    let spoken = receipt.text(".spoken");
    assert!(spoken.starts_with(&jane.code) && spoken.contains(" for "), "{spoken}");
    assert_eq!(receipt.texts(".actions a")[0], "Record another");
    // The rep reads it back, and mends it where it was heard wrong.
    let lead = receipt.attrs(".actions a", "href").into_iter().find(|url| url.starts_with("/leads/")).unwrap();
    sam.get(&lead).await.is(200).says("Cleo Customer");
    assert!(receipt.words().contains("(202) 555-0147"), "{}", receipt.words());
    assert_eq!(
        app.rows::<(String, String, String, i64)>(
            "SELECT phone_key, arrival, source_origin, referrer_id FROM leads WHERE recorded_by IS NOT NULL"
        )
        .await,
        [("+12025550147".to_owned(), "verbal".to_owned(), "dashboard".to_owned(), jane.id)]
    );
    assert_eq!(app.number("SELECT count(*) FROM touches WHERE kind = 'verbal' AND code_id IS NOT NULL").await, 1);
    // Once more by accident: nothing is counted twice.
    let again = sam.post_form("/record", &fields).await.follow().await.is(200);
    assert_eq!(again.text("h1"), "Already recorded for Jane Miller");
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 1);
    sam.get(&format!("/referrers/{}", jane.id)).await.is(200).says("Cleo Customer").does_not_say("Balances");
}

async fn somebody_is_found_by_any_piece(app: TestApp) {
    app.sign_in().await;
    app.shop().referrer("Peter Long").await;
    let fields = [
        ("name", "María José Niño"),
        ("email", "mj@nino.example"),
        ("phone", "(202) 555-0123"),
        ("company", "Sunset Boats Ltd"),
    ];
    app.post_form("/referrers", &fields).await.is(303);
    for q in [
        "maría",
        "MARÍA JO",
        "niño",
        "jose nope",
        "mj@nino",
        "202555",
        "+1 202",
        "2025550123",
        "boats sun",
        "uns",
        "ltd niño",
    ] {
        let page = app.get(&format!("/record/people?q={}", urlencoded(q))).await.is(200);
        let wanted = if q == "jose nope" { 0 } else { 1 };
        assert_eq!(page.count("li"), wanted, "{q}: {}", page.body);
    }
    let id = app.number("SELECT id FROM referrers WHERE company IS NOT NULL").await;
    let url = format!("/referrers/{id}/edit");
    app.post_form(&url, &[("name", "Maria Nino"), ("email", "mj@nino.example")]).await.is(303);
    assert_eq!(app.get("/record/people?q=boats").await.count("li"), 0, "what is edited away is not found");
    assert_eq!(app.get("/record/people?q=nino").await.count("li"), 1);
    assert_eq!(app.get("/referrers?q=nin").await.count("tbody tr"), 1);
    app.post_form(&format!("/referrers/{id}/archive"), &[]).await.is(303);
    assert_eq!(app.get("/record/people?q=nino").await.count("li"), 0, "who is archived is not found");
    app.get("/record?q=%00%25_").await.is(200);
}

fn urlencoded(text: &str) -> String {
    refdesk::query::encode(text)
}

async fn codes_are_found_half_misheard_and_mistyped(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let plain = jane.code.replace('-', "");
    let half = app.get(&format!("/record/people?q={}", &plain[..4].to_lowercase())).await.is(200);
    assert_eq!(half.count("li"), 1, "half a code is enough");
    let said = refdesk::spelling::spelled(&jane.code);
    let heard = app.get(&format!("/record/people?q={}", urlencoded(&said))).await.is(200);
    assert!(heard.body.contains(&format!("Heard as {}", jane.code)), "{}", heard.body);
    let mut wrong: Vec<char> = plain.chars().collect();
    wrong[4] = if wrong[4] == 'W' { 'X' } else { 'W' };
    let wrong: String = wrong.into_iter().collect();
    let near = app.get(&format!("/record?q={wrong}")).await.is(200).says("Did you mean");
    assert_eq!(near.texts(".people mark"), [&plain[4..5]], "what differs is marked");
}

async fn a_known_customer_stays_whose_they_are(app: TestApp) {
    let shop = app.shop();
    let (jane, peter) = (shop.referrer("Jane Miller").await, shop.referrer("Peter Long").await);
    shop.send(shop.lead_event("Cleo Customer", None, Some(ClaimBy::Code(jane.code.clone())))).await;
    let sam = app.member(Role::Sales).await;
    let receipt = record(&sam, &app, &peter, "Cleo Customer", "cleo.customer@example.org").await;
    assert_eq!(receipt.text("h1"), "Cleo Customer is Jane Miller’s referral already");
    receipt.says("The referral stays with Jane Miller. Peter Long is shown as “also claimed by”.");
    assert_eq!(app.number("SELECT count(*) FROM touches").await, 2);
    // Somebody who was known but had nobody is theirs now.
    shop.lead("free@example.org", None).await;
    let receipt = record(&sam, &app, &peter, "Free", "free@example.org").await;
    assert_eq!(receipt.text("h1"), "Recorded for Peter Long");
    receipt.says("Free was known already, since today. Free had no referrer until now.");
}

async fn a_claim_that_does_not_count_says_why(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let selfish = record(&app, &app, &jane, "Jane", "JANE.Miller@example.org").await;
    assert_eq!(selfish.text("h1"), "Not counted for Jane Miller");
    selfish.says("the referrer and the lead are the same person").says("An inbox item asks staff to decide.");
    let state = format!("/enrollments/{}/state", jane.enrollment_id);
    app.post_form(&state, &[("to", "banned"), ("reason", "Fraud")]).await.is(303);
    app.get(&format!("/record?referrer={}", jane.id)).await.is(200).says("the referrer is banned in this campaign");
    record(&app, &app, &jane, "Betty", "betty@example.org")
        .await
        .says("this claim does not count: the referrer is banned.");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE referrer_id IS NULL").await, 2);
    assert_eq!(app.number("SELECT count(*) FROM inbox_items WHERE state = 'open'").await, 2);
    app.post_form(&state, &[("to", "active")]).await.is(303);
    assert_eq!(record(&app, &app, &jane, "Cleo", "cleo@example.org").await.text("h1"), "Recorded for Jane Miller");
}

async fn a_form_with_faults_comes_back_as_typed(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let (referrer, campaign) = (jane.id.to_string(), app.business.campaign_id.to_string());
    for (name, reach, field, says) in [
        ("", "cleo@example.org", "name", "The customer's name is missing."),
        ("Cleo", "", "reach", "A phone number or an e-mail address is missing."),
        ("Cleo", "cleo@", "reach", "This is not an e-mail address. One looks like jane@example.com."),
        ("Cleo", "12", "reach", "This number has too few or too many digits. Write it like 2015550123"),
        ("Cleo", "next door", "reach", "This is neither a phone number nor an e-mail address."),
    ] {
        let fields =
            [("referrer", referrer.as_str()), ("campaign", campaign.as_str()), ("name", name), ("reach", reach)];
        let page = app.post_form("/record", &fields).await.is(422);
        assert!(page.error_at(field).starts_with(says), "{}", page.error_at(field));
        assert_eq!((page.field("name"), page.field("reach")), (name.to_owned(), reach.to_owned()));
        assert_eq!(page.text("h1"), "Who did Jane Miller send?");
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
    let viewer = app.member(Role::Viewer).await;
    viewer.get("/record").await.is(403);
}

async fn the_campaign_is_chosen_where_there_are_several(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let autumn = app.app.ids.next().await.unwrap();
    app.tamper(&format!(
        "INSERT INTO campaigns (id, business_id, name, state, qualify_on, qualify_least, reward, reward_hold_days, destination, offer, created_at, updated_at)
         VALUES ({autumn}, {}, 'Autumn', 'live', 'hand', '{{}}', '{{}}', 14, '', '', 1, 1)",
        app.business.id
    ))
    .await;
    assert!(!app.get(&format!("/record?referrer={}", jane.id)).await.is(200).has("#f-campaign"));
    let url = format!("/referrers/{}/enrollments", jane.id);
    let fields = [("campaign", autumn.to_string()), ("generate", "yes".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    app.post_form(&url, &fields).await.is(303);
    app.post_form(&url, &fields).await.follow().await.says("They were in this campaign already.");
    let form = app.get(&format!("/record?referrer={}", jane.id)).await.is(200);
    assert_eq!(form.texts("#f-campaign option"), ["Refer a friend", "Autumn"]);
    let (referrer, autumn_text) = (jane.id.to_string(), autumn.to_string());
    let fields = [
        ("referrer", referrer.as_str()),
        ("campaign", autumn_text.as_str()),
        ("name", "Cleo"),
        ("reach", "cleo@example.org"),
    ];
    app.post_form("/record", &fields).await.follow().await.is(200).says("Autumn");
    assert_eq!(
        app.number(&format!("SELECT count(*) FROM leads WHERE campaign_id = {autumn} AND referrer_id IS NOT NULL"))
            .await,
        1
    );
}

async fn enter_opens_the_one_who_is_meant(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().referrer("Jane Other").await;
    app.shop().referrer("Peter Long").await;
    for q in [jane.code.as_str(), "miller", "peter"] {
        let form = app.get(&format!("/record?q={}&open=yes", urlencoded(q))).await.is(303).follow().await.is(200);
        assert!(form.text("h1").starts_with("Who did"), "{q}");
        let back = form.attr(".crumbs a", "href");
        assert_eq!(app.get(&back).await.is(200).count(".people li"), 1, "the way back shows the list");
    }
    assert_eq!(app.get("/record?q=jane&open=yes").await.is(200).count(".people li"), 2);
    assert_eq!(app.get("/record?q=milller&open=yes").await.is(200).count(".people li"), 1, "near is not meant");
}

async fn nobody_found_is_no_dead_end(app: TestApp) {
    app.sign_in().await;
    let sam = app.member(Role::Sales).await;
    let jane = app.shop().referrer("Jane Miller").await;
    let nobody = sam.get("/record?q=Jane+from+the+gym").await.is(200).says("No match");
    assert_eq!(nobody.texts(".people .actions a"), ["Record it with what was said"], "sales add no referrers");
    let form = sam.get(&nobody.attr(".people .actions a", "href")).await.is(200);
    assert_eq!(form.field("said"), "Jane from the gym");
    let campaign = form.field("campaign");
    let fields = [("said", "Jane from the gym"), ("name", "Cleo"), ("reach", ""), ("campaign", campaign.as_str())];
    let faulty = sam.post_form("/record/unknown", &fields).await.is(422);
    assert_eq!((faulty.field("said"), faulty.field("name")), ("Jane from the gym".into(), "Cleo".into()));
    let fields = [fields[0], fields[1], ("reach", "cleo@example.org"), fields[3]];
    let receipt = sam.post_form("/record/unknown", &fields).await.goes_to("/record/receipt").follow().await.is(200);
    assert_eq!(receipt.text("h1"), "Recorded: Cleo");
    receipt.says("Sent by “Jane from the gym”. An inbox item asks staff who that is.");
    let inbox = app.get("/inbox").await.is(200).says("Cleo was sent by “Jane from the gym”");
    assert!(inbox.texts(".item .actions button")[0].ends_with("Jane Miller"), "{:?}", inbox.texts(".actions button"));
    let item = app.number("SELECT id FROM inbox_items WHERE kind = 'unnamed'").await;
    let to = jane.enrollment_id.to_string();
    app.post_form(&format!("/inbox/{item}/accept"), &[("to", to.as_str()), ("code", "")]).await.is(303);
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await, 1);
    // Those who may add the referrer there and then.
    let nobody = app.get("/record?q=Zebedee").await.is(200);
    let add = app.get(&nobody.attrs(".people .actions a", "href")[1]).await.is(200);
    assert_eq!(add.field("name"), "Zebedee");
    let fields = [("name", "Zebedee"), ("email", "z@example.org"), ("then", "record"), ("generate", "yes")];
    let there = app.post_form("/referrers", &fields).await.is(303).follow().await.is(200);
    assert_eq!(there.text("h1"), "Who did Zebedee send?");
}

async fn a_receipt_is_undone_for_some_minutes(app: TestApp) {
    let (jane, peter) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Peter Long").await);
    let sam = app.member(Role::Sales).await;
    let receipt = record(&sam, &app, &jane, "Cleo", "cleo@example.org").await;
    assert!(receipt.has("form[action='/record/undo']"));
    let undone = sam.post_form("/record/undo", &[]).await.is(303).follow().await.is(200);
    assert_eq!(undone.flash(), "The referral of Cleo is undone.");
    let gone = "SELECT count(*) FROM leads WHERE archived_at IS NOT NULL AND referrer_id IS NULL";
    assert_eq!(app.number(gone).await, 1);
    // The right referrer, then.
    assert_eq!(record(&sam, &app, &peter, "Cleo", "cleo@example.org").await.text("h1"), "Recorded for Peter Long");
    let theirs = format!("SELECT count(*) FROM leads WHERE archived_at IS NULL AND referrer_id = {}", peter.id);
    assert_eq!(app.number(&theirs).await, 1);
    // A lead that was there stays, without the claim.
    sam.post_form("/record/undo", &[]).await.is(303);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE archived_at IS NULL AND referrer_id IS NULL").await, 1);
    // Money ends it.
    record(&sam, &app, &jane, "Dan", "dan@example.org").await;
    app.shop().pay("dan@example.org", "100.00", "2026-06-20").await;
    let late = sam.post_form("/record/undo", &[]).await.is(303).follow().await.is(200);
    assert!(late.flash().contains("cannot be undone any longer"), "{}", late.flash());
    // So do ten minutes.
    record(&sam, &app, &jane, "Eve", "eve@example.org").await;
    app.clock.set(app.clock.now().plus_seconds(601));
    assert!(!sam.get("/record/receipt").await.is(200).has("form[action='/record/undo']"));
    sam.post_form("/record/undo", &[]).await.is(303);
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await, 2);
}

async fn another_business_finds_nobody(app: TestApp) {
    let other = app.another_business("Globex").await;
    let jane = app.shop().referrer("Jane Miller").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    for q in ["jane", "miller", jane.code.as_str(), "jane.miller@example.org", "ille"] {
        assert_eq!(theirs.get(&format!("/record/people?q={q}")).await.is(200).count("li"), 0, "{q}");
    }
    theirs.get(&format!("/record?referrer={}", jane.id)).await.is(404);
    let fields = [
        ("referrer", jane.id.to_string()),
        ("campaign", other.campaign_id.to_string()),
        ("name", "Cleo".to_owned()),
        ("reach", "cleo@example.org".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    theirs.post_form("/record", &fields).await.is(404);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}
