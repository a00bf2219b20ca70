//! The file of a SQLite database: it must be there at the start together with its log, readable by its owner only, and
//! stay the same file while the program runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{DbError, DbResult};

/// The file that was opened, as its folder names it.
#[derive(Debug, Clone)]
pub struct Opened {
    file: Arc<Path>,
    #[cfg(unix)]
    is: (u64, u64),
}

#[cfg(unix)]
fn identity(file: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).map(|found| (found.dev(), found.ino()))
}

impl Opened {
    pub fn of(file: &Path) -> DbResult<Self> {
        Ok(Self {
            #[cfg(unix)]
            is: identity(file).map_err(|error| named(file, &error))?,
            file: file.into(),
        })
    }

    /// Fails where the file was removed, or another one stands in its place: what is written is lost then.
    pub fn is_there(&self) -> DbResult<()> {
        #[cfg(unix)]
        if identity(&self.file).ok() != Some(self.is) {
            return Err(DbError::Unavailable(format!(
                "the database file {} was removed or replaced while Refdesk ran",
                self.file.display()
            )));
        }
        Ok(())
    }
}

fn named(file: &Path, error: &std::io::Error) -> DbError {
    DbError::Unavailable(format!("the database file {} cannot be opened: {error}", file.display()))
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Makes the file where there is none, for its owner only; SQLite gives its log the same rights. A log without its
/// database holds what was committed last, so nothing is made beside it.
pub fn prepare(file: &Path) -> DbResult<()> {
    if file.as_os_str().is_empty() || file == Path::new(":memory:") {
        return Ok(());
    }
    if file.exists() {
        fs::File::open(file).map_err(|error| named(file, &error))?;
        return Ok(());
    }
    let log = log_of(file);
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return Err(DbError::Unavailable(format!(
            "{} is there without its database {}: put the database back, or move the log away if it is of no use",
            log.display(),
            file.display()
        )));
    }
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.write(true).create_new(true).open(file) {
        Ok(_) => Ok(()),
        // Two who start at once.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(named(file, &error)),
    }
}
