//! One slice in progress: the facts as they are by now, and what has been decided, ready to be written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::event::Refusal;
use super::facts::{Cancelled, Commission, Facts, Lead, Paid, RefundRow, SignedUp};
use crate::audit::NewEntry;
use crate::clock::{Day, Instant};
use crate::counters;

#[derive(Debug)]
pub struct Touch {
    pub id: i64,
    pub business_id: i64,
    pub lead_id: i64,
    pub kind: &'static str,
    pub code_id: Option<i64>,
    pub code_text: Option<String>,
    pub referrer_id: Option<i64>,
    pub enrollment_id: Option<i64>,
    pub refused: Option<Refusal>,
    pub reason: Option<String>,
    pub user_id: Option<i64>,
}

#[derive(Debug)]
pub struct Entry {
    pub id: i64,
    pub business_id: i64,
    pub referrer_id: i64,
    pub currency: String,
    pub account: &'static str,
    pub amount: i64,
    pub kind: &'static str,
    pub commission_id: i64,
    pub day: Day,
}

#[derive(Debug)]
pub struct NewInboxItem {
    pub id: i64,
    pub business_id: i64,
    pub campaign_id: i64,
    pub kind: &'static str,
    pub cause: String,
    pub detail: Json,
    pub lead_id: Option<i64>,
    pub payment_id: Option<i64>,
    pub referrer_id: Option<i64>,
    pub touch_id: Option<i64>,
}

#[derive(Debug)]
pub struct Message {
    pub id: i64,
    pub business_id: i64,
    pub test: bool,
    pub kind: &'static str,
    pub subject_id: i64,
    pub payload: Json,
}

/// What the slice has decided, ready to be written set-wise.
#[derive(Debug, Default)]
pub struct Writes {
    pub new_leads: BTreeSet<i64>,
    /// Each as it was loaded.
    pub changed_leads: BTreeMap<i64, Lead>,
    pub touches: Vec<Touch>,
    /// Touches that counted until something was known of them.
    pub refused_touches: Vec<(i64, Refusal)>,
    pub sign_ups: Vec<i64>,
    pub new_sign_ups: Vec<SignedUp>,
    pub new_payments: BTreeSet<i64>,
    pub changed_payments: BTreeSet<i64>,
    /// Those of them that are disputed now, or are not any more.
    pub marked_payments: BTreeSet<i64>,
    pub new_refunds: BTreeSet<i64>,
    /// Parked ones that were decided.
    pub decided_refunds: BTreeSet<i64>,
    pub cancellations: Vec<Cancelled>,
    pub purchases: BTreeSet<(i64, i64)>,
    pub new_commissions: BTreeSet<i64>,
    pub changed_commissions: BTreeSet<i64>,
    /// What refunds took off commissions that were there.
    pub reduced: BTreeMap<i64, i64>,
    /// Approved commissions whose amount a dispute, or its end, moved, and to which account.
    pub moved: BTreeMap<i64, &'static str>,
    pub entries: Vec<Entry>,
    pub inbox: Vec<NewInboxItem>,
    /// (item, state, outcome)
    pub closed_items: Vec<(i64, &'static str, String, Option<i64>)>,
    pub reopened_items: Vec<i64>,
    pub audit: Vec<NewEntry>,
    pub outbox: Vec<Message>,
    /// (scope, name, day) to the change.
    pub counters: BTreeMap<(i64, String, String), i64>,
    /// Touches and payments that move from a merged duplicate to its primary.
    pub merged: Vec<(i64, i64)>,
}

/// When a row is changed, for its version: later than before, whatever the clocks of nodes say.
fn newer(now: Instant, before: i64) -> i64 {
    now.micros().max(before + 1)
}

/// One slice in progress: facts, writes, the time and the ids it may use.
pub struct Work {
    pub facts: Facts,
    pub writes: Writes,
    pub now: Instant,
    ids: std::ops::Range<i64>,
    ran_out: bool,
}

impl Work {
    pub fn new(facts: Facts, now: Instant, ids: std::ops::Range<i64>) -> Self {
        Self { facts, writes: Writes::default(), now, ids, ran_out: false }
    }

    /// The next id of the run. When it is used up the slice is run again with a longer one, so the
    /// number given then is never written.
    pub fn id(&mut self) -> i64 {
        self.ids.next().unwrap_or_else(|| {
            self.ran_out = true;
            0
        })
    }

    /// The ids that were not used.
    pub fn ids_left(&self) -> std::ops::Range<i64> {
        self.ids.clone()
    }

    pub fn ran_out(&self) -> bool {
        self.ran_out
    }

    pub fn today(&self, business_id: i64) -> Day {
        self.facts.zone(business_id).day_of(self.now)
    }

