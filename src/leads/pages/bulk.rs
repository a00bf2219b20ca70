//! One decision about many leads: the selected ones, or all that a list's filters match.

use axum::http::StatusCode;

use super::list::{MOST, filter_of};
use crate::commissions::pages::{Ask, Preview, preview};
use crate::engine::{Archive, Change, Decided, Outcome, Qualify, Rejected, SetStatus, Status, What};
use crate::leads::filter::KNOWN;
use crate::leads::store::list as store;
use crate::query::ListQuery;
use crate::remarks::Subject;
use crate::remarks::pages::Tagging;
use crate::shell::Page;
use crate::text::counted;
use crate::web::{Fault, Flash, Form, PageResult};

/// The actions on many leads at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Qualify(bool),
    Set(Status),
    Archive(bool),
}

impl Deed {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "qualify" => Self::Qualify(true),
            "unqualify" => Self::Qualify(false),
            "archive" => Self::Archive(true),
            "restore" => Self::Archive(false),
            word => Self::Set(Status::parse(word)?),
        })
    }

    fn what(self, lead_id: i64) -> What {
        let lead_id = lead_id.into();
        match self {
            Self::Qualify(qualified) => Qualify { lead_id, qualified, reason: None }.into(),
            Self::Set(status) => SetStatus { lead_id, status }.into(),
            Self::Archive(archived) => Archive { lead_id, archived }.into(),
        }
    }

    fn verb(self) -> String {
        match self {
            Self::Qualify(true) => "Qualify".into(),
            Self::Qualify(false) => "Un-qualify".into(),
            Self::Archive(true) => "Archive".into(),
            Self::Archive(false) => "Restore".into(),
            Self::Set(status) => format!("Mark {}", status.word()),
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Qualify(true) => "qualified",
            Self::Qualify(false) => "un-qualified",
            Self::Archive(true) => "archived",
            Self::Archive(false) => "restored",
            Self::Set(status) => status.word(),
        }
    }

    fn undo(self) -> Option<&'static str> {
        match self {
            Self::Qualify(true) => Some("unqualify"),
            Self::Qualify(false) => Some("qualify"),
            Self::Archive(true) => Some("restore"),
            Self::Archive(false) => Some("archive"),
            Self::Set(_) => None,
        }
    }
}

/// More than this is confirmed first, and has no undo.
const FEW: usize = crate::db::PAGE;

pub(super) async fn bulk(page: Page, form: Form) -> PageResult {
    if let Some(tagging) = Tagging::asked(&form) {
        let back = form.back("/leads").to_owned();
        let ids = chosen(&page, &form, &back).await?;
        let flash = tagging.done(&page, Subject::Lead, &ids).await?;
        return page.go(&back, flash).await;
    }
    let Some(deed) = Deed::parse(form.value("do")) else {
        return Err(Fault::Bad("That is nothing that can be done to leads.".into()));
    };
    let back = form.back("/leads").to_owned();
    let ids = chosen(&page, &form, &back).await?;
    if ids.is_empty() {
        return page.go(&back, Flash::info("Nothing was selected.")).await;
    }
    let events: Vec<_> = ids.iter().map(|id| page.event(deed.what(*id))).collect();
    if let Some(asked) = ask(&page, &form, deed, &ids, &events, &back).await? {
        return asked.answer(StatusCode::OK);
    }
    let outcomes = match page.app.engine.slice_so_far(events).await {
        Ok(outcomes) => outcomes,
        Err(halted) if halted.done.is_empty() => return Err(halted.error.into()),
        Err(halted) => {
            let said = Tally::of(&halted.done).said(deed);
            return Err(Fault::partly(halted.error, &said, ids.len() - halted.done.len()));
        }
    };
    page.go(&back, said(deed, &ids, &outcomes, &back)).await
}

