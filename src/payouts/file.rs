//! The files by which a locked payout is paid. The same payout gives the same bytes, whatever became of its lines
//! since: names, accounts and amounts are those it was locked with.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::files::{Format, Head, Payer, Payers, Row, Shown, Writer, fit, parts, suits};
use super::frozen;
use super::lock::hindrance;
use super::refused::Refused;
use super::store::{self, LineFilter, LineRow, PayoutRow};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::business;
use crate::clock::{Instant, Zone};
use crate::core::Core;
use crate::db::{Conn, DbError, DbResult, Key, Tx};
use crate::engine::state::PayoutState;
use crate::id::{self, Kind};
use crate::keyring::Keyring;
use crate::payout_details::{self, Details};

/// One of a payout's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
    /// The files that the payout needs in this format.
    pub parts: usize,
}

/// A file as it would be made, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub name: String,
    pub lines: usize,
    /// Minor units.
    pub amount: i64,
}

/// The files of a payout, and its first lines as they will be sent.
pub struct Plan {
    pub files: Vec<Planned>,
    /// A line, and the row that is sent, or why it cannot be.
    pub sample: Vec<(LineRow, Result<Shown, String>)>,
}

/// Lines of a sample.
const SAMPLE: usize = 50;

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFile {
    Refused(Refused),
    /// The payout has fewer files.
    Part,
    /// A referrer's details cannot be read, or a line cannot be sent in this format: a sentence.
    Line(String),
}

impl NoFile {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(why) => why.code(),
            Self::Part => "not_found",
            Self::Line(_) => "payout_line_unfit",
        }
    }

    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => why.sentence(),
            Self::Part => "The payout has no such part.".into(),
            Self::Line(why) => why.clone(),
        }
    }
}

impl From<Refused> for NoFile {
    fn from(why: Refused) -> Self {
        Self::Refused(why)
    }
}

/// The times that a payout or its settings may change while a file is made.
const TRIES: usize = 3;
/// Lines read at once.
const CHUNK: usize = 1_000;

/// A payout with everything that its files are made of.
struct Source {
    payout: PayoutRow,
    /// The version of the settings.
    settings_id: Option<i64>,
    /// The name of the business that pays.
    payer: String,
    zone: Zone,
    lines: Vec<LineRow>,
    opened: HashMap<i64, Result<Details, String>>,
    payers: Payers,
}

impl Source {
    async fn load(
        conn: &mut Conn,
        keyring: &Keyring,
        payout: PayoutRow,
        format: Format,
    ) -> DbResult<Result<Self, NoFile>> {
        if !suits(format, payout.method, payout.currency) {
            return Ok(Err(Refused::Format.into()));
        }
        let Some(version) = frozen::version(conn, &payout, format).await? else {
            return Ok(Err(Refused::NotSetUp(format).into()));
        };
        let whole = match version.open(keyring) {
            Ok(whole) => whole,
            Err(why) => return Ok(Err(NoFile::Line(why))),
        };
        if let Some(problem) = whole.problems().into_iter().next() {
            return Ok(Err(NoFile::Line(problem.reason)));
        }
        let Some((payer, zone)) = payer_of(conn, &payout).await? else { return Ok(Err(Refused::NotFound.into())) };
        let lines = all_lines(conn, payout.id).await?;
        let ids: Vec<i64> = lines.iter().filter_map(|l| l.details_id).collect();
        let opened = payout_details::open(conn, keyring, payout.business_id, &ids).await?;
        let opened = opened.into_iter().map(|o| (o.id, o.details)).collect();
        let zone = Zone::parse(&zone).unwrap_or_default();
        let (settings_id, payers) = (version.id, Payers::of(whole));
        Ok(Ok(Self { payout, settings_id, payer, zone, lines, opened, payers }))
    }

    fn details<'s>(&'s self, line: &LineRow, by_hand: &'s Details) -> Result<&'s Details, String> {
        match line.details_id.map(|id| self.opened.get(&id)) {
            None => Ok(by_hand),
            Some(Some(Ok(details))) => Ok(details),
            Some(Some(Err(why))) => Err(format!("{}: {why}", line.referrer)),
            Some(None) => Err(format!("The payout details of {} were erased.", line.referrer)),
        }
    }

