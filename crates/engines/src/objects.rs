//! Films and segments: whole objects by key, written once, atomically and durably.
//!
//! A key is a relative path of safe parts (`work/ab12/chunk.mp4`). What a call acknowledges is on disk. An object never
//! shows half: a reader sees nothing or all of it.

pub mod bucket;
pub mod folder;
mod scratch;

use std::io::ErrorKind;
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
    #[error(
        "object key {0:?} is refused: parts of a-z, A-Z, 0-9, '.', '-', '_' and '=', joined by '/', none starting with '.', are taken"
    )]
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

impl ObjectError {
    /// What the system said, in the port's words.
    fn io(key: &str, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound(key.to_owned()),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::NoSpace { key: key.to_owned() },
            _ => Self::Engine { key: key.to_owned(), reason: error.to_string() },
        }
    }
}

/// Which adapter, and where it keeps objects.
#[derive(Debug, Clone)]
pub enum ObjectsConfig {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of S3, or of what speaks its API.
    S3(S3Config),
}

/// A bucket.
#[derive(Clone)]
pub struct S3Config {
    /// `https://host:port`; empty for Amazon's own.
    pub endpoint: String,
    /// Must exist.
    pub bucket: String,
    /// "us-east-1".
    pub region: String,
    /// The account.
    pub access_key: String,
    /// Its secret, never printed.
    pub secret_key: String,
    /// A local folder for files that other programs read and write.
    pub scratch: PathBuf,
}

impl std::fmt::Debug for S3Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Config")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .field("access_key", &self.access_key)
            .field("scratch", &self.scratch)
            .finish_non_exhaustive()
    }
}

/// Opens the store.
pub async fn open(config: &ObjectsConfig) -> Result<ObjectStorage, ObjectError> {
    Ok(match config {
        ObjectsConfig::Folder(root) => Arc::new(folder::FolderStore::open(root)?),
        ObjectsConfig::S3(s3) => Arc::new(bucket::BucketStore::s3(s3)?),
    })
}

/// The key, where it can't leave its folder.
fn checked_key(key: &str) -> Result<&str, ObjectError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '=');
    let part = |p: &str| !p.is_empty() && p.len() <= 200 && !p.starts_with('.') && p.chars().all(legal);
    if key.len() > 800 || !key.split('/').all(part) {
        return Err(ObjectError::Key(key.chars().take(200).collect()));
    }
    Ok(key)
}

/// The prefix without its last '/', or nothing for all keys.
fn checked_prefix(prefix: &str) -> Result<Option<&str>, ObjectError> {
    let bare = prefix.strip_suffix('/').unwrap_or(prefix);
    if bare.is_empty() { Ok(None) } else { checked_key(bare).map(Some) }
}

/// The range, where it lies in an object of `size` bytes.
fn checked_range(key: &str, range: &Range<u64>, size: u64) -> Result<(), ObjectError> {
    if range.start > range.end || range.end > size {
        return Err(ObjectError::Range { key: key.to_owned(), start: range.start, end: range.end, size });
    }
    Ok(())
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

    /// The keys under a prefix of whole parts (`work/ab12`; empty for all), in order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError>;

    /// Begins an object that arrives in parts and will stand under `key`.
    async fn begin_parts(&self, key: &str) -> Result<PartsId, ObjectError>;

    /// Appends `bytes` at `offset`. Durable only after [`Objects::sync_parts`].
    ///
    /// `offset` is where the parts end; or, to take back what came later, a size that one of the last two calls of
    /// [`Objects::sync_parts`] returned. Where there is no room ([`ObjectError::NoSpace`]), `bytes` are not taken.
    async fn write_part(&self, id: &PartsId, offset: u64, bytes: Bytes) -> Result<(), ObjectError>;

    /// Makes what was written durable and says how many bytes there are.
    async fn sync_parts(&self, id: &PartsId) -> Result<u64, ObjectError>;

    /// Makes the parts the object under `key`, as it was named at the beginning, atomically. Finishing again succeeds.
    async fn finish_parts(&self, id: &PartsId, key: &str) -> Result<(), ObjectError>;

    /// Throws the parts away; throwing away what is not there succeeds.
    async fn abort_parts(&self, id: &PartsId) -> Result<(), ObjectError>;
}
