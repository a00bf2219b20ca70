//! /docs and /openapi.json: what is published is what is served.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use refdesk::api;
use refdesk::api::dialect::Dialect;
use refdesk::api::kinds::KINDS;
use refdesk::api::operation::{Access, Operation};
use refdesk::api::problem::Problem;
use reqwest::StatusCode;
use serde_json::Value as Json;

use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    every_answer_to_every_call_is_documented,
    nothing_is_answered_without_a_key_or_its_scope,
    a_wrong_method_is_refused_in_the_words_of_the_contract,
    the_document_may_be_kept_and_read_by_any_page,
    the_page_names_every_call_and_every_link_on_it_leads_somewhere,
    whoever_is_signed_in_finds_their_own_ids,
}

fn operations() -> Vec<Operation> {
    api::apis().iter().flat_map(|api| api.operations()).map(|one| one.as_ref().clone()).collect()
}

/// As `refdesk openapi` prints it where nothing is configured.
fn printed() -> String {
    format!("{:#}\n", api::openapi("http://127.0.0.1:8080"))
}

#[test]
fn the_document_is_the_one_that_was_agreed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openapi.json");
    let agreed = std::fs::read_to_string(&path).unwrap_or_default();
    let printed = printed();
    let other = agreed.lines().zip(printed.lines()).position(|(agreed, now)| agreed != now);
    assert!(
        agreed == printed,
        "the document differs from tests/data/openapi.json at line {}; if that is meant: refdesk openapi > tests/data/openapi.json",
        other.unwrap_or(0) + 1
    );
}

#[test]
fn no_two_calls_or_objects_have_one_name() {
    let operations = operations();
    let ids: HashSet<&str> = operations.iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), operations.len(), "two calls have one operationId");
    let document = api::openapi("");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // The second of two with one name gets a number.
    let twice: Vec<_> = schemas.keys().filter(|name| name.ends_with(|c: char| c.is_ascii_digit())).collect();
    assert!(twice.is_empty(), "give these a name of their own: {twice:?}");
}

#[test]
fn links_name_calls_and_parameters_that_are_there() {
    let operations = operations();
    for (operation, parameter, _) in operations.iter().flat_map(|one| &one.answers).flat_map(|answer| &answer.links) {
        let target = operations.iter().find(|one| one.id == *operation).unwrap_or_else(|| panic!("no {operation}"));
        assert!(target.path.contains(&format!("{{{parameter}}}")), "{operation} has no {parameter} in its path");
    }
}

/// The code of a problem is the first text behind its making.
#[test]
fn every_code_of_a_problem_is_explained() {
    let mut codes = HashSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for made in ["Problem::new(", "Problem::conflict(", "Self::new(StatusCode::"] {
                for (at, _) in text.match_indices(made) {
                    // As far as the arguments of this one go.
                    let arguments = text[at..].split(';').next().unwrap_or_default();
                    let code = arguments.split('"').nth(1).unwrap_or_default();
                    if !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                        codes.insert(code.to_owned());
                    }
                }
            }
        }
    }
    assert!(codes.len() > 10, "the search for codes has gone blind: {codes:?}");
    let statuses = [400, 404, 405, 408, 413, 414, 415, 429, 431, 500];
    codes.extend(statuses.map(|status| Problem::of(StatusCode::from_u16(status).unwrap(), "").code.to_owned()));
    codes.extend(["missing_field".to_owned(), "invalid_field".to_owned()]);
    codes.retain(|code| !KINDS.iter().any(|kind| kind.code == code));
    assert!(codes.is_empty(), "src/api/kinds.rs says nothing of {codes:?}");
}

/// The document's entry for a call.
fn entry<'d>(document: &'d Json, one: &Operation) -> &'d Json {
    &document["paths"][one.path][one.method.as_str().to_ascii_lowercase()]
}

/// The documented answer with this status.
fn documented<'d>(document: &'d Json, one: &Operation, status: u16) -> &'d Json {
    let response = &entry(document, one)["responses"][status.to_string()];
    match response["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        Some(name) => &document["components"]["responses"][name],
        None => response,
    }
}

/// The address of a call with the examples of the document in it.
fn address(document: &Json, one: &Operation) -> String {
    let (mut path, mut query) = (one.path.to_owned(), String::new());
    for parameter in entry(document, one)["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = &parameter["example"];
        let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &text),
            "query" if parameter["required"] == true => query.push_str(&format!("&{name}={text}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", &query[1..]) }
}

