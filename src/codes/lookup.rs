//! Looks a code up, forgivingly: as it is written, with look-alikes mended, or spelled out as heard. When
//! nothing fits, the closest active codes are named, out of a bounded number of candidates.

use std::collections::BTreeMap;

use super::store::{self, Known};
use crate::code;
use crate::db::{Conn, DbResult};

/// The way from a text to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Exact,
    /// Look-alikes were mended: O for 0, I for 1.
    Repaired,
    /// It was spelled out: "kilo seven mike".
    Heard,
}

#[derive(Debug, Clone)]
pub enum Lookup {
    Found { code: Box<Known>, how: How },
    NotFound { closest: Vec<Near> },
}

/// An active code close to the searched one.
#[derive(Debug, Clone)]
pub struct Near {
    pub code: Known,
    /// Its text, in equal and differing pieces.
    pub parts: Vec<Part>,
    pub distance: usize,
}

/// A piece of a code's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub differs: bool,
}

/// No code is longer, in any spelling; longer texts are not looked up.
const LONGEST: usize = 400;
/// The most near misses that are named.
const NAMED: usize = 5;
/// Candidates of one prefix, at most.
const CANDIDATES: i64 = 100;
/// Texts up to this length are also tried with every single slip mended.
const SLIPS_UP_TO: usize = 16;

/// Finds the code of a business that a text means.
pub async fn look_up(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Lookup> {
    if let Some((code, how)) = find(conn, business_id, text).await? {
        return Ok(Lookup::Found { code: Box::new(code), how });
    }
    if text.len() > LONGEST {
        return Ok(Lookup::NotFound { closest: Vec::new() });
    }
    let heard = code::lookup_form(&code::heard(text));
    Ok(Lookup::NotFound { closest: closest(conn, business_id, &heard).await? })
}

/// The same without a look at what else could have been meant.
pub async fn find(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Option<(Known, How)>> {
    if text.len() > LONGEST {
        return Ok(None);
    }
    let form = code::lookup_form(text);
    let heard = code::lookup_form(&code::heard(text));
    if let Some((code, repaired)) = read_as(conn, business_id, &form).await? {
        let how = if repaired { How::Repaired } else { How::Exact };
        return Ok(Some((code, how)));
    }
    if heard == form {
        return Ok(None);
    }
    Ok(read_as(conn, business_id, &heard).await?.map(|(code, _)| (code, How::Heard)))
}

/// The code a look-up form is, and whether look-alikes had to be mended for it.
async fn read_as(conn: &mut Conn, business_id: i64, form: &str) -> DbResult<Option<(Known, bool)>> {
    if form.is_empty() {
        return Ok(None);
    }
    if let Some(code) = store::by_lookup(conn, business_id, form).await? {
        return Ok(Some((code, false)));
    }
    let repaired = code::repaired(form);
    if !code::is_generated_form(&repaired) {
        return Ok(None);
    }
    Ok(store::generated_by_repaired(conn, business_id, &repaired).await?.map(|code| (code, true)))
}

/// The active codes that begin with the typed or heard text: half a code is enough to find a referrer.
pub async fn beginning_with(conn: &mut Conn, business_id: i64, text: &str, most: i64) -> DbResult<Vec<Known>> {
    if text.len() > LONGEST {
        return Ok(Vec::new());
    }
    let typed = code::lookup_form(text);
    let heard = code::lookup_form(&code::heard(text));
    if heard.chars().count() < 2 {
        return Ok(Vec::new());
    }
    let mut found = store::active_from(conn, business_id, &heard, most).await?;
    // Look-alikes are mended only in texts that are clearly a code: "jane" should not find 74N3.
    if found.is_empty() && (heard != typed || heard.contains(|c: char| c.is_ascii_digit())) {
        found = store::active_repaired_from(conn, business_id, &code::repaired(&heard), most).await?;
    }
    Ok(found)
}

async fn closest(conn: &mut Conn, business_id: i64, form: &str) -> DbResult<Vec<Near>> {
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
    let mut near: Vec<Near> = found
        .into_values()
        .filter_map(|code| {
            let distance = code::distance(form, &code.lookup);
            (distance <= most).then(|| Near { parts: differences(form, &code.text), code, distance })
        })
        .collect();
    near.sort_by(|a, b| (a.distance, &a.code.text).cmp(&(b.distance, &b.code.text)));
    near.truncate(NAMED);
    Ok(near)
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
pub fn differences(form: &str, text: &str) -> Vec<Part> {
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
    fn slips_reach_every_text_one_step_away() {
        let all = slips("AB1");
        for text in ["B1", "AB", "BA1", "A1B", "AB12", "XAB1", "AC1"] {
            assert!(all.iter().any(|s| s == text), "{text}");
        }
        assert!(all.iter().all(|s| code::distance("AB1", s) <= 1));
    }
}
