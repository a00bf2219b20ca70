//! /codes, /referrers/generate and the codes of an enrollment.

use crate::support::Outcome;
use refdesk::codes::{self, How, Lookup};
use refdesk::jobs;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Referrer, TestApp, actor};

on_both_databases! {
    a_code_is_generated_for_one_row,
    codes_are_generated_for_all_who_have_none,
    without_referrers_there_is_one_thing_to_do,
    generating_for_all_twice_at_once_makes_one_code_each,
    a_renamed_code_still_attributes_until_it_is_retired,
    a_code_that_reads_like_another_is_refused,
    a_code_is_looked_up_in_any_spelling,
    near_misses_are_named,
    the_list_says_what_each_code_brought,
    cards_and_file_are_safe,
    another_business_has_no_part_in_it,
}

async fn look_up(app: &TestApp, text: &str) -> Lookup {
    let mut conn = app.app.db.read().await.unwrap();
    codes::look_up(&mut conn, app.business.id, text).await.unwrap()
}

async fn found(app: &TestApp, text: &str) -> (String, How, String) {
    match look_up(app, text).await {
        Lookup::Found { code, how } => (code.text, how, code.state),
        Lookup::NotFound { closest } => panic!("{text:?} was not found; near: {closest:?}"),
    }
}

async fn do_jobs(app: &TestApp) {
    jobs::run_all(&app.app, &refdesk::router::job_kinds()).await.unwrap();
}

async fn rename(app: &TestApp, r: &Referrer, text: &str) -> crate::support::Answer {
    app.post_form(&format!("/enrollments/{}/code", r.enrollment_id), &[("code", text)]).await
}

async fn set_state(app: &TestApp, text: &str, to: &str) -> crate::support::Answer {
    let id = app.number(&format!("SELECT id FROM codes WHERE text = '{text}'")).await;
    app.post_form(&format!("/codes/{id}/state"), &[("to", to)]).await
}

async fn without_referrers_there_is_one_thing_to_do(app: TestApp) {
    app.sign_in().await;
    for path in ["/", "/referrers", "/codes", "/referrers/generate"] {
        let page = app.get(path).await.is(200);
        assert_eq!(page.texts("main .button:not(.quiet)"), ["Add referrer"], "{path}");
    }
    assert!(!app.get("/codes/print").await.is(200).has("[data-print]"), "nothing to print");
}

async fn a_code_is_generated_for_one_row(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer_without_code("Jane Miller").await;
    let row = format!("enrollment_{}", jane.enrollment_id);
    let list = app.get("/referrers?code=none").await.is(200);
    assert_eq!(list.texts(&format!("#{row} button")), ["Generate a code for Jane Miller"]);
    let url = format!("/enrollments/{}/generate", jane.enrollment_id);
    let back = format!("/referrers#{row}");
    let list = app.post_form(&url, &[("back", &back)]).await.goes_to(&back).follow().await.is(200);
    assert!(list.flash().starts_with("Jane Miller has the code "), "{}", list.flash());
    assert!(!list.has(&format!("#{row} button.small")));
    let code = list.text(&format!("#{row} code"));
    let again = app.post_form(&url, &[]).await.follow().await;
    assert_eq!(again.flash(), format!("Jane Miller has a code already: {code}."));
    assert_eq!(app.number("SELECT count(*) FROM codes").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'code.generated'").await, 1);
    assert!(app.get("/referrers?code=none").await.says("Everybody has a code").is(200).count("tbody tr") == 0);
}

async fn codes_are_generated_for_all_who_have_none(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    shop.referrer("Has One").await;
    for name in ["Ann A", "Ben B", "Cid C"] {
        shop.referrer_without_code(name).await;
    }
    let paused = shop.referrer_without_code("Pat Paused").await;
    let state = format!("/enrollments/{}/state", paused.enrollment_id);
    app.post_form(&state, &[("to", "paused")]).await.is(303);
    app.clock.advance_days(1);
    let ask = app.get("/referrers/generate").await.is(200).says("No e-mail is sent");
    assert_eq!(ask.text("h1"), "Generate 3 codes");
    assert_eq!(ask.count("code"), 3, "three samples");
    assert_eq!(app.number("SELECT count(*) FROM codes").await, 1, "asking makes nothing");
    let campaign = ask.field("campaign");
    let fields = [("campaign", campaign.as_str())];
    let answer = app.with_jobs(app.post_form("/referrers/generate", &fields)).await;
    let url = answer.is(303).header("location").to_owned();
    let result = app.get(&url).await.is(200);
    assert_eq!(result.text("h1"), "3 codes generated");
    let result = result.says("1 referrer had one already and keeps it. No e-mail was sent.");
    let sheet = app.get(&result.attr(".actions [href^='/codes/print']", "href")).await.is(200);
    assert_eq!(sheet.count(".card"), 3, "the sheet has the cards of this batch");
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 4);
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE NOT has_code").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'codes.generated'").await, 1);
    app.get("/referrers/generate")
        .await
        .is(200)
        .says("No codes to generate")
        .says("1 without a code is paused or banned");
    app.post_form("/referrers/generate", &[]).await.is(303);
    do_jobs(&app).await;
    assert_eq!(app.number("SELECT count(*) FROM codes").await, 4, "a second click makes nothing");
}

