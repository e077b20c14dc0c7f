//! Reading heartbeats from the event log into the store.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::events::Heartbeat;
use matinee_engines::events::{Event, Events, gathered};
use matinee_model::ids::{ProfileId, TitleId};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::error::HistoryError;
use crate::store::{Beat, HistoryStore};
use crate::watched::{Moment, Position};

/// The topic.
pub const TOPIC: &str = "heartbeats";
/// Our name among its readers. The place that counts is the store's; the log's is for those who watch how far we are.
pub const GROUP: &str = "history";

/// Heartbeats that are read and written at once.
const AT_ONCE: usize = 8192;
/// The wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two notes in the log of how far we are.
const NOTED_EVERY: u64 = 100_000;

/// Takes heartbeats as they come, until `stop`.
pub async fn consume(log: Events, store: Arc<dyn HistoryStore>, stop: CancellationToken) {
    let (mut wait, mut noted) = (FIRST_WAIT, 0);
    loop {
        match stop.run_until_cancelled(round(&log, store.as_ref(), &mut noted)).await {
            None => return,
            Some(Ok(())) => wait = FIRST_WAIT,
            Some(Err(error)) => {
                tracing::warn!(%error, "heartbeats wait, trying again");
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

async fn round(log: &Events, store: &dyn HistoryStore, noted: &mut u64) -> Result<(), HistoryError> {
    let next = store.next().await?;
    let events = gathered(log.as_ref(), TOPIC, next, AT_ONCE).await?;
    let Some(last) = events.last() else { return Ok(()) };
    let next = last.offset + 1;
    store.take(events.into_iter().filter_map(beat).collect(), next).await?;
    if next - *noted >= NOTED_EVERY {
        log.commit(TOPIC, GROUP, next).await?;
        *noted = next;
    }
    Ok(())
}

/// What an event says; nothing where it is no heartbeat of a title, which is logged and passed over.
fn beat(event: Event) -> Option<Beat> {
    let read = || {
        let heartbeat = Heartbeat::decode(event.payload).map_err(|error| error.to_string())?;
        let beat = heartbeat.beat.unwrap_or_default();
        let moment = Moment { at_us: beat.at_us, session: beat.session, sequence: beat.sequence };
        Ok::<_, String>(Beat {
            profile: ProfileId::parse(&heartbeat.profile).map_err(|error| error.to_string())?,
            title: TitleId::parse(&beat.title).map_err(|error| error.to_string())?,
            position: Position { moment, position_us: beat.position_us, duration_us: beat.duration_us },
        })
    };
    read().inspect_err(|error| tracing::warn!(event = event.offset, error, "this is no heartbeat")).ok()
}
