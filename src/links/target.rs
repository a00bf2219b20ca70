//! The address a link leads to, and how far its cookie reaches.

use std::collections::HashSet;

use crate::query::{decode, encode, pairs};

/// At most so many characters of a link's own query go on to the destination.
const PASSED: usize = 2_000;

/// The names by which advertising tells a visit's origin, beside those that begin with `utm_`. Nothing else of a
/// link goes on: `?url=` would be for the link's visitor to say, on the destination's own site.
const ORIGINS: [&str; 9] = ["gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "mc_cid", "mc_eid"];

fn is_origin(name: &str) -> bool {
    name.starts_with("utm_") || ORIGINS.contains(&name)
}

/// The destination with what the link's query said of the visit's origin, except names that the destination sets
/// itself.
pub fn with_query(destination: &str, passed: &[(String, String)]) -> String {
    let (rest, fragment) = destination.split_once('#').map_or((destination, None), |(r, f)| (r, Some(f)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut set: HashSet<String> = pairs(query).into_iter().map(|(name, _)| name).collect();
    let mut all: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
    let mut length = 0;
    for (name, value) in passed {
        if !is_origin(name) {
            continue;
        }
        let pair = format!("{}={}", encode(name), encode(value));
        length += pair.len();
        if length <= PASSED && set.insert(name.clone()) {
            all.push(pair);
        }
    }
    let query = if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) };
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{path}{query}{fragment}")
}

/// The destination with `?ref=CODE`. Its own query and fragment stay as they are, except another `ref`.
pub fn with_code(destination: &str, code: &str) -> String {
    let (rest, fragment) = destination.split_once('#').map_or((destination, None), |(r, f)| (r, Some(f)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_ref = |pair: &&str| decode(pair.split('=').next().unwrap_or_default()) == "ref";
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_ref(pair)).collect();
    let own = format!("ref={}", encode(code));
    pairs.push(&own);
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{path}?{}{fragment}", pairs.join("&"))
}

/// The host of an http address, lower case, without user or port.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The domain that Refdesk and the target share, so that the customer's page can read the cookie:
/// `example.com` for `refer.example.com` and `www.example.com`. `None` when they share none, or are the same
/// host. A browser refuses a public domain such as `co.uk`.
pub fn cookie_domain(public_url: &str, destination: &str) -> Option<String> {
    let (ours, theirs) = (host(public_url), host(destination));
    let is_number =
        |host: &str| host.starts_with('[') || host.rsplit('.').next().is_some_and(|l| l.parse::<u32>().is_ok());
    if ours == theirs || is_number(&ours) || is_number(&theirs) {
        return None;
    }
    let both = ours.rsplit('.').zip(theirs.rsplit('.')).take_while(|(a, b)| a == b && !a.is_empty());
    let mut labels: Vec<&str> = both.map(|(label, _)| label).collect();
    labels.reverse();
    (labels.len() >= 2).then(|| labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_goes_beside_what_the_destination_says_itself() {
        for (destination, to) in [
            ("https://example.com", "https://example.com?ref=K7M-4XP"),
            ("https://example.com/a", "https://example.com/a?ref=K7M-4XP"),
            ("https://example.com/a?", "https://example.com/a?ref=K7M-4XP"),
            ("https://example.com/a?b=c%26d&e#top?x", "https://example.com/a?b=c%26d&e&ref=K7M-4XP#top?x"),
            ("https://example.com/#/app?x=1", "https://example.com/?ref=K7M-4XP#/app?x=1"),
            ("https://example.com/?ref=old&x=1&r%65f=2", "https://example.com/?x=1&ref=K7M-4XP"),
        ] {
            assert_eq!(with_code(destination, "K7M-4XP"), to);
        }
        assert_eq!(with_code("https://example.com/", "\u{c9}t\u{e9}"), "https://example.com/?ref=%C3%89t%C3%A9");
    }

    #[test]
    fn the_query_of_a_link_goes_on_where_the_destination_says_nothing_else() {
        let passed = pairs("utm_source=mail%20list&ref=evil&utm_term=theirs&=x&utm_source=again&url=evil&fbclid=1");
        for (destination, to) in [
            ("https://example.com/a", "https://example.com/a?utm_source=mail%20list&utm_term=theirs&fbclid=1"),
            (
                "https://example.com/a?utm_term=ours#top",
                "https://example.com/a?utm_term=ours&utm_source=mail%20list&fbclid=1#top",
            ),
        ] {
            assert_eq!(with_query(destination, &passed), to);
        }
        assert_eq!(with_query("https://example.com/?x#y", &[]), "https://example.com/?x#y");
        let long = vec![("utm_a".to_owned(), "x".repeat(3_000)), ("utm_b".to_owned(), "1".to_owned())];
        assert_eq!(with_query("https://example.com", &long), "https://example.com");
    }

    #[test]
    fn the_cookie_reaches_the_domain_they_share() {
        let domain = |ours: &str, theirs: &str| cookie_domain(ours, theirs).unwrap_or_default();
        assert_eq!(domain("https://refer.example.com", "https://www.example.com/a"), "example.com");
        assert_eq!(domain("https://refer.example.com:8443", "HTTPS://Example.COM:443/?x"), "example.com");
        assert_eq!(domain("https://go.eu.example.com", "https://shop.eu.example.com"), "eu.example.com");
        for (ours, theirs) in [
            ("https://example.com", "https://example.com/welcome"),
            ("https://refer.example.com", "https://example.org"),
            ("https://refer.example.com", "https://notexample.com"),
            ("http://127.0.0.1:8080", "http://10.0.0.1"),
            ("http://1.2.3.4", "http://9.2.3.4"),
            ("http://localhost", "http://app.localhost"),
            ("http://[::1]:80", "http://[::2]:80"),
            ("https://refer.example.com", ""),
        ] {
            assert_eq!(cookie_domain(ours, theirs), None, "{ours} {theirs}");
        }
    }
}
