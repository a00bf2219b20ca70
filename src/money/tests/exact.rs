//! Decimal numbers of any length, digit by digit: what the arithmetic of money is compared with.

use std::cmp::Ordering;
use std::fmt;

/// A number with all its digits, the lowest first, of which the first `scale` are decimals.
#[derive(Debug, Clone)]
pub struct Exact {
    negative: bool,
    digits: Vec<u8>,
    scale: usize,
}

impl Exact {
    /// Reads "-12.50".
    pub fn read(text: &str) -> Self {
        let (negative, size) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
        let (whole, decimals) = size.split_once('.').unwrap_or((size, ""));
        let digits = whole.bytes().chain(decimals.bytes()).rev().map(|digit| digit - b'0').collect();
        Self { negative, digits, scale: decimals.len() }.tidy()
    }

    fn tidy(mut self) -> Self {
        while self.digits.len() > self.scale + 1 && self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self.negative &= self.digits.iter().any(|digit| *digit != 0);
        self
    }

    fn scaled(&self, scale: usize) -> Vec<u8> {
        let mut digits = vec![0; scale - self.scale];
        digits.extend(&self.digits);
        digits
    }

    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { negative: !other.negative, ..other.clone() })
    }

    pub fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let (mut a, mut b) = (self.scaled(scale), other.scaled(scale));
        let length = a.len().max(b.len()) + 1;
        a.resize(length, 0);
        b.resize(length, 0);
        if self.negative == other.negative {
            let mut carry = 0;
            for (x, y) in a.iter_mut().zip(&b) {
                let sum = *x + y + carry;
                (*x, carry) = (sum % 10, sum / 10);
            }
            return Self { negative: self.negative, digits: a, scale }.tidy();
        }
        let (large, small, negative) = match a.iter().rev().cmp(b.iter().rev()) {
            Ordering::Less => (b, a, other.negative),
            Ordering::Equal | Ordering::Greater => (a, b, self.negative),
        };
        let mut borrow = 0;
        let mut digits = Vec::with_capacity(length);
        for (x, y) in large.into_iter().zip(small) {
            let lacks = x < y + borrow;
            digits.push(x + if lacks { 10 } else { 0 } - y - borrow);
            borrow = u8::from(lacks);
        }
        Self { negative, digits, scale }.tidy()
    }

    pub fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0_u8; self.digits.len() + other.digits.len() + 1];
        for (i, x) in self.digits.iter().enumerate() {
            let mut carry = 0;
            for (j, place) in digits[i..].iter_mut().enumerate() {
                let sum = *place + x * other.digits.get(j).copied().unwrap_or(0) + carry;
                (*place, carry) = (sum % 10, sum / 10);
            }
        }
        Self { negative: self.negative != other.negative, digits, scale: self.scale + other.scale }.tidy()
    }

    /// One rounding to so many decimals, half away from zero.
    pub fn rounded(&self, decimals: usize) -> Self {
        if self.scale <= decimals {
            return Self { digits: self.scaled(decimals), scale: decimals, ..self.clone() };
        }
        let cut = self.scale - decimals;
        let up = self.digits.get(cut - 1).is_some_and(|digit| *digit >= 5);
        let digits = self.digits[cut..].to_vec();
        let size = Self { negative: false, digits, scale: decimals };
        let unit = Self { negative: false, digits: [vec![1], vec![0; decimals]].concat(), scale: decimals };
        let size = if up { size.plus(&unit) } else { size };
        Self { negative: self.negative, ..size }.tidy()
    }

    /// The number a hundredth as large.
    pub fn percent(&self) -> Self {
        self.times(&Self::read("0.01"))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-" } else { "" })?;
        for (place, digit) in self.digits.iter().enumerate().rev() {
            write!(f, "{digit}{}", if place == self.scale && place > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

#[test]
fn numbers_of_any_length_are_exact() {
    let long = "98765432109876543210.0123456789";
    for (sum, expected) in [
        (Exact::read(long).plus(&Exact::read(long)), "197530864219753086420.0246913578"),
        (Exact::read(long).minus(&Exact::read(long)), "0.0000000000"),
        (Exact::read("0.5").minus(&Exact::read("12.25")), "-11.75"),
        (Exact::read("-0.05").plus(&Exact::read("1")), "0.95"),
        (
            Exact::read("99999999999999999999").times(&Exact::read("-99999999999999999999")),
            "-9999999999999999999800000000000000000001",
        ),
        (Exact::read("12.5").percent(), "0.125"),
        (Exact::read("-2.5").rounded(0), "-3"),
        (Exact::read("2.4999").rounded(0), "2"),
        (Exact::read("999.995").rounded(2), "1000.00"),
        (Exact::read("-0.004").rounded(2), "0.00"),
        (Exact::read("7").rounded(3), "7.000"),
    ] {
        assert_eq!(sum.to_string(), expected);
    }
}
