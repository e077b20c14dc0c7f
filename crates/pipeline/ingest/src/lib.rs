//! Ingest: films come in here, by resumable upload (tus 1.0) or as a file that this machine can read.
//!
//! What is acknowledged is on disk. An upload goes on after either side was killed; when its last byte is in, it is
//! hashed, its title is made, and the workflow hears of it by the topic "masters".

pub mod error;
pub mod intake;
mod receive;
mod service;
pub mod store;
mod tus;

pub use error::IngestError;
pub use intake::{IngestConfig, IngestService};
pub use tus::router;
