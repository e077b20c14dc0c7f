//! The port to what the catalogue keeps.

mod sqlite;

use async_trait::async_trait;
use matinee_model::ids::{TitleId, VersionId};

pub use self::sqlite::SqliteCatalog;
use crate::error::CatalogError;
use crate::title::{Artwork, Edition, Title, Words};

/// Which titles a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Every title.
    All,
    /// Those that play.
    Published,
}

/// A switch of version that others must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The title.
    pub title: TitleId,
    /// The version it plays in from then on.
    pub version: VersionId,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// The title's revision with it; with the title, its key.
    pub revision: u64,
}

/// What is kept. Each call is one transaction; what it returns is durable.
#[async_trait]
pub trait CatalogStore: Send + Sync + std::fmt::Debug {
    /// Adds a title or changes its words, and its artwork where one is given. Changes nothing where all is so already.
    ///
    /// With `expected`, fails with [`CatalogError::Changed`] unless the title is at that revision.
    async fn put(
        &self,
        id: &TitleId,
        words: &Words,
        artwork: Option<&Artwork>,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Title, CatalogError>;

    /// One title.
    async fn title(&self, id: &TitleId) -> Result<Title, CatalogError>;

    /// At most `limit` titles in the order of their ids, from the first after `after`.
    async fn titles(&self, shelf: Shelf, after: &str, limit: u32) -> Result<Vec<Title>, CatalogError>;

    /// From here on the title plays in `edition`; an [`Announcement`] is kept with it. Changes nothing where it does
    /// already.
    async fn publish(
        &self,
        id: &TitleId,
        edition: &Edition,
        artwork: Option<&Artwork>,
        now_us: i64,
    ) -> Result<Title, CatalogError>;

    /// From here on the title does not play.
    async fn unpublish(&self, id: &TitleId) -> Result<Title, CatalogError>;

    /// The oldest announcements that nobody heard yet, at most `most`, in the order of their switches.
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, CatalogError>;

    /// Forgets an announcement that was heard.
    async fn announced(&self, announcement: &Announcement) -> Result<(), CatalogError>;
}
