//! `refdesk backup` and `refdesk restore`: a SQLite database as one file, copied while the server runs and
//! restored while it does not. PostgreSQL has better tools of its own; for it the command line to use is
//! printed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::common::print_json;
use super::say::say;
use super::{NO, Refusal};
use crate::check::{self, Report};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db, Settled};
use crate::keyring;
use crate::text::counted;

#[derive(clap::Args)]
pub struct BackupArgs {
    /// The new file; only the user who runs this can read it
    file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct RestoreArgs {
    /// A file that `refdesk backup` wrote
    file: PathBuf,
    /// Restore it although `refdesk check` finds fault with it
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn wrong(path: &Path) -> impl Fn(io::Error) -> Refusal + '_ {
    move |error| Refusal::unusable(format!("{}: {error}", path.display()))
}

/// The folder a file is in, or will be.
fn folder(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An empty file, readable by its owner only, in a folder of its own beside another file. Dropping it removes
/// the folder.
fn beside(file: &Path) -> Result<(TempDir, PathBuf), Refusal> {
    let made = tempfile::Builder::new().prefix(".refdesk-").tempdir_in(folder(file)).map_err(wrong(folder(file)))?;
    let copy = made.path().join("copy.db");
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(&copy).map_err(wrong(&copy))?;
    Ok((made, copy))
}

/// On disk, name included.
fn flushed(file: &Path) -> io::Result<u64> {
    let open = File::open(file)?;
    open.sync_all()?;
    let bytes = open.metadata()?.len();
    File::open(folder(file))?.sync_all()?;
    Ok(bytes)
}

pub async fn backup(config: Config, args: BackupArgs) -> Result<(), Refusal> {
    let Some(database) = db::file_of(&config.database_url) else {
        return Err(Refusal::unusable(format!(
            "PostgreSQL is backed up by its own tool, while Refdesk runs:\n\n  (umask 077; pg_dump --format=custom --no-owner --file={} --dbname={})\n\nThe key of payout details, REFDESK_SECRET_KEY, is not in it: keep a copy of it in another place.",
            quoted(&args.file.display().to_string()),
            quoted(&without_password(&config.database_url)),
        )));
    };
    if !database.is_file() {
        return Err(Refusal::unusable(format!("there is no database {}", database.display())));
    }
    let there = || Refusal::unusable(format!("{} is there already; --force takes its place", args.file.display()));
    if args.file.exists() && !args.force {
        return Err(there());
    }
    if is_same(&database, &args.file) {
        return Err(Refusal::unusable("a database cannot be backed up to itself"));
    }
    let (_folder, copy) = beside(&args.file)?;
    db::copy_into(&database, &copy).await?;
    let version = db::look(&copy).await?.map_err(|why| Refusal::unusable(format!("the copy cannot be used: {why}")))?;
    flushed(&copy).map_err(wrong(&args.file))?;
    if args.file.exists() && !args.force {
        return Err(there());
    }
    fs::rename(&copy, &args.file).map_err(wrong(&args.file))?;
    let bytes = flushed(&args.file).map_err(wrong(&args.file))?;
    if args.json {
        return print_json(&json!({ "file": args.file.display().to_string(), "bytes": bytes, "version": version }));
    }
    say!("{} is a backup of {}: {} bytes.", args.file.display(), database.display(), shown(bytes));
    say!("{}", key_apart(&database));
    Ok(())
}

pub async fn restore(config: Config, args: RestoreArgs) -> Result<(), Refusal> {
    let Some(database) = db::file_of(&config.database_url) else {
        return Err(Refusal::unusable(format!(
            "PostgreSQL is restored by its own tool. Stop every node, then:\n\n  pg_restore --clean --if-exists --no-owner --single-transaction --exit-on-error --dbname={} {}\n\nand `refdesk check` proves what is there then. The payout details in it need the REFDESK_SECRET_KEY of that time.",
            quoted(&without_password(&config.database_url)),
            quoted(&args.file.display().to_string()),
        )));
    };
    // The file itself is moved aside, and a link stays.
    let database = fs::canonicalize(&database).unwrap_or(database);
    refuse_what_is_no_backup(&args.file, &database)?;
    if database.exists() {
        // Asked first, because the rest takes its time.
        alone(&database, Duration::from_millis(500)).await?;
    }
    let (_folder, copy) = beside(&database)?;
    let copied = File::open(&args.file).and_then(|mut from| io::copy(&mut from, &mut File::create(&copy)?));
    copied.map_err(wrong(&args.file))?;
    let no = |why: String| Refusal::unusable(format!("{} cannot be restored: {why}", args.file.display()));
    db::look(&copy).await?.map_err(no)?;
    let report = prove(&copy).await?;
    if !report.ok && !args.force {
        let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
        let why = format!(
            "{} does not pass `refdesk check`, and nothing was restored (--force restores it anyway). Broken: {}",
            args.file.display(),
            rules.join("; ")
        );
        return Err(Refusal { code: NO, why });
    }
    owned_like(&copy, &database).map_err(wrong(&database))?;
    flushed(&copy).map_err(wrong(&database))?;
    if database.exists() {
        alone(&database, Duration::from_secs(2)).await?;
    }
    let old = put_in_place(&copy, &database).map_err(wrong(&database))?;
    print(&args, &database, old.as_deref(), &report)
}

fn print(args: &RestoreArgs, database: &Path, old: Option<&Path>, report: &Report) -> Result<(), Refusal> {
    if args.json {
        return print_json(&json!({
            "database": database.display().to_string(),
            "kept": old.map(|path| path.display().to_string()),
            "ok": report.ok,
            "commissions": report.commissions,
            "entries": report.entries,
        }));
    }
    say!(
        "{} is what {} was: {} commissions and {} ledger entries.",
        database.display(),
        args.file.display(),
        counted(report.commissions),
        counted(report.entries)
    );
    if let Some(old) = old {
        say!("The old database is now {}.", old.display());
    }
    say!("{}", key_apart(database));
    say!("Passwords, keys and who is on the team are as they were then: look through what was ended since.");
    Ok(())
}

/// A plain look at the file, before anything is copied.
fn refuse_what_is_no_backup(file: &Path, database: &Path) -> Result<(), Refusal> {
    let mut begins = Vec::new();
    File::open(file).and_then(|f| f.take(16).read_to_end(&mut begins)).map_err(wrong(file))?;
    if begins != b"SQLite format 3\0" {
        return Err(Refusal::unusable(format!("{} is no backup of Refdesk", file.display())));
    }
    if is_same(file, database) {
        return Err(Refusal::unusable("a database cannot be restored from itself"));
    }
    let log = with_ending(file, "-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return Err(Refusal::unusable(format!(
            "{} has a log beside it, so it is a database in use and no backup: `refdesk backup` makes one of it",
            file.display()
        )));
    }
    Ok(())
}

