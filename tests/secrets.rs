//! The key of what is stored encrypted: rotation, its interruption, and the commands for it.

use std::path::PathBuf;
use std::process::{Command, Output};

use refdesk::core::Core;
use refdesk::db::Db;
use refdesk::payouts::files::{Payer, SepaFile};
use refdesk::payouts::{self, SetUp};
use refdesk::secret_key::SecretKey;
use refdesk::secrets::{self, Rotation};

use crate::on_both_databases;
use crate::payout_details::{CHANGED, bank, open, paypal, set};
use crate::support::{Engine, SECRET_KEY, TestApp, actor};

on_both_databases! {
    a_rotation_encrypts_everything_anew_and_the_old_key_goes,
    a_rotation_that_was_interrupted_goes_on,
    a_lost_key_is_named_and_can_be_left_behind,
}

const IBAN: &str = "DE89370400440532013000";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// `refdesk secrets rotate` with these keys in the settings, on PostgreSQL.
fn rotate(app: &TestApp, keys: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refdesk"));
    command.args(["secrets", "rotate", "--database-url", &app.database.url]).args(arguments);
    if app.engine() == Engine::Postgres {
        command.env("REFDESK_SECRET_KEY", keys);
    }
    command.output().unwrap()
}

fn key_file(app: &TestApp) -> PathBuf {
    PathBuf::from(format!("{}.key", app.database.url.strip_prefix("sqlite://").unwrap()))
}

/// A server of the same database with these keys; beside SQLite they are in the file.
async fn node(app: &TestApp, keys: &[&SecretKey]) -> Core {
    let secret_keys = match app.engine() {
        Engine::Postgres => keys.iter().map(|key| (*key).clone()).collect(),
        Engine::Sqlite => Vec::new(),
    };
    let config = refdesk::config::Config { secret_keys, ..app.app.config.as_ref().clone() };
    Core::new(Db::open(&app.database.url).await.unwrap(), app.clock.clone(), config)
}

/// Details of some referrers, the first of whom has had others before.
async fn paid_people(app: &TestApp, count: i64) -> Vec<i64> {
    for n in 0..count {
        let id = app.shop().referrer(&format!("Referrer {n}")).await.id;
        assert_eq!(set(&app.app, app, id, &bank(IBAN)).await, CHANGED);
        if n == 0 {
            assert_eq!(set(&app.app, app, id, &paypal("jane@example.com")).await, CHANGED);
        }
    }
    app.rows::<(i64,)>("SELECT id FROM payout_details ORDER BY id").await.into_iter().map(|(id,)| id).collect()
}

async fn key_ids(app: &TestApp) -> Vec<String> {
    let found: Vec<(String,)> = app
        .rows(
            "SELECT key_id FROM payout_details UNION SELECT key_id FROM payout_settings
              WHERE key_id IS NOT NULL ORDER BY key_id",
        )
        .await;
    found.into_iter().map(|(id,)| id).collect()
}

