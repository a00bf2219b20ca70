//! The answer of PayPal, Wise or a bank about a payout: examined against its lines, then applied. Rows that are not
//! matched change nothing, and an answer that is read again changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;

use super::files::{Format, Head, Part};
use super::formats;
use super::lock::hindrance;
use super::refused::Refused;
use super::results::{self, Change, Judged, Line, ReadError, Reading, Report, State, Unread, Verdict};
use super::settle::{Settled, settle_again};
use super::source::{Source, reference};
use super::store::{self, LineFilter, LineRow, PayoutRow};
use super::wish::Settle;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::engine::payout::LineEvent;
use crate::engine::state::LineState;
use crate::id::digest_hex;
use crate::payout_details::{self, Details};

/// Lines read at once.
const CHUNK: usize = 1_000;

/// An answer as it was sent.
#[derive(Debug, Clone)]
pub struct Answer {
    pub file_name: String,
    pub bytes: Arc<Vec<u8>>,
    /// The meaning of its columns; as somebody chose it last for this kind of file, or as proposed, without it.
    pub reading: Option<Reading>,
}

/// Why an answer was not read at all.
#[derive(Debug)]
pub enum NotRead {
    Refused(Refused),
    File(ReadError),
}

impl NotRead {
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => why.sentence(),
            Self::File(why) => why.to_string(),
        }
    }
}

/// The verdicts of an answer about each line, and their effects.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    pub rows: Vec<Row>,
    /// Rows that say nothing, each with the reason.
    pub unread: Vec<Unread>,
    /// Lines of the payout that the answer does not name and that are still open.
    pub unnamed: usize,
}

/// A row of the answer.
#[derive(Debug, Clone)]
pub struct Row {
    pub judged: Judged,
    pub line: Option<LineRow>,
}

impl Examined {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.judged.verdict == verdict).count()
    }

    /// The number of rows by verdict.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let all = Verdict::ALL.into_iter().map(|verdict| (verdict.word(), self.count(verdict)));
        all.filter(|(_, count)| *count > 0).collect()
    }
}

