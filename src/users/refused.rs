//! The audit of refusals: a frame that turns a member away writes it down.

use std::sync::Arc;

use serde_json::json;

use super::member::Member;
use crate::audit::{self, NewEntry};
use crate::db::{Db, DbResult, Terms, Tx};

/// Writes that a member asked for a page that their role does not include.
pub async fn refused(db: &Db, member: &Member, path: &str) -> DbResult<()> {
    let terms = Terms::of(vec![]).by(&Arc::new(member.actor()));
    db.write_on(terms, (member.business_id, member.user_id, path.to_owned()), refused_in).await
}

async fn refused_in(tx: &mut Tx, &(business_id, user_id, ref path): &(i64, i64, String)) -> DbResult<()> {
    let entry = NewEntry::by(tx, business_id, "user.refused", ("user", user_id))?.after(json!({ "page": path }));
    audit::write(tx, &[entry]).await
}
