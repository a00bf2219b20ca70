//! The toggle, the status and the archive: small resources of a lead that answer with the page they came
//! from. A change that takes money away is confirmed first.

use axum::extract::Path;
use axum::http::StatusCode;

use super::find::find;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::engine::{Archive, Moves, Qualified, Qualify, Rejected, SetStatus, Status, What};
use crate::leads::LeadRow;
use crate::shell::Page;
use crate::web::{Fault, Flash, Form, PageResult};

/// The confirmation before an event, if it moves money and was not confirmed as it is now.
async fn to_confirm(page: &Page, what: impl Into<What>, form: &Form) -> Result<Option<Moves>, Fault> {
    let (_, moves) = preview(page, &[page.event(what)]).await?;
    Ok(if moves.is_nothing() || form.value("seen") == moves.seal() { None } else { Some(moves) })
}

struct Question {
    title: String,
    sentence: String,
    button: &'static str,
    action: String,
    fields: Vec<(String, String)>,
}

async fn ask(page: &Page, lead: &LeadRow, question: Question, moves: &Moves, back: &str) -> PageResult {
    let mut fields = question.fields;
    fields.push(("back".into(), back.to_owned()));
    let ask = Ask {
        frame: page.frame("leads").await?,
        title: question.title,
        from: (format!("/leads/{}", lead.id), lead.name.clone()),
        action: question.action,
        button: question.button.to_owned(),
        cancel_url: back.to_owned(),
        tone: "danger",
        sentences: vec![question.sentence],
        preview: Preview::of(page, moves).await?,
        fields,
        asks_reason: false,
        form: Form::default(),
    };
    ask.answer(StatusCode::CONFLICT)
}

pub(super) async fn toggle(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let lead = find(&page, id).await?;
    let on = match form.value("on") {
        "yes" => true,
        "no" => false,
        _ => return Err(Fault::Bad("A qualification is on or off.".into())),
    };
    let own = format!("/leads/{id}");
    let back = form.back(&own);
    let qualify = Qualify { lead_id: id.into(), qualified: on, reason: None };
    if !on && let Some(moves) = to_confirm(&page, qualify.clone(), &form).await? {
        let question = Question {
            title: format!("Un-qualify {}", lead.name),
            sentence: "The reward for the qualification goes with it. Commissions on payments stay.".into(),
            button: "Un-qualify",
            action: format!("/leads/{id}/qualification"),
            fields: vec![("on".into(), "no".into())],
        };
        return ask(&page, &lead, question, &moves, back).await;
    }
    let name = &lead.name;
    let flash = match page.app.engine.one(page.by(), qualify).await? {
        Ok(Qualified { changed: true, .. }) => {
            let (words, undo) = if on { ("is qualified", "no") } else { ("is pending again", "yes") };
            Flash::good(format!("{name} {words}.")).undo(
                format!("/leads/{id}/qualification"),
                "Undo",
                &[("on", undo), ("back", back)],
            )
        }
        Ok(_) if on => Flash::info(format!("{name} was qualified already.")),
        Ok(_) => Flash::info(format!("{name} was not qualified.")),
        Err(why) => refused(why)?,
    };
    page.go(back, flash).await
}

/// The flash of a refusal.
pub(super) fn refused(rejected: Rejected) -> Result<Flash, Fault> {
    match rejected {
        Rejected::Refused(refusal) => Ok(Flash::bad(refusal.sentence())),
        Rejected::Invalid { why, .. } => Ok(Flash::bad(why)),
        Rejected::NotFound => Err(Fault::NotFound),
        Rejected::Stale => Err(Fault::Ours("a page decided about a version that it did not name".into())),
    }
}

pub(super) async fn status(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    let lead = find(&page, id).await?;
    let Some(status) = Status::parse(form.value("status")) else {
        return Err(Fault::Bad("A status is new, contacted, qualified, converted or lost.".into()));
    };
    let own = format!("/leads/{id}");
    let back = form.back(&own);
    set_status(&page, &lead, status, &form, back, "").await
}

/// Sets a status, asking first where that takes a reward away. `note` says what was done before.
pub(super) async fn set_status(
    page: &Page,
    lead: &LeadRow,
    status: Status,
    form: &Form,
    back: &str,
    note: &str,
) -> PageResult {
    let id = lead.id;
    let set = SetStatus { lead_id: id.into(), status };
    if lead.qualified_at.is_some()
        && matches!(status, Status::New | Status::Contacted | Status::Lost)
        && let Some(moves) = to_confirm(page, set.clone(), form).await?
    {
        let question = Question {
            title: format!("Set {} to {}", lead.name, status.word()),
            sentence: format!("{note}This un-qualifies the lead, and the reward for the qualification goes with it."),
            button: "Set the status",
            action: format!("/leads/{id}/status"),
            fields: vec![("status".into(), status.word().into())],
        };
        return ask(page, lead, question, &moves, back).await;
    }
    let name = &lead.name;
    let flash = match page.app.engine.one(page.by(), set).await? {
        Ok(done) if done.changed => Flash::good(format!("{note}{name} is {} now.", status.word())).undo(
            format!("/leads/{id}/status"),
            "Undo",
            &[("status", lead.status.as_str()), ("back", back)],
        ),
        Ok(_) => Flash::info(format!("{note}{name} was {} already.", status.word())),
        Err(why) => refused(why)?,
    };
    page.go(back, flash).await
}

pub(super) async fn archive(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    put_away(&page, id, true, &form).await
}

pub(super) async fn restore(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    put_away(&page, id, false, &form).await
}

async fn put_away(page: &Page, id: i64, archived: bool, form: &Form) -> PageResult {
    let lead = find(page, id).await?;
    let own = format!("/leads/{id}");
    let back = form.back(if archived { "/leads" } else { &own });
    let (done, verb, undo) =
        if archived { ("is archived", "archived", "restore") } else { ("is back", "here", "archive") };
    let name = &lead.name;
    let flash = match page.app.engine.one(page.by(), Archive { lead_id: id.into(), archived }).await? {
        Ok(put) if put.changed => {
            Flash::good(format!("{name} {done}.")).undo(format!("/leads/{id}/{undo}"), "Undo", &[("back", back)])
        }
        Ok(_) => Flash::info(format!("{name} was {verb} already.")),
        Err(why) => refused(why)?,
    };
    page.go(back, flash).await
}
