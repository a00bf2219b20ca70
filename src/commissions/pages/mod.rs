//! Routes and pages of commissions.

mod decide;
mod export;
mod list;
mod preview;
mod show;

pub use preview::{Ask, Preview, preview};

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let decide = Access::May(Right::DecideMoney);
    Routes::new()
        .get("/commissions", Access::May(Right::SeeMoney), list::list)
        .get("/commissions/export", Access::May(Right::SeeMoney), export::export)
        .form("/commissions/bulk", decide, decide::bulk)
        .get("/commissions/{id}", Access::May(Right::SeeMoney), show::show)
        .get("/commissions/{id}/approve", decide, decide::ask_approve)
        .form("/commissions/{id}/approve", decide, decide::approve)
        .get("/commissions/{id}/void", decide, decide::ask_void)
        .form("/commissions/{id}/void", decide, decide::void)
}
