//! A payment that is given back in parts: each part takes off what it has to, and all of them the whole.

use proptest::prelude::*;

use crate::clock::Day;
use crate::engine::facts::Commission;
use crate::engine::rules::commission::worth;
use crate::engine::state::{CommissionKind, CommissionState};
use crate::money::tests::every_currency::{currencies, written};
use crate::money::tests::exact::Exact;
use crate::money::{Currency, MAX_MINOR, Money, Rate};

fn commission(rate: Option<i64>, flat: Option<i64>, base: i64, currency: Currency) -> Commission {
    Commission {
        id: 1.into(),
        business_id: 2.into(),
        campaign_id: 3.into(),
        test: false,
        kind: CommissionKind::Referral,
        product_id: Some(4.into()),
        payment_id: Some(5.into()),
        lead_id: 6.into(),
        referrer_id: 7.into(),
        enrollment_id: 8.into(),
        terms_id: Some(9.into()),
        terms_number: Some(1),
        rate,
        flat,
        base_amount: base,
        amount: 0,
        currency,
        hold_days: 14,
        hold_until: Day::parse("2026-06-28").unwrap(),
        state: CommissionState::Pending,
        void_cause: None,
        reason: None,
        released: false,
        reversed_at: None,
        taken_back: 0,
        line_id: None,
        created_at: 0,
        updated_at: 0,
    }
}

/// A payment cut at any places: the parts that are given back, one after the other.
fn cut() -> impl Strategy<Value = (i64, Vec<i64>)> {
    let base = prop_oneof![1..=MAX_MINOR, 1..10_000_i64];
    (base, prop::collection::vec(any::<prop::sample::Index>(), 0..12)).prop_map(|(base, cuts)| {
        let size = usize::try_from(base).unwrap_or(usize::MAX);
        let mut places: Vec<i64> = cuts.iter().map(|cut| i64::try_from(cut.index(size)).unwrap_or(0)).collect();
        places.extend([0, base]);
        places.sort_unstable();
        let parts = places.windows(2).map(|pair| pair[1] - pair[0]).filter(|part| *part > 0).collect();
        (base, parts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_take_off_what_the_whole_does(
        units in 0..=Rate::MAX_UNITS, flat in 1..MAX_MINOR, (base, parts) in cut(),
    ) {
        let rate = Rate::from_units(units).unwrap();
        let share = Exact::read(rate.shown().trim_end_matches(" %")).percent();
        for currency in currencies() {
            let written = |minor| written(minor, currency);
            let decimals = currency.decimals() as usize;
            let (by_rate, by_flat) = (commission(Some(units), None, base, currency), commission(None, Some(flat), base, currency));
            let (mut refunded, mut left, mut taken) = (0, written(base), Exact::read("0"));
            let mut before = worth(&by_rate, 0);
            for part in &parts {
                refunded += part;
                left = left.minus(&written(*part));
                let now = worth(&by_rate, refunded);
                prop_assert_eq!(Money { minor: now, currency }.plain(), share.times(&left).rounded(decimals).to_string());
                taken = taken.plus(&written(before - now));
                before = now;
                let stays = if refunded == base { 0 } else { flat.min(base) };
                prop_assert_eq!(worth(&by_flat, refunded), stays);
            }
            let whole = share.times(&written(base)).rounded(decimals);
            prop_assert_eq!((refunded, before), (base, 0));
            prop_assert_eq!(taken.rounded(decimals).to_string(), whole.to_string());
        }
    }
}
