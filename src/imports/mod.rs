//! Uploaded files and what became of each of their rows.
//!
//! A file is read ([`table`]) straight into `import_rows` ([`upload`]), its columns are given a meaning
//! ([`mapping`]), a dry run says per row what would come of it, and the run does it. Dry run and run are
//! the same job step ([`chunk`]): it reads the next rows ([`read`] turns cells into a person, `resolve`
//! and `referrers` find what they are about), hands events to the engine, and marks the rows in the same
//! transaction. So a node may die at any point, and a file may come twice.

mod chunk;
pub mod mapping;
mod outcome;
mod pages;
mod read;
mod referrers;
mod rejects;
mod resolve;
mod store;
pub mod table;
mod upload;
mod verbs;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::db::DbResult;
use crate::row;
use mapping::Field;

pub use chunk::{CHECK, RUN, check_step, run_step};
pub use mapping::Mapping;
pub use outcome::{Counts, Fate};
pub use pages::routes;
pub use rejects::rejects;
pub use store::{RowLine, campaign_of, find, listing, next_rows, rejected_rows, rows_with};
pub use upload::{NewImport, limits, stage};
pub use verbs::{Asked, ask_check, ask_run, ask_run_at_once, discard, set_columns};

/// What a file brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Qualifications,
    Leads,
    Referrers,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Qualifications, Self::Leads, Self::Referrers];

    pub fn word(self) -> &'static str {
        match self {
            Self::Qualifications => "qualifications",
            Self::Leads => "leads",
            Self::Referrers => "referrers",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What people call such a file.
    pub fn label(self) -> &'static str {
        match self {
            Self::Qualifications => "Converted customers",
            Self::Leads => "Leads",
            Self::Referrers => "Referrers",
        }
    }

    pub fn sentence(self) -> &'static str {
        match self {
            Self::Qualifications => "Customers who bought or signed: each is qualified by code, e-mail or both.",
            Self::Leads => "People who were referred: added as leads, with a referral code where there is one.",
            Self::Referrers => "People who refer: added to the campaign, with codes of their own or generated ones.",
        }
    }

    /// The columns such a file may have.
    pub fn fields(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Qualifications => &[
                F::Code,
                F::Email,
                F::Phone,
                F::Name,
                F::FirstName,
                F::LastName,
                F::Company,
                F::ReferrerEmail,
                F::Qualified,
            ],
            Self::Leads => &[
                F::Name,
                F::FirstName,
                F::LastName,
                F::Email,
                F::Phone,
                F::Company,
                F::Code,
                F::ReferrerEmail,
                F::Source,
                F::Status,
                F::JobTitle,
                F::Industry,
                F::Website,
                F::Request,
                F::Budget,
                F::Country,
                F::State,
                F::Address,
            ],
            Self::Referrers => &[F::Name, F::FirstName, F::LastName, F::Email, F::Phone, F::Company, F::Code],
        }
    }

    /// The meaning of a file's columns as far as it can be told.
    pub fn guess(self, header: Option<&[String]>, sample: &[table::Row]) -> Mapping {
        let mut mapping = match header {
            Some(names) => Mapping::from_header(names),
            None => Mapping::guess_without_header(sample),
        };
        // In a list of referrers the referrer's address is the row's own.
        if self == Self::Referrers
            && mapping.column(Field::Email).is_none()
            && let Some(column) = mapping.column(Field::ReferrerEmail)
        {
            mapping.set(column, Some(Field::Email));
        }
        for column in &mut mapping.columns {
            *column = column.filter(|field| self.fields().contains(field));
        }
        mapping
    }

    /// Why a mapping cannot be used, in a sentence.
    pub fn judge(self, mapping: &Mapping) -> Result<(), &'static str> {
        let any = |fields: &[Field]| fields.iter().any(|field| mapping.column(*field).is_some());
        match self {
            Self::Qualifications if !any(&[Field::Code, Field::Email, Field::Phone]) => Err(
                "Say which column is the referral code, the e-mail or the phone: one of them is needed to find the customers.",
            ),
            Self::Leads | Self::Referrers if !any(&[Field::Email, Field::Phone]) => {
                Err("Say which column is the e-mail or the phone: one of them is needed to tell people apart.")
            }
            _ => Ok(()),
        }
    }
}

/// What a person chose beside the columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Referrers without a code of their own get one.
    pub generate: bool,
}

row! {
    /// An import as stored, with what its business says about reading it.
    #[derive(Debug, Clone)]
    pub struct Import {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub campaign_name: String,
        pub campaign_state: String,
        /// How phone numbers without a country code are read.
        pub country: String,
        pub kind: String,
        pub state: String,
        pub file_name: String,
        pub encoding: String,
        pub delimiter: String,
        pub has_header: bool,
        pub columns: String,
        pub mapping: String,
        pub options: String,
        pub rows_total: i64,
        pub counts: String,
        pub job_id: Option<i64>,
        pub by: Option<String>,
        pub created_at: i64,
        pub finished_at: Option<i64>,
    }
}

impl Import {
    pub fn kind(&self) -> Kind {
        Kind::parse(&self.kind).unwrap_or(Kind::Leads)
    }

    /// A label for each column.
    pub fn columns(&self) -> Vec<String> {
        serde_json::from_str(&self.columns).unwrap_or_default()
    }

    pub fn mapping(&self) -> Mapping {
        let names: Vec<Option<String>> = serde_json::from_str(&self.mapping).unwrap_or_default();
        Mapping { columns: names.into_iter().map(|name| Field::from_name(&name?)).collect() }
    }

    pub fn options(&self) -> Options {
        serde_json::from_str(&self.options).unwrap_or_default()
    }

    pub fn counts(&self) -> Counts {
        serde_json::from_str(&self.counts).unwrap_or_default()
    }
}

/// Removes what files leave behind that were discarded or never read to their end: one turn of a
/// scheduled task. True when there is more.
pub async fn tidy(app: &App) -> DbResult<bool> {
    const BATCH: i64 = 500;
    let before = app.clock.now().plus_days(-1);
    for _ in 0..100 {
        if app.db.write(vec![], move |tx| Box::pin(store::tidy(tx, before, BATCH))).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A mapping as it is stored.
fn mapping_json(mapping: &Mapping) -> String {
    let names: Vec<Option<&str>> = mapping.columns.iter().map(|field| field.map(Field::name)).collect();
    serde_json::json!(names).to_string()
}
