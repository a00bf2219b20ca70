//! Decides the target of a link, and whether its code is passed on.

use super::address;
use super::clicks::Click;
use super::store::{self, LinkRow};
use crate::clock::{Instant, Zone};
use crate::code;
use crate::db::{Conn, DbResult};
use crate::text;

/// The parts of a link's path.
#[derive(Debug, Clone)]
pub struct LinkPath {
    /// The campaign, where the path names one.
    pub campaign_id: Option<i64>,
    pub code: String,
}

/// The target of a followed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The page of the campaign; empty when none is set, or when the campaign is unknown.
    pub destination: String,
    /// The referrer; `None` for a code that is unknown or attributes no lead at present.
    pub refers: Option<Refers>,
    /// The click to count for a person.
    pub click: Option<Click>,
}

/// A code that may attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refers {
    /// In the spelling that is active now.
    pub code: String,
    pub business: String,
    /// The referrer's name as the public may see it.
    pub referrer: String,
    /// The words of the campaign for customers; empty for none.
    pub offer: String,
    /// Days for which the visitor's browser keeps it.
    pub days: i64,
    /// True when the visitor's earlier code stays.
    pub keeps_earlier: bool,
}

/// No code is longer, in any spelling.
const LONGEST: usize = 400;

/// Looks a link's code up. `earlier` is the code of a link that the visitor followed before.
pub async fn follow(conn: &mut Conn, now: Instant, path: &LinkPath, earlier: Option<&str>) -> DbResult<Followed> {
    let named = match path.campaign_id {
        Some(id) => store::campaign(conn, id).await?,
        None => None,
    };
    let business = named.as_ref().map(|n| n.business_id);
    // An unknown campaign makes the link unknown, whatever its code.
    let sought =
        if path.campaign_id.is_some() == named.is_some() { find(conn, business, &path.code).await? } else { None };
    let Some(row) = sought else {
        let home = if named.is_some() { named } else { store::only_default(conn).await? };
        let destination = home.map(|n| n.destination).unwrap_or_default();
        return Ok(Followed { destination, refers: None, click: None });
    };
    let mut refers = None;
    if attributes(&row) {
        let keeps_earlier = match earlier {
            Some(earlier) => came_first(conn, &row, earlier).await?,
            None => false,
        };
        let code = current(conn, &row).await?.text;
        let (business, offer) = (row.business.clone(), row.offer.clone());
        let referrer = text::masked(&row.referrer);
        refers = Some(Refers { code, business, referrer, offer, days: row.link_days, keeps_earlier });
    }
    Ok(Followed { click: click(now, &row), destination: row.destination, refers })
}

/// The address in the QR code of a link: of the text that is active now. `None` for a code that is unknown or
/// retired.
pub async fn qr_address(conn: &mut Conn, public_url: &str, path: &LinkPath) -> DbResult<Option<(String, String)>> {
    let business = match path.campaign_id {
        Some(id) => match store::campaign(conn, id).await? {
            Some(named) => Some(named.business_id),
            None => return Ok(None),
        },
        None => None,
    };
    let Some(row) = find(conn, business, &path.code).await?.filter(|row| row.state != "retired") else {
        return Ok(None);
    };
    let row = current(conn, &row).await?;
    Ok(Some((address(public_url, row.campaign_id, &row.text, row.elder), row.text)))
}

/// The code that a text means, of one business or of all: as written, or with look-alikes mended.
async fn find(conn: &mut Conn, business_id: Option<i64>, text: &str) -> DbResult<Option<LinkRow>> {
    if text.len() > LONGEST || text.contains(char::is_control) {
        return Ok(None);
    }
    let form = code::lookup_form(text);
    if form.is_empty() {
        return Ok(None);
    }
    let found = store::by_lookup(conn, business_id, &form).await?;
    let repaired = code::repaired(&form);
    match found {
        None if code::is_generated_form(&repaired) => store::by_repaired(conn, business_id, &repaired).await,
        found => Ok(found),
    }
}

/// True when a lead that brings the code may be attributed. A draft's link carries its code too, so that a
/// customer's way can be tried before the campaign is live.
fn attributes(row: &LinkRow) -> bool {
    row.state != "retired"
        && row.enrollment_state == "active"
        && !row.archived
        && matches!(row.campaign_state.as_str(), "live" | "draft")
}

/// The code that replaced this one, if it was renamed.
async fn current(conn: &mut Conn, row: &LinkRow) -> DbResult<LinkRow> {
    let active = if row.state == "alias" { store::active(conn, row.enrollment_id).await? } else { None };
    Ok(active.unwrap_or_else(|| row.clone()))
}

/// First touch wins: a later link never replaces a code of the same campaign that still attributes.
async fn came_first(conn: &mut Conn, row: &LinkRow, earlier: &str) -> DbResult<bool> {
    let found = find(conn, Some(row.business_id), earlier).await?;
    Ok(found
        .is_some_and(|e| e.campaign_id == row.campaign_id && e.enrollment_id != row.enrollment_id && attributes(&e)))
}

/// Clicks count for the code in the link, also when it rests: a poster that still brings people is worth
/// knowing of. A draft counts nothing.
fn click(now: Instant, row: &LinkRow) -> Option<Click> {
    let zone = Zone::parse(&row.timezone).unwrap_or_default();
    (row.campaign_state != "draft").then(|| Click {
        code_id: row.id,
        campaign_id: row.campaign_id,
        day: zone.day_of(now).to_string(),
    })
}
