//! The rows that may match, by the index and the queue.

use std::collections::{BTreeSet, HashMap};

use super::grams::{Ids, MARK, Opened, Rows, numbers_of_text};
use super::store::{self, Segment};
use super::{Needle, Scope};
use crate::db::{Conn, DbResult};

/// The most waiting rows that are examined one by one: they are new, and adjacent.
const WAITING: usize = 10_000;

/// Rows of one segment that may match, in the order in which they were made.
#[derive(Debug)]
pub struct Part {
    pub segment_id: i64,
    pub rows: Rows,
    marks: Vec<i64>,
}

impl Part {
    /// The row was made at this time or later.
    pub fn earliest(&self, row: usize) -> i64 {
        self.marks.get(row / MARK).copied().unwrap_or(i64::MIN)
    }

    /// The row was made at this time or earlier.
    pub fn latest(&self, row: usize) -> i64 {
        self.marks.get(row / MARK + 1).copied().unwrap_or(i64::MAX)
    }

    /// Rows before this one may have been made by then; those from it on were not.
    pub fn end_of(&self, time: i64) -> usize {
        self.marks.partition_point(|mark| *mark <= time) * MARK
    }

    /// Rows from this one on may have been made at that time or later; those before it were not.
    pub fn begin_of(&self, time: i64) -> usize {
        self.marks.get(1..).unwrap_or_default().partition_point(|mark| *mark < time) * MARK
    }
}

#[derive(Debug, Default)]
pub struct Candidates {
    pub parts: Vec<Part>,
    /// Rows that are in no segment yet.
    pub waiting: Vec<i64>,
    /// More of them than are looked at.
    pub behind: bool,
    /// Rows that are searched in all.
    pub of: usize,
}

impl Candidates {
    pub fn count(&self) -> usize {
        self.waiting.len() + self.parts.iter().map(|part| part.rows.count()).sum::<usize>()
    }

    /// Rows of a list among which this many are expected that have the word.
    pub fn expected(&self, wanted: usize) -> usize {
        wanted.saturating_mul(self.of) / self.count().max(1)
    }

    /// The waiting rows, then the last ones of the newest segments, each once, up to a number.
    pub async fn ids(&self, conn: &mut Conn, most: usize) -> DbResult<Vec<i64>> {
        let (mut found, mut left, mut from) = (self.waiting.clone(), most, Vec::new());
        for part in self.parts.iter().rev() {
            let some = part.rows.count().min(left);
            if some == 0 {
                break;
            }
            left -= some;
            from.push((part, some));
        }
        let segments: Vec<i64> = from.iter().map(|(part, _)| part.segment_id).collect();
        let mut ids: HashMap<i64, Ids> =
            store::members(conn, &segments).await?.into_iter().map(|(id, docs)| (id, Ids::new(docs))).collect();
        for (part, some) in from {
            // A segment that was merged and removed meanwhile has a replacement: its rows are read again.
            let Some(ids) = ids.get_mut(&part.segment_id) else { continue };
            let rows = std::iter::successors(part.rows.before(usize::MAX), |row| part.rows.before(*row)).take(some);
            found.extend(rows.filter_map(|row| ids.get(row)));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// The ids of a segment's rows.
pub async fn ids_of(conn: &mut Conn, segment_id: i64) -> DbResult<Ids> {
    let found = store::members(conn, &[segment_id]).await?;
    Ok(found.into_iter().next().map(|(_, docs)| Ids::new(docs)).unwrap_or_default())
}

/// The queue is read before the segments: a row that moves meanwhile is seen at least once.
pub async fn find(conn: &mut Conn, scopes: &[Scope], needle: &Needle) -> DbResult<Candidates> {
    let mut all = Candidates::default();
    for scope in scopes {
        let left = WAITING - all.waiting.len();
        let waiting = store::waiting(conn, scope.number(), left + 1).await?;
        if waiting.len() > left {
            return Ok(Candidates { behind: true, ..Candidates::default() });
        }
        all.waiting.extend(waiting.into_iter().map(|w| w.id));
    }
    let mut segments = Vec::new();
    for scope in scopes {
        segments.extend(store::segments(conn, scope.number()).await?);
    }
    let words = needle.grams();
    let whole = needle.whole_grams();
    let mut grams: Vec<i64> = words.iter().flatten().chain(&whole).flatten().copied().collect();
    grams.sort_unstable();
    grams.dedup();
    let held = store::holding(conn, &segments, &grams).await?;
    // Many grams stand in one block, which is read and opened once.
    let wanted: BTreeSet<(i64, i64)> = held.iter().filter_map(|h| Some((h.segment_id, h.block?))).collect();
    let size = |segment: &Segment| usize::try_from(segment.size).unwrap_or_default();
    let sizes: HashMap<i64, usize> = segments.iter().map(|segment| (segment.id, size(segment))).collect();
    let mut opened: HashMap<i64, HashMap<i64, Opened>> = HashMap::new();
    for row in store::blocks(conn, &wanted).await? {
        let size = sizes.get(&row.segment_id).copied().unwrap_or_default();
        opened.entry(row.segment_id).or_default().insert(row.block, Opened::of(&row.body, size));
    }
    let mut block_of: HashMap<i64, HashMap<i64, i64>> = HashMap::new();
    for h in held {
        block_of.entry(h.segment_id).or_default().extend(h.block.map(|block| (h.gram, block)));
    }
    all.of = all.waiting.len() + sizes.values().sum::<usize>();
    let part = |segment: Segment| {
        let mut found = Matching {
            block_of: block_of.remove(&segment.id).unwrap_or_default(),
            opened: opened.remove(&segment.id).unwrap_or_default(),
            size: size(&segment),
            of_gram: HashMap::new(),
        };
        let rows = found.rows(&words, &whole).filter(|rows| rows.count() > 0)?;
        Some(Part { segment_id: segment.id, rows, marks: numbers_of_text(&segment.marks) })
    };
    all.parts = segments.into_iter().filter_map(part).collect();
    Ok(all)
}

/// The rows of one segment, gram by gram.
struct Matching {
    /// The block that would hold each gram, and the blocks.
    block_of: HashMap<i64, i64>,
    opened: HashMap<i64, Opened>,
    size: usize,
    of_gram: HashMap<i64, Option<Rows>>,
}

impl Matching {
    /// The rows that have all words, each in one of its forms, and those that have a form of the whole.
    fn rows(&mut self, words: &[Vec<Vec<i64>>], whole: &[Vec<i64>]) -> Option<Rows> {
        let mut all: Option<Rows> = None;
        for forms in words {
            let any = self.any(forms);
            match &mut all {
                Some(all) => all.and(&any),
                None => all = Some(any),
            }
        }
        if !whole.is_empty() {
            let whole = self.any(whole);
            match &mut all {
                Some(all) => all.or(&whole),
                None => all = Some(whole),
            }
        }
        all
    }

    fn any(&mut self, forms: &[Vec<i64>]) -> Rows {
        let mut any = Rows::none(self.size);
        for grams in forms {
            if let Some(form) = self.form(grams) {
                any.or(&form);
            }
        }
        any
    }

    /// The rows that have all grams; none for no row.
    fn form(&mut self, grams: &[i64]) -> Option<Rows> {
        let mut form: Option<Rows> = None;
        for gram in grams {
            let block = self.block_of.get(gram).and_then(|block| self.opened.get(block));
            let rows = self.of_gram.entry(*gram).or_insert_with(|| block?.rows(*gram));
            let rows = rows.as_ref()?;
            match &mut form {
                Some(form) => form.and(rows),
                None => form = Some(rows.clone()),
            }
        }
        form
    }
}
