//! What lists share: the query string as state, opaque cursors, tabs and chips.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// A saved view above a list.
#[derive(Debug, Clone)]
pub struct Tab {
    pub label: String,
    pub url: String,
    pub current: bool,
    /// How many, ready to read; empty for none.
    pub count: String,
}

/// An active filter that can be taken away.
#[derive(Debug, Clone)]
pub struct Chip {
    pub label: String,
    pub remove_url: String,
}

/// The state of a list, as its URL says it.
#[derive(Debug, Clone)]
pub struct ListQuery {
    path: &'static str,
    pairs: Vec<(String, String)>,
}

impl ListQuery {
    /// From the query string of a request; the names a list does not know are dropped.
    pub fn new(path: &'static str, query: Option<&str>, known: &[&str]) -> Self {
        let mut pairs = pairs(query.unwrap_or_default());
        // PostgreSQL takes no NUL in a text.
        pairs.iter_mut().for_each(|(_, value)| *value = value.replace(char::is_control, " "));
        pairs.retain(|(name, value)| known.contains(&name.as_str()) && !value.is_empty());
        Self { path, pairs }
    }

    /// The first value of a name, trimmed; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
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
        url(self.path, &pairs)
    }

    /// Takes one thing as said although the address does not say it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.pairs.retain(|(key, _)| key != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// This list as if one thing had never been said.
    pub fn without(&self, name: &str) -> Self {
        let pairs = self.pairs.iter().filter(|(key, _)| key != name).cloned().collect();
        Self { path: self.path, pairs }
    }

    /// What else the address says, for a form to keep that changes some of it.
    pub fn rest(&self, changed: &[&str]) -> Vec<(String, String)> {
        let kept = |name: &str| !changed.contains(&name) && !["after", "before"].contains(&name);
        self.pairs.iter().filter(|(key, _)| kept(key)).cloned().collect()
    }

    pub fn path(&self) -> &'static str {
        self.path
    }

    /// This list from behind a row on.
    pub fn behind(&self, row: &Cursor) -> String {
        let base = self.with("after", "");
        let joint = if base.contains('?') { '&' } else { '?' };
        format!("{base}{joint}after={}", row.text())
    }

    pub fn chip(&self, name: &str, label: impl Into<String>) -> Chip {
        Chip { label: label.into(), remove_url: self.with(name, "") }
    }

    /// Where a header's sort link leads, and what its `aria-sort` says.
    pub fn sort(&self, name: &str, default: &str) -> (String, &'static str) {
        let now = if self.get("sort").is_empty() { default } else { self.get("sort") };
        if now == name {
            (self.with("sort", &format!("-{name}")), "ascending")
        } else if now.strip_prefix('-') == Some(name) {
            (self.with("sort", name), "descending")
        } else {
            (self.with("sort", name), "")
        }
    }
}

/// A path with a query string.
pub fn url(path: &str, pairs: &[(&str, &str)]) -> String {
    let query: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// Percent-encodes for a query string.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The pairs of a query string or form body, in order; a broken escape is kept as it is.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Undoes [`encode`], and reads a plus as a space; a broken escape is kept as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        match escaped {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(if bytes[i] == b'+' { b' ' } else { bytes[i] });
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where a page of a list begins: the sort value and id of the row before it, and the direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub value: String,
    pub id: i64,
}

impl Cursor {
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}\u{1f}{}", self.id, self.value))
    }

    /// `None` for text that is no cursor of ours: the list then starts at the first page.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, value) = text.split_once('\u{1f}')?;
        if value.contains(char::is_control) {
            return None;
        }
        Some(Self { value: value.to_owned(), id: id.parse().ok()? })
    }
}

/// The foot of a list.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    pub summary: String,
    pub prev: Option<String>,
    pub next: Option<String>,
}

/// Rows of a page.
pub const PAGE: usize = 50;

impl Pager {
    /// Cuts the one row that was read too many, and says how to go on. `forward` is false when the
    /// rows were read backwards (`before`), and then they are turned round here.
    pub fn cut<T>(query: &ListQuery, rows: &mut Vec<T>, at: impl Fn(&T) -> Cursor, total: &str) -> Self {
        let back = !query.get("before").is_empty();
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        if back {
            rows.reverse();
        }
        let (has_prev, has_next) = if back { (more, true) } else { (!query.get("after").is_empty(), more) };
        let turn = |name: &str, row: Option<&T>| {
            row.map(|row| {
                let base = query.with("after", "");
                let joint = if base.contains('?') { '&' } else { '?' };
                format!("{base}{joint}{name}={}", at(row).text())
            })
        };
        Self {
            summary: total.to_owned(),
            prev: has_prev.then(|| turn("before", rows.first())).flatten(),
            next: has_next.then(|| turn("after", rows.last())).flatten(),
        }
    }
}

/// 12412 as "12,412".
pub fn counted(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("\u{2212}{out}") } else { out }
}

/// How many rows were looked at, where a page has to say it.
pub fn looked_at(looked: Option<usize>) -> String {
    looked.map(|n| counted(i64::try_from(n).unwrap_or(i64::MAX))).unwrap_or_default()
}

/// A count that was stopped at a bound: "9,999", "10,000+".
pub fn counted_up_to(n: i64, bound: i64) -> String {
    let plus = if n >= bound { "+" } else { "" };
    format!("{}{plus}", counted(n.min(bound)))
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
    fn cursors_come_back_and_nonsense_is_none() {
        let cursor = Cursor { value: "2026\u{e9}".into(), id: 12 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        assert_eq!(Cursor::parse("%%%"), None);
        assert_eq!(Cursor::parse(""), None);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(counted(0), "0");
        assert_eq!(counted(1_234_567), "1,234,567");
        assert_eq!(counted(-1_000), "\u{2212}1,000");
    }
}
