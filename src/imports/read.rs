//! A row's cells as a person: parsed once, or refused with the field and the reason.

use std::collections::BTreeMap;

use super::Kind;
use super::mapping::{Field, Mapping};
use super::outcome::{Fate, Verdict};
use super::table::{Row, as_it_was};
use crate::clock::Instant;
use crate::email::Email;
use crate::engine::{Contact, History, Status};
use crate::intake::{self, Reach};
use crate::leads::budget;
use crate::leads::fields::{Kind as Fact, LeadFacts, TABLE};
use crate::meta::{self, Marks};
use crate::payout_details::Details;
use crate::phone::Phone;
use crate::{code, id, text};

/// The person of a good row.
#[derive(Debug, Clone)]
pub struct Person {
    pub line: i64,
    /// The normalised contact or code the row is about: what makes a later row a repeat.
    pub key: String,
    pub contact: Contact,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub code: Option<String>,
    /// The address of their referrer.
    pub referrer: Option<Email>,
    pub status: Option<Status>,
    /// The lead's id, in a file of our own.
    pub own_id: Option<i64>,
    /// Another lead of somebody who is a lead already.
    pub is_repeat: bool,
    /// What of the row was left out, in words.
    pub notes: Vec<(Field, String)>,
    /// True when the row names a referrer who is not there: the lead comes without one.
    pub lacks_referrer: bool,
    /// A referrer’s payout details, read from the encrypted cells.
    pub paid_by: Option<Details>,
    /// Set for a further row of a referrer, which is read for its payout details.
    pub pays_again: Option<PaysAgain>,
}

/// The payout details of a further row, beside those of the rows before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaysAgain {
    /// No row before has any.
    First,
    /// A row before has others.
    Others,
}

impl Person {
    pub fn code_key(&self) -> Option<String> {
        self.code.as_deref().map(code::lookup_form)
    }

    /// The referrer that the row names: a later row of the same person with another one contradicts it.
    pub fn claim_key(&self) -> Option<String> {
        self.code_key().or_else(|| self.referrer.as_ref().map(|email| format!("of {}", email.key())))
    }
}

const LINE: usize = 200;

/// The reading rules of a file's rows.
pub struct Reader<'i> {
    pub kind: Kind,
    pub mapping: &'i Mapping,
    pub country: &'i str,
    /// True for a file whose cells are apart by semicolons.
    pub by_semicolons: bool,
}

