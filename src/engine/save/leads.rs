//! Leads, their touches and sign-ups.

use super::expect;
use crate::db::{DbResult, Table, Tx, sql};
use crate::engine::facts::Lead;
use crate::engine::work::Work;
use crate::fold::fold;
use crate::leads::fields::LeadFact;
use crate::search::Scope;
use crate::{insert_rows, rows, update_rows};

pub async fn save(tx: &mut Tx, work: &Work) -> DbResult<()> {
    insert(tx, work).await?;
    make_way(tx, work).await?;
    update(tx, work).await?;
    insert_touches(tx, work).await?;
    refuse_touches(tx, work).await?;
    insert_sign_ups(tx, work).await
}

/// Everything a search box may match, folded once.
fn searchable(l: &Lead) -> String {
    let parts =
        [Some(&l.name), l.email.as_ref(), l.phone.as_ref(), l.phone_key.as_ref(), l.facts[LeadFact::Company].as_ref()];
    fold(&parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" "))
}

fn to_be_found<'a>(leads: impl Iterator<Item = &'a Lead>) -> Table {
    rows!(leads, l => { scope: Scope::leads(l.campaign_id.0, l.test).number(), id: l.id })
}

async fn insert(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_leads.is_empty() {
        return Ok(());
    }
    let leads = work.writes.new_leads.iter().filter_map(|id| work.facts.leads.get(id));
    insert_rows!("leads", leads.clone(), l => {
        id BIGINT = l.id,
        business_id BIGINT = l.business_id,
        campaign_id BIGINT = l.campaign_id,
        test BOOLEAN = l.test,
        name TEXT = &l.name,
        name_fold TEXT = fold(&l.name),
        email TEXT = &l.email,
        email_key TEXT = &l.email_key,
        phone TEXT = &l.phone,
        phone_key TEXT = &l.phone_key,
        source_origin TEXT = l.source_origin,
        status TEXT = l.status,
        status_before TEXT = l.status_before,
        active BOOLEAN = l.active,
        duplicate_of BIGINT = l.duplicate_of,
        qualified_at BIGINT = l.qualified_at,
        converted_at BIGINT = l.converted_at,
        arrival TEXT = l.arrival,
        referrer_id BIGINT = l.referrer_id,
        enrollment_id BIGINT = l.enrollment_id,
        code_id BIGINT = l.code_id,
        touch_id BIGINT = l.touch_id,
        rule_fired BOOLEAN = l.rule_fired,
        recorded_by BIGINT = l.recorded_by,
        external_id TEXT = &l.external_id,
        search TEXT = searchable(l),
        meta TEXT = &l.meta,
        created_at BIGINT = l.created_at,
        updated_at BIGINT = l.updated_at,
        archived_at BIGINT = l.archived_at;
        LeadFact = l.facts
    })
    .execute(tx)
    .await?;
    crate::search::enqueue(tx, to_be_found(leads)).await
}

/// A merged lead leaves its address before its primary takes it: one statement for both could meet the
/// unique index in the wrong order.
async fn make_way(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.merged.is_empty() {
        return Ok(());
    }
    update_rows!("leads", &work.writes.merged, (from, to) => *from, { duplicate_of BIGINT = *to }).execute(tx).await?;
    Ok(())
}

