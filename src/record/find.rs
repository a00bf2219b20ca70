//! The search of Record a referral: the exact code first, then people whose code, name, e-mail address, phone
//! number or company begins with the text; near misses of a code below.

use super::store::{self, EnrollmentOf, PersonLine};
use crate::code;
use crate::codes::{self, How, Known, Lookup, Part};
use crate::db::{Conn, DbResult};
use crate::referrers;
use crate::text::fold;

/// People shown at one time.
const SHOWN: usize = 8;

/// The searched text, and its scope.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub business_id: i64,
    /// The campaign whose code is shown for people in several campaigns.
    pub campaign_id: i64,
    pub country: &'a str,
    pub text: &'a str,
}

/// A found person, with the code to show beside them.
#[derive(Debug, Clone)]
pub struct Hit {
    pub person: PersonLine,
    /// The intended code: a claim made by it counts for it. `None` when the person was found otherwise.
    pub code_id: Option<i64>,
    /// The code's text in pieces; pieces that differ from the typed text are marked.
    pub code: Vec<Part>,
    /// Why a claim would not count: retired, paused, banned, archived.
    pub resting: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub near: Vec<Hit>,
    /// "Heard as K7M-4XP-D2CW."
    pub understood: String,
    /// There are more people than are shown.
    pub more: bool,
    /// Only the newest referrers were looked through.
    pub bounded: bool,
}

enum By {
    Code(Box<Known>, Vec<Part>),
    Name(i64),
}

/// Finds who may be meant.
pub async fn find(conn: &mut Conn, asked: Asked<'_>) -> DbResult<Found> {
    let text = asked.text.trim();
    let mut found = Found::default();
    if code::lookup_form(text).is_empty() || text.len() > 200 {
        return Ok(found);
    }
    let mut hits: Vec<By> = Vec::new();
    let mut near: Vec<By> = Vec::new();
    match codes::look_up(conn, asked.business_id, text).await? {
        Lookup::Found { code, how } => {
            found.understood = match how {
                How::Exact => String::new(),
                How::Repaired => format!("Read as {}: look-alike characters were mended.", code.text),
                How::Heard => format!("Heard as {}.", code.text),
            };
            let parts = plain(&code.text);
            hits.push(By::Code(code, parts));
        }
        Lookup::NotFound { closest } => {
            near.extend(closest.into_iter().map(|n| By::Code(Box::new(n.code), n.parts)));
        }
    }
    if hits.is_empty() {
        let most = i64::try_from(SHOWN).unwrap_or_default();
        for code in codes::beginning_with(conn, asked.business_id, text, most).await? {
            let parts = plain(&code.text);
            hits.push(By::Code(Box::new(code), parts));
        }
    }
    let words = referrers::asked(text, asked.country);
    let mut people = store::by_words(conn, asked.business_id, text, &words, SHOWN + 1).await?;
    if people.is_empty() && hits.is_empty() && fold(text).chars().count() >= 3 {
        let most = i64::try_from(SHOWN + 1).unwrap_or_default();
        (people, found.bounded) = store::by_piece(conn, asked.business_id, text, most).await?;
    }
    hits.extend(people.into_iter().map(By::Name));
    // A name that happens to be near a code is no misheard code.
    let like_a_code = text.contains(|c: char| c.is_ascii_digit()) || code::heard(text) != text;
    if !hits.is_empty() && !like_a_code {
        near.clear();
    }
    found.hits = lines(conn, asked, hits).await?;
    found.more = found.hits.len() > SHOWN;
    found.hits.truncate(SHOWN);
    let shown: Vec<i64> = found.hits.iter().filter_map(|h| h.code_id).collect();
    found.near = lines(conn, asked, near).await?;
    found.near.retain(|h| h.code_id.is_none_or(|id| !shown.contains(&id)));
    Ok(found)
}

fn plain(text: &str) -> Vec<Part> {
    vec![Part { text: text.to_owned(), differs: false }]
}

/// Loads the details of each person, once for each person and code.
async fn lines(conn: &mut Conn, asked: Asked<'_>, all: Vec<By>) -> DbResult<Vec<Hit>> {
    let ids: Vec<i64> = all
        .iter()
        .map(|by| match by {
            By::Code(code, _) => code.referrer_id,
            By::Name(id) => *id,
        })
        .collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let people = store::people(conn, asked.business_id, &ids).await?;
    let enrolled = store::enrollments_of(conn, asked.business_id, &ids).await?;
    let mut hits: Vec<Hit> = Vec::new();
    for (by, id) in all.into_iter().zip(ids) {
        let Some(person) = people.iter().find(|p| p.id == id) else { continue };
        match by {
            By::Code(code, parts) => {
                let resting = match (code.state.as_str(), code.archived, code.enrollment_state.as_str()) {
                    ("retired", ..) => Some("retired".to_owned()),
                    (_, true, _) => Some("archived".to_owned()),
                    (_, _, "active") => None,
                    (_, _, other) => Some(other.to_owned()),
                };
                hits.push(Hit { person: person.clone(), code_id: Some(code.id), code: parts, resting });
            }
            By::Name(id) if hits.iter().all(|h| h.person.id != id) => {
                let best = best(&enrolled, id, asked.campaign_id);
                hits.push(Hit {
                    person: person.clone(),
                    code_id: None,
                    code: best.and_then(|e| e.code.as_deref()).map(plain).unwrap_or_default(),
                    resting: best.map(|e| e.state.clone()).filter(|state| state != "active"),
                });
            }
            By::Name(_) => {}
        }
    }
    Ok(hits)
}

/// The enrollment whose code is shown: that of the current campaign, else the first active one.
pub fn best(enrolled: &[EnrollmentOf], referrer_id: i64, campaign_id: i64) -> Option<&EnrollmentOf> {
    let theirs = || enrolled.iter().filter(|e| e.referrer_id == referrer_id);
    theirs()
        .find(|e| e.campaign_id == campaign_id)
        .or_else(|| theirs().find(|e| e.state == "active" && e.campaign_state == "live"))
        .or_else(|| theirs().next())
}
