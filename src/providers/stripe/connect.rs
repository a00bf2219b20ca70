//! Connecting an account of Stripe's by its key.

use std::sync::Arc;

use super::account::{self, Facts};
use super::client::{ApiError, Client};
use super::discount;
use crate::actor::Actor;
use crate::core::Core;
use crate::db::DbResult;
use crate::id;
use crate::providers::accounts::{self, Account, Secrets};
use crate::providers::connect::{self, Connected, Connection};
use crate::providers::provider::Provider;
use crate::providers::store::LinkTerms;

/// An account to be connected: its key, and the secret of an endpoint that was made by hand.
#[derive(Debug, Clone)]
pub struct ByKey {
    pub business_id: i64,
    /// The business, as the address of its messages names it.
    pub business: String,
    pub campaign_id: i64,
    pub key: String,
    pub webhook_secret: Option<String>,
    pub terms: Option<LinkTerms>,
}

/// An account that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByKeyDone {
    pub account_id: i64,
    pub product: String,
    pub facts: Facts,
    pub test: bool,
    /// The id of the endpoint that was made; empty for one made by hand.
    pub endpoint: String,
}

/// Why an account was not connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotConnected {
    /// The key is none: a sentence without its subject.
    Key(&'static str),
    Stripe(ApiError),
    /// Stripe takes no endpoint at this address.
    Endpoint(ApiError),
    Desk(Connected),
}

impl std::fmt::Display for NotConnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(why) => write!(f, "The key {why}."),
            Self::Stripe(error) => write!(f, "{error}"),
            Self::Endpoint(error) => write!(
                f,
                "Stripe did not make a webhook endpoint for this desk. {error} Make one by hand, and give its signing secret."
            ),
            Self::Desk(Connected::NoCampaign) => f.write_str("There is no such campaign."),
            Self::Desk(Connected::NoProduct) => f.write_str("The campaign has no such product: add one first."),
            Self::Desk(Connected::Refused(why)) => f.write_str(why),
            Self::Desk(Connected::Done { .. }) => Ok(()),
        }
    }
}

/// The address for the messages of an account to a business.
pub fn webhook_url(public_url: &str, provider: Provider, business: &str) -> String {
    format!("{public_url}/webhooks/{provider}/{business}")
}

/// The client of a key, at the address that the configuration names.
pub fn client(core: &Core, key: &str) -> Client {
    Client::new(&core.config.stripe_api, key)
}

/// Looks the account up, makes its endpoint where no secret is given, and connects it.
pub async fn by_key(core: &Core, actor: &Arc<Actor>, new: ByKey) -> DbResult<Result<ByKeyDone, NotConnected>> {
    let test = match account::is_test_key(&new.key) {
        Ok(test) => test,
        Err(why) => return Ok(Err(NotConnected::Key(why))),
    };
    let client = client(core, &new.key);
    let facts = match account::look_up(&client).await {
        Ok(facts) => facts,
        Err(error) => return Ok(Err(NotConnected::Stripe(error))),
    };
    let mut is_new = false;
    let known = known(core, new.business_id, test, &facts.id).await?;
    let (endpoint, secrets) = match (new.webhook_secret, known) {
        // An endpoint that still sends keeps its secret beside a new one.
        (Some(secret), known) => {
            let (endpoint, old) = known.unwrap_or_default();
            let old = old.into_iter().filter(|old| *old != secret).take(KEPT);
            (endpoint, std::iter::once(secret.clone()).chain(old).collect())
        }
        (None, Some((endpoint, secrets))) if !endpoint.is_empty() => (endpoint, secrets),
        (None, _) => {
            let url = webhook_url(&core.config.public_url, Provider::Stripe, &new.business);
            let once = format!("refdesk-endpoint-{}", id::new_token(&mut rand::rng()));
            match account::make_endpoint(&client, &url, &once).await {
                Ok(made) => {
                    is_new = true;
                    (made.id, vec![made.secret])
                }
                Err(error) => return Ok(Err(NotConnected::Endpoint(error))),
            }
        }
    };
    let connection = Connection {
        business_id: new.business_id,
        campaign_id: new.campaign_id,
        provider: Provider::Stripe,
        test,
        account: facts.id.clone(),
        name: facts.name.clone(),
        secrets: Secrets { key: Some(new.key), messages: secrets },
        endpoint: endpoint.clone(),
        terms: new.terms,
    };
    let done = connect::connect(core, actor, connection).await?;
    if !matches!(done, Connected::Done { .. }) && is_new {
        // Nobody would know its secret.
        if let Err(error) = account::remove_endpoint(&client, &endpoint).await {
            tracing::warn!(%error, endpoint, "an endpoint at Stripe was left behind");
        }
    }
    Ok(match done {
        Connected::Done { account_id, product } => Ok(ByKeyDone { account_id, product, facts, test, endpoint }),
        other => Err(NotConnected::Desk(other)),
    })
}

/// Older secrets that an account keeps.
const KEPT: usize = 2;

/// The endpoint and the secrets of an account that is connected already.
async fn known(core: &Core, business_id: i64, test: bool, account: &str) -> DbResult<Option<(String, Vec<String>)>> {
    let all = accounts::of(&mut core.db.read().await?, business_id).await?;
    let same = |a: &&Account| {
        a.row.provider == Provider::Stripe && a.row.test == test && a.row.account == account && a.is_connected()
    };
    let Some(found) = all.iter().find(same) else { return Ok(None) };
    let opened = core.keyring.keys().and_then(|keys| Secrets::open(&keys, &found.row));
    Ok(opened.ok().map(|secrets| (found.row.endpoint.clone(), secrets.messages)))
}

/// Takes no more messages of an account, and removes the endpoint that Refdesk made for it.
pub async fn leave(core: &Core, actor: &Arc<Actor>, business_id: i64, account_id: i64) -> DbResult<bool> {
    let all = accounts::of(&mut core.db.read().await?, business_id).await?;
    let left = connect::disconnect(core, actor, business_id, account_id).await?;
    let found = all.into_iter().find(|a| a.row.id == account_id && !a.row.endpoint.is_empty());
    if let (true, Some(found)) = (left, found) {
        let removed = match discount::client(core, &found) {
            Ok(client) => account::remove_endpoint(&client, &found.row.endpoint).await.map_err(|e| e.to_string()),
            Err(why) => Err(why),
        };
        if let Err(why) = removed {
            tracing::warn!(account = account_id, why, "an endpoint at Stripe was left behind");
        }
    }
    Ok(left)
}
