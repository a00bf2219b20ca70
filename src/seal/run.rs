//! Puts notes into the chain.

use super::note::{BATCH, Chain, seal_of};
use super::store::{self, Note};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

/// Such transactions of one chain in one run, so that a run ends.
const BATCHES: usize = 100;

/// Notes without digests in one transaction: each needs its entries read.
const UNREAD: usize = 4;

/// One run of the scheduled task; true when notes are left.
pub async fn run(core: &Core) -> DbResult<bool> {
    let mut more = false;
    for chain in Chain::ALL {
        let businesses = store::businesses(&mut core.db.read().await?, chain).await?;
        for business_id in businesses {
            for batch in 0..=BATCHES {
                if batch == BATCHES || core.stop.is_cancelled() {
                    more = true;
                    break;
                }
                if !seal_batch(core, chain, business_id).await? {
                    break;
                }
            }
        }
    }
    Ok(more)
}

/// Seals the next notes of a business; true when there may be more.
async fn seal_batch(core: &Core, chain: Chain, business_id: i64) -> DbResult<bool> {
    core.db.write(vec![Key::Seal(business_id)], (chain, business_id), seal_in).await
}

async fn seal_in(tx: &mut Tx, &(chain, business_id): &(Chain, i64)) -> DbResult<bool> {
    let (mut position, mut seal) = store::head(tx, chain, business_id).await?.unwrap_or_default();
    let mut notes = store::waiting(tx, chain, business_id, 0, BATCH).await?;
    let mut more = notes.len() == BATCH;
    let unread = |(_, note): &(usize, &Note)| note.digests.is_none();
    if let Some((end, _)) = notes.iter().enumerate().filter(unread).nth(UNREAD) {
        (more, _) = (true, notes.truncate(end));
    }
    let unread: Vec<i64> = notes.iter().filter(|note| note.digests.is_none()).flat_map(Note::ids).collect();
    let found = store::digests(tx, chain, business_id, &unread).await?;
    let mut sealed = Vec::with_capacity(notes.len());
    for note in notes {
        position += 1;
        let digests = note.digests.clone().unwrap_or_else(|| note.digests_of(&found));
        seal = seal_of(&seal, &note, &digests);
        sealed.push((note.first_id, digests, position, seal.clone()));
    }
    if !sealed.is_empty() {
        store::seal(tx, &sealed).await?;
        store::set_head(tx, chain, business_id, position, &seal).await?;
    }
    Ok(more)
}
