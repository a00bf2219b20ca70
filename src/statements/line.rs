//! A line of a statement in words. Everything in it was frozen when its entry was written.

use super::store::LineRow;
use crate::commissions::Arithmetic;
use crate::engine::state::{AdjustmentKind, CommissionKind, EntryKind};
use crate::money::{Money, Rate};
use crate::words;

words! {
    /// The kind of a line.
    pub enum Movement {
        Earned = "earned",
        /// A void commission came back.
        Restored = "restored",
        Voided = "voided",
        /// Less by a refund, before it was paid.
        Reduced = "reduced",
        /// By a correction, after a payout had taken it.
        TakenBack = "taken back",
        Bonus = "bonus",
        Correction = "correction",
        Paid = "paid",
        /// Not paid after all: it is still owed.
        Failed = "failed",
        /// Paid, and sent back: it is owed again.
        Returned = "returned",
    }
}

impl Movement {
    pub fn title(self, is_reward: bool) -> &'static str {
        match (self, is_reward) {
            (Self::Earned, false) => "Commission",
            (Self::Earned, true) => "Reward",
            (Self::Restored, false) => "Commission again",
            (Self::Restored, true) => "Reward again",
            (Self::Voided, false) => "Commission voided",
            (Self::Voided, true) => "Reward voided",
            (Self::Reduced, _) => "Less after a refund",
            (Self::TakenBack, _) => "Taken back",
            (Self::Bonus, _) => "Bonus",
            (Self::Correction, _) => "Correction",
            (Self::Paid, _) => "Paid",
            (Self::Failed, _) => "Payment failed",
            (Self::Returned, _) => "Payment returned",
        }
    }
}

impl LineRow {
    pub fn movement(&self) -> Movement {
        match (self.kind, self.adjusted_by) {
            (EntryKind::Restored, _) => Movement::Restored,
            (EntryKind::Voided, _) => Movement::Voided,
            (EntryKind::Refunded, _) => Movement::Reduced,
            (EntryKind::ClawedBack, _) => Movement::TakenBack,
            (EntryKind::Adjusted, Some(AdjustmentKind::Bonus)) => Movement::Bonus,
            (EntryKind::Adjusted, _) => Movement::Correction,
            (EntryKind::Paid, _) => Movement::Paid,
            (EntryKind::Failed, _) => Movement::Failed,
            (EntryKind::Returned, _) => Movement::Returned,
            _ => Movement::Earned,
        }
    }

    pub fn title(&self) -> &'static str {
        self.movement().title(self.is_reward())
    }

    fn is_reward(&self) -> bool {
        self.earned_by == Some(CommissionKind::Reward)
    }

    /// The change of what is owed.
    pub fn effect(&self) -> i64 {
        match self.kind {
            EntryKind::Paid => -self.amount,
            EntryKind::Failed => 0,
            _ => self.amount,
        }
    }

    pub fn rate(&self) -> Option<Rate> {
        self.rate.and_then(Rate::from_units)
    }

    fn arithmetic(&self) -> Option<Arithmetic<'_>> {
        Some(Arithmetic {
            kind: self.earned_by?.word(),
            rate: self.rate,
            flat: self.flat,
            base_amount: self.base_amount?,
            amount: self.amount,
            currency: self.currency.code(),
            terms_number: self.terms_number,
            hold_until: "".into(),
            refunded: 0,
        })
    }

    /// The reason of the amount: arithmetic, payout, or a person's words.
    pub fn about(&self) -> String {
        let shown = |minor: i64| Money { minor, currency: self.currency }.shown();
        let reason = self.reason.as_deref().unwrap_or_default();
        let payout = || {
            let by = self.method.map(|method| format!(", {}", method.within())).unwrap_or_default();
            let name = self.payout_number.map(|number| format!("payout P-{number}{by}")).unwrap_or_default();
            // A sentence follows, or nothing.
            let reason = reason.trim_end_matches('.');
            if reason.is_empty() { name } else { format!("{name}: {reason}") }
        };
        match self.movement() {
            Movement::Earned | Movement::Restored => {
                let Some(arithmetic) = self.arithmetic() else { return String::new() };
                let rounded = arithmetic.rounded().map(|exact| format!(", rounded from {exact}")).unwrap_or_default();
                format!("{}{rounded}", arithmetic.sum())
            }
            Movement::Voided | Movement::Reduced => String::new(),
            Movement::TakenBack => "It was paid, or on its way, before the payment was given back.".into(),
            Movement::Bonus | Movement::Correction => reason.to_owned(),
            Movement::Failed => format!("{} of {}. It is still owed.", shown(self.amount), payout()),
            Movement::Paid | Movement::Returned => payout(),
        }
    }
}
