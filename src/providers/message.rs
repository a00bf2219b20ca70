//! A message of any provider: its proof, its envelope, and what it says.

use serde_json::Value as Json;

use super::read::Unreadable;
use super::signature::Refused;
use super::told::Told;
use super::{Provider, flutterwave, lemon_squeezy, paddle, paystack, stripe};
use crate::clock::Instant;
use crate::id;

/// The parts of a message that every provider has in some form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The provider's id of the event; a digest of the body where it gives none.
    pub identity: String,
    /// The provider's word for what happened.
    pub kind: String,
    pub happened_at: Instant,
    /// Whether it is of the provider's test mode, where the message says so.
    pub test: Option<bool>,
}

/// Checks that a message is from whoever has one of the secrets. `header` finds a header by its name.
pub fn check<'h>(
    provider: Provider,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    secrets: &[String],
    now: Instant,
) -> Result<(), Refused> {
    match provider {
        Provider::Stripe => stripe::signature::check(header("stripe-signature"), body, secrets, now),
        Provider::Paystack => paystack::check(header("x-paystack-signature"), body, secrets),
        Provider::Flutterwave => {
            flutterwave::check(header("verif-hash"), header("flutterwave-signature"), body, secrets)
        }
        Provider::Paddle => paddle::check(header("paddle-signature"), body, secrets, now),
        Provider::LemonSqueezy => lemon_squeezy::check(header("x-signature"), body, secrets),
    }
}

pub fn envelope(provider: Provider, json: &Json, body: &str, now: Instant) -> Result<Envelope, Unreadable> {
    let Envelope { identity, kind, happened_at, test } = match provider {
        Provider::Stripe => stripe::envelope(json)?,
        Provider::Paystack => paystack::envelope(json, now)?,
        Provider::Flutterwave => flutterwave::envelope(json, now)?,
        Provider::Paddle => paddle::envelope(json, now)?,
        Provider::LemonSqueezy => lemon_squeezy::envelope(json, now)?,
    };
    let identity = if identity.is_empty() { format!("body:{}", id::sha256_hex(body)) } else { identity };
    Ok(Envelope { identity, kind, happened_at, test })
}

pub fn read(provider: Provider, json: &Json, happened_at: Instant) -> Result<Told, Unreadable> {
    match provider {
        Provider::Stripe => stripe::read(json),
        Provider::Paystack => paystack::read(json, happened_at),
        Provider::Flutterwave => flutterwave::read(json, happened_at),
        Provider::Paddle => paddle::read(json, happened_at),
        Provider::LemonSqueezy => lemon_squeezy::read(json, happened_at),
    }
}
