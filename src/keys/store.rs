pub mod publishable;

use crate::clock::Instant;
use crate::db::{Conn, DbResult, Tx, sql};
use crate::users::Role;
use crate::{id, row, rows};

row! {
    #[derive(Debug, Clone)]
    pub struct KeyRow {
        pub id: i64,
        pub business_id: i64,
        pub business_public_id: String,
        pub timezone: String,
        pub currency: String,
        pub country: String,
        pub campaign_id: Option<i64>,
        pub default_campaign_id: Option<i64>,
        pub name: String,
        pub test: bool,
        pub scopes: String,
        pub networks: String,
        pub per_minute: Option<i64>,
        pub expires_at: Option<i64>,
        pub revoked_at: Option<i64>,
        pub held_by: Option<i64>,
        /// The holder's role of today; none where they are no member.
        pub holder_role: Option<String>,
    }
}

/// A key about to be stored.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub id: i64,
    pub business_id: i64,
    pub campaign_id: Option<i64>,
    pub name: String,
    /// The visible rest of the text.
    pub shown: String,
    pub hash: String,
    pub test: bool,
    pub scopes: String,
    /// Addresses and networks with a space between them; empty for anywhere.
    pub networks: String,
    /// Calls a minute; none for as many as it likes.
    pub per_minute: Option<i64>,
    pub expires_at: Option<Instant>,
    pub created_by: Option<i64>,
}

impl NewKey {
    /// A live key that may do everything.
    pub fn full(id: i64, business_id: i64, name: &str, text: &str, created_by: Option<i64>) -> Self {
        Self {
            id,
            business_id,
            campaign_id: None,
            name: name.to_owned(),
            shown: shown(text),
            hash: id::sha256_hex(text),
            test: text.starts_with("rk_test_"),
            scopes: super::all_scopes(),
            networks: String::new(),
            per_minute: None,
            expires_at: None,
            created_by,
        }
    }
}

/// "rk_live_…Xy7q": prefix and last four.
pub fn shown(text: &str) -> String {
    let prefix = if text.starts_with("rk_test_") { "rk_test_" } else { "rk_live_" };
    let last: String = text.chars().skip(text.chars().count().saturating_sub(4)).collect();
    format!("{prefix}\u{2026}{last}")
}

pub async fn insert(tx: &mut Tx, k: &NewKey, now: Instant) -> DbResult<()> {
    sql("INSERT INTO api_keys
                (id, business_id, campaign_id, name, shown, hash, test, scopes, created_by, held_by, created_at,
                 expires_at, networks, per_minute)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13)")
    .bind(k.id)
    .bind(k.business_id)
    .bind(k.campaign_id)
    .bind(&k.name)
    .bind(&k.shown)
    .bind(&k.hash)
    .bind(k.test)
    .bind(&k.scopes)
    .bind(k.created_by)
    .bind(now)
    .bind(k.expires_at)
    .bind(&k.networks)
    .bind(k.per_minute)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// A key as its list shows it.
    #[derive(Debug, Clone)]
    pub struct KeyLine {
        pub id: i64,
        pub name: String,
        pub shown: String,
        pub test: bool,
        pub scopes: String,
        pub networks: String,
        pub per_minute: Option<i64>,
        pub replaced_by: Option<i64>,
        pub campaign_id: Option<i64>,
        pub campaign: Option<String>,
        pub made_by: Option<String>,
        pub held_by: Option<i64>,
        pub holder: Option<String>,
        pub holder_role: Option<String>,
        pub created_at: i64,
        pub expires_at: Option<i64>,
        pub revoked_at: Option<i64>,
        pub last_used_at: Option<i64>,
    }
}

