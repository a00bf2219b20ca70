//! Renderings of ids, and random texts that are secrets or public names. One integer key is stored per row;
//! every visible form is derived from it here, stable and reversible: [`render`] and [`parse`] for `lead_…`,
//! [`object_id`] for CF, [`lead_code`] for RF. [`random_public_id`], [`new_token`] and [`new_api_key`] are
//! drawn instead, and stored (secrets only as [`sha256_hex`]).
//!
//! A rendering is a bijection and no secret: it keeps ids from reading as a count, and anyone with this
//! source can invert it. Access is decided by the business a row belongs to, never by a hard-to-guess id. The
//! constants must never change: they are in other people's databases.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::{CryptoRng, RngExt as _};
use sha2::{Digest as _, Sha256};

/// Ids are from 0 up to, and not including, 2^53: integers that JavaScript keeps exact.
pub const ID_LIMIT: i64 = 1 << 53;

/// The kind of thing an id names. The same integer renders differently for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Lead,
    Referrer,
    Commission,
    CustomerReward,
    Campaign,
    Payment,
    Refund,
    Touch,
    Payout,
    PayoutLine,
    Adjustment,
    LedgerEntry,
    Import,
    InboxItem,
    Code,
    Terms,
    Enrollment,
    User,
    Key,
    Endpoint,
    Delivery,
    Audit,
    Job,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::Lead,
        Self::Referrer,
        Self::Commission,
        Self::CustomerReward,
        Self::Campaign,
        Self::Payment,
        Self::Refund,
        Self::Touch,
        Self::Payout,
        Self::PayoutLine,
        Self::Adjustment,
        Self::LedgerEntry,
        Self::Import,
        Self::InboxItem,
        Self::Code,
        Self::Terms,
        Self::Enrollment,
        Self::User,
        Self::Key,
        Self::Endpoint,
        Self::Delivery,
        Self::Audit,
        Self::Job,
    ];

    /// The text before the underscore. It also salts the bijection, so it is as fixed as the constants. A
    /// referrer is an "agent" to RN's clients.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Referrer => "agent",
            Self::Commission => "comm",
            Self::CustomerReward => "reward",
            Self::Campaign => "campaign",
            Self::Payment => "pay",
            Self::Refund => "refund",
            Self::Touch => "touch",
            Self::Payout => "payout",
            Self::PayoutLine => "line",
            Self::Adjustment => "adj",
            Self::LedgerEntry => "entry",
            Self::Import => "import",
            Self::InboxItem => "inbox",
            Self::Code => "code",
            Self::Terms => "terms",
            Self::Enrollment => "enroll",
            Self::User => "user",
            Self::Key => "key",
            Self::Endpoint => "endpoint",
            Self::Delivery => "delivery",
            Self::Audit => "audit",
            Self::Job => "job",
        }
    }
}

/// Crockford's base 32, lower case: no i, l, o, u.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 5 bits each: the first of them carries the 4 that are left over.
const ID_CHARS: u32 = 13;

/// "lead_" and 13 characters, for an id from 0 to below [`ID_LIMIT`]. Other integers render too,
/// but [`parse`] does not take them back.
#[must_use]
pub fn render(kind: Kind, id: i64) -> String {
    let mixed = Mixer::new(64, kind.prefix()).mix(id.cast_unsigned());
    format!("{}_{}", kind.prefix(), base32(mixed, ID_CHARS))
}

/// The id in a text that [`render`] made for this kind; `None` for every other text.
#[must_use]
pub fn parse(kind: Kind, text: &str) -> Option<i64> {
    let digits = text.strip_prefix(kind.prefix())?.strip_prefix('_')?;
    if digits.len() != ID_CHARS as usize || digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    // A first character above "f" would overflow 64 bits: not canonical.
    let mixed = u64::try_from(from_base32(digits)?).ok()?;
    valid(Mixer::new(64, kind.prefix()).unmix(mixed))
}

const OBJECT_SALT: &str = "object";

/// The 24 lower-case hex digits of a CF `_id`: 64 mixed bits and a check of 32.
#[must_use]
pub fn object_id(id: i64) -> String {
    let mixed = Mixer::new(64, OBJECT_SALT).mix(id.cast_unsigned());
    format!("{mixed:016x}{:08x}", crc32fast::hash(&mixed.to_be_bytes()))
}

