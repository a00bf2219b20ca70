//! Tags and notes of leads and referrers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::instant;
use super::{leads, referrers};
use crate::api::Caller;
use crate::api::field::{Line, Many, Text};
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{InPath, Sent};
use crate::app::App;
use crate::fold::fold;
use crate::object;
use crate::remarks::{self, NOTE, Note, Subject, TAG, TAGS, Tagged};

const LEAD: &str = "Its id: `lead_…` or the integer.";
const REFERRER: &str = "Its id: `agent_…` or the integer.";
const TAGS_SENT: &str = r#"{"tags": ["VIP", "press"]}"#;
const NOTE_SENT: &str = r#"{"text": "Prefers the phone"}"#;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/leads/{lead}/tags", "listLeadTags", "List a lead's tags")
            .about("In the order of their names.")
            .scope("leads:read")
            .in_path("lead", LEAD)
            .answers::<Tags>(200, "Its tags.", "")
            .refuses(&[404]),
        lead_tags,
    )
    .with(
        Operation::put("/v1/leads/{lead}/tags", "setLeadTags", "Set a lead's tags")
            .about("It has these tags and no others. Two spellings that differ in case or accents are one tag.")
            .scope("leads:write")
            .in_path("lead", LEAD)
            .takes::<NewTags>(TAGS_SENT)
            .answers::<Tags>(200, "Its tags as they are now.", "")
            .refuses(&[404]),
        set_lead_tags,
    )
    .with(
        Operation::get("/v1/leads/{lead}/notes", "listLeadNotes", "List a lead's notes")
            .about("The newest first, at most 200.")
            .scope("leads:read")
            .in_path("lead", LEAD)
            .answers::<Notes>(200, "Its notes.", "")
            .refuses(&[404]),
        lead_notes,
    )
    .with(
        Operation::post("/v1/leads/{lead}/notes", "createLeadNote", "Write a note about a lead")
            .once()
            .about("Staff see it on the lead's page. A note is never changed.")
            .scope("leads:write")
            .in_path("lead", LEAD)
            .takes::<NewNote>(NOTE_SENT)
            .answers::<NoteShape>(201, "The note.", "")
            .refuses(&[404]),
        note_lead,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}/tags", "listReferrerTags", "List a referrer's tags")
            .about("In the order of their names.")
            .scope("referrers:read")
            .in_path("referrer", REFERRER)
            .answers::<Tags>(200, "Their tags.", "")
            .refuses(&[404]),
        referrer_tags,
    )
    .with(
        Operation::put("/v1/referrers/{referrer}/tags", "setReferrerTags", "Set a referrer's tags")
            .about("They have these tags and no others. Two spellings that differ in case or accents are one tag.")
            .scope("referrers:write")
            .in_path("referrer", REFERRER)
            .takes::<NewTags>(TAGS_SENT)
            .answers::<Tags>(200, "Their tags as they are now.", "")
            .refuses(&[404]),
        set_referrer_tags,
    )
    .with(
        Operation::get("/v1/referrers/{referrer}/notes", "listReferrerNotes", "List a referrer's notes")
            .about("The newest first, at most 200.")
            .scope("referrers:read")
            .in_path("referrer", REFERRER)
            .answers::<Notes>(200, "Their notes.", "")
            .refuses(&[404]),
        referrer_notes,
    )
    .with(
        Operation::post("/v1/referrers/{referrer}/notes", "createReferrerNote", "Write a note about a referrer")
            .once()
            .about("Staff see it on the referrer's page. A note is never changed.")
            .scope("referrers:write")
            .in_path("referrer", REFERRER)
            .takes::<NewNote>(NOTE_SENT)
            .answers::<NoteShape>(201, "The note.", "")
            .refuses(&[404]),
        note_referrer,
    )
}

object! {
    /// The tags that something has from now on.
    strict struct NewTags {
        /// The words, at most 20.
        tags "tags": Many<Line<TAG>, TAGS>,
    }
}

object! {
    /// A note to write.
    strict struct NewNote {
        /// The text.
        text "text": Text<NOTE>,
    }
}

/// The tags of a lead or a referrer.
#[derive(Serialize, JsonSchema)]
struct Tags {
    tags: Vec<String>,
}

/// A note about a lead or a referrer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Note")]
struct NoteShape {
    text: String,
    /// The name of the person or the key that wrote it.
    author: String,
    at: String,
}

