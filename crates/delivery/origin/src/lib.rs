//! The origin: everything a player can ask of a published version, from the tracks as they are stored.

pub mod address;
pub mod combinations;
pub mod error;
pub mod film;
pub mod routes;
pub mod service;
pub mod verified;

pub use routes::router;
pub use service::OriginService;