async fn make(app: &TestApp, document: &Json, one: &Operation, key: &str) -> Answer {
    let path = address(document, one);
    if let Some(file) = one.takes.as_ref().filter(|takes| takes.csv) {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        return app.request(one.method.as_str(), &path, &headers, file.example.into()).await;
    }
    let body = one.takes.as_ref().map(|takes| serde_json::from_str(takes.example).expect("the example is JSON"));
    app.call(one.method.as_str(), &path, key, body).await
}

/// Status, type and headers of an answer stand in the document.
#[track_caller]
fn is_documented(document: &Json, one: &Operation, answer: &Answer) {
    let response = documented(document, one, answer.status);
    assert!(response.is_object(), "{} answers {} and does not say so: {answer:?}", one.id, answer.status);
    let kind = answer.header("content-type");
    match response["content"].as_object() {
        Some(content) => assert!(content.contains_key(kind), "{}: {kind} is not documented: {answer:?}", one.id),
        None => assert!(answer.body.is_empty(), "{}: a body is not documented: {answer:?}", one.id),
    }
    for header in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
        assert!(!answer.header(header).is_empty(), "{}: {header} is documented and not there: {answer:?}", one.id);
    }
    for header in ["link", "etag", "retry-after", "www-authenticate"] {
        let said =
            response["headers"].as_object().is_some_and(|all| all.keys().any(|n| n.eq_ignore_ascii_case(header)));
        assert!(said || answer.header(header).is_empty(), "{}: {header} is not documented: {answer:?}", one.id);
    }
}

async fn every_answer_to_every_call_is_documented(app: TestApp) {
    let document = api::openapi("");
    let jane = app.shop().referrer("Jane Miller").await;
    app.shop().lead("jane@example.com", Some(&jane.code)).await;
    app.shop().pay("jane@example.com", "100.00", "2026-06-20").await;
    let key = app.business.api_key.clone();
    for one in operations() {
        let answer = make(&app, &document, &one, &key).await;
        assert!(answer.status < 500, "{answer:?}");
        is_documented(&document, &one, &answer);
        if one.takes.is_some() {
            let path = address(&document, &one);
            let bearer = format!("Bearer {key}");
            for (kind, body) in [("application/json", "{"), ("text/plain", "x"), ("application/json", "{}")] {
                let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
                let refused = app.request(one.method.as_str(), &path, &headers, body.into()).await;
                is_documented(&document, &one, &refused);
            }
        }
    }
}

async fn nothing_is_answered_without_a_key_or_its_scope(app: TestApp) {
    let document = api::openapi("");
    let powerless = app.key(true).await;
    app.arrange("UPDATE api_keys SET scopes = '' WHERE name = 'A key'").await;
    for one in operations().iter().filter(|one| one.access != Access::Open) {
        // Bad keys are answered so many a minute.
        app.clock.set(app.clock.now().plus_seconds(2));
        let nobody = app.request(one.method.as_str(), &address(&document, one), &[], Vec::new()).await.is(401);
        is_documented(&document, one, &nobody);
        has_the_shape_of_a_refusal(&document, one.dialect, &nobody);
        let answer = make(&app, &document, one, &powerless).await;
        if matches!(one.access, Access::Scope(_)) {
            let answer = answer.is(403);
            is_documented(&document, one, &answer);
            has_the_shape_of_a_refusal(&document, one.dialect, &answer);
        }
    }
}

/// A refusal has every field that the schema of the contract's refusals asks for.
#[track_caller]
fn has_the_shape_of_a_refusal(document: &Json, dialect: Dialect, answer: &Answer) {
    assert_eq!(answer.header("content-type"), dialect.error_type(), "{answer:?}");
    let body: Json = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
    let name = match dialect {
        Dialect::Rn => "RnError",
        Dialect::Cf => "CfError",
        Dialect::Rf => "RfError",
        Dialect::Own => "OwnError",
    };
    let schema = &document["components"]["schemas"][name];
    let required = schema["required"].as_array().unwrap_or_else(|| panic!("no schema {name}"));
    for field in required {
        assert!(body.get(field.as_str().unwrap()).is_some(), "{field} is missing: {answer:?}");
    }
}

