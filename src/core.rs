//! The state that verbs, jobs, imports and scheduled tasks take: the database with its ids, the time, the
//! engine, the configuration. Caches and limits of a node are in [`App`](crate::app::App), which derefs to
//! this.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::actor::Actor;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db, DbResult, Ids, Job, Key, Part, Terms};
use crate::engine::Engine;
use crate::keyring::Keyring;

/// Cheap to clone: one count.
#[derive(Clone)]
pub struct Core(Arc<Parts>);

impl std::ops::Deref for Core {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

pub struct Parts {
    pub db: Db,
    pub ids: Ids,
    pub clock: Clock,
    pub engine: Engine,
    pub config: Arc<Config>,
    /// The keys of stored secrets.
    pub keyring: Keyring,
    /// Ends background work and turns readiness off.
    pub stop: CancellationToken,
    /// Rung when a job is asked for.
    pub wake: Wake,
}

impl Core {
    /// On an open, migrated database.
    pub fn new(db: Db, clock: Clock, config: Config) -> Self {
        crate::tls::install();
        let db = db.at(clock.clone());
        let ids = Ids::new(db.clone());
        Self(Arc::new(Parts {
            engine: Engine::new(db.clone(), clock.clone()),
            db,
            ids,
            clock,
            keyring: Keyring::new(&config.secret_keys, db::file_of(&config.database_url).as_deref()),
            config: Arc::new(config),
            stop: CancellationToken::new(),
            wake: Wake::default(),
        }))
    }

    /// A write of somebody: see [`Db::write`].
    pub async fn write<I, T, F>(&self, keys: Vec<Key>, actor: &Arc<Actor>, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Job<'t, I, T> + 'static,
    {
        self.db.write_on(Terms::of(keys).by(actor), input, job).await
    }

    /// As [`Core::write`]; for a call with an `Idempotency-Key` the outcome is stored in the same transaction.
    pub async fn write_once<I, T, F>(&self, keys: Vec<Key>, actor: &Arc<Actor>, input: I, job: F) -> DbResult<T>
    where
        I: Send + Sync + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'t> Job<'t, I, T> + 'static,
    {
        let terms = Terms::of(keys).by(actor);
        match Part::next_of(actor) {
            Some(part) => self.db.write_once(terms, part, input, job).await,
            None => self.db.write_on(terms, input, job).await,
        }
    }

    /// The same on the database of a rehearsal, with a run of ids that was drawn for it.
    pub fn rehearsing(&self, db: Db, run: std::ops::Range<i64>) -> Self {
        let ids = Ids::beginning_with(db.clone(), run);
        Self(Arc::new(Parts {
            engine: Engine::new(db.clone(), self.clock.clone()),
            db,
            ids,
            clock: self.clock.clone(),
            config: self.config.clone(),
            keyring: self.keyring.clone(),
            stop: self.stop.clone(),
            wake: Wake::default(),
        }))
    }
}

/// Wakes this node's workers; other nodes look every second.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn ring(&self) {
        self.0.notify_one();
    }

    pub async fn rung(&self) {
        self.0.notified().await;
    }
}
