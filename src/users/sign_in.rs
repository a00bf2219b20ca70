//! Signing in and out, with the audit entries of both: in every business of the person.

use std::sync::Arc;

use serde_json::json;

use super::delay::Count;
use super::store;
use super::throttle::Trial;
use crate::actor::{Actor, ActorKind};
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Terms, Tx};
use crate::id;

/// The person, as an attempt names them.
fn actor(user_id: Option<i64>, name: &str, ip: &str) -> Arc<Actor> {
    let (name, origin) = (name.to_owned(), ip.to_owned());
    Arc::new(Actor { kind: ActorKind::User, id: user_id, name, origin, call: None })
}

/// A sign-in that succeeded.
pub struct SignedIn {
    pub user_id: i64,
    pub name: String,
    /// The text of the cookie by which the account knows the browser.
    pub browser_token: String,
}

/// Forgets the failures of the account, remembers the browser, and writes the audit.
pub async fn succeeded(core: &Core, trial: &Trial, signed_in: SignedIn) -> DbResult<()> {
    let actor = actor(Some(signed_in.user_id), &signed_in.name, &trial.ip);
    let browser = id::sha256_hex(&signed_in.browser_token);
    let input = (signed_in.user_id, trial.email_key.clone(), browser);
    core.write(vec![Key::Row(signed_in.user_id)], &actor, input, succeeded_in).await
}

async fn succeeded_in(tx: &mut Tx, &(user_id, ref email_key, ref browser): &(i64, String, String)) -> DbResult<()> {
    store::forget_failures(tx, email_key).await?;
    store::know_browser(tx, user_id, browser).await?;
    note(tx, user_id, "user.signed_in").await
}

/// Counts a failure. It is an entry of the audit where the account exists.
pub async fn failed(core: &Core, trial: &Trial, user_id: Option<i64>) -> DbResult<()> {
    let terms = Terms::of(vec![]).by(&actor(user_id, "Somebody", &trial.ip));
    core.db.write_on(terms, (trial.counts().to_vec(), user_id), failed_in).await
}

async fn failed_in(tx: &mut Tx, &(ref counts, user_id): &(Vec<Count>, Option<i64>)) -> DbResult<()> {
    store::count_failure(tx, counts).await?;
    match user_id {
        Some(user_id) => note(tx, user_id, "user.sign_in_failed").await,
        None => Ok(()),
    }
}

/// Forgets the failures of a person who proved who they are.
pub async fn proved(core: &Core, trial: &Trial) -> DbResult<()> {
    core.db.write(vec![], (trial.email_key.clone(),), proved_in).await
}

async fn proved_in(tx: &mut Tx, (email_key,): &(String,)) -> DbResult<()> {
    store::forget_failures(tx, email_key).await
}

/// Writes that a person signed out.
pub async fn left(core: &Core, user_id: i64, name: &str, ip: &str) -> DbResult<()> {
    core.write(vec![], &actor(Some(user_id), name, ip), user_id, left_in).await
}

async fn left_in(tx: &mut Tx, &user_id: &i64) -> DbResult<()> {
    note(tx, user_id, "user.left").await
}

/// An entry in every business of a person.
async fn note(tx: &mut Tx, user_id: i64, action: &'static str) -> DbResult<()> {
    let mut entries = Vec::new();
    for place in store::memberships(tx, user_id).await? {
        let entry = NewEntry::by(tx, place.business_id, action, ("user", user_id))?;
        entries.push(entry.after(json!({ "email": place.email })));
    }
    audit::write(tx, &entries).await
}