async fn update(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let (mut progressed, mut edited, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
    for (id, before) in &work.writes.changed_leads {
        let Some(after) = work.facts.leads.get(id) else { continue };
        if before.only_progressed(after) {
            progressed.push(after);
            continue;
        }
        edited.push(after);
        if searchable(before) != searchable(after) || before.code_id != after.code_id {
            renamed.push(after);
        }
    }
    advance(tx, &progressed).await?;
    rewrite(tx, &edited).await?;
    if renamed.is_empty() { Ok(()) } else { crate::search::enqueue(tx, to_be_found(renamed.into_iter())).await }
}

/// Names no column of an index that it need not: each index of a named column is written, changed or not.
async fn advance(tx: &mut Tx, leads: &[&Lead]) -> DbResult<()> {
    if leads.is_empty() {
        return Ok(());
    }
    let done = update_rows!("leads", leads, l => l.id, {
        status TEXT = l.status,
        status_before TEXT = l.status_before,
        qualified_at BIGINT = l.qualified_at,
        converted_at BIGINT = l.converted_at,
        rule_fired BOOLEAN = l.rule_fired,
        updated_at BIGINT = l.updated_at,
    })
    .execute(tx)
    .await?;
    expect(done, leads.len(), "leads")
}

async fn rewrite(tx: &mut Tx, leads: &[&Lead]) -> DbResult<()> {
    if leads.is_empty() {
        return Ok(());
    }
    let done = update_rows!("leads", leads, l => l.id, {
        name TEXT = &l.name,
        name_fold TEXT = fold(&l.name),
        email TEXT = &l.email,
        email_key TEXT = &l.email_key,
        phone TEXT = &l.phone,
        phone_key TEXT = &l.phone_key,
        status TEXT = l.status,
        status_before TEXT = l.status_before,
        active BOOLEAN = l.active,
        duplicate_of BIGINT = l.duplicate_of,
        qualified_at BIGINT = l.qualified_at,
        converted_at BIGINT = l.converted_at,
        arrival TEXT = l.arrival,
        referrer_id BIGINT = l.referrer_id,
        enrollment_id BIGINT = l.enrollment_id,
        code_id BIGINT = l.code_id,
        touch_id BIGINT = l.touch_id,
        rule_fired BOOLEAN = l.rule_fired,
        external_id TEXT = &l.external_id,
        search TEXT = searchable(l),
        meta TEXT = &l.meta,
        updated_at BIGINT = l.updated_at,
        archived_at BIGINT = l.archived_at;
        LeadFact = l.facts
    })
    .execute(tx)
    .await?;
    expect(done, leads.len(), "leads")
}

async fn insert_touches(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.touches.is_empty() {
        return Ok(());
    }
    insert_rows!("touches", &work.writes.touches, t => {
        id BIGINT = t.id,
        business_id BIGINT = t.business_id,
        lead_id BIGINT = t.lead_id,
        kind TEXT = t.kind,
        code_id BIGINT = t.code_id,
        code_text TEXT = &t.code_text,
        referrer_id BIGINT = t.referrer_id,
        enrollment_id BIGINT = t.enrollment_id,
        refused TEXT = t.refused,
        reason TEXT = &t.reason,
        user_id BIGINT = t.user_id,
        at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

async fn refuse_touches(tx: &mut Tx, work: &Work) -> DbResult<()> {
    let refused = &work.writes.refused_touches;
    if refused.is_empty() {
        return Ok(());
    }
    let done = update_rows!("touches", refused, (id, why) => *id, { refused TEXT = *why }).execute(tx).await?;
    expect(done, refused.len(), "touches")
}

async fn insert_sign_ups(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.new_sign_ups.is_empty() {
        return Ok(());
    }
    insert_rows!("sign_ups", &work.writes.new_sign_ups, s => {
        id BIGINT = s.id,
        business_id BIGINT = s.business_id,
        product_id BIGINT = s.product_id,
        test BOOLEAN = s.test,
        email_key TEXT = &s.email_key,
        lead_id BIGINT = s.lead_id,
        at BIGINT = work.now,
    })
    .execute(tx)
    .await?;
    Ok(())
}

/// The touches, duplicates, tags and notes of a merged lead are its primary's.
pub async fn merge(tx: &mut Tx, work: &Work) -> DbResult<()> {
    if work.writes.merged.is_empty() {
        return Ok(());
    }
    let table = rows!(&work.writes.merged, (from, to) => { source: *from, target: *to });
    sql("UPDATE touches
            SET lead_id = r.target
           FROM rows($1, source BIGINT, target BIGINT) r
          WHERE touches.lead_id = r.source")
    .bind(&table)
    .execute(tx)
    .await?;
    sql("UPDATE leads
            SET duplicate_of = r.target
           FROM rows($1, source BIGINT, target BIGINT) r
          WHERE leads.duplicate_of = r.source")
    .bind(&table)
    .execute(tx)
    .await?;
    crate::remarks::merge(tx, table).await
}
