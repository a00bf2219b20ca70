//! The columns that lists sort by, against the sums they are copies of.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::Expected;
use super::run::Corrected;
use super::store::{self, CLICKS};
use crate::db::{Conn, DbResult};

/// The copies that are wrong and do not wait to be made anew, with the codes and enrollments to copy.
pub async fn wrong(
    conn: &mut Conn,
    business: (i64, &str),
    expected: &Expected,
    clicks: &BTreeMap<i64, i64>,
) -> DbResult<(Vec<Corrected>, BTreeSet<i64>)> {
    let (business_id, currency) = business;
    let waiting = store::waiting(conn).await?;
    let names = ["leads".to_owned(), "qualified".into(), format!("revenue.{currency}"), format!("earned.{currency}")];
    let sum = |scope: i64, name: &str| {
        expected.counters.get(&(scope, name.to_owned(), String::new())).copied().unwrap_or_default()
    };
    let mut found = (Vec::new(), BTreeSet::new());
    let mut compare = |kind: &str, id: i64, columns: &[(&str, i64, i64)]| {
        for (column, was, is) in columns.iter().filter(|(_, was, is)| was != is) {
            let (of, counter) = (format!("{kind} {id}"), format!("copy of {column}"));
            found.0.push(Corrected { of, counter, day: String::new(), was: *was, is: *is });
            found.1.insert(id);
        }
    };
    let mut of_codes: BTreeMap<i64, [i64; 4]> = BTreeMap::new();
    let mut busy: BTreeSet<i64> = waiting.clone();
    for code in store::codes(conn, business_id).await? {
        let sums = names.each_ref().map(|name| sum(code.id, name));
        let of_enrollment = of_codes.entry(code.enrollment_id).or_default();
        of_enrollment.iter_mut().zip(sums).for_each(|(all, one)| *all += one);
        if waiting.contains(&code.id) {
            busy.insert(code.enrollment_id);
        } else if !waiting.contains(&business_id) {
            let clicks = clicks.get(&code.id).copied().unwrap_or_default();
            let [leads, qualified, revenue, _] = sums;
            compare(
                "code",
                code.id,
                &[
                    (CLICKS, code.clicks, clicks),
                    ("leads", code.leads, leads),
                    ("qualified", code.qualified, qualified),
                    ("revenue", code.revenue, revenue),
                ],
            );
        }
    }
    for e in store::enrollments(conn, business_id).await? {
        if busy.contains(&e.id) || busy.contains(&business_id) {
            continue;
        }
        let of_codes = of_codes.get(&e.id).copied().unwrap_or_default();
        let mut sums = names.each_ref().map(|name| sum(e.id, name));
        sums.iter_mut().zip(of_codes).for_each(|(all, codes)| *all += codes);
        let [leads, qualified, revenue, earned] = sums;
        let last_lead_at = expected.last_lead.get(&e.id).copied().unwrap_or_default();
        compare(
            "enrollment",
            e.id,
            &[
                ("leads", e.leads, leads),
                ("qualified", e.qualified, qualified),
                ("revenue", e.revenue, revenue),
                ("earned", e.earned, earned),
                ("last lead", e.last_lead_at, last_lead_at),
            ],
        );
    }
    Ok(found)
}
