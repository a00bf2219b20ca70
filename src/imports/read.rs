//! A row's cells as a person: parsed once, or refused with the field and the reason.

use super::Kind;
use super::mapping::{Field, Mapping};
use super::outcome::{Fate, Verdict};
use super::table::{Row, sanitise_for_spreadsheet};
use crate::email::Email;
use crate::engine::{Contact, Status};
use crate::intake::{self, Reach};
use crate::leads::budget;
use crate::leads::fields::{Kind as Fact, LeadFacts, TABLE};
use crate::phone::Phone;
use crate::{code, text};

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
}

impl Person {
    pub fn code_key(&self) -> Option<String> {
        self.code.as_deref().map(code::lookup_form)
    }
}

const LINE: usize = 200;

/// The reading rules of a file's rows.
pub struct Reader<'i> {
    pub kind: Kind,
    pub mapping: &'i Mapping,
    pub country: &'i str,
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
        let reach = self.reach(row)?;
        let referrer = self.parsed(row, Field::ReferrerEmail, intake::email)?;
        let code = self.line(row, Field::Code)?;
        if self.kind == Kind::Referrers
            && let Some(own) = &code
        {
            code::parse_custom(own).map_err(|why| (Some(Field::Code), format!("The code {why}.")))?;
        }
        let status = self.parsed(row, Field::Status, |t| {
            Status::parse(&t.to_lowercase())
                .ok_or_else(|| "is none of new, contacted, qualified, converted, lost".into())
        })?;
        let key = match (reach.key(), &code) {
            (Some(contact), _) => contact.to_owned(),
            (None, Some(code)) if self.kind == Kind::Qualifications => format!("code {}", code::lookup_form(code)),
            _ => return Err((None, self.nobody().into())),
        };
        let contact = self.contact(row, &reach)?;
        Ok(Person { line, key, contact, email: reach.email, phone: reach.phone, code, referrer, status })
    }

    fn nobody(&self) -> &'static str {
        match self.kind {
            Kind::Qualifications => "The row has neither a code nor an e-mail address nor a phone number.",
            Kind::Leads | Kind::Referrers => "The row has neither an e-mail address nor a phone number.",
        }
    }

    fn reach(&self, row: &Row) -> Result<Reach, (Option<Field>, String)> {
        let cell = |field| plain(self.mapping.get(row, field));
        let (email, phone) = (cell(Field::Email), cell(Field::Phone));
        Reach::read(email, phone, self.country).map_err(|(field, why)| match field {
            intake::Field::Phone => (Some(Field::Phone), unreadable(phone, &why)),
            _ => (Some(Field::Email), unreadable(email, &why)),
        })
    }

    fn contact(&self, row: &Row, reach: &Reach) -> Result<Contact, (Option<Field>, String)> {
        let parts = [self.line(row, Field::FirstName)?, self.line(row, Field::LastName)?];
        let joined = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = self.line(row, Field::Name)?.or(Some(joined).filter(|name| !name.is_empty()));
        Ok(Contact { facts: self.facts(row)?, ..reach.contact(name) })
    }

    fn facts(&self, row: &Row) -> Result<LeadFacts, (Option<Field>, String)> {
        let mut facts = LeadFacts::default();
        for plain in &TABLE {
            let field = Field::Fact(plain.fact);
            facts[plain.fact] = match plain.kind {
                Fact::Text => self.parsed(row, field, |t| text::clean(t, plain.most).map_err(|e| e.to_string()))?,
                Fact::Line | Fact::Web => self.line_of(row, field, plain.most)?,
                Fact::Number => match self.line_of(row, field, LINE)?.map(|typed| budget::typed(&typed)) {
                    Some(None) => {
                        let why = format!("The {} is not a number such as 5000 or 1,250.50.", plain.file);
                        return Err((Some(field), why));
                    }
                    number => number.flatten(),
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
    let ours = |rest: &&str| rest.starts_with(['=', '+', '-', '@']) || sanitise_for_spreadsheet(rest) == cell;
    cell.strip_prefix('\'').filter(ours).unwrap_or(cell)
}

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

    fn read(kind: Kind, fields: &[Field], cells: &[&str]) -> Result<Person, Verdict> {
        let mapping = Mapping { columns: fields.iter().copied().map(Some).collect() };
        let row = Row { line: 2, cells: cells.iter().map(|c| (*c).to_owned()).collect() };
        Reader { kind, mapping: &mapping, country: "US" }.read(&row)
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
        for cell in ["\"=1+1", "\u{ff1d}1", "; =1", "=1"] {
            assert_eq!(plain(&sanitise_for_spreadsheet(cell)), cell);
        }
    }
}
