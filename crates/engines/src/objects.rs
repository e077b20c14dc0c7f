//! Films and segments: whole objects by key, written once, atomically and durably.
//!
//! A key is a relative path of safe parts (`work/ab12/chunk.mp4`). What a call acknowledges is on disk. An object never
//! shows half: a reader sees nothing or all of it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

/// Any adapter, shared.
pub type ObjectStorage = Arc<dyn Objects>;

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It is not there.
    #[error("object {0} does not exist")]
    NotFound(String),
    /// The key could leave its folder, or is empty.
    #[error("object key {0:?} is refused: parts of a-z, A-Z, 0-9, '.', '-' and '_', joined by '/', none starting with '.', are taken")]
    Key(String),
    /// The store has no room left. Worth trying again when there is.
    #[error("no space left in the object store for {key}")]
    NoSpace {
        /// What was being written.
        key: String,
    },
    /// A range outside of the object.
    #[error("range {start}..{end} of object {key} is outside of its {size} bytes")]
    Range {
        /// The object.
        key: String,
        /// From.
        start: u64,
        /// To, not included.
        end: u64,
        /// What there is.
        size: u64,
    },
    /// The engine failed.
    #[error("object store failed at {key}: {reason}")]
    Engine {
        /// The object.
        key: String,
        /// The engine's own words.
        reason: String,
    },
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Hex, of the whole.
    pub blake3: String,
}

/// An object as a file that another program can read. Where it had to be copied for that, the copy goes with this value.
#[derive(Debug)]
pub struct LocalFile {
    /// Where it is.
    pub path: PathBuf,
    /// Removes the copy when dropped.
    pub copy: Option<TemporaryFile>,
}

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub struct TemporaryFile(pub PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Nobody could act on a failure here; the scratch folder is emptied at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An object that is being written in parts, over restarts of this process.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartsId(pub String);

/// The port.
#[async_trait]
pub trait Objects: Send + Sync + std::fmt::Debug {
    /// Writes an object whole, over one that may be there.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<Stored, ObjectError>;

    /// Takes a finished local file in: moved where that is possible, copied where not. The file is gone afterwards.
    async fn put_file(&self, key: &str, file: &Path) -> Result<Stored, ObjectError>;

    /// The whole object.
    async fn get(&self, key: &str) -> Result<Bytes, ObjectError>;

    /// Bytes `range` of it.
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, ObjectError>;

    /// Bytes `range` of it, in pieces of bounded size.
    async fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError>;

    /// Its size in bytes, or nothing where it does not exist.
    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError>;

    /// As a file for another program (ffmpeg) to read.
    async fn local_file(&self, key: &str) -> Result<LocalFile, ObjectError>;

    /// A path in the store's scratch area, on the same file system where there is one, so that [`Objects::put_file`]
    /// moves and does not copy. `name` is made unique.
    fn scratch_path(&self, name: &str) -> PathBuf;

    /// Removes it; removing what is not there succeeds.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;

    /// The keys under a prefix, in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError>;

    /// Begins an object that arrives in parts.
    async fn begin_parts(&self, key: &str) -> Result<PartsId, ObjectError>;

    /// Appends `bytes` at `offset`, which is where the parts so far end. Durable only after [`Objects::sync_parts`].
    async fn write_part(&self, id: &PartsId, offset: u64, bytes: Bytes) -> Result<(), ObjectError>;

    /// Makes what was written durable and says how many bytes there are.
    async fn sync_parts(&self, id: &PartsId) -> Result<u64, ObjectError>;

    /// Reads back what was written, from `offset`, at most `most` bytes: to hash again after a restart.
    async fn read_parts(&self, id: &PartsId, offset: u64, most: usize) -> Result<Bytes, ObjectError>;

    /// Makes the parts the object under `key`, atomically.
    async fn finish_parts(&self, id: &PartsId, key: &str) -> Result<(), ObjectError>;

    /// Throws the parts away.
    async fn abort_parts(&self, id: &PartsId) -> Result<(), ObjectError>;
}
