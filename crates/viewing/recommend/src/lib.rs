//! Recommendations: the rows of a profile's home, and titles like a title.
//!
//! Two ways lead into them. As they happen, heartbeats, opinions, titles and erased accounts come from the event log:
//! what was finished a moment ago is known to the next home. And once a day a model is learnt from all that the lake
//! holds. Without a model, and without any event, there are rows all the same: what is new, and by genre.
//!
//! Nothing is asked of another service while a home is made: titles' facts, counts and the model are in memory, a
//! profile's record is one read of the store. A model holds no profile: profiles are folded in when they ask.
//!
//! - [`titles`]: what may be shown to whom; [`profile`]: what is kept of a profile; [`popular`]: what is watched in a
//!   territory, lately and usually; [`together`]: what the same profiles finished. The rules, without any storage.
//! - [`store`], [`memory`]: where all that is kept. [`learn`], [`consume`]: from the event log into it.
//! - [`als`]: implicit matrix factorisation, as plain library code. [`plays`], [`mod@train`], [`model`], [`models`]: from the
//!   lake to a model in use.
//! - [`taste`], [`rows`]: from all that to rows. [`service`]: the gRPC contract.

pub mod als;
pub mod consume;
pub mod error;
pub mod learn;
pub mod memory;
pub mod model;
pub mod models;
pub mod plays;
pub mod popular;
pub mod profile;
mod recent;
pub mod rows;
pub mod service;
pub mod store;
mod subgraph;
pub mod taste;
pub mod titles;
pub mod together;
pub mod train;
pub mod words;

pub use error::RecommendError;
pub use service::{Outside, RecommendService};
pub use subgraph::subgraph;
pub use train::Training;
