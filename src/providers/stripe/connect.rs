//! Connecting an account of Stripe's by its key.

use std::sync::Arc;

use super::account::{self, Facts};
use super::client::{ApiError, Client};
use crate::actor::Actor;
use crate::core::Core;
use crate::db::DbResult;
use crate::id;
use crate::providers::accounts::Secrets;
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
    let (endpoint, secret) = match new.webhook_secret {
        Some(secret) => (String::new(), secret),
        None => {
            let url = webhook_url(&core.config.public_url, Provider::Stripe, &new.business);
            let once = format!("refdesk-endpoint-{}", id::new_token(&mut rand::rng()));
            match account::make_endpoint(&client, &url, &once).await {
                Ok(made) => (made.id, made.secret),
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
        secrets: Secrets { key: Some(new.key), messages: vec![secret] },
        endpoint: endpoint.clone(),
        terms: new.terms,
    };
    let done = connect::connect(core, actor, connection).await?;
    if !matches!(done, Connected::Done { .. }) && !endpoint.is_empty() {
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
