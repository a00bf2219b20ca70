//! The decisions about a whole payout.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::shape::PayoutWithLines;
use super::{ID, answer, of_caller, refused};
use crate::api::Caller;
use crate::api::field::Line;
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::{InPath, Sent};
use crate::app::App;
use crate::clock::Day;
use crate::db::DbResult;
use crate::object;
use crate::payouts::{self, Approver, Refused};
use crate::users::Role;

pub fn calls(api: Api) -> Api {
    let decision = |path, id, title| {
        Operation::post(path, id, title)
            .once()
            .scope("payouts:write")
            .in_path("payout", ID)
            .answers::<PayoutWithLines>(200, "The payout as it is now.", "")
            .refuses(&[404, 409])
    };
    api.with(
        decision("/v1/payouts/{payout}/refresh", "refreshPayout", "Find the lines of a draft again")
            .about("By what is approved now. Those who were left out by hand stay out."),
        refresh,
    )
    .with(
        decision("/v1/payouts/{payout}/lock", "lockPayout", "Lock a draft")
            .about("Its amounts leave what is due, so that nothing can be in two payouts. Send the `fingerprint` of the draft that was reviewed: where anything of it has changed since, this is refused and nothing moves (409 `payout_changed`). A large payout is `locking` for a moment.")
            .takes::<Reviewed>(r#"{"fingerprint": "5f3c…"}"#),
        lock,
    )
    .with(
        decision("/v1/payouts/{payout}/unlock", "unlockPayout", "Undo the lock of a payout")
            .about("Everything is due again, and the payout is a draft. Refused once a line is paid, failed or returned.")
            .takes::<Undone>(r#"{"reason": "wrong currency"}"#),
        unlock,
    )
    .with(
        decision("/v1/payouts/{payout}/approve", "approvePayout", "Approve a locked payout")
            .about("Where the business asks for a second person: not the one who locked it. Where it asks for an owner, the key has to be an owner's."),
        approve,
    )
    .with(
        decision("/v1/payouts/{payout}/paid", "payPayout", "Mark every line that is left as paid")
            .about("Lines that failed before stay failed.")
            .takes::<PaidOn>(r#"{"day": "2026-11-30"}"#),
        pay_all,
    )
    .with(
        decision("/v1/payouts/{payout}/close", "closePayout", "Close a payout")
            .about("Every line has to be paid, failed or returned. A closed payout never changes."),
        close,
    )
}

object! {
    /// The draft that was reviewed.
    strict struct Reviewed {
        /// The `fingerprint` of the draft.
        fingerprint "fingerprint": Line<64>,
    }
}

object! {
    /// Why.
    strict struct Undone {
        /// For the history.
        reason "reason": Line<500>,
    }
}

object! {
    /// When it was paid.
    strict struct PaidOn {
        /// The business's day; today without one.
        day "day": Option<Day>,
    }
}

/// The holder of the key; a key that nobody holds stands for itself.
pub(in crate::api::v1) fn person(caller: &Caller) -> i64 {
    caller.key.row.held_by.unwrap_or(caller.key.row.id)
}

/// True for an owner's key, and for one that the machine's administrator made.
pub(super) fn is_owner(caller: &Caller) -> bool {
    match (caller.key.row.held_by, caller.key.row.holder_role.as_deref()) {
        (None, _) => true,
        (Some(_), role) => role.and_then(Role::parse) == Some(Role::Owner),
    }
}

async fn done(app: &App, caller: &Caller, id: i64, done: DbResult<Result<(), Refused>>) -> Result<Response, Problem> {
    done?.map_err(|why| refused(&why))?;
    answer(app, caller, id, &HeaderMap::new(), StatusCode::OK).await
}

async fn refresh(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    done(&app, &caller, id, payouts::refresh(&app, &caller.actor, caller.business_id(), id).await).await
}

async fn lock(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(seen): Sent<Reviewed>,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    let business_id = caller.business_id();
    done(
        &app,
        &caller,
        id,
        payouts::lock(&app, &caller.actor, business_id, id, seen.fingerprint.0, Some(person(&caller))).await,
    )
    .await
}

async fn unlock(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(why): Sent<Undone>,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    let business_id = caller.business_id();
    done(&app, &caller, id, payouts::unlock(&app, &caller.actor, business_id, id, why.reason.0).await).await
}

async fn approve(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    let who = Approver { person: Some(person(&caller)), is_owner: is_owner(&caller) };
    done(&app, &caller, id, payouts::approve(&app, &caller.actor, caller.business_id(), id, who).await).await
}

async fn pay_all(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Sent(paid): Sent<PaidOn>,
) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    let day = paid.day;
    done(&app, &caller, id, payouts::pay_all(&app, &caller.actor, caller.business_id(), id, day).await).await
}

async fn close(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let id = of_caller(&app, &caller, &text).await?.id;
    done(&app, &caller, id, payouts::close(&app, &caller.actor, caller.business_id(), id).await).await
}
