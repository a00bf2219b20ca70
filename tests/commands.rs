//! Commands of the program, one after the other, as somebody types them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use refdesk::db::{Db, sql};
use refdesk::users::Role;
use serde_json::{Value as Json, json};

use crate::on_both_databases;
use crate::support::{Database, Engine, PASSWORD, TestApp};

on_both_databases! {
    load_data_are_made_once_and_stand_the_check,
    an_owner_who_forgot_the_password_is_let_in,
    people_are_listed_invited_and_signed_out,
    keys_are_made_listed_rotated_and_revoked,
    where_there_are_several_the_business_is_named,
    a_backup_under_writes_has_all_that_was_acknowledged,
    an_export_is_imported_again,
    an_export_says_what_the_lists_say,
    a_payout_goes_from_its_draft_to_the_last_line,
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

const ACME: [&str; 8] =
    ["--business", "Acme", "--email", "olga@acme.test", "--campaign", "Customers", "--product", "Shop"];
const GLOBEX: [&str; 8] =
    ["--business", "Globex", "--email", "gus@globex.test", "--campaign", "Customers", "--product", "Shop"];

/// The output of a command for programs.
fn answered(output: &Output) -> Json {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

fn refused(output: &Output, code: i32, why: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    assert!(said(output).contains(why), "{why:?} is not in {}", said(output));
}

async fn load_data_are_made_once_and_stand_the_check(database: Arc<Database>) {
    answered(&refdesk(&database, &[&["setup"], &ACME[..]].concat()));
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
    // A person who forgot the password has tried it too often.
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
    assert_eq!((&narrow["scopes"], &narrow["test"]), (&json!(["leads:read", "campaigns:read"]), &true.into()));
    assert_eq!(narrow["expires_at"], "2100-01-01T00:00:00.000Z");
    let text = narrow["key"].as_str().unwrap();
    app.call("GET", "/v1/leads", text, None).await.is(200);
    app.call("GET", "/v1/commissions", text, None).await.is(403);

    let rotated = answered(&refdesk(&database, &["key", "rotate", &first, "--overlap", "week", "--json"]));
    let successor = rotated["key"].as_str().unwrap();
    app.call("GET", "/v1/leads", successor, None).await.is(200);
    refused(
        &refdesk(&database, &["key", "rotate", &first]),
        1,
        "that key has expired or was replaced already; no key was made",
    );
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
    // A node believes its last look at a key for a second.
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

/// Runs a line that a command printed for people to copy.
fn run_printed(output: &Output, begins: &str) {
    let said = said(output);
    let line = said.lines().map(str::trim).find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{said}"));
    let done = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", self::said(&done));
}

async fn a_backup_under_writes_has_all_that_was_acknowledged(app: TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's the.backup").display().to_string();
    let (acknowledged, over) = (Mutex::new(Vec::<String>::new()), AtomicBool::new(false));
    let heard = || acknowledged.lock().unwrap().len();
    let write = async |writer: i32| {
        for n in 0.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let address = format!("person{writer}.{n}@example.com");
            let event = json!({ "businessId": app.business.public_id, "productId": app.business.product_id,
                "customerEmail": address, "customerName": "Amy" });
            app.api_post("/api/events/customer-created", event).await.is(200);
            acknowledged.lock().unwrap().push(address);
        }
    };
    let back_up = async {
        while heard() < 30 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.lock().unwrap().clone();
        let (database, file) = (app.database.clone(), file.clone());
        let backed_up = tokio::task::spawn_blocking(move || {
            let output = refdesk(&database, &["backup", &file]);
            if database.engine == Engine::Postgres {
                refused(&output, 2, "PostgreSQL is backed up by its own tool");
                run_printed(&output, "(umask 077; pg_dump");
            } else {
                assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            }
        });
        backed_up.await.unwrap();
        assert!(heard() > before.len(), "nobody wrote meanwhile");
        over.store(true, Ordering::Relaxed);
        before
    };
    let (before, ..) = tokio::join!(back_up, write(1), write(2));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what is in it is for nobody else");

    let fresh = Database::bare(app.engine()).await;
    let restored = refdesk(&fresh, &["restore", &file]);
    if app.is_postgres() {
        refused(&restored, 2, "Stop every node");
        run_printed(&restored, "pg_restore");
    } else {
        assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
        refused(&refdesk(&app.database, &["restore", &file]), 2, "is in use: stop the server");
    }
    let checked = refdesk(&fresh, &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    let db = Db::open(&fresh.url).await.unwrap();
    let found: Vec<(String,)> = sql("SELECT email FROM leads").all(&mut db.read().await.unwrap()).await.unwrap();
    for address in &before {
        assert!(found.iter().any(|(email,)| email == address), "{address} was acknowledged and is gone");
    }
    db.close().await;
}

fn businesses(file: &Path) -> i64 {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.query_row("SELECT count(*) FROM businesses", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_restore_keeps_what_was_there() {
    let database = Database::bare(Engine::Sqlite).await;
    let live = Path::new(database.url.strip_prefix("sqlite://").unwrap()).to_owned();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let backup = at("one");
    refused(&refdesk(&database, &["backup", &backup]), 2, "there is no database");
    answered(&refdesk(&database, &[&["setup"], &ACME[..]].concat()));
    let made = answered(&refdesk(&database, &["backup", &backup, "--json"]));
    assert_eq!(made["bytes"].as_u64(), Some(std::fs::metadata(&backup).unwrap().len()));
    answered(&refdesk(&database, &[&["business", "add"], &GLOBEX[..]].concat()));
    refused(&refdesk(&database, &["backup", &backup]), 2, "is there already");
    refused(&refdesk(&database, &["backup", "--force", live.to_str().unwrap()]), 2, "to itself");
    assert_eq!(businesses(Path::new(&backup)), 1, "it was not touched");

    let restored = answered(&refdesk(&database, &["restore", &backup, "--json"]));
    assert_eq!((businesses(&live), restored["ok"].as_bool()), (1, Some(true)));
    let old = restored["kept"].as_str().unwrap();
    assert!(old.starts_with(live.to_str().unwrap()), "{old} is beside it");
    assert_eq!(businesses(Path::new(old)), 2);
    answered(&refdesk(&database, &["backup", &backup, "--force", "--json"]));

    let all = || std::fs::read_dir(live.parent().unwrap()).unwrap().count();
    assert_eq!(all(), 2);
    for n in 3..6 {
        answered(&refdesk(&database, &["restore", &backup, "--json"]));
        assert_eq!(all(), n, "each is stored, also in one second");
    }
    // A database that is damaged is what a backup is for.
    std::fs::write(&live, vec![b'x'; 20_000]).unwrap();
    answered(&refdesk(&database, &["restore", &backup, "--json"]));
    assert_eq!(businesses(&live), 1);
    std::fs::remove_file(&live).unwrap();
    std::fs::write(format!("{}-wal", live.display()), b"what a database that is gone has left").unwrap();
    answered(&refdesk(&database, &["restore", &backup, "--json"]));
    assert_eq!(businesses(&live), 1);
    let left = |folder: &Path| {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".refdesk")).collect::<Vec<_>>()
    };
    assert_eq!(left(folder.path()), [""; 0]);
    assert_eq!(left(live.parent().unwrap()), [""; 0]);
}

#[tokio::test]
async fn what_is_no_sound_backup_is_not_restored() {
    let database = Database::bare(Engine::Sqlite).await;
    let live = Path::new(database.url.strip_prefix("sqlite://").unwrap()).to_owned();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    answered(&refdesk(&database, &[&["setup"], &ACME[..]].concat()));
    answered(&refdesk(&database, &["backup", &at("good"), "--json"]));
    answered(&refdesk(&database, &[&["business", "add"], &GLOBEX[..]].concat()));
    let changed = |name: &str, text: &str| {
        std::fs::copy(at("good"), at(name)).unwrap();
        rusqlite::Connection::open(at(name)).unwrap().execute_batch(text).unwrap();
    };
    std::fs::write(at("text"), "not a database at all, whatever its name").unwrap();
    let mut bytes = std::fs::read(at("good")).unwrap();
    std::fs::write(at("cut"), &bytes[..bytes.len() / 2]).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x55);
    std::fs::write(at("damaged"), &bytes).unwrap();
    rusqlite::Connection::open(at("foreign")).unwrap().execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    changed(
        "newer",
        "UPDATE _sqlx_migrations SET version = 9999 WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    );
    changed("ownerless", "UPDATE memberships SET role = 'viewer'");
    std::fs::copy(at("good"), at("used")).unwrap();
    std::fs::write(at("used-wal"), b"a log").unwrap();
    for (name, code, why) in [
        ("missing", 2, "No such file"),
        ("text", 2, "is no backup of Refdesk"),
        ("cut", 2, "cannot be restored"),
        ("damaged", 2, "cannot be restored"),
        ("foreign", 2, "a database of another program"),
        ("newer", 2, "was migrated by a newer one"),
        ("used", 2, "has a log beside it"),
        ("ownerless", 1, "every business has an owner"),
    ] {
        refused(&refdesk(&database, &["restore", &at(name)]), code, why);
        assert_eq!(businesses(&live), 2, "{name} changed what was there");
    }
    assert_eq!(std::fs::read_dir(live.parent().unwrap()).unwrap().count(), 1, "nothing is left behind");
    let forced = answered(&refdesk(&database, &["restore", &at("ownerless"), "--force", "--json"]));
    assert_eq!((businesses(&live), forced["ok"].as_bool()), (1, Some(false)));
}

/// The rows of a CSV without the columns of ids and times, which differ between desks.
fn rows(output: &Output, columns: &[&str]) -> Vec<Vec<String>> {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let names = reader.headers().unwrap().clone();
    let indexes: Vec<usize> =
        columns.iter().map(|column| names.iter().position(|name| name == *column).unwrap()).collect();
    let row = |row: csv::StringRecord| indexes.iter().map(|at| row[*at].to_owned()).collect();
    let mut rows: Vec<Vec<String>> = reader.records().map(|record| row(record.unwrap())).collect();
    rows.sort();
    rows
}

async fn an_export_is_imported_again(database: Arc<Database>) {
    const WHO: [&str; 5] = ["name", "email", "phone", "company", "code"];
    const LEAD: [&str; 8] = ["name", "email", "phone", "company", "code", "referrer_email", "source", "country"];
    answered(&refdesk(&database, &[&["setup"], &ACME[..]].concat()));
    let globex = answered(&refdesk(&database, &[&["business", "add"], &GLOBEX[..]].concat()));
    let load = refdesk(&database, &["generate-data", "--leads", "2600", "--referrers", "1300"]);
    assert!(load.status.success(), "{}", said(&load));
    let business: Vec<String> = {
        let users = answered(&refdesk(&database, &["user", "list", "--json"]));
        let of = |n: usize| users["users"][n]["businesses"][0]["id"].as_str().unwrap().to_owned();
        vec![of(1), of(0)]
    };
    let export = |kind: &str, business: &str| refdesk(&database, &["export", kind, "--business", business]);
    let campaign = globex["campaignId"].to_string();
    let folder = tempfile::tempdir().unwrap();
    for (kind, columns) in [("referrers", &WHO[..]), ("leads", &LEAD[..])] {
        let exported = export(kind, &business[0]);
        let ours = rows(&exported, columns);
        assert!(ours.len() >= 1_300, "{} {kind}, of more than one batch", ours.len());
        let file = folder.path().join(format!("{kind}.csv"));
        std::fs::write(&file, &exported.stdout).unwrap();
        let import = ["import", file.to_str().unwrap(), "--kind", kind, "--campaign", &campaign, "--json"];
        let counts = answered(&refdesk(&database, &import));
        assert_eq!(
            (counts["rows"].as_u64(), counts["new"].as_u64()),
            (Some(ours.len() as u64), Some(ours.len() as u64))
        );
        let theirs = rows(&export(kind, &business[1]), columns);
        assert_eq!(ours.len(), theirs.len());
        let differs = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "{kind}");
    }
    let both = refdesk(&database, &["export", "leads"]);
    refused(&both, 2, "say which business");
}

async fn an_export_says_what_the_lists_say(app: TestApp) {
    let shop = app.shop();
    let ann = shop.referrer("=Ann Ash").await;
    shop.lead("jane@example.com", Some(&ann.code)).await;
    shop.lead("joe@example.com", None).await;
    shop.pay_as("evt_1", "jane@example.com", "100.50", "2026-06-14").await;
    shop.pay("jane@example.com", "50", "2026-06-15").await;
    let globex = app.another_business("Globex").await;
    app.shop_of(&globex).lead("other@example.com", None).await;
    let of = ["--business", &app.business.public_id];
    let export = |more: &[&str]| refdesk(&app.database, &[&["export"], more, &of[..]].concat());
    let lines = |more: &[&str]| {
        let output = export(&[more, &["--format", "jsonl"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        (text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()).collect::<Vec<_>>(), text)
    };
    let emails = |found: &[Json]| found.iter().map(|l| l["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    assert_eq!(emails(&lines(&["leads"]).0), ["jane@example.com", "joe@example.com"]);
    assert_eq!(emails(&lines(&["leads", "--qualified", "yes"]).0), ["jane@example.com"]);
    assert_eq!(emails(&lines(&["leads", "--status", "new"]).0), ["joe@example.com"]);
    let (jane, _) = lines(&["leads", "--referrer", &ann.id.to_string()]);
    assert_eq!((emails(&jane), &jane[0]["code"]), (vec!["jane@example.com".to_owned()], &json!(ann.code)));
    assert_eq!(lines(&["leads", "--since", "2026-06-21"]).0.len(), 0);
    assert_eq!(lines(&["leads", "--since", "2026-06-20", "--until", "2026-06-20"]).0.len(), 2);
    assert_eq!(lines(&["leads", "--until", "2026-06-19"]).0.len(), 0);
    assert_eq!(lines(&["leads", "--test"]).0.len(), 0);

    let (payments, text) = lines(&["payments"]);
    assert!(text.contains("\"amount\":100.50,\"currency\":\"USD\""), "{text}");
    assert_eq!((payments.len(), &payments[0]["payment_id"]), (2, &json!("evt_1")));
    assert_eq!(payments[0]["names"], "event:evt_1");
    assert_eq!(lines(&["payments", "--disputed"]).0.len(), 0);
    let (commissions, text) = lines(&["commissions", "--state", "pending"]);
    assert!(text.contains("\"amount\":20.10,") && text.contains("\"rate\":20,"), "{text}");
    assert_eq!((commissions.len(), &commissions[0]["payment"]), (2, &payments[0]["id"]));
    assert_eq!(lines(&["commissions", "--state", "paid"]).0.len(), 0);
    let (codes, _) = lines(&["codes", "--state", "active"]);
    assert_eq!((codes.len(), &codes[0]["name"]), (1, &json!("=Ann Ash")));

    let people = export(&["referrers"]);
    assert_eq!(rows(&people, &["name", "code"]), [["'=Ann Ash", ann.code.as_str()]], "a spreadsheet does not run it");
    assert_eq!(rows(&export(&["referrers", "--without-code"]), &["name"]), [[""; 1]; 0]);
    let campaign = globex.campaign_id.to_string();
    refused(&export(&["leads", "--campaign", &campaign]), 2, "is not one of Acme");
    refused(&export(&["leads", "--format", "xlsx"]), 2, "[possible values: csv, jsonl]");
    refused(&export(&["lead"]), 2, "unrecognized subcommand");
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_those_who_look() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("typo.db");
    let url = format!("sqlite://{}", file.display());
    for command in ["check", "sweep", "recount"] {
        let output = plain(&[command, "--database-url", &url]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("there is no database"), "{}", said(&output));
        assert!(!file.exists());
    }
}

#[test]
fn a_database_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refdesk.db");
    let output = plain(&["migrate", "--database-url", &format!("sqlite://{}", file.display())]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_opened_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("other.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE notes (x TEXT)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    let missing = folder.path().join("nowhere/refdesk.db");
    for (url, words) in [
        (format!("sqlite://{}", foreign.display()), "is the database of another program"),
        (format!("sqlite://{}", missing.display()), "nowhere/refdesk.db cannot be opened: No such file"),
        ("postgres://refdesk:se/cret@localhost/refdesk".to_owned(), "in the password are written as"),
    ] {
        let output = plain(&["migrate", "--database-url", &url]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
        assert!(!said(&output).contains("cret@"), "{}", said(&output));
    }
    assert_eq!(std::fs::read(&foreign).unwrap(), before, "another program's file stays as it was");
}

#[test]
fn a_reader_who_has_read_enough_ends_the_command_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_refdesk"))
        .arg("openapi")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(said(&output), "");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refdesk")).arg("openapi").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).starts_with("refdesk: standard output: "), "{}", said(&output));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (name, value) in [
        ("REFDESK_PUBLIC_URL", "https://refer.example.com/desk"),
        ("REFDESK_UPLOAD_MIB", "0"),
        ("REFDESK_CALLS_PER_MINUTE", "-1"),
        ("REFDESK_TRUSTED_PROXIES", "proxy"),
        ("REFDESK_SECRET_KEY", "a short one"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_refdesk")).arg("openapi").env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
    }
    for value in ["1", "true", "0"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refdesk"));
        let output = command.arg("openapi").env("REFDESK_LOG_JSON", value).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{value}: {}", said(&output));
    }
}

/// A command without anything typed.
fn plain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_refdesk")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

async fn a_payout_goes_from_its_draft_to_the_last_line(app: TestApp) {
    let database = app.database.clone();
    let payout = |arguments: &[&str]| refdesk(&database, &[&["payout"], arguments, &["--json"]].concat());
    let shop = app.shop();
    let mut lines = Vec::new();
    for (name, address) in [("Jane Miller", "jane@c.example"), ("Tom Reed", "tom@c.example")] {
        let referrer = shop.referrer(name).await;
        shop.lead(address, Some(&referrer.code)).await;
        shop.pay(address, "100.00", "2026-06-10").await;
        let id = app.number(&format!("SELECT id FROM commissions WHERE referrer_id = {}", referrer.id)).await;
        shop.send(refdesk::engine::Approve { commission_id: id.into(), reason: Some("early".into()) }).await;
    }
    assert_eq!(answered(&payout(&["list"])), json!({ "payouts": [] }));
    refused(&payout(&["create", "--currency", "XXY", "--method", "hand"]), 2, "--currency");
    refused(&payout(&["create", "--currency", "USD", "--method", "hand", "--campaign", "7"]), 2, "no such campaign");
    refused(&payout(&["show", "1"]), 2, "there is no payout 1");
    let made = answered(&payout(&["create", "--currency", "USD", "--method", "hand"]));
    assert_eq!(
        (&made["state"], &made["amount_minor"], &made["format"]),
        (&json!("draft"), &json!(4_000), &json!("csv"))
    );
    for line in made["lines"].as_array().unwrap() {
        lines.push(line["id"].as_str().unwrap().to_owned());
    }
    refused(&payout(&["lock", "P-1", "--fingerprint", "other"]), 1, "The draft has changed since it was reviewed.");
    refused(&payout(&["file", "1"]), 1, "The payout is a draft");
    let seen = made["fingerprint"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(answered(&payout(&["lock", "P-1", "--fingerprint", seen]))["state"], "locked");
    }
    let folder = tempfile::tempdir().unwrap();
    let written = answered(&payout(&["file", "1", "--to", folder.path().to_str().unwrap()]));
    let file = std::fs::read_to_string(written["files"][0].as_str().unwrap()).unwrap();
    assert!(file.contains(&lines[0]) && file.contains("Tom Reed"), "{file}");
    let report = folder.path().join("report.csv");
    std::fs::write(&report, format!("Line,Status,Amount,Reason\n{},Failed,20.00,No such account\n", lines[1])).unwrap();
    let report = report.to_str().unwrap();
    assert_eq!(answered(&payout(&["results", "1", report, "--dry-run"]))["rows"], json!({ "matched": 1 }));
    assert_eq!(answered(&payout(&["results", "1", report]))["rows"], json!({ "matched": 1 }));
    assert_eq!(answered(&payout(&["results", "1", report]))["rows"], json!({ "already_so": 1 }));
    refused(&payout(&["close", "1"]), 1, "1 line is neither paid nor failed yet.");
    assert_eq!(answered(&payout(&["paid", "1", "--day", "2026-06-30"]))["lines"][0]["state"], "paid");
    let closed = answered(&payout(&["close", "1"]));
    assert_eq!((&closed["state"], &closed["lines"][1]["reason"]), (&json!("closed"), &json!("No such account")));
    // Two drafts of the same: the second one is dropped.
    answered(&payout(&["create", "--currency", "USD", "--method", "hand"]));
    assert_eq!(answered(&payout(&["drop", "2"]))["state"], "dropped");
}
