pub mod every_currency;
pub mod exact;

use proptest::prelude::*;

use super::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn json(raw: &str, code: &str) -> Result<i64, MoneyError> {
    Money::from_json_number(raw, currency(code)).map(|money| money.minor)
}

fn typed(raw: &str, code: &str) -> Result<i64, MoneyError> {
    Money::from_text(raw, currency(code)).map(|money| money.minor)
}

#[test]
fn currencies_are_those_with_minor_units() {
    for (code, decimals) in [("USD", 2), ("jpy", 0), (" Kwd ", 3), ("CLF", 4), ("ISK", 0), ("TND", 3)] {
        assert_eq!(currency(code).decimals(), decimals, "{code}");
    }
    assert_eq!(currency("eur").code(), "EUR");
    for code in ["XXX", "XTS", "XAU", "XDR", "", "US", "USDD", "U$D", "ＵＳＤ", "usd\0"] {
        assert_eq!(Currency::parse(code), Err(MoneyError::UnknownCurrency), "{code}");
    }
}

#[test]
fn every_currency_refuses_one_decimal_too_many() {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let known: Vec<Currency> = codes.filter_map(|code| Currency::parse(&code).ok()).collect();
    assert!(known.len() > 150);
    for currency in known {
        let decimals = currency.decimals() as usize;
        let exact = if decimals == 0 { "11".to_owned() } else { format!("1.{:0>decimals$}", 1) };
        let minor = 10_i64.pow(currency.decimals()) + if decimals == 0 { 10 } else { 1 };
        assert_eq!(Money::from_json_number(&exact, currency).unwrap().minor, minor);
        let finer = format!("1.{:0>width$}", 1, width = decimals + 1);
        assert_eq!(Money::from_json_number(&finer, currency), Err(MoneyError::TooManyDecimals(currency)));
    }
}

#[test]
fn json_numbers_are_read_exactly() {
    for (raw, code, minor) in [
        ("20", "USD", 2000),
        ("20.00", "USD", 2000),
        ("29.990", "USD", 2999),
        ("2e1", "USD", 2000),
        ("100.0", "JPY", 100),
        ("1.5E+1", "JPY", 15),
        ("1250e-3", "USD", 125),
        ("0.1e1", "JPY", 1),
        ("-0", "USD", 0),
        ("-0.00e5", "USD", 0),
        ("0e999999999999", "USD", 0),
        ("1.2345", "CLF", 12345),
        ("10000000000.00", "USD", MAX_MINOR),
        ("1e12", "JPY", MAX_MINOR),
        ("9007199254.74", "USD", 900_719_925_474),
    ] {
        assert_eq!(json(raw, code), Ok(minor), "{raw} {code}");
    }
}

#[test]
fn what_is_no_amount_says_why() {
    let usd = currency("USD");
    for raw in [
        "\"29.99\"",
        "null",
        "{}",
        "[]",
        "true",
        "NaN",
        "Infinity",
        "-",
        "",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "1,5",
        "1 0",
        "--1",
        "١",
        "1e1.5",
        "- 1",
    ] {
        assert_eq!(json(raw, "USD"), Err(MoneyError::NotANumber), "{raw}");
    }
    for raw in ["-1", "-0.001", "-1e999"] {
        assert_eq!(json(raw, "USD"), Err(MoneyError::Negative), "{raw}");
    }
    for raw in ["1.234", "1e-9", "1e-999999999999999999999", "0.001"] {
        assert_eq!(json(raw, "USD"), Err(MoneyError::TooManyDecimals(usd)), "{raw}");
    }
    for raw in ["1e308", "1e400", "1e999999999", "1e99999999999999999999999", "9223372036854775808", "10000000000.01"] {
        assert_eq!(json(raw, "USD"), Err(MoneyError::TooLarge(usd)), "{raw}");
    }
    let long = format!("1{}", "0".repeat(1_000_000));
    assert_eq!(json(&long, "USD"), Err(MoneyError::TooLarge(usd)));
    assert_eq!(json(&format!("{long}e-1000000"), "USD"), Ok(100));
}

