//! Proves the invariants of money and attribution over a whole database, and names the rows that break them.
//!
//! Each check is one question whose answer should be no rows. It reads one snapshot, so it can run beside a
//! busy server.

mod arithmetic;
mod store;

use serde::Serialize;

use crate::db::{Db, DbResult};
use crate::seal::{self, Chain};

const SEARCHED: &str = "Every lead, referrer and code is in the index of the search, or waits to be.";
const NAMED: &str = "Every row that a lead, a touch, a payment, a commission or a ledger entry names is there.";
const SEALED: &str = "Sealed ledger entries, audit entries and terms are as they were when they were sealed.";

/// One invariant and the rows that break it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Finding {
    /// The invariant.
    pub rule: &'static str,
    /// The first rows that break it, in words.
    pub broken: Vec<String>,
}

/// The result of checking the whole database.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Report {
    pub ok: bool,
    /// The number of invariants that were checked.
    pub rules: usize,
    pub commissions: i64,
    pub entries: i64,
    pub findings: Vec<Finding>,
}

/// Checks everything on one snapshot, so that running writes do not look like faults.
pub async fn check(db: &Db) -> DbResult<Report> {
    let mut conn = db.snapshot().await?;
    let mut findings = Vec::new();
    for (rule, text) in store::questions() {
        let broken = store::ask(&mut conn, text).await?;
        if !broken.is_empty() {
            findings.push(Finding { rule, broken });
        }
    }
    let orphans = store::orphans(&mut conn).await?;
    if !orphans.is_empty() {
        findings.push(Finding { rule: NAMED, broken: orphans });
    }
    let (commissions, wrong) = arithmetic::check(&mut conn).await?;
    if !wrong.is_empty() {
        findings.push(Finding { rule: arithmetic::RULE, broken: wrong });
    }
    let lost = crate::search::prove(&mut conn, store::MOST).await?;
    if !lost.is_empty() {
        findings.push(Finding { rule: SEARCHED, broken: lost });
    }
    let mut unsealed = Vec::new();
    for business in crate::business::all(&mut conn).await? {
        for chain in Chain::ALL {
            let broken = seal::verify(&mut conn, chain, business.id).await?.broken;
            unsealed.extend(broken.map(|why| format!("business {}: {why}", business.id)));
        }
    }
    if !unsealed.is_empty() {
        findings.push(Finding { rule: SEALED, broken: unsealed });
    }
    let entries = store::entries(&mut conn).await?;
    Ok(Report { ok: findings.is_empty(), rules: store::questions().count() + 4, commissions, entries, findings })
}
