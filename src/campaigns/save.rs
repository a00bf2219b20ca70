//! Making and changing campaigns.

use std::sync::Arc;

use serde_json::json;

use super::ready_text::ReadyText;
use super::{NewCampaign, Settings, State, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::fold::fold;

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
    core.write_once(vec![Key::Row(business_id)], actor, (business_id, settings, same_name), create_in).await
}

async fn create_in(
    tx: &mut Tx,
    &(business_id, ref settings, same_name): &(i64, Settings, SameName),
) -> DbResult<Option<i64>> {
    let id = tx.id()?;
    let now = tx.now();
    let there: Vec<String> = store::choices(tx, business_id).await?.into_iter().map(|campaign| campaign.name).collect();
    if !same_name.allows(&settings.name, &there) {
        return Ok(None);
    }
    store::insert(tx, &NewCampaign::draft(id, business_id, settings), now).await?;
    let subject = ("campaign", id);
    let entry = NewEntry::by(tx, business_id, "campaign.created", subject)?.after(settings.json());
    audit::write(tx, &[entry]).await?;
    Ok(Some(id))
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
    core.write(vec![Key::Row(id)], actor, (business_id, id, new, seen), change_in).await
}

async fn change_in(
    tx: &mut Tx,
    &(business_id, id, ref new, ref seen): &(i64, i64, Settings, Option<Settings>),
) -> DbResult<Saved> {
    let now = tx.now();
    let Some(campaign) = store::find(tx, business_id, id).await? else { return Ok(Saved::NotFound) };
    let old = Settings::of(&campaign);
    if seen.as_ref().is_some_and(|seen| *seen != old) {
        return Ok(Saved::Stale);
    }
    if old == *new {
        return Ok(Saved::Same);
    }
    store::update(tx, id, new, now).await?;
    let entry =
        NewEntry::by(tx, business_id, "campaign.changed", ("campaign", id))?.before(old.json()).after(new.json());
    audit::write(tx, &[entry]).await?;
    Ok(Saved::Changed)
}

/// Changes the words in which referrers are told their link and code, unless they are others than those `seen`.
pub async fn set_ready_text(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    id: i64,
    seen: ReadyText,
    text: ReadyText,
) -> DbResult<Saved> {
    core.write(vec![Key::Row(id)], actor, (business_id, id, seen, text), set_ready_text_in).await
}

async fn set_ready_text_in(
    tx: &mut Tx,
    &(business_id, id, ref seen, ref new): &(i64, i64, ReadyText, ReadyText),
) -> DbResult<Saved> {
    let now = tx.now();
    let Some(old) = store::ready_text(tx, business_id, id).await? else { return Ok(Saved::NotFound) };
    let old = ReadyText::of(&old);
    if old == *new {
        return Ok(Saved::Same);
    }
    if old != *seen {
        return Ok(Saved::Stale);
    }
    store::set_ready_text(tx, id, new.stored(), now).await?;
    let entry = NewEntry::by(tx, business_id, "campaign.text", ("campaign", id))?
        .before(json!({ "text": old.text() }))
        .after(json!({ "text": new.text() }));
    audit::write(tx, &[entry]).await?;
    Ok(Saved::Changed)
}

/// Moves a campaign to another state, if that one may follow.
pub async fn set_state(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64, to: State) -> DbResult<Moved> {
    core.write(vec![Key::Row(id)], actor, (business_id, id, to), set_state_in).await
}

async fn set_state_in(tx: &mut Tx, &(business_id, id, to): &(i64, i64, State)) -> DbResult<Moved> {
    let now = tx.now();
    let Some(campaign) = store::find(tx, business_id, id).await? else { return Ok(Moved::NotFound) };
    let from = campaign.state();
    if from == to {
        return Ok(Moved::Already);
    }
    if !from.next().contains(&to) {
        return Ok(Moved::Refused(from));
    }
    store::set_state(tx, id, to, now).await?;
    let entry = NewEntry::by(tx, business_id, "campaign.state", ("campaign", id))?
        .before(json!({ "state": from.word() }))
        .after(json!({ "state": to.word() }));
    audit::write(tx, &[entry]).await?;
    Ok(Moved::From(from))
}
