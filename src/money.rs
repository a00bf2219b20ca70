//! Money and rates as integers: amounts in minor units of an ISO 4217 currency, percentages in
//! ten-thousandths of a percent. No float is ever involved. Enter with [`Currency::parse`], then
//! [`Money::from_json_number`] (the text of a JSON token) or [`Money::from_text`] (files, forms);
//! [`Rate::of`] is the one place where a commission is rounded.

use std::fmt;

use crate::number::{self, Written};

/// The largest accepted amount in minor units: 10^12, that is 10,000,000,000.00 USD. Sums of a million of
/// them still fit an `i64`.
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// No currency has more decimals.
const MOST_DECIMALS: u32 = 4;

/// Why an amount, a currency or a rate was refused. The sentences continue a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a JSON number: a string, null, an object, `NaN`.
    NotANumber,
    /// Text that is not an amount as [`Money::from_text`] reads it.
    Unreadable(Currency),
    /// A dot before three digits, which may part thousands or decimals.
    TwoMeanings(Currency),
    /// Below zero. Corrections are refunds, never negative payments.
    Negative,
    /// More decimals than the currency has; trailing zeros do not count.
    TooManyDecimals(Currency),
    /// Above [`MAX_MINOR`].
    TooLarge(Currency),
    /// Not a code of ISO 4217, or one without minor units (gold, `XXX`).
    UnknownCurrency,
    /// More decimals than any currency has.
    TooManyDecimalsForAny,
    /// Above [`MAX_MINOR`] in every currency.
    TooLargeForAny,
    /// Not a percentage from 0 to 100 with up to four decimals.
    NotARate,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("must be a number"),
            Self::Unreadable(currency) => {
                let example = Money { minor: 1250 * currency.one(), currency: *currency };
                write!(f, "must be an amount written like {}", grouped(&example.plain()))?;
                f.write_str(" (digits, a comma between thousands, a dot before decimals)")
            }
            Self::TwoMeanings(currency) => {
                let example = Money { minor: 1250 * currency.one(), currency: *currency };
                write!(f, "has a dot before three digits, which may part thousands or decimals. ")?;
                write!(f, "Write it like {}", example.plain())
            }
            Self::Negative => f.write_str("must not be negative"),
            Self::TooManyDecimals(currency) => match currency.decimals() {
                0 => write!(f, "must have no decimals for {}", currency.code()),
                n => write!(f, "must have at most {n} decimals for {}", currency.code()),
            },
            Self::TooLarge(currency) => {
                let limit = Money { minor: MAX_MINOR, currency: *currency };
                write!(f, "is larger than {}", limit.shown())
            }
            Self::TooManyDecimalsForAny => write!(f, "must have at most {MOST_DECIMALS} decimals"),
            Self::TooLargeForAny => f.write_str("is larger than Refdesk accepts"),
            Self::UnknownCurrency => f.write_str("is not a known currency"),
            Self::NotARate => f.write_str("must be a percentage from 0 to 100 with at most 4 decimals, such as 12.5"),
        }
    }
}

impl std::error::Error for MoneyError {}

/// A currency of ISO 4217 that has minor units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads a code of three letters in any case.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`], also for codes without minor units: `XXX`, `XTS`, `XAU`.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let upper = code.trim().to_ascii_uppercase();
        iso_currency::Currency::from_code(&upper)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }

    /// The code in upper case: "USD".
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The name: "Kenyan shilling".
    #[must_use]
    pub fn name(self) -> String {
        self.0.name().to_owned()
    }

    /// The decimals of an amount: 2 for USD, 0 for JPY, 3 for KWD, 4 for CLF.
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// Minor units in one major unit.
    fn one(self) -> i64 {
        10_i64.pow(self.decimals())
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'_, str>>::deserialize(from)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount. Negative only in the ledger; everything parsed is from 0 to [`MAX_MINOR`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Money {
    /// In minor units: cents for USD, yen for JPY.
    pub minor: i64,
    /// The currency of the units.
    pub currency: Currency,
}

