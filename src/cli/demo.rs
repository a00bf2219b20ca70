//! `refdesk demo`: a filled business to look at, gone when the command ends.

use tokio::net::TcpListener;

use super::say::say;
use super::{Refusal, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::demo;

pub async fn demo(mut config: Config) -> Result<(), Refusal> {
    serve::log(&config);
    crate::web::health::collect();
    let dir = tempfile::tempdir().map_err(|e| Refusal::unusable(format!("no temporary folder: {e}")))?;
    config.database_url = format!("sqlite://{}", dir.path().join("demo.db").display());
    db::migrate(&config.database_url).await?;
    let db = Db::open(&config.database_url).await?;
    let clock = Clock::system();
    let filled = demo::fill(db.clone(), config.clone(), clock.now()).await?;
    let app = App::new(db, clock, config);
    let listener = TcpListener::bind(app.config.listen)
        .await
        .map_err(|e| Refusal::unusable(format!("cannot listen on {}: {e}", app.config.listen)))?;
    say!("A demo of Refdesk is at {}", app.config.public_url);
    say!("Sign in as {} with the password {}", filled.email, filled.password);
    say!("It is deleted when the command ends.");
    serve::run(app, listener).await
}
