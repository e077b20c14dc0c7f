//! Objects in a folder: the default.
//!
//! A write goes to a hidden folder of the same file system, is synced, then renamed into its place, and the folders are
//! synced too; so a reader sees nothing or all, and what is acknowledged survives a power cut. Reading, listing and
//! removing go through `object_store`'s local file system where its granularity serves.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt};

use super::scratch::Scratch;
use super::{LocalFile, ObjectError, Objects, PartsId, Stored, checked_key, checked_prefix, checked_range};

/// Bytes of one piece of a stream.
const PIECE: u64 = 512 << 10;
/// Bytes of parts after which the system is told to begin writing them to disk, so that a sync at the end is short.
const WRITEBACK: u64 = 8 << 20;
/// Files of parts that are kept open; above it, those nobody writes to just now are closed.
const OPEN_STAGING: usize = 64;

/// The adapter.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
    parts: PathBuf,
    scratch: Scratch,
    local: LocalFileSystem,
    // Files of uploads that are under way, so that a part costs no open and close.
    staging: Mutex<HashMap<String, Arc<Staging>>>,
}

/// Parts on their way to becoming an object.
#[derive(Debug)]
struct Staging {
    file: File,
    state: Mutex<StagingState>,
}

#[derive(Debug)]
struct StagingState {
    end: u64,
    handed_to_disk: u64,
}

impl FolderStore {
    /// Opens the store at `root`, made where there is none. Scratch files of processes that are gone are removed.
    pub fn open(root: &Path) -> Result<Self, ObjectError> {
        let failed = |error: io::Error| ObjectError::io(&root.display().to_string(), &error);
        let parts = root.join(".parts");
        fs::create_dir_all(&parts).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let scratch = Scratch::open(&root.join(".scratch")).map_err(failed)?;
        let local = LocalFileSystem::new_with_prefix(&root)
            .map_err(|error| engine(&root.display().to_string(), &error))?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        let parts = root.join(".parts");
        Ok(Self { root, parts, scratch, local, staging: Mutex::default() })
    }

    fn staging(&self, id: &PartsId) -> Result<Arc<Staging>, ObjectError> {
        let mut open = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(staging) = open.get(&id.0) {
            return Ok(Arc::clone(staging));
        }
        let path = self.parts.join(checked_key(&id.0)?);
        let failed = |error: io::Error| ObjectError::io(&id.0, &error);
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        let end = file.metadata().map_err(failed)?.len();
        let state = Mutex::new(StagingState { end, handed_to_disk: end });
        if open.len() >= OPEN_STAGING {
            open.retain(|_, idle| Arc::strong_count(idle) > 1);
        }
        let staging = Arc::new(Staging { file, state });
        open.insert(id.0.clone(), Arc::clone(&staging));
        Ok(staging)
    }

    fn forget_staging(&self, id: &PartsId) {
        self.staging.lock().unwrap_or_else(PoisonError::into_inner).remove(&id.0);
    }
}

impl Staging {
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset > state.end {
            let reason = format!("a part at {offset} would leave a gap after {}", state.end);
            return Err(io::Error::new(ErrorKind::InvalidInput, reason));
        }
        if offset < state.end {
            self.file.set_len(offset)?;
            state.end = offset;
            state.handed_to_disk = state.handed_to_disk.min(offset);
        }
        if let Err(error) = self.file.write_all_at(bytes, offset) {
            // A part that is half there would be taken for a whole one after a restart.
            self.file.set_len(offset)?;
            return Err(error);
        }
        state.end = offset + bytes.len() as u64;
        if state.end - state.handed_to_disk >= WRITEBACK {
            let from = state.handed_to_disk;
            state.handed_to_disk = state.end;
            let length = std::num::NonZeroU64::new(state.end - from);
            // Begins to write dirty pages; where the file system knows no such advice, the sync does it all.
            let _ = rustix::fs::fadvise(&self.file, from, length, rustix::fs::Advice::DontNeed);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<u64> {
        let end = self.state.lock().unwrap_or_else(PoisonError::into_inner).end;
        self.file.sync_data()?;
        Ok(end)
    }
}

/// Runs file work on a thread that may wait.
async fn blocking<T: Send + 'static>(
    key: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ObjectError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| ObjectError::io(key, &error)),
        Err(error) => Err(ObjectError::Engine { key: key.to_owned(), reason: error.to_string() }),
    }
}

fn engine(key: &str, error: &object_store::Error) -> ObjectError {
    match error {
        object_store::Error::NotFound { .. } => ObjectError::NotFound(key.to_owned()),
        other => ObjectError::Engine { key: key.to_owned(), reason: other.to_string() },
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `folder` and what it lacks above it, each entry synced.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else { return Err(ErrorKind::NotFound.into()) };
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

/// Moves a synced file into its place, durably.
fn place(file: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().ok_or(ErrorKind::NotFound)?;
    // The removal of the last object of a folder removes the folder, which may happen between these two.
    let mut attempts = 0;
    loop {
        make_folder(folder)?;
        match fs::rename(file, target) {
            Err(error) if error.kind() == ErrorKind::NotFound && attempts < 10 && file.exists() => attempts += 1,
            Err(error) => return Err(error),
            Ok(()) => return sync_folder(folder),
        }
    }
}

fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// Moves `file`, or copies it by way of `staged` where it lies on another file system.
fn take_in(file: &Path, staged: &Path, target: &Path) -> io::Result<()> {
    File::open(file)?.sync_all()?;
    match place(file, target) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let copied = fs::copy(file, staged).and_then(|_| File::open(staged)?.sync_all());
            if let Err(error) = copied.and_then(|()| place(staged, target)) {
                let _ = fs::remove_file(staged);
                return Err(error);
            }
            fs::remove_file(file)
        }
        placed => placed,
    }
}

