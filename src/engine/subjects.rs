//! The subjects of a slice: the events name them before anything is read, and they are the one answer from
//! which both the locks ([`super::lock`]) and the facts ([`super::load`]) come.

use std::collections::BTreeSet;

use super::decision::{Contactable, ProductScope, Scope};
use super::ids::{
    BusinessId, CampaignId, CodeId, CommissionId, EnrollmentId, InboxItemId, LeadId, PaymentId, ProductId,
};
use super::names::{Names, PaymentName, SoughtBy, SoughtPayment};
use crate::clock::Day;
use crate::db::Key;

/// Somebody an event names by contact: found by the address, else by the number.
#[derive(Debug, Clone)]
pub struct Person {
    pub scope: Scope,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// (business, test, identity)
pub type Identified = (BusinessId, bool, String);
/// (business, test, name)
pub type Named = (BusinessId, bool, PaymentName);

/// Everything that a slice names.
#[derive(Debug, Clone, Default)]
pub struct Subjects {
    /// The keys that are known without a look at the database.
    pub keys: Vec<Key>,
    pub businesses: BTreeSet<BusinessId>,
    pub campaigns: BTreeSet<CampaignId>,
    pub products: BTreeSet<ProductId>,
    pub people: Vec<Person>,
    pub emails: BTreeSet<Contactable>,
    pub phones: BTreeSet<Contactable>,
    /// Ids that another program has for leads.
    pub external_ids: BTreeSet<Contactable>,
    /// Leads, commissions and inbox items that are named by their ids: whom they are about is read first.
    pub leads: BTreeSet<LeadId>,
    pub commissions: BTreeSet<CommissionId>,
    pub items: BTreeSet<InboxItemId>,
    pub enrollments: BTreeSet<EnrollmentId>,
    pub code_ids: BTreeSet<CodeId>,
    pub codes: BTreeSet<(BusinessId, String)>,
    /// (product, test, e-mail)
    pub sign_ups: BTreeSet<(ProductId, bool, String)>,
    /// Names that payments come with, or are named by.
    pub names: BTreeSet<Named>,
    pub paid_on: BTreeSet<(ProductScope, String, Day)>,
    pub payments: BTreeSet<PaymentId>,
    /// Names under which refunds may wait for payments of this slice.
    pub waited_for: BTreeSet<Named>,
    pub sought: Vec<SoughtPayment>,
    /// Identities that refunds come with.
    pub refunds: BTreeSet<Identified>,
    pub cancellations: BTreeSet<Identified>,
    /// People whose payment came with a phone number, by which their lead may be known.
    pub phoned: BTreeSet<Contactable>,
    /// Uploads and programs bring claims that their leads may have already.
    pub repeatable: bool,
    /// Leads whose whole money is looked at, not only what the event itself needs.
    pub deep: BTreeSet<LeadId>,
    /// Phone numbers that may attribute the lead that has them.
    pub claimed_phones: BTreeSet<Contactable>,
    /// Leads that become one: which touch was first decides.
    pub merging: BTreeSet<LeadId>,
    /// People whose unattached payments are looked at.
    pub orphans: BTreeSet<Contactable>,
    /// Addresses that leads take, which another lead may have, and payments may be waiting for.
    pub new_emails: Vec<(LeadId, String)>,
    /// External ids that leads take, which another lead may have.
    pub new_external_ids: Vec<(LeadId, String)>,
}

impl Subjects {
    /// Locks what is known by a name in its business: a contact, or the id of an event.
    pub fn lock(&mut self, business_id: BusinessId, name: impl Into<String>) {
        self.keys.push(Key::Person(business_id.0, name.into()));
    }

    /// A lead by the id that another program has for it.
    pub fn external_id(&mut self, business_id: BusinessId, scope: Scope, id: &str) {
        self.lock(business_id, format!("external:{id}"));
        self.external_ids.insert((scope, id.to_owned()));
    }

