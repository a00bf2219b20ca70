//! Codes that may have been meant: a whole code with slips, or a piece of one that was misheard or misread. Each
//! says what differs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::store::{self, Known};
use crate::db::{Conn, DbResult};
use crate::sound::difference;
use crate::{code, misheard, spelling};

/// An active code close to the searched one.
#[derive(Debug, Clone)]
pub struct Near {
    pub code: Known,
    /// Its text, in equal and differing pieces.
    pub parts: Vec<Part>,
    pub distance: usize,
    /// The difference: "P, not B".
    pub differs: String,
}

/// A piece of a code's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub differs: bool,
}

/// The most near misses that are named.
const NAMED: usize = 5;
/// Candidates of one prefix, at most.
const CANDIDATES: i64 = 100;
/// Texts up to this length are also tried with every single slip mended.
const SLIPS_UP_TO: usize = 16;

/// Active codes a few slips away from a look-up form.
pub async fn closest(conn: &mut Conn, business_id: i64, form: &str) -> DbResult<Vec<Near>> {
    let length = form.chars().count();
    if length < 4 {
        return Ok(Vec::new());
    }
    let mut found: BTreeMap<i64, Known> = BTreeMap::new();
    if length <= SLIPS_UP_TO {
        let one_slip = store::active_among(conn, business_id, &slips(form)).await?;
        found.extend(one_slip.into_iter().map(|c| (c.id, c)));
    }
    let alike = store::active_repaired_from(conn, business_id, &code::repaired(form), CANDIDATES).await?;
    found.extend(alike.into_iter().map(|c| (c.id, c)));
    for shorter in (length / 2..length).rev() {
        let prefix: String = form.chars().take(shorter).collect();
        let sharing = store::active_from(conn, business_id, &prefix, CANDIDATES).await?;
        found.extend(sharing.into_iter().map(|c| (c.id, c)));
    }
    let most = (length / 3).clamp(1, 3);
    let part = store::with_pieces(conn, business_id, &misheard::parts(form)).await?;
    let wanted = code::searched(form);
    let part = part.into_iter().filter(|(_, search)| code::distance(&wanted, search) <= most);
    let part: Vec<i64> = part.map(|(id, _)| id).take(NAMED * 4).collect();
    let part = store::by_ids(conn, business_id, &part).await?;
    found.extend(part.into_iter().filter(|c| c.state == "active").map(|c| (c.id, c)));
    let mut near: Vec<Near> = found
        .into_values()
        .filter_map(|code| {
            let distance = code::distance(form, &code.lookup);
            let parts = differences(form, &code.text);
            let differs = difference(form, &code.lookup);
            (distance <= most).then_some(Near { code, parts, distance, differs })
        })
        .collect();
    near.sort_by(|a, b| (a.distance, &a.code.text).cmp(&(b.distance, &b.code.text)));
    near.truncate(NAMED);
    Ok(near)
}

