//! Routes and pages of leads, a file per thing a person does.

mod bulk;
mod dispute;
mod edit;
mod export;
mod find;
mod list;
mod merge;
mod payments;
mod qualification;
mod referrer;
mod refund;
mod show;
mod whom;

pub use find::find;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let edit = Access::May(Right::EditLeads);
    // A rep adds leads, and changes those of the day: the pages look at whose they are.
    let record = Access::May(Right::Record);
    Routes::new()
        .get("/leads", Access::May(Right::OwnLeads), list::list)
        .form("/leads", record, edit::create)
        .get("/leads/export", Access::May(Right::OwnLeads), export::export)
        .get("/leads/new", record, edit::new)
        .post("/leads/bulk", edit, bulk::bulk)
        .get("/leads/{id}", Access::May(Right::OwnLeads), show::show)
        .form("/leads/{id}", record, edit::update)
        .get("/leads/{id}/edit", record, edit::edit)
        .post("/leads/{id}/qualification", edit, qualification::toggle)
        .post("/leads/{id}/status", edit, qualification::status)
        .post("/leads/{id}/archive", edit, qualification::archive)
        .post("/leads/{id}/restore", edit, qualification::restore)
        .get("/leads/{id}/referrer", edit, referrer::choose)
        .form("/leads/{id}/referrer", edit, referrer::change)
        .get("/leads/{id}/payments", Access::May(Right::DecideMoney), payments::ask)
        .post("/leads/{id}/payments", Access::May(Right::DecideMoney), payments::earn)
        .get("/leads/{id}/payments/{payment}/refund", Access::May(Right::DecideMoney), refund::ask)
        .form("/leads/{id}/payments/{payment}/refund", Access::May(Right::DecideMoney), refund::refund)
        .get("/leads/{id}/payments/{payment}/dispute", Access::May(Right::DecideMoney), dispute::ask_mark)
        .form("/leads/{id}/payments/{payment}/dispute", Access::May(Right::DecideMoney), dispute::mark)
        .get("/leads/{id}/payments/{payment}/dispute/end", Access::May(Right::DecideMoney), dispute::ask_end)
        .form("/leads/{id}/payments/{payment}/dispute/end", Access::May(Right::DecideMoney), dispute::end)
        .get("/leads/{id}/merge", edit, merge::choose)
        .post("/leads/{id}/merge", edit, merge::merge)
}
