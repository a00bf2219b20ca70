//! The running program: its state, every route on one screen, the order of its layers. The only file
//! that knows every feature.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbResult, Ids};
use crate::engine::Engine;
use crate::jobs;
use crate::web::layers;
use crate::web::routes::Routes;

/// What every handler may use. A call passes a dozen layers that each clone it: that is one count.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of a node.
#[derive(Clone)]
pub struct Parts {
    pub db: Db,
    pub ids: Ids,
    pub clock: Clock,
    pub engine: Engine,
    pub config: Arc<Config>,
    pub setup_token: Arc<str>,
    pub keys: crate::keys::Keyring,
    pub clicks: crate::links::Clicks,
    pub calls: crate::calls::Calls,
    pub passwords: crate::users::Passwords,
    pub catalogue: crate::products::Catalogue,
    pub limits: crate::api::limits::Limits,
    pub jobs: jobs::Bell,
    /// Ends background work and turns readiness off.
    pub stop: CancellationToken,
}

impl App {
    /// Puts the parts together on an open, migrated database.
    pub async fn new(db: Db, clock: Clock, config: Config) -> DbResult<Self> {
        let ids = Ids::new(db.clone());
        let engine = Engine::new(db.clone(), ids.clone(), clock.clone());
        let setup_token = crate::id::new_token(&mut rand::rng()).into();
        let keys = crate::keys::Keyring::new(db.clone(), clock.clone());
        let passwords = crate::users::Passwords::new();
        let catalogue = crate::products::Catalogue::new(db.clone());
        Ok(Self(Arc::new(Parts {
            db,
            ids,
            clock,
            engine,
            config: Arc::new(config),
            setup_token,
            keys,
            clicks: crate::links::Clicks::default(),
            calls: crate::calls::Calls::default(),
            passwords,
            catalogue,
            limits: crate::api::limits::Limits::default(),
            jobs: jobs::Bell::default(),
            stop: CancellationToken::new(),
        })))
    }

    /// The same program on the database of a rehearsal: whatever it does is not kept, neither there nor in
    /// anything that nodes gather in memory.
    pub fn rehearsing(&self, db: Db, run: std::ops::Range<i64>) -> Self {
        let ids = Ids::beginning_with(db.clone(), run);
        Self(Arc::new(Parts {
            engine: Engine::new(db.clone(), ids.clone(), self.clock.clone()),
            keys: crate::keys::Keyring::new(db.clone(), self.clock.clone()),
            catalogue: crate::products::Catalogue::new(db.clone()),
            clicks: crate::links::Clicks::default(),
            calls: crate::calls::Calls::default(),
            limits: crate::api::limits::Limits::default(),
            jobs: jobs::Bell::default(),
            db,
            ids,
            ..Parts::clone(self)
        }))
    }
}

impl FromRef<App> for Arc<Config> {
    fn from_ref(app: &App) -> Self {
        app.config.clone()
    }
}

/// Every page, with who may see it. APIs are beside them, under their own dialects.
pub fn pages() -> Routes {
    Routes::new()
        .merge(crate::setup::routes())
        .merge(crate::users::routes())
        .merge(crate::business::routes())
        .merge(crate::home::routes())
        .merge(crate::codes::routes())
        .merge(crate::links::routes())
        .merge(crate::referrers::routes())
        .merge(crate::record::routes())
        .merge(crate::leads::routes())
        .merge(crate::commissions::routes())
        .merge(crate::inbox::routes())
        .merge(crate::campaigns::routes())
        .merge(crate::products::routes())
        .merge(crate::keys::routes())
        .merge(crate::calls::routes())
        .merge(crate::try_it::routes())
        .merge(crate::team::routes())
        .merge(crate::audit::routes())
        .merge(crate::imports::routes())
        .merge(crate::test_data::routes())
        .merge(crate::api::docs::routes())
}

/// Every kind of background job, with the function that does a chunk of it.
pub fn job_kinds() -> jobs::Kinds {
    jobs::Kinds::new()
        .with(crate::codes::KIND, crate::codes::step)
        .with(crate::imports::CHECK, crate::imports::check_step)
        .with(crate::imports::RUN, crate::imports::run_step)
        .with(crate::test_data::KIND, crate::test_data::step)
}

/// The whole program as one service.
pub fn router(app: &App) -> Router {
    let pages = layers::pages(pages().into_router(app), app);
    let router = Router::new()
        .merge(crate::api::router(app))
        .merge(pages)
        .merge(crate::web::health::router())
        .nest("/static", crate::web::assets::router());
    layers::all(router.with_state(app.clone()), app, crate::api::in_words)
}
