//! `refdesk key …`: what the Integrations page does with API keys. A key's text goes to standard output and nowhere
//! else, so that a script can take it from there.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::common::{actor, business, instant, open, print_json, print_table};
use super::say::say;
use super::{NO, Refusal};
use crate::app::App;
use crate::business::BusinessRow;
use crate::clock::{Day, Instant, Zone};
use crate::config::Config;
use crate::id::{self, Kind};
use crate::keys::{self, KeyLine, Made, MakeKey, Networks, OVERLAPS, Revoked, Rotated, SCOPES};
use crate::text;

#[derive(Subcommand)]
pub enum KeyVerb {
    /// The keys of a business, those in force first
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Make a key; it is printed once
    Make(Make),
    /// End a key: it is refused everywhere within a second
    Revoke {
        /// Its id from `refdesk key list` (key_…), or the key itself
        key: String,
        #[command(flatten)]
        of: Of,
    },
    /// Make the key that takes over from another, with the same name and rights
    Rotate {
        /// Its id from `refdesk key list` (key_…), or the key itself
        key: String,
        /// The time the old one still works: now (not at all), hour, day or week
        #[arg(long, default_value = "day", value_parser = overlap)]
        overlap: i64,
        /// The last day the new one works on, YYYY-MM-DD [default: it does not expire]
        #[arg(long)]
        expires: Option<String>,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(clap::Args)]
pub struct Of {
    /// The business (business_…), where there are several
    #[arg(long)]
    business: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Make {
    /// Its purpose, such as the program that uses it
    #[arg(long)]
    name: String,
    /// Its scopes, with commas between them, such as events:write,leads:read [default: everything]
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    scopes: Vec<&'static str>,
    /// Everything it sends is test data
    #[arg(long)]
    test: bool,
    /// The campaign of leads that name none: its number, or campaign_… [default: the business's]
    #[arg(long)]
    campaign: Option<String>,
    /// Addresses and networks it may be used from, with commas between them [default: anywhere]
    #[arg(long, default_value = "")]
    from: String,
    /// Calls of /v1 a minute [default: as many as it likes]
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    per_minute: Option<i64>,
    /// The last day it works on, YYYY-MM-DD, in the business's time zone [default: it does not expire]
    #[arg(long)]
    expires: Option<String>,
    #[command(flatten)]
    of: Of,
}

fn scope(word: &str) -> Result<&'static str, String> {
    let known = SCOPES.into_iter().find(|(scope, _)| *scope == word.trim());
    known.map(|(scope, _)| scope).ok_or_else(|| format!("the scopes are {}", SCOPES.map(|(scope, _)| scope).join(", ")))
}

fn overlap(word: &str) -> Result<i64, String> {
    let known = OVERLAPS.iter().find(|(known, ..)| *known == word);
    known.map(|(.., seconds)| *seconds).ok_or_else(|| "must be now, hour, day or week".to_owned())
}

pub async fn key(config: Config, verb: KeyVerb) -> Result<(), Refusal> {
    let app = open(config).await?;
    match verb {
        KeyVerb::List { of } => list(&app, &of).await?,
        KeyVerb::Make(new) => make(&app, new).await?,
        KeyVerb::Revoke { key, of } => revoke(&app, &key, &of).await?,
        KeyVerb::Rotate { key, overlap, expires, of } => rotate(&app, &key, overlap, expires.as_deref(), &of).await?,
    }
    app.db.close().await;
    Ok(())
}

/// In force, expired or revoked.
fn state(key: &KeyLine, now: Instant) -> &'static str {
    match key {
        _ if key.revoked_at.is_some() => "revoked",
        _ if key.expires_at.is_some_and(|at| at <= now.micros()) => "expired",
        _ => "active",
    }
}

