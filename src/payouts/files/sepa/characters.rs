//! Text in the characters that every bank of SEPA takes: `a-z A-Z 0-9 / - ? : ( ) . , ' +` and space.

use deunicode::deunicode_char;
use unicode_normalization::UnicodeNormalization as _;

use crate::fold::{is_apostrophe, is_dash, is_hidden};

const MARKS: &str = "/-?:().,'+ ";

/// A text in those characters. It neither begins nor ends with a slash, nor holds two in a row, because banks refuse
/// ids and references that do; spaces are single.
pub fn plain(text: &str) -> String {
    let chars: Vec<char> = text.nfc().filter(|c| !is_hidden(*c)).collect();
    let mut out = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        // The next letter says whether a word is in capitals; at its end, the one before.
        let beside = chars.get(at + 1).filter(|c| c.is_alphabetic()).or_else(|| chars.get(at.checked_sub(1)?));
        let capitals = beside.is_some_and(|c| c.is_uppercase());
        put(&mut out, *c, capitals);
    }
    tidy(&out)
}

/// The same, cut to a number of characters.
pub fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    tidy(text.get(..most).unwrap_or(&text))
}

/// The same, cut behind a whole word where one ends in the second half.
pub fn cut_words(text: &str, most: usize) -> String {
    let text = plain(text);
    let Some(start) = text.get(..most).filter(|_| text.len() > most) else { return text };
    let whole = if text[most..].starts_with(' ') { Some(most) } else { start.rfind(' ') };
    let cut = tidy(&start[..whole.filter(|end| *end >= most / 2).unwrap_or(most)]);
    // A mark that led to the next word leads nowhere now.
    cut.trim_end_matches([',', '-', ':', '(', '+', '/', ' ']).to_owned()
}

fn put(out: &mut String, c: char, capitals: bool) {
    match c {
        // The table of `deunicode` makes one letter of these; a German bank writes two.
        'ä' => out.push_str("ae"),
        'ö' => out.push_str("oe"),
        'ü' => out.push_str("ue"),
        'ß' => out.push_str("ss"),
        'Ä' => out.push_str(if capitals { "AE" } else { "Ae" }),
        'Ö' => out.push_str(if capitals { "OE" } else { "Oe" }),
        'Ü' => out.push_str(if capitals { "UE" } else { "Ue" }),
        'ẞ' => out.push_str("SS"),
        _ if c.is_ascii_alphanumeric() || MARKS.contains(c) => out.push(c),
        '&' | '＆' => out.push('+'),
        '@' | '＠' => out.push_str("(at)"),
        '€' => out.push_str("EUR"),
        '"' | '“' | '”' | '„' | '«' | '»' => out.push('\''),
        '_' => out.push('-'),
        ';' => out.push(','),
        '!' | '*' => out.push('.'),
        '[' | '{' | '<' => out.push('('),
        ']' | '}' | '>' => out.push(')'),
        '\\' | '|' => out.push('/'),
        _ if is_apostrophe(c) => out.push('\''),
        _ if is_dash(c) => out.push('-'),
        // Signs without a sound, pictures among them, have no letters to stand for them.
        _ if c.is_alphabetic() || c.is_numeric() => {
            let letters = deunicode_char(c).unwrap_or_default();
            out.extend(letters.chars().filter(|c| c.is_ascii_alphanumeric() || MARKS.contains(*c)));
        }
        _ if unicode_normalization::char::is_combining_mark(c) => {}
        _ => out.push(' '),
    }
}

/// Single spaces and slashes, no slash or space at either end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let again = out.ends_with(c) && matches!(c, ' ' | '/');
        if !again {
            out.push(c);
        }
    }
    out.trim_matches([' ', '/']).to_owned()
}
