//! What accepting an item does: the event that is decided with the item's end.

use super::store::ItemRow;
use super::words::{Fix, fix_of, words_of};
use crate::engine::What;

/// Whom a person means, where the item itself does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant {
    pub enrollment_id: i64,
    pub code_id: Option<i64>,
}

/// The event behind one click; none where there is nothing to do, or nobody was chosen who has to be.
pub fn accepting(row: &ItemRow, chosen: Option<Claimant>) -> Option<What> {
    let lead_id = row.lead_id.unwrap_or_default();
    let attribute = |to: Claimant| What::Reattribute {
        lead_id,
        to: Some(to.enrollment_id),
        code_id: to.code_id,
        reason: format!("inbox: {}", words_of(row).title),
        pay_back: true,
    };
    let (by, outcome) = match fix_of(row) {
        Fix::Attribute => {
            let to = Claimant { enrollment_id: row.enrollment_id?, code_id: row.code_id };
            (attribute(to), format!("attributed to {}", row.referrer.clone().unwrap_or_default()))
        }
        Fix::Closest => (attribute(chosen?), "attributed to one of the closest codes".into()),
        Fix::PayBack => (What::PayBack { lead_id }, "the older payments were let earn".into()),
        Fix::RecordPayment => return Some(What::AcceptPayment { item_id: row.id }),
        Fix::None => return None,
    };
    Some(What::Settle { item_id: row.id, by: Box::new(by), outcome })
}
