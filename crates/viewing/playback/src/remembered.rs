//! What other services said, remembered: asked again when it is no longer fresh, and still good when they don't answer.
//!
//! A play must not fail because the service that answered a minute ago is gone. So each answer is kept twice: for as
//! long as it is fresh, and for as long as it may stand in for one that can't be had.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::error::PlaybackError;
use crate::neighbours::{PATIENCE, SHORT_PATIENCE};

/// How long answers hold.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// Answers kept at once.
    pub most: u64,
    /// How long one is not asked for again.
    pub fresh: Duration,
    /// How long one stands in for an answer that can't be had.
    pub stale: Duration,
}

/// Answers by what was asked. Many who ask the same at once cause one question.
#[derive(Debug, Clone)]
pub struct Remembered<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fresh: Cache<K, V>,
    last: Cache<K, V>,
}

impl<K, V> Remembered<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// None yet.
    #[must_use]
    pub fn new(keeping: Keeping) -> Self {
        let cache = |held| Cache::builder().max_capacity(keeping.most).time_to_live(held).build();
        Self { fresh: cache(keeping.fresh), last: cache(keeping.stale) }
    }

    /// How long an answer to `key` is worth waiting for: shortly, where an earlier one can stand in.
    pub fn patience(&self, key: &K) -> Duration {
        if self.last.contains_key(key) { SHORT_PATIENCE } else { PATIENCE }
    }

    /// The answer to `key`: a fresh one, or what `ask` says, or the last one where nobody answers.
    ///
    /// Fails with what `ask` failed with: always where that is a refusal, otherwise only where no answer is remembered.
    pub async fn get(&self, key: &K, ask: impl Future<Output = Result<V, PlaybackError>>) -> Result<V, PlaybackError> {
        let asked = async {
            let value = ask.await?;
            self.last.insert(key.clone(), value.clone()).await;
            Ok(value)
        };
        let error: Arc<PlaybackError> = match self.fresh.try_get_with_by_ref(key, asked).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !matches!(error.as_ref(), PlaybackError::Unavailable { .. }) {
            self.last.invalidate(key).await;
            return Err(PlaybackError::clone(&error));
        }
        match self.last.get(key).await {
            Some(value) => {
                tracing::warn!(%error, "an earlier answer stands in");
                Ok(value)
            }
            None => Err(PlaybackError::clone(&error)),
        }
    }
}
