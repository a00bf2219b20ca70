//! Taking a message in: it is stored before it is answered, and applied later.

use serde_json::Value as Json;

use super::accounts::{Account, Secrets, of};
use super::message::{self, Envelope};
use super::provider::Provider;
use super::store;
use super::store::messages::{self, NewMessage, Role, State};
use crate::business;
use crate::core::Core;
use crate::db::{DbResult, Terms, Tx};

pub use super::signature::Refused;

/// What became of a message at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// On disk; `again` for one that was there.
    Taken {
        again: bool,
    },
    UnknownBusiness,
    /// The business has no connected account of this provider.
    NotConnected,
    Refused(Refused),
    /// Signed by the provider, and still no message: the sentence says why.
    Unreadable(String),
    /// The secrets cannot be read here: the provider should try again later.
    Locked(String),
}

/// Refusals are noted once in so many seconds: a stranger's calls may not keep the database busy.
const NOTED_EVERY: i64 = 60;

/// Takes in a message to a business. `header` finds a header by its name.
pub async fn receive<'h>(
    core: &Core,
    provider: Provider,
    business: &str,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> DbResult<Received> {
    let accounts = match connected(core, provider, business).await? {
        Ok(accounts) => accounts,
        Err(answer) => return Ok(answer),
    };
    let account = match signer(core, &accounts, provider, &header, body) {
        Ok(account) => account,
        Err(Received::Refused(why)) => {
            // Whoever sends no signature at all is no provider.
            if !matches!(why, Refused::Missing(_)) {
                note(core, &accounts, &why.to_string()).await?;
            }
            return Ok(Received::Refused(why));
        }
        Err(other) => return Ok(other),
    };
    let text = std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.".to_owned());
    let new = match text.and_then(|text| message_of(core, account, text)) {
        Ok(new) => new,
        Err(why) => {
            note(core, std::slice::from_ref(account), &why).await?;
            return Ok(Received::Unreadable(why));
        }
    };
    let taken = core.db.write_on(Terms::of(vec![]).ids(1), new, insert_in).await?;
    Ok(Received::Taken { again: !taken })
}

/// Notes a message to a business that was too large to be read. Its signature covers all of it, so it cannot be checked:
/// a message without one is nobody's.
pub async fn too_large<'h>(
    core: &Core,
    provider: Provider,
    business: &str,
    header: impl Fn(&str) -> Option<&'h str>,
    largest: usize,
) -> DbResult<()> {
    let Ok(accounts) = connected(core, provider, business).await? else { return Ok(()) };
    if let Err(Received::Refused(why)) = signer(core, &accounts, provider, &header, b"")
        && !matches!(why, Refused::Missing(_))
    {
        note(core, &accounts, &format!("It is larger than {} kB.", largest >> 10)).await?;
    }
    Ok(())
}

/// The connected accounts of a provider to whose business a message is addressed.
async fn connected(core: &Core, provider: Provider, business: &str) -> DbResult<Result<Vec<Account>, Received>> {
    let mut conn = core.db.read().await?;
    let Some(business) = business::by_public_id(&mut conn, business).await? else {
        return Ok(Err(Received::UnknownBusiness));
    };
    let mut accounts = of(&mut conn, business.id).await?;
    accounts.retain(|account| account.row.provider == provider && account.is_connected());
    Ok(if accounts.is_empty() { Err(Received::NotConnected) } else { Ok(accounts) })
}

async fn insert_in(tx: &mut Tx, new: &NewMessage) -> DbResult<bool> {
    messages::insert(tx, new).await
}

/// The account whose secret the message is signed with; of several, the one of the message's mode.
fn signer<'a, 'h>(
    core: &Core,
    accounts: &'a [Account],
    provider: Provider,
    header: &impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> Result<&'a Account, Received> {
    let keys = core.keyring.keys().map_err(Received::Locked)?;
    let now = core.clock.now();
    let mut first = None;
    let mut fitting = Vec::new();
    for account in accounts {
        let secrets = Secrets::open(&keys, &account.row).map_err(Received::Locked)?;
        match message::check(provider, header, body, &secrets.messages, now) {
            Ok(()) => fitting.push(account),
            // A signature that fits and is too old says more than one that does not fit.
            Err(Refused::Old) => first = Some(Refused::Old),
            Err(why) => first = first.or(Some(why)),
        }
    }
    let mode = std::str::from_utf8(body).ok().and_then(|text| {
        let json: Json = serde_json::from_str(text).ok()?;
        message::envelope(provider, &json, text, now).ok()?.test
    });
    let of_mode = fitting.iter().find(|account| mode == Some(account.row.test));
    let found = of_mode.or_else(|| fitting.first()).copied();
    found.ok_or_else(|| Received::Refused(first.unwrap_or(Refused::Wrong)))
}

/// The message of a body that the account's provider sent.
pub fn message_of(core: &Core, account: &Account, text: &str) -> Result<NewMessage, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("The body is not JSON: {error}."))?;
    let row = &account.row;
    let Envelope { identity, kind, happened_at, test } =
        message::envelope(row.provider, &json, text, core.clock.now())?;
    let (state, outcome, mentions) = match message::read(row.provider, &json, happened_at) {
        _ if test.is_some_and(|test| test != row.test) => {
            let (of, with) = if row.test { ("live", "test") } else { ("test", "live") };
            let outcome = format!("It is of {of} mode, and the account is connected with its {with} mode.");
            (State::Ignored, outcome, Vec::new())
        }
        Err(why) => (State::Failed, why, Vec::new()),
        Ok(told) if told.names.is_empty() && told.explains.is_empty() && told.facts.is_empty() => {
            (State::Ignored, "It says nothing that counts for referrals.".to_owned(), Vec::new())
        }
        Ok(told) => {
            let names = told.names.iter().map(|name| (Role::Names, name.to_string()));
            let explains = told.explains.iter().map(|id| (Role::Explains, id.clone()));
            (State::New, String::new(), names.chain(explains).collect())
        }
    };
    Ok(NewMessage {
        business_id: row.business_id,
        account_id: row.id,
        identity,
        kind,
        happened_at: happened_at.micros(),
        body: without_secrets(text, json),
        state,
        outcome,
        mentions,
    })
}

/// A message without the secret by which a browser pays: nothing here needs it.
fn without_secrets(text: &str, mut json: Json) -> String {
    const SECRET: &str = "client_secret";
    fn take(json: &mut Json) {
        match json {
            Json::Object(fields) => {
                fields.remove(SECRET);
                fields.values_mut().for_each(take);
            }
            Json::Array(all) => all.iter_mut().for_each(take),
            _ => {}
        }
    }
    if !text.contains(SECRET) {
        return text.to_owned();
    }
    take(&mut json);
    json.to_string()
}

/// Notes on the accounts that a message was turned away.
async fn note(core: &Core, accounts: &[Account], why: &str) -> DbResult<()> {
    let before = core.clock.now().plus_seconds(-NOTED_EVERY).micros();
    let due = accounts.iter().filter(|a| a.row.refused_at.is_none_or(|at| at < before)).map(|a| a.row.id);
    let due: Vec<i64> = due.collect();
    if due.is_empty() {
        return Ok(());
    }
    tracing::warn!(accounts = ?due, why, "a provider's message was turned away");
    core.db.write(vec![], (due, why.to_owned()), store::refused).await
}
