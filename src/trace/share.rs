//! Makes and ends the links of traces.

use std::sync::Arc;

use serde_json::json;

use super::link::{NewLink, Thing};
use super::store;
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::id;
use crate::money::Currency;

/// The result of ending a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Ended,
    Already,
    NotFound,
}

/// Makes a link to a trace of the business; answers its token, which nobody can read again.
pub async fn share(core: &Core, actor: &Arc<Actor>, business_id: i64, thing: Thing, days: i64) -> DbResult<String> {
    let token = id::new_token(&mut rand::rng());
    let wanted = (business_id, thing, id::sha256_hex(&token), days);
    core.write(vec![Key::Row(business_id)], actor, wanted, share_in).await?;
    Ok(token)
}

async fn share_in(
    tx: &mut Tx,
    &(business_id, thing, ref token_hash, days): &(i64, Thing, String, i64),
) -> DbResult<()> {
    let (id, expires_at) = (tx.id()?, tx.now().plus_days(days));
    let link = NewLink { id, business_id, thing, token_hash: token_hash.clone(), expires_at };
    store::insert_link(tx, &link).await?;
    let entry = NewEntry::by(tx, business_id, "trace.shared", ("trace_link", id))?
        .after(json!({ "of": thing.subject(), "id": thing.id(), "currency": thing.currency().map(Currency::code), "days": days }));
    audit::write(tx, &[entry]).await
}

/// Ends a link at once.
pub async fn end(core: &Core, actor: &Arc<Actor>, business_id: i64, id: i64) -> DbResult<Ended> {
    core.write(vec![Key::Row(business_id)], actor, (business_id, id), end_in).await
}

async fn end_in(tx: &mut Tx, &(business_id, id): &(i64, i64)) -> DbResult<Ended> {
    let Some(link) = store::link(tx, business_id, id).await? else { return Ok(Ended::NotFound) };
    if store::end_link(tx, id).await? == 0 {
        return Ok(Ended::Already);
    }
    let entry = NewEntry::by(tx, business_id, "trace.unshared", ("trace_link", id))?.before(
        json!({ "of": link.subject, "id": link.subject_id, "currency": link.subject_currency.map(Currency::code) }),
    );
    audit::write(tx, &[entry]).await?;
    Ok(Ended::Ended)
}