#[async_trait]
impl Objects for FolderStore {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<Stored, ObjectError> {
        let target = self.root.join(checked_key(key)?);
        let staged = self.scratch.path("put");
        let (size, blake3) = (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string());
        blocking(key, move || {
            let written = File::create_new(&staged).and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_all()
            });
            let placed = written.and_then(|()| place(&staged, &target));
            if placed.is_err() {
                let _ = fs::remove_file(&staged);
            }
            placed
        })
        .await?;
        Ok(Stored { key: key.to_owned(), size, blake3 })
    }

    async fn put_file(&self, key: &str, file: &Path) -> Result<Stored, ObjectError> {
        let target = self.root.join(checked_key(key)?);
        let (file, staged) = (file.to_owned(), self.scratch.path("copy"));
        let (size, blake3) = blocking(key, move || {
            let hashed = hash_file(&file)?;
            take_in(&file, &staged, &target)?;
            Ok(hashed)
        })
        .await?;
        Ok(Stored { key: key.to_owned(), size, blake3 })
    }

    async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        let path = self.root.join(checked_key(key)?);
        blocking(key, move || fs::read(path).map(Bytes::from)).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let size = self.size(key).await?.ok_or_else(|| ObjectError::NotFound(key.to_owned()))?;
        checked_range(key, &range, size)?;
        let path = self.root.join(key);
        blocking(key, move || read_at(&File::open(path)?, range)).await
    }

    async fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError> {
        let path = self.root.join(checked_key(key)?);
        let (file, size) = blocking(key, move || {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok((Arc::new(file), size))
        })
        .await?;
        checked_range(key, &range, size)?;
        let key = key.to_owned();
        let pieces = futures::stream::try_unfold((file, range), move |(file, rest)| {
            let key = key.clone();
            async move {
                if rest.is_empty() {
                    return Ok(None);
                }
                let piece = rest.start..rest.end.min(rest.start + PIECE);
                let (reader, next) = (Arc::clone(&file), piece.end..rest.end);
                let bytes = blocking(&key, move || read_at(&reader, piece)).await?;
                Ok(Some((bytes, (file, next))))
            }
        });
        Ok(pieces.boxed())
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        match self.local.head(&checked_key(key)?.into()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(engine(key, &error)),
        }
    }

    async fn local_file(&self, key: &str) -> Result<LocalFile, ObjectError> {
        let path = self.root.join(checked_key(key)?);
        self.size(key).await?.ok_or_else(|| ObjectError::NotFound(key.to_owned()))?;
        Ok(LocalFile { path, copy: None })
    }

    fn scratch_path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        match self.local.delete(&checked_key(key)?.into()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(engine(key, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let path = checked_prefix(prefix)?.map(object_store::path::Path::from);
        let listed = self.local.list(path.as_ref()).map_ok(|meta| meta.location.to_string());
        let mut keys: Vec<String> = listed.try_collect().await.map_err(|error| engine(prefix, &error))?;
        keys.retain(|key| !key.starts_with('.'));
        keys.sort_unstable();
        Ok(keys)
    }

    async fn begin_parts(&self, key: &str) -> Result<PartsId, ObjectError> {
        checked_key(key)?;
        let id = PartsId(uuid::Uuid::now_v7().simple().to_string());
        let (folder, path) = (self.parts.clone(), self.parts.join(&id.0));
        blocking(key, move || {
            File::create_new(path)?.sync_all()?;
            sync_folder(&folder)
        })
        .await?;
        Ok(id)
    }

    async fn write_part(&self, id: &PartsId, offset: u64, bytes: Bytes) -> Result<(), ObjectError> {
        let staging = self.staging(id)?;
        blocking(&id.0, move || staging.write(offset, &bytes)).await
    }

    async fn sync_parts(&self, id: &PartsId) -> Result<u64, ObjectError> {
        let staging = self.staging(id)?;
        blocking(&id.0, move || staging.sync()).await
    }

    async fn finish_parts(&self, id: &PartsId, key: &str) -> Result<(), ObjectError> {
        let target = self.root.join(checked_key(key)?);
        let staging = match self.staging(id) {
            Err(ObjectError::NotFound(_)) if self.size(key).await?.is_some() => return Ok(()),
            staging => staging?,
        };
        let (path, folder) = (self.parts.join(&id.0), self.parts.clone());
        blocking(key, move || {
            staging.sync()?;
            place(&path, &target)?;
            sync_folder(&folder)
        })
        .await?;
        self.forget_staging(id);
        Ok(())
    }

    async fn abort_parts(&self, id: &PartsId) -> Result<(), ObjectError> {
        let (path, folder) = (self.parts.join(checked_key(&id.0)?), self.parts.clone());
        self.forget_staging(id);
        blocking(&id.0, move || match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => sync_folder(&folder),
        })
        .await
    }
}

fn read_at(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(|_| ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}