/// The id in a text that [`object_id`] made, in lower case; `None` for every other text.
#[must_use]
pub fn parse_object_id(text: &str) -> Option<i64> {
    let mixed = text.get(..16).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let id = valid(Mixer::new(64, OBJECT_SALT).unmix(u64::from_str_radix(mixed, 16).ok()?))?;
    (object_id(id) == text).then_some(id)
}

const LEAD_SALT: &str = "lead code";
/// Data characters of a lead's code: 8 carry 40 bits, a trillion ids. The long form takes the
/// rest, so that no id is without a code.
const LEAD_CHARS: [u32; 2] = [8, 11];

/// A lead's own referral code: "L", 8 characters and a check character, such as "L5ZK09Q3MT".
/// Generated codes have no L (see `code`), and custom codes may not take the form. Ids from 2^40
/// on have three characters more.
#[must_use]
pub fn lead_code(id: i64) -> String {
    let chars = LEAD_CHARS[usize::from(id >= 1 << 40)];
    let data = base32(Mixer::new(chars * 5, LEAD_SALT).mix(id.cast_unsigned()), chars);
    let check = char::from(BASE32[usize::from(check_of(&data))]);
    format!("l{data}{check}").to_ascii_uppercase()
}

/// The lead's id in its code, in any case, with or without spaces and hyphens, O read as 0 and I
/// or L as 1. `None` if it is not of the form or its check character is wrong.
#[must_use]
pub fn parse_lead_code(text: &str) -> Option<i64> {
    let plain = |c: &char| !c.is_whitespace() && *c != '-';
    let mut chars = text.chars().filter(plain).map(|c| c.to_ascii_lowercase());
    if chars.next()? != 'l' {
        return None;
    }
    let read = |c| match c {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    let digits: String = chars.map(read).collect();
    let count = *LEAD_CHARS.iter().find(|count| digits.len() == **count as usize + 1)?;
    let (data, check) = digits.split_at_checked(count as usize)?;
    let mixed = u64::try_from(from_base32(data)?).ok()?;
    if from_base32(check)? != u128::from(check_of(data)) {
        return None;
    }
    let id = valid(Mixer::new(count * 5, LEAD_SALT).unmix(mixed))?;
    // A long form of a small id would be its second code.
    ((id >= 1 << 40) == (count == LEAD_CHARS[1])).then_some(id)
}

/// True for every text that [`parse_lead_code`] takes, existing lead or not.
#[must_use]
pub fn is_lead_code_form(text: &str) -> bool {
    parse_lead_code(text).is_some()
}

/// `prefix`, an underscore and 20 random characters (100 bits): "business_…", "product_…". Long enough that
/// guessing one is hopeless.
pub fn random_public_id(prefix: &str, rng: &mut (impl CryptoRng + ?Sized)) -> String {
    let digits: String = (0..20).map(|_| pick(BASE32, rng)).collect();
    format!("{prefix}_{digits}")
}

/// A secret of 256 random bits as 43 characters that are safe in URLs and cookies.
pub fn new_token(rng: &mut (impl CryptoRng + ?Sized)) -> String {
    URL_SAFE_NO_PAD.encode(rng.random::<[u8; 32]>())
}

/// SHA-256 of a text, 64 lower-case hex digits: how secrets of high entropy are stored.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    digest_hex(text.as_bytes())
}

/// The SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn digest_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)])).collect()
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY_RANDOM: usize = 32;
const KEY_CHECK: usize = 6;

/// A new API key: "rk_live_" or "rk_test_", 32 random characters (190 bits) and 6 of checksum, by
/// which scanners for leaked secrets recognise it, and a mistyped one costs no look-up.
pub fn new_api_key(live: bool, rng: &mut (impl CryptoRng + ?Sized)) -> String {
    new_key(if live { "rk_live_" } else { "rk_test_" }, rng)
}

/// A new publishable key, "rk_pub_" and as many characters: it may appear in the source of a web page.
pub fn new_publishable_key(rng: &mut (impl CryptoRng + ?Sized)) -> String {
    new_key(PUBLISHABLE, rng)
}

const PUBLISHABLE: &str = "rk_pub_";

fn new_key(prefix: &str, rng: &mut (impl CryptoRng + ?Sized)) -> String {
    let random: String = (0..KEY_RANDOM).map(|_| pick(BASE62, rng)).collect();
    let body = format!("{prefix}{random}");
    let check = key_check(&body);
    body + &check
}

