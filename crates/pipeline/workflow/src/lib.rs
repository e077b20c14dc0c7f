//! The workflow service: a durable executor of directed acyclic graphs of tasks.
//!
//! It decides, workers do. A worker polls for tasks by type, keeps its leases with heartbeats, and ends each task with
//! Complete or Fail; what a call acknowledges is on disk. A task's key is the hash of its tool, its parameters and its
//! inputs' keys (see [`key`]), so what was made once is not made again: a killed worker, a retried task and a new
//! rendition cost only what is missing.
//!
//! - [`plan`]: what a graph must look like to be taken.
//! - [`store`]: the port to what is kept, with SQLite as its embedded adapter.
//! - [`service`]: the executor, and the gRPC contract over it.
//! - [`onboard`]: the workflow that a new master starts.

pub mod clock;
pub mod config;
pub mod error;
mod grpc;
pub mod key;
pub mod onboard;
pub mod plan;
pub mod service;
pub mod store;
mod watch;

pub use clock::{Chance, Clock};
pub use config::Config;
pub use error::WorkflowError;
pub use service::WorkflowService;
