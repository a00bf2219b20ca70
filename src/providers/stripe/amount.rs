//! Stripe counts amounts in its own smallest units, which differ from ISO 4217's for three currencies.

use crate::money::Currency;

/// An amount of Stripe's in minor units of ISO 4217; `None` where it has a fraction that the currency has not.
///
/// Stripe has no decimals for MGA, where ISO 4217 has two, and two for ISK and UGX, where it has none.
pub fn minor(amount: i64, currency: Currency) -> Option<i64> {
    let decimals = match currency.code() {
        "MGA" => 0,
        "ISK" | "UGX" => 2,
        _ => return Some(amount),
    };
    let (from, to) = (10_i64.pow(decimals), 10_i64.pow(currency.decimals()));
    let scaled = amount.checked_mul(to)?;
    (scaled % from == 0).then_some(scaled / from)
}
