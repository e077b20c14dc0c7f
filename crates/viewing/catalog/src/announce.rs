//! Announcing: each switch of version that was committed reaches the event log, at least once and in its order.
//!
//! The store keeps an announcement in the transaction of its switch; here it is appended to topic "titles" and, once it
//! is durable there, forgotten. A process that dies in between appends it again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::events::TitlePublished;
use matinee_engines::events::{EventError, Events};
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::CatalogError;
use crate::store::CatalogStore;

/// The topic of [`TitlePublished`].
pub const TOPIC: &str = "titles";

const BATCH: u32 = 100;
/// Also how long a switch that another process made waits at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum AnnounceError {
    #[error(transparent)]
    Store(#[from] CatalogError),
    #[error(transparent)]
    Log(#[from] EventError),
}

/// Announces what there is, and again at each `news` and every second, until `shutdown`.
///
/// Where the log or the store fails, it is tried again, slower each time up to every 30 s.
pub async fn announce(store: Arc<dyn CatalogStore>, log: Events, news: Arc<Notify>, shutdown: CancellationToken) {
    let mut pause = PAUSE;
    while !shutdown.is_cancelled() {
        match drain(store.as_ref(), &log).await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                tracing::warn!(%error, "published titles can't be announced; it is tried again in {pause:?}");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.cancelled() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        tokio::select! {
            () = news.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn drain(store: &dyn CatalogStore, log: &Events) -> Result<(), AnnounceError> {
    loop {
        let waiting = store.unannounced(BATCH).await?;
        for announcement in &waiting {
            let event = TitlePublished {
                title: announcement.title.as_str().to_owned(),
                version: announcement.version.as_str().to_owned(),
                at_us: announcement.at_us,
            };
            log.append(TOPIC, announcement.title.as_str(), Bytes::from(event.encode_to_vec())).await?;
            store.announced(announcement).await?;
        }
        if waiting.len() < BATCH as usize {
            return Ok(());
        }
    }
}
