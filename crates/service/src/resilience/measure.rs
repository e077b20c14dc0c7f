//! Rate, errors and duration of gRPC calls, as clients see them and as servers do, by service and method.
//!
//! Also what the other layers count: retries, breakers, limits and what they shed.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use http::{Request, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;

use super::answer::{code, code_name};
use super::around::{Around, Grpc, Next};
use crate::metrics::Metrics;

/// Upper bounds of the duration's buckets, in seconds.
const BUCKETS: [f64; 13] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Methods of one service that are told apart.
const MOST_METHODS: usize = 128;
/// Codes of gRPC.
const CODES: usize = 17;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    method: String,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    service: &'static str,
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShedLabels {
    limit: &'static str,
    priority: &'static str,
}

/// Calls of one side.
#[derive(Debug, Clone)]
struct Side {
    calls: Family<CallLabels, Counter>,
    durations: Family<MethodLabels, Histogram, fn() -> Histogram>,
}

impl Side {
    fn new() -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { calls: Family::default(), durations }
    }
}

/// What a process measures of its calls.
#[derive(Debug)]
pub(crate) struct Measures {
    client: Side,
    server: Side,
    retries: Family<ServiceLabels, Counter>,
    breakers: Family<ServiceLabels, Gauge>,
    opened: Family<ServiceLabels, Counter>,
    limits: Family<LimitLabels, Gauge>,
    admitted: Family<LimitLabels, Gauge>,
    shed: Family<ShedLabels, Counter>,
}

impl Measures {
    /// None yet, shown by `metrics`.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let (client, server) = (Side::new(), Side::new());
        let made = Self {
            client,
            server,
            retries: Family::default(),
            breakers: Family::default(),
            opened: Family::default(),
            limits: Family::default(),
            admitted: Family::default(),
            shed: Family::default(),
        };
        metrics.register(|registry| {
            let calls = "Calls answered, by service, method and gRPC code";
            let seconds = "From a call to its answer's head, retries included";
            registry.register("grpc_client_calls", calls, made.client.calls.clone());
            registry.register("grpc_client_duration_seconds", seconds, made.client.durations.clone());
            registry.register("grpc_server_calls", calls, made.server.calls.clone());
            registry.register("grpc_server_duration_seconds", seconds, made.server.durations.clone());
            registry.register("grpc_client_retries", "Calls that were tried again", made.retries.clone());
            registry.register(
                "breaker_state",
                "Circuit breakers: 0 closed, 1 half-open, 2 open",
                made.breakers.clone(),
            );
            registry.register("breaker_opened", "How often circuit breakers opened", made.opened.clone());
            registry.register("concurrency_limit", "Requests that are taken at once", made.limits.clone());
            registry.register("concurrency_running", "Requests that run under the limit", made.admitted.clone());
            registry.register("requests_shed", "Requests refused by the limit, by priority", made.shed.clone());
        });
        made
    }

    pub(crate) fn retries(&self, service: &'static str) -> Counter {
        self.retries.get_or_create_owned(&ServiceLabels { service })
    }

    pub(crate) fn breaker(&self, service: &'static str) -> Gauge {
        self.breakers.get_or_create_owned(&ServiceLabels { service })
    }

    pub(crate) fn opened(&self, service: &'static str) -> Counter {
        self.opened.get_or_create_owned(&ServiceLabels { service })
    }

    pub(crate) fn limit(&self, limit: &'static str) -> (Gauge, Gauge) {
        let labels = LimitLabels { limit };
        (self.limits.get_or_create_owned(&labels), self.admitted.get_or_create_owned(&labels))
    }

    pub(crate) fn shed(&self, limit: &'static str, priority: &'static str) -> Counter {
        self.shed.get_or_create_owned(&ShedLabels { limit, priority })
    }

    /// Calls to `service`, as its clients see them.
    pub(crate) fn client(&self, service: &'static str) -> Measured {
        Measured { service, side: self.client.clone(), methods: RwLock::default() }
    }

    /// Calls to `service`, as it sees them.
    pub(crate) fn server(&self, service: &'static str) -> Measured {
        Measured { service, side: self.server.clone(), methods: RwLock::default() }
    }
}

/// Measures the calls of one service.
#[derive(Debug)]
pub(crate) struct Measured {
    service: &'static str,
    side: Side,
    /// By path, so that a call costs one look.
    methods: RwLock<HashMap<String, Arc<Method>>>,
}

#[derive(Debug)]
struct Method {
    name: String,
    duration: Histogram,
    codes: [OnceLock<Counter>; CODES],
}

/// A call without an answer yet; one whose caller leaves is counted as cancelled.
struct Call<'a> {
    measured: &'a Measured,
    method: Arc<Method>,
    begun: Instant,
    code: Code,
}

impl Measured {
    fn method(&self, path: &str) -> Arc<Method> {
        let known = self.methods.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        known.unwrap_or_else(|| {
            let mut methods = self.methods.write().unwrap_or_else(PoisonError::into_inner);
            let full = methods.len() >= MOST_METHODS;
            let name = if full { "other" } else { path.rsplit('/').next().unwrap_or(path) }.to_owned();
            let labels = MethodLabels { service: self.service, method: name.clone() };
            let duration = self.side.durations.get_or_create_owned(&labels);
            let method = Arc::new(Method { name, duration, codes: Default::default() });
            if !full {
                methods.insert(path.to_owned(), Arc::clone(&method));
            }
            method
        })
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.method.duration.observe(self.begun.elapsed().as_secs_f64());
        let place = usize::try_from(self.code as i32).unwrap_or(2).min(CODES - 1);
        let counter = self.method.codes[place].get_or_init(|| {
            let (service, method) = (self.measured.service, self.method.name.clone());
            self.measured.side.calls.get_or_create_owned(&CallLabels { service, method, code: code_name(self.code) })
        });
        counter.inc();
    }
}

impl Around for Measured {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let method = self.method(request.uri().path());
        let mut call = Call { measured: &self, method, begun: Instant::now(), code: Code::Cancelled };
        let answer = next.run(request).await;
        call.code = code(&answer);
        answer
    }
}
