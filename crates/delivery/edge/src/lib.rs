//! The edge: serves streams to players near it. Addresses are signed; what was fetched once is kept in memory and
//! checked for its signature every time. What players say of themselves with their requests (CMCD) is handed on to
//! telemetry, and changes nothing of the answers.

mod cache;
mod routes;
mod told;
mod upstream;

pub use cache::{Cache, Fetched};
pub use routes::{Edge, router};
pub use told::{Telling, Told, told};
pub use upstream::{UpstreamError, elsewhere};