#[test]
fn the_sentences() {
    let sentence = |fault: MoneyError| fault.to_string();
    assert_eq!(sentence(json("1.234", "USD").unwrap_err()), "must have at most 2 decimals for USD");
    assert_eq!(sentence(json("10.5", "JPY").unwrap_err()), "must have no decimals for JPY");
    assert_eq!(sentence(json("1e99", "USD").unwrap_err()), "is larger than 10,000,000,000.00 USD");
    assert_eq!(sentence(json("1e99", "JPY").unwrap_err()), "is larger than 1,000,000,000,000 JPY");
    assert_eq!(sentence(json("-1", "JPY").unwrap_err()), "must not be negative");
    assert_eq!(sentence(json("x", "JPY").unwrap_err()), "must be a number");
    assert!(sentence(typed("1.2,50", "EUR").unwrap_err()).contains("written like 1,250.00 "));
    assert!(sentence(typed("1.250", "EUR").unwrap_err()).contains("Write it like 1250.00"));
    assert!(sentence(typed("x", "JPY").unwrap_err()).contains("written like 1,250 "));
}

#[test]
fn typed_amounts() {
    for (raw, minor) in [
        ("1,250.00", 125_000),
        ("1250", 125_000),
        ("1 250", 125_000),
        (" 1'250.5 ", 125_050),
        ("0.99", 99),
        ("1\u{202f}234\u{202f}567.8", 123_456_780),
        ("1’250", 125_000),
        ("007", 700),
        ("0.500", 50),
        ("1,250.500", 125_050),
        ("29.9900", 2999),
        ("1250.000", 125_000),
        ("-0", 0),
        ("1.250,00", 125_000),
        ("12,50", 1250),
        ("1,25", 125),
        ("1,2500", 125),
        ("0,050", 5),
        ("0,500", 50),
        ("1.250.000,5", 125_000_050),
    ] {
        assert_eq!(typed(raw, "USD"), Ok(minor), "{raw}");
    }
    assert_eq!(typed("1.250", "KWD"), Ok(1250));
    assert_eq!(typed("1,250", "KWD"), Ok(1_250_000));
    for raw in [
        "1,00,000",
        "1,250 000",
        ",5",
        "5.",
        ".5",
        "",
        "USD 5",
        "$5",
        "5 USD",
        "1e3",
        "1  250",
        "1.2.3",
        "+5",
        "١٢",
        "(5)",
        "1,250.",
        "NaN",
    ] {
        assert_eq!(typed(raw, "USD"), Err(MoneyError::Unreadable(currency("USD"))), "{raw}");
    }
    for raw in ["1.250", "29.990"] {
        assert_eq!(typed(raw, "USD"), Err(MoneyError::TwoMeanings(currency("USD"))), "{raw}");
    }
    assert_eq!(typed("\u{2212}5", "USD"), Err(MoneyError::Negative));
    assert_eq!(typed("-1,250.00", "USD"), Err(MoneyError::Negative));
    assert_eq!(typed("0.001", "USD"), Err(MoneyError::TooManyDecimals(currency("USD"))));
}

#[test]
fn amounts_are_written() {
    let money = |minor, code| Money { minor, currency: currency(code) };
    assert_eq!(money(2000, "USD").plain(), "20.00");
    assert_eq!(money(310, "JPY").plain(), "310");
    assert_eq!(money(1250, "KWD").plain(), "1.250");
    assert_eq!(money(-5, "USD").plain(), "-0.05");
    assert_eq!(money(i64::MIN, "USD").plain(), "-92233720368547758.08");
    assert_eq!(money(125_000, "USD").shown(), "1,250.00 USD");
    assert_eq!(money(-123_456, "JPY").shown(), "\u{2212}123,456 JPY");
    assert_eq!(money(-1_234_567, "KWD").shown(), "\u{2212}1,234.567 KWD");
    assert_eq!(money(0, "USD").shown(), "0.00 USD");
}

#[test]
fn rates() {
    for (raw, units, shown) in [
        ("20", 200_000, "20 %"),
        ("12.5", 125_000, "12.5 %"),
        ("7.1234", 71_234, "7.1234 %"),
        ("20 %", 200_000, "20 %"),
        ("100%", 1_000_000, "100 %"),
        ("0", 0, "0 %"),
        ("7.125", 71_250, "7.125 %"),
        ("10.50000", 105_000, "10.5 %"),
        ("12,5", 125_000, "12.5 %"),
        ("0,050", 500, "0.05 %"),
        ("12,500", 125_000, "12.5 %"),
    ] {
        let rate = Rate::parse(raw).unwrap();
        assert_eq!((rate.units(), rate.shown().as_str()), (units, shown));
    }
    for raw in ["100.0001", "101", "-1", "7.12345", "7,12345", "101,5", "", "%", "20 %%", "NaN", "1e1"] {
        assert_eq!(Rate::parse(raw), Err(MoneyError::NotARate), "{raw}");
    }
    assert_eq!(Rate::from_json_number("1.25e1").map(Rate::units), Ok(125_000));
    assert_eq!(Rate::from_json_number("\"20\""), Err(MoneyError::NotARate));
    assert_eq!((Rate::from_units(-1), Rate::from_units(1_000_001)), (None, None));
}

