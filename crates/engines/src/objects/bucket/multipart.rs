//! One object that arrives in parts, over restarts: a multipart upload of the engine and, beside it, what the engine
//! can't keep.
//!
//! An engine takes parts of 5 MiB and more and shows nothing of them before the end. So each sync also stores the bytes
//! that do not make a part yet (the tail) and a manifest, under `.parts/{id}/`, which no key reaches. The manifest knows
//! the last two syncs, so that a caller that was killed between a sync and its own record of it can go on from either.

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::{Engine, ObjectError, failed};

/// The first parts' size. S3 takes 10,000 parts, so they grow: this many times it after each [`GROWTH`] parts make the
/// whole 1 TiB long.
const PART: u64 = 8 << 20;
/// Parts after which they are [`PART`] longer.
const GROWTH: u64 = 400;

/// The upload.
#[derive(Debug)]
pub struct Assembly {
    id: String,
    manifest: Manifest,
    parts: Vec<Part>,
    // Bytes that are not in a part yet.
    tail: Vec<Bytes>,
    // Bytes from the start up to the end of the tail.
    end: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Manifest {
    key: String,
    upload: String,
    parts: Vec<Part>,
    now: Synced,
    before: Synced,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Part {
    id: String,
    size: u64,
}

/// A sync: so many parts, then a tail up to `size`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Synced {
    parts: usize,
    size: u64,
    // Empty where there was none.
    tail: String,
}

impl Assembly {
    pub async fn begin(engine: &Engine, id: &str, key: &str) -> Result<Self, ObjectError> {
        let upload = engine.parts.create_multipart(&key.into()).await.map_err(|error| failed(key, &error))?;
        let (now, before) = (Synced::default(), Synced::default());
        let manifest = Manifest { key: key.to_owned(), upload, parts: Vec::new(), now, before };
        let begun = Self { id: id.to_owned(), manifest, parts: Vec::new(), tail: Vec::new(), end: 0 };
        begun.store_manifest(engine, &begun.manifest).await?;
        Ok(begun)
    }

    /// As the last sync left it.
    pub async fn load(engine: &Engine, id: &str) -> Result<Self, ObjectError> {
        let bytes = get(engine, &manifest_path(id), id).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| ObjectError::Engine {
            key: id.to_owned(),
            reason: format!("the manifest of its parts is not understood: {error}"),
        })?;
        let now = manifest.now.clone();
        let mut loaded = Self { id: id.to_owned(), manifest, parts: Vec::new(), tail: Vec::new(), end: 0 };
        loaded.go_back(engine, &now).await?;
        Ok(loaded)
    }

    pub async fn write(&mut self, engine: &Engine, offset: u64, bytes: Bytes) -> Result<(), ObjectError> {
        if offset != self.end {
            let synced = [&self.manifest.now, &self.manifest.before].into_iter().find(|s| s.size == offset);
            let synced = synced.cloned().ok_or_else(|| ObjectError::Engine {
                key: self.manifest.key.clone(),
                reason: format!("a part at {offset} fits neither the end {} nor a sync", self.end),
            })?;
            self.go_back(engine, &synced).await?;
        }
        self.end += bytes.len() as u64;
        self.tail.push(bytes);
        let taken = self.send_whole_parts(engine).await;
        if taken.is_err() {
            // The refused bytes are the last of the tail: parts are cut behind them, never within.
            self.end -= self.tail.pop().map_or(0, |refused| refused.len() as u64);
        }
        taken
    }

    pub async fn sync(&mut self, engine: &Engine) -> Result<u64, ObjectError> {
        if self.end == self.manifest.now.size {
            return Ok(self.end);
        }
        let mut tail = String::new();
        if !self.tail.is_empty() {
            tail = format!("tail-{}", self.end);
            let payload: PutPayload = self.tail.iter().cloned().collect();
            let path = self.path(&tail);
            engine.whole.put(&path, payload).await.map_err(|error| failed(&self.manifest.key, &error))?;
        }
        let dropped = self.manifest.before.tail.clone();
        let now = Synced { parts: self.parts.len(), size: self.end, tail };
        let before = self.manifest.now.clone();
        let manifest = Manifest { parts: self.parts.clone(), now, before, ..self.manifest.clone() };
        self.store_manifest(engine, &manifest).await?;
        self.manifest = manifest;
        let kept = [&self.manifest.now.tail, &self.manifest.before.tail];
        if !dropped.is_empty() && !kept.contains(&&dropped) {
            remove(engine, &self.path(&dropped), &self.manifest.key).await?;
        }
        Ok(self.end)
    }

