//! Viewing history: what each profile watches and where it stopped, for resuming on any device and for the row
//! "continue watching".
//!
//! It hears heartbeats from the event log. The last one by event time wins, so that devices may send late, twice and in
//! any order. A title that is removed, or a profile that is erased, is not brought back by heartbeats from before.
//!
//! - [`watched`]: the rules, without any storage.
//! - [`store`]: the port to what is kept, with an LSM tree as its embedded adapter.
//! - [`consume`]: from the event log into the store.
//! - [`service`]: the gRPC contract over it.

pub mod consume;
pub mod error;
pub mod service;
pub mod store;
mod subgraph;
pub mod watched;

pub use error::HistoryError;
pub use service::HistoryService;
pub use subgraph::subgraph;