#[test]
fn shares_round_half_away_from_zero() {
    let share = |rate: &str, base| Rate::parse(rate).unwrap().of(base);
    assert_eq!(share("20", 10_000), 2000);
    assert_eq!((share("50", 1), share("50", -1), share("50", 3)), (1, -1, 2));
    assert_eq!((share("49.9999", 1), share("0.0001", 499_999), share("0.0001", 500_000)), (0, 0, 1));
    assert_eq!((share("100", i64::MIN), share("100", i64::MAX)), (i64::MIN, i64::MAX));
}

/// The value in minor units by moving the point in the written digits.
fn oracle(whole: &str, fraction: &str, exponent: i32, decimals: u32) -> Option<u128> {
    let point = i32::try_from(whole.len()).unwrap() + exponent + i32::try_from(decimals).unwrap();
    let digits = format!("{:0>60}{whole}{fraction}{:0>60}", "", "");
    let (integer, rest) = digits.split_at(usize::try_from(60 + point).unwrap());
    rest.bytes().all(|b| b == b'0').then(|| integer.trim_start_matches('0').parse().unwrap_or(0))
}

/// Long multiplication and rounding on decimal digits, lowest first.
fn share_by_digits(units: i64, base: i64) -> i64 {
    let digits = |n: u64| n.to_string().bytes().rev().map(|b| u32::from(b - b'0')).collect::<Vec<_>>();
    let (a, b) = (digits(units.unsigned_abs()), digits(base.unsigned_abs()));
    let mut product = [0_u32; 40];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            product[i + j] += x * y;
        }
    }
    product[5] += 5;
    for index in 0..39 {
        product[index + 1] += product[index] / 10;
        product[index] %= 10;
    }
    let size = product[6..26].iter().rev().fold(0_i128, |sum, digit| sum * 10 + i128::from(*digit));
    i64::try_from(if base < 0 { -size } else { size }).unwrap()
}

proptest! {
    #[test]
    fn json_agrees_with_moving_the_point(
        whole in "0|[1-9][0-9]{0,14}", fraction in "[0-9]{0,6}", exponent in -20_i32..20,
        code in prop::sample::select(vec!["USD", "JPY", "KWD", "CLF"]),
    ) {
        let point = if fraction.is_empty() { "" } else { "." };
        let got = json(&format!("{whole}{point}{fraction}e{exponent}"), code);
        match oracle(&whole, &fraction, exponent, currency(code).decimals()) {
            Some(minor) if minor <= MAX_MINOR.unsigned_abs().into() => {
                prop_assert_eq!(got.map(i64::unsigned_abs).map(u128::from), Ok(minor));
            }
            Some(_) => prop_assert_eq!(got, Err(MoneyError::TooLarge(currency(code)))),
            None => prop_assert_eq!(got, Err(MoneyError::TooManyDecimals(currency(code)))),
        }
    }

    #[test]
    fn nothing_panics(raw in "\\PC{0,30}|[-+0-9eE., ]{0,30}") {
        let _ = (json(&raw, "USD"), typed(&raw, "KWD"), Rate::parse(&raw), Currency::parse(&raw));
    }

    #[test]
    fn what_is_written_reads_the_same(minor in 0..=MAX_MINOR, code in prop::sample::select(vec!["USD", "JPY", "KWD", "CLF"])) {
        let money = Money { minor, currency: currency(code) };
        prop_assert_eq!(json(&money.plain(), code), Ok(minor));
        prop_assert_eq!(typed(money.shown().trim_end_matches(code), code), Ok(minor));
    }

    #[test]
    fn a_share_agrees_with_long_multiplication(units in 0..=Rate::MAX_UNITS, base: i64) {
        prop_assert_eq!(Rate(units).of(base), share_by_digits(units, base));
    }

    #[test]
    fn a_share_is_odd_and_grows_with_its_base(units in 0..=Rate::MAX_UNITS, a in -MAX_MINOR..MAX_MINOR, b in -MAX_MINOR..MAX_MINOR) {
        let rate = Rate(units);
        prop_assert_eq!(rate.of(-a), -rate.of(a));
        prop_assert!(rate.of(a.min(b)) <= rate.of(a.max(b)));
        prop_assert!(rate.of(a).abs() <= a.abs());
    }

    #[test]
    fn rates_read_as_shown(units in 0..=Rate::MAX_UNITS) {
        prop_assert_eq!(Rate::parse(&Rate(units).shown()), Ok(Rate(units)));
    }
}