impl Reader<'_> {
    pub fn read(&self, row: &Row) -> Result<Person, Verdict> {
        let line = i64::try_from(row.line).unwrap_or_default();
        self.person(row, line).map_err(|(field, why)| Verdict::because(line, Fate::Invalid, field, why))
    }

    fn person(&self, row: &Row, line: i64) -> Result<Person, (Option<Field>, String)> {
        if self.mapping.columns.contains(&Some(Field::Qualified)) && says_no(self.mapping.get(row, Field::Qualified)) {
            let why = "The row says that the customer is not qualified. Only those who are belong here.";
            return Err((Some(Field::Qualified), why.into()));
        }
        if self.kind == Kind::Qualifications {
            counts(plain(self.mapping.get(row, Field::Status))).map_err(|why| (Some(Field::Status), why))?;
        }
        let mut notes = Vec::new();
        let own_id = id::parse(id::Kind::Lead, self.mapping.get(row, Field::OwnId));
        let marks = self.marks(row, &mut notes)?;
        let (reach, odd_email) = self.reach(row, own_id.is_some(), &mut notes)?;
        let referrer = self.parsed(row, Field::ReferrerEmail, intake::email)?;
        let code = self.line(row, Field::Code)?;
        if self.kind == Kind::Referrers
            && let Some(own) = &code
        {
            code::parse_custom(own).map_err(|why| (Some(Field::Code), format!("The code {why}.")))?;
        }
        let status = self.status(row, &mut notes);
        let is_repeat = own_id.is_some() && !self.mapping.get(row, Field::DuplicateOf).is_empty();
        let external_id = marks.as_ref().and_then(|marks| marks.external_id.clone());
        let key = match (reach.key(), &code, own_id, external_id) {
            (_, _, Some(own_id), _) if is_repeat => format!("id {own_id}"),
            (Some(contact), ..) => contact.to_owned(),
            (None, Some(code), ..) if self.kind == Kind::Qualifications => {
                format!("code {}", code::lookup_form(code))
            }
            (None, _, Some(own_id), _) => format!("id {own_id}"),
            (None, _, None, Some(external_id)) => format!("external {external_id}"),
            _ => return Err((None, self.nobody().into())),
        };
        let mut contact = self.contact(row, &reach, &mut notes)?;
        contact.marks = marks;
        if contact.email.is_none() {
            contact.email = odd_email;
        }
        if contact.name.is_empty() && self.kind != Kind::Qualifications {
            return Err((Some(Field::Name), "The row has no name.".into()));
        }
        let history = History {
            created_at: self.instant(row, Field::CreatedAt, &mut notes),
            qualified_at: self.instant(row, Field::QualifiedAt, &mut notes),
            inactive: says_no(self.mapping.get(row, Field::Active)),
        };
        contact.history = history;
        let (email, phone, lacks_referrer) = (reach.email, reach.phone, false);
        Ok(Person {
            line,
            key,
            contact,
            email,
            phone,
            code,
            referrer,
            status,
            own_id,
            is_repeat,
            notes,
            lacks_referrer,
            paid_by: None,
            pays_again: None,
        })
    }

    /// A status of another program's is left out with a word: the person comes all the same.
    fn status(&self, row: &Row, notes: &mut Vec<(Field, String)>) -> Option<Status> {
        let cell = plain(self.mapping.get(row, Field::Status));
        if cell.is_empty() || self.kind == Kind::Qualifications {
            return None;
        }
        let status = Status::parse(&cell.to_lowercase());
        if status.is_none() {
            let why = "is none of new, contacted, qualified, converted, lost, and was left out";
            notes.push((Field::Status, unreadable(cell, why)));
        }
        status
    }

    fn instant(&self, row: &Row, field: Field, notes: &mut Vec<(Field, String)>) -> Option<i64> {
        let cell = plain(self.mapping.get(row, field));
        if cell.is_empty() {
            return None;
        }
        let at = Instant::parse_rfc3339(cell);
        if at.is_none() {
            notes.push((field, unreadable(cell, "is no instant such as 2026-06-14T09:30:00Z, and was left out")));
        }
        at.map(Instant::micros)
    }

    fn marks(&self, row: &Row, notes: &mut Vec<(Field, String)>) -> Result<Option<Marks>, (Option<Field>, String)> {
        let external_id = self.line(row, Field::ExternalId)?;
        let cell = plain(self.mapping.get(row, Field::Metadata));
        let fields: Option<BTreeMap<String, String>> = serde_json::from_str(cell).ok();
        if fields.is_none() && !cell.is_empty() {
            notes.push((Field::Metadata, unreadable(cell, "is no JSON object of texts, and was left out")));
        }
        if external_id.is_none() && fields.is_none() {
            return Ok(None);
        }
        let fields = fields.unwrap_or_default().into_iter().map(|(name, text)| (name, Some(text))).collect();
        let none = Marks::default();
        let meta = meta::merged(&none.meta, &meta::changes(&none.meta, Some(&fields)));
        let too_many = || (Some(Field::Metadata), format!("The row has more than {} fields.", meta::MOST));
        Ok(Some(Marks { external_id, meta: meta.ok_or_else(too_many)? }))
    }

    fn nobody(&self) -> &'static str {
        match self.kind {
            Kind::Qualifications => "The row has neither a code nor an e-mail address nor a phone number.",
            Kind::Leads | Kind::Referrers => "The row has neither an e-mail address nor a phone number.",
        }
    }

    /// The address and number of the row. In a file of our own an odd address comes back as it was stored.
    fn reach(
        &self,
        row: &Row,
        is_ours: bool,
        notes: &mut Vec<(Field, String)>,
    ) -> Result<(Reach, Option<String>), (Option<Field>, String)> {
        let cell = |field| first_of(plain(self.mapping.get(row, field)));
        let (email, mut phone) = (cell(Field::Email), cell(Field::Phone));
        let is_number = |text: &str| Reach::read("", text, self.country).is_ok();
        if !phone.is_empty() && !email.is_empty() && !is_number(phone) {
            notes.push((Field::Phone, unreadable(phone, "is no phone number, and was left out")));
            phone = "";
        }
        if is_ours && !email.is_empty() && intake::email(email).is_err() {
            let odd =
                text::line(email, 320).map_err(|why| (Some(Field::Email), unreadable(email, &why.to_string())))?;
            let (reach, _) = self.reach_of("", phone)?;
            return Ok((reach, Some(odd)));
        }
        self.reach_of(email, phone)
    }

    fn reach_of(&self, email: &str, phone: &str) -> Result<(Reach, Option<String>), (Option<Field>, String)> {
        let reach = Reach::read(email, phone, self.country).map_err(|(field, why)| match field {
            intake::Field::Phone => (Some(Field::Phone), unreadable(phone, &why)),
            _ => (Some(Field::Email), unreadable(email, &why)),
        });
        Ok((reach?, None))
    }

    fn contact(
        &self,
        row: &Row,
        reach: &Reach,
        notes: &mut Vec<(Field, String)>,
    ) -> Result<Contact, (Option<Field>, String)> {
        let parts = [self.line(row, Field::FirstName)?, self.line(row, Field::LastName)?];
        let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = self.line(row, Field::Name)?.or(Some(joined).filter(|name| !name.is_empty()));
        let facts = self.facts(row, notes)?;
        // A referrer has a name, as on the form.
        if name.is_none() && self.kind == Kind::Referrers {
            return Ok(Contact { facts, ..Contact::new("", reach.email.as_ref(), reach.phone.as_ref()) });
        }
        Ok(Contact { facts, ..reach.contact(name) })
    }

    fn facts(&self, row: &Row, notes: &mut Vec<(Field, String)>) -> Result<LeadFacts, (Option<Field>, String)> {
        let mut facts = LeadFacts::default();
        for plain in &TABLE {
            let field = Field::Fact(plain.fact);
            facts[plain.fact] = match plain.kind {
                Fact::Text => self.parsed(row, field, |t| text::clean(t, plain.most).map_err(|e| e.to_string()))?,
                Fact::Line | Fact::Web => self.line_of(row, field, plain.most)?,
                Fact::Number => match self.line_of(row, field, LINE)? {
                    Some(text) => {
                        let number = budget::written(&text, self.by_semicolons);
                        if number.is_none() {
                            let why = "is not a number such as 5000 or 1,250.50, and was left out";
                            notes.push((field, unreadable(&text, why)));
                        }
                        number
                    }
                    None => None,
                },
            };
        }
        Ok(facts)
    }

    fn line(&self, row: &Row, field: Field) -> Result<Option<String>, (Option<Field>, String)> {
        self.line_of(row, field, LINE)
    }

    fn line_of(&self, row: &Row, field: Field, most: usize) -> Result<Option<String>, (Option<Field>, String)> {
        let line = self.parsed(row, field, |t| text::line(t, most).map_err(|e| e.to_string()))?;
        Ok(line.filter(|text| !text.is_empty()))
    }

    fn parsed<T>(
        &self,
        row: &Row,
        field: Field,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, (Option<Field>, String)> {
        let cell = plain(self.mapping.get(row, field));
        if cell.is_empty() {
            return Ok(None);
        }
        parse(cell).map(Some).map_err(|why| (Some(field), unreadable(cell, &why)))
    }
}

