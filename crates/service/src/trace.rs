//! Traces: what a request caused, from the door to the stores, across processes.
//!
//! Spans are those of `tracing`: a request's begins at the door ([`crate::door`]) or at a server, calls have one each, and
//! whatever a store does is a function with `#[tracing::instrument(name = "store.…")]`. [`spans`] makes records of them, which
//! [`collect`] hands to whoever keeps them. On the wire stand the headers of B3 and W3C ([`wire`]).
//!
//! A request's spans stay together until its first one ends. Then it is known whether they are worth keeping: by chance at
//! the configured rate, because a caller asked for it, because something failed, or because it took long. So what is not
//! sampled costs no more than some dozens of bytes a span, and failures are seen all the same.

pub(crate) mod calls;
pub mod collect;
mod ids;
mod parts;
pub mod spans;
pub mod wire;

pub use self::collect::{Collected, Export, ExportError, ToService};
pub use self::ids::{SpanId, TraceId};
pub use self::spans::{Spans, TraceSettings, spans, waits};
pub use self::wire::Link;

/// The trace that this task works for, as 32 hex digits: for logs and for answers that tell of a failure.
#[must_use]
pub fn current_id() -> Option<String> {
    spans::current().map(|link| link.trace.to_string())
}

/// The trace and span that this task works in, as a `traceparent`, to be kept with an event so that its readers continue
/// the trace.
#[must_use]
pub fn current_parent() -> Option<String> {
    spans::current().map(|link| link.traceparent())
}

/// A span for work that an event causes, in the trace that the event carries (`traceparent`; one of its own where that is
/// empty): `work.instrument(continued("history", "heartbeats", &event.trace)).await`.
#[must_use]
pub fn continued(service: &'static str, name: &str, parent: &str) -> tracing::Span {
    let heard = Link::parse(parent).map_or(wire::Heard::Nothing, wire::Heard::Link);
    spans::begin(heard, || tracing::info_span!(target: spans::BEGINS, "consumer", kind = "consumer", service, name))
}
