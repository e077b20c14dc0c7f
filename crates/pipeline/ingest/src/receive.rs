//! Bytes of an upload on their way from the sender to the store: gathered into blocks, hashed, written, made durable.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use matinee_engines::objects::ObjectError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::IngestError;
use crate::intake::IngestService;
use crate::store::Upload;

/// Bytes that are written at once.
const BLOCK: usize = 1 << 20;
/// Blocks that wait to be written.
const QUEUED: usize = 2;
/// Bytes after which what was written is made durable, and an upload can go on from there.
const STRIDE: u64 = 64 << 20;
/// The same in time, for senders that are slow.
const PACE: Duration = Duration::from_secs(2);

/// A checksum that the client sent with its bytes.
pub(crate) enum Expected {
    /// Of SHA-1.
    Sha1(Vec<u8>),
    /// Of SHA-256.
    Sha256(Vec<u8>),
}

enum Digest {
    None,
    Sha1(sha1::Sha1, Vec<u8>),
    Sha256(sha2::Sha256, Vec<u8>),
}

impl Digest {
    fn of(expected: Option<Expected>) -> Self {
        use sha2::Digest as _;
        match expected {
            None => Self::None,
            Some(Expected::Sha1(sum)) => Self::Sha1(sha1::Sha1::new(), sum),
            Some(Expected::Sha256(sum)) => Self::Sha256(sha2::Sha256::new(), sum),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        match self {
            Self::None => {}
            Self::Sha1(hasher, _) => hasher.update(bytes),
            Self::Sha256(hasher, _) => hasher.update(bytes),
        }
    }

    fn matches(self) -> bool {
        use sha2::Digest as _;
        match self {
            Self::None => true,
            Self::Sha1(hasher, expected) => hasher.finalize()[..] == expected[..],
            Self::Sha256(hasher, expected) => hasher.finalize()[..] == expected[..],
        }
    }
}

/// What is made of the bytes on their way.
struct Sums {
    /// Of this request.
    digest: Digest,
    /// Of the whole upload so far; absent where its beginning is not known.
    hasher: Option<blake3::Hasher>,
}

impl Sums {
    fn with(mut self, bytes: &[u8]) -> Self {
        self.digest.update(bytes);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self
    }
}

/// What a request brought.
struct Taken {
    /// Where the upload is.
    at: u64,
    /// How much of it is durable.
    durable: u64,
    sums: Sums,
}

/// Collects what comes into blocks. Returns why the sender broke off, if it did.
async fn gather<S, E>(bytes: &mut S, blocks: mpsc::Sender<Bytes>) -> Option<String>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: ToString + Send,
{
    let mut block = BytesMut::with_capacity(BLOCK);
    let mut broken = None;
    loop {
        match bytes.next().await {
            Some(Ok(more)) => block.extend_from_slice(&more),
            Some(Err(error)) => broken = Some(error.to_string()),
            None if block.is_empty() => return None,
            None => {
                // Where nobody takes it, the writing failed, and says why itself.
                let _ = blocks.send(block.freeze()).await;
                return None;
            }
        }
        if (block.len() >= BLOCK || broken.is_some()) && !block.is_empty() {
            let full = std::mem::replace(&mut block, BytesMut::with_capacity(BLOCK));
            let _ = blocks.send(full.freeze()).await;
        }
        if broken.is_some() {
            return broken;
        }
    }
}

impl IngestService {
    /// Writes what comes from `offset` on, and finishes the upload with its last byte. Returns where the upload then is.
    ///
    /// Where the sender breaks off, what came is kept; where a checksum differs, nothing of this call is.
    pub(crate) async fn write<S, E>(
        &self,
        id: &str,
        offset: u64,
        expected: Option<Expected>,
        mut bytes: S,
    ) -> Result<Upload, IngestError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: ToString + Send,
    {
        let _held = self.hold(id)?;
        let mut upload = self.store.get(id).await?;
        if upload.offset != offset {
            return Err(IngestError::Offset { is: upload.offset, asked: offset });
        }
        if upload.finished_us > 0 {
            return Ok(upload);
        }
        let checked = expected.is_some();
        let sums = Sums { digest: Digest::of(expected), hasher: self.hashed(id, offset) };
        // The next bytes come in while the last are hashed and written.
        let (sender, mut blocks) = mpsc::channel(QUEUED);
        let reading = async { Ok(gather(&mut bytes, sender).await) };
        let writing = self.store_blocks(&upload, checked, sums, &mut blocks);
        let (broken, Taken { at, durable, sums }) = futures::try_join!(reading, writing)?;
        if checked && (broken.is_some() || !sums.digest.matches()) {
            return Err(IngestError::Checksum { offset });
        }
        if at > durable {
            self.reach(&upload, at).await?;
        }
        upload.offset = at;
        if let Some(hasher) = sums.hasher {
            self.hashes.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), (at, hasher));
        }
        if let Some(reason) = broken {
            return Err(IngestError::Broken { offset: at, reason });
        }
        if at == upload.size {
            self.finish(&upload).await?;
        }
        self.store.get(id).await
    }

    /// Writes blocks from the upload's offset on, and makes them durable stride by stride unless they are `checked` first.
    async fn store_blocks(
        &self,
        upload: &Upload,
        checked: bool,
        mut sums: Sums,
        blocks: &mut mpsc::Receiver<Bytes>,
    ) -> Result<Taken, IngestError> {
        let (mut at, mut durable) = (upload.offset, upload.offset);
        let mut syncing: Option<(u64, JoinHandle<_>)> = None;
        let mut synced = Instant::now();
        while let Some(block) = blocks.recv().await {
            let length = block.len() as u64;
            if at + length > upload.size {
                let reason = format!("more bytes came than the {} that were announced", upload.size);
                return Err(IngestError::Refused(reason));
            }
            let hashed = block.clone();
            let hashing = tokio::task::spawn_blocking(move || sums.with(&hashed));
            let (hashed, written) = tokio::join!(hashing, self.objects.write_part(&upload.parts, at, block));
            written?;
            sums = hashed.map_err(|error| IngestError::Refused(error.to_string()))?;
            at += length;
            if !checked && (at - durable >= STRIDE || synced.elapsed() >= PACE) {
                synced = Instant::now();
                self.reached(upload, syncing.take()).await?;
                let (objects, parts) = (self.objects.clone(), upload.parts.clone());
                syncing = Some((at, tokio::spawn(async move { objects.sync_parts(&parts).await })));
                durable = at;
            }
        }
        self.reached(upload, syncing).await?;
        Ok(Taken { at, durable, sums })
    }

    /// Waits for a sync that was begun, and notes how far the upload is durable with it.
    async fn reached(
        &self,
        upload: &Upload,
        syncing: Option<(u64, JoinHandle<Result<u64, ObjectError>>)>,
    ) -> Result<(), IngestError> {
        let Some((at, sync)) = syncing else { return Ok(()) };
        sync.await.map_err(|error| IngestError::Refused(error.to_string()))??;
        self.store.reached(&upload.id, at, self.expires_us()).await
    }

    /// The hash of an upload's first `offset` bytes, if it is known.
    pub(crate) fn hashed(&self, id: &str, offset: u64) -> Option<blake3::Hasher> {
        let known = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        match known {
            Some((at, hasher)) if at == offset => Some(hasher),
            _ if offset == 0 => Some(blake3::Hasher::new()),
            _ => None,
        }
    }

    async fn reach(&self, upload: &Upload, at: u64) -> Result<u64, IngestError> {
        self.objects.sync_parts(&upload.parts).await?;
        self.store.reached(&upload.id, at, self.expires_us()).await?;
        Ok(at)
    }
}
