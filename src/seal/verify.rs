//! Proves a chain.

use serde::Serialize;

use super::note::{BATCH, Chain, seal_of};
use super::store::{self, Note};
use crate::db::{Conn, DbResult};

/// The result of proving a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Entries in the chain.
    pub sealed: usize,
    /// Recorded entries that wait for their seal.
    pub unsealed: usize,
    /// The first mismatch, in a sentence.
    pub broken: Option<String>,
}

/// Goes through the whole chain of a business, and what waits to be in it.
pub async fn verify(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<Verified> {
    let mut all = Verified { sealed: 0, unsealed: 0, broken: None };
    all.broken = fault(conn, chain, business_id, &mut all).await?;
    Ok(all)
}

/// The first mismatch.
async fn fault(conn: &mut Conn, chain: Chain, business_id: i64, all: &mut Verified) -> DbResult<Option<String>> {
    let name = chain.word();
    let (mut position, mut seal) = (0, String::new());
    loop {
        let notes = store::sealed(conn, chain, business_id, position, BATCH).await?;
        let found = store::digests(conn, chain, business_id, &ids(&notes)).await?;
        for note in &notes {
            if note.position != Some(position + 1) {
                return Ok(Some(format!("the {name} seal at position {} is missing", position + 1)));
            }
            if let Some(broken) = note.fault(name, &found) {
                return Ok(Some(broken));
            }
            seal = seal_of(&seal, note, note.digests.as_deref().unwrap_or_default());
            if note.seal.as_deref() != Some(seal.as_str()) {
                return Ok(Some(format!("the {name} seal at position {} does not fit the one before", position + 1)));
            }
            (position, all.sealed) = (position + 1, all.sealed + note.ids().count());
        }
        if notes.len() < BATCH {
            break;
        }
    }
    let (end, end_seal) = store::head(conn, chain, business_id).await?.unwrap_or_default();
    if end > position {
        return Ok(Some(format!("the {name} chain lacks its end, from position {} on", position + 1)));
    }
    if end != position || end_seal != seal {
        return Ok(Some(format!("the {name} chain does not end where it was sealed to")));
    }
    let mut after = 0;
    loop {
        let notes = store::waiting(conn, chain, business_id, after, BATCH).await?;
        let found = store::digests(conn, chain, business_id, &ids(&notes)).await?;
        for note in &notes {
            if let Some(broken) = note.fault(name, &found) {
                return Ok(Some(broken));
            }
            (after, all.unsealed) = (note.first_id, all.unsealed + note.ids().count());
        }
        if notes.len() < BATCH {
            break;
        }
    }
    let written = store::count(conn, chain, business_id).await?;
    let recorded = i64::try_from(all.sealed + all.unsealed).unwrap_or(i64::MAX);
    Ok((written != recorded)
        .then(|| format!("there are {written} {name} entries, and {recorded} were recorded as they were written")))
}

fn ids(notes: &[Note]) -> Vec<i64> {
    notes.iter().flat_map(Note::ids).collect()
}
