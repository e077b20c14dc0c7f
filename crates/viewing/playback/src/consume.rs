//! Hearing in the heartbeats who plays and who stopped.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::events::Heartbeat;
use matinee_contracts::telemetry::PlayState;
use matinee_engines::events::{Event, EventError, Events, gathered};
use matinee_model::ids::AccountId;
use matinee_service::clock::Clock;
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::streams::{Playing, SILENCE_US, Streams};

const TOPIC: &str = "heartbeats";
const GROUP: &str = "playback";
/// Events read at once.
const AT_ONCE: usize = 8192;
/// The wait after a failure.
const WAIT: Duration = Duration::from_secs(1);
/// How often accounts that no longer play are forgotten, and the place is noted from which a restart goes on.
const SWEEP_US: i64 = SILENCE_US / 4;

/// Follows the heartbeats until `stop`. After a restart it begins far enough back to know who plays.
pub(crate) async fn consume(log: Events, streams: Arc<Streams>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut place = Place { next: None, noted: Vec::new(), swept_us: 0 };
    loop {
        match stop.run_until_cancelled(round(&log, &streams, clock.as_ref(), &mut place)).await {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "who plays is not heard of at the moment");
                if stop.run_until_cancelled(tokio::time::sleep(WAIT)).await.is_none() {
                    return;
                }
            }
        }
    }
}

struct Place {
    next: Option<u64>,
    /// Where we were, and when: the oldest that is out of memory is where a restart begins.
    noted: Vec<(i64, u64)>,
    swept_us: i64,
}

async fn round(log: &Events, streams: &Streams, clock: &dyn Clock, place: &mut Place) -> Result<(), EventError> {
    let next = match place.next {
        Some(next) => next,
        None => log.committed(TOPIC, GROUP).await?,
    };
    place.next = Some(next);
    let events = gathered(log.as_ref(), TOPIC, next, AT_ONCE).await?;
    let now_us = clock.now_us();
    for event in &events {
        take(streams, event, now_us);
    }
    let Some(last) = events.last() else { return Ok(()) };
    place.next = Some(last.offset + 1);
    if now_us - place.swept_us >= SWEEP_US {
        place.swept_us = now_us;
        streams.sweep(now_us);
        place.noted.push((now_us, next));
        let old = place.noted.iter().take_while(|(at, _)| now_us - at > SILENCE_US).count();
        if let Some((_, begin)) = place.noted.drain(..old).next_back() {
            log.commit(TOPIC, GROUP, begin).await?;
        }
    }
    Ok(())
}

/// Takes one heartbeat; one that is none, or of nobody's account, is passed over.
fn take(streams: &Streams, event: &Event, now_us: i64) {
    let Ok(heartbeat) = Heartbeat::decode(event.payload.clone()) else { return };
    let Some(beat) = heartbeat.beat else { return };
    let Ok(account) = AccountId::parse(&heartbeat.account) else { return };
    if beat.state() == PlayState::Ended {
        return streams.end(&account, &beat.session);
    }
    // A beat that waited on a device without a network says nothing of what plays now.
    if heartbeat.received_us.min(beat.at_us) + SILENCE_US < now_us {
        return;
    }
    let playing = Playing {
        session: beat.session,
        title: beat.title,
        profile: heartbeat.profile,
        device: heartbeat.device,
        started_us: beat.at_us,
        heard_us: None,
    };
    streams.heard(&account, playing, heartbeat.received_us);
}

#[cfg(test)]
mod tests {
    use matinee_contracts::telemetry::Beat;

    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;

    fn heard(session: &str, state: PlayState, at_us: i64) -> Event {
        let beat = Beat { session: session.to_owned(), state: state.into(), at_us, ..Beat::default() };
        let account = "family".to_owned();
        let heartbeat = Heartbeat { account, beat: Some(beat), received_us: at_us, ..Heartbeat::default() };
        Event { offset: 0, at_us, key: String::new(), payload: heartbeat.encode_to_vec().into() }
    }

    #[test]
    fn heartbeats_say_who_plays() {
        let (streams, family) = (Streams::default(), AccountId::parse("family").unwrap());
        take(&streams, &heard("a", PlayState::Playing, NOW), NOW);
        take(&streams, &heard("b", PlayState::Paused, NOW), NOW);
        take(&streams, &heard("late", PlayState::Playing, NOW - SILENCE_US - 1), NOW);
        assert_eq!(streams.of(&family, NOW).len(), 2);
        take(&streams, &heard("a", PlayState::Ended, NOW), NOW);
        let left = streams.of(&family, NOW);
        assert_eq!(left.iter().map(|playing| playing.session.as_str()).collect::<Vec<_>>(), ["b"]);
        take(&streams, &Event { offset: 1, at_us: NOW, key: String::new(), payload: vec![1, 2, 3].into() }, NOW);
    }
}
