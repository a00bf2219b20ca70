//! The account behind a key of Stripe's API, and the endpoint for its messages.

use serde_json::Value as Json;

use super::client::{ApiError, Client, Form};
use super::{EVENTS, VERSION};
use crate::providers::read::{first, text};

/// What Stripe says of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `acct_…`; empty where the key may not see it.
    pub id: String,
    pub name: String,
}

/// An endpoint that Stripe sends messages to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: String,
    pub secret: String,
}

/// Whether a key of the API is of test mode.
///
/// # Errors
/// A sentence: it is no secret or restricted key.
pub fn is_test_key(key: &str) -> Result<bool, &'static str> {
    let parts: Vec<&str> = key.splitn(3, '_').collect();
    match parts.as_slice() {
        ["sk" | "rk", "test", rest] if !rest.is_empty() => Ok(true),
        ["sk" | "rk", "live", rest] if !rest.is_empty() => Ok(false),
        ["pk", ..] => Err("is a publishable key, which may be in the source of pages. Use a restricted key: rk_live_…"),
        ["whsec", ..] => Err("is the signing secret of a webhook. The key begins with rk_ or sk_"),
        _ => Err("is no key of Stripe's: one begins with rk_live_, rk_test_, sk_live_ or sk_test_"),
    }
}

/// The account of the key. A restricted key may not be allowed to see it; Stripe's refusal names it then.
pub async fn look_up(client: &Client) -> Result<Facts, ApiError> {
    match client.get("/v1/account", &[]).await {
        Ok(json) => {
            let names = ["settings.dashboard.display_name", "business_profile.name", "email"];
            Ok(Facts { id: text(&json, "id").unwrap_or_default(), name: first(&json, &names).unwrap_or_default() })
        }
        Err(ApiError::NoRight { message, .. }) => {
            let id = message.split('\'').find(|part| part.starts_with("acct_")).unwrap_or_default();
            Ok(Facts { id: id.to_owned(), name: String::new() })
        }
        Err(error) => Err(error),
    }
}

/// Makes the endpoint for an address, in the version of the API whose objects Refdesk asks for.
pub async fn make_endpoint(client: &Client, url: &str, once: &str) -> Result<Endpoint, ApiError> {
    let mut form: Form = vec![
        ("url".into(), url.to_owned()),
        ("api_version".into(), VERSION.into()),
        ("description".into(), "Refdesk".into()),
    ];
    form.extend(EVENTS.iter().enumerate().map(|(n, event)| (format!("enabled_events[{n}]"), (*event).to_owned())));
    let made = client.post("/v1/webhook_endpoints", &form, once).await?;
    let lacking = || ApiError::Unreachable("the answer has no endpoint in it".into());
    endpoint(&made).ok_or_else(lacking)
}

fn endpoint(json: &Json) -> Option<Endpoint> {
    Some(Endpoint { id: text(json, "id")?, secret: text(json, "secret")? })
}

/// Removes an endpoint that Refdesk made; one that is gone is fine.
pub async fn remove_endpoint(client: &Client, id: &str) -> Result<(), ApiError> {
    match client.delete(&format!("/v1/webhook_endpoints/{id}")).await {
        Ok(_) | Err(ApiError::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
