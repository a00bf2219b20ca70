//! Files as other programs write them, and our own exports as they come back.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::{call, text};
use crate::on_both_databases;
use crate::support::{Answer, TestApp};

on_both_databases! {
    everybody_of_a_real_export_comes_in,
    a_status_or_number_of_another_program_rejects_nobody,
    the_separator_may_be_declared_in_quotes,
    columns_of_one_name_are_read_together,
    payments_that_failed_qualify_nobody,
    a_row_that_contradicts_another_is_to_be_corrected,
    a_retired_code_is_no_success,
    a_referrer_has_a_name,
    json_lines_are_read,
    leads_come_back_as_they_went_out,
    referrers_come_back_as_they_went_out,
    rejected_rows_come_back_as_they_were,
}

async fn upload_as(app: &TestApp, kind: &str, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    let bearer = format!("Bearer {}", app.business.api_key);
    let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
    let path = format!("/v1/imports?{query}");
    app.with_jobs(app.request("POST", &path, &headers, file.into())).await
}

async fn upload(app: &TestApp, query: &str, file: impl Into<Vec<u8>>) -> Json {
    let answer = upload_as(app, "text/csv", query, file).await;
    done(app, &app.business.api_key, answer).await
}

/// An import at its end, however long that took.
async fn done(app: &TestApp, key: &str, answer: Answer) -> Json {
    assert!(matches!(answer.status, 201 | 202), "{answer:?}");
    let path = format!("/v1/imports/{}", text(&answer.json()["id"]));
    app.call("GET", &path, key, None).await.is(200).json()
}

/// The rows of an import with their outcome and reason.
async fn rows(app: &TestApp, import: &Json) -> Vec<(String, String)> {
    let path = format!("/v1/imports/{}/rows?limit=250", text(&import["id"]));
    let rows = call(app, "GET", &path, None).await.is(200).json();
    let rows = rows["data"].as_array().expect("rows").iter();
    rows.map(|r| (text(&r["outcome"]).to_owned(), r["reason"].as_str().unwrap_or_default().to_owned())).collect()
}

async fn outcomes(app: &TestApp, import: &Json) -> Vec<String> {
    rows(app, import).await.into_iter().map(|(outcome, _)| outcome).collect()
}

