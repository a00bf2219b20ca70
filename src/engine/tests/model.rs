//! A second program for the life of commissions and of payout lines, written from the words of the rules: vectors, and
//! whole numbers so wide that nothing overflows. It shares no code with the engine, and knows no database.

use super::story::{Counts, Earned, PAYMENTS, PEOPLE, Pays, Step, Terms, currency, paid_on, payer};

pub(super) const HOLD: i64 = 14;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Approved,
    Paid,
    Void(Cause),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Refunded,
    Moved,
    Unqualified,
    Staff,
}

#[derive(Debug, Clone)]
pub(super) struct Commission {
    pub(super) who: usize,
    pub(super) payment: Option<usize>,
    pub(super) referrer: usize,
    pub(super) first: bool,
    pub(super) currency: usize,
    pub(super) base: i128,
    pub(super) amount: i128,
    pub(super) state: State,
    pub(super) line: Option<usize>,
    /// The part that was taken back since a payout took it.
    pub(super) taken_back: i128,
    pub(super) reversed: bool,
    pub(super) held_until: i64,
    /// The step that changed it last.
    pub(super) changed: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) amount: i128,
    pub(super) refunded: i128,
    /// The parts of it that a provider's sums gave back, and that they took off again.
    pub(super) told: i128,
    pub(super) undone: i128,
    pub(super) disputed: bool,
    pub(super) decided: bool,
    pub(super) arrived_at: i64,
    pub(super) place: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Lead {
    pub(super) referrer: Option<usize>,
    pub(super) qualified: bool,
    pub(super) rule_is_used: bool,
    pub(super) has_paid: bool,
}

/// A sum that is taken off what a referrer gets.
#[derive(Debug, Clone)]
pub(super) struct Correction {
    pub(super) of: usize,
    pub(super) amount: i128,
    pub(super) line: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineState {
    Locked,
    Paid,
    Failed,
    Returned,
    Undone,
}

impl LineState {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Undone => "in",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) referrer: usize,
    pub(super) payout: usize,
    pub(super) state: LineState,
}

#[derive(Debug, Clone)]
pub(super) struct Payout {
    pub(super) doomed: bool,
    pub(super) undone: bool,
}

pub struct Model {
    pub(super) terms: Terms,
    /// Seconds since the midnight before the beginning.
    pub(super) now: i64,
    pub(super) step: usize,
    pub(super) leads: Vec<Option<Lead>>,
    pub(super) payments: Vec<Option<Payment>>,
    pub(super) arrived: usize,
    /// Refunds that are known, by their own id; those that wait for their payment, with what they ask.
    pub(super) refunds: Vec<usize>,
    pub(super) parked: Vec<(usize, Option<i128>)>,
    pub(super) commissions: Vec<Commission>,
    pub(super) corrections: Vec<Correction>,
    pub(super) payouts: Vec<Payout>,
    pub(super) lines: Vec<Line>,
}

impl Model {
    /// It begins at noon.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            now: 12 * HOUR,
            step: 0,
            leads: vec![None; PEOPLE],
            payments: vec![None; PAYMENTS],
            arrived: 0,
            refunds: Vec::new(),
            parked: Vec::new(),
            commissions: Vec::new(),
            corrections: Vec::new(),
            payouts: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// A second passes.
    pub fn tick(&mut self) {
        self.now += 1;
    }

    pub fn happen(&mut self, step: Step) {
        self.step += 1;
        match step {
            Step::SignUp { who, code } => self.sign_up(who, code),
            Step::Pay { n, amount } => self.pay(n, i128::from(amount)),
            Step::Refund { id, n, amount } => self.refund(id, n, amount.map(i128::from)),
            Step::Sum { n, total, failed } => self.sum(n, i128::from(total), i128::from(failed)),
            Step::Dispute { n, on } => {
                if let Some(p) = self.payments[n].as_mut().filter(|p| !on || p.refunded < p.amount) {
                    p.disputed = on;
                }
            }
            Step::Qualify { who, on: true } => {
                if self.qualify(who) {
                    self.reward(who);
                }
            }
            Step::Qualify { who, on: false } => self.unqualify(who),
            Step::Move { who, to, pay_back } => self.reattribute(who, to, pay_back),
            Step::PayBack { who } => self.pay_back(who),
            Step::Approve(named) => {
                if let Some(at) = self.named(named)
                    && self.commissions[at].state == State::Pending
                    && !self.is_disputed(at)
                {
                    self.change(at).state = State::Approved;
                }
            }
            Step::Void(named) => {
                if let Some(at) = self.named(named)
                    && self.is_free(at)
                {
                    self.change(at).state = State::Void(Cause::Staff);
                }
            }
            Step::Wait { hours } => self.wait(hours),
            Step::Lock { currency, doomed } => self.lock(currency, doomed),
            Step::Undo => self.undo(),
            Step::Settle { line, end } => self.settle(line, end),
        }
    }

