//! What a slice needs to know.
//!
//! [`Facts`] is loaded set-wise before deciding and then changed in memory as the events of the slice
//! are folded over it, so that two events on one lead in one slice see each other. Nothing here does I/O.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::event::{Refund, RefundOf, Status, paid_on};
use crate::clock::Zone;
use crate::row;

row! {
    #[derive(Debug, Clone)]
    pub struct Business {
        pub id: i64,
        pub timezone: String,
        pub currency: String,
        /// Whether any refund waits for its payment: only then are they looked for.
        pub parked: bool,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Campaign {
        pub id: i64,
        pub business_id: i64,
        pub state: String,
        pub qualify_on: String,
        pub qualify_least: String,
        pub reward: String,
        pub reward_hold_days: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Product {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub test: bool,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Terms {
        pub id: i64,
        pub product_id: i64,
        pub number: i64,
        pub valid_from: String,
        pub referral_rate: Option<i64>,
        pub referral_flat: Option<String>,
        pub recurring_rate: Option<i64>,
        pub recurring_flat: Option<String>,
        pub recurring_limit: String,
        pub recurring_count: i64,
        pub hold_days: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Code {
        pub id: i64,
        pub business_id: i64,
        pub enrollment_id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub lookup: String,
        pub repaired: String,
        pub kind: String,
        pub state: String,
    }
}

row! {
    /// An enrollment with what its referrer is reached by.
    #[derive(Debug, Clone)]
    pub struct Enrollment {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub referrer_id: i64,
        pub state: String,
        pub archived: bool,
        pub email_key: Option<String>,
        pub phone_key: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone, PartialEq)]
    pub struct Lead {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub test: bool,
        pub name: String,
        pub email: Option<String>,
        pub email_key: Option<String>,
        pub phone: Option<String>,
        pub phone_key: Option<String>,
        pub company: Option<String>,
        pub jobtitle: Option<String>,
        pub industry: Option<String>,
        pub website: Option<String>,
        pub request: Option<String>,
        pub budget: Option<String>,
        pub country: Option<String>,
        pub region: Option<String>,
        pub address: Option<String>,
        pub source: Option<String>,
        pub source_origin: String,
        pub status: String,
        pub status_before: Option<String>,
        pub active: bool,
        pub duplicate_of: Option<i64>,
        pub qualified_at: Option<i64>,
        pub converted_at: Option<i64>,
        pub arrival: Option<String>,
        pub referrer_id: Option<i64>,
        pub enrollment_id: Option<i64>,
        pub code_id: Option<i64>,
        pub touch_id: Option<i64>,
        pub rule_fired: bool,
        pub recorded_by: Option<i64>,
        pub created_at: i64,
        pub updated_at: i64,
        pub archived_at: Option<i64>,
    }
}

impl Lead {
    pub fn status(&self) -> Status {
        Status::parse(&self.status).unwrap_or(Status::New)
    }
    /// Whether another state of this lead differs in its progress alone, which is what events change.
    pub fn only_progressed(&self, to: &Self) -> bool {
        let progressed = Self {
            status: to.status.clone(),
            status_before: to.status_before.clone(),
            qualified_at: to.qualified_at,
            converted_at: to.converted_at,
            rule_fired: to.rule_fired,
            updated_at: to.updated_at,
            ..self.clone()
        };
        progressed == *to
    }
    /// What the person lock of this lead is taken on.
    pub fn contact_keys(&self) -> impl Iterator<Item = &str> {
        self.email_key.as_deref().into_iter().chain(self.phone_key.as_deref())
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct SignedUp {
        pub id: i64,
        pub business_id: i64,
        pub product_id: i64,
        pub test: bool,
        pub email_key: String,
        pub lead_id: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Paid {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub product_id: i64,
        pub test: bool,
        pub lead_id: Option<i64>,
        pub email: String,
        pub email_key: String,
        pub amount: i64,
        pub currency: String,
        pub subscription_status: String,
        pub payment_date: String,
        pub identity: String,
        pub body_hash: String,
        pub decision: String,
        pub decision_why: String,
        pub repeats: i64,
        pub disputed_at: Option<i64>,
        pub refunded: i64,
        pub received_at: i64,
    }
}

impl Paid {
    pub fn left(&self) -> i64 {
        self.amount - self.refunded
    }

    /// What a refund that came before it may have named it by.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let day = paid_on(self.product_id, &self.email_key, &self.payment_date);
        parked_name(&self.identity).into_iter().chain([day])
    }
}

/// What a refund names a payment of this identity by: its event id, else its invoice id.
pub fn parked_name(identity: &str) -> Option<String> {
    let id = ["event:", "invoice:"].iter().find_map(|kind| identity.strip_prefix(kind))?;
    Some(format!("event:{id}"))
}

row! {
    #[derive(Debug, Clone)]
    pub struct RefundRow {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub product_id: i64,
        pub test: bool,
        pub email: String,
        pub email_key: String,
        pub named: String,
        pub payment_id: Option<i64>,
        pub asked: Option<i64>,
        pub amount: Option<i64>,
        pub currency: Option<String>,
        pub refund_date: String,
        pub identity: String,
        pub body_hash: String,
        pub state: String,
        pub why: Option<String>,
        pub received_at: i64,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Cancelled {
        pub id: i64,
        pub business_id: i64,
        pub product_id: i64,
        pub test: bool,
        pub lead_id: i64,
        pub day: String,
        pub identity: String,
        pub body_hash: String,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Purchase {
        pub lead_id: i64,
        pub product_id: i64,
        pub first_payment_id: Option<i64>,
        pub first_payment_date: Option<String>,
        pub decided: i64,
        pub subscription_status: String,
        pub paid_on: Option<String>,
        pub cancelled_on: Option<String>,
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct Commission {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: i64,
        pub test: bool,
        pub kind: String,
        pub product_id: Option<i64>,
        pub payment_id: Option<i64>,
        pub lead_id: i64,
        pub referrer_id: i64,
        pub enrollment_id: i64,
        pub terms_id: Option<i64>,
        pub terms_number: Option<i64>,
        pub rate: Option<i64>,
        pub flat: Option<i64>,
        pub base_amount: i64,
        pub amount: i64,
        pub currency: String,
        pub hold_days: i64,
        pub hold_until: String,
        pub state: String,
        pub reason: Option<String>,
        pub released: bool,
        pub reversed_at: Option<i64>,
        pub taken_back: i64,
        pub created_at: i64,
        pub updated_at: i64,
    }
}

impl Commission {
    pub fn is_unpaid(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "approved")
    }
}

row! {
    #[derive(Debug, Clone)]
    pub struct InboxItem {
        pub id: i64,
        pub business_id: i64,
        pub campaign_id: Option<i64>,
        pub kind: String,
        pub state: String,
        pub cause: String,
        pub detail: String,
        pub lead_id: Option<i64>,
        pub payment_id: Option<i64>,
        pub referrer_id: Option<i64>,
        pub touch_id: Option<i64>,
    }
}

row! {
    /// When and how a lead came by its referrer.
    #[derive(Debug, Clone)]
    pub struct Counting {
        pub id: i64,
        pub kind: String,
        pub at: i64,
    }
}

/// One e-mail address or phone number as one campaign and mode sees it.
pub type Contactable = (i64, bool, String);

#[derive(Debug, Default)]
pub struct Facts {
    pub businesses: HashMap<i64, Business>,
    pub campaigns: HashMap<i64, Campaign>,
    pub products: HashMap<i64, Product>,
    /// By product, oldest number first.
    pub terms: HashMap<i64, Vec<Terms>>,
    pub codes: HashMap<i64, Code>,
    /// (business, look-up form), and (business, repaired form) of generated codes.
    pub code_by_lookup: HashMap<(i64, String), i64>,
    pub code_by_repaired: HashMap<(i64, String), i64>,
    pub enrollments: HashMap<i64, Enrollment>,
    /// (campaign, referrer)
    pub enrollment_of: HashMap<(i64, i64), i64>,
    pub leads: HashMap<i64, Lead>,
    /// Primary leads only.
    pub lead_by_email: HashMap<Contactable, i64>,
    /// Primary leads, oldest first.
    pub leads_by_phone: HashMap<Contactable, Vec<i64>>,
    /// (product, test, e-mail)
    pub sign_ups: HashMap<(i64, bool, String), SignedUp>,
    pub payments: HashMap<i64, Paid>,
    /// (business, test, identity)
    pub payment_by_identity: HashMap<(i64, bool, String), i64>,
    /// (product, test, e-mail, date): the earliest one.
    pub payment_by_date: HashMap<(i64, bool, String, String), i64>,
    pub refunds: HashMap<i64, RefundRow>,
    /// (business, test, identity)
    pub refund_by_identity: HashMap<(i64, bool, String), i64>,
    /// (business, test, identity)
    pub cancellations: HashMap<(i64, bool, String), Cancelled>,
    pub purchases: HashMap<(i64, i64), Purchase>,
    pub commissions: HashMap<i64, Commission>,
    pub inbox: HashMap<i64, InboxItem>,
    /// Touches that count, of leads that become one.
    pub counting: HashMap<i64, Counting>,
    /// (lead, look-up form) of codes that lead has a touch of; enrollments of touches without a code.
    pub touched_by: HashSet<(i64, String)>,
    /// There is more than is looked at in one go: nothing is to be decided on these.
    pub is_part: bool,
}

impl Facts {
    pub fn add_lead(&mut self, lead: Lead) {
        if lead.duplicate_of.is_none() {
            if let Some(email) = &lead.email_key {
                self.lead_by_email.insert((lead.campaign_id, lead.test, email.clone()), lead.id);
            }
            if let Some(phone) = &lead.phone_key {
                let same = self.leads_by_phone.entry((lead.campaign_id, lead.test, phone.clone())).or_default();
                if !same.contains(&lead.id) {
                    same.push(lead.id);
                    same.sort_unstable();
                }
            }
        }
        self.leads.insert(lead.id, lead);
    }

    /// A lead is not found by these contacts any more; whoever else has them is.
    pub fn forget_contacts(&mut self, lead: &Lead) {
        let at = |contact: &String| (lead.campaign_id, lead.test, contact.clone());
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
    pub fn find_lead(&self, campaign_id: i64, test: bool, email: Option<&str>, phone: Option<&str>) -> Option<i64> {
        if let Some(email) = email
            && let Some(id) = self.lead_by_email.get(&(campaign_id, test, email.to_owned()))
        {
            return Some(*id);
        }
        let same_phone = self.leads_by_phone.get(&(campaign_id, test, phone?.to_owned()))?;
        same_phone
            .iter()
            .copied()
            .find(|id| email.is_none() || self.leads.get(id).is_some_and(|l| l.email_key.is_none()))
    }

    pub fn add_payment(&mut self, payment: Paid) {
        let id = payment.id;
        let identity = (payment.business_id, payment.test, payment.identity.clone());
        self.payment_by_identity.insert(identity, id);
        let date = (payment.product_id, payment.test, payment.email_key.clone(), payment.payment_date.clone());
        let earliest = self.payment_by_date.entry(date).or_insert(id);
        *earliest = (*earliest).min(id);
        self.payments.insert(id, payment);
    }

    pub fn add_refund(&mut self, refund: RefundRow) {
        let identity = (refund.business_id, refund.test, refund.identity.clone());
        self.refund_by_identity.insert(identity, refund.id);
        self.refunds.insert(refund.id, refund);
    }

    /// The applied refunds of a payment, oldest first.
    pub fn refunds_of(&self, payment_id: i64) -> Vec<&RefundRow> {
        let mut found: Vec<&RefundRow> = self.refunds.values().filter(|r| r.payment_id == Some(payment_id)).collect();
        found.retain(|r| r.state == "applied");
        found.sort_by_key(|r| (r.received_at, r.id));
        found
    }

    /// The payments a refund may be of, oldest first: one, unless it names them by their day.
    pub fn payments_named(&self, business_id: i64, test: bool, refund: &Refund) -> Vec<&Paid> {
        let by_identity =
            |id: String| self.payment_by_identity.get(&(business_id, test, id)).and_then(|id| self.payments.get(id));
        let mut found: Vec<&Paid> = match &refund.of {
            RefundOf::Event(id) => by_identity(format!("event:{id}"))
                .or_else(|| by_identity(format!("invoice:{id}")))
                .into_iter()
                .collect(),
            RefundOf::Commission(id) => {
                let payment = self.commissions.get(id).and_then(|c| c.payment_id);
                payment.and_then(|id| self.payments.get(&id)).into_iter().collect()
            }
            RefundOf::Payment(id) => self.payments.get(id).into_iter().collect(),
            RefundOf::Date(day) => {
                let (day, email) = (day.to_string(), refund.email.key());
                let product = self.products.get(&refund.product_id);
                let lead = product.and_then(|p| self.find_lead(p.campaign_id, test, Some(email), None));
                let of_them = |p: &&Paid| p.email_key == email || (lead.is_some() && p.lead_id == lead);
                let of_day = |p: &&Paid| p.product_id == refund.product_id && p.payment_date == day;
                self.payments.values().filter(of_day).filter(of_them).collect()
            }
        };
        found.retain(|p| p.business_id == business_id && p.test == test);
        found.sort_by_key(|p| (p.received_at, p.id));
        found
    }

    pub fn add_code(&mut self, code: Code) {
        self.code_by_lookup.insert((code.business_id, code.lookup.clone()), code.id);
        if code.kind == "generated" {
            self.code_by_repaired.insert((code.business_id, code.repaired.clone()), code.id);
        }
        self.codes.insert(code.id, code);
    }

    pub fn add_enrollment(&mut self, enrollment: Enrollment) {
        self.enrollment_of.insert((enrollment.campaign_id, enrollment.referrer_id), enrollment.id);
        self.enrollments.insert(enrollment.id, enrollment);
    }

    /// A draft takes test data only.
    pub fn is_draft(&self, campaign_id: i64) -> bool {
        self.campaigns.get(&campaign_id).is_some_and(|c| c.state == "draft")
    }

    pub fn zone(&self, business_id: i64) -> Zone {
        self.businesses.get(&business_id).and_then(|b| Zone::parse(&b.timezone).ok()).unwrap_or_default()
    }

    /// The version in force on a day; days before the first version fall under the first.
    pub fn terms_on(&self, product_id: i64, day: &str) -> Option<&Terms> {
        let versions = self.terms.get(&product_id)?;
        versions
            .iter()
            .filter(|t| t.valid_from.as_str() <= day)
            .max_by_key(|t| (t.valid_from.as_str(), t.number))
            .or_else(|| versions.first())
    }

    /// The commission of a payment that a referrer has, void ones too.
    pub fn commission_of(&self, payment_id: i64, referrer_id: i64) -> Option<&Commission> {
        self.commissions.values().find(|c| c.payment_id == Some(payment_id) && c.referrer_id == referrer_id)
    }

    /// The commission a payment's answer speaks of.
    pub fn standing_commission(&self, payment_id: i64) -> Option<&Commission> {
        self.commissions.values().filter(|c| c.payment_id == Some(payment_id)).min_by_key(|c| (c.state == "void", c.id))
    }

    pub fn is_disputed(&self, c: &Commission) -> bool {
        c.payment_id.and_then(|id| self.payments.get(&id)).is_some_and(|p| p.disputed_at.is_some())
    }

    /// The account that an unpaid commission stands on: due once it is approved, unless its payment is disputed.
    pub fn account_of(&self, c: &Commission) -> &'static str {
        if c.state == "approved" && !self.is_disputed(c) { "due" } else { "held" }
    }

    pub fn live_reward(&self, lead_id: i64) -> Option<&Commission> {
        self.commissions
            .values()
            .find(|c| c.lead_id == lead_id && c.kind == "reward" && c.state != "void" && c.reversed_at.is_none())
    }
}

/// The amount of one currency in a JSON map of currency to minor units.
pub fn in_currency(map: &str, currency: &str) -> Option<i64> {
    serde_json::from_str::<Map<String, Json>>(map).ok()?.get(currency)?.as_i64()
}

/// As [`in_currency`], but a map without that currency gives its first amount: a reward has no
/// payment whose currency it would have to take.
pub fn in_currency_or_first(map: &str, currency: &str) -> Option<(String, i64)> {
    let map = serde_json::from_str::<Map<String, Json>>(map).ok()?;
    let code = if map.contains_key(currency) { currency } else { map.keys().next()? };
    Some((code.to_owned(), map.get(code)?.as_i64()?))
}
