//! Rows of a result and lines of a payout, put together: by our id of the line, else by recipient and amount when
//! exactly one line fits. Each row gets a verdict with its sentence; only a matched one changes anything, no row ever
//! changes two lines, and no line is changed twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::report::{Outcome, Report, Reported};
use crate::fold::fold;
use crate::money::Money;
use crate::payouts::files::line::returned;
use crate::words;

words! {
    /// The state of a line when the result comes in.
    pub enum State {
        /// In a file, and nothing is known of it.
        Waiting = "waiting",
        Paid = "paid",
        Failed = "failed",
        Returned = "returned",
    }
}

/// A line of the payout. Not `Debug`: a log is no place for accounts.
#[derive(Clone)]
pub struct Line<'a> {
    pub id: &'a str,
    /// The id of the file that the line is in, as its head has it.
    pub batch: &'a str,
    /// Everything by which a report may name the recipient: name, e-mail address, account.
    pub recipients: Vec<&'a str>,
    pub amount: Money,
    pub state: State,
}

words! {
    /// The verdict on a row.
    pub enum Verdict {
        Matched = "matched",
        /// No line fits, or more than one.
        Unmatched = "unmatched",
        /// Several rows are about the line.
        Doubled = "doubled",
        Differs = "differs",
        AlreadySo = "already_so",
        /// The row says that nothing is decided yet.
        Pending = "pending",
        /// It is about another payout, or contradicts what the line has been through.
        Refused = "refused",
    }
}

/// The effect of a matched row on its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Paid,
    Failed(String),
    Returned(String),
}

/// A row, the line it is about, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The number of the row's first line in the file; 0 for a status that stands for the whole file.
    pub at: u64,
    /// The number of the line among those given.
    pub line: Option<usize>,
    pub verdict: Verdict,
    /// Of a matched row alone.
    pub change: Option<Change>,
    /// The sender's own number of the transfer; may be empty.
    pub reference: String,
    pub sentence: String,
}

