use super::{Selection, Taken};
use crate::db::{Conn, DbError, DbResult, Tx, sql, sql_built};
use crate::engine::ids::{AdjustmentId, CampaignId, CommissionId, EnrollmentId, LineId, ReferrerId};
use crate::engine::state::CommissionState;
use crate::payout_details::Offered;
use crate::{row, rows, update_rows};

row! {
    /// A commission or an adjustment that a payout pays, as it is now.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Item {
        pub commission_id: Option<CommissionId>,
        /// Of the two, exactly one is there.
        pub adjustment_id: Option<AdjustmentId>,
        pub referrer_id: ReferrerId,
        pub campaign_id: CampaignId,
        pub enrollment_id: EnrollmentId,
        /// Minor units, signed.
        pub amount: i64,
        pub version: i64,
    }
}

row! {
    /// An item that may be paid, or why not now.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Candidate {
        pub commission_id: Option<CommissionId>,
        pub adjustment_id: Option<AdjustmentId>,
        pub referrer_id: ReferrerId,
        pub campaign_id: CampaignId,
        pub enrollment_id: EnrollmentId,
        pub amount: i64,
        pub version: i64,
        /// Its payment is disputed.
        pub disputed: bool,
        /// Its referrer is banned, and nobody released it.
        pub banned: bool,
        /// The last day of its hold; none of an adjustment.
        pub held_until: Option<String>,
        /// The ways of paying of its campaign.
        pub offered: Offered,
    }
}

impl Candidate {
    pub fn item(&self) -> Item {
        Item {
            commission_id: self.commission_id,
            adjustment_id: self.adjustment_id,
            referrer_id: self.referrer_id,
            campaign_id: self.campaign_id,
            enrollment_id: self.enrollment_id,
            amount: self.amount,
            version: self.version,
        }
    }
}

