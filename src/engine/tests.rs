//! Payments, refunds and the attribution in any order of arrival end alike: the rules over facts in memory,
//! which stand for the database.

mod life;
mod model;
mod model_payouts;
mod model_referrals;
mod parts;
mod picture;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use crate::actor::{Actor, ActorKind};
use crate::clock::{Day, Instant};
use crate::code::lookup_form;
use crate::email::Email;
use crate::engine::facts::{Business, Campaign, Code, Commission, Enrollment, Facts, Paid, Product, Terms};
use crate::engine::ids::{EnrollmentId, PaymentId, ProductId, ReferrerId};
use crate::engine::state::{
    Account, CampaignState, CodeKind, CodeState, CommissionKind, CommissionState, Decision, EnrollmentState, InboxKind,
    QualifyOn, RecurringLimit, RefundState, Subscription,
};
use crate::engine::work::Work;
use crate::engine::{
    Approve, By, Dispute, DisputedPayment, Event, NameKind, Names, Payment, PaymentName, PaymentRef, ProductScope,
    Reattribute, Refund, SignUp, What,
};
use crate::money::{Currency, Money, Unpriced};

const ADDRESS: &str = "amy@example.com";

/// The terms of a product, referral and recurring: ten-thousandths of a percent, or flat cents.
#[derive(Debug, Clone, Copy)]
enum Pays {
    Rates(i64, i64),
    Flat(i64, i64),
}

/// One thing that happens; payments are numbered in the order of their days.
#[derive(Debug, Clone, Copy)]
enum Step {
    SignUp,
    /// To the second referrer, with everything that waits.
    Move,
    /// Under the name of its number and those of its further names that the bits choose.
    Pay {
        n: usize,
        cents: i64,
        names: u8,
    },
    /// None is all that is left.
    Refund {
        n: usize,
        of: usize,
        cents: Option<i64>,
        by: NamedBy,
    },
    /// The commission of a payment, by staff.
    Approve {
        of: usize,
    },
    Dispute {
        of: usize,
        on: bool,
    },
}

/// The way a refund names its payment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum NamedBy {
    Day,
    Name(NameKind),
}

const BY_ID: NamedBy = NamedBy::Name(NameKind::Event);
/// Every further name.
const ALL: u8 = 0b111;

