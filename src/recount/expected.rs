//! The counters that the rows of a business should have, by the rules of the engine.

use std::collections::BTreeMap;

use super::store::{self, Lead, Sum};
use crate::clock::{Instant, Zone};
use crate::counters::{self, USERS_LEADS};
use crate::db::{Conn, DbResult};

/// Leads read at a time.
const STEP: i64 = 10_000;

/// (scope, name, day), as the table of counters has it.
pub type Name = (i64, String, String);

/// The findings of one snapshot.
#[derive(Default)]
pub struct Expected {
    pub counters: BTreeMap<Name, i64>,
    /// By enrollment, the time of its last lead.
    pub last_lead: BTreeMap<i64, i64>,
}

impl Expected {
    pub async fn of(conn: &mut Conn, business_id: i64, zone: Zone) -> DbResult<Self> {
        let mut all = Self::default();
        for campaign_id in store::campaigns(conn, business_id).await? {
            let mut behind = (i64::MIN, 0);
            loop {
                let some = store::leads(conn, campaign_id, behind, STEP).await?;
                let Some(last) = some.last() else { break };
                behind = (last.created_at, last.id);
                some.iter().for_each(|lead| all.lead(business_id, campaign_id, zone, lead));
            }
        }
        all.with_total(store::people(conn, business_id).await?);
        all.with_total(store::revenue(conn, business_id).await?);
        for sum in store::money(conn, business_id).await? {
            all.add(sum.scope_id, sum.name, sum.day, sum.value);
        }
        Ok(all)
    }

    fn add(&mut self, scope: i64, name: impl Into<String>, day: impl Into<String>, by: i64) {
        *self.counters.entry((scope, name.into(), day.into())).or_default() += by;
    }

    fn with_total(&mut self, sums: Vec<Sum>) {
        for sum in sums {
            self.add(sum.scope_id, sum.name.clone(), "", sum.value);
            self.add(sum.scope_id, sum.name, sum.day, sum.value);
        }
    }

    /// Lists leave archived leads out, and figures have them.
    fn lead(&mut self, business: i64, campaign: i64, zone: Zone, lead: &Lead) {
        let day_of = |at: i64| zone.day_of(Instant::from_micros(at)).to_string();
        let created = day_of(lead.created_at);
        if lead.archived_at.is_none() {
            self.add(campaign, "leads", "", 1);
            self.add(campaign, "leads", created.as_str(), 1);
            self.add(campaign, USERS_LEADS, "", 1);
            self.add(campaign, USERS_LEADS, counters::came(lead.created_at), 1);
            self.add(campaign, format!("leads.status.{}", lead.status), "", 1);
            self.add(business, counters::listed(&lead.status), "", 1);
            if let Some(source) = &lead.source {
                self.add(business, counters::listed_from(&lead.status, source), "", 1);
            }
        }
        if let Some(arrival) = &lead.arrival {
            let name = format!("leads.arrival.{arrival}");
            self.add(campaign, name.as_str(), "", 1);
            self.add(campaign, name, created, 1);
        }
        if let Some(at) = lead.qualified_at {
            self.add(campaign, "qualified", "", 1);
            self.add(campaign, "qualified", day_of(at), 1);
        }
        if let Some(scope) = lead.code_id.or(lead.enrollment_id) {
            self.add(scope, "leads", "", 1);
            if lead.qualified_at.is_some() {
                self.add(scope, "qualified", "", 1);
            }
        }
        if let Some(enrollment) = lead.enrollment_id {
            let last = self.last_lead.entry(enrollment).or_default();
            *last = lead.created_at.max(*last);
        }
    }
}
