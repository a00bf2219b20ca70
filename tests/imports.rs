//! /imports

use std::io::Cursor;
use std::time::Duration;

use refdesk::imports::table::{Choices, Limits};
use refdesk::imports::{self, Kind, NewImport};
use refdesk::jobs;
use refdesk::users::Role;

use crate::on_both_databases;
use crate::support::{Answer, TestApp, Visitor, actor};

on_both_databases! {
    customers_are_qualified_by_code_or_address_or_both,
    the_same_file_again_changes_nothing,
    a_dry_run_stores_nothing,
    leads_come_with_their_referrers,
    referrers_come_with_their_codes,
    an_ugly_file_is_read_or_refused_in_words,
    a_file_that_is_too_large_leaves_nothing,
    texts_of_an_upload_are_bounded_together,
    rows_to_correct_come_back_as_a_file,
    a_node_that_dies_halfway_does_no_row_twice,
    two_clicks_make_one_run,
    a_file_is_its_businesss_and_for_those_who_may,
}

/// Uploads a file and answers its page's path, with the columns as they were guessed.
async fn upload(
    who: &Visitor,
    app: &TestApp,
    kind: Kind,
    bytes: impl Into<Vec<u8>>,
) -> (String, Vec<(String, String)>) {
    let campaign = app.business.campaign_id.to_string();
    let fields = [("kind", kind.word()), ("campaign", campaign.as_str())];
    let answer = who.post_file("/imports", &fields, "file", "list.csv", bytes).await.is(303);
    let path = answer.header("location").to_owned();
    let page = answer.follow().await.is(200);
    let mut typed = vec![("campaign".to_owned(), campaign)];
    for name in page.attrs("select[name^=column_]", "name") {
        let chosen = page.attrs(&format!("select[name={name}] option[selected]"), "value");
        typed.push((name, chosen.into_iter().next().unwrap_or_default()));
    }
    (path, typed)
}

