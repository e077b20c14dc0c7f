//! Traces: the spans of this installation, kept in memory with a bound and shown in the studio, and handed on to whoever
//! else keeps traces.
//!
//! - [`store`]: the latest traces, by what they began with.
//! - [`service`]: the gRPC contract over it.
//! - [`export`]: OTLP and Zipkin.

pub mod export;
pub mod service;
pub mod store;

pub use service::TracesService;
pub use store::Bounds;
