//! The wishes of callers: an adjustment to make, and the decision about one.

use crate::engine::payout::AdjustmentEvent;
use crate::engine::state::AdjustmentKind;
use crate::money::Money;

/// The wish for an adjustment.
#[derive(Debug, Clone)]
pub struct NewAdjustment {
    pub business_id: i64,
    pub campaign_id: i64,
    pub referrer_id: i64,
    /// A bonus above 0, a correction below.
    pub money: Money,
    pub reason: String,
    /// The user, or the holder of the key: the second person is another one.
    pub person: i64,
}

impl NewAdjustment {
    pub fn kind(&self) -> AdjustmentKind {
        if self.money.minor > 0 { AdjustmentKind::Bonus } else { AdjustmentKind::Correction }
    }
}

/// A decision about one adjustment.
#[derive(Debug, Clone)]
pub struct Decision {
    pub business_id: i64,
    pub id: i64,
    pub event: AdjustmentEvent,
    /// The user, or the holder of the key.
    pub person: i64,
    /// Why it was refused.
    pub reason: Option<String>,
}
