//! What a process measures of itself, for Prometheus: rate, errors and duration of requests by route, and whatever else
//! its services register.
//!
//! Routes are counted by their template (`/api/titles/{id}`), never by the address that was asked for, so that the
//! number of series has a bound.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{Method, StatusCode, header};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the duration's buckets, in seconds. Segments take under a millisecond, an upload's part a minute.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// What stands for an address that no route matches.
const UNMATCHED: &str = "unmatched";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    role: &'static str,
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    role: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabels {
    role: &'static str,
}

/// The process's measurements. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    running: Family<RoleLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// None measured yet.
    #[must_use]
    pub fn new() -> Self {
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let running = Family::default();
        let mut registry = Registry::with_prefix("matinee");
        registry.register("http_requests", "Requests answered, by route and kind of status", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "From a request's head to its answer's head",
            durations.clone(),
        );
        registry.register("http_requests_running", "Requests whose answer has not begun", running.clone());
        Self { registry: Arc::new(Mutex::new(registry)), requests, durations, running }
    }

    /// Adds a service's own metrics: `metrics.register(|registry| registry.register(name, help, metric.clone()))`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        // A registration that panicked left the registry as it was.
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts and times every request to `routes`, under `role`.
    pub fn measured(&self, routes: Router, role: &'static str) -> Router {
        routes.layer(from_fn_with_state((self.clone(), role), observe))
    }

    /// `GET /metrics`.
    pub fn router(&self) -> Router {
        Router::new().route("/metrics", get(expose)).with_state(self.clone())
    }

    /// All of it as OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut written = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string does not fail.
        let _ = text::encode(&mut written, &registry);
        written
    }
}

/// A request that has no answer yet; counted down also when its caller leaves.
struct Counting(Gauge);

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn observe(State((metrics, role)): State<(Metrics, &'static str)>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let method = method_name(request.method());
    let running = metrics.running.get_or_create_owned(&RoleLabels { role });
    running.inc();
    let counting = Counting(running);
    let start = Instant::now();
    let response = next.run(request).await;
    drop(counting);
    let status = status_class(response.status());
    metrics.durations.get_or_create(&RouteLabels { role, route: route.clone() }).observe(start.elapsed().as_secs_f64());
    metrics.requests.get_or_create(&RequestLabels { role, method, route, status }).inc();
    response
}

/// Anybody can make up a method; the series have a bound.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

async fn expose(State(metrics): State<Metrics>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.text()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn get_status(routes: &Router, path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        routes.clone().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn requests_are_counted_by_route_template_and_kind_of_status() {
        let metrics = Metrics::new();
        let routes = Router::new()
            .route("/films/{id}", get(|| async { "a film" }))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }));
        let routes = metrics.measured(routes, "test").merge(metrics.router());
        for id in 0..3 {
            assert_eq!(get_status(&routes, &format!("/films/{id}")).await, 200);
        }
        assert_eq!(get_status(&routes, "/broken").await, 500);
        let text = metrics.text();
        for line in [
            r#"matinee_http_requests_total{role="test",method="GET",route="/films/{id}",status="2xx"} 3"#,
            r#"matinee_http_requests_total{role="test",method="GET",route="/broken",status="5xx"} 1"#,
            r#"matinee_http_request_duration_seconds_count{role="test",route="/films/{id}"} 3"#,
            r#"matinee_http_requests_running{role="test"} 0"#,
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert_eq!(get_status(&routes, "/metrics").await, 200);
    }

    #[tokio::test]
    async fn made_up_addresses_make_one_series() {
        let metrics = Metrics::new();
        let routes = metrics.measured(Router::new().fallback(|| async { StatusCode::NOT_FOUND }), "test");
        for id in 0..3 {
            get_status(&routes, &format!("/{id}")).await;
        }
        let series = metrics.text().lines().filter(|line| line.starts_with("matinee_http_requests_total")).count();
        assert_eq!(series, 1);
    }

    #[test]
    fn a_service_adds_its_own() {
        let metrics = Metrics::new();
        let plays: Counter = Counter::default();
        metrics.register(|registry| registry.register("plays", "Sessions started", plays.clone()));
        plays.inc();
        assert!(metrics.text().contains("matinee_plays_total 1"));
    }
}
