//! The port to what is kept: an opinion for each profile and title, the votes of each title, and what is still to be told.

mod embedded;

use std::fmt::Debug;

use async_trait::async_trait;
use matinee_model::ids::{ProfileId, TitleId};

pub use self::embedded::EmbeddedRatings;
use crate::error::RatingsError;
use crate::opinion::{Change, Opinion, Told, Votes};

/// Titles that a list holds at most.
pub const MOST_LISTED: u32 = 1_000;
/// Titles of which a profile may say something.
pub const MOST_OPINIONS: u32 = 20_000;

/// What becomes of a profile of which everything is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It may say something again.
    Stays,
    /// It was deleted: nothing more is taken of it.
    Gone,
}

/// The port. What a method changed is durable when it returns, all of it or nothing.
#[async_trait]
pub trait RatingsStore: Send + Sync + Debug {
    /// Changes an opinion, counts it, and keeps it to be told. Where it is so already, nothing is told.
    async fn change(
        &self,
        profile: &ProfileId,
        title: &TitleId,
        change: Change,
        at_us: i64,
    ) -> Result<Opinion, RatingsError>;

    /// What a profile says of each of these titles, in their order.
    async fn opinions(&self, profile: &ProfileId, titles: &[TitleId]) -> Result<Vec<Opinion>, RatingsError>;

    /// All titles of which a profile says something (at most [`MOST_OPINIONS`]), in the order of their ids.
    async fn said(&self, profile: &ProfileId) -> Result<Vec<(TitleId, Opinion)>, RatingsError>;

    /// At most `most` titles of a profile's list, the latest first.
    async fn list(&self, profile: &ProfileId, most: usize) -> Result<Vec<(TitleId, Opinion)>, RatingsError>;

    /// The votes of each of these titles, in their order.
    async fn votes(&self, titles: &[TitleId]) -> Result<Vec<Votes>, RatingsError>;

    /// Forgets all that a profile said, and keeps that to be told.
    async fn erase(&self, profile: &ProfileId, fate: Fate, at_us: i64) -> Result<(), RatingsError>;

    /// At most `most` changes that were not told yet, the first first, each with its number.
    async fn untold(&self, most: usize) -> Result<Vec<(u64, Told)>, RatingsError>;

    /// Remembers that every change up to number `last` was told.
    async fn told(&self, last: u64) -> Result<(), RatingsError>;

    /// The event of topic "accounts" to read next; 0 at the beginning.
    async fn next(&self) -> Result<u64, RatingsError>;

    /// Remembers that every event of topic "accounts" before `next` is done.
    async fn read_to(&self, next: u64) -> Result<(), RatingsError>;
}
