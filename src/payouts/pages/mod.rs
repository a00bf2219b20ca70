//! Routes and pages of payouts: what is owed, a payout from its draft to the last line, and every decision about it.

mod act;
mod file;
mod format;
mod left_out;
mod list;
mod results;
mod settings;
mod show;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let pay = Access::May(Right::Pay);
    // The file has a limit of its own, which `Upload` counts as it comes.
    let upload = format::saved.layer(DefaultBodyLimit::disable());
    Routes::new()
        .get("/payouts", pay, list::list)
        .form("/payouts", pay, list::create)
        .get("/payouts/left-out", pay, left_out::show)
        .get("/payouts/settings", Access::May(Right::Business), settings::show)
        .form("/payouts/settings", Access::May(Right::Business), settings::update)
        .get("/payouts/settings/{format}", Access::May(Right::Business), format::show)
        .form("/payouts/settings/{format}", Access::May(Right::Business), format::update)
        .post("/payouts/settings/wise/recipients", Access::May(Right::Business), upload)
        .get("/payouts/{id}", pay, show::show)
        .post("/payouts/{id}/refresh", pay, act::refresh)
        .post("/payouts/{id}/drop", pay, act::drop_draft)
        .get("/payouts/{id}/lock", pay, act::ask_lock)
        .post("/payouts/{id}/lock", pay, act::lock)
        .get("/payouts/{id}/unlock", pay, act::ask_unlock)
        .form("/payouts/{id}/unlock", pay, act::unlock)
        .post("/payouts/{id}/approve", pay, act::approve)
        .get("/payouts/{id}/paid", pay, act::ask_paid)
        .post("/payouts/{id}/paid", pay, act::pay_all)
        .get("/payouts/{id}/file", pay, file::file)
        .get("/payouts/{id}/files", pay, file::files)
        .get("/payouts/{id}/results", pay, results::ask)
        .post("/payouts/{id}/results", pay, results::upload.layer(DefaultBodyLimit::disable()))
        .get("/payouts/{id}/results/{report}", pay, results::show)
        .post("/payouts/{id}/results/{report}", pay, results::decide)
        .get("/payouts/{id}/close", pay, act::ask_close)
        .post("/payouts/{id}/close", pay, act::close)
        .form("/payouts/{id}/lines", pay, act::lines)
}
