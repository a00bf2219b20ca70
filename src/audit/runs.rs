//! Entries of one run, so that the audit shows a run as one line.

use super::store::EntryLine;
use crate::actor::{ActorKind, is_of_job};
use crate::db::PAGE;

/// Entries read for a page: a run of many is still one line of it.
pub const READ: usize = 600;
/// Fewer entries than this are shown each on its own.
const LEAST: usize = 3;
/// The pause between two entries of a run, in microseconds.
const PAUSE: i64 = 60_000_000;

/// The runs of a page.
pub struct Ends {
    /// The number of entries in each run, newest first.
    pub lengths: Vec<usize>,
    /// True when further entries follow in the direction of reading.
    pub more: bool,
}

/// Cuts rows to the runs of one page; they are newest first afterwards. `back` says that they were read oldest first.
pub fn of(rows: &mut Vec<EntryLine>, back: bool) -> Ends {
    let read = rows.len();
    rows.truncate(READ);
    let mut lengths: Vec<usize> = Vec::new();
    let mut begin = 0;
    for at in 1..=rows.len() {
        if at < rows.len() && is_one(&rows[at - 1], &rows[at]) {
            continue;
        }
        match at - begin {
            n if n >= LEAST => lengths.push(n),
            n => lengths.extend(std::iter::repeat_n(1, n)),
        }
        begin = at;
    }
    lengths.truncate(PAGE);
    rows.truncate(lengths.iter().sum());
    let more = rows.len() < read;
    if back {
        rows.reverse();
        lengths.reverse();
    }
    Ends { lengths, more }
}

/// True for two entries of one run: the same actor did the same, from the same place, shortly after.
fn is_one(a: &EntryLine, b: &EntryLine) -> bool {
    (&a.actor_kind, &a.actor_name, &a.origin, &a.action) == (&b.actor_kind, &b.actor_name, &b.origin, &b.action)
        && (a.at == b.at || is_of_a_task(a) && (a.at - b.at).abs() <= PAUSE)
}

/// True for an entry of a task or a job, which works in steps.
fn is_of_a_task(a: &EntryLine) -> bool {
    a.actor_kind == ActorKind::Job.word() || is_of_job(&a.origin)
}
