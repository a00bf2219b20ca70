//! Referral codes as text. [`generate`] makes one that is meant to be spoken; [`parse_custom`] takes one that
//! people chose; [`lookup_form`] is the form in which codes are stored and compared. A look-up tries the
//! [`lookup_form`] first, then [`repaired`] if that [`is_generated_form`], then [`heard`](crate::spelling::heard).
//!
//! A generated code is 9 random symbols and a check symbol of an alphabet of 23: no vowels, one of each class
//! of look-alikes, and a prime number of them. The sum of symbol times position is 0 modulo 23, so every
//! single wrong symbol and every swap of two gives a text that is no code, never another referrer's code.

use std::fmt;

use rand::{Rng, RngExt as _};
use unicode_normalization::UnicodeNormalization as _;

use crate::{fold, id};

const ALPHABET: &[u8; 23] = b"23456789CDFHJKMNPRTVWXY";
const SYMBOLS: usize = 10;
const CUSTOM_CHARS: std::ops::RangeInclusive<usize> = 3..=40;

/// Why a chosen code was refused. The sentences continue a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// Not from 3 to 40 characters.
    Length,
    /// Something else than letters, digits, `-`, `_` and `.`.
    Character,
    /// Signs only.
    OnlySigns,
    /// The form of a lead's own code (see `id::lead_code`).
    Reserved,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "must have 3 to 40 characters",
            Self::Character => "must consist of letters, digits, hyphens, underscores and dots",
            Self::OnlySigns => "must contain a letter or a digit",
            Self::Reserved => "has the form of a lead's own code; choose another",
        })
    }
}

impl std::error::Error for CodeError {}

/// A new code as it is shown: "K7M-4XP-D2CW". Give it a cryptographic source: a code that can be
/// foreseen can be claimed. There are 23^9 (41 bits) of them, and uniqueness is the database's.
pub fn generate(rng: &mut (impl Rng + ?Sized)) -> String {
    loop {
        let mut values = [0; SYMBOLS];
        for value in &mut values[..SYMBOLS - 1] {
            *value = rng.random_range(0..ALPHABET.len());
        }
        // The check symbol's weight is 10, and 10 * 16 = 160 = -1 modulo 23, so it is 16 * sum.
        values[SYMBOLS - 1] = weighted(&values) * 16 % ALPHABET.len();
        let symbols: String = values.iter().map(|value| char::from(ALPHABET[*value])).collect();
        // About one draw in ten is thrown away, so this ends.
        if has_letter(&symbols) && !is_rude(&symbols) {
            return grouped(&symbols);
        }
    }
}

fn weighted(values: &[usize]) -> usize {
    values.iter().zip(1..).map(|(value, weight)| value * weight).sum::<usize>() % ALPHABET.len()
}

fn has_letter(symbols: &str) -> bool {
    symbols.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The form in which codes are stored for look-up and compared: NFKC, upper case, without white
/// space, invisible marks, dashes of all kinds and dots, and without the signs that surround a pasted code.
/// Doing it twice changes nothing.
#[must_use]
pub fn lookup_form(text: &str) -> String {
    let is_significant = |c: &char| !(c.is_whitespace() || fold::is_hidden(*c) || fold::is_dash(*c) || *c == '.');
    let bare = |text: &str| -> String {
        let bare = text.trim_matches(is_decoration);
        if bare.is_empty() { text.to_uppercase() } else { bare.to_uppercase() }
    };
    if text.is_ascii() {
        return bare(&text.chars().filter(is_significant).collect::<String>());
    }
    // Upper case can decompose, and what composes or loses a dash can have another upper case.
    fold::settled(text, |text| bare(&text.nfkc().filter(is_significant).collect::<String>()).nfkc().collect())
}

/// Quotes, brackets, a number sign and the end of a sentence: no code has them.
fn is_decoration(c: char) -> bool {
    (c.is_ascii_punctuation() && c != '_') || "“”„‟‘’‚‛«»‹›¿¡…、。「」".contains(c)
}

/// The form in which a code is found by a piece of it: the [`lookup_form`], folded as every searched text is.
#[must_use]
pub fn searched(text: &str) -> String {
    fold::fold(&lookup_form(text)).replace(' ', "")
}

/// The [`lookup_form`] with every look-alike brought to the one of its class that generated codes
/// have: O, Q and 0 are read as D, I, L and 1 as 7, and so on.
#[must_use]
pub fn repaired(text: &str) -> String {
    let class = |c| match c {
        '0' | 'O' | 'Q' => 'D',
        '1' | 'I' | 'L' => '7',
        'Z' => '2',
        'S' => '5',
        'B' => '8',
        'G' => '6',
        'U' => 'V',
        'E' => '3',
        'A' => '4',
        c => c,
    };
    // A letter read for another one can compose with the mark after it.
    fold::settled(text, |text| lookup_form(text).chars().map(class).collect())
}

/// True for a text, in any case and grouping, that [`generate`] could have made: 10 symbols of the alphabet
/// with a letter and the right check. Look-alikes are not mended here; ask about [`repaired`] text for that.
#[must_use]
pub fn is_generated_form(text: &str) -> bool {
    let form = lookup_form(text);
    let value = |b: u8| ALPHABET.iter().position(|symbol| *symbol == b);
    let values: Option<Vec<usize>> = form.bytes().map(value).collect();
    let sound = |values: Vec<usize>| values.len() == SYMBOLS && weighted(&values) == 0;
    has_letter(&form) && values.is_some_and(sound)
}

/// Reads a code that someone chose or brings along, such as "AGENT123". The spelling stays (in NFC); its
/// [`lookup_form`] must be unique. Letters of any script are allowed, because codes are imported unchanged. A
/// generated code is fine too.
///
/// # Errors
///
/// [`CodeError`], the first that applies.
pub fn parse_custom(text: &str) -> Result<String, CodeError> {
    let code: String = text.trim().nfc().collect();
    if !CUSTOM_CHARS.contains(&code.chars().count()) {
        return Err(CodeError::Length);
    }
    if !code.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(CodeError::Character);
    }
    let form = lookup_form(&code);
    if !form.chars().any(char::is_alphanumeric) {
        return Err(CodeError::OnlySigns);
    }
    if id::is_lead_code_form(&form) {
        return Err(CodeError::Reserved);
    }
    Ok(code)
}

