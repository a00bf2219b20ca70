//! Assigns the columns of an upload to fields.
//!
//! [`Mapping::from_header`] knows the column names of the three products we replace and those of common exports;
//! [`Mapping::guess_without_header`] looks at the cells. The mapping page shows the result and a person may change it.
//! A field is added by a variant and its line in the table in `mapping/names.rs`; the plain facts of a lead are in
//! `leads::fields`.

use super::table::Row;

mod names;

#[cfg(test)]
mod tests;

use crate::leads::fields::LeadFact;
use names::{NAMES, Names};

/// The possible meanings of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The whole name of the row's person, never the referrer's.
    Name,
    FirstName,
    LastName,
    /// The row's person; the referrer's is [`Field::ReferrerEmail`].
    Email,
    Phone,
    /// A plain fact of a lead; a referrer has a company too.
    Fact(LeadFact),
    /// A referrer's code, or a lead's own, or a coupon: the look-up decides.
    Code,
    ReferrerEmail,
    /// The lead's; a subscription's is [`Field::SubscriptionStatus`].
    Status,
    /// The paid amount, or in an upload of refunds the refunded one.
    Amount,
    Currency,
    /// The day of the payment, or in an upload of refunds of the refund.
    Date,
    RenewalDate,
    Plan,
    SubscriptionStatus,
    PaymentId,
    RefundId,
    CampaignId,
    /// True when the referral counts: yes or no.
    Qualified,
    /// The id that another program has for the person.
    ExternalId,
    /// Fields of another program: a JSON object of texts.
    Metadata,
    /// The lead's id, in our own exports.
    OwnId,
    /// The lead that this one repeats, in our own exports.
    DuplicateOf,
    /// True while the lead is worked on.
    Active,
    CreatedAt,
    QualifiedAt,
    /// A field of a referrer’s payout details, by its name there.
    Paid(&'static str),
    /// A person decided to skip the column.
    Ignore,
}

/// The certainty of a column name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It can mean the field when nothing better is there: `created at` for the date of a payment.
    Loose,
    /// It means the field.
    Exact,
}

impl Field {
    pub fn all() -> impl ExactSizeIterator<Item = Field> {
        NAMES.iter().map(|names| names.field)
    }

    /// A stable key for forms and stored mappings.
    pub fn name(self) -> &'static str {
        self.names().map_or("", |names| names.key)
    }

    /// The field that has this [`Field::name`].
    pub fn from_name(name: &str) -> Option<Field> {
        Field::all().find(|field| field.name() == name)
    }

    /// The label for people.
    pub fn label(self) -> &'static str {
        self.names().map_or("", |names| names.label)
    }

    fn names(self) -> Option<&'static Names> {
        NAMES.iter().find(|names| names.field == self)
    }

    /// The meaning of a column name. Case, spaces, punctuation, a part in brackets and a plural make no
    /// difference.
    pub fn guess(header: &str) -> Option<Field> {
        Field::fit(header).map(|(field, _)| field)
    }

    fn fit(header: &str) -> Option<(Field, Fit)> {
        let name = plain(header);
        find(&name).or_else(|| find(name.strip_suffix('s')?))
    }
}

fn find(name: &str) -> Option<(Field, Fit)> {
    let with = |fit: Fit| {
        NAMES.iter().find_map(move |names| {
            let aliases = if fit == Fit::Exact { names.exact } else { names.loose };
            aliases.contains(&name).then_some((names.field, fit))
        })
    };
    with(Fit::Exact).or_else(|| with(Fit::Loose))
}

/// True for two columns of one name, whatever number tells them apart: `Phone (2)`, `E-mail 2 - Value`.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let bare = |name: &str| plain(name).chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let name = bare(one);
    !name.is_empty() && name == bare(other)
}

/// Lower case, letters and digits only, without the part in brackets: `Amount Paid (no symbol)` is
/// `amountpaid`.
fn plain(header: &str) -> String {
    let mut depth = 0_usize;
    let mut name = String::new();
    for c in header.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 && c.is_alphanumeric() => name.extend(c.to_lowercase()),
            _ => {}
        }
    }
    name
}