    pub async fn finish(&mut self, engine: &Engine, key: &str) -> Result<(), ObjectError> {
        if key != self.manifest.key {
            let reason = format!("its parts were begun for {}", self.manifest.key);
            return Err(ObjectError::Engine { key: key.to_owned(), reason });
        }
        let path = Path::from(key);
        // Killed between the engine's end and ours: the object is there, the multipart upload is not.
        if engine.whole.head(&path).await.is_ok_and(|meta| meta.size == self.end) {
            return self.clear(engine).await;
        }
        if self.end == 0 {
            engine.whole.put(&path, PutPayload::new()).await.map_err(|error| failed(key, &error))?;
            return self.abort(engine).await;
        }
        if !self.tail.is_empty() {
            self.send_tail(engine).await?;
        }
        let parts = self.parts.iter().map(|part| PartId { content_id: part.id.clone() }).collect();
        engine
            .parts
            .complete_multipart(&path, &self.manifest.upload, parts)
            .await
            .map_err(|error| failed(key, &error))?;
        self.clear(engine).await
    }

    pub async fn abort(&mut self, engine: &Engine) -> Result<(), ObjectError> {
        let key = self.manifest.key.clone();
        match engine.parts.abort_multipart(&key.as_str().into(), &self.manifest.upload).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => self.clear(engine).await,
            Err(error) => Err(failed(&key, &error)),
        }
    }

    async fn send_whole_parts(&mut self, engine: &Engine) -> Result<(), ObjectError> {
        let size: u64 = self.tail.iter().map(|bytes| bytes.len() as u64).sum();
        if size >= PART * (1 + self.parts.len() as u64 / GROWTH) { self.send_tail(engine).await } else { Ok(()) }
    }

    async fn send_tail(&mut self, engine: &Engine) -> Result<(), ObjectError> {
        let key = &self.manifest.key;
        let payload: PutPayload = self.tail.iter().cloned().collect();
        let size = payload.content_length() as u64;
        let sent = engine
            .parts
            .put_part(&key.as_str().into(), &self.manifest.upload, self.parts.len(), payload)
            .await
            .map_err(|error| failed(key, &error))?;
        self.tail.clear();
        self.parts.push(Part { id: sent.content_id, size });
        Ok(())
    }

    async fn go_back(&mut self, engine: &Engine, synced: &Synced) -> Result<(), ObjectError> {
        let mut tail = Vec::new();
        if !synced.tail.is_empty() {
            tail.push(get(engine, &self.path(&synced.tail), &self.manifest.key).await?);
        }
        self.parts = self.manifest.parts[..synced.parts].to_vec();
        self.tail = tail;
        self.end = synced.size;
        // From here on, this is the sync that the next one follows.
        self.manifest.now = synced.clone();
        Ok(())
    }

    async fn store_manifest(&self, engine: &Engine, manifest: &Manifest) -> Result<(), ObjectError> {
        let bytes = serde_json::to_vec(manifest)
            .map_err(|error| ObjectError::Engine { key: manifest.key.clone(), reason: error.to_string() })?;
        engine
            .whole
            .put(&manifest_path(&self.id), bytes.into())
            .await
            .map_err(|error| failed(&manifest.key, &error))?;
        Ok(())
    }

    async fn clear(&self, engine: &Engine) -> Result<(), ObjectError> {
        for synced in [&self.manifest.now, &self.manifest.before] {
            if !synced.tail.is_empty() {
                remove(engine, &self.path(&synced.tail), &self.manifest.key).await?;
            }
        }
        // Last, since it is what finds the others.
        remove(engine, &manifest_path(&self.id), &self.manifest.key).await
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!(".parts/{}/{name}", self.id))
    }
}

fn manifest_path(id: &str) -> Path {
    Path::from(format!(".parts/{id}/manifest.json"))
}

async fn get(engine: &Engine, path: &Path, key: &str) -> Result<Bytes, ObjectError> {
    let result = engine.whole.get(path).await.map_err(|error| failed(key, &error))?;
    result.bytes().await.map_err(|error| failed(key, &error))
}

async fn remove(engine: &Engine, path: &Path, key: &str) -> Result<(), ObjectError> {
    match engine.whole.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(failed(key, &error)),
    }
}
