//! Reads a curl command as curl does: what would be sent, and where. The key in it is held for a moment, to
//! say something about it, and is in nothing that is shown: [`Curl::shown`] writes the command anew.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::words::{Unsplit, quoted, split};
use crate::query::{encode, pairs, url};

/// Why a text is no call that can be tried; a sentence.
pub type Unread = String;

/// The placeholder of a key.
pub const STAND_IN: &str = "YOUR_API_KEY";
/// The longest text that is read.
pub const LONGEST: usize = 256 * 1024;

/// The way the key was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    Bearer,
    Bare,
    Basic,
    /// In a header that is never read.
    Header(String),
    /// In the query string, where it ends up in logs.
    Query(String),
    /// By an unknown scheme.
    Scheme(String),
}

/// A key that was pasted along. It is never stored, logged or shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pasted {
    pub how: How,
    pub text: String,
}

impl std::fmt::Debug for Pasted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pasted({:?})", self.how)
    }
}

/// A call as curl would make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curl {
    pub method: String,
    /// "app.refairn.com"; empty where the address has none that can be read.
    pub host: String,
    pub path: String,
    /// Without a key.
    pub query: Vec<(String, String)>,
    /// Headers that are read here; the key's is left out.
    pub headers: Vec<(String, String)>,
    pub content_type: Option<String>,
    /// True when curl itself chose the content type.
    pub kind_by_curl: bool,
    pub body: Option<String>,
    pub key: Option<Pasted>,
    /// The ignored parts, in sentences.
    pub notes: Vec<String>,
}

/// Headers that any contract reads.
const READ: [&str; 6] = ["accept", "idempotency-key", "if-match", "if-none-match", "origin", "x-request-id"];
/// Headers and parameters that a key is put into by programs for other products.
const KEY_NAMES: [&str; 9] =
    ["api_key", "apikey", "api-key", "x-api-key", "key", "token", "access_token", "x-auth-token", "api_token"];
/// Short options with a value.
const SHORT: &str = "XHduAebcmowxEFTKrtyYzCDPQU";
/// Long options with a value that make no difference here.
const LONG: [&str; 34] = [
    "user-agent",
    "referer",
    "cookie",
    "cookie-jar",
    "max-time",
    "output",
    "write-out",
    "proxy",
    "cert",
    "key",
    "cacert",
    "capath",
    "upload-file",
    "connect-timeout",
    "retry",
    "retry-delay",
    "retry-max-time",
    "config",
    "range",
    "resolve",
    "connect-to",
    "interface",
    "limit-rate",
    "aws-sigv4",
    "ciphers",
    "tls-max",
    "proxy-user",
    "dump-header",
    "stderr",
    "trace",
    "trace-ascii",
    "max-redirs",
    "dns-servers",
    "expect100-timeout",
];

#[derive(Default)]
struct Reading {
    method: Option<String>,
    address: Option<String>,
    headers: Vec<(String, String)>,
    data: Option<String>,
    json: bool,
    multipart: bool,
    in_query: bool,
    head: bool,
    user: Option<String>,
    bearer: Option<String>,
    more_query: Vec<String>,
    notes: Vec<String>,
}

impl Curl {
    pub fn parse(text: &str) -> Result<Self, Unread> {
        if text.len() > LONGEST {
            return Err("The command is too long.".into());
        }
        let words = split(text).map_err(|why| match why {
            Unsplit::Open(quote) => format!("A quote ({quote}) is opened and never closed."),
            Unsplit::Curly => "It has curly quotes, which no shell understands. Replace them by ' or \".".into(),
        })?;
        let is_curl = |word: &String| word == "curl" || word == "curl.exe" || word.ends_with("/curl");
        let begin = words.iter().take(5).position(is_curl).ok_or("Paste a command that begins with curl.")?;
        let words: Vec<String> = words.into_iter().skip(begin + 1).take_while(|word| word != "curl").collect();
        let mut reading = Reading::default();
        reading.read(words)?;
        reading.into_curl()
    }

    /// Path and query as they are sent.
    pub fn target(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        url(&self.path, &pairs)
    }

    /// The command anew, for a host with its scheme, with a placeholder for the key.
    pub fn shown(&self, host: &str) -> String {
        let mut out = format!("curl -X {} {}", quoted(&self.method), quoted(&format!("{host}{}", self.target())));
        let mut header = |text: String| {
            let _ = write!(out, " \\\n  -H {}", quoted(&text));
        };
        match self.key.as_ref().map(|key| &key.how) {
            Some(How::Bare) => header(format!("Authorization: {STAND_IN}")),
            Some(How::Basic) => {}
            _ => header(format!("Authorization: Bearer {STAND_IN}")),
        }
        if let Some(kind) = &self.content_type {
            header(format!("Content-Type: {kind}"));
        }
        self.headers.iter().for_each(|(name, value)| header(format!("{name}: {value}")));
        if self.key.as_ref().is_some_and(|key| key.how == How::Basic) {
            let _ = write!(out, " \\\n  -u {STAND_IN}:");
        }
        if let Some(body) = &self.body {
            let _ = write!(out, " \\\n  --data-raw {}", quoted(body));
        }
        without_keys(&out)
    }

