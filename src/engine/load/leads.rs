//! Leads by id and by contact, and their sign-ups.

use std::collections::BTreeSet;

use super::touches::load_touches;
use super::{LIMIT, ids};
use crate::db::{Conn, DbResult, Table, sql, sql_built};
use crate::engine::decision::{Contactable, Scope};
use crate::engine::facts::{Facts, Lead, SignedUp};
use crate::engine::ids::{CampaignId, LeadId};
use crate::engine::subjects::Subjects;
use crate::leads::fields::LeadFacts;
use crate::rows;

/// The columns of a lead.
fn lead_columns() -> String {
    let facts = LeadFacts::columns(", l.", "");
    format!(
        "l.id, l.business_id, l.campaign_id, l.test, l.name, l.email, l.email_key, l.phone, l.phone_key,
                l.source_origin, l.status, l.status_before, l.active, l.duplicate_of, l.qualified_at, l.converted_at,
                l.arrival, l.referrer_id, l.enrollment_id, l.code_id, l.touch_id, l.rule_fired, l.recorded_by,
                l.external_id, l.meta,
                l.created_at, l.updated_at, l.archived_at{facts}"
    )
}

/// Leads by their ids, in no order.
pub async fn read(conn: &mut Conn, leads: &BTreeSet<LeadId>) -> DbResult<Vec<Lead>> {
    let lead = lead_columns();
    let text = format!(
        "SELECT {lead}
           FROM rows($1, id BIGINT) r
           JOIN leads l ON l.id = r.id"
    );
    sql_built(text).bind(ids(leads)).all(conn).await
}

pub async fn load_by_id(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.leads.is_empty() {
        return Ok(());
    }
    for lead in read(conn, &about.leads).await? {
        // The facts of a qualification, a status or an approval are read by themselves.
        let deep = about.deep.contains(&lead.id);
        expect(about, &lead, deep);
        // One that takes the address of another may find that a third lead has it.
        if about.merging.contains(&lead.id) {
            about.emails.extend(lead.email_key.iter().map(|key| (lead.scope(), key.clone())));
        }
        facts.add_lead(lead);
    }
    let taken = std::mem::take(&mut about.new_external_ids);
    let taken = taken.into_iter().filter_map(|(id, external)| Some((facts.leads.get(&id)?.scope(), external)));
    let taken: BTreeSet<Contactable> = taken.collect();
    for (at, id) in holders(conn, &taken).await? {
        facts.lead_by_external_id.insert(at, id);
    }
    // An edit may take a contact that another lead has, and payments may be waiting for it.
    for (lead_id, key) in std::mem::take(&mut about.new_emails) {
        if let Some(lead) = facts.leads.get(&lead_id) {
            about.emails.insert((lead.scope(), key.clone()));
            about.orphans.insert((lead.scope(), key));
        }
    }
    Ok(())
}

/// The leads that have one of the named external ids: each is looked at as if it were named by its own.
pub async fn load_by_external_id(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    for (at, id) in holders(conn, &about.external_ids).await? {
        facts.lead_by_external_id.insert(at, id);
        about.lead_with_money(id);
    }
    Ok(())
}

