//! The licence service: content keys, sealed at rest, given to those whose playback token covers them.
//!
//! A title has one key a label (`audio`, `sd`, `hd`, `uhd`), made at random when it is first asked for and the same from
//! then on. Keys rest under AES-256-GCM with the installation's master key, bound to their title, label and id; nothing
//! here logs or shows one.
//!
//! - [`keys`]: what a content key is.
//! - [`seal`]: how it rests.
//! - [`store`]: the port to where keys come from, with SQLite as its embedded adapter.
//! - [`clearkey`]: the licence of W3C EME's Clear Key.
//! - [`service`]: the gRPC contract, for the packager and the origin; [`http`]: the licence, for viewers.

pub mod clearkey;
pub mod error;
pub mod http;
pub mod keys;
pub mod seal;
pub mod service;
pub mod store;

pub use error::LicenseError;
pub use http::router;
pub use service::LicenseService;
