//! Announcing: what happened to accounts reaches the event log, at least once and in its order.
//!
//! The store keeps an announcement in the transaction of what it tells; here it is appended to topic "accounts" and, once
//! it is durable there, forgotten, a batch at a time. A process that dies in between appends the batch again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::events::account_changed::What;
use matinee_contracts::events::{AccountChanged, AccountDeleted, AccountMade, ProfileDeleted};
use matinee_engines::events::{EventError, Events};
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::AccountsError;
use crate::store::{AccountStore, Announcement, News};

/// The topic of [`AccountChanged`].
pub const TOPIC: &str = "accounts";

const BATCH: u32 = 100;
/// Also how long what another process did waits at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum AnnounceError {
    #[error(transparent)]
    Store(#[from] AccountsError),
    #[error(transparent)]
    Log(#[from] EventError),
}

/// Announces what there is, and again at each `news` and every second, until `shutdown`.
///
/// Where the log or the store fails, it is tried again, slower each time up to every 30 s.
pub(crate) async fn announce(store: Arc<dyn AccountStore>, log: Events, news: &Notify, shutdown: CancellationToken) {
    let mut pause = PAUSE;
    while !shutdown.is_cancelled() {
        match drain(store.as_ref(), &log).await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                tracing::warn!(%error, "what happened to accounts can't be announced; it is tried again in {pause:?}");
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

async fn drain(store: &dyn AccountStore, log: &Events) -> Result<(), AnnounceError> {
    loop {
        let waiting = store.unannounced(BATCH).await?;
        for announcement in &waiting {
            let event = event(announcement).encode_to_vec();
            log.append(TOPIC, &announcement.account, Bytes::from(event)).await?;
        }
        if let Some(last) = waiting.last() {
            store.announced(last.seq).await?;
        }
        if waiting.len() < BATCH as usize {
            return Ok(());
        }
    }
}

fn event(announcement: &Announcement) -> AccountChanged {
    let what = match &announcement.news {
        News::Made(territory) => What::Made(AccountMade { territory: territory.clone() }),
        News::Deleted(profiles) => What::Deleted(AccountDeleted { profiles: profiles.clone() }),
        News::ProfileDeleted(profile) => What::ProfileDeleted(ProfileDeleted { profile: profile.clone() }),
    };
    AccountChanged { account: announcement.account.clone(), what: Some(what), at_us: announcement.at_us }
}
