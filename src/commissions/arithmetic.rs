//! The one line behind an amount: "20 % of 100.00 USD, terms 3, held until 28 Jun".

use std::borrow::Cow;

use crate::clock::Day;
use crate::engine::Moved;
use crate::money::{Currency, Money, Rate};
use crate::when::short;

/// The facts that a commission froze when it was decided.
#[derive(Debug, Clone)]
pub struct Arithmetic<'a> {
    pub kind: &'a str,
    pub rate: Option<i64>,
    pub flat: Option<i64>,
    pub base_amount: i64,
    pub amount: i64,
    pub currency: &'a str,
    pub terms_number: Option<i64>,
    /// YYYY-MM-DD.
    pub hold_until: Cow<'a, str>,
    /// The refunded part of the payment.
    pub refunded: i64,
}

impl<'a> From<&'a Moved> for Arithmetic<'a> {
    fn from(m: &'a Moved) -> Self {
        Self {
            kind: m.kind.word(),
            rate: m.rate,
            flat: m.flat,
            base_amount: m.base_amount,
            amount: m.amount,
            currency: m.currency.code(),
            terms_number: m.terms_number,
            hold_until: m.hold_until.to_string().into(),
            refunded: m.refunded,
        }
    }
}

impl Arithmetic<'_> {
    /// The arithmetic of the amount.
    pub fn sum(&self) -> String {
        let base = Money::shown_in(self.base_amount, self.currency);
        let how = match (self.kind, self.rate.and_then(Rate::from_units), self.flat) {
            ("reward", ..) => "reward for the qualification".to_owned(),
            (_, Some(rate), _) if self.refunded > 0 => {
                let back = Money::shown_in(self.refunded, self.currency);
                format!("{} of {base} less {back} refunded", rate.shown())
            }
            (_, Some(rate), _) => format!("{} of {base}", rate.shown()),
            (_, None, Some(_)) if self.refunded >= self.base_amount => {
                format!("flat, of a payment of {base} that was wholly refunded")
            }
            (_, None, Some(flat)) if flat > self.base_amount => {
                format!("flat {}, never above the payment of {base}", Money::shown_in(flat, self.currency))
            }
            (_, None, Some(_)) => format!("flat, of a payment of {base}"),
            (_, None, None) => format!("of {base}"),
        };
        match self.terms_number {
            Some(number) => format!("{how}, terms {number}"),
            None => how,
        }
    }

    /// The amount before its rounding, where that changed it: "2.475 USD".
    pub fn rounded(&self) -> Option<String> {
        let (rate, currency) = (Rate::from_units(self.rate?)?, Currency::parse(self.currency).ok()?);
        rate.unrounded(Money { minor: self.base_amount - self.refunded, currency })
    }

    /// The amount before any refund.
    pub fn at_first(&self) -> i64 {
        match (self.kind, self.rate.and_then(Rate::from_units), self.flat) {
            ("reward", ..) | (_, None, None) => self.amount,
            (_, Some(rate), _) => rate.of(self.base_amount),
            (_, None, Some(flat)) => flat.min(self.base_amount),
        }
    }

    /// With the hold.
    pub fn line(&self, today: Day) -> String {
        let until = Day::parse(&self.hold_until).map_or_else(|_| self.hold_until.to_string(), |day| short(today, day));
        let verb = if *self.hold_until < *today.to_string() { "was held" } else { "held" };
        format!("{}, {verb} until {until}", self.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERCENT: Arithmetic<'static> = Arithmetic {
        kind: "referral",
        rate: Some(200_000),
        flat: None,
        base_amount: 10_000,
        amount: 2_000,
        currency: "USD",
        terms_number: Some(3),
        hold_until: Cow::Borrowed("2026-06-28"),
        refunded: 0,
    };

    #[test]
    fn every_amount_has_its_arithmetic() {
        let today = Day::parse("2026-06-14").unwrap();
        assert_eq!(PERCENT.line(today), "20 % of 100.00 USD, terms 3, held until 28 Jun");
        let flat = Arithmetic { rate: None, flat: Some(500), ..PERCENT };
        assert_eq!(flat.sum(), "flat, of a payment of 100.00 USD, terms 3");
        let less = Arithmetic { refunded: 3_000, amount: 1_400, ..PERCENT };
        assert_eq!(less.sum(), "20 % of 100.00 USD less 30.00 USD refunded, terms 3");
        assert_eq!(Arithmetic { refunded: 3_000, ..flat.clone() }.sum(), flat.sum(), "it stays until the whole is");
        assert_eq!(less.at_first(), 2_000);
        assert_eq!(PERCENT.rounded(), None);
        let odd = Arithmetic { base_amount: 1_237, ..PERCENT };
        assert_eq!(odd.rounded().as_deref(), Some("2.474 USD"));
        let fine = Arithmetic { rate: Some(71_234), currency: "JPY", base_amount: 1_237, ..PERCENT };
        assert_eq!(fine.rounded().as_deref(), Some("88.116458 JPY"));
        let gone = Arithmetic { refunded: 10_000, amount: 0, ..flat };
        assert_eq!(gone.sum(), "flat, of a payment of 100.00 USD that was wholly refunded, terms 3");
        let capped = Arithmetic { rate: None, flat: Some(50_000), ..PERCENT };
        assert_eq!(capped.sum(), "flat 500.00 USD, never above the payment of 100.00 USD, terms 3");
        let reward = Arithmetic { kind: "reward", rate: None, flat: Some(500), terms_number: None, ..PERCENT };
        assert_eq!(reward.line(today), "reward for the qualification, held until 28 Jun");
    }
}
