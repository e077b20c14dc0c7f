//! The port to what the catalogue keeps.

mod sqlite;

use async_trait::async_trait;
use matinee_contracts::catalog::{Artwork as Picture, LicenceWindow};
use matinee_model::ids::{PersonId, TitleId, VersionId};

pub use self::sqlite::SqliteCatalog;
use crate::details::Kind;
use crate::error::CatalogError;
use crate::exchange::{Entry, Problem};
use crate::person::Person;
use crate::title::{Artwork, Edition, Said, Title};

/// Which titles a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Every title.
    All,
    /// What viewers may see: titles that play, and series of which an episode plays.
    Published,
}

/// What a list is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// From which shelf.
    pub shelf: Shelf,
    /// Of one kind only.
    pub kind: Option<Kind>,
    /// The episodes of one series only, in the order of their seasons and numbers.
    pub series: Option<TitleId>,
    /// Of one genre only.
    pub genre: Option<String>,
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

/// A write that others must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Rises with each write.
    pub seq: i64,
    /// Of which title.
    pub title: String,
    /// A `TitleChanged`.
    pub payload: Vec<u8>,
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// What was asked for.
    pub done: T,
    /// Every title that is another one now: the one that was asked for, and those that changed with it.
    pub changed: Vec<Title>,
}

/// What becomes of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Nothing is kept.
    Dry,
    /// It is kept, where nothing is wrong with any of it.
    Real,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Titles that are new.
    pub added: u32,
    /// Titles that were different.
    pub changed: u32,
    /// Titles that were so already.
    pub unchanged: u32,
    /// What is wrong; nothing is kept where there is any.
    pub problems: Vec<Problem>,
}

/// What is kept. Each call is one transaction; what it returns is durable.
///
/// Every write keeps a [`Change`] for each title that is another one with it.
#[async_trait]
pub trait CatalogStore: Send + Sync + std::fmt::Debug {
    /// Adds a title or changes what is said about it. Changes nothing where all is so already.
    ///
    /// With `expected`, fails with [`CatalogError::Changed`] unless the title is at that revision.
    async fn put(&self, said: Said, expected: Option<u64>, now_us: i64) -> Result<Written<Title>, CatalogError>;

    /// One title.
    async fn title(&self, id: &TitleId) -> Result<Title, CatalogError>;

    /// Those that exist of at most 500, in any order.
    async fn titles(&self, ids: &[TitleId]) -> Result<Vec<Title>, CatalogError>;

    /// At most `limit` titles in the order of their ids, or of a series, from the first after the title `after`.
    async fn list(&self, wanted: &Wanted, after: &str, limit: u32) -> Result<Vec<Title>, CatalogError>;

    /// From here on the title plays in `edition`; an [`Announcement`] is kept with it. Changes nothing where it does
    /// already.
    async fn publish(
        &self,
        id: &TitleId,
        edition: &Edition,
        artwork: Option<&Artwork>,
        now_us: i64,
    ) -> Result<Written<Title>, CatalogError>;

    /// From here on the title does not play.
    async fn unpublish(&self, id: &TitleId, now_us: i64) -> Result<Written<Title>, CatalogError>;

    /// Takes a title out for good, and says which revision it would have had. A title that is gone already is nothing
    /// to do.
    async fn delete(
        &self,
        id: &TitleId,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Option<u64>>, CatalogError>;

    /// Replaces a title's licence windows.
    async fn set_windows(
        &self,
        id: &TitleId,
        windows: Vec<LicenceWindow>,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Title>, CatalogError>;

    /// Puts a picture in the place of the one of its kind and language.
    async fn put_picture(&self, id: &TitleId, picture: Picture, now_us: i64) -> Result<Written<Title>, CatalogError>;

    /// Adds a person or changes what is said about one. Titles that credit them under their old name get the new one.
    async fn put_person(
        &self,
        person: Person,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Person>, CatalogError>;

    /// One person.
    async fn person(&self, id: &PersonId) -> Result<Person, CatalogError>;

    /// At most `limit` people in the order of their ids, from the first after `after`.
    async fn people(&self, after: &str, limit: u32) -> Result<Vec<Person>, CatalogError>;

    /// The genres that titles have, with how many have each.
    async fn genres(&self) -> Result<Vec<(String, u32)>, CatalogError>;

    /// Takes all of `entries`, or none.
    async fn import(&self, entries: Vec<Entry>, trial: Trial, now_us: i64) -> Result<Written<Tally>, CatalogError>;

    /// The oldest announcements that nobody heard yet, at most `most`, in the order of their switches.
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, CatalogError>;

    /// Forgets an announcement that was heard.
    async fn announced(&self, announcement: &Announcement) -> Result<(), CatalogError>;

    /// The oldest changes that nobody heard yet, at most `most`, in their order.
    async fn untold(&self, most: u32) -> Result<Vec<Change>, CatalogError>;

    /// Forgets the changes up to `seq`, which were heard.
    async fn told(&self, seq: i64) -> Result<(), CatalogError>;
}
