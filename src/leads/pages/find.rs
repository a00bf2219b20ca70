//! The lead that a page is about.

use crate::leads::LeadRow;
use crate::leads::rows;
use crate::shell::Page;
use crate::users::Right;
use crate::web::Fault;

/// The lead, if it is the business's and this person may see it.
pub async fn find(page: &Page, id: i64) -> Result<LeadRow, Fault> {
    let mut conn = page.read().await?;
    let lead = rows::by_id(&mut conn, page.member.business_id, id).await?.ok_or(Fault::NotFound)?;
    let seen = page.member.may(Right::SeeLeads) || lead.recorded_by == Some(page.member.user_id);
    if seen { Ok(lead) } else { Err(Fault::Colleague) }
}