    pub(super) fn today(&self) -> i64 {
        self.now.div_euclid(DAY)
    }

    pub(super) fn change(&mut self, at: usize) -> &mut Commission {
        let step = self.step;
        let c = &mut self.commissions[at];
        c.changed = step;
        c
    }

    pub(super) fn all(&self, of: impl Fn(&Commission) -> bool) -> Vec<usize> {
        (0..self.commissions.len()).filter(|at| of(&self.commissions[*at])).collect()
    }

    /// The one that stands, else the latest.
    fn named(&self, named: Earned) -> Option<usize> {
        let found = match named {
            Earned::ByPayment(n) => self.all(|c| c.payment == Some(n)),
            Earned::ByReferral(who) => self.all(|c| c.payment.is_none() && c.who == who),
        };
        found.into_iter().max_by_key(|at| (!matches!(self.commissions[*at].state, State::Void(_)), *at))
    }

    pub(super) fn is_disputed(&self, at: usize) -> bool {
        let payment = self.commissions[at].payment.and_then(|n| self.payments[n].as_ref());
        payment.is_some_and(|p| p.disputed)
    }

    /// No payout ever took it, or one gave it back as it had taken it: so it may still change.
    pub(super) fn is_free(&self, at: usize) -> bool {
        let c = &self.commissions[at];
        matches!(c.state, State::Pending | State::Approved) && !Self::is_fixed(c)
    }

    pub(super) fn is_fixed(c: &Commission) -> bool {
        c.line.is_some() || c.taken_back > 0 || c.reversed
    }

    pub(super) fn sign_up(&mut self, who: usize, code: Option<usize>) {
        if self.leads[who].is_some() {
            return;
        }
        self.leads[who] = Some(Lead { referrer: code, ..Lead::default() });
        let waiting = self.waiting(who);
        if self.terms.counts == Counts::AtSignUp || (self.terms.counts == Counts::AtPayment && !waiting.is_empty()) {
            self.use_rule(who);
        }
        // Payments of the last day earn at once; older ones are for a person to decide.
        for n in waiting {
            if self.payments[n].as_ref().unwrap().arrived_at >= self.now - DAY {
                self.decide(n);
            }
        }
        self.reward(who);
    }

    /// A person's payments that are not decided, by their day.
    pub(super) fn waiting(&self, who: usize) -> Vec<usize> {
        let waits = |n: &usize| payer(*n) == who && self.payments[*n].as_ref().is_some_and(|p| !p.decided);
        let mut found: Vec<usize> = (0..PAYMENTS).filter(waits).collect();
        found.sort_by_key(|n| (paid_on(*n), self.payments[*n].as_ref().unwrap().place));
        found
    }

    /// The campaign's own rule qualifies a lead once in its life.
    pub(super) fn use_rule(&mut self, who: usize) -> bool {
        let lead = self.leads[who].as_mut().unwrap();
        if lead.rule_is_used {
            return false;
        }
        lead.rule_is_used = true;
        self.qualify(who)
    }

    pub(super) fn pay(&mut self, n: usize, amount: i128) {
        if self.payments[n].is_some() {
            return;
        }
        let who = payer(n);
        self.arrived += 1;
        self.payments[n] = Some(Payment {
            amount,
            refunded: 0,
            told: 0,
            undone: 0,
            disputed: false,
            decided: false,
            arrived_at: self.now,
            place: self.arrived,
        });
        if self.leads[who].is_some() {
            let counts = self.terms.counts == Counts::AtPayment && self.use_rule(who);
            self.decide(n);
            if counts {
                self.reward(who);
            }
        }
        let waited: Vec<_> = self.parked.iter().filter(|(of, _)| *of == n).copied().collect();
        self.parked.retain(|(of, _)| *of != n);
        for (_, asked) in waited {
            self.give_back(n, asked);
        }
    }

    /// A payment of a lead with a referrer earns, once.
    pub(super) fn decide(&mut self, n: usize) {
        let who = payer(n);
        let Some(lead) = self.leads[who].as_mut() else { return };
        let Some(referrer) = lead.referrer else { return };
        let first = !lead.has_paid;
        lead.has_paid = true;
        let payment = self.payments[n].as_mut().unwrap();
        payment.decided = true;
        let base = payment.amount;
        if self.worth(n, first, base).unwrap_or(0) == 0 {
            return;
        }
        self.commissions.push(Commission {
            who,
            payment: Some(n),
            referrer,
            first,
            currency: currency(n),
            base,
            amount: 0,
            state: State::Pending,
            line: None,
            taken_back: 0,
            reversed: false,
            held_until: paid_on(n) + HOLD,
            changed: self.step,
        });
        self.follow(self.commissions.len() - 1);
    }

