//! One action on many referrers: the selected ones, or all that a list's filters match.

use std::sync::Arc;

use super::list::of;
use crate::codes::{self, Generated};
use crate::db::DbResult;
use crate::query::ListQuery;
use crate::referrers::{self, Decided, Enrolled, State, store};
use crate::remarks::Subject;
use crate::remarks::pages::Tagging;
use crate::shell::Page;
use crate::text::counted;
use crate::web::{Fault, Flash, Form, PageResult};

/// Referrers that one go takes, at most.
pub(super) const MOST: i64 = 1_000;

/// The actions on many referrers at once.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Generate,
    Set(State),
    /// The campaign to enroll in, with a code.
    Enroll(i64),
    Restore,
}

/// What one of them came to.
enum Came {
    Changed,
    Already,
    /// Why not.
    Refused(String),
}

pub(super) async fn bulk(page: Page, form: Form) -> PageResult {
    let back = form.back("/referrers").to_owned();
    let tagging = Tagging::asked(&form);
    let deed = match form.value("do") {
        "generate" => Some(Deed::Generate),
        "pause" => Some(Deed::Set(State::Paused)),
        "resume" => Some(Deed::Set(State::Active)),
        "restore" => Some(Deed::Restore),
        "enroll" => form.value("into").parse().ok().filter(|id| page.has_campaign(*id)).map(Deed::Enroll),
        _ => None,
    };
    if tagging.is_none() && deed.is_none() {
        return Err(Fault::Bad("That is nothing that can be done to referrers.".into()));
    }
    let chosen = chosen(&page, &form, &back).await?;
    if chosen.is_empty() {
        return page.go(&back, Flash::info("No referrer was selected.")).await;
    }
    if let Some(tagging) = tagging {
        let people: Vec<i64> = chosen.iter().map(|(_, referrer)| *referrer).collect();
        let flash = tagging.done(&page, Subject::Referrer, &people).await?;
        return page.go(&back, flash).await;
    }
    let Some(deed) = deed else { return Err(Fault::NotFound) };
    // One after the other: a form that is sent again tells its writes by their order.
    let mut all = Vec::with_capacity(chosen.len());
    for who in chosen {
        all.push(one(&page, deed, who).await?);
    }
    page.go(&back, said(deed, &all)).await
}

/// Those who are meant: (enrollment, referrer).
async fn chosen(page: &Page, form: &Form, back: &str) -> Result<Vec<(i64, i64)>, Fault> {
    if form.value("scope") == "all" {
        let address = back.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or(query));
        let query = ListQuery::new("/referrers", address, &store::KNOWN);
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let ids = store::ids(&page.app.db, of(page), &query, most + 1).await?;
        if ids.len() > most {
            return Err(Fault::Bad(format!("More than {} referrers match. Narrow the filters.", counted(MOST))));
        }
        return Ok(ids);
    }
    let mut ids: Vec<i64> = form.all("id").filter_map(|id| id.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    let own = store::people_of(&mut page.read().await?, page.member.business_id, &ids).await?;
    if own.len() < ids.len() { Err(Fault::NotFound) } else { Ok(own) }
}

async fn one(page: &Page, deed: Deed, (enrollment, referrer): (i64, i64)) -> DbResult<Came> {
    let (actor, business) = (Arc::new(page.member.actor()), page.member.business_id);
    let gone = || Came::Refused("is gone".into());
    Ok(match deed {
        Deed::Generate => match codes::generate_one(&page.app, &actor, business, enrollment).await? {
            Generated::Made { .. } => Came::Changed,
            Generated::Had { .. } => Came::Already,
            Generated::NotActive { name, state } => Came::Refused(format!("{name} is {state}")),
            Generated::NotFound => gone(),
        },
        Deed::Set(to) => {
            let known = store::enrollment_by_id(&mut page.app.db.read().await?, business, enrollment).await?;
            // Lifting a ban lets money go, so each is decided on its own page.
            match known.filter(|known| known.state == State::Banned.word()) {
                Some(known) => Came::Refused(format!("{} is banned", known.name)),
                None => match referrers::decide(&page.app, &actor, business, enrollment, to, None).await? {
                    Decided::Done { .. } => Came::Changed,
                    Decided::Already { .. } => Came::Already,
                    Decided::NotFound => gone(),
                },
            }
        }
        Deed::Enroll(campaign) => {
            match referrers::enroll(&page.app, &actor, business, referrer, campaign, true).await? {
                Enrolled::Done { .. } => Came::Changed,
                Enrolled::Already => Came::Already,
                Enrolled::Archived => Came::Refused("an archived referrer is restored first".into()),
                Enrolled::NotFound => gone(),
            }
        }
        Deed::Restore => match referrers::archive(&page.app, &actor, business, referrer, false).await? {
            Some(true) => Came::Changed,
            Some(false) => Came::Already,
            None => gone(),
        },
    })
}

/// "1 referrer", "12 referrers".
fn many(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", counted(i64::try_from(n).unwrap_or(i64::MAX)), if n == 1 { one } else { more })
}

fn said(deed: Deed, all: &[Came]) -> Flash {
    let changed = all.iter().filter(|came| matches!(came, Came::Changed)).count();
    let already = all.iter().filter(|came| matches!(came, Came::Already)).count();
    let refused: Vec<&str> =
        all.iter().filter_map(|came| if let Came::Refused(why) = came { Some(why.as_str()) } else { None }).collect();
    let mut words = match deed {
        Deed::Generate => format!("{} generated. No e-mail was sent.", many(changed, "code was", "codes were")),
        Deed::Set(to) => format!("{} {} now.", many(changed, "referrer is", "referrers are"), to.word()),
        Deed::Enroll(_) => format!("{} enrolled, each with a code.", many(changed, "referrer was", "referrers were")),
        Deed::Restore => format!("{} restored.", many(changed, "referrer was", "referrers were")),
    };
    if already > 0 {
        words.push_str(&format!(" Nothing to do for {}.", many(already, "of them", "of them")));
    }
    if let Some(why) = refused.first() {
        words.push_str(&format!(" {} left alone: {why}.", many(refused.len(), "was", "were")));
    }
    if changed > 0 { Flash::good(words) } else { Flash::info(words) }
}
