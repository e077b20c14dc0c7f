//! Objects in a bucket: S3 and what speaks its API, or memory in tests, by the `object_store` crate.
//!
//! What arrives in parts is a multipart upload of the engine (see [`super::Objects::begin_parts`] and `multipart.rs`):
//! the bytes go to the bucket as they come. Other programs get local copies.

mod multipart;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::multipart::Assembly;
use super::scratch::Scratch;
use super::{
    LocalFile, ObjectError, Objects, PartsId, S3Config, Stored, TemporaryFile, checked_key, checked_prefix,
    checked_range,
};

/// Files up to this size are put in one request, longer ones in parts of it.
const PIECE: usize = 8 << 20;
/// Parts of one file that are on their way at once.
const CONCURRENCY: usize = 3;

/// The adapter.
#[derive(Debug)]
pub struct BucketStore {
    engine: Engine,
    scratch: Scratch,
    // Uploads under way; each waits for its turn.
    assemblies: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Assembly>>>>,
}

/// The engine's two sides.
#[derive(Debug, Clone)]
struct Engine {
    whole: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartEngine>,
}

/// A multipart store that can be printed, as ports are.
trait MultipartEngine: MultipartStore + std::fmt::Debug {}
impl<T: MultipartStore + std::fmt::Debug> MultipartEngine for T {}

impl BucketStore {
    /// A bucket of S3 or of what speaks its API. Reaches it only when it is first used.
    pub fn s3(config: &S3Config) -> Result<Self, ObjectError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_access_key_id(&config.access_key)
            .with_secret_access_key(&config.secret_key);
        if !config.endpoint.is_empty() {
            builder = builder.with_endpoint(&config.endpoint).with_allow_http(config.endpoint.starts_with("http://"));
        }
        let bucket = builder.build().map_err(|error| failed(&config.bucket, &error))?;
        Self::over(Arc::new(bucket), &config.scratch)
    }

    /// A bucket in this process's memory.
    pub fn in_memory(scratch: &Path) -> Result<Self, ObjectError> {
        Self::over(Arc::new(InMemory::new()), scratch)
    }

    fn over<T: ObjectStore + MultipartEngine>(engine: Arc<T>, scratch: &Path) -> Result<Self, ObjectError> {
        let scratch =
            Scratch::open(scratch).map_err(|error| ObjectError::io(&scratch.display().to_string(), &error))?;
        let engine = Engine { whole: Arc::clone(&engine) as _, parts: engine };
        Ok(Self { engine, scratch, assemblies: Mutex::default() })
    }

    async fn assembly(&self, id: &PartsId) -> Result<Arc<tokio::sync::Mutex<Assembly>>, ObjectError> {
        if let Some(known) = self.known().get(&id.0) {
            return Ok(Arc::clone(known));
        }
        let loaded = Assembly::load(&self.engine, checked_key(&id.0)?).await?;
        // Another caller may have been quicker; all use one.
        let mut known = self.known();
        let kept = known.entry(id.0.clone()).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(loaded)));
        Ok(Arc::clone(kept))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<Assembly>>>> {
        self.assemblies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open_range(&self, key: &str, range: &Range<u64>) -> Result<GetResult, ObjectError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        match self.engine.whole.get_opts(&checked_key(key)?.into(), options).await {
            Ok(result) => {
                checked_range(key, range, result.meta.size)?;
                Ok(result)
            }
            // Engines differ in what they say of a range that ends outside.
            Err(error) => {
                let size = self.size(key).await?.ok_or_else(|| ObjectError::NotFound(key.to_owned()))?;
                checked_range(key, range, size)?;
                Err(failed(key, &error))
            }
        }
    }

    async fn upload(&self, key: &str, file: &Path) -> Result<Stored, ObjectError> {
        let io = |error: std::io::Error| ObjectError::io(key, &error);
        let mut source = tokio::fs::File::open(file).await.map_err(io)?;
        let size = source.metadata().await.map_err(io)?.len();
        if size <= PIECE as u64 {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes).await.map_err(io)?;
            return self.put(key, bytes.into()).await;
        }
        let upload = self.engine.whole.put_multipart(&key.into()).await.map_err(|error| failed(key, &error))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE);
        let mut hasher = blake3::Hasher::new();
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            if (&mut source).take(PIECE as u64).read_to_end(&mut piece).await.map_err(io)? == 0 {
                break;
            }
            hasher.update(&piece);
            writer.wait_for_capacity(CONCURRENCY).await.map_err(|error| failed(key, &error))?;
            writer.put(piece.into());
        }
        writer.finish().await.map_err(|error| failed(key, &error))?;
        Ok(Stored { key: key.to_owned(), size: hasher.count(), blake3: hasher.finalize().to_hex().to_string() })
    }
}

