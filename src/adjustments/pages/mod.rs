//! Pages of adjustments: the list, the form on the way from a referrer's page, and the second person's word.

mod act;
mod form;
mod list;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let pay = Access::May(Right::Pay);
    Routes::new()
        .get("/adjustments", pay, list::list)
        .get("/referrers/{id}/adjustments/new", pay, form::new)
        .form("/referrers/{id}/adjustments", pay, form::create)
        .post("/adjustments/{id}/approve", pay, act::approve)
        .post("/adjustments/{id}/withdraw", pay, act::withdraw)
        .get("/adjustments/{id}/refuse", pay, act::ask_refuse)
        .form("/adjustments/{id}/refuse", pay, act::refuse)
}