async fn list(app: &App, of: &Of) -> Result<(), Refusal> {
    let mut conn = app.db.read().await?;
    let business = business(&mut conn, of.business.as_deref()).await?;
    let found = keys::list(&mut conn, business.id).await?;
    let now = app.clock.now();
    if of.json {
        let one = |key: &KeyLine| {
            json!({
                "id": id::render(Kind::Key, key.id),
                "name": key.name,
                "shown": key.shown,
                "test": key.test,
                "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
                "from": key.networks,
                "per_minute": key.per_minute,
                "campaign": key.campaign_id.map(|id| id::render(Kind::Campaign, id)),
                "state": state(key, now),
                "replaced_by": key.replaced_by.map(|id| id::render(Kind::Key, id)),
                "created_at": instant(key.created_at),
                "expires_at": key.expires_at.map(instant),
                "revoked_at": key.revoked_at.map(instant),
                "last_used_at": key.last_used_at.map(instant),
            })
        };
        let keys: Vec<Json> = found.iter().map(one).collect();
        return print_json(&json!({ "business": business.public_id, "keys": keys }));
    }
    let line = |key: &KeyLine| {
        let rights =
            if key.scopes == keys::all_scopes() { "everything".to_owned() } else { key.scopes.replace(' ', ",") };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), instant);
        vec![id::render(Kind::Key, key.id), key.shown.clone(), state(key, now).into(), used, key.name.clone(), rights]
    };
    print_table(&["id", "key", "state", "last used", "name", "may"], &found.iter().map(line).collect::<Vec<_>>());
    Ok(())
}

/// `None` for never.
fn expiry(app: &App, business: &BusinessRow, typed: Option<&str>) -> Result<Option<Instant>, Refusal> {
    let Some(typed) = typed else { return Ok(None) };
    let day = Day::parse(typed).map_err(|why| Refusal::unusable(format!("--expires {why}")))?;
    let zone = Zone::parse(&business.timezone).unwrap_or_default();
    let ends = keys::through(day, zone, app.clock.now());
    ends.map(Some).ok_or_else(|| Refusal::unusable("--expires has passed"))
}

async fn make(app: &App, new: Make) -> Result<(), Refusal> {
    let mut conn = app.db.read().await?;
    let business = business(&mut conn, new.of.business.as_deref()).await?;
    drop(conn);
    let name = text::line(&new.name, 80).map_err(|why| Refusal::unusable(format!("--name {why}")))?;
    if name.is_empty() {
        return Err(Refusal::unusable("--name is empty"));
    }
    let no_campaign = |typed: &str| Refusal::unusable(format!("there is no campaign {typed} in {}", business.name));
    let campaign_id = match new.campaign.as_deref().map(str::trim) {
        Some(typed) => {
            let known = typed.parse().ok().or_else(|| id::parse(Kind::Campaign, typed));
            Some(known.ok_or_else(|| no_campaign(typed))?)
        }
        None => None,
    };
    // In the order of the table, each once, as the form stores them.
    let chosen: Vec<&str> = SCOPES.iter().map(|(s, _)| *s).filter(|s| new.scopes.contains(s)).collect();
    let wanted = MakeKey {
        business_id: business.id,
        name: name.clone(),
        test: new.test,
        scopes: if chosen.is_empty() { keys::all_scopes() } else { chosen.join(" ") },
        campaign_id,
        networks: Networks::parse(&new.from).map_err(|why| Refusal::unusable(format!("--from {why}")))?,
        per_minute: new.per_minute,
        expires_at: expiry(app, &business, new.expires.as_deref())?,
    };
    match keys::make(app, &actor("key make"), wanted).await? {
        Made::Key { id, text } => print_key(app, &business, id, &text, new.of.json, "It is shown once.").await,
        Made::BeyondRole => Err(Refusal::unusable("the key may do more than its maker")),
        Made::NoSuchCampaign => Err(no_campaign(new.campaign.as_deref().unwrap_or_default())),
    }
}

