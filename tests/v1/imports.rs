//! Files that come by a call.

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    converted_customers_are_qualified_by_a_file,
    a_dry_run_is_looked_at_and_then_run,
    referrers_come_with_codes,
    columns_may_be_named,
    a_file_that_cannot_be_used_leaves_nothing,
    the_same_upload_twice_is_one,
    files_are_their_business_s_and_live,
}

async fn send(app: &TestApp, key: &str, query: &str, headers: &[(&str, &str)], file: impl Into<Vec<u8>>) -> Answer {
    let bearer = format!("Bearer {key}");
    let mut all = vec![("authorization", bearer.as_str()), ("content-type", "text/csv")];
    all.extend(headers);
    app.request("POST", &format!("/v1/imports?{query}"), &all, file.into()).await
}

async fn upload(app: &TestApp, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    app.with_jobs(send(app, &app.business.api_key, query, &[], file)).await
}

async fn converted_customers_are_qualified_by_a_file(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let known = app.shop().lead("known@example.com", None).await;
    let file =
        format!("Code,Email\n,KNOWN@example.com\n{},fresh@example.com\nNOBODY99,x@example.com\n,nonsense\n", jane.code);
    let done = upload(&app, "kind=qualifications&file_name=june.csv", file).await.is(201).json();
    assert_eq!(
        (&done["state"], &done["rows"], &done["rows_done"], &done["file_name"]),
        (&json!("done"), &json!(4), &json!(4), &json!("june.csv"))
    );
    assert_eq!(done["columns"], json!([{ "name": "Code", "field": "code" }, { "name": "Email", "field": "email" }]));
    let counts = &done["counts"];
    assert_eq!(
        (&counts["new"], &counts["updated"], &counts["unknown_code"], &counts["invalid"]),
        (&json!(1), &json!(1), &json!(1), &json!(1)),
        "{counts}"
    );
    let lead = call(&app, "GET", &format!("/v1/leads/{known}"), None).await.json();
    assert!(lead["qualified_at"].is_string());

    let path = format!("/v1/imports/{}", text(&done["id"]));
    assert_eq!(call(&app, "GET", &path, None).await.is(200).json(), done);
    assert_eq!(call(&app, "GET", "/v1/imports", None).await.is(200).json()["data"][0], done);
    assert_eq!(call(&app, "GET", "/v1/imports?kind=leads", None).await.json()["data"], json!([]));
    let rows = call(&app, "GET", &format!("{path}/rows?limit=3"), None).await.is(200).json();
    assert_eq!((&rows["data"][0]["outcome"], &rows["data"][0]["lead"]), (&json!("updated"), &lead["id"]), "{rows}");
    let behind = call(&app, "GET", &format!("{path}/rows?after={}", rows["next"]), None).await.is(200).json();
    assert_eq!((&behind["data"][0]["cells"], &behind["next"]), (&json!(["", "nonsense"]), &Json::Null));
    let rejected = call(&app, "GET", &format!("{path}/rows?rejected=true"), None).await.is(200).json();
    assert_eq!(rejected["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(rejected["data"][1]["field"], "email");
    let new = call(&app, "GET", &format!("{path}/rows?outcome=new"), None).await.is(200).json();
    assert_eq!(new["data"].as_array().map(Vec::len), Some(1));
    let rejects = call(&app, "GET", &format!("{path}/rejects"), None).await.is(200);
    assert_eq!(rejects.header("content-type"), "text/csv");
    assert!(rejects.body.contains("nonsense"), "{}", rejects.body);
    let refused = call(&app, "DELETE", &path, None).await.is(409).json();
    assert_eq!(refused["code"], "refused");
    let audit = call(&app, "GET", "/v1/audit?action=import.started", None).await.json();
    assert_eq!(audit["data"][0]["actor_kind"], "key");
}

async fn a_dry_run_is_looked_at_and_then_run(app: TestApp) {
    let file = "Name,Email\nAmy,amy@example.com\nBen,ben@example.com\n";
    let looked = upload(&app, "kind=leads&dry_run=true", file).await.is(201).json();
    assert_eq!((&looked["state"], &looked["counts"]["new"]), (&json!("checked"), &json!(2)));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
    let path = format!("/v1/imports/{}", text(&looked["id"]));
    for _ in 0..2 {
        let done = app.with_jobs(call(&app, "POST", &format!("{path}/run"), None)).await.is(200).json();
        assert_eq!((&done["state"], &done["counts"]["new"]), (&json!("done"), &json!(2)));
    }
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 2);

    // Nobody works here until the jobs are run.
    let key = &app.business.api_key;
    let waiting = send(&app, key, "kind=leads&dry_run=true", &[], file).await.is(202).json();
    assert_eq!((&waiting["state"], &waiting["rows_done"]), (&json!("checking"), &json!(0)));
    let path = format!("/v1/imports/{}", text(&waiting["id"]));
    call(&app, "POST", &format!("{path}/run"), None).await.is(409);
    app.run_jobs().await;
    assert_eq!(call(&app, "GET", &path, None).await.json()["counts"]["already"], 2);
    call(&app, "DELETE", &path, None).await.is(204);
    call(&app, "GET", &path, None).await.is(404);
}

async fn referrers_come_with_codes(app: TestApp) {
    let file = "Name,Email,Referral code\nAnna,anna@example.com,ANNA2026\nLi,li@example.com,\n";
    let done = upload(&app, "kind=referrers&generate_codes=true", file).await.is(201).json();
    assert_eq!(done["counts"]["new"], 2, "{done}");
    let anna = call(&app, "GET", "/v1/codes/ANNA2026", None).await.is(200).json();
    assert_eq!(anna["code"]["referrer_name"], "Anna");
    assert_eq!(app.number("SELECT count(*) FROM codes").await, 2);
    let rows = call(&app, "GET", &format!("/v1/imports/{}/rows", text(&done["id"])), None).await.json();
    assert_eq!(rows["data"][0]["referrer"], anna["code"]["referrer"]);
}

async fn columns_may_be_named(app: TestApp) {
    let file = "amy@example.com;Amy;x\nben@example.com;Ben;y\n";
    let done = upload(&app, "kind=leads&columns=email,name,-&header=false", file).await.is(201).json();
    assert_eq!((&done["counts"]["new"], &done["columns"][1]["field"]), (&json!(2), &json!("name")), "{done}");
    for wrong in ["columns=email,shoe_size", "columns=email,name,-,phone", "columns=name"] {
        let problem = upload(&app, &format!("kind=leads&header=false&{wrong}"), file).await.is(400).json();
        assert_eq!(problem["errors"][0]["pointer"], "/columns", "{wrong}: {problem}");
    }
    assert_eq!(call(&app, "GET", "/v1/imports", None).await.json()["data"].as_array().map(Vec::len), Some(1));
}

async fn a_file_that_cannot_be_used_leaves_nothing(app: TestApp) {
    for (query, file, status) in [
        ("kind=leads", "", 400),
        ("kind=leads", "Name,Email\n", 400),
        ("kind=leads", "Colour,Size\nred,4\n", 400),
        ("kind=lunch", "Name,Email\nAmy,amy@example.com\n", 400),
        ("", "Name,Email\nAmy,amy@example.com\n", 400),
        ("kind=leads&campaign=1", "Name,Email\nAmy,amy@example.com\n", 400),
        ("kind=leads&colour=red", "Name,Email\nAmy,amy@example.com\n", 400),
    ] {
        let answer = upload(&app, query, file).await;
        assert_eq!(answer.status, status, "{query} {file:?}: {}", answer.body);
    }
    let large = vec![b'x'; 16 * 1024 * 1024 + 1];
    upload(&app, "kind=leads", large).await.is(413);
    let kind = json!({ "name": "Amy" });
    assert_eq!(call(&app, "POST", "/v1/imports?kind=leads", Some(kind)).await.is(415).json()["status"], 415);
    let draft = app.shop().campaign("Draft").await;
    app.arrange(&format!("UPDATE campaigns SET state = 'draft' WHERE id = {draft}")).await;
    let refused = upload(&app, &format!("kind=leads&campaign={draft}"), "Name,Email\nAmy,amy@example.com\n").await;
    assert!(text(&refused.is(409).json()["detail"]).contains("draft"));
    assert_eq!(call(&app, "GET", "/v1/imports", None).await.json()["data"], json!([]));
    assert_eq!(app.number("SELECT count(*) FROM leads").await, 0);
}

async fn the_same_upload_twice_is_one(app: TestApp) {
    let (key, once) = (app.business.api_key.clone(), [("idempotency-key", "june")]);
    let file = "Name,Email\nAmy,amy@example.com\n";
    let first = app.with_jobs(send(&app, &key, "kind=leads", &once, file)).await.is(201);
    let again = send(&app, &key, "kind=leads", &once, file).await.is(201);
    assert_eq!((again.header("idempotency-replayed"), again.json()), ("true", first.json()));
    let other = send(&app, &key, "kind=leads", &once, "Name,Email\nBen,ben@example.com\n").await.is(409).json();
    assert_eq!(other["code"], "idempotency_mismatch");
    assert_eq!(app.number("SELECT count(*) FROM imports").await, 1);
}

async fn files_are_their_business_s_and_live(app: TestApp) {
    let file = "Name,Email\nAmy,amy@example.com\n";
    let done = upload(&app, "kind=leads", file).await.is(201).json();
    let path = format!("/v1/imports/{}", text(&done["id"]));
    let (other, test_key) = (app.another_business("Other").await.api_key, app.key(false).await);
    for key in [&other, &test_key] {
        for (method, path) in [
            ("GET", path.clone()),
            ("GET", format!("{path}/rows")),
            ("GET", format!("{path}/rejects")),
            ("POST", format!("{path}/run")),
            ("DELETE", path.clone()),
        ] {
            app.call(method, &path, key, None).await.is(404);
        }
        assert_eq!(app.call("GET", "/v1/imports", key, None).await.is(200).json()["data"], json!([]));
    }
    send(&app, &test_key, "kind=leads", &[], file).await.is(403);
    app.arrange("UPDATE api_keys SET scopes = 'leads:read leads:write'").await;
    app.app.keys.forget();
    let key = app.business.api_key.clone();
    let refused = send(&app, &key, "kind=referrers", &[], "Name,Email\nAnna,anna@example.com\n").await.is(403).json();
    assert!(text(&refused["detail"]).contains("referrers:write"));
}
