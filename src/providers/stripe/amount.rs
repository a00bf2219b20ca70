//! Stripe counts amounts in its own smallest units, which differ from ISO 4217's for three currencies.

use crate::money::Currency;

/// An amount of Stripe's in minor units of ISO 4217; `None` where it has a fraction that the currency has not.
///
/// Stripe has no decimals for MGA, where ISO 4217 has two, and two for ISK and UGX, where it has none.
pub fn minor(amount: i64, currency: Currency) -> Option<i64> {
    scaled(amount, decimals(currency), currency.decimals())
}

/// The same the other way.
pub fn of_minor(minor: i64, currency: Currency) -> Option<i64> {
    scaled(minor, currency.decimals(), decimals(currency))
}

/// The decimals that Stripe counts a currency with.
fn decimals(currency: Currency) -> u32 {
    match currency.code() {
        "MGA" => 0,
        "ISK" | "UGX" => 2,
        _ => currency.decimals(),
    }
}

fn scaled(amount: i64, from: u32, to: u32) -> Option<i64> {
    let (from, to) = (10_i64.pow(from), 10_i64.pow(to));
    if from == to {
        return Some(amount);
    }
    let scaled = amount.checked_mul(to)?;
    (scaled % from == 0).then_some(scaled / from)
}
