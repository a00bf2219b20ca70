//! Codes read aloud, and what people say for them: the spelling alphabets, the names of letters and digits, "B as
//! in Bravo", "double seven". [`spelled`] is a code to read out, [`heard`] the way back.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::code::lookup_form;
use crate::fold;

/// The words of the NATO alphabet and of digits, in order of the characters.
const LETTERS: [&str; 26] = [
    "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima",
    "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-ray",
    "Yankee", "Zulu",
];
const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// Words that also mean something else, by the character they spell: the names of letters, and the alphabets of
/// the telephone in Germany, Britain and America. Digits in German, French, Spanish and Swahili.
const ALSO: [(char, &str); 36] = [
    ('A', "ay aye eh anton able adam albert aachen"),
    ('B', "bee be beh berta bertha baker boy benjamin berlin"),
    ('C', "see sea cee seh cäsar caesar chemnitz charles cesar"),
    ('D', "dee deh dora dog david düsseldorf"),
    ('E', "ee emil easy edward edison essen"),
    ('F', "eff ef friedrich fritz fox frank frankfurt"),
    ('G', "gee jee geh gustav george goslar"),
    ('H', "aitch haitch ha heinrich how harry henry hamburg"),
    ('I', "eye ida item isaac ingelheim"),
    ('J', "jay jot julius jig jack john jena"),
    ('K', "kay cay ka kaufmann king köln"),
    ('L', "el ell ludwig love lincoln leipzig"),
    ('M', "em martha mary münchen"),
    ('N', "en nordpol nan nellie nora nürnberg"),
    ('O', "otto oboe oliver ocean offenbach"),
    ('P', "pee peh paula peter paul potsdam"),
    ('Q', "cue queue kyu kuh quelle queen quickborn"),
    ('R', "ar are richard roger robert rostock"),
    ('S', "ess es samuel siegfried sugar sam salzwedel"),
    ('T', "tee teh theodor tare tommy tom tübingen"),
    ('U', "you yu ulrich uncle union unna"),
    ('V', "vee vau viktor völklingen"),
    ('W', "wilhelm william wuppertal weh"),
    ('X', "ex ix xanthippe xanten"),
    ('Y', "why wye ypsilon yoke yellow young"),
    ('Z', "zee zed zett zacharias zeppelin zebra zürich zwickau"),
    ('0', "null zéro cero sifuri nil naught"),
    ('1', "won eins ein un uno moja"),
    ('2', "zwei zwo deux dos mbili"),
    ('3', "drei trois tres tatu"),
    ('4', "fore vier quatre cuatro nne"),
    ('5', "fünf cinq cinco tano"),
    ('6', "sechs seis sita"),
    ('7', "sieben sept siete saba"),
    ('8', "acht huit ocho nane"),
    ('9', "neun neuf nueve tisa"),
];
const TEENS: [&str; 10] =
    ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// Words between the characters that spell nothing.
const FILLERS: [&str; 9] = ["capital", "letter", "number", "digit", "then", "and", "space", "the", "und"];
/// Characters of a text in which words with another meaning are taken for spelling, at least.
const LEAST: usize = 3;

/// A code to read out: "K for Kilo, 7, M for Mike". Hyphens and dots are left out, since a look-up
/// ignores them.
#[must_use]
pub fn spelled(text: &str) -> String {
    let word = |c: char| match c {
        'A'..='Z' => format!("{c} for {}", LETTERS[usize::from(c as u8 - b'A')]),
        '_' => "underscore".to_owned(),
        c => c.to_string(),
    };
    lookup_form(text).chars().map(word).collect::<Vec<_>>().join(", ")
}

/// Turns a spelled-out code back into a code: "kilo seven mike" and "K for Kilo, 7, M as in Mike" are both
/// "K7M". Words that are no spelling stay; a text without any spelling is only trimmed.
#[must_use]
pub fn heard(text: &str) -> String {
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '!' | '?' | '/');
    let words: Vec<String> = text
        .split(apart)
        .map(|word| fold::lower(word.trim_matches(['.', '-', '"', '\''])))
        .filter(|word| !word.is_empty())
        .collect();
    // A person may be called "Martha" or "Kay": such words spell where all the others do.
    let all = Reading::of(&words, true);
    if all.spoken && !all.has_other && all.out.chars().count() >= LEAST {
        return all.out;
    }
    let plain = Reading::of(&words, false);
    if plain.spoken { plain.out } else { text.trim().to_owned() }
}

/// The characters of some words, so far.
#[derive(Default)]
struct Reading {
    out: String,
    /// A word was a spelling.
    spoken: bool,
    /// A word was none, nor a piece of a code.
    has_other: bool,
}

