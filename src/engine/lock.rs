//! Which people a slice decides about. A verb that is given an id reads the contact before locking, and
//! starts again when it has changed by then.

use std::collections::BTreeSet;

use super::event::{Event, Refund, RefundOf, What};
use super::facts::{Facts, Lead, Paid};
use super::store::contacts;
use crate::db::{Conn, DbResult, Key, Tx};

#[derive(Default)]
struct Named {
    leads: BTreeSet<i64>,
    commissions: BTreeSet<i64>,
    items: BTreeSet<i64>,
    /// Refunds and disputes name payments, whose people are read first.
    payments: bool,
}

fn named(events: &[Event]) -> Named {
    let mut n = Named::default();
    events.iter().for_each(|event| n.add(&event.what));
    n
}

impl Named {
    fn add(&mut self, what: &What) {
        let n = self;
        match what {
            What::Qualify { lead_id, .. }
            | What::SetStatus { lead_id, .. }
            | What::EditLead { lead_id, .. }
            | What::AmendLead { lead_id, .. }
            | What::Reattribute { lead_id, .. }
            | What::PayBack { lead_id }
            | What::Archive { lead_id, .. } => {
                n.leads.insert(*lead_id);
            }
            What::Merge { lead_id, into } => n.leads.extend([*lead_id, *into]),
            What::Approve { commission_id, .. } | What::Void { commission_id, .. } => {
                n.commissions.insert(*commission_id);
            }
            What::Dismiss { item_id } | What::Reopen { item_id } | What::AcceptPayment { item_id } => {
                n.items.insert(*item_id);
            }
            What::Settle { item_id, by, .. } => {
                n.items.insert(*item_id);
                n.add(by);
            }
            What::IfUnchanged { by, .. } => n.add(by),
            What::Dispute { .. } => n.payments = true,
            What::Refund(r) => {
                n.payments = true;
                if let RefundOf::Commission(id) = r.of {
                    n.commissions.insert(id);
                }
            }
            What::SignUp(_)
            | What::AddLead(_)
            | What::Payment(_)
            | What::CancelSubscription(_)
            | What::QualifyBy { .. } => {}
        }
    }
}

/// Whether the keys of these events can be told only after a look at the database.
pub fn needs_reading(events: &[Event]) -> bool {
    let n = named(events);
    !(n.leads.is_empty() && n.commissions.is_empty() && n.items.is_empty()) || n.payments
}

fn person(business: i64, contact: &str) -> Key {
    Key::Person(business, contact.to_owned())
}

/// Every key of a slice.
pub async fn keys(conn: Option<&mut Conn>, events: &[Event]) -> DbResult<Vec<Key>> {
    let mut keys = Vec::with_capacity(events.len() * 2);
    for event in events {
        let business = event.business_id;
        match &event.what {
            What::SignUp(s) => {
                keys.push(person(business, s.email.key()));
                keys.extend(s.phone.iter().map(|p| person(business, p.e164())));
            }
            What::Payment(p) => {
                keys.push(person(business, p.email.key()));
                keys.extend(p.phone.iter().map(|p| person(business, p.e164())));
                // One identity may come with two addresses: the second one decides about the first.
                keys.extend(p.identity.iter().map(|id| person(business, id)));
            }
            What::AddLead(a) => {
                let contact = [&a.contact.email_key, &a.contact.phone_key];
                keys.extend(contact.into_iter().flatten().map(|k| person(business, k)));
            }
            What::EditLead { contact, .. } => {
                let contact = [&contact.email_key, &contact.phone_key];
                keys.extend(contact.into_iter().flatten().map(|k| person(business, k)));
            }
            What::Refund(r) => {
                keys.push(person(business, r.email.key()));
                keys.extend(r.identity.iter().map(|id| person(business, &format!("refund {id}"))));
                // The payment it names may be arriving right now.
                if let RefundOf::Event(id) = &r.of {
                    keys.extend(["event", "invoice"].map(|kind| person(business, &format!("{kind}:{id}"))));
                }
            }
            What::CancelSubscription(c) => {
                keys.push(person(business, c.email.key()));
                keys.push(person(business, &format!("cancellation {}", c.identity)));
            }
            What::QualifyBy { email, .. } => keys.push(person(business, email.key())),
            What::AmendLead { email, .. } => keys.extend(email.iter().map(|e| person(business, e.key()))),
            What::AcceptPayment { item_id } => keys.push(person(business, &format!("inbox:{item_id}"))),
            _ => {}
        }
    }
    if let Some(conn) = conn {
        let mut n = named(events);
        keys.extend(n.items.iter().map(|id| Key::Row(*id)));
        if !n.commissions.is_empty() {
            n.leads.extend(contacts::leads_of_commissions(conn, &n.commissions).await?);
        }
        if !n.items.is_empty() {
            let payers = contacts::payers_of_items(conn, &n.items).await?;
            keys.extend(payers.into_iter().map(|(business, key)| person(business, &key)));
        }
        if n.payments {
            for payer in contacts::payers(conn, events).await? {
                keys.push(person(payer.business_id, &payer.email_key));
                n.leads.extend(payer.lead_id);
            }
        }
        if !n.leads.is_empty() {
            for c in contacts::of_leads(conn, &n.leads).await? {
                keys.push(Key::Row(c.id));
                keys.extend([c.email_key, c.phone_key].into_iter().flatten().map(|k| Key::Person(c.business_id, k)));
            }
        }
    }
    Ok(keys)
}

