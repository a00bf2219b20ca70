//! Calendar months, as statements go by them.

use std::fmt;

use crate::clock::Day;

/// A month of the calendar. Written YYYY-MM, which sorts by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: Day,
}

impl Month {
    /// Strict YYYY-MM; `None` for every other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 7 {
            return None;
        }
        Day::parse(&format!("{text}-01")).ok().map(|first| Self { first })
    }

    /// The month of a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        let text = day.to_string();
        let first = text.get(..7).and_then(|month| Day::parse(&format!("{month}-01")).ok());
        Self { first: first.unwrap_or(day) }
    }

    #[must_use]
    pub fn first(self) -> Day {
        self.first
    }

    #[must_use]
    pub fn last(self) -> Day {
        self.next().first.plus_days(-1)
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self { first: self.first.plus_months(1) }
    }

    #[must_use]
    pub fn before(self) -> Self {
        Self::of(self.first.plus_days(-1))
    }

    /// "October 2026".
    #[must_use]
    pub fn shown(self) -> String {
        const NAMES: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let text = self.to_string();
        let (year, month) = text.split_once('-').unwrap_or((&text, ""));
        let name = month.parse::<usize>().ok().and_then(|n| NAMES.get(n.wrapping_sub(1)));
        name.map_or_else(|| text.clone(), |name| format!("{name} {year}"))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.first.to_string().get(..7).unwrap_or_default())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_a_first_and_a_last_day() {
        for (month, last, name) in [
            ("2026-02", "2026-02-28", "February 2026"),
            ("2024-02", "2024-02-29", "February 2024"),
            ("2026-12", "2026-12-31", "December 2026"),
        ] {
            let month = Month::parse(month).unwrap();
            assert_eq!((month.last().to_string().as_str(), month.shown().as_str()), (last, name));
            assert_eq!((Month::of(month.last()), month.next().before()), (month, month));
        }
        for text in ["2026-13", "2026-1", "2026-010", "26-10", "", "2026-00", "0026-10", "2026/10"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }
}
