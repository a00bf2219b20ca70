//! Payments by themselves, as pages: a campaign's accounts at payment providers, and the messages that came.

mod campaign;
mod code;
mod codes;
mod connect;
mod customers;
mod history;
mod messages;
mod performance;
mod runs;
mod test;

use crate::shell::{Access, Routes};
use crate::users::Right;

pub fn routes() -> Routes {
    let (see, edit) = (Access::May(Right::SeeCampaigns), Access::May(Right::EditCampaigns));
    Routes::new()
        .get("/campaigns/{id}/payments", see, campaign::show)
        .get("/campaigns/{id}/payments/connect/{provider}", edit, connect::ask)
        .form("/campaigns/{id}/payments/connect/{provider}", edit, connect::look)
        .post("/campaigns/{id}/payments/confirm/stripe", edit, connect::confirm)
        .get("/campaigns/{id}/payments/accounts/{account}", edit, campaign::terms)
        .form("/campaigns/{id}/payments/accounts/{account}", edit, campaign::change)
        .get("/campaigns/{id}/payments/accounts/{account}/disconnect", edit, campaign::ask_disconnect)
        .post("/campaigns/{id}/payments/accounts/{account}/disconnect", edit, campaign::disconnect)
        .get("/campaigns/{id}/payments/accounts/{account}/codes", edit, codes::show)
        .form("/campaigns/{id}/payments/accounts/{account}/codes", edit, codes::save)
        .post("/campaigns/{id}/payments/accounts/{account}/codes/again", edit, codes::again)
        .get("/campaigns/{id}/payments/performance", see, performance::show)
        .get("/campaigns/{id}/payments/codes/{code}", see, code::show)
        .get("/campaigns/{id}/payments/test", see, test::show)
        .get("/campaigns/{id}/payments/accounts/{account}/customers", edit, customers::show)
        .post("/campaigns/{id}/payments/accounts/{account}/customers", edit, customers::preview)
        .post("/campaigns/{id}/payments/accounts/{account}/customers/daily", edit, customers::daily)
        .get("/campaigns/{id}/payments/accounts/{account}/history", edit, history::show)
        .form("/campaigns/{id}/payments/accounts/{account}/history", edit, history::preview)
        .get("/campaigns/{id}/payments/runs/{run}", edit, runs::show)
        .post("/campaigns/{id}/payments/runs/{run}/go", edit, runs::go_on)
        .post("/campaigns/{id}/payments/runs/{run}/discard", edit, runs::throw_away)
        .get("/provider-messages", see, messages::list)
        .get("/provider-messages/{id}", see, messages::show)
        .post("/provider-messages/{id}/apply", edit, messages::apply)
        .post("/provider-messages/{id}/dismiss", edit, messages::dismiss)
}
