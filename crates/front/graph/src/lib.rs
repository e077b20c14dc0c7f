//! The federated graph: one subgraph a service, composed and routed in this process.
//!
//! Each service owns its subgraph ([`matinee_service::subgraph`]); the graph composes their schemas, splits an operation
//! into requests to them and joins what they answer. A subgraph that does not answer costs its own fields only.
//!
//! - [`compose`]: the supergraph.
//! - [`graph`]: from an operation to its answer. The planner is Hive Router's; [`execute`] runs its plans in this process,
//!   without HTTP in between; [`project`] gives what was asked for.
//! - [`limits`]: how much an open query may ask for. [`persisted`]: our own applications' queries, which are known.
//! - [`routes`]: over HTTP.

pub mod compose;
pub mod error;
pub mod execute;
pub mod graph;
pub mod limits;
pub mod persisted;
pub mod project;
mod rewrite;
pub mod routes;

pub use error::{GraphError, Refused};
pub use graph::{Asked, Graph};
pub use limits::Limits;
pub use routes::router;
