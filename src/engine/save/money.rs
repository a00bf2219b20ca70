//! Payments, refunds, purchases, commissions and the ledger.

use super::{entries, expect};
use crate::db::{DbResult, Tx, sql};
use crate::engine::facts::{Commission, CustomerReward, Paid, RefundRow};
use crate::engine::state::{AdjustmentKind, AdjustmentState, RefundState};
use crate::engine::work::Work;
use crate::{insert_rows, rows, update_rows};

pub async fn save(tx: &mut Tx, work: &Work) -> DbResult<()> {
    insert_payments(tx, work).await?;
    insert_payment_names(tx, work).await?;
    update_payments(tx, work).await?;
    insert_refunds(tx, work).await?;
    insert_refund_names(tx, work).await?;
    decide_refunds(tx, work).await?;
    insert_cancellations(tx, work).await?;
    upsert_purchases(tx, work).await?;
    change_commissions(tx, work).await?;
    insert_commissions(tx, work).await?;
    insert_claw_backs(tx, work).await?;
    insert_customer_rewards(tx, work).await?;
    update_customer_rewards(tx, work).await?;
    entries::post(tx, &work.writes.entries).await
}

async fn insert_payments(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_payments.is_empty() {
        return Ok(());
    }
    let payments: Vec<&Paid> = work.writes.new_payments.iter().filter_map(|id| work.facts.payments.get(id)).collect();
    insert_rows!("payments", payments, p => {
        id BIGINT = p.id,
        business_id BIGINT = p.business_id,
        campaign_id BIGINT = p.campaign_id,
        product_id BIGINT = p.product_id,
        test BOOLEAN = p.test,
        lead_id BIGINT = p.lead_id,
        email TEXT = &p.email,
        email_key TEXT = &p.email_key,
        amount BIGINT = p.amount,
        currency TEXT = p.currency,
        subscription_status TEXT = p.subscription_status,
        payment_date TEXT = p.payment_date,
        body_hash TEXT = &p.body_hash,
        decision TEXT = p.decision,
        decision_why TEXT = p.decision_why,
        repeats BIGINT = p.repeats,
        disputed_at BIGINT = p.disputed_at,
        refunded BIGINT = p.refunded,
        received_at BIGINT = p.received_at,
        updated_at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_payment_names(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.payment_names.is_empty() {
        return Ok(());
    }
    insert_rows!("payment_names", &work.writes.payment_names, ((business_id, test, name), payment_id) => {
        business_id BIGINT = business_id,
        test BOOLEAN = test,
        name TEXT = name,
        payment_id BIGINT = payment_id,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn update_payments(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changed = &work.writes.changed_payments;
    if changed.is_empty() {
        return Ok(());
    }
    let payments: Vec<&Paid> = changed.iter().filter_map(|id| work.facts.payments.get(id)).collect();
    let done = update_rows!("payments", payments, p => p.id, {
        lead_id BIGINT = p.lead_id,
        decision TEXT = p.decision,
        decision_why TEXT = p.decision_why,
        repeats BIGINT = p.repeats,
        disputed_at BIGINT = p.disputed_at,
        refunded BIGINT = p.refunded,
        updated_at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    expect(done, changed.len(), "payments")
}

async fn insert_refunds(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_refunds.is_empty() {
        return Ok(());
    }
    let refunds: Vec<&RefundRow> = work.writes.new_refunds.iter().filter_map(|id| work.facts.refunds.get(id)).collect();
    insert_rows!("refunds", refunds, f => {
        id BIGINT = f.id,
        business_id BIGINT = f.business_id,
        campaign_id BIGINT = f.campaign_id,
        product_id BIGINT = f.product_id,
        test BOOLEAN = f.test,
        email TEXT = &f.email,
        email_key TEXT = &f.email_key,
        payment_id BIGINT = f.payment_id,
        asked BIGINT = f.asked,
        amount BIGINT = f.amount,
        currency TEXT = f.currency,
        refund_date TEXT = f.refund_date,
        identity TEXT = &f.identity,
        body_hash TEXT = &f.body_hash,
        state TEXT = f.state,
        why TEXT = &f.why,
        received_at BIGINT = f.received_at,
        decided_at BIGINT = (f.state != RefundState::Parked).then_some(work.now),
        updated_at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_refund_names(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.refund_names.is_empty() {
        return Ok(());
    }
    insert_rows!("refund_names", &work.writes.refund_names, ((business_id, test, name), refund_id) => {
        business_id BIGINT = business_id,
        test BOOLEAN = test,
        name TEXT = name,
        refund_id BIGINT = refund_id,
    })
    .execute(tx)
    .await?;
    Ok(())
}

/// The payments that these were parked for have come.
async fn decide_refunds(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let decided = &work.writes.decided_refunds;
    if decided.is_empty() {
        return Ok(());
    }
    let refunds: Vec<&RefundRow> = decided.iter().filter_map(|id| work.facts.refunds.get(id)).collect();
    // As a plain comparison it would lead SQLite to the index of all that are parked, which it would read whole.
    let done = update_rows!("refunds" and "CAST(refunds.state AS TEXT) = 'parked'", refunds, f => f.id, {
        payment_id BIGINT = f.payment_id,
        amount BIGINT = f.amount,
        currency TEXT = f.currency,
        state TEXT = f.state,
        why TEXT = &f.why,
        decided_at BIGINT = work.now,
        updated_at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    expect(done, decided.len(), "refunds")
}

async fn insert_cancellations(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.cancellations.is_empty() {
        return Ok(());
    }
    insert_rows!("cancellations", &work.writes.cancellations, c => {
        id BIGINT = c.id,
        business_id BIGINT = c.business_id,
        product_id BIGINT = c.product_id,
        test BOOLEAN = c.test,
        lead_id BIGINT = c.lead_id,
        day TEXT = c.day,
        identity TEXT = &c.identity,
        body_hash TEXT = &c.body_hash,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn upsert_purchases(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.purchases.is_empty() {
        return Ok(());
    }
    let purchases: Vec<_> = work.writes.purchases.iter().filter_map(|key| work.facts.purchases.get(key)).collect();
    let table = rows!(purchases, p => {
        lead_id: p.lead_id, product_id: p.product_id, first_payment_id: p.first_payment_id,
        first_payment_date: p.first_payment_date, decided: p.decided, subscription_status: p.subscription_status,
        paid_on: p.paid_on, cancelled_on: p.cancelled_on,
    });
    sql("INSERT INTO purchases (lead_id, product_id, first_payment_id, first_payment_date, decided,
                subscription_status, paid_on, cancelled_on)
         SELECT r.lead_id, r.product_id, r.first_payment_id, r.first_payment_date, r.decided,
                r.subscription_status, r.paid_on, r.cancelled_on
           FROM rows($1, lead_id BIGINT, product_id BIGINT, first_payment_id BIGINT, first_payment_date TEXT,
                decided BIGINT, subscription_status TEXT, paid_on TEXT, cancelled_on TEXT) r
          WHERE true
         ON CONFLICT (lead_id, product_id) DO UPDATE
            SET first_payment_id = excluded.first_payment_id,
                first_payment_date = excluded.first_payment_date,
                decided = excluded.decided,
                subscription_status = excluded.subscription_status,
                paid_on = excluded.paid_on,
                cancelled_on = excluded.cancelled_on")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// Rewards that end go first: a lead has one reward that stands, so one has to end before another comes back.
async fn change_commissions(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changed = work.writes.changed_commissions.iter();
    let changed = changed.filter_map(|(id, before)| Some((work.facts.commissions.get(id)?, *before)));
    let (ended, standing): (Vec<_>, Vec<_>) = changed.partition(|(c, _)| c.is_void() || c.reversed_at.is_some());
    update_commissions(tx, &ended).await?;
    update_commissions(tx, &standing).await
}

/// A payout takes commissions without the locks of their people: one that it took meanwhile is lost to this slice,
/// which then runs again.
async fn update_commissions(tx: &mut Tx, commissions: &[(&Commission, i64)]) -> DbResult<()> {
    if commissions.is_empty() {
        return Ok(());
    }
    let done = update_rows!("commissions" and "commissions.updated_at = r.version" by version BIGINT = *before,
        commissions, (c, before) => c.id, {
        amount BIGINT = c.amount,
        state TEXT = c.state,
        void_cause TEXT = c.void_cause,
        reason TEXT = &c.reason,
        released BOOLEAN = c.released,
        reversed_at BIGINT = c.reversed_at,
        taken_back BIGINT = c.taken_back,
        updated_at BIGINT = c.updated_at,
    })
    .execute(tx)
    .await?;
    expect(done, commissions.len(), "commissions")
}

/// The adjustments that take committed commissions back.
async fn insert_claw_backs(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.claw_backs.is_empty() {
        return Ok(());
    }
    let backs = work.writes.claw_backs.iter();
    let backs = backs.filter_map(|back| Some((back, work.facts.commissions.get(&back.commission_id)?)));
    insert_rows!("adjustments", backs, (back, c) => {
        id BIGINT = back.id,
        business_id BIGINT = c.business_id,
        campaign_id BIGINT = c.campaign_id,
        referrer_id BIGINT = c.referrer_id,
        enrollment_id BIGINT = c.enrollment_id,
        kind TEXT = AdjustmentKind::ClawBack,
        state TEXT = AdjustmentState::Posted,
        currency TEXT = c.currency,
        amount BIGINT = -back.amount,
        commission_id BIGINT = c.id,
        created_at BIGINT = work.now,
        updated_at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_customer_rewards(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_customer_rewards.is_empty() {
        return Ok(());
    }
    let new = work.writes.new_customer_rewards.iter().filter_map(|id| work.facts.customer_rewards.get(id));
    insert_rows!("customer_rewards", new, w => {
        id BIGINT = w.id,
        business_id BIGINT = w.business_id,
        campaign_id BIGINT = w.campaign_id,
        test BOOLEAN = w.test,
        lead_id BIGINT = w.lead_id,
        kind TEXT = w.kind,
        amount BIGINT = w.amount,
        currency TEXT = w.currency,
        words TEXT = &w.words,
        hold_until TEXT = w.hold_until,
        state TEXT = w.state,
        void_cause TEXT = w.void_cause,
        created_at BIGINT = w.created_at,
        updated_at BIGINT = w.updated_at,
    })
    .execute(tx)
    .await?;
    Ok(())
}

/// Staff give and void without the locks of the lead: one that they changed meanwhile is lost to this slice.
async fn update_customer_rewards(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changed = work.writes.changed_customer_rewards.iter();
    let changed: Vec<(&CustomerReward, i64)> =
        changed.filter_map(|(id, before)| Some((work.facts.customer_rewards.get(id)?, *before))).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let done =
        update_rows!("customer_rewards" and "customer_rewards.updated_at = r.version" by version BIGINT = *before,
            &changed, (w, before) => w.id, {
            state TEXT = w.state,
            void_cause TEXT = w.void_cause,
            updated_at BIGINT = w.updated_at,
        })
        .execute(tx)
        .await?;
    expect(done, changed.len(), "customer_rewards")
}

async fn insert_commissions(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_commissions.is_empty() {
        return Ok(());
    }
    let new = work.writes.new_commissions.iter().filter_map(|id| work.facts.commissions.get(id));
    insert_rows!("commissions", new, c => {
        id BIGINT = c.id,
        business_id BIGINT = c.business_id,
        campaign_id BIGINT = c.campaign_id,
        test BOOLEAN = c.test,
        kind TEXT = c.kind,
        product_id BIGINT = c.product_id,
        payment_id BIGINT = c.payment_id,
        lead_id BIGINT = c.lead_id,
        referrer_id BIGINT = c.referrer_id,
        enrollment_id BIGINT = c.enrollment_id,
        terms_id BIGINT = c.terms_id,
        terms_number BIGINT = c.terms_number,
        rate BIGINT = c.rate,
        flat BIGINT = c.flat,
        base_amount BIGINT = c.base_amount,
        amount BIGINT = c.amount,
        currency TEXT = c.currency,
        hold_days BIGINT = c.hold_days,
        hold_until TEXT = c.hold_until,
        state TEXT = c.state,
        void_cause TEXT = c.void_cause,
        reason TEXT = &c.reason,
        released BOOLEAN = c.released,
        created_at BIGINT = c.created_at,
        updated_at BIGINT = c.updated_at,
    })
    .execute(tx)
    .await?;
    Ok(())
}
