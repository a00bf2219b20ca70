//! The second person's word about an adjustment that waits.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;

use crate::adjustments::{self, AdjustmentRow, Decision, Refused};
use crate::engine::payout::AdjustmentEvent;
use crate::shell::{Frame, Page};
use crate::web::page::html_with;
use crate::web::{Fault, Flash, Form, PageResult};

const LIST: &str = "/adjustments?state=pending";

async fn decided(page: Page, id: i64, event: AdjustmentEvent, reason: Option<String>, said: &str) -> PageResult {
    let decision = Decision { business_id: page.member.business_id, id, event, person: page.member.user_id, reason };
    let flash = match adjustments::decide(&page.app, &Arc::new(page.member.actor()), decision).await? {
        Ok(()) => Flash::good(said),
        Err(Refused::NotFound) => return Err(Fault::NotFound),
        Err(why) => Flash::bad(why.sentence()),
    };
    page.go(LIST, flash).await
}

pub(super) async fn approve(page: Page, Path(id): Path<i64>) -> PageResult {
    decided(page, id, AdjustmentEvent::Approve, None, "Approved. It counts now, and the next payout takes it.").await
}

pub(super) async fn withdraw(page: Page, Path(id): Path<i64>) -> PageResult {
    decided(page, id, AdjustmentEvent::Withdraw, None, "Withdrawn. It never counted.").await
}

#[derive(Template)]
#[template(path = "adjustments/refuse.html")]
struct RefusePage {
    frame: Frame,
    form: Form,
    row: AdjustmentRow,
    amount: String,
}

async fn shown(page: &Page, id: i64, form: Form, status: StatusCode) -> PageResult {
    let row = adjustments::find(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    let answer = RefusePage { frame: page.frame("payouts").await?, form, amount: row.money().shown(), row };
    html_with(status, &answer)
}

pub(super) async fn ask_refuse(page: Page, Path(id): Path<i64>) -> PageResult {
    shown(&page, id, Form::default(), StatusCode::OK).await
}

pub(super) async fn refuse(page: Page, Path(id): Path<i64>, mut form: Form) -> PageResult {
    let Some(reason) = form.line("reason", "The reason", 500) else {
        return shown(&page, id, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    decided(page, id, AdjustmentEvent::Refuse, Some(reason), "Refused. It never counted.").await
}
