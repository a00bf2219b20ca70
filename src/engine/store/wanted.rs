//! What a slice has to know, told by its events before anything is read.

use std::collections::BTreeSet;

use crate::engine::event::{ClaimBy, Event, Refund, RefundOf, TouchKind, What};
use crate::engine::facts::{Contactable, parked_name};
use crate::engine::rules::refund::parked_identity;

/// What the events name, gathered before anything is read.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) businesses: BTreeSet<i64>,
    pub(super) products: BTreeSet<i64>,
    pub(super) campaigns: BTreeSet<i64>,
    pub(super) leads: BTreeSet<i64>,
    pub(super) commissions: BTreeSet<i64>,
    pub(super) items: BTreeSet<i64>,
    pub(super) enrollments: BTreeSet<i64>,
    pub(super) code_ids: BTreeSet<i64>,
    /// (business, text)
    pub(super) codes: BTreeSet<(i64, String)>,
    /// (product, test, e-mail, phone) of events; the campaign is the product's.
    pub(super) people: Vec<(i64, bool, String, Option<String>)>,
    pub(super) emails: BTreeSet<Contactable>,
    pub(super) phones: BTreeSet<Contactable>,
    /// (business, test, identity); test is known once the product is.
    pub(super) identities: Vec<(i64, i64, bool, String)>,
    /// (product, test, e-mail, date)
    pub(super) dates: Vec<(i64, bool, String, String)>,
    pub(super) payments: BTreeSet<i64>,
    /// What parked refunds may have named these payments by; test is known once the product is.
    pub(super) parked: Vec<(i64, i64, bool, String)>,
    /// (product, test, e-mail, date) of refunds: the address may be the lead's of today.
    pub(super) refund_days: Vec<(i64, bool, String, String)>,
    /// (business, product, test, identity)
    pub(super) refunds: Vec<(i64, i64, bool, String)>,
    /// Refunds or disputes are decided: other refunds of their payments are looked at, and who paid them.
    pub(super) refunding: bool,
    /// (business, product, test, identity)
    pub(super) cancellations: Vec<(i64, i64, bool, String)>,
    pub(super) sign_ups: Vec<(i64, bool, String)>,
    /// (product, test, e-mail) of payments that came with a phone number, by which their lead may be known.
    pub(super) phoned: Vec<(i64, bool, String)>,
    /// Uploads and programs bring claims that their leads may have already.
    pub(super) repeatable: bool,
    /// Leads whose whole money is looked at, not only what the event itself needs.
    pub(super) deep: BTreeSet<i64>,
    /// Phone numbers that may attribute whoever has them.
    pub(super) claimed_phones: BTreeSet<Contactable>,
    /// Leads that become one: which touch was first decides.
    pub(super) merging: BTreeSet<i64>,
    /// People whose unattached payments are looked at.
    pub(super) orphans: BTreeSet<Contactable>,
}

pub(super) fn gather(events: &[Event]) -> Wanted {
    let mut w = Wanted::default();
    for event in events {
        w.businesses.insert(event.business_id);
        w.want(event.business_id, &event.what);
    }
    w
}