/// Everything with an id below 1000 is there from the beginning: one campaign, one product, two referrers.
fn world(pays: Pays) -> Work {
    let mut facts = Facts::default();
    let business = Business { id: 1.into(), timezone: "UTC".into(), currency: usd(), parked: true, listens: true };
    facts.businesses.insert(1.into(), business);
    let campaign = Campaign {
        id: 2.into(),
        business_id: 1.into(),
        state: CampaignState::Live,
        qualify_on: QualifyOn::Payment,
        qualify_least: "{}".into(),
        qualify_days: 0,
        reward: "{}".into(),
        reward_hold_days: 14,
        customer_reward_kind: None,
        customer_reward: "{}".into(),
        customer_reward_text: String::new(),
        rewards_customers: false,
    };
    facts.campaigns.insert(2.into(), campaign);
    let product = Product { id: 3.into(), business_id: 1.into(), campaign_id: 2.into(), test: false };
    facts.products.insert(ProductId(3), product);
    let rate = |n: i64| matches!(pays, Pays::Rates(..)).then_some(n);
    let flat = |n: i64| matches!(pays, Pays::Flat(..)).then(|| format!("{{\"USD\": {n}}}"));
    let (first, later) = match pays {
        Pays::Rates(a, b) | Pays::Flat(a, b) => (a, b),
    };
    let terms = Terms {
        id: 4.into(),
        product_id: 3.into(),
        number: 1,
        valid_from: Day::parse("1900-01-01").unwrap(),
        referral_rate: rate(first),
        referral_flat: flat(first),
        recurring_rate: rate(later),
        recurring_flat: flat(later),
        recurring_limit: RecurringLimit::None,
        recurring_count: 0,
        hold_days: 14,
    };
    facts.terms.insert(3.into(), vec![terms]);
    for (referrer, text) in [(10, "ANN10"), (20, "BEN20")] {
        facts.add_enrollment(Enrollment {
            id: EnrollmentId(referrer + 1),
            business_id: 1.into(),
            campaign_id: 2.into(),
            referrer_id: ReferrerId(referrer),
            state: EnrollmentState::Active,
            archived: false,
            email_key: None,
            phone_key: None,
        });
        facts.add_code(Code {
            id: (referrer + 2).into(),
            business_id: 1.into(),
            enrollment_id: (referrer + 1).into(),
            campaign_id: 2.into(),
            referrer_id: ReferrerId(referrer),
            lookup: lookup_form(text),
            repaired: text.into(),
            kind: CodeKind::Custom,
            state: CodeState::Active,
        });
    }
    let now = Instant::parse_rfc3339("2026-06-20T12:00:00Z").unwrap();
    Work::new(facts, now, 1_000..1_000_000)
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn day(n: usize) -> Day {
    Day::parse(&format!("2026-06-{:02}", n + 1)).unwrap()
}

fn what(work: &Work, step: Step) -> What {
    let (of, email) = (ProductScope::new(3, 2, false), Email::parse(ADDRESS).unwrap());
    match step {
        Step::SignUp => {
            let code = Some("ANN10".to_owned());
            SignUp { of, email, name: "Amy".into(), phone: None, code }.into()
        }
        Step::Move => Reattribute {
            lead_id: *work.facts.leads.keys().next().unwrap(),
            to: Some(21.into()),
            code_id: None,
            reason: "a test".into(),
            pay_back: true,
        }
        .into(),
        Step::Pay { n, cents, names } => Payment {
            of,
            email,
            phone: None,
            amount: Money { minor: cents, currency: usd() },
            subscription_status: Subscription::Active,
            date: day(n),
            names: Names::all_decide(names_of(n, names)),
            body_hash: format!("p{n}"),
        }
        .into(),
        Step::Refund { n, of: paid, cents, by } => Refund {
            of,
            email,
            payment: match by {
                NamedBy::Day => PaymentRef::Day(day(paid)),
                NamedBy::Name(kind) => PaymentRef::Names(vec![PaymentName::new(kind, format!("p{paid}"))]),
            },
            amount: cents.map(|minor| Unpriced::of(Money { minor, currency: usd() })),
            currency: None,
            date: day(20),
            identity: Some(format!("event:r{n}")),
            body_hash: format!("r{n}"),
            reason: None,
        }
        .into(),
        Step::Approve { of } => Approve {
            commission_id: work.facts.standing_commission(paid(work, of).unwrap().id).unwrap().id,
            reason: Some("a test".into()),
        }
        .into(),
        Step::Dispute { of, on } => {
            let payment = DisputedPayment::Id(paid(work, of).unwrap().id);
            Dispute { payment, disputed: on, reason: "a test".into() }.into()
        }
    }
}

/// A payment's first name, and those of the further ones that the bits choose.
fn names_of(n: usize, further: u8) -> impl Iterator<Item = PaymentName> {
    let chosen = move |at: usize| at == 0 || further >> (at - 1) & 1 == 1;
    let kinds = NameKind::OF_AN_ID.into_iter().enumerate().filter(move |(at, _)| chosen(*at));
    kinds.map(move |(_, kind)| PaymentName::new(kind, format!("p{n}")))
}

fn paid(work: &Work, n: usize) -> Option<&Paid> {
    work.facts.payment_named(1.into(), false, &[PaymentName::new(NameKind::Event, format!("p{n}"))])
}

/// The first name of a payment.
fn named(work: &Work, id: PaymentId) -> String {
    let mut names = work.facts.payment_by_name.iter().filter(|(_, of)| **of == id);
    names.find(|((.., name), _)| name.kind == NameKind::Event).unwrap().0.2.to_string()
}

/// Staff can decide only about what is there: a lead, a commission, a payment with something left, a dispute.
fn is_there(work: &Work, step: Step) -> bool {
    match step {
        Step::Move => !work.facts.leads.is_empty(),
        Step::Approve { of } => paid(work, of).is_some_and(|p| work.facts.standing_commission(p.id).is_some()),
        Step::Dispute { of, on } => paid(work, of).is_some_and(|p| p.disputed_at.is_none() == on && p.left() > 0),
        Step::SignUp | Step::Pay { .. } | Step::Refund { .. } => true,
    }
}

/// Lets everything happen; what is about something that is not there yet waits for it.
fn run(pays: Pays, steps: &[Step]) -> Work {
    let mut work = world(pays);
    let actor =
        Arc::new(Actor { kind: ActorKind::Command, id: None, name: "test".into(), origin: "test".into(), call: None });
    let mut waiting: Vec<Step> = Vec::new();
    for step in steps {
        waiting.push(*step);
        while let Some(at) = waiting.iter().position(|step| is_there(&work, *step)) {
            let step = waiting.remove(at);
            let event = Event::new(By::new(1, &actor), what(&work, step));
            let outcome = event.decide(&mut work);
            assert!(outcome.is_ok(), "{step:?}: {outcome:?}");
        }
    }
    assert!(!work.ran_out());
    work
}

/// The state after all steps.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Payment to what was refunded and decided.
    payments: BTreeMap<String, (i64, Decision)>,
    /// (payment, referrer, kind, base, amount, state) of those that stand.
    commissions: BTreeSet<(String, ReferrerId, CommissionKind, i64, i64, CommissionState)>,
    /// (referrer, account) to the sum of the entries.
    balances: BTreeMap<(ReferrerId, Account), i64>,
    /// The campaign's, by day.
    revenue: BTreeMap<String, i64>,
    disputed: BTreeSet<String>,
    waiting: usize,
}

