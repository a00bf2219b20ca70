//! Every commission is computed again from what it froze.

use super::store::{self, Frozen};
use crate::clock::Day;
use crate::db::{Conn, DbResult};
use crate::money::Rate;

pub const RULE: &str = "a commission is its rate or flat amount on its base less refunds, held for its days";

/// Answers how many commissions there are, and the first ones that are wrong.
pub async fn check(conn: &mut Conn) -> DbResult<(i64, Vec<String>)> {
    let (mut seen, mut wrong, mut after) = (0, Vec::new(), 0);
    loop {
        let page = store::commissions_after(conn, after).await?;
        let Some(last) = page.last() else { return Ok((seen, wrong)) };
        after = last.id;
        seen += i64::try_from(page.len()).unwrap_or(0);
        for c in &page {
            if let Some(why) = fault(c)
                && wrong.len() < store::MOST
            {
                wrong.push(format!("commission {}: {why}", c.id));
            }
        }
    }
}

fn fault(c: &Frozen) -> Option<String> {
    if c.taken_back != 0 && !matches!(c.state.as_str(), "approved" | "paid") {
        return Some(format!("is {} and had {} taken back", c.state, c.taken_back));
    }
    let expected = match (c.rate.and_then(Rate::from_units), c.flat) {
        (Some(rate), _) => rate.of(c.base_amount - c.refunded),
        (None, Some(flat)) if c.kind == "reward" => flat,
        (None, Some(_)) if c.refunded > 0 && c.refunded == c.base_amount => 0,
        (None, Some(flat)) => flat.min(c.base_amount),
        (None, None) => return Some("has neither a rate nor a flat amount".into()),
    };
    // An amount taken off a paid commission is taken back; a reward is taken back whole, for another reason.
    let stands = if c.kind == "reward" { c.amount } else { c.amount - c.taken_back };
    if stands != expected {
        return Some(format!("comes to {stands} where its terms give {expected}"));
    }
    let Some(date) = &c.payment_date else { return None };
    let until = Day::parse(date).ok()?.plus_days(c.hold_days).to_string();
    (until != c.hold_until)
        .then(|| format!("is held until {} where {date} and {} days give {until}", c.hold_until, c.hold_days))
}