impl NoteShape {
    fn of(note: Note) -> Self {
        Self { text: note.text, author: note.author, at: instant(note.created_at) }
    }
}

/// The notes about a lead or a referrer.
#[derive(Serialize, JsonSchema)]
struct Notes {
    data: Vec<NoteShape>,
}

type Answer<T> = Result<T, Problem>;

async fn lead_tags(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Answer<Json<Tags>> {
    tags(&app, leads::find(&app, &caller, &id).await?.id).await
}

async fn set_lead_tags(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewTags>,
) -> Answer<Json<Tags>> {
    let id = leads::find(&app, &caller, &id).await?.id;
    set_tags(&app, &caller, (Subject::Lead, id), new).await
}

async fn lead_notes(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Answer<Json<Notes>> {
    notes(&app, &caller, leads::find(&app, &caller, &id).await?.id).await
}

async fn note_lead(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewNote>,
) -> Answer<(StatusCode, Json<NoteShape>)> {
    let id = leads::find(&app, &caller, &id).await?.id;
    note(&app, &caller, (Subject::Lead, id), new).await
}

async fn referrer_tags(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Answer<Json<Tags>> {
    tags(&app, referrers::find(&app, &caller, &id).await?.id).await
}

async fn set_referrer_tags(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewTags>,
) -> Answer<Json<Tags>> {
    caller.may_change("Referrers")?;
    let id = referrers::find(&app, &caller, &id).await?.id;
    set_tags(&app, &caller, (Subject::Referrer, id), new).await
}

async fn referrer_notes(State(app): State<App>, caller: Caller, InPath(id): InPath) -> Answer<Json<Notes>> {
    notes(&app, &caller, referrers::find(&app, &caller, &id).await?.id).await
}

async fn note_referrer(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath,
    Sent(new): Sent<NewNote>,
) -> Answer<(StatusCode, Json<NoteShape>)> {
    caller.may_change("Referrers")?;
    let id = referrers::find(&app, &caller, &id).await?.id;
    note(&app, &caller, (Subject::Referrer, id), new).await
}

async fn tags(app: &App, id: i64) -> Answer<Json<Tags>> {
    let tags = remarks::tags_of(&mut app.db.read().await?, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(Json(Tags { tags }))
}

async fn set_tags(app: &App, caller: &Caller, about: (Subject, i64), new: NewTags) -> Answer<Json<Tags>> {
    let wanted: Vec<String> = new.tags.0.into_iter().map(|tag| tag.0).collect();
    if wanted.iter().any(|tag| tag.contains([',', ';'])) {
        return Err(FieldProblem::wrong("tags", "must be words without commas").into());
    }
    let has = tags(app, about.1).await?.0.tags;
    let take = has.into_iter().filter(|tag| !wanted.iter().any(|other| fold(other) == fold(tag))).collect();
    let (kind, id) = about;
    match remarks::tag(app, &caller.actor, caller.business_id(), (kind, &[id]), wanted, take).await? {
        Tagged::Done(_) => tags(app, id).await,
        Tagged::TooMany => Err(FieldProblem::wrong("tags", format!("must be at most {TAGS}")).into()),
        Tagged::NotFound => Err(super::common::nothing(kind.word())),
    }
}

async fn notes(app: &App, caller: &Caller, id: i64) -> Answer<Json<Notes>> {
    let notes = remarks::notes_of(&mut app.db.read().await?, caller.business_id(), id).await?;
    Ok(Json(Notes { data: notes.into_iter().map(NoteShape::of).collect() }))
}

async fn note(
    app: &App,
    caller: &Caller,
    about: (Subject, i64),
    new: NewNote,
) -> Answer<(StatusCode, Json<NoteShape>)> {
    let (kind, id) = about;
    let written = remarks::note(app, &caller.actor, caller.business_id(), (kind, id), new.text.0).await?;
    let written = written.ok_or_else(|| super::common::nothing(kind.word()))?;
    let all = remarks::notes_of(&mut app.db.read().await?, caller.business_id(), id).await?;
    let note = all.into_iter().find(|note| note.id == written);
    let note = note.ok_or_else(|| super::common::nothing("note"))?;
    Ok((StatusCode::CREATED, Json(NoteShape::of(note))))
}
