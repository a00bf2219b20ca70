//! Writes what a slice decided: a few set-wise statements, rows and audit and messages together. It
//! never decides; a statement that changes fewer rows than it was given means that facts had moved.

use crate::db::{DbError, DbResult, Table, Tx, sql};
use crate::engine::facts::{Commission, Lead, Paid, RefundRow};
use crate::engine::rules::payment::OLDER_PAYMENTS;
use crate::engine::work::{NewInboxItem, Work};
use crate::rows;
use crate::seal::{self, Chain, Posted};
use crate::search::Scope;
use crate::text::fold;

pub async fn save(tx: &mut Tx, work: &Work) -> DbResult<()> {
    insert_leads(tx, work).await?;
    make_way(tx, work).await?;
    update_leads(tx, work).await?;
    insert_touches(tx, work).await?;
    refuse_touches(tx, work).await?;
    insert_sign_ups(tx, work).await?;
    insert_payments(tx, work).await?;
    update_payments(tx, work).await?;
    insert_refunds(tx, work).await?;
    decide_refunds(tx, work).await?;
    insert_cancellations(tx, work).await?;
    upsert_purchases(tx, work).await?;
    change_commissions(tx, work).await?;
    insert_commissions(tx, work).await?;
    insert_entries(tx, work).await?;
    merge_leads(tx, work).await?;
    upsert_inbox(tx, work).await?;
    reopen_items(tx, work).await?;
    close_items(tx, work).await?;
    crate::audit::write(tx, &work.writes.audit).await?;
    insert_outbox(tx, work).await?;
    count(tx, work).await
}

fn expect(changed: u64, wanted: usize, what: &str) -> DbResult<()> {
    if usize::try_from(changed) == Ok(wanted) {
        Ok(())
    } else {
        Err(DbError::Lost(format!("{what}: {changed} rows instead of {wanted}")))
    }
}

/// Everything a search box may match, folded once.
fn searchable(l: &Lead) -> String {
    let parts = [Some(&l.name), l.email.as_ref(), l.phone.as_ref(), l.phone_key.as_ref(), l.company.as_ref()];
    fold(&parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "))
}

const LEAD_COLUMNS: &str = "id BIGINT, business_id BIGINT, campaign_id BIGINT, test BOOLEAN, name TEXT, name_fold TEXT, email TEXT,
    email_key TEXT, phone TEXT, phone_key TEXT, company TEXT, jobtitle TEXT, industry TEXT, website TEXT, request TEXT, budget TEXT,
    country TEXT, region TEXT, address TEXT, source TEXT, source_origin TEXT, status TEXT, status_before TEXT, active BOOLEAN,
    duplicate_of BIGINT, qualified_at BIGINT, converted_at BIGINT, arrival TEXT, referrer_id BIGINT, enrollment_id BIGINT,
    code_id BIGINT, touch_id BIGINT, rule_fired BOOLEAN, recorded_by BIGINT, search TEXT, created_at BIGINT, updated_at BIGINT,
    archived_at BIGINT";

fn lead_rows<'a>(leads: impl Iterator<Item = &'a Lead>) -> Table {
    rows!(leads, l => {
        id: l.id, business_id: l.business_id, campaign_id: l.campaign_id, test: l.test, name: &l.name, name_fold: fold(&l.name),
        email: &l.email, email_key: &l.email_key, phone: &l.phone, phone_key: &l.phone_key, company: &l.company,
        jobtitle: &l.jobtitle, industry: &l.industry, website: &l.website, request: &l.request, budget: &l.budget,
        country: &l.country, region: &l.region, address: &l.address, source: &l.source, source_origin: &l.source_origin,
        status: &l.status, status_before: &l.status_before, active: l.active, duplicate_of: l.duplicate_of,
        qualified_at: l.qualified_at, converted_at: l.converted_at, arrival: &l.arrival, referrer_id: l.referrer_id,
        enrollment_id: l.enrollment_id, code_id: l.code_id, touch_id: l.touch_id, rule_fired: l.rule_fired,
        recorded_by: l.recorded_by, search: searchable(l), created_at: l.created_at, updated_at: l.updated_at,
        archived_at: l.archived_at,
    })
}

