//! An entry about to be written.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::actor::Actor;
use crate::db::{DbResult, Tx};

/// An entry about to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub id: i64,
    pub business_id: i64,
    pub actor: Arc<Actor>,
    /// A word such as `lead.qualified`.
    pub action: &'static str,
    pub subject_kind: &'static str,
    pub subject_id: Option<i64>,
    pub lead_id: Option<i64>,
    pub referrer_id: Option<i64>,
    pub before: Option<Json>,
    pub after: Option<Json>,
    pub reason: Option<String>,
}

impl NewEntry {
    /// The common case: one subject, what it is now.
    pub fn new(
        id: i64,
        business_id: i64,
        actor: &Arc<Actor>,
        action: &'static str,
        subject: (&'static str, i64),
    ) -> Self {
        Self {
            id,
            business_id,
            actor: actor.clone(),
            action,
            subject_kind: subject.0,
            subject_id: Some(subject.1),
            lead_id: None,
            referrer_id: None,
            before: None,
            after: None,
            reason: None,
        }
    }

    /// An entry of the write that is going on: its actor, and an id of its run.
    pub fn by(tx: &mut Tx, business_id: i64, action: &'static str, subject: (&'static str, i64)) -> DbResult<Self> {
        let id = tx.id()?;
        Ok(Self::new(id, business_id, tx.actor()?, action, subject))
    }

    pub fn before(mut self, before: Json) -> Self {
        self.before = Some(before);
        self
    }

    pub fn after(mut self, after: Json) -> Self {
        self.after = Some(after);
        self
    }

    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub fn of_referrer(mut self, referrer_id: i64) -> Self {
        self.referrer_id = Some(referrer_id);
        self
    }
}
