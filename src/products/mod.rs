//! What is sold under a campaign, and the terms it pays: numbered versions that are never edited.

mod catalogue;
mod form;
mod pages;
mod save;
mod store;
mod words;

use std::collections::BTreeMap;

use crate::clock::Day;
use crate::db::{Conn, DbResult};
use crate::money::Rate;

pub use catalogue::Catalogue;
pub use pages::routes;
pub use save::{Added, NewProduct, Numbered, Renamed, add, new_terms, rename};
pub use store::{ProductLine, ProductRow, TermsRow, by_public_id, first_of, insert, insert_terms};
pub use words::{earns, line, sentence};

/// How one line of the terms pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pays {
    Percent(Rate),
    /// Minor units by currency.
    Flat(BTreeMap<String, i64>),
}

/// How long recurring commission is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    None,
    /// Calendar months after the first payment's date.
    Months(i64),
    /// Payments after the first.
    Payments(i64),
}

/// A version of terms about to be made.
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// None: from the beginning of time, as a product's first version is.
    pub valid_from: Option<Day>,
    pub referral: Pays,
    pub recurring: Pays,
    pub limit: Limit,
    pub hold_days: i64,
}

impl NewTerms {
    pub fn percent(referral: Rate, recurring: Rate, hold_days: i64) -> Self {
        Self {
            valid_from: None,
            referral: Pays::Percent(referral),
            recurring: Pays::Percent(recurring),
            limit: Limit::None,
            hold_days,
        }
    }
}

/// One product of a business.
pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<ProductRow>> {
    store::find(conn, business_id, id).await
}

/// The products of a business with the number of their versions, by campaign.
pub async fn of_business(conn: &mut Conn, business_id: i64) -> DbResult<Vec<ProductLine>> {
    store::of_business(conn, business_id).await
}

/// The products of one campaign of a business.
pub async fn of_campaign(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<Vec<ProductLine>> {
    let all = store::of_business(conn, business_id).await?;
    Ok(all.into_iter().filter(|p| p.campaign_id == campaign_id).collect())
}