async fn a_wrong_method_is_refused_in_the_words_of_the_contract(app: TestApp) {
    let document = api::openapi("");
    let mut methods: BTreeMap<&str, (Operation, Vec<String>)> = BTreeMap::new();
    for one in operations() {
        let of = methods.entry(one.path).or_insert_with(|| (one.clone(), Vec::new()));
        of.1.push(one.method.as_str().to_owned());
    }
    for (one, taken) in methods.values() {
        let wrong = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|m| !taken.iter().any(|t| t == m));
        let Some(wrong) = wrong else { continue };
        let answer = app.call(wrong, &address(&document, one), &app.business.api_key, None).await;
        // Another address may take it: /v1/leads/batch is also a lead's.
        if answer.status != 405 {
            continue;
        }
        has_the_shape_of_a_refusal(&document, one.dialect, &answer);
        let allowed: HashSet<&str> = answer.header("allow").split(',').map(str::trim).collect();
        assert!(taken.iter().all(|method| allowed.contains(method.as_str())), "{answer:?}");
    }
}

async fn the_document_may_be_kept_and_read_by_any_page(app: TestApp) {
    let served = app.stranger().get("/openapi.json").await.is(200);
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.header("access-control-allow-origin"), "*");
    assert_eq!(served.header("cross-origin-resource-policy"), "cross-origin");
    let document: Json = serde_json::from_str(&served.body).unwrap();
    assert_eq!(document["servers"][0]["url"], Json::from(app.url("")));
    assert_eq!(document, api::openapi(&app.url("")));
    let tag = served.header("etag").to_owned();
    let again = app.request("GET", "/openapi.json", &[("if-none-match", &tag)], Vec::new()).await.is(304);
    assert!(again.body.is_empty());
    app.request("GET", "/openapi.json", &[("if-none-match", "\"other\"")], Vec::new()).await.is(200);
    for path in ["/openapi.json", "/docs"] {
        let plain = app.stranger().get(path).await.is(200);
        let packed = app.stranger().request("GET", path, &[("accept-encoding", "gzip")], Vec::new()).await.is(200);
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert_eq!((packed.header("etag"), packed.header("etag").is_empty()), (plain.header("etag"), false));
        let known = [("if-none-match", plain.header("etag"))];
        app.stranger().request("GET", path, &known, Vec::new()).await.is(304);
    }
    // Rendered for everybody, it has nothing of the one who is signed in.
    app.sign_in().await;
    let own = app.get("/docs").await.is(200);
    assert!(own.body.contains(&app.business.public_id) && own.header("etag").is_empty());
    assert!(!app.stranger().get("/docs").await.body.contains(&app.business.public_id));
}

async fn the_page_names_every_call_and_every_link_on_it_leads_somewhere(app: TestApp) {
    let stranger = app.stranger();
    let start = stranger.get("/docs").await.is(200);
    let mut pages = vec![start.clone()];
    for path in start.attrs(".docs-contracts a", "href") {
        pages.push(stranger.get(&path).await.is(200));
    }
    let mut named = HashSet::new();
    for page in &pages {
        let ids: Vec<String> = page.attrs("[id]", "id");
        let set: HashSet<&String> = ids.iter().collect();
        assert_eq!(set.len(), ids.len(), "an id stands twice on {}", page.asked);
        for link in page.attrs("a[href^='#']", "href") {
            assert!(set.contains(&link[1..].to_owned()), "{link} leads nowhere on {}", page.asked);
        }
        named.extend(ids);
    }
    for one in operations() {
        assert!(named.contains(one.id), "{} is on no page", one.id);
    }
    for kind in &KINDS {
        assert!(start.has(&format!("#{}", kind.anchor())), "{}", kind.code);
    }
    // Bytes that are no text count three times here, so this is more than is sent.
    let small = stranger.request("GET", "/docs", &[("accept-encoding", "gzip")], Vec::new()).await.is(200);
    assert!(small.body.len() < 150_000, "the page has become heavy: {}", small.body.len());
}

async fn whoever_is_signed_in_finds_their_own_ids(app: TestApp) {
    let campaign = refdesk::id::render(refdesk::id::Kind::Campaign, app.business.campaign_id);
    let stranger = app.stranger().get("/docs").await.is(200);
    assert!(!stranger.body.contains(&campaign) && !stranger.body.contains(&app.business.public_id));
    app.sign_in().await;
    let own = app.get("/docs").await.is(200);
    assert!(own.body.contains(&campaign) && own.body.contains(&app.business.product_id));
    assert!(own.body.contains("Bearer YOUR_API_KEY") && !own.body.contains(&app.business.api_key));
    assert!(own.texts(".in-curl").iter().any(|text| text.contains(&app.url("/v1/leads"))));
    assert!(app.get("/integrations").await.attrs("a", "href").contains(&"/docs".to_owned()));
}
