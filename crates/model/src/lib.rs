//! The words of Matinee: ids, codecs, renditions, the time grid, ladders and device profiles.
//!
//! No I/O and nothing asynchronous; every crate may import this one.

pub mod codec;
pub mod ids;
pub mod ladder;
pub mod profile;
pub mod time;
