//! The lake: events as Parquet on the object store, by topic and day, each event exactly once.
//!
//! `lake/{topic}/day=YYYY-MM-DD/{first}-{last}.parquet`, compressed by zstd, as engines that read lakes expect it.
//!
//! - [`columns`]: the columns of each topic. [`place`]: where files lie, and which of them count.
//! - [`write`](mod@write): from the event log into files. [`tidy`]: merging small ones, and erasing those who were deleted.
//! - [`file`](mod@file): Parquet itself. [`service`]: the gRPC contract.

pub mod columns;
pub mod error;
pub mod file;
pub mod place;
pub mod service;
pub mod tidy;
pub mod write;

pub use error::LakeError;
pub use service::{Keeping, LakeService};