impl Wanted {
    fn want(&mut self, business_id: i64, what: &What) {
        let w = self;
        match what {
            What::SignUp(s) => {
                w.products.insert(s.product_id);
                w.people.push((
                    s.product_id,
                    s.test,
                    s.email.key().to_owned(),
                    s.phone.as_ref().map(|p| p.e164().to_owned()),
                ));
                w.sign_ups.push((s.product_id, s.test, s.email.key().to_owned()));
                w.codes.extend(s.code.iter().map(|c| (business_id, c.clone())));
            }
            What::Payment(p) => {
                w.products.insert(p.product_id);
                w.people.push((
                    p.product_id,
                    p.test,
                    p.email.key().to_owned(),
                    p.phone.as_ref().map(|p| p.e164().to_owned()),
                ));
                if p.phone.is_some() {
                    w.phoned.push((p.product_id, p.test, p.email.key().to_owned()));
                }
                w.expect_refunds(business_id, p.product_id, p.test, p.identity.as_deref(), &p.day_name());
                match &p.identity {
                    Some(id) => w.identities.push((business_id, p.product_id, p.test, id.clone())),
                    None => w.dates.push((p.product_id, p.test, p.email.key().to_owned(), p.date.to_string())),
                }
            }
            What::Refund(r) => w.want_refund(business_id, r),
            What::Dispute { payment_id, .. } => {
                w.payments.insert(*payment_id);
                w.refunding = true;
            }
            What::CancelSubscription(c) => {
                w.products.insert(c.product_id);
                w.people.push((c.product_id, c.test, c.email.key().to_owned(), None));
                w.cancellations.push((business_id, c.product_id, c.test, c.identity.clone()));
            }
            What::AddLead(a) => {
                w.campaigns.insert(a.campaign_id);
                if let Some(key) = &a.contact.email_key {
                    w.emails.insert((a.campaign_id, a.test, key.clone()));
                    w.orphans.insert((a.campaign_id, a.test, key.clone()));
                }
                w.phones.extend(a.contact.phone_key.iter().map(|k| (a.campaign_id, a.test, k.clone())));
                if a.claim.is_some() {
                    w.claimed_phones.extend(a.contact.phone_key.iter().map(|k| (a.campaign_id, a.test, k.clone())));
                }
                w.repeatable |= a.claim.as_ref().is_some_and(|c| matches!(c.kind, TouchKind::Import | TouchKind::Code));
                match a.claim.as_ref().map(|c| &c.by) {
                    Some(ClaimBy::Code(text)) => {
                        w.codes.insert((business_id, text.clone()));
                    }
                    Some(ClaimBy::Enrollment(id)) => {
                        w.enrollments.insert(*id);
                    }
                    None => {}
                }
            }
            What::Qualify { lead_id, .. } | What::SetStatus { lead_id, .. } => {
                w.leads.insert(*lead_id);
            }
            What::QualifyBy { campaign_id, test, email, .. } => {
                w.campaigns.insert(*campaign_id);
                w.emails.insert((*campaign_id, *test, email.key().to_owned()));
            }
            What::Archive { lead_id, .. } => {
                w.leads.insert(*lead_id);
            }
            What::EditLead { lead_id, .. } | What::AmendLead { lead_id, .. } => {
                w.leads.insert(*lead_id);
                w.deep.insert(*lead_id);
            }
            What::PayBack { lead_id } => {
                w.leads.insert(*lead_id);
                w.deep.insert(*lead_id);
            }
            What::Reattribute { lead_id, to, code_id, .. } => {
                w.leads.insert(*lead_id);
                w.deep.insert(*lead_id);
                w.enrollments.extend(to);
                w.code_ids.extend(code_id);
            }
            What::Merge { lead_id, into } => {
                w.leads.extend([*lead_id, *into]);
                w.deep.extend([*lead_id, *into]);
                w.merging.extend([*lead_id, *into]);
            }
            What::Approve { commission_id, .. } | What::Void { commission_id, .. } => {
                w.commissions.insert(*commission_id);
            }
            What::Dismiss { item_id } | What::Reopen { item_id } | What::AcceptPayment { item_id } => {
                w.items.insert(*item_id);
            }
            What::IfUnchanged { by, .. } => w.want(business_id, by),
            What::Settle { item_id, by, .. } => {
                w.items.insert(*item_id);
                w.want(business_id, by);
            }
        }
    }

    /// The parked refunds that a payment with this identity may be waited for by.
    pub(super) fn expect_refunds(
        &mut self,
        business_id: i64,
        product_id: i64,
        test: bool,
        identity: Option<&str>,
        day_name: &str,
    ) {
        let names = identity.and_then(parked_name).into_iter().chain([day_name.to_owned()]);
        self.parked.extend(names.map(|name| (business_id, product_id, test, name)));
    }

    fn want_refund(&mut self, business_id: i64, r: &Refund) {
        let w = self;
        w.refunding = true;
        w.products.insert(r.product_id);
        w.people.push((r.product_id, r.test, r.email.key().to_owned(), None));
        let identity = r.identity.clone().unwrap_or_else(|| parked_identity(r));
        w.refunds.push((business_id, r.product_id, r.test, identity));
        match &r.of {
            RefundOf::Date(day) => {
                let of_day = (r.product_id, r.test, r.email.key().to_owned(), day.to_string());
                w.dates.push(of_day.clone());
                w.refund_days.push(of_day);
            }
            RefundOf::Event(id) => {
                let names = [format!("event:{id}"), format!("invoice:{id}")];
                w.identities.extend(names.map(|name| (business_id, r.product_id, r.test, name)));
            }
            RefundOf::Commission(id) => {
                w.commissions.insert(*id);
            }
            RefundOf::Payment(id) => {
                w.payments.insert(*id);
            }
        }
    }
}
