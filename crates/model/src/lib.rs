//! The words of Matinee: ids, codecs, renditions, the time grid, ladders, device profiles, languages, genres, territories,
//! licence windows, money.
//!
//! No I/O and nothing asynchronous; every crate may import this one.

pub mod codec;
pub mod genre;
pub mod ids;
pub mod ladder;
pub mod language;
pub mod licence;
pub mod money;
pub mod profile;
pub mod territory;
pub mod time;
