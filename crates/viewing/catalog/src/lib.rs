//! The catalogue: titles with all that is said about them, those who made them, their pictures and licence windows, and
//! which version of each is published.
//!
//! Each write is one transaction, and the event that tells of it is written with it (see [`announce`]), so that none goes
//! unheard and none is heard that did not happen. Every call is idempotent; what it acknowledges is on disk.
//!
//! - [`title`], [`details`], [`person`]: what they are, and what their fields may hold.
//! - [`store`]: the port to what is kept, with SQLite as its embedded adapter.
//! - [`pictures`]: artwork in the sizes and formats that devices ask for.
//! - [`exchange`]: whole catalogues in and out, as CSV, JSON or from The Movie Database.
//! - [`service`]: the gRPC contract over it.

pub mod announce;
pub mod certificate;
pub mod details;
pub mod error;
pub mod exchange;
mod kind;
pub mod person;
pub mod pictures;
mod recent;
pub mod service;
pub mod store;
mod subgraph;
mod text;
pub mod title;

pub use error::CatalogError;
pub use pictures::Pictures;
pub use service::CatalogService;
pub use subgraph::subgraph;
