//! Encrypts a text with a token that is drawn for this text alone: ChaCha20-Poly1305 under the token's SHA-256.

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

pub struct Cipher(Option<LessSafeKey>);

impl Cipher {
    pub fn of(token: &str) -> Self {
        // The table has the SHA-256 of the token alone, which must not be the key.
        let key = Sha256::digest(format!("kept text {token}").as_bytes());
        Self(UnboundKey::new(&CHACHA20_POLY1305, &key).ok().map(LessSafeKey::new))
    }

    pub fn encrypt(&self, text: &str) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        self.0.as_ref()?.seal_in_place_append_tag(nonce(), Aad::empty(), &mut bytes).ok()?;
        Some(BASE64_STANDARD_NO_PAD.encode(bytes))
    }

    pub fn decrypt(&self, text: &str) -> Option<String> {
        let mut bytes = BASE64_STANDARD_NO_PAD.decode(text).ok()?;
        let plain = self.0.as_ref()?.open_in_place(nonce(), Aad::empty(), &mut bytes).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

/// Always the same, because a key encrypts one text.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::Cipher;

    #[test]
    fn only_the_token_reads_the_text() {
        let written = Cipher::of("one").encrypt("name=Zoë").unwrap();
        assert!(!written.contains("name"));
        assert_eq!(Cipher::of("one").decrypt(&written).as_deref(), Some("name=Zoë"));
        assert_eq!(Cipher::of("two").decrypt(&written), None);
        assert_eq!(Cipher::of("one").decrypt("AAAA"), None);
    }
}
