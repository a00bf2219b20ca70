//! The money that a slice moves, read from its decisions: staff see it before they confirm.

use std::collections::BTreeMap;

use super::facts::Commission;
use super::ids::{CommissionId, LeadId, PaymentId, ReferrerId};
use super::state::{Account, CommissionKind, CommissionState, Decision, DecisionReason};
use super::work::Work;
use crate::clock::Day;
use crate::id::sha256_hex;
use crate::money::{Currency, Money};

/// A commission that changes, as a preview tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub commission_id: CommissionId,
    pub lead_id: LeadId,
    pub referrer_id: ReferrerId,
    pub payment_id: Option<PaymentId>,
    pub payment_date: Option<Day>,
    pub kind: CommissionKind,
    pub rate: Option<i64>,
    pub flat: Option<i64>,
    pub base_amount: i64,
    pub amount: i64,
    pub currency: Currency,
    pub terms_number: Option<i64>,
    pub hold_until: Day,
    /// The part of the payment that was given back.
    pub refunded: i64,
    /// A payment that was waiting until now earns it.
    pub was_waiting: bool,
}

/// The money of a slice: what is voided, made, held or due again, given back, taken back and left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    pub voided: Vec<Moved>,
    /// New ones, and void ones that come back.
    pub created: Vec<Moved>,
    pub approved: Vec<Moved>,
    /// Approved, and held while the payment is disputed.
    pub disputed: Vec<Moved>,
    /// Due again, the dispute being over.
    pub released: Vec<Moved>,
    /// Less by a refund; each by how much.
    pub reduced: Vec<Moved>,
    /// Paid already, and taken off the next payout.
    pub clawed_back: Vec<Moved>,
    /// Paid already, and left with whoever was paid.
    pub kept: Vec<Moved>,
    /// Waiting payments that were decided and earn nothing: (payment, why).
    pub nothing: Vec<(PaymentId, DecisionReason)>,
}

impl Moves {
    pub fn of(work: &Work) -> Self {
        let mut moves = Self::default();
        let facts = &work.facts;
        let line = |c: &Commission| Moved::of(c, work);
        let mut all: Vec<&Commission> = facts.commissions.values().collect();
        all.sort_by_key(|c| (c.lead_id, c.id));
        for c in all {
            let changed = work.writes.changed_commissions.contains_key(&c.id);
            let less = work.writes.reduced.get(&c.id).copied();
            if let Some(less) = less.filter(|_| !c.is_void()) {
                let by = if c.is_committed() { &mut moves.clawed_back } else { &mut moves.reduced };
                by.push(Moved { amount: less, ..line(c) });
            } else if let Some(less) = less {
                moves.voided.push(Moved { amount: less, ..line(c) });
            } else if c.is_void() && !changed {
                // Earned by a payment that was wholly refunded before: nothing moves.
            } else if work.writes.new_commissions.contains(&c.id) {
                moves.created.push(line(c));
            } else if changed && c.is_void() {
                moves.voided.push(line(c));
            } else if changed && c.state == CommissionState::Pending {
                moves.created.push(line(c));
            } else if let Some(account) = work.writes.moved.get(&c.id) {
                let by = if *account == Account::Held { &mut moves.disputed } else { &mut moves.released };
                by.push(line(c));
            } else if changed && c.is_unpaid() {
                moves.approved.push(line(c));
            } else if work.writes.claw_backs.iter().any(|back| back.commission_id == c.id) {
                moves.clawed_back.push(line(c));
            } else if c.is_committed() && c.reversed_at.is_none() {
                moves.kept.push(line(c));
            }
        }
        let decided = work.writes.changed_payments.difference(&work.writes.marked_payments);
        let decided = decided.filter_map(|id| facts.payments.get(id));
        moves.nothing = decided.filter(|p| p.decision == Decision::Nothing).map(|p| (p.id, p.decision_why)).collect();
        moves
    }

    /// True when anything is earned, lost or taken back.
    pub fn is_nothing(&self) -> bool {
        let decided = [&self.voided, &self.created, &self.approved, &self.disputed, &self.released];
        decided.iter().chain(&[&self.reduced, &self.clawed_back]).all(|moved| moved.is_empty())
    }

    /// Tells one preview from another: what is confirmed is what was shown.
    pub fn seal(&self) -> String {
        let mut text = String::new();
        for (word, lines) in [
            ("void", &self.voided),
            ("new", &self.created),
            ("approve", &self.approved),
            ("dispute", &self.disputed),
            ("release", &self.released),
            ("less", &self.reduced),
            ("back", &self.clawed_back),
        ] {
            for m in lines {
                let payment = m.payment_id.unwrap_or_default();
                let (lead, referrer) = (m.lead_id, m.referrer_id);
                text.push_str(&format!("{word} {lead} {referrer} {payment} {} {};", m.amount, m.currency));
            }
        }
        sha256_hex(&text).chars().take(16).collect()
    }

    /// Several slices of one preview as one.
    pub fn add(&mut self, other: Self) {
        self.voided.extend(other.voided);
        self.created.extend(other.created);
        self.approved.extend(other.approved);
        self.disputed.extend(other.disputed);
        self.released.extend(other.released);
        self.reduced.extend(other.reduced);
        self.clawed_back.extend(other.clawed_back);
        self.kept.extend(other.kept);
        self.nothing.extend(other.nothing);
    }
}

/// Sums per currency, ready to read: "120.00 EUR, 1,250.00 USD"; empty for none.
pub fn sum_shown(lines: &[Moved]) -> String {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for m in lines {
        *sums.entry(m.currency).or_default() += m.amount;
    }
    let shown: Vec<String> = sums.into_iter().map(|(currency, minor)| Money { minor, currency }.shown()).collect();
    shown.join(", ")
}

impl Moved {
    fn of(c: &Commission, work: &Work) -> Self {
        let paid = c.payment_id.and_then(|id| work.facts.payments.get(&id));
        Self {
            commission_id: c.id,
            lead_id: c.lead_id,
            referrer_id: c.referrer_id,
            payment_id: c.payment_id,
            payment_date: paid.map(|p| p.payment_date),
            kind: c.kind,
            rate: c.rate,
            flat: c.flat,
            base_amount: c.base_amount,
            amount: c.amount,
            currency: c.currency,
            terms_number: c.terms_number,
            hold_until: c.hold_until,
            refunded: paid.map_or(0, |p| p.refunded),
            was_waiting: c.payment_id.is_some_and(|id| work.writes.changed_payments.contains(&id)),
        }
    }
}
