//! Announcing: each change of a subscription that was committed reaches the event log, at least once and in its order.
//!
//! The store keeps an announcement in the transaction of its change; here it is appended to topic "subscriptions" and,
//! once it is durable there, forgotten. A process that dies in between appends it again.

use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::events::SubscriptionChanged;
use matinee_engines::events::{EventError, Events};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::error::BillingError;
use crate::service::BillingService;

/// The topic of [`SubscriptionChanged`].
pub const TOPIC: &str = "subscriptions";

const BATCH: u32 = 100;
/// Also how long a change that another process made waits at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum AnnounceError {
    #[error(transparent)]
    Store(#[from] BillingError),
    #[error(transparent)]
    Log(#[from] EventError),
}

impl BillingService {
    /// Announces what there is to `log`, and again at each change and every second, until `stop`. One process of an
    /// installation does so.
    ///
    /// Where the log or the store fails, it is tried again, slower each time up to every 30 s.
    pub async fn announce(&self, log: Events, stop: CancellationToken) {
        let mut pause = PAUSE;
        while !stop.is_cancelled() {
            match self.drain(&log).await {
                Ok(()) => pause = PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "subscriptions can't be announced; it is tried again in {pause:?}");
                    if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            }
            tokio::select! {
                () = self.news.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn drain(&self, log: &Events) -> Result<(), AnnounceError> {
        loop {
            let waiting = self.store.unannounced(BATCH).await?;
            for announcement in &waiting {
                let account = announcement.account.as_str();
                let event = SubscriptionChanged {
                    account: account.to_owned(),
                    plan: announcement.plan.as_str().to_owned(),
                    state: announcement.state.clone(),
                    until_us: announcement.until_us,
                    at_us: announcement.at_us,
                };
                log.append(TOPIC, account, Bytes::from(event.encode_to_vec())).await?;
                self.store.announced(announcement).await?;
            }
            if waiting.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}
