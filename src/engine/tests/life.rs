//! Any story of payments, refunds, disputes, decisions and payouts ends as the [`model`](super::model) says. Facts in memory stand for the database, and payouts follow the table of their lines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use proptest::prelude::*;

use super::model::Model;
use super::picture::{Balances, Picture, Row};
use super::story::{
    CURRENCIES, Counts, Earned, End, PAYMENTS, PEOPLE, Pays, REFERRERS, Step, Terms, beginning, currency, paid_on,
    pause, payer, payout, personal, terms,
};
use crate::actor::{Actor, ActorKind};
use crate::clock::{Day, Instant};
use crate::code::lookup_form;
use crate::email::Email;
use crate::engine::facts::{self, Business, Campaign, Code, Commission, Enrollment, Facts, Product};
use crate::engine::ids::{CommissionId, EnrollmentId, LeadId, LineId, PaymentId, ReferrerId};
use crate::engine::payout::{LineEvent, Next};
use crate::engine::state::{
    Account, CampaignState, CodeKind, CodeState, CommissionState, EnrollmentState, LineState, QualifyOn,
    RecurringLimit, Subscription,
};
use crate::engine::work::{ClawBack, Work};
use crate::engine::{
    Approve, By, Dispute, DisputedPayment, Event, NameKind, Names, PayBack, Payment, PaymentName, PaymentRef,
    ProductScope, Qualify, Reattribute, Refund, RefundTo, SignUp, Void, What,
};
use crate::money::{Currency, Money, Unpriced};

const START: &str = "2026-06-20";

struct World {
    facts: Facts,
    now: Instant,
    ids: std::ops::Range<i64>,
    by: By,
    start: Day,
    addresses: [Email; PEOPLE],
    currencies: [Currency; 2],
    /// (referrer, currency, account) to the sum of the entries.
    ledger: HashMap<(ReferrerId, Currency, Account), i64>,
    claw_backs: Vec<(ClawBack, Option<usize>)>,
    lines: Vec<Line>,
    /// Doomed, and undone.
    payouts: Vec<(bool, bool)>,
}

struct Line {
    referrer: usize,
    payout: usize,
    state: LineState,
}

fn referrer(n: usize) -> ReferrerId {
    ReferrerId(10 * (i64::try_from(n).unwrap() + 1))
}

fn enrollment(n: usize) -> EnrollmentId {
    EnrollmentId(referrer(n).0 + 1)
}

fn place_of(id: ReferrerId) -> usize {
    usize::try_from(id.0 / 10 - 1).unwrap()
}

fn name(n: usize) -> PaymentName {
    PaymentName::new(NameKind::Event, format!("p{n}"))
}

fn terms_of(terms: Terms) -> facts::Terms {
    let flat = |n: i64| Some(format!("{{\"USD\": {n}}}"));
    let ((referral_rate, recurring_rate), (referral_flat, recurring_flat)) = match terms.pays {
        Pays::Rates(first, later) => ((Some(first), Some(later)), (None, None)),
        Pays::Flat(first, later) => ((None, None), (flat(first), flat(later))),
    };
    facts::Terms {
        id: 4.into(),
        product_id: 3.into(),
        number: 1,
        valid_from: Day::parse("1900-01-01").unwrap(),
        referral_rate,
        referral_flat,
        recurring_rate,
        recurring_flat,
        recurring_limit: RecurringLimit::None,
        recurring_count: 0,
        hold_days: 14,
    }
}

