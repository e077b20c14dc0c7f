//! Stored bytes that are served only after their hash was checked.
//!
//! What is found damaged or missing is never handed out: the workflow is told once for each output, and whoever asked
//! is told to come back. Once it is rebuilt, it is served again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use matinee_contracts::workflow::InvalidateOutputRequest;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_engines::objects::{ObjectError, ObjectStorage};
use matinee_service::channel::Channel;
use tokio::sync::Semaphore;

/// Above this many bytes, hashing leaves the async threads.
const INLINE_HASH: u64 = 64 * 1024;

/// Bytes of an object, and what they must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Key in the object store.
    pub object: String,
    /// From the object's start.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub blake3: String,
    /// Of the task that made the object.
    pub output_key: String,
}

/// Why a piece is not served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PieceError {
    /// It is not what was published. It is being rebuilt.
    #[error("bytes {offset}..{end} of {object} are damaged ({reason}); they are being rebuilt")]
    Damaged {
        /// The object.
        object: String,
        /// From.
        offset: u64,
        /// To, not included.
        end: u64,
        /// What differs.
        reason: String,
    },
    /// The store failed; nothing is known of the object.
    #[error("{0}")]
    Store(Arc<ObjectError>),
}

/// Reads pieces and checks them. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct VerifiedPieces {
    objects: ObjectStorage,
    workflow: WorkflowClient<Channel>,
    cache: moka::future::Cache<Piece, Bytes>,
    hashing: Arc<Semaphore>,
    /// Outputs the workflow was told of, each with the piece that was damaged; gone once that piece reads right.
    reported: Arc<Mutex<HashMap<String, Piece>>>,
}

impl VerifiedPieces {
    /// Keeps up to `cache_bytes` of checked pieces in memory and hashes at most `hashers` large ones at once.
    #[must_use]
    pub fn new(objects: ObjectStorage, workflow: WorkflowClient<Channel>, cache_bytes: u64, hashers: usize) -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(cache_bytes)
            .weigher(|_: &Piece, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .build();
        let hashing = Arc::new(Semaphore::new(hashers.max(1)));
        Self { objects, workflow, cache, hashing, reported: Arc::default() }
    }

    /// The piece, checked. However many ask for it at once, it is read and hashed once.
    pub async fn get(&self, piece: &Piece) -> Result<Bytes, PieceError> {
        let loaded = self.cache.try_get_with_by_ref(piece, self.load(piece)).await;
        loaded.map_err(|error: Arc<PieceError>| (*error).clone())
    }

    async fn load(&self, piece: &Piece) -> Result<Bytes, PieceError> {
        let read = self.objects.get_range(&piece.object, piece.offset..piece.offset + piece.size).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error @ (ObjectError::NotFound(_) | ObjectError::Range { .. })) => {
                return Err(self.damaged(piece, error.to_string()).await);
            }
            Err(error) => return Err(PieceError::Store(Arc::new(error))),
        };
        let found = self.hash(bytes.clone()).await;
        if found != piece.blake3 {
            let reason = format!("blake3 is {found}, published was {}", piece.blake3);
            return Err(self.damaged(piece, reason).await);
        }
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.get(&piece.output_key) == Some(piece) {
            reported.remove(&piece.output_key);
        }
        drop(reported);
        Ok(bytes)
    }

    async fn hash(&self, bytes: Bytes) -> String {
        if bytes.len() as u64 <= INLINE_HASH {
            return blake3::hash(&bytes).to_hex().to_string();
        }
        let _slot = self.hashing.acquire().await.expect("the semaphore is never closed");
        let hashed = tokio::task::spawn_blocking(move || blake3::hash(&bytes).to_hex().to_string()).await;
        hashed.expect("hashing does not panic")
    }

    fn first_report(&self, piece: &Piece) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.contains_key(&piece.output_key) {
            return false;
        }
        reported.insert(piece.output_key.clone(), piece.clone());
        true
    }

    /// Says that it is damaged, to the log, and to the workflow where it does not know yet.
    async fn damaged(&self, piece: &Piece, reason: String) -> PieceError {
        let end = piece.offset + piece.size;
        let error = PieceError::Damaged { object: piece.object.clone(), offset: piece.offset, end, reason };
        let key = piece.output_key.clone();
        if self.first_report(piece) {
            tracing::error!(object = piece.object, output = key, %error, "a stored output is damaged");
            let request = InvalidateOutputRequest { key: key.clone(), reason: error.to_string() };
            if let Err(status) = self.workflow.clone().invalidate_output(request).await {
                tracing::error!(output = key, %status, "the workflow could not be told; it is told at the next request");
                self.reported.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            }
        }
        error
    }
}
