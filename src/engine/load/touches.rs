//! Touches of the leads of a slice: so that the same claim is not stored twice, and to find the earliest one.

use std::collections::BTreeSet;

use super::{LIMIT, MANY, ids};
use crate::code;
use crate::db::{Conn, DbResult, sql, sql_built};
use crate::engine::facts::{Facts, Touched};
use crate::engine::ids::{EnrollmentId, LeadId};
use crate::engine::rules::attribution::enrollment_touch;
use crate::engine::subjects::Subjects;
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

/// The valid touches of leads that become one, with whom they name.
pub async fn load_valid(conn: &mut Conn, about: &mut Subjects, facts: &mut Facts) -> DbResult<()> {
    if about.merging.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT t.id, t.lead_id, t.kind, t.at, t.enrollment_id, t.code_id
           FROM rows($1, id BIGINT) r
           JOIN touches t ON t.lead_id = r.id
          WHERE t.refused IS NULL
          {LIMIT}"
    );
    let touches: Vec<Touched> = sql_built(text).bind(ids(&about.merging)).all(conn).await?;
    facts.is_part |= touches.len() > MANY;
    about.enrollments.extend(touches.iter().filter_map(|t| t.enrollment_id));
    about.code_ids.extend(touches.iter().filter_map(|t| t.code_id));
    facts.touches.extend(touches.into_iter().map(|t| (t.id, t)));
    Ok(())
}
