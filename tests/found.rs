//! Search that finds people: by pieces of codes, misheard letters, spelled codes, links, and names that are almost
//! right; on every page and in `/v1` alike.

use refdesk::engine::ClaimBy;
use refdesk::query::encode;
use refdesk::search;
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Answer, Referrer, Shop, TestApp};

on_both_databases! {
    a_code_is_found_by_any_piece_on_every_page,
    a_misheard_piece_offers_what_it_sounds_like,
    a_code_is_found_however_it_is_spelled,
    a_name_that_is_almost_right_is_offered_with_what_differs,
    every_list_folds_alike,
    indexed_rows_are_found_like_waiting_ones,
    a_code_with_two_wrong_letters_is_offered,
    people_and_codes_are_looked_for_together,
}

/// A referrer with a code of their own choice.
async fn with_code(app: &TestApp, name: &str, code: &str) -> Referrer {
    let mut referrer = app.shop().referrer_without_code(name).await;
    let body = json!({ "referrer": refdesk::id::render(refdesk::id::Kind::Referrer, referrer.id), "text": code });
    app.api_post("/v1/codes", body).await.is(201);
    referrer.code = code.to_owned();
    referrer
}

async fn people(app: &TestApp, q: &str) -> Answer {
    app.get(&format!("/record/people?q={}", encode(q))).await.is(200)
}

/// The names of the people that Record shows, and of those who may have been meant.
async fn names(app: &TestApp, q: &str) -> Vec<String> {
    people(app, q).await.texts("li b")
}

fn ids(answer: &Answer) -> usize {
    answer.json()["data"].as_array().unwrap().len()
}

async fn came(shop: &Shop<'_>, name: &str, code: &str) {
    shop.send(shop.lead_event(name, None, Some(ClaimBy::Code(code.to_owned())))).await;
}

async fn a_code_is_found_by_any_piece_on_every_page(app: TestApp) {
    app.sign_in().await;
    with_code(&app, "Peter Long", "X9X-9X9-X999").await;
    with_code(&app, "Jane Miller", "JJ7-R4M-KC22").await;
    came(&app.shop(), "Cleo Customer", "JJ7-R4M-KC22").await;
    came(&app.shop(), "Other Customer", "X9X-9X9-X999").await;
    for piece in
        ["JJ7", "jj7r", "R4M", "7-R4", "7 R4", "KC22", "kc22", "m-kc", "4m kc", "JJ7R4MKC22", "jj7 r4m kc22", "(KC22)."]
    {
        assert_eq!(names(&app, piece).await, ["Jane Miller"], "{piece}");
        let q = encode(piece);
        let found = async |path: &str| app.get(&format!("{path}?q={q}")).await.is(200).texts("tbody td a, tbody th a");
        assert_eq!(found("/referrers").await.first().map(String::as_str), Some("Jane Miller"), "{piece}");
        assert_eq!(app.get(&format!("/codes?q={q}")).await.count("tbody tr"), 1, "{piece}");
        assert_eq!(found("/leads").await.first().map(String::as_str), Some("Cleo Customer"), "{piece}");
        for list in ["referrers", "codes", "leads"] {
            let answer = app.api_get(&format!("/v1/{list}?q={q}")).await.is(200);
            assert_eq!(ids(&answer), 1, "{list} {piece}: {}", answer.body);
        }
    }
}

async fn a_misheard_piece_offers_what_it_sounds_like(app: TestApp) {
    app.sign_in().await;
    with_code(&app, "Jane Miller", "C2C-KTP-HHHH").await;
    with_code(&app, "Peter Long", "WWW-WWW-WWWW").await;
    for (heard, differs) in [
        ("KTB", "P, not B"),
        ("KPT", "TP, not PT"),
        ("GTP", ""),
        ("HTP", "K, not H"),
        ("KTTP", "T too many"),
        ("KHP", ""),
        ("CKPT", "TP, not PT"),
        ("CKDB", "TP, not DB"),
        ("kay tee bee", "P, not B"),
    ] {
        let page = people(&app, heard).await;
        if differs.is_empty() {
            continue;
        }
        assert_eq!(page.texts("li b"), ["Jane Miller"], "{heard}: {}", page.body);
        assert!(page.body.contains("Did you mean"), "{heard}");
        assert_eq!(page.text(".people-differs"), differs, "{heard}");
    }
    let marked = people(&app, "KTB").await;
    assert_eq!(marked.texts("mark"), ["P"]);
    app.get("/codes?q=KTB").await.is(200).says("These come close").says("C2C-KTP-HHHH");
    assert!(names(&app, "9X4").await.is_empty());
}

