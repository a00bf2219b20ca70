//! Inbox items: new ones, and how known ones stand now.

use super::expect;
use crate::db::{DbResult, Tx, sql};
use crate::engine::state::{InboxKind, InboxState};
use crate::engine::work::{NewInboxItem, Work};
use crate::rows;

pub async fn save(tx: &mut Tx, work: &Work) -> DbResult<()> {
    upsert(tx, work).await?;
    end(tx, work).await
}

async fn upsert(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.inbox.is_empty() {
        return Ok(());
    }
    // A cause twice in one slice would fail the whole statement on PostgreSQL: one row that counts both.
    let mut all: Vec<_> = work.writes.inbox.iter().collect();
    all.sort_by(|a, b| (a.business_id, &a.cause, a.id).cmp(&(b.business_id, &b.cause, b.id)));
    let mut items: Vec<(&NewInboxItem, i64)> = Vec::with_capacity(all.len());
    for item in all {
        match items.last_mut() {
            Some((same, times)) if same.business_id == item.business_id && same.cause == item.cause => {
                *times += 1;
                if item.kind == InboxKind::OlderPayments {
                    *same = item;
                }
            }
            _ => items.push((item, 1)),
        }
    }
    let table = rows!(items, (i, times) => {
        id: i.id, business_id: i.business_id, campaign_id: i.campaign_id, kind: i.kind, cause: &i.cause, times: times,
        detail: i.detail.to_string(), lead_id: i.lead_id, payment_id: i.payment_id, referrer_id: i.referrer_id,
        touch_id: i.touch_id, at: work.now,
    });
    sql(
        "INSERT INTO inbox_items (id, business_id, campaign_id, kind, state, cause, times, detail, lead_id, payment_id,
                referrer_id, touch_id, created_at, updated_at)
         SELECT r.id, r.business_id, r.campaign_id, r.kind, 'open', r.cause, r.times, r.detail, r.lead_id, r.payment_id,
                r.referrer_id, r.touch_id, r.at, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, kind TEXT, cause TEXT, times BIGINT,
                detail TEXT, lead_id BIGINT, payment_id BIGINT, referrer_id BIGINT, touch_id BIGINT, at BIGINT) r
          WHERE true
         ON CONFLICT (business_id, cause) DO UPDATE
            SET times = inbox_items.times + excluded.times,
                updated_at = excluded.updated_at",
    )
    .bind(&table)
    .execute(tx)
    .await?;
    if work.writes.inbox.iter().all(|item| item.kind != InboxKind::OlderPayments) {
        return Ok(());
    }
    // Other payments wait than those that were decided: the item is open again.
    sql("UPDATE inbox_items
            SET detail = r.detail,
                state = 'open',
                outcome = NULL,
                closed_by = NULL,
                closed_at = NULL
           FROM rows($1, business_id BIGINT, cause TEXT, kind TEXT, detail TEXT) r
          WHERE inbox_items.business_id = r.business_id
            AND inbox_items.cause = r.cause
            AND r.kind = $2
            AND inbox_items.detail <> r.detail")
    .bind(&table)
    .bind(InboxKind::OlderPayments)
    .execute(tx)
    .await?;
    Ok(())
}

/// The states of known items by now: each once, whatever the slice did to it in between.
async fn end(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changed: Vec<_> = work.writes.items.iter().filter(|(_, end)| end.state != end.before).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let table = rows!(&changed, (id, end) => {
        id: *id, before: end.before, state: end.state, outcome: &end.outcome, user_id: end.user_id, at: work.now,
        closed_at: (end.state != InboxState::Open).then_some(work.now),
    });
    let done = sql("UPDATE inbox_items
            SET state = r.state,
                outcome = r.outcome,
                closed_by = r.user_id,
                closed_at = r.closed_at,
                updated_at = r.at
           FROM rows($1, id BIGINT, before TEXT, state TEXT, outcome TEXT, user_id BIGINT, at BIGINT,
                closed_at BIGINT) r
          WHERE inbox_items.id = r.id
            AND inbox_items.state = r.before")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, changed.len(), "inbox items")
}
