//! The origin: everything a player can ask of a published version, from the tracks as they are stored.

pub mod address;
pub mod combinations;
pub mod verified;