/// True for a bank's answer: it is XML.
pub fn is_pain002(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// The meaning of a table's columns: as chosen now, as remembered where the file has those columns, else as proposed.
pub async fn reading_of(
    conn: &mut Conn,
    payout: &PayoutRow,
    bytes: &[u8],
    chosen: Option<&Reading>,
) -> DbResult<Result<results::Look, ReadError>> {
    let remembered = match chosen {
        Some(_) => None,
        None => formats::reading(conn, payout.business_id, payout.format).await?,
    };
    let look = results::look(bytes, chosen.or(remembered.as_ref()));
    Ok(match look {
        Ok(look) if remembered.is_some() && !look.proposed.columns.are_in(&look.header) => results::look(bytes, None),
        look => look,
    })
}

/// Says what would follow from an answer.
pub async fn examine(
    core: &Core,
    business_id: i64,
    id: i64,
    answer: &Answer,
) -> DbResult<Result<(Examined, Option<Reading>), NotRead>> {
    let mut conn = core.db.read().await?;
    let Some(payout) = store::find(&mut conn, business_id, id).await? else {
        return Ok(Err(NotRead::Refused(Refused::NotFound)));
    };
    if let Some(why) = hindrance(&payout, store::approval(&mut conn, business_id).await?) {
        return Ok(Err(NotRead::Refused(why)));
    }
    let (report, reading) = match read(&mut conn, &payout, answer).await? {
        Ok(read) => read,
        Err(why) => return Ok(Err(NotRead::File(why))),
    };
    let lines = all_lines(&mut conn, id).await?;
    let ids: Vec<i64> = lines.iter().filter_map(|line| line.details_id).collect();
    let opened = payout_details::open(&mut conn, &core.keyring, business_id, &ids).await?;
    let opened: HashMap<i64, Details> = opened.into_iter().filter_map(|o| Some((o.id, o.details.ok()?))).collect();
    drop(conn);
    let files = if reading.is_none() { batches(core, &payout).await? } else { Vec::new() };
    Ok(Ok((judged(&payout, lines, &opened, &files, report), reading)))
}

async fn read(
    conn: &mut Conn,
    payout: &PayoutRow,
    answer: &Answer,
) -> DbResult<Result<(Report, Option<Reading>), ReadError>> {
    if is_pain002(&answer.bytes) {
        return Ok(results::pain002(&answer.bytes).map(|report| (report, None)));
    }
    let look = match reading_of(conn, payout, &answer.bytes, answer.reading.as_ref()).await? {
        Ok(look) => look,
        Err(why) => return Ok(Err(why)),
    };
    let report = results::table(&answer.bytes, &look.proposed, payout.currency);
    Ok(report.map(|report| (report, Some(look.proposed))))
}

/// Every line that is in a payout.
async fn all_lines(conn: &mut Conn, id: i64) -> DbResult<Vec<LineRow>> {
    let mut lines: Vec<LineRow> = Vec::new();
    loop {
        let after = lines.last().map_or(0, |l| l.id);
        let next = store::lines(conn, id, LineFilter::In, after, CHUNK).await?;
        let more = next.len() == CHUNK;
        lines.extend(next);
        if !more {
            return Ok(lines);
        }
    }
}

/// The bank's files with the lines in them; none where the business has no settings for them.
async fn batches(core: &Core, payout: &PayoutRow) -> DbResult<Vec<(Part, Head)>> {
    let mut conn = core.db.read().await?;
    let source = Source::load(&mut conn, &core.keyring, payout.clone(), Format::Sepa).await?;
    drop(conn);
    let Ok(source) = source else { return Ok(Vec::new()) };
    Ok(source.files(core).await?.unwrap_or_default())
}

/// The name of the file that a line is in; files stand in the order of their lines.
fn file_of(files: &[(Part, Head)], line: i64) -> Option<&str> {
    let found = files.get(files.partition_point(|(part, _)| part.last < line));
    found.filter(|(part, _)| part.first <= line).map(|(_, head)| head.id.as_str())
}

fn judged(
    payout: &PayoutRow,
    lines: Vec<LineRow>,
    opened: &HashMap<i64, Details>,
    files: &[(Part, Head)],
    report: Report,
) -> Examined {
    let ids: Vec<String> = lines.iter().map(reference).collect();
    let whole = format!("refdesk-{}", payout.number);
    let of = |(line, id)| {
        let line: &LineRow = line;
        let details = line.details_id.and_then(|id| opened.get(&id)).map(results::recipients).unwrap_or_default();
        let own = std::iter::once(line.referrer.as_str()).chain(line.email.as_deref());
        Line {
            id,
            batch: file_of(files, line.id).unwrap_or(&whole),
            recipients: details.into_iter().chain(own).collect(),
            amount: line.money(),
            state: match line.state {
                LineState::Paid => State::Paid,
                LineState::Failed => State::Failed,
                LineState::Returned => State::Returned,
                LineState::Out | LineState::In | LineState::Locked => State::Waiting,
            },
        }
    };
    let known: Vec<Line<'_>> = lines.iter().zip(ids.iter().map(String::as_str)).map(of).collect();
    let judged = results::judge(&report, &known);
    let mut named = vec![false; lines.len()];
    for at in judged.iter().filter_map(|row| row.line) {
        if let Some(named) = named.get_mut(at) {
            *named = true;
        }
    }
    let open = lines.iter().zip(&named).filter(|(line, named)| line.state == LineState::Locked && !**named);
    let unnamed = open.count();
    let rows = judged.into_iter().map(|judged| Row { line: judged.line.and_then(|at| lines.get(at).cloned()), judged });
    Examined { rows: rows.collect(), unread: report.unread, unnamed }
}

/// Applies an answer: its matched rows settle their lines.
pub async fn apply(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    answer: &Answer,
) -> DbResult<Result<Examined, NotRead>> {
    let (mut examined, reading) = match examine(core, business_id, id, answer).await? {
        Ok(examined) => examined,
        Err(why) => return Ok(Err(why)),
    };
    let changes: Vec<(usize, Settle)> =
        examined.rows.iter().enumerate().filter_map(|(at, row)| Some((at, wish(row)?))).collect();
    let settles: Vec<Settle> = changes.iter().map(|(_, settle)| settle.clone()).collect();
    let settled = match settle_again(core, actor, business_id, id, &settles).await? {
        Ok(settled) => settled,
        Err(why) => return Ok(Err(NotRead::Refused(why))),
    };
    for ((at, _), settled) in changes.iter().zip(settled) {
        let Some(row) = examined.rows.get_mut(*at) else { continue };
        // Somebody else may have settled the line between the look and the deed.
        match settled {
            Settled::Done => {}
            Settled::Already => row.judged.verdict = Verdict::AlreadySo,
            Settled::Never(state) => {
                row.judged.verdict = Verdict::Refused;
                row.judged.sentence = format!("The line is {state} by now, so the row changes nothing.");
            }
            Settled::NotFound => row.judged.verdict = Verdict::Unmatched,
        }
    }
    let note = Note {
        business_id,
        id,
        file_name: answer.file_name.clone(),
        digest: digest_hex(&answer.bytes),
        counts: examined.counts(),
        unread: examined.unread.len(),
        reading,
    };
    core.write(vec![Key::Payouts(business_id)], actor, note, noted).await?;
    Ok(Ok(examined))
}

fn wish(row: &Row) -> Option<Settle> {
    let (line, change) = (row.line.as_ref()?, row.judged.change.as_ref()?);
    let why = |given: &str| {
        let given = given.trim();
        if given.is_empty() { "The provider gave no reason.".to_owned() } else { given.chars().take(500).collect() }
    };
    let (event, reason) = match change {
        Change::Paid => (LineEvent::Pay, None),
        Change::Failed(reason) => (LineEvent::Fail, Some(why(reason))),
        Change::Returned(reason) => (LineEvent::Return, Some(why(reason))),
    };
    let given = row.judged.reference.trim();
    let reference = (!given.is_empty()).then(|| given.chars().take(200).collect());
    Some(Settle { line_id: line.id, event, reason, reference, day: None })
}

struct Note {
    business_id: i64,
    id: i64,
    file_name: String,
    digest: String,
    counts: BTreeMap<&'static str, usize>,
    unread: usize,
    reading: Option<Reading>,
}

async fn noted(tx: &mut Tx, note: &Note) -> DbResult<()> {
    let Some(payout) = store::find(tx, note.business_id, note.id).await? else { return Ok(()) };
    if let Some(reading) = &note.reading {
        formats::remember(tx, note.business_id, payout.format, reading).await?;
    }
    let entry = NewEntry::by(tx, note.business_id, "payout.results_read", ("payout", note.id))?.after(json!({
        "number": payout.number,
        "file": note.file_name,
        "sha256": note.digest,
        "rows": note.counts,
        "unread": note.unread,
    }));
    audit::write(tx, &[entry]).await
}