impl World {
    fn new(terms: Terms) -> Self {
        let currencies = CURRENCIES.map(|code| Currency::parse(code).unwrap());
        let mut facts = Facts::default();
        let business =
            Business { id: 1.into(), timezone: "UTC".into(), currency: currencies[0], parked: true, listens: false };
        facts.businesses.insert(1.into(), business);
        let campaign = Campaign {
            id: 2.into(),
            business_id: 1.into(),
            state: CampaignState::Live,
            qualify_on: match terms.counts {
                Counts::ByHand => QualifyOn::Hand,
                Counts::AtSignUp => QualifyOn::SignUp,
                Counts::AtPayment => QualifyOn::Payment,
            },
            qualify_least: "{}".into(),
            qualify_days: 0,
            reward: format!("{{\"USD\": {}}}", terms.reward),
            reward_hold_days: 14,
            customer_reward_kind: None,
            customer_reward: "{}".into(),
            customer_reward_text: String::new(),
            rewards_customers: false,
        };
        facts.campaigns.insert(2.into(), campaign);
        let product = Product { id: 3.into(), business_id: 1.into(), campaign_id: 2.into(), test: false };
        facts.products.insert(3.into(), product);
        facts.terms.insert(3.into(), vec![terms_of(terms)]);
        for n in 0..REFERRERS {
            facts.add_enrollment(Enrollment {
                id: enrollment(n),
                business_id: 1.into(),
                campaign_id: 2.into(),
                referrer_id: referrer(n),
                state: EnrollmentState::Active,
                archived: false,
                email_key: None,
                phone_key: None,
            });
            let text = format!("CODE{n}");
            facts.add_code(Code {
                id: (referrer(n).0 + 2).into(),
                business_id: 1.into(),
                enrollment_id: enrollment(n),
                campaign_id: 2.into(),
                referrer_id: referrer(n),
                lookup: lookup_form(&text),
                repaired: text,
                kind: CodeKind::Custom,
                state: CodeState::Active,
            });
        }
        let actor = Arc::new(Actor {
            kind: ActorKind::Command,
            id: None,
            name: "test".into(),
            origin: "test".into(),
            call: None,
        });
        Self {
            facts,
            now: Instant::parse_rfc3339(&format!("{START}T12:00:00Z")).unwrap(),
            ids: 1_000..1_000_000,
            by: By::new(1, &actor),
            start: Day::parse(START).unwrap(),
            addresses: std::array::from_fn(|who| Email::parse(&format!("person{who}@example.com")).unwrap()),
            currencies,
            ledger: HashMap::new(),
            claw_backs: Vec::new(),
            lines: Vec::new(),
            payouts: Vec::new(),
        }
    }

    fn happen(&mut self, step: Step, model: &Model) {
        self.now = self.now.plus_seconds(1);
        match step {
            Step::Wait { hours } => {
                self.now = self.now.plus_seconds(hours * 3_600);
                let pending = self.facts.commissions.values().filter(|c| c.state == CommissionState::Pending);
                let mut pending: Vec<(Day, CommissionId)> = pending.map(|c| (c.hold_until, c.id)).collect();
                pending.sort();
                self.slice(
                    pending.into_iter().map(|(_, commission_id)| Approve { commission_id, reason: None }.into()),
                );
            }
            Step::Lock { currency, doomed } => self.lock(self.currencies[currency], doomed),
            Step::Undo => {
                if let Some(payout) = self.payouts.iter().position(|(doomed, undone)| *doomed && !undone) {
                    self.payouts[payout].1 = true;
                    for line in 0..self.lines.len() {
                        if self.lines[line].payout == payout {
                            self.settle(line, LineEvent::Unlock);
                        }
                    }
                }
            }
            Step::Settle { line, end } => {
                let event = match end {
                    End::Paid => LineEvent::Pay,
                    End::Failed => LineEvent::Fail,
                    End::Returned => LineEvent::Return,
                };
                if let Some((referrer, place)) = model.place(line) {
                    let mut theirs = (0..self.lines.len()).filter(|line| self.lines[*line].referrer == referrer);
                    let line = theirs.nth(place).unwrap();
                    self.settle(line, event);
                }
            }
            other => {
                let event = self.event(other);
                self.slice(event.into_iter());
            }
        }
    }

    /// One transaction: what is refused in it changes nothing.
    fn slice(&mut self, events: impl Iterator<Item = What>) {
        let mut work = Work::new(std::mem::take(&mut self.facts), self.now, self.ids.clone());
        for what in events {
            let _refused = Event::new(self.by.clone(), what).decide(&mut work);
        }
        self.ids = work.ids_left();
        assert!(!work.ran_out());
        for entry in work.writes.entries {
            *self.ledger.entry((entry.referrer_id, entry.currency, entry.account)).or_default() += entry.amount;
        }
        self.claw_backs.extend(work.writes.claw_backs.into_iter().map(|back| (back, None)));
        self.facts = work.facts;
    }

    fn lead(&self, who: usize) -> Option<LeadId> {
        let named = self.facts.leads.values().find(|l| l.email_key.as_deref() == Some(self.addresses[who].key()));
        named.map(|lead| lead.id)
    }

    fn payment(&self, n: usize) -> Option<PaymentId> {
        self.facts.payment_named(1.into(), false, &[name(n)]).map(|p| p.id)
    }

    /// The one that stands, else the latest.
    fn commission(&self, named: Earned) -> Option<CommissionId> {
        let meant = match named {
            Earned::ByPayment(n) => (Some(self.payment(n)?), None),
            Earned::ByReferral(who) => (None, Some(self.lead(who)?)),
        };
        let is_meant = |c: &&Commission| (c.payment_id, c.payment_id.map_or(Some(c.lead_id), |_| None)) == meant;
        let found = self.facts.commissions.values().filter(is_meant);
        found.max_by_key(|c| (!c.is_void(), c.id)).map(|c| c.id)
    }

