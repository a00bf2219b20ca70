//! Commands of the program, one after the other, as somebody types them.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use refdesk::web::Role;
use serde_json::Value as Json;

use crate::on_both_databases;
use crate::support::{Database, PASSWORD, TestApp};

on_both_databases! {
    load_data_are_made_once_and_stand_the_check,
    an_owner_who_forgot_the_password_is_let_in,
    people_are_listed_invited_and_signed_out,
    keys_are_made_listed_rotated_and_revoked,
    where_there_are_several_the_business_is_named,
}

fn refdesk(database: &Database, arguments: &[&str]) -> Output {
    refdesk_told(database, arguments, PASSWORD)
}

/// A command, and the line that is typed into it.
fn refdesk_told(database: &Database, arguments: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_refdesk"))
        .args(arguments)
        .args(["--database-url", &database.url])
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks for nothing has closed it.
    let _ = child.stdin.take().unwrap().write_all(format!("{typed}\n").as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What a command prints for programs.
fn answered(output: &Output) -> Json {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

fn refused(output: &Output, code: i32, why: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    assert!(said(output).contains(why), "{why:?} is not in {}", said(output));
}

async fn load_data_are_made_once_and_stand_the_check(database: Arc<Database>) {
    let of = ["--business", "Acme", "--email", "olga@acme.test", "--campaign", "Customers", "--product", "Shop"];
    let set_up = refdesk(&database, &[&["setup"], &of[..]].concat());
    assert!(set_up.status.success(), "{}", said(&set_up));
    let load = ["generate-data", "--leads", "3000", "--referrers", "700"];
    let made = refdesk(&database, &load);
    assert!(made.status.success() && said(&made).contains("3000 leads and 700 referrers"), "{}", said(&made));
    // The counters are among what it proves.
    let checked = refdesk(&database, &["check"]);
    assert!(checked.status.success(), "{}", said(&checked));
    let again = refdesk(&database, &load);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(said(&again).contains("has generated data already"), "{}", said(&again));
}

async fn an_owner_who_forgot_the_password_is_let_in(app: TestApp) {
    let (owner, database) = (app.business.owner_email.clone(), app.database.clone());
    app.sign_in().await;
    let globex = app.another_business("Globex").await;
    let joins = format!(
        "INSERT INTO memberships (business_id, user_id, role, created_at) VALUES ({}, {}, 'viewer', 9000000000000000)",
        globex.id, app.business.owner_id
    );
    app.arrange(&joins).await;
    // Whoever forgot it has tried it too often.
    let visitor = app.stranger();
    for _ in 0..7 {
        visitor.sign_in_as(&owner, "was it this one").await;
    }
    visitor.sign_in_as(&owner, PASSWORD).await.is(429);

    let reset = |email: &str, typed: &str| refdesk_told(&database, &["user", "reset-password", email, "--json"], typed);
    refused(&reset("nobody@example.com", "seven green boats"), 2, "nobody signs in as nobody@example.com");
    refused(&reset("nobody at all", "seven green boats"), 2, "the e-mail address");
    refused(&reset(&owner, "short"), 2, "must have at least 10 characters");
    refused(&reset(&owner, "globex 2026!!"), 2, "must not be made of your address or the business's name");
    refused(&reset(&owner, ""), 2, "must have at least 10 characters");
    app.get("/").await.is(200);

    let output = reset(&owner.to_uppercase(), "seven green boats");
    let done = answered(&output);
    assert_eq!(done["sessions_ended"], 1);
    assert_eq!(done["businesses"].as_array().map(Vec::len), Some(2));
    assert!(!said(&output).contains("green"), "the password is repeated");
    app.get("/").await.goes_to("/sign-in");
    assert_eq!(app.stranger().sign_in_as(&owner, PASSWORD).await.status, 422, "the old one is over");
    visitor.sign_in_as(&owner, "seven green boats").await.goes_to("/");
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'user.password_reset' AND actor_kind = 'command'
                      AND actor_name = 'refdesk user reset-password'";
    assert_eq!(app.number(audited).await, 2);
    assert_eq!(app.number(&format!("{audited} AND business_id = {}", globex.id)).await, 1);
    visitor.get("/audit").await.is(200).says("Password reset by command");
}

async fn people_are_listed_invited_and_signed_out(app: TestApp) {
    let database = app.database.clone();
    let sam = app.add_member(&app.business, Role::Viewer).await;
    let users = answered(&refdesk(&database, &["user", "list", "--json"]));
    let sams = users["users"].as_array().unwrap().iter().find(|u| u["email"] == sam.as_str()).unwrap();
    assert_eq!(sams["businesses"][0]["id"], app.business.public_id.as_str());
    assert_eq!(sams["businesses"][0]["role"], "viewer");
    let listed = refdesk(&database, &["user", "list"]);
    assert!(said(&listed).contains(&format!("viewer of Acme ({})", app.business.public_id)), "{}", said(&listed));

    let invite = ["user", "invite", "jane@example.org", "--role"];
    refused(&refdesk(&database, &[&invite[..], &["boss"]].concat()), 2, "must be owner, marketing, sales");
    refused(&refdesk(&database, &["user", "invite", &sam, "--role", "owner"]), 2, "is in Acme already");
    let first = answered(&refdesk(&database, &[&invite[..], &["owner", "--json"]].concat()));
    let second = refdesk(&database, &[&invite[..], &["sales"]].concat());
    let path = |link: &str| link.trim().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    app.get(&path(first["link"].as_str().unwrap())).await.is(404).says("It was withdrawn.");
    let link = path(&String::from_utf8_lossy(&second.stdout));
    let jane = app.stranger();
    jane.get(&link).await.is(200).says("Acme Owner invited jane@example.org as sales.");
    jane.post_form(&link, &[("name", "Jane"), ("password", "seven green boats")]).await.goes_to("/");
    jane.get("/").await.is(200);

    let gone = answered(&refdesk(&database, &["user", "sign-out", "jane@example.org", "--json"]));
    assert_eq!(gone["sessions_ended"], 1);
    jane.get("/").await.goes_to("/sign-in");
    let again = refdesk(&database, &["user", "sign-out", "jane@example.org"]);
    assert!(said(&again).contains("No session was open."), "{}", said(&again));
    let by_command = "SELECT count(*) FROM audit_entries WHERE actor_kind = 'command' AND action IN ";
    assert_eq!(app.number(&format!("{by_command} ('invitation.made')")).await, 2);
    assert_eq!(app.number(&format!("{by_command} ('user.signed_out')")).await, 2);
}

async fn keys_are_made_listed_rotated_and_revoked(app: TestApp) {
    let database = app.database.clone();
    let make = |more: &[&str]| refdesk(&database, &[&["key", "make", "--name", "Checkout"], more].concat());
    refused(&make(&["--scopes", "events:write,everything"]), 2, "the scopes are events:write");
    refused(&make(&["--expires", "2020-02-29"]), 2, "--expires has passed");
    refused(&make(&["--expires", "tomorrow"]), 2, "--expires");
    refused(&make(&["--campaign", "7"]), 2, "there is no campaign 7 in Acme");
    refused(&make(&["--from", "nowhere"]), 2, "--from has an entry that is neither an address nor a network");
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE actor_name = 'refdesk key make'").await, 0);

    let whole = make(&[]);
    let first = String::from_utf8_lossy(&whole.stdout).trim().to_owned();
    assert!(first.starts_with("rk_live_") && first.len() == 46, "a script takes it from there: {}", said(&whole));
    app.call("GET", "/v1/leads", &first, None).await.is(200);
    let scopes = ["--scopes", "campaigns:read,leads:read", "--test", "--expires", "2099-12-31", "--json"];
    let narrow = answered(&make(&scopes));
    assert_eq!(
        (&narrow["scopes"], &narrow["test"]),
        (&serde_json::json!(["leads:read", "campaigns:read"]), &true.into())
    );
    assert_eq!(narrow["expires_at"], "2100-01-01T00:00:00.000Z");
    let text = narrow["key"].as_str().unwrap();
    app.call("GET", "/v1/leads", text, None).await.is(200);
    app.call("GET", "/v1/commissions", text, None).await.is(403);

    let rotated = answered(&refdesk(&database, &["key", "rotate", &first, "--overlap", "week", "--json"]));
    let successor = rotated["key"].as_str().unwrap();
    app.call("GET", "/v1/leads", successor, None).await.is(200);
    refused(&refdesk(&database, &["key", "rotate", &first]), 1, "another one took over from it already");
    let keys = answered(&refdesk(&database, &["key", "list", "--json"]));
    let of =
        |name: &str| keys["keys"].as_array().unwrap().iter().filter(|k| k["name"] == name).cloned().collect::<Vec<_>>();
    assert_eq!(of("Checkout").len(), 3);
    assert!(of("Checkout").iter().any(|k| k["replaced_by"] == rotated["id"]));
    assert!(!keys.to_string().contains(successor), "a key is shown once");
    let listed = refdesk(&database, &["key", "list"]);
    assert!(said(&listed).contains("leads:read,campaigns:read"), "{}", said(&listed));

    let id = narrow["id"].as_str().unwrap();
    for key in [id, successor] {
        answered(&refdesk(&database, &["key", "revoke", key, "--json"]));
    }
    let again = answered(&refdesk(&database, &["key", "revoke", id, "--json"]));
    assert_eq!(again["already"], true);
    refused(&refdesk(&database, &["key", "revoke", "key_0000000000000"]), 2, "there is no such key in Acme");
    // What a node has read of a key it believes for a second.
    app.clock.advance_days(1);
    for key in [text, successor] {
        app.call("GET", "/v1/leads", key, None).await.is(401);
    }
    let audited = "SELECT count(*) FROM audit_entries WHERE actor_kind = 'command' AND action LIKE 'key.%'";
    assert_eq!(app.number(audited).await, 5, "two made, one rotated, two revoked");
}

async fn where_there_are_several_the_business_is_named(app: TestApp) {
    let globex = app.another_business("Globex").await;
    let database = app.database.clone();
    let both = format!("{} Acme, {} Globex", app.business.public_id, globex.public_id);
    refused(&refdesk(&database, &["key", "list"]), 2, &both);
    refused(&refdesk(&database, &["user", "invite", "a@example.org", "--role", "sales"]), 2, &both);
    refused(&refdesk(&database, &["key", "list", "--business", "business_0"]), 2, "there is no business business_0");
    let of_globex = ["--business", &globex.public_id, "--json"];
    let made = answered(&refdesk(&database, &[&["key", "make", "--name", "Till"], &of_globex[..]].concat()));
    let id = made["id"].as_str().unwrap();
    let of_acme = ["--business", &app.business.public_id];
    refused(&refdesk(&database, &[&["key", "revoke", id], &of_acme[..]].concat()), 2, "there is no such key in Acme");
    let text = made["key"].as_str().unwrap();
    refused(&refdesk(&database, &[&["key", "revoke", text], &of_acme[..]].concat()), 2, "another business's");
    let users = answered(&refdesk(&database, &[&["user", "list"], &of_globex[..]].concat()));
    assert_eq!(users["users"].as_array().map(Vec::len), Some(1));
    // A key that is shown says itself whose it is.
    answered(&refdesk(&database, &["key", "revoke", text, "--json"]));
    let nowhere = ["user", "list", "--database-url", "sqlite:///nowhere/refdesk.db"];
    let output = Command::new(env!("CARGO_BIN_EXE_refdesk")).args(nowhere).output().unwrap();
    refused(&output, 2, "there is no database /nowhere/refdesk.db");
}
