pub mod rows;

use crate::clock::Zone;
use crate::counters;
use crate::db::{Conn, Cursor, Db, DbResult, EXAMINED, Listing, Order, PAGE, sql, sql_built};
use crate::engine::state::VoidCause;
use crate::leads::TEXTS;
use crate::money::{Currency, Money};
use crate::query::{Dates, ListQuery};
use crate::row;
use crate::rows;
use crate::search::{self, Ask, Found, Needle, Scope, Total};

use super::Arithmetic;

row! {
    /// A commission with the names a page shows.
    #[derive(Debug, Clone)]
    pub struct CommissionRow {
        pub id: i64,
        pub campaign_id: i64,
        pub test: bool,
        pub kind: String,
        pub payment_id: Option<i64>,
        pub lead_id: i64,
        pub lead: String,
        pub referrer_id: i64,
        pub referrer: String,
        pub enrollment_state: String,
        pub product: Option<String>,
        pub payment_date: Option<String>,
        pub disputed_at: Option<i64>,
        pub terms_number: Option<i64>,
        pub rate: Option<i64>,
        pub flat: Option<i64>,
        pub base_amount: i64,
        pub amount: i64,
        pub currency: String,
        pub hold_days: i64,
        pub hold_until: String,
        pub state: String,
        /// The words of a person, or the program's own cause.
        pub reason: Option<String>,
        pub void_cause: Option<VoidCause>,
        pub released: bool,
        pub reversed_at: Option<i64>,
        pub taken_back: i64,
        pub line_id: Option<i64>,
        /// The refunded part of the payment.
        pub refunded: i64,
        pub created_at: i64,
    }
}

impl CommissionRow {
    pub fn arithmetic(&self) -> Arithmetic<'_> {
        Arithmetic {
            kind: &self.kind,
            rate: self.rate,
            flat: self.flat,
            base_amount: self.base_amount,
            amount: self.amount,
            currency: &self.currency,
            terms_number: self.terms_number,
            hold_until: (&*self.hold_until).into(),
            refunded: self.refunded,
        }
    }
    /// As it was created, before its payment was refunded.
    pub fn first(&self) -> Arithmetic<'_> {
        Arithmetic { refunded: 0, ..self.arithmetic() }
    }
    pub fn first_shown(&self) -> String {
        Money::shown_in(self.first().at_first(), &self.currency)
    }
    pub fn taken_back_shown(&self) -> String {
        Money::shown_in(self.taken_back, &self.currency)
    }
    pub fn shown(&self) -> String {
        Money::shown_in(self.amount, &self.currency)
    }
    /// "1250.00", for programs.
    pub fn plain(&self) -> String {
        let currency = Currency::parse(&self.currency);
        currency.map_or_else(|_| self.amount.to_string(), |currency| Money { minor: self.amount, currency }.plain())
    }
    pub fn is_unpaid(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "approved") && self.line_id.is_none() && self.taken_back == 0
    }
    /// True when staff can approve it: pending, or of a banned referrer and not yet released; never while
    /// disputed.
    pub fn can_be_approved(&self) -> bool {
        let waits_for_release = self.state == "approved" && self.enrollment_state == "banned" && !self.released;
        (self.state == "pending" || waits_for_release) && self.disputed_at.is_none()
    }
}

const COLUMNS: &str = "k.id, k.campaign_id, k.test, k.kind, k.payment_id, k.lead_id, l.name AS lead, k.referrer_id,
                       p.name AS referrer, e.state AS enrollment_state, d.name AS product, y.payment_date,
                       y.disputed_at, k.terms_number, k.rate, k.flat, k.base_amount, k.amount, k.currency,
                       k.hold_days, k.hold_until, k.state, COALESCE(k.reason, k.void_cause) AS reason, k.void_cause, k.released,
                       k.reversed_at, k.taken_back, k.line_id,
                       COALESCE(y.refunded, 0) AS refunded, k.created_at";