/// Without the apostrophe that stops a spreadsheet from reading a cell as a formula; our own files of
/// rejected rows and our exports have it.
fn plain(cell: &str) -> &str {
    as_it_was(cell)
}

/// The first of several values that Google writes into one cell.
fn first_of(cell: &str) -> &str {
    cell.split(" ::: ").next().unwrap_or_default().trim()
}

/// Why a row of converted customers does not count by its own status.
fn counts(status: &str) -> Result<(), String> {
    let word: String = status.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    if word.is_empty() || PAID.contains(&word.as_str()) {
        return Ok(());
    }
    let status = short(status);
    Err(match UNPAID.iter().any(|unpaid| word.contains(unpaid)) {
        true => format!("The row’s status is “{status}”: nobody is qualified by it."),
        false => format!(
            "The row’s status “{status}” says neither that it was paid nor that it was not. If such rows count, do not import the status column."
        ),
    })
}

/// Statuses of payments and customers that count, and parts of those that do not.
const PAID: [&str; 24] = [
    "paid",
    "succeeded",
    "success",
    "successful",
    "complete",
    "completed",
    "captured",
    "settled",
    "active",
    "trialing",
    "won",
    "closedwon",
    "customer",
    "converted",
    "qualified",
    "approved",
    "confirmed",
    "fulfilled",
    "shipped",
    "delivered",
    "processed",
    "received",
    "yes",
    "ok",
];
const UNPAID: [&str; 20] = [
    "refund",
    "fail",
    "cancel",
    "unpaid",
    "void",
    "declin",
    "disput",
    "chargeback",
    "reject",
    "expired",
    "pending",
    "incomplete",
    "requires",
    "uncaptured",
    "open",
    "draft",
    "lost",
    "blocked",
    "reversed",
    "pastdue",
];

