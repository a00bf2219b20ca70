//! Staff mark a payment as disputed, and end the dispute: with a reason, once they saw which money moves.

use axum::extract::Path;
use axum::http::StatusCode;

use super::find::find;
use super::qualification::refused;
use super::refund::payment_of;
use crate::clock::Day;
use crate::commissions::pages::{Ask, Preview, preview};
use crate::engine::{Change, Dispute, DisputedPayment};
use crate::leads::LeadRow;
use crate::leads::store::one::PaymentRow;
use crate::money::Money;
use crate::shell::Page;
use crate::web::{Flash, Form, PageResult};

pub(super) async fn ask_mark(page: Page, Path((id, payment)): Path<(i64, i64)>) -> PageResult {
    let lead = find(&page, id).await?;
    let row = payment_of(&page, id, payment).await?;
    ask(&page, &lead, &row, true, Form::default(), false).await
}

pub(super) async fn ask_end(page: Page, Path((id, payment)): Path<(i64, i64)>) -> PageResult {
    let lead = find(&page, id).await?;
    let row = payment_of(&page, id, payment).await?;
    ask(&page, &lead, &row, false, Form::default(), false).await
}

pub(super) async fn mark(page: Page, Path((id, payment)): Path<(i64, i64)>, form: Form) -> PageResult {
    decide(&page, id, payment, true, form).await
}

pub(super) async fn end(page: Page, Path((id, payment)): Path<(i64, i64)>, form: Form) -> PageResult {
    decide(&page, id, payment, false, form).await
}

fn what(row: &PaymentRow, disputed: bool, reason: &str) -> Dispute {
    Dispute { payment: DisputedPayment::Id(row.id.into()), disputed, reason: reason.to_owned() }
}

fn already(disputed: bool) -> Flash {
    Flash::info(if disputed { "The payment is disputed already." } else { "The payment is not disputed." })
}

fn sentences(row: &PaymentRow, disputed: bool) -> Vec<String> {
    let day = Day::parse(&row.payment_date).map_or_else(|_| row.payment_date.clone(), Day::shown);
    let paid = format!("{} for {}, paid on {day}.", Money::shown_in(row.amount, &row.currency), row.product);
    let more = if disputed {
        "Until the dispute is decided, this payment's commissions are neither approved nor paid: pending ones stay pending, due ones are held again, and paid ones stay paid."
    } else {
        "This payment's commissions continue as before: approved ones are due again, and pending ones are approved when their hold is over. If the dispute was lost, refund the whole payment instead, which ends it too."
    };
    vec![paid, more.to_owned()]
}

async fn ask(page: &Page, lead: &LeadRow, row: &PaymentRow, disputed: bool, form: Form, changed: bool) -> PageResult {
    let own = format!("/leads/{}", lead.id);
    let (outcomes, moves) = preview(page, &[page.event(what(row, disputed, "-"))]).await?;
    match outcomes.into_iter().next() {
        Some(Ok(outcome)) if outcome.changed() => {}
        Some(Err(why)) => return page.go(&own, refused(why)?).await,
        _ => return page.go(&own, already(disputed)).await,
    }
    let (title, button, path) = if disputed {
        ("Dispute a payment", "Mark as disputed", "dispute")
    } else {
        ("End the dispute of a payment", "End the dispute", "dispute/end")
    };
    let mut sentences = sentences(row, disputed);
    if changed {
        sentences.insert(0, "Something changed since you looked. This is how it stands now.".into());
    }
    let ask = Ask {
        frame: page.frame("leads").await?,
        title: format!("{title} of {}", lead.name),
        from: (own.clone(), lead.name.clone()),
        action: format!("{own}/payments/{}/{path}", row.id),
        button: button.into(),
        cancel_url: own,
        tone: if disputed { "danger" } else { "primary" },
        sentences,
        preview: Preview::of(page, &moves).await?,
        fields: Vec::new(),
        asks_reason: true,
        form,
    };
    ask.answer(if changed { StatusCode::CONFLICT } else { StatusCode::OK })
}

async fn decide(page: &Page, id: i64, payment: i64, disputed: bool, mut form: Form) -> PageResult {
    let lead = find(page, id).await?;
    let row = payment_of(page, id, payment).await?;
    let reason = form.line("reason", "The reason", 300);
    let (_, moves) = preview(page, &[page.event(what(&row, disputed, "-"))]).await?;
    let changed = form.value("seen") != moves.seal();
    let Some(reason) = reason.filter(|_| !changed) else {
        return ask(page, &lead, &row, disputed, form, changed).await;
    };
    let flash = match page.app.engine.one(page.by(), what(&row, disputed, &reason)).await? {
        Ok(done) if done.changed && disputed => Flash::good("The payment is marked as disputed."),
        Ok(done) if done.changed => Flash::good("The dispute is over."),
        Ok(_) => already(disputed),
        Err(why) => refused(why)?,
    };
    page.go(&format!("/leads/{id}"), flash).await
}