/// The leads that have these external ids.
async fn holders(conn: &mut Conn, external_ids: &BTreeSet<Contactable>) -> DbResult<Vec<(Contactable, LeadId)>> {
    if external_ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(LeadId, CampaignId, bool, String)> = sql("SELECT l.id, l.campaign_id, l.test, l.external_id
           FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
           JOIN leads l ON l.campaign_id = r.campaign AND l.test = r.test AND l.external_id = r.contact
          WHERE l.external_id IS NOT NULL")
    .bind(contacts(external_ids))
    .all(conn)
    .await?;
    let at = |(id, campaign_id, test, external_id)| ((Scope { campaign_id, test }, external_id), id);
    Ok(found.into_iter().map(at).collect())
}

/// Names what a decision about this lead needs to know.
fn expect(about: &mut Subjects, lead: &Lead, deep: bool) {
    about.campaigns.insert(lead.campaign_id);
    about.enrollments.extend(lead.enrollment_id);
    if deep {
        about.deep.insert(lead.id);
        about.orphans.extend(lead.email_key.iter().map(|k| (lead.scope(), k.clone())));
    }
}

fn contacts(of: &BTreeSet<Contactable>) -> Table {
    rows!(of, (scope, key) => { campaign: scope.campaign_id, test: scope.test, contact: key })
}

pub async fn load_by_contact(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<Lead> = Vec::new();
    if !about.emails.is_empty() {
        let lead = lead_columns();
        let text = format!(
            "SELECT {lead}
               FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN leads l ON l.campaign_id = r.campaign AND l.test = r.test AND l.email_key = r.contact
              WHERE l.duplicate_of IS NULL
                AND l.email_key IS NOT NULL"
        );
        found.extend(sql_built(text).bind(contacts(&about.emails)).all::<Lead>(conn).await?);
    }
    if !about.phones.is_empty() {
        let lead = lead_columns();
        let text = format!(
            "SELECT {lead}
               FROM rows($1, campaign BIGINT, test BOOLEAN, contact TEXT) r
               JOIN leads l ON l.campaign_id = r.campaign AND l.test = r.test AND l.phone_key = r.contact
              WHERE l.duplicate_of IS NULL
                AND l.phone_key IS NOT NULL
              ORDER BY l.id
              {LIMIT}"
        );
        found.extend(sql_built(text).bind(contacts(&about.phones)).all::<Lead>(conn).await?);
    }
    for lead in found {
        // A sign-up or a staff lead may let older payments of this very person earn.
        let at = |key: &String| (lead.scope(), key.clone());
        // One that is known by its phone alone may get its address now, and what waited for that.
        let deep = match &lead.email_key {
            Some(k) => about.orphans.contains(&at(k)),
            None => true,
        } || lead.phone_key.as_ref().is_some_and(|k| about.claimed_phones.contains(&at(k)));
        expect(about, &lead, deep);
        if !facts.leads.contains_key(&lead.id) {
            facts.add_lead(lead);
        }
    }
    expect_addresses(about, facts);
    Ok(())
}

/// A payment with a phone number may bring its address to a lead that has none. Nothing waits for an address
/// that a lead has already, so that an ordinary payment looks for nothing more.
fn expect_addresses(about: &mut Subjects, facts: &Facts) {
    let unknown = about.phoned.iter().filter(|at| !facts.lead_by_email.contains_key(at));
    about.orphans.extend(unknown.cloned().collect::<Vec<_>>());
}

/// A referrer who turns out to be the lead loses what is not paid yet, so it has to be known.
pub fn expect_self_referrals(about: &mut Subjects, facts: &Facts) {
    for lead in facts.leads.values() {
        let Some(e) = facts.enrollment_of_lead(lead) else { continue };
        let brought = |contact: &Option<String>, named: &BTreeSet<Contactable>| {
            contact.as_ref().is_some_and(|k| named.contains(&(lead.scope(), k.clone())))
        };
        if e.is_same_person(lead) || brought(&e.email_key, &about.emails) || brought(&e.phone_key, &about.phones) {
            about.deep.insert(lead.id);
        }
    }
}

pub async fn load_sign_ups(conn: &mut Conn, about: &Subjects, facts: &mut Facts) -> DbResult<()> {
    let mut found: Vec<SignedUp> = Vec::new();
    if !about.sign_ups.is_empty() {
        let table = rows!(&about.sign_ups, (p, t, k) => { product: *p, test: *t, contact: k });
        found = sql("SELECT s.id, s.business_id, s.product_id, s.test, s.email_key, s.lead_id
               FROM rows($1, product BIGINT, test BOOLEAN, contact TEXT) r
               JOIN sign_ups s ON s.product_id = r.product AND s.test = r.test AND s.email_key = r.contact")
        .bind(table)
        .all(conn)
        .await?;
        let repeated: BTreeSet<LeadId> = found.iter().map(|s| s.lead_id).collect();
        if !about.codes.is_empty() {
            load_touches(conn, &repeated, facts).await?;
        }
        // The sign-up's lead may have changed its address since.
        let missing: BTreeSet<LeadId> = repeated.into_iter().filter(|id| !facts.leads.contains_key(id)).collect();
        if !missing.is_empty() {
            read(conn, &missing).await?.into_iter().for_each(|lead| facts.add_lead(lead));
        }
    }
    if !about.deep.is_empty() {
        let of_leads: Vec<SignedUp> = sql("SELECT s.id, s.business_id, s.product_id, s.test, s.email_key, s.lead_id
               FROM rows($1, id BIGINT) r
               JOIN sign_ups s ON s.lead_id = r.id")
        .bind(ids(&about.deep))
        .all(conn)
        .await?;
        found.extend(of_leads);
    }
    facts.sign_ups = found.into_iter().map(|s| ((s.product_id, s.test, s.email_key.clone()), s)).collect();
    Ok(())
}