const JOINS: &str = "JOIN leads l ON l.id = k.lead_id
                     JOIN referrers p ON p.id = k.referrer_id
                     JOIN enrollments e ON e.id = k.enrollment_id
                     LEFT JOIN products d ON d.id = k.product_id
                     LEFT JOIN payments y ON y.id = k.payment_id";

/// The commissions of a lead, newest first, at most 200.
pub async fn of_lead(conn: &mut Conn, lead_id: i64) -> DbResult<Vec<CommissionRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM commissions k {JOINS}
          WHERE k.lead_id = $1
          ORDER BY k.id DESC
          LIMIT 200"
    ))
    .bind(lead_id)
    .all(conn)
    .await
}

pub async fn by_id(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<CommissionRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM commissions k {JOINS}
          WHERE k.id = $1
            AND k.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The commissions of the business among some ids.
pub async fn of_business(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT k.id
           FROM rows($1, id BIGINT) r
           JOIN commissions k ON k.id = r.id
          WHERE k.business_id = $2
          ORDER BY k.id")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The names a list of commissions knows in its address.
pub const KNOWN: [&str; 11] = ["q", "state", "referrer", "by", "kind", "from", "to", "cols", "sort", "after", "before"];
pub const STATES: [&str; 4] = ["pending", "approved", "paid", "void"];
pub const KINDS: [&str; 3] = ["referral", "recurring", "reward"];

/// The filters of a list, from its address.
#[derive(Debug, Clone)]
pub struct Filter {
    pub campaign_id: i64,
    pub test: bool,
    pub state: &'static str,
    pub referrer: Option<i64>,
    pub kind: Option<&'static str>,
    /// The typed text, and its form for searching the lead.
    pub q: String,
    pub needle: Needle,
    pub dates: Dates,
    pub order: Order,
}

impl Filter {
    /// `country` is where phone numbers are dialled from.
    pub fn of(query: &ListQuery, campaign_id: i64, test: bool, country: &str, zone: Zone) -> Self {
        let referrer: Option<i64> = query.get("referrer").parse().ok();
        let mut orders = [
            ("hold", Order::text("hold_until", false)),
            ("created", Order::number("created_at", true)),
            ("amount", Order::number("amount", true)),
        ];
        if referrer.is_some() {
            // A referrer's own are found by an index, in the order they were made.
            orders.swap(0, 1);
        }
        Self {
            campaign_id,
            test,
            state: STATES.into_iter().find(|s| *s == query.get("state")).unwrap_or("pending"),
            referrer,
            kind: KINDS.into_iter().find(|k| *k == query.get("kind")),
            q: query.get("q").to_owned(),
            // The list's address has no control characters left.
            needle: Needle::words(query.get("q"), country).unwrap_or_default(),
            dates: query.dates(zone),
            order: Order::asked(query, &orders),
        }
    }
}

impl Filter {
    /// The position of a list after a row.
    pub fn cursor(&self, row: &CommissionRow) -> Cursor {
        let value = match self.order.column {
            "hold_until" => row.hold_until.clone(),
            "amount" => row.amount.to_string(),
            _ => row.created_at.to_string(),
        };
        Cursor { value, id: row.id }
    }
}

/// One condition is served by an index that also gives the order, the others are searched.
fn listing(columns: &'static str, joins: &'static str, f: &Filter) -> Listing {
    let by_time = f.order.column == "created_at";
    let mut list = Listing::new(columns, "commissions", "k", joins, f.order)
        .and("k.campaign_id = ?", f.campaign_id)
        .and("k.test = ?", f.test);
    list = if by_time { list.search("k.state = ?", f.state) } else { list.and("k.state = ?", f.state) };
    if let Some(referrer) = f.referrer {
        list =
            if by_time { list.and("k.referrer_id = ?", referrer) } else { list.search("k.referrer_id = ?", referrer) };
    }
    if let Some(kind) = f.kind {
        list = list.search("k.kind = ?", kind);
    }
    f.needle
        .in_texts(TEXTS, list.of_days("k.created_at", f.dates))
        .within("lead_id", "JOIN leads l ON l.id = k.lead_id")
}

/// The texts of a search's rows, as `text`.
pub fn texts(f: &Filter) -> Listing {
    listing("l.search AS text", "JOIN leads l ON l.id = k.lead_id", f)
}

/// A page of the list.
pub struct CommissionPage {
    pub rows: Vec<CommissionRow>,
    pub total: Total,
    /// The number of rows examined, where not all were searched.
    pub looked: Option<usize>,
}

/// The people whose names, addresses and numbers are searched.
pub fn scope(f: &Filter) -> Scope {
    Scope::leads(f.campaign_id, f.test)
}

pub async fn page(db: &Db, f: &Filter, query: &ListQuery) -> DbResult<CommissionPage> {
    let list = listing(COLUMNS, JOINS, f).turned(query);
    if f.needle.is_empty() {
        let mut conn = db.read().await?;
        let looked = (list.is_searched() && many(&mut conn, f).await?).then_some(EXAMINED);
        let rows = list.build(PAGE + 1).all(&mut conn).await?;
        let most = i64::try_from(EXAMINED).unwrap_or(i64::MAX);
        let found: i64 = listing("k.id", "", f).count(EXAMINED).scalar(&mut conn).await?;
        let total = if found > most { Total::AtLeast(most) } else { Total::Exact(found) };
        return Ok(CommissionPage { rows, total, looked });
    }
    let found = search::page(db, list, &[scope(f)], &f.needle, Ask::page(PAGE + 1)).await?;
    let Found { rows, total, looked, .. } = found;
    Ok(CommissionPage { rows, total, looked })
}

/// The next rows of a file, from the position in the address on.
pub async fn every(db: &Db, f: &Filter, query: &ListQuery, most: usize) -> DbResult<Vec<CommissionRow>> {
    search::every(db, listing(COLUMNS, JOINS, f).turned(query), &[scope(f)], &f.needle, most).await
}

/// True when a campaign has more commissions than a search examines.
async fn many(conn: &mut Conn, f: &Filter) -> DbResult<bool> {
    let found: i64 = sql("SELECT count(*)
                            FROM (SELECT 1 AS one
                                    FROM commissions
                                   WHERE campaign_id = $1
                                     AND test = $2
                                   LIMIT 10001) k")
    .bind(f.campaign_id)
    .bind(f.test)
    .scalar(conn)
    .await?;
    Ok(usize::try_from(found).is_ok_and(|n| n > EXAMINED))
}

/// The ids a filter matches, in list order, at most `most`; `None` when not all rows could be searched.
pub async fn ids(db: &Db, f: &Filter, most: usize) -> DbResult<Option<Vec<i64>>> {
    let list = listing("k.id", "", f);
    let found: Vec<(i64,)> = if f.needle.is_empty() {
        list.build(most).all(&mut db.read().await?).await?
    } else {
        let found = search::page(db, list, &[scope(f)], &f.needle, Ask::all(most)).await?;
        if found.looked.is_some() {
            return Ok(None);
        }
        found.rows
    };
    Ok(Some(found.into_iter().map(|(id,)| id).collect()))
}

/// Live money of a campaign by account (held, due, paid) and currency, from the counters.
pub async fn balances(conn: &mut Conn, campaign_id: i64) -> DbResult<Vec<(String, String, i64)>> {
    let totals = counters::totals(conn, &[campaign_id]).await?;
    let money = totals.into_iter().filter_map(|((_, name), value)| {
        let (account, currency) = name.strip_prefix("money.")?.split_once('.')?;
        Some((account.to_owned(), currency.to_owned(), value))
    });
    Ok(money.filter(|(.., value)| *value != 0).collect())
}

/// Live money of a campaign that is approved but disputed, and so held: by currency.
pub async fn disputed(conn: &mut Conn, business_id: i64, campaign_id: i64) -> DbResult<Vec<(String, i64)>> {
    sql("SELECT k.currency, CAST(sum(k.amount) AS BIGINT)
           FROM payments y
           CROSS JOIN commissions k
          WHERE y.business_id = $1
            AND y.disputed_at IS NOT NULL
            AND k.payment_id = y.id
            AND k.campaign_id = $2
            AND k.test = false
            AND k.state = 'approved'
            AND k.line_id IS NULL
          GROUP BY k.currency
         HAVING sum(k.amount) <> 0
          ORDER BY k.currency")
    .bind(business_id)
    .bind(campaign_id)
    .all(conn)
    .await
}

row! {
    /// The sum of a state in one currency.
    #[derive(Debug, Clone)]
    pub struct Sum {
        pub currency: String,
        pub amount: i64,
        pub n: i64,
    }
}

/// Sums of a state by currency over at most 10,000 rows; the counters leave out void and test ones.
pub async fn sums(conn: &mut Conn, campaign_id: i64, test: bool, state: &str) -> DbResult<Vec<Sum>> {
    sql("SELECT s.currency, CAST(sum(s.amount) AS BIGINT) AS amount, count(*) AS n
           FROM (SELECT k.currency, k.amount
                   FROM commissions k
                  WHERE k.campaign_id = $1
                    AND k.test = $2
                    AND k.state = $3
                  LIMIT 10001) s
          GROUP BY s.currency
          ORDER BY s.currency")
    .bind(campaign_id)
    .bind(test)
    .bind(state)
    .all(conn)
    .await
}

row! {
    /// A ledger entry of one commission.
    #[derive(Debug, Clone)]
    pub struct EntryRow {
        pub account: String,
        pub amount: i64,
        pub currency: String,
        pub kind: String,
        pub at: i64,
    }
}

pub async fn entries(conn: &mut Conn, commission_id: i64) -> DbResult<Vec<EntryRow>> {
    sql("SELECT account, amount, currency, kind, at
           FROM ledger_entries
          WHERE commission_id = $1
          ORDER BY id
          LIMIT 200")
    .bind(commission_id)
    .all(conn)
    .await
}

row! {
    /// The decisions about a commission and their actors.
    #[derive(Debug, Clone)]
    pub struct DecisionRow {
        pub action: String,
        pub actor: String,
        /// True for the schedule's own.
        pub automatic: bool,
        pub reason: Option<String>,
        pub at: i64,
    }
}

/// With the disputes of its payment.
pub async fn decisions(conn: &mut Conn, c: &CommissionRow) -> DbResult<Vec<DecisionRow>> {
    sql("SELECT action, actor_name AS actor, actor_kind = 'job' AS automatic, reason, at
           FROM audit_entries
          WHERE lead_id = $1
            AND ((subject_kind = 'commission' AND subject_id = $2)
                 OR (subject_kind = 'payment'
                     AND subject_id = $3
                     AND action IN ('payment.disputed', 'payment.dispute_ended')))
          ORDER BY at, id
          LIMIT 200")
    .bind(c.lead_id)
    .bind(c.id)
    .bind(c.payment_id)
    .all(conn)
    .await
}

pub async fn referrer_name(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<String>> {
    let found: Option<(String,)> = sql("SELECT name
           FROM referrers
          WHERE id = $1
            AND business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await?;
    Ok(found.map(|(name,)| name))
}

/// The names of some referrers and leads of the business: (id, name).
pub async fn names(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT p.id, p.name
           FROM rows($1, id BIGINT) r
           JOIN referrers p ON p.id = r.id
          WHERE p.business_id = $2
          UNION
         SELECT l.id, l.name
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id
          WHERE l.business_id = $2")
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}
