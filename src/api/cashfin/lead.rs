//! A lead as this contract shows one.

use schemars::JsonSchema;
use serde::Serialize;

use super::Cashfin;
use crate::api::facts::Shown;
use crate::clock::Instant;
use crate::id;
use crate::leads::LeadRow;

/// A lead.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CfLead")]
pub struct Lead {
    /// Its id: 24 hex digits.
    #[serde(rename = "_id")]
    id: String,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    #[serde(flatten)]
    facts: Shown<Cashfin>,
    /// new, contacted, qualified, converted or lost
    status: String,
    /// api or dashboard
    sourceorigin: String,
    active: bool,
    createdat: String,
    updatedat: String,
}

impl From<LeadRow> for Lead {
    fn from(lead: LeadRow) -> Self {
        let at = |micros: i64| Instant::from_micros(micros).to_rfc3339_millis();
        Self {
            id: id::object_id(lead.id),
            name: lead.name,
            email: lead.email,
            phone: lead.phone,
            facts: lead.facts.into(),
            status: lead.status,
            // Events and uploads come in without anybody at the dashboard.
            sourceorigin: if lead.source_origin == "dashboard" { "dashboard" } else { "api" }.to_owned(),
            active: lead.active,
            createdat: at(lead.created_at),
            updatedat: at(lead.updated_at),
        }
    }
}
