//! Commands of the program, one after the other, as somebody types them.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use crate::on_both_databases;
use crate::support::{Database, PASSWORD};

on_both_databases! {
    load_data_are_made_once_and_stand_the_check,
}

fn refdesk(database: &Database, arguments: &[&str]) -> Output {
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
    let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
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
