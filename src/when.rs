//! Dates in everyday words, with the exact instant beside them.

use crate::clock::{Day, Instant, Zone};

/// The parts of `text::when`: the machine's form, the words, and the tooltip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    pub iso: String,
    pub label: String,
    pub exact: String,
}

impl When {
    /// A moment, in the business's zone.
    pub fn at(zone: Zone, now: Instant, at: Instant) -> Self {
        let label = match (now.seconds() - at.seconds(), zone.day_of(at), zone.day_of(now)) {
            (0..60, ..) => "just now".to_owned(),
            (past @ 60..3_600, ..) => format!("{} min ago", past / 60),
            (_, day, today) => said(today, day),
        };
        Self { iso: at.to_rfc3339_millis(), label, exact: zone.shown(at) }
    }

    /// A day of the business.
    pub fn on(today: Day, day: Day) -> Self {
        Self { iso: day.to_string(), label: said(today, day), exact: day.shown() }
    }

    /// A day as it is stored; text that is none is shown as it is.
    pub fn on_text(today: Day, day: &str) -> Self {
        Day::parse(day).map_or_else(
            |_| Self { iso: day.to_owned(), label: day.to_owned(), exact: day.to_owned() },
            |day| Self::on(today, day),
        )
    }
}

/// "today", "in 3 days", "14 Jun", "14 Jun 2025".
pub fn said(today: Day, day: Day) -> String {
    match today.days_until(day) {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        n @ 2..=13 => format!("in {n} days"),
        n @ -13..=-2 => format!("{} days ago", -n),
        _ => short(today, day),
    }
}

/// "14 Jun", with the year when it is another one.
pub fn short(today: Day, day: Day) -> String {
    let shown = day.shown();
    let this_year = today.shown().rsplit_once(' ').map(|(_, year)| format!(" {year}")).unwrap_or_default();
    shown.strip_suffix(&this_year).unwrap_or(&shown).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_as_people_say_them() {
        let today = Day::parse("2026-06-14").unwrap();
        for (day, words) in [
            ("2026-06-14", "today"),
            ("2026-06-15", "tomorrow"),
            ("2026-06-17", "in 3 days"),
            ("2026-06-13", "yesterday"),
            ("2026-06-28", "28 Jun"),
            ("2025-06-14", "14 Jun 2025"),
            ("2026-06-01", "13 days ago"),
        ] {
            assert_eq!(When::on_text(today, day).label, words, "{day}");
        }
    }

    #[test]
    fn moments_are_fresh_for_an_hour() {
        let now = Instant::parse_rfc3339("2026-06-14T12:00:00Z").unwrap();
        let at = |seconds: i64| When::at(Zone::UTC, now, now.plus_seconds(-seconds)).label;
        assert_eq!((at(5), at(150), at(7_200)), ("just now".into(), "2 min ago".into(), "today".into()));
    }
}