async fn generating_for_all_twice_at_once_makes_one_code_each(app: TestApp) {
    for i in 0..30 {
        app.shop().referrer_without_code(&format!("Person {i}")).await;
    }
    let node = app.another_node().await;
    let (business, campaign) = (app.business.id, app.business.campaign_id);
    let actor = actor();
    let (first, second) = tokio::join!(
        codes::generate_all(&app.app, &actor, business, campaign),
        codes::generate_all(&node.app, &actor, business, campaign)
    );
    assert_eq!(first.unwrap(), second.unwrap(), "the second click joins the job that runs");
    // One at a time, a person each, while the job runs elsewhere.
    let enrollments = app.rows::<(i64,)>("SELECT id FROM enrollments ORDER BY id").await;
    let one_by_one = async {
        for (id,) in &enrollments {
            codes::generate_one(&node.app, &actor, business, *id).await.unwrap();
        }
    };
    tokio::join!(do_jobs(&app), one_by_one);
    assert_eq!(app.number("SELECT count(*) FROM codes").await, 30);
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE has_code").await, 30);
}

async fn a_renamed_code_still_attributes_until_it_is_retired(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    let person = rename(&app, &jane, "Jane-20").await.goes_to(&format!("/referrers/{}", jane.id)).follow().await;
    assert_eq!(person.flash(), format!("Jane-20 is the code of Jane Miller now. {} keeps working.", jane.code));
    assert_eq!(found(&app, "JANE20").await, ("Jane-20".to_owned(), How::Exact, "active".to_owned()));
    assert_eq!(found(&app, &jane.code).await.2, "alias");
    assert!(matches!(
        shop.sign_up("a@example.com", Some(&jane.code)).await,
        Outcome::SignedUp { referrer_id: Some(id), refused: None, .. } if id == jane.id
    ));
    rename(&app, &jane, &jane.code).await.is(303);
    assert_eq!(found(&app, &jane.code).await.2, "active", "an alias is made active again");
    assert_eq!(found(&app, "jane20").await.2, "alias");
    let said = set_state(&app, &jane.code, "retired").await.is(303).follow().await.flash();
    assert!(said.contains("is retired"), "{said}");
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE has_code").await, 0);
    assert!(matches!(
        shop.sign_up("b@example.com", Some(&jane.code)).await,
        Outcome::SignedUp { referrer_id: None, refused: Some(_), .. }
    ));
    app.get("/referrers?code=none").await.is(200).says("Jane Miller");
    set_state(&app, &jane.code, "active").await.is(303);
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE has_code").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 1);
    let actions =
        app.rows::<(String,)>("SELECT action FROM audit_entries WHERE subject_kind = 'code' ORDER BY id").await;
    let actions: Vec<&str> = actions.iter().map(|(a,)| a.as_str()).collect();
    assert_eq!(actions, ["code.renamed", "code.renamed", "code.retired", "code.restored"]);
}

