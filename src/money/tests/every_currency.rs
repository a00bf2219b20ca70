//! Amounts of every currency are read, written and shared as the decimal numbers that people write.

use proptest::prelude::*;

use super::exact::Exact;
use crate::money::{Currency, MAX_MINOR, Money, Rate};

/// Every code of three letters that is a currency.
pub fn currencies() -> Vec<Currency> {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    codes.filter_map(|code| Currency::parse(&code).ok()).collect()
}

/// A number of minor units as it is written.
pub fn written(minor: i64, currency: Currency) -> Exact {
    let decimals = currency.decimals() as usize;
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if minor < 0 { "-" } else { "" };
    Exact::read(&format!("{sign}{whole}.{fraction}"))
}

/// Amounts, with many whose share is just about half a unit.
fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![0..=MAX_MINOR, 0..1_000_i64, (0..=MAX_MINOR / 1_000_000).prop_map(|n| n * 1_000_000 + 500_000)]
}

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![0..=Rate::MAX_UNITS, (0..=100_i64).prop_map(|percent| percent * 10_000), 0..100_i64]
}

fn rate_written(rate: Rate) -> Exact {
    Exact::read(rate.shown().trim_end_matches(" %"))
}

#[test]
fn there_are_currencies_of_every_number_of_decimals() {
    let known = currencies();
    let of = |decimals| known.iter().filter(|c| c.decimals() == decimals).count();
    assert!(of(0) > 10 && of(2) > 120 && of(3) > 5 && of(4) > 1, "{} {} {} {}", of(0), of(2), of(3), of(4));
    assert_eq!(of(0) + of(2) + of(3) + of(4), known.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_amount_is_read_as_it_is_written(minor in minor(), zeros in 0..3_usize) {
        for currency in currencies() {
            let (money, exact) = (Money { minor, currency }, written(minor, currency).to_string());
            prop_assert_eq!(money.plain(), &*exact);
            prop_assert_eq!(Money { minor: -minor, currency }.plain(), written(-minor, currency).to_string());
            let point = if exact.contains('.') { "" } else { "." };
            let longer = if zeros == 0 { exact.clone() } else { format!("{exact}{point}{}", "0".repeat(zeros)) };
            prop_assert_eq!(Money::from_json_number(&longer, currency), Ok(money));
            let shown = money.shown();
            prop_assert_eq!(Money::from_text(shown.trim_end_matches(currency.code()), currency), Ok(money));
            let moved = format!("{minor}e-{}", currency.decimals());
            prop_assert_eq!(Money::from_json_number(&moved, currency), Ok(money));
        }
    }

    #[test]
    fn a_share_is_the_exact_one_rounded_once(minor in minor(), units in units()) {
        let rate = Rate::from_units(units).unwrap();
        for currency in currencies() {
            for minor in [minor, -minor] {
                let share = rate_written(rate).percent().times(&written(minor, currency));
                let expected = share.rounded(currency.decimals() as usize).to_string();
                prop_assert_eq!(Money { minor: rate.of(minor), currency }.plain(), expected);
            }
        }
    }
}