    /// The earnings of a payment of which this much is left; nothing where the terms do not name its currency.
    pub(super) fn worth(&self, n: usize, first: bool, left: i128) -> Option<i128> {
        let whole = self.payments[n].as_ref().unwrap().amount;
        match self.terms.pays {
            Pays::Rates(one, more) => {
                // Half a unit counts as a whole one.
                let rate = i128::from(if first { one } else { more });
                Some((2 * left * rate + 1_000_000) / 2_000_000)
            }
            Pays::Flat(..) if currency(n) != 0 => None,
            Pays::Flat(..) if left == 0 => Some(0),
            Pays::Flat(one, more) => Some(i128::from(if first { one } else { more }).min(whole)),
        }
    }

    /// Brings a commission to what its payment is worth by now.
    pub(super) fn follow(&mut self, at: usize) {
        let c = self.commissions[at].clone();
        let Some(n) = c.payment else { return };
        let payment = self.payments[n].as_ref().unwrap();
        let left = payment.amount - payment.refunded;
        let worth = self.worth(n, c.first, left).unwrap();
        if Self::is_fixed(&c) {
            self.take_back(at, c.amount - c.taken_back - worth, left == 0);
            return;
        }
        if c.amount != worth {
            self.change(at).amount = worth;
        }
        if left == 0 && matches!(c.state, State::Pending | State::Approved) {
            self.change(at).state = State::Void(Cause::Refunded);
        }
    }

    /// A payout took it: the amount stands, and what it is worth less is taken off what is due.
    pub(super) fn take_back(&mut self, at: usize, less: i128, whole: bool) {
        if less > 0 {
            self.corrections.push(Correction { of: at, amount: less, line: None });
            self.change(at).taken_back += less;
        }
        if whole && !self.commissions[at].reversed {
            self.change(at).reversed = true;
        }
    }

    pub(super) fn refund(&mut self, id: usize, n: usize, asked: Option<i128>) {
        if self.refunds.contains(&id) {
            return;
        }
        if self.payments[n].is_none() {
            self.refunds.push(id);
            self.parked.push((n, asked));
        } else if self.give_back(n, asked) {
            self.refunds.push(id);
        }
    }

    /// True where it fitted.
    pub(super) fn give_back(&mut self, n: usize, asked: Option<i128>) -> bool {
        let payment = self.payments[n].as_mut().unwrap();
        let left = payment.amount - payment.refunded;
        let amount = asked.unwrap_or(left);
        if amount == 0 || amount > left {
            return false;
        }
        payment.refunded += amount;
        // A dispute about nothing is over.
        payment.disputed &= amount < left;
        for at in self.all(|c| c.payment == Some(n)) {
            self.follow(at);
        }
        true
    }

    /// A sum that is greater than what is known gives back; one that is smaller takes off what came back, as far as sums
    /// gave it and no payout ever had anything of the payment.
    fn sum(&mut self, n: usize, total: i128, failed: i128) {
        let Some(payment) = self.payments[n].as_mut() else { return };
        let total = total.min(payment.amount);
        if total > payment.refunded {
            let more = total - payment.refunded;
            payment.told += more;
            self.give_back(n, Some(more));
            return;
        }
        // One unit more may come back than failed: sums are rounded.
        let failed = if failed > payment.undone { failed - payment.undone + 1 } else { 0 };
        let came_back = (payment.refunded - total).min(failed).min(payment.told - payment.undone);
        let rows = self.all(|c| c.payment == Some(n));
        if came_back <= 0 || rows.iter().any(|at| Self::is_fixed(&self.commissions[*at])) {
            return;
        }
        let payment = self.payments[n].as_mut().unwrap();
        payment.undone += came_back;
        payment.refunded -= came_back;
        for at in &rows {
            self.follow(*at);
        }
        self.earn_again(n, &rows);
    }

    /// A commission that went because nothing was left of its payment belongs to the lead's referrer of today, and
    /// else waits for the next one.
    fn earn_again(&mut self, n: usize, rows: &[usize]) {
        let is = |at: &&usize, state: fn(State) -> bool| state(self.commissions[**at].state);
        let gone = |state| state == State::Void(Cause::Refunded);
        let Some(last) = rows.iter().rfind(|at| is(at, gone)).copied() else { return };
        if !rows.iter().all(|at| is(&at, |state| matches!(state, State::Void(_)))) {
            return;
        }
        let referrer = self.leads[payer(n)].as_ref().and_then(|lead| lead.referrer);
        let by_staff = |at: &usize| {
            let c = &self.commissions[*at];
            Some(c.referrer) == referrer && c.state == State::Void(Cause::Staff)
        };
        if let Some(referrer) = referrer.filter(|_| !rows.iter().any(by_staff)) {
            self.give_again(last, referrer);
        }
        for at in rows {
            if gone(self.commissions[*at].state) {
                self.change(*at).state = State::Void(Cause::Moved);
            }
        }
    }

    pub(super) fn wait(&mut self, hours: i64) {
        self.now += hours * HOUR;
        let today = self.today();
        for at in self.all(|c| c.state == State::Pending && c.held_until < today) {
            if !self.is_disputed(at) {
                self.change(at).state = State::Approved;
            }
        }
    }
}