    fn note(&self) -> String {
        format!("{} referral commission, payout {}", self.payer, self.payout.number)
    }

    /// The files in their order: each with its payer, its head and its lines.
    fn plan<'s>(&'s self, by_hand: &'s Details) -> Result<Vec<Batch<'s>>, NoFile> {
        let locked = Instant::from_micros(self.payout.locked_at.unwrap_or(self.payout.created_at));
        let mut groups: Vec<Vec<Sent<'s>>> = self.payers.all().iter().map(|_| Vec::new()).collect();
        for line in &self.lines {
            let details = self.details(line, by_hand).map_err(NoFile::Line)?;
            if let Some(group) = groups.get_mut(self.payers.place(details)) {
                group.push(Sent { line, details });
            }
        }
        let alone = groups.iter().filter(|group| !group.is_empty()).count() < 2;
        let mut files = Vec::new();
        for (place, (payer, group)) in self.payers.all().iter().zip(groups).enumerate() {
            let name = format!("refdesk-{}", self.payout.number);
            let whole = Head {
                id: if alone { name } else { format!("{name}-{}", self.payers.suffix(place)) },
                rows: group.len(),
                total: group.iter().map(|sent| sent.line.amount).sum(),
                currency: self.payout.currency,
                created: locked,
                execution: self.zone.day_of(locked).plus_days(1),
            };
            let amounts: Vec<i64> = group.iter().map(|sent| sent.line.amount).collect();
            let mut rest = group.into_iter();
            for head in parts(payer, &whole, &amounts) {
                let lines = rest.by_ref().take(head.rows).collect();
                files.push(Batch { payer, head, lines });
            }
        }
        Ok(files)
    }
}

/// The name and time zone of the business that pays: of a locked payout, those at its lock.
async fn payer_of(conn: &mut Conn, payout: &PayoutRow) -> DbResult<Option<(String, String)>> {
    if let Some(frozen) = payout.payer.clone().zip(payout.timezone.clone()) {
        return Ok(Some(frozen));
    }
    let business = business::by_id(conn, payout.business_id).await?;
    Ok(business.map(|business| (business.name, business.timezone)))
}

/// A file in the making: who pays, its head and its lines.
struct Batch<'s> {
    payer: &'s Payer,
    head: Head,
    lines: Vec<Sent<'s>>,
}

/// A line and the details it is sent by.
#[derive(Clone, Copy)]
struct Sent<'s> {
    line: &'s LineRow,
    details: &'s Details,
}

impl<'s> Sent<'s> {
    fn row(&self, reference: &'s str, note: &'s str) -> Row<'s> {
        Row {
            line: reference,
            name: &self.line.referrer,
            email: self.line.email.as_deref(),
            details: self.details,
            amount: self.line.money(),
            note,
        }
    }
}

/// Our id of a line in files.
pub(super) fn reference(line: &LineRow) -> String {
    id::render(Kind::PayoutLine, line.id)
}

/// Every line that is in a payout.
pub(super) async fn all_lines(conn: &mut Conn, id: i64) -> DbResult<Vec<LineRow>> {
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

/// The names of the bank's files by the lines in them; empty where the business has no settings for them.
pub(super) async fn batches(conn: &mut Conn, keyring: &Keyring, payout: &PayoutRow) -> DbResult<HashMap<i64, String>> {
    let Ok(source) = Source::load(conn, keyring, payout.clone(), Format::Sepa).await? else {
        return Ok(HashMap::new());
    };
    let by_hand = nothing_by_hand();
    let files = source.plan(&by_hand).unwrap_or_default();
    let of = |Batch { head, lines, .. }: Batch<'_>| -> Vec<(i64, String)> {
        lines.into_iter().map(|sent| (sent.line.id, head.id.clone())).collect()
    };
    Ok(files.into_iter().flat_map(of).collect())
}

fn nothing_by_hand() -> Details {
    Details::Hand { text: String::new() }
}