async fn a_code_that_reads_like_another_is_refused(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, peter) = (shop.referrer("Jane Miller").await, shop.referrer("Peter Long").await);
    rename(&app, &jane, "Jane-20").await.is(303);
    for text in ["JANE20", " jane 20", "J.A.N.E.2.0"] {
        let page = rename(&app, &peter, text).await.is(422);
        let error = page.error_at("code");
        assert!(error.contains("Jane-20 of Jane Miller") || error.contains("must consist of"), "{text}: {error}");
        assert_eq!(page.field("code"), text, "what was typed stays");
    }
    // A look-alike of a generated code would be mended to it.
    let plain = jane.code.replace('-', "");
    let pairs =
        [('7', 'I'), ('D', 'O'), ('2', 'Z'), ('5', 'S'), ('8', 'B'), ('4', 'A'), ('3', 'E'), ('V', 'U'), ('6', 'G')];
    let alike = pairs.iter().fold(plain.clone(), |text, (from, to)| text.replace(*from, &to.to_string()));
    if alike != plain {
        let error = rename(&app, &peter, &alike).await.is(422).error_at("code");
        assert!(error.contains(&jane.code), "{error}");
    }
    assert!(rename(&app, &peter, "ab").await.is(422).error_at("code").contains("3 to 40"));
    let own = refdesk::id::lead_code(77);
    assert!(rename(&app, &peter, &own).await.is(422).error_at("code").contains("lead's own code"));
    set_state(&app, "Jane-20", "retired").await.is(303);
    assert!(rename(&app, &peter, "jane20").await.is(422).error_at("code").contains("retired code Jane-20"));
    assert_eq!(found(&app, &peter.code).await.2, "active", "nothing of it changed anything");
}

async fn a_code_is_looked_up_in_any_spelling(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let plain = jane.code.replace('-', "");
    let spaced: String = plain.chars().flat_map(|c| [c, ' ']).collect();
    for text in [plain.to_lowercase(), spaced, format!(" {}\u{2013}", jane.code)] {
        assert_eq!(found(&app, &text).await.1, How::Exact, "{text}");
    }
    let misread = plain.replace('D', "0").replace('7', "1").replace('5', "s").replace('2', "z").replace('8', "b");
    if misread != plain {
        assert_eq!(found(&app, &misread).await, (jane.code.clone(), How::Repaired, "active".to_owned()));
    }
    assert_eq!(found(&app, &refdesk::spelling::spelled(&jane.code)).await.1, How::Heard);
}

async fn near_misses_are_named(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    for i in 0..20 {
        shop.referrer(&format!("Person {i}")).await;
    }
    let jane = shop.referrer("Jane Miller").await;
    let plain = jane.code.replace('-', "");
    for at in 0..plain.len() {
        let mut wrong: Vec<char> = plain.chars().collect();
        wrong[at] = if wrong[at] == 'W' { 'X' } else { 'W' };
        let wrong: String = wrong.into_iter().collect();
        let Lookup::NotFound { closest } = look_up(&app, &wrong).await else { panic!("{wrong} is no code") };
        let first = closest.first().unwrap_or_else(|| panic!("nothing near {wrong}"));
        assert_eq!((first.code.text.as_str(), first.distance), (jane.code.as_str(), 1));
        assert_eq!(
            first.parts.iter().filter(|p| p.differs).map(|p| p.text.len()).sum::<usize>(),
            1,
            "{:?}",
            first.parts
        );
    }
    let forgotten = format!("{}{}", &plain[..3], &plain[4..]);
    let page = app.get(&format!("/codes?q={forgotten}")).await.is(200).says("No code reads like that");
    assert_eq!(page.texts(".people mark"), [&plain[3..4]]);
    let piece = app.get(&format!("/codes?q={}", &plain[1..])).await.is(200);
    assert_eq!(piece.texts("tbody td a")[0], "Jane Miller", "a piece of a code finds it");
    assert_eq!(piece.count("tbody tr"), 1);
    assert!(matches!(look_up(&app, "nothing like it").await, Lookup::NotFound { closest } if closest.is_empty()));
}

