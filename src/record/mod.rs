//! Recording a spoken referral: find the referrer by any piece of code, name, phone or e-mail address, then
//! enter the customer they sent. [`find`] is the search, [`record`] the verb.

mod find;
pub mod pages;
mod store;
mod undo;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::codes;
use crate::core::Core;
use crate::db::DbResult;
use crate::email::Email;
use crate::engine::ids::ReferrerId;
use crate::engine::{
    AddLead, AddLeadOutcome, By, Claim, ClaimBy, ClaimRefusal, Contact, Scope, SourceOrigin, Status, TouchKind,
};
use crate::phone::Phone;

pub use find::{Asked, Candidate, Found, Hit, candidates, find};
pub use undo::{UNDONE_WITHIN_SECONDS, Undone, undo};

/// One way to reach the customer.
#[derive(Debug, Clone)]
pub enum Reach {
    Email(Email),
    Phone(Phone),
}

/// A referral as the customer names it.
#[derive(Debug, Clone)]
pub struct Recording {
    pub business_id: i64,
    /// The person who enters it.
    pub user_id: i64,
    pub campaign_id: i64,
    pub referrer_id: i64,
    /// The code that was named, where there was one; else the person was.
    pub code_id: Option<i64>,
    pub test: bool,
    pub customer: String,
    pub reach: Reach,
}

/// The outcome, to be read aloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub lead_id: i64,
    pub customer: String,
    /// The number or address that was taken down, to be read back.
    pub reach: String,
    pub referrer_id: i64,
    pub referrer: String,
    pub campaign: String,
    /// The code that was named, else their active one.
    pub code: Option<String>,
    /// The claim counts: the lead is theirs.
    pub counts: bool,
    /// The customer was a lead before, since this moment.
    pub known_since: Option<i64>,
    /// The present referrer, if it is another one.
    pub holder: Option<String>,
    /// The lead was theirs already.
    pub theirs_already: bool,
    /// Why the claim does not count, in the words of [`ClaimRefusal::sentence`].
    pub refused: Option<String>,
    /// The words for a referrer who was not found: an inbox item asks staff.
    pub said: Option<String>,
    /// When it was recorded.
    pub at: i64,
}

/// A referral by somebody who was not found.
#[derive(Debug, Clone)]
pub struct Saying {
    pub business_id: i64,
    pub user_id: i64,
    pub campaign_id: i64,
    pub campaign: String,
    pub test: bool,
    pub customer: String,
    pub reach: Reach,
    /// The words of the customer: "Jane from the gym".
    pub said: String,
}

impl Reach {
    fn text(&self) -> &str {
        match self {
            Self::Email(email) => email.text(),
            Self::Phone(phone) => phone.text(),
        }
    }

    fn contact(&self, customer: &str) -> Contact {
        match self {
            Self::Email(email) => Contact::new(customer, Some(email), None),
            Self::Phone(phone) => Contact::new(customer, None, Some(phone)),
        }
    }
}

/// Records a lead with what was said of its referrer. `None` when the campaign is unknown.
pub async fn record_said(core: &Core, actor: &Arc<Actor>, saying: Saying) -> DbResult<Option<Receipt>> {
    let add = AddLead {
        scope: Scope::new(saying.campaign_id, saying.test),
        contact: Box::new(saying.reach.contact(&saying.customer)),
        status: Status::New,
        source_origin: SourceOrigin::Dashboard,
        claim: Some(Claim { kind: TouchKind::Verbal, by: ClaimBy::Said(saying.said.clone()) }),
        recorded_by: Some(saying.user_id.into()),
        repeats_allowed: false,
        qualify: false,
    };
    let outcome = core.engine.one(By::new(saying.business_id, actor), add).await?;
    let mut receipt = Receipt {
        lead_id: 0,
        reach: saying.reach.text().to_owned(),
        customer: saying.customer,
        referrer_id: 0,
        referrer: saying.said.clone(),
        campaign: saying.campaign,
        code: None,
        counts: false,
        known_since: None,
        holder: None,
        theirs_already: false,
        refused: None,
        said: Some(saying.said),
        at: core.clock.now().micros(),
    };
    match outcome {
        Ok(AddLeadOutcome::Added { lead_id, .. }) => receipt.lead_id = lead_id.0,
        Ok(AddLeadOutcome::Known { lead_id, referrer_id, .. }) => {
            let mut conn = core.db.read().await?;
            receipt.lead_id = lead_id.0;
            receipt.known_since = store::lead_created_at(&mut conn, saying.business_id, lead_id.0).await?;
            if let Some(holder) = referrer_id {
                receipt.holder = store::referrer(&mut conn, saying.business_id, holder.0).await?.map(|r| r.name);
            }
        }
        Err(_) => return Ok(None),
    }
    Ok(Some(receipt))
}