async fn print_key(
    app: &App,
    business: &BusinessRow,
    id: i64,
    text: &str,
    as_json: bool,
    words: &str,
) -> Result<(), Refusal> {
    if !as_json {
        eprintln!("{words}");
        say!("{text}");
        return Ok(());
    }
    let row = keys::find(&mut app.db.read().await?, business.id, id).await?;
    let row = row.ok_or_else(|| Refusal::unusable("the key no longer exists"))?;
    print_json(&json!({
        "id": id::render(Kind::Key, id),
        "key": text,
        "business": business.public_id,
        "name": row.name,
        "test": row.test,
        "scopes": row.scopes.split(' ').collect::<Vec<_>>(),
        "expires_at": row.expires_at.map(instant),
    }))
}

/// The business and the key that is meant. A key that is shown names its business itself.
async fn meant(app: &App, typed: &str, of: &Of) -> Result<(BusinessRow, KeyLine), Refusal> {
    let typed = typed.trim();
    let mut conn = app.db.read().await?;
    if id::api_key_checksum_ok(typed) {
        let nobodys = || Refusal::unusable("that key is not one of Refdesk's");
        let (business_id, key_id) = keys::by_text(&mut conn, typed).await?.ok_or_else(nobodys)?;
        let business = crate::business::by_id(&mut conn, business_id).await?.ok_or_else(nobodys)?;
        return match keys::find(&mut conn, business_id, key_id).await? {
            Some(_) if of.business.as_ref().is_some_and(|wanted| *wanted != business.public_id) => {
                Err(Refusal::unusable("that key is another business's"))
            }
            found => Ok((business, found.ok_or_else(nobodys)?)),
        };
    }
    let business = business(&mut conn, of.business.as_deref()).await?;
    let found = match id::parse(Kind::Key, typed) {
        Some(key_id) => keys::find(&mut conn, business.id, key_id).await?,
        None => None,
    };
    let nothing =
        || Refusal::unusable(format!("there is no such key in {}; `refdesk key list` has their ids", business.name));
    let key = found.ok_or_else(nothing)?;
    Ok((business, key))
}

async fn revoke(app: &App, typed: &str, of: &Of) -> Result<(), Refusal> {
    let (business, key) = meant(app, typed, of).await?;
    let revoked = keys::revoke(app, &app.keys, &actor("key revoke"), business.id, key.id).await?;
    if of.json {
        let id = id::render(Kind::Key, key.id);
        return print_json(&json!({ "id": id, "name": key.name, "already": revoked == Revoked::Already }));
    }
    match revoked {
        Revoked::Yes => say!("{} {} was revoked.", key.shown, key.name),
        Revoked::Already => say!("{} {} was revoked before.", key.shown, key.name),
        Revoked::NotFound => return Err(Refusal::unusable("the key no longer exists")),
    }
    Ok(())
}

async fn rotate(app: &App, typed: &str, seconds: i64, expires: Option<&str>, of: &Of) -> Result<(), Refusal> {
    let (business, key) = meant(app, typed, of).await?;
    let expires_at = expiry(app, &business, expires)?;
    match keys::rotate(app, &app.keys, &actor("key rotate"), business.id, key.id, seconds, expires_at).await? {
        Rotated::Key { id, text } => {
            let ends = app.clock.now().plus_seconds(seconds).to_rfc3339_millis();
            let words = match seconds {
                0 => format!("{} is refused from now on. The new key is shown once.", key.shown),
                _ => format!("{} works until {ends}. The new key is shown once.", key.shown),
            };
            print_key(app, &business, id, &text, of.json, &words).await
        }
        Rotated::Over => {
            let why = "that key has expired or was replaced already; no key was made".to_owned();
            Err(Refusal { code: NO, why })
        }
        Rotated::BeyondRole => Err(Refusal::unusable("the key may do more than its maker")),
        Rotated::NotFound => Err(Refusal::unusable("the key no longer exists")),
    }
}
