//! The searched text, as people type it.

use std::collections::BTreeSet;

use super::grams::grams;
use crate::db::{Listing, Value};
use crate::fold::{fold, is_dash};
use crate::text::{TextError, like_piece};
use crate::{code, pasted, phone, spelling};

/// Characters that an index can find; shorter pieces are looked for row by row.
const GRAM: usize = 3;
/// Words that are looked for, at most; and grams of one word, spread over it.
const WORDS: usize = 8;
const GRAMS: usize = 12;
/// The least that is looked for in codes beside other words.
const SHORT: usize = 2;
/// No code is longer.
const CODE: usize = 40;

/// The texts of a list's rows in SQL: of the person, and of the code.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    pub person: Place,
    pub code: Place,
}

/// A searched text of a row.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A column of the list's tables.
    Column(&'static str),
    /// The column `search` of the rows `x` of another table: what follows `FROM`.
    Rows(&'static str),
    /// Not searched.
    Nowhere,
}

impl Texts {
    /// One column, which has all that is searched.
    pub fn column(name: &'static str) -> Self {
        Self { person: Place::Column(name), code: Place::Nowhere }
    }
}

impl Place {
    fn has(self, forms: &[String], values: &mut Vec<Value>) -> Option<String> {
        let any = |column: &str| vec![format!("{column} LIKE ? ESCAPE '\\'"); forms.len()].join(" OR ");
        let condition = match self {
            _ if forms.is_empty() => return None,
            Self::Nowhere => return None,
            Self::Column(name) => any(name),
            Self::Rows(from) => format!("EXISTS (SELECT 1 FROM {from} AND ({}))", any("x.search")),
        };
        values.extend(forms.iter().map(|form| Value::from(like_piece(form))));
        Some(condition)
    }
}

/// A word in the forms in which a person's text may have it, and those in which a code may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word {
    person: Vec<String>,
    code: Vec<String>,
}

impl Word {
    fn of(typed: &str) -> Option<Self> {
        let folded = fold(typed);
        if folded.is_empty() {
            return None;
        }
        Some(Self { code: code_piece(typed, SHORT).into_iter().collect(), person: vec![folded] })
    }

    fn forms(&self) -> impl Iterator<Item = &String> {
        self.person.iter().chain(&self.code)
    }
}

/// A text as a piece of a code, if codes may have such a piece.
fn code_piece(text: &str, least: usize) -> Option<String> {
    let piece = code::searched(text);
    let length = piece.chars().count();
    let is_one = (least..=CODE).contains(&length) && piece.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_one.then_some(piece)
}

/// Words that all have to be there, each in one of its forms; or the whole as one code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle {
    words: Vec<Word>,
    /// What was spelled, or typed with spaces, as a code.
    whole: Vec<String>,
}

impl Needle {
    /// Words in any order, a number in the ways it may be written, a code in pieces, spelled, or as a link.
    ///
    /// # Errors
    /// [`TextError::Control`] for NUL and the like, which PostgreSQL refuses.
    pub fn words(query: &str, country: &str) -> Result<Self, TextError> {
        if query.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return Err(TextError::Control);
        }
        if let Some(code) = pasted::of_link(query) {
            return Ok(Self { words: Word::of(&code).into_iter().collect(), whole: Vec::new() });
        }
        let digits: String = fold(query).chars().filter(char::is_ascii_digit).collect();
        let is_number = digits.len() >= GRAM && query.chars().all(|c| !c.is_alphabetic() && c != '@' && c != '_');
        if is_number {
            let mut forms = BTreeSet::from([fold(query), digits.clone()]);
            // Stored with the country's code, typed as it is dialled at home or from abroad.
            let at_home = digits.strip_prefix('0').filter(|rest| !rest.starts_with('0') && rest.len() >= GRAM);
            forms.extend(at_home.zip(phone::calling_code(country)).map(|(rest, code)| format!("{code}{rest}")));
            forms.extend(digits.strip_prefix("00").filter(|rest| rest.len() >= GRAM).map(str::to_owned));
            let word = Word { person: forms.into_iter().collect(), code: vec![digits] };
            return Ok(Self { words: vec![word], whole: Vec::new() });
        }
        let apart =
            |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '(' | ')' | '“' | '”' | '„' | '«' | '»');
        let typed: BTreeSet<&str> = query.split(apart).filter(|word| !word.is_empty()).collect();
        let mut words: Vec<Word> = typed.into_iter().filter_map(Word::of).collect();
        words.dedup();
        words.truncate(WORDS);
        Ok(Self { words, whole: whole(query) })
    }

    /// One piece of a person's text as it is.
    pub fn piece(text: &str) -> Self {
        let word = Word { person: vec![text.to_owned()], code: Vec::new() };
        if text.is_empty() { Self::default() } else { Self { words: vec![word], whole: Vec::new() } }
    }

    /// Words of people, each in one of several forms.
    pub(super) fn any_of(words: Vec<Vec<String>>) -> Self {
        let word = |person| Word { person, code: Vec::new() };
        Self { words: words.into_iter().map(word).collect(), whole: Vec::new() }
    }

    /// Any of these pieces of codes.
    pub fn codes(pieces: &[String]) -> Self {
        let word = Word { person: Vec::new(), code: pieces.iter().map(|piece| code::searched(piece)).collect() };
        if pieces.is_empty() { Self::default() } else { Self { words: vec![word], whole: Vec::new() } }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.whole.is_empty()
    }

    /// For each word that an index can find, the grams of each of its forms.
    pub(super) fn grams(&self) -> Vec<Vec<Vec<i64>>> {
        let words = self.words.iter().map(|word| word.forms().map(|form| spread(form)).collect::<Vec<_>>());
        words.filter(|forms| forms.iter().all(|grams| !grams.is_empty())).collect()
    }

    /// The grams of each form of the whole.
    pub(super) fn whole_grams(&self) -> Vec<Vec<i64>> {
        self.whole.iter().map(|form| spread(form)).collect()
    }

    /// Adds the condition that a row's texts contain all of it.
    pub fn in_texts(&self, texts: Texts, list: Listing) -> Listing {
        if self.is_empty() {
            return list;
        }
        let (mut values, mut ways) = (Vec::new(), Vec::new());
        if !self.words.is_empty() {
            let words = self.words.iter().map(|word| {
                let person = texts.person.has(&word.person, &mut values);
                let code = texts.code.has(&word.code, &mut values);
                let either: Vec<String> = person.into_iter().chain(code).collect();
                if either.is_empty() { "1 = 0".to_owned() } else { format!("({})", either.join(" OR ")) }
            });
            ways.push(words.collect::<Vec<_>>().join(" AND "));
        }
        ways.extend(texts.code.has(&self.whole, &mut values));
        if ways.is_empty() {
            return list.search_plain("1 = 0");
        }
        list.search_each(&format!("({})", ways.join(" OR ")), values)
    }
}

