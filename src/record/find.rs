//! The search of Record a referral: the exact code first, then people one of whose words begins with the text, then
//! those who have it anywhere in their code, name, e-mail address, phone number or company. Below them come those
//! who may have been meant, each with what differs.

use std::collections::BTreeSet;

use super::store::{self, EnrollmentOf, PersonLine};
use crate::codes::{self, How, Known, Lookup, Near, Part};
use crate::db::{Conn, Db, DbResult};
use crate::fold::fold;
use crate::referrers::{self, rows};
use crate::search::{self, Ask, Needle, Scope};
use crate::{code, spelling};

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
    /// For one who may have been meant: what differs.
    pub differs: String,
}

#[derive(Debug, Clone, Default)]
pub struct Found {
    pub hits: Vec<Hit>,
    pub near: Vec<Hit>,
    /// "Heard as K7M-4XP-D2CW."
    pub understood: String,
    /// There are more people than are shown.
    pub more: bool,
    /// The text is a whole code.
    pub exact: bool,
    /// The number of referrers that were looked through, where not all were.
    pub looked: Option<usize>,
}

impl Found {
    /// The one who is meant without doubt.
    pub fn only(&self) -> Option<&Hit> {
        let is_one = self.exact || (self.hits.len() == 1 && !self.more && self.looked.is_none());
        self.hits.first().filter(|_| is_one)
    }
}

enum By {
    Code(Box<Known>, Vec<Part>, String),
    Name(i64, String),
}

impl By {
    fn near(near: Near) -> Self {
        Self::Code(Box::new(near.code), near.parts, near.differs)
    }
}

/// Finds who may be meant.
pub async fn find(db: &Db, asked: Asked<'_>) -> DbResult<Found> {
    let text = asked.text.trim();
    let mut found = Found::default();
    if code::lookup_form(text).is_empty() || text.len() > 400 {
        return Ok(found);
    }
    let mut conn = db.read().await?;
    let (mut hits, mut near): (Vec<By>, Vec<By>) = (Vec::new(), Vec::new());
    match codes::look_up(&mut conn, asked.business_id, text).await? {
        Lookup::Found { code, how } => {
            found.exact = true;
            found.understood = match how {
                How::Exact => String::new(),
                How::Repaired => format!("Read as {}: look-alike characters were mended.", code.text),
                How::Heard => format!("Heard as {}.", code.text),
            };
            let parts = plain(&code.text);
            hits.push(By::Code(code, parts, String::new()));
        }
        Lookup::NotFound { closest } => near.extend(closest.into_iter().map(By::near)),
    }
    if hits.is_empty() {
        for code in pieces(&mut conn, asked.business_id, text).await? {
            let parts = plain(&code.text);
            hits.push(By::Code(Box::new(code), parts, String::new()));
        }
    }
    let words = referrers::asked(text, asked.country);
    let begins = store::by_words(&mut conn, asked.business_id, text, &words, SHOWN + 1).await?;
    drop(conn);
    let has_more = begins.len() > SHOWN;
    hits.extend(begins.into_iter().map(|id| By::Name(id, String::new())));
    if !found.exact && !has_more {
        let needle = Needle::words(text, asked.country).unwrap_or_default();
        let (people, looked) = anywhere(db, asked.business_id, &needle).await?;
        found.looked = looked;
        hits.extend(people.into_iter().map(|row| By::Name(row.id, String::new())));
    }
    // A name that happens to be near a code is no misheard code.
    let like_a_code = text.contains(|c: char| c.is_ascii_digit()) || spelling::heard(text) != text;
    if !hits.is_empty() && !like_a_code {
        near.clear();
    }
    found.hits = lines(&mut db.read().await?, asked, hits).await?;
    found.more = found.hits.len() > SHOWN;
    found.hits.truncate(SHOWN);
    if !found.exact && !found.more {
        near.extend(may_be_meant(db, asked, text, found.hits.is_empty()).await?);
    }
    found.near = lines(&mut db.read().await?, asked, near).await?;
    let shown: Vec<(i64, Option<i64>)> = found.hits.iter().map(|h| (h.person.id, h.code_id)).collect();
    found.near.retain(|h| {
        shown.iter().all(|(person, code)| *person != h.person.id && (h.code_id.is_none() || *code != h.code_id))
    });
    found.near.truncate(SHOWN);
    Ok(found)
}

/// Codes that have the text as a piece: at the beginning first.
async fn pieces(conn: &mut Conn, business_id: i64, text: &str) -> DbResult<Vec<Known>> {
    let mut found =
        codes::beginning_with(conn, business_id, text, i64::try_from(SHOWN + 1).unwrap_or_default()).await?;
    for code in codes::with_piece(conn, business_id, text, SHOWN + 1).await? {
        if found.iter().all(|other| other.id != code.id) {
            found.push(code);
        }
    }
    Ok(found)
}

