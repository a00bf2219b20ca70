//! Query strings: their pairs, their escapes, and the state of a list as its URL says it.

use std::borrow::Cow;

use crate::clock::{Day, Zone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The state of a list, as its URL says it.
#[derive(Debug, Clone)]
pub struct ListQuery {
    path: Cow<'static, str>,
    pairs: Vec<(String, String)>,
}

impl ListQuery {
    /// From the query string of a request; names unknown to the list are dropped.
    pub fn new(path: impl Into<Cow<'static, str>>, query: Option<&str>, known: &[&str]) -> Self {
        let mut pairs = pairs(query.unwrap_or_default());
        // PostgreSQL takes no NUL in a text.
        pairs.iter_mut().for_each(|(_, value)| *value = value.replace(char::is_control, " "));
        pairs.retain(|(name, value)| known.contains(&name.as_str()) && !value.is_empty());
        Self { path: path.into(), pairs }
    }

    /// Every pair of a query string, for whichever list it is.
    pub fn whole(query: &str) -> Self {
        Self { path: "".into(), pairs: pairs(query) }
    }

    /// The first value of a name, trimmed; empty when it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// Every value of a name.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// The days of the list, `from` and `to`, in a zone.
    pub fn dates(&self, zone: Zone) -> Dates {
        let day = |name: &str| Day::parse_typed(self.get(name)).ok();
        Dates { first: day("from"), last: day("to"), zone }
    }

    /// The address of the list's query alone, without the place in it.
    pub fn text(&self) -> String {
        let own = self.pairs.iter().filter(|(key, _)| !["after", "before", "campaign"].contains(&key.as_str()));
        let own: Vec<(&str, &str)> = own.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        url("", &own).trim_start_matches('?').to_owned()
    }

    /// This list with one thing changed; an empty value takes it away. Filters start at the first page.
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .filter(|(k, _)| *k != name && *k != "after" && *k != "before")
            .collect();
        if !value.is_empty() {
            pairs.push((name, value));
        }
        url(&self.path, &pairs)
    }

    /// Sets one value as if the address had it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.pairs.retain(|(key, _)| key != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// This list of its campaign, without filters.
    pub fn bare(&self) -> Self {
        let pairs = self.pairs.iter().filter(|(key, _)| key == "campaign").cloned().collect();
        Self { path: self.path.clone(), pairs }
    }

    /// This list without one value of its address.
    pub fn without(&self, name: &str) -> Self {
        let pairs = self.pairs.iter().filter(|(key, _)| key != name).cloned().collect();
        Self { path: self.path.clone(), pairs }
    }

    /// The other values of the address, for a form that changes some of them.
    pub fn rest(&self, changed: &[&str]) -> Vec<(String, String)> {
        let kept = |name: &str| !changed.contains(&name) && !["after", "before"].contains(&name);
        self.pairs.iter().filter(|(key, _)| kept(key)).cloned().collect()
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of a header's sort link, and its `aria-sort`.
    pub fn sort(&self, name: &str, default: &str) -> (String, &'static str) {
        self.sorted(name, default, "")
    }

    /// As [`ListQuery::sort`], for a number: the largest come first.
    pub fn sort_number(&self, name: &str, default: &str) -> (String, &'static str) {
        self.sorted(name, default, "-")
    }

    fn sorted(&self, name: &str, default: &str, first: &str) -> (String, &'static str) {
        let now = if self.get("sort").is_empty() { default } else { self.get("sort") };
        if now == name {
            (self.with("sort", &format!("-{name}")), "ascending")
        } else if now.strip_prefix('-') == Some(name) {
            (self.with("sort", name), "descending")
        } else {
            (self.with("sort", &format!("{first}{name}")), "")
        }
    }
}

/// A stretch of days in a zone; open where it has no first or no last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    pub first: Option<Day>,
    pub last: Option<Day>,
    zone: Zone,
}

impl Dates {
    /// The first instant of it, in microseconds.
    pub fn since(self) -> Option<i64> {
        self.first.map(|day| self.zone.start_of(day).micros())
    }

    /// The first instant after it, in microseconds.
    pub fn until(self) -> Option<i64> {
        self.last.map(|day| self.zone.start_of(day.plus_days(1)).micros())
    }

    pub fn is_any(self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// "12 May 2026 to 3 June 2026", "since 12 May 2026", "until 3 June 2026"; empty for any.
    pub fn shown(self) -> String {
        match (self.first, self.last) {
            (Some(first), Some(last)) if first == last => first.shown(),
            (Some(first), Some(last)) => format!("{} to {}", first.shown(), last.shown()),
            (Some(first), None) => format!("since {}", first.shown()),
            (None, Some(last)) => format!("until {}", last.shown()),
            (None, None) => String::new(),
        }
    }
}

/// An own address with its campaign named, before the place within the page.
pub fn in_campaign(address: &str, campaign: i64) -> String {
    let (address, place) = address.split_once('#').map_or((address, String::new()), |(a, p)| (a, format!("#{p}")));
    let query = address.split_once('?').map(|(_, query)| query);
    if query.is_some_and(|query| pairs(query).iter().any(|(key, _)| key == "campaign")) {
        return format!("{address}{place}");
    }
    let joint = if query.is_some() { '&' } else { '?' };
    format!("{address}{joint}campaign={campaign}{place}")
}

/// A path with a query string.
pub fn url(path: &str, pairs: &[(&str, &str)]) -> String {
    let query: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// All but letters, digits and `-_.~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes for a query string.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The pairs of a query string or form body, in order; a broken escape stays as it is.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Undoes [`encode`], and reads a plus as a space; a broken escape stays as it is.
pub fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_what_it_knows_and_changes_one_thing() {
        let q = ListQuery::new("/leads", Some("status=new&q=a+b%26&evil=1&after=xx"), &["status", "q", "after"]);
        assert_eq!(q.get("q"), "a b&");
        assert_eq!(q.with("status", "lost"), "/leads?q=a%20b%26&status=lost");
        assert_eq!(q.with("status", ""), "/leads?q=a%20b%26");
    }

    #[test]
    fn an_address_names_its_campaign_once() {
        assert_eq!(in_campaign("/leads", 5), "/leads?campaign=5");
        assert_eq!(in_campaign("/leads?q=x#lead_4", 5), "/leads?q=x&campaign=5#lead_4");
        assert_eq!(in_campaign("/leads?campaign=7", 5), "/leads?campaign=7");
    }
}
