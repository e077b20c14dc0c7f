//! The port to where content keys come from.
//!
//! The embedded adapter makes and keeps them itself. A key server (CPIX, SPEKE) fits as well: it is asked for a content
//! id and labels in the same way, and names its keys by the same ids.

mod sqlite;

use async_trait::async_trait;
use matinee_model::ids::TitleId;

pub use self::sqlite::SqliteKeys;
use crate::error::LicenseError;
use crate::keys::{ContentKey, KeyId, Label};

/// Where content keys come from.
#[async_trait]
pub trait KeyStore: Send + Sync + std::fmt::Debug {
    /// The title's keys, one a label in the order of `labels`, made where they do not exist. Whoever asks, also at once,
    /// gets the same keys; they are durable when this returns.
    async fn ensure(&self, title: &TitleId, labels: &[Label]) -> Result<Vec<ContentKey>, LicenseError>;

    /// Keys by their ids, in their order. Fails with [`LicenseError::UnknownKey`] naming the first that does not exist.
    async fn by_id(&self, ids: &[KeyId]) -> Result<Vec<ContentKey>, LicenseError>;
}
