//! Seals ledger and audit entries into a chain of SHA-256 per business: each seal covers the one before
//! it and the whole row, so a row that is changed, taken out or put in between later no longer fits.
//!
//! Entries are written without a seal, because a chain would make every writer wait for the one before;
//! [`turn`] seals them within a minute, in id order, under `Key::Seal`. [`verify`] proves a chain, and the
//! `chains` table remembers where it ended, so that rows missing at its end are noticed as well.

mod store;

use serde::Serialize;

use crate::app::App;
use crate::db::{Conn, DbResult, Key};
use crate::id::sha256_hex;

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

/// A row as it goes into the chain.
#[derive(Debug, Clone)]
pub struct Link {
    pub id: i64,
    pub position: Option<i64>,
    pub seal: Option<String>,
    /// Every column but the two of the seal, as JSON.
    pub text: String,
}

/// Rows sealed in one transaction.
const BATCH: usize = 400;
/// Batches of one chain in one turn, so that a turn ends.
const BATCHES: usize = 100;

fn seal_of(previous: &str, text: &str) -> String {
    sha256_hex(&format!("{previous}\n{text}"))
}

/// One turn of the scheduled task; true when entries are left.
pub async fn turn(app: App) -> DbResult<bool> {
    let mut more = false;
    for chain in Chain::ALL {
        for business_id in store::businesses(&mut app.db.read().await?, chain).await? {
            for batch in 0..=BATCHES {
                if batch == BATCHES || app.stop.is_cancelled() {
                    more = true;
                    break;
                }
                if seal_batch(&app, chain, business_id).await? < BATCH {
                    break;
                }
            }
        }
    }
    Ok(more)
}

/// Seals the next entries of a business and answers how many.
async fn seal_batch(app: &App, chain: Chain, business_id: i64) -> DbResult<usize> {
    app.db
        .write(vec![Key::Seal(business_id)], move |tx| {
            Box::pin(async move {
                let (mut position, mut seal) = store::head(tx, chain, business_id).await?.unwrap_or_default();
                let links = store::unsealed(tx, chain, business_id, BATCH).await?;
                let mut sealed = Vec::with_capacity(links.len());
                for link in links {
                    position += 1;
                    seal = seal_of(&seal, &link.text);
                    sealed.push((link.id, position, seal.clone()));
                }
                if !sealed.is_empty() {
                    store::seal(tx, chain, &sealed).await?;
                    store::set_head(tx, chain, business_id, position, &seal).await?;
                }
                Ok(sealed.len())
            })
        })
        .await
}

/// What a chain proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub sealed: i64,
    /// Entries that are waiting for their seal.
    pub unsealed: i64,
    /// The first thing that does not fit, in a sentence.
    pub broken: Option<String>,
}

/// Goes through the whole chain of a business.
pub async fn verify(conn: &mut Conn, chain: Chain, business_id: i64) -> DbResult<Verified> {
    let name = chain.word();
    let unsealed = store::count_unsealed(conn, chain, business_id).await?;
    let (mut position, mut seal) = (0, String::new());
    let broken = |sealed, why| Verified { sealed, unsealed, broken: Some(why) };
    loop {
        let links = store::sealed(conn, chain, business_id, position, BATCH).await?;
        for link in &links {
            if link.position != Some(position + 1) {
                return Ok(broken(position, format!("the {name} entry at position {} is missing", position + 1)));
            }
            let wanted = seal_of(&seal, &link.text);
            if link.seal.as_deref() != Some(wanted.as_str()) {
                return Ok(broken(position, format!("{name} entry {} was changed after it was sealed", link.id)));
            }
            (position, seal) = (position + 1, wanted);
        }
        if links.len() < BATCH {
            break;
        }
    }
    let (end, end_seal) = store::head(conn, chain, business_id).await?.unwrap_or_default();
    if end > position {
        return Ok(broken(position, format!("{} {name} entries are missing at the end", end - position)));
    }
    if end != position || end_seal != seal {
        return Ok(broken(position, format!("the {name} chain does not end where it was sealed to")));
    }
    Ok(Verified { sealed: position, unsealed, broken: None })
}
