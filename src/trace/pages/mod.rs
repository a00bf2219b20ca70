//! Routes and pages of traces: the answers to staff, the links they make, and what a stranger sees by one.

mod balance;
mod share;
mod show;
mod visitor;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let see = Access::May(Right::SeeMoney);
    let decide = Access::May(Right::DecideMoney);
    Routes::new()
        .get("/why/balances/{id}/{currency}", see, balance::show)
        .get("/why/{of}/{id}", see, show::show)
        .post("/why/balances/{id}/{currency}/links", decide, share::make_of_balance)
        .post("/why/{of}/{id}/links", decide, share::make)
        .post("/why/links/{id}/end", decide, share::end)
        .get("/t/{token}", Access::Public, visitor::show)
}
