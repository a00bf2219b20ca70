//! Publishable keys: for the source of a web page, where everybody reads them. They look codes up and do
//! nothing else, and a browser may use them on the origins that are named with them only.

use std::sync::Arc;

use serde_json::json;

use super::Revoked;
use super::store::publishable::{self as store, PublishableLine};
pub use super::store::publishable::{NewPublishable, allows, insert, is_known_origin};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{Conn, DbResult, Key, Tx};
use crate::id;

/// Origins a key may have.
const MOST: usize = 20;

/// An origin as a browser writes it: scheme, host in lower-case ASCII, and the port where it is not the
/// scheme's own. The error is a sentence's end.
pub fn origin(text: &str) -> Result<String, &'static str> {
    const SHAPE: &str = "is written like https://shop.example";
    let (scheme, rest) = text.trim().split_once("://").ok_or(SHAPE)?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return Err("begins with https:// or http://"),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('*') {
        return Err("names one host; wildcards are not understood");
    }
    if rest.contains(['/', '?', '#', '@', '\\', ' ']) {
        return Err("has no path: a scheme and a host are all of it");
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        Some(_) => return Err(SHAPE),
        None => (rest, own_port),
    };
    let host = idna::domain_to_ascii_strict(host).map_err(|_| SHAPE)?;
    let port: u16 = port.parse().map_err(|_| SHAPE)?;
    if host.is_empty() || host.len() > 253 {
        return Err(SHAPE);
    }
    let is_own = port.to_string() == own_port;
    Ok(if is_own { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") })
}

/// Several of them, a line each.
pub fn origins(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for line in text.split(['\n', ',', ' ']).map(str::trim).filter(|line| !line.is_empty()) {
        let shown: String = line.chars().take(60).collect();
        all.push(origin(line).map_err(|why| format!("“{shown}” {why}"))?);
    }
    all.sort();
    all.dedup();
    if all.len() > MOST {
        return Err(format!("may be {MOST} at most"));
    }
    Ok(all)
}

/// Makes one. Its text is no secret.
pub async fn make_publishable(
    core: &Core,
    actor: &Arc<Actor>,
    business_id: i64,
    name: &str,
    origins: Vec<String>,
) -> DbResult<String> {
    let text = id::new_publishable_key(&mut rand::rng());
    let key = NewPublishable {
        id: core.ids.next().await?,
        business_id,
        name: name.to_owned(),
        text: text.clone(),
        origins,
        created_by: actor.id,
    };
    core.write(vec![Key::Row(business_id)], actor, key, make_in).await?;
    Ok(text)
}

async fn make_in(tx: &mut Tx, key: &NewPublishable) -> DbResult<()> {
    let now = tx.now();
    store::insert(tx, key, now).await?;
    let entry = NewEntry::by(tx, key.business_id, "key.publishable_made", ("key", key.id))?
        .after(json!({ "name": key.name, "origins": key.origins.join(" ") }));
    audit::write(tx, &[entry]).await
}

pub async fn revoke_publishable(core: &Core, actor: &Arc<Actor>, business_id: i64, key_id: i64) -> DbResult<Revoked> {
    core.write(vec![Key::Row(key_id)], actor, (business_id, key_id), revoke_in).await
}

async fn revoke_in(tx: &mut Tx, &(business_id, key_id): &(i64, i64)) -> DbResult<Revoked> {
    let now = tx.now();
    let Some(key) = store::find(tx, business_id, key_id).await? else { return Ok(Revoked::NotFound) };
    if !store::revoke(tx, key_id, now).await? {
        return Ok(Revoked::Already);
    }
    let entry =
        NewEntry::by(tx, business_id, "key.publishable_revoked", ("key", key_id))?.before(json!({ "name": key.name }));
    audit::write(tx, &[entry]).await?;
    Ok(Revoked::Yes)
}

/// A publishable key in force, by its text.
pub async fn publishable(conn: &mut Conn, text: &str) -> DbResult<Option<PublishableLine>> {
    if !id::publishable_key_ok(text) {
        return Ok(None);
    }
    Ok(store::by_text(conn, text).await?.filter(|key| key.revoked_at.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            (" HTTPS://Shop.Example/ ", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "shop.example",
            "*",
            "https://*.shop.example",
            "https://shop.example/path",
            "https://a@shop.example",
            "ftp://shop.example",
            "https://",
            "null",
            "https://shop.example:port",
            "https://shop.example:99999",
            "https://shop.example\\@evil.example",
            "javascript://shop.example",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
        assert_eq!(origins("https://b.example\nhttps://a.example, https://b.example").unwrap().len(), 2);
    }
}