async fn a_code_is_found_however_it_is_spelled(app: TestApp) {
    app.sign_in().await;
    with_code(&app, "Jane Miller", "JJ7-B4M-KC22").await;
    for said in [
        "double j seven bravo four mike kilo charlie two two",
        "jay jay seven bee four em kay see double two",
        "J J 7 bee for Ben 4 M as in Mary, kilo C like Charlie 22",
        "Julius Julius sieben Berta vier Martha Kaufmann Cäsar zwei zwei",
        "jj7 b as in bravo 4 m kc twenty-two",
        "double j seven b four m kay cee twenty two",
        "“JJ7-B4M-KC22”",
        "https://desk.example.com/r/JJ7-B4M-KC22?utm_source=mail",
        "https://shop.example.com/welcome?ref=jj7b4mkc22",
        "kay see two two",
        "bee four em",
        "#JJ7.B4M.KC22!",
    ] {
        assert_eq!(names(&app, said).await, ["Jane Miller"], "{said}");
    }
    assert_eq!(names(&app, "Martha").await, [""; 0], "a name is no letter");
    let found = app.api_get(&format!("/v1/codes/{}", encode("https://shop.example.com/?ref=JJ7-B4M-KC22"))).await;
    assert_eq!(found.is(200).json()["code"]["text"], "JJ7-B4M-KC22");
}

async fn a_name_that_is_almost_right_is_offered_with_what_differs(app: TestApp) {
    app.sign_in().await;
    for name in ["Aziz Rahman", "Hans Mayer", "Lucía Gómez", "Katherine Hall", "Steven King", "Zoe Otieno"] {
        app.shop().referrer(name).await;
        let (first, last) = name.split_once(' ').unwrap();
        let lead = json!({ "name": format!("{first} Leadley {last}"), "phone": null });
        app.api_post("/v1/leads", lead).await.is(201);
    }
    for (typed, meant, differs) in [
        ("Raman", "Aziz Rahman", "h left out"),
        ("Meier", "Hans Mayer", "ay, not ei"),
        ("Catherine", "Katherine Hall", "k, not c"),
        ("Stephen", "Steven King", "v, not ph"),
        ("Rahamn", "Aziz Rahman", "ma, not am"),
        ("Azis Rahman", "Aziz Rahman", "z, not s"),
        ("Otineo", "Zoe Otieno", "en, not ne"),
    ] {
        let page = people(&app, typed).await;
        assert_eq!(page.texts("li b"), [meant], "{typed}: {}", page.body);
        assert_eq!(page.text(".people-differs"), differs, "{typed}");
        assert!(page.body.contains("Did you mean"), "{typed}");
        for list in ["leads", "referrers"] {
            let page = app.get(&format!("/{list}?q={}", encode(typed))).await.is(200);
            assert_eq!(page.count("tbody tr"), 0, "{list} {typed}");
            assert!(page.text(".beside").contains(differs), "{list} {typed}: {}", page.text(".beside"));
            let there = app.get(&page.attr(".beside a", "href")).await.is(200);
            assert_eq!(there.count("tbody tr"), 1, "{list} {typed}");
        }
        let page = app.get(&format!("/codes?q={}", encode(typed))).await.is(200);
        assert!(page.text(".beside").contains(differs), "codes {typed}");
    }
    assert_eq!(names(&app, "lucia").await, ["Lucía Gómez"]);
    assert!(!people(&app, "lucia").await.body.contains("Did you mean"));
}

async fn every_list_folds_alike(app: TestApp) {
    app.sign_in().await;
    let name = "Ðaníel O’Brien-Größe";
    app.shop().referrer("Bob Stone").await;
    app.post_form("/referrers", &[("name", name), ("email", "dg@example.org"), ("company", "Œuvre & Søn")])
        .await
        .is(303);
    let jane = app.shop().referrer("Jane Miller").await;
    came(&app.shop(), "Noise", &jane.code).await;
    app.api_post("/v1/leads", json!({ "name": name, "email": "lead@example.org", "company": "Œuvre & Søn" }))
        .await
        .is(201);
    for q in [
        "daniel",
        "DANÍEL",
        "o'brien",
        "obrien",
        "O´Brien",
        "brien grosse",
        "brien-größe",
        "BRIEN—GROSSE",
        "oeuvre",
        "søn",
        "SON",
    ] {
        let q = encode(q);
        assert_eq!(app.get(&format!("/referrers?q={q}")).await.count("tbody tr"), 1, "{q}");
        assert_eq!(app.get(&format!("/leads?q={q}")).await.count("tbody tr"), 1, "{q}");
        assert_eq!(app.get(&format!("/record/people?q={q}")).await.count("li"), 1, "{q}");
        assert_eq!(ids(&app.api_get(&format!("/v1/referrers?q={q}")).await.is(200)), 1, "{q}");
        assert_eq!(ids(&app.api_get(&format!("/v1/leads?q={q}")).await.is(200)), 1, "{q}");
    }
    for q in ["daniel", "O'BRIEN", "obrien-grosse", "Œuvre"] {
        let answer = app.api_get(&format!("/business/lead/list?search={}", encode(q))).await.is(200);
        assert_eq!(answer.json()["meta"]["total"], 1, "{q}");
    }
    let answer = app.api_get("/business/lead/list?search=grosse%20daniel").await.is(200);
    assert_eq!(answer.json()["meta"]["total"], 0, "Cashfin's is one piece, and no words");
}