/// The keys that the transaction lacks: of the leads that the events name, and of those they found by
/// one contact and that have another one, by which somebody else may be deciding about them right now.
pub fn lacking(tx: &Tx, facts: &Facts, events: &[Event]) -> Vec<Key> {
    let n = named(events);
    let of_commissions = n.commissions.iter().filter_map(|id| facts.commissions.get(id)).map(|c| c.lead_id);
    let by_id = n.leads.iter().copied().chain(of_commissions).filter_map(|id| facts.leads.get(&id));
    let mut keys: Vec<Key> = by_id.flat_map(|lead| contacts_of(lead).chain([Key::Row(lead.id)])).collect();
    // SQLite has one writer: nobody else is deciding.
    if !matches!(**tx, Conn::Sqlite(_)) {
        keys.extend(events.iter().flat_map(|event| payers(facts, event)));
        let found = events.iter().filter_map(|event| found(facts, &event.what)).filter_map(|id| facts.leads.get(&id));
        keys.extend(found.flat_map(contacts_of));
    }
    keys.retain(|key| !tx.holds(key));
    keys
}

fn contacts_of(lead: &Lead) -> impl Iterator<Item = Key> {
    lead.contact_keys().map(|contact| person(lead.business_id, contact))
}

/// Who decides about the payments that a refund may be of, or a dispute is of.
fn payers(facts: &Facts, event: &Event) -> Vec<Key> {
    let of_refund = |r: &Refund| {
        let test = r.test || facts.products.get(&r.product_id).is_some_and(|p| p.test);
        facts.payments_named(event.business_id, test, r)
    };
    let by_id = || event.what.payment_id().and_then(|id| facts.payments.get(&id)).into_iter().collect();
    let payments: Vec<&Paid> = event.what.refund().map_or_else(by_id, of_refund);
    let mut keys = Vec::new();
    for paid in payments.into_iter().filter(|p| p.business_id == event.business_id) {
        keys.push(person(event.business_id, &paid.email_key));
        if let Some(lead) = paid.lead_id.and_then(|id| facts.leads.get(&id)) {
            keys.extend(contacts_of(lead).chain([Key::Row(lead.id)]));
        }
    }
    keys
}

/// The lead that an event without an id of one is about.
fn found(facts: &Facts, what: &What) -> Option<i64> {
    let of_product = |id: i64, test: bool| facts.products.get(&id).map(|p| (p.campaign_id, test || p.test));
    match what {
        What::SignUp(s) => {
            let (campaign, test) = of_product(s.product_id, s.test)?;
            let again = facts.sign_ups.get(&(s.product_id, test, s.email.key().to_owned())).map(|known| known.lead_id);
            again.or_else(|| facts.find_lead(campaign, test, Some(s.email.key()), s.phone.as_ref().map(|p| p.e164())))
        }
        What::Payment(p) => {
            let (campaign, test) = of_product(p.product_id, p.test)?;
            facts.find_lead(campaign, test, Some(p.email.key()), p.phone.as_ref().map(|p| p.e164()))
        }
        What::CancelSubscription(c) => {
            let (campaign, test) = of_product(c.product_id, c.test)?;
            facts.find_lead(campaign, test, Some(c.email.key()), None)
        }
        What::AddLead(a) => {
            let (email, phone) = (a.contact.email_key.as_deref(), a.contact.phone_key.as_deref());
            facts.find_lead(a.campaign_id, a.test, email, phone)
        }
        What::QualifyBy { campaign_id, test, email, .. } => {
            facts.find_lead(*campaign_id, *test, Some(email.key()), None)
        }
        What::AcceptPayment { item_id } => facts.inbox.get(item_id).and_then(|item| item.lead_id),
        What::Settle { by, .. } | What::IfUnchanged { by, .. } => found(facts, by),
        _ => None,
    }
}
