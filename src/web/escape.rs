//! Escapes text for a page. Beside HTML's own characters, controls of writing direction are removed: names
//! appear in sentences, tooltips and lists of choices, where an unclosed control would turn round the text
//! behind it. Right-to-left letters need none of them, and marks (U+200E, U+200F) stay.

use std::fmt;

use askama::filters::{Escaper, Html};

/// Named in `askama.toml` for every template.
#[derive(Debug, Clone, Copy)]
pub struct Page;

/// Embeddings, overrides and isolates, and what closes them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Escaper for Page {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        // They all begin with this byte, and most texts have none.
        if !text.as_bytes().contains(&0xE2) {
            return Html.write_escaped_str(dest, text);
        }
        text.split(is_mark).try_for_each(|piece| Html.write_escaped_str(&mut dest, piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_round_what_follows() {
        let shown = |text: &str| {
            let mut out = String::new();
            Page.write_escaped_str(&mut out, text).unwrap();
            out
        };
        assert_eq!(shown("\u{202e}Jane\u{2066} & <b>"), "Jane &#38; &#60;b&#62;");
        assert_eq!(shown("\u{2067}\u{202a}\u{2069}\u{202c}"), "");
        assert_eq!(shown("Amy – “علي”\u{200f} 3 €"), "Amy – “علي”\u{200f} 3 €");
        assert_eq!(shown("plain"), "plain");
    }
}
