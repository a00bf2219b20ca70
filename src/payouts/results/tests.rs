//! Reports read and matched.

mod matching;
mod pain002;
mod table;

use crate::money::{Currency, Money};

fn money(minor: i64, currency: &str) -> Money {
    Money { minor, currency: Currency::parse(currency).unwrap() }
}

fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}
