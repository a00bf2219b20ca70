//! The address that carries a code.

use super::store;
use crate::code::lookup_form;
use crate::db::{Conn, DbResult};
use crate::query::encode;

/// The address that carries a code. `elder` says that another business had the same code first.
pub fn address(public_url: &str, campaign_id: i64, code: &str, elder: bool) -> String {
    let code = encode(code);
    if elder { format!("{public_url}/r/{campaign_id}/{code}") } else { format!("{public_url}/r/{code}") }
}

/// True for the address of a link.
pub fn is_one(public_url: &str, address: &str) -> bool {
    let below = address.get(..public_url.len()).filter(|start| start.eq_ignore_ascii_case(public_url));
    below.is_some_and(|_| address[public_url.len()..].starts_with("/r/"))
}

/// The address of a business's code that is known by its text.
pub async fn of_code(conn: &mut Conn, public_url: &str, business_id: i64, code: &str) -> DbResult<Option<String>> {
    let row = store::by_lookup(conn, Some(business_id), &lookup_form(code)).await?;
    Ok(row.map(|r| address(public_url, r.campaign_id, &r.text, r.elder)))
}