/// People restore because a database is damaged, so only one that another process has open is refused.
async fn alone(database: &Path, patience: Duration) -> Result<(), Refusal> {
    match db::settle(database, patience).await? {
        Settled::Alone | Settled::Broken(_) => Ok(()),
        Settled::Held => Err(Refusal::unusable(format!(
            "{} is in use: stop the server, and whatever else has it open, and restore again",
            database.display()
        ))),
    }
}

/// Brings the copy to this program's schema and asks it everything that `refdesk check` asks.
async fn prove(file: &Path) -> Result<Report, Refusal> {
    let url = format!("sqlite://{}", file.display());
    db::migrate(&url).await?;
    let db = Db::open(&url).await?;
    let report = check::check(&db).await?;
    db.close().await;
    drop(db);
    match db::settle(file, Duration::from_secs(20)).await? {
        Settled::Alone => Ok(report),
        Settled::Held => Err(Refusal::unusable("the copy of the backup is still in use")),
        Settled::Broken(why) => Err(Refusal::unusable(why)),
    }
}

/// Moves the old database to a dated name and the new one into its place. The rest of an old log is moved as
/// well, since SQLite would take it for the new one's.
fn put_in_place(copy: &Path, database: &Path) -> io::Result<Option<PathBuf>> {
    let old = unused(database);
    for ending in ["-wal", "-shm", "-journal"] {
        let left = with_ending(database, ending);
        if left.exists() {
            fs::rename(&left, with_ending(&old, ending))?;
        }
    }
    let before = database.exists();
    // A second name first, so that there is a database under the first one at every moment.
    if before && fs::hard_link(database, &old).is_err() {
        fs::rename(database, &old)?;
    }
    fs::rename(copy, database)?;
    flushed(database)?;
    Ok(before.then_some(old))
}

/// The database's name with the time, and a number where two are put aside in one second.
fn unused(database: &Path) -> PathBuf {
    let stamp: String = Clock::system().now().to_rfc3339_millis().chars().take(19).filter(|c| *c != ':').collect();
    let mut name = with_ending(database, &format!(".{stamp}"));
    let mut number = 1;
    while name.exists() || with_ending(&name, "-wal").exists() {
        number += 1;
        name = with_ending(database, &format!(".{stamp}-{number}"));
    }
    name
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn is_same(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one).is_ok_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}

/// Users who could open the old database can open the new one.
#[cfg(unix)]
fn owned_like(file: &Path, old: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let Ok(old) = fs::metadata(old) else { return Ok(()) };
    let new = fs::metadata(file)?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        chown(file, Some(old.uid()), Some(old.gid()))?;
    }
    fs::set_permissions(file, old.permissions())
}

#[cfg(not(unix))]
fn owned_like(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A stolen backup must not open the payout details in it.
fn key_apart(database: &Path) -> String {
    format!(
        "The key of payout details is not in it: it is {}, or REFDESK_SECRET_KEY. Keep a copy of that key in another \
         place; without it they cannot be read.",
        keyring::file_beside(database).display()
    )
}

fn shown(bytes: u64) -> String {
    counted(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Passwords stay off command lines; PGPASSWORD and ~/.pgpass hold them.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let bare = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => authority.to_owned(),
    };
    format!("{scheme}://{bare}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_left_out_of_a_command_line() {
        for (url, shown) in [
            ("postgres://ann:s3cret@db.example.com:5433/refdesk", "postgres://ann@db.example.com:5433/refdesk"),
            ("postgres://ann@/refdesk?host=/run/postgresql", "postgres://ann@/refdesk?host=/run/postgresql"),
            ("postgresql://db/refdesk", "postgresql://db/refdesk"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
