//! A lead's budget: a plain decimal from 0 up that is answered as it was written, wherever it was.

use serde_json::value::RawValue;

use crate::number;

/// Digits of a budget, at most.
pub const LONGEST: usize = 40;

/// A number as it is stored: without an exponent and leading zeros. `None` for other text, and for very long
/// numbers.
pub fn plain(text: &str) -> Option<String> {
    let (number, exponent) = text.trim().split_once(['e', 'E']).unwrap_or((text.trim(), "0"));
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok().filter(|e: &i64| e.unsigned_abs() <= LONGEST as u64)?;
    let decimal = if exponent == 0 { without_zeros(number) } else { moved(number, exponent)? };
    Some(decimal).filter(|decimal| decimal.len() <= LONGEST)
}

/// As people write it on a page.
pub fn typed(text: &str) -> Option<String> {
    plain(&number::read(text)?.plain())
}

/// As files have it: where the cells are apart by semicolons, a comma is the decimal point and a dot parts thousands.
pub fn written(text: &str, by_semicolons: bool) -> Option<String> {
    let number = number::read(text)?;
    let other = if by_semicolons { number.other() } else { None };
    plain(&other.unwrap_or(number).plain())
}

/// With the point this many places to the right.
fn moved(number: &str, by: i64) -> Option<String> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    let point = i64::try_from(whole.len()).ok()? + by;
    let (whole, part) = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => (format!("{digits}{}", "0".repeat(point - digits.len())), String::new()),
        Ok(point) => (digits.get(..point)?.to_owned(), digits.get(point..)?.to_owned()),
        Err(_) => (String::new(), format!("{}{digits}", "0".repeat(usize::try_from(-point).ok()?))),
    };
    let part = part.trim_end_matches('0');
    Some(without_zeros(&if part.is_empty() { whole } else { format!("{whole}.{part}") }))
}

fn without_zeros(number: &str) -> String {
    let trimmed = number.trim_start_matches('0');
    if trimmed.is_empty() || trimmed.starts_with('.') { format!("0{trimmed}") } else { trimmed.to_owned() }
}

/// A stored budget as a JSON number; what people typed before there was a rule may be none.
pub fn number(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(plain(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        number(text).map(|n| n.get().to_owned())
    }

    #[test]
    fn numbers_are_kept_as_they_are_written() {
        for text in ["0", "50000", "50000.5", "0.10", "12345678901234567890.123456789"] {
            assert_eq!(plain(text).as_deref(), Some(text));
            assert_eq!(shown(text).as_deref(), Some(text));
        }
        for (written, decimal) in [
            ("5e4", "50000"),
            ("1.25E+3", "1250"),
            ("1.25e1", "12.5"),
            ("125e-4", "0.0125"),
            ("0e9", "0"),
            ("5e-1", "0.5"),
            ("007", "7"),
            ("00.50", "0.50"),
            ("000", "0"),
            (" 12 ", "12"),
        ] {
            assert_eq!(plain(written).as_deref(), Some(decimal), "{written}");
        }
    }

    #[test]
    fn every_way_of_writing_is_read() {
        for (written, decimal) in [
            ("1,250.50", "1250.50"),
            ("12,345,678", "12345678"),
            ("5 000", "5000"),
            ("5000", "5000"),
            ("1.250,00", "1250.00"),
            ("1,25", "1.25"),
            ("1,2500", "1.2500"),
            ("1250,000", "1250.000"),
            ("1.250.000", "1250000"),
        ] {
            assert_eq!(typed(written).as_deref(), Some(decimal), "{written}");
        }
        for none in [",500", "1,,000", "", "-5", "1,00,000"] {
            assert_eq!(typed(none), None, "{none}");
        }
    }

    #[test]
    fn files_have_decimal_commas() {
        for (text, by_commas, by_semicolons) in [
            ("99,90", "99.90", "99.90"),
            ("1.234,50", "1234.50", "1234.50"),
            ("1,234.50", "1234.50", "1234.50"),
            ("1,250", "1250", "1.250"),
            ("1.250", "1.250", "1250"),
            ("1234.5", "1234.5", "1234.5"),
            ("1.250.000", "1250000", "1250000"),
            ("1,250,000", "1250000", "1250000"),
            ("1'234.50", "1234.50", "1234.50"),
            ("5 000", "5000", "5000"),
        ] {
            assert_eq!(written(text, false).as_deref(), Some(by_commas), "{text}");
            assert_eq!(written(text, true).as_deref(), Some(by_semicolons), "{text}");
        }
        for text in ["", "about 5", "1,2,3", "1.2.3,4", "-5", ",", "."] {
            assert_eq!((written(text, false), written(text, true)), (None, None), "{text}");
        }
    }

    #[test]
    fn what_is_no_budget_is_refused() {
        let long = "9".repeat(41);
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "1.2.3",
            "-1",
            "+1",
            "1e",
            "e5",
            "1e99",
            "1e-99",
            "1e999999999999999999",
            "about 5",
            "1,000",
            &long,
        ] {
            assert_eq!(plain(text), None, "{text}");
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
