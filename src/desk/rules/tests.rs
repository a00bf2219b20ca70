//! Payments, refunds and the attribution in any order of arrival end alike: the rules over facts in memory,
//! which stand for the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::decide;
use crate::actor::{Actor, ActorKind};
use crate::clock::{Day, Instant};
use crate::code::lookup_form;
use crate::desk::event::{Event, Outcome, Payment, Refund, RefundOf, SignUp, What};
use crate::desk::facts::{Business, Campaign, Code, Enrollment, Facts, Product, Terms};
use crate::desk::work::Work;
use crate::email::Email;
use crate::money::{Currency, Money, Unpriced};

const ADDRESS: &str = "amy@example.com";

/// How a product pays, referral and recurring: ten-thousandths of a percent, or flat cents.
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
    Pay {
        n: usize,
        cents: i64,
    },
    /// None is all that is left.
    Refund {
        n: usize,
        of: usize,
        cents: Option<i64>,
        by_day: bool,
    },
}

/// Everything with an id below 1000 is there from the beginning: one campaign, one product, two referrers.
fn world(pays: Pays) -> Work {
    let mut facts = Facts::default();
    let business = Business { id: 1, timezone: "UTC".into(), currency: "USD".into(), parked: true };
    facts.businesses.insert(1, business);
    let campaign = Campaign {
        id: 2,
        business_id: 1,
        state: "live".into(),
        qualify_on: "payment".into(),
        qualify_least: "{}".into(),
        reward: "{}".into(),
        reward_hold_days: 14,
    };
    facts.campaigns.insert(2, campaign);
    facts.products.insert(3, Product { id: 3, business_id: 1, campaign_id: 2, test: false });
    let rate = |n: i64| matches!(pays, Pays::Rates(..)).then_some(n);
    let flat = |n: i64| matches!(pays, Pays::Flat(..)).then(|| format!("{{\"USD\": {n}}}"));
    let (first, later) = match pays {
        Pays::Rates(a, b) | Pays::Flat(a, b) => (a, b),
    };
    let terms = Terms {
        id: 4,
        product_id: 3,
        number: 1,
        valid_from: "1900-01-01".into(),
        referral_rate: rate(first),
        referral_flat: flat(first),
        recurring_rate: rate(later),
        recurring_flat: flat(later),
        recurring_limit: "none".into(),
        recurring_count: 0,
        hold_days: 14,
    };
    facts.terms.insert(3, vec![terms]);
    for (referrer, text) in [(10, "ANN10"), (20, "BEN20")] {
        facts.add_enrollment(Enrollment {
            id: referrer + 1,
            business_id: 1,
            campaign_id: 2,
            referrer_id: referrer,
            state: "active".into(),
            archived: false,
            email_key: None,
            phone_key: None,
        });
        facts.add_code(Code {
            id: referrer + 2,
            business_id: 1,
            enrollment_id: referrer + 1,
            campaign_id: 2,
            referrer_id: referrer,
            lookup: lookup_form(text),
            repaired: text.into(),
            kind: "custom".into(),
            state: "active".into(),
        });
    }
    let now = Instant::parse_rfc3339("2026-06-20T12:00:00Z").unwrap();
    Work::new(facts, now, 1_000..1_000_000)
}

fn day(n: usize) -> Day {
    Day::parse(&format!("2026-06-{:02}", n + 1)).unwrap()
}

fn what(work: &Work, step: Step) -> What {
    let (product_id, test, email) = (3, false, Email::parse(ADDRESS).unwrap());
    let usd = Currency::parse("USD").unwrap();
    match step {
        Step::SignUp => {
            let code = Some("ANN10".to_owned());
            What::SignUp(SignUp { product_id, test, email, name: "Amy".into(), phone: None, code })
        }
        Step::Move => What::Reattribute {
            lead_id: *work.facts.leads.keys().next().unwrap(),
            to: Some(21),
            code_id: None,
            reason: "a test".into(),
            pay_back: true,
        },
        Step::Pay { n, cents } => What::Payment(Payment {
            product_id,
            test,
            email,
            phone: None,
            amount: Money { minor: cents, currency: usd },
            subscription_status: "active".into(),
            date: day(n),
            identity: Some(format!("event:p{n}")),
            body_hash: format!("p{n}"),
        }),
        Step::Refund { n, of, cents, by_day } => What::Refund(Box::new(Refund {
            product_id,
            test,
            email,
            of: if by_day { RefundOf::Date(day(of)) } else { RefundOf::Event(format!("p{of}")) },
            amount: cents.map(|minor| Unpriced::of(Money { minor, currency: usd })),
            currency: None,
            date: day(20),
            identity: Some(format!("event:r{n}")),
            body_hash: format!("r{n}"),
            reason: None,
        })),
    }
}

/// Lets everything happen; staff can move only a lead that is there.
fn run(pays: Pays, steps: &[Step]) -> Work {
    let mut work = world(pays);
    let actor = Arc::new(Actor { kind: ActorKind::Command, id: None, name: "test".into(), origin: "test".into() });
    let (mut waits, mut steps) = (false, steps.to_vec());
    steps.reverse();
    while let Some(step) = steps.pop() {
        if matches!(step, Step::Move) && work.facts.leads.is_empty() {
            waits = true;
            continue;
        }
        let event = Event { business_id: 1, actor: actor.clone(), what: what(&work, step) };
        let outcome = decide(&mut work, &event);
        let refused = matches!(outcome, Outcome::Invalid { .. } | Outcome::NotFound | Outcome::Refused { .. });
        assert!(!refused, "{step:?}: {outcome:?}");
        if matches!(step, Step::SignUp) && waits {
            steps.push(Step::Move);
        }
    }
    assert!(!work.ran_out());
    work
}

