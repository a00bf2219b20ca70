//! Amounts in several currencies, at most one in each: flat terms, the least payment that qualifies,
//! a reward. Stored as JSON, currency to minor units; typed as one amount in the business's currency
//! and further ones in lines such as `EUR 18.00`.

use std::collections::BTreeMap;

use crate::money::{Currency, Money};

/// At most this many currencies at a time.
const MOST: usize = 40;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts(BTreeMap<Currency, i64>);

impl Amounts {
    pub fn of(money: Money) -> Self {
        Self(BTreeMap::from([(money.currency, money.minor)]))
    }

    /// Reads what [`Self::to_json`] wrote; anything else is no amounts.
    pub fn from_json(text: &str) -> Self {
        let map: BTreeMap<String, i64> = serde_json::from_str(text).unwrap_or_default();
        Self(map.iter().filter_map(|(code, minor)| Some((Currency::parse(code).ok()?, *minor))).collect())
    }

    /// From minor units by currency code, as terms keep them.
    pub fn from_codes(map: &BTreeMap<String, i64>) -> Self {
        Self(map.iter().filter_map(|(code, minor)| Some((Currency::parse(code).ok()?, *minor))).collect())
    }

    pub fn codes(&self) -> BTreeMap<String, i64> {
        self.0.iter().map(|(currency, minor)| (currency.code().to_owned(), *minor)).collect()
    }

    pub fn to_json(&self) -> String {
        serde_json::json!(self.codes()).to_string()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Money> {
        self.0.iter().map(|(currency, minor)| Money { minor: *minor, currency: *currency })
    }

    pub fn get(&self, currency: Currency) -> Option<Money> {
        self.0.get(&currency).map(|minor| Money { minor: *minor, currency })
    }

    /// Adds an amount; false when its currency is there already, or there are too many.
    pub fn add(&mut self, money: Money) -> bool {
        if self.0.contains_key(&money.currency) || self.0.len() >= MOST {
            return false;
        }
        self.0.insert(money.currency, money.minor);
        true
    }

    /// "20.00 USD or 18.00 EUR".
    pub fn shown(&self) -> String {
        self.iter().map(Money::shown).collect::<Vec<_>>().join(" or ")
    }

    /// The amounts of all currencies but one, a line each, as they are typed.
    pub fn lines_without(&self, currency: Currency) -> String {
        let others = self.iter().filter(|money| money.currency != currency);
        others.map(|money| format!("{} {}", money.currency.code(), money.plain())).collect::<Vec<_>>().join("\n")
    }

    /// Adds amounts typed a line each: `EUR 18.00` or `18.00 EUR`. The error says which line and why.
    pub fn read_lines(&mut self, text: &str) -> Result<(), String> {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let money = read_line(line)?;
            if !self.add(money) {
                return Err(format!("has {} twice, or too many currencies", money.currency.code()));
            }
        }
        Ok(())
    }
}

fn read_line(line: &str) -> Result<Money, String> {
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic());
    let (first, last) = (line.split_whitespace().next(), line.split_whitespace().last());
    let (code, amount) = match (first, last) {
        (Some(code), _) if is_code(code) => (code, &line[code.len()..]),
        (_, Some(code)) if is_code(code) => (code, &line[..line.len() - code.len()]),
        _ => return Err(format!("has “{line}”, which is not a currency and an amount such as EUR 18.00")),
    };
    let currency = Currency::parse(code).map_err(|why| format!("has {code}, which {why}"))?;
    Money::from_text(amount.trim(), currency).map_err(|why| format!("has “{line}”, which {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_either_way_round_and_written_back() {
        let mut amounts = Amounts::default();
        amounts.read_lines("EUR 18.00\n\n 2,000 jpy \r\nKWD 1.250").unwrap();
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(amounts.lines_without(usd), "EUR 18.00\nJPY 2000\nKWD 1.250");
        assert_eq!(Amounts::from_json(&amounts.to_json()), amounts);
        assert_eq!(amounts.to_json(), r#"{"EUR":1800,"JPY":2000,"KWD":1250}"#);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, part) in [
            ("18.00", "not a currency and an amount"),
            ("XYZ 5", "which is not a known currency"),
            ("JPY 1.5", "no decimals"),
            ("EUR 1\neur 2", "EUR twice"),
            ("EUR -1", "“EUR -1”"),
            ("EUR", "“EUR”"),
        ] {
            let why = Amounts::default().read_lines(text).unwrap_err();
            assert!(why.contains(part), "{text:?}: {why}");
        }
    }
}
