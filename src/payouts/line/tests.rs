//! A line is the exact sum of what may be paid, and pays nothing while that is nothing or less.

use proptest::prelude::*;

use super::{OutReason, build};
use crate::engine::payout::Candidate;
use crate::money::tests::every_currency::{currencies, written};
use crate::money::tests::exact::Exact;
use crate::money::{MAX_MINOR, Money};
use crate::payout_details::{Method, Offered};

/// A commission, or what is taken back of one.
fn item() -> impl Strategy<Value = (i64, bool, bool)> {
    let amount = prop_oneof![1..=MAX_MINOR, 1..100_i64, -MAX_MINOR..0, -100..0_i64];
    (amount, prop::bool::weighted(0.2), prop::bool::weighted(0.1)).prop_map(|(amount, disputed, banned)| {
        // A sum that is taken back waits for nobody.
        (amount, disputed && amount > 0, banned && amount > 0)
    })
}

fn candidate(n: i64, (amount, disputed, banned): (i64, bool, bool)) -> Candidate {
    Candidate {
        commission_id: (amount > 0).then_some(n.into()),
        adjustment_id: (amount < 0).then_some(n.into()),
        referrer_id: 1.into(),
        campaign_id: 2.into(),
        enrollment_id: 3.into(),
        amount,
        version: 0,
        disputed,
        banned,
        held_until: None,
        offered: Offered::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_netted_is_the_exact_sum(items in prop::collection::vec(item(), 1..40), minimum in 0..MAX_MINOR) {
        let candidates: Vec<Candidate> = (1..).zip(&items).map(|(n, item)| candidate(n, *item)).collect();
        let payable: Vec<i64> = items.iter().filter(|(_, disputed, banned)| !disputed && !banned).map(|i| i.0).collect();
        prop_assume!(!payable.is_empty());
        let earns = payable.iter().any(|amount| *amount > 0);
        let line = build(1, &candidates, |_| minimum, Method::Hand, None, false);
        prop_assert_eq!(usize::try_from(line.items), Ok(payable.len()));
        for currency in currencies() {
            let sum = payable.iter().fold(Exact::read("0"), |sum, amount| sum.plus(&written(*amount, currency)));
            let sum = sum.rounded(currency.decimals() as usize).to_string();
            prop_assert_eq!(Money { minor: line.amount, currency }.plain(), sum);
        }
        let expected = match line.amount {
            ..0 => Some(OutReason::Negative),
            0 => Some(OutReason::Nothing),
            amount if earns && amount < minimum => Some(OutReason::BelowMinimum),
            _ => None,
        };
        prop_assert_eq!(line.out, expected);
    }
}
