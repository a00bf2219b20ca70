//! Approving before the hold is over, and voiding: one or many, always with a reason.

use axum::extract::{OriginalUri, Path};
use axum::http::{StatusCode, Uri};

use super::list::MOST;
use super::show::find;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::commissions::store::{self, CommissionRow, Filter, KNOWN};
use crate::engine::{Approve, Change, Decided, Outcome, Rejected, Void, What};
use crate::query::{ListQuery, pairs};
use crate::shell::Page;
use crate::text::counted;
use crate::web::{Fault, Flash, Form, PageResult};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Approve,
    Void,
}

impl Deed {
    fn what(self, commission_id: i64, reason: &str) -> What {
        match self {
            Self::Approve => Approve { commission_id: commission_id.into(), reason: Some(reason.to_owned()) }.into(),
            Self::Void => Void { commission_id: commission_id.into(), reason: reason.to_owned() }.into(),
        }
    }
    fn verb(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Void => "Void",
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Void => "void",
        }
    }
    fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Void => "voided",
        }
    }
    fn tone(self) -> &'static str {
        match self {
            Self::Approve => "primary",
            Self::Void => "danger",
        }
    }
    fn sentence(self) -> &'static str {
        match self {
            Self::Approve => "It becomes due now instead of when its hold is over.",
            Self::Void => "It is taken off the referrer's balance. This cannot be undone.",
        }
    }
    fn sentence_of_many(self) -> &'static str {
        match self {
            Self::Approve => "They become due now instead of when their holds are over.",
            Self::Void => "They are taken off the referrers' balances. This cannot be undone.",
        }
    }
}

pub(super) async fn ask_approve(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    ask_one(&page, find(&page, id).await?, Deed::Approve, asked_from(&uri), false).await
}

pub(super) async fn ask_void(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    ask_one(&page, find(&page, id).await?, Deed::Void, asked_from(&uri), false).await
}

/// An empty form that leads back to the list it was asked from.
fn asked_from(uri: &Uri) -> Form {
    let query = pairs(uri.query().unwrap_or_default());
    let back = query.iter().find(|(name, _)| name == "back").map_or("", |(_, back)| back.as_str());
    Form::filled(&[("back", back)])
}

pub(super) async fn approve(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    decide_one(&page, id, Deed::Approve, form).await
}

pub(super) async fn void(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    decide_one(&page, id, Deed::Void, form).await
}

async fn ask_one(page: &Page, c: CommissionRow, deed: Deed, form: Form, changed: bool) -> PageResult {
    let own = format!("/commissions/{}", c.id);
    let back = form.back(&own).to_owned();
    let (outcomes, moves) = preview(page, &[page.event(deed.what(c.id, "-"))]).await?;
    match outcomes.into_iter().next() {
        Some(Err(Rejected::Refused(why))) => return page.go(&back, Flash::bad(why.sentence())).await,
        Some(Ok(outcome)) if !outcome.changed() => {
            return page.go(&back, Flash::info(format!("It is {} already.", c.state))).await;
        }
        _ => {}
    }
    let mut sentences = vec![deed.sentence().to_owned()];
    if changed {
        sentences.insert(0, "Something changed since you looked. This is how it stands now.".into());
    }
    let ask = Ask {
        frame: page.frame("commissions").await?,
        title: format!("{} {} of {}", deed.verb(), c.shown(), c.referrer),
        from: (own.clone(), format!("{} of {}", c.shown(), c.lead)),
        action: format!("{own}/{}", deed.word()),
        button: format!("{} {}", deed.verb(), c.shown()),
        cancel_url: back.clone(),
        tone: deed.tone(),
        sentences,
        preview: Preview::of(page, &moves).await?,
        fields: vec![("back".to_owned(), back)],
        asks_reason: true,
        form,
    };
    ask.answer(if changed { StatusCode::CONFLICT } else { StatusCode::OK })
}

async fn decide_one(page: &Page, id: i64, deed: Deed, mut form: Form) -> PageResult {
    let c = find(page, id).await?;
    let reason = form.line("reason", "The reason", 300);
    let (_, moves) = preview(page, &[page.event(deed.what(id, "-"))]).await?;
    let changed = form.value("seen") != moves.seal();
    let Some(reason) = reason.filter(|_| !changed) else { return ask_one(page, c, deed, form, changed).await };
    let flash = match page.app.engine.one_of(page.event(deed.what(id, &reason))).await? {
        Ok(outcome) if outcome.changed() => Flash::good(format!("{} of {} {}.", c.shown(), c.referrer, deed.done())),
        Ok(_) => Flash::info(format!("It was {} already.", deed.done())),
        Err(Rejected::Refused(why)) => Flash::bad(why.sentence()),
        Err(_) => return Err(Fault::NotFound),
    };
    let own = format!("/commissions/{id}");
    page.go(form.back(&own), flash).await
}

