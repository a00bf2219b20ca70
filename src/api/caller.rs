//! The caller: the key of the request and where it came from.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, header};

use super::call_log;
use super::problem::Problem;
use crate::actor::Actor;
use crate::app::App;
use crate::engine::By;
use crate::keys::{KeyError, Known};
use crate::web::layers;

/// The caller of a good key.
#[derive(Debug, Clone)]
pub struct Caller {
    pub key: Known,
    pub actor: Arc<Actor>,
}

impl Caller {
    pub async fn of(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Result<Self, KeyError> {
        let key = app.keys.of(headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok())).await?;
        if let Some(known) = extensions.get::<call_log::Known>() {
            known.is(key.row.id, key.row.business_id);
        }
        layers::identify(extensions, || format!("key {} ({})", key.row.id, key.row.name));
        let actor = Arc::new(key.actor(layers::client_ip(extensions, headers, &app.config)));
        Ok(Self { key, actor })
    }

    /// In whose name the caller's events happen.
    pub fn by(&self) -> By {
        By::new(self.business_id(), &self.actor)
    }

    pub fn business_id(&self) -> i64 {
        self.key.row.business_id
    }

    pub fn test(&self) -> bool {
        self.key.row.test
    }

    /// Only a live key changes data that live and test share: a test key reads them.
    pub fn may_change(&self, what: &str) -> Result<(), Problem> {
        match self.test() {
            true => Err(Problem::forbidden(format!("{what} are not test data: change them with a live key."))),
            false => Ok(()),
        }
    }
}
