//! Everything that can be seen of a story from outside, and how the [`model`](super::model) sees it.

use std::collections::BTreeMap;

use super::model::{Cause, Commission, LineState, Model, State};

/// A commission or a reward, as it can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub who: usize,
    pub payment: Option<usize>,
    pub referrer: usize,
    pub kind: &'static str,
    pub base: i128,
    pub amount: i128,
    pub taken_back: i128,
    pub state: &'static str,
    pub void_cause: &'static str,
    pub in_line: bool,
    pub reversed: bool,
    /// Days from the beginning.
    pub held_until: i64,
}

/// (referrer, currency, account) to what is on it.
pub type Balances = BTreeMap<(usize, usize, &'static str), i128>;

/// Everything that can be seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    pub rows: Vec<Row>,
    pub balances: Balances,
    /// Payment, amount, what was given back, disputed.
    pub payments: Vec<(usize, i128, i128, bool)>,
    /// Referrer and state, each referrer's in their order.
    pub lines: Vec<(usize, &'static str)>,
}

impl Model {
    pub fn picture(&self) -> Picture {
        let mut balances = Balances::new();
        for (at, c) in self.commissions.iter().enumerate() {
            let account = match c.state {
                State::Void(_) => continue,
                State::Paid => "paid",
                State::Approved if c.line.is_some() => "paying",
                State::Approved if !self.is_disputed(at) => "due",
                State::Approved | State::Pending => "held",
            };
            *balances.entry((c.referrer, c.currency, account)).or_default() += c.amount;
        }
        for correction in &self.corrections {
            let c = &self.commissions[correction.of];
            let account = match correction.line.map(|line| self.lines[line].state) {
                Some(LineState::Paid) => "paid",
                Some(_) => "paying",
                None => "due",
            };
            *balances.entry((c.referrer, c.currency, account)).or_default() -= correction.amount;
        }
        balances.retain(|_, sum| *sum != 0);
        let mut rows: Vec<Row> = self.commissions.iter().map(row).collect();
        rows.sort();
        let payments = self.payments.iter().enumerate();
        let payments = payments.filter_map(|(n, p)| p.as_ref().map(|p| (n, p.amount, p.refunded, p.disputed)));
        let mut lines: Vec<_> = self.lines.iter().map(|line| (line.referrer, line.state.word())).collect();
        lines.sort_by_key(|(referrer, _)| *referrer);
        Picture { rows, balances, payments: payments.collect(), lines }
    }
}

fn row(c: &Commission) -> Row {
    let (state, void_cause) = match c.state {
        State::Pending => ("pending", ""),
        State::Approved => ("approved", ""),
        State::Paid => ("paid", ""),
        State::Void(Cause::Refunded) => ("void", "refunded"),
        State::Void(Cause::Moved) => ("void", "re-attributed"),
        State::Void(Cause::Unqualified) => ("void", "unqualified"),
        State::Void(Cause::Staff) => ("void", "staff"),
    };
    let kind = match (c.payment, c.first) {
        (None, _) => "reward",
        (Some(_), true) => "referral",
        (Some(_), false) => "recurring",
    };
    Row {
        who: c.who,
        payment: c.payment,
        referrer: c.referrer,
        kind,
        base: c.base,
        amount: c.amount,
        taken_back: c.taken_back,
        state,
        void_cause,
        in_line: c.line.is_some(),
        reversed: c.reversed,
        held_until: c.held_until,
    }
}
