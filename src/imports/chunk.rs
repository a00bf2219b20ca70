//! One chunk of a file, for the dry run and for the run: the dry run stores only the outcome of each row, the
//! run applies the rows and marks them in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::json;

use super::mapping::{Field, Mapping};
use super::outcome::{Counts, Fate, Verdict};
use super::read::{PaysAgain, Person, Reader};
use super::resolve::{self, Plan};
use super::store::{self, RowLine};
use super::table::Row;
use super::{Import, Kind, paid, referrers as people_who_refer};
use crate::actor::UPLOAD;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Terms, Tx};
use crate::engine::{Decided, Event, Outcome};
use crate::jobs::{Claimed, Progress};
use crate::payout_details::{self, Details, Keys};
use crate::referrers::{self, Became, NewReferrer};
use crate::secret_key::SecretKey;
use crate::secrets;

/// The kinds of job.
pub const CHECK: &str = "import_check";
pub const RUN: &str = UPLOAD;

/// Rows of one step: applied rows hold the writer of SQLite, examined rows do not.
const CHECKED: usize = 400;
const APPLIED: usize = 64;

/// One step of a dry run.
pub fn check_step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let (import, chunk) = read(&core, &job, CHECKED).await?;
        let mut verdicts = chunk.verdicts;
        match chunk.work {
            Work::Events(events, of) => {
                let outcomes = if events.is_empty() { Vec::new() } else { core.engine.preview(events).await?.0 };
                verdicts.extend(of.iter().zip(outcomes).map(|((p, claimed), o)| resolve::verdict(p, *claimed, o)));
            }
            Work::Referrers(new, of) => {
                let mut conn = core.db.read().await?;
                let became = referrers::preview(&mut conn, &new).await?;
                let keys = core.keyring.keys().unwrap_or_default();
                let paid = paid_by(&of, &became);
                let differing = payout_details::differing(&mut conn, &keys, import.business_id, &paid).await?;
                drop(conn);
                let became = with_details(became, &differing);
                let became = of.iter().zip(became).map(|(p, became)| as_a_row_before_left_it(p, became));
                let became: Vec<Became> = became.collect();
                verdicts.extend(of.iter().zip(became).map(|(p, b)| people_who_refer::verdict(p, b)));
            }
        }
        for verdict in &mut verdicts {
            // Ids of a preview belong to no row.
            (verdict.lead_id, verdict.referrer_id) = (None, None);
        }
        let step = Step { import, job, verdicts, of: Vec::new(), end: chunk.end, for_good: false };
        core.db.write(vec![], step, tell).await
    })
}

/// The results of a step's rows.
struct Step<P> {
    import: Import,
    job: Arc<Claimed>,
    verdicts: Vec<Verdict>,
    /// Those whose verdict follows from what becomes of them.
    of: Vec<P>,
    end: Option<i64>,
    for_good: bool,
}

async fn tell(tx: &mut Tx, step: &Step<Person>) -> DbResult<Progress> {
    finish(tx, step, step.verdicts.clone()).await
}

async fn tell_outcomes(
    tx: &mut Tx,
    step: &Step<(Person, Option<i64>)>,
    outcomes: Vec<Decided<Outcome>>,
) -> DbResult<Progress> {
    let mut verdicts = step.verdicts.clone();
    verdicts.extend(step.of.iter().zip(outcomes).map(|((p, claimed), o)| resolve::verdict(p, *claimed, o)));
    finish(tx, step, verdicts).await
}

/// The payout details that rows bring for the referrers that they have become.
fn paid_by<'p>(of: &'p [Person], became: &[Became]) -> Vec<(i64, &'p Details)> {
    let referrer = |became: &Became| match became {
        Became::New { referrer_id } | Became::Updated { referrer_id } | Became::Already { referrer_id, .. } => {
            Some(*referrer_id)
        }
        Became::CodeTaken { .. } => None,
    };
    of.iter().zip(became).filter_map(|(p, became)| Some((referrer(became)?, p.paid_by.as_ref()?))).collect()
}