async fn dry_run(app: &TestApp, path: &str, typed: &[(String, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = typed.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let columns = format!("{path}/columns");
    app.with_jobs(app.post_form(&columns, &fields)).await.goes_to(path).follow().await.is(200)
}

async fn run(app: &TestApp, path: &str) -> Answer {
    app.with_jobs(app.post_form(&format!("{path}/run"), &[])).await.goes_to(path).follow().await.is(200)
}

/// The whole way of a file; answers the page of its result.
async fn import(app: &TestApp, kind: Kind, bytes: impl Into<Vec<u8>>) -> Answer {
    let (path, typed) = upload(app, app, kind, bytes).await;
    dry_run(app, &path, &typed).await;
    run(app, &path).await
}

/// "Qualified 3" and so on, as the tabs say it.
fn counts(page: &Answer) -> Vec<String> {
    page.texts("nav.tabs a")
}

async fn customers_are_qualified_by_code_or_address_or_both(app: TestApp) {
    app.sign_in().await;
    let shop = app.shop();
    let (jane, tom) = (shop.referrer("Jane Miller").await, shop.referrer("Tom Busy").await);
    let known = shop.lead("known@x.test", None).await;
    shop.lead("only@x.test", Some(&jane.code)).await;
    for n in 0..2 {
        shop.lead(&format!("t{n}@x.test"), Some(&tom.code)).await;
    }
    let own = refdesk::id::lead_code(shop.lead("own@x.test", None).await);
    let file = format!(
        "Code,Email\n,KNOWN@x.test\n{},\n{},\n{},fresh@x.test\n{own},\nNOSUCH99,other@x.test\n,stranger@x.test\n,nonsense\n,\n,known@x.test\n{},t1@x.test\n",
        jane.code.to_lowercase(),
        tom.code,
        tom.code,
        jane.code,
    );
    let page = import(&app, Kind::Qualifications, file).await;
    assert_eq!(
        counts(&page),
        [
            "New and qualified 1",
            "Qualified 4",
            "Repeated in the file 1",
            "Unknown code 1",
            "Unknown person 1",
            "Invalid 2"
        ]
    );
    let page = app.get(&format!("{}?outcome=invalid", page.asked.trim_start_matches("GET "))).await;
    page.clone().says("2 leads in this campaign, 0 of them qualified").says("must be an e-mail address");
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 5);
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE id = {known} AND status = 'qualified'")).await, 1);
    let fresh = format!(
        "SELECT count(*) FROM leads WHERE email_key = 'fresh@x.test' AND referrer_id = {} AND arrival = 'upload'",
        tom.id
    );
    assert_eq!(app.number(&fresh).await, 1);
    assert_eq!(
        app.number("SELECT count(*) FROM leads WHERE email_key IN ('other@x.test', 'stranger@x.test')").await,
        0
    );
    let first_touch = format!("SELECT count(*) FROM leads WHERE email_key = 't1@x.test' AND referrer_id = {}", tom.id);
    assert_eq!(app.number(&first_touch).await, 1, "the first touch stays");
    let fresh = app.number("SELECT id FROM leads WHERE email_key = 'fresh@x.test'").await;
    let history = app.get(&format!("/leads/{fresh}")).await.is(200);
    assert!(history.texts(".timeline-body").contains(&"The uploaded file says so.".to_owned()), "{history:?}");
    history.does_not_say("By the campaign's rule");
}

async fn the_same_file_again_changes_nothing(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let file = format!("name,email,code\nAnn,ann@x.test,{}\nBob,bob@x.test,NOSUCH99\nCid,cid@x.test,\n", jane.code);
    let all = "SELECT (SELECT count(*) FROM leads) * 1000000 + (SELECT count(*) FROM touches) * 1000
                 + (SELECT count(*) FROM audit_entries WHERE action NOT LIKE 'import.%')";
    for kind in [Kind::Leads, Kind::Qualifications] {
        import(&app, kind, file.clone()).await;
        let before = app.number(all).await;
        let again = import(&app, kind, file.clone()).await;
        assert_eq!(app.number(all).await, before, "{kind:?}");
        let already = if kind == Kind::Leads { "Already there 3" } else { "Already qualified 2" };
        assert_eq!(counts(&again)[0], already);
    }
    let referrers = "name,email,phone,code\nAnn,ann@r.test,,ANNA1\nBob,,+1 202 456 1111,\n";
    import(&app, Kind::Referrers, referrers).await;
    let again = import(&app, Kind::Referrers, referrers).await;
    assert_eq!(counts(&again), ["Already there 2"]);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 3);
}

async fn a_dry_run_stores_nothing(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let all = "SELECT (SELECT count(*) FROM leads) + (SELECT count(*) FROM touches) + (SELECT count(*) FROM referrers)
                 + (SELECT count(*) FROM codes) + (SELECT count(*) FROM audit_entries) + (SELECT count(*) FROM outbox)
                 + (SELECT count(*) FROM counters) + (SELECT count(*) FROM inbox_items)";
    let before = app.number(all).await;
    let file = format!("name,email,code\nAnn,ann@x.test,{}\nBob,bob@x.test,NOSUCH99\nBob,bob@x.test,\n", jane.code);
    for (kind, says) in [
        (Kind::Leads, vec!["New 1", "Repeated in the file 1", "Unknown code 1"]),
        (Kind::Qualifications, vec!["New and qualified 1", "Unknown code 1", "Unknown person 1"]),
    ] {
        let (path, typed) = upload(&app, &app, kind, file.clone()).await;
        let page = dry_run(&app, &path, &typed).await.says("Nothing has been stored");
        assert_eq!(counts(&page), says);
        assert_eq!(app.number(all).await, before);
        let changed = dry_run(&app, &path, &typed).await;
        assert_eq!(counts(&changed), says, "a second dry run says the same");
        app.post_form(&format!("{path}/discard"), &[]).await.goes_to("/imports");
        app.get(&path).await.is(404);
    }
    assert_eq!(app.number(all).await, before);
}

