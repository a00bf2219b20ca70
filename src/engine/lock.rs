//! The people that a slice decides about. A verb that is given an id reads the contact before locking, and
//! starts again when it has changed by then.

use super::facts::{Facts, Lead, Paid};
use super::ids::{BusinessId, LeadId};
use super::load::contacts;
use super::subjects::Subjects;
use crate::db::{Conn, Db, DbResult, Key, Tx};

fn person(business: BusinessId, contact: &str) -> Key {
    Key::Person(business.0, contact.to_owned())
}

/// Every key of a slice, with the contacts of what it names by id.
pub async fn keys(db: &Db, about: &Subjects) -> DbResult<Vec<Key>> {
    let mut keys = about.keys.clone();
    if !about.needs_reading() {
        return Ok(keys);
    }
    let conn = &mut db.read().await?;
    keys.extend(about.items.iter().map(|id| Key::Row(id.0)));
    let mut leads = about.leads.clone();
    if !about.commissions.is_empty() {
        leads.extend(contacts::leads_of_commissions(conn, &about.commissions).await?);
    }
    if !about.items.is_empty() {
        let payers = contacts::payers_of_items(conn, &about.items).await?;
        keys.extend(payers.into_iter().map(|(business, key)| person(business, &key)));
    }
    if about.names_payments() {
        for payer in contacts::payers(conn, about).await? {
            keys.push(person(payer.business_id, &payer.email_key));
            leads.extend(payer.lead_id);
        }
    }
    if !leads.is_empty() {
        for c in contacts::of_leads(conn, &leads).await? {
            keys.push(Key::Row(c.id.0));
            keys.extend([c.email_key, c.phone_key].into_iter().flatten().map(|k| person(c.business_id, &k)));
        }
    }
    Ok(keys)
}

/// The keys that the transaction lacks: of the leads that the events name, and of those they found by
/// one contact and that have another one, by which somebody else may be deciding about them right now.
pub fn lacking(tx: &Tx, facts: &Facts, about: &Subjects) -> Vec<Key> {
    let of_commissions = about.commissions.iter().filter_map(|id| facts.commissions.get(id)).map(|c| c.lead_id);
    let by_id = about.leads.iter().copied().chain(of_commissions).filter_map(|id| facts.leads.get(&id));
    let mut keys: Vec<Key> = by_id.flat_map(|lead| contacts_of(lead).chain([Key::Row(lead.id.0)])).collect();
    // SQLite has one writer: nobody else is deciding.
    if !matches!(**tx, Conn::Sqlite(_)) {
        keys.extend(payers(facts, about));
        let found = found(facts, about).into_iter().filter_map(|id| facts.leads.get(&id));
        keys.extend(found.flat_map(contacts_of));
    }
    keys.retain(|key| !tx.holds(key));
    keys
}

fn contacts_of(lead: &Lead) -> impl Iterator<Item = Key> {
    lead.contact_keys().map(|contact| person(lead.business_id, contact))
}

/// The people of the payments that a refund may be of, or a dispute is of.
fn payers(facts: &Facts, about: &Subjects) -> Vec<Key> {
    let by_id = about.payments.iter().filter_map(|id| facts.payments.get(id));
    let sought = about.sought.iter().flat_map(|sought| facts.payments_named(sought));
    let mut keys = Vec::new();
    for paid in by_id.chain(sought).filter(|p: &&Paid| about.businesses.contains(&p.business_id)) {
        keys.push(person(paid.business_id, &paid.email_key));
        if let Some(lead) = paid.lead_id.and_then(|id| facts.leads.get(&id)) {
            keys.extend(contacts_of(lead).chain([Key::Row(lead.id.0)]));
        }
    }
    keys
}

/// The leads that events without an id of one are about.
fn found(facts: &Facts, about: &Subjects) -> Vec<LeadId> {
    let by_contact =
        about.people.iter().filter_map(|p| facts.find_lead(p.scope, p.email.as_deref(), p.phone.as_deref()));
    let signed_up = about.sign_ups.iter().filter_map(|known| facts.sign_ups.get(known)).map(|known| known.lead_id);
    let of_items = about.items.iter().filter_map(|id| facts.inbox.get(id)?.lead_id);
    by_contact.chain(signed_up).chain(of_items).collect()
}
