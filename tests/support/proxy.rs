//! Stands between a server and PostgreSQL, reads along, and breaks connections where a test wants it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::Database;

/// The next deed of the proxy.
#[derive(Debug, Default)]
struct Plan {
    down: bool,
    /// Round trips until a connection is cut; 0 is never.
    cut_in: u64,
    /// COMMITs whose answer never reaches the client.
    mute_commits: u64,
    /// True when the database goes away with the answer.
    then_down: bool,
}

#[derive(Clone)]
pub struct Proxy {
    pub url: String,
    plan: Arc<Mutex<Plan>>,
    open: Arc<Mutex<CancellationToken>>,
    _dir: Arc<TempDir>,
}

impl Proxy {
    pub fn before(database: &Database) -> Self {
        let query = database.url.split_once('?').expect("an address with a socket").1;
        let folder = query.split('&').find_map(|part| part.strip_prefix("host=")).expect("the socket's folder");
        let dir = tempfile::Builder::new().prefix("refdesk-").tempdir().expect("a directory for the socket");
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).expect("a socket");
        let url = database.url.replace(folder, dir.path().to_str().expect("a path"));
        let proxy = Self { url, plan: Arc::default(), open: Arc::default(), _dir: Arc::new(dir) };
        tokio::spawn(proxy.clone().listen(listener, Path::new(folder).join(".s.PGSQL.5432")));
        proxy
    }

    fn plan<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        change(&mut self.plan.lock().expect("the plan"))
    }

    /// Cuts the connection that makes the n-th round trip from now, before it is made.
    pub fn cut_in(&self, round_trips: u64) {
        self.plan(|plan| plan.cut_in = round_trips);
    }

    /// Takes the cut back; answers whether it had happened.
    pub fn has_cut(&self) -> bool {
        self.plan(|plan| std::mem::take(&mut plan.cut_in) == 0)
    }

    /// The next COMMIT takes, and its client is cut off before it hears of that.
    pub fn mute_a_commit(&self) {
        self.plan(|plan| plan.mute_commits = 1);
    }

    /// As [`Self::mute_a_commit`], and then nobody is served any more.
    pub fn mute_a_commit_and_go_down(&self) {
        self.plan(|plan| (plan.mute_commits, plan.then_down) = (1, true));
    }

    pub fn has_muted(&self) -> bool {
        self.plan(|plan| plan.mute_commits == 0)
    }

    /// Every connection breaks, and no other is made.
    pub fn go_down(&self) {
        self.plan(|plan| plan.down = true);
        std::mem::take(&mut *self.open.lock().expect("the connections")).cancel();
    }

    pub fn come_back(&self) {
        self.plan(|plan| (plan.down, plan.then_down) = (false, false));
    }

    async fn listen(self, listener: UnixListener, to: PathBuf) {
        while let Ok((client, _)) = listener.accept().await {
            let (proxy, to) = (self.clone(), to.clone());
            let open = self.open.lock().expect("the connections").clone();
            if self.plan(|plan| plan.down) {
                continue;
            }
            tokio::spawn(async move {
                tokio::select! {
                    () = open.cancelled() => {}
                    _ = proxy.carry(client, &to) => {}
                }
            });
        }
    }

    /// Carries one connection until either side, or the plan, ends it.
    async fn carry(&self, client: UnixStream, to: &Path) -> std::io::Result<()> {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = UnixStream::connect(to).await?.into_split();
        let mut start = start_of(&mut from_client).await?;
        if start[4..] == ASKS_FOR_TLS {
            to_client.write_all(b"N").await?;
            start = start_of(&mut from_client).await?;
        }
        to_server.write_all(&start).await?;
        let muted = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_muted = muted.clone();
        let back = async {
            loop {
                let message = read(&mut from_server).await?;
                if !is_muted.load(std::sync::atomic::Ordering::SeqCst) {
                    to_client.write_all(&message).await?;
                } else if message[0] == b'Z' {
                    // The server is done with the COMMIT; the client will never know.
                    return Err::<(), _>(std::io::Error::other("muted"));
                }
            }
        };
        let forth = async {
            let (mut commits, mut batch, mut is_commit) = (HashSet::new(), Vec::new(), false);
            loop {
                let message = read(&mut from_client).await?;
                let mut texts = message[5..].split(|byte| *byte == 0);
                let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
                match message[0] {
                    b'P' if second == b"COMMIT" => _ = commits.insert(first.to_vec()),
                    b'B' => is_commit |= commits.contains(second),
                    _ => {}
                }
                let ends = matches!(message[0], b'S' | b'H' | b'Q' | b'X');
                batch.extend(message);
                if !ends {
                    continue;
                }
                if self.cuts() {
                    return Err::<(), _>(std::io::Error::other("cut"));
                }
                muted.store(std::mem::take(&mut is_commit) && self.mutes(), std::sync::atomic::Ordering::SeqCst);
                to_server.write_all(&std::mem::take(&mut batch)).await?;
            }
        };
        let ended = tokio::select! { ended = back => ended, ended = forth => ended };
        if self.plan(|plan| plan.then_down && plan.mute_commits == 0) {
            self.go_down();
        }
        ended
    }

    fn cuts(&self) -> bool {
        self.plan(|plan| {
            let cuts = plan.cut_in == 1;
            plan.cut_in = plan.cut_in.saturating_sub(1);
            cuts
        })
    }

    fn mutes(&self) -> bool {
        self.plan(|plan| {
            let mutes = plan.mute_commits > 0;
            plan.mute_commits = plan.mute_commits.saturating_sub(1);
            mutes
        })
    }
}

fn length(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize
}

const ASKS_FOR_TLS: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// The first message, which has no letter.
async fn start_of(from: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    from.read_exact(&mut message).await?;
    message.resize(length(&message), 0);
    from.read_exact(&mut message[4..]).await?;
    Ok(message)
}

/// One message of the protocol: a letter, a length, the rest.
async fn read(from: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    from.read_exact(&mut message).await?;
    message.resize(1 + length(&message[1..]), 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}