impl Money {
    /// Reads the text of a JSON token, exactly: `20`, `20.00`, `2e1`; `100.0` is 100 JPY. The work
    /// is bounded by the length of the text, whatever the exponent says.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`] for anything but a JSON number (`"20"` is a string), then
    /// `Negative`, `TooManyDecimals`, `TooLarge`.
    pub fn from_json_number(raw: &str, currency: Currency) -> Result<Self, MoneyError> {
        let number = Decimal::from_json(raw).ok_or(MoneyError::NotANumber)?;
        Self::from_decimal(&number, currency)
    }

    /// Reads an amount from a form or a file: `1250`, `1,250.00`, `1.250,00`, `1 250`, `1'250.5`.
    ///
    /// Three decimals after a short whole part (`1.250` USD) are refused even when they end in 0:
    /// half of the world writes a thousand that way, and reading it as 1.25 would lose money.
    ///
    /// # Errors
    /// [`MoneyError::Unreadable`] and [`MoneyError::TwoMeanings`] show how to write it; then as for JSON.
    pub fn from_text(raw: &str, currency: Currency) -> Result<Self, MoneyError> {
        let number = number::read(raw).ok_or(MoneyError::Unreadable(currency))?;
        if number.unclear == Some('.') && currency.decimals() != 3 {
            return Err(MoneyError::TwoMeanings(currency));
        }
        Self::from_decimal(&Decimal::written(&number), currency)
    }

    /// As [`Money::from_json_number`], and below 0 as well: what is added to a balance, or taken off it.
    ///
    /// # Errors
    /// As there.
    pub fn signed_from_json_number(raw: &str, currency: Currency) -> Result<Self, MoneyError> {
        let number = Decimal::from_json(raw).ok_or(MoneyError::NotANumber)?;
        Self::signed_from_decimal(number, currency)
    }

    /// As [`Money::from_text`], and below 0 as well.
    ///
    /// # Errors
    /// As there.
    pub fn signed_from_text(raw: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = raw.trim();
        let sign = ['-', '\u{2212}', '+'].into_iter().find(|sign| text.starts_with(*sign));
        let size = Self::from_text(sign.and_then(|sign| text.strip_prefix(sign)).unwrap_or(text), currency)?;
        Ok(if matches!(sign, Some('-' | '\u{2212}')) { Self { minor: -size.minor, ..size } } else { size })
    }

    fn signed_from_decimal(number: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let negative = number.negative;
        let size = Self::from_decimal(&Decimal { negative: false, ..number }, currency)?;
        Ok(if negative { Self { minor: -size.minor, ..size } } else { size })
    }

    fn from_decimal(number: &Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let minor = number.scaled(currency.decimals()).map_err(|fault| match fault {
            Inexact::Negative => MoneyError::Negative,
            Inexact::Decimals => MoneyError::TooManyDecimals(currency),
            Inexact::Large => MoneyError::TooLarge(currency),
        })?;
        Ok(Self { minor, currency })
    }

    /// The amount as a JSON number with all of the currency's decimals: `20.00`, `310`, `-1.250`.
    #[must_use]
    pub fn plain(self) -> String {
        let one = self.currency.one().unsigned_abs();
        let (sign, size) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        match self.currency.decimals() as usize {
            0 => format!("{sign}{size}"),
            width => format!("{sign}{}.{:0width$}", size / one, size % one),
        }
    }

    /// [`shown`](Self::shown) for a stored amount; an unknown currency leaves its minor units.
    #[must_use]
    pub fn shown_in(minor: i64, currency: &str) -> String {
        match Currency::parse(currency) {
            Ok(currency) => Self { minor, currency }.shown(),
            Err(_) => format!("{minor} {currency}"),
        }
    }

    /// The amount as a page shows it: `1,250.00 USD`, with a real minus sign (U+2212) before it.
    #[must_use]
    pub fn shown(self) -> String {
        let text = grouped(&self.plain()).replace('-', "\u{2212}");
        format!("{text} {}", self.currency.code())
    }
}

/// An exact amount that came without its currency: ten-thousandths of the unit of the currency it turns out
/// to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unpriced(i64);

