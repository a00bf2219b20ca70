//! Reading the JSON of messages: by path, without trust in any of it.

use serde_json::Value as Json;

use crate::clock::Instant;
use crate::money::Currency;
use crate::text;

/// The reason for which a message cannot be read, as a sentence.
pub type Unreadable = String;

/// The longest id or name that is stored of a message.
const LONGEST: usize = 150;
/// The longest e-mail address that is read. [`Email`](crate::email::Email) takes 254 characters and says so of longer
/// ones, which one that is left out here could not.
const LONGEST_ADDRESS: usize = 1_000;
/// The ending of the fields in which every provider gives an e-mail address.
const ADDRESS: &str = "email";

/// A value by its path, `a.b.0.c`; `None` for null as well.
pub fn at<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    let step = |json: &'j Json, part: &str| match json {
        Json::Array(all) => part.parse::<usize>().ok().and_then(|n| all.get(n)),
        other => other.get(part),
    };
    path.split('.').try_fold(json, step).filter(|found| !found.is_null())
}

/// A text that is not empty, on one line. Numbers count as texts where ids are numbers.
pub fn text(json: &Json, path: &str) -> Option<String> {
    let raw = match at(json, path)? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let longest = if path.ends_with(ADDRESS) { LONGEST_ADDRESS } else { LONGEST };
    text::line(&raw, longest).ok().filter(|line| !line.is_empty())
}

/// A text that is given by itself.
pub fn line(json: &Json) -> Option<String> {
    text::line(json.as_str()?, LONGEST).ok().filter(|line| !line.is_empty())
}

/// The first of some paths that has a text.
pub fn first(json: &Json, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text(json, path))
}

/// An id: of an object that may be given whole in its place.
pub fn id(json: &Json, path: &str) -> Option<String> {
    text(json, path).or_else(|| text(json, &format!("{path}.id")))
}

/// A whole number, which may stand in a text.
pub fn whole(json: &Json, path: &str) -> Option<i64> {
    match at(json, path)? {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub fn is_true(json: &Json, path: &str) -> bool {
    at(json, path) == Some(&Json::Bool(true))
}

/// A moment in seconds since 1970.
pub fn seconds(json: &Json, path: &str) -> Option<Instant> {
    let seconds = whole(json, path).filter(|seconds| (0..=100_000_000_000).contains(seconds))?;
    Some(Instant::from_micros(seconds * 1_000_000))
}

/// A moment as RFC 3339 has it; also with a space in its middle, as some providers write it.
pub fn moment(json: &Json, path: &str) -> Option<Instant> {
    let written = text(json, path)?;
    Instant::parse_rfc3339(&written).or_else(|| Instant::parse_rfc3339(&written.replacen(' ', "T", 1)))
}

pub fn currency(json: &Json, path: &str) -> Result<Currency, Unreadable> {
    let code = text(json, path).ok_or_else(|| format!("It says no {path}."))?;
    Currency::parse(&code).map_err(|_| format!("Its currency {code} is not known."))
}

/// An amount of money that is not negative.
pub fn amount(json: &Json, path: &str) -> Result<i64, Unreadable> {
    whole(json, path).filter(|amount| *amount >= 0).ok_or_else(|| format!("It has no whole number as {path}."))
}
