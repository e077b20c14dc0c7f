//! Reading from the event log which accounts and profiles were deleted, and forgetting what they said.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::events::AccountChanged;
use matinee_contracts::events::account_changed::What;
use matinee_engines::events::{Event, Events};
use matinee_model::ids::ProfileId;
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::error::RatingsError;
use crate::store::{Fate, RatingsStore};

/// The topic.
pub const TOPIC: &str = "accounts";
/// Our name among its readers. The place that counts is the store's; the log's is for those who watch how far we are.
pub const GROUP: &str = "ratings";

const AT_ONCE: usize = 256;
/// The wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Takes deletions as they come, until `stop`; `told` hears of each round, for what was forgotten is to be told.
pub async fn consume(log: Events, store: Arc<dyn RatingsStore>, told: impl Fn(), stop: CancellationToken) {
    let mut wait = FIRST_WAIT;
    loop {
        match stop.run_until_cancelled(round(&log, store.as_ref())).await {
            None => return,
            Some(Ok(())) => {
                wait = FIRST_WAIT;
                told();
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "deletions of accounts wait, trying again");
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

async fn round(log: &Events, store: &dyn RatingsStore) -> Result<(), RatingsError> {
    let next = store.next().await?;
    log.wait(TOPIC, next).await?;
    let events = log.read(TOPIC, next, AT_ONCE).await?;
    let Some(last) = events.last() else { return Ok(()) };
    let next = last.offset + 1;
    for event in events {
        let at_us = event.at_us;
        for profile in deleted(&event) {
            store.erase(&profile, Fate::Gone, at_us).await?;
        }
    }
    store.read_to(next).await?;
    log.commit(TOPIC, GROUP, next).await?;
    Ok(())
}

/// The profiles that an event says are deleted; none where it is not readable, which is logged and passed over.
fn deleted(event: &Event) -> Vec<ProfileId> {
    let named = match AccountChanged::decode(event.payload.clone()) {
        Ok(AccountChanged { what: Some(What::Deleted(account)), .. }) => account.profiles,
        Ok(AccountChanged { what: Some(What::ProfileDeleted(profile)), .. }) => vec![profile.profile],
        Ok(_) => Vec::new(),
        Err(error) => {
            tracing::warn!(event = event.offset, %error, "this says nothing of an account");
            Vec::new()
        }
    };
    let parsed = named.iter().map(|id| ProfileId::parse(id).map_err(|error| error.to_string()));
    let warned = |error: &String| tracing::warn!(event = event.offset, error, "this names no profile");
    parsed.filter_map(|id| id.inspect_err(warned).ok()).collect()
}