pub async fn next_referrers(conn: &mut Conn, of: &Selection, after: i64, most: usize) -> DbResult<Vec<i64>> {
    let in_campaign = if of.campaign_id.is_some() { "AND k.campaign_id = $4" } else { "AND $4 = 0" };
    let text = format!(
        "SELECT k.referrer_id
           FROM (SELECT * FROM (SELECT DISTINCT k.referrer_id
                                  FROM commissions k
                                 WHERE k.business_id = $1
                                   AND k.currency = $2
                                   AND k.referrer_id > $3
                                   AND k.state = 'approved'
                                   AND k.line_id IS NULL
                                   AND k.test = false {in_campaign}
                                 ORDER BY k.referrer_id
                                 LIMIT {most}) c
                  UNION
                 SELECT * FROM (SELECT DISTINCT k.referrer_id
                                  FROM adjustments k
                                 WHERE k.business_id = $1
                                   AND k.currency = $2
                                   AND k.referrer_id > $3
                                   AND k.state = 'posted'
                                   AND k.line_id IS NULL {in_campaign}
                                 ORDER BY k.referrer_id
                                 LIMIT {most}) a) k
          ORDER BY k.referrer_id
          LIMIT {most}"
    );
    let found: Vec<(i64,)> = sql_built(text)
        .bind(of.business_id)
        .bind(of.currency)
        .bind(after)
        .bind(of.campaign_id.unwrap_or(0))
        .patient()
        .all(conn)
        .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// The candidates of some referrers, which lie between $5 and $6. The bounds repeat the list: a planner that takes
/// approved commissions to be few reads them all for a join, once for every lot. Between bounds it reads a lot's own.
const CANDIDATES: &str =
    "SELECT k.id AS commission_id, CAST(NULL AS BIGINT) AS adjustment_id, k.referrer_id, k.campaign_id,
                k.enrollment_id, k.amount, k.updated_at AS version, p.disputed_at IS NOT NULL AS disputed,
                e.state = 'banned' AND NOT k.released AS banned, k.hold_until AS held_until,
                c.payout_methods AS offered
           FROM rows($1, id BIGINT) r
           CROSS JOIN commissions k
           JOIN enrollments e ON e.id = k.enrollment_id
           JOIN campaigns c ON c.id = k.campaign_id
           LEFT JOIN payments p ON p.id = k.payment_id
          WHERE k.referrer_id = r.id
            AND k.referrer_id BETWEEN $5 AND $6
            AND k.business_id = $2
            AND k.currency = $3
            AND k.state = 'approved'
            AND k.line_id IS NULL
            AND k.test = false
            AND k.amount > 0
            AND ($4 = 0 OR k.campaign_id = $4)
          UNION ALL
         SELECT CAST(NULL AS BIGINT), a.id, a.referrer_id, a.campaign_id, a.enrollment_id, a.amount, a.updated_at,
                false, e.state = 'banned' AND a.amount > 0, CAST(NULL AS TEXT), c.payout_methods
           FROM rows($1, id BIGINT) r
           CROSS JOIN adjustments a
           JOIN enrollments e ON e.id = a.enrollment_id
           JOIN campaigns c ON c.id = a.campaign_id
          WHERE a.referrer_id = r.id
            AND a.referrer_id BETWEEN $5 AND $6
            AND a.business_id = $2
            AND a.currency = $3
            AND a.state = 'posted'
            AND a.line_id IS NULL
            AND ($4 = 0 OR a.campaign_id = $4 OR a.amount < 0)";

pub async fn candidates(conn: &mut Conn, of: &Selection, referrers: &[i64]) -> DbResult<Vec<Candidate>> {
    sql_built(format!(
        "{CANDIDATES}
          ORDER BY 3, 1, 2"
    ))
    .bind(rows!(referrers, id => { id: *id }))
    .bind(of.business_id)
    .bind(of.currency)
    .bind(of.campaign_id.unwrap_or(0))
    .bind(referrers.iter().min().copied())
    .bind(referrers.iter().max().copied())
    .patient()
    .all(conn)
    .await
}

pub async fn summed(conn: &mut Conn, of: &Selection, referrer_id: i64) -> DbResult<Vec<Candidate>> {
    sql_built(format!(
        "SELECT CAST(NULL AS BIGINT) AS commission_id, CAST(NULL AS BIGINT) AS adjustment_id, u.referrer_id, u.campaign_id,
                u.enrollment_id, CAST(sum(u.amount) AS BIGINT) AS amount, max(u.version) AS version, u.disputed, u.banned,
                min(u.held_until) AS held_until, u.offered
           FROM ({CANDIDATES}) u
          GROUP BY u.referrer_id, u.campaign_id, u.enrollment_id, u.disputed, u.banned, u.offered, u.amount < 0
          ORDER BY u.campaign_id"
    ))
    .bind(rows!([referrer_id].iter(), id => { id: *id }))
    .bind(of.business_id)
    .bind(of.currency)
    .bind(of.campaign_id.unwrap_or(0))
    .bind(referrer_id)
    .bind(referrer_id)
    .patient()
    .all(conn)
    .await
}

/// Gives each item its line, as long as it is what was read: its version alone says so. A condition on its state would
/// lead SQLite to the index of all that is payable, which it would read whole.
pub async fn take(tx: &mut Tx, taken: &[Taken]) -> DbResult<()> {
    let now = tx.now().micros();
    let earned = || taken.iter().filter_map(|t| Some((t, t.item.commission_id?)));
    let adjusted = || taken.iter().filter_map(|t| Some((t, t.item.adjustment_id?)));
    if earned().next().is_some() {
        let done = update_rows!(
            "commissions" and "commissions.updated_at = r.version" by version BIGINT = t.item.version,
            earned(), (t, id) => id, {
                line_id BIGINT = t.line_id,
                updated_at BIGINT = now.max(t.item.version + 1),
            }
        )
        .execute(tx)
        .await?;
        expect(done, earned().count())?;
    }
    if adjusted().next().is_some() {
        let done = update_rows!(
            "adjustments" and "adjustments.updated_at = r.version" by version BIGINT = t.item.version,
            adjusted(), (t, id) => id, {
                line_id BIGINT = t.line_id,
                updated_at BIGINT = now.max(t.item.version + 1),
            }
        )
        .execute(tx)
        .await?;
        expect(done, adjusted().count())?;
    }
    Ok(())
}

fn expect(done: u64, wanted: usize) -> DbResult<()> {
    let same = usize::try_from(done) == Ok(wanted);
    if same { Ok(()) } else { Err(DbError::Lost(format!("items of a payout: {done} rows instead of {wanted}"))) }
}

row! {
    struct InLine {
        line_id: LineId,
        commission_id: Option<CommissionId>,
        adjustment_id: Option<AdjustmentId>,
        referrer_id: ReferrerId,
        campaign_id: CampaignId,
        enrollment_id: EnrollmentId,
        amount: i64,
        version: i64,
        disputed: bool,
    }
}

/// The items of some lines; true beside each whose payment is disputed.
pub async fn items(conn: &mut Conn, lines: &[i64]) -> DbResult<Vec<(Taken, bool)>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<InLine> = sql("SELECT k.line_id, k.id AS commission_id, CAST(NULL AS BIGINT) AS adjustment_id,
                k.referrer_id, k.campaign_id, k.enrollment_id, k.amount, k.updated_at AS version,
                p.disputed_at IS NOT NULL AS disputed
           FROM rows($1, id BIGINT) r
           CROSS JOIN commissions k
           LEFT JOIN payments p ON p.id = k.payment_id
          WHERE k.line_id = r.id
          UNION ALL
         SELECT a.line_id, CAST(NULL AS BIGINT), a.id, a.referrer_id, a.campaign_id, a.enrollment_id, a.amount,
                a.updated_at, false
           FROM rows($1, id BIGINT) r
           CROSS JOIN adjustments a
          WHERE a.line_id = r.id
          ORDER BY 1, 2, 3")
    .bind(rows!(lines, id => { id: *id }))
    .patient()
    .all(conn)
    .await?;
    let taken = found.into_iter().map(|i| {
        let item = Item {
            commission_id: i.commission_id,
            adjustment_id: i.adjustment_id,
            referrer_id: i.referrer_id,
            campaign_id: i.campaign_id,
            enrollment_id: i.enrollment_id,
            amount: i.amount,
            version: i.version,
        };
        (Taken { item, line_id: i.line_id }, i.disputed)
    });
    Ok(taken.collect())
}

/// Commissions of paid lines are paid.
pub async fn set_paid(tx: &mut Tx, items: &[(Taken, bool)]) -> DbResult<()> {
    let now = tx.now().micros();
    let earned = || items.iter().filter_map(|(t, _)| Some((t, t.item.commission_id?)));
    if earned().next().is_none() {
        return Ok(());
    }
    let done = update_rows!("commissions" and "commissions.updated_at = r.version" by version BIGINT = t.item.version,
        earned(), (t, id) => id, {
            state TEXT = CommissionState::Paid,
            updated_at BIGINT = now.max(t.item.version + 1),
        }
    )
    .execute(tx)
    .await?;
    expect(done, earned().count())
}

/// Items leave their lines, as they were before they were taken.
pub async fn give_back(tx: &mut Tx, items: &[(Taken, bool)]) -> DbResult<()> {
    let now = tx.now().micros();
    let earned = || items.iter().filter_map(|(t, _)| Some((t, t.item.commission_id?)));
    let adjusted = || items.iter().filter_map(|(t, _)| Some((t, t.item.adjustment_id?)));
    if earned().next().is_some() {
        let done =
            update_rows!("commissions" and "commissions.updated_at = r.version" by version BIGINT = t.item.version,
                earned(), (t, id) => id, {
                    state TEXT = CommissionState::Approved,
                    line_id BIGINT = None::<i64>,
                    updated_at BIGINT = now.max(t.item.version + 1),
                }
            )
            .execute(tx)
            .await?;
        expect(done, earned().count())?;
    }
    if adjusted().next().is_some() {
        let done =
            update_rows!("adjustments" and "adjustments.updated_at = r.version" by version BIGINT = t.item.version,
                adjusted(), (t, id) => id, {
                    line_id BIGINT = None::<i64>,
                    updated_at BIGINT = now.max(t.item.version + 1),
                }
            )
            .execute(tx)
            .await?;
        expect(done, adjusted().count())?;
    }
    Ok(())
}