fn unreadable(cell: &str, why: &str) -> String {
    format!("“{}” {why}.", short(cell))
}

fn short(cell: &str) -> String {
    let mut text: String = cell.chars().take(60).collect();
    if text.len() < cell.len() {
        text.push('…');
    }
    text
}

fn says_no(cell: &str) -> bool {
    matches!(cell.to_lowercase().as_str(), "no" | "n" | "false" | "0" | "pending" | "not qualified" | "unqualified")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::table::sanitise_for_spreadsheet;

    fn read(kind: Kind, fields: &[Field], cells: &[&str]) -> Result<Person, Verdict> {
        let mapping = Mapping { columns: fields.iter().copied().map(Some).collect() };
        let row = Row { line: 2, cells: cells.iter().map(|c| (*c).to_owned()).collect() };
        Reader { kind, mapping: &mapping, country: "US", by_semicolons: false }.read(&row)
    }

    #[test]
    fn a_person_is_known_by_address_then_phone_then_code() {
        let fields = [Field::Email, Field::Phone, Field::Code];
        let key = |cells: &[&str]| read(Kind::Qualifications, &fields, cells).map(|p| p.key).unwrap_or_default();
        assert_eq!(key(&[" Jane@Example.com ", "202 456 1111", "k7m"]), "jane@example.com");
        assert_eq!(key(&["", "(202) 456-1111", "k7m"]), "+12024561111");
        assert_eq!(key(&["", "", "ab-12"]), format!("code {}", code::lookup_form("AB12")));
        let nobody = read(Kind::Leads, &fields, &["", "", "ab12"]);
        assert_eq!(nobody.map_err(|v| v.fate).err(), Some(Fate::Invalid));
    }

    #[test]
    fn what_is_wrong_names_the_field() {
        let refused = read(Kind::Leads, &[Field::Email], &["jane at example"]).err();
        assert_eq!(refused.and_then(|v| v.field), Some(Field::Email));
        let no = read(Kind::Qualifications, &[Field::Email, Field::Qualified], &["a@b.co", "No"]).err();
        assert_eq!(no.and_then(|v| v.field), Some(Field::Qualified));
    }

    #[test]
    fn a_cell_of_our_own_rejects_is_read_as_it_was() {
        assert_eq!(plain("'+1 (202) 456"), "+1 (202) 456");
        assert_eq!(plain("'tis"), "'tis");
        for cell in [
            "\"=1+1",
            "\u{ff1d}1",
            "; =1",
            "=1",
            "'=1",
            "''-two",
            "'",
            "''",
            "-5",
            "@home",
            "'+44 kept",
            "+44 20",
            "'tis",
        ] {
            assert_eq!(plain(&sanitise_for_spreadsheet(cell)), cell);
        }
    }
}
