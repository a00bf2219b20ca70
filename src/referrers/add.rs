//! Adding a referrer, from a form, an upload or an API: the same verb.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AddReferrer, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::codes::{self, Enrolled};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Added {
    New {
        referrer_id: i64,
        enrollment_id: i64,
        code: Option<String>,
    },
    /// Known in the business by that e-mail address; enrolled in this campaign now if they were not, and
    /// taken out of the archive if they were in it.
    Known {
        referrer_id: i64,
        enrollment_id: i64,
        enrolled: bool,
        code: Option<String>,
    },
}

pub async fn add(core: &Core, actor: &Arc<Actor>, new: AddReferrer) -> DbResult<Added> {
    // The address decides whether they are known; a referrer without one is always new.
    let keys = new.email.iter().map(|e| Key::Referrer(new.business_id, e.key().to_owned())).collect();
    core.write_once(keys, actor, new, add_in).await
}

async fn add_in(tx: &mut Tx, new: &AddReferrer) -> DbResult<Added> {
    let id = tx.id()?;
    let now = tx.now();
    let enrollment_id = tx.id()?;
    let known = match &new.email {
        Some(email) => store::by_email(tx, new.business_id, email.key()).await?,
        None => None,
    };
    let referrer_id = known.unwrap_or(id);
    let mut restored = false;
    let mut name = new.name.clone();
    match known {
        None => store::insert(tx, id, new, now).await?,
        Some(known) => {
            let row = store::by_id(tx, new.business_id, known).await?;
            restored = row.as_ref().is_some_and(|r| r.archived_at.is_some());
            name = row.map_or(name, |r| r.name);
            if restored {
                store::set_archived(tx, known, false, now).await?;
            }
        }
    }
    let enrolled = store::enrollment(tx, new.campaign_id, referrer_id).await?;
    let enrollment = enrolled.unwrap_or(enrollment_id);
    if enrolled.is_none() {
        let (business, campaign) = (new.business_id, new.campaign_id);
        store::enroll(tx, enrollment, business, campaign, referrer_id, &name, now).await?;
    }
    let business = known.is_none().then_some(new.business_id);
    let campaign = enrolled.is_none().then_some(new.campaign_id);
    store::counted::count_new(tx, business.into_iter().chain(campaign), now).await?;
    let mut code = None;
    if new.generate {
        let who = Enrolled {
            enrollment_id: enrollment,
            business_id: new.business_id,
            campaign_id: new.campaign_id,
            referrer_id,
        };
        code = codes::give(tx, &[who]).await?.pop().map(|g| g.text);
    }
    if known.is_none() || enrolled.is_none() || restored {
        let action = match (known.is_none(), restored) {
            (true, _) => "referrer.added",
            (false, true) => "referrer.restored",
            (false, false) => "referrer.enrolled",
        };
        let entry = NewEntry::by(tx, new.business_id, action, ("referrer", referrer_id))?
            .after(json!({ "name": name, "campaign": new.campaign_id, "code": code }))
            .of_referrer(referrer_id);
        audit::write(tx, &[entry]).await?;
    }
    Ok(match known {
        None => Added::New { referrer_id, enrollment_id: enrollment, code },
        Some(_) => {
            Added::Known { referrer_id, enrollment_id: enrollment, enrolled: enrolled.is_none() || restored, code }
        }
    })
}
