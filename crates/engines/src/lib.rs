//! Ports to the engines that services share, each with an embedded default: objects, events and SQL.

pub mod events;
pub mod objects;
pub mod sql;