/// Records a referral. `None` when the referrer, code or campaign is unknown.
pub async fn record(core: &Core, actor: &Arc<Actor>, recording: Recording) -> DbResult<Option<Receipt>> {
    let mut conn = core.db.read().await?;
    let Some(referrer) = store::referrer(&mut conn, recording.business_id, recording.referrer_id).await? else {
        return Ok(None);
    };
    let enrolled = store::enrollments(&mut conn, recording.business_id, recording.referrer_id).await?;
    let here = enrolled.iter().find(|e| e.campaign_id == recording.campaign_id);
    let named = match recording.code_id {
        Some(id) => {
            codes::by_id(&mut conn, recording.business_id, id).await?.filter(|c| c.referrer_id == recording.referrer_id)
        }
        None => None,
    };
    drop(conn);
    let reach = recording.reach.text().to_owned();
    let Some(here) = here else { return Ok(None) };
    let by = match &named {
        Some(code) => ClaimBy::Code(code.text.clone()),
        None => ClaimBy::Enrollment(here.id.into()),
    };
    let contact = recording.reach.contact(&recording.customer);
    let add = AddLead {
        scope: Scope::new(recording.campaign_id, recording.test),
        contact: Box::new(contact),
        status: Status::New,
        source_origin: SourceOrigin::Dashboard,
        claim: Some(Claim { kind: TouchKind::Verbal, by }),
        recorded_by: Some(recording.user_id.into()),
        repeats_allowed: false,
        qualify: false,
    };
    let outcome = core.engine.one(By::new(recording.business_id, actor), add).await?;
    let mut receipt = Receipt {
        lead_id: 0,
        customer: recording.customer,
        reach,
        referrer_id: recording.referrer_id,
        referrer: referrer.name,
        campaign: here.campaign.clone(),
        code: named.map(|c| c.text).or_else(|| here.code.clone()),
        counts: false,
        known_since: None,
        holder: None,
        theirs_already: false,
        refused: None,
        said: None,
        at: core.clock.now().micros(),
    };
    let say = |refused: Option<ClaimRefusal>| refused.map(|r| r.sentence().to_owned());
    match outcome {
        Ok(AddLeadOutcome::Added { lead_id, referrer_id, refused, .. }) => {
            receipt.lead_id = lead_id.0;
            receipt.counts = referrer_id == Some(ReferrerId(recording.referrer_id));
            receipt.refused = say(refused);
        }
        Ok(AddLeadOutcome::Known { lead_id, referrer_id, attributed, refused, .. }) => {
            let (lead_id, referrer_id) = (lead_id.0, referrer_id.map(|id| id.0));
            let mut conn = core.db.read().await?;
            receipt.lead_id = lead_id;
            receipt.counts = attributed;
            receipt.refused = say(refused);
            receipt.theirs_already = !attributed && referrer_id == Some(recording.referrer_id);
            receipt.known_since = store::lead_created_at(&mut conn, recording.business_id, lead_id).await?;
            if let Some(holder) = referrer_id.filter(|id| *id != recording.referrer_id) {
                receipt.holder = store::referrer(&mut conn, recording.business_id, holder).await?.map(|r| r.name);
            }
        }
        Err(_) => return Ok(None),
    }
    Ok(Some(receipt))
}
