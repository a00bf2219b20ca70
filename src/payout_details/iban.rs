//! IBANs (ISO 13616) and BICs (ISO 9362): numbers that are checked before money goes there.

use std::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use crate::fold;
use crate::places;

/// A line each: country, the kinds of its characters behind the check digits, and "sepa" for a country of SEPA.
/// "4a6n8n" is four letters and fourteen digits; `c` is either.
const TABLE: &str = include_str!("ibans.txt");
/// The longest text that is looked at; the longest IBAN has 34 characters.
const MOST: usize = 80;

/// The IBANs of a country.
struct Plan {
    country: &'static str,
    /// The kind of each character behind the check digits: `n`, `a` or `c`.
    kinds: Vec<char>,
    is_sepa: bool,
}

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| TABLE.lines().filter_map(plan).collect());

fn plan(line: &'static str) -> Option<Plan> {
    let mut parts = line.split('|');
    let (country, spec, sepa) = (parts.next()?, parts.next()?, parts.next()?);
    let mut kinds = Vec::new();
    let mut count = 0;
    for c in spec.chars() {
        match c.to_digit(10) {
            Some(digit) => count = count * 10 + digit as usize,
            None => kinds.extend(std::iter::repeat_n(c, std::mem::take(&mut count))),
        }
    }
    Some(Plan { country, kinds, is_sepa: sepa == "sepa" })
}

fn plan_of(country: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.country == country)
}

/// "DE89 3704 0044 0532 0130 00": as people write it.
pub fn grouped(iban: &str) -> String {
    let letters: Vec<char> = iban.chars().filter(|c| !c.is_whitespace()).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// True for a country whose accounts have IBANs.
pub fn has_ibans(country: &str) -> bool {
    plan_of(country).is_some()
}

/// True for a country that a SEPA transfer reaches.
pub fn is_sepa(country: &str) -> bool {
    plan_of(country).is_some_and(|plan| plan.is_sepa)
}

/// Why a text is no IBAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IbanError {
    /// It does not begin with two letters and two digits.
    Start,
    /// A group has something else than a letter or a digit.
    Character {
        group: usize,
    },
    /// No country's IBANs begin with these letters.
    Country(String),
    Length {
        country: &'static str,
        has: usize,
        needs: usize,
    },
    /// A group has a letter where the country has digits, or a digit where it has letters.
    Kind {
        country: &'static str,
        group: usize,
        digits: bool,
    },
    /// The check digits do not fit. One wrong or two swapped characters would explain it in these groups; none
    /// when it may be any.
    CheckDigits {
        groups: Vec<usize>,
    },
}

impl fmt::Display for IbanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => {
                f.write_str("An IBAN begins with the two letters of its country and two digits, like DE89 3704 0044 …")
            }
            Self::Character { group } => {
                write!(f, "Group {group} of this IBAN has a character that is no letter and no digit.")
            }
            Self::Country(letters) => write!(f, "No country’s IBANs begin with {letters}."),
            Self::Length { country, has, needs } => {
                let name = places::country_name(country);
                let found = if has < needs { "is one left out" } else { "is one too many" };
                write!(f, "An IBAN of {name} has {needs} characters, this one {has}: {found}?")
            }
            Self::Kind { country, group, digits } => {
                let (found, wanted) = if *digits { ("a letter", "digits") } else { ("a digit", "letters") };
                let name = places::country_name(country);
                write!(f, "Group {group} of this IBAN has {found} where IBANs of {name} have {wanted}.")
            }
            Self::CheckDigits { groups } => match groups.as_slice() {
                [] => f.write_str("The check digits of this IBAN do not fit: compare each group of four."),
                [one] => write!(f, "The check digits of this IBAN do not fit: group {one} is likely wrong."),
                [first @ .., last] => {
                    let first = first.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    write!(f, "The check digits of this IBAN do not fit: group {first} or {last} is likely wrong.")
                }
            },
        }
    }
}

impl std::error::Error for IbanError {}

/// The letters and digits of a number as people write and paste it, in upper case. Other characters stay.
fn compact(raw: &str) -> String {
    let idle = |c: &char| !c.is_whitespace() && !fold::is_hidden(*c) && !fold::is_dash(*c) && !matches!(c, '.' | '-');
    let text: String = raw.nfkc().take(MOST).filter(idle).collect();
    let text = text.to_ascii_uppercase();
    // No country has the letters IB, so this is the label, copied with the number.
    text.strip_prefix("IBAN").map_or(text.as_str(), |rest| rest.trim_start_matches(':')).to_owned()
}

