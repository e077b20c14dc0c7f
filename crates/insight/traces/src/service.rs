//! The gRPC contract over the store.

use std::sync::{Arc, Mutex, PoisonError};

use matinee_contracts::traces::traces_server::{Traces, TracesServer};
use matinee_contracts::traces::{CollectReply, CollectRequest, GetRequest, ListReply, ListRequest, Span, Trace};
use tonic::{Request, Response, Status};

use crate::store::{Bounds, SpanStore, Wanted};

/// Traces of a list where the caller names no limit, and at the most.
const LISTED: u32 = 50;
const MOST_LISTED: u32 = 500;
/// Spans of a call, at the most.
const MOST_SPANS: usize = 20_000;
/// The longest text of a span, in bytes, and the most tags.
const LONGEST: usize = 2048;
const MOST_TAGS: usize = 64;
/// The most bytes of a call.
const MOST_BYTES: usize = 16 << 20;

/// Traces. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub struct TracesService {
    store: Arc<Mutex<SpanStore>>,
}

/// A field that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is refused: {reason}")]
struct Refused {
    field: &'static str,
    reason: &'static str,
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        Self::invalid_argument(refused.to_string())
    }
}

fn refuse(field: &'static str, reason: &'static str) -> Result<(), Refused> {
    Err(Refused { field, reason })
}

fn hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn check(span: &Span) -> Result<(), Refused> {
    if !hex(&span.trace, 32) {
        return refuse("trace", "it is not 32 hex digits");
    }
    if !hex(&span.id, 16) {
        return refuse("id", "it is not 16 hex digits");
    }
    if !span.parent.is_empty() && !hex(&span.parent, 16) {
        return refuse("parent", "it is neither empty nor 16 hex digits");
    }
    let texts = [("name", &span.name), ("service", &span.service), ("kind", &span.kind), ("error", &span.error)];
    for (field, text) in texts {
        if text.len() > LONGEST {
            return refuse(field, "it is longer than 2048 bytes");
        }
    }
    let long = |(name, value): (&String, &String)| name.len() > LONGEST || value.len() > LONGEST;
    if span.tags.len() > MOST_TAGS || span.tags.iter().any(long) {
        return refuse("tags", "there are more than 64, or one is longer than 2048 bytes");
    }
    Ok(())
}

impl TracesService {
    /// Nothing kept yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { store: Arc::new(Mutex::new(SpanStore::new(bounds))) }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> TracesServer<Self> {
        TracesServer::new(self.clone()).max_decoding_message_size(MOST_BYTES)
    }

    fn store(&self) -> std::sync::MutexGuard<'_, SpanStore> {
        // No step of the store leaves it broken.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl Traces for TracesService {
    async fn collect(&self, request: Request<CollectRequest>) -> Result<Response<CollectReply>, Status> {
        let spans = request.into_inner().spans;
        if spans.len() > MOST_SPANS {
            refuse("spans", "there are more than 20000")?;
        }
        spans.iter().try_for_each(check)?;
        let mut store = self.store();
        for span in spans {
            store.take(span);
        }
        Ok(Response::new(CollectReply {}))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        let ListRequest { limit, service, name, min_duration_us, errors_only } = request.into_inner();
        let limit = if limit == 0 { LISTED } else { limit.min(MOST_LISTED) };
        let wanted = Wanted { service, name, min_duration_us, errors_only };
        let traces = self.store().list(&wanted, limit as usize);
        Ok(Response::new(ListReply { traces }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Trace>, Status> {
        let trace = request.into_inner().trace.to_ascii_lowercase();
        if !hex(&trace, 32) {
            refuse("trace", "it is not 32 hex digits")?;
        }
        let spans = self.store().get(&trace);
        let spans = spans.ok_or_else(|| Status::not_found(format!("trace {trace} is not kept, or not any more")))?;
        Ok(Response::new(Trace { spans }))
    }
}
