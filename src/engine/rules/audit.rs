//! The audit entry of a decision.

use serde_json::Value as Json;

use crate::audit::NewEntry;
use crate::engine::decision::By;
use crate::engine::facts::{Commission, InboxItem};
use crate::engine::ids::{LeadId, PaymentId, ReferrerId, RefundId};
use crate::engine::work::Work;

/// The subject of an entry, with the change.
#[derive(Debug)]
pub struct Note {
    action: &'static str,
    kind: &'static str,
    id: i64,
    lead_id: Option<LeadId>,
    referrer_id: Option<ReferrerId>,
    before: Option<Json>,
    after: Option<Json>,
    reason: Option<String>,
}

impl Note {
    fn new(action: &'static str, kind: &'static str, id: i64) -> Self {
        Self { action, kind, id, lead_id: None, referrer_id: None, before: None, after: None, reason: None }
    }

    pub fn lead(action: &'static str, id: LeadId, referrer_id: Option<ReferrerId>) -> Self {
        Self { lead_id: Some(id), referrer_id, ..Self::new(action, "lead", id.0) }
    }

    pub fn payment(action: &'static str, id: PaymentId, lead_id: Option<LeadId>) -> Self {
        Self { lead_id, ..Self::new(action, "payment", id.0) }
    }

    pub fn refund(action: &'static str, id: RefundId, lead_id: Option<LeadId>) -> Self {
        Self { lead_id, ..Self::new(action, "refund", id.0) }
    }

    pub fn commission(action: &'static str, c: &Commission) -> Self {
        let (lead_id, referrer_id) = (Some(c.lead_id), Some(c.referrer_id));
        Self { lead_id, referrer_id, ..Self::new(action, "commission", c.id.0) }
    }

    pub fn item(action: &'static str, item: &InboxItem) -> Self {
        let (lead_id, referrer_id) = (item.lead_id, item.referrer_id);
        Self { lead_id, referrer_id, ..Self::new(action, "inbox", item.id.0) }
    }

    pub fn of_referrer(mut self, referrer_id: Option<ReferrerId>) -> Self {
        self.referrer_id = referrer_id;
        self
    }

    pub fn before(mut self, before: Json) -> Self {
        self.before = Some(before);
        self
    }

    pub fn after(mut self, after: Json) -> Self {
        self.after = Some(after);
        self
    }

    pub fn reason(mut self, reason: Option<impl Into<String>>) -> Self {
        self.reason = reason.map(Into::into);
        self
    }
}

/// Writes the entry with the slice.
pub fn audit(work: &mut Work, by: &By, note: Note) {
    let id = work.id();
    work.writes.audit.push(NewEntry {
        id,
        business_id: by.business_id.0,
        actor: by.actor.clone(),
        action: note.action,
        subject_kind: note.kind,
        subject_id: Some(note.id),
        lead_id: note.lead_id.map(|id| id.0),
        referrer_id: note.referrer_id.map(|id| id.0),
        before: note.before,
        after: note.after,
        reason: note.reason,
    });
}
