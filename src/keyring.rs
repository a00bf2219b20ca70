//! The keys that a server has for stored secrets: those of its settings, and those of a file beside its SQLite
//! database. The first may seal, each may open.
//!
//! The file is read each time, since a rotation in another process changes it. It holds a key a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::secret_key::{self, SecretKey, Unopened};

#[derive(Debug, Clone, Default)]
pub struct Keyring {
    given: Arc<[SecretKey]>,
    file: Option<Arc<Path>>,
}

/// Why there is no key, in a sentence for who runs the server.
pub type Lack = String;

const HEAD: &str = "# Refdesk's key for stored secrets. Keep a copy apart from backups of the database: without it payout \
                    details and your own accounts cannot be read.\n";

/// The name of the key file beside a database file.
pub fn file_beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

impl Keyring {
    /// The keys of the settings, and the database's file where it is SQLite.
    pub fn new(given: &[SecretKey], database: Option<&Path>) -> Self {
        Self { given: given.into(), file: database.map(|database| file_beside(database).into()) }
    }

    /// The file of keys, where there may be one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub fn is_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Every key, the settings' first.
    pub fn keys(&self) -> Result<Vec<SecretKey>, Lack> {
        let mut keys = self.given.to_vec();
        if let Some(file) = self.file() {
            keys.extend(read(file)?);
        }
        Ok(keys)
    }

    pub fn find(&self, id: &str) -> Result<Option<SecretKey>, Lack> {
        Ok(self.keys()?.into_iter().find(|key| key.id() == id))
    }

    /// The first key; a file of one is made where there is none.
    pub fn first(&self) -> Result<SecretKey, Lack> {
        if let Some(key) = self.keys()?.into_iter().next() {
            return Ok(key);
        }
        let Some(file) = self.file() else { return Err(without_key()) };
        make(file).map_err(|error| named(file, "made", &error))?;
        let made = read(file)?.into_iter().next();
        made.ok_or_else(|| format!("the key file {} holds no key", file.display()))
    }

    /// Opens a sealed text with the key it needs.
    pub fn open(keys: &[SecretKey], about: &str, sealed: &str) -> Result<String, Unopened> {
        let id = secret_key::key_of(sealed).ok_or(Unopened::Broken)?;
        let key = keys.iter().find(|key| key.id() == id).ok_or_else(|| Unopened::UnknownKey(id.to_owned()))?;
        key.open(about, sealed)
    }

    /// Takes the file for a rotation: `None` while another process has it.
    pub fn hold(&self) -> Result<Option<Held>, Lack> {
        let Some(path) = self.file().filter(|_| !self.is_given()) else { return Ok(Some(Held { file: None })) };
        if !path.exists() {
            make(path).map_err(|error| named(path, "made", &error))?;
        }
        let file = OpenOptions::new().append(true).open(path).map_err(|error| named(path, "opened", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Held { file: Some((file, path.to_owned())) })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(named(path, "locked", &error)),
        }
    }
}

/// The file of keys while they are changed.
#[derive(Debug)]
pub struct Held {
    file: Option<(File, PathBuf)>,
}

impl Held {
    /// Adds a key behind the others; running servers find it there at once.
    pub fn add(&mut self, key: &SecretKey) -> Result<(), Lack> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        let written = file.write_all(format!("{}\n", key.hex()).as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| named(path, "written", &error))
    }

    /// Leaves one key in the file, which is replaced whole.
    pub fn keep_only(self, key: &SecretKey) -> Result<(), Lack> {
        let Some((_file, path)) = &self.file else { return Ok(()) };
        let replaced = beside(path, key).and_then(|new| Ok(new.persist(path)?)).and_then(|_| flush_folder(path));
        replaced.map_err(|error| named(path, "written", &error))
    }
}

fn without_key() -> Lack {
    "Account numbers are stored encrypted, and this server has no key for them. Set REFDESK_SECRET_KEY to the same key on \
     every node and start them again; `refdesk secrets new` prints one."
        .to_owned()
}

fn named(file: &Path, deed: &str, error: &io::Error) -> Lack {
    format!("the key file {} cannot be {deed}: {error}", file.display())
}

fn read(file: &Path) -> Result<Vec<SecretKey>, Lack> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(named(file, "read", &error)),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let key = |(at, line)| {
        SecretKey::parse(line).map_err(|why| format!("line {} of the key file {} {why}", at + 1, file.display()))
    };
    lines.map(key).collect()
}

/// Makes the file with one new key. Of two processes that make it at once one is first, and both use its key.
fn make(file: &Path) -> io::Result<()> {
    match beside(file, &SecretKey::draw())?.persist_noclobber(file) {
        Ok(_) => flush_folder(file),
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(refused) => Err(refused.error),
    }
}

/// A file of one key under another name, whole and on disk, which only its owner can read.
fn beside(file: &Path, key: &SecretKey) -> io::Result<tempfile::NamedTempFile> {
    let mut new = tempfile::Builder::new().prefix(".refdesk-key-").tempfile_in(folder(file))?;
    new.write_all(format!("{HEAD}{}\n", key.hex()).as_bytes())?;
    new.as_file().sync_all()?;
    Ok(new)
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn flush_folder(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder(file))?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests;