    /// The id that another program has for a lead from now on.
    pub fn new_external_id(&mut self, business_id: BusinessId, lead_id: LeadId, id: &str) {
        self.lock(business_id, format!("external:{id}"));
        self.new_external_ids.push((lead_id, id.to_owned()));
    }

    /// Somebody by contact, locked and found.
    pub fn person(&mut self, business_id: BusinessId, scope: Scope, email: Option<&str>, phone: Option<&str>) {
        for contact in email.into_iter().chain(phone) {
            self.lock(business_id, contact);
        }
        self.find(scope, email, phone);
    }

    /// Somebody by contact who is locked otherwise.
    pub fn find(&mut self, scope: Scope, email: Option<&str>, phone: Option<&str>) {
        self.emails.extend(email.map(|k| (scope, k.to_owned())));
        self.phones.extend(phone.map(|k| (scope, k.to_owned())));
        self.people.push(Person { scope, email: email.map(str::to_owned), phone: phone.map(str::to_owned) });
    }

    pub fn product(&mut self, of: ProductScope) {
        self.products.insert(of.product_id);
        self.campaigns.insert(of.scope.campaign_id);
    }

    pub fn lead(&mut self, id: LeadId) {
        self.leads.insert(id);
    }

    /// A lead with all its money.
    pub fn lead_with_money(&mut self, id: LeadId) {
        self.leads.insert(id);
        self.deep.insert(id);
    }

    pub fn code(&mut self, business_id: BusinessId, text: &str) {
        self.codes.insert((business_id, text.to_owned()));
    }

    /// The unattached payments of an address.
    pub fn orphans(&mut self, scope: Scope, email_key: &str) {
        self.orphans.insert((scope, email_key.to_owned()));
    }

    /// A payment that comes with these names: repeats of it, and refunds that wait for it.
    pub fn payment(&mut self, business_id: BusinessId, of: ProductScope, email_key: &str, day: Day, names: &Names) {
        let test = of.scope.test;
        let by_day = PaymentName::paid_on(of.product_id, email_key, day);
        self.waited_for.extend(names.all().cloned().chain([by_day]).map(|name| (business_id, test, name)));
        // One name may come with two addresses: the second one decides about the first.
        self.names(business_id, test, names.all());
        match names.deciding.as_slice() {
            [] => {
                self.paid_on.insert((of, email_key.to_owned(), day));
            }
            [_] => {}
            // A payment that is known may get further names, and be what refunds have waited for.
            several => self.sought.push(SoughtPayment { business_id, test, by: SoughtBy::Names(several.to_vec()) }),
        }
    }

    fn names<'n>(&mut self, business_id: BusinessId, test: bool, names: impl IntoIterator<Item = &'n PaymentName>) {
        for name in names {
            self.lock(business_id, name.lock());
            self.names.insert((business_id, test, name.clone()));
        }
    }

    /// A payment as a refund or a dispute names it, with its other refunds and its lead.
    pub fn seek(&mut self, sought: SoughtPayment) {
        match &sought.by {
            SoughtBy::Day(of, email_key, day) => {
                self.paid_on.insert((*of, email_key.clone(), *day));
            }
            // The payment may be arriving right now.
            SoughtBy::Names(names) => self.names(sought.business_id, sought.test, names),
            SoughtBy::Commission(id) => {
                self.commissions.insert(*id);
            }
            SoughtBy::Id(id) => {
                self.payments.insert(*id);
            }
        }
        self.sought.push(sought);
    }

    /// A payment by its id, with its refunds and its lead.
    pub fn payment_by_id(&mut self, id: PaymentId) {
        self.payments.insert(id);
    }

    /// True when refunds or disputes name payments, so that their leads and refunds are looked at.
    pub fn names_payments(&self) -> bool {
        !self.sought.is_empty() || !self.payments.is_empty()
    }

    /// True when the keys are known only after a look at the database.
    pub fn needs_reading(&self) -> bool {
        !(self.leads.is_empty() && self.commissions.is_empty() && self.items.is_empty()) || self.names_payments()
    }
}
