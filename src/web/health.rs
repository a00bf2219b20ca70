//! Health checks and metrics: does the process live, can it serve, what has it done.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::layers;
use crate::config::Config;
use crate::db::Db;

/// The parts that answer a health check.
#[derive(Clone)]
pub struct Probe {
    pub db: Db,
    pub stop: CancellationToken,
    pub config: Arc<Config>,
}

pub fn router<S>(probe: Probe) -> Router<S> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probe)
}

/// Health checks are frequent: a later answer counts as none.
const PROMPT: Duration = Duration::from_secs(2);

/// 200 when the database answers and the program is not stopping.
async fn ready(State(probe): State<Probe>) -> Response {
    if probe.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    match tokio::time::timeout(PROMPT, probe.db.ping()).await {
        Ok(Ok(())) => "ready".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response(),
    }
}

/// The recorder is one per process.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts collecting; called once, by the server.
pub fn collect() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    if METRICS.set(handle).is_ok() {
        // An earlier recorder goes on counting.
        let _ = metrics::set_global_recorder(recorder);
    }
}

/// Takes in what was measured since. Until then each measurement is a value of its own in memory.
pub fn take_in() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}

async fn metrics(State(probe): State<Probe>, extensions: Extensions, headers: HeaderMap) -> Response {
    let allowed = match &probe.config.metrics_token {
        Some(token) => {
            headers.get(header::AUTHORIZATION).is_some_and(|v| v.as_bytes() == format!("Bearer {token}").as_bytes())
        }
        None => layers::is_local(&extensions, &headers, &probe.config),
    };
    if !allowed {
        return StatusCode::NOT_FOUND.into_response();
    }
    METRICS.get().map_or_else(String::new, PrometheusHandle::render).into_response()
}
