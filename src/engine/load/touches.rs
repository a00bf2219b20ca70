//! The touches of a slice's leads, so that the same claim is stored once, and the one that counts.

use std::collections::BTreeSet;

use super::ids;
use crate::code;
use crate::db::{Conn, DbResult, sql};
use crate::engine::facts::{Counting, Facts};
use crate::engine::ids::{EnrollmentId, LeadId, TouchId};
use crate::engine::rules::attribution::enrollment_touch;
use crate::row;

row! {
    struct TouchedBy {
        lead_id: LeadId,
        code_text: Option<String>,
        enrollment_id: Option<EnrollmentId>,
    }
}

/// The touches of these leads, newest first where there are very many.
pub async fn load_touches(conn: &mut Conn, leads: &BTreeSet<LeadId>, facts: &mut Facts) -> DbResult<()> {
    if leads.is_empty() {
        return Ok(());
    }
    let touched: Vec<TouchedBy> = sql("SELECT t.lead_id, t.code_text, t.enrollment_id
           FROM rows($1, id BIGINT) r
           JOIN touches t ON t.lead_id = r.id
          ORDER BY t.at DESC
          LIMIT 5000")
    .bind(ids(leads))
    .all(conn)
    .await?;
    facts.touched_by.extend(touched.into_iter().filter_map(|t| {
        let by = match (t.code_text, t.enrollment_id) {
            (Some(text), _) => code::lookup_form(&text),
            (None, enrollment) => enrollment_touch(enrollment?),
        };
        Some((t.lead_id, by))
    }));
    Ok(())
}

/// The touches that count for these leads.
pub async fn load_counting(conn: &mut Conn, leads: &BTreeSet<LeadId>, facts: &mut Facts) -> DbResult<()> {
    let touches: BTreeSet<TouchId> = leads.iter().filter_map(|id| facts.leads.get(id)?.touch_id).collect();
    if touches.is_empty() {
        return Ok(());
    }
    let counting: Vec<Counting> = sql("SELECT t.id, t.kind, t.at
           FROM rows($1, id BIGINT) r
           JOIN touches t ON t.id = r.id")
    .bind(ids(&touches))
    .all(conn)
    .await?;
    facts.counting.extend(counting.into_iter().map(|t| (t.id, t)));
    Ok(())
}