async fn the_list_says_what_each_code_brought(app: TestApp) {
    let shop = app.shop();
    let jane = shop.referrer("Jane Miller").await;
    shop.lead("a@example.com", Some(&jane.code)).await;
    shop.lead("b@example.com", Some(&jane.code)).await;
    shop.pay("a@example.com", "100.00", "2026-06-20").await;
    app.sign_in().await;
    let list = app.get("/codes").await.is(200);
    assert_eq!(list.texts("tbody .num"), ["0", "2", "1", "100.00 USD"]);
    let sales = app.member(Role::Sales).await;
    let list = sales.get("/codes").await.is(200).does_not_say("USD").does_not_say("Revenue");
    assert_eq!(list.texts("tbody .num"), ["0", "2", "1"]);
    assert!(!list.has("tbody form"), "sales retire nothing");
    sales.post_form(&format!("/enrollments/{}/code", jane.enrollment_id), &[("code", "MINE1")]).await.is(403);
    sales.get("/codes/export").await.is(403);
    sales.get("/referrers/generate").await.is(403);
}

async fn cards_and_file_are_safe(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let jane = shop.referrer("=HYPERLINK evil").await;
    let name = "<script>alert(1)</script>";
    app.post_form(&format!("/referrers/{}/edit", jane.id), &[("name", "=1+1"), ("company", name)]).await.is(303);
    let sheet = app.get("/codes/print").await.is(200);
    assert_eq!(sheet.count(".card .qr svg"), 1);
    assert_eq!(sheet.text(".card-code"), jane.code);
    assert_eq!((sheet.text(".card-business"), sheet.text(".card-name")), ("Acme".into(), "=1+1 invites you.".into()));
    assert!(sheet.text(".card-link").ends_with(&format!("/r/{}", jane.code)));
    assert!(!sheet.body.contains("style=") && !sheet.body.contains("<script>alert"));
    let file = app.get("/codes/export").await.is(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let mut lines = file.body.lines();
    assert_eq!(lines.next(), Some("code,kind,link,state,name,email,company,clicks,leads,qualified,revenue,made_at"));
    let line = lines.next().unwrap();
    assert!(line.starts_with(&format!("{},generated,", jane.code)) && line.contains(",active,'=1+1,"), "{line}");
    assert_eq!(lines.next(), None);
}

async fn another_business_has_no_part_in_it(app: TestApp) {
    let other = app.another_business("Globex").await;
    let jane = app.shop().referrer("Jane Miller").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    let code = app.number("SELECT id FROM codes").await;
    let id = jane.enrollment_id;
    theirs.post_form(&format!("/enrollments/{id}/code"), &[("code", "STOLEN1")]).await.is(404);
    theirs.post_form(&format!("/enrollments/{id}/generate"), &[]).await.is(404);
    theirs.post_form(&format!("/codes/{code}/state"), &[("to", "retired")]).await.is(404);
    theirs.get(&format!("/enrollments/{id}/code")).await.is(404);
    theirs.post_form("/referrers/generate", &[("campaign", &app.business.campaign_id.to_string())]).await.is(404);
    theirs.get(&format!("/codes?q={}", jane.code)).await.is(200).does_not_say("Jane Miller");
    // The same text may be a code in both.
    let peter = app.shop_of(&other).referrer("Peter Long").await;
    theirs.post_form(&format!("/enrollments/{}/code", peter.enrollment_id), &[("code", &jane.code)]).await.is(303);
}
