//! A span for every gRPC call: one where it is made, one where it is answered.

use std::sync::Arc;

use http::{Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::spans::{self, BEGINS};
use super::wire::{self, Heard};
use crate::context::Context;
use crate::resilience::answer::{code, code_name, is_failure, message, was_refused};
use crate::resilience::around::{Around, Grpc, Next};

/// A client's call of `name`.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) name: &'static str,
}

/// The server of `name`.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) name: &'static str,
}

/// The innermost of a client: the context onto the wire.
#[derive(Debug)]
pub(crate) struct Onward;

/// A call's span until it is answered. One that never is says why.
struct Watched {
    span: Span,
    deadline: Option<Instant>,
    answered: bool,
}

impl Watched {
    fn new(span: Span) -> Self {
        Self { span, deadline: Context::current().deadline(), answered: false }
    }

    fn answered(mut self, answer: &Response<Body>) {
        self.answered = true;
        let code = code(answer);
        if code == tonic::Code::Ok {
            return;
        }
        self.span.record("code", code_name(code));
        // What a breaker refuses is no news; its opening was.
        if is_failure(code) && !was_refused(answer) {
            self.span.record("error", message(answer));
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        if self.deadline.is_some_and(|at| at <= Instant::now()) {
            self.span.record("code", "deadline_exceeded");
            self.span.record("error", "no answer came before the deadline");
        } else {
            self.span.record("code", "cancelled");
        }
    }
}

/// "matinee.playback.v1.Playback/Start".
fn name_of(request: &Request<Body>) -> &str {
    request.uri().path().trim_start_matches('/')
}

impl Around for Asking {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let name = name_of(&request);
        let span = info_span!("grpc.client", kind = "client", name, peer = self.name, code = Empty, error = Empty);
        let watched = Watched::new(span.clone());
        let answer = next.run(request).instrument(span).await;
        watched.answered(&answer);
        answer
    }
}

impl Around for Answering {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let (name, service) = (name_of(&request), self.name);
        let span = spans::begin(
            Context::heard(),
            || info_span!(target: BEGINS, "grpc.server", kind = "server", name, service, code = Empty, error = Empty),
        );
        let watched = Watched::new(span.clone());
        let answer = next.run(request).instrument(span).await;
        watched.answered(&answer);
        answer
    }
}

impl Around for Onward {
    async fn around<S: Grpc>(self: Arc<Self>, mut request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let context = Context::current();
        let headers = request.headers_mut();
        context.tell(headers);
        match (spans::current(), Context::heard()) {
            (_, Heard::Untraced) => wire::write_untraced(headers),
            // Also where this process keeps no spans: the trace goes through it.
            (Some(link), _) | (None, Heard::Link(link)) => wire::write(headers, &link),
            (None, Heard::Nothing | Heard::Wanted) => {}
        }
        next.run(request).await
    }
}
