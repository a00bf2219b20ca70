//! `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 of `<t>.<body>` under the whole text of the
//! endpoint's secret. Any v1 of any secret counts, because two are sent while a secret is replaced.

use crate::clock::Instant;
use crate::providers::signature::{Refused, is_hex_of};

/// Stamps that are older than this are refused, as Stripe's own library does: a message that was overheard cannot be
/// sent again later.
pub const TOLERANCE: i64 = 300;

pub fn check(header: Option<&str>, body: &[u8], secrets: &[String], now: Instant) -> Result<(), Refused> {
    let header = header.ok_or(Refused::Missing("Stripe-Signature"))?;
    let parts: Vec<(&str, &str)> = header.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let all = |name: &'static str| parts.iter().filter(move |(key, _)| *key == name).map(|(_, value)| *value);
    let stamp = all("t").next().ok_or(Refused::Form)?;
    let at: i64 = stamp.parse().map_err(|_| Refused::Form)?;
    let signed = [stamp.as_bytes(), b".", body].concat();
    if !all("v1").any(|sent| secrets.iter().any(|secret| is_hex_of(sent, secret, &signed))) {
        return Err(Refused::Wrong);
    }
    if at < now.seconds() - TOLERANCE {
        return Err(Refused::Old);
    }
    Ok(())
}