/// What the engine said, in the port's words.
fn failed(key: &str, error: &object_store::Error) -> ObjectError {
    match error {
        object_store::Error::NotFound { .. } => ObjectError::NotFound(key.to_owned()),
        other => {
            let reason = other.to_string();
            // S3 names these two; there is no status of their own.
            if reason.contains("InsufficientStorage") || reason.contains("QuotaExceeded") {
                return ObjectError::NoSpace { key: key.to_owned() };
            }
            ObjectError::Engine { key: key.to_owned(), reason }
        }
    }
}

#[async_trait]
impl Objects for BucketStore {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<Stored, ObjectError> {
        let (size, blake3) = (bytes.len() as u64, blake3::hash(&bytes).to_hex().to_string());
        self.engine.whole.put(&checked_key(key)?.into(), bytes.into()).await.map_err(|error| failed(key, &error))?;
        Ok(Stored { key: key.to_owned(), size, blake3 })
    }

    async fn put_file(&self, key: &str, file: &Path) -> Result<Stored, ObjectError> {
        checked_key(key)?;
        let stored = self.upload(key, file).await?;
        tokio::fs::remove_file(file).await.map_err(|error| ObjectError::io(key, &error))?;
        Ok(stored)
    }

    async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        let result = self.engine.whole.get(&checked_key(key)?.into()).await.map_err(|error| failed(key, &error))?;
        result.bytes().await.map_err(|error| failed(key, &error))
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, ObjectError> {
        if range.is_empty() {
            let size = self.size(key).await?.ok_or_else(|| ObjectError::NotFound(key.to_owned()))?;
            return checked_range(key, &range, size).map(|()| Bytes::new());
        }
        self.open_range(key, &range).await?.bytes().await.map_err(|error| failed(key, &error))
    }

    async fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ObjectError>>, ObjectError> {
        if range.is_empty() {
            self.get_range(key, range).await?;
            return Ok(futures::stream::empty().boxed());
        }
        let pieces = self.open_range(key, &range).await?.into_stream();
        let key = key.to_owned();
        Ok(pieces.map_err(move |error| failed(&key, &error)).boxed())
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        match self.engine.whole.head(&checked_key(key)?.into()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(key, &error)),
        }
    }

    async fn local_file(&self, key: &str) -> Result<LocalFile, ObjectError> {
        let result = self.engine.whole.get(&checked_key(key)?.into()).await.map_err(|error| failed(key, &error))?;
        let io = |error: std::io::Error| ObjectError::io(key, &error);
        let copy = TemporaryFile(self.scratch.path(key));
        let mut file = tokio::fs::File::create_new(&copy.0).await.map_err(io)?;
        let mut pieces = result.into_stream();
        while let Some(piece) = pieces.next().await {
            file.write_all(&piece.map_err(|error| failed(key, &error))?).await.map_err(io)?;
        }
        file.flush().await.map_err(io)?;
        Ok(LocalFile { path: copy.0.clone(), copy: Some(copy) })
    }

    fn scratch_path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        match self.engine.whole.delete(&checked_key(key)?.into()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(key, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let path = checked_prefix(prefix)?.map(object_store::path::Path::from);
        let listed = self.engine.whole.list(path.as_ref()).map_ok(|meta| meta.location.to_string());
        let mut keys: Vec<String> = listed.try_collect().await.map_err(|error| failed(prefix, &error))?;
        keys.retain(|key| !key.starts_with('.'));
        keys.sort_unstable();
        Ok(keys)
    }

    async fn begin_parts(&self, key: &str) -> Result<PartsId, ObjectError> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let assembly = Assembly::begin(&self.engine, &id, checked_key(key)?).await?;
        self.known().insert(id.clone(), Arc::new(tokio::sync::Mutex::new(assembly)));
        Ok(PartsId(id))
    }

    async fn write_part(&self, id: &PartsId, offset: u64, bytes: Bytes) -> Result<(), ObjectError> {
        self.assembly(id).await?.lock().await.write(&self.engine, offset, bytes).await
    }

    async fn sync_parts(&self, id: &PartsId) -> Result<u64, ObjectError> {
        self.assembly(id).await?.lock().await.sync(&self.engine).await
    }

    async fn finish_parts(&self, id: &PartsId, key: &str) -> Result<(), ObjectError> {
        checked_key(key)?;
        let assembly = match self.assembly(id).await {
            Err(ObjectError::NotFound(_)) if self.size(key).await?.is_some() => return Ok(()),
            assembly => assembly?,
        };
        assembly.lock().await.finish(&self.engine, key).await?;
        self.known().remove(&id.0);
        Ok(())
    }

    async fn abort_parts(&self, id: &PartsId) -> Result<(), ObjectError> {
        match self.assembly(id).await {
            Err(ObjectError::NotFound(_)) => return Ok(()),
            assembly => assembly?.lock().await.abort(&self.engine).await?,
        }
        self.known().remove(&id.0);
        Ok(())
    }
}
