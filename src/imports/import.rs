//! An import as it is stored: what its file brings, and what was chosen for it.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::mapping::{Field, Mapping, is_same_name};
use super::outcome::Counts;
use super::paid;
use super::table;
use crate::db::TextColumn as _;
use crate::leads::fields::LeadFact;
use crate::row;

/// The kinds of files.
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

    /// The name of the kind for people.
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

    /// The possible columns of such a file.
    pub fn fields(self) -> &'static [Field] {
        use Field as F;
        const COMPANY: Field = F::Fact(LeadFact::Company);
        const SOURCE: Field = F::Fact(LeadFact::Source);
        static LEADS: LazyLock<Vec<Field>> = LazyLock::new(|| {
            let first = [F::Name, F::FirstName, F::LastName, F::Email, F::Phone, COMPANY, F::Code, F::ReferrerEmail];
            let facts =
                LeadFact::ALL.iter().map(|fact| F::Fact(*fact)).filter(|fact| ![COMPANY, SOURCE].contains(fact));
            let ours = [F::ExternalId, F::Metadata, F::OwnId, F::DuplicateOf, F::Active, F::CreatedAt, F::QualifiedAt];
            first.into_iter().chain([SOURCE, F::Status]).chain(facts).chain(ours).collect()
        });
        static REFERRERS: LazyLock<Vec<Field>> = LazyLock::new(|| {
            let own =
                [F::Name, F::FirstName, F::LastName, F::Email, F::Phone, COMPANY, F::Code, F::ExternalId, F::Metadata];
            own.into_iter().chain(paid::fields()).collect()
        });
        match self {
            Self::Qualifications => &[
                F::Code,
                F::Email,
                F::Phone,
                F::Name,
                F::FirstName,
                F::LastName,
                COMPANY,
                F::ReferrerEmail,
                F::Qualified,
                F::Status,
            ],
            Self::Leads => &LEADS,
            Self::Referrers => &REFERRERS,
        }
    }

    /// The meaning of a file's columns as far as it is known.
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
        // Our own export names these two as others name the ids and dates of payments.
        if self == Self::Leads {
            for (name, field) in [("id", Field::OwnId), ("created_at", Field::CreatedAt)] {
                let column = header.and_then(|names| names.iter().position(|header| is_same_name(header, name)));
                if let Some(column) = column {
                    mapping.set(column, Some(field));
                }
            }
        }
        for column in &mut mapping.columns {
            *column = column.filter(|field| self.fields().contains(field));
        }
        mapping
    }

    /// The meaning of the columns as somebody names them, from the left with commas between; a hyphen leaves one out.
    pub fn named(self, columns: usize, named: &str) -> Result<Mapping, String> {
        let mut mapping = Mapping { columns: vec![None; columns] };
        for (at, name) in named.split(',').map(str::trim).enumerate() {
            if at >= columns {
                return Err(format!("names more than {columns}, which is all the file has"));
            }
            if name.is_empty() || name == "-" {
                continue;
            }
            let field = Field::from_name(name).filter(|field| self.fields().contains(field));
            let field = field.ok_or_else(|| {
                let all: Vec<&str> = self.fields().iter().map(|field| field.name()).collect();
                format!("has “{name}”, which is none of {}", all.join(", "))
            })?;
            mapping.set(at, Some(field));
        }
        Ok(mapping)
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

/// A person's choices beside the columns.
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
        /// The country of phone numbers without a country code.
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
        pub updated_at: i64,
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

/// A mapping as it is stored.
pub(super) fn mapping_json(mapping: &Mapping) -> String {
    let names: Vec<Option<&str>> = mapping.columns.iter().map(|field| field.map(Field::name)).collect();
    serde_json::json!(names).to_string()
}

/// A file about to be read.
#[derive(Debug, Clone)]
pub struct NewImport {
    pub business_id: i64,
    pub campaign_id: i64,
    pub kind: Kind,
    pub file_name: String,
    pub created_by: Option<i64>,
    /// True for somebody who may say how referrers are paid.
    pub may_pay: bool,
}
