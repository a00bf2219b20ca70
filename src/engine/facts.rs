//! The facts that a slice needs.
//!
//! [`Facts`] is loaded set-wise before deciding and then changed in memory as the events of the slice
//! are folded over it, so that two events on one lead in one slice see each other. Nothing here does I/O.

mod rows;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

pub use rows::{
    Business, Campaign, Cancelled, Code, Commission, CustomerReward, Enrollment, InboxItem, Lead, Paid, Product,
    Purchase, RefundRow, SignedUp, Terms, Touched,
};

use super::decision::{By, Contactable, Decided, ProductScope, Rejected, Scope};
use super::ids::{
    BusinessId, CampaignId, CodeId, CommissionId, EnrollmentId, InboxItemId, LeadId, PaymentId, ProductId, ReferrerId,
    RefundId, TouchId,
};
use super::names::{PaymentName, SoughtBy, SoughtPayment};
use super::state::{Account, CampaignState, CodeKind, CommissionKind, CommissionState, RefundState};
use super::subjects::{Identified, Named};
use crate::clock::{Day, Zone};
use crate::money::Currency;

#[derive(Debug, Default)]
pub struct Facts {
    pub businesses: HashMap<BusinessId, Business>,
    pub campaigns: HashMap<CampaignId, Campaign>,
    pub products: HashMap<ProductId, Product>,
    /// By product, oldest number first.
    pub terms: HashMap<ProductId, Vec<Terms>>,
    pub codes: HashMap<CodeId, Code>,
    /// (business, look-up form), and (business, repaired form) of generated codes.
    pub code_by_lookup: HashMap<(BusinessId, String), CodeId>,
    pub code_by_repaired: HashMap<(BusinessId, String), CodeId>,
    pub enrollments: HashMap<EnrollmentId, Enrollment>,
    pub enrollment_of: HashMap<(CampaignId, ReferrerId), EnrollmentId>,
    pub leads: HashMap<LeadId, Lead>,
    /// Primary leads only.
    pub lead_by_email: HashMap<Contactable, LeadId>,
    /// Leads by the id that another program has for them; only those that events name.
    pub lead_by_external_id: HashMap<Contactable, LeadId>,
    /// Primary leads, oldest first.
    pub leads_by_phone: HashMap<Contactable, Vec<LeadId>>,
    /// (product, test, e-mail)
    pub sign_ups: HashMap<(ProductId, bool, String), SignedUp>,
    pub payments: HashMap<PaymentId, Paid>,
    pub payment_by_name: HashMap<Named, PaymentId>,
    /// (product, test, e-mail, date): the earliest one.
    pub payment_by_date: HashMap<(ProductId, bool, String, Day), PaymentId>,
    pub refunds: HashMap<RefundId, RefundRow>,
    pub refund_by_identity: HashMap<Identified, RefundId>,
    /// The names, of those that the slice brings, under which parked refunds wait.
    pub waits_for: HashMap<RefundId, HashSet<PaymentName>>,
    pub cancellations: HashMap<Identified, Cancelled>,
    pub purchases: HashMap<(LeadId, ProductId), Purchase>,
    pub commissions: HashMap<CommissionId, Commission>,
    /// By lead, in campaigns that reward customers.
    pub customer_rewards: HashMap<LeadId, CustomerReward>,
    /// Leads, and referrers of whom staff voided what they had earned with them.
    pub voided_by_staff: HashSet<(LeadId, ReferrerId)>,
    pub inbox: HashMap<InboxItemId, InboxItem>,
    /// Valid touches, of leads that become one.
    pub touches: HashMap<TouchId, Touched>,
    /// The touches of that lead: look-up forms of codes, and enrollments of touches without a code.
    pub touched_by: HashSet<(LeadId, String)>,
    /// There is more than is looked at in one go: nothing is to be decided on these.
    pub is_part: bool,
}

impl Facts {
    /// A lead of the business in whose name something happens.
    pub fn lead(&self, by: &By, id: LeadId) -> Decided<&Lead> {
        self.leads.get(&id).filter(|l| l.business_id == by.business_id).ok_or(Rejected::NotFound)
    }

    pub fn payment(&self, by: &By, id: PaymentId) -> Decided<&Paid> {
        self.payments.get(&id).filter(|p| p.business_id == by.business_id).ok_or(Rejected::NotFound)
    }

    pub fn commission(&self, by: &By, id: CommissionId) -> Decided<&Commission> {
        self.commissions.get(&id).filter(|c| c.business_id == by.business_id).ok_or(Rejected::NotFound)
    }

