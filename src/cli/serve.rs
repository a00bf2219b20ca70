//! `refdesk serve`: migrate, serve, and stop cleanly.

use std::io::IsTerminal;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use super::Refusal;
use super::say::say;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::router;
use crate::web::server;

/// The time that requests in flight may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(20);

pub async fn serve(config: Config) -> Result<(), Refusal> {
    log(&config);
    crate::web::health::collect();
    db::migrate(&config.database_url).await?;
    let app = App::new(Db::open(&config.database_url).await?, Clock::system(), config);
    let listener = TcpListener::bind(app.config.listen)
        .await
        .map_err(|e| Refusal::unusable(format!("cannot listen on {}: {e}", app.config.listen)))?;
    say!("Refdesk serves {} from {}", app.config.public_url, shown_database(&app.config.database_url));
    if app.db.speaks_clear_text().await? {
        say!(
            "Refdesk speaks to PostgreSQL over the network without TLS. Add sslmode=verify-full to the database's address."
        );
    }
    if crate::business::none_yet(&mut app.db.read().await?).await? {
        say!("It is new. Set it up at {}/setup with the token {}", app.config.public_url, app.setup_token);
    }
    run(app, listener).await
}

/// Serves, with the background work, until a signal ends it, then waits for requests in flight.
pub async fn run(app: App, listener: TcpListener) -> Result<(), Refusal> {
    let (stop, clicks, db) = (app.stop.clone(), app.clicks.clone(), app.db.clone());
    let (calls, ids) = (app.calls.clone(), app.ids.clone());
    tokio::spawn(async move {
        stopped().await;
        stop.cancel();
        // Connections that are still open after this are cut, so that a restart is never stuck.
        tokio::time::sleep(DRAIN).await;
        tracing::warn!("requests were still running when the time to drain was over");
        let _ = tokio::time::timeout(Duration::from_secs(2), clicks.flush(&db)).await;
        let _ = tokio::time::timeout(Duration::from_secs(2), calls.flush(&db, &ids)).await;
        std::process::exit(0);
    });
    let mut background = crate::jobs::start(&app, router::job_kinds(), router::schedule(&app));
    server::serve(listener, router::router(&app), app.config.patience, app.stop.clone()).await;
    while background.join_next().await.is_some() {}
    if let Err(error) = app.keys.flush().await {
        tracing::warn!(%error, "the last use of keys was not written");
    }
    if let Err(error) = app.clicks.flush(&app.db).await {
        tracing::warn!(%error, "the last clicks were not written");
    }
    if let Err(error) = app.calls.flush(&app.db, &app.ids).await {
        tracing::warn!(%error, "the last calls were not written");
    }
    app.db.close().await;
    Ok(())
}

pub fn log(config: &Config) {
    let filter = EnvFilter::try_from_env("REFDESK_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber in one process (tests) is not an error.
    let _ = if config.log_json { builder.json().try_init() } else { builder.try_init() };
}

/// The database's address without a password in it.
fn shown_database(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…@{}", &url[..scheme], &url[at + 1..]),
        _ => url.to_owned(),
    }
}

async fn stopped() {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminated = async {
        if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            signal.recv().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
