//! The state that handlers take: [`Core`] with the caches and limits of this node.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::calls::Calls;
use crate::clock::Clock;
use crate::config::Config;
use crate::core::Core;
use crate::db::Db;
use crate::id;
use crate::keys::Keyring;
use crate::limits::Limits;
use crate::links::Clicks;
use crate::products::Catalogue;
use crate::stored_answers::InFlight;
use crate::users::Passwords;

/// A call passes a dozen layers that each clone it: that is one count.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    core: Core,
    pub setup_token: Arc<str>,
    pub keys: Keyring,
    pub clicks: Clicks,
    pub calls: Calls,
    pub passwords: Passwords,
    pub catalogue: Catalogue,
    pub limits: Limits,
    pub in_flight: InFlight,
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::ops::Deref for Parts {
    type Target = Core;
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl App {
    /// Puts the parts together on an open, migrated database.
    pub fn new(db: Db, clock: Clock, config: Config) -> Self {
        let setup_token = id::new_token(&mut rand::rng()).into();
        Self::of(Core::new(db, clock, config), setup_token, Passwords::new())
    }

    fn of(core: Core, setup_token: Arc<str>, passwords: Passwords) -> Self {
        Self(Arc::new(Parts {
            keys: Keyring::new(core.db.clone(), core.clock.clone()),
            catalogue: Catalogue::new(core.db.clone()),
            core,
            setup_token,
            clicks: Clicks::default(),
            calls: Calls::default(),
            passwords,
            limits: Limits::default(),
            in_flight: InFlight::default(),
        }))
    }

    /// The same program on the database of a rehearsal: nothing it does is stored, neither there nor in
    /// anything that nodes gather in memory.
    pub fn rehearsing(&self, db: Db, run: std::ops::Range<i64>) -> Self {
        Self::of(self.core.rehearsing(db, run), self.setup_token.clone(), self.passwords.clone())
    }

    pub fn core(&self) -> &Core {
        &self.core
    }
}

impl FromRef<App> for Arc<Config> {
    fn from_ref(app: &App) -> Self {
        app.config.clone()
    }
}
