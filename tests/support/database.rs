//! A database per test. SQLite: a copy of one migrated file. PostgreSQL: a clone of a template named by
//! the hash of the migrations, in a throw-away cluster that nothing is ever dropped from.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use refdesk::db;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::Start;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A migrated, empty database that belongs to one test.
#[derive(Debug)]
pub struct Database {
    pub engine: Engine,
    pub url: String,
    /// Set by tests that break invariants on purpose.
    tampered: AtomicBool,
    _stopwatch: Stopwatch,
    _dir: Option<TempDir>,
}

/// Adds what a test took to the file that `tests/run` names, when its database goes.
#[derive(Debug)]
struct Stopwatch {
    test: String,
    started: Instant,
}

impl Stopwatch {
    /// A test's thread has its name.
    fn start() -> Self {
        Self { test: std::thread::current().name().unwrap_or_default().to_owned(), started: Instant::now() }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let Some(file) = std::env::var_os("REFDESK_TEST_TIMES") else { return };
        let line = format!("{:8.1} s  {}\n", self.started.elapsed().as_secs_f64(), self.test);
        // A test that could not say what it took has passed all the same.
        let _ = OpenOptions::new().create(true).append(true).open(file).and_then(|mut f| f.write_all(line.as_bytes()));
    }
}

impl Start for Arc<Database> {
    async fn start(database: Arc<Database>) -> Self {
        database
    }
}

impl Database {
    pub async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let dir = fast_dir();
                let file = dir.path().join("refdesk.db");
                std::fs::copy(sqlite_template().await, &file).expect("copy of the migrated file");
                Self {
                    engine,
                    url: format!("sqlite://{}", file.display()),
                    tampered: AtomicBool::default(),
                    _stopwatch: Stopwatch::start(),
                    _dir: Some(dir),
                }
            }
            Engine::Postgres => Self {
                engine,
                url: postgres_clone().await,
                tampered: AtomicBool::default(),
                _stopwatch: Stopwatch::start(),
                _dir: None,
            },
        }
    }

    /// The name of the database in the cluster, and the cluster's log.
    pub fn name_and_log(&self) -> (&str, PathBuf) {
        let (address, query) = self.url.split_once('?').expect("an address with a socket");
        let folder = query.split('&').find_map(|part| part.strip_prefix("host=")).expect("the socket's folder");
        (address.rsplit('/').next().expect("a name"), Path::new(folder).join("log"))
    }

    /// Says that the invariants need not hold any more.
    pub fn tampered(&self) {
        self.tampered.store(true, Ordering::Relaxed);
    }

    /// Every invariant that `refdesk check` knows holds over the whole database.
    pub async fn prove(&self) {
        if self.tampered.load(Ordering::Relaxed) {
            return;
        }
        let db = db::Db::open(&self.url).await.expect("the database opens");
        let report = refdesk::check::check(&db).await.expect("the check runs");
        db.close().await;
        assert!(report.ok, "invariants are broken: {:#?}", report.findings);
    }

    /// One that is not migrated.
    pub async fn bare(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let dir = fast_dir();
                let url = format!("sqlite://{}", dir.path().join("refdesk.db").display());
                Self { engine, url, tampered: AtomicBool::default(), _stopwatch: Stopwatch::start(), _dir: Some(dir) }
            }
            Engine::Postgres => {
                let name = next_name();
                let mut conn = maintenance().await;
                run(&mut conn, format!("CREATE DATABASE {name}")).await.expect("an empty database");
                Self {
                    engine,
                    url: named(&name),
                    tampered: AtomicBool::default(),
                    _stopwatch: Stopwatch::start(),
                    _dir: None,
                }
            }
        }
    }
}

/// The migrations, by a number that changes with any of them.
fn migrations_hash() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files: BTreeMap<PathBuf, String> = std::fs::read_dir(folder)
        .expect("the folder of migrations")
        .map(|entry| entry.expect("a migration").path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("a readable migration")))
        .collect();
    let text: String = files.into_iter().map(|(path, text)| format!("{}\n{text}\n", path.display())).collect();
    refdesk::id::sha256_hex(&text)[..16].to_owned()
}

/// Memory where there is some: a flush that reaches no disk is not what these tests are about.
fn fast_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(dir) = tempfile::Builder::new().prefix("refdesk-").tempdir_in(memory)
    {
        return dir;
    }
    tempfile::Builder::new().prefix("refdesk-").tempdir().expect("a directory for the database")
}

/// The migrated file that tests copy; stored between runs, made again when a migration changes.
async fn sqlite_template() -> &'static Path {
    static TEMPLATE: tokio::sync::OnceCell<PathBuf> = tokio::sync::OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let done = folder.join(format!("migrated-{}.db", migrations_hash()));
            if !done.exists() {
                let making = folder.join(format!("making-{}.db", std::process::id()));
                db::migrate(&format!("sqlite://{}", making.display())).await.expect("migrations on SQLite");
                std::fs::rename(&making, &done).expect("the migrated file in its place");
            }
            done
        })
        .await
}

/// The cluster this process may use: the one `tests/run` started, else one of its own.
fn cluster() -> &'static str {
    static CLUSTER: OnceLock<Result<(String, Option<Child>), String>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| match std::env::var("REFDESK_TEST_POSTGRES") {
        Ok(url) => Ok((url, None)),
        Err(_) => own_cluster().map(|(url, child)| (url, Some(child))),
    });
    match cluster {
        Ok((url, _)) => url,
        Err(why) => panic!("no PostgreSQL to test on: {why}"),
    }
}

/// Lives until this process ends and its pipe closes with it.
fn own_cluster() -> Result<(String, Child), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster");
    let mut child = Command::new(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", script.display()))?;
    let mut line = String::new();
    let out = child.stdout.take().ok_or("no output of tests/cluster")?;
    BufReader::new(out).read_line(&mut line).map_err(|e| e.to_string())?;
    if line.trim().is_empty() {
        return Err(
            "tests/cluster printed no address (see above). Run tests/run, which installs what is missing".into()
        );
    }
    Ok((line.trim().to_owned(), child))
}

fn named(name: &str) -> String {
    cluster().replacen("/postgres?", &format!("/{name}?"), 1)
}

fn next_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn maintenance() -> PgConnection {
    PgConnection::connect(cluster()).await.expect("the test cluster answers")
}

async fn run(conn: &mut PgConnection, text: String) -> Result<(), sqlx::Error> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map(|_| ())
}

/// One lock for everybody who makes or clones the template.
const TEMPLATE_LOCK: i64 = 7_242_001;

async fn postgres_clone() -> String {
    let template = format!("migrated_{}", migrations_hash());
    let mut conn = maintenance().await;
    run(&mut conn, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await.expect("the template's lock");
    let (known,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(&template)
        .fetch_one(&mut conn)
        .await
        .expect("the list of databases");
    if !known {
        let making = format!("making_{}", next_name());
        run(&mut conn, format!("CREATE DATABASE {making}")).await.expect("a database to migrate");
        db::migrate(&named(&making)).await.expect("migrations on PostgreSQL");
        run(&mut conn, format!("ALTER DATABASE {making} RENAME TO {template}")).await.expect("the template");
    }
    let name = next_name();
    let mut tries = 0;
    while let Err(error) = run(&mut conn, format!("CREATE DATABASE {name} TEMPLATE {template}")).await {
        tries += 1;
        assert!(tries < 20, "the template cannot be cloned: {error}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    conn.close().await.expect("the maintenance connection closes");
    named(&name)
}