/// The meaning of each column, left to right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// `None`: the meaning is unknown, so the column is not imported. At most one column has a field; change
    /// it by [`Mapping::set`].
    pub columns: Vec<Option<Field>>,
}

impl Mapping {
    /// By the columns' names. When two mean the same field, the more certain name wins, then the first
    /// column; the loser is unmapped. Columns of one and the same name all have the field.
    pub fn from_header(header: &[String]) -> Mapping {
        let fits: Vec<_> = header.iter().map(|name| Field::fit(name)).collect();
        let mut mapping = Mapping { columns: vec![None; header.len()] };
        for wanted in [Fit::Exact, Fit::Loose] {
            for (column, fit) in fits.iter().enumerate() {
                if let Some((field, fit)) = *fit
                    && fit == wanted
                    && mapping.column(field).is_none_or(|first| is_same_name(&header[first], &header[column]))
                {
                    mapping.columns[column] = Some(field);
                }
            }
        }
        mapping
    }

    /// By what is in the columns: the first of e-mail addresses and the first of codes.
    pub fn guess_without_header(sample: &[Row]) -> Mapping {
        let width = sample.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let mut mapping = Mapping { columns: vec![None; width] };
        for column in 0..width {
            let cells = sample.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.trim());
            let filled: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
            let mostly = |test: fn(&str) -> bool| {
                !filled.is_empty() && filled.iter().filter(|cell| test(cell)).count() * 5 >= filled.len() * 4
            };
            // Words in capitals, such as ACTIVE, look like codes but seldom are, unless the file has nothing
            // else.
            let codes =
                || mostly(looks_like_code) && (width == 1 || !filled.iter().all(|cell| is_word_in_capitals(cell)));
            let field = match () {
                () if mostly(looks_like_email) => Field::Email,
                () if codes() => Field::Code,
                () => continue,
            };
            if mapping.column(field).is_none() {
                mapping.columns[column] = Some(field);
            }
        }
        mapping
    }

    /// The column of a field, from 0.
    pub fn column(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| *column == Some(field))
    }

    /// Gives a column its meaning and takes it from the column that had it. A missing column is ignored.
    pub fn set(&mut self, column: usize, field: Option<Field>) {
        if column >= self.columns.len() {
            return;
        }
        if let Some(field) = field
            && field != Field::Ignore
            && let Some(before) = self.column(field)
        {
            self.columns[before] = None;
        }
        self.columns[column] = field;
    }

    /// The field's cell, trimmed; empty when no column has it. Of columns with one name, the first that is filled.
    /// [`Field::Ignore`] is always empty.
    pub fn get<'r>(&self, row: &'r Row, field: Field) -> &'r str {
        if field == Field::Ignore {
            return "";
        }
        let with_field = self.columns.iter().zip(&row.cells).filter(|(column, _)| **column == Some(field));
        with_field.map(|(_, cell)| cell.trim()).find(|cell| !cell.is_empty()).unwrap_or_default()
    }

    /// The undecided columns, from 0.
    pub fn unmapped(&self) -> Vec<usize> {
        let undecided = |(column, field): (usize, &Option<Field>)| field.is_none().then_some(column);
        self.columns.iter().enumerate().filter_map(undecided).collect()
    }
}

/// Good enough to recognise a column of addresses; `Email` decides whether an address is valid.
pub(super) fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let whole =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|'));
    whole(local) && whole(domain) && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
}

/// One word that is no word of a sentence: letters with digits (`AGENT123`), with capitals in the middle
/// (`ueONFmUp`), or in capitals only.
pub(super) fn looks_like_code(text: &str) -> bool {
    let letters = || text.chars().filter(char::is_ascii_alphabetic);
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    let capital_inside =
        text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    is_word
        && (4..=40).contains(&text.len())
        && letters().next().is_some()
        && (has_digit || capital_inside || letters().all(|c| c.is_ascii_uppercase()))
}

fn is_word_in_capitals(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase())
}
