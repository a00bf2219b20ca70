//! The effect of accepting an item: the event that is decided together with the item's end.

use super::store::ItemRow;
use super::words::{Fix, fix_of, words_of};
use crate::engine::{AcceptPayment, PayBack, Reattribute, SettleItem, What};

/// The referrer a person chose, where the item itself names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant {
    pub enrollment_id: i64,
    pub code_id: Option<i64>,
}

/// The event behind one click; `None` when there is nothing to do, or a required referrer was not chosen.
pub fn accepting(row: &ItemRow, chosen: Option<Claimant>) -> Option<What> {
    let lead_id = row.lead_id.unwrap_or_default().into();
    let attribute = |to: Claimant| Reattribute {
        lead_id,
        to: Some(to.enrollment_id.into()),
        code_id: to.code_id.map(Into::into),
        reason: format!("inbox: {}", words_of(row).title),
        pay_back: true,
    };
    let (by, outcome): (What, String) = match fix_of(row) {
        Fix::Attribute => {
            let to = Claimant { enrollment_id: row.enrollment_id?, code_id: row.code_id };
            (attribute(to).into(), format!("given to {}", row.referrer.clone().unwrap_or_default()))
        }
        Fix::Closest => (attribute(chosen?).into(), "given to one of the closest codes".into()),
        Fix::Reward => (PayBack::reward(lead_id, row.referrer_id?.into()).into(), "the reward was given".into()),
        Fix::PayBack => (PayBack::of(lead_id).into(), "commission was given for the older payments".into()),
        Fix::RecordPayment => return Some(AcceptPayment { item_id: row.id.into() }.into()),
        Fix::None => return None,
    };
    Some(SettleItem { item_id: row.id.into(), by: Box::new(by), outcome }.into())
}