    fn event(&self, step: Step) -> Option<What> {
        let of = ProductScope::new(3, 2, false);
        let reason = || "a test".to_owned();
        Some(match step {
            Step::SignUp { who, code } => {
                let code = code.map(|n| format!("CODE{n}"));
                SignUp { of, email: self.addresses[who].clone(), name: "Amy".into(), phone: None, code }.into()
            }
            Step::Pay { n, amount } => Payment {
                of,
                email: self.addresses[payer(n)].clone(),
                phone: None,
                amount: Money { minor: amount, currency: self.currencies[currency(n)] },
                subscription_status: Subscription::Active,
                date: self.start.plus_days(paid_on(n)),
                names: Names::first_decides([name(n)]),
                body_hash: format!("p{n}"),
            }
            .into(),
            Step::Refund { id, n, amount } => Refund {
                of,
                email: self.addresses[payer(n)].clone(),
                payment: PaymentRef::Names(vec![name(n)]),
                amount: amount.map(|minor| Unpriced::of(Money { minor, currency: self.currencies[currency(n)] })),
                currency: None,
                date: self.start.plus_days(20),
                identity: Some(format!("event:r{id}")),
                body_hash: format!("r{id}"),
                reason: None,
            }
            .into(),
            Step::Sum { n, total, failed } => RefundTo {
                of,
                email: self.addresses[payer(n)].clone(),
                names: vec![name(n)],
                total: Money { minor: total, currency: self.currencies[currency(n)] },
                date: self.start.plus_days(21),
                failed,
                reason: reason(),
            }
            .into(),
            Step::Dispute { n, on } => {
                let payment = DisputedPayment::Names { test: false, names: vec![name(n)] };
                Dispute { payment, disputed: on, reason: reason() }.into()
            }
            Step::Qualify { who, on } => Qualify { lead_id: self.lead(who)?, qualified: on, reason: None }.into(),
            Step::Move { who, to, pay_back } => {
                let (lead_id, to) = (self.lead(who)?, to.map(enrollment));
                Reattribute { lead_id, to, code_id: None, reason: reason(), pay_back }.into()
            }
            Step::PayBack { who } => PayBack::of(self.lead(who)?).into(),
            Step::Approve(named) => Approve { commission_id: self.commission(named)?, reason: Some(reason()) }.into(),
            Step::Void(named) => Void { commission_id: self.commission(named)?, reason: reason() }.into(),
            Step::Wait { .. } | Step::Lock { .. } | Step::Undo | Step::Settle { .. } => return None,
        })
    }

    fn post(&mut self, of: (ReferrerId, Currency), from: Account, to: Account, amount: i64) {
        *self.ledger.entry((of.0, of.1, from)).or_default() -= amount;
        *self.ledger.entry((of.0, of.1, to)).or_default() += amount;
    }

    /// The referrer and currency that a claw-back is of.
    fn side(&self, back: &ClawBack) -> (ReferrerId, Currency) {
        let c = &self.facts.commissions[&back.commission_id];
        (c.referrer_id, c.currency)
    }

    fn lock(&mut self, currency: Currency, doomed: bool) {
        let payout = self.payouts.len();
        self.payouts.push((doomed, false));
        for n in 0..REFERRERS {
            let of = (referrer(n), currency);
            let is_payable = |c: &&Commission| {
                (c.referrer_id, c.currency) == of
                    && c.state == CommissionState::Approved
                    && c.line_id.is_none()
                    && c.amount > 0
                    && !self.facts.is_disputed(c)
            };
            let items: Vec<(CommissionId, i64)> =
                self.facts.commissions.values().filter(is_payable).map(|c| (c.id, c.amount)).collect();
            let owed = |(back, line): &(ClawBack, Option<usize>)| line.is_none() && self.side(back) == of;
            let owed: Vec<usize> = (0..self.claw_backs.len()).filter(|at| owed(&self.claw_backs[*at])).collect();
            let back: i64 = owed.iter().map(|at| self.claw_backs[*at].0.amount).sum();
            if items.iter().map(|(_, amount)| amount).sum::<i64>() <= back {
                continue;
            }
            let Next::To(state) = LineState::In.after(LineEvent::Lock) else { panic!("a draft is locked") };
            let line = self.lines.len();
            self.lines.push(Line { referrer: n, payout, state });
            for (id, amount) in items {
                let c = self.facts.commissions.get_mut(&id).unwrap();
                c.line_id = Some(LineId(i64::try_from(line).unwrap()));
                c.updated_at = self.now.micros().max(c.updated_at + 1);
                self.post(of, Account::Due, Account::Paying, amount);
            }
            for at in owed {
                self.claw_backs[at].1 = Some(line);
                self.post(of, Account::Due, Account::Paying, -self.claw_backs[at].0.amount);
            }
        }
    }

