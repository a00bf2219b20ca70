//! The tools of the benchmarks: a server process with its own database, a bare HTTP client, figures.

#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A directory under target/ that is made anew.
pub fn fresh_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench").join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A `refdesk` that serves on a port of its own.
pub struct Server {
    child: Child,
    pub port: u16,
    pub database_url: String,
    pub ids: serde_json::Value,
}

/// The address of a Stripe to speak with, where a benchmark has one.
pub static STRIPE: OnceLock<String> = OnceLock::new();

pub fn refdesk(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refdesk"));
    if let Some(stripe) = STRIPE.get() {
        command.env("REFDESK_STRIPE_API", stripe);
    }
    command.env("REFDESK_DATABASE_URL", url).env("REFDESK_LOG", "error").current_dir(std::env::temp_dir());
    command
}

impl Server {
    /// Sets a business up, fills it, and serves it.
    pub fn start(url: &str, leads: u64, referrers: u64) -> Self {
        let mut setup = refdesk(url)
            .args(["setup", "--business", "Bench", "--email", "bench@example.com", "--campaign", "C", "--product", "P"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        setup.stdin.take().unwrap().write_all(b"a password for benches\n").unwrap();
        let printed = setup.wait_with_output().unwrap();
        assert!(printed.status.success(), "set-up failed");
        let ids = serde_json::from_slice(&printed.stdout).unwrap();
        if leads > 0 {
            let started = Instant::now();
            let done = refdesk(url)
                .args(["generate-data", "--leads", &leads.to_string(), "--referrers", &referrers.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert!(done.success());
            println!("generate-data: {:.0} leads/s", leads as f64 / started.elapsed().as_secs_f64());
        }
        Self::serve(url, ids)
    }

    pub fn serve(url: &str, ids: serde_json::Value) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child =
            refdesk(url).args(["--listen", &format!("127.0.0.1:{port}")]).stdout(Stdio::null()).spawn().unwrap();
        let server = Self { child, port, database_url: url.to_owned(), ids };
        let started = Instant::now();
        while !ready(port) {
            assert!(started.elapsed() < Duration::from_secs(20), "the server did not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn id(&self, name: &str) -> String {
        self.ids[name].as_str().map_or_else(|| self.ids[name].to_string(), str::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(port: u16) -> bool {
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Waits until nothing stands in search's queue any more: `ask` answers the number of a query.
pub fn until_idle(ask: impl Fn(&str) -> i64) {
    let started = Instant::now();
    while ask("SELECT count(*) FROM (SELECT 1 AS one FROM search_queue LIMIT 1) q") > 0 {
        assert!(started.elapsed() < Duration::from_secs(600), "search never came to rest");
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("indexed for search in {:.1} s", started.elapsed().as_secs_f64());
}

/// CPU seconds a process and its children have used.
pub fn cpu_seconds(pid: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12) + ticks(13) + ticks(14)) / 100.0
}

/// CPU seconds of every process whose command line holds a text: PostgreSQL's backends.
pub fn cpu_of_cluster(data: &str) -> f64 {
    let postmaster: u32 = std::fs::read_to_string(format!("{data}/postmaster.pid"))
        .ok()
        .and_then(|text| text.lines().next().and_then(|l| l.parse().ok()))
        .unwrap_or(0);
    let mut sum = cpu_seconds(postmaster);
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let parent = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent =
            parent.rsplit(')').next().and_then(|s| s.split_whitespace().nth(1)).and_then(|p| p.parse::<u32>().ok());
        if parent == Some(postmaster) && postmaster != 0 {
            sum += cpu_seconds(pid);
        }
    }
    sum
}

/// Resident memory in MiB.
pub fn rss_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// One connection that sends requests one after the other.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(64 * 1024) }
    }

    pub async fn post(&mut self, path: &str, key: &str, body: &str) -> (u16, String) {
        self.post_with(path, &format!("authorization: Bearer {key}"), body).await
    }

    /// A body of JSON with a header of one's own.
    pub async fn post_with(&mut self, path: &str, header: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\n{header}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat()).await
    }

    pub async fn get(&mut self, path: &str, header: &str) -> (u16, String) {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n").as_bytes()).await
    }

    pub async fn form(&mut self, path: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.exchange(head.as_bytes()).await
    }

    /// Status, and head and body as text.
    async fn exchange(&mut self, request: &[u8]) -> (u16, String) {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let mut chunk = [0; 16 * 1024];
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                let length = head
                    .lines()
                    .find_map(|l| {
                        l.to_ascii_lowercase()
                            .strip_prefix("content-length: ")
                            .and_then(|n| n.trim().parse::<usize>().ok())
                    })
                    .unwrap_or(0);
                // A file that is sent as it is made has no length in front.
                let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
                while self.buffer.len() < end + 4 + length || (chunked && !self.buffer.ends_with(b"\r\n0\r\n\r\n")) {
                    let n = self.stream.read(&mut chunk).await.unwrap();
                    assert!(n > 0, "the connection closed");
                    self.buffer.extend_from_slice(&chunk[..n]);
                }
                let status = head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0);
                return (status, String::from_utf8_lossy(&self.buffer).into_owned());
            }
            let n = self.stream.read(&mut chunk).await.unwrap();
            assert!(n > 0, "the connection closed");
            self.buffer.extend_from_slice(&chunk[..n]);
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// Milliseconds at a share of the sorted times.
pub fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let at = ((times.len() as f64 - 1.0) * share).round() as usize;
    times.get(at).map_or(0.0, |t| t.as_secs_f64() * 1000.0)
}

/// A PostgreSQL cluster of its own, flushing for real, thrown away at the end.
pub struct Cluster {
    dir: PathBuf,
    pub data: String,
}

impl Cluster {
    pub fn start(name: &str) -> Option<Self> {
        let bin = Path::new("/usr/lib/postgresql/15/bin");
        if !bin.join("initdb").exists() {
            println!("PostgreSQL 15 is not installed: its figures are left out");
            return None;
        }
        let dir = std::env::temp_dir().join(format!("refdesk-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        sh(&format!("chown postgres {}", dir.display()));
        let data = format!("{}/data", dir.display());
        as_postgres(&format!("{}/initdb -D {data} -A trust --locale=C -E UTF8 > /dev/null", bin.display()));
        as_postgres(&format!(
            "{}/pg_ctl -D {data} -o '-k {} -h \"\" -c shared_buffers=512MB -c max_wal_size=4GB' -l {}/log -w start > /dev/null",
            bin.display(),
            dir.display(),
            dir.display()
        ));
        Some(Self { dir, data })
    }

    pub fn url(&self, database: &str) -> String {
        as_postgres(&format!("createdb -h {} {database}", self.dir.display()));
        format!("postgres:///{database}?host={}&user=postgres", self.dir.display())
    }

    pub fn host(&self) -> String {
        self.dir.display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        as_postgres(&format!("/usr/lib/postgresql/15/bin/pg_ctl -D {} -m immediate stop > /dev/null", self.data));
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn sh(command: &str) {
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
}

pub fn as_postgres(command: &str) -> String {
    let done = Command::new("su").args(["postgres", "-c", command]).output().unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
