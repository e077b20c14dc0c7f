//! The port to what is kept: a record for each profile and title, and how far the heartbeats were read.

mod embedded;

use std::fmt::Debug;

use async_trait::async_trait;
use matinee_model::ids::{ProfileId, TitleId};

pub use self::embedded::EmbeddedHistory;
use crate::error::HistoryError;
use crate::watched::{Position, Watched};

/// A heartbeat, as far as history goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Whose.
    pub profile: ProfileId,
    /// Of what.
    pub title: TitleId,
    /// Where in it, and when.
    pub position: Position,
}

/// Which titles of a profile are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// All that it watched.
    All,
    /// What was begun and not finished.
    Unfinished,
}

/// The port.
#[async_trait]
pub trait HistoryStore: Send + Sync + Debug {
    /// Takes heartbeats and remembers, in the same write, that every event before `next` is done.
    async fn take(&self, beats: Vec<Beat>, next: u64) -> Result<(), HistoryError>;

    /// The event to read next; 0 at the beginning.
    async fn next(&self) -> Result<u64, HistoryError>;

    /// The record of a title, if there is one.
    async fn watched(&self, profile: &ProfileId, title: &TitleId) -> Result<Option<Watched>, HistoryError>;

    /// The records of titles, in their order.
    async fn positions(&self, profile: &ProfileId, titles: &[TitleId]) -> Result<Vec<Option<Watched>>, HistoryError>;

    /// At most `most` titles of a profile, the latest first.
    async fn latest(
        &self,
        profile: &ProfileId,
        shelf: Shelf,
        most: usize,
    ) -> Result<Vec<(TitleId, Watched)>, HistoryError>;

    /// Forgets a title; heartbeats of up to `at_us` do not bring it back. Durable when it returns.
    async fn remove(&self, profile: &ProfileId, title: &TitleId, at_us: i64) -> Result<(), HistoryError>;

    /// Forgets a profile; heartbeats of up to `at_us` do not bring it back. Durable when it returns.
    async fn erase(&self, profile: &ProfileId, at_us: i64) -> Result<(), HistoryError>;
}