/// A generated code in groups of 3, 3 and 4, upper case: "K7M-4XP-D2CW". Other codes as they are.
#[must_use]
pub fn grouped(text: &str) -> String {
    let form = lookup_form(text);
    match (form.get(..3), form.get(3..6), form.get(6..)) {
        (Some(a), Some(b), Some(c)) if is_generated_form(&form) => format!("{a}-{b}-{c}"),
        _ => text.to_owned(),
    }
}

/// The number of single steps (insert, drop, replace, swap of neighbours) from one text to the
/// other: optimal string alignment. For "did you mean", over [`lookup_form`]s.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}

/// Forbidden parts of a code: words without the letters the alphabet lacks, or with a digit or a V that reads
/// as the missing letter, and signs such as 88. Some harmless codes are lost with them.
const RUDE: &[&str] = &[
    "666", "69", "88", "ANUS", "ARSCH", "ARSE", "BSTRD", "BTCH", "BUM", "BUTT", "CACA", "CCK", "CNT", "CRAP", "CUM",
    "CUNT", "CYKA", "DAMN", "DCK", "DEAD", "DEATH", "DRECK", "DRUG", "DUMB", "DYKE", "FAEN", "FAG", "FANNY", "FAP",
    "FART", "FAT", "FCK", "FGT", "FKK", "FKN", "FKU", "FU", "GAS", "GAY", "GYP", "H8", "HATE", "HRE", "HURE", "JAP",
    "JERK", "JEW", "JUNK", "KACK", "KAFFER", "KAFFR", "KAK", "KKK", "KNT", "KRAUT", "KURVA", "KURWA", "KYKE", "KYS",
    "MERD", "METH", "MRD", "NAKED", "NAZ", "NEGER", "NEGR", "NGA", "NGG", "NGR", "NUDE", "PEE", "PENS", "PHCK", "PHK",
    "PHUC", "PHUK", "PRAT", "PRCK", "PRN", "PSY", "PUBE", "PUKE", "PUS", "PUTA", "PUTE", "RAPE", "RAPST", "RPE",
    "SCAM", "SCHWANZ", "SEMEN", "SEX", "SHT", "SKANK", "SMUT", "SPAST", "SPAZ", "SPERM", "SPYC", "SS", "STD", "STUPD",
    "SUCK", "TARD", "TEAT", "TRAMP", "TRANNY", "TRNNY", "TRNY", "TTS", "TURD", "TUSH", "TWAT", "TWT", "VAG", "WANK",
    "WEED", "WHR", "WNK", "WTF", "XTC", "XXX",
];

fn is_rude(symbols: &str) -> bool {
    let symbols = symbols.as_bytes();
    let found = |word: &str| {
        let reads = |window: &[u8]| window.iter().zip(word.bytes()).all(|(s, w)| reads_as(*s, w));
        symbols.windows(word.len()).any(reads)
    };
    RUDE.iter().any(|word| found(word))
}

/// True when a symbol of the alphabet can be read as a letter or digit of a word.
fn reads_as(symbol: u8, wanted: u8) -> bool {
    let letters: &[u8] = match symbol {
        b'2' => b"Z",
        b'3' => b"E",
        b'4' => b"A",
        b'5' => b"S",
        b'6' | b'9' => b"G",
        b'7' => b"T",
        b'8' => b"B",
        b'V' => b"U",
        _ => b"",
    };
    symbol == wanted || letters.contains(&wanted)
}

#[cfg(test)]
mod tests;
