//! Everything that the files of a payout are made of. Its lines are read some at a time, each time with a connection
//! of their own, so that neither memory nor a connection depends on the length of the payout or the pace of a caller.

use std::collections::HashMap;

use super::files::{Format, Head, Part, Parts, Payers, Row, Shown, fit, suits};
use super::frozen;
use super::refused::{NoFile, Refused};
use super::store::{self, LineRow, PayoutRow};
use crate::business;
use crate::clock::{Instant, Zone};
use crate::core::Core;
use crate::db::{Conn, DbResult};
use crate::id::{self, Kind};
use crate::keyring::Keyring;
use crate::payout_details::{self, Details};

/// Lines read at once.
pub(super) const PAGE: usize = 500;
/// Amounts read at once.
const AMOUNTS: usize = 10_000;

/// A payout, the settings of its files and the words in them.
pub(super) struct Source {
    pub payout: PayoutRow,
    /// The version of the settings.
    pub settings_id: Option<i64>,
    pub payers: Payers,
    /// For the recipients.
    note: String,
    zone: Zone,
}

/// A line as a file has it.
pub(super) struct Sent {
    pub line: LineRow,
    /// Our id of it in the file.
    id: String,
    /// The details that it is sent by, or a sentence that says why they cannot be read.
    pub details: Result<Details, String>,
}

/// Our id of a line in files.
pub(super) fn reference(line: &LineRow) -> String {
    id::render(Kind::PayoutLine, line.id)
}

impl Source {
    pub async fn load(
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
        let note = format!("{payer} referral commission, payout {}", payout.number);
        let zone = Zone::parse(&zone).unwrap_or_default();
        Ok(Ok(Self { payout, settings_id: version.id, payers: Payers::of(whole), note, zone }))
    }

    /// The next lines behind one, up to another, each with its details. A payout that was given back since has none.
    pub async fn lines(&self, core: &Core, after: i64, last: i64) -> DbResult<Vec<Sent>> {
        let mut conn = core.db.read().await?;
        let lines = store::lines_of_files(&mut conn, &self.payout, after, last, PAGE).await?;
        let ids: Vec<i64> = lines.iter().filter_map(|line| line.details_id).collect();
        let opened = payout_details::open(&mut conn, &core.keyring, self.payout.business_id, &ids).await?;
        drop(conn);
        let mut opened: HashMap<i64, Result<Details, String>> =
            opened.into_iter().map(|opened| (opened.id, opened.details)).collect();
        let sent = |line: LineRow| {
            let details = match line.details_id.map(|id| opened.remove(&id)) {
                None => Ok(Details::Hand { text: String::new() }),
                Some(Some(details)) => details.map_err(|why| format!("{}: {why}", line.referrer)),
                Some(None) => Err(format!("The payout details of {} were erased.", line.referrer)),
            };
            Sent { id: reference(&line), line, details }
        };
        Ok(lines.into_iter().map(sent).collect())
    }

    /// The row of a line with these details.
    pub fn row<'s>(&'s self, sent: &'s Sent, details: &'s Details) -> Row<'s> {
        Row {
            line: &sent.id,
            name: &sent.line.referrer,
            email: sent.line.email.as_deref(),
            details,
            amount: sent.line.money(),
            note: &self.note,
        }
    }

    /// The files of the payout, found from all its lines. Where it has one payer, no details are opened for it.
    pub async fn files(&self, core: &Core) -> DbResult<Result<Vec<(Part, Head)>, NoFile>> {
        if self.payers.all().len() > 1 {
            return self.opened_files(core).await;
        }
        let mut parts = Parts::of(&self.payers);
        let mut after = 0;
        loop {
            let mut conn = core.db.read().await?;
            let amounts = store::amounts_of_files(&mut conn, &self.payout, after, AMOUNTS).await?;
            drop(conn);
            for (id, amount) in &amounts {
                parts.add(0, *id, *amount);
            }
            match amounts.last() {
                Some((last, _)) if amounts.len() == AMOUNTS => after = *last,
                _ => return Ok(Ok(parts.heads(&self.head()))),
            }
        }
    }

    /// The same with the details of every line, each of which can be read.
    pub async fn opened_files(&self, core: &Core) -> DbResult<Result<Vec<(Part, Head)>, NoFile>> {
        let mut parts = Parts::of(&self.payers);
        let mut after = 0;
        loop {
            let lines = self.lines(core, after, i64::MAX).await?;
            for sent in &lines {
                match &sent.details {
                    Ok(details) => parts.add(self.payers.place(details), sent.line.id, sent.line.amount),
                    Err(why) => return Ok(Err(NoFile::Line(why.clone()))),
                }
            }
            match lines.last() {
                Some(last) if lines.len() == PAGE => after = last.line.id,
                _ => return Ok(Ok(parts.heads(&self.head()))),
            }
        }
    }

    /// Tries every line of a file, so that nothing is sent of a file that one line cannot be in.
    pub async fn attempt(&self, core: &Core, part: &Part) -> DbResult<Result<(), NoFile>> {
        let mut after = part.first - 1;
        loop {
            let lines = self.lines(core, after, part.last).await?;
            for sent in &lines {
                let details = match &sent.details {
                    Ok(details) => details,
                    Err(why) => return Ok(Err(NoFile::Line(why.clone()))),
                };
                let payer = self.payers.to(details).filter(|_| self.payers.place(details) == part.place);
                if let Some(Err(problem)) = payer.map(|payer| fit(payer, &self.row(sent, details))) {
                    return Ok(Err(NoFile::Line(format!("Line {}: {problem}", sent.id))));
                }
            }
            match lines.last() {
                Some(last) if lines.len() == PAGE => after = last.line.id,
                _ => return Ok(Ok(())),
            }
        }
    }

    /// The first lines of a file, each as it will be sent, or why it cannot be.
    pub async fn sample(
        &self,
        core: &Core,
        part: &Part,
        most: usize,
    ) -> DbResult<Vec<(LineRow, Result<Shown, String>)>> {
        let mut sample = Vec::new();
        for sent in self.lines(core, part.first - 1, part.last).await? {
            let Ok(details) = &sent.details else { continue };
            let payer = self.payers.to(details).filter(|_| self.payers.place(details) == part.place);
            if let Some(payer) = payer.filter(|_| sample.len() < most) {
                let shown = fit(payer, &self.row(&sent, details)).map_err(|problem| problem.reason);
                sample.push((sent.line, shown));
            }
        }
        Ok(sample)
    }

    /// The head that every file of the payout has.
    fn head(&self) -> Head {
        let locked = Instant::from_micros(self.payout.locked_at.unwrap_or(self.payout.created_at));
        Head {
            id: format!("refdesk-{}", self.payout.number),
            rows: 0,
            total: 0,
            currency: self.payout.currency,
            created: locked,
            execution: self.zone.day_of(locked).plus_days(1),
        }
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
