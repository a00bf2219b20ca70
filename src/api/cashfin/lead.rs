//! A lead as this contract shows one.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::field::number_schema;
use crate::clock::Instant;
use crate::id;
use crate::leads::listed::Listed;

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
    company: Option<String>,
    jobtitle: Option<String>,
    industry: Option<String>,
    website: Option<String>,
    request: Option<String>,
    /// Estimated budget, as it was sent.
    #[schemars(schema_with = "nullable_number")]
    budget: Option<Box<RawValue>>,
    country: Option<String>,
    /// State or region.
    state: Option<String>,
    address: Option<String>,
    /// The origin of the lead.
    source: Option<String>,
    /// new, contacted, qualified, converted or lost
    status: String,
    /// api or dashboard
    sourceorigin: String,
    active: bool,
    createdat: String,
    updatedat: String,
}

fn nullable_number(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = number_schema(schemas);
    schema.insert("type".into(), serde_json::json!(["number", "null"]));
    schema
}

impl From<Listed> for Lead {
    fn from(lead: Listed) -> Self {
        let at = |micros: i64| Instant::from_micros(micros).to_rfc3339_millis();
        Self {
            id: id::object_id(lead.id),
            name: lead.name,
            email: lead.email,
            phone: lead.phone,
            company: lead.company,
            jobtitle: lead.jobtitle,
            industry: lead.industry,
            website: lead.website,
            request: lead.request,
            budget: lead.budget.as_deref().and_then(crate::leads::budget::number),
            country: lead.country,
            state: lead.region,
            address: lead.address,
            source: lead.source,
            status: lead.status,
            // Events and uploads come in without anybody at the dashboard.
            sourceorigin: if lead.source_origin == "dashboard" { "dashboard" } else { "api" }.to_owned(),
            active: lead.active,
            createdat: at(lead.created_at),
            updatedat: at(lead.updated_at),
        }
    }
}
