//! Sessions in the database, and the person signed in by one.
//!
//! Only a hash of a session's id is stored, so that a copy of the table signs nobody in. A session ends a day
//! after its last use or two weeks after it was made, whichever comes first.

use async_trait::async_trait;
use axum::http::{Extensions, HeaderMap, header};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use crate::app::App;
use crate::clock::{Clock, Instant};
use crate::db::{Db, DbError};
use crate::users::{self, ABSOLUTE_SECONDS, IDLE_SECONDS, Member, SignedInUser};
use crate::web::{Fault, layers};

/// `seen_at` is written at most this often.
const SEEN_EVERY_SECONDS: i64 = 300;

/// The layer that reads and writes the cookie.
pub fn layer(app: &App) -> SessionManagerLayer<Store> {
    let secure = app.config.is_https();
    let store = Store { db: app.db.clone(), clock: app.clock.clone() };
    SessionManagerLayer::new(store)
        // A __Host- cookie is refused by browsers on plain http, as on a company's own network.
        .with_name(if secure { "__Host-refdesk" } else { "refdesk" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(ABSOLUTE_SECONDS)))
}

/// The owner of a session.
pub struct SignedIn {
    pub user: SignedInUser,
    pub member: Option<Member>,
}

/// The owner of the request's session, if it has one.
pub async fn signed_in(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Result<Option<SignedIn>, DbError> {
    let Some(session) = extensions.get::<Session>() else { return Ok(None) };
    let unavailable = |e: tower_sessions::session::Error| DbError::Unavailable(e.to_string());
    let Some(user_id) = session.get::<i64>("user").await.map_err(unavailable)? else { return Ok(None) };
    let wanted: Option<i64> = session.get("business").await.map_err(unavailable)?;
    let mut conn = app.db.read().await?;
    let Some(user) = users::find(&mut conn, user_id).await? else { return Ok(None) };
    let ip = layers::client_ip(extensions, headers, &app.config);
    let member = users::member(&mut conn, user_id, wanted, ip).await?;
    Ok(Some(SignedIn { user, member }))
}

/// A new id at every sign-in, so that a session that was planted before is worth nothing. (`flush` is not
/// enough: a value inserted after it is stored under the id that came with the request.)
pub async fn start(session: &Session, user_id: i64, ip: &str, headers: &HeaderMap) -> Result<(), Fault> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert("user", user_id).await?;
    session.insert("ip", ip).await?;
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    session.insert("agent", agent.chars().take(200).collect::<String>()).await?;
    Ok(())
}

/// tower-sessions' store on our database.
#[derive(Clone)]
pub struct Store {
    db: Db,
    clock: Clock,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// The stored row of an id.
pub fn hash(id: &Id) -> String {
    crate::id::sha256_hex(&id.to_string())
}

fn backend(error: impl std::fmt::Display) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

impl Store {
    async fn put(&self, record: &Record, new: bool) -> session_store::Result<bool> {
        let data = serde_json::to_string(&record.data).map_err(|e| session_store::Error::Encode(e.to_string()))?;
        let text = |name: &str| record.data.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let row = users::SessionRow {
            id_hash: hash(&record.id),
            user_id: record.data.get("user").and_then(serde_json::Value::as_i64),
            data,
            ip: text("ip"),
            agent: text("agent"),
            now: self.clock.now(),
            expires_at: self.clock.now().plus_seconds(ABSOLUTE_SECONDS),
        };
        users::put_session(&self.db, row, new).await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        while !self.put(record, true).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        // The change is done whether or not its message can be stored: a full disk must not turn it into an
        // error.
        if let Err(error) = self.put(record, false).await {
            tracing::warn!(%error, "a session was not stored");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let now = self.clock.now();
        let mut conn = self.db.read().await.map_err(backend)?;
        let Some(found) = users::load_session(&mut conn, &hash(id)).await.map_err(backend)? else { return Ok(None) };
        drop(conn);
        let seen = Instant::from_micros(found.seen_at);
        if now > Instant::from_micros(found.expires_at) || now > seen.plus_seconds(IDLE_SECONDS) {
            return Ok(None);
        }
        if now > seen.plus_seconds(SEEN_EVERY_SECONDS) {
            // Runs in the background; when it is lost, the session only looks idle a little longer.
            let (db, hash) = (self.db.clone(), hash(id));
            tokio::spawn(async move { users::session_seen(&db, hash, now).await });
        }
        let data = serde_json::from_str(&found.data).map_err(|e| session_store::Error::Decode(e.to_string()))?;
        let left = (found.expires_at - now.micros()) / 1_000_000;
        let expiry_date = time::OffsetDateTime::now_utc() + time::Duration::seconds(left);
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        users::delete_session(&self.db, hash(id)).await.map_err(backend)
    }
}
