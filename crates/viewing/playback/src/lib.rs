//! Playback: may this be watched, and if so, with what.
//!
//! [`PlaybackService`] asks the catalogue for the published version and answers with signed addresses for it, and with a
//! token that the licence service takes. It keeps nothing: a session is what its addresses and its token say.
//!
//! - [`config`]: what an operator decides.
//! - [`offer`]: which addresses a device profile and a protection get.
//! - [`keys`]: the ids of a title's content keys, remembered.
//! - [`service`]: the gRPC contract.

pub mod config;
pub mod error;
pub mod keys;
pub mod offer;
pub mod service;

pub use config::PlaybackConfig;
pub use error::PlaybackError;
pub use service::PlaybackService;
