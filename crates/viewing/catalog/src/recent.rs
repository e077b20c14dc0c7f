//! Titles that were read lately, so that a play or a home row reads no table.
//!
//! A title's revision only rises, also over its end and its return, and an older one never takes a newer one's place: a
//! read that was overtaken by a write can't bring back what was before it.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::catalog::Title;
use moka::future::Cache;
use moka::ops::compute::Op;
use prost::Message;

/// Bytes of titles that are kept, as the contract tells them.
const MOST_BYTES: u64 = 64 << 20;
/// What a kept title takes beside them.
const OVERHEAD: usize = 256;
/// How long one is kept: where another process writes to the same store, it is seen by then.
const KEPT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
struct Kept {
    revision: u64,
    /// Nothing where the title is gone.
    title: Option<Arc<Title>>,
    size: u32,
}

/// The cache. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Recent(Cache<String, Kept>);

impl Recent {
    pub(crate) fn new() -> Self {
        let cache =
            Cache::builder().max_capacity(MOST_BYTES).weigher(|_, kept: &Kept| kept.size).time_to_live(KEPT).build();
        Self(cache)
    }

    /// The title, where it was read lately.
    pub(crate) async fn get(&self, id: &str) -> Option<Arc<Title>> {
        self.0.get(id).await?.title
    }

    /// Keeps a title, unless a newer one is known; gives the newer of both.
    pub(crate) async fn keep(&self, title: Title) -> Arc<Title> {
        let title = Arc::new(title);
        let size = u32::try_from(title.encoded_len() + OVERHEAD).unwrap_or(u32::MAX);
        let kept = Kept { revision: title.revision, title: Some(Arc::clone(&title)), size };
        self.put(title.id.clone(), kept).await;
        title
    }

    /// Remembers that a title is gone since this revision.
    pub(crate) async fn gone(&self, id: &str, revision: u64) {
        self.put(id.to_owned(), Kept { revision, title: None, size: OVERHEAD as u32 }).await;
    }

    async fn put(&self, id: String, kept: Kept) {
        let newer = |held: Option<moka::Entry<String, Kept>>| {
            let op = match held {
                Some(held) if held.value().revision > kept.revision => Op::Nop,
                _ => Op::Put(kept),
            };
            std::future::ready(op)
        };
        self.0.entry(id).and_compute_with(newer).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(revision: u64) -> Title {
        Title { id: "kite".to_owned(), revision, ..Title::default() }
    }

    #[tokio::test]
    async fn a_late_read_does_not_bring_back_what_was() {
        let recent = Recent::new();
        recent.keep(title(2)).await;
        recent.keep(title(1)).await;
        assert_eq!(recent.get("kite").await.unwrap().revision, 2);
        recent.gone("kite", 3).await;
        recent.keep(title(2)).await;
        assert!(recent.get("kite").await.is_none());
        recent.keep(title(4)).await;
        assert_eq!(recent.get("kite").await.unwrap().revision, 4);
    }
}
