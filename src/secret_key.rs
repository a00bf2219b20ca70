//! The key under which secrets are stored: 32 bytes, written in hexadecimal or base64. XChaCha20-Poly1305 encrypts
//! with a nonce of 24 random bytes for each text.
//!
//! A sealed text is `1.KEY.DATA`: the form's version, the key's id, and nonce and ciphertext in base64. It opens
//! only with that key and for the row it was sealed for.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

const VERSION: &str = "1";
const NONCE: usize = 24;

/// A key, which its `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey {
    bytes: [u8; 32],
    id: String,
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unopened {
    /// It was sealed with a key that this server does not have.
    UnknownKey(String),
    /// It was changed, or is another row's.
    Broken,
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(id) => {
                write!(f, "it was encrypted with the key {id}, which this server does not have")
            }
            Self::Broken => f.write_str("it does not open with its key: it was changed, or copied from another row"),
        }
    }
}

impl std::error::Error for Unopened {}

/// Text without its padding, or with it.
const EITHER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl SecretKey {
    fn of(bytes: [u8; 32]) -> Self {
        let id = Sha256::digest(bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, id }
    }

    /// A new one.
    pub fn draw() -> Self {
        Self::of(rand::rng().random())
    }

    /// Reads 64 hexadecimal digits, or base64 of 32 bytes.
    ///
    /// # Errors
    /// A sentence that has nothing of the text in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            from_hex(text)
        } else {
            let plain = text.replace('-', "+").replace('_', "/");
            EITHER.decode(plain).ok().and_then(|bytes| bytes.try_into().ok())
        };
        bytes.map(Self::of).ok_or("is no key: write 64 hexadecimal digits, or 32 bytes in base64")
    }

    /// Names the key and gives nothing of it away: the first bytes of its SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As it is written in a file or a setting.
    pub fn hex(&self) -> String {
        self.bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Encrypts a text for the row that `about` names; `None` for one of an absurd length.
    pub fn seal(&self, about: &str, text: &str) -> Option<String> {
        let nonce: [u8; NONCE] = rand::rng().random();
        let payload = Payload { msg: text.as_bytes(), aad: about.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        let data = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        Some(format!("{VERSION}.{}.{data}", self.id))
    }

    /// The text that was sealed with this key for the row that `about` names.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn open(&self, about: &str, sealed: &str) -> Result<String, Unopened> {
        let (id, data) = parts(sealed).ok_or(Unopened::Broken)?;
        if id != self.id {
            return Err(Unopened::UnknownKey(id.to_owned()));
        }
        let data = URL_SAFE_NO_PAD.decode(data).map_err(|_| Unopened::Broken)?;
        let (nonce, text) = data.split_at_checked(NONCE).ok_or(Unopened::Broken)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| Unopened::Broken)?;
        let payload = Payload { msg: text, aad: about.as_bytes() };
        let text = self.cipher().decrypt(&nonce, payload).map_err(|_| Unopened::Broken)?;
        String::from_utf8(text).map_err(|_| Unopened::Broken)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.bytes.into())
    }
}

/// The id of a sealed text's key, and its data.
fn parts(sealed: &str) -> Option<(&str, &str)> {
    let mut parts = sealed.split('.');
    let (version, id, data) = (parts.next()?, parts.next()?, parts.next()?);
    (version == VERSION && parts.next().is_none()).then_some((id, data))
}

/// The id of the key that a sealed text needs.
pub fn key_of(sealed: &str) -> Option<&str> {
    parts(sealed).map(|(id, _)| id)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    text.bytes().all(|b| b.is_ascii_hexdigit()).then_some(bytes)
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_written_in_two_ways() {
        let key = SecretKey::draw();
        let base64 = STANDARD_NO_PAD.encode(key.bytes);
        for text in [
            key.hex(),
            key.hex().to_uppercase(),
            base64.clone(),
            format!("{base64}= \n"),
            URL_SAFE_NO_PAD.encode(key.bytes),
        ] {
            assert_eq!(SecretKey::parse(&text), Ok(key.clone()), "{text}");
        }
        for text in ["", "short", &key.hex()[1..], &format!("{}0", key.hex()), &"+".repeat(64), &"é".repeat(32)] {
            let why = SecretKey::parse(text).unwrap_err();
            assert!(text.is_empty() || !why.contains(text));
        }
        assert!(!format!("{key:?}").contains(&key.hex()[..8]) && key.id().len() == 8);
    }

    #[test]
    fn only_its_key_and_row_open_a_text() {
        let (key, other) = (SecretKey::draw(), SecretKey::draw());
        let sealed = key.seal("row/1", "DE89").unwrap();
        assert_eq!(key_of(&sealed), Some(key.id()));
        assert_eq!(key.open("row/1", &sealed).as_deref(), Ok("DE89"));
        assert_eq!(key.open("row/2", &sealed), Err(Unopened::Broken));
        assert_eq!(other.open("row/1", &sealed), Err(Unopened::UnknownKey(key.id().into())));
        assert_ne!(key.seal("row/1", "DE89"), Some(sealed.clone()));
        let forged = sealed.replace(key.id(), other.id());
        assert_eq!(other.open("row/1", &forged), Err(Unopened::Broken));
        for text in [
            "",
            "1",
            "1.a.",
            "2.a.b",
            &sealed[..sealed.len() - 1],
            &format!("{sealed}.x"),
            &format!("1.{}.AAAA", key.id()),
        ] {
            assert!(key.open("row/1", text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(text in any::<String>(), about in any::<String>()) {
            let key = SecretKey::draw();
            let sealed = key.seal(&about, &text).unwrap();
            prop_assert_eq!(key.open(&about, &sealed), Ok(text));
        }

        #[test]
        fn a_changed_byte_is_noticed(at in 0_usize..80, by in 1_u8..=255) {
            let key = SecretKey::draw();
            let sealed = key.seal("row", "the account number of somebody").unwrap();
            let (id, data) = parts(&sealed).unwrap();
            let mut data = URL_SAFE_NO_PAD.decode(data).unwrap();
            let at = at % data.len();
            data[at] ^= by;
            let changed = format!("{VERSION}.{id}.{}", URL_SAFE_NO_PAD.encode(data));
            prop_assert_eq!(key.open("row", &changed), Err(Unopened::Broken));
        }

        #[test]
        fn any_text_is_refused_quietly(text in any::<String>()) {
            prop_assert!(SecretKey::draw().open("row", &text).is_err());
            let _ = SecretKey::parse(&text);
        }
    }
}
