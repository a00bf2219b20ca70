//! The audit: who did what, when, from where.

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;

use super::common::{field_id, instant};
use super::part::{Hits, Page, Part, page};
use super::window::Window;
use crate::api::Caller;
use crate::api::field::{IdText, Line};
use crate::api::operation::{Api, Operation};
use crate::api::problem::Problem;
use crate::api::read::Asked;
use crate::app::App;
use crate::audit::rows::{self as store, EntryRow};
use crate::audit::tells_of_payout_details;
use crate::id::{self, Kind};
use crate::object;

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::get("/v1/audit", "listAudit", "Read the audit")
            .about("The newest first. A test key reads what happened to test leads.")
            .scope("audit:read")
            .asks::<AuditAsked>()
            .answers::<Page<AuditEntry>>(200, "A page of entries.", ""),
        list,
    )
}

object! {
    /// The filters of the entries.
    strict struct AuditAsked {
        /// Only about this lead.
        lead "lead": Option<IdText>,
        /// Only about this referrer.
        referrer "referrer": Option<IdText>,
        /// Only this action: `lead.qualified`, `payment.recorded` …
        action "action": Option<Line<60>>;
        window: Window
    }
}

/// One entry of the audit.
#[derive(Serialize, JsonSchema)]
struct AuditEntry {
    /// `audit_…`.
    id: String,
    /// When.
    at: String,
    /// `user`, `key`, `job` or `command`.
    actor_kind: String,
    /// The actor's name at that time.
    actor_name: String,
    /// The person who made the key, where a key did it.
    made_by: Option<String>,
    /// From where: an address, or the command.
    origin: String,
    /// The action: `lead.qualified`, `payment.recorded` …
    action: String,
    /// The kind of thing: `lead`, `referrer`, `code` …
    subject_kind: String,
    /// The integer behind the subject's id.
    subject_number: Option<i64>,
    /// The values before.
    before: Option<serde_json::Map<String, serde_json::Value>>,
    /// The values after.
    after: Option<serde_json::Map<String, serde_json::Value>>,
    /// The reason, if one was given.
    reason: Option<String>,
}

impl AuditEntry {
    /// `paid_by`: the key may know how referrers are paid.
    fn of(row: EntryRow, paid_by: bool) -> Self {
        let is_shown = paid_by || !tells_of_payout_details(&row.action);
        let object = |text: Option<String>| text.filter(|_| is_shown).and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id: id::render(Kind::Audit, row.id),
            at: instant(row.at),
            actor_kind: row.actor_kind,
            actor_name: row.actor_name,
            made_by: row.made_by,
            origin: row.origin,
            action: row.action,
            subject_kind: row.subject_kind,
            subject_number: row.subject_id,
            before: object(row.before),
            after: object(row.after),
            reason: row.reason,
        }
    }
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<AuditAsked>,
) -> Result<Response, Problem> {
    let lead = asked.lead.map(|l| field_id(Kind::Lead, "lead", &l.0, "lead")).transpose()?;
    let referrer = asked.referrer.map(|r| field_id(Kind::Referrer, "referrer", &r.0, "referrer")).transpose()?;
    let part = Part::new(asked.window, &caller, app.clock.now()).unchanging("at");
    let list = store::listing(caller.business_id(), caller.test(), lead, referrer, asked.action.as_deref());
    let rows: Hits<EntryRow> = part.rows(&mut app.db.read().await?, list).await?;
    Ok(page(&uri, &part, rows, |row| (row.at, row.id), |row| AuditEntry::of(row, caller.key.may("payouts:read"))))
}
