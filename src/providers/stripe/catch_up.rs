//! Asks Stripe for the events that its messages did not bring: those of the time when this desk was down, or its endpoint
//! switched off. Each is stored as a message is, and a repeat is not stored, so nothing is counted twice.

use serde_json::Value as Json;

use super::EVENTS;
use super::client::{ApiError, Client};
use crate::clock::Instant;
use crate::core::Core;
use crate::db::{DbResult, Terms, Tx};
use crate::providers::accounts::{self, Account, Secrets};
use crate::providers::provider::Provider;
use crate::providers::read::text;
use crate::providers::receive::message_of;
use crate::providers::store;
use crate::providers::store::messages::{self, NewMessage};

/// Stripe stores events for 30 days.
const LONGEST_DAYS: i64 = 30;
/// Events of an earlier look are asked for again for so long: they are listed in no strict order.
const OVERLAP_SECONDS: i64 = 3_600;
/// Kinds of events that one question may name.
const KINDS: usize = 20;

/// One run of the scheduled task.
pub async fn run(core: &Core) -> DbResult<bool> {
    let accounts = accounts::connected(&mut core.db.read().await?, Provider::Stripe).await?;
    for account in accounts {
        if core.stop.is_cancelled() {
            return Ok(false);
        }
        // A failure is noted on the account, and the next run asks again.
        let _ = look(core, &account).await?;
    }
    Ok(false)
}

/// Asks for the events of one account; answers how many were missing, or why Stripe did not say.
pub async fn look(core: &Core, account: &Account) -> DbResult<Result<usize, String>> {
    let opened = core.keyring.keys().and_then(|keys| Secrets::open(&keys, &account.row));
    let key = match opened {
        Ok(Secrets { key: Some(key), .. }) => key,
        // Connected by the secret of its messages alone.
        Ok(_) => return Ok(Ok(0)),
        Err(why) => return Ok(Err(why)),
    };
    let now = core.clock.now();
    let earliest = now.plus_days(-LONGEST_DAYS);
    let last = account.row.caught_up_at.unwrap_or(account.row.created_at);
    let since = Instant::from_micros(last).plus_seconds(-OVERLAP_SECONDS).max(earliest);
    let client = Client::new(&core.config.stripe_api, &key);
    let mut missed = 0;
    for kinds in EVENTS.chunks(KINDS) {
        match events(core, account, &client, kinds, since).await? {
            Ok(count) => missed += count,
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(account = account.row.id, why, "the events of an account could not be caught up with");
                core.db.write(vec![], (account.row.id, None, Some(why.clone())), store::caught_up).await?;
                return Ok(Err(why));
            }
        }
    }
    core.db.write(vec![], (account.row.id, Some(now.micros()), None), store::caught_up).await?;
    if missed > 0 {
        tracing::info!(account = account.row.id, missed, "events of Stripe's were caught up with");
    }
    Ok(Ok(missed))
}

async fn events(
    core: &Core,
    account: &Account,
    client: &Client,
    kinds: &[&str],
    since: Instant,
) -> DbResult<Result<usize, ApiError>> {
    let mut query: Vec<(String, String)> = vec![("created[gte]".into(), since.seconds().to_string())];
    query.extend(kinds.iter().enumerate().map(|(n, kind)| (format!("types[{n}]"), (*kind).to_owned())));
    let mut after: Option<String> = None;
    let mut missed = 0;
    loop {
        let (page, more) = match client.page("/v1/events", &query, after.as_deref()).await {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let read = page.iter().filter_map(|event| message_of(core, account, &event.to_string()).ok());
        let new: Vec<NewMessage> = read.collect();
        let terms = Terms::of(vec![]).ids(new.len());
        missed += core.db.write_on(terms, new, insert_all).await?;
        after = page.last().and_then(|last: &Json| text(last, "id"));
        if !more || after.is_none() {
            return Ok(Ok(missed));
        }
    }
}

async fn insert_all(tx: &mut Tx, new: &Vec<NewMessage>) -> DbResult<usize> {
    let mut count = 0;
    for message in new {
        count += usize::from(messages::insert(tx, message).await?);
    }
    Ok(count)
}