impl Reading {
    fn of(words: &[String], also: bool) -> Self {
        let mut reading = Self::default();
        let (mut times, mut rest) = (1, words);
        while let [word, after @ ..] = rest {
            let (part, consumed) = spelling(word, after, also);
            rest = after.get(consumed..).unwrap_or_default();
            match (word.as_str(), part) {
                ("double" | "doppel", _) if !rest.is_empty() => times = 2,
                ("triple" | "treble", _) if !rest.is_empty() => times = 3,
                (_, Some(part)) => {
                    reading.spoken = true;
                    reading.out.extend(std::iter::repeat_n(part, times));
                    times = 1;
                }
                (word, None) => {
                    if also && FILLERS.contains(&word) {
                        continue;
                    }
                    reading.spoken |= times > 1 && word.chars().nth(1).is_none();
                    let piece = word.chars().nth(2).is_none() || word.contains(|c: char| c.is_ascii_digit());
                    reading.has_other |= !piece;
                    reading.out.extend(std::iter::repeat_n(word.to_uppercase(), times));
                    times = 1;
                }
            }
        }
        reading
    }
}

/// The characters that a word means, and how many of the words after it belong to it.
fn spelling(word: &str, after: &[String], also: bool) -> (Option<String>, usize) {
    if matches!(word, "double" | "doppel") && after.first().is_some_and(|next| also && (next == "you" || next == "u")) {
        return (Some("W".to_owned()), 1);
    }
    let mut chars = word.chars();
    let letter = match (chars.next(), chars.next()) {
        (Some(c), None) => Some(c),
        _ => spoken_char(word, true).and_then(|c| c.to_lowercase().next()),
    };
    if let Some(c) = letter {
        let explained = explanation(c, after);
        if explained > 0 {
            return (Some(c.to_uppercase().collect()), explained);
        }
    }
    if word.chars().nth(1).is_none() {
        return (None, 0);
    }
    if let Some(c) = spoken_char(word, also) {
        return (Some(c.to_string()), 0);
    }
    if !also {
        return (None, 0);
    }
    if let Some(at) = TEENS.iter().position(|name| *name == word) {
        return (Some((at + 10).to_string()), 0);
    }
    let (tens, one) = word.split_once('-').unwrap_or((word, ""));
    let Some(at) = TENS.iter().position(|name| *name == tens) else { return (None, 0) };
    let digit = |word: &str| DIGITS.iter().skip(1).position(|name| *name == word).map(|at| at + 1);
    match (digit(one), after.first().and_then(|word| digit(word)).filter(|_| one.is_empty())) {
        (Some(one), _) => (Some(((at + 2) * 10 + one).to_string()), 0),
        (None, Some(one)) => (Some(((at + 2) * 10 + one).to_string()), 1),
        (None, None) if one.is_empty() => (Some(((at + 2) * 10).to_string()), 0),
        (None, None) => (None, 0),
    }
}

/// The length of "for Kilo", "as in Kilo", "like Kilo" or "wie Kaufmann" after a letter. "for" is only that
/// before a word with the letter; else it is a four that was misheard.
fn explanation(letter: char, after: &[String]) -> usize {
    let words: Vec<&str> = after.iter().take(3).map(String::as_str).collect();
    let (count, word) = match words[..] {
        ["as", "in", word] => (3, word),
        ["for" | "like" | "wie" | "comme" | "como" | "come" | "as" | "in" | "kama", word, ..] => (2, word),
        _ => return 0,
    };
    let begins = fold::fold(word).starts_with(&fold::fold(&letter.to_string()));
    if begins && word.chars().nth(1).is_some() { count } else { 0 }
}

/// A word of either alphabet, its other spellings, and what is heard instead of digits; with `also`, the words
/// that have another meaning.
fn spoken_char(word: &str, also: bool) -> Option<char> {
    let is_word = |name: &str| name.eq_ignore_ascii_case(word);
    if let Some(at) = LETTERS.iter().position(|name| is_word(name)) {
        return LETTERS[at].chars().next();
    }
    if let Some(at) = DIGITS.iter().position(|name| is_word(name)) {
        return char::from_digit(u32::try_from(at).ok()?, 10);
    }
    let known = match word {
        "alpha" => 'A',
        "juliet" => 'J',
        "whisky" => 'W',
        "xray" => 'X',
        "oh" | "nought" | "null" => '0',
        "to" | "too" => '2',
        "tree" => '3',
        "for" | "fower" => '4',
        "fife" => '5',
        "ate" | "ait" => '8',
        "niner" => '9',
        "dash" | "hyphen" | "minus" => '-',
        "underscore" => '_',
        "dot" | "point" => '.',
        _ => '\0',
    };
    if known != '\0' {
        return Some(known);
    }
    if also { ALSO_FOLDED.get(&fold::fold(word)).copied() } else { None }
}

/// The words of [`ALSO`], folded.
static ALSO_FOLDED: LazyLock<HashMap<String, char>> = LazyLock::new(|| {
    let mut spelled = HashMap::new();
    for (c, names) in ALSO {
        for name in names.split(' ') {
            spelled.entry(fold::fold(name)).or_insert(c);
        }
    }
    spelled
});
