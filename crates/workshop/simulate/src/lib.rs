//! Data that looks like a real installation's, for measurements and demonstrations: the same for the same seed, on any
//! machine.
//!
//! - [`titles`]: a catalogue, with names in several languages.
//! - [`misspelt`]: what people type when they mean one of its titles.
//! - [`chance`]: the numbers behind both.

pub mod chance;
pub mod misspelt;
pub mod titles;
mod words;

pub use chance::Chance;
pub use misspelt::misspelt;
pub use titles::titles;
