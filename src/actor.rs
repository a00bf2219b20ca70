//! The actor of a change. Every audit entry names one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The actor's name, for the audit.
#[derive(Debug, Clone)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<i64>,
    pub name: String,
    /// From where: an address, or the command.
    pub origin: String,
    /// The call with an `Idempotency-Key` by which it is done: the outcome is stored with the change.
    pub call: Option<Arc<OnceCall>>,
}

/// A call that is done once, however often it is sent.
#[derive(Debug)]
pub struct OnceCall {
    pub key_id: i64,
    /// The `Idempotency-Key`.
    pub text: String,
    /// SHA-256 over method, address and body.
    pub fingerprint: String,
    /// Set where it was sent before and has written.
    pub repeated: bool,
    writes: AtomicUsize,
}

impl OnceCall {
    pub fn new(key_id: i64, text: String, fingerprint: String, repeated: bool) -> Self {
        Self { key_id, text, fingerprint, repeated, writes: AtomicUsize::new(0) }
    }

    /// The number of its next write: a call makes its writes in the same order each time.
    pub fn next_write(&self) -> usize {
        self.writes.fetch_add(1, Ordering::Relaxed)
    }

    /// True when it has written anything.
    pub fn has_written(&self) -> bool {
        self.writes.load(Ordering::Relaxed) > 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    User,
    Key,
    Job,
    Command,
}

impl ActorKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Job => "job",
            Self::Command => "command",
        }
    }
}

impl Actor {
    /// The id of the person of staff who does it, where it is one.
    pub fn user(&self) -> Option<i64> {
        self.id.filter(|_| self.kind == ActorKind::User)
    }
}

/// The kind of the jobs that take the rows of an uploaded file.
pub const UPLOAD: &str = "import";

/// The origin of what a job does.
pub fn origin_of_job(kind: &str, id: i64) -> String {
    format!("{kind} job {id}")
}

/// True for the origin of what the rows of an uploaded file did.
pub fn is_upload(origin: &str) -> bool {
    origin.strip_prefix(UPLOAD).is_some_and(|rest| rest.starts_with(" job "))
}

/// True for the origin of what a job did.
pub fn is_of_job(origin: &str) -> bool {
    origin.split_once(" job ").is_some_and(|(_, id)| id.parse::<i64>().is_ok())
}
