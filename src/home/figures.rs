//! Figures over a period and the one before, made from the counters by day.

use std::collections::BTreeMap;

use crate::clock::Day;
use crate::money::{Currency, Money};
use crate::text::counted;

/// A span of days that ends today, and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    pub today: Day,
    pub days: i64,
}

/// Values by (name, day), as the counters give them.
pub type ByDay = BTreeMap<(String, String), i64>;

impl Period {
    pub fn first(self) -> Day {
        self.today.plus_days(1 - self.days)
    }

    /// The first day of the period before this one.
    pub fn before(self) -> Day {
        self.today.plus_days(1 - 2 * self.days)
    }

    /// One value a day, oldest first, beginning with the period before.
    pub fn values(self, by_day: &ByDay, name: &str) -> Vec<i64> {
        (0..2 * self.days)
            .map(|i| by_day.get(&(name.to_owned(), self.before().plus_days(i).to_string())).copied().unwrap_or(0))
            .collect()
    }
}

/// A figure with its change and its line.
#[derive(Debug, Clone)]
pub struct Figure {
    pub label: &'static str,
    pub value: String,
    pub delta: String,
    pub against: String,
    pub tone: &'static str,
    pub points: String,
    pub url: String,
}

impl Figure {
    /// From daily values of twice the period.
    pub fn of(label: &'static str, url: String, values: &[i64], shown: impl Fn(i64) -> String) -> Self {
        let (old, new) = values.split_at(values.len() / 2);
        let (before, now): (i64, i64) = (old.iter().sum(), new.iter().sum());
        let (delta, tone) = change(before, now);
        Self {
            label,
            value: shown(now),
            delta,
            against: format!("{} before", shown(before)),
            tone,
            points: line(new),
            url,
        }
    }
}

/// "+12 %" and whether that is good; nothing where there is nothing to compare with.
pub fn change(before: i64, now: i64) -> (String, &'static str) {
    if before <= 0 {
        return (String::new(), "");
    }
    let percent = (now - before) * 100 / before;
    match percent {
        0 => ("\u{b1}0 %".to_owned(), ""),
        1.. => (format!("+{} %", counted(percent)), "good"),
        _ => (format!("\u{2212}{} %", counted(-percent)), "bad"),
    }
}

