//! The series of numbers is a recursive query, so that no row crosses the wire.

mod indexes;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

pub use indexes::{drop_indexes, restore_indexes};

use super::load::{Bases, Load, Paid};
use crate::clock::{Day, Instant, Zone};
use crate::code;
use crate::counters;
use crate::db::{Conn, DbResult, Tx, sql, sql_built};
use crate::referrers::Described;
use crate::rows;
use crate::search::Scope;

pub async fn is_made(conn: &mut Conn, business_id: i64) -> DbResult<bool> {
    let first: Option<(i64,)> = sql("SELECT id
           FROM referrers
          WHERE business_id = $1
            AND email_key = 'referrer0@example.com'")
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(first.is_some())
}

/// (id, number, referral rate, hold days) of the version of a product's terms that is in force on a day.
pub async fn terms(conn: &mut Conn, product_id: i64, day: Day) -> DbResult<Option<(i64, i64, Option<i64>, i64)>> {
    sql("SELECT id, number, referral_rate, hold_days
           FROM terms
          WHERE product_id = $1
          ORDER BY CASE WHEN valid_from <= $2 THEN 0 ELSE 1 END,
                   CASE WHEN valid_from <= $2 THEN -number ELSE number END
          LIMIT 1")
    .bind(product_id)
    .bind(day.to_string())
    .optional(conn)
    .await
}

/// A load is the one thing that may run longer than a request.
async fn patient(tx: &mut Tx) -> DbResult<()> {
    match &**tx {
        Conn::Postgres(_) => sql("SET LOCAL statement_timeout = 0"),
        // A chunk is larger than the cache a server has, and so is what the making of an index sorts.
        _ => sql("PRAGMA cache_size = -262144"),
    }
    .patient()
    .execute(tx)
    .await?;
    Ok(())
}

const FIRST: [&str; 16] = [
    "Jane", "Amina", "Peter", "Grace", "Mohammed", "Lucía", "Wei", "Olu", "Ingrid", "Tomás", "Aisha", "Kofi", "Noor",
    "Emeka", "Sofia", "Yuki",
];
const LAST: [&str; 16] = [
    "Njeri", "Smith", "Otieno", "García", "Okafor", "Müller", "Tanaka", "Mensah", "Khan", "Silva", "Larsen", "Mwangi",
    "Adeyemi", "Chen", "Ito", "Brown",
];

/// Rows `from..to` of a load.
pub struct Part {
    pub load: Load,
    pub paid: Paid,
    pub bases: Bases,
    pub from: i64,
    pub to: i64,
    /// When the first row of the load came.
    pub first: Instant,
}

/// The searched words of these people.
fn words(from: i64, to: i64) -> crate::db::Table {
    let all: Vec<(i64, String)> = (from..to)
        .flat_map(|i| {
            let (first, last) = (FIRST[(i % 16) as usize], LAST[(i / 16 % 16) as usize]);
            let (name, company) = (format!("{first} {last} {i}"), format!("Company {}", i % 997));
            let email = format!("referrer{i}@example.com");
            let described =
                Described { name: &name, company: Some(&company), email: Some(&email), phone: None, phone_key: None };
            described.words().into_iter().map(move |word| (i, word)).collect::<Vec<_>>()
        })
        .collect();
    rows!(&all, (i, word) => { i: *i, word: word })
}

pub async fn referrers(tx: &mut Tx, (part, codes): &(Part, Vec<String>)) -> DbResult<()> {
    let &Part { load, bases, from, to, first, .. } = part;
    let numbered = (from..to).zip(codes);
    let table = rows!(numbered, (i, text) => {
        i: i, first: FIRST[(i % 16) as usize], last: LAST[(i / 16 % 16) as usize], code: text,
        fold: crate::fold::fold(&format!("{} {}", FIRST[(i % 16) as usize], LAST[(i / 16 % 16) as usize])),
        lookup: code::lookup_form(text),
        repaired: code::repaired(text),
    });
    let words = words(from, to);
    patient(tx).await?;
    sql("INSERT INTO referrers
                (id, business_id, name, first_name, email, email_key, company, search, meta, created_at,
                 updated_at)
         SELECT $2 + r.i, $3, r.first || ' ' || r.last || ' ' || r.i, r.first,
                'referrer' || r.i || '@example.com', 'referrer' || r.i || '@example.com',
                'Company ' || (r.i % 997),
                r.fold || ' ' || r.i || ' referrer' || r.i || '@example.com company ' || (r.i % 997),
                '[]', $4 + r.i * 1000000, $4 + r.i * 1000000
           FROM rows($1, i BIGINT, first TEXT, last TEXT, code TEXT, fold TEXT, lookup TEXT, repaired TEXT) r")
    .bind(&table)
    .bind(bases.referrer)
    .bind(load.business_id)
    .bind(first)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO referrer_words (business_id, word, referrer_id)
         SELECT $3, r.word, $2 + r.i
           FROM rows($1, i BIGINT, word TEXT) r")
    .bind(words)
    .bind(bases.referrer)
    .bind(load.business_id)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO enrollments
                (id, business_id, campaign_id, referrer_id, state, has_code, name_fold, archived, created_at)
         SELECT $2 + r.i, $3, $4, $5 + r.i,
                CASE WHEN r.i % 50 = 7 THEN 'paused' WHEN r.i % 500 = 9 THEN 'banned' ELSE 'active' END,
                r.i % 10 <> 3, r.fold || ' ' || r.i, false, $6 + r.i * 1000000
           FROM rows($1, i BIGINT, first TEXT, last TEXT, code TEXT, fold TEXT, lookup TEXT, repaired TEXT) r")
    .bind(&table)
    .bind(bases.enrollment)
    .bind(load.business_id)
    .bind(load.campaign_id)
    .bind(bases.referrer)
    .bind(first)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO codes
                (id, business_id, campaign_id, enrollment_id, referrer_id, text, lookup, repaired, search,
                 kind, state, created_at, updated_at)
         SELECT $2 + r.i, $3, $4, $5 + r.i, $6 + r.i, r.code, r.lookup, r.repaired,
                lower(r.lookup), 'generated', 'active',
                $7 + r.i * 1000000, $7 + r.i * 1000000
           FROM rows($1, i BIGINT, first TEXT, last TEXT, code TEXT, fold TEXT, lookup TEXT, repaired TEXT) r
          WHERE r.i % 10 <> 3")
    .bind(&table)
    .bind(bases.code)
    .bind(load.business_id)
    .bind(load.campaign_id)
    .bind(bases.enrollment)
    .bind(bases.referrer)
    .bind(first)
    .patient()
    .execute(tx)
    .await?;
    to_be_found(tx, Scope::referrers(load.business_id), bases.referrer, from..to).await?;
    to_be_found(tx, Scope::codes(load.campaign_id), bases.code, from..to).await
}

/// The server indexes the new rows when it runs next. Skipped ids belong to no row.
async fn to_be_found(tx: &mut Tx, scope: Scope, base: i64, numbers: Range<i64>) -> DbResult<()> {
    sql("INSERT INTO search_queue (scope, id, stamp)
         WITH RECURSIVE n(i) AS (SELECT CAST($2 AS BIGINT)
                                  UNION ALL
                                 SELECT i + 1
                                   FROM n
                                  WHERE i + 1 < $3)
         SELECT $1, n.i, 0
           FROM n")
    .bind(scope.number())
    .bind(base + numbers.start)
    .bind(base + numbers.end)
    .patient()
    .execute(tx)
    .await?;
    Ok(())
}

/// Leads from..to: seven of ten referred, a third of those qualified, a sixth paid once.
pub async fn leads(tx: &mut Tx, part: &Part) -> DbResult<()> {
    let &Part { load, paid, bases, from, to, first } = part;
    let names: Vec<String> = (0..256).map(|i| format!("{} {}", FIRST[i % 16], LAST[i / 16])).collect();
    let names = rows!(names.iter().enumerate(), (i, name) => {
        i: i64::try_from(i).unwrap_or(0), name: name, fold: crate::fold::fold(name),
    });
    let paid_on = paid.day.to_string();
    patient(tx).await?;
    // The numbers are CAST so that PostgreSQL knows what the parameters are.
    sql("INSERT INTO leads
                (id, business_id, campaign_id, test, name, name_fold, email, email_key, company, source,
                 source_origin, status, active, qualified_at, converted_at, arrival, referrer_id,
                 enrollment_id, touch_id, rule_fired, search, meta, created_at, updated_at)
         WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT)
                                  UNION ALL
                                 SELECT i + 1
                                   FROM n
                                  WHERE i + 1 < $2),
                        name AS MATERIALIZED (SELECT r.i, r.name, r.fold
                                                FROM rows($11, i BIGINT, name TEXT, fold TEXT) r)
         SELECT $3 + n.i, $4, $5, false, f.name || ' ' || n.i, f.fold || ' ' || n.i,
                'lead' || n.i || '@example' || (n.i % 97) || '.com',
                'lead' || n.i || '@example' || (n.i % 97) || '.com', 'Company ' || (n.i % 4999),
                CASE n.i % 4 WHEN 0 THEN 'website' WHEN 1 THEN 'ad' ELSE 'referral' END, 'api',
                CASE WHEN n.i % 6 = 0 THEN 'converted' WHEN n.i % 6 = 1 THEN 'qualified'
                     WHEN n.i % 6 = 2 THEN 'contacted' WHEN n.i % 60 = 5 THEN 'lost' ELSE 'new' END,
                true, CASE WHEN n.i % 6 < 2 THEN $6 + n.i * 30000000 END,
                CASE WHEN n.i % 6 = 0 THEN $6 + n.i * 30000000 END,
                CASE WHEN n.i % 10 < 7
                     THEN CASE n.i % 4 WHEN 0 THEN 'code' WHEN 1 THEN 'link' WHEN 2 THEN 'verbal'
                               ELSE 'upload' END END,
                CASE WHEN n.i % 10 < 7 THEN $7 + (n.i * 7919) % $10 END,
                CASE WHEN n.i % 10 < 7 THEN $8 + (n.i * 7919) % $10 END,
                CASE WHEN n.i % 10 < 7 THEN $9 + n.i END, n.i % 6 = 0,
                f.fold || ' ' || n.i || ' lead' || n.i || '@example' || (n.i % 97) || '.com company '
                  || (n.i % 4999),
                '[]', $6 + n.i * 30000000, $6 + n.i * 30000000
           FROM n
           CROSS JOIN name f
          WHERE f.i = n.i % 256")
    .bind(from)
    .bind(to)
    .bind(bases.lead)
    .bind(load.business_id)
    .bind(load.campaign_id)
    .bind(first)
    .bind(bases.referrer)
    .bind(bases.enrollment)
    .bind(bases.touch)
    .bind(load.referrers)
    .bind(names)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO touches (id, business_id, lead_id, kind, referrer_id, enrollment_id, at)
         SELECT l.touch_id, l.business_id, l.id,
                CASE l.arrival WHEN 'code' THEN 'code' WHEN 'link' THEN 'click' WHEN 'verbal' THEN 'verbal'
                     ELSE 'import' END,
                l.referrer_id, l.enrollment_id, l.created_at
           FROM leads l
          WHERE l.id >= $1
            AND l.id < $2
            AND l.touch_id IS NOT NULL")
    .bind(bases.lead + from)
    .bind(bases.lead + to)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO payments
                (id, business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency,
                 subscription_status, payment_date, body_hash, decision, decision_why, repeats,
                 received_at, updated_at)
         SELECT $3 + (l.id - $4), l.business_id, l.campaign_id, $5, false, l.id, l.email, l.email_key,
                1000 + (l.id * 37) % 20000, b.currency, 'active', $6, 'load',
                CASE WHEN e.state <> 'banned' THEN 'earned' ELSE 'waiting' END,
                CASE WHEN e.state <> 'banned' THEN 'referral rate' ELSE 'the lead has no referrer' END, 0,
                l.created_at, l.created_at
           FROM leads l
           JOIN businesses b ON b.id = l.business_id
           LEFT JOIN enrollments e ON e.id = l.enrollment_id
          WHERE l.id >= $1
            AND l.id < $2
            AND l.status = 'converted'")
    .bind(bases.lead + from)
    .bind(bases.lead + to)
    .bind(bases.payment)
    .bind(bases.lead)
    .bind(load.product_id)
    .bind(paid_on)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO payment_names (business_id, test, name, payment_id)
         SELECT p.business_id, p.test, 'event:load-' || CAST(p.lead_id AS TEXT), p.id
           FROM payments p
          WHERE p.id >= $1
            AND p.id < $2")
    .bind(bases.payment + from)
    .bind(bases.payment + to)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO purchases
                (lead_id, product_id, first_payment_id, first_payment_date, decided, subscription_status)
         SELECT p.lead_id, p.product_id, p.id, p.payment_date, 1, 'active'
           FROM payments p
          WHERE p.id >= $1
            AND p.id < $2
            AND p.decision = 'earned'")
    .bind(bases.payment + from)
    .bind(bases.payment + to)
    .patient()
    .execute(tx)
    .await?;
    to_be_found(tx, Scope::leads(load.campaign_id, false), bases.lead, from..to).await?;
    commissions(tx, bases, from, to, &paid).await
}

/// One commission for each payment of a referred lead, and its ledger entry.
async fn commissions(tx: &mut Tx, bases: Bases, from: i64, to: i64, paid: &Paid) -> DbResult<()> {
    sql("INSERT INTO commissions
                (id, business_id, campaign_id, test, kind, product_id, payment_id, lead_id, referrer_id,
                 enrollment_id, terms_id, terms_number, rate, base_amount, amount, currency, hold_days, hold_until,
                 state, released, created_at, updated_at)
         SELECT $3 + (p.id - $4), p.business_id, p.campaign_id, false, 'referral', p.product_id, p.id, l.id,
                l.referrer_id, l.enrollment_id, $6, $7, CAST($8 AS BIGINT), p.amount,
                (p.amount * $8 + 500000) / 1000000, p.currency, $9, $5, 'pending', false, p.received_at, p.received_at
           FROM payments p
           JOIN leads l ON l.id = p.lead_id
          WHERE p.id >= $1
            AND p.id < $2
            AND p.decision = 'earned'")
    .bind(bases.payment + from)
    .bind(bases.payment + to)
    .bind(bases.commission)
    .bind(bases.payment)
    .bind(paid.day.plus_days(paid.hold_days).to_string())
    .bind(paid.terms_id)
    .bind(paid.terms_number)
    .bind(paid.rate)
    .bind(paid.hold_days)
    .patient()
    .execute(tx)
    .await?;
    sql("INSERT INTO ledger_entries
                (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at)
         SELECT $3 + (c.id - $4), c.business_id, c.referrer_id, c.currency, 'held', c.amount, 'created', c.id,
                p.payment_date, c.created_at
           FROM commissions c
           JOIN payments p ON p.id = c.payment_id
          WHERE c.id >= $1
            AND c.id < $2")
    .bind(bases.commission + from)
    .bind(bases.commission + to)
    .bind(bases.entry)
    .bind(bases.commission)
    .patient()
    .execute(tx)
    .await?;
    // Their digests are made when they are sealed.
    sql("INSERT INTO seals (first_id, business_id, chain, entries)
         SELECT min(e.id), e.business_id, 'ledger', string_agg(CAST(e.id AS TEXT), ',' ORDER BY e.id)
           FROM ledger_entries e
          WHERE e.id >= $1
            AND e.id < $2
          GROUP BY e.business_id, (e.id - $1) / 1500")
    .bind(bases.entry + from)
    .bind(bases.entry + to)
    .patient()
    .execute(tx)
    .await?;
    Ok(())
}

/// The n-th lead of the statement above, in Rust: counting in the database would sort all leads once for each
/// counter. `refdesk check` fails when the two differ.
struct Nth(i64);

impl Nth {
    fn status(&self) -> &'static str {
        match (self.0 % 6, self.0 % 60) {
            (0, _) => "converted",
            (1, _) => "qualified",
            (2, _) => "contacted",
            (_, 5) => "lost",
            _ => "new",
        }
    }

    fn source(&self) -> &'static str {
        match self.0 % 4 {
            0 => "website",
            1 => "ad",
            _ => "referral",
        }
    }

    fn is_qualified(&self) -> bool {
        self.0 % 6 < 2
    }

    fn arrival(&self) -> Option<&'static str> {
        let way = match self.0 % 4 {
            0 => "code",
            1 => "link",
            2 => "verbal",
            _ => "upload",
        };
        (self.0 % 10 < 7).then_some(way)
    }

    /// The number of the referrer.
    fn referrer(&self, referrers: i64) -> Option<i64> {
        (self.0 % 10 < 7).then_some(self.0 * 7919 % referrers)
    }
}

type Counted = HashMap<(i64, Cow<'static, str>, String), i64>;

/// The counters of the leads, each with its scope, name and day.
fn counted(load: Load, bases: Bases, first: Instant, zone: Zone) -> Counted {
    let mut all = Counted::new();
    let mut enrollments: HashMap<i64, (i64, i64)> = HashMap::new();
    let mut kinds: HashMap<(&str, &str, Option<&str>, bool), i64> = HashMap::new();
    let mut came: HashMap<String, i64> = HashMap::new();
    let mut series: HashMap<(Day, Cow<'static, str>), i64> = HashMap::new();
    for i in 0..load.leads {
        let lead = Nth(i);
        *kinds.entry((lead.status(), lead.source(), lead.arrival(), lead.is_qualified())).or_default() += 1;
        let created = first.plus_seconds(i * super::SECONDS_APART);
        *came.entry(counters::came(created.micros())).or_default() += 1;
        let day = zone.day_of(created);
        let qualified = lead.is_qualified().then_some("qualified".into());
        let arrival = lead.arrival().map(|way| format!("leads.arrival.{way}").into());
        for name in [Some("leads".into()), qualified, arrival].into_iter().flatten() {
            *series.entry((day, name)).or_default() += 1;
        }
        if let Some(n) = lead.referrer(load.referrers) {
            let (leads, qualified) = enrollments.entry(bases.enrollment + n).or_default();
            (*leads, *qualified) = (*leads + 1, *qualified + i64::from(lead.is_qualified()));
        }
    }
    let mut add = |scope: i64, name: Cow<'static, str>, day: String, value: i64| {
        if value > 0 {
            *all.entry((scope, name, day)).or_default() += value;
        }
    };
    let (campaign, business) = (load.campaign_id, load.business_id);
    for ((status, source, arrival, qualified), n) in kinds {
        add(campaign, "leads".into(), String::new(), n);
        add(campaign, "users.leads".into(), String::new(), n);
        add(campaign, format!("leads.status.{status}").into(), String::new(), n);
        add(business, format!("listed.{status}").into(), String::new(), n);
        add(business, format!("listed.{status}|{source}").into(), String::new(), n);
        if let Some(way) = arrival {
            add(campaign, format!("leads.arrival.{way}").into(), String::new(), n);
        }
        if qualified {
            add(campaign, "qualified".into(), String::new(), n);
        }
    }
    for (day, n) in came {
        add(campaign, "users.leads".into(), day, n);
    }
    for ((day, name), n) in series {
        add(campaign, name, day.to_string(), n);
    }
    for (enrollment, (leads, qualified)) in enrollments {
        add(enrollment, "leads".into(), String::new(), leads);
        add(enrollment, "qualified".into(), String::new(), qualified);
    }
    all
}

/// The counters of everything that was made.
pub async fn count(tx: &mut Tx, &(load, bases, first, zone): &(Load, Bases, Instant, Zone)) -> DbResult<()> {
    const MONEY: [&str; 6] = [
        "SELECT $1, 'revenue.' || p.currency, '', 0, CAST(sum(p.amount) AS BIGINT)
           FROM payments p
          WHERE p.lead_id >= $2
            AND p.lead_id < $3
          GROUP BY p.currency",
        "SELECT $1, 'revenue.' || p.currency, p.payment_date, 0, CAST(sum(p.amount) AS BIGINT)
           FROM payments p
          WHERE p.lead_id >= $2
            AND p.lead_id < $3
          GROUP BY p.currency, p.payment_date",
        "SELECT l.enrollment_id, 'revenue.' || p.currency, '', 0, CAST(sum(p.amount) AS BIGINT)
           FROM payments p
           JOIN leads l ON l.id = p.lead_id
          WHERE $1 = $1
            AND p.lead_id >= $2
            AND p.lead_id < $3
            AND l.enrollment_id IS NOT NULL
          GROUP BY l.enrollment_id, p.currency",
        "SELECT $1, 'money.held.' || c.currency, '', 0, CAST(sum(c.amount) AS BIGINT)
           FROM commissions c
          WHERE c.lead_id >= $2
            AND c.lead_id < $3
          GROUP BY c.currency",
        "SELECT $1, 'pending.' || c.currency, 'h' || c.hold_until, 0, CAST(sum(c.amount) AS BIGINT)
           FROM commissions c
          WHERE c.lead_id >= $2
            AND c.lead_id < $3
          GROUP BY c.currency, c.hold_until",
        "SELECT c.enrollment_id, 'earned.' || c.currency, '', 0, CAST(sum(c.amount) AS BIGINT)
           FROM commissions c
          WHERE $1 = $1
            AND c.lead_id >= $2
            AND c.lead_id < $3
          GROUP BY c.enrollment_id, c.currency",
    ];
    let mut counted: Vec<_> = counted(load, bases, first, zone).into_iter().collect();
    counted.sort_unstable();
    patient(tx).await?;
    for chunk in counted.chunks(20_000) {
        let table = rows!(chunk, ((scope, name, day), value) => {
            scope: *scope, name: name.as_ref(), day: day, value: *value,
        });
        sql("INSERT INTO counters (scope_id, name, day, slot, value)
             SELECT r.scope, r.name, r.day, 0, r.value
               FROM rows($1, scope BIGINT, name TEXT, day TEXT, value BIGINT) r
              WHERE true
             ON CONFLICT (scope_id, name, day, slot) DO UPDATE
                SET value = counters.value + excluded.value")
        .bind(table)
        .patient()
        .execute(tx)
        .await?;
    }
    for total in MONEY {
        sql_built(format!(
            "INSERT INTO counters (scope_id, name, day, slot, value)
             SELECT *
               FROM ({total}) t
              WHERE true
             ON CONFLICT (scope_id, name, day, slot) DO UPDATE
                SET value = counters.value + excluded.value"
        ))
        .bind(load.campaign_id)
        .bind(bases.lead)
        .bind(bases.lead + load.leads)
        .patient()
        .execute(tx)
        .await?;
    }
    for (scope, table, base) in
        [(load.business_id, "referrers", bases.referrer), (load.campaign_id, "enrollments", bases.enrollment)]
    {
        sql_built(format!(
            "INSERT INTO counters (scope_id, name, day, slot, value)
             SELECT CAST($1 AS BIGINT), 'users.referrers', 'u' || CAST(created_at / 86400000000 AS TEXT), 0,
                    count(*)
               FROM {table}
              WHERE id >= $2
                AND id < $3
              GROUP BY 3
              UNION ALL
             SELECT CAST($1 AS BIGINT), 'users.referrers', '', 0, count(*)
               FROM {table}
              WHERE id >= $2
                AND id < $3
             ON CONFLICT (scope_id, name, day, slot) DO UPDATE
                SET value = counters.value + excluded.value"
        ))
        .bind(scope)
        .bind(base)
        .bind(base + load.referrers)
        .patient()
        .execute(tx)
        .await?;
    }
    crate::figures::enqueue(tx, &[load.business_id].into()).await
}
