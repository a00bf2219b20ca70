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
    /// The part of what was given back once that is the business's again, in the same units: refunds that failed, disputes
    /// that were won after all.
    pub failed: i64,
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
        let mut were_done: BTreeSet<&str> = BTreeSet::new();
        let mut so_far = 0;
        let mut last: Option<Instant> = None;
        for fact in facts {
            match fact {
                Fact::Refunded(refund) => {
                    self.currencies.extend(refund.currency);
                    if refund.state == RefundState::Done {
                        were_done.insert(&refund.id);
                    }
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
        let sum = |is: &dyn Fn(&Refund) -> bool| {
            by_id.values().filter(|r| is(r)).fold(0_i64, |sum, r| sum.saturating_add(r.amount))
        };
        let (done, failed) = (sum(&|r| r.state == RefundState::Done), sum(&|r| r.state == RefundState::Failed));
        let pending = sum(&|r| r.state == RefundState::Pending);
        // The charge's own sum has refunds in it that are under way, and was told before one of them failed.
        self.refunded = done.max(so_far.saturating_sub(failed).saturating_sub(pending));
        // A refund that failed was given back once where a message of its own said so, or the charge's sum had it.
        let failed_after = sum(&|r| r.state == RefundState::Failed && were_done.contains(r.id.as_str()));
        let others = so_far.saturating_sub(done).saturating_sub(failed_after).max(0);
        self.failed = failed_after.saturating_add(others.min(failed - failed_after));
        self.is_pending = pending > 0;
        self.refunded_at = last;
    }

    fn take_disputes(&mut self, facts: &[&Fact]) {
        let mut by_id: BTreeMap<&str, &Dispute> = BTreeMap::new();
        let mut were_lost: BTreeSet<&str> = BTreeSet::new();
        for fact in facts {
            let Fact::Disputed(dispute) = fact else { continue };
            if dispute.state == DisputeState::Lost {
                were_lost.insert(&dispute.id);
            }
            self.currencies.extend(dispute.currency);
            let known = by_id.entry(&dispute.id).or_insert(dispute);
            if dispute.rank() > known.rank() {
                *known = dispute;
            }
        }
        // A question of the bank is no dispute.
        let mut told = by_id.values().filter(|d| d.state != DisputeState::Inquiry).peekable();
        self.disputed = told.peek().is_some().then(|| by_id.values().any(|d| d.state == DisputeState::Open));
        let lost = |d: &&&Dispute| d.state == DisputeState::Lost;
        let sum = |sum: i64, d: &&Dispute| sum.saturating_add(d.amount);
        self.refunded = by_id.values().filter(lost).fold(self.refunded, sum);
        let won_after = by_id.values().filter(|d| !lost(d) && were_lost.contains(d.id.as_str()));
        self.failed = won_after.fold(self.failed, sum);
        self.refunded_at = self.refunded_at.max(by_id.values().filter(lost).map(|d| d.at).max());
    }

    /// It tells of money that was given back, or may be.
    pub fn tells_of_return(&self) -> bool {
        self.refunded > 0 || self.disputed.is_some() || self.is_pending
    }

    /// The refunds, as a part of the amount that the engine knows: the same share of it as of the gross amount, rounded
    /// half away from zero; all of it when all was given back.
    pub fn refunded_of(&self, amount: i64) -> i64 {
        if self.refunded > 0 && self.refunded >= self.gross(amount) {
            return amount;
        }
        self.share(self.refunded, amount)
    }

    /// The part of what was given back once that is the business's again, as the same share. It is more than the amount
    /// where refunds failed again and again.
    pub fn failed_of(&self, amount: i64) -> i64 {
        self.share(self.refunded.saturating_add(self.failed), amount) - self.share(self.refunded, amount)
    }

    fn gross(&self, amount: i64) -> i64 {
        self.paid.as_ref().map_or(amount, |paid| paid.gross)
    }

    fn share(&self, given: i64, amount: i64) -> i64 {
        let gross = i128::from(self.gross(amount));
        if gross <= 0 {
            return 0;
        }
        let (given, amount) = (i128::from(given), i128::from(amount));
        i64::try_from((2 * given * amount + gross) / (2 * gross)).unwrap_or(i64::MAX)
    }
}

/// Messages of one payment are ordered by their content alone: the order they came in does not count.
fn order(p: &Paid) -> (u8, Instant, i64, &str, &[Hint], &Who) {
    (p.rank, p.at, p.gross, p.currency.code(), &p.hints, &p.who)
}