fn example(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/exports").join(name);
    std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

async fn everybody_of_a_real_export_comes_in(app: TestApp) {
    for (name, kind, people) in [
        ("google-contacts.csv", "leads", vec!["Nora Quill", "Olaf Rune"]),
        ("mailchimp.csv", "leads", vec!["Mia Chimp", "noe.chimp@example.com"]),
        ("hubspot-contacts.csv", "leads", vec!["Rosa Hub", "Tom Hub", "info.hub@example.com", "Una Hub"]),
        ("referral-factory.csv", "leads", vec!["Yara", "Zeno"]),
        ("salesforce-leads.csv", "leads", vec!["Abel Force", "Bela Force"]),
        ("shopify-customers.csv", "leads", vec!["Cleo Shop", "Dina Shop"]),
        ("rewardful.csv", "referrers", vec!["Wanda Affil", "Xeno Affil"]),
    ] {
        let business = app.another_business(name).await;
        let bearer = format!("Bearer {}", business.api_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let path = format!("/v1/imports?kind={kind}");
        let answer = app.with_jobs(app.request("POST", &path, &headers, example(name))).await;
        let done = done(&app, &business.api_key, answer).await;
        let list = app.call("GET", &format!("/v1/{kind}?order=asc"), &business.api_key, None).await.is(200).json();
        let names: Vec<&str> = list["data"].as_array().expect("rows").iter().map(|r| text(&r["name"])).collect();
        assert_eq!(names, people, "{name}: {done}");
        if kind == "referrers" {
            assert_eq!(list["data"][1]["enrollments"][0]["code"], "xeno-22", "the token is the code");
        }
    }
}

async fn a_status_or_number_of_another_program_rejects_nobody(app: TestApp) {
    let file = "Name;E-mail;Budget;Status;Phone\nAmy;amy@example.com;99,90;OPEN_DEAL;\nBob;bob@example.com;1.234,50;lost;\nCleo;cleo@example.com;lots;;call me\n";
    let done = upload(&app, "kind=leads", file).await;
    let rows = rows(&app, &done).await;
    assert!(rows.iter().all(|(outcome, _)| outcome == "new"), "{rows:?}");
    assert!(rows[0].1.contains("OPEN_DEAL") && rows[1].1.is_empty(), "{rows:?}");
    assert!(rows[2].1.contains("lots") && rows[2].1.contains("call me"), "{rows:?}");
    let list = call(&app, "GET", "/v1/leads?order=asc", None).await.json();
    let of = |n: usize, field: &str| list["data"][n][field].to_string();
    assert_eq!((of(0, "budget"), of(0, "status")), ("99.9".into(), "\"new\"".into()));
    assert_eq!((of(1, "budget"), of(1, "status")), ("1234.5".into(), "\"lost\"".into()));
    assert_eq!((of(2, "budget"), of(2, "phone")), ("null".into(), "null".into()));
}

async fn the_separator_may_be_declared_in_quotes(app: TestApp) {
    for (n, first) in ["sep=;", "\"sep=;\"", "\u{feff}\"SEP=;\""].into_iter().enumerate() {
        let file = format!("{first}\r\nName;E-mail\r\nAmy, the first;amy{n}@example.com\r\n");
        assert_eq!(outcomes(&app, &upload(&app, "kind=leads", file).await).await, ["new"], "{first}");
    }
}

async fn columns_of_one_name_are_read_together(app: TestApp) {
    let done = upload(&app, "kind=leads", example("double-headers.csv")).await;
    assert_eq!(outcomes(&app, &done).await, ["new", "new"], "{done}");
    let list = call(&app, "GET", "/v1/leads?order=asc", None).await.json();
    assert_eq!(list["data"][0]["email"], "hana.mori@example.com");
    // Its second column of phone numbers is filled: with a number that is none in the business's country.
    let said = rows(&app, &done).await;
    assert!(said[0].1.contains("020 7946 0401") && said[1].1.contains("020 7946 0402"), "{said:?}");
    // The page that asks about the columns takes them as well.
    app.sign_in().await;
    let file = "Name,Phone,Phone\nZoe,,(415) 555-2671\n";
    let done = upload(&app, "kind=leads&dry_run=true", file).await;
    let id = app.number("SELECT max(id) FROM imports").await;
    let fields = [
        ("campaign", app.business.campaign_id.to_string()),
        ("column_0", "name".into()),
        ("column_1", "phone".into()),
        ("column_2", "phone".into()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    app.with_jobs(app.post_form(&format!("/imports/{id}/columns"), &fields)).await.is(303);
    assert_eq!(outcomes(&app, &done).await, ["new"]);
}

async fn payments_that_failed_qualify_nobody(app: TestApp) {
    for n in 1..=9 {
        app.shop().lead(&format!("p{n}@example.com"), None).await;
    }
    let file = "Customer Email,Status\np1@example.com,Paid\np2@example.com,Failed\np3@example.com,Refunded\np4@example.com,succeeded\np5@example.com,requires_payment_method\np6@example.com,partially_refunded\np7@example.com,Strange\np8@example.com,\np9@example.com,Canceled\n";
    let done = upload(&app, "kind=qualifications", file).await;
    let rows = rows(&app, &done).await;
    let taken: Vec<usize> = (0..9).filter(|n| rows[*n].0 == "updated").map(|n| n + 1).collect();
    assert_eq!(taken, [1, 4, 8], "{rows:?}");
    assert!(rows[6].1.contains("Strange") && rows[6].1.contains("do not import the status column"), "{rows:?}");
    // Whoever knows better leaves the column out.
    let all = upload(&app, "kind=qualifications&columns=email,-", file).await;
    assert_eq!(all["counts"]["updated"], json!(6), "{all}");
}

async fn a_row_that_contradicts_another_is_to_be_corrected(app: TestApp) {
    let (jane, tom) = (app.shop().referrer("Jane Miller").await, app.shop().referrer("Tom Busy").await);
    let file = format!(
        "Name,Email,Code\nAmy,amy@example.com,{0}\nAmy,amy@example.com,{0}\nAmy,amy@example.com,\nAmy,amy@example.com,{1}\n",
        jane.code, tom.code
    );
    let done = upload(&app, "kind=leads", file).await;
    let rows = rows(&app, &done).await;
    let of: Vec<&str> = rows.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!(of, ["new", "duplicate", "duplicate", "invalid"], "{rows:?}");
    assert!(rows[3].1.contains("Line 2") && rows[3].1.contains("another referrer"), "{rows:?}");
    let rejects = call(&app, "GET", &format!("/v1/imports/{}/rejects", text(&done["id"])), None).await.is(200);
    assert!(rejects.body.contains(&tom.code), "{}", rejects.body);
    let file = "Name,Email,Code\nZoe,zoe@example.com,ZOE1\nZoe,zoe@example.com,ZOE2\n";
    let done = upload(&app, "kind=referrers", file).await;
    assert_eq!(outcomes(&app, &done).await, ["new", "invalid"]);
}

async fn a_retired_code_is_no_success(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    let code = call(&app, "GET", &format!("/v1/codes/{}", jane.code), None).await.is(200).json();
    let path = format!("/v1/codes/{}/state", text(&code["code"]["id"]));
    call(&app, "PUT", &path, Some(json!({ "state": "retired" }))).await.is(200);
    app.shop().lead("known@example.com", None).await;
    let file = format!("Name,Email,Code\nAmy,amy@example.com,{0}\nKnown,known@example.com,{0}\n", jane.code);
    let done = upload(&app, "kind=leads", file).await;
    let rows = rows(&app, &done).await;
    assert!(rows.iter().all(|(outcome, why)| outcome == "unknown_code" && why.contains("retired")), "{rows:?}");
    assert_eq!(done["counts"]["new"], json!(0));
}

async fn a_referrer_has_a_name(app: TestApp) {
    let file = "Name,Email\n,noname@example.com\nJane,jane@example.com\n";
    let done = upload(&app, "kind=referrers", file).await;
    assert_eq!(outcomes(&app, &done).await, ["invalid", "new"]);
    assert_eq!(app.number("SELECT count(*) FROM referrers").await, 1);
}

async fn json_lines_are_read(app: TestApp) {
    let file = "{\"name\": \"=Amy\", \"email\": \"amy@example.com\", \"budget\": 5.10}\n{\"email\": \"bob@example.com\", \"name\": \"Bob\", \"metadata\": {\"plan\": \"pro\"}}\n";
    for kind in ["application/x-ndjson", "text/csv"] {
        let answer = upload_as(&app, kind, "kind=leads", file).await;
        let done = done(&app, &app.business.api_key, answer).await;
        assert_eq!(done["rows"], json!(2), "{done}");
    }
    let list = call(&app, "GET", "/v1/leads?order=asc", None).await.json();
    assert_eq!((&list["data"][0]["name"], list["data"][0]["budget"].to_string()), (&json!("=Amy"), "5.1".to_owned()));
    assert_eq!(list["data"][1]["metadata"], json!({ "plan": "pro" }));
    let broken =
        upload_as(&app, "application/x-ndjson", "kind=leads", "{\"email\": \"a@example.com\"}\nnothing\n").await;
    assert!(broken.is(400).body.contains("line 2"));
}

/// A file of the program's own export.
fn export(app: &TestApp, verb: &str, format: &str) -> Vec<u8> {
    let url = &app.app.config.database_url;
    let done = Command::new(env!("CARGO_BIN_EXE_refdesk"))
        .args(["export", verb, "--format", format, "--business", &app.business.public_id, "--database-url", url])
        .output()
        .expect("the program runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

const AWKWARD: [&str; 10] =
    ["'=literal", "=1+1", "+1+1", "-5 Degrees", "@home", "'t Hooft", "''-two", "'-one", "a \"quoted\", name", "plain"];

async fn leads_come_back_as_they_went_out(app: TestApp) {
    let jane = app.shop().referrer("Jane Miller").await;
    for (n, name) in AWKWARD.into_iter().enumerate() {
        app.clock.set(app.clock.now().plus_seconds(60));
        let lead = json!({
            "name": name, "email": format!("l{n}@example.com"), "company": name, "request": format!("{name}\nsecond line"),
            "website": "w".repeat(500), "address": "a".repeat(500), "budget": 1250.5, "external_id": format!("x-{n}"),
            "metadata": { "note": name }, "code": if n == 0 { Some(&jane.code) } else { None },
        });
        call(&app, "POST", "/v1/leads", Some(lead)).await.is(201);
    }
    let odd = json!({ "name": "Odd", "email": "odd at example" });
    call(&app, "POST", "/v1/leads", Some(odd)).await.is(201);
    let named = call(&app, "POST", "/v1/leads", Some(json!({ "name": "Only a name" }))).await.is(201).json();
    call(&app, "PATCH", &format!("/v1/leads/{}", text(&named["id"])), Some(json!({ "active": false }))).await.is(200);
    for _ in 0..2 {
        app.api_post("/business/lead/create", json!({ "name": "Twice", "email": "twice@example.com" })).await.is(201);
    }
    let first = call(&app, "GET", "/v1/leads?order=asc&limit=1", None).await.json();
    let path = format!("/v1/leads/{}/qualification", text(&first["data"][0]["id"]));
    call(&app, "PUT", &path, Some(json!({ "qualified": true }))).await.is(200);
    app.clock.set(app.clock.now().plus_seconds(86_400));
    let all = async |key: &str| {
        let list = app.call("GET", "/v1/leads?order=asc&limit=250", key, None).await.is(200).json();
        let facts = |row: &Json| {
            let kept = [
                "name",
                "email",
                "company",
                "request",
                "website",
                "address",
                "external_id",
                "metadata",
                "status",
                "active",
                "created_at",
                "qualified_at",
                "source",
            ];
            let mut facts: Vec<String> = kept.iter().map(|name| format!("{name}={}", row[name])).collect();
            facts.push(format!("budget={} repeat={}", row["budget"], row["duplicate_of"].is_string()));
            facts.join(" ")
        };
        let mut rows: Vec<String> = list["data"].as_array().expect("rows").iter().map(facts).collect();
        rows.sort();
        rows
    };
    let before = all(&app.business.api_key).await;
    assert_eq!(before.len(), AWKWARD.len() + 4);
    for (format, kind) in [("csv", "text/csv"), ("jsonl", "application/x-ndjson")] {
        let file = export(&app, "leads", format);
        // Into the business it is from, nothing new comes.
        let answer = upload_as(&app, kind, "kind=leads", file.clone()).await;
        let again = done(&app, &app.business.api_key, answer).await;
        assert_eq!(outcomes(&app, &again).await, vec!["already"; before.len()], "{format}");
        assert_eq!(all(&app.business.api_key).await, before, "{format}");
        // Into another one, all of it comes.
        let other = app.another_business(format).await;
        let bearer = format!("Bearer {}", other.api_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = app.with_jobs(app.request("POST", "/v1/imports?kind=leads", &headers, file)).await;
        let done = done(&app, &other.api_key, answer).await;
        assert_eq!(done["counts"]["invalid"], json!(0), "{done}");
        assert_eq!(all(&other.api_key).await, before, "{format}");
    }
}

async fn referrers_come_back_as_they_went_out(app: TestApp) {
    for (n, name) in AWKWARD.into_iter().enumerate() {
        let new = json!({
            "name": name, "email": format!("r{n}@example.com"), "company": name, "external_id": format!("x-{n}"),
            "metadata": { "note": name },
        });
        call(&app, "POST", "/v1/referrers", Some(new)).await.is(201);
    }
    let all = async |key: &str| {
        let list = app.call("GET", "/v1/referrers?limit=250", key, None).await.is(200).json();
        let facts = |row: &Json| {
            let kept = ["name", "email", "company", "external_id", "metadata"].map(|name| row[name].to_string());
            format!("{} {}", kept.join(" "), row["enrollments"][0]["code"])
        };
        let mut rows: Vec<String> = list["data"].as_array().expect("rows").iter().map(facts).collect();
        rows.sort();
        rows
    };
    let before = all(&app.business.api_key).await;
    for format in ["csv", "jsonl"] {
        let other = app.another_business(format).await;
        let bearer = format!("Bearer {}", other.api_key);
        let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
        let file = export(&app, "referrers", format);
        app.with_jobs(app.request("POST", "/v1/imports?kind=referrers", &headers, file)).await;
        app.run_jobs().await;
        assert_eq!(all(&other.api_key).await, before, "{format}");
    }
}

async fn rejected_rows_come_back_as_they_were(app: TestApp) {
    let mut file = "Name,Email\n".to_owned();
    for name in ["=1+1", "'=1+1", "-5", "''-two", "'t Hooft"] {
        file.push_str(&format!("{name},no address\n"));
    }
    let done = upload(&app, "kind=leads", file).await;
    let path = format!("/v1/imports/{}/rejects", text(&done["id"]));
    let first = call(&app, "GET", &path, None).await.is(200).body;
    let again = upload(&app, "kind=leads", first.clone()).await;
    let path = format!("/v1/imports/{}/rejects", text(&again["id"]));
    let cells = |body: &str| {
        body.lines().skip(1).map(|l| l.split(',').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cells(&call(&app, "GET", &path, None).await.is(200).body), cells(&first));
}