/// A referrer who was there already and is paid in another way now was updated.
fn with_details(became: Vec<Became>, changed: &[i64]) -> Vec<Became> {
    let updated = |became| match became {
        Became::Already { referrer_id, code: None } if changed.contains(&referrer_id) => {
            Became::Updated { referrer_id }
        }
        other => other,
    };
    became.into_iter().map(updated).collect()
}

/// A dry run stores no row, so the referrer of a further row is not there yet, or is as they were before the file.
fn as_a_row_before_left_it(p: &Person, became: Became) -> Became {
    match (p.pays_again, became) {
        (Some(_), Became::New { referrer_id })
        | (Some(PaysAgain::Others), Became::Already { referrer_id, code: None }) => Became::Updated { referrer_id },
        (_, became) => became,
    }
}

async fn add_referrers(
    tx: &mut Tx,
    (step, new, keys): &(Step<Person>, Vec<NewReferrer>, Option<Keys>),
) -> DbResult<Progress> {
    let mut became = referrers::add_many(tx, new).await?;
    if let Some(keys) = keys {
        let paid = paid_by(&step.of, &became);
        let changed = payout_details::set_many(tx, keys, step.import.business_id, &paid).await?;
        became = with_details(became, &changed);
    }
    let mut verdicts = step.verdicts.clone();
    verdicts.extend(step.of.iter().zip(became).map(|(p, b)| people_who_refer::verdict(p, b)));
    finish(tx, step, verdicts).await
}

/// One step of a run.
pub fn run_step(core: Core, job: Arc<Claimed>) -> BoxFuture<'static, DbResult<Progress>> {
    Box::pin(async move {
        let (import, Chunk { verdicts, work, end }) = read(&core, &job, APPLIED).await?;
        let actor = job.actor.clone();
        match work {
            Work::Events(events, of) => {
                let step = Step { import, job, verdicts, of, end, for_good: true };
                core.engine.slice_and(&actor, events, step, tell_outcomes).await
            }
            Work::Referrers(new, of) => {
                let terms = Terms::of(new.iter().map(NewReferrer::key).collect()).by(&actor);
                let mut terms = terms.ids(new.len() * (referrers::IDS_EACH + payout_details::IDS_EACH));
                let keys = if of.iter().any(|p| p.paid_by.is_some()) { Some(keys(&core).await?) } else { None };
                if keys.is_some() {
                    terms = terms.and(payout_details::LOCK);
                }
                let step = Step { import, job, verdicts, of, end, for_good: true };
                core.db.write_on(terms, (step, new, keys), add_referrers).await
            }
        }
    })
}

/// The keys of payout details; without one the run waits until somebody has put it back.
async fn keys(core: &Core) -> DbResult<Keys> {
    let seal = secrets::to_seal(core).await?.map_err(DbError::Unavailable)?;
    let open = core.keyring.keys().map_err(DbError::Unavailable)?;
    Ok(Keys { seal, open })
}

enum Work {
    Events(Vec<Event>, Vec<(Person, Option<i64>)>),
    Referrers(Vec<NewReferrer>, Vec<Person>),
}

/// The next rows: those already decided, and those for the engine.
struct Chunk {
    verdicts: Vec<Verdict>,
    work: Work,
    /// The last line of the chunk; none when the file is at its end.
    end: Option<i64>,
}

async fn read(core: &Core, job: &Claimed, most: usize) -> DbResult<(Import, Chunk)> {
    let mut conn = core.db.read().await?;
    let import_id = job.input()["import"].as_i64().unwrap_or_default();
    let gone = || DbError::Fault("the import no longer exists".into());
    let import = store::find(&mut conn, job.business_id, import_id).await?.ok_or_else(gone)?;
    let (from, _) = place(job);
    let rows = store::next_rows(&mut conn, import.id, from, most).await?;
    let keys = core.keyring.keys().unwrap_or_default();
    let chunk = split(&mut conn, &import, job, rows, most, &keys).await?;
    Ok((import, chunk))
}

