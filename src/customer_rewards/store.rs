//! The rows of customers' rewards.

use crate::clock::Day;
use crate::db::{Conn, DbError, DbResult, Listing, Order, Tx, sql, sql_built};
use crate::engine::state::{CustomerRewardCause, CustomerRewardKind, CustomerRewardState};
use crate::money::{Currency, Money};
use crate::{row, rows, update_rows};

row! {
    #[derive(Debug, Clone)]
    pub struct CustomerRewardRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub campaign: String,
        pub test: bool,
        pub lead_id: i64,
        pub lead: String,
        pub email: Option<String>,
        pub phone: Option<String>,
        pub referrer_id: Option<i64>,
        pub referrer: Option<String>,
        pub kind: CustomerRewardKind,
        /// Minor units; none of a voucher.
        pub amount: Option<i64>,
        pub currency: Option<Currency>,
        /// The words of a voucher.
        pub words: Option<String>,
        pub hold_until: String,
        pub state: CustomerRewardState,
        pub void_cause: Option<CustomerRewardCause>,
        pub reason: Option<String>,
        pub given_at: Option<i64>,
        pub given_by: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl CustomerRewardRow {
    pub fn money(&self) -> Option<Money> {
        Some(Money { minor: self.amount?, currency: self.currency? })
    }

    /// As people read it: "10.00 USD", "10.00 USD credit", or the words of the voucher.
    pub fn shown(&self) -> String {
        match (self.money(), self.kind) {
            (Some(money), CustomerRewardKind::Credit) => format!("{} credit", money.shown()),
            (Some(money), _) => money.shown(),
            (None, _) => self.words.clone().unwrap_or_default(),
        }
    }

    /// The last day of its hold, as people read it.
    pub fn held_until(&self) -> String {
        Day::parse(&self.hold_until).map_or_else(|_| self.hold_until.clone(), Day::shown)
    }

    /// True while it waits for its hold to be over.
    pub fn is_held(&self, today: Day) -> bool {
        self.state == CustomerRewardState::Due && *self.hold_until >= *today.to_string()
    }
}

const COLUMNS: &str = "w.id, w.business_id, w.campaign_id, c.name AS campaign, w.test, w.lead_id, l.name AS lead,
                l.email, l.phone, l.referrer_id, p.name AS referrer, w.kind, w.amount, w.currency, w.words,
                w.hold_until, w.state, w.void_cause, w.reason, w.given_at, w.given_by, w.created_at, w.updated_at";

/// The campaigns are few, and an inner join would let SQLite begin with them and sort everything that follows.
const JOINS: &str = "LEFT JOIN campaigns c ON c.id = w.campaign_id
           JOIN leads l ON l.id = w.lead_id
           LEFT JOIN referrers p ON p.id = l.referrer_id";

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<CustomerRewardRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM customer_rewards w
           {JOINS}
          WHERE w.id = $1
            AND w.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The reward of a lead.
pub async fn of_lead(conn: &mut Conn, lead_id: i64) -> DbResult<Option<CustomerRewardRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM customer_rewards w
           {JOINS}
          WHERE w.lead_id = $1"
    ))
    .bind(lead_id)
    .optional(conn)
    .await
}

/// The business's rewards among some ids.
pub async fn among(conn: &mut Conn, business_id: i64, ids: &[i64]) -> DbResult<Vec<CustomerRewardRow>> {
    sql_built(format!(
        "SELECT {COLUMNS}
           FROM rows($1, id BIGINT) r
           JOIN customer_rewards w ON w.id = r.id
           {JOINS}
          WHERE w.business_id = $2
          ORDER BY w.id"
    ))
    .bind(rows!(ids, id => { id: *id }))
    .bind(business_id)
    .all(conn)
    .await
}

/// The filters of the list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub campaign_id: Option<i64>,
    pub lead_id: Option<i64>,
    pub state: Option<CustomerRewardState>,
    /// In the order of changes, which the index of a campaign's states does not have.
    pub by_changes: bool,
}

/// The rewards of a business in one mode, the newest first.
pub fn listing(business_id: i64, test: bool, filter: Filter) -> Listing {
    let mut list = Listing::new(COLUMNS, "customer_rewards", "w", JOINS, Order::number("created_at", true));
    list = match filter.lead_id {
        Some(lead_id) => list.and("w.lead_id = ?", lead_id).and("w.business_id = ?", business_id),
        None => list.and("w.business_id = ?", business_id),
    };
    list = list.and("w.test = ?", test);
    match (filter.campaign_id, filter.state) {
        (Some(campaign_id), Some(state)) if filter.by_changes => {
            list.search("w.campaign_id = ?", campaign_id).search("w.state = ?", state)
        }
        (Some(campaign_id), Some(state)) => list.and("w.campaign_id = ?", campaign_id).and("w.state = ?", state),
        (Some(campaign_id), None) => list.search("w.campaign_id = ?", campaign_id),
        (None, Some(state)) => list.search("w.state = ?", state),
        (None, None) => list,
    }
}

/// The ids of a campaign's rewards that are due, and whose hold is over on a day; the oldest hold first.
pub async fn ready(conn: &mut Conn, campaign_id: i64, test: bool, today: Day, most: i64) -> DbResult<Vec<i64>> {
    let found: Vec<(i64,)> = sql("SELECT id
           FROM customer_rewards
          WHERE campaign_id = $1
            AND test = $2
            AND state = 'due'
            AND hold_until < $3
          ORDER BY hold_until, id
          LIMIT $4")
    .bind(campaign_id)
    .bind(test)
    .bind(today)
    .bind(most)
    .all(conn)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The rewards of [`ready`], counted up to a bound.
pub async fn count_ready(conn: &mut Conn, campaign_id: i64, test: bool, today: Day, bound: i64) -> DbResult<i64> {
    sql("SELECT count(*)
           FROM (SELECT 1 AS one
                   FROM customer_rewards
                  WHERE campaign_id = $1
                    AND test = $2
                    AND state = 'due'
                    AND hold_until < $3
                  LIMIT $4) w")
    .bind(campaign_id)
    .bind(test)
    .bind(today)
    .bind(bound)
    .scalar(conn)
    .await
}

/// A reward after a decision of staff.
#[derive(Debug)]
pub struct Decided {
    pub id: i64,
    /// The version that was decided about.
    pub version: i64,
    pub state: CustomerRewardState,
    pub void_cause: Option<CustomerRewardCause>,
    pub reason: Option<String>,
    pub given_at: Option<i64>,
    pub given_by: Option<String>,
    pub updated_at: i64,
}

/// Writes decisions. One that was changed meanwhile is lost, and decided anew.
pub async fn save(tx: &mut Tx, decided: &[Decided]) -> DbResult<()> {
    if decided.is_empty() {
        return Ok(());
    }
    let done =
        update_rows!("customer_rewards" and "customer_rewards.updated_at = r.version" by version BIGINT = d.version,
            decided, d => d.id, {
            state TEXT = d.state,
            void_cause TEXT = d.void_cause,
            reason TEXT = &d.reason,
            given_at BIGINT = d.given_at,
            given_by TEXT = &d.given_by,
            updated_at BIGINT = d.updated_at,
        })
        .execute(tx)
        .await?;
    if usize::try_from(done) == Ok(decided.len()) {
        Ok(())
    } else {
        Err(DbError::Lost("a customer's reward changed meanwhile".into()))
    }
}
