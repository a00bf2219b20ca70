//! The story of one payment: what all messages about it say together, in whatever order and however often they came.
//!
//! Messages are never applied one by one. Each new one makes its payment's story be read anew, and what the story says
//! beyond what the engine knows is what happens. So messages that come late, twice or in another
//! order lead to the same ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::told::{Dispute, DisputeState, Fact, Hint, Paid, Refund, RefundState, Told, Who};
use crate::clock::Instant;
use crate::money::Currency;

/// All that is known of one payment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Story {
    pub paid: Option<Paid>,
    pub who: Who,
    /// The best first.
    pub hints: Vec<Hint>,
    /// When a code was used, where one was.
    pub used_at: Option<Instant>,
    /// Given back so far, lost disputes included, in minor units of the payment's gross amount.
    pub refunded: i64,
    pub refunded_at: Option<Instant>,
    /// Whether a dispute is open; `None` where no message tells of any.
    pub disputed: Option<bool>,
    /// A refund failed, or a dispute was won after all: money that was given back is the business's again.
    pub came_back: bool,
    /// The currencies that refunds and disputes say.
    pub currencies: BTreeSet<Currency>,
    /// A refund was told that is not money yet.
    pub is_pending: bool,
    /// Another message gives the same payment with another amount.
    pub amounts_differ: bool,
}

impl Story {
    pub fn of<'t>(told: impl IntoIterator<Item = &'t Told>) -> Self {
        let facts: Vec<&Fact> = told.into_iter().flat_map(|told| &told.facts).collect();
        let mut story = Self::default();
        story.take_paid(&facts);
        story.take_refunds(&facts);
        story.take_disputes(&facts);
        story
    }

    fn take_paid(&mut self, facts: &[&Fact]) {
        let mut all: Vec<&Paid> =
            facts.iter().filter_map(|fact| if let Fact::Paid(p) = fact { Some(p) } else { None }).collect();
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut uses: Vec<_> =
            facts.iter().filter_map(|fact| if let Fact::Used(u) = fact { Some(u) } else { None }).collect();
        uses.sort_by(|a, b| (a.at, &a.hints, &a.who.email).cmp(&(b.at, &b.hints, &b.who.email)));
        for who in all.iter().map(|p| &p.who).chain(uses.iter().map(|u| &u.who)) {
            self.who = std::mem::take(&mut self.who).or(who);
        }
        let hints: BTreeSet<&Hint> =
            all.iter().flat_map(|p| &p.hints).chain(uses.iter().flat_map(|u| &u.hints)).collect();
        self.hints = hints.into_iter().cloned().collect();
        self.used_at = uses.iter().map(|u| u.at).chain(all.iter().filter(|p| !p.hints.is_empty()).map(|p| p.at)).min();
        self.amounts_differ =
            all.windows(2).any(|w| matches!(w, [a, b] if (a.gross, a.currency) != (b.gross, b.currency)));
        self.paid = all
            .first()
            .map(|first| Paid { at: all.iter().map(|p| p.at).min().unwrap_or(first.at), ..(*first).clone() });
    }

    fn take_refunds(&mut self, facts: &[&Fact]) {
        let mut by_id: BTreeMap<&str, &Refund> = BTreeMap::new();
        let mut so_far = 0;
        let mut last: Option<Instant> = None;
        for fact in facts {
            match fact {
                Fact::Refunded(refund) => {
                    self.currencies.extend(refund.currency);
                    let known = by_id.entry(&refund.id).or_insert(refund);
                    if (refund.state, refund.at, refund.amount) > (known.state, known.at, known.amount) {
                        *known = refund;
                    }
                    last = last.max(Some(refund.at));
                }
                Fact::RefundedSoFar { amount, currency, at } => {
                    self.currencies.extend(*currency);
                    so_far = so_far.max(*amount);
                    last = last.max(Some(*at));
                }
                _ => {}
            }
        }
        let sum =
            |state| by_id.values().filter(|r| r.state == state).fold(0_i64, |sum, r| sum.saturating_add(r.amount));
        // The charge's own sum has refunds in it that are under way, and was told before one of them failed.
        let under_way = sum(RefundState::Failed).saturating_add(sum(RefundState::Pending));
        self.refunded = sum(RefundState::Done).max(so_far.saturating_sub(under_way));
        self.came_back = sum(RefundState::Failed) > 0;
        self.is_pending = by_id.values().any(|r| r.state == RefundState::Pending);
        self.refunded_at = last;
    }

    fn take_disputes(&mut self, facts: &[&Fact]) {
        let mut by_id: BTreeMap<&str, &Dispute> = BTreeMap::new();
        let mut was_lost = false;
        for fact in facts {
            let Fact::Disputed(dispute) = fact else { continue };
            was_lost |= dispute.state == DisputeState::Lost;
            self.currencies.extend(dispute.currency);
            let known = by_id.entry(&dispute.id).or_insert(dispute);
            if dispute.rank() > known.rank() {
                *known = dispute;
            }
        }
        // A question of the bank is no dispute.
        let mut told = by_id.values().filter(|d| d.state != DisputeState::Inquiry).peekable();
        self.disputed = told.peek().is_some().then(|| by_id.values().any(|d| d.state == DisputeState::Open));
        let lost: Vec<&&Dispute> = by_id.values().filter(|d| d.state == DisputeState::Lost).collect();
        self.came_back |= was_lost && lost.is_empty();
        self.refunded = lost.iter().fold(self.refunded, |sum, d| sum.saturating_add(d.amount));
        self.refunded_at = self.refunded_at.max(lost.iter().map(|d| d.at).max());
    }

    /// It tells of money that was given back, or may be.
    pub fn tells_of_return(&self) -> bool {
        self.refunded > 0 || self.disputed.is_some() || self.is_pending
    }

    /// The refunds, as a part of the amount that the engine knows: the same share of it as of the gross amount, rounded
    /// half away from zero; all of it when all was given back.
    pub fn refunded_of(&self, amount: i64) -> i64 {
        let gross = self.paid.as_ref().map_or(amount, |paid| paid.gross);
        if gross <= 0 || self.refunded >= gross {
            return if self.refunded > 0 { amount } else { 0 };
        }
        let (refunded, amount, gross) = (i128::from(self.refunded), i128::from(amount), i128::from(gross));
        i64::try_from((2 * refunded * amount + gross) / (2 * gross)).unwrap_or(i64::MAX)
    }
}

/// Messages of one payment are ordered by their content alone: the order they came in does not count.
fn order(p: &Paid) -> (u8, Instant, i64, &str, &[Hint], &Who) {
    (p.rank, p.at, p.gross, p.currency.code(), &p.hints, &p.who)
}
