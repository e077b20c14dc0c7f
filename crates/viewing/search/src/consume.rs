//! Reading the catalogue's changes from the event log into the index that answers.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::events::TitleChanged;
use matinee_engines::events::{Event, Events};
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::error::SearchError;
use crate::index::{Change, Live};
use crate::rebuild::{Catalogue, rebuild};
use crate::shelf::Shelf;

/// The topic.
pub const TOPIC: &str = "catalog";
/// Our name among its readers. The place that counts is the index's; the log's is for those who watch how far we are.
pub const GROUP: &str = "search";

/// Changes that are read and written at once.
const AT_ONCE: usize = 500;
/// The wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two notes in the log of how far we are.
const NOTED_EVERY: u64 = 1_000;

/// How far a round came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// There was nothing to read.
    Still,
    /// The index has every change before this event.
    Read(u64),
    /// Changes that the index does not have are not in the log any more, or the log is another one.
    Lost,
}

/// Takes changes as they come, until `stop`. Builds an index first where there is none, and a new one where changes were
/// lost; until that is whole the old one answers.
pub async fn consume(log: Events, catalogue: Catalogue, shelf: Arc<Shelf>, stop: CancellationToken) {
    let (mut wait, mut noted, mut checked) = (FIRST_WAIT, 0, false);
    loop {
        let work = round(&log, &catalogue, &shelf, &mut noted, &mut checked);
        match stop.run_until_cancelled(work).await {
            None => return,
            Some(Ok(())) => wait = FIRST_WAIT,
            Some(Err(error)) => {
                tracing::warn!(%error, "changes of the catalogue wait, trying again");
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
    catalogue: &Catalogue,
    shelf: &Arc<Shelf>,
    noted: &mut u64,
    checked: &mut bool,
) -> Result<(), SearchError> {
    let Some(live) = shelf.live() else {
        return anew(log, catalogue, shelf).await;
    };
    let next = live.view().next;
    if !std::mem::replace(checked, true) && next > 0 && log.read(TOPIC, next - 1, 1).await?.is_empty() {
        // The log is shorter than what was read of it.
        return anew(log, catalogue, shelf).await;
    }
    log.wait(TOPIC, next).await?;
    let read = {
        let _turn = shelf.turn.lock().await;
        // Another may answer by now.
        let Some(live) = shelf.live() else { return Ok(()) };
        follow(log, &live).await?
    };
    match read {
        Round::Still => {}
        Round::Lost => return anew(log, catalogue, shelf).await,
        Round::Read(next) => {
            if next.saturating_sub(*noted) >= NOTED_EVERY {
                log.commit(TOPIC, GROUP, next).await?;
                *noted = next;
            }
        }
    }
    Ok(())
}

/// Builds an index, if nobody else does.
async fn anew(log: &Events, catalogue: &Catalogue, shelf: &Arc<Shelf>) -> Result<(), SearchError> {
    match rebuild(log, catalogue, shelf).await {
        Ok(built) => {
            tracing::info!(index = built.index, titles = built.titles, "built an index of the catalogue");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes the next changes into `live`.
pub async fn follow(log: &Events, live: &Arc<Live>) -> Result<Round, SearchError> {
    let next = live.view().next;
    let events = log.read(TOPIC, next, AT_ONCE).await?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(Round::Still) };
    if first.offset > next {
        return Ok(Round::Lost);
    }
    let next = last.offset + 1;
    let live = Arc::clone(live);
    let changes = events.into_iter().filter_map(change).collect();
    tokio::task::spawn_blocking(move || {
        live.stage(changes)?;
        live.commit(next)
    })
    .await??;
    Ok(Round::Read(next))
}

/// What an event says; nothing where it says nothing of a title, which is logged and passed over.
fn change(event: Event) -> Option<Change> {
    let warned = |error: &str| tracing::warn!(event = event.offset, error, "this is no change of a title");
    match TitleChanged::decode(event.payload) {
        Ok(TitleChanged { title: Some(title), deleted: true, .. }) => Some(Change::Delete(title.id)),
        Ok(TitleChanged { title: Some(title), .. }) => Some(Change::Put(Box::new(title))),
        Ok(TitleChanged { title: None, .. }) => {
            warned("it names no title");
            None
        }
        Err(error) => {
            warned(&error.to_string());
            None
        }
    }
}
