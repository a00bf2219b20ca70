//! E-mail addresses: the text as written, and the key by which two of them are the same person. Enter with
//! [`Email::parse`]; [`key_of`] is for text that may not be an address at all.
//!
//! The key is the local part in NFC and lower case, `@`, and the domain in lower-case ASCII (IDNA). A `+tag`
//! and dots stay: they may well be different people, and merging them would move money. Letters of different
//! scripts that look alike stay different for the same reason.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use crate::fold;

/// RFC 5321, 4.5.3.1.3: a path is at most 256 octets with its angle brackets.
const MAX_OCTETS: usize = 254;
/// RFC 5321, 4.5.3.1.1.
const MAX_LOCAL_OCTETS: usize = 64;

/// Why a text is no e-mail address. The sentences continue a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailError {
    /// No `@`, or nothing before or after it.
    Form,
    /// More than 64 octets before the `@`, or 254 in all.
    TooLong,
    /// The part before the `@` has a character or a dot where none may be.
    Local,
    /// The part after the `@` is no host name with a dot.
    Domain,
}

impl fmt::Display for EmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "must be an e-mail address such as jane@example.com",
            Self::TooLong => "must be an e-mail address of at most 254 characters, 64 before the @",
            Self::Local => "must be an e-mail address: the part before the @ is not valid",
            Self::Domain => "must be an e-mail address: the part after the @ is not a valid domain",
        })
    }
}

impl std::error::Error for EmailError {}

impl EmailError {
    /// The message beside the field, whatever the field is called.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Form => "This is not an e-mail address. One looks like jane@example.com.",
            Self::TooLong => "This is too long for an e-mail address: 254 characters at most, 64 of them before the @.",
            Self::Local => "This is not an e-mail address. Look at the part before the @.",
            Self::Domain => "This is not an e-mail address. After the @ comes a domain, such as example.com.",
        }
    }
}

/// An address that mail could be sent to, judged by its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

impl Email {
    /// Reads an address in the practical part of RFC 5321 and 6531: dot-atoms or quoted strings,
    /// letters of any script, a domain with a dot, no address literals, no comments.
    ///
    /// # Errors
    /// [`EmailError`], the first that applies.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        let text = raw.trim_matches(is_paste_edge);
        if text.chars().count() > MAX_OCTETS {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(EmailError::Form);
        }
        let local_key = local_key(local)?;
        let domain_key = domain_key(domain)?;
        let key = format!("{local_key}@{domain_key}");
        let local_octets = local.len().max(local_key.len());
        if local_octets > MAX_LOCAL_OCTETS || key.len() > MAX_OCTETS {
            return Err(EmailError::TooLong);
        }
        Ok(Self { text: text.to_owned(), key })
    }

    /// The text as written, trimmed. Mail is sent to this.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The key for comparing; itself an address with the same key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The key of a text, if it is an address.
#[must_use]
pub fn key_of(text: &str) -> Option<String> {
    Email::parse(text).ok().map(|email| email.key)
}

/// White space, and what is invisible and comes along when an address is copied from a page.
fn is_paste_edge(c: char) -> bool {
    c.is_whitespace() || fold::is_hidden(c)
}

fn local_key(local: &str) -> Result<String, EmailError> {
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let bare = match quoted {
        Some(inside) => unquote(inside).ok_or(EmailError::Local)?,
        None => local.to_owned(),
    };
    let step = |text: &str| fold::lower(&text.nfc().collect::<String>()).nfc().collect();
    let folded = fold::settled(&bare, step);
    if is_dot_atom(&folded) {
        // "jane"@ and jane@ are one mailbox (RFC 5321, 4.1.2), so the key drops idle quotes.
        return Ok(folded);
    }
    if quoted.is_none() {
        return Err(EmailError::Local);
    }
    let escaped = folded.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{escaped}\""))
}

/// The content of a quoted string: printable characters, `\` before a quote or a `\`.
fn unquote(inside: &str) -> Option<String> {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => chars.next().filter(char::is_ascii)?,
            '"' => return None,
            other => other,
        };
        if c != ' ' && !is_visible(c) {
            return None;
        }
        out.push(c);
    }
    (!out.is_empty()).then_some(out)
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
}

fn is_atom_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) } else { is_visible(c) }
}

/// Neither control nor white space nor an invisible mark: with one inside, an address would look like another
/// one.
fn is_visible(c: char) -> bool {
    !c.is_control() && !c.is_whitespace() && !fold::is_hidden(c)
}

