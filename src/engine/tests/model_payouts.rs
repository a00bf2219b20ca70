//! The [`model`](super::model) of payouts.

use super::model::{Commission, Line, LineState, Model, Payout, State};
use super::story::{End, REFERRERS};

impl Model {
    pub(super) fn lock(&mut self, currency: usize, doomed: bool) {
        let payout = self.payouts.len();
        self.payouts.push(Payout { doomed, undone: false });
        for referrer in 0..REFERRERS {
            let theirs = |c: &Commission| c.referrer == referrer && c.currency == currency;
            let mut taken = self.all(|c| theirs(c) && c.state == State::Approved && c.line.is_none() && c.amount > 0);
            taken.retain(|at| !self.is_disputed(*at));
            let owed: Vec<usize> = (0..self.corrections.len())
                .filter(|at| {
                    let correction = &self.corrections[*at];
                    correction.line.is_none() && theirs(&self.commissions[correction.of])
                })
                .collect();
            let sum: i128 = taken.iter().map(|at| self.commissions[*at].amount).sum();
            if sum <= owed.iter().map(|at| self.corrections[*at].amount).sum() {
                continue;
            }
            let line = Some(self.lines.len());
            self.lines.push(Line { referrer, payout, state: LineState::Locked });
            for at in taken {
                self.change(at).line = line;
            }
            for at in owed {
                self.corrections[at].line = line;
            }
        }
    }

    pub(super) fn undo(&mut self) {
        let Some(payout) = self.payouts.iter().position(|p| p.doomed && !p.undone) else { return };
        self.payouts[payout].undone = true;
        for line in 0..self.lines.len() {
            if self.lines[line].payout == payout {
                self.come_back(line, LineState::Undone);
            }
        }
    }

    pub(super) fn come_back(&mut self, line: usize, state: LineState) {
        self.lines[line].state = state;
        for at in self.all(|c| c.line == Some(line)) {
            let c = self.change(at);
            c.line = None;
            c.state = State::Approved;
        }
        for correction in self.corrections.iter_mut().filter(|c| c.line == Some(line)) {
            correction.line = None;
        }
    }

    /// The line that a number means; none of a doomed payout.
    pub(super) fn line(&self, number: usize) -> Option<usize> {
        let last = self.lines.len().checked_sub(1)?;
        let line = last - number.min(last);
        (!self.payouts[self.lines[line].payout].doomed).then_some(line)
    }

    /// The same as its referrer and its place among the lines of that referrer.
    pub fn place(&self, number: usize) -> Option<(usize, usize)> {
        let line = self.line(number)?;
        let referrer = self.lines[line].referrer;
        Some((referrer, self.lines[..line].iter().filter(|l| l.referrer == referrer).count()))
    }

    pub(super) fn settle(&mut self, number: usize, end: End) {
        let Some(line) = self.line(number) else { return };
        match (self.lines[line].state, end) {
            (LineState::Locked, End::Paid) => {
                self.lines[line].state = LineState::Paid;
                for at in self.all(|c| c.line == Some(line)) {
                    self.change(at).state = State::Paid;
                }
            }
            (LineState::Locked, End::Failed) => self.come_back(line, LineState::Failed),
            (LineState::Paid, End::Returned) => self.come_back(line, LineState::Returned),
            _ => {}
        }
    }
}