/// A text of several words as one code: spelled, or with a space for a hyphen.
fn whole(query: &str) -> Vec<String> {
    let heard = spelling::heard(query);
    let mut forms: BTreeSet<String> = BTreeSet::new();
    if heard != query.trim() {
        forms.extend(code_piece(&heard, GRAM));
    }
    let is_apart = query.trim().contains(char::is_whitespace) && query.contains(|c: char| c.is_ascii_digit());
    let is_code = |c: char| c.is_alphanumeric() || c.is_whitespace() || is_dash(c) || matches!(c, '_' | '.');
    if is_apart && query.chars().all(is_code) {
        forms.extend(code_piece(query, GRAM));
    }
    forms.into_iter().collect()
}

fn spread(form: &str) -> Vec<i64> {
    let all: Vec<i64> = grams(form).collect();
    let step = all.len().div_ceil(GRAMS).max(1);
    let mut some: Vec<i64> = all.iter().step_by(step).chain(all.last()).copied().collect();
    some.sort_unstable();
    some.dedup();
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(query: &str) -> Vec<Vec<String>> {
        Needle::words(query, "KE").unwrap().words.into_iter().map(|word| word.person).collect()
    }

    fn as_codes(query: &str) -> (Vec<String>, Vec<String>) {
        let needle = Needle::words(query, "KE").unwrap();
        (needle.words.into_iter().flat_map(|word| word.code).collect(), needle.whole)
    }

    #[test]
    fn words_are_folded_and_looked_for_in_any_order() {
        assert_eq!(words(" ÖZIL  Jane%_ "), [["jane%_"], ["ozil"]]);
        assert_eq!(words("Jane.N@ex"), [["jane.n@ex"]]);
        assert_eq!(words("O’Neil, Jean-Paul"), [["jean paul"], ["oneil"]]);
        assert!(words("  ").is_empty() && words(" - ’ ").is_empty());
        assert_eq!(Needle::words("a\0b", "KE"), Err(TextError::Control));
    }

    #[test]
    fn a_number_is_looked_for_as_it_may_be_stored() {
        assert_eq!(words("0722 000"), [["0722 000", "0722000", "254722000"]]);
        assert_eq!(words("+254-722"), [["+254 722", "254722"]]);
        assert_eq!(words("00254722"), [["00254722", "254722"]]);
        assert_eq!(words("000"), [["000"]]);
        assert_eq!(words("42"), [["42"]]);
    }

    #[test]
    fn a_code_is_looked_for_with_and_without_its_separators() {
        let none: Vec<String> = Vec::new();
        assert_eq!(as_codes("R4M-KC"), (vec!["r4mkc".to_owned()], none.clone()));
        assert_eq!(as_codes("4m kc"), (vec!["4m".to_owned(), "kc".to_owned()], vec!["4mkc".to_owned()]));
        assert_eq!(as_codes("kilo seven mike").1, ["k7m"]);
        assert_eq!(as_codes("http://localhost/r/K7M-4XP").0, ["k7m4xp"]);
        assert_eq!(as_codes("jane.n@ex"), (none.clone(), none.clone()));
        assert_eq!(as_codes("KC22").0, ["kc22"]);
        assert_eq!(as_codes("“KC22”!").0, ["kc22"]);
        assert_eq!(as_codes("4321").0, ["4321"]);
    }

    #[test]
    fn only_words_of_three_characters_are_in_the_index() {
        let needle = Needle::words("jo smith", "KE").unwrap();
        let smith: Vec<i64> = grams("smith").collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(needle.grams(), [[smith.clone(), smith]]);
        assert!(Needle::words("jo", "KE").unwrap().grams().is_empty());
        let long = Needle::piece(&"abcdefghijklmnopqrstuvwxyz".repeat(4)).grams();
        assert!(long[0][0].len() <= GRAMS + 1, "{long:?}");
    }
}
