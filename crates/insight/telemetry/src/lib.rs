//! Telemetry: what players report, every ten seconds, becomes events. What is acknowledged is in the log, on disk.
//!
//! - [`report`]: what a report must hold, and how the error of a device's clock is taken out.
//! - [`service`]: the gRPC contract.

pub mod report;
pub mod service;

pub use service::TelemetryService;
