//! Looks a code up, forgivingly: as it is written, with look-alikes mended, or spelled out as heard. When
//! nothing fits, the closest active codes are named, out of a bounded number of candidates.

use super::near::{Near, closest};
use super::store::{self, Known};
use crate::db::{Conn, DbResult};
use crate::{code, pasted, spelling};

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

/// No code is longer, in any spelling; longer texts are not looked up.
const LONGEST: usize = 400;
/// The least that is looked for inside codes.
const PIECE: usize = 3;

/// Finds the code of a business that a text means.
pub async fn look_up(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Lookup> {
    if let Some((code, how)) = find(conn, business_id, text).await? {
        return Ok(Lookup::Found { code: Box::new(code), how });
    }
    if text.len() > LONGEST {
        return Ok(Lookup::NotFound { closest: Vec::new() });
    }
    let form = match pasted::of_link(text) {
        Some(linked) => code::lookup_form(&linked),
        None => code::lookup_form(&spelling::heard(text)),
    };
    Ok(Lookup::NotFound { closest: closest(conn, business_id, &form).await? })
}

/// The same without a look at what else could have been meant.
pub async fn find(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Option<(Known, How)>> {
    if text.len() > LONGEST {
        return Ok(None);
    }
    if let Some(linked) = pasted::of_link(text) {
        let found = read_as(conn, business_id, &code::lookup_form(&linked)).await?;
        return Ok(found.map(|(code, _)| (code, How::Exact)));
    }
    let form = code::lookup_form(text);
    let heard = code::lookup_form(&spelling::heard(text));
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
    let heard = code::lookup_form(&spelling::heard(text));
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

/// Codes with a piece that was typed or spelled, those that begin with it first, up to a number.
pub async fn with_piece(conn: &mut Conn, business_id: i64, text: &str, most: usize) -> DbResult<Vec<Known>> {
    let piece = code::searched(&spelling::heard(text));
    if piece.chars().count() < PIECE || text.len() > LONGEST || text.contains('@') {
        return Ok(Vec::new());
    }
    let mut found = store::with_pieces(conn, business_id, std::slice::from_ref(&piece)).await?;
    found.retain(|(_, search)| search.contains(&piece));
    found.sort_by(|(_, a), (_, b)| (!a.starts_with(&piece), a).cmp(&(!b.starts_with(&piece), b)));
    found.truncate(most);
    let ids: Vec<i64> = found.into_iter().map(|(id, _)| id).collect();
    let mut known = store::by_ids(conn, business_id, &ids).await?;
    known.sort_by_key(|code| ids.iter().position(|id| *id == code.id));
    Ok(known)
}