/// Makes a file of a payout that may be paid. The look at whole accounts is an entry of the audit.
pub async fn file(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    format: Format,
    part: usize,
) -> DbResult<Result<Made, NoFile>> {
    for _ in 0..TRIES {
        let mut conn = core.db.read().await?;
        let Some(payout) = store::find(&mut conn, business_id, id).await? else {
            return Ok(Err(Refused::NotFound.into()));
        };
        let asked = store::approval(&mut conn, business_id).await?;
        if payout.state != PayoutState::Closed
            && let Some(why) = hindrance(&payout, asked)
        {
            return Ok(Err(why.into()));
        }
        let source = match Source::load(&mut conn, &core.keyring, payout, format).await? {
            Ok(source) => source,
            Err(why) => return Ok(Err(why)),
        };
        drop(conn);
        let made = match written(&source, part) {
            Ok(made) => made,
            Err(why) => return Ok(Err(why)),
        };
        let note = Note { payout: source.payout, settings_id: source.settings_id, format, part };
        if core.write(vec![Key::Payouts(business_id)], actor, note, noted).await? {
            return Ok(Ok(made));
        }
    }
    Err(DbError::Lost("the payout was locked, or its file set up, again and again".into()))
}

fn written(source: &Source, part: usize) -> Result<Made, NoFile> {
    let by_hand = nothing_by_hand();
    let files = source.plan(&by_hand)?;
    let count = files.len();
    let Batch { payer, head, lines } =
        part.checked_sub(1).and_then(|n| files.into_iter().nth(n)).ok_or(NoFile::Part)?;
    let (format, name, text) = (payer.format(), head.file_name(payer.format()), source.note());
    let failed = |why: &dyn std::fmt::Display| NoFile::Line(why.to_string());
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(payer, &head, &mut bytes).map_err(|why| failed(&why))?;
    for sent in lines {
        let id = reference(sent.line);
        writer.row(&sent.row(&id, &text), &mut bytes).map_err(|why| failed(&why))?;
    }
    writer.end(&mut bytes).map_err(|why| failed(&why))?;
    Ok(Made { name, content_type: format.content_type(), bytes, parts: count })
}

/// The files that a payout has in a format, and its first lines as they will be sent. Also of a draft.
pub async fn plan(core: &Core, business_id: i64, id: i64, format: Format) -> DbResult<Result<Plan, NoFile>> {
    let mut conn = core.db.read().await?;
    let Some(payout) = store::find(&mut conn, business_id, id).await? else {
        return Ok(Err(Refused::NotFound.into()));
    };
    let source = match Source::load(&mut conn, &core.keyring, payout, format).await? {
        Ok(source) => source,
        Err(why) => return Ok(Err(why)),
    };
    let (by_hand, text) = (nothing_by_hand(), source.note());
    let files = match source.plan(&by_hand) {
        Ok(files) => files,
        Err(why) => return Ok(Err(why)),
    };
    let sample = files.iter().flat_map(|file| file.lines.iter().map(move |sent| (file.payer, sent)));
    let sample = sample.take(SAMPLE).map(|(payer, sent)| {
        let shown = fit(payer, &sent.row(&reference(sent.line), &text)).map_err(|problem| problem.reason);
        (sent.line.clone(), shown)
    });
    let sample = sample.collect();
    let files = files
        .iter()
        .map(|file| Planned {
            name: file.head.file_name(file.payer.format()),
            lines: file.lines.len(),
            amount: file.head.total,
        })
        .collect();
    Ok(Ok(Plan { files, sample }))
}

/// A file that was made, for the audit.
struct Note {
    payout: PayoutRow,
    settings_id: Option<i64>,
    format: Format,
    part: usize,
}

/// Writes it down; false when by now the payout's file is made from something else.
async fn noted(tx: &mut Tx, Note { payout, settings_id, format, part }: &Note) -> DbResult<bool> {
    let now = store::find(tx, payout.business_id, payout.id).await?;
    let same_lock = now.is_some_and(|now| now.locked_at == payout.locked_at);
    if !same_lock || frozen::keep(tx, payout, *format).await? != *settings_id {
        return Ok(false);
    }
    if payout.file_at.is_none() && payout.state != PayoutState::Closed {
        store::set_file(tx, payout.id).await?;
    }
    let entry = NewEntry::by(tx, payout.business_id, "payout.file_made", ("payout", payout.id))?
        .after(json!({ "number": payout.number, "format": format, "part": part, "lines": payout.lines }));
    audit::write(tx, &[entry]).await?;
    Ok(true)
}
