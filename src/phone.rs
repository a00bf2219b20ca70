//! Phone numbers: the text as written, and the E.164 form by which two of them are the same. Enter with
//! [`Phone::parse`] and the business's country.
//!
//! This file alone uses the `phonenumber` crate, and only its table of countries. Its parser drops digits
//! that belong to the number: `+78001234567` becomes `+7001234567`, and the Italian mobile number `391 234
//! 5678` becomes `+39 12345678` (its check of lengths reads a list that is always empty). Two people would
//! share a number here.

use phonenumber::metadata::{DATABASE, Descriptor};
use phonenumber::{Metadata, Type};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// E.164: country code and national number together.
const MAX_DIGITS: usize = 15;

/// Why a text is no phone number. The sentences continue a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneError {
    /// Other characters than digits, `+`, spaces, hyphens, dots, slashes and brackets.
    Form,
    /// A number of no length that its country knows.
    Length,
    /// A `+` or `00` with no country code behind it.
    CountryCode,
    /// A country that has no numbering plan, so that only numbers with a `+` can be read.
    NeedsPlus,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "must be a phone number of digits, spaces, hyphens and brackets",
            Self::Length => "must be a phone number with the right count of digits for its country",
            Self::CountryCode => "must be a phone number whose country code exists",
            Self::NeedsPlus => "must be a phone number that starts with + and the country code",
        })
    }
}

impl std::error::Error for PhoneError {}

impl PhoneError {
    /// The message beside the field, with a number as the country writes it.
    #[must_use]
    pub fn sentence(self, country: &str) -> String {
        let why = match self {
            Self::Form => "A phone number has digits, spaces, hyphens and brackets only.",
            Self::Length => "This number has too few or too many digits.",
            Self::CountryCode => "No country has this code.",
            Self::NeedsPlus => "This number needs a + and the country code.",
        };
        match example(country) {
            Some(number) => format!("{why} Write it like {number}, or with + and the country code."),
            None => format!("{why} Write it like +44 20 7946 0018."),
        }
    }
}

/// A number that could exist: the right length for its country. Ranges are not checked, because new ranges
/// open more often than programs are updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    text: String,
    e164: String,
}

impl Phone {
    /// Reads a number as written in `country` (ISO 3166, two letters): `0722 000 001`,
    /// `+254 (0)722-000-001`, `00254722000001`.
    ///
    /// # Errors
    /// [`PhoneError`], the first that applies.
    pub fn parse(raw: &str, country: &str) -> Result<Self, PhoneError> {
        let text = raw.trim();
        let dialled = dialled(text).ok_or(PhoneError::Form)?;
        let country = country.trim().to_ascii_uppercase();
        let e164 = match (dialled.strip_prefix('+'), DATABASE.by_id(&country)) {
            (Some(digits), _) => international(digits)?,
            (None, country) => abroad(&dialled, country)
                .or_else(|| Some(national(&dialled, country?)))
                .unwrap_or(Err(PhoneError::NeedsPlus))?,
        };
        Ok(Self { text: text.to_owned(), e164 })
    }

    /// The text as written, trimmed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `+`, country code and national number: "+254722000001". At most 16 characters.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.e164
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A country whose numbers can be read, in upper case: two letters, in any case.
#[must_use]
pub fn country(code: &str) -> Option<String> {
    let code = code.trim().to_ascii_uppercase();
    DATABASE.by_id(&code).is_some().then_some(code)
}

/// The country's dialling code after the `+`: "254" for KE.
#[must_use]
pub fn calling_code(country: &str) -> Option<String> {
    Some(DATABASE.by_id(&country.trim().to_ascii_uppercase())?.country_code().to_string())
}

/// A number as people of the country would write it: "0712123456" for KE.
#[must_use]
pub fn example(country: &str) -> Option<String> {
    let region = DATABASE.by_id(&country.trim().to_ascii_uppercase())?;
    let number = region.descriptors().get(Type::Mobile)?.example()?;
    let trunk = region.national_prefix().filter(|prefix| *prefix == "0").unwrap_or_default();
    let written = format!("{trunk}{number}");
    Phone::parse(&written, country).is_ok().then_some(written)
}

/// The keys to press: digits, after a `+` when the number is international.
fn dialled(text: &str) -> Option<String> {
    // NFKC turns full-width digits and brackets into plain ones.
    let text: String = text.nfkc().filter(|c| !crate::fold::is_hidden(*c)).collect();
    if text.len() > 60 {
        return None;
    }
    let text = text.strip_prefix("tel:").unwrap_or(&text).trim_start();
    let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    // "+44 (0)20": the zero is for callers at home. Italy's zero belongs to the number.
    let rest = match rest.split_once("(0)") {
        Some((code, number)) if plus && has_trunk_zero(code) => format!("{code}{number}"),
        _ => rest.to_owned(),
    };
    let mut digits = String::with_capacity(rest.len());
    for c in rest.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '.' | '/' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            _ if c.is_whitespace() => {}
            _ => return None,
        }
    }
    Some(if plus { format!("+{digits}") } else { digits })
}

