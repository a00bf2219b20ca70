//! Terms in words: each line, the limit, and what a payment of 100 earns.

use super::{InForce, Limit, NewTerms, Pays};
use crate::amounts::Amounts;
use crate::campaigns::days;
use crate::money::{Currency, Money};

/// One line: "20 %", "10.00 USD or 9.00 EUR", "nothing".
pub fn line(pays: &Pays) -> String {
    match pays {
        Pays::Percent(rate) if rate.units() == 0 => "nothing".to_owned(),
        Pays::Percent(rate) => rate.shown(),
        Pays::Flat(map) => Amounts::from_codes(map).shown(),
    }
}

fn pays_nothing(pays: &Pays) -> bool {
    match pays {
        Pays::Percent(rate) => rate.units() == 0,
        Pays::Flat(map) => map.values().all(|minor| *minor == 0),
    }
}

fn limit(limit: Limit) -> String {
    match limit {
        Limit::None => String::new(),
        Limit::Months(1) => ", for 1 month after the first payment".to_owned(),
        Limit::Months(n) => format!(", for {n} months after the first payment"),
        Limit::Payments(1) => ", for 1 payment after the first".to_owned(),
        Limit::Payments(n) => format!(", for {n} payments after the first"),
    }
}

/// What a payment earns: "20 % of the first payment; 10 % of later ones, for 12 months …".
fn payments(terms: &NewTerms) -> String {
    let of = |pays: &Pays, what: &str| {
        let preposition = if matches!(pays, Pays::Percent(r) if r.units() > 0) { "of" } else { "on" };
        format!("{} {preposition} {what}", line(pays))
    };
    let first = of(&terms.referral, "the first payment");
    let later = of(&terms.recurring, "later ones");
    let limit = if pays_nothing(&terms.recurring) { String::new() } else { limit(terms.limit) };
    format!("{first}; {later}{limit}")
}

/// What a campaign pays a referrer, a line each: the reward, and each live product's version that pays something.
/// Products are named where there are several.
pub fn pays(reward: &Amounts, versions: &[&InForce]) -> Vec<String> {
    let reward = reward.iter().filter(|money| money.minor > 0);
    let mut lines: Vec<String> = reward.map(|m| format!("{} for each referral that counts", m.shown())).collect();
    for one in versions {
        let terms = one.version.terms();
        if pays_nothing(&terms.referral) && pays_nothing(&terms.recurring) {
            continue;
        }
        let name = if versions.len() > 1 { format!("{}: ", one.product) } else { String::new() };
        lines.push(format!("{name}{}", payments(&terms)));
    }
    lines
}

/// All of a version in one line: "20 % of the first payment; 10 % of later ones, …; held 14 days."
pub fn sentence(terms: &NewTerms) -> String {
    let mut text = format!("{}; held {}.", payments(terms), days(terms.hold_days));
    if let Some(start) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &start);
    }
    text
}

/// The earnings of a payment of 100 in a currency, first and later.
pub fn earns(terms: &NewTerms, currency: Currency) -> String {
    let Ok(paid) = Money::from_text("100", currency) else { return String::new() };
    let earned = |pays: &Pays| match pays {
        Pays::Percent(rate) => Some(rate.of(paid.minor)),
        Pays::Flat(map) => map.get(currency.code()).map(|flat| (*flat).min(paid.minor)),
    };
    let shown = |minor: Option<i64>| match minor {
        None => format!("nothing, because no amount is set for {currency}"),
        Some(0) => "nothing".to_owned(),
        Some(minor) => Money { minor, currency }.shown(),
    };
    let (first, later) = (earned(&terms.referral), earned(&terms.recurring));
    let held = if first.unwrap_or(0) + later.unwrap_or(0) > 0 {
        format!(" Each is held {}.", days(terms.hold_days))
    } else {
        String::new()
    };
    let limit = if later.unwrap_or(0) > 0 { limit(terms.limit) } else { String::new() };
    format!(
        "A first payment of {} earns {}. Each later one earns {}{limit}.{held}",
        paid.shown(),
        shown(first),
        shown(later)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::money::Rate;

    fn percent(first: &str, later: &str, limit: Limit) -> NewTerms {
        let rate = |text| Rate::parse(text).unwrap();
        NewTerms { limit, ..NewTerms::percent(rate(first), rate(later), 14) }
    }

    #[test]
    fn the_preview_says_first_and_later() {
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(
            earns(&percent("20", "7.125", Limit::Months(12)), usd),
            "A first payment of 100.00 USD earns 20.00 USD. Each later one earns 7.13 USD, for 12 months after the first payment. Each is held 14 days."
        );
        assert_eq!(
            earns(&percent("0", "0", Limit::None), usd),
            "A first payment of 100.00 USD earns nothing. Each later one earns nothing."
        );
        let flat =
            NewTerms { referral: Pays::Flat(BTreeMap::from([("EUR".into(), 500)])), ..percent("0", "0", Limit::None) };
        assert!(earns(&flat, usd).contains("no amount is set for USD"));
        let jpy = Currency::parse("JPY").unwrap();
        let much =
            NewTerms { referral: Pays::Flat(BTreeMap::from([("JPY".into(), 500)])), ..percent("0", "0", Limit::None) };
        assert!(earns(&much, jpy).starts_with("A first payment of 100 JPY earns 100 JPY."));
    }

    #[test]
    fn a_version_reads_as_a_sentence() {
        assert_eq!(
            sentence(&percent("20", "10", Limit::Payments(3))),
            "20 % of the first payment; 10 % of later ones, for 3 payments after the first; held 14 days."
        );
        assert_eq!(
            sentence(&percent("0", "0", Limit::Months(3))),
            "Nothing on the first payment; nothing on later ones; held 14 days."
        );
    }
}
