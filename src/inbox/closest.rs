//! The codes that an item about an unknown code may have meant.

use super::store::ItemRow;
use crate::codes::{self, Known, Lookup};
use crate::db::{Conn, DbResult};

/// Active codes of the lead's campaign that are almost the one that came, the closest first.
pub async fn closest(conn: &mut Conn, business_id: i64, row: &ItemRow) -> DbResult<Vec<Known>> {
    let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap_or_default();
    let text = detail.get("code").and_then(serde_json::Value::as_str).unwrap_or_default();
    let near = match codes::look_up(conn, business_id, text).await? {
        Lookup::NotFound { closest } => closest.into_iter().map(|near| near.code).collect(),
        // A code that was unknown then may have been made since.
        Lookup::Found { code, .. } => vec![*code],
    };
    let fits = |c: &Known| {
        let here = Some(c.campaign_id) == row.lead_campaign_id;
        here && c.enrollment_state == "active" && !c.archived && c.state != "retired"
    };
    Ok(near.into_iter().filter(fits).collect())
}