/// The points of a sparkline in a box 100 wide and 28 high.
pub fn line(values: &[i64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let last = i64::try_from(values.len()).unwrap_or(1).saturating_sub(1).max(1);
    (0..)
        .zip(values)
        .map(|(i, v): (i64, &i64)| format!("{},{}", i * 100 / last, 26 - v.max(&0) * 24 / most))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One column of a small chart.
#[derive(Debug, Clone)]
pub struct Column {
    pub label: String,
    pub value: String,
    /// Per cent of the common scale.
    pub percent: i64,
}

/// Leads of one way of arrival, per day.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub label: &'static str,
    /// The step before the leads: clicks on links.
    pub note: String,
    pub total: String,
    pub delta: String,
    pub tone: &'static str,
    pub columns: Vec<Column>,
    pub values: Vec<i64>,
}

/// The ways a referred lead arrives, in the order they are drawn.
const WAYS: [(&str, &str); 5] =
    [("code", "Code"), ("link", "Link"), ("verbal", "Verbal"), ("upload", "Upload"), ("staff", "By staff")];

/// The heading of leads without a referrer.
const UNREFERRED: &str = "No referrer";

/// One small chart per source, and one for the leads that nobody referred, all on one scale: they add up to the
/// leads. Unused ones beyond the first four are left out.
pub fn arrivals(period: Period, by_day: &ByDay) -> Vec<Arrival> {
    let of = |way: &str| period.values(by_day, &format!("leads.arrival.{way}"));
    let half = usize::try_from(period.days).unwrap_or(0);
    let mut nobody = period.values(by_day, "leads");
    for (way, _) in WAYS {
        // Archived leads keep their source and are counted as leads no more.
        nobody.iter_mut().zip(of(way)).for_each(|(left, n)| *left = (*left - n).max(0));
    }
    let series = WAYS.iter().map(|(way, label)| (*way, *label, of(way)));
    let series: Vec<_> = series.chain([("", UNREFERRED, nobody)]).collect();
    let most = series.iter().flat_map(|(.., values)| values.iter().skip(half)).max().copied().unwrap_or(0).max(1);
    series
        .into_iter()
        .map(|(way, label, values)| {
            let (old, new) = values.split_at(half);
            let (delta, tone) = change(old.iter().sum(), new.iter().sum());
            let columns = (0..)
                .zip(new)
                .map(|(i, v)| Column {
                    label: period.first().plus_days(i).shown(),
                    value: counted(*v),
                    percent: v.max(&0) * 100 / most,
                })
                .collect();
            let note = if way == "link" { clicks(period, by_day) } else { String::new() };
            Arrival { label, note, total: counted(new.iter().sum()), delta, tone, columns, values: new.to_vec() }
        })
        .filter(|a| !["By staff", UNREFERRED].contains(&a.label) || a.values.iter().any(|v| *v != 0))
        .collect()
}

/// "1,204 clicks", in the period.
fn clicks(period: Period, by_day: &ByDay) -> String {
    let half = usize::try_from(period.days).unwrap_or(0);
    match period.values(by_day, "clicks").into_iter().skip(half).sum() {
        0 => String::new(),
        1 => "1 click".to_owned(),
        n => format!("{} clicks", counted(n)),
    }
}

/// One bar: ready text and its share of all.
#[derive(Debug, Clone)]
pub struct Bar {
    pub label: String,
    pub value: String,
    pub percent: i64,
    pub tone: &'static str,
    pub detail: String,
    pub url: String,
}

/// Bars, each as long as its share of all.
pub fn bars(rows: Vec<(String, Money, &'static str, String, String)>) -> Vec<Bar> {
    let all: i128 = rows.iter().map(|(_, m, ..)| i128::from(m.minor.max(0))).sum();
    let share = |minor: i64| i64::try_from(i128::from(minor.max(0)) * 100 / all.max(1)).unwrap_or(100);
    rows.into_iter()
        .map(|(label, money, tone, detail, url)| Bar {
            percent: share(money.minor),
            label,
            value: money.shown(),
            tone,
            detail,
            url,
        })
        .collect()
}

/// A sum of minor units as money of the business's currency.
pub fn money(minor: i64, currency: Currency) -> String {
    Money { minor, currency }.shown()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_per_cent() {
        assert_eq!(change(100, 112), ("+12 %".to_owned(), "good"));
        assert_eq!(change(100, 96), ("\u{2212}4 %".to_owned(), "bad"));
        assert_eq!(change(0, 5), (String::new(), ""));
        assert_eq!(change(10, 10).0, "\u{b1}0 %");
    }

    #[test]
    fn a_line_stays_in_its_box() {
        assert_eq!(line(&[0, 5, 10]), "0,26 50,14 100,2");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[0]), "0,26");
    }

    #[test]
    fn sources_add_up_to_the_leads() {
        let period = Period { today: Day::parse("2026-06-20").unwrap(), days: 7 };
        let counted = [("leads", 9), ("leads.arrival.code", 4), ("leads.arrival.link", 2)];
        let by_day: ByDay = counted.map(|(name, n)| ((name.to_owned(), "2026-06-20".to_owned()), n)).into();
        let all = arrivals(period, &by_day);
        let totals: Vec<(&str, &str)> = all.iter().map(|a| (a.label, a.total.as_str())).collect();
        assert_eq!(totals, [("Code", "4"), ("Link", "2"), ("Verbal", "0"), ("Upload", "0"), ("No referrer", "3")]);
    }

    #[test]
    fn bars_are_shares_of_all() {
        let usd = |minor| Money { minor, currency: Currency::parse("USD").unwrap() };
        let row = |minor| (String::new(), usd(minor), "", String::new(), String::new());
        let percents: Vec<i64> = bars(vec![row(5_000), row(15_000), row(-10)]).iter().map(|b| b.percent).collect();
        assert_eq!(percents, [25, 75, 0]);
        assert_eq!(bars(vec![row(0)])[0].percent, 0);
    }

    #[test]
    fn a_period_compares_with_the_one_before() {
        let period = Period { today: Day::parse("2026-06-20").unwrap(), days: 7 };
        assert_eq!(period.first().to_string(), "2026-06-14");
        assert_eq!(period.before().to_string(), "2026-06-07");
        let by_day =
            ByDay::from([(("leads".into(), "2026-06-20".into()), 3), (("leads".into(), "2026-06-07".into()), 2)]);
        let values = period.values(&by_day, "leads");
        assert_eq!((values.len(), values[0], values[13]), (14, 2, 3));
    }
}