/// People who have all of it somewhere, newest first, and the number of them that were looked at, where not all were.
async fn anywhere(db: &Db, business_id: i64, needle: &Needle) -> DbResult<(Vec<rows::ReferrerRow>, Option<usize>)> {
    if needle.is_empty() {
        return Ok((Vec::new(), None));
    }
    let list = rows::listing(business_id, &rows::Filter { needle: needle.clone(), ..Default::default() });
    let found = search::page(db, list, &[Scope::referrers(business_id)], needle, Ask::page(SHOWN + 1)).await?;
    Ok((found.rows, found.looked))
}

/// Codes with a piece that sounds like it, where `nobody` was found, and people whose names are near.
async fn may_be_meant(db: &Db, asked: Asked<'_>, text: &str, nobody: bool) -> DbResult<Vec<By>> {
    let mut conn = db.read().await?;
    let mut near = Vec::new();
    if nobody {
        near.extend(codes::misheard(&mut conn, asked.business_id, text).await?.into_iter().map(By::near));
    }
    let names = search::near(&mut conn, &[Scope::referrers(asked.business_id)], text).await?;
    drop(conn);
    let Some(names) = names else { return Ok(near) };
    let (people, _) = anywhere(db, asked.business_id, &names.needle).await?;
    near.extend(people.into_iter().filter_map(|row| {
        let all = [Some(&row.name), row.company.as_ref(), row.email.as_ref()];
        let text = fold(&all.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "));
        let (_, differs) = names.meant(&text)?;
        Some(By::Name(row.id, differs))
    }));
    Ok(near)
}

/// One who may be meant, in the campaign that was asked for.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub enrollment_id: i64,
    /// The code that was named.
    pub code_id: Option<i64>,
    pub code: String,
    pub name: String,
    pub differs: String,
}

/// The most of them that are offered.
const OFFERED: usize = 5;

/// The active referrers of a campaign who may be meant: by the whole text, else by one of its names.
pub async fn candidates(db: &Db, asked: Asked<'_>) -> DbResult<Vec<Candidate>> {
    let mut found = find(db, asked).await?;
    if found.hits.is_empty() && found.near.is_empty() {
        // "Jane from the gym": what is written large is a name.
        let is_name = |word: &&str| word.chars().count() >= 3 && word.chars().next().is_some_and(char::is_uppercase);
        for text in asked.text.split_whitespace().filter(is_name).take(2) {
            let more = find(db, Asked { text, ..asked }).await?;
            found.hits.extend(more.hits);
            found.near.extend(more.near);
        }
    }
    let hits: Vec<Hit> = found.hits.into_iter().chain(found.near).collect();
    let ids: Vec<i64> = hits.iter().map(|hit| hit.person.id).collect::<BTreeSet<_>>().into_iter().collect();
    let enrolled = store::enrollments_of(&mut db.read().await?, asked.business_id, &ids).await?;
    let mut seen = BTreeSet::new();
    let candidate = |hit: Hit| {
        let theirs = enrolled.iter().filter(|e| e.referrer_id == hit.person.id && e.state == "active");
        let here = theirs.filter(|e| e.campaign_id == asked.campaign_id).find(|e| seen.insert(e.id))?;
        let code = here.code.clone().unwrap_or_default();
        let named: String = hit.code.iter().map(|part| part.text.as_str()).collect();
        Some(Candidate {
            enrollment_id: here.id,
            code_id: hit.code_id.filter(|_| named == code),
            code,
            name: hit.person.name,
            differs: hit.differs,
        })
    };
    Ok(hits.into_iter().filter_map(candidate).take(OFFERED).collect())
}

fn plain(text: &str) -> Vec<Part> {
    vec![Part { text: text.to_owned(), differs: false }]
}

/// Loads the details of each person, once for each person and code.
async fn lines(conn: &mut Conn, asked: Asked<'_>, all: Vec<By>) -> DbResult<Vec<Hit>> {
    let ids: Vec<i64> = all
        .iter()
        .map(|by| match by {
            By::Code(code, ..) => code.referrer_id,
            By::Name(id, _) => *id,
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
            By::Code(code, parts, differs) => {
                let resting = match (code.state.as_str(), code.archived, code.enrollment_state.as_str()) {
                    ("retired", ..) => Some("retired".to_owned()),
                    (_, true, _) => Some("archived".to_owned()),
                    (_, _, "active") => None,
                    (_, _, other) => Some(other.to_owned()),
                };
                hits.push(Hit { person: person.clone(), code_id: Some(code.id), code: parts, resting, differs });
            }
            By::Name(id, differs) if hits.iter().all(|h| h.person.id != id) => {
                let best = best(&enrolled, id, asked.campaign_id);
                hits.push(Hit {
                    person: person.clone(),
                    code_id: None,
                    code: best.and_then(|e| e.code.as_deref()).map(plain).unwrap_or_default(),
                    resting: best.map(|e| e.state.clone()).filter(|state| state != "active"),
                    differs,
                });
            }
            By::Name(..) => {}
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
