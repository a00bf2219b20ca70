use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Method;
use crate::db::{At, Column, DbResult, Row, Value, unknown_word};

/// The ways of paying that a campaign offers: some that were chosen, or all there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered(BTreeSet<Method>);

impl Offered {
    /// To choose none, or each, is to offer all: those that a later version knows too.
    pub fn of(chosen: impl IntoIterator<Item = Method>) -> Self {
        let chosen: BTreeSet<Method> = chosen.into_iter().collect();
        if chosen.len() == Method::ALL.len() { Self::default() } else { Self(chosen) }
    }

    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, method: Method) -> bool {
        self.is_all() || self.0.contains(&method)
    }

    pub fn methods(&self) -> impl Iterator<Item = Method> {
        Method::ALL.into_iter().filter(|method| self.has(*method))
    }

    /// As it is stored: "paypal wise", and nothing for all.
    pub fn text(&self) -> String {
        self.0.iter().map(|method| method.word()).collect::<Vec<_>>().join(" ")
    }

    /// "by PayPal, by bank transfer or by hand", within a sentence.
    pub fn within(&self) -> String {
        let mut ways: Vec<String> = self.methods().map(Method::within).collect();
        match ways.pop() {
            Some(last) if !ways.is_empty() => format!("{} or {last}", ways.join(", ")),
            last => last.unwrap_or_default(),
        }
    }
}

impl Column for Offered {
    fn at(at: At, row: &Row<'_>) -> DbResult<Self> {
        let text = String::at(at, row)?;
        let methods = text.split_whitespace();
        let methods = methods.map(|word| Method::parse(word).ok_or_else(|| unknown_word("Method", word)));
        methods.collect::<DbResult<BTreeSet<_>>>().map(Self)
    }
}

impl From<&Offered> for Value {
    fn from(offered: &Offered) -> Self {
        offered.text().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_each_are_all() {
        for all in [Offered::of([]), Offered::of(Method::ALL)] {
            assert!(all.is_all() && all.text().is_empty());
            assert!(Method::ALL.iter().all(|method| all.has(*method)));
        }
        let some = Offered::of([Method::Bank, Method::Paypal]);
        assert_eq!(some.text(), "paypal bank");
        assert_eq!(some.within(), "by PayPal or by bank transfer");
        assert!(some.has(Method::Bank) && !some.has(Method::Wise));
        assert_eq!(Offered::of([Method::Hand]).within(), "by hand");
    }
}
