//! A duplicate becomes part of its primary lead.

use askama::Template;
use axum::extract::{OriginalUri, Path};
use axum::http::StatusCode;

use super::find::find;
use super::qualification::refused;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::db::PAGE;
use crate::engine::{Merge, Moves, Rejected};
use crate::leads::LeadRow;
use crate::leads::filter::Filter;
use crate::leads::store::list::{self as store, LeadLine};
use crate::query::ListQuery;
use crate::shell::{Frame, Page};
use crate::web::{Fault, Flash, Form, PageResult, html};

#[derive(Template)]
#[template(path = "leads/merge.html")]
struct ChoosePage {
    frame: Frame,
    person: LeadRow,
    q: String,
    found: Vec<LeadLine>,
}

pub(super) async fn choose(page: Page, Path(id): Path<i64>, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/leads", uri.query(), &["into", "q"]);
    let lead = find(&page, id).await?;
    let into = query.get("into").parse().ok().or(lead.duplicate_of);
    if let Some(into) = into.filter(|_| query.get("q").is_empty()) {
        return answer(&page, lead, into, false).await;
    }
    let mut found = Vec::new();
    if !query.get("q").is_empty() {
        let filter = Filter::of(&query, lead.campaign_id, lead.test, None, &page.member.country, page.member.zone);
        found = store::page(&page.app.db, &filter, &query, PAGE).await?.rows;
        found.retain(|l| l.id != id && l.duplicate_of.is_none());
        found.truncate(8);
    }
    html(&ChoosePage { frame: page.frame("leads").await?, person: lead, q: query.get("q").to_owned(), found })
}

pub(super) async fn merge(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let lead = find(&page, id).await?;
    let into: i64 = form.value("into").parse().map_err(|_| Fault::NotFound)?;
    let merge = Merge { lead_id: id.into(), into: into.into() };
    let (_, moves) = preview(&page, &[page.event(merge.clone())]).await?;
    if form.value("seen") != moves.seal() {
        return answer(&page, lead, into, true).await;
    }
    let (to, flash) = match page.app.engine.one(page.by(), merge).await? {
        Ok(_) => (into, Flash::good(format!("{} is part of this lead now.", lead.name))),
        Err(why) => (id, refused(why)?),
    };
    page.go(&format!("/leads/{to}"), flash).await
}

/// The money that merging would move, and the reason when it is forbidden.
async fn try_out(page: &Page, lead_id: i64, into: i64) -> Result<(Option<Rejected>, Moves), Fault> {
    let (outcomes, moves) = preview(page, &[page.event(Merge { lead_id: lead_id.into(), into: into.into() })]).await?;
    Ok((outcomes.into_iter().next().and_then(Result::err), moves))
}

async fn answer(page: &Page, lead: LeadRow, into: i64, changed: bool) -> PageResult {
    let primary = find(page, into).await?;
    let (refusal, moves) = try_out(page, lead.id, into).await?;
    let own = format!("/leads/{}", lead.id);
    if let Some(refusal) = refusal {
        // A lead that has earned stays; the other one is merged into it.
        let (other_way, _) = try_out(page, into, lead.id).await?;
        if other_way.is_some() {
            return page.go(&own, refused(refusal)?).await;
        }
        let why = format!("{} has sign-ups, payments or commissions, so it is the one that stays.", lead.name);
        return page.go(&format!("/leads/{into}/merge?into={}", lead.id), Flash::info(why)).await;
    }
    let mut sentences = vec![
        format!("{} takes the referrals of {}, and its facts where it has none of its own.", primary.name, lead.name),
        "The earliest referral counts. The duplicate is archived.".to_owned(),
    ];
    if changed {
        sentences.insert(0, "Something changed since you looked. This is how it stands now.".into());
    }
    let ask = Ask {
        frame: page.frame("leads").await?,
        title: format!("Merge {} into {}", lead.name, primary.name),
        from: (own.clone(), lead.name.clone()),
        action: format!("{own}/merge"),
        button: "Merge".into(),
        cancel_url: own,
        tone: "primary",
        sentences,
        preview: Preview::of(page, &moves).await?,
        fields: vec![("into".into(), into.to_string())],
        asks_reason: false,
        form: Form::default(),
    };
    ask.answer(if changed { StatusCode::CONFLICT } else { StatusCode::OK })
}
