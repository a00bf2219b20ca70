//! Forms: raw text in, typed values or errors out. Typed text survives, so a failed page shows it.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;

use super::page::own_path;
use super::{Fault, bounds};
use crate::amounts::Amounts;
use crate::clock::{Day, DayError, Zone};
use crate::email::Email;
use crate::money::{Currency, Money, Rate};
use crate::phone::Phone;
use crate::query::pairs;
use crate::{number, places, text};

#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// The fields of one form, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    pub errors: Vec<FieldError>,
    /// True for a form that is shown as it was typed: nothing in it is read, so nothing is done.
    is_unsent: bool,
    /// The reading of numbers that have two meanings.
    understood: Vec<String>,
}

/// Marks a request whose form is shown as it was typed and not acted on; the sentence says why.
#[derive(Debug, Clone)]
pub struct Unsent(pub String);

impl Form {
    /// A form to show for the first time.
    pub fn filled(values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { values, ..Self::default() }
    }

    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a repeated field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> + Clone {
        self.values.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let place = self.values.iter().position(|(key, _)| key == name).unwrap_or(self.values.len());
        self.values.retain(|(key, _)| key != name);
        self.values.insert(place, (name.to_owned(), value.into()));
    }

    /// A further value of a repeated field.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.values.push((name.to_owned(), value.into()));
    }

    pub fn checked(&self, name: &str) -> bool {
        matches!(self.value(name), "yes" | "on" | "1" | "true")
    }

    pub fn error(&self, name: &str) -> &str {
        self.errors.iter().find(|e| e.field == name).map_or("", |e| e.message.as_str())
    }

    pub fn fail(&mut self, name: &str, message: impl Into<String>) {
        if self.is_unsent && !name.is_empty() {
            return;
        }
        self.errors.push(FieldError { field: name.to_owned(), message: message.into() });
    }

    /// The faults, in the order of the fields on the page: a browser sends them so. A field that is not sent, as a
    /// choice without an answer, follows the one that was read before it.
    pub fn in_order(&self) -> Vec<&FieldError> {
        let mut last = 0;
        let mut errors: Vec<(usize, &FieldError)> = Vec::new();
        for error in &self.errors {
            let place = self.values.iter().position(|(name, _)| *name == error.field);
            // A fault of the whole form comes first.
            last = if error.field.is_empty() { 0 } else { place.map_or(last, |at| at + 1) };
            errors.push((last, error));
        }
        errors.sort_by_key(|(place, _)| *place);
        errors.into_iter().map(|(_, error)| error).collect()
    }

    pub fn is_fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// A line that has to be there. `label` is what the page calls it, so that the sentence reads well.
    pub fn line(&mut self, name: &str, label: &str, most: usize) -> Option<String> {
        if self.is_unsent {
            return None;
        }
        let value = self.optional_line(name, label, most);
        if value.is_none() && self.error(name).is_empty() {
            self.fail(name, format!("{label} is missing."));
        }
        value
    }

    /// A line that may be left empty.
    pub fn optional_line(&mut self, name: &str, label: &str, most: usize) -> Option<String> {
        if self.is_unsent {
            return None;
        }
        match text::line(self.value(name), most) {
            Ok(value) => Some(value).filter(|v| !v.is_empty()),
            Err(why) => {
                self.fail(name, format!("{label} {why}."));
                None
            }
        }
    }

    /// Text of several lines that may be left empty.
    pub fn optional_text(&mut self, name: &str, label: &str, most: usize) -> Option<String> {
        if self.is_unsent {
            return None;
        }
        match text::clean(self.value(name), most) {
            Ok(value) => Some(value).filter(|v| !v.is_empty()),
            Err(why) => {
                self.fail(name, format!("{label} {why}."));
                None
            }
        }
    }

    pub fn email(&mut self, name: &str, label: &str) -> Option<Email> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).trim().to_owned();
        if value.is_empty() {
            self.fail(name, format!("{label} is missing."));
            return None;
        }
        self.optional_email(name)
    }

    pub fn optional_email(&mut self, name: &str) -> Option<Email> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).trim().to_owned();
        if value.is_empty() {
            return None;
        }
        Email::parse(&value).map_err(|why| self.fail(name, why.sentence())).ok()
    }

    pub fn optional_phone(&mut self, name: &str, country: &str) -> Option<Phone> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).trim().to_owned();
        if value.is_empty() {
            return None;
        }
        Phone::parse(&value, country).map_err(|why| self.fail(name, why.sentence(country))).ok()
    }

    pub fn money(&mut self, name: &str, label: &str, currency: Currency) -> Option<Money> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).to_owned();
        let money = Money::from_text(&value, currency).map_err(|why| self.fail(name, format!("{label} {why}."))).ok();
        self.understand(&value, money.map(Money::shown));
        money
    }

    /// An amount that may be below 0.
    pub fn signed_money(&mut self, name: &str, label: &str, currency: Currency) -> Option<Money> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).to_owned();
        let read = Money::signed_from_text(&value, currency);
        let money = read.map_err(|why| self.fail(name, format!("{label} {why}."))).ok();
        self.understand(&value, money.map(Money::shown));
        money
    }

    /// Notes the reading of a number that could be meant otherwise.
    fn understand(&mut self, typed: &str, read: Option<String>) {
        let unclear = number::read(typed.trim().trim_end_matches('%')).is_some_and(|number| number.unclear.is_some());
        if let Some(read) = read.filter(|_| unclear) {
            self.understood.push(format!(" “{}” was read as {read}.", typed.trim()));
        }
    }

    /// Words about the numbers that were read, behind the words of a flash; empty where all were clear.
    pub fn understood(&self) -> String {
        self.understood.concat()
    }

    /// One amount in `currency` under `name`, which may be empty, and further ones, one a line, under
    /// `name_other`. An empty form gives no amounts.
    pub fn amounts(&mut self, name: &str, label: &str, currency: Currency) -> Option<Amounts> {
        if self.is_unsent {
            return None;
        }
        let mut amounts = Amounts::default();
        if !self.value(name).trim().is_empty() {
            amounts.add(self.money(name, label, currency)?);
        }
        let other = format!("{name}_other");
        let lines = text::clean(self.value(&other), 2_000).map_err(|why| why.to_string());
        match lines.and_then(|lines| amounts.read_lines(&lines)) {
            Ok(()) => Some(amounts),
            Err(why) => {
                self.fail(&other, format!("{label} in further currencies {why}."));
                None
            }
        }
    }

    pub fn rate(&mut self, name: &str, label: &str) -> Option<Rate> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).to_owned();
        let rate = Rate::parse(&value).map_err(|why| self.fail(name, format!("{label} {why}."))).ok();
        self.understand(&value, rate.map(Rate::shown));
        rate
    }

    /// A date as people type it, or "today" and the days beside it.
    pub fn day(&mut self, name: &str, label: &str, today: Day) -> Option<Day> {
        if self.is_unsent {
            return None;
        }
        let value = self.value(name).to_owned();
        let read = Day::parse_said(&value, today);
        read.map_err(|why| {
            let words = match why {
                _ if value.trim().is_empty() => format!("{label} is missing."),
                DayError::Form | DayError::TypedForm => format!(
                    "{label} is not understood. Write it as YYYY-MM-DD, like 2026-06-14, or as 14/06/2026 or 14 Jun 2026."
                ),
                DayError::NoSuchDay => format!(
                    "{label} is not a day of the calendar. The day comes before the month, like 14/06/2026, or write 2026-06-14."
                ),
                DayError::Year => format!("{label} {why}."),
            };
            self.fail(name, words);
        })
        .ok()
    }

    /// A whole number between two bounds.
    pub fn number(&mut self, name: &str, label: &str, least: i64, most: i64) -> Option<i64> {
        if self.is_unsent {
            return None;
        }
        let parsed = self.value(name).trim().replace([',', ' '], "").parse::<i64>().ok();
        let fine = parsed.filter(|n| (least..=most).contains(n));
        if fine.is_none() {
            self.fail(name, format!("{label} must be a whole number from {least} to {most}."));
        }
        fine
    }

    /// One of some words.
    pub fn choice<T>(&mut self, name: &str, label: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.typed(name, label, "is not one of the choices", parse)
    }

    /// Something short that is typed; `wrong` says how it is written.
    pub fn typed<T>(&mut self, name: &str, label: &str, wrong: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = parse(self.value(name).trim());
        if found.is_none() {
            self.fail(name, format!("{label} {wrong}."));
        }
        found
    }

    pub fn currency(&mut self, name: &str, label: &str) -> Option<Currency> {
        let wrong = "is not known. Choose one of the list, or type its code or its name, such as USD or US dollar";
        self.named(name, label, wrong, places::currency)
    }

    pub fn country(&mut self, name: &str, label: &str) -> Option<String> {
        let wrong = "is not known. Choose one of the list, or type its name or its letters, such as Kenya or KE";
        self.named(name, label, wrong, places::country).map(|country| country.code.to_owned())
    }

    pub fn zone(&mut self, name: &str, label: &str) -> Option<Zone> {
        self.named(name, label, "is not known. Choose one of the list, or type its city", places::zone)
    }

    /// Something that has a name; an empty field is missing.
    fn named<T>(&mut self, name: &str, label: &str, wrong: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let wrong = if self.value(name).trim().is_empty() { "is missing" } else { wrong };
        self.typed(name, label, wrong, find)
    }

    /// The next page: the form's `back`, if it is a path of ours.
    pub fn back<'f>(&'f self, otherwise: &'f str) -> &'f str {
        own_path(self.value("back"), otherwise)
    }
}