async fn insert_leads(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_leads.is_empty() {
        return Ok(());
    }
    let leads = work.writes.new_leads.iter().filter_map(|id| work.facts.leads.get(id));
    let text = format!(
        "INSERT INTO leads (id, business_id, campaign_id, test, name, name_fold, email, email_key, phone, phone_key, company, jobtitle,
                industry, website, request, budget, country, region, address, source, source_origin, status, status_before, active,
                duplicate_of, qualified_at, converted_at, arrival, referrer_id, enrollment_id, code_id, touch_id, rule_fired,
                recorded_by, search, meta, created_at, updated_at, archived_at)
         SELECT r.id, r.business_id, r.campaign_id, r.test, r.name, r.name_fold, r.email, r.email_key, r.phone, r.phone_key, r.company,
                r.jobtitle, r.industry, r.website, r.request, r.budget, r.country, r.region, r.address, r.source, r.source_origin,
                r.status, r.status_before, r.active, r.duplicate_of, r.qualified_at, r.converted_at, r.arrival, r.referrer_id,
                r.enrollment_id, r.code_id, r.touch_id, r.rule_fired, r.recorded_by, r.search, '[]', r.created_at, r.updated_at,
                r.archived_at
           FROM rows($1, {LEAD_COLUMNS}) r"
    );
    crate::db::sql_built(text).bind(lead_rows(leads.clone())).execute(tx).await?;
    crate::search::enqueue(tx, to_be_found(leads)).await
}

fn to_be_found<'a>(leads: impl Iterator<Item = &'a Lead>) -> Table {
    rows!(leads, l => { scope: Scope::leads(l.campaign_id, l.test).number(), id: l.id })
}

/// A merged lead leaves its address before its primary takes it: one statement for both could meet the
/// unique index in the wrong order.
async fn make_way(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.merged.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.merged, (from, to) => { source: *from, target: *to });
    sql("UPDATE leads SET duplicate_of = r.target FROM rows($1, source BIGINT, target BIGINT) r WHERE leads.id = r.source")
        .bind(table)
        .execute(tx)
        .await?;
    Ok(())
}