fn end(work: &Work) -> End {
    let identity = |id: PaymentId| named(work, id);
    let mut balances: BTreeMap<(ReferrerId, Account), i64> = BTreeMap::new();
    for entry in &work.writes.entries {
        *balances.entry((entry.referrer_id, entry.account)).or_default() += entry.amount;
    }
    balances.retain(|_, sum| *sum != 0);
    let revenue = work
        .writes
        .counters
        .iter()
        .filter(|((scope, name, _), sum)| *scope == 2 && name == "revenue.USD" && **sum != 0);
    let standing = work.facts.commissions.values().filter(|c| !c.is_void());
    End {
        payments: work.facts.payments.values().map(|p| (identity(p.id), (p.refunded, p.decision))).collect(),
        commissions: standing
            .map(|c| {
                let payment = identity(c.payment_id.unwrap());
                (payment, c.referrer_id, c.kind, c.base_amount, c.amount, c.state)
            })
            .collect(),
        balances,
        revenue: revenue.map(|((_, _, day), sum)| (day.clone(), *sum)).collect(),
        disputed: {
            let disputed = work.facts.payments.values().filter(|p| p.disputed_at.is_some());
            disputed.map(|p| identity(p.id)).collect()
        },
        waiting: work.facts.refunds.values().filter(|r| r.state != RefundState::Applied).count(),
    }
}

/// Payments of a person in the order of their days, with refunds that fit them, and disputes that go on or end.
fn story() -> impl Strategy<Value = Vec<Step>> {
    let disputed = prop::option::weighted(0.4, any::<bool>());
    let one = (1..100_000_i64, prop::collection::vec(1..100_u32, 0..4), prop::option::of(any::<bool>()), disputed);
    prop::collection::vec(one, 1..5).prop_map(|all| {
        let (mut steps, mut n) = (Vec::new(), 0);
        for (at, (cents, shares, rest, disputed)) in all.into_iter().enumerate() {
            steps.push(Step::Pay { n: at, cents, names: 0 });
            if let Some(ends) = disputed {
                steps.push(Step::Dispute { of: at, on: true });
                steps.extend(ends.then_some(Step::Dispute { of: at, on: false }));
            }
            let mut left = cents;
            for share in shares {
                let part = left * i64::from(share) / 100;
                if part > 0 {
                    left -= part;
                    n += 1;
                    steps.push(Step::Refund {
                        n,
                        of: at,
                        cents: Some(part),
                        by: if share % 2 == 0 { NamedBy::Day } else { BY_ID },
                    });
                }
            }
            // The rest in a sum, so that its own place in the order does not matter.
            if let Some(by_day) = rest.filter(|_| left > 0) {
                n += 1;
                steps.push(Step::Refund {
                    n,
                    of: at,
                    cents: Some(left),
                    by: if by_day { NamedBy::Day } else { BY_ID },
                });
            }
        }
        steps
    })
}

