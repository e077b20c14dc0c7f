//! Ratings: what each profile says of titles (thumbs, its list), and what all of them together say of a title.
//!
//! A title's votes are counted with each change, in the same write, so they are exact however often and in whatever
//! company a change is sent. Each change is told in topic "ratings", once it is kept. The list and the thumbs of a profile
//! that is deleted are gone, its votes with them, and what is sent for it afterwards is refused.
//!
//! - [`opinion`]: the rules, without any storage.
//! - [`store`]: the port to what is kept, with an LSM tree as its embedded adapter.
//! - [`announce`]: from the store into the event log.
//! - [`consume`]: deleted accounts and profiles, from the event log.
//! - [`service`]: the gRPC contract over it.

pub mod announce;
pub mod consume;
pub mod error;
pub mod opinion;
pub mod service;
pub mod store;
mod subgraph;

pub use error::RatingsError;
pub use service::RatingsService;
pub use subgraph::subgraph;
