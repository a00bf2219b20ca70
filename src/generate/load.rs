//! The size of a load, and the first of its ids.

/// The size of a load, with its campaign.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub business_id: i64,
    pub campaign_id: i64,
    pub product_id: i64,
    pub leads: i64,
    pub referrers: i64,
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