async fn update_leads(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let (mut progressed, mut edited, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
    for (id, before) in &work.writes.changed_leads {
        let Some(after) = work.facts.leads.get(id) else { continue };
        if before.only_progressed(after) {
            progressed.push(after);
            continue;
        }
        edited.push(after);
        if searchable(before) != searchable(after) {
            renamed.push(after);
        }
    }
    advance_leads(tx, &progressed).await?;
    rewrite_leads(tx, &edited).await?;
    if renamed.is_empty() { Ok(()) } else { crate::search::enqueue(tx, to_be_found(renamed.into_iter())).await }
}

/// Names no column of an index that it need not: each index of a named column is written, changed or not.
async fn advance_leads(tx: &mut Tx, leads: &[&Lead]) -> DbResult<()> {
    if leads.is_empty() {
        return Ok(());
    }
    let table = rows!(leads, l => {
        id: l.id, status: &l.status, status_before: &l.status_before, qualified_at: l.qualified_at,
        converted_at: l.converted_at, rule_fired: l.rule_fired, updated_at: l.updated_at,
    });
    let done = sql("UPDATE leads SET status = r.status, status_before = r.status_before, qualified_at = r.qualified_at,
                converted_at = r.converted_at, rule_fired = r.rule_fired, updated_at = r.updated_at
           FROM rows($1, id BIGINT, status TEXT, status_before TEXT, qualified_at BIGINT, converted_at BIGINT, rule_fired BOOLEAN, updated_at BIGINT) r
          WHERE leads.id = r.id")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, leads.len(), "leads")
}

async fn rewrite_leads(tx: &mut Tx, leads: &[&Lead]) -> DbResult<()> {
    if leads.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE leads SET name = r.name, name_fold = r.name_fold, email = r.email, email_key = r.email_key, phone = r.phone,
                phone_key = r.phone_key, company = r.company, jobtitle = r.jobtitle, industry = r.industry, website = r.website,
                request = r.request, budget = r.budget, country = r.country, region = r.region, address = r.address,
                source = r.source, status = r.status, status_before = r.status_before, active = r.active,
                duplicate_of = r.duplicate_of, qualified_at = r.qualified_at, converted_at = r.converted_at, arrival = r.arrival,
                referrer_id = r.referrer_id, enrollment_id = r.enrollment_id, code_id = r.code_id, touch_id = r.touch_id,
                rule_fired = r.rule_fired, search = r.search, updated_at = r.updated_at, archived_at = r.archived_at
           FROM rows($1, {LEAD_COLUMNS}) r WHERE leads.id = r.id"
    );
    let done = crate::db::sql_built(text).bind(lead_rows(leads.iter().copied())).execute(tx).await?;
    expect(done, leads.len(), "leads")
}

async fn insert_touches(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.touches.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.touches, t => {
        id: t.id, business_id: t.business_id, lead_id: t.lead_id, kind: t.kind, code_id: t.code_id, code_text: &t.code_text,
        referrer_id: t.referrer_id, enrollment_id: t.enrollment_id, refused: t.refused.map(|r| r.word()), reason: &t.reason,
        user_id: t.user_id, at: work.now,
    });
    sql("INSERT INTO touches (id, business_id, lead_id, kind, code_id, code_text, referrer_id, enrollment_id, refused, reason, user_id, at)
         SELECT r.id, r.business_id, r.lead_id, r.kind, r.code_id, r.code_text, r.referrer_id, r.enrollment_id, r.refused, r.reason, r.user_id, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, lead_id BIGINT, kind TEXT, code_id BIGINT, code_text TEXT, referrer_id BIGINT, enrollment_id BIGINT, refused TEXT, reason TEXT, user_id BIGINT, at BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

async fn refuse_touches(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let refused = &work.writes.refused_touches;
    if refused.is_empty() {
        return Ok(());
    }
    let table = rows!(refused, (id, why) => { id: *id, refused: why.word() });
    let done =
        sql("UPDATE touches SET refused = r.refused FROM rows($1, id BIGINT, refused TEXT) r WHERE touches.id = r.id")
            .bind(table)
            .execute(tx)
            .await?;
    expect(done, refused.len(), "touches")
}

async fn insert_sign_ups(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_sign_ups.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.new_sign_ups, s => {
        id: s.id, business_id: s.business_id, product_id: s.product_id, test: s.test, email_key: &s.email_key, lead_id: s.lead_id,
        at: work.now,
    });
    sql("INSERT INTO sign_ups (id, business_id, product_id, test, email_key, lead_id, at)
         SELECT r.id, r.business_id, r.product_id, r.test, r.email_key, r.lead_id, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, product_id BIGINT, test BOOLEAN, email_key TEXT, lead_id BIGINT, at BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_payments(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_payments.is_empty() {
        return Ok(());
    }
    let payments: Vec<&Paid> = work.writes.new_payments.iter().filter_map(|id| work.facts.payments.get(id)).collect();
    let table = rows!(payments, p => {
        id: p.id, business_id: p.business_id, campaign_id: p.campaign_id, product_id: p.product_id, test: p.test, lead_id: p.lead_id,
        email: &p.email, email_key: &p.email_key, amount: p.amount, currency: &p.currency, subscription_status: &p.subscription_status,
        payment_date: &p.payment_date, identity: &p.identity, body_hash: &p.body_hash, decision: &p.decision,
        decision_why: &p.decision_why, disputed_at: p.disputed_at, refunded: p.refunded, received_at: p.received_at,
    });
    sql("INSERT INTO payments (id, business_id, campaign_id, product_id, test, lead_id, email, email_key, amount, currency, subscription_status, payment_date, identity, body_hash, decision, decision_why, repeats, disputed_at, refunded, received_at)
         SELECT r.id, r.business_id, r.campaign_id, r.product_id, r.test, r.lead_id, r.email, r.email_key, r.amount, r.currency, r.subscription_status, r.payment_date, r.identity, r.body_hash, r.decision, r.decision_why, 0, r.disputed_at, r.refunded, r.received_at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, product_id BIGINT, test BOOLEAN, lead_id BIGINT, email TEXT, email_key TEXT, amount BIGINT, currency TEXT, subscription_status TEXT, payment_date TEXT, identity TEXT, body_hash TEXT, decision TEXT, decision_why TEXT, disputed_at BIGINT, refunded BIGINT, received_at BIGINT) r")
    .bind(table)
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
    let table = rows!(payments, p => {
        id: p.id, lead_id: p.lead_id, decision: &p.decision, decision_why: &p.decision_why, repeats: p.repeats,
        disputed_at: p.disputed_at, refunded: p.refunded,
    });
    let done = sql("UPDATE payments SET lead_id = r.lead_id, decision = r.decision, decision_why = r.decision_why, repeats = r.repeats,
                disputed_at = r.disputed_at, refunded = r.refunded
           FROM rows($1, id BIGINT, lead_id BIGINT, decision TEXT, decision_why TEXT, repeats BIGINT, disputed_at BIGINT, refunded BIGINT) r
          WHERE payments.id = r.id")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, changed.len(), "payments")
}

async fn insert_refunds(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_refunds.is_empty() {
        return Ok(());
    }
    let refunds: Vec<&RefundRow> = work.writes.new_refunds.iter().filter_map(|id| work.facts.refunds.get(id)).collect();
    let table = rows!(refunds, f => {
        id: f.id, business_id: f.business_id, campaign_id: f.campaign_id, product_id: f.product_id, test: f.test,
        email: &f.email, email_key: &f.email_key, named: &f.named, payment_id: f.payment_id, asked: f.asked, amount: f.amount,
        currency: &f.currency, refund_date: &f.refund_date, identity: &f.identity, body_hash: &f.body_hash, state: &f.state,
        why: &f.why, received_at: f.received_at, decided_at: (f.state != "parked").then_some(work.now.micros()),
    });
    sql("INSERT INTO refunds (id, business_id, campaign_id, product_id, test, email, email_key, named, payment_id, asked, amount, currency, refund_date, identity, body_hash, state, why, received_at, decided_at)
         SELECT r.id, r.business_id, r.campaign_id, r.product_id, r.test, r.email, r.email_key, r.named, r.payment_id, r.asked, r.amount, r.currency, r.refund_date, r.identity, r.body_hash, r.state, r.why, r.received_at, r.decided_at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, product_id BIGINT, test BOOLEAN, email TEXT, email_key TEXT, named TEXT, payment_id BIGINT, asked BIGINT, amount BIGINT, currency TEXT, refund_date TEXT, identity TEXT, body_hash TEXT, state TEXT, why TEXT, received_at BIGINT, decided_at BIGINT) r")
    .bind(table)
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
    let table = rows!(refunds, f => {
        id: f.id, payment_id: f.payment_id, amount: f.amount, currency: &f.currency, state: &f.state, why: &f.why, at: work.now,
    });
    let done = sql("UPDATE refunds SET payment_id = r.payment_id, amount = r.amount, currency = r.currency, state = r.state, why = r.why, decided_at = r.at
           FROM rows($1, id BIGINT, payment_id BIGINT, amount BIGINT, currency TEXT, state TEXT, why TEXT, at BIGINT) r
          WHERE refunds.id = r.id AND refunds.state = 'parked'")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, decided.len(), "refunds")
}

async fn insert_cancellations(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.cancellations.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.cancellations, c => {
        id: c.id, business_id: c.business_id, product_id: c.product_id, test: c.test, lead_id: c.lead_id, day: &c.day,
        identity: &c.identity, body_hash: &c.body_hash,
    });
    sql("INSERT INTO cancellations (id, business_id, product_id, test, lead_id, day, identity, body_hash)
         SELECT r.id, r.business_id, r.product_id, r.test, r.lead_id, r.day, r.identity, r.body_hash
           FROM rows($1, id BIGINT, business_id BIGINT, product_id BIGINT, test BOOLEAN, lead_id BIGINT, day TEXT, identity TEXT, body_hash TEXT) r")
    .bind(table)
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
        first_payment_date: &p.first_payment_date, decided: p.decided, subscription_status: &p.subscription_status,
        paid_on: &p.paid_on, cancelled_on: &p.cancelled_on,
    });
    sql("INSERT INTO purchases (lead_id, product_id, first_payment_id, first_payment_date, decided, subscription_status, paid_on, cancelled_on)
         SELECT r.lead_id, r.product_id, r.first_payment_id, r.first_payment_date, r.decided, r.subscription_status, r.paid_on, r.cancelled_on
           FROM rows($1, lead_id BIGINT, product_id BIGINT, first_payment_id BIGINT, first_payment_date TEXT, decided BIGINT, subscription_status TEXT, paid_on TEXT, cancelled_on TEXT) r
          WHERE true
         ON CONFLICT (lead_id, product_id) DO UPDATE SET first_payment_id = excluded.first_payment_id,
                first_payment_date = excluded.first_payment_date, decided = excluded.decided, subscription_status = excluded.subscription_status,
                paid_on = excluded.paid_on, cancelled_on = excluded.cancelled_on")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// What ends goes first: a lead has one reward that stands, so one has to end before another comes back.
async fn change_commissions(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changed = work.writes.changed_commissions.iter().filter_map(|id| work.facts.commissions.get(id));
    let (ended, standing): (Vec<_>, Vec<_>) = changed.partition(|c| c.state == "void" || c.reversed_at.is_some());
    update_commissions(tx, &ended).await?;
    update_commissions(tx, &standing).await
}

async fn update_commissions(tx: &mut Tx, commissions: &[&Commission]) -> DbResult<()> {
    if commissions.is_empty() {
        return Ok(());
    }
    let table = rows!(commissions, c => {
        id: c.id, amount: c.amount, state: &c.state, reason: &c.reason, released: c.released, reversed_at: c.reversed_at,
        taken_back: c.taken_back, updated_at: c.updated_at,
    });
    let done = sql("UPDATE commissions SET amount = r.amount, state = r.state, reason = r.reason, released = r.released,
                reversed_at = r.reversed_at, taken_back = r.taken_back, updated_at = r.updated_at
           FROM rows($1, id BIGINT, amount BIGINT, state TEXT, reason TEXT, released BOOLEAN, reversed_at BIGINT, taken_back BIGINT, updated_at BIGINT) r
          WHERE commissions.id = r.id")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, commissions.len(), "commissions")
}

async fn insert_commissions(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_commissions.is_empty() {
        return Ok(());
    }
    let new: Vec<&Commission> =
        work.writes.new_commissions.iter().filter_map(|id| work.facts.commissions.get(id)).collect();
    let table = rows!(new, c => {
        id: c.id, business_id: c.business_id, campaign_id: c.campaign_id, test: c.test, kind: &c.kind, product_id: c.product_id,
        payment_id: c.payment_id, lead_id: c.lead_id, referrer_id: c.referrer_id, enrollment_id: c.enrollment_id,
        terms_id: c.terms_id, terms_number: c.terms_number, rate: c.rate, flat: c.flat, base_amount: c.base_amount,
        amount: c.amount, currency: &c.currency, hold_days: c.hold_days, hold_until: &c.hold_until, state: &c.state,
        reason: &c.reason, released: c.released, created_at: c.created_at, updated_at: c.updated_at,
    });
    sql("INSERT INTO commissions (id, business_id, campaign_id, test, kind, product_id, payment_id, lead_id, referrer_id, enrollment_id, terms_id, terms_number, rate, flat, base_amount, amount, currency, hold_days, hold_until, state, reason, released, created_at, updated_at)
         SELECT r.id, r.business_id, r.campaign_id, r.test, r.kind, r.product_id, r.payment_id, r.lead_id, r.referrer_id, r.enrollment_id, r.terms_id, r.terms_number, r.rate, r.flat, r.base_amount, r.amount, r.currency, r.hold_days, r.hold_until, r.state, r.reason, r.released, r.created_at, r.updated_at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, test BOOLEAN, kind TEXT, product_id BIGINT, payment_id BIGINT, lead_id BIGINT, referrer_id BIGINT, enrollment_id BIGINT, terms_id BIGINT, terms_number BIGINT, rate BIGINT, flat BIGINT, base_amount BIGINT, amount BIGINT, currency TEXT, hold_days BIGINT, hold_until TEXT, state TEXT, reason TEXT, released BOOLEAN, created_at BIGINT, updated_at BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_entries(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.entries.is_empty() {
        return Ok(());
    }
    let days: Vec<String> = work.writes.entries.iter().map(|e| e.day.to_string()).collect();
    let written = || {
        work.writes.entries.iter().zip(&days).map(|(e, day)| Posted {
            id: e.id,
            business_id: e.business_id,
            referrer_id: e.referrer_id,
            currency: &e.currency,
            account: e.account,
            amount: e.amount,
            kind: e.kind,
            commission_id: Some(e.commission_id),
            day,
            at: work.now.micros(),
        })
    };
    let table = rows!(written(), e => {
        id: e.id, business_id: e.business_id, referrer_id: e.referrer_id, currency: e.currency, account: e.account,
        amount: e.amount, kind: e.kind, commission_id: e.commission_id, day: e.day, at: e.at,
    });
    sql("INSERT INTO ledger_entries (id, business_id, referrer_id, currency, account, amount, kind, commission_id, day, at)
         SELECT r.id, r.business_id, r.referrer_id, r.currency, r.account, r.amount, r.kind, r.commission_id, r.day, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, referrer_id BIGINT, currency TEXT, account TEXT, amount BIGINT, kind TEXT, commission_id BIGINT, day TEXT, at BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    seal::note(tx, Chain::Ledger, written().map(|entry| entry.digest()).collect()).await
}

async fn merge_leads(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.merged.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.merged, (from, to) => { source: *from, target: *to });
    sql("UPDATE touches SET lead_id = r.target FROM rows($1, source BIGINT, target BIGINT) r WHERE touches.lead_id = r.source")
        .bind(&table)
        .execute(tx)
        .await?;
    sql("UPDATE leads SET duplicate_of = r.target FROM rows($1, source BIGINT, target BIGINT) r WHERE leads.duplicate_of = r.source")
        .bind(&table)
        .execute(tx)
        .await?;
    Ok(())
}

async fn upsert_inbox(tx: &mut Tx, work: &Work) -> DbResult<()> {
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
                if item.kind == OLDER_PAYMENTS {
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
    sql("INSERT INTO inbox_items (id, business_id, campaign_id, kind, state, cause, times, detail, lead_id, payment_id, referrer_id, touch_id, created_at, updated_at)
         SELECT r.id, r.business_id, r.campaign_id, r.kind, 'open', r.cause, r.times, r.detail, r.lead_id, r.payment_id, r.referrer_id, r.touch_id, r.at, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, campaign_id BIGINT, kind TEXT, cause TEXT, times BIGINT, detail TEXT, lead_id BIGINT, payment_id BIGINT, referrer_id BIGINT, touch_id BIGINT, at BIGINT) r
          WHERE true
         ON CONFLICT (business_id, cause) DO UPDATE SET times = inbox_items.times + excluded.times, updated_at = excluded.updated_at")
    .bind(&table)
    .execute(tx)
    .await?;
    if work.writes.inbox.iter().all(|item| item.kind != OLDER_PAYMENTS) {
        return Ok(());
    }
    // Other payments wait than those that were decided: the item is open again.
    sql("UPDATE inbox_items SET detail = r.detail, state = 'open', outcome = NULL, closed_by = NULL, closed_at = NULL
           FROM rows($1, business_id BIGINT, cause TEXT, kind TEXT, detail TEXT) r
          WHERE inbox_items.business_id = r.business_id AND inbox_items.cause = r.cause AND r.kind = $2 AND inbox_items.detail <> r.detail")
    .bind(&table)
    .bind(OLDER_PAYMENTS)
    .execute(tx)
    .await?;
    Ok(())
}

async fn reopen_items(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let reopened = &work.writes.reopened_items;
    if reopened.is_empty() {
        return Ok(());
    }
    let done = sql(
        "UPDATE inbox_items SET state = 'open', outcome = NULL, closed_by = NULL, closed_at = NULL, updated_at = $2
           FROM rows($1, id BIGINT) r WHERE inbox_items.id = r.id AND inbox_items.state = 'dismissed'",
    )
    .bind(rows!(reopened, id => { id: *id }))
    .bind(work.now)
    .execute(tx)
    .await?;
    expect(done, reopened.len(), "inbox items")
}

async fn close_items(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let closed = &work.writes.closed_items;
    if closed.is_empty() {
        return Ok(());
    }
    let table = rows!(closed, (id, state, outcome, user) => { id: *id, state: *state, outcome: outcome, user_id: *user, at: work.now });
    let done = sql("UPDATE inbox_items SET state = r.state, outcome = r.outcome, closed_by = r.user_id, closed_at = r.at, updated_at = r.at
           FROM rows($1, id BIGINT, state TEXT, outcome TEXT, user_id BIGINT, at BIGINT) r
          WHERE inbox_items.id = r.id AND inbox_items.state = 'open'")
    .bind(table)
    .execute(tx)
    .await?;
    expect(done, closed.len(), "inbox items")
}

async fn insert_outbox(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.outbox.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.outbox, m => {
        id: m.id, business_id: m.business_id, test: m.test, kind: m.kind, subject_id: m.subject_id, payload: m.payload.to_string(),
        at: work.now,
    });
    sql("INSERT INTO outbox (id, business_id, test, kind, subject_id, payload, at)
         SELECT r.id, r.business_id, r.test, r.kind, r.subject_id, r.payload, r.at
           FROM rows($1, id BIGINT, business_id BIGINT, test BOOLEAN, kind TEXT, subject_id BIGINT, payload TEXT, at BIGINT) r")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

/// The counters come last, sorted, each lane in a slot of its own: nobody waits for a count.
async fn count(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let changes: Vec<_> = work.writes.counters.iter().filter(|(_, by)| **by != 0).collect();
    crate::counters::add(tx, &changes).await
}
