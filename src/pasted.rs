//! A pasted link read as its code.

use crate::query::{decode, pairs};

/// The names under which sites pass a code on.
const NAMES: [&str; 7] = ["ref", "code", "via", "referral", "referralcode", "refairn_code", "coupon"];

/// The code of an address that was pasted: the last part of `/r/…`, or `?ref=…`. `None` for other texts.
#[must_use]
pub fn of_link(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"', '(', ')', '“', '”']);
    if text.contains(char::is_whitespace) || !(text.contains("://") || text.contains("/r/") || text.contains("www.")) {
        return None;
    }
    let (address, place) = text.split_once('#').unwrap_or((text, ""));
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let place = place.split_once('?').map_or("", |(_, query)| query);
    let given = pairs(query).into_iter().chain(pairs(place));
    let named = given.into_iter().find(|(name, code)| {
        let name = name.to_ascii_lowercase().replace(['-'], "_");
        !code.is_empty() && (NAMES.contains(&name.as_str()) || NAMES.contains(&name.replace('_', "").as_str()))
    });
    let of_path = path.split_once("/r/").and_then(|(_, rest)| {
        let rest =
            rest.trim_end_matches('/').trim_end_matches("/qr.svg").trim_end_matches("/qr.png").trim_end_matches('/');
        let last = decode(rest.rsplit('/').next().unwrap_or_default());
        // A mail program may have stuck its own query to the code.
        let last = last.split('&').next().unwrap_or_default().trim_end_matches(['.', ',', ';', '!']).to_owned();
        Some(last).filter(|code| !code.is_empty())
    });
    of_path.or(named.map(|(_, code)| code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_its_code() {
        for link in [
            "https://desk.example.com/r/K7M-4XP-D2CW",
            "  http://localhost:8080/r/K7M-4XP-D2CW/ ",
            "https://desk.example.com/r/12/K7M-4XP-D2CW?utm_source=mail",
            "desk.example.com/r/K7M-4XP-D2CW#top",
            "<https://desk.example.com/r/K7M-4XP-D2CW>",
            "https://desk.example.com/r/K7M-4XP-D2CW/qr.svg",
            "https://desk.example.com/r/K7M-4XP-D2CW/qr.png",
            "https://shop.example.com/?ref=K7M-4XP-D2CW",
            "https://shop.example.com/a?x=1&referral_code=K7M-4XP-D2CW",
            "https://shop.example.com/#/app?ref=K7M-4XP-D2CW",
            "https://desk.example.com/r/K7M%2D4XP%2DD2CW&fbclid=3",
            "https://desk.example.com/r/K7M-4XP-D2CW.",
        ] {
            assert_eq!(of_link(link).as_deref(), Some("K7M-4XP-D2CW"), "{link}");
        }
        for text in ["K7M-4XP-D2CW", "Jane Miller", "jane@example.com", "https://example.com/about", "and/or", ""] {
            assert_eq!(of_link(text), None, "{text}");
        }
    }
}
