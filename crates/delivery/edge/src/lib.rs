//! The edge: serves streams to players near it. Addresses are signed; what was fetched once is kept in memory and
//! checked for its signature every time.

mod cache;
mod routes;
mod upstream;

pub use cache::{Cache, Fetched};
pub use routes::{Edge, router};
pub use upstream::{UpstreamError, elsewhere};
