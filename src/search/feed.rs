//! Writes the queue to segments, and merges small segments into larger ones. The scheduled task does this on
//! one node; two at once would cost time and nothing else.

use std::collections::BTreeSet;

use super::grams::{Builder, MARK, ids_of_text, ids_to_text, numbers_to_text};
use super::store::{self, Doc, NewSegment};
use super::{Kind, Scope, near};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult};
use crate::sound::keys;

/// Waiting rows that are worth a segment: fewer are quickly examined one by one.
pub const LEAST: usize = 1_024;
/// Rows of a segment, at most.
pub const LARGEST: usize = 65_536;
/// This many segments of one size become one.
const FAN: usize = 8;
/// Rows read, or taken out of the queue, by one statement.
const CHUNK: usize = 4_096;
const OUT: usize = 1_000;
/// Words that one write adds, each with up to thirty keys.
const LEARNT: usize = 50;
/// Segments of one run, so that it ends within its lease.
const STEPS: usize = 24;
/// The readers of a merged segment have long ended.
const KEPT_SECONDS: i64 = 60;

/// True when enough rows wait for a segment.
pub async fn is_due(conn: &mut Conn) -> DbResult<bool> {
    let mut behind = i64::MIN;
    while let Some(scope) = store::next_waiting(conn, behind).await? {
        if store::count_waiting(conn, scope, LEAST).await? >= LEAST as i64 {
            return Ok(true);
        }
        behind = scope;
    }
    Ok(false)
}

/// One run of the scheduled task; true when more rows wait.
pub async fn run(core: &Core) -> DbResult<bool> {
    let (mut behind, mut steps) = (i64::MIN, 0);
    loop {
        let next = store::next_waiting(&mut core.db.read().await?, behind).await?;
        let Some(scope) = next else { break };
        while feed(core, Scope(scope)).await? {
            while merge(core, Scope(scope)).await? {}
            steps += 1;
            if steps == STEPS || core.stop.is_cancelled() {
                return Ok(true);
            }
        }
        behind = scope;
    }
    let before = core.clock.now().plus_seconds(-KEPT_SECONDS);
    loop {
        let gone = store::gone(&mut core.db.read().await?, before).await?;
        let Some(id) = gone else { return Ok(false) };
        core.db.write(vec![], id, store::remove).await?;
    }
}

/// Makes one segment of what waits, and answers whether that was worth it.
async fn feed(core: &Core, scope: Scope) -> DbResult<bool> {
    let mut conn = core.db.read().await?;
    // The stamps first: a text that changes after it was read has another stamp, and stays.
    let waiting = store::waiting(&mut conn, scope.number(), LARGEST).await?;
    if waiting.len() < LEAST {
        return Ok(false);
    }
    let ids: Vec<i64> = waiting.iter().map(|w| w.id).collect();
    let docs = docs(&mut conn, scope, &ids).await?;
    drop(conn);
    learn(core, scope, &docs).await?;
    write(core, scope, docs, Vec::new()).await?;
    for out in waiting.chunks(OUT) {
        core.db.write(vec![], (scope.number(), out.to_vec()), store::dequeue).await?;
    }
    Ok(true)
}

/// Adds the words of new rows to those that are offered for near ones.
async fn learn(core: &Core, scope: Scope, docs: &[Doc]) -> DbResult<()> {
    if scope.kind() == Kind::Code {
        return Ok(());
    }
    let words: BTreeSet<&str> = docs.iter().flat_map(|doc| near::words(&doc.text)).collect();
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    for some in words.chunks(CHUNK) {
        let new = store::new_words(&mut core.db.read().await?, scope.number(), some).await?;
        for new in new.chunks(LEARNT) {
            let keyed = |word: &String| {
                let keys = keys(word).into_iter().chain([format!("={word}")]);
                keys.map(|key| (key, word.clone())).collect::<Vec<_>>()
            };
            let keyed: BTreeSet<(String, String)> = new.iter().flat_map(keyed).collect();
            core.db.write(vec![], (scope.number(), keyed.into_iter().collect()), store::add_words).await?;
        }
    }
    Ok(())
}

async fn docs(conn: &mut Conn, scope: Scope, ids: &[i64]) -> DbResult<Vec<Doc>> {
    let mut docs = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        docs.extend(store::docs(conn, scope.kind(), chunk).await?);
    }
    Ok(docs)
}

async fn write(core: &Core, scope: Scope, docs: Vec<Doc>, merged: Vec<i64>) -> DbResult<()> {
    let id = core.ids.next().await?;
    let new = tokio::task::spawn_blocking(move || segment(id, scope, docs, merged))
        .await
        .map_err(|e| DbError::Fault(e.to_string()))?;
    core.db.write(vec![], new, store::insert).await
}

fn segment(id: i64, scope: Scope, mut docs: Vec<Doc>, merged: Vec<i64>) -> NewSegment {
    docs.sort_unstable_by_key(|doc| (doc.created_at, doc.id));
    docs.dedup_by_key(|doc| doc.id);
    let mut builder = Builder::default();
    docs.iter().for_each(|doc| builder.add(&doc.text));
    let marks = docs.iter().step_by(MARK).chain(docs.last()).map(|doc| doc.created_at);
    NewSegment {
        id,
        scope: scope.number(),
        size: i64::try_from(docs.len()).unwrap_or_default(),
        marks: numbers_to_text(marks),
        docs: ids_to_text(&docs.iter().map(|doc| doc.id).collect::<Vec<_>>()),
        blocks: builder.blocks(),
        merged,
    }
}

/// Makes one segment of several small ones; false when there were too few.
async fn merge(core: &Core, scope: Scope) -> DbResult<bool> {
    let mut conn = core.db.read().await?;
    let segments = store::segments(&mut conn, scope.number()).await?;
    let sized = |from: usize, to: usize| {
        let of_size = |s: &&store::Segment| usize::try_from(s.size).is_ok_and(|size| size >= from && size < to);
        segments.iter().filter(of_size).map(|s| (s.id, s.size as usize)).collect::<Vec<_>>()
    };
    let some =
        [sized(0, LEAST * FAN / 2), sized(LEAST * FAN / 2, LARGEST / 2)].into_iter().find(|some| some.len() >= FAN);
    let Some(some) = some else { return Ok(false) };
    let (mut merged, mut size) = (Vec::new(), 0);
    for (id, rows) in some {
        if size + rows <= LARGEST {
            size += rows;
            merged.push(id);
        }
    }
    let members = store::members(&mut conn, &merged).await?;
    let mut ids: Vec<i64> = members.iter().flat_map(|(_, docs)| ids_of_text(docs)).collect();
    ids.sort_unstable();
    ids.dedup();
    let docs = docs(&mut conn, scope, &ids).await?;
    drop(conn);
    write(core, scope, docs, merged).await?;
    Ok(true)
}