/// Reads an IBAN, with or without its spaces, and gives it without them, in upper case.
///
/// # Errors
/// [`IbanError`], the first that applies.
pub fn iban(raw: &str) -> Result<String, IbanError> {
    let text: Vec<char> = compact(raw).chars().collect();
    if let Some(at) = text.iter().position(|c| !c.is_ascii_alphanumeric()) {
        return Err(IbanError::Character { group: group(at) });
    }
    let starts = |at: usize, fits: fn(&char) -> bool| text.get(at).is_some_and(fits);
    if !(starts(0, char::is_ascii_uppercase)
        && starts(1, char::is_ascii_uppercase)
        && starts(2, char::is_ascii_digit)
        && starts(3, char::is_ascii_digit))
    {
        return Err(IbanError::Start);
    }
    let letters: String = text.iter().take(2).collect();
    let Some(plan) = plan_of(&letters) else { return Err(IbanError::Country(letters)) };
    let (has, needs) = (text.len(), plan.kinds.len() + 4);
    if has != needs {
        return Err(IbanError::Length { country: plan.country, has, needs });
    }
    for (at, (c, kind)) in text.iter().skip(4).zip(&plan.kinds).enumerate() {
        if !fits(*c, *kind) {
            return Err(IbanError::Kind { country: plan.country, group: group(at + 4), digits: *kind == 'n' });
        }
    }
    if is_right(&text) {
        Ok(text.into_iter().collect())
    } else {
        Err(IbanError::CheckDigits { groups: suspects(&text) })
    }
}

/// The number of the group of four in which a character stands.
fn group(at: usize) -> usize {
    at / 4 + 1
}

fn fits(c: char, kind: char) -> bool {
    match kind {
        'n' => c.is_ascii_digit(),
        'a' => c.is_ascii_uppercase(),
        _ => true,
    }
}

/// ISO 7064: the number with its first four characters moved to the end, A as 10 to Z as 35, leaves 1 when divided
/// by 97. The check digits are a remainder taken from 98, so 00, 01 and 99 are none.
fn is_right(text: &[char]) -> bool {
    let (start, rest) = text.split_at(4.min(text.len()));
    let digits = [start.get(2), start.get(3)];
    if matches!(digits, [Some('0'), Some('0' | '1')] | [Some('9'), Some('9')]) {
        return false;
    }
    let step = |left: u32, c: &char| {
        let value = c.to_digit(36).unwrap_or_default();
        (left * if value < 10 { 10 } else { 100 } + value) % 97
    };
    rest.iter().chain(start).fold(0, step) == 1
}

/// Names of groups help only when they are few.
const SUSPECTS: usize = 3;

/// The groups in which one wrong character, or two swapped ones, would explain wrong check digits.
fn suspects(text: &[char]) -> Vec<usize> {
    let mut groups = Vec::new();
    let mut tried = text.to_vec();
    for at in 2..text.len() {
        let others: &str = if text[at].is_ascii_digit() { "0123456789" } else { "ABCDEFGHIJKLMNOPQRSTUVWXYZ" };
        for other in others.chars().filter(|c| *c != text[at]) {
            tried[at] = other;
            if is_right(&tried) {
                groups.push(group(at));
            }
        }
        tried[at] = text[at];
        if at + 1 < text.len() && text[at] != text[at + 1] {
            tried.swap(at, at + 1);
            if is_right(&tried) {
                groups.extend([group(at), group(at + 1)]);
            }
            tried.swap(at, at + 1);
        }
    }
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > SUSPECTS { Vec::new() } else { groups }
}

/// Why a text is no BIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BicError {
    Form,
    /// The fifth and sixth letters are no country.
    Country,
}

impl fmt::Display for BicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "A BIC has 8 or 11 letters and digits, like COBADEFF or COBADEFFXXX.",
            Self::Country => "The fifth and sixth letters of this BIC are no country.",
        })
    }
}

impl std::error::Error for BicError {}

/// Reads a BIC, and gives it without spaces, in upper case.
///
/// # Errors
/// [`BicError`], the first that applies.
pub fn bic(raw: &str) -> Result<String, BicError> {
    let text = compact(raw);
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_plain || !matches!(text.len(), 8 | 11) {
        return Err(BicError::Form);
    }
    let country = &text[4..6];
    if !country.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(BicError::Form);
    }
    let is_known = country == "XK" || places::countries().iter().any(|known| known.code == country);
    if is_known { Ok(text) } else { Err(BicError::Country) }
}

#[cfg(test)]
mod tests;
