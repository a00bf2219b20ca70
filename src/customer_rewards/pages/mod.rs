//! Pages of customers' rewards: the list, its file, and the decisions about one or many.

mod act;
mod list;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let (see, decide) = (Access::May(Right::SeeMoney), Access::May(Right::DecideMoney));
    Routes::new()
        .get("/customer-rewards", see, list::list)
        .get("/customer-rewards/export", see, list::export)
        .post("/customer-rewards/bulk", decide, act::bulk)
        .post("/customer-rewards/{id}/given", decide, act::give)
        .get("/customer-rewards/{id}/early", decide, act::ask_early)
        .form("/customer-rewards/{id}/early", decide, act::give_early)
        .post("/customer-rewards/{id}/not-given", decide, act::take_back)
        .get("/customer-rewards/{id}/void", decide, act::ask_void)
        .form("/customer-rewards/{id}/void", decide, act::void)
}
