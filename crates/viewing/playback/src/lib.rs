//! Playback: may this be watched, and if so, with what.
//!
//! [`PlaybackService`] asks the catalogue for the published version, billing for what the account may watch with and
//! history for where the profile stopped, and answers with signed addresses and with a token that the licence service
//! takes: only for the content keys of the pictures that the plan gives. What a play can do without is waited for
//! shortly; what it can't is remembered, and stands in where nobody answers.
//!
//! - [`config`]: what an operator decides.
//! - [`entitlement`]: may this viewer watch this, here and now.
//! - [`streams`]: who plays at the moment, on how many devices; [`consume`] hears of it in the heartbeats.
//! - [`neighbours`]: what is asked of other services, and for how long.
//! - [`offer`]: which addresses a device profile and a protection get.
//! - [`keys`]: the ids of a title's content keys.
//! - [`remembered`]: answers that stand in.
//! - [`service`]: the gRPC contract.

pub mod config;
pub mod consume;
pub mod entitlement;
pub mod error;
pub mod keys;
pub mod neighbours;
pub mod offer;
pub mod remembered;
pub mod service;
pub mod streams;
mod subgraph;

pub use config::PlaybackConfig;
pub use error::PlaybackError;
pub use neighbours::Neighbours;
pub use service::PlaybackService;
pub use subgraph::subgraph;
