use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::copies;
use super::expected::Expected;
use super::store::{self, CLICKS, Correction, Counted};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::business::{self, BusinessRow};
use crate::clock::Zone;
use crate::core::Core;
use crate::db::{Db, DbError, DbResult, Key, Terms, Tx};
use crate::figures;

/// Counters corrected in one transaction, so that none holds SQLite's writer for long.
const STEP: usize = 200;

/// A counter that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Corrected {
    /// A campaign, a code and so on, with its id.
    pub of: String,
    pub counter: String,
    /// A day in the business's zone or, behind a `u`, the number of a UTC day; empty for the total.
    pub day: String,
    pub was: i64,
    pub is: i64,
}

/// The result of a recount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Recount {
    pub businesses: usize,
    /// Counters that were compared with their rows.
    pub counters: usize,
    pub corrected: Vec<Corrected>,
}

/// The end of a recount before its time.
#[derive(Debug)]
pub enum Refused {
    /// Another one has begun, and does the whole work.
    TakenOver,
    Db(DbError),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// Counts everything anew, business by business.
pub async fn run(core: &Core, actor: &Arc<Actor>) -> Result<Recount, Refused> {
    let number = core.db.write(vec![Key::Recount], (), begin).await?;
    let mut report = Recount::default();
    let businesses = business::all(&mut core.db.read().await?).await?;
    for b in businesses {
        let found = look(&core.db, &b).await?;
        report.businesses += 1;
        report.counters += found.counters;
        let part = Part { number, business_id: Some(b.id), found: found.corrected.len(), ..Part::default() };
        correct(core, actor, part, found.corrections, found.to_copy).await?;
        report.corrected.extend(found.corrected);
    }
    let lost = store::of_nothing(&mut core.db.snapshot().await?).await?;
    let (corrected, corrections) = differences(lost, &BTreeMap::new(), |_| "nothing");
    correct(core, actor, Part { number, ..Part::default() }, corrections, BTreeSet::new()).await?;
    report.corrected.extend(corrected);
    while figures::run(core).await? {}
    Ok(report)
}

async fn begin(tx: &mut Tx, _: &()) -> DbResult<i64> {
    store::begin(tx).await
}

/// The errors of one business, in one snapshot.
struct Found {
    counters: usize,
    corrected: Vec<Corrected>,
    corrections: Vec<Correction>,
    to_copy: BTreeSet<i64>,
}

async fn look(db: &Db, b: &BusinessRow) -> DbResult<Found> {
    let mut conn = db.snapshot().await?;
    let zone = Zone::parse(&b.timezone).unwrap_or_default();
    let expected = Expected::of(&mut conn, b.id, zone).await?;
    let (clicks, counted): (Vec<Counted>, Vec<Counted>) =
        store::counted(&mut conn, b.id).await?.into_iter().partition(|c| c.name == CLICKS);
    let clicks = clicks.into_iter().filter(|c| c.day.is_empty()).map(|c| (c.scope_id, c.value)).collect();
    let campaigns: BTreeSet<i64> = store::campaigns(&mut conn, b.id).await?.into_iter().collect();
    let codes: BTreeSet<i64> = store::codes(&mut conn, b.id).await?.into_iter().map(|c| c.id).collect();
    let kind = |id: i64| match id {
        id if id == b.id => "business",
        id if campaigns.contains(&id) => "campaign",
        id if codes.contains(&id) => "code",
        _ => "enrollment",
    };
    let counters = counted.len();
    let (mut corrected, corrections) = differences(counted, &expected.counters, kind);
    let (copies, mut to_copy) = copies::wrong(&mut conn, (b.id, &b.currency), &expected, &clicks).await?;
    corrected.extend(copies);
    to_copy.extend(corrections.iter().map(|c| c.scope_id).filter(|id| *id != b.id && !campaigns.contains(id)));
    Ok(Found { counters, corrected, corrections, to_copy })
}

/// Counters against the rows they count.
fn differences(
    counted: Vec<Counted>,
    expected: &BTreeMap<(i64, String, String), i64>,
    kind: impl Fn(i64) -> &'static str,
) -> (Vec<Corrected>, Vec<Correction>) {
    let mut all: BTreeMap<(i64, String, String), (i64, i64, i64)> = BTreeMap::new();
    for c in counted {
        all.insert((c.scope_id, c.name, c.day), (c.value, c.added, 0));
    }
    for (name, value) in expected {
        all.entry(name.clone()).or_default().2 = *value;
    }
    let mut found = (Vec::new(), Vec::new());
    for ((scope_id, name, day), (was, added, is)) in all.into_iter().filter(|(_, (was, _, is))| was != is) {
        let of = format!("{} {scope_id}", kind(scope_id));
        found.0.push(Corrected { of, counter: name.clone(), day: day.clone(), was, is });
        found.1.push(Correction { scope_id, name, day, added: added + is - was });
    }
    found
}

/// One transaction's share of the corrections of a business.
#[derive(Debug, Clone, Default)]
struct Part {
    number: i64,
    business_id: Option<i64>,
    corrections: Vec<Correction>,
    to_copy: BTreeSet<i64>,
    /// The corrections in all, for the audit entry of the last part.
    found: usize,
    is_last: bool,
}

async fn correct(
    core: &Core,
    actor: &Arc<Actor>,
    blank: Part,
    corrections: Vec<Correction>,
    to_copy: BTreeSet<i64>,
) -> Result<(), Refused> {
    let to_copy: Vec<i64> = to_copy.into_iter().collect();
    let steps = corrections.len().max(to_copy.len()).div_ceil(STEP);
    let (mut corrections, mut to_copy) = (corrections.chunks(STEP), to_copy.chunks(STEP));
    for step in 1..=steps {
        let part = Part {
            corrections: corrections.next().unwrap_or_default().to_vec(),
            to_copy: to_copy.next().unwrap_or_default().iter().copied().collect(),
            is_last: step == steps,
            ..blank.clone()
        };
        if !core.db.write_on(Terms::of(vec![Key::Recount]).by(actor), part, write).await? {
            return Err(Refused::TakenOver);
        }
    }
    Ok(())
}

/// Answers false, and writes nothing, once another recount has begun: it has counted what this one corrected.
async fn write(tx: &mut Tx, part: &Part) -> DbResult<bool> {
    if store::current(tx).await? != part.number {
        return Ok(false);
    }
    store::correct(tx, &part.corrections).await?;
    figures::enqueue(tx, &part.to_copy).await?;
    if let Some(business_id) = part.business_id.filter(|_| part.is_last) {
        let subject = ("business", business_id);
        let entry =
            NewEntry::by(tx, business_id, "business.recounted", subject)?.after(json!({ "corrected": part.found }));
        audit::write(tx, &[entry]).await?;
    }
    Ok(true)
}
