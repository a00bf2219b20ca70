//! Tags and notes on the pages of a lead and a referrer.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;

use super::store;
use super::{NOTE, Subject, TAG, TAGS, Tagged};
use crate::fold::fold;
use crate::leads;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::{self, counted};
use crate::users::Right;
use crate::web::{Fault, Flash, Form, PageResult, Stamp};
use crate::when::When;

pub fn routes() -> Routes {
    Routes::new()
        .post("/leads/{id}/tags", Access::May(Right::Record), tag_lead)
        .post("/leads/{id}/notes", Access::May(Right::Record), note_lead)
        .post("/referrers/{id}/tags", Access::May(Right::EditReferrers), tag_referrer)
        .post("/referrers/{id}/notes", Access::May(Right::Record), note_referrer)
}

struct NoteLine {
    text: String,
    author: String,
    when: When,
}

/// The tags and notes of something, on its page.
#[derive(Template)]
#[template(path = "ui/remarks.html")]
pub struct Remarks {
    /// The address of what they are about.
    url: String,
    tags: Vec<String>,
    notes: Vec<NoteLine>,
    /// Tags that others have.
    known: Vec<String>,
    stamp: Stamp,
    can_tag: bool,
    can_note: bool,
}

impl Remarks {
    pub async fn of(page: &Page, frame: &Frame, kind: Subject, id: i64) -> Result<Self, Fault> {
        let mut conn = page.read().await?;
        let tags = store::tags_of(&mut conn, &[id]).await?.remove(&id).unwrap_or_default();
        let notes = store::notes_of(&mut conn, page.member.business_id, id).await?;
        let known = store::all_tags(&mut conn, page.member.business_id).await?;
        drop(conn);
        let can_note = page.member.may(Right::Record);
        let line =
            |note: store::Note| NoteLine { when: page.when(note.created_at), text: note.text, author: note.author };
        Ok(Self {
            url: format!("{}/{id}", kind.path()),
            known: known.into_iter().map(|(_, name)| name).filter(|name| !tags.contains(name)).collect(),
            tags,
            notes: notes.into_iter().map(line).collect(),
            stamp: frame.stamp(),
            can_tag: match kind {
                Subject::Lead => can_note,
                Subject::Referrer => page.member.may(Right::EditReferrers),
            },
            can_note,
        })
    }
}

/// The names of tags in a text: "VIP, press".
pub fn names(typed: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for name in typed.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()) {
        let name = text::line(name, TAG).map_err(|why| format!("A tag {why}."))?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if !names.iter().any(|known| fold(known) == fold(&name)) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Tags given to, or taken from, many at once.
pub enum Tagging {
    Add(Vec<String>),
    Take(Vec<String>),
    /// Why not.
    Unread(String),
}

impl Tagging {
    /// What the bar below a list asks for; none when it asks for something else.
    pub fn asked(form: &Form) -> Option<Self> {
        let names = |take: bool| match names(form.value("tags")) {
            Ok(names) if names.is_empty() => Self::Unread("Type a tag first.".into()),
            Ok(names) if take => Self::Take(names),
            Ok(names) => Self::Add(names),
            Err(why) => Self::Unread(why),
        };
        match form.value("do") {
            "tag" => Some(names(false)),
            "untag" => Some(names(true)),
            _ => None,
        }
    }

    /// Does it, and says what came of it.
    pub async fn done(self, page: &Page, kind: Subject, ids: &[i64]) -> Result<Flash, Fault> {
        let (add, take) = match self {
            Self::Unread(why) => return Ok(Flash::bad(why)),
            Self::Add(names) => (names, Vec::new()),
            Self::Take(names) => (Vec::new(), names),
        };
        let shown = add.iter().chain(&take).cloned().collect::<Vec<_>>().join(", ");
        let done = if take.is_empty() { "tagged" } else { "no longer tagged" };
        let actor = Arc::new(page.member.actor());
        Ok(match super::tag(&page.app, &actor, page.member.business_id, (kind, ids), add, take).await? {
            Tagged::NotFound => return Err(Fault::NotFound),
            Tagged::TooMany => Flash::bad(format!("{TAGS} tags are the most that one can have.")),
            Tagged::Done(0) => Flash::info("Nothing was changed."),
            Tagged::Done(n) => {
                let n = i64::try_from(n).unwrap_or(i64::MAX);
                let who = match (kind, n) {
                    (Subject::Lead, 1) => "1 lead is".to_owned(),
                    (Subject::Lead, n) => format!("{} leads are", counted(n)),
                    (Subject::Referrer, 1) => "1 referrer is".to_owned(),
                    (Subject::Referrer, n) => format!("{} referrers are", counted(n)),
                };
                Flash::good(format!("{who} {done} {shown} now."))
            }
        })
    }
}

async fn tag_lead(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    leads::pages::find(&page, id).await?;
    tag(page, Subject::Lead, id, form).await
}

async fn note_lead(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    leads::pages::find(&page, id).await?;
    note(page, Subject::Lead, id, form).await
}

async fn tag_referrer(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    tag(page, Subject::Referrer, id, form).await
}

async fn note_referrer(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    note(page, Subject::Referrer, id, form).await
}

async fn is_there(page: &Page, kind: Subject, id: i64) -> Result<(), Fault> {
    let own = store::own(&mut page.read().await?, page.member.business_id, kind, &[id]).await?;
    if own.is_empty() { Err(Fault::NotFound) } else { Ok(()) }
}

async fn tag(page: Page, kind: Subject, id: i64, form: Form) -> PageResult {
    is_there(&page, kind, id).await?;
    let url = format!("{}/{id}", kind.path());
    let (add, take) = match (names(form.value("add")), names(form.value("take"))) {
        (Ok(add), Ok(take)) => (add, take),
        (Err(why), _) | (_, Err(why)) => return page.go(&url, Flash::bad(why)).await,
    };
    if add.is_empty() && take.is_empty() {
        return page.go(&url, Flash::bad("Type a tag first.")).await;
    }
    let actor = Arc::new(page.member.actor());
    let flash = match super::tag(&page.app, &actor, page.member.business_id, (kind, &[id]), add, take).await? {
        Tagged::NotFound => return Err(Fault::NotFound),
        Tagged::TooMany => Flash::bad(format!("{TAGS} tags are the most that one can have.")),
        Tagged::Done(0) => Flash::info("Nothing was changed."),
        Tagged::Done(_) => Flash::good("The tags were changed."),
    };
    page.go(&url, flash).await
}

async fn note(page: Page, kind: Subject, id: i64, mut form: Form) -> PageResult {
    is_there(&page, kind, id).await?;
    let url = format!("{}/{id}", kind.path());
    let Some(text) = form.optional_text("note", "The note", NOTE) else {
        let why = form.errors.first().map_or("Write something first.", |e| e.message.as_str()).to_owned();
        return page.go(&url, Flash::bad(why)).await;
    };
    let actor = Arc::new(page.member.actor());
    let written = super::note(&page.app, &actor, page.member.business_id, (kind, id), text).await?;
    written.ok_or(Fault::NotFound)?;
    page.go(&url, Flash::good("The note was saved.")).await
}
