//! Announcing: each write that was committed reaches the event log, at least once and in a title's order.
//!
//! The store keeps what is to be told in the transaction of its write; here it is appended, `TitleChanged` to topic
//! "catalog" and `TitlePublished` to topic "titles", and forgotten once it is durable there. A process that dies in
//! between appends it again.
//!
//! Who wants to know the whole catalogue at any time lists all titles and then follows topic "catalog" from where it stood
//! before the list: an event of a revision that is not newer than the listed one says nothing new.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use matinee_contracts::events::TitlePublished;
use matinee_engines::events::{EventError, Events};
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::CatalogError;
use crate::store::{CatalogStore, Change};

/// The topic of [`TitlePublished`].
pub const TOPIC: &str = "titles";
/// The topic of `TitleChanged`.
pub const CHANGES: &str = "catalog";

const BATCH: u32 = 100;
/// Also how long a write that another process made waits at most.
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
                tracing::warn!(%error, "changes of the catalogue can't be told; it is tried again in {pause:?}");
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
        let changes = store.untold(BATCH).await?;
        tell(&changes, log).await?;
        if let Some(last) = changes.last() {
            store.told(last.seq).await?;
        }
        if changes.len() < BATCH as usize {
            break;
        }
    }
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

/// Appends changes: those of different titles at one time, so that they share a sync, those of one title one by one.
async fn tell(changes: &[Change], log: &Events) -> Result<(), EventError> {
    let mut rest = changes;
    while !rest.is_empty() {
        let mut titles = HashSet::new();
        let apart = rest.iter().take_while(|change| titles.insert(change.title.as_str())).count();
        let (now, later) = rest.split_at(apart);
        let append = |change: &Change| {
            let (key, payload) = (change.title.clone(), Bytes::from(change.payload.clone()));
            async move { log.append(CHANGES, &key, payload).await }
        };
        try_join_all(now.iter().map(append)).await?;
        rest = later;
    }
    Ok(())
}