pub(super) async fn bulk(page: Page, mut form: Form) -> PageResult {
    let deed = match form.value("do") {
        "approve" => Deed::Approve,
        "void" => Deed::Void,
        _ => return Err(Fault::Bad("Commissions are approved or voided.".into())),
    };
    let back = form.back("/commissions").to_owned();
    let ids = chosen(&page, &form, &back).await?;
    if ids.is_empty() {
        return page.go(&back, Flash::info("Nothing was selected.")).await;
    }
    let events: Vec<_> = ids.iter().map(|id| page.event(deed.what(*id, "-"))).collect();
    let (outcomes, moves) = preview(&page, &events).await?;
    let sealed = format!("{}.{}", ids.len(), moves.seal());
    // The first time there is no reason yet: the page that asks for it says nothing is wrong.
    let first = form.value("sealed").is_empty();
    let reason = if first { None } else { form.line("reason", "The reason", 300) };
    let Some(reason) = reason.filter(|_| form.value("sealed") == sealed) else {
        let tally = Tally::of(&outcomes);
        if tally.changed == 0 {
            return page.go(&back, Flash::info(tally.said(deed))).await;
        }
        let mut sentences = vec![format!(
            "{} of {} {}. {}",
            tally.changed,
            ids.len(),
            one_or(tally.changed, "changes", "change"),
            if tally.changed == 1 { deed.sentence() } else { deed.sentence_of_many() }
        )];
        if tally.refused > 0 {
            let stay = one_or(tally.refused, "stays as it is", "stay as they are");
            sentences.push(format!("{} {stay}: {}", tally.refused, tally.why));
        }
        let mut fields = vec![("do", deed.word().to_owned()), ("back", back.clone()), ("sealed", sealed)];
        if form.value("scope") == "all" {
            fields.push(("scope", "all".into()));
        } else {
            fields.extend(ids.iter().map(|id| ("id", id.to_string())));
        }
        let n = i64::try_from(tally.changed).unwrap_or(i64::MAX);
        let title = if n == 1 {
            format!("{} 1 commission", deed.verb())
        } else {
            format!("{} {} commissions", deed.verb(), counted(n))
        };
        let ask = Ask {
            frame: page.frame("commissions").await?,
            button: title.clone(),
            title,
            from: (page.at("/commissions"), "Commissions".into()),
            action: "/commissions/bulk".into(),
            cancel_url: back,
            tone: deed.tone(),
            sentences,
            preview: Preview::of(&page, &moves).await?,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            asks_reason: true,
            form: if first { Form::default() } else { form },
        };
        return ask.answer(if first { StatusCode::OK } else { StatusCode::CONFLICT });
    };
    let events = ids.iter().map(|id| page.event(deed.what(*id, &reason))).collect();
    let tally = match page.app.engine.slice_so_far(events).await {
        Ok(outcomes) => Tally::of(&outcomes),
        Err(halted) if halted.done.is_empty() => return Err(halted.error.into()),
        Err(halted) => {
            let said = Tally::of(&halted.done).said(deed);
            return Err(Fault::partly(halted.error, &said, ids.len() - halted.done.len()));
        }
    };
    let flash = if tally.changed > 0 { Flash::good(tally.said(deed)) } else { Flash::info(tally.said(deed)) };
    page.go(&back, flash).await
}

/// The commissions that are meant: the boxes, or everything the list's own filters match.
async fn chosen(page: &Page, form: &Form, back: &str) -> Result<Vec<i64>, Fault> {
    if form.value("scope") == "all" {
        let query = back.split_once('?').map(|(_, q)| q.split('#').next().unwrap_or(q));
        let query = ListQuery::new("/commissions", query, &KNOWN);
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let filter = Filter::of(&query, page.campaign.id, page.test, &page.member.country, page.member.zone);
        let ids = store::ids(&page.app.db, &filter, most + 1).await?;
        let too_many = || Fault::Bad(format!("More than {} commissions match. Narrow the filters.", counted(MOST)));
        return ids.filter(|ids| ids.len() <= most).ok_or_else(too_many);
    }
    let mut ids: Vec<i64> = form.all("id").filter_map(|id| id.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    let own = store::of_business(&mut page.read().await?, page.member.business_id, &ids).await?;
    if own.len() < ids.len() { Err(Fault::NotFound) } else { Ok(own) }
}

fn one_or<'w>(n: usize, one: &'w str, more: &'w str) -> &'w str {
    if n == 1 { one } else { more }
}

#[derive(Default)]
struct Tally {
    changed: usize,
    already: usize,
    refused: usize,
    why: String,
}

impl Tally {
    fn of(outcomes: &[Decided<Outcome>]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            match outcome {
                Ok(outcome) if outcome.changed() => tally.changed += 1,
                Err(Rejected::Refused(why)) => {
                    tally.refused += 1;
                    if tally.why.is_empty() {
                        tally.why = why.sentence();
                    }
                }
                _ => tally.already += 1,
            }
        }
        tally
    }

    fn said(&self, deed: Deed) -> String {
        let are =
            if self.changed == 1 { "1 commission is".to_owned() } else { format!("{} commissions are", self.changed) };
        let mut words = format!("{are} {} now.", deed.done());
        if self.already > 0 {
            words.push_str(&format!(" {} {} already.", self.already, one_or(self.already, "was", "were")));
        }
        if self.refused > 0 {
            let stay = one_or(self.refused, "stays as it is", "stay as they are");
            words.push_str(&format!(" {} {stay}: {}", self.refused, self.why));
        }
        words
    }
}