fn domain_key(domain: &str) -> Result<String, EmailError> {
    // Hyphens in third and fourth place exist in real domains, so only the ends are checked.
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailError::Domain)?;
    let last = ascii.rsplit_once('.').map(|(_, last)| last);
    // No top-level domain is a number; what ends in one is an IPv4 address.
    match last {
        Some(last) if !last.bytes().all(|b| b.is_ascii_digit()) => Ok(ascii.into_owned()),
        _ => Err(EmailError::Domain),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        key_of(text).unwrap_or_else(|| panic!("{text:?} is refused"))
    }

    #[test]
    fn keys() {
        for (text, wanted) in [
            (" Jane@Example.COM\n", "jane@example.com"),
            ("jane+promo@x.io", "jane+promo@x.io"),
            ("j.a.n.e@gmail.com", "j.a.n.e@gmail.com"),
            ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
            ("jane@faß.de", "jane@xn--fa-hia.de"),
            ("jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah"),
            ("JOSE\u{301}@x.io", "josé@x.io"),
            ("ΝΙΚΟΣ@x.io", "νικοσ@x.io"),
            ("νικος@x.io", "νικοσ@x.io"),
            ("\"Jane\"@x.io", "jane@x.io"),
            ("\"Jane Doe\"@x.io", "\"jane doe\"@x.io"),
            ("\"a\\\"b@c\"@x.io", "\"a\\\"b@c\"@x.io"),
            ("!#$%&'*+-/=?^_`{|}~@x.io", "!#$%&'*+-/=?^_`{|}~@x.io"),
            ("\u{feff}jane@x.io\u{200b}", "jane@x.io"),
            ("a@r3---sn.example", "a@r3---sn.example"),
            ("a@3com.com", "a@3com.com"),
        ] {
            assert_eq!(key(text), wanted);
        }
        assert_eq!(Email::parse(" Jane@X.io ").unwrap().text(), "Jane@X.io");
    }

    #[test]
    fn different_people_stay_different() {
        // Cyrillic a, the ligature fi, a tag, a dot.
        for (one, other) in
            [("jane@x.io", "j\u{430}ne@x.io"), ("ﬁ@x.io", "fi@x.io"), ("a+b@x.io", "a@x.io"), ("a.b@x.io", "ab@x.io")]
        {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, fault) in [
            ("[email\u{a0}protected]", EmailError::Form),
            ("[email protected]", EmailError::Form),
            ("", EmailError::Form),
            ("jane", EmailError::Form),
            ("@x.io", EmailError::Form),
            ("jane@", EmailError::Form),
            ("a@b@x.io", EmailError::Local),
            (".a@x.io", EmailError::Local),
            ("a.@x.io", EmailError::Local),
            ("a..b@x.io", EmailError::Local),
            ("a b@x.io", EmailError::Local),
            ("a\0@x.io", EmailError::Local),
            ("<a@x.io", EmailError::Local),
            ("a\u{200b}b@x.io", EmailError::Local),
            ("\"\"@x.io", EmailError::Local),
            ("\"a\"b\"@x.io", EmailError::Local),
            ("\"a\\\"@x.io", EmailError::Local),
            ("a,b@x.io", EmailError::Local),
            ("a@localhost", EmailError::Domain),
            ("a@[127.0.0.1]", EmailError::Domain),
            ("a@127.0.0.1", EmailError::Domain),
            ("a@x..io", EmailError::Domain),
            ("a@.x.io", EmailError::Domain),
            ("a@x.io.", EmailError::Domain),
            ("a@-x.io", EmailError::Domain),
            ("a@x_y.io", EmailError::Domain),
            ("a@x.io>", EmailError::Domain),
            ("a@xn--a.io", EmailError::Domain),
            ("a@x.i o", EmailError::Domain),
        ] {
            assert_eq!(Email::parse(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_rfc() {
        let domain = format!("{}.{}.{}", "d".repeat(63), "d".repeat(63), "d".repeat(58));
        assert!(Email::parse(&format!("{}@x.io", "a".repeat(64))).is_ok());
        assert_eq!(Email::parse(&format!("{}@x.io", "a".repeat(65))), Err(EmailError::TooLong));
        let longest = format!("{}@{domain}.dd", "a".repeat(64));
        assert_eq!((longest.len(), Email::parse(&longest).is_ok()), (254, true));
        assert_eq!(Email::parse(&format!("{longest}d")), Err(EmailError::TooLong));
        // Short as written, too long as its key.
        let wide = format!("{}@{}.io", "a".repeat(60), vec!["ü".repeat(40); 4].join("."));
        assert_eq!((wide.chars().count() <= 254, Email::parse(&wide).is_ok()), (true, true));
        assert_eq!(Email::parse(&format!("{}@x.io", "Ⱥ".repeat(22))), Err(EmailError::TooLong));
        assert_eq!(Email::parse(&"a@".repeat(1_000_000)), Err(EmailError::TooLong));
    }

    fn addresses() -> impl Strategy<Value = String> {
        let local = "[a-zA-Z0-9!#+=_-]{1,10}(\\.[a-zA-ZäÖΣßİſ]{1,6}){0,2}|\"[ -~&&[^\"\\\\]]{1,12}\"";
        (local, "[a-zA-Z][a-zA-Z0-9üÑ]{0,8}\\.(com|io|CO\\.UK)").prop_map(|(local, domain)| format!("{local}@{domain}"))
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(text in addresses()) {
            let key = key(&text);
            prop_assert_eq!(key_of(&key), Some(key));
        }

        #[test]
        fn case_and_white_space_do_not_matter(text in "[a-zA-Z0-9.+_-]{1,12}@[a-z]{1,6}\\.[a-z]{2,3}") {
            let expected = key_of(&text);
            prop_assert_eq!(key_of(&text.to_uppercase()), expected.clone());
            prop_assert_eq!(key_of(&format!(" \t{text}\u{a0}\n")), expected);
        }

        #[test]
        fn nothing_panics_and_keys_are_stable(text in "\\PC{0,12}@?\\PC{0,12}\\.\\PC{0,4}") {
            if let Some(key) = key_of(&text) {
                prop_assert!(key.len() <= MAX_OCTETS);
                prop_assert_eq!(key_of(&key), Some(key));
            }
        }
    }

    #[test]
    fn keys_are_stable_for_every_character_that_has_another_form() {
        let changing = |c: &char| fold::lower(&c.to_string()).nfkd().ne([*c]);
        for c in ('\0'..=char::MAX).filter(changing) {
            for text in [format!("a{c}@x.io"), format!("{c}\u{301}@x.io"), format!("a@x{c}.io")] {
                if let Some(key) = key_of(&text) {
                    assert_eq!(key_of(&key), Some(key), "{c:?}");
                }
            }
        }
    }
}