fn pays() -> impl Strategy<Value = Pays> {
    prop_oneof![
        4 => (1..1_000_001_i64, 1..1_000_001_i64).prop_map(|(a, b)| Pays::Rates(a, b)),
        1 => (1..60_000_i64, 1..60_000_i64).prop_map(|(a, b)| Pays::Flat(a, b)),
    ]
}

/// The steps in an order that keys decide; the payments among themselves stay in theirs, because the first
/// decided is the first.
fn shuffled(steps: &[Step], keys: &[u16]) -> Vec<Step> {
    let mut keyed: Vec<(u16, Step)> = keys.iter().copied().cycle().zip(steps.iter().copied()).collect();
    keyed.sort_by_key(|(key, _)| *key);
    let mut payments = steps.iter().copied().filter(|s| matches!(s, Step::Pay { .. }));
    let in_turn = |step: Step, next: &mut dyn Iterator<Item = Step>| match step {
        Step::Pay { .. } => next.next().unwrap(),
        other => other,
    };
    keyed.into_iter().map(|(_, step)| in_turn(step, &mut payments)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_ends_alike(pays in pays(), story in story(), keys in prop::collection::vec(any::<u16>(), 40)) {
        let mut told: Vec<Step> = vec![Step::SignUp];
        told.extend(&story);
        let expected = run(pays, &told);
        let other = run(pays, &shuffled(&told, &keys));
        prop_assert_eq!(end(&other), end(&expected));
        // Void ones too, where nobody was moved.
        let all = |work: &Work| -> BTreeSet<(String, ReferrerId, i64, CommissionState)> {
            let of = |id: PaymentId| named(work, id);
            work.facts.commissions.values().map(|c| (of(c.payment_id.unwrap()), c.referrer_id, c.amount, c.state)).collect()
        };
        prop_assert_eq!(all(&other), all(&expected));
    }

    #[test]
    fn whenever_staff_decide_who_referred(pays in pays(), story in story(), keys in prop::collection::vec(any::<u16>(), 40)) {
        let mut told: Vec<Step> = vec![Step::SignUp, Step::Move];
        told.extend(&story);
        let expected = end(&run(pays, &told));
        prop_assert_eq!(end(&run(pays, &shuffled(&told, &keys))), expected);
    }

    #[test]
    fn what_is_left_is_what_earns(pays in pays(), story in story(), keys in prop::collection::vec(any::<u16>(), 40)) {
        let mut told: Vec<Step> = vec![Step::SignUp];
        told.extend(&story);
        let work = run(pays, &shuffled(&told, &keys));
        for c in work.facts.commissions.values() {
            let paid = &work.facts.payments[&c.payment_id.unwrap()];
            let given_back: i64 = story.iter().filter_map(|s| match s {
                Step::Refund { of, cents: Some(cents), .. } if format!("event:p{of}") == named(&work, paid.id) => Some(*cents),
                _ => None,
            }).sum();
            prop_assert_eq!(paid.refunded, given_back);
            let left = paid.amount - given_back;
            let expected = match (c.rate, c.flat) {
                _ if left == 0 => 0,
                // Half a cent goes up; a rate is in ten-thousandths of a percent.
                (Some(rate), _) => (left * rate + 500_000) / 1_000_000,
                (None, flat) => flat.unwrap().min(paid.amount),
            };
            prop_assert_eq!(c.amount, expected);
            prop_assert_eq!(c.is_void(), left == 0);
            prop_assert_eq!(c.base_amount, paid.amount, "what it was frozen from");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each payment comes several times, each time under other names, and each refund names it by one of them.
    #[test]
    fn any_names_in_any_order_are_one_payment(
        pays in pays(),
        story in story(),
        again in prop::collection::vec((any::<prop::sample::Index>(), any::<u16>(), 0..ALL), 0..8),
        by in prop::collection::vec(prop::sample::select(&NameKind::OF_AN_ID[..]), 40),
        keys in prop::collection::vec(any::<u16>(), 40),
    ) {
        let mut told: Vec<Step> = vec![Step::SignUp];
        told.extend(&story);
        let expected = end(&run(pays, &told));
        let payments: Vec<Step> = story.iter().copied().filter(|s| matches!(s, Step::Pay { .. })).collect();
        let mut kinds = by.into_iter().cycle();
        for step in &mut told {
            if let Step::Refund { by: NamedBy::Name(kind), .. } = step {
                *kind = kinds.next().unwrap();
            }
        }
        // All names are known in the end, whichever came first.
        let whole = payments.iter().map(|step| (*step, 0, ALL));
        let doubles = again.iter().map(|(which, key, names)| (*which.get(&payments), *key, *names));
        let mut told = shuffled(&told, &keys);
        for (step, key, under) in whole.chain(doubles) {
            let Step::Pay { n, cents, .. } = step else { unreachable!() };
            let first = told.iter().position(|s| matches!(s, Step::Pay { n: of, .. } if *of == n)).unwrap();
            let at = first + 1 + usize::from(key) % (told.len() - first);
            told.insert(at, Step::Pay { n, cents, names: under });
        }
        let work = run(pays, &told);
        prop_assert_eq!(end(&work), expected);
        prop_assert_eq!(work.facts.payment_by_name.len(), payments.len() * NameKind::OF_AN_ID.len());
        prop_assert_eq!(work.writes.payment_names.len(), work.facts.payment_by_name.len());
    }

    #[test]
    fn a_dispute_says_on_which_account_and_nothing_else(pays in pays(), story in story(), keys in prop::collection::vec(any::<u16>(), 40)) {
        let (payments, rest): (Vec<Step>, Vec<Step>) = story.iter().copied().partition(|s| matches!(s, Step::Pay { .. }));
        let mut told = vec![Step::SignUp];
        told.extend(&payments);
        told.extend((0..payments.len()).map(|of| Step::Approve { of }));
        let run_with = |rest: Vec<Step>| run(pays, &told.iter().copied().chain(rest).collect::<Vec<_>>());
        let work = run_with(shuffled(&rest, &keys));
        let undisputed = run_with(rest.iter().copied().filter(|s| !matches!(s, Step::Dispute { .. })).collect());
        prop_assert_eq!(end(&work).commissions, end(&undisputed).commissions);
        prop_assert_eq!(end(&work).payments, end(&undisputed).payments);
        // Whose dispute goes on: marked and not ended, with something left.
        let goes_on = |of: usize| rest.iter().filter(|s| matches!(s, Step::Dispute { of: n, .. } if *n == of)).count() == 1;
        let mut expected: BTreeMap<(ReferrerId, Account), i64> = BTreeMap::new();
        for of in 0..payments.len() {
            let paid = paid(&work, of).unwrap();
            let disputed = goes_on(of) && paid.left() > 0;
            prop_assert_eq!(paid.disputed_at.is_some(), disputed, "payment {}", of);
            let Some(c) = work.facts.standing_commission(paid.id).filter(|c: &&Commission| !c.is_void()) else { continue };
            prop_assert_eq!(c.state, CommissionState::Approved);
            *expected.entry((c.referrer_id, if disputed { Account::Held } else { Account::Due })).or_default() += c.amount;
        }
        expected.retain(|_, sum| *sum != 0);
        prop_assert_eq!(end(&work).balances, expected);
    }
}

/// (account, amount, kind), in the order they were posted.
fn entries(work: &Work) -> Vec<(&'static str, i64, &'static str)> {
    work.writes.entries.iter().map(|e| (e.account.word(), e.amount, e.kind.word())).collect()
}

#[test]
fn the_ledger_has_the_same_entries_whichever_came_first() {
    let pays = Pays::Rates(200_000, 200_000);
    let paid = Step::Pay { n: 0, cents: 10_000, names: 0 };
    let part = Step::Refund { n: 1, of: 0, cents: Some(3_000), by: NamedBy::Day };
    let rest = Step::Refund { n: 2, of: 0, cents: None, by: BY_ID };
    let expected = [("held", 2_000, "created"), ("held", -600, "refunded"), ("held", -1_400, "voided")];
    for order in [[paid, part, rest], [part, paid, rest], [part, rest, paid]] {
        let mut steps = vec![Step::SignUp];
        steps.extend(order);
        assert_eq!(entries(&run(pays, &steps)), expected, "{order:?}");
    }
    // A payment that waits until its lead has a referrer earns at once on what is left of it.
    let waited = run(pays, &[paid, part, rest, Step::SignUp]);
    assert_eq!(entries(&waited), [("held", 2_000, "created"), ("held", -2_000, "voided")]);
}

#[test]
fn what_is_due_is_held_while_it_is_disputed() {
    let paid = [Step::SignUp, Step::Pay { n: 0, cents: 10_000, names: 0 }, Step::Approve { of: 0 }];
    let part = Step::Refund { n: 1, of: 0, cents: Some(3_000), by: NamedBy::Day };
    let rest = Step::Refund { n: 2, of: 0, cents: None, by: BY_ID };
    let (mark, unmark) = (Step::Dispute { of: 0, on: true }, Step::Dispute { of: 0, on: false });
    let approved = [("held", 2_000, "created"), ("held", -2_000, "approved"), ("due", 2_000, "approved")];
    let told = |steps: &[Step]| {
        let work = run(Pays::Rates(200_000, 200_000), &[&paid[..], steps].concat());
        let (all, audited) = (entries(&work), work.writes.audit.iter().map(|a| a.action).collect::<Vec<_>>());
        assert_eq!(all[..3], approved);
        (all[3..].to_vec(), audited[audited.len() - 1], end(&work))
    };
    let (entries, audited, _) = told(&[mark, part, unmark]);
    assert_eq!(
        entries,
        [
            ("due", -2_000, "disputed"),
            ("held", 2_000, "disputed"),
            ("held", -600, "refunded"),
            ("held", -1_400, "dispute ended"),
            ("due", 1_400, "dispute ended"),
        ]
    );
    assert_eq!(audited, "payment.dispute_ended");
    // Lost: what is left is refunded, and the mark goes with it.
    let (entries, audited, end) = told(&[mark, rest]);
    assert_eq!(entries, [("due", -2_000, "disputed"), ("held", 2_000, "disputed"), ("held", -2_000, "voided")]);
    assert_eq!((audited, end.disputed.len(), end.balances.len()), ("payment.dispute_ended", 0, 0));
}

#[test]
fn a_parked_refund_that_does_not_fit_is_for_a_person() {
    let pays = Pays::Rates(200_000, 200_000);
    let steps = [
        Step::SignUp,
        Step::Refund { n: 1, of: 0, cents: Some(7_000), by: BY_ID },
        Step::Refund { n: 2, of: 0, cents: Some(7_000), by: BY_ID },
        Step::Refund { n: 3, of: 0, cents: Some(10_001), by: NamedBy::Day },
        Step::Pay { n: 0, cents: 10_000, names: 0 },
    ];
    let work = run(pays, &steps);
    let end = end(&work);
    assert_eq!(end.payments["event:p0"], (7_000, Decision::Earned));
    let kinds: Vec<InboxKind> = work.writes.inbox.iter().map(|i| i.kind).collect();
    assert_eq!(kinds, [InboxKind::RefundUnfit, InboxKind::RefundUnfit]);
    assert_eq!(end.balances[&(10.into(), Account::Held)], 600);
}
