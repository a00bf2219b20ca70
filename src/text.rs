//! Text as people type it: cleaned on the way in, folded for searching. [`clean`] and [`line`] are
//! the entry for every free text field; [`fold`] and [`like_pattern`] are the two halves of search,
//! the stored column on one side and the question on the other.

use std::fmt;

use crate::fold::fold;

/// Why a text was refused. The sentences continue a field's name: "note must be at most ...".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// More than `max` characters (Unicode scalar values, counted after trimming).
    TooLong {
        /// The field's limit.
        max: usize,
    },
    /// NUL or another control character. PostgreSQL refuses NUL for a whole statement, and SQLite
    /// cuts the text there.
    Control,
    /// A line break or a tab where one line is wanted.
    NotOneLine,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { max } => write!(f, "must be at most {max} characters"),
            Self::Control => f.write_str("must not contain control characters"),
            Self::NotOneLine => f.write_str("must be a single line"),
        }
    }
}

impl std::error::Error for TextError {}

/// Trims text of several lines, at most `max_chars` characters. An empty result is fine here.
///
/// Browsers send CR LF from a text area, so CR LF and CR become LF. Direction marks stay: they belong to
/// right-to-left text, and every output escapes and isolates them.
///
/// # Errors
///
/// [`TextError::Control`] for controls other than line feed and tab, then [`TextError::TooLong`].
pub fn clean(raw: &str, max_chars: usize) -> Result<String, TextError> {
    let text = raw.trim().replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(TextError::Control);
    }
    // Bytes are an upper bound of characters, so most texts are not counted.
    if text.len() > max_chars && text.chars().count() > max_chars {
        return Err(TextError::TooLong { max: max_chars });
    }
    Ok(text)
}

/// Like [`clean`], for a text of one line.
///
/// # Errors
/// As [`clean`], and [`TextError::NotOneLine`] for line breaks (U+2028 and U+2029 too) and tabs.
pub fn line(raw: &str, max_chars: usize) -> Result<String, TextError> {
    let text = clean(raw, max_chars)?;
    if text.contains(['\n', '\t', '\u{2028}', '\u{2029}']) {
        return Err(TextError::NotOneLine);
    }
    Ok(text)
}

/// A `LIKE` pattern that finds `query` anywhere in a folded column, `ESCAPE '\'`. `%` and `_` in
/// the question are plain characters.
#[must_use]
pub fn like_pattern(query: &str) -> String {
    like_piece(&fold(query))
}

/// The same for a piece that is taken as it is.
#[must_use]
pub fn like_piece(piece: &str) -> String {
    let mut pattern = String::with_capacity(piece.len() + 2);
    pattern.push('%');
    for c in piece.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// 12412 as "12,412".
pub fn counted(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 { format!("\u{2212}{out}") } else { out }
}

/// The number of rows examined, where a page has to say it.
pub fn looked_at(looked: Option<usize>) -> String {
    looked.map(|n| counted(i64::try_from(n).unwrap_or(i64::MAX))).unwrap_or_default()
}

/// A count that was stopped at a bound: "9,999", "10,000+".
pub fn counted_up_to(n: i64, bound: i64) -> String {
    let plus = if n >= bound { "+" } else { "" };
    format!("{}{plus}", counted(n.min(bound)))
}

/// "Jane M." for "Jane Alice Miller". A name that is an address shows only its first letter.
pub fn masked(name: &str) -> String {
    let initial = |word: &str| word.chars().next().map(|c| format!("{}.", c.to_uppercase())).unwrap_or_default();
    if name.contains('@') {
        return initial(name);
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, .., last] => format!("{first} {}", initial(last)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clean_trims_and_keeps_lines() {
        assert_eq!(clean("  a\r\nb\rc\td \n", 20), Ok("a\nb\nc\td".to_owned()));
        assert_eq!(clean(" \u{a0}\u{3000} ", 20), Ok(String::new()));
        assert_eq!(clean("\u{202e}abc\u{2066}", 5), Ok("\u{202e}abc\u{2066}".to_owned()));
    }

    #[test]
    fn controls_are_refused() {
        for raw in ["a\0b", "a\u{1b}b", "a\u{7f}", "a\u{85}b", "a\u{9f}b"] {
            assert_eq!(clean(raw, 20), Err(TextError::Control), "{raw:?}");
        }
        for raw in ["a\nb", "a\rb", "a\tb", "a\u{2028}b", "a\u{2029}b"] {
            assert_eq!(line(raw, 20), Err(TextError::NotOneLine), "{raw:?}");
        }
        assert_eq!(line(" a b\n", 20), Ok("a b".to_owned()));
    }

    #[test]
    fn the_limit_counts_characters_and_is_named() {
        assert_eq!(clean("ééé", 3), Ok("ééé".to_owned()));
        let fault = line("abcd", 3).unwrap_err();
        assert_eq!(fault.to_string(), "must be at most 3 characters");
        assert_eq!(TextError::Control.to_string(), "must not contain control characters");
    }

    #[test]
    fn patterns_are_plain() {
        assert_eq!(like_pattern("50%_A\\"), "%50\\%\\_a\\\\%");
        assert_eq!(like_pattern(""), "%%");
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(raw in any::<String>(), max in 0_usize..40) {
            if let Ok(text) = clean(&raw, max) {
                prop_assert!(text.chars().count() <= max && !text.contains(['\0', '\r']));
                prop_assert_eq!(clean(&text, max), Ok(text));
            }
        }

        #[test]
        fn a_pattern_means_its_question(text in "[a-z%_\\\\ ]{0,12}") {
            let pattern = like_pattern(&text);
            let mut plain = String::new();
            let mut chars = pattern[1..pattern.len() - 1].chars();
            while let Some(c) = chars.next() {
                plain.extend(if c == '\\' { chars.next() } else { prop_assert!(!"%_".contains(c)); Some(c) });
            }
            prop_assert_eq!(plain, fold(&text));
        }
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(counted(0), "0");
        assert_eq!(counted(1_234_567), "1,234,567");
        assert_eq!(counted(-1_000), "\u{2212}1,000");
    }

    #[test]
    fn a_name_is_masked() {
        for (name, expected) in [
            ("Jane Alice Miller", "Jane M."),
            ("Jane", "Jane"),
            ("  li  wei ", "li W."),
            ("jane@example.com", "J."),
            ("", ""),
            ("\u{c9}lise \u{e9}mile", "\u{c9}lise \u{c9}."),
        ] {
            assert_eq!(masked(name), expected);
        }
    }
}
