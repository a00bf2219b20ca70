//! Routes and pages of statements: a referrer's months, and one statement with its files.

mod list;
mod show;

use crate::referrers::rows::{self as people, ReferrerRow};
use crate::shell::{Access, Page, Routes};
use crate::users::Right;
use crate::web::Fault;

pub fn routes() -> Routes {
    let see = Access::May(Right::SeeMoney);
    Routes::new().get("/referrers/{id}/statements", see, list::list).get(
        "/referrers/{id}/statements/{month}",
        see,
        show::show,
    )
}

/// The referrer, if they are the business's.
async fn referrer(page: &Page, id: i64) -> Result<ReferrerRow, Fault> {
    people::by_id(&mut page.read().await?, page.member.business_id, id).await?.ok_or(Fault::NotFound)
}