/// The largest form body; the text fields of every form together are far below.
const MOST: usize = 512 * 1024;

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Fault::Bad("A form was expected.".into()));
        }
        if bounds::declared(request.headers()) > MOST as u64 {
            return Err(Fault::TooLarge("The form is too large.".into()));
        }
        let unsent = request.extensions().get::<Unsent>().cloned();
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| match bounds::is_slow(&rejection) {
                true => Fault::Slow,
                false => Fault::TooLarge("The form is too large.".into()),
            })?;
        if body.len() > MOST {
            return Err(Fault::TooLarge("The form is too large.".into()));
        }
        let text = String::from_utf8_lossy(&body);
        let mut form = Self { values: pairs(&text), is_unsent: unsent.is_some(), ..Self::default() };
        if let Some(Unsent(why)) = unsent {
            form.fail("", why);
        }
        Ok(form)
    }
}

/// A form with one file in it, which is stored in a temporary file while it is read.
pub struct Upload {
    pub form: Form,
    pub file_name: String,
    /// Empty when no file was chosen.
    pub file: tempfile::SpooledTempFile,
    pub size: u64,
}

impl Upload {
    /// Reads a multipart body of at most `limit` bytes of file.
    pub async fn read(mut body: Multipart, limit: u64) -> Result<Self, Fault> {
        use std::io::Write;
        let broken = |error: MultipartError| match bounds::is_slow(&error) {
            true => Fault::Slow,
            false => Fault::Bad("The upload broke off, or is not a form with a file.".into()),
        };
        let mut upload = Self {
            form: Form::default(),
            file_name: String::new(),
            file: tempfile::SpooledTempFile::new(1 << 20),
            size: 0,
        };
        // The limit is of all texts together: each of them may be as long as the form.
        let mut texts = 0;
        while let Some(mut field) = body.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            texts += name.len();
            if let Some(file_name) = field.file_name().map(str::to_owned) {
                upload.file_name = text::line(&file_name, 200).unwrap_or_else(|_| "upload".to_owned());
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    upload.size += chunk.len() as u64;
                    if upload.size > limit {
                        return Err(Fault::TooLarge(format!("A file may have {} MiB at most.", limit >> 20)));
                    }
                    upload.file.write_all(&chunk).map_err(|e| Fault::Unavailable(e.to_string()))?;
                }
            } else {
                let mut value = Vec::new();
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    texts += chunk.len();
                    if texts > MOST || upload.form.values.len() > 1_000 {
                        return Err(Fault::TooLarge("The form is too large.".into()));
                    }
                    value.extend_from_slice(&chunk);
                }
                upload.form.values.push((name, String::from_utf8_lossy(&value).into_owned()));
            }
        }
        Ok(upload)
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn errors_stand_in_the_order_of_the_fields() {
        let mut form = Form::filled(&[("stamp", "x"), ("name", ""), ("email", ""), ("amount", ""), ("note", "")]);
        form.set("email", "changed");
        for name in ["amount", "chosen", "note", "email", "name", ""] {
            form.fail(name, name);
        }
        let order: Vec<&str> = form.in_order().iter().map(|e| e.field.as_str()).collect();
        assert_eq!(order, ["", "name", "email", "amount", "chosen", "note"]);
    }
}