/// Codes with a piece that sounds or looks like the typed or spelled one.
pub async fn misheard(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Vec<Near>> {
    let piece = code::lookup_form(&spelling::heard(text));
    let meant = misheard::misheard(&piece);
    let found = store::with_pieces(conn, business_id, &meant).await?;
    // The likeliest ones first.
    let folded: HashMap<String, usize> = meant.iter().enumerate().map(|(at, m)| (code::searched(m), at)).collect();
    let lengths: BTreeSet<usize> = folded.keys().map(String::len).collect();
    let ranked = found.into_iter().filter_map(|(id, search)| {
        let text = search.as_str();
        let windows = lengths.iter().flat_map(|length| (0..text.len()).map(move |at| at..at + length));
        let best = windows.filter_map(|window| folded.get(text.get(window)?)).min().copied()?;
        Some((best, search, id))
    });
    let mut ranked: Vec<(usize, String, i64)> = ranked.collect();
    ranked.sort();
    ranked.truncate(NAMED);
    let ids: Vec<i64> = ranked.iter().map(|(_, _, id)| *id).collect();
    let known = store::by_ids(conn, business_id, &ids).await?;
    let near = ranked.into_iter().filter_map(|(at, _, id)| {
        let code = known.iter().find(|code| code.id == id)?.clone();
        let (meant, differs) = (meant.get(at)?, difference(&piece, meant.get(at)?));
        Some(Near { parts: marked(&piece, meant, &code.text), code, distance: 1, differs })
    });
    Ok(near.collect())
}

/// A code's text in pieces; in the piece that was meant, what differs from the typed one is marked.
fn marked(typed: &str, meant: &str, text: &str) -> Vec<Part> {
    let shown: Vec<char> = text.chars().collect();
    // Signs between the groups are no part of a piece.
    let significant: Vec<usize> =
        (0..shown.len()).filter(|at| !code::lookup_form(&shown[*at].to_string()).is_empty()).collect();
    let form: Vec<String> = significant.iter().map(|at| code::lookup_form(&shown[*at].to_string())).collect();
    let length = meant.chars().count();
    let begins = (0..form.len()).find(|from| form[*from..].concat().starts_with(meant));
    let Some(from) = begins.and_then(|from| significant.get(from)) else { return differences(typed, text) };
    let to = begins.and_then(|from| significant.get(from + length - 1)).map_or(shown.len(), |at| at + 1);
    let plain = |chars: &[char]| Part { text: chars.iter().collect(), differs: false };
    let mut parts = vec![plain(&shown[..*from])];
    parts.extend(differences(typed, &shown[*from..to].iter().collect::<String>()));
    parts.push(plain(&shown[to..]));
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// Every text that one slip away was meant: a character dropped, added or wrong, or two swapped.
fn slips(form: &str) -> Vec<String> {
    const SYMBOLS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let chars: Vec<char> = form.chars().collect();
    let text = |chars: &[char]| chars.iter().collect::<String>();
    let mut all = Vec::new();
    for at in 0..=chars.len() {
        for symbol in SYMBOLS.chars() {
            let mut more = chars.clone();
            more.insert(at, symbol);
            all.push(text(&more));
            if at < chars.len() {
                let mut other = chars.clone();
                other[at] = symbol;
                all.push(text(&other));
            }
        }
        if at < chars.len() {
            let mut fewer = chars.clone();
            fewer.remove(at);
            all.push(text(&fewer));
        }
        if at + 1 < chars.len() {
            let mut swapped = chars.clone();
            swapped.swap(at, at + 1);
            all.push(text(&swapped));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A code's text in pieces; pieces that differ from the searched form are marked.
#[must_use]
fn differences(form: &str, text: &str) -> Vec<Part> {
    let asked: Vec<char> = form.chars().collect();
    let shown: Vec<char> = text.chars().collect();
    // Hyphens and dots are in the text but not in the form; each character folds on its own.
    let folded: Vec<String> = shown.iter().map(|c| code::lookup_form(&c.to_string())).collect();
    let same = |i: usize, j: usize| folded[j] == asked[i].to_string();
    // The longest common subsequence, from the end, so that it can be walked from the start.
    let mut longest = vec![vec![0_usize; shown.len() + 1]; asked.len() + 1];
    for i in (0..asked.len()).rev() {
        for j in (0..shown.len()).rev() {
            longest[i][j] =
                if same(i, j) { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut parts) = (0, Vec::<Part>::new());
    for (j, c) in shown.iter().enumerate() {
        while i < asked.len() && !same(i, j) && longest[i + 1][j] >= longest[i][j + 1] && longest[i + 1][j] > 0 {
            i += 1;
        }
        let common = i < asked.len() && same(i, j);
        i += usize::from(common);
        let differs = !common && !folded[j].is_empty();
        match parts.last_mut() {
            Some(part) if part.differs == differs => part.text.push(*c),
            _ => parts.push(Part { text: c.to_string(), differs }),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(form: &str, text: &str) -> String {
        let piece = |p: &Part| if p.differs { format!("[{}]", p.text) } else { p.text.clone() };
        differences(form, text).iter().map(piece).collect()
    }

    #[test]
    fn what_differs_is_marked() {
        assert_eq!(marked("K7M4XPD2CW", "K7M-4XP-D2CW"), "K7M-4XP-D2CW");
        assert_eq!(marked("K7M4XPD3CW", "K7M-4XP-D2CW"), "K7M-4XP-D[2]CW");
        assert_eq!(marked("7M4XPD2CW", "K7M-4XP-D2CW"), "[K]7M-4XP-D2CW");
        assert_eq!(marked("K7M4XPD2C", "K7M-4XP-D2CW"), "K7M-4XP-D2C[W]");
        assert_eq!(marked("AGENT12", "agent123"), "agent12[3]");
        assert_eq!(marked("", "AB"), "[AB]");
    }

    #[test]
    fn in_a_misheard_piece_what_differs_is_marked() {
        let shown = |typed: &str, meant: &str| {
            let piece = |p: &Part| if p.differs { format!("[{}]", p.text) } else { p.text.clone() };
            super::marked(typed, meant, "K7M-TPX-D2CW").iter().map(piece).collect::<String>()
        };
        assert_eq!(shown("NTP", "MTP"), "K7[M]-TPX-D2CW");
        assert_eq!(shown("BX", "PX"), "K7M-T[P]X-D2CW");
        assert_eq!(shown("KTP", "ZZZ"), "K[7M]-TP[X]-[D2CW]");
    }

    #[test]
    fn slips_reach_every_text_one_step_away() {
        let all = slips("AB1");
        for text in ["B1", "AB", "BA1", "A1B", "AB12", "XAB1", "AC1"] {
            assert!(all.iter().any(|s| s == text), "{text}");
        }
        assert!(all.iter().all(|s| code::distance("AB1", s) <= 1));
    }
}
