//! The effect of accepting an item: the event that is decided together with the item's end.

use super::store::ItemRow;
use super::words::{Fix, fix_of, words_of};
use crate::engine::What;

/// The referrer a person chose, where the item itself names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant {
    pub enrollment_id: i64,
    pub code_id: Option<i64>,
}

/// The event behind one click; `None` when there is nothing to do, or a required referrer was not chosen.
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