/// The position of a job: the last line, and the counts so far. A job that follows a failed one continues
/// there.
fn place(job: &Claimed) -> (i64, Counts) {
    let input = job.input();
    match job.cursor.parse() {
        Ok(line) => (line, serde_json::from_value(job.result()).unwrap_or_default()),
        Err(_) => (
            input["from"].as_i64().unwrap_or_default(),
            serde_json::from_value(input["counts"].clone()).unwrap_or_default(),
        ),
    }
}

async fn split(
    conn: &mut Conn,
    import: &Import,
    job: &Claimed,
    rows: Vec<RowLine>,
    most: usize,
    keys: &[SecretKey],
) -> DbResult<Chunk> {
    let (mapping, whole) = (import.mapping(), rows.len() == most);
    let by_semicolons = import.delimiter == ";";
    let reader = Reader { kind: import.kind(), mapping: &mapping, country: &import.country, by_semicolons };
    let first = rows.first().map_or(0, |row| row.line);
    let mut last = rows.last().map(|row| row.line);
    let (mut verdicts, mut people) = (Vec::new(), Vec::new());
    for row in rows {
        if let Some(fault) = &row.fault {
            verdicts.push(Verdict::because(row.line, Fate::Invalid, None, fault.clone()));
            continue;
        }
        let cells = Row { line: row.line.unsigned_abs(), cells: row.cells() };
        let person = reader.read(&cells).and_then(|person| match import.kind() {
            Kind::Referrers => {
                let of = paid::Of { import_id: import.id, country: &import.country, name: &person.contact.name };
                let read = paid::details(&row.stored_cells(), &mapping, keys, &of);
                let wrong = |(field, why)| Verdict::because(row.line, Fate::Invalid, Some(field), why);
                Ok(Person { paid_by: read.map_err(wrong)?, ..person })
            }
            _ => Ok(person),
        });
        match person {
            Ok(person) => people.push(person),
            Err(verdict) => verdicts.push(verdict),
        }
    }
    further(conn, import, &mapping, keys, first, &mut people).await?;
    let mut fresh = repeats(conn, import, first, people, &mut verdicts).await?;
    // The second of two rows about one person waits for the outcome of the first.
    let mut seen = HashSet::new();
    let again = fresh.iter().position(|p| {
        let code = p.code_key().filter(|_| import.kind() == Kind::Referrers);
        !seen.insert(p.key.clone()) | code.is_some_and(|c| !seen.insert(format!("own code {c}")))
    });
    if let Some(at) = again {
        let line = fresh[at].line;
        fresh.truncate(at);
        verdicts.retain(|v| v.line < line);
        last = Some(line - 1);
    }
    let end = last.filter(|_| whole || again.is_some());
    if import.kind() == Kind::Referrers {
        let new = fresh.iter().map(|p| people_who_refer::new(import, p)).collect();
        return Ok(Chunk { verdicts, work: Work::Referrers(new, fresh), end });
    }
    let plans = if fresh.is_empty() { Vec::new() } else { resolve::plan(conn, import, &job.actor, &fresh).await? };
    let (mut events, mut of) = (Vec::new(), Vec::new());
    for (mut person, plan) in fresh.into_iter().zip(plans) {
        match plan {
            Plan::Alone(event, why) => {
                person.lacks_referrer = true;
                person.notes.push((Field::ReferrerEmail, format!("Added without a referrer: {}", lower_first(&why))));
                events.push(*event);
                of.push((person, None));
            }
            Plan::Event(event, claimed) => {
                events.push(*event);
                of.push((person, claimed));
            }
            Plan::Told(verdict) => verdicts.push(verdict),
        }
    }
    Ok(Chunk { verdicts, work: Work::Events(events, of), end })
}