async fn a_rotation_encrypts_everything_anew_and_the_old_key_goes(app: TestApp) {
    let none = rotate(&app, SECRET_KEY, &[]);
    assert!(none.status.success() && said(&none).contains("nothing to encrypt"), "{}", said(&none));
    let ids = paid_people(&app, 3).await;
    let own = Payer::Sepa(Box::new(SepaFile { name: "Acme".into(), iban: IBAN.into(), ..SepaFile::default() }));
    let set_up = payouts::set_payer(&app.app, &actor(), app.business.id, own.clone()).await.unwrap();
    assert_eq!(set_up, SetUp::Changed);
    let old = app.app.keyring.first().unwrap();
    let new = SecretKey::draw();
    if app.is_postgres() {
        let same = rotate(&app, SECRET_KEY, &[]);
        assert_eq!(same.status.code(), Some(2), "{}", said(&same));
        assert!(said(&same).contains("put a new key in front of the old one"), "{}", said(&same));
    }
    let done = rotate(&app, &format!("{},{}", new.hex(), old.hex()), &["--json"]);
    assert!(done.status.success(), "{}", said(&done));
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&answer["encrypted"], &answer["unreadable"]), (&5.into(), &0.into()));
    assert_eq!(key_ids(&app).await, [answer["key"].as_str().unwrap()]);
    assert!(!said(&done).contains(&old.hex()) && !said(&done).contains(&new.hex()));
    assert_eq!(app.number("SELECT count(*) FROM secret_keys").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM audit_entries WHERE action = 'business.key_rotated'").await, 1);

    // Beside SQLite the running server reads the new key in the file; the settings of a node are changed by hand.
    let core = node(&app, &[&new]).await;
    if !app.is_postgres() {
        assert_eq!(app.app.keyring.keys().unwrap().len(), 1);
        assert_eq!(app.app.keyring.find(old.id()), Ok(None));
    }
    let opened = open(&core, &app, &ids).await;
    assert_eq!(opened.len(), 4);
    assert_eq!(opened[0].details, Ok(bank(IBAN)));
    assert_eq!(opened[1].details, Ok(paypal("jane@example.com")));
    // The same account again is no change: what is stored opens with the new key.
    assert_eq!(payouts::set_payer(&core, &actor(), app.business.id, own).await.unwrap(), SetUp::Already);
    let jane = app.number("SELECT min(referrer_id) FROM payout_details").await;
    assert_eq!(set(&core, &app, jane, &bank(IBAN)).await, CHANGED);
    core.db.close().await;
}

async fn a_rotation_that_was_interrupted_goes_on(app: TestApp) {
    let ids = paid_people(&app, 3).await;
    let old = app.app.keyring.first().unwrap();
    let new = SecretKey::draw();
    let core = node(&app, &[&new, &old]).await;
    // It dies when the new key counts, and nothing is encrypted with it.
    let begun = Rotation::begin(&core, &actor(), false).await.unwrap().ok().unwrap();
    let new = begun.key.clone();
    drop(begun);
    assert_eq!(key_ids(&app).await, [old.id()]);
    // A server goes on meanwhile: with the file, or with both keys.
    let mary = app.shop().referrer("Mary").await.id;
    assert_eq!(set(&core, &app, mary, &bank(IBAN)).await, CHANGED);
    assert_eq!(key_ids(&app).await.len(), 2);
    assert_eq!(open(&core, &app, &ids).await[0].details, Ok(bank(IBAN)));
    let done = rotate(&app, &format!("{},{}", new.hex(), old.hex()), &["--json"]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(key_ids(&app).await, [new.id()], "it goes on with the key that it had begun with");
    // Everything is encrypted and the old key was not dropped yet: again changes nothing.
    let tally = secrets::reseal(&core, &new, |_| ()).await.unwrap().unwrap();
    assert_eq!(tally, secrets::Tally::default());
    core.db.close().await;
}

async fn a_lost_key_is_named_and_can_be_left_behind(app: TestApp) {
    let ids = paid_people(&app, 2).await;
    let old = app.app.keyring.first().unwrap();
    let new = SecretKey::draw();
    if !app.is_postgres() {
        std::fs::write(key_file(&app), new.hex()).unwrap();
    }
    let refused = rotate(&app, &new.hex(), &[]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains(&format!("{} (3 rows)", old.id())), "{}", said(&refused));
    let gone_on = rotate(&app, &new.hex(), &["--lost-key"]);
    assert!(gone_on.status.success(), "{}", said(&gone_on));
    let core = node(&app, &[&new]).await;
    assert!(open(&core, &app, &ids).await.iter().all(|opened| opened.details.is_err()));
    let jane = app.number("SELECT min(referrer_id) FROM payout_details").await;
    assert_eq!(set(&core, &app, jane, &bank(IBAN)).await, CHANGED);
    core.db.close().await;
}
