//! "Did you mean": names that differ from the typed ones by a letter or sound like them. The index keeps the
//! words of its rows by the keys that near words have in common; the words of waiting rows are compared one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::needle::Needle;
use super::store;
use super::{Ask, Kind, Scope};
use crate::db::{Conn, Db, DbResult, Listing};
use crate::fold::fold;
use crate::pasted;
use crate::sound::{difference, keys, nearness};

/// Letters of a word that is compared with others.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=24;
/// Words that a typed one may stand for, and words of a text that are compared, at most.
const MEANT: usize = 4;
const WORDS: usize = 4;
/// Rows of which the searches are read off that may have been meant, and how many searches are shown.
const LOOKED: usize = 100;
const SHOWN: usize = 3;
/// The newest waiting rows whose words are compared.
const WAITING: usize = 4_096;

/// Other words than the typed ones, to search for.
#[derive(Debug, Clone)]
pub struct Near {
    pub needle: Needle,
    typed: Vec<(String, Vec<String>)>,
}

impl Near {
    /// What a row's text has in place of the typed words: the words that may have been meant, and what differs.
    /// `None` when it has the typed ones.
    pub fn meant(&self, text: &str) -> Option<(String, String)> {
        let (mut meant, mut differs) = (Vec::new(), Vec::new());
        for (typed, near) in &self.typed {
            let has = |word: &&String| text.contains(word.as_str());
            match near.iter().find(has).filter(|_| !text.contains(typed)) {
                Some(word) => {
                    meant.push(word.clone());
                    differs.push(difference(typed, word));
                }
                None => meant.push(typed.clone()),
            }
        }
        (!differs.is_empty()).then(|| (meant.join(" "), differs.join("; ")))
    }
}

/// The words of a text that are compared: letters only.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| word.chars().all(char::is_alphabetic) && LETTERS.contains(&word.chars().count());
    text.split(' ').filter(is_name)
}

/// The search for what may have been meant, if there is anything near to a typed word.
pub async fn near(conn: &mut Conn, scopes: &[Scope], query: &str) -> DbResult<Option<Near>> {
    if pasted::of_link(query).is_some() || query.contains(|c: char| c == '@' || c.is_control()) {
        return Ok(None);
    }
    let folded = fold(query);
    let typed: BTreeSet<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    if typed.is_empty() || typed.len() > WORDS {
        return Ok(None);
    }
    let scopes: Vec<Scope> = scopes.iter().copied().filter(|scope| scope.kind() != Kind::Code).collect();
    let waiting = waiting(conn, &scopes).await?;
    let mut forms = Vec::new();
    for word in typed {
        let near = if words(word).next().is_some() { near_words(conn, &scopes, word, &waiting).await? } else { vec![] };
        forms.push((word.to_owned(), near));
    }
    if forms.iter().all(|(_, near)| near.is_empty()) {
        return Ok(None);
    }
    // One word alone was looked for as it is.
    let alone = forms.len() == 1;
    let any = |(typed, near): &(String, Vec<String>)| {
        let typed = std::iter::once(typed).filter(|_| !alone);
        typed.chain(near).cloned().collect()
    };
    Ok(Some(Near { needle: Needle::any_of(forms.iter().map(any).collect()), typed: forms }))
}

crate::row! {
    struct TextRow {
        text: String,
    }
}

/// The searches that find something in a list, whose one column is `text`: most found first, with what differs.
pub async fn meant(db: &Db, list: Listing, scope: Scope, near: &Near) -> DbResult<Vec<(String, String)>> {
    let found = super::page::<TextRow>(db, list, &[scope], &near.needle, Ask::page(LOOKED)).await?;
    let mut counted: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in found.rows {
        if let Some(meant) = near.meant(&row.text) {
            *counted.entry(meant).or_default() += 1;
        }
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    counted.truncate(SHOWN);
    Ok(counted.into_iter().map(|(meant, _)| meant).collect())
}

/// The words of the newest waiting rows.
async fn waiting(conn: &mut Conn, scopes: &[Scope]) -> DbResult<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for scope in scopes {
        let ids = store::newest_waiting(conn, scope.number(), WAITING).await?;
        for doc in store::docs(conn, scope.kind(), &ids).await? {
            all.extend(words(&doc.text).map(str::to_owned));
        }
    }
    Ok(all)
}

async fn near_words(
    conn: &mut Conn,
    scopes: &[Scope],
    word: &str,
    waiting: &BTreeSet<String>,
) -> DbResult<Vec<String>> {
    let mut found = store::words_with(conn, scopes, &keys(word)).await?;
    found.extend(waiting.iter().cloned());
    // What contains the typed word was found by it.
    let near = found.into_iter().filter(|other| !other.contains(word));
    let mut near: Vec<(usize, String)> = near.filter_map(|other| Some((nearness(word, &other)?, other))).collect();
    near.sort();
    near.dedup();
    near.truncate(MEANT);
    Ok(near.into_iter().map(|(_, other)| other).collect())
}