/// A sentence behind a colon.
fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Finds the further rows of a referrer that have other payout details than the last row before that has any.
async fn further(
    conn: &mut Conn,
    import: &Import,
    mapping: &Mapping,
    keys: &[SecretKey],
    first: i64,
    people: &mut [Person],
) -> DbResult<()> {
    let paid: Vec<String> = people.iter().filter(|p| p.paid_by.is_some()).map(|p| p.key.clone()).collect();
    if paid.is_empty() {
        return Ok(());
    }
    let mut before: HashMap<String, Option<Details>> = HashMap::new();
    for row in store::earlier_cells(conn, import.id, first, &paid).await? {
        let name = people.iter().find(|p| p.key == row.key).map_or("", |p| p.contact.name.as_str());
        let of = paid::Of { import_id: import.id, country: &import.country, name };
        let theirs = paid::details(&row.stored_cells(), mapping, keys, &of).ok().flatten();
        let last = before.entry(row.key).or_default();
        *last = theirs.or(last.take());
    }
    for p in people.iter_mut().filter(|p| p.paid_by.is_some()) {
        p.pays_again = match before.get(&p.key) {
            None => None,
            Some(None) => Some(PaysAgain::First),
            Some(last) => (*last != p.paid_by).then_some(PaysAgain::Others),
        };
    }
    Ok(())
}

/// Takes out the rows that an earlier row of the file says already.
async fn repeats(
    conn: &mut Conn,
    import: &Import,
    first: i64,
    people: Vec<Person>,
    verdicts: &mut Vec<Verdict>,
) -> DbResult<Vec<Person>> {
    let keys: Vec<String> = people.iter().map(|p| p.key.clone()).collect();
    let earlier = store::earlier_people(conn, import.id, first, &keys).await?;
    let own: Vec<String> = match import.kind() {
        Kind::Referrers => people.iter().filter_map(Person::code_key).collect(),
        _ => Vec::new(),
    };
    let codes =
        if own.is_empty() { Default::default() } else { store::earlier_codes(conn, import.id, first, &own).await? };
    Ok(people
        .into_iter()
        .filter(|p| {
            if let Some((line, code)) = earlier.get(&p.key) {
                let claim = if import.kind() == Kind::Referrers { p.code_key() } else { p.claim_key() };
                if claim.is_some() && claim != *code {
                    let what = if import.kind() == Kind::Referrers { "code" } else { "referrer" };
                    let why = format!(
                        "Line {line} is the same person with another {what}, and was taken. Keep one of the two."
                    );
                    let field = if p.code.is_some() { Field::Code } else { Field::ReferrerEmail };
                    verdicts.push(Verdict::because(p.line, Fate::Invalid, Some(field), why));
                    return false;
                }
                if p.pays_again.is_some() {
                    return true;
                }
                verdicts.push(Verdict::because(p.line, Fate::Duplicate, None, format!("The same as line {line}.")));
                return false;
            }
            if let Some(line) = p.code_key().and_then(|code| codes.get(&code)) {
                let why = format!("Line {line} has this code already.");
                verdicts.push(Verdict::because(p.line, Fate::Invalid, Some(Field::Code), why));
                return false;
            }
            true
        })
        .collect())
}

/// Marks the rows and records how far the job has come; at the end, the outcome of the file.
async fn finish<P>(tx: &mut Tx, step: &Step<P>, mut verdicts: Vec<Verdict>) -> DbResult<Progress> {
    let Step { import, job, for_good, .. } = step;
    verdicts.sort_by_key(|v| v.line);
    store::mark(tx, import.id, &verdicts).await?;
    let (from, mut counts) = place(job);
    for verdict in &verdicts {
        counts.add(verdict.fate);
    }
    let mut progress = job.progress();
    progress.cursor = verdicts.last().map_or(step.end.unwrap_or(from), |v| v.line).to_string();
    progress.done = counts.rows;
    progress.total = import.rows_total;
    progress.result = json!(counts).to_string();
    progress.finished = step.end.is_none();
    if progress.finished {
        let (state, at) = (if *for_good { "done" } else { "checked" }, for_good.then(|| tx.now()));
        store::end(tx, import.id, state, &counts, at).await?;
        if *for_good {
            let entry = NewEntry::by(tx, import.business_id, "import.done", ("import", import.id))?
                .after(json!({ "file": import.file_name, "kind": import.kind, "counts": counts }));
            audit::write(tx, &[entry]).await?;
        }
    }
    job.advance(tx, &progress).await?;
    Ok(progress)
}
