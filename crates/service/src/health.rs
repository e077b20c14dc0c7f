//! Whether a process lives (`/healthz`) and whether it can take work (`/readyz`).
//!
//! It is ready when every check that its services registered passes, and no longer from the moment it is told to stop,
//! so that others stop sending to it while running requests end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, FutureExt, join_all};
use http::{StatusCode, header};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// How long a check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The process's health. Cheap to clone; clones share the checks.
#[derive(Clone)]
pub struct Health {
    checks: Arc<Mutex<Vec<(&'static str, Check)>>>,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    /// What is wrong, by check.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    failing: serde_json::Map<String, serde_json::Value>,
}

impl Health {
    /// Ready, until a check says otherwise or `shutdown` is cancelled.
    #[must_use]
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { checks: Arc::default(), shutdown }
    }

    /// Adds what must hold for the process to take work. The error is for the operator.
    pub fn check<F, W>(&self, name: &'static str, check: F)
    where
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || check().boxed());
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push((name, check));
    }

    /// `GET /healthz` and `GET /readyz`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { ([(header::CACHE_CONTROL, "no-store")], "ok\n") }))
            .route("/readyz", get(ready))
            .with_state(self.clone())
    }

    async fn report(&self) -> Report {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let results = join_all(checks.into_iter().map(|(name, check)| async move {
            let result = tokio::time::timeout(PATIENCE, check()).await;
            (name, result.unwrap_or_else(|_| Err(format!("no answer after {} s", PATIENCE.as_secs()))))
        }))
        .await;
        let mut failing = serde_json::Map::new();
        for (name, result) in results {
            if let Err(reason) = result {
                failing.insert(name.to_owned(), reason.into());
            }
        }
        if self.shutdown.is_cancelled() {
            failing.insert("process".to_owned(), "is stopping".into());
        }
        Report { ready: failing.is_empty(), failing }
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let report = health.report().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(report)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn fetch(health: &Health, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = health.router().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_failing_check_is_named_and_the_process_still_lives() {
        let health = Health::new(CancellationToken::new());
        health.check("catalog", || async { Ok(()) });
        assert_eq!(fetch(&health, "/readyz").await.0, 200);
        health.check("disk", || async { Err("is full".to_owned()) });
        let (status, body) = fetch(&health, "/readyz").await;
        assert_eq!((status.as_u16(), body.as_str()), (503, r#"{"ready":false,"failing":{"disk":"is full"}}"#));
        assert_eq!(fetch(&health, "/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_has_failed() {
        let health = Health::new(CancellationToken::new());
        health.check("store", std::future::pending);
        assert_eq!(fetch(&health, "/readyz").await.0, 503);
    }

    #[tokio::test]
    async fn a_process_that_stops_takes_no_more_work() {
        let shutdown = CancellationToken::new();
        let health = Health::new(shutdown.clone());
        shutdown.cancel();
        assert_eq!(fetch(&health, "/readyz").await.0, 503);
        assert_eq!(fetch(&health, "/healthz").await.0, 200);
    }
}
