//! The size of a load, and the first of its ids.

use crate::clock::Day;

/// The size of a load, with its campaign.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub business_id: i64,
    pub campaign_id: i64,
    pub product_id: i64,
    pub leads: i64,
    pub referrers: i64,
}

/// The terms that all payments of the load are paid under, and the day of the payments.
#[derive(Debug, Clone, Copy)]
pub struct Paid {
    pub terms_id: i64,
    pub terms_number: i64,
    /// In ten-thousandths of a percent.
    pub rate: i64,
    pub hold_days: i64,
    pub day: Day,
}

/// Seconds between two leads.
pub const SECONDS_APART: i64 = 30;

/// The first id of each kind of row.
#[derive(Debug, Clone, Copy)]
pub struct Bases {
    pub referrer: i64,
    pub enrollment: i64,
    pub code: i64,
    pub lead: i64,
    pub touch: i64,
    pub payment: i64,
    pub commission: i64,
    pub entry: i64,
}