/// What everything comes to.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// Payment to what was refunded and decided.
    payments: BTreeMap<String, (i64, String)>,
    /// (payment, referrer, kind, base, amount, state) of those that stand.
    commissions: BTreeSet<(String, i64, String, i64, i64, String)>,
    /// (referrer, account) to the sum of the entries.
    balances: BTreeMap<(i64, &'static str), i64>,
    /// The campaign's, by day.
    revenue: BTreeMap<String, i64>,
    waiting: usize,
}

fn end(work: &Work) -> End {
    let identity = |id: i64| work.facts.payments[&id].identity.clone();
    let mut balances: BTreeMap<(i64, &'static str), i64> = BTreeMap::new();
    for entry in &work.writes.entries {
        *balances.entry((entry.referrer_id, entry.account)).or_default() += entry.amount;
    }
    balances.retain(|_, sum| *sum != 0);
    let revenue = work
        .writes
        .counters
        .iter()
        .filter(|((scope, name, _), sum)| *scope == 2 && name == "revenue.USD" && **sum != 0);
    let standing = work.facts.commissions.values().filter(|c| c.state != "void");
    End {
        payments: work
            .facts
            .payments
            .values()
            .map(|p| (p.identity.clone(), (p.refunded, p.decision.clone())))
            .collect(),
        commissions: standing
            .map(|c| {
                let payment = identity(c.payment_id.unwrap());
                (payment, c.referrer_id, c.kind.clone(), c.base_amount, c.amount, c.state.clone())
            })
            .collect(),
        balances,
        revenue: revenue.map(|((_, _, day), sum)| (day.clone(), *sum)).collect(),
        waiting: work.facts.refunds.values().filter(|r| r.state != "applied").count(),
    }
}

/// Payments of a person in the order of their days, with refunds that fit them.
fn story() -> impl Strategy<Value = Vec<Step>> {
    let one = (1..100_000_i64, prop::collection::vec(1..100_u32, 0..4), prop::option::of(any::<bool>()));
    prop::collection::vec(one, 1..5).prop_map(|all| {
        let (mut steps, mut n) = (Vec::new(), 0);
        for (at, (cents, shares, rest)) in all.into_iter().enumerate() {
            steps.push(Step::Pay { n: at, cents });
            let mut left = cents;
            for share in shares {
                let part = left * i64::from(share) / 100;
                if part > 0 {
                    left -= part;
                    n += 1;
                    steps.push(Step::Refund { n, of: at, cents: Some(part), by_day: share % 2 == 0 });
                }
            }
            // The rest in a sum, so that its own place in the order does not matter.
            if let Some(by_day) = rest.filter(|_| left > 0) {
                n += 1;
                steps.push(Step::Refund { n, of: at, cents: Some(left), by_day });
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
        let all = |work: &Work| -> BTreeSet<(String, i64, i64, String)> {
            let of = |id: i64| work.facts.payments[&id].identity.clone();
            work.facts.commissions.values().map(|c| (of(c.payment_id.unwrap()), c.referrer_id, c.amount, c.state.clone())).collect()
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
                Step::Refund { of, cents: Some(cents), .. } if format!("event:p{of}") == paid.identity => Some(*cents),
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
            prop_assert_eq!(c.state == "void", left == 0);
            prop_assert_eq!(c.base_amount, paid.amount, "what it was frozen from");
        }
    }
}

/// (account, amount, kind), in the order they were posted.
fn entries(work: &Work) -> Vec<(&'static str, i64, &'static str)> {
    work.writes.entries.iter().map(|e| (e.account, e.amount, e.kind)).collect()
}

#[test]
fn the_ledger_has_the_same_entries_whichever_came_first() {
    let pays = Pays::Rates(200_000, 200_000);
    let paid = Step::Pay { n: 0, cents: 10_000 };
    let part = Step::Refund { n: 1, of: 0, cents: Some(3_000), by_day: true };
    let rest = Step::Refund { n: 2, of: 0, cents: None, by_day: false };
    let expected = [("held", 2_000, "created"), ("held", -600, "refunded"), ("held", -1_400, "voided")];
    for order in [[paid, part, rest], [part, paid, rest], [part, rest, paid]] {
        let mut steps = vec![Step::SignUp];
        steps.extend(order);
        assert_eq!(entries(&run(pays, &steps)), expected, "{order:?}");
    }
    // What waits until its lead has a referrer earns at once what is left.
    let waited = run(pays, &[paid, part, rest, Step::SignUp]);
    assert_eq!(entries(&waited), [("held", 2_000, "created"), ("held", -2_000, "voided")]);
}

#[test]
fn a_parked_refund_that_does_not_fit_is_for_a_person() {
    let pays = Pays::Rates(200_000, 200_000);
    let steps = [
        Step::SignUp,
        Step::Refund { n: 1, of: 0, cents: Some(7_000), by_day: false },
        Step::Refund { n: 2, of: 0, cents: Some(7_000), by_day: false },
        Step::Refund { n: 3, of: 0, cents: Some(10_001), by_day: true },
        Step::Pay { n: 0, cents: 10_000 },
    ];
    let work = run(pays, &steps);
    let end = end(&work);
    assert_eq!(end.payments["event:p0"], (7_000, "earned".to_owned()));
    let kinds: Vec<&str> = work.writes.inbox.iter().map(|i| i.kind).collect();
    assert_eq!(kinds, ["refund_unfit", "refund_unfit"]);
    assert_eq!(end.balances[&(10, "held")], 600);
}