async fn leads_come_with_their_referrers(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let file = format!(
        "Full name;E-mail;Mobile;Company;Referral code;Referrer email;Lead status;Budget\n\
         Ann;ann@x.test;(202) 456-1111;Ænima Ltd;{};;contacted;1,250.50\n\
         Bob;bob@x.test;;;;jane.miller@example.org;;\n\
         Cid;;+44 20 7946 0958;;;nobody@example.org;;\n\
         Dan;dan@x.test;;;;;asleep;\n\
         Eve;eve@x.test;12;;;;;\n\
         Jane;jane.miller@example.org;;;{};;;\n",
        jane.code, jane.code
    );
    let page = import(&app, Kind::Leads, file).await;
    // A status or a number that is not understood is left out; an unknown referrer too.
    assert_eq!(counts(&page), ["New 5", "Unknown code 1"]);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 6);
    let ann = app
        .rows::<(String, String, String, String)>(
            "SELECT status, company, phone_key, budget FROM leads WHERE email_key = 'ann@x.test'",
        )
        .await
        .remove(0);
    assert_eq!(ann, ("contacted".into(), "Ænima Ltd".into(), "+12024561111".into(), "1250.50".into()));
    assert_eq!(app.number(&format!("SELECT count(*) FROM leads WHERE referrer_id = {}", jane.id)).await, 2);
    let herself = "SELECT count(*) FROM leads WHERE email_key = 'jane.miller@example.org' AND referrer_id IS NULL";
    assert_eq!(app.number(herself).await, 1, "nobody refers themselves");
    assert_eq!(app.number("SELECT count(*) FROM inbox_items WHERE kind = 'self_referral'").await, 1);
}

async fn referrers_come_with_their_codes(app: TestApp) {
    app.sign_in().await;
    app.shop().referrer_without_code("Jane Miller").await;
    let file = "Name,Email,Phone,Code\nAnn,ann@r.test,,ANNA1\nBob,,202 456 1111,\nJane,jane.miller@example.org,,\nCid,cid@r.test,,anna-1\nDan,dan@r.test,,x\n";
    let (path, mut typed) = upload(&app, &app, Kind::Referrers, file).await;
    typed.push(("generate".into(), "yes".into()));
    let says = ["New 2", "Updated 1", "Invalid 2"];
    assert_eq!(counts(&dry_run(&app, &path, &typed).await), says);
    assert_eq!(counts(&run(&app, &path).await), says);
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE state = 'active'").await, 3);
    assert_eq!(app.number("SELECT count(*) FROM codes WHERE text = 'ANNA1' AND kind = 'custom'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM enrollments WHERE has_code").await, 3);
    let taken = import(&app, Kind::Referrers, "name,email,code\nEve,eve@r.test,anna1\n").await;
    taken.says("The code belongs to Ann");
}

