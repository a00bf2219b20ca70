use std::sync::Barrier;
use std::thread;

use super::*;

fn beside_a_database() -> (tempfile::TempDir, Keyring) {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::new(&[], Some(&dir.path().join("refdesk.db")));
    (dir, ring)
}

#[test]
fn the_file_is_made_when_a_key_is_first_needed() {
    let (dir, ring) = beside_a_database();
    assert_eq!(ring.keys(), Ok(Vec::new()));
    let key = ring.first().unwrap();
    let file = dir.path().join("refdesk.db.key");
    assert_eq!(ring.file(), Some(file.as_path()));
    assert!(fs::read_to_string(&file).unwrap().contains(&key.hex()));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    assert_eq!(ring.first(), Ok(key.clone()));
    assert_eq!(ring.find(key.id()), Ok(Some(key)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn those_who_start_at_once_use_one_key() {
    let (_dir, ring) = beside_a_database();
    let start = Barrier::new(16);
    let keys: Vec<SecretKey> = thread::scope(|scope| {
        let asked: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    ring.first().unwrap()
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn given_keys_come_first_and_no_file_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (SecretKey::draw(), SecretKey::draw());
    let ring = Keyring::new(&[one.clone(), two.clone()], Some(&dir.path().join("refdesk.db")));
    assert_eq!(ring.first(), Ok(one.clone()));
    assert_eq!(ring.keys(), Ok(vec![one, two]));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let why = Keyring::new(&[], None).first().unwrap_err();
    assert!(why.contains("REFDESK_SECRET_KEY"), "{why}");
}

#[test]
fn a_spoilt_file_is_named_with_its_line_and_not_its_text() {
    let (_dir, ring) = beside_a_database();
    let file = ring.file().unwrap().to_owned();
    fs::write(&file, format!("# a comment\n{}\n\nc0ffee\n", SecretKey::draw().hex())).unwrap();
    let why = ring.first().unwrap_err();
    assert!(why.starts_with("line 4 of the key file") && !why.contains("c0ffee"), "{why}");
    fs::write(&file, "").unwrap();
    assert!(ring.first().unwrap_err().ends_with("holds no key"));
}

#[test]
fn one_rotation_holds_the_file() {
    let (_dir, ring) = beside_a_database();
    let old = ring.first().unwrap();
    let mut held = ring.hold().unwrap().unwrap();
    assert!(ring.hold().unwrap().is_none());
    let new = SecretKey::draw();
    held.add(&new).unwrap();
    assert_eq!(ring.keys(), Ok(vec![old, new.clone()]));
    held.keep_only(&new).unwrap();
    assert_eq!(ring.keys(), Ok(vec![new]));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(ring.file().unwrap()).unwrap().permissions()) & 0o777,
        0o600
    );
    assert!(ring.hold().unwrap().is_some());
}