/// Says for each row what follows, in the order of the rows; then for each line that only the status of the whole file
/// is about.
pub fn judge(report: &Report, lines: &[Line<'_>]) -> Vec<Judged> {
    let index = Index::of(lines);
    let found: Vec<Result<usize, Judged>> = report.rows.iter().map(|row| index.find(row)).collect();
    let mut rows_of: HashMap<usize, Vec<u64>> = HashMap::new();
    for (row, line) in report.rows.iter().zip(&found) {
        if let Ok(line) = line
            && row.outcome != Outcome::Pending
        {
            rows_of.entry(*line).or_default().push(row.at);
        }
    }
    let named: BTreeSet<usize> = found.iter().flatten().copied().collect();
    let mut judged = Vec::with_capacity(found.len());
    for (row, line) in report.rows.iter().zip(found) {
        judged.push(match line {
            Err(judged) => judged,
            Ok(line) => one(row, line, &lines[line], rows_of.get(&line).map_or(&[], Vec::as_slice)),
        });
    }
    judged.extend(whole(report, lines, &named));
    judged
}

/// A row that found its line; `rows` are all that did and say something.
fn one(row: &Reported, at: usize, line: &Line<'_>, rows: &[u64]) -> Judged {
    let id = line.id;
    let judged = |verdict, change, sentence| Judged { line: Some(at), ..said(row, verdict, change, sentence) };
    let unchanged = |verdict, sentence| judged(verdict, None, sentence);
    if row.outcome == Outcome::Pending {
        return unchanged(Verdict::Pending, format!("Nothing is decided yet about line {id}."));
    }
    if rows.len() > 1 {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let rows = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return unchanged(Verdict::Doubled, format!("Several rows are about line {id}: {rows}. None of them counts."));
    }
    if let Some(amount) = row.amount.filter(|amount| *amount != line.amount) {
        let (says, is) = (amount.shown(), line.amount.shown());
        return unchanged(Verdict::Differs, format!("The row says {says}, and line {id} is {is}."));
    }
    match follows(line.state, &row.outcome) {
        Follows::Change(change) => {
            let sentence = match &change {
                Change::Paid => format!("Line {id} is paid."),
                Change::Failed(reason) => format!("Line {id} failed{}.", because(reason)),
                Change::Returned(reason) => format!("Line {id} came back{}.", because(reason)),
            };
            judged(Verdict::Matched, Some(change), sentence)
        }
        Follows::AlreadySo => unchanged(Verdict::AlreadySo, format!("Line {id} is {} already.", line.state)),
        Follows::Contradicts => {
            let sentence = format!(
                "Line {id} failed before and its amount is due again: the row that says it is paid needs a look."
            );
            unchanged(Verdict::Refused, sentence)
        }
    }
}

enum Follows {
    Change(Change),
    AlreadySo,
    Contradicts,
}

/// The effect of an outcome on a line in a state; an outcome that is still open never gets here.
fn follows(state: State, outcome: &Outcome) -> Follows {
    match (state, outcome) {
        (State::Waiting, Outcome::Paid) => Follows::Change(Change::Paid),
        // Money that came back before anybody noted that it had gone was never paid.
        (State::Waiting, Outcome::Failed(reason) | Outcome::Returned(reason)) => {
            Follows::Change(Change::Failed(reason.clone()))
        }
        (State::Paid, Outcome::Failed(reason) | Outcome::Returned(reason)) => {
            Follows::Change(Change::Returned(reason.clone()))
        }
        (State::Failed, Outcome::Paid) => Follows::Contradicts,
        // An older report read again says "paid" of money that has come back since.
        (State::Paid | State::Returned, Outcome::Paid)
        | (State::Failed | State::Returned, Outcome::Failed(_) | Outcome::Returned(_))
        | (_, Outcome::Pending) => Follows::AlreadySo,
    }
}

fn because(reason: &str) -> String {
    let reason = reason.trim().trim_end_matches('.');
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn said(row: &Reported, verdict: Verdict, change: Option<Change>, sentence: String) -> Judged {
    Judged { at: row.at, line: None, verdict, change, reference: row.reference.clone(), sentence }
}

/// A status of the whole file, for each of the file's lines that no row is about.
fn whole(report: &Report, lines: &[Line<'_>], named: &BTreeSet<usize>) -> Vec<Judged> {
    let Some(whole) = &report.whole else { return Vec::new() };
    let row = Reported {
        at: 0,
        line: None,
        batch: None,
        recipient: None,
        amount: None,
        outcome: whole.outcome.clone(),
        reference: String::new(),
    };
    let own: Vec<(usize, &Line<'_>)> =
        lines.iter().enumerate().filter(|(_, line)| same_id(line.batch, &whole.batch)).collect();
    if own.is_empty() {
        return vec![said(&row, Verdict::Refused, None, other_batch(&whole.batch))];
    }
    if whole.outcome == Outcome::Pending {
        let sentence = format!("Nothing is decided yet about the rest of the file {}.", whole.batch);
        return vec![said(&row, Verdict::Pending, None, sentence)];
    }
    own.into_iter().filter(|(at, _)| !named.contains(at)).map(|(at, line)| one(&row, at, line, &[])).collect()
}

fn same_id(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

fn other_batch(id: &str) -> String {
    format!("This is an answer to the file {id}, which is none of this payout.")
}

/// The lines by everything that a row may name them by.
struct Index<'a> {
    by_id: HashMap<&'a str, usize>,
    /// Beginnings of our ids, "line_".
    beginnings: BTreeSet<&'a str>,
    batches: BTreeSet<String>,
    by_recipient: HashMap<String, Vec<usize>>,
    lines: &'a [Line<'a>],
}

impl<'a> Index<'a> {
    fn of(lines: &'a [Line<'a>]) -> Self {
        let mut by_recipient: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            for recipient in line.recipients.iter().map(|text| key(text)).filter(|key| !key.is_empty()) {
                by_recipient.entry(recipient).or_default().insert(at);
            }
        }
        Self {
            by_id: lines.iter().enumerate().map(|(at, line)| (line.id, at)).collect(),
            beginnings: lines.iter().filter_map(|line| line.id.get(..=line.id.rfind('_')?)).collect(),
            batches: lines.iter().map(|line| line.batch.trim().to_ascii_lowercase()).collect(),
            by_recipient: by_recipient.into_iter().map(|(key, lines)| (key, lines.into_iter().collect())).collect(),
            lines,
        }
    }

    /// The line that a row is about, or the verdict on a row that is about none.
    fn find(&self, row: &Reported) -> Result<usize, Judged> {
        let none = |verdict, sentence| Err(said(row, verdict, None, sentence));
        if let Some(batch) = row.batch.as_deref().filter(|id| !self.batches.contains(&id.trim().to_ascii_lowercase())) {
            return none(Verdict::Refused, other_batch(batch));
        }
        let words = row.line.as_deref().unwrap_or_default();
        let words: BTreeSet<String> =
            words.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).map(returned).collect();
        let named: BTreeSet<usize> = words.iter().filter_map(|word| self.by_id.get(word.as_str()).copied()).collect();
        match named.first() {
            Some(line) if named.len() == 1 => return Ok(*line),
            Some(_) => return none(Verdict::Unmatched, "The row names several lines.".to_owned()),
            None => {}
        }
        if let Some(id) = words.iter().find(|word| self.is_like_ours(word)) {
            return none(Verdict::Refused, format!("Line {id} is none of this payout."));
        }
        self.by_recipient_and_amount(row).or_else(|sentence| none(Verdict::Unmatched, sentence))
    }

    fn is_like_ours(&self, word: &str) -> bool {
        let rest = self.beginnings.iter().find_map(|beginning| word.strip_prefix(beginning));
        let is_long = self.lines.iter().any(|line| line.id.len() == word.len());
        // "line_up" is a word of a person.
        rest.is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_digit() || (is_long && byte.is_ascii_alphanumeric()))
        })
    }

    fn by_recipient_and_amount(&self, row: &Reported) -> Result<usize, String> {
        let (Some(recipient), Some(amount)) = (row.recipient.as_deref(), row.amount) else {
            return Err("The row has no id of ours, and not both recipient and amount.".to_owned());
        };
        let theirs = self.by_recipient.get(&key(recipient)).map_or(&[] as &[usize], Vec::as_slice);
        let fitting: Vec<usize> = theirs.iter().copied().filter(|at| self.lines[*at].amount == amount).collect();
        match (fitting.as_slice(), theirs) {
            // The only line of the recipient, with another amount, is shown as differing.
            ([line], _) | ([], [line]) => Ok(*line),
            ([], []) => Err(format!("No line pays {recipient}.")),
            ([], _) => Err(format!("No line pays {recipient} {}.", amount.shown())),
            (several, _) => {
                Err(format!("{} lines pay {recipient} {}: the row does not say which.", several.len(), amount.shown()))
            }
        }
    }
}

/// A recipient as it is compared: without accents, capitals and spaces.
fn key(text: &str) -> String {
    fold(text).split_whitespace().collect()
}