async fn an_ugly_file_is_read_or_refused_in_words(app: TestApp) {
    app.sign_in().await;
    let latin: Vec<u8> =
        "Name;Email\nJosé Núñez;jose@x.test\nZoë Müller;zoe@x.test\n".chars().map(|c| c as u8).collect();
    import(&app, Kind::Leads, latin).await;
    let utf16: Vec<u8> =
        "\u{FEFF}Name\tEmail\r\nŁukasz\tlukasz@x.test\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    import(&app, Kind::Leads, utf16).await;
    import(&app, Kind::Leads, "plain@x.test\nsecond@x.test\n").await;
    let names: Vec<(String,)> = app.rows("SELECT name FROM leads ORDER BY email_key").await;
    let names: Vec<&str> = names.iter().map(|n| n.0.as_str()).collect();
    assert_eq!(names, ["José Núñez", "Łukasz", "plain@x.test", "second@x.test", "Zoë Müller"]);

    let ragged = "Name,Email\nAnn,ann@x.test\nBob,bob@x.test,what,is,this\nCid\n\n\"Dan,dan@x.test\n";
    let page = import(&app, Kind::Leads, ragged).await;
    assert_eq!(counts(&page), ["New 1", "Invalid 3"]);
    page.says("This row has 5 cells, but the file has 2 columns")
        .says("A quotation mark that opens here is never closed");

    let campaign = app.business.campaign_id.to_string();
    let fields = [("kind", "leads"), ("campaign", campaign.as_str())];
    for (bytes, says) in [
        (&b"PK\x03\x04....xl/workbook.xml"[..], "This is an Excel file; save it as CSV and upload that."),
        (b"\x00\x01\x02\x00\x00binary", "This is not a text file."),
        (b"\n \n\n", "This file is empty."),
        (b"Name,Email\n", "There are no rows below the header."),
        (b"", "This file is empty."),
    ] {
        let page = app.post_file("/imports", &fields, "file", "list.csv", bytes).await.is(422);
        assert!(page.error_at("file").starts_with(says), "{}", page.error_at("file"));
    }
    let pasted = [("kind", "leads"), ("campaign", campaign.as_str()), ("text", "Email\tName\nx@x.test\tXaver\n")];
    app.post_file("/imports", &pasted, "file", "", "").await.is(303).follow().await.says("Pasted rows: 1 row of leads");
    let (path, _) = upload(&app, &app, Kind::Leads, "a,b\nc,d\n").await;
    let page = app.post_form(&format!("{path}/columns"), &[("campaign", &campaign)]).await.is(422);
    page.says("Say which column is the e-mail or the phone");
}

async fn texts_of_an_upload_are_bounded_together(app: TestApp) {
    app.sign_in().await;
    let text = "x".repeat(200_000);
    let fields: Vec<(&str, &str)> = (0..20).map(|_| ("text", text.as_str())).collect();
    app.post_file("/imports", &fields, "file", "leads.csv", "Name\nAmy\n").await.is(413);
}

async fn a_file_that_is_too_large_leaves_nothing(app: TestApp) {
    let new = NewImport {
        business_id: app.business.id,
        campaign_id: app.business.campaign_id,
        kind: Kind::Leads,
        file_name: "long.csv".into(),
        created_by: None,
        may_pay: true,
    };
    let file = "email\n".to_owned() + &(0..3_000).map(|n| format!("p{n}@x.test\n")).collect::<String>();
    for (limits, says) in [
        (Limits { max_bytes: 10_000, ..Limits::default() }, "This file is larger than 10,000 bytes"),
        (Limits { max_rows: 2_000, ..Limits::default() }, "This file has more than 2,000 rows"),
    ] {
        let reader = Cursor::new(file.clone().into_bytes());
        let why = imports::stage(&app.app, &actor(), new.clone(), reader, Choices::default(), limits)
            .await
            .unwrap()
            .unwrap_err();
        assert!(why.starts_with(says), "{why}");
    }
    while imports::tidy(&app.app).await.unwrap() {}
    assert_eq!(app.number("SELECT count(*) FROM import_rows").await, 0);
    app.sign_in().await;
    app.get("/imports").await.is(200).says("No files yet");
}

async fn rows_to_correct_come_back_as_a_file(app: TestApp) {
    app.sign_in().await;
    let page = import(
        &app,
        Kind::Leads,
        "Name;Email;Phone\nAnn;ann at x;\nBob;bob@x.test;\n=cmd();eve at x;+1 (202) 456-1111\n",
    )
    .await;
    let path = page.asked.trim_start_matches("GET ").to_owned();
    let file = app.get(&format!("{path}/rejects.csv")).await.is(200);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"list-to-correct.csv\"");
    let lines: Vec<&str> = file.body.trim_start_matches('\u{FEFF}').lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "Name,Email,Phone,Reason");
    assert!(lines[1].starts_with("Ann,ann at x,,E-mail: “ann at x” must be an e-mail address"), "{}", lines[1]);
    assert!(lines[2].starts_with("'=cmd(),eve at x,'+1 (202) 456-1111,"), "{}", lines[2]);
    let corrected = file.body.replace("ann at x", "ann@x.test").replace("eve at x", "eve@x.test");
    assert_eq!(counts(&import(&app, Kind::Leads, corrected).await), ["New 2"]);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE phone_key = '+12024561111' AND name = '=cmd()'").await, 1);
}

