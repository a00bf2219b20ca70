//! The [`model`](super::model) of qualification, of rewards, and of who referred whom.

use super::model::{Cause, Commission, HOLD, Model, State};
use super::story::PAYMENTS;

impl Model {
    /// True where it was not.
    pub(super) fn qualify(&mut self, who: usize) -> bool {
        let Some(lead) = self.leads[who].as_mut() else { return false };
        !std::mem::replace(&mut lead.qualified, true)
    }

    fn live_reward(&self, who: usize) -> Option<usize> {
        let live =
            |c: &Commission| c.payment.is_none() && c.who == who && !c.reversed && !matches!(c.state, State::Void(_));
        self.all(live).first().copied()
    }

    pub(super) fn unqualify(&mut self, who: usize) {
        let Some(lead) = self.leads[who].as_mut().filter(|lead| lead.qualified) else { return };
        lead.qualified = false;
        let Some(at) = self.live_reward(who) else { return };
        if self.is_free(at) {
            self.change(at).state = State::Void(Cause::Unqualified);
        } else {
            let c = &self.commissions[at];
            self.take_back(at, c.amount - c.taken_back, true);
        }
    }

    /// At most one reward for a lead: the one its referrer had before, else a new one.
    pub(super) fn reward(&mut self, who: usize) {
        let Some(lead) = self.leads[who].clone().filter(|lead| lead.qualified) else { return };
        let Some(referrer) = lead.referrer else { return };
        if self.live_reward(who).is_some() || self.reward_again(who, referrer) || self.is_in_doubt(who, referrer) {
            return;
        }
        let amount = i128::from(self.terms.reward);
        self.commissions.push(Commission {
            who,
            payment: None,
            referrer,
            first: false,
            currency: 0,
            base: amount,
            amount,
            state: State::Pending,
            line: None,
            taken_back: 0,
            reversed: false,
            held_until: self.today() + HOLD,
            changed: self.step,
        });
    }

    /// True where the referrer had a reward for the lead before, whatever became of it.
    fn reward_again(&mut self, who: usize, referrer: usize) -> bool {
        let theirs = self.all(|c| c.payment.is_none() && c.who == who && c.referrer == referrer);
        let Some(at) = theirs.last().copied() else { return false };
        match self.commissions[at].state {
            State::Void(Cause::Moved | Cause::Unqualified) => self.change(at).state = State::Pending,
            State::Void(Cause::Staff | Cause::Refunded) => {}
            State::Pending | State::Approved | State::Paid => self.copy(at, referrer),
        }
        true
    }

    /// Staff voided what somebody else earned with the lead: a person is asked before another one gets a reward.
    fn is_in_doubt(&self, who: usize, referrer: usize) -> bool {
        let fraud = |c: &Commission| c.who == who && c.referrer != referrer && c.state == State::Void(Cause::Staff);
        !self.all(fraud).is_empty()
    }

    fn copy(&mut self, at: usize, referrer: usize) {
        let copy = Commission {
            referrer,
            state: State::Pending,
            line: None,
            taken_back: 0,
            reversed: false,
            changed: self.step,
            ..self.commissions[at].clone()
        };
        self.commissions.push(copy);
    }

    pub(super) fn reattribute(&mut self, who: usize, to: Option<usize>, pay_back: bool) {
        let Some(lead) = self.leads[who].clone() else { return };
        if lead.referrer != to {
            let mut goes_along = self.left_behind(who);
            for at in self.all(|c| c.who == who) {
                if self.is_free(at) {
                    self.change(at).state = State::Void(Cause::Moved);
                    goes_along.push(at);
                }
            }
            self.leads[who].as_mut().unwrap().referrer = to;
            for at in goes_along {
                if let Some(referrer) = to {
                    self.give_again(at, referrer);
                }
            }
        }
        if pay_back {
            self.pay_back(who);
        }
    }

    /// The commissions that went with an earlier referrer, and nobody has since.
    fn left_behind(&self, who: usize) -> Vec<usize> {
        let moved = |at: &usize| self.commissions[*at].state == State::Void(Cause::Moved);
        let mut left = Vec::new();
        for n in 0..PAYMENTS {
            let rows = self.all(|c| c.payment == Some(n) && c.who == who);
            let is_left = self.payments[n].as_ref().is_some_and(|p| p.refunded < p.amount);
            if is_left && rows.iter().all(moved) {
                left.extend(rows.last());
            }
        }
        let mut rewards = self.all(|c| c.payment.is_none() && c.who == who);
        rewards.sort_by_key(|at| (self.commissions[*at].changed, *at));
        if self.leads[who].as_ref().unwrap().qualified && self.live_reward(who).is_none() {
            left.extend(rewards.last().filter(|at| moved(at)));
        }
        left
    }

    /// The same for another referrer, on its way from the start.
    pub(super) fn give_again(&mut self, at: usize, referrer: usize) {
        let c = self.commissions[at].clone();
        match c.payment {
            Some(n) => match self.all(|c| c.payment == Some(n) && c.referrer == referrer).first().copied() {
                Some(known) => {
                    if matches!(self.commissions[known].state, State::Void(_)) {
                        self.change(known).state = State::Pending;
                    }
                }
                None => self.copy(at, referrer),
            },
            None => {
                if !self.is_in_doubt(c.who, referrer) && !self.reward_again(c.who, referrer) {
                    self.copy(at, referrer);
                }
            }
        }
    }

    pub(super) fn pay_back(&mut self, who: usize) {
        if self.leads[who].as_ref().is_some_and(|lead| lead.referrer.is_some()) {
            for n in self.waiting(who) {
                self.decide(n);
            }
            self.reward(who);
        }
    }
}
