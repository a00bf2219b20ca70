//! Leads and referrers in one list, newest first, by page number.
//!
//! Each campaign's leads and each campaign's (or the business's) referrers are read by an index in the list's
//! order and merged. Totals are counted as people come and go, also by the day they came, so that a far page
//! begins on its day and not at the top.

use std::collections::BTreeMap;

use crate::counters::{self, USERS_LEADS, USERS_REFERRERS};
use crate::db::{Conn, DbResult, EXAMINED, Value, sql_built};
use crate::{row, rows};

/// The scope of the list: one campaign, or a business, where every referrer is listed once.
#[derive(Debug, Clone)]
pub struct Which {
    pub business_id: i64,
    pub test: bool,
    pub campaigns: Vec<i64>,
    pub of_one: bool,
}

/// The kind of row at a position.
pub const LEAD: i64 = 1;
pub const ENROLLMENT: i64 = 2;
pub const REFERRER: i64 = 3;

row! {
    /// A position in the list: a lead's id, an enrollment's or a referrer's.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Position {
        pub kind: i64,
        pub id: i64,
        pub at: i64,
    }
}

/// Rows that are passed by without asking on which day they came.
const NEAR: i64 = 1_000;
/// The most campaigns whose leads are merged; more are sorted.
const MERGED: usize = 64;

/// The number of rows.
pub async fn total(conn: &mut Conn, which: &Which) -> DbResult<i64> {
    let mut scopes = which.campaigns.clone();
    scopes.push(which.business_id);
    let totals = counters::totals(conn, &scopes).await?;
    let of = |scope: i64, name: &str| totals.get(&(scope, name.to_owned())).copied().unwrap_or_default();
    let referrers = match which.of_one {
        true => which.campaigns.iter().map(|c| of(*c, USERS_REFERRERS)).sum(),
        false => of(which.business_id, USERS_REFERRERS),
    };
    if which.test {
        return Ok(referrers + test_leads(conn, which).await?);
    }
    Ok(referrers + which.campaigns.iter().map(|c| of(*c, USERS_LEADS)).sum::<i64>())
}

/// Test data have no counters.
async fn test_leads(conn: &mut Conn, which: &Which) -> DbResult<i64> {
    sql_built(
        "SELECT count(*)
           FROM rows($1, campaign BIGINT, test BOOLEAN) r
           JOIN leads l ON l.campaign_id = r.campaign
                       AND l.test = r.test
          WHERE l.archived_at IS NULL"
            .to_owned(),
    )
    .bind(rows!(&which.campaigns, c => { campaign: *c, test: true }))
    .scalar(conn)
    .await
}

/// The range of a page: newest first or from the other end, between two instants, after some rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    forward: bool,
    from: i64,
    to: i64,
    skip: i64,
}

/// The positions of a page, newest first.
pub async fn page(conn: &mut Conn, which: &Which, total: i64, offset: i64, limit: i64) -> DbResult<Vec<Position>> {
    let wanted = limit.min(total.saturating_sub(offset));
    if wanted <= 0 {
        return Ok(Vec::new());
    }
    let behind = total - offset - wanted;
    let everything = |forward, skip| Span { forward, from: i64::MIN, to: i64::MAX, skip };
    let span = if offset <= NEAR || which.test {
        everything(true, offset)
    } else if behind <= NEAR {
        everything(false, behind)
    } else {
        let days = days(conn, which).await?;
        nearest(&days, offset, behind).unwrap_or_else(|| everything(true, offset))
    };
    let mut positions = read(conn, which, span, wanted).await?;
    if !span.forward {
        positions.reverse();
    }
    Ok(positions)
}

/// The number of users of each day, by its first instant.
async fn days(conn: &mut Conn, which: &Which) -> DbResult<BTreeMap<i64, i64>> {
    let mut days = BTreeMap::new();
    let mut scopes: Vec<(i64, &str)> =
        which.campaigns.iter().map(|c| (*c, if which.of_one { "users." } else { USERS_LEADS })).collect();
    if !which.of_one {
        scopes.push((which.business_id, USERS_REFERRERS));
    }
    for (scope, names) in scopes {
        for ((_, day), value) in counters::by_day(conn, scope, names, "u", "v").await? {
            if let Some(from) = counters::came_from(&day) {
                *days.entry(from).or_default() += value;
            }
        }
    }
    Ok(days)
}

