//! The figures of the rows of a page, exact to the moment.

use std::collections::BTreeMap;

use super::store;
use crate::counters;
use crate::db::{Conn, DbResult};
use crate::money::{Currency, Money};

/// Sums of counters by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(BTreeMap<String, i64>);

impl Figures {
    fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    pub fn clicks(&self) -> i64 {
        self.get("clicks")
    }

    pub fn leads(&self) -> i64 {
        self.get("leads")
    }

    pub fn qualified(&self) -> i64 {
        self.get("qualified")
    }

    /// The payments of the leads, less refunds, by currency; without those that come to nothing.
    pub fn revenue(&self) -> Vec<Money> {
        self.money("revenue.")
    }

    /// The earnings of the referrer: all commissions that are not void, less what was taken back.
    pub fn earned(&self) -> Vec<Money> {
        self.money("earned.")
    }

    fn money(&self, prefix: &str) -> Vec<Money> {
        let of_prefix = self.0.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        let money = of_prefix.filter(|(_, minor)| **minor != 0).filter_map(|(name, minor)| {
            let currency = Currency::parse(name.strip_prefix(prefix)?).ok()?;
            Some(Money { minor: *minor, currency })
        });
        money.collect()
    }
}

/// The figures of some codes, by code.
pub async fn of_codes(conn: &mut Conn, codes: &[i64]) -> DbResult<BTreeMap<i64, Figures>> {
    let mut figures: BTreeMap<i64, Figures> = BTreeMap::new();
    for ((code, name), value) in counters::totals(conn, codes).await? {
        figures.entry(code).or_default().0.insert(name, value);
    }
    Ok(figures)
}

/// The payments of the leads of a campaign who came by a code, less refunds, by currency. Only so many codes are added
/// up, those with the most leads; true where the campaign may have more.
pub async fn revenue_of_codes(conn: &mut Conn, campaign_id: i64, most: i64) -> DbResult<(Vec<Money>, bool)> {
    let found = store::revenue_of_codes(conn, campaign_id, most).await?;
    let is_cut = found.iter().any(|(_, _, codes)| *codes >= most);
    let sums = found.into_iter().map(|(name, value, _)| (name, value)).collect();
    Ok((Figures(sums).revenue(), is_cut))
}

/// The figures of some enrollments, by enrollment: of all their codes, and of what came without one.
pub async fn of_enrollments(conn: &mut Conn, enrollments: &[i64]) -> DbResult<BTreeMap<i64, Figures>> {
    let mut owner: BTreeMap<i64, i64> = enrollments.iter().map(|id| (*id, *id)).collect();
    owner.extend(store::codes(conn, enrollments).await?.into_iter().map(|(enrollment, code)| (code, enrollment)));
    let scopes: Vec<i64> = owner.keys().copied().collect();
    let mut figures: BTreeMap<i64, Figures> = BTreeMap::new();
    for ((scope, name), value) in counters::totals(conn, &scopes).await? {
        if let Some(enrollment) = owner.get(&scope) {
            *figures.entry(*enrollment).or_default().0.entry(name).or_default() += value;
        }
    }
    Ok(figures)
}
