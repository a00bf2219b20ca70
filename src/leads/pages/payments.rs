//! Payments that came before their lead had a referrer: staff let them earn, after a preview.

use axum::extract::Path;
use axum::http::StatusCode;

use super::find::find;
use super::qualification::refused;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::engine::{Change, PayBack};
use crate::shell::Page;
use crate::web::{Flash, Form, PageResult};

pub(super) async fn ask(page: Page, Path(id): Path<i64>) -> PageResult {
    answer(&page, id, false).await
}

pub(super) async fn earn(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    find(&page, id).await?;
    let pay_back = PayBack::of(id.into());
    let (_, moves) = preview(&page, &[page.event(pay_back.clone())]).await?;
    if form.value("seen") != moves.seal() {
        return answer(&page, id, true).await;
    }
    let flash = match page.app.engine.one(page.by(), pay_back).await? {
        Ok(done) if done.changed => Flash::good("The waiting payments were decided."),
        Ok(_) => Flash::info("No payment is waiting now."),
        Err(why) => refused(why)?,
    };
    page.go(&format!("/leads/{id}"), flash).await
}

async fn answer(page: &Page, id: i64, changed: bool) -> PageResult {
    let lead = find(page, id).await?;
    let own = format!("/leads/{id}");
    let (outcomes, moves) = preview(page, &[page.event(PayBack::of(id.into()))]).await?;
    match outcomes.into_iter().next() {
        Some(Ok(outcome)) if outcome.changed() => {}
        Some(Err(why)) => return page.go(&own, refused(why)?).await,
        _ => return page.go(&own, Flash::info("No payment of this lead waits.")).await,
    }
    let mut sentences =
        vec!["They came before the lead had a referrer. Each is decided by the terms of its own date.".to_owned()];
    if changed {
        sentences.insert(0, "Something changed since you looked. This is how it stands now.".into());
    }
    let ask = Ask {
        frame: page.frame("leads").await?,
        title: format!("Let the waiting payments of {} earn", lead.name),
        from: (own.clone(), lead.name.clone()),
        action: format!("{own}/payments"),
        button: "Let them earn".into(),
        cancel_url: own,
        tone: "primary",
        sentences,
        preview: Preview::of(page, &moves).await?,
        fields: Vec::new(),
        asks_reason: false,
        form: Form::default(),
    };
    ask.answer(if changed { StatusCode::CONFLICT } else { StatusCode::OK })
}