/// The shorter way to a page: down from the end of the day its first row came on, or up from the
/// beginning of the day its last row came on.
fn nearest(days: &BTreeMap<i64, i64>, offset: i64, behind: i64) -> Option<Span> {
    let find = |days: &mut dyn Iterator<Item = (&i64, &i64)>, rows: i64| {
        let mut passed = 0;
        for (from, count) in days {
            if passed + count > rows {
                return Some((*from, rows - passed));
            }
            passed += count;
        }
        None
    };
    let (first, down) = find(&mut days.iter().rev(), offset)?;
    let (last, up) = find(&mut days.iter(), behind)?;
    Some(if down <= up {
        Span { forward: true, from: i64::MIN, to: first + counters::MICROS_A_DAY, skip: down }
    } else {
        Span { forward: false, from: last, to: i64::MAX, skip: up }
    })
}

/// The parts of the union, with their values from `$3` on; `$1` and `$2` are the span.
fn parts(which: &Which, values: &mut Vec<Value>) -> Vec<String> {
    let mut parts = Vec::new();
    let mut number = |value: Value| {
        values.push(value);
        values.len()
    };
    let between = |alias: &str| format!("{alias}.created_at >= $1 AND {alias}.created_at < $2");
    let test = number(which.test.into());
    if which.campaigns.len() > MERGED {
        let n = number(rows!(&which.campaigns, c => { campaign: *c }).into());
        parts.push(format!(
            "SELECT CAST(1 AS BIGINT) AS kind, l.id AS id, l.created_at AS at
               FROM rows(${n}, campaign BIGINT) r
               JOIN leads l ON l.campaign_id = r.campaign
              WHERE l.test = ${test}
                AND l.archived_at IS NULL
                AND {}",
            between("l")
        ));
    }
    for campaign in which.campaigns.iter().filter(|_| which.campaigns.len() <= MERGED) {
        let n = number((*campaign).into());
        parts.push(format!(
            "SELECT CAST(1 AS BIGINT) AS kind, l.id AS id, l.created_at AS at
               FROM leads l
              WHERE l.campaign_id = ${n}
                AND l.test = ${test}
                AND l.archived_at IS NULL
                AND {}",
            between("l")
        ));
        if which.of_one {
            parts.push(format!(
                "SELECT CAST(2 AS BIGINT) AS kind, e.id AS id, e.created_at AS at
                   FROM enrollments e
                  WHERE e.campaign_id = ${n}
                    AND e.archived = false
                    AND {}",
                between("e")
            ));
        }
    }
    if !which.of_one {
        let n = number(which.business_id.into());
        parts.push(format!(
            "SELECT CAST(3 AS BIGINT) AS kind, p.id AS id, p.created_at AS at
               FROM referrers p
              WHERE p.business_id = ${n}
                AND p.archived_at IS NULL
                AND {}",
            between("p")
        ));
    }
    parts
}

async fn read(conn: &mut Conn, which: &Which, span: Span, wanted: i64) -> DbResult<Vec<Position>> {
    let mut values: Vec<Value> = vec![span.from.into(), span.to.into()];
    let union = parts(which, &mut values).join(" UNION ALL ");
    values.extend([wanted.into(), span.skip.into()]);
    let (n, direction) = (values.len(), if span.forward { "DESC" } else { "ASC" });
    let text = format!("{union} ORDER BY at {direction}, id {direction} LIMIT ${} OFFSET ${n}", n - 1);
    sql_built(text).bind_all(values).all(conn).await
}

row! {
    /// A position with its owner: a referrer has one in every campaign.
    #[derive(Debug, Clone, Copy)]
    pub struct Hit {
        pub kind: i64,
        pub id: i64,
        pub at: i64,
        pub person: i64,
    }
}