fn has_trunk_zero(code: &str) -> bool {
    let regions = code.trim().parse().ok().and_then(|code: u16| DATABASE.by_code(&code));
    regions.is_some_and(|regions| regions.iter().any(|region| region.national_prefix() == Some("0")))
}

/// The E.164 form of a country code and number without the `+`.
fn international(digits: &str) -> Result<String, PhoneError> {
    let split = |length| Some((digits.get(..length)?, digits.get(length..)?));
    // No country code is the beginning of another one.
    let known = |(code, _): &(&str, &str)| code.parse().is_ok_and(|code: u16| DATABASE.by_code(&code).is_some());
    let found = if digits.starts_with('0') { None } else { (1..=3).filter_map(split).find(known) };
    let (code, number) = found.ok_or(PhoneError::CountryCode)?;
    let regions = code.parse().ok().and_then(|code: u16| DATABASE.by_code(&code)).unwrap_or_default();
    // "+44 020": the digit for callers at home goes, if only that makes it a number.
    let number = match regions.first().and_then(|main| without_prefix(number, main)) {
        Some(rest) if !is_known(number, &regions) && is_known(&rest, &regions) => rest,
        _ => number.to_owned(),
    };
    let possible = regions.iter().any(|region| is_possible(&number, region));
    if possible && code.len() + number.len() <= MAX_DIGITS {
        Ok(format!("+{code}{number}"))
    } else {
        Err(PhoneError::Length)
    }
}

/// The E.164 form of what is dialled to reach another country: its own prefix for that, else 00,
/// as in most of the world. No national number starts with two zeros.
fn abroad(digits: &str, country: Option<&Metadata>) -> Option<Result<String, PhoneError>> {
    let own = country.and_then(|country| country.international_prefix()?.find(digits));
    let rest = own.filter(|own| own.start() == 0).map(|own| &digits[own.end()..]);
    let by_own = rest.filter(|rest| !rest.starts_with('0')).map(international);
    let by_zeros = || digits.strip_prefix("00").filter(|rest| !rest.starts_with('0')).map(international);
    // A few of these prefixes also begin numbers at home, so one that leads nowhere is none.
    by_own.filter(Result::is_ok).or_else(by_zeros)
}

/// The E.164 form of what is dialled within a country.
fn national(digits: &str, country: &Metadata) -> Result<String, PhoneError> {
    let here = [country];
    let number = match without_prefix(digits, country) {
        Some(rest) if is_possible(&rest, country) && (is_known(&rest, &here) || !is_known(digits, &here)) => rest,
        _ => digits.to_owned(),
    };
    let code = country.country_code().to_string();
    // "254 722 000 001" in Kenya: the country code without its plus, if nothing else fits.
    if !is_possible(&number, country) && digits.starts_with(&code) {
        return international(digits);
    }
    international(&format!("{code}{number}"))
}

/// The number without what is dialled before it within its country (the trunk prefix, a carrier),
/// by the rules of the table; `None` if there is nothing to take off.
fn without_prefix(digits: &str, country: &Metadata) -> Option<String> {
    let Some(pattern) = country.national_prefix_for_parsing() else {
        return digits.strip_prefix(country.national_prefix()?).map(str::to_owned);
    };
    let found = pattern.captures(digits)?;
    let whole = found.get(0).filter(|whole| whole.start() == 0 && whole.end() > 0)?;
    // Some countries move the digits about instead, such as Argentina's 15 of mobile phones.
    let moved = (1..found.len()).next_back().and_then(|last| found.get(last));
    match country.national_prefix_transform_rule().filter(|_| moved.is_some()) {
        Some(rule) => Some(pattern.replace(digits, rule).into_owned()),
        None => Some(digits[whole.end()..].to_owned()),
    }
}

/// The kinds of number that reach a person. The others (company short numbers, premium rate) have
/// lengths that would let a mistyped number pass: seven digits in North America.
const TYPES: [Type; 5] = [Type::FixedLine, Type::Mobile, Type::TollFree, Type::PersonalNumber, Type::Voip];

/// True when any kind of number of the country has this length.
fn is_possible(number: &str, country: &Metadata) -> bool {
    let length = u16::try_from(number.len()).unwrap_or(u16::MAX);
    let kinds = TYPES.iter().filter_map(|kind| country.descriptors().get(*kind));
    kinds.flat_map(Descriptor::possible_length).any(|possible| *possible == length)
}

/// True when the number is within a range that was in use when the table was made.
fn is_known(number: &str, regions: &[&Metadata]) -> bool {
    let kinds = |region: &&Metadata| {
        TYPES.iter().filter_map(|kind| region.descriptors().get(*kind)).any(|kind| kind.is_match(number))
    };
    regions.iter().any(kinds)
}

#[cfg(test)]
mod tests;
