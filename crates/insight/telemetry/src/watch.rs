//! Reading events into the figures: from a day ago on, as far as the log goes back, and then as they come.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::events::{Heartbeat, SegmentRequested};
use matinee_engines::events::{Event, EventError, Events, gathered};
use matinee_service::clock::Clock;
use prost::{DecodeError, Message};
use tokio_util::sync::CancellationToken;

use crate::quality::{LONGEST_WINDOW, Quality};
use crate::service::{SEGMENTS, TOPIC};

const AT_ONCE: usize = 8192;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Takes heartbeats, and what players say with their requests, until `stop`.
pub async fn watch(log: &Events, quality: &Mutex<Quality>, clock: &dyn Clock, stop: CancellationToken) {
    let heartbeats = |quality: &mut Quality, payload: Bytes| Heartbeat::decode(payload).map(|told| quality.take(&told));
    let segments =
        |quality: &mut Quality, payload: Bytes| SegmentRequested::decode(payload).map(|told| quality.hear(&told));
    let beats = follow(log, TOPIC, |events| take_all(quality, events, heartbeats), clock, &stop);
    let requests = follow(log, SEGMENTS, |events| take_all(quality, events, segments), clock, &stop);
    tokio::join!(beats, requests);
}

/// Takes the lock once for all of them.
fn take_all(
    quality: &Mutex<Quality>,
    events: Vec<Event>,
    take: impl Fn(&mut Quality, Bytes) -> Result<(), DecodeError>,
) {
    let mut quality = quality.lock().unwrap_or_else(PoisonError::into_inner);
    for event in events {
        if let Err(error) = take(&mut quality, event.payload) {
            tracing::warn!(event = event.offset, %error, "an event can't be read");
        }
    }
}

/// Hands the events of a topic to `take`, as many as came at once, until `stop`.
async fn follow(log: &Events, topic: &str, take: impl Fn(Vec<Event>), clock: &dyn Clock, stop: &CancellationToken) {
    let (mut next, mut wait) = (None, FIRST_WAIT);
    loop {
        match stop.run_until_cancelled(round(log, topic, &take, clock, &mut next)).await {
            None => return,
            Some(Ok(())) => wait = FIRST_WAIT,
            Some(Err(error)) => {
                tracing::warn!(%error, topic, "how plays go can't be followed, trying again");
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

async fn round(
    log: &Events,
    topic: &str,
    take: &impl Fn(Vec<Event>),
    clock: &dyn Clock,
    next: &mut Option<u64>,
) -> Result<(), EventError> {
    let from = match *next {
        Some(from) => from,
        None => first_since(log, topic, clock.now_us() - i64::from(LONGEST_WINDOW) * 1_000_000).await?,
    };
    *next = Some(from);
    let events = gathered(log.as_ref(), topic, from, AT_ONCE).await?;
    let Some(last) = events.last() else { return Ok(()) };
    *next = Some(last.offset + 1);
    take(events);
    Ok(())
}

/// The number of the first event that was appended at `since_us` or later; where there is none, that of the next one.
async fn first_since(log: &Events, topic: &str, since_us: i64) -> Result<u64, EventError> {
    let at = async |number: u64| {
        let events = log.read(topic, number, 1).await?;
        Ok::<_, EventError>(events.first().map(|event| (event.offset, event.at_us)))
    };
    let Some((oldest, at_us)) = at(0).await? else { return Ok(0) };
    if at_us >= since_us {
        return Ok(oldest);
    }
    // `before` is of an earlier event all the time, `after` of a later one, or of none.
    let (mut before, mut step) = (oldest, 1);
    let mut after = loop {
        match at(before + step).await? {
            Some((number, at_us)) if at_us < since_us => (before, step) = (number, step * 2),
            _ => break before + step,
        }
    };
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        match at(middle).await? {
            Some((_, at_us)) if at_us < since_us => before = middle,
            _ => after = middle,
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use matinee_engines::events::{self, EventLogConfig};

    use super::*;

    #[tokio::test]
    async fn the_first_event_of_a_time_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let log = events::open(folder.path(), EventLogConfig::default()).await.unwrap();
        assert_eq!(first_since(&log, TOPIC, 0).await.unwrap(), 0);
        for _ in 0..20 {
            log.append(TOPIC, "p", Bytes::new()).await.unwrap();
        }
        for event in log.read(TOPIC, 0, 100).await.unwrap() {
            let found = first_since(&log, TOPIC, event.at_us).await.unwrap();
            let first = log.read(TOPIC, found, 1).await.unwrap().remove(0);
            assert_eq!(first.at_us, event.at_us);
            assert!(found <= event.offset);
        }
        assert_eq!(first_since(&log, TOPIC, i64::MAX).await.unwrap(), 20);
    }
}