    /// For its own host, or for this one when that cannot be read.
    pub fn shown_as_pasted(&self, own: &str) -> String {
        if self.host.is_empty() { self.shown(own) } else { self.shown(&format!("https://{}", self.host)) }
    }
}

impl Reading {
    fn read(&mut self, words: Vec<String>) -> Result<(), Unread> {
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                self.long(long, &mut words)?;
            } else if let Some(short) = word.strip_prefix('-').filter(|s| !s.is_empty()) {
                self.short(short, &mut words)?;
            } else if self.address.is_none() {
                self.address = Some(word);
            } else {
                self.notes.push("The command has more than one address or a word too many: a quote may be missing. Only the first address was tried.".into());
            }
        }
        Ok(())
    }

    fn short(&mut self, cluster: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Unread> {
        for (at, c) in cluster.char_indices() {
            if !SHORT.contains(c) {
                self.flag(&c.to_string());
                continue;
            }
            let rest = &cluster[at + c.len_utf8()..];
            let value = if rest.is_empty() { words.next() } else { Some(rest.to_owned()) };
            let value = value.ok_or_else(|| format!("The option -{c} lacks its value."))?;
            let name = match c {
                'X' => "request",
                'H' => "header",
                'd' => "data",
                'u' => "user",
                'F' => "form",
                _ => return Ok(()),
            };
            return self.option(name, value);
        }
        Ok(())
    }

    fn long(&mut self, name: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Unread> {
        const KNOWN: [&str; 15] = [
            "request",
            "header",
            "data",
            "data-raw",
            "data-binary",
            "data-ascii",
            "data-urlencode",
            "json",
            "url",
            "user",
            "form",
            "form-string",
            "oauth2-bearer",
            "url-query",
            "expand-url",
        ];
        if KNOWN.contains(&name) {
            let value = words.next().ok_or_else(|| format!("The option --{name} lacks its value."))?;
            return self.option(name, value);
        }
        if LONG.contains(&name) {
            words.next();
        } else {
            self.flag(name);
        }
        Ok(())
    }

    fn flag(&mut self, name: &str) {
        match name {
            "G" | "get" => self.in_query = true,
            "I" | "head" => self.head = true,
            _ => {}
        }
    }

    fn option(&mut self, name: &str, value: String) -> Result<(), Unread> {
        match name {
            "request" => self.method = Some(value.to_ascii_uppercase()),
            "header" => {
                let (name, value) = value.split_once(':').unwrap_or((&value, ""));
                self.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            "url" | "expand-url" => self.address = Some(value),
            "user" => self.user = Some(value),
            "oauth2-bearer" => self.bearer = Some(value),
            "url-query" => self.more_query.push(value),
            "form" | "form-string" => self.multipart = true,
            "json" => {
                self.json = true;
                no_file(&value)?;
                self.data.get_or_insert_default().push_str(&value);
            }
            "data-urlencode" => {
                let encoded = match value.split_once('=') {
                    Some(("", content)) => encode(content),
                    Some((name, content)) => format!("{name}={}", encode(content)),
                    None => encode(&value),
                };
                self.add_data(&encoded);
            }
            _ => {
                if name != "data-raw" {
                    no_file(&value)?;
                }
                self.add_data(&value);
            }
        }
        Ok(())
    }

    fn add_data(&mut self, value: &str) {
        match &mut self.data {
            Some(data) => {
                data.push('&');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
    }

    fn into_curl(mut self) -> Result<Curl, Unread> {
        let address = self.address.take().ok_or("The command names no address.")?;
        let Address { host, path, query, user } = Address::of(&address)?;
        let mut query = pairs(&query);
        if self.in_query {
            query.extend(pairs(&self.data.take().unwrap_or_default()));
        }
        query.extend(self.more_query.iter().flat_map(|part| pairs(part)));
        let mut key = self.key(user);
        query.retain_mut(|(name, value)| {
            let is_key = KEY_NAMES.contains(&name.to_ascii_lowercase().as_str());
            if is_key && key.is_none() {
                key = Some(Pasted { how: How::Query(name.clone()), text: std::mem::take(value) });
            }
            !is_key
        });
        let sends = self.data.is_some() || self.multipart;
        let method = self.method.take().unwrap_or_else(|| {
            let by_curl = if self.head {
                "HEAD"
            } else if sends {
                "POST"
            } else {
                "GET"
            };
            by_curl.to_owned()
        });
        if method.is_empty() || method.len() > 20 || !method.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err("The method cannot be read.".into());
        }
        let named = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.clone());
        let by_curl = match (self.json, self.multipart, self.data.is_some()) {
            (true, ..) => Some("application/json"),
            (_, true, _) => Some("multipart/form-data"),
            (.., true) => Some("application/x-www-form-urlencoded"),
            _ => None,
        };
        let left: Vec<String> = self
            .headers
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !READ.contains(&name.as_str()) && name != "content-type" && name != "authorization")
            .filter(|name| !is_usual(name))
            .collect();
        if !left.is_empty() {
            self.notes.push(format!("These headers are not read here: {}.", left.join(", ")));
        }
        self.headers.retain(|(name, value)| READ.contains(&name.as_str()) && value.len() < 1_000);
        Ok(Curl {
            method,
            host,
            path,
            query,
            headers: self.headers,
            kind_by_curl: named.is_none(),
            content_type: named.or(by_curl.map(str::to_owned)),
            body: self.data,
            key,
            notes: self.notes,
        })
    }

    /// The key, wherever it was put.
    fn key(&self, in_address: Option<String>) -> Option<Pasted> {
        let header =
            |wanted: &str| self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        if let Some(value) = header("authorization") {
            let (scheme, rest) = value.split_once(' ').unwrap_or(("", &value));
            let (how, text) = match scheme.to_ascii_lowercase().as_str() {
                "bearer" => (How::Bearer, rest.trim().to_owned()),
                "" => (How::Bare, rest.to_owned()),
                "basic" => {
                    let decoded = BASE64_STANDARD.decode(rest.trim()).ok().and_then(|b| String::from_utf8(b).ok());
                    (How::Basic, user_of(&decoded.unwrap_or_default()))
                }
                _ => (How::Scheme(scheme.chars().take(20).collect()), rest.trim().to_owned()),
            };
            return Some(Pasted { how, text });
        }
        if let Some(text) = &self.bearer {
            return Some(Pasted { how: How::Bearer, text: text.clone() });
        }
        if let Some(user) = self.user.as_deref().or(in_address.as_deref()) {
            return Some(Pasted { how: How::Basic, text: user_of(user) });
        }
        let found = self.headers.iter().find(|(name, _)| KEY_NAMES.contains(&name.as_str()));
        found.map(|(name, value)| Pasted { how: How::Header(name.clone()), text: value.clone() })
    }
}

fn user_of(text: &str) -> String {
    text.split(':').next().unwrap_or_default().to_owned()
}

/// Headers that browsers and programs send along without meaning.
fn is_usual(name: &str) -> bool {
    let usual = [
        "user-agent",
        "referer",
        "cookie",
        "host",
        "content-length",
        "connection",
        "cache-control",
        "pragma",
        "dnt",
        "priority",
    ];
    usual.contains(&name) || name.starts_with("sec-") || name.starts_with("accept-") || KEY_NAMES.contains(&name)
}

fn no_file(value: &str) -> Result<(), Unread> {
    match value.strip_prefix('@') {
        None => Ok(()),
        Some("-") => Err("The body comes from the standard input: paste its text in place of @-.".into()),
        Some(_) => Err("The body is in a file: paste its text in place of the file's name.".into()),
    }
}

/// A text without Refdesk's keys, wherever in it they were.
pub fn without_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["rk_live_", "rk_test_"].iter().filter_map(|prefix| rest.find(prefix)).min() {
        out.push_str(&rest[..at]);
        out.push_str(STAND_IN);
        let key = &rest[at..];
        let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(key.len());
        rest = &key[end..];
    }
    out + rest
}

struct Address {
    host: String,
    path: String,
    query: String,
    user: Option<String>,
}

impl Address {
    fn of(text: &str) -> Result<Self, Unread> {
        let text = text.trim();
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        // A variable or a placeholder for the host is fine: the host is replaced anyway.
        let host =
            if host.len() < 260 && host.chars().all(is_host) { host.to_ascii_lowercase() } else { String::new() };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path: String = if path.is_empty() { "/".into() } else { sent(path) };
        if path.len() > 4_000 || query.len() > 8_000 {
            return Err("The address is too long.".into());
        }
        Ok(Self { host, path, query: query.to_owned(), user })
    }
}

/// A path with what no address may contain written as numbers.
fn sent(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        let fine = byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte);
        if fine {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
