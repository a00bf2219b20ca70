pub mod balance;

use super::link::{LinkRow, NewLink, Thing};
use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql, sql_built};
use crate::engine::state::{AdjustmentKind, EntryKind};
use crate::money::Currency;
use crate::payout_details::Method;
use crate::products::TermsRow;
use crate::row;

/// The terms that a commission froze.
pub async fn terms(conn: &mut Conn, commission_id: i64) -> DbResult<Option<TermsRow>> {
    sql("SELECT t.id, t.number, t.valid_from, t.referral_rate, t.referral_flat, t.recurring_rate, t.recurring_flat,
                t.recurring_limit, t.recurring_count, t.hold_days, CAST(NULL AS TEXT) AS made_by, t.created_at
           FROM commissions k
           JOIN terms t ON t.id = k.terms_id
          WHERE k.id = $1")
    .bind(commission_id)
    .optional(conn)
    .await
}

row! {
    /// An entry of a commission's ledger, with the payout that moved it.
    #[derive(Debug, Clone)]
    pub struct EntryRow {
        pub kind: EntryKind,
        pub amount: i64,
        pub currency: Currency,
        pub at: i64,
        pub line_id: Option<i64>,
        pub payout_number: Option<i64>,
        pub method: Option<Method>,
        /// Why the line failed or came back.
        pub reason: Option<String>,
    }
}

pub async fn entries(conn: &mut Conn, commission_id: i64) -> DbResult<Vec<EntryRow>> {
    sql("SELECT g.kind, g.amount, g.currency, g.at, g.line_id, p.number AS payout_number, p.method, x.reason
           FROM ledger_entries g
           LEFT JOIN payout_lines x ON x.id = g.line_id
           LEFT JOIN payouts p ON p.id = x.payout_id
          WHERE g.commission_id = $1
          ORDER BY g.at, g.id
          LIMIT 400")
    .bind(commission_id)
    .all(conn)
    .await
}

row! {
    /// A part of a payout's line.
    #[derive(Debug, Clone)]
    pub struct ItemRow {
        pub commission_id: Option<i64>,
        pub amount: i64,
        pub currency: Currency,
        pub adjusted_by: Option<AdjustmentKind>,
        pub reason: Option<String>,
        pub lead: Option<String>,
    }
}

/// The items that a line took when it was locked last.
pub async fn items(conn: &mut Conn, line_id: i64, most: usize) -> DbResult<Vec<ItemRow>> {
    sql_built(format!(
        "SELECT COALESCE(g.commission_id, a.commission_id) AS commission_id, g.amount, g.currency,
                a.kind AS adjusted_by, a.reason, l.name AS lead
           FROM ledger_entries g
           LEFT JOIN adjustments a ON a.id = g.adjustment_id
           LEFT JOIN commissions k ON k.id = COALESCE(g.commission_id, a.commission_id)
           LEFT JOIN leads l ON l.id = k.lead_id
          WHERE g.line_id = $1
            AND g.kind = 'locked'
            AND g.account = 'paying'
            AND g.at = (SELECT max(o.at)
                          FROM ledger_entries o
                         WHERE o.line_id = $1
                           AND o.kind = 'locked')
          ORDER BY g.id
          LIMIT {most}"
    ))
    .bind(line_id)
    .all(conn)
    .await
}

row! {
    /// The campaign's rule of qualification.
    #[derive(Debug, Clone)]
    pub struct RuleRow {
        pub qualify_on: String,
        /// JSON: currency to minor units.
        pub reward: String,
    }
}

pub async fn rule(conn: &mut Conn, campaign_id: i64) -> DbResult<Option<RuleRow>> {
    sql("SELECT qualify_on, reward
           FROM campaigns
          WHERE id = $1")
    .bind(campaign_id)
    .optional(conn)
    .await
}

pub async fn insert_link(tx: &mut Tx, new: &NewLink) -> DbResult<()> {
    let (now, made_by) = (tx.now(), tx.actor()?.name.clone());
    sql("INSERT INTO trace_links (id, business_id, subject_kind, subject_id, subject_currency, token_hash, made_by,
                created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(new.id)
    .bind(new.business_id)
    .bind(new.thing.subject())
    .bind(new.thing.id())
    .bind(new.thing.currency().map(Currency::code))
    .bind(&new.token_hash)
    .bind(made_by)
    .bind(now)
    .bind(new.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

const LINK: &str =
    "k.id, k.business_id, k.subject_kind AS subject, k.subject_id, k.subject_currency, k.made_by, k.created_at,
                k.expires_at, k.ended_at";

pub async fn link_by_token(conn: &mut Conn, token_hash: &str) -> DbResult<Option<LinkRow>> {
    sql_built(format!(
        "SELECT {LINK}
           FROM trace_links k
          WHERE k.token_hash = $1"
    ))
    .bind(token_hash)
    .optional(conn)
    .await
}

pub async fn link(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<LinkRow>> {
    sql_built(format!(
        "SELECT {LINK}
           FROM trace_links k
          WHERE k.id = $1
            AND k.business_id = $2"
    ))
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The links to a thing's trace that work now.
pub async fn links(conn: &mut Conn, thing: Thing, now: Instant) -> DbResult<Vec<LinkRow>> {
    sql_built(format!(
        "SELECT {LINK}
           FROM trace_links k
          WHERE k.subject_id = $1
            AND k.subject_kind = $2
            AND COALESCE(k.subject_currency, '') = $4
            AND k.expires_at > $3
            AND k.ended_at IS NULL
          ORDER BY k.id DESC
          LIMIT 50"
    ))
    .bind(thing.id())
    .bind(thing.subject())
    .bind(now)
    .bind(thing.currency().map_or("", Currency::code))
    .all(conn)
    .await
}

pub async fn end_link(tx: &mut Tx, id: i64) -> DbResult<u64> {
    let now = tx.now();
    sql("UPDATE trace_links
            SET ended_at = $2
          WHERE id = $1
            AND ended_at IS NULL")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await
}
