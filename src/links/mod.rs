//! Links: addresses that carry a code. Whoever follows one is counted, gets the code as a cookie, and
//! goes on to the page the campaign names; [`follow`] decides where to, [`Clicks`] counts.
//!
//! `/r/CODE` names no business, and two businesses may have the same code. The address then belongs to
//! the business that had the code first, for ever, so that a printed link never begins to lead
//! elsewhere; the other's links say its campaign as well: `/r/1003/CODE`. [`address`] knows which.

mod clicks;
mod follow;
mod pages;
mod qr;
mod store;
mod target;
mod visitor;

pub use clicks::{Click, Clicks};
pub use follow::{Followed, Place, Refers, follow, qr_address};
pub use pages::routes;
pub use qr::svg;
pub use target::{cookie_domain, with_code};
pub use visitor::is_person;

use crate::db::{Conn, DbResult};
use crate::web::list::encode;

/// The address that carries a code. `elder` says that another business had the same code first.
pub fn address(public_url: &str, campaign_id: i64, code: &str, elder: bool) -> String {
    let code = encode(code);
    if elder { format!("{public_url}/r/{campaign_id}/{code}") } else { format!("{public_url}/r/{code}") }
}

/// Whether an address is a link of ours.
pub fn is_one(public_url: &str, address: &str) -> bool {
    let below = address.get(..public_url.len()).filter(|start| start.eq_ignore_ascii_case(public_url));
    below.is_some_and(|_| address[public_url.len()..].starts_with("/r/"))
}

/// The address of a business's code that is known by its text.
pub async fn of_code(conn: &mut Conn, public_url: &str, business_id: i64, code: &str) -> DbResult<Option<String>> {
    let row = store::by_lookup(conn, Some(business_id), &crate::code::lookup_form(code)).await?;
    Ok(row.map(|r| address(public_url, r.campaign_id, &r.text, r.elder)))
}
