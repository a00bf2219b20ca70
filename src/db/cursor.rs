//! The position from which a list continues.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Rows of a page.
pub const PAGE: usize = 50;

/// The position at which a page of a list begins: the sort value and id of the row before it, and the
/// direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub value: String,
    pub id: i64,
}

impl Cursor {
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}\u{1f}{}", self.id, self.value))
    }

    /// `None` for text that is no cursor of ours: the list then starts at the first page.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, value) = text.split_once('\u{1f}')?;
        if value.contains(char::is_control) {
            return None;
        }
        Some(Self { value: value.to_owned(), id: id.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_nonsense_is_none() {
        let cursor = Cursor { value: "2026\u{e9}".into(), id: 12 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        assert_eq!(Cursor::parse("%%%"), None);
        assert_eq!(Cursor::parse(""), None);
    }
}