async fn indexed_rows_are_found_like_waiting_ones(app: TestApp) {
    app.sign_in().await;
    let b = &app.business;
    let load = refdesk::generate::Load {
        business_id: b.id,
        campaign_id: b.campaign_id,
        product_id: b.product_row,
        leads: 1_500,
        referrers: 1_500,
    };
    refdesk::generate::generate(&app.app, load, |_| {}).await.unwrap();
    while search::run(&app.app).await.unwrap() {}
    assert_eq!(app.number("SELECT count(*) FROM search_queue WHERE scope % 4 = 2").await, 0);
    let page = app.get("/referrers?q=nyeri").await.is(200);
    assert!(page.text(".beside").contains("njeri (j, not y)"), "{}", page.text(".beside"));
    let page = app.get("/leads?q=smyth").await.is(200);
    assert!(page.text(".beside").contains("smith (i, not y)"), "{}", page.text(".beside"));
    let code = app.rows::<(String,)>("SELECT search FROM codes ORDER BY id LIMIT 1").await.remove(0).0;
    assert!(people(&app, &code[4..9]).await.count("li") >= 1);
    // A new code of an indexed person is found at once, and so is the person by it.
    let id = app.number("SELECT referrer_id FROM codes ORDER BY id LIMIT 1").await;
    let enrollment = app.number("SELECT enrollment_id FROM codes ORDER BY id LIMIT 1").await;
    app.post_form(&format!("/enrollments/{enrollment}/code"), &[("code", "QUETZAL-99")]).await;
    let renamed = app.number("SELECT count(*) FROM codes WHERE search = 'quetzal99'").await;
    if renamed == 1 {
        assert_eq!(app.get("/referrers?q=tzal-9").await.count("tbody tr"), 1);
    }
    app.post_form(&format!("/referrers/{id}/edit"), &[("name", "Xanthe Quoll"), ("email", "xq@example.org")])
        .await
        .is(303);
    assert!(app.get("/codes?q=quoll").await.count("tbody tr") >= 1, "codes are found by the new name");
    let report = refdesk::check::check(&app.app.db).await.unwrap();
    assert!(report.findings.iter().all(|f| !f.rule.contains("in the index")), "{:?}", report.findings);
}

async fn a_code_with_two_wrong_letters_is_offered(app: TestApp) {
    app.sign_in().await;
    with_code(&app, "Jane Miller", "K7M-4XP-D2CW").await;
    for wrong in ["T7M-4XB-D2CW", "K7N-4XP-B2CW", "7KM-4XP-D2CV", "A7M-4XP-D2CWK"] {
        let page = people(&app, wrong).await;
        assert_eq!(page.texts("li b"), ["Jane Miller"], "{wrong}");
        assert!(!page.text(".people-differs").is_empty(), "{wrong}: {}", page.body);
    }
}

async fn people_and_codes_are_looked_for_together(app: TestApp) {
    app.sign_in().await;
    with_code(&app, "Jane Miller", "JJ7-R4M-KC22").await;
    with_code(&app, "Jane Other", "WW7-W4W-WW22").await;
    assert_eq!(names(&app, "jane kc22").await, ["Jane Miller"]);
    assert_eq!(app.get("/referrers?q=jane+kc22").await.count("tbody tr"), 1);
    assert_eq!(app.get("/codes?q=miller").await.count("tbody tr"), 1, "codes by their people");
    assert_eq!(ids(&app.api_get("/v1/codes?q=jane+miller").await.is(200)), 1);
    came(&app.shop(), "Cleo Customer", "JJ7-R4M-KC22").await;
    let page = app.get("/leads?q=jane+miller").await.is(200);
    assert!(page.text(".beside").contains("Leads of Jane Miller"), "{}", page.body);
    let theirs = app.get(&page.attr(".beside a", "href")).await.is(200);
    assert_eq!(theirs.texts("tbody th a, tbody td a").first().map(String::as_str), Some("Cleo Customer"));
}