/// Users whose name begins with a folded text; of each campaign at most [`EXAMINED`] leads and referrers.
pub async fn called(conn: &mut Conn, which: &Which, beginning: &str) -> DbResult<Vec<Hit>> {
    let mut hits = Vec::new();
    for campaign in &which.campaigns {
        let text = format!(
            "SELECT CAST(1 AS BIGINT) AS kind, h.id AS id, h.created_at AS at, h.id AS person
               FROM (SELECT l.id, l.created_at
                       FROM leads l
                      WHERE l.campaign_id = $1
                        AND l.test = $2
                        AND l.name_fold >= $3
                        AND l.name_fold < $4
                        AND l.archived_at IS NULL
                      ORDER BY l.name_fold, l.id
                      LIMIT {EXAMINED}) h
              UNION ALL
             SELECT CAST(2 AS BIGINT), h.id, h.created_at, h.referrer_id
               FROM (SELECT e.id, e.created_at, e.referrer_id
                       FROM enrollments e
                      WHERE e.campaign_id = $1
                        AND e.archived = false
                        AND e.name_fold >= $3
                        AND e.name_fold < $4
                      ORDER BY e.name_fold, e.id
                      LIMIT {EXAMINED}) h"
        );
        let found: Vec<Hit> = sql_built(text)
            .bind(*campaign)
            .bind(which.test)
            .bind(beginning)
            .bind(format!("{beginning}\u{10FFFF}"))
            .all(conn)
            .await?;
        hits.extend(found);
    }
    Ok(hits)
}

/// The positions of some leads and of some referrers' enrollments.
pub async fn positions(conn: &mut Conn, which: &Which, leads: &[i64], referrers: &[i64]) -> DbResult<Vec<Hit>> {
    sql_built(
        "SELECT CAST(1 AS BIGINT) AS kind, l.id AS id, l.created_at AS at, l.id AS person
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id
           JOIN rows($3, campaign BIGINT) g ON g.campaign = l.campaign_id
          WHERE l.test = $4
            AND l.archived_at IS NULL
          UNION ALL
         SELECT CAST(2 AS BIGINT), e.id, e.created_at, e.referrer_id
           FROM rows($2, id BIGINT) r
           JOIN enrollments e ON e.referrer_id = r.id
           JOIN rows($3, campaign BIGINT) g ON g.campaign = e.campaign_id
          WHERE e.archived = false"
            .to_owned(),
    )
    .bind(rows!(leads, id => { id: *id }))
    .bind(rows!(referrers, id => { id: *id }))
    .bind(rows!(&which.campaigns, c => { campaign: *c }))
    .bind(which.test)
    .all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = counters::MICROS_A_DAY;

    /// Rows newest first, read as the span says.
    fn read(days: &BTreeMap<i64, i64>, span: Span, wanted: i64) -> Vec<(i64, i64)> {
        let mut rows: Vec<(i64, i64)> = days.iter().flat_map(|(day, n)| (0..*n).map(|i| (*day, i))).collect();
        rows.retain(|(day, _)| *day >= span.from && *day < span.to);
        if span.forward {
            rows.reverse();
        }
        rows.into_iter().skip(span.skip as usize).take(wanted as usize).collect()
    }

    #[test]
    fn a_page_is_found_from_whichever_day_is_nearer() {
        let days = BTreeMap::from([(0, 3), (2 * DAY, 1), (3 * DAY, 7), (9 * DAY, 2), (10 * DAY, 0)]);
        let total: i64 = days.values().sum();
        let all = read(&days, Span { forward: true, from: i64::MIN, to: i64::MAX, skip: 0 }, total);
        for offset in 0..total {
            for limit in 1..=total {
                let wanted = limit.min(total - offset);
                let span = nearest(&days, offset, total - offset - wanted).expect("it is there");
                let mut page = read(&days, span, wanted);
                if !span.forward {
                    page.reverse();
                }
                let (from, to) = (offset as usize, (offset + wanted) as usize);
                assert_eq!(page, all[from..to], "{offset} {limit} {span:?}");
                assert!(span.skip <= 7, "at most the rows of one day are passed by");
            }
        }
        assert_eq!(nearest(&days, total, 0), None);
    }
}