/// True for a text with the form of an API key and the right checksum. The key may still not exist.
#[must_use]
pub fn api_key_checksum_ok(text: &str) -> bool {
    is_key(text, text.strip_prefix("rk_live_").or_else(|| text.strip_prefix("rk_test_")))
}

/// The same for a publishable key, which is none of the others.
#[must_use]
pub fn publishable_key_ok(text: &str) -> bool {
    is_key(text, text.strip_prefix(PUBLISHABLE))
}

fn is_key(text: &str, random: Option<&str>) -> bool {
    let formed = random.is_some_and(|random| {
        random.len() == KEY_RANDOM + KEY_CHECK && random.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    formed && text.split_at_checked(text.len() - KEY_CHECK).is_some_and(|(body, check)| key_check(body) == check)
}

/// CRC-32 of everything before it, in base 62: 62^6 is just above 2^32.
fn key_check(body: &str) -> String {
    let crc = crc32fast::hash(body.as_bytes());
    let digit = |power: u32| char::from(BASE62[(crc / 62_u32.pow(power) % 62) as usize]);
    (0..6).rev().map(digit).collect()
}

fn pick(alphabet: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> char {
    char::from(alphabet[rng.random_range(0..alphabet.len())])
}

fn valid(id: u64) -> Option<i64> {
    i64::try_from(id).ok().filter(|id| *id < ID_LIMIT)
}

/// The low `chars` * 5 bits, highest first.
fn base32(value: u64, chars: u32) -> String {
    let digit = |index: u32| BASE32[(value >> (5 * index) & 31) as usize];
    (0..chars).rev().map(|index| char::from(digit(index))).collect()
}

/// At most 13 characters, so at most 65 bits.
fn from_base32(digits: &str) -> Option<u128> {
    if digits.len() > ID_CHARS as usize {
        return None;
    }
    digits.bytes().try_fold(0, |value, b| Some(value << 5 | u128::from(value_of(b)?)))
}

fn value_of(digit: u8) -> Option<u8> {
    BASE32.iter().position(|b| *b == digit).and_then(|at| u8::try_from(at).ok())
}

/// A check digit in GF(32): the digits are the coefficients of a polynomial that must vanish at the
/// generator. With fewer than 31 digits every single wrong one and every swap of two is noticed.
fn check_of(data: &str) -> u8 {
    // Times the generator, modulo x^5 + x^2 + 1.
    let times = |value: u8| (value << 1) ^ if value & 16 == 0 { 0 } else { 0b10_0101 };
    data.bytes().filter_map(value_of).fold(0, |sum, digit| times(sum ^ digit))
}

/// A bijection on integers of `bits` bits: rounds of adding a salt, multiplying by an odd constant
/// and folding the upper half onto the lower, each of which can be undone.
struct Mixer {
    bits: u32,
    salt: u64,
}

/// Odd, so invertible modulo every power of two; from the finaliser of SplitMix64.
const FACTORS: [u64; 3] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0x9e37_79b9_7f4a_7c15];

impl Mixer {
    fn new(bits: u32, salt: &str) -> Self {
        // FNV-1a: any fixed function of the salt's name does.
        let salt = salt
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self { bits, salt }
    }

    fn mix(&self, value: u64) -> u64 {
        FACTORS
            .iter()
            .fold(self.fold(value), |value, factor| self.fold(value.wrapping_add(self.salt).wrapping_mul(*factor)))
    }

    fn unmix(&self, value: u64) -> u64 {
        let value = FACTORS
            .iter()
            .rev()
            .fold(value, |value, factor| self.fold(value).wrapping_mul(inverse(*factor)).wrapping_sub(self.salt));
        self.fold(value)
    }

    /// Its own inverse, since the shift is at least half of the width.
    fn fold(&self, value: u64) -> u64 {
        let value = value & (u64::MAX >> (64 - self.bits));
        value ^ (value >> self.bits.div_ceil(2))
    }
}

/// The inverse of an odd number modulo 2^64, and so modulo every smaller power of two. Newton's
/// iteration doubles the count of right bits, from the three that an odd number has of itself.
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |guess, _| guess.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(guess))))
}

#[cfg(test)]
mod tests;
