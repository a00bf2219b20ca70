//! The bodies and answers of the calls about imports.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::field::{IdText, Integer, Line, OneOf, Word};
use crate::api::v1::common::{instant, maybe_instant};
use crate::api::v1::window::{Limit, Window};
use crate::id::{self, Kind};
use crate::imports::mapping::Field;
use crate::imports::{Counts, Fate, Import, Kind as FileKind, RowLine};
use crate::jobs::JobRow;
use crate::object;

impl Word for FileKind {
    const WORDS: &'static [&'static str] = &["qualifications", "leads", "referrers"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

impl Word for Fate {
    const WORDS: &'static [&'static str] =
        &["new", "updated", "already", "duplicate", "unknown_code", "unknown", "invalid"];

    fn of(word: &str) -> Option<Self> {
        Self::parse(word)
    }
}

object! {
    /// The way a file is read.
    strict pub struct ImportAsked {
        /// The kind of rows in the file.
        kind "kind": OneOf<FileKind>,
        /// The campaign: `campaign_…` or the integer. The key's, or the business's default, otherwise.
        campaign "campaign": Option<IdText>,
        /// Only look what would come of every row.
        dry_run "dry_run": Option<bool>,
        /// The meaning of the columns, from the left, with commas between them: `code,email,-,name`. A hyphen
        /// leaves one out.
        columns "columns": Option<Line<2000>>,
        /// True when the first row names the columns; detected by default.
        header "header": Option<bool>,
        /// True to give a code to referrers without one; false by default.
        generate_codes "generate_codes": Option<bool>,
        /// The name of the file in the list.
        file_name "file_name": Option<Line<200>>,
    }
}

object! {
    /// The filters of the imports.
    strict pub struct ImportsAsked {
        /// Only of this kind.
        kind "kind": Option<OneOf<FileKind>>;
        window: Window
    }
}

object! {
    /// The filters of the rows.
    strict pub struct RowsAsked {
        /// Rows of the page.
        limit "limit": Option<Limit>,
        /// The start of the page: `next` of the page before, the number of a line.
        after "after": Option<Integer>,
        /// Only rows with this outcome.
        outcome "outcome": Option<OneOf<Fate>>,
        /// Only rejected rows: `unknown_code`, `unknown` and `invalid`.
        rejected "rejected": Option<bool>,
    }
}

/// An uploaded file and what became of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub struct ImportAnswer {
    /// `import_…`.
    id: String,
    /// `qualifications`, `leads` or `referrers`.
    kind: String,
    /// `campaign_…`.
    campaign: String,
    /// The name of the file.
    file_name: String,
    /// `staged` (read), `checking` (the dry run is running), `checked` (ready to run), `running` or `done`.
    state: String,
    /// True when the run was stopped; starting it again continues where it stopped.
    given_up: bool,
    /// The columns of the file, from the left.
    columns: Vec<ImportColumn>,
    /// Rows below the header.
    rows: i64,
    /// The number of rows that the dry run or the run has reached.
    rows_done: i64,
    /// The outcomes so far; for a dry run, the outcomes to be expected.
    counts: ImportCounts,
    /// When it was uploaded.
    created_at: String,
    /// When the run was over.
    finished_at: Option<String>,
}

/// A column of a file.
#[derive(Serialize, JsonSchema)]
struct ImportColumn {
    /// As the file names it.
    name: String,
    /// The meaning of the column; null where it is skipped.
    field: Option<&'static str>,
}

/// Rows by outcome.
#[derive(Serialize, JsonSchema)]
struct ImportCounts {
    /// New people.
    new: i64,
    /// Known people who were changed: qualified, or given a referrer.
    updated: i64,
    /// It said nothing new.
    already: i64,
    /// An earlier row of the file brought the same person.
    duplicate: i64,
    /// Rows with an unknown code. The lead is added without a referrer.
    unknown_code: i64,
    /// Rows whose e-mail or phone is unknown in the campaign.
    unknown: i64,
    /// A cell is wrong.
    invalid: i64,
}

impl ImportCounts {
    fn of(c: Counts) -> Self {
        Self {
            new: c.new,
            updated: c.updated,
            already: c.already,
            duplicate: c.duplicate,
            unknown_code: c.unknown_code,
            unknown: c.unknown,
            invalid: c.invalid,
        }
    }
}

impl ImportAnswer {
    /// With its job while that runs.
    pub fn of(import: Import, job: Option<&JobRow>) -> Self {
        let over = matches!(import.state.as_str(), "checked" | "done");
        let fields = import.mapping().columns.into_iter().map(|field| field.filter(|f| *f != Field::Ignore));
        let columns = import.columns().into_iter().zip(fields);
        let counts = job.and_then(|job| serde_json::from_value(job.result()).ok());
        Self {
            id: id::render(Kind::Import, import.id),
            campaign: id::render(Kind::Campaign, import.campaign_id),
            given_up: job.is_some_and(|job| job.state == "failed"),
            columns: columns.map(|(name, field)| ImportColumn { name, field: field.map(Field::name) }).collect(),
            rows: import.rows_total,
            rows_done: if over { import.rows_total } else { job.map_or(0, |job| job.done) },
            counts: ImportCounts::of(counts.unwrap_or_else(|| import.counts())),
            created_at: instant(import.created_at),
            finished_at: maybe_instant(import.finished_at),
            kind: import.kind,
            file_name: import.file_name,
            state: import.state,
        }
    }
}

/// A row of a file with its outcome.
#[derive(Serialize, JsonSchema)]
pub struct ImportRow {
    /// The line in the file, from 1.
    line: i64,
    /// The cells as they were written.
    cells: Vec<String>,
    /// `new`, `updated`, `already`, `duplicate`, `unknown_code`, `unknown` or `invalid`; null until it was looked at.
    outcome: Option<String>,
    /// The field that is wrong.
    field: Option<String>,
    /// The fault of the field.
    reason: Option<String>,
    /// Whom it brought: `lead_…`.
    lead: Option<String>,
    /// Whom it brought: `agent_…`.
    referrer: Option<String>,
}

impl ImportRow {
    pub fn of(row: RowLine, import: &Import) -> Self {
        // A dry run adds no lead, and neither does a row of referrers.
        let brought = |kind: Kind, id: Option<i64>| id.map(|id| id::render(kind, id));
        let referrers = import.kind() == FileKind::Referrers;
        Self {
            line: row.line,
            cells: row.cells(),
            reason: row.reason.or(row.fault),
            outcome: row.outcome,
            field: row.field,
            lead: brought(Kind::Lead, row.lead_id.filter(|_| !referrers)),
            referrer: brought(Kind::Referrer, row.referrer_id),
        }
    }
}

/// A page of rows, in the order of the file.
#[derive(Serialize, JsonSchema)]
pub struct ImportRows {
    /// The rows.
    pub data: Vec<ImportRow>,
    /// The `after` of the next call; null on the last page.
    pub next: Option<i64>,
}
