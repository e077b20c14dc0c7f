//! The catalogue: titles, their words, and which version of each is published.
//!
//! Publishing is one transaction: a title plays in its old version until the new one is in force, and the event that
//! says so is written with it (see [`announce`]), so that no switch goes unheard and none is heard that did not happen.
//! Every call is idempotent; what it acknowledges is on disk.
//!
//! - [`title`]: what a title is, and what its fields may hold.
//! - [`store`]: the port to what is kept, with SQLite as its embedded adapter.
//! - [`service`]: the gRPC contract over it.

pub mod announce;
pub mod error;
pub mod service;
pub mod store;
pub mod title;

pub use error::CatalogError;
pub use service::CatalogService;
