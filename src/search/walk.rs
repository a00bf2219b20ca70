//! Goes through the candidates of a common word in the order of a list by time, and stops when it has enough.

use std::collections::HashSet;

use super::candidates::{Candidates, Part, ids_of};
use super::find::look_at;
use super::grams::Ids;
use crate::db::{Db, DbResult, Listing};

/// Candidates that are looked at in one go: to begin with where nothing is counted, and then.
const FIRST: usize = 100;
const STEP: usize = 1_000;
/// Candidates of which so few fit the list's other conditions that the walk ends without having found enough.
const MOST: usize = 2_500;

/// The end of a walk.
#[derive(Debug, Default)]
pub struct Walked {
    /// In the order of the list, none left out.
    pub ids: Vec<i64>,
    /// Matches among all that were looked at.
    pub hits: usize,
    pub looked: usize,
    /// There are as many rows as were wanted, or no more.
    pub is_full: bool,
    /// Every candidate was looked at.
    pub is_all: bool,
    /// This position and the rows after it are unanswered.
    pub rest: Option<(i64, i64)>,
}

/// Looks for `want` rows from the list's position on, and for `count` matches in all.
pub async fn walk(db: &Db, list: &Listing, all: &Candidates, want: usize, count: usize) -> DbResult<Walked> {
    let down = list.is_down();
    let most = MOST.max(count + count / 100);
    let mut runs: Vec<Run<'_>> = all.parts.iter().map(|part| Run::new(part, list)).collect();
    let (mut step, mut taken) = (if count == 0 { FIRST.max(want * 2).min(STEP) } else { STEP }, 0);
    let (mut walked, mut found, mut seen) = (Walked::default(), Vec::<(i64, i64)>::new(), HashSet::new());
    let mut fresh = all.waiting.clone();
    loop {
        if let Some(run) = foremost(&mut runs, down) {
            let some = run.take(db, step).await?;
            taken += some.len();
            fresh.extend(some);
        }
        fresh.retain(|id| seen.insert(*id));
        let look = look_at(db, list, &fresh, want).await?;
        walked.looked += fresh.len();
        walked.hits += usize::try_from(look.hits).unwrap_or_default();
        fresh.clear();
        step = STEP;
        found.extend(look.rows.iter().filter_map(|(at, id)| Some((at.parse().ok()?, *id))));
        found.sort_unstable();
        if down {
            found.reverse();
        }
        found.truncate(want);
        let rest = foremost(&mut runs, down).and_then(|run| run.bound());
        let is_before = |row: &(i64, i64)| rest.is_none_or(|rest| if down { *row > rest } else { *row < rest });
        walked.is_all = rest.is_none();
        walked.is_full = walked.is_all || (found.len() == want && found.last().is_none_or(is_before));
        let is_on = |position| rest.is_none_or(|rest| if down { rest < position } else { rest > position });
        let is_far = taken >= most && list.position().is_none_or(is_on);
        if walked.is_all || is_far || (walked.is_full && walked.hits >= count) {
            found.retain(is_before);
            walked.ids = found.into_iter().map(|(_, id)| id).collect();
            walked.rest = rest;
            return Ok(walked);
        }
    }
}

/// The run whose next candidate may come first in the order of the list.
fn foremost<'r, 'c>(runs: &'r mut [Run<'c>], down: bool) -> Option<&'r mut Run<'c>> {
    let with_bound = runs.iter_mut().filter_map(|run| Some((run.bound()?, run)));
    let first =
        if down { with_bound.max_by_key(|(bound, _)| *bound) } else { with_bound.min_by_key(|(bound, _)| *bound) };
    first.map(|(_, run)| run)
}

/// The candidates of a segment, taken in the order of the list.
struct Run<'c> {
    part: &'c Part,
    down: bool,
    position: Option<(i64, i64)>,
    next: Option<usize>,
    ids: Option<Ids>,
}

impl<'c> Run<'c> {
    /// Rows before the list's position are left out as far as the marks show.
    fn new(part: &'c Part, list: &Listing) -> Self {
        let (down, position) = (list.is_down(), list.position());
        let next = if down {
            part.rows.before(position.map_or(usize::MAX, |(at, _)| part.end_of(at)))
        } else {
            part.rows.next(position.map_or(0, |(at, _)| part.begin_of(at)))
        };
        Self { part, down, position, next, ids: None }
    }

    /// The rest comes after this in the order of the list; `None` when nothing is left.
    fn bound(&mut self) -> Option<(i64, i64)> {
        let next = self.next?;
        // Rows made at the same time are in the order of their ids.
        let id = self.ids.as_mut().and_then(|ids| ids.get(next));
        Some(if self.down {
            (self.part.latest(next), id.unwrap_or(i64::MAX))
        } else {
            (self.part.earliest(next), id.unwrap_or(i64::MIN))
        })
    }

    async fn take(&mut self, db: &Db, most: usize) -> DbResult<Vec<i64>> {
        let mut ids = match self.ids.take() {
            Some(ids) => ids,
            None => ids_of(&mut db.read().await?, self.part.segment_id).await?,
        };
        let mut taken = Vec::with_capacity(most);
        while let Some(row) = self.next.filter(|_| taken.len() < most) {
            self.next = if self.down { self.part.rows.before(row) } else { self.part.rows.next(row + 1) };
            taken.extend(ids.get(row).filter(|id| !self.is_passed(row, *id)));
        }
        self.ids = Some(ids);
        Ok(taken)
    }

    /// True when a row made at exactly the position's time comes before it.
    fn is_passed(&self, row: usize, id: i64) -> bool {
        self.position.is_some_and(|(at, last)| {
            if self.down {
                self.part.earliest(row) == at && id >= last
            } else {
                self.part.latest(row) == at && id <= last
            }
        })
    }
}
