//! Search, as the viewer types: titles by their names in every language, by people, genres and descriptions, with
//! misspellings forgiven. Only what may be watched here and now by this viewer is found, and nothing else is hinted at.
//!
//! It hears the catalogue's changes from the event log. Its index can be built anew at any time, from the catalogue and
//! then the log, beside the one that answers; an index that is damaged or missing is so by itself.
//!
//! A question goes this way: [`typed`] (what was typed) and [`shown`] (who asks) ─▶ [`candidates`] (what comes into
//! question) ─▶ [`rank`] (what is first) ─▶ [`answer`].
//!
//! - [`fold`], [`distance`]: words and how far they are apart.
//! - [`entry`], [`table`], [`document`], [`index`]: what is known of titles, in memory and on disk.
//! - [`shelf`]: which index answers, and the switch to another; [`rebuild`]: how that is made.
//! - [`consume`]: from the event log into the index.
//! - [`service`]: the gRPC contract.

pub mod answer;
pub mod candidates;
pub mod consume;
mod correct;
pub mod distance;
pub mod document;
pub mod entry;
pub mod error;
pub mod fold;
pub mod index;
mod people;
pub mod rank;
pub mod rebuild;
pub mod service;
pub mod shelf;
pub mod shown;
mod subgraph;
pub mod table;
pub mod typed;

pub use error::SearchError;
pub use service::SearchService;
pub use subgraph::subgraph;
