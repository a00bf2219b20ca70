//! Products, which are sold under a campaign, and their terms: numbered versions that are never edited.

mod catalogue;
pub mod pages;
mod save;
mod store;
mod terms;
mod words;

use crate::db::{Conn, DbResult};

pub use catalogue::Catalogue;
pub use save::{Added, NewProduct, Numbered, Renamed, add, new_terms, rename};
pub use store::versions;
pub use store::{
    InForce, ProductLine, ProductRow, TermsRow, by_public_id, find, first_of, in_force, insert, insert_terms,
    of_business,
};
pub use terms::{Limit, NewTerms, Pays};
pub use words::{earns, line, pays, sentence};

/// The products of one campaign of a business.
pub async fn of_campaign(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<Vec<ProductLine>> {
    let all = store::of_business(conn, business_id).await?;
    Ok(all.into_iter().filter(|p| p.campaign_id == campaign_id).collect())
}