    pub fn item(&self, by: &By, id: InboxItemId) -> Decided<&InboxItem> {
        self.inbox.get(&id).filter(|i| i.business_id == by.business_id).ok_or(Rejected::NotFound)
    }

    /// Proves that a product that an event carries is of the business, and sold under the campaign it says.
    pub fn prove(&self, by: &By, of: ProductScope) -> Decided<()> {
        let known = self.products.get(&of.product_id);
        let fits = |p: &&Product| p.business_id == by.business_id && p.campaign_id == of.scope.campaign_id;
        known.filter(fits).map(|_| ()).ok_or(Rejected::NotFound)
    }

    pub fn add_lead(&mut self, lead: Lead) {
        if let Some(id) = &lead.external_id {
            self.lead_by_external_id.insert((lead.scope(), id.clone()), lead.id);
        }
        if lead.duplicate_of.is_none() {
            let scope = lead.scope();
            if let Some(email) = &lead.email_key {
                self.lead_by_email.insert((scope, email.clone()), lead.id);
            }
            if let Some(phone) = &lead.phone_key {
                let same = self.leads_by_phone.entry((scope, phone.clone())).or_default();
                if !same.contains(&lead.id) {
                    same.push(lead.id);
                    same.sort_unstable();
                }
            }
        }
        self.leads.insert(lead.id, lead);
    }

    /// A lead is no longer found by these contacts; another lead that has them is.
    pub fn forget_contacts(&mut self, lead: &Lead) {
        let at = |contact: &String| (lead.scope(), contact.clone());
        if let Some(key) = lead.external_id.as_ref().map(at)
            && self.lead_by_external_id.get(&key) == Some(&lead.id)
        {
            self.lead_by_external_id.remove(&key);
        }
        if let Some(key) = lead.email_key.as_ref().map(at)
            && self.lead_by_email.get(&key) == Some(&lead.id)
        {
            self.lead_by_email.remove(&key);
        }
        if let Some(same) = lead.phone_key.as_ref().map(at).and_then(|key| self.leads_by_phone.get_mut(&key)) {
            same.retain(|id| *id != lead.id);
        }
    }

    /// The primary lead of a contact: by e-mail address; by phone only one that has no address of its own
    /// (or where no address is given).
    pub fn find_lead(&self, scope: Scope, email: Option<&str>, phone: Option<&str>) -> Option<LeadId> {
        if let Some(email) = email
            && let Some(id) = self.lead_by_email.get(&(scope, email.to_owned()))
        {
            return Some(*id);
        }
        let same_phone = self.leads_by_phone.get(&(scope, phone?.to_owned()))?;
        same_phone
            .iter()
            .copied()
            .find(|id| email.is_none() || self.leads.get(id).is_some_and(|l| l.email_key.is_none()))
    }

    pub fn add_payment(&mut self, payment: Paid) {
        let id = payment.id;
        let date = (payment.product_id, payment.test, payment.email_key.clone(), payment.payment_date);
        let earliest = self.payment_by_date.entry(date).or_insert(id);
        *earliest = (*earliest).min(id);
        self.payments.insert(id, payment);
    }

    /// The payment that has the first of these names that one has.
    pub fn payment_named(&self, business_id: BusinessId, test: bool, names: &[PaymentName]) -> Option<&Paid> {
        let id = |name: &PaymentName| self.payment_by_name.get(&(business_id, test, name.clone()));
        self.payments.get(names.iter().find_map(id)?)
    }

    pub fn add_refund(&mut self, refund: RefundRow) {
        let identity = (refund.business_id, refund.test, refund.identity.clone());
        self.refund_by_identity.insert(identity, refund.id);
        self.refunds.insert(refund.id, refund);
    }

    /// The applied refunds of a payment, oldest first.
    pub fn refunds_of(&self, payment_id: PaymentId) -> Vec<&RefundRow> {
        let mut found: Vec<&RefundRow> = self.refunds.values().filter(|r| r.payment_id == Some(payment_id)).collect();
        found.retain(|r| r.state == RefundState::Applied);
        found.sort_by_key(|r| (r.received_at, r.id));
        found
    }

