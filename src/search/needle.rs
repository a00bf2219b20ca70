//! The searched text, as people type it.

use std::collections::BTreeSet;

use super::grams::grams;
use crate::db::{Listing, Value};
use crate::phone;
use crate::text::{TextError, fold, like_piece};

/// Characters that an index can find; shorter pieces are looked for row by row.
const GRAM: usize = 3;
/// Words that are looked for, at most; and grams of one word, spread over it.
const WORDS: usize = 8;
const GRAMS: usize = 12;

/// Pieces of text that all have to be there, each in one of its forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle(Vec<Vec<String>>);

impl Needle {
    /// Words in any order, or a number in the ways it may be written.
    ///
    /// # Errors
    /// [`TextError::Control`] for NUL and the like, which PostgreSQL refuses.
    pub fn words(query: &str, country: &str) -> Result<Self, TextError> {
        if query.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return Err(TextError::Control);
        }
        let folded = fold(query);
        let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
        let is_number = digits.len() >= GRAM && folded.chars().all(|c| !c.is_alphabetic() && c != '@');
        if is_number {
            let mut forms = BTreeSet::from([folded.clone(), digits.clone()]);
            // Stored with the country's code, typed as it is dialled at home or from abroad.
            let at_home = digits.strip_prefix('0').filter(|rest| !rest.starts_with('0') && rest.len() >= GRAM);
            forms.extend(at_home.zip(phone::calling_code(country)).map(|(rest, code)| format!("{code}{rest}")));
            forms.extend(digits.strip_prefix("00").filter(|rest| rest.len() >= GRAM).map(str::to_owned));
            return Ok(Self(vec![forms.into_iter().collect()]));
        }
        let words: BTreeSet<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
        Ok(Self(words.into_iter().take(WORDS).map(|word| vec![word.to_owned()]).collect()))
    }

    /// One piece as it is.
    pub fn piece(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(vec![vec![text.to_owned()]]) }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For each word that an index can find, the grams of each of its forms.
    pub(super) fn grams(&self) -> Vec<Vec<Vec<i64>>> {
        let found = |form: &String| {
            let all: Vec<i64> = grams(form).collect();
            let step = all.len().div_ceil(GRAMS).max(1);
            let mut some: Vec<i64> = all.iter().step_by(step).chain(all.last()).copied().collect();
            some.sort_unstable();
            some.dedup();
            some
        };
        let words = self.0.iter().map(|forms| forms.iter().map(found).collect::<Vec<_>>());
        words.filter(|forms| forms.iter().all(|grams| !grams.is_empty())).collect()
    }

    /// Adds the condition that a column contains all of it.
    pub fn in_column(&self, column: &str, list: Listing) -> Listing {
        self.0.iter().fold(list, |list, forms| {
            let any = vec![format!("{column} LIKE ? ESCAPE '\\'"); forms.len()].join(" OR ");
            list.search_each(&format!("({any})"), forms.iter().map(|form| Value::from(like_piece(form))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(query: &str) -> Vec<Vec<String>> {
        Needle::words(query, "KE").unwrap().0
    }

    #[test]
    fn words_are_folded_and_looked_for_in_any_order() {
        assert_eq!(words(" ÖZIL  Jane%_ "), [["jane%_"], ["özil"]]);
        assert_eq!(words("Jane.N@ex"), [["jane.n@ex"]]);
        assert!(words("  ").is_empty());
        assert_eq!(Needle::words("a\0b", "KE"), Err(TextError::Control));
    }

    #[test]
    fn a_number_is_looked_for_as_it_may_be_stored() {
        assert_eq!(words("0722 000"), [["0722 000", "0722000", "254722000"]]);
        assert_eq!(words("+254-722"), [["+254-722", "254722"]]);
        assert_eq!(words("00254722"), [["00254722", "254722"]]);
        assert_eq!(words("000"), [["000"]]);
        assert_eq!(words("42"), [["42"]]);
    }

    #[test]
    fn only_words_of_three_characters_are_in_the_index() {
        let needle = Needle::words("jo smith", "KE").unwrap();
        assert_eq!(
            needle.grams(),
            [[grams("smith").collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()]]
        );
        assert!(Needle::words("jo", "KE").unwrap().grams().is_empty());
        let long = Needle::piece(&"abcdefghijklmnopqrstuvwxyz".repeat(4)).grams();
        assert!(long[0][0].len() <= GRAMS + 1, "{long:?}");
    }
}