/// The leads that are meant: the boxes, or everything the list's own filters match.
async fn chosen(page: &Page, form: &Form, back: &str) -> Result<Vec<i64>, Fault> {
    if form.value("scope") == "all" {
        let query =
            ListQuery::new("/leads", back.split_once('?').map(|(_, q)| q.split('#').next().unwrap_or(q)), &KNOWN);
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let ids = store::ids(&page.app.db, &filter_of(page, &query), most + 1).await?;
        let too_many = || Fault::Bad(format!("More than {} leads match. Narrow the filters.", counted(MOST)));
        return ids.filter(|ids| ids.len() <= most).ok_or_else(too_many);
    }
    let mut ids: Vec<i64> = form.all("id").filter_map(|id| id.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    let own = store::of_business(&mut page.read().await?, page.member.business_id, &ids).await?;
    if own.len() < ids.len() { Err(Fault::NotFound) } else { Ok(own) }
}

/// The page that has to be confirmed first: many leads, money that is taken away, or qualifications that no
/// undo gives back.
async fn ask(
    page: &Page,
    form: &Form,
    deed: Deed,
    ids: &[i64],
    events: &[crate::engine::Event],
    back: &str,
) -> Result<Option<Ask>, Fault> {
    // Lost leads leave the lists that people work from, and many at once have no undo.
    let loses = deed == Deed::Set(Status::Lost);
    let sets_back = matches!(deed, Deed::Set(Status::New | Status::Contacted | Status::Lost));
    if ids.len() <= FEW && !sets_back && deed != Deed::Qualify(false) {
        return Ok(None);
    }
    let (outcomes, moves) = preview(page, events).await?;
    let takes_money = !moves.voided.is_empty() || !moves.clawed_back.is_empty();
    let changed = ids.iter().zip(&outcomes).filter(|(_, o)| is_changed(o)).map(|(id, _)| *id);
    let changed: Vec<i64> = if sets_back { changed.collect() } else { Vec::new() };
    let qualified = store::qualified(&mut page.read().await?, &changed).await?;
    let sealed = format!("{}.{qualified}.{}", ids.len(), moves.seal());
    if (ids.len() <= FEW && !takes_money && qualified == 0 && !loses) || form.value("sealed") == sealed {
        return Ok(None);
    }
    let tally = Tally::of(&outcomes);
    let leads = |n: usize| many(n, "lead", "leads");
    let mut sentences =
        vec![format!("{} of {}: {}.", leads(ids.len()), page.campaign.name, many(tally.changed, "changes", "change"))];
    match qualified {
        0 => {}
        1 => sentences.push("1 of them is qualified and will be unqualified. This cannot be undone.".into()),
        n => sentences
            .push(format!("{} of them are qualified and will be unqualified. This cannot be undone.", counted(n))),
    }
    if tally.already > 0 {
        sentences.push(format!("{} as wanted already.", many(tally.already, "is", "are")));
    }
    if tally.refused > 0 {
        sentences.push(format!("{}: {}", many(tally.refused, "stays as it is", "stay as they are"), tally.why));
    }
    let mut fields = vec![("do", form.value("do").to_owned()), ("back", back.to_owned()), ("sealed", sealed)];
    if form.value("scope") == "all" {
        fields.push(("scope", "all".into()));
    } else {
        fields.extend(ids.iter().map(|id| ("id", id.to_string())));
    }
    let title = format!("{} {}", deed.verb(), leads(ids.len()));
    Ok(Some(Ask {
        frame: page.frame("leads").await?,
        button: title.clone(),
        title,
        from: (page.at("/leads"), "Leads".into()),
        action: "/leads/bulk".into(),
        cancel_url: back.to_owned(),
        tone: if takes_money { "danger" } else { "primary" },
        sentences,
        preview: Preview::of(page, &moves).await?,
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        asks_reason: false,
        form: Form::default(),
    }))
}

fn count(n: usize) -> String {
    counted(i64::try_from(n).unwrap_or(i64::MAX))
}

/// "1 is", "12 are".
fn many(n: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { more })
}

#[derive(Default)]
struct Tally {
    changed: usize,
    already: usize,
    refused: usize,
    /// Why the first one was refused.
    why: String,
}

fn is_changed(decided: &Decided<Outcome>) -> bool {
    decided.as_ref().is_ok_and(Change::changed)
}

impl Tally {
    fn of(outcomes: &[Decided<Outcome>]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            match outcome {
                Err(Rejected::Refused(why)) => {
                    tally.refused += 1;
                    if tally.why.is_empty() {
                        tally.why = why.sentence();
                    }
                }
                outcome if is_changed(outcome) => tally.changed += 1,
                _ => tally.already += 1,
            }
        }
        tally
    }

    fn said(&self, deed: Deed) -> String {
        let mut words = format!("{} {} now.", many(self.changed, "lead is", "leads are"), deed.done());
        if self.already > 0 {
            words.push_str(&format!(" {} already.", many(self.already, "was", "were")));
        }
        if self.refused > 0 {
            words.push_str(&format!(" {}: {}", many(self.refused, "stays as it is", "stay as they are"), self.why));
        }
        words
    }
}

fn said(deed: Deed, ids: &[i64], outcomes: &[Decided<Outcome>], back: &str) -> Flash {
    let tally = Tally::of(outcomes);
    let words = tally.said(deed);
    let flash = if tally.changed == 0 { Flash::info(words) } else { Flash::good(words) };
    let Some(undo) = deed.undo().filter(|_| tally.changed > 0 && ids.len() <= FEW) else { return flash };
    let changed: Vec<String> =
        ids.iter().zip(outcomes).filter(|(_, o)| is_changed(o)).map(|(id, _)| id.to_string()).collect();
    let mut fields = vec![("do", undo), ("back", back)];
    fields.extend(changed.iter().map(|id| ("id", id.as_str())));
    flash.undo("/leads/bulk", "Undo", &fields)
}