    fn settle(&mut self, line: usize, event: LineEvent) {
        let before = self.lines[line].state;
        let Next::To(state) = before.after(event) else { return };
        self.lines[line].state = state;
        let from = if before == LineState::Paid { Account::Paid } else { Account::Paying };
        let id = Some(LineId(i64::try_from(line).unwrap()));
        let items: Vec<CommissionId> =
            self.facts.commissions.values().filter(|c| c.line_id == id).map(|c| c.id).collect();
        for id in items {
            let disputed = self.facts.is_disputed(&self.facts.commissions[&id]);
            let c = self.facts.commissions.get_mut(&id).unwrap();
            c.updated_at = self.now.micros().max(c.updated_at + 1);
            let to = if state == LineState::Paid {
                c.state = CommissionState::Paid;
                Account::Paid
            } else {
                c.state = CommissionState::Approved;
                c.line_id = None;
                if disputed { Account::Held } else { Account::Due }
            };
            let (of, amount) = ((c.referrer_id, c.currency), c.amount);
            self.post(of, from, to, amount);
        }
        for at in 0..self.claw_backs.len() {
            if self.claw_backs[at].1 == Some(line) {
                let (of, amount) = (self.side(&self.claw_backs[at].0), self.claw_backs[at].0.amount);
                let paid = state == LineState::Paid;
                self.claw_backs[at].1 = paid.then_some(line);
                self.post(of, from, if paid { Account::Paid } else { Account::Due }, -amount);
            }
        }
    }

    fn picture(&self) -> Picture {
        let numbers: BTreeMap<PaymentId, usize> = (0..PAYMENTS).filter_map(|n| Some((self.payment(n)?, n))).collect();
        let row = |c: &Commission| Row {
            who: usize::from(self.lead(0) != Some(c.lead_id)),
            payment: c.payment_id.map(|id| numbers[&id]),
            referrer: place_of(c.referrer_id),
            kind: c.kind.word(),
            base: c.base_amount.into(),
            amount: c.amount.into(),
            taken_back: c.taken_back.into(),
            state: c.state.word(),
            void_cause: c.void_cause.map_or("", |cause| cause.word()),
            in_line: c.line_id.is_some(),
            reversed: c.reversed_at.is_some(),
            held_until: self.start.days_until(c.hold_until),
        };
        let mut rows: Vec<Row> = self.facts.commissions.values().map(row).collect();
        rows.sort();
        let sums = self.ledger.iter().filter(|(_, sum)| **sum != 0);
        let balances: Balances = sums
            .map(|((referrer, currency, account), sum)| {
                let currency = CURRENCIES.iter().position(|code| *code == currency.code()).unwrap();
                ((place_of(*referrer), currency, account.word()), i128::from(*sum))
            })
            .collect();
        let payment = |(id, n): (&PaymentId, &usize)| {
            let p = &self.facts.payments[id];
            (*n, p.amount.into(), p.refunded.into(), p.disputed_at.is_some())
        };
        let mut payments: Vec<_> = numbers.iter().map(payment).collect();
        payments.sort();
        let mut lines: Vec<_> = self.lines.iter().map(|line| (line.referrer, line.state.word())).collect();
        lines.sort_by_key(|(referrer, _)| *referrer);
        Picture { rows, balances, payments, lines }
    }
}

/// 10,000 stories, and a million in the long tests.
fn stories() -> ProptestConfig {
    let cases = if std::env::var_os("REFDESK_LONG").is_some() { 1_000_000 } else { 10_000 };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

fn steps(drawn: &[(u8, u64)]) -> Vec<Step> {
    let step = |(at, (kind, number)): (usize, &(u8, u64))| match kind {
        _ if at < PEOPLE => beginning(at, *number),
        0 => pause(*number),
        1 | 2 => payout(*number),
        _ => personal(*number),
    };
    drawn.iter().enumerate().map(step).collect()
}

proptest! {
    #![proptest_config(stories())]

    #[test]
    fn every_story_ends_as_the_model_says(
        agreed in any::<u64>(),
        drawn in prop::collection::vec((0..10_u8, any::<u64>()), 4..70),
    ) {
        let (terms, steps) = (terms(agreed), steps(&drawn));
        let (mut world, mut model) = (World::new(terms), Model::new(terms));
        for step in &steps {
            model.tick();
            world.happen(*step, &model);
            model.happen(*step);
        }
        prop_assert_eq!(world.picture(), model.picture(), "{:?}: {:#?}", terms, steps);
    }
}
