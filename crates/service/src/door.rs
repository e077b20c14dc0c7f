//! Where requests come in: each gets its trace, its deadline and its priority here, for everything that it causes.
//!
//! The trace is the caller's, where its headers name one. Whether it is kept is the caller's to say as well, but only so
//! often: a stranger could fill the store with it. What is refused because too much comes leaves no trace.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method};
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use crate::context::Context;
use crate::http::Problem;
use crate::limits::{KeyedLimiter, Quota};
use crate::resilience::adaptive::WasShed;
use crate::resilience::{AdaptiveLimit, Priority};
use crate::trace::spans::{self, BEGINS};
use crate::trace::wire::{self, B3_TRACE, Heard, TRACEPARENT};

/// What stands for an address that no route matches.
const UNMATCHED: &str = "unmatched";
/// Traces a second that are kept because a caller wants it.
const WANTED: u32 = 20;

/// How a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    /// How much it matters.
    pub priority: Priority,
    /// How long its answer's head may take; nothing for uploads and streams.
    pub patience: Option<Duration>,
}

type Classify = dyn Fn(&Method, &str, &HeaderMap) -> Entry + Send + Sync;
type LimitOf = dyn Fn(&str) -> Option<AdaptiveLimit> + Send + Sync;

/// The door of a public server. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    service: &'static str,
    classify: Arc<Classify>,
    limit_of: Arc<LimitOf>,
    wanted: Arc<KeyedLimiter<()>>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Door {
    /// The door of `service`. `classify` says from the method, the route's template ("/api/titles/{id}", or "unmatched")
    /// and the headers how a request comes in.
    pub fn new(
        service: &'static str,
        classify: impl Fn(&Method, &str, &HeaderMap) -> Entry + Send + Sync + 'static,
    ) -> Self {
        Self {
            service,
            classify: Arc::new(classify),
            limit_of: Arc::new(|_| None),
            wanted: Arc::new(KeyedLimiter::new(Quota::per_second(WANTED), 1)),
        }
    }

    /// With the limit under which each route's requests will come, by its template: what that would refuse is refused
    /// here, where it costs least. Ten times too many are ten times as many refusals.
    #[must_use]
    pub fn shedding(self, limit_of: impl Fn(&str) -> Option<AdaptiveLimit> + Send + Sync + 'static) -> Self {
        Self { limit_of: Arc::new(limit_of), ..self }
    }

    /// `routes` behind it.
    pub fn over(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), enter))
    }

    /// What a stranger said of its trace, as far as it is heeded.
    fn heed(&self, heard: Heard) -> Heard {
        let wanted = match heard {
            Heard::Wanted => true,
            Heard::Link(link) => link.sampled == Some(true),
            Heard::Nothing | Heard::Untraced => false,
        };
        if !wanted || self.wanted.check(&()).is_ok() {
            return heard;
        }
        match heard {
            Heard::Link(link) => Heard::Link(wire::Link { sampled: None, ..link }),
            _ => Heard::Nothing,
        }
    }
}

async fn enter(State(door): State<Door>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
    let entry = (door.classify)(request.method(), route, request.headers());
    if let Some(shed) = (door.limit_of)(route).and_then(|limit| limit.glance(entry.priority)) {
        return Problem::from(shed).into_response();
    }
    let heard = door.heed(wire::read(request.headers()));
    let name = format!("{} {route}", request.method());
    let span = spans::begin(heard, || {
        let (name, service) = (name.as_str(), door.service);
        info_span!(target: BEGINS, "door", kind = "server", name, service, status = Empty, error = Empty)
    });
    let mut context = Context::default().with_priority(entry.priority).in_trace(heard);
    if let Some(patience) = entry.patience {
        context = context.within(patience);
    }
    let deadline = context.deadline();
    let link = span.in_scope(spans::current);
    let answer = context.scope(next.run(request)).instrument(span.clone());
    let mut answer = match deadline {
        None => answer.await,
        Some(at) => tokio::time::timeout_at(at, answer).await.unwrap_or_else(|_| {
            let detail = "the answer takes longer than anyone waits for it";
            Problem::unavailable(detail, Duration::from_secs(1)).with_code("too_slow").into_response()
        }),
    };
    let status = answer.status();
    span.record("status", status.as_u16());
    if status.is_server_error() && answer.extensions().get::<WasShed>().is_none() {
        span.record("error", status.as_str());
    }
    if let Some(link) = link {
        let headers = answer.headers_mut();
        for (name, value) in [(TRACEPARENT, link.traceparent()), (B3_TRACE, link.trace.to_string())] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    answer
}
