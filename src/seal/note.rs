//! Records the entries of a transaction, with the digests of all their columns.

use std::collections::HashMap;

use serde::Serialize;

use super::store::{self, Note};
use crate::db::{DbResult, Tx};
use crate::id::sha256_hex;

/// The three kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chain {
    Ledger,
    Audit,
    /// Versions of terms: commissions are computed from them.
    Terms,
}

impl Chain {
    pub const ALL: [Self; 3] = [Self::Ledger, Self::Audit, Self::Terms];

    pub fn word(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Audit => "audit",
            Self::Terms => "terms",
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
    pub adjustment_id: Option<i64>,
    pub line_id: Option<i64>,
    pub day: &'a str,
    pub at: i64,
}

/// An audit entry as it is sealed: every column but the folded name.
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

/// A version of terms as it is sealed: every column, and the business of its product.
#[derive(Debug, Serialize)]
pub struct Agreed<'a> {
    pub id: i64,
    pub business_id: i64,
    pub product_id: i64,
    pub number: i64,
    pub valid_from: &'a str,
    pub referral_rate: Option<i64>,
    pub referral_flat: Option<&'a str>,
    pub recurring_rate: Option<i64>,
    pub recurring_flat: Option<&'a str>,
    pub recurring_limit: &'a str,
    pub recurring_count: i64,
    pub hold_days: i64,
    pub created_by: Option<i64>,
    pub created_at: i64,
}

/// Entries of one note.
const NOTED: usize = 256;

/// Hexadecimal digits of an entry's digest: half of a SHA-256.
const DIGITS: usize = 32;

/// Replaces a digest: the entry was gone when its note was first read.
const GONE: &str = "--------------------------------";

/// An entry's business, id and digest.
pub(super) type Digest = (i64, i64, String);

pub(super) fn digest(entry: &impl Serialize) -> String {
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

impl Agreed<'_> {
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

impl Note {
    /// The entries of one business, in the order of their ids.
    pub(super) fn of(entries: &[Digest]) -> Option<Self> {
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

    pub(super) fn ids(&self) -> impl Iterator<Item = i64> {
        self.entries.split(',').map(|id| id.parse().unwrap_or_default())
    }

    /// One for each entry; for a missing one a digest that never matches.
    pub(super) fn digests_of(&self, found: &HashMap<i64, String>) -> String {
        self.ids().map(|id| found.get(&id).map_or(GONE, String::as_str)).collect()
    }

    /// The first entry that differs from its recorded digest.
    pub(super) fn fault(&self, name: &str, found: &HashMap<i64, String>) -> Option<String> {
        let digests = self.digests.as_deref()?;
        self.ids().enumerate().find_map(|(n, id)| match (found.get(&id), digests.get(n * DIGITS..(n + 1) * DIGITS)) {
            (None, _) => Some(format!("{name} entry {id} is missing")),
            (Some(digest), Some(recorded)) if digest == recorded => None,
            _ => Some(format!("{name} entry {id} was changed after it was sealed")),
        })
    }
}

/// Notes sealed, or read, at one time.
pub(super) const BATCH: usize = 100;

pub(super) fn seal_of(previous: &str, note: &Note, digests: &str) -> String {
    sha256_hex(&format!("{previous}\n{}\n{digests}", note.entries))
}