/// The keys of a business, those in force first, the newest first.
pub async fn list(conn: &mut Conn, business_id: i64) -> DbResult<Vec<KeyLine>> {
    sql("SELECT k.id, k.name, k.shown, k.test, k.scopes, k.networks, k.per_minute, k.replaced_by, k.campaign_id,
                c.name AS campaign, u.name AS made_by, k.held_by, h.name AS holder, m.role AS holder_role,
                k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           FROM api_keys k
           LEFT JOIN campaigns c ON c.id = k.campaign_id
           LEFT JOIN users u ON u.id = k.created_by
           LEFT JOIN users h ON h.id = k.held_by
           LEFT JOIN memberships m ON m.business_id = k.business_id AND m.user_id = k.held_by
          WHERE k.business_id = $1
          ORDER BY CASE WHEN k.revoked_at IS NULL THEN 0 ELSE 1 END, k.created_at DESC, k.id DESC
          LIMIT 500")
    .bind(business_id)
    .all(conn)
    .await
}

pub async fn find(conn: &mut Conn, business_id: i64, id: i64) -> DbResult<Option<KeyLine>> {
    sql("SELECT k.id, k.name, k.shown, k.test, k.scopes, k.networks, k.per_minute, k.replaced_by, k.campaign_id,
                c.name AS campaign, u.name AS made_by, k.held_by, h.name AS holder, m.role AS holder_role,
                k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           FROM api_keys k
           LEFT JOIN campaigns c ON c.id = k.campaign_id
           LEFT JOIN users u ON u.id = k.created_by
           LEFT JOIN users h ON h.id = k.held_by
           LEFT JOIN memberships m ON m.business_id = k.business_id AND m.user_id = k.held_by
          WHERE k.id = $1
            AND k.business_id = $2")
    .bind(id)
    .bind(business_id)
    .optional(conn)
    .await
}

/// The keys in force that a member holds.
pub async fn held_by(conn: &mut Conn, business_id: i64, user_id: i64, now: Instant) -> DbResult<Vec<KeyLine>> {
    let keys = list(conn, business_id).await?;
    let in_force = |key: &KeyLine| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now.micros());
    Ok(keys.into_iter().filter(|key| key.held_by == Some(user_id) && in_force(key)).collect())
}

/// The role of a member.
pub async fn role_of(conn: &mut Conn, business_id: i64, user_id: i64) -> DbResult<Option<Role>> {
    let found: Option<(String,)> = sql("SELECT role
           FROM memberships
          WHERE business_id = $1
            AND user_id = $2")
    .bind(business_id)
    .bind(user_id)
    .optional(conn)
    .await?;
    Ok(found.and_then(|(word,)| Role::parse(&word)))
}

/// Gives a key another holder.
pub async fn hand_over(tx: &mut Tx, id: i64, to: i64) -> DbResult<()> {
    sql("UPDATE api_keys
            SET held_by = $2
          WHERE id = $1")
    .bind(id)
    .bind(to)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a key; false when it was over before.
pub async fn revoke(tx: &mut Tx, id: i64, now: Instant) -> DbResult<bool> {
    let changed = sql("UPDATE api_keys
                          SET revoked_at = $2
                        WHERE id = $1
                          AND revoked_at IS NULL")
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

/// Another key takes over from a key that nothing took over from yet, and that ends by then.
pub async fn replace(tx: &mut Tx, id: i64, by: i64, ends: Instant) -> DbResult<bool> {
    let changed = sql("UPDATE api_keys
                          SET replaced_by = $2, expires_at = CASE WHEN expires_at < $3 THEN expires_at ELSE $3 END
                        WHERE id = $1
                          AND replaced_by IS NULL
                          AND revoked_at IS NULL")
    .bind(id)
    .bind(by)
    .bind(ends)
    .execute(tx)
    .await?;
    Ok(changed == 1)
}

pub async fn by_hash(conn: &mut Conn, hash: &str) -> DbResult<Option<KeyRow>> {
    sql("SELECT k.id, k.business_id, b.public_id AS business_public_id, b.timezone, b.currency, b.country,
                k.campaign_id, b.default_campaign_id, k.name, k.test, k.scopes, k.networks, k.per_minute,
                k.expires_at, k.revoked_at, k.held_by, m.role AS holder_role
           FROM api_keys k
           JOIN businesses b ON b.id = k.business_id
           LEFT JOIN memberships m ON m.business_id = k.business_id AND m.user_id = k.held_by
          WHERE k.hash = $1")
    .bind(hash)
    .optional(conn)
    .await
}

/// Writes when keys were last used, for many at once.
pub async fn used(tx: &mut Tx, used: &Vec<(i64, Instant)>) -> DbResult<()> {
    let table = rows!(used, (id, at) => { id: *id, at: *at });
    sql("UPDATE api_keys SET last_used_at = r.at FROM rows($1, id BIGINT, at BIGINT) r
          WHERE api_keys.id = r.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < r.at)")
    .bind(table)
    .execute(tx)
    .await?;
    Ok(())
}

row! {
    /// The address that qualifies the leads of one campaign.
    #[derive(Debug, Clone)]
    pub struct WebhookRow {
        pub campaign_id: i64,
        pub business_id: i64,
        pub campaign: String,
        pub timezone: String,
        pub country: String,
    }
}

/// The campaign whose token has this hash.
pub async fn webhook_by_hash(conn: &mut Conn, hash: &str) -> DbResult<Option<WebhookRow>> {
    sql("SELECT w.campaign_id, w.business_id, c.name AS campaign, b.timezone, b.country
           FROM webhook_tokens w
           JOIN campaigns c ON c.id = w.campaign_id
           JOIN businesses b ON b.id = w.business_id
          WHERE w.hash = $1")
    .bind(hash)
    .optional(conn)
    .await
}

/// The last characters of each campaign's token, where it has one.
pub async fn webhook_tokens(conn: &mut Conn, business_id: i64) -> DbResult<Vec<(i64, String)>> {
    sql("SELECT campaign_id, shown
           FROM webhook_tokens
          WHERE business_id = $1")
    .bind(business_id)
    .all(conn)
    .await
}

/// Stores the hash of a campaign's token; answers whether it had another one.
pub async fn set_webhook_token(tx: &mut Tx, business_id: i64, campaign_id: i64, token: &str) -> DbResult<bool> {
    let before = webhook_tokens(tx, business_id).await?.iter().any(|(campaign, _)| *campaign == campaign_id);
    let last: String = token.chars().skip(token.chars().count().saturating_sub(4)).collect();
    sql("INSERT INTO webhook_tokens (campaign_id, business_id, shown, hash)
         VALUES ($1, $2, $3, $4)
             ON CONFLICT (campaign_id) DO UPDATE
            SET shown = excluded.shown, hash = excluded.hash")
    .bind(campaign_id)
    .bind(business_id)
    .bind(format!("\u{2026}{last}"))
    .bind(id::sha256_hex(token))
    .execute(tx)
    .await?;
    Ok(before)
}