    /// The payments that may be meant, oldest first: one, unless they are named by their day.
    pub fn payments_named(&self, sought: &SoughtPayment) -> Vec<&Paid> {
        let (business_id, test) = (sought.business_id, sought.test);
        let mut found: Vec<&Paid> = match &sought.by {
            SoughtBy::Names(names) => self.payment_named(business_id, test, names).into_iter().collect(),
            SoughtBy::Commission(id) => {
                let payment = self.commissions.get(id).and_then(|c| c.payment_id);
                payment.and_then(|id| self.payments.get(&id)).into_iter().collect()
            }
            SoughtBy::Id(id) => self.payments.get(id).into_iter().collect(),
            SoughtBy::Day(of, email_key, day) => {
                let lead = self.find_lead(of.scope, Some(email_key), None);
                let of_them = |p: &&Paid| p.email_key == *email_key || (lead.is_some() && p.lead_id == lead);
                let of_day = |p: &&Paid| p.product_id == of.product_id && p.payment_date == *day;
                self.payments.values().filter(of_day).filter(of_them).collect()
            }
        };
        found.retain(|p| p.business_id == business_id && p.test == test);
        found.sort_by_key(|p| (p.received_at, p.id));
        found
    }

    pub fn add_code(&mut self, code: Code) {
        self.code_by_lookup.insert((code.business_id, code.lookup.clone()), code.id);
        if code.kind == CodeKind::Generated {
            self.code_by_repaired.insert((code.business_id, code.repaired.clone()), code.id);
        }
        self.codes.insert(code.id, code);
    }

    pub fn add_enrollment(&mut self, enrollment: Enrollment) {
        self.enrollment_of.insert((enrollment.campaign_id, enrollment.referrer_id), enrollment.id);
        self.enrollments.insert(enrollment.id, enrollment);
    }

    /// The enrollment that a lead is attributed to.
    pub fn enrollment_of_lead(&self, lead: &Lead) -> Option<&Enrollment> {
        self.enrollments.get(&lead.enrollment_id?)
    }

    /// A draft takes test data only.
    pub fn is_draft(&self, campaign_id: CampaignId) -> bool {
        self.campaigns.get(&campaign_id).is_some_and(|c| c.state == CampaignState::Draft)
    }

    pub fn zone(&self, business_id: BusinessId) -> Zone {
        self.businesses.get(&business_id).and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default()
    }

    /// The version in force on a day; days before the first version fall under the first.
    pub fn terms_on(&self, product_id: ProductId, day: Day) -> Option<&Terms> {
        let versions = self.terms.get(&product_id)?;
        versions
            .iter()
            .filter(|t| t.valid_from <= day)
            .max_by_key(|t| (t.valid_from, t.number))
            .or_else(|| versions.first())
    }

    /// The commission of a payment that a referrer has, void ones too.
    pub fn commission_of(&self, payment_id: PaymentId, referrer_id: ReferrerId) -> Option<&Commission> {
        self.commissions.values().find(|c| c.payment_id == Some(payment_id) && c.referrer_id == referrer_id)
    }

    /// The commissions of a payment, oldest first.
    pub fn commissions_of(&self, payment_id: PaymentId) -> Vec<&Commission> {
        let mut found: Vec<_> = self.commissions.values().filter(|c| c.payment_id == Some(payment_id)).collect();
        found.sort_by_key(|c| c.id);
        found
    }

    /// The commission that a payment's answer names.
    pub fn standing_commission(&self, payment_id: PaymentId) -> Option<&Commission> {
        let of_payment = self.commissions.values().filter(|c| c.payment_id == Some(payment_id));
        of_payment.min_by_key(|c| (c.is_void(), c.id))
    }

    pub fn is_disputed(&self, c: &Commission) -> bool {
        c.payment_id.and_then(|id| self.payments.get(&id)).is_some_and(|p| p.disputed_at.is_some())
    }

    /// The account that a commission's amount is on while no payout has it: due once it is approved, unless its
    /// payment is disputed.
    pub fn account_of(&self, c: &Commission) -> Account {
        if c.state == CommissionState::Approved && !self.is_disputed(c) { Account::Due } else { Account::Held }
    }

    pub fn live_reward(&self, lead_id: LeadId) -> Option<&Commission> {
        let of_lead = |c: &&Commission| c.lead_id == lead_id && c.kind == CommissionKind::Reward;
        self.commissions.values().filter(of_lead).find(|c| !c.is_void() && c.reversed_at.is_none())
    }
}

/// The amount of one currency in a JSON map of currency to minor units.
pub fn in_currency(map: &str, currency: Currency) -> Option<i64> {
    serde_json::from_str::<Map<String, Json>>(map).ok()?.get(currency.code())?.as_i64()
}

/// As [`in_currency`], but a map without that currency gives its first amount: a reward has no
/// payment whose currency it would have to take.
pub fn in_currency_or_first(map: &str, currency: Currency) -> Option<(Currency, i64)> {
    let map = serde_json::from_str::<Map<String, Json>>(map).ok()?;
    let code = if map.contains_key(currency.code()) { currency.code() } else { map.keys().next()?.as_str() };
    Some((Currency::parse(code).ok()?, map.get(code)?.as_i64()?))
}