impl Unpriced {
    /// Reads the text of a JSON token, as [`Money::from_json_number`] does.
    ///
    /// # Errors
    ///
    /// As there, as far as they show without the currency.
    pub fn from_json_number(raw: &str) -> Result<Self, MoneyError> {
        let number = Decimal::from_json(raw).ok_or(MoneyError::NotANumber)?;
        let units = number.scaled_up_to(MOST_DECIMALS, MAX_MINOR * 10_i64.pow(MOST_DECIMALS));
        units.map(Self).map_err(|fault| match fault {
            Inexact::Negative => MoneyError::Negative,
            Inexact::Decimals => MoneyError::TooManyDecimalsForAny,
            Inexact::Large => MoneyError::TooLargeForAny,
        })
    }

    #[must_use]
    pub fn of(money: Money) -> Self {
        Self(money.minor * 10_i64.pow(MOST_DECIMALS - money.currency.decimals()))
    }

    /// From ten-thousandths, as they are stored.
    #[must_use]
    pub fn from_units(units: i64) -> Self {
        Self(units)
    }

    #[must_use]
    pub fn units(self) -> i64 {
        self.0
    }

    /// # Errors
    /// [`MoneyError::TooManyDecimals`] and [`MoneyError::TooLarge`] of that currency.
    pub fn in_currency(self, currency: Currency) -> Result<Money, MoneyError> {
        let unit = 10_i64.pow(MOST_DECIMALS - currency.decimals());
        match self.0 / unit {
            _ if self.0 % unit != 0 => Err(MoneyError::TooManyDecimals(currency)),
            minor if minor > MAX_MINOR => Err(MoneyError::TooLarge(currency)),
            minor => Ok(Money { minor, currency }),
        }
    }

