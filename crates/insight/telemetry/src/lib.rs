//! Telemetry: what players report, every ten seconds, becomes events. What is acknowledged is in the log, on disk.
//! From the same events it is known how plays go at the moment.
//!
//! - [`report`]: what a report must hold, and how the error of a device's clock is taken out.
//! - [`segments`]: what players said of themselves with their requests to an edge.
//! - [`quality`]: how plays go, by territory and network, in bounded memory; [`sketch`]: quantiles; [`mod@watch`]: from the
//!   event log into it.
//! - [`service`]: the gRPC contract.

pub mod quality;
pub mod report;
pub mod segments;
pub mod service;
pub mod sketch;
pub mod watch;

pub use service::TelemetryService;
