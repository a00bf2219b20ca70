//! Seals ledger and audit entries into a chain of SHA-256 per business: an entry that is changed, taken out
//! or put in later no longer fits.
//!
//! A transaction notes the digests of the entries it writes in one row, a [`Note`], because a chain would
//! make every writer wait for the one before. [`turn`] puts the notes into the chain within a minute, in the
//! order of their ids, under `Key::Seal`: a seal covers the one before it and the note. [`verify`] proves a
//! chain, and the `chains` table remembers where it ended, so that notes missing at its end are noticed.

mod store;

use std::collections::HashMap;

use serde::Serialize;

use crate::app::App;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::id::sha256_hex;
use store::Note;

/// Which entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chain {
    Ledger,
    Audit,
}

impl Chain {
    pub const ALL: [Self; 2] = [Self::Ledger, Self::Audit];

    pub fn word(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Audit => "audit",
        }
    }
}

/// A ledger entry as it is sealed: every column.
#[derive(Debug, Serialize)]
pub struct Posted<'a> {
    pub id: i64,
    pub business_id: i64,
    pub referrer_id: i64,
    pub currency: &'a str,
    pub account: &'a str,
    pub amount: i64,
    pub kind: &'a str,
    pub commission_id: Option<i64>,
    pub day: &'a str,
    pub at: i64,
}

/// An audit entry as it is sealed: every column but the one the name is searched by.
#[derive(Debug, Serialize)]
pub struct Audited<'a> {
    pub id: i64,
    pub business_id: i64,
    pub at: i64,
    pub actor_kind: &'a str,
    pub actor_id: Option<i64>,
    pub actor_name: &'a str,
    pub origin: &'a str,
    pub action: &'a str,
    pub subject_kind: &'a str,
    pub subject_id: Option<i64>,
    pub lead_id: Option<i64>,
    pub referrer_id: Option<i64>,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
    pub reason: Option<&'a str>,
}

/// Entries of one note.
const NOTED: usize = 256;
/// Notes sealed in one transaction, and such transactions of one chain in one turn, so that a turn ends.
const BATCH: usize = 100;
const BATCHES: usize = 100;
/// Notes without digests of one such transaction: each is the reading of its entries.
const UNREAD: usize = 4;
/// Hexadecimal digits of an entry's digest: half of a SHA-256.
const DIGITS: usize = 32;
/// In the place of a digest: the entry was gone when its note was first read.
const GONE: &str = "--------------------------------";

/// An entry's business, id and digest.
type Digest = (i64, i64, String);

fn digest(entry: &impl Serialize) -> String {
    let mut digits = sha256_hex(&serde_json::to_string(entry).unwrap_or_default());
    digits.truncate(DIGITS);
    digits
}

impl Posted<'_> {
    pub fn digest(&self) -> Digest {
        (self.business_id, self.id, digest(self))
    }
}

impl Audited<'_> {
    pub fn digest(&self) -> Digest {
        (self.business_id, self.id, digest(self))
    }
}

/// Notes entries in the transaction that writes them.
pub async fn note(tx: &mut Tx, chain: Chain, mut digests: Vec<Digest>) -> DbResult<()> {
    digests.sort_unstable();
    let one_business = digests.chunk_by(|a, b| a.0 == b.0);
    let notes: Vec<Note> = one_business.flat_map(|of| of.chunks(NOTED)).filter_map(Note::of).collect();
    store::add(tx, chain, &notes).await
}

fn seal_of(previous: &str, note: &Note, digests: &str) -> String {
    sha256_hex(&format!("{previous}\n{}\n{digests}", note.entries))
}

/// One turn of the scheduled task; true when notes are left.
pub async fn turn(app: App) -> DbResult<bool> {
    let mut more = false;
    for chain in Chain::ALL {
        for business_id in store::businesses(&mut app.db.read().await?, chain).await? {
            for batch in 0..=BATCHES {
                if batch == BATCHES || app.stop.is_cancelled() {
                    more = true;
                    break;
                }
                if !seal_batch(&app, chain, business_id).await? {
                    break;
                }
            }
        }
    }
    Ok(more)
}

/// Seals the next notes of a business; true when there may be more.
async fn seal_batch(app: &App, chain: Chain, business_id: i64) -> DbResult<bool> {
    app.db
        .write(vec![Key::Seal(business_id)], move |tx| {
            Box::pin(async move {
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
            })
        })
        .await
}

/// What a chain proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Entries in the chain.
    pub sealed: usize,
    /// Entries that are noted and wait for their seal.
    pub unsealed: usize,
    /// The first thing that does not fit, in a sentence.
    pub broken: Option<String>,
}

/// Goes through the whole chain of a business, and what waits to be in it.
pub async fn verify(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<Verified> {
    let mut all = Verified { sealed: 0, unsealed: 0, broken: None };
    all.broken = fault(conn, chain, business_id, &mut all).await?;
    Ok(all)
}

/// The first thing that does not fit.
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
    let noted = i64::try_from(all.sealed + all.unsealed).unwrap_or(i64::MAX);
    Ok((written != noted)
        .then(|| format!("there are {written} {name} entries, and {noted} were noted as they were written")))
}

fn ids(notes: &[Note]) -> Vec<i64> {
    notes.iter().flat_map(Note::ids).collect()
}

impl Note {
    /// Of entries of one business, in the order of their ids.
    fn of(entries: &[Digest]) -> Option<Self> {
        let (business_id, first_id, _) = *entries.first().as_ref()?;
        Some(Self {
            first_id: *first_id,
            business_id: *business_id,
            entries: entries.iter().map(|(_, id, _)| id.to_string()).collect::<Vec<_>>().join(","),
            digests: Some(entries.iter().map(|(_, _, digest)| digest.as_str()).collect()),
            position: None,
            seal: None,
        })
    }

    fn ids(&self) -> impl Iterator<Item = i64> {
        self.entries.split(',').map(|id| id.parse().unwrap_or_default())
    }

    /// One for each entry; of one that is not there, none that fits.
    fn digests_of(&self, found: &HashMap<i64, String>) -> String {
        self.ids().map(|id| found.get(&id).map_or(GONE, String::as_str)).collect()
    }

    /// The first entry that is not as it was noted.
    fn fault(&self, name: &str, found: &HashMap<i64, String>) -> Option<String> {
        let noted = self.digests.as_deref()?;
        self.ids().enumerate().find_map(|(n, id)| match (found.get(&id), noted.get(n * DIGITS..(n + 1) * DIGITS)) {
            (None, _) => Some(format!("{name} entry {id} is missing")),
            (Some(digest), Some(noted)) if digest == noted => None,
            _ => Some(format!("{name} entry {id} was changed after it was sealed")),
        })
    }
}
