//! Announcing: each change that was kept reaches the event log, at least once and in its order.
//!
//! The store keeps what is to be told in the write of its change; here it is appended to topic "ratings" and, once it is
//! durable there, forgotten. A process that dies in between appends it again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use matinee_contracts::events::OpinionChanged;
use matinee_engines::events::Events;
use prost::Message;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::RatingsError;
use crate::service::message;
use crate::store::RatingsStore;

/// The topic of [`OpinionChanged`].
pub const TOPIC: &str = "ratings";

/// Changes that are appended at once, sharing a sync of the log.
const AT_ONCE: usize = 256;
/// Also how long a change that another process made waits at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Announces what there is, and again at each `news` and every second, until `stop`.
///
/// Where the log or the store fails, it is tried again, slower each time up to every 30 s.
pub async fn announce(store: Arc<dyn RatingsStore>, log: Events, news: Arc<Notify>, stop: CancellationToken) {
    let mut pause = PAUSE;
    while !stop.is_cancelled() {
        let told = drain(store.as_ref(), &log).await;
        let failed = told.is_err();
        if let Err(error) = told {
            tracing::warn!(%error, "opinions can't be told; it is tried again in {pause:?}");
        }
        tokio::select! {
            () = news.notified(), if !failed => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        pause = if failed { (pause * 2).min(LONGEST_PAUSE) } else { PAUSE };
    }
}

async fn drain(store: &dyn RatingsStore, log: &Events) -> Result<(), RatingsError> {
    loop {
        let waiting = store.untold(AT_ONCE).await?;
        let Some((last, _)) = waiting.last() else { return Ok(()) };
        // Appended in this order, for they are polled in it. Where one fails all are told again, in order.
        let appends = waiting.iter().map(|(_, told)| {
            let event = OpinionChanged {
                profile: told.profile.as_str().to_owned(),
                opinion: Some(message(&told.title, told.opinion)),
                at_us: told.at_us,
            };
            log.append(TOPIC, told.profile.as_str(), Bytes::from(event.encode_to_vec()))
        });
        try_join_all(appends).await?;
        store.told(*last).await?;
    }
}
