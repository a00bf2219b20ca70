//! The line that a payout would have for a referrer now: what it would take, and what is kept from it.

use super::line::{Built, build};
use super::store;
use crate::db::{Conn, DbResult};
use crate::engine::payout::{self as engine, Selection};
use crate::money::Currency;
use crate::payout_details::{self, Method, Offered};

/// The doing of a payout of all campaigns, by the referrer's own way of paying, with everything that is approved.
#[derive(Debug, Clone)]
pub struct Standing {
    /// By hand, where no details say how they are paid.
    pub method: Method,
    pub has_details: bool,
    pub line: Built,
    /// Minor units that are kept from a payout, by reason.
    pub disputed: i64,
    pub banned: i64,
    /// Each part that its campaign does not pay by the method, with the ways that it offers.
    pub not_offered: Vec<(i64, Offered)>,
}

/// None where nothing is approved. Read as sums: a referrer may have any number of commissions.
pub async fn standing(
    conn: &mut Conn,
    business_id: i64,
    referrer_id: i64,
    currency: Currency,
) -> DbResult<Option<Standing>> {
    let all = Selection { business_id, campaign_id: None, currency };
    let groups = engine::summed(conn, &all, referrer_id).await?;
    if groups.is_empty() {
        return Ok(None);
    }
    let details = payout_details::current_of(conn, business_id, &[referrer_id]).await?.pop();
    let minimums = store::minimums(conn, business_id, currency).await?;
    let (method, has_details) = (details.as_ref().map_or(Method::Hand, |d| d.method), details.is_some());
    let minimum_of = |campaign: i64| minimums.get(&campaign).copied().unwrap_or(0);
    let (mut disputed, mut banned, mut not_offered) = (0, 0, Vec::new());
    for group in &groups {
        if group.disputed {
            disputed += group.amount;
        } else if group.banned {
            banned += group.amount;
        } else if group.amount > 0 && !group.offered.has(method) {
            not_offered.push((group.amount, group.offered.clone()));
        }
    }
    let line = build(referrer_id, &groups, minimum_of, method, details, false);
    Ok(Some(Standing { method, has_details, line, disputed, banned, not_offered }))
}