async fn a_node_that_dies_halfway_does_no_row_twice(app: TestApp) {
    app.sign_in().await;
    let jane = app.shop().referrer("Jane Miller").await;
    let rows: String = (0..600).map(|n| format!("p{n}@x.test,{}\n", jane.code)).collect();
    let (path, typed) = upload(&app, &app, Kind::Qualifications, format!("email,code\n{rows}")).await;
    dry_run(&app, &path, &typed).await.says("600 customers would be qualified");
    let node = app.another_node().await;
    let mut workers = jobs::start(&node.app, refdesk::router::job_kinds(), refdesk::router::schedule(&node.app));
    app.post_form(&format!("{path}/run"), &[]).await;
    while app.number("SELECT max(done) FROM jobs WHERE kind = 'import'").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    workers.abort_all();
    while workers.join_next().await.is_some() {}
    app.get(&path).await.is(200);
    app.clock.set(app.clock.now().plus_seconds(jobs::LEASE_SECONDS + 1));
    app.run_jobs().await;
    let page = app.get(&path).await.is(200);
    assert_eq!(counts(&page), ["New and qualified 600"]);
    assert_eq!(app.number("SELECT count(*) FROM leads WHERE qualified_at IS NOT NULL").await, 600);
    assert_eq!(app.number("SELECT count(*) FROM touches").await, 600);
}

async fn two_clicks_make_one_run(app: TestApp) {
    app.sign_in().await;
    let (path, typed) = upload(&app, &app, Kind::Leads, "email\na@x.test\nb@x.test\n").await;
    dry_run(&app, &path, &typed).await;
    let other = app.another_node().await;
    other.sign_in().await;
    let run_path = format!("{path}/run");
    let clicks = async { tokio::join!(app.post_form(&run_path, &[]), other.post_form(&run_path, &[])) };
    let (first, second) = app.with_jobs(clicks).await;
    first.goes_to(&path);
    second.goes_to(&path).follow().await.says("2 leads added or updated");
    assert_eq!(app.number("SELECT count(*) FROM jobs WHERE kind = 'import'").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 2);
    app.post_form(&run_path, &[]).await.goes_to(&path);
    app.run_jobs().await;
    assert_eq!(app.number("SELECT count(*) FROM jobs WHERE kind = 'import'").await, 1, "it is done");
}

async fn a_file_is_its_businesss_and_for_those_who_may(app: TestApp) {
    app.sign_in().await;
    let (path, _) = upload(&app, &app, Kind::Leads, "email\na@x.test\n").await;
    let other = app.another_business("Globex").await;
    let theirs = app.member_of(&other, Role::Owner).await;
    theirs.get("/imports").await.is(200).says("No files yet");
    for way in ["", "/columns", "/rejects.csv"] {
        theirs.get(&format!("{path}{way}")).await.is(404);
    }
    for way in ["/columns", "/run", "/again", "/discard"] {
        theirs.post_form(&format!("{path}{way}"), &[]).await.is(404);
    }
    let campaign = app.business.campaign_id.to_string();
    let fields = [("kind", "leads"), ("campaign", campaign.as_str())];
    theirs.post_file("/imports", &fields, "file", "a.csv", "email\na@x.test\n").await.is(422);
    app.member(Role::Marketing).await.get("/imports").await.is(200);
    for role in [Role::Sales, Role::Developer, Role::Viewer] {
        let member = app.member(role).await;
        member.get("/imports").await.is(403);
        member.get(&path).await.is(403);
    }
}
