//! The proof that a message is a provider's: each signs with a secret that only it and the business have.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The header with this name is not there.
    Missing(&'static str),
    /// The header cannot be read.
    Form,
    /// Signed with another secret, or changed on its way.
    Wrong,
    /// Signed too long ago.
    Old,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(header) => write!(f, "The header {header} is missing."),
            Self::Form => f.write_str("The signature cannot be read."),
            Self::Wrong => {
                f.write_str("The signature does not fit: the secret is another one, or the message was changed.")
            }
            Self::Old => f.write_str("The signature is too old. Is the clock of this server right?"),
        }
    }
}

fn is_mac_of(algorithm: hmac::Algorithm, sent: Option<Vec<u8>>, secret: &str, signed: &[u8]) -> bool {
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    // Compared in a time that says nothing about the right one.
    !secret.is_empty() && sent.is_some_and(|sent| hmac::verify(&key, signed, &sent).is_ok())
}

/// True for the HMAC-SHA256 of a text, in hexadecimal.
pub fn is_hex_of(sent: &str, secret: &str, signed: &[u8]) -> bool {
    is_mac_of(hmac::HMAC_SHA256, from_hex(sent), secret, signed)
}

/// The same with SHA-512.
pub fn is_hex_512_of(sent: &str, secret: &str, signed: &[u8]) -> bool {
    is_mac_of(hmac::HMAC_SHA512, from_hex(sent), secret, signed)
}

/// True for the HMAC-SHA256 of a text, in base64.
pub fn is_base64_of(sent: &str, secret: &str, signed: &[u8]) -> bool {
    is_mac_of(hmac::HMAC_SHA256, STANDARD.decode(sent.trim()).ok(), secret, signed)
}

/// True for the secret itself, which one provider sends as it is.
pub fn is_same(sent: &str, secret: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"comparison");
    !secret.is_empty() && hmac::verify(&key, sent.as_bytes(), hmac::sign(&key, secret.as_bytes()).as_ref()).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| (0..text.len()).step_by(2).map_while(digit).collect())
}
