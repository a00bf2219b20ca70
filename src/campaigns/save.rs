//! Making and changing campaigns.

use std::sync::Arc;

use serde_json::json;

use super::{NewCampaign, Settings, State, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key};
use crate::text::fold;

/// The outcome of changing a campaign's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    Changed,
    /// It said so already.
    Same,
    NotFound,
    /// Another user has changed it since it was read.
    Stale,
}

/// The outcome of changing a campaign's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    From(State),
    Already,
    /// The present state does not lead to the requested one.
    Refused(State),
    NotFound,
}

/// True for a second thing of the same name on purpose. A form sent twice means one thing; a program marks a
/// repeated call by its Idempotency-Key, and may use a name again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameName {
    Refused,
    Fine,
}

impl SameName {
    /// True when a name is free, in any case.
    pub fn allows(self, name: &str, there: &[String]) -> bool {
        self == Self::Fine || there.iter().all(|other| fold(other) != fold(name))
    }
}

/// Makes a campaign, as a draft; answers its id, or none where the name is taken.
pub async fn create(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    settings: Settings,
    same_name: SameName,
) -> DbResult<Option<i64>> {
    let ids = core.ids.run(2).await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(business_id)], move |tx| {
            let (settings, actor, ids) = (settings.clone(), actor.clone(), ids.clone());
            Box::pin(async move {
                let there: Vec<String> =
                    store::choices(tx, business_id).await?.into_iter().map(|campaign| campaign.name).collect();
                if !same_name.allows(&settings.name, &there) {
                    return Ok(None);
                }
                store::insert(tx, &NewCampaign::draft(ids.start, business_id, &settings), now).await?;
                let subject = ("campaign", ids.start);
                let entry = NewEntry::new(ids.start + 1, business_id, &actor, "campaign.created", subject)
                    .after(settings.json());
                audit::write(tx, now, &[entry]).await?;
                Ok(Some(ids.start))
            })
        })
        .await
}

/// Changes everything but the state. `seen` are the settings as the editor saw them; none takes them as they
/// are.
pub async fn change(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    new: Settings,
    seen: Option<Settings>,
) -> DbResult<Saved> {
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(id)], move |tx| {
            let (new, actor, seen) = (new.clone(), actor.clone(), seen.clone());
            Box::pin(async move {
                let Some(campaign) = store::find(tx, business_id, id).await? else { return Ok(Saved::NotFound) };
                let old = Settings::of(&campaign);
                if seen.is_some_and(|seen| seen != old) {
                    return Ok(Saved::Stale);
                }
                if old == new {
                    return Ok(Saved::Same);
                }
                store::update(tx, id, &new, now).await?;
                let entry = NewEntry::new(audit_id, business_id, &actor, "campaign.changed", ("campaign", id))
                    .before(old.json())
                    .after(new.json());
                audit::write(tx, now, &[entry]).await?;
                Ok(Saved::Changed)
            })
        })
        .await
}

/// Moves a campaign to another state, if that one may follow.
pub async fn set_state(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64, to: State) -> DbResult<Moved> {
    let audit_id = core.ids.next().await?;
    let now = core.clock.now();
    let actor = actor.clone();
    core.db
        .write(vec![Key::Row(id)], move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let Some(campaign) = store::find(tx, business_id, id).await? else { return Ok(Moved::NotFound) };
                let from = campaign.state();
                if from == to {
                    return Ok(Moved::Already);
                }
                if !from.next().contains(&to) {
                    return Ok(Moved::Refused(from));
                }
                store::set_state(tx, id, to, now).await?;
                let entry = NewEntry::new(audit_id, business_id, &actor, "campaign.state", ("campaign", id))
                    .before(json!({ "state": from.word() }))
                    .after(json!({ "state": to.word() }));
                audit::write(tx, now, &[entry]).await?;
                Ok(Moved::From(from))
            })
        })
        .await
}