    /// A lead to change; it will be written.
    pub fn lead_mut(&mut self, id: i64) -> Option<&mut Lead> {
        let lead = self.facts.leads.get_mut(&id)?;
        if !self.writes.new_leads.contains(&id) && !self.writes.changed_leads.contains_key(&id) {
            self.writes.changed_leads.insert(id, lead.clone());
            lead.updated_at = newer(self.now, lead.updated_at);
        }
        Some(lead)
    }

    pub fn commission_mut(&mut self, id: i64) -> Option<&mut Commission> {
        let commission = self.facts.commissions.get_mut(&id)?;
        if !self.writes.new_commissions.contains(&id) && self.writes.changed_commissions.insert(id) {
            commission.updated_at = newer(self.now, commission.updated_at);
        }
        Some(commission)
    }

    pub fn payment_mut(&mut self, id: i64) -> Option<&mut Paid> {
        let payment = self.facts.payments.get_mut(&id)?;
        if !self.writes.new_payments.contains(&id) {
            self.writes.changed_payments.insert(id);
        }
        Some(payment)
    }

    /// A touch that counted does not any more.
    pub fn refuse_touch(&mut self, id: i64, why: Refusal) {
        match self.writes.touches.iter_mut().find(|t| t.id == id) {
            Some(new) => new.refused = Some(why),
            None => self.writes.refused_touches.push((id, why)),
        }
    }

    /// A parked refund to decide.
    pub fn refund_mut(&mut self, id: i64) -> Option<&mut RefundRow> {
        let refund = self.facts.refunds.get_mut(&id)?;
        if !self.writes.new_refunds.contains(&id) {
            self.writes.decided_refunds.insert(id);
        }
        Some(refund)
    }

    /// Counts, for a day and for ever. Test rows are never counted.
    pub fn count(&mut self, scope: i64, name: impl Into<String>, day: Option<Day>, by: i64) {
        let name = name.into();
        if let Some(day) = day {
            *self.writes.counters.entry((scope, name.clone(), day.to_string())).or_default() += by;
        }
        *self.writes.counters.entry((scope, name, String::new())).or_default() += by;
    }

    /// Counts for lists by page number, under the day somebody came.
    pub fn count_came(&mut self, scope: i64, name: &str, created_at: i64, by: i64) {
        for day in [crate::counters::came(created_at), String::new()] {
            *self.writes.counters.entry((scope, name.to_owned(), day)).or_default() += by;
        }
    }

    /// Counts what lists by page number tell, when everything is decided: a lead as it was loaded against
    /// the lead as it is now, whoever changed it.
    pub fn count_listed(&mut self) {
        let mut listed: Vec<(i64, String, i64)> = Vec::new();
        let mut note = |lead: &Lead, by: i64| {
            if !lead.test && lead.archived_at.is_none() {
                listed.push((lead.business_id, counters::listed(&lead.status), by));
                let of_source = lead.source.as_ref().map(|source| counters::listed_from(&lead.status, source));
                listed.extend(of_source.map(|name| (lead.business_id, name, by)));
            }
        };
        for (id, before) in &self.writes.changed_leads {
            let Some(after) = self.facts.leads.get(id) else { continue };
            let counted = |l: &Lead| (l.status.clone(), l.source.clone(), l.archived_at.is_none());
            if counted(before) != counted(after) {
                note(before, -1);
                note(after, 1);
            }
        }
        for lead in self.writes.new_leads.iter().filter_map(|id| self.facts.leads.get(id)) {
            note(lead, 1);
        }
        for (business_id, name, by) in listed {
            self.count(business_id, name, None, by);
        }
    }

    /// A signed amount on one of a commission's accounts; nothing for 0 or for test rows.
    pub fn post(&mut self, commission_id: i64, account: &'static str, amount: i64, kind: &'static str) {
        let Some(c) = self.facts.commissions.get(&commission_id) else { return };
        if c.test || amount == 0 {
            return;
        }
        let (business_id, referrer_id, currency) = (c.business_id, c.referrer_id, c.currency.clone());
        let (campaign_id, day) = (c.campaign_id, self.today(business_id));
        let id = self.id();
        self.count(campaign_id, format!("money.{account}.{currency}"), None, amount);
        self.writes.entries.push(Entry {
            id,
            business_id,
            referrer_id,
            currency,
            account,
            amount,
            kind,
            commission_id,
            day,
        });
    }

    pub fn tell(&mut self, business_id: i64, test: bool, kind: &'static str, subject_id: i64, payload: Json) {
        let id = self.id();
        self.writes.outbox.push(Message { id, business_id, test, kind, subject_id, payload });
    }
}
