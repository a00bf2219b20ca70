//! Many leads at a time, with an answer for each.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::refused;
use super::shape::{ItemError, LeadAdded, LeadsAdded, NewLeads, Qualifications, Qualified, QualifiedItem, warnings};
use crate::api::Caller;
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::Sent;
use crate::api::v1::common::{campaign, id_of};
use crate::app::App;
use crate::engine::ids::ReferrerId;
use crate::engine::{AddLeadOutcome, Change, ClaimRefusal, Event, Outcome, Qualify, Refusal, Rejected};
use crate::id::{self, Kind};
use crate::leads::rows as store;

pub async fn create_many(
    State(app): State<App>,
    caller: Caller,
    Sent(new): Sent<NewLeads>,
) -> Result<Response, Problem> {
    let mut items: Vec<LeadAdded> = Vec::with_capacity(new.items.0.len());
    let (mut indexes, mut events) = (Vec::new(), Vec::new());
    for (at, item) in new.items.0.into_iter().enumerate() {
        let read = match item.0 {
            Ok(lead) => match campaign(&app, &caller, lead.campaign.as_ref().map(|c| c.0.as_str())).await {
                Ok(campaign) => lead.event(campaign, &caller).map_err(|p| vec![p]),
                Err(problem) if !problem.fields.is_empty() => Err(problem.fields),
                Err(problem) => return Err(problem),
            },
            Err(problems) => Err(problems),
        };
        let mut line = LeadAdded {
            result: "invalid",
            lead: None,
            referrer: None,
            refused: None,
            warnings: Vec::new(),
            errors: Vec::new(),
        };
        match read {
            Ok(add) => {
                line.warnings = warnings(add.contact.email.as_deref());
                indexes.push(at);
                events.push(Event::new(caller.by(), add));
            }
            Err(problems) => line.errors = ItemError::all(&problems),
        }
        items.push(line);
    }
    let agent = |id: Option<ReferrerId>| id.map(|id| id::render(Kind::Referrer, id.0));
    for (at, outcome) in indexes.into_iter().zip(app.engine.slice(events).await?) {
        let outcome = match outcome {
            Err(Rejected::Refused(why @ Refusal::ExternalIdTaken(_))) => {
                items[at].errors = ItemError::all(&[FieldProblem::wrong("external_id", why.sentence())]);
                continue;
            }
            outcome => outcome.map_err(refused)?,
        };
        let Outcome::AddLead(added) = outcome else { continue };
        let (result, lead, referrer, why) = match added {
            AddLeadOutcome::Added { lead_id, referrer_id, refused, .. } => ("added", lead_id, referrer_id, refused),
            AddLeadOutcome::Known { lead_id, referrer_id, refused, .. } => ("known", lead_id, referrer_id, refused),
        };
        let line = &mut items[at];
        line.result = result;
        line.lead = Some(id::render(Kind::Lead, lead.0));
        line.referrer = agent(referrer);
        line.refused = why.map(ClaimRefusal::word);
    }
    Ok(Json(LeadsAdded { items }).into_response())
}

pub async fn qualify_many(
    State(app): State<App>,
    caller: Caller,
    Sent(asked): Sent<Qualifications>,
) -> Result<Response, Problem> {
    let ids: Vec<i64> =
        asked.items.0.iter().filter_map(|i| i.0.as_ref().ok()).filter_map(|i| id_of(Kind::Lead, &i.lead.0)).collect();
    let known = store::among(&mut app.db.read().await?, caller.business_id(), caller.test(), &ids).await?;
    let known: std::collections::HashSet<i64> = known.into_iter().collect();
    let mut items: Vec<QualifiedItem> = Vec::with_capacity(asked.items.0.len());
    let (mut indexes, mut events) = (Vec::new(), Vec::new());
    for (at, item) in asked.items.0.into_iter().enumerate() {
        let mut line = QualifiedItem { result: "invalid", lead: None, reason: None, errors: Vec::new() };
        match item.0 {
            Err(problems) => line.errors = ItemError::all(&problems),
            Ok(q) => match id_of(Kind::Lead, &q.lead.0).filter(|id| known.contains(id)) {
                None => line.result = "not_found",
                Some(lead_id) => {
                    line.lead = Some(id::render(Kind::Lead, lead_id));
                    indexes.push(at);
                    let (lead_id, reason) = (lead_id.into(), q.reason.map(|r| r.0));
                    events.push(Event::new(caller.by(), Qualify { lead_id, qualified: q.qualified, reason }));
                }
            },
        }
        items.push(line);
    }
    for (at, outcome) in indexes.into_iter().zip(app.engine.slice(events).await?) {
        let line = &mut items[at];
        match outcome {
            Ok(outcome) => line.result = if outcome.changed() { "changed" } else { "already" },
            Err(Rejected::Refused(why)) => (line.result, line.reason) = ("refused", Some(why.sentence())),
            Err(Rejected::NotFound) => line.result = "not_found",
            Err(why) => return Err(refused(why)),
        }
    }
    Ok(Json(Qualified { items }).into_response())
}
