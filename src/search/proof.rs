//! Proves that every row is found by every piece of its text: for `refdesk check`.

use std::collections::{HashMap, HashSet};

use super::grams::{Opened, Rows, grams, ids_of_text};
use super::{Scope, store};
use crate::db::{Conn, DbResult};

const CHUNK: usize = 4_096;

/// The first rows that are neither in the index with their text as it is, nor waiting to be.
pub async fn prove(conn: &mut Conn, most: usize) -> DbResult<Vec<String>> {
    let mut wrong = Vec::new();
    for scope in store::possible(conn).await? {
        let scope = Scope(scope);
        let mut proved: HashSet<i64> = HashSet::new();
        for segment in store::segments(conn, scope.number()).await? {
            prove_segment(conn, scope, &segment, &mut proved).await?;
        }
        let waiting = store::waiting(conn, scope.number(), usize::MAX >> 1).await?;
        proved.extend(waiting.into_iter().map(|w| w.id));
        let mut behind = 0;
        loop {
            let ids = store::ids_behind(conn, scope, behind, CHUNK as i64).await?;
            let Some(last) = ids.last() else { break };
            behind = *last;
            let lost = ids.iter().filter(|id| !proved.contains(id));
            wrong.extend(lost.map(|id| format!("{:?} {id}", scope.kind())).take(most.saturating_sub(wrong.len())));
        }
    }
    Ok(wrong)
}

async fn prove_segment(
    conn: &mut Conn,
    scope: Scope,
    segment: &store::Segment,
    proved: &mut HashSet<i64>,
) -> DbResult<()> {
    let size = usize::try_from(segment.size).unwrap_or_default();
    let mut of_gram: HashMap<i64, Rows> = HashMap::new();
    for body in store::all_blocks(conn, segment.id).await? {
        of_gram.extend(Opened::of(&body, size).all());
    }
    let docs = store::members(conn, &[segment.id]).await?.pop().map(|(_, docs)| docs).unwrap_or_default();
    let members = ids_of_text(&docs);
    let at: HashMap<i64, usize> = members.iter().enumerate().map(|(row, id)| (*id, row)).collect();
    for ids in members.chunks(CHUNK) {
        for doc in store::docs(conn, scope.kind(), ids).await? {
            let has = |gram| at.get(&doc.id).is_some_and(|row| of_gram.get(&gram).is_some_and(|rows| rows.has(*row)));
            if grams(&doc.text).all(has) {
                proved.insert(doc.id);
            }
        }
    }
    Ok(())
}