    /// "30" or "29.5": as written, without a currency.
    #[must_use]
    pub fn plain(self) -> String {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Puts commas between the thousands of a plain decimal.
fn grouped(plain: &str) -> String {
    let whole = plain.find('.').unwrap_or(plain.len());
    let mut out = String::with_capacity(plain.len() + plain.len() / 3);
    for (at, c) in plain.char_indices() {
        let after_digit = out.ends_with(|before: char| before.is_ascii_digit());
        if at < whole && after_digit && (whole - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A percentage from 0 to 100, in ten-thousandths of a percent: 12.5 % is 125,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Rate {
    /// 100 %, in units.
    pub const MAX_UNITS: i64 = 1_000_000;

    /// Reads `20`, `12.5`, `12,5`, `7.1234` or `20 %`. A percentage of a thousand does not exist, so `12,500` is 12.5.
    ///
    /// # Errors
    /// [`MoneyError::NotARate`].
    pub fn parse(raw: &str) -> Result<Self, MoneyError> {
        let text = raw.trim();
        let text = text.strip_suffix('%').unwrap_or(text);
        let number = number::read(text).ok_or(MoneyError::NotARate)?;
        let other = number.other().map(|other| Decimal::written(&other));
        Self::from_decimal(Some(Decimal::written(&number))).or_else(|_| Self::from_decimal(other))
    }

    /// Reads the text of a JSON token, as [`Money::from_json_number`] does.
    ///
    /// # Errors
    /// [`MoneyError::NotARate`].
    pub fn from_json_number(raw: &str) -> Result<Self, MoneyError> {
        Self::from_decimal(Decimal::from_json(raw))
    }

    fn from_decimal(number: Option<Decimal>) -> Result<Self, MoneyError> {
        let units = number.and_then(|number| number.scaled(4).ok());
        units.and_then(Self::from_units).ok_or(MoneyError::NotARate)
    }

    /// From ten-thousandths of a percent, if within 0 to 100 %.
    #[must_use]
    pub fn from_units(units: i64) -> Option<Self> {
        (0..=Self::MAX_UNITS).contains(&units).then_some(Self(units))
    }

    /// Ten-thousandths of a percent.
    #[must_use]
    pub fn units(self) -> i64 {
        self.0
    }

    /// "12.5 %", without trailing zeros.
    #[must_use]
    pub fn shown(self) -> String {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    }

    /// This share of `base_minor`, in minor units, rounded once, half away from zero. A negative
    /// base gives the negative of what its opposite gives.
    #[must_use]
    pub fn of(self, base_minor: i64) -> i64 {
        let hundred_percent = i128::from(Self::MAX_UNITS);
        let product = i128::from(base_minor) * i128::from(self.0);
        let half = if product < 0 { -hundred_percent / 2 } else { hundred_percent / 2 };
        // Division of integers cuts towards zero. A rate of at most 100 % keeps the result within
        // the base, so the fallback is never reached.
        i64::try_from((product + half) / hundred_percent).unwrap_or(base_minor)
    }

    /// This share of an amount with all its decimals, where [`of`](Self::of) rounds it: "2.475 USD".
    #[must_use]
    pub fn unrounded(self, base: Money) -> Option<String> {
        let product = i128::from(base.minor) * i128::from(self.0);
        if product % i128::from(Self::MAX_UNITS) == 0 {
            return None;
        }
        // The units of a rate have six decimals of one.
        let decimals = base.currency.decimals() as usize + 6;
        let digits = format!("{:0>width$}", product.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if product < 0 { "\u{2212}" } else { "" };
        Some(format!("{sign}{}.{} {}", grouped(whole), fraction.trim_end_matches('0'), base.currency.code()))
    }
}

/// A decimal as written: `digits` without leading or trailing zeros, the last of them worth
/// 10^-`scale`. Zero has no digits.
struct Decimal {
    negative: bool,
    digits: String,
    scale: i64,
}

enum Inexact {
    Negative,
    Decimals,
    Large,
}

impl Decimal {
    /// The JSON grammar of RFC 8259, section 6.
    fn from_json(raw: &str) -> Option<Self> {
        let text = raw.trim_ascii();
        let (negative, text) = strip_sign(text, &['-']);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = split_point(mantissa)?;
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if leading_zero || !all_digits(whole) {
            return None;
        }
        Some(Self::new(negative, whole, fraction, exponent))
    }

    fn written(number: &Written) -> Self {
        Self::new(number.negative, &number.whole, &number.fraction, 0)
    }

    fn new(negative: bool, whole: &str, fraction: &str, exponent: i64) -> Self {
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let dropped = as_i64(all.len() - significant.len());
        Self {
            negative,
            digits: significant.trim_start_matches('0').to_owned(),
            scale: as_i64(fraction.len()).saturating_sub(dropped).saturating_sub(exponent),
        }
    }

    /// The value times 10^`decimals`, if that is an integer from 0 to [`MAX_MINOR`].
    fn scaled(&self, decimals: u32) -> Result<i64, Inexact> {
        self.scaled_up_to(decimals, MAX_MINOR)
    }

    fn scaled_up_to(&self, decimals: u32, most: i64) -> Result<i64, Inexact> {
        if self.digits.is_empty() {
            return Ok(0);
        }
        if self.negative {
            return Err(Inexact::Negative);
        }
        let zeros = i64::from(decimals).saturating_sub(self.scale);
        let zeros =
            u32::try_from(zeros.max(-1)).map_err(|_| if zeros < 0 { Inexact::Decimals } else { Inexact::Large })?;
        // Every `most` has at most 17 digits; longer text is not even read.
        let digits: i64 = match self.digits.len() {
            ..=17 => self.digits.parse().map_err(|_| Inexact::Large)?,
            _ => return Err(Inexact::Large),
        };
        let value = 10_i64.checked_pow(zeros).and_then(|power| digits.checked_mul(power));
        value.filter(|minor| *minor <= most).ok_or(Inexact::Large)
    }
}

fn strip_sign<'a>(text: &'a str, signs: &[char]) -> (bool, &'a str) {
    text.strip_prefix(signs).map_or((false, text), |rest| (true, rest))
}

/// Whole part and decimals; `1.` has a dot and no decimals, which is neither JSON nor clear.
fn split_point(text: &str) -> Option<(&str, &str)> {
    match text.split_once('.') {
        Some((whole, fraction)) => all_digits(fraction).then_some((whole, fraction)),
        None => Some((text, "")),
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// An exponent, brought to a bound no text length can balance: any larger one means the same.
fn parse_exponent(text: &str) -> Option<i64> {
    const BOUND: i64 = 1 << 40;
    let (negative, digits) = strip_sign(text, &['-']);
    let digits = if negative { digits } else { digits.strip_prefix('+').unwrap_or(digits) };
    if !all_digits(digits) {
        return None;
    }
    let size = digits.bytes().fold(0_i64, |sum, b| (sum * 10 + i64::from(b - b'0')).min(BOUND));
    Some(if negative { -size } else { size })
}

fn as_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
