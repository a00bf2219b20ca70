//! The words by which people are found: each of name, company, e-mail address and phone number, by its
//! beginning. Both the stored and the searched forms are made here.

use std::collections::BTreeSet;

use crate::fold::{fold, is_apostrophe};
use crate::phone;

/// Longer words are cut: a search needs fewer letters.
const LONGEST: usize = 60;
/// Words of one person, at most.
const MOST: usize = 24;

/// A person's name and contact.
#[derive(Debug, Clone, Copy)]
pub struct Described<'d> {
    pub name: &'d str,
    pub company: Option<&'d str>,
    pub email: Option<&'d str>,
    pub phone: Option<&'d str>,
    pub phone_key: Option<&'d str>,
}

impl Described<'_> {
    /// The words to store, sorted, each once.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for text in [Some(self.name), self.company].into_iter().flatten() {
            words.extend(split(text));
            // O'Neil is found by "oneil" and by "neil".
            words.extend(split(&text.replace(is_apostrophe, " ")));
        }
        if let Some(email) = self.email {
            let email = fold(email);
            words.extend(split(email.split('@').next().unwrap_or_default()));
            words.push(cut(&email));
        }
        words.extend([self.phone, self.phone_key].into_iter().flatten().map(digits));
        words.truncate(MOST);
        let words: BTreeSet<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
        words.into_iter().collect()
    }

    /// The text a search by any piece looks at.
    #[must_use]
    pub fn search(&self) -> String {
        let all = [Some(self.name), self.email, self.phone, self.phone_key, self.company];
        fold(&all.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// The searched forms: for each typed word, the beginnings under which it may be stored.
#[must_use]
pub fn asked(query: &str, country: &str) -> Vec<Vec<String>> {
    // Digits of a full-width keyboard are digits.
    let dialled = digits(&fold(query));
    let is_number = dialled.len() >= 3 && query.chars().all(|c| !c.is_alphabetic() && c != '@');
    if is_number {
        let mut forms = vec![dialled.clone()];
        // Stored with the country's code, typed as it is dialled at home.
        forms.extend(phone::calling_code(country).map(|code| format!("{code}{}", dialled.trim_start_matches('0'))));
        forms.extend(dialled.strip_prefix("00").map(str::to_owned));
        return vec![forms];
    }
    // A hyphen of an address is a space in its folded form.
    let is_address = query.contains('@') && !query.trim().contains(char::is_whitespace);
    let query = fold(query);
    if is_address {
        return vec![vec![cut(&query)]];
    }
    let mut words: Vec<Vec<String>> = split(&query).map(|word| vec![word]).collect();
    // The longest word leaves the fewest people.
    words.sort_by_key(|forms| std::cmp::Reverse(forms[0].len()));
    words.truncate(5);
    words
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<String> = fold(text).split(|c: char| !c.is_alphanumeric()).map(cut).collect();
    words.into_iter().filter(|word| !word.is_empty())
}

fn cut(word: &str) -> String {
    word.chars().take(LONGEST).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_every_word() {
        let jane = Described {
            name: "Jane O’Njeri",
            company: Some("ACME Ltd"),
            email: Some("Jane.N@Example.com"),
            phone: Some("0722 000 001"),
            phone_key: Some("+254722000001"),
        };
        let words = jane.words();
        for word in ["jane", "njeri", "acme", "ltd", "jane.n@example.com", "0722000001", "254722000001"] {
            assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
        }
        assert!(words.is_sorted());
    }

    #[test]
    fn what_is_asked_for_is_folded_and_numbers_are_read_in_the_country() {
        assert_eq!(asked("Jane NJE", "KE"), [["jane"], ["nje"]]);
        assert_eq!(asked("Jane.N@ex", "KE"), [["jane.n@ex"]]);
        assert_eq!(asked(" jane-n@ex-a ", "KE"), [["jane n@ex a"]]);
        assert_eq!(asked("０７２２ 0", "KE"), [["07220", "2547220"]]);
        assert_eq!(asked("0722 0", "KE"), [["07220", "2547220"]]);
        assert_eq!(asked("+254 722", "KE")[0][0], "254722");
        assert!(asked(" - ", "KE").is_empty());
    }
}
