//! Reading events into the memory: of the catalogue first, so that a title is known before it is watched.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::catalog::ListTitlesRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::events::{AccountChanged, Heartbeat, OpinionChanged, TitleChanged};
use matinee_engines::events::{Event, Events, GATHERED};
use matinee_service::channel::Channel;
use prost::Message;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::RecommendError;
use crate::learn::{Round, learn_titles};
use crate::memory::Memory;

/// Our name among the topics' readers. The place that counts is the store's; the log's is for those who watch.
pub const GROUP: &str = "recommend";
/// What the catalogue says.
pub const CATALOG: &str = "catalog";
/// What becomes of accounts.
pub const ACCOUNTS: &str = "accounts";
/// What is thought of titles.
pub const RATINGS: &str = "ratings";
/// What is watched.
pub const HEARTBEATS: &str = "heartbeats";

/// Events that are read and written at once.
const AT_ONCE: usize = 4096;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Between two tries to list the catalogue, and between two lists: a list mends what an event that was lost has left.
const LIST_AGAIN: Duration = Duration::from_secs(5);
const LIST_EVERY: Duration = Duration::from_secs(3600);
/// Titles of a page.
const PAGE: u32 = 500;
/// Between two notes in the log of how far we are.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// The loop's state.
struct Reader {
    log: Events,
    catalog: CatalogClient<Channel>,
    memory: Arc<Memory>,
    list_at: Instant,
    note_at: Instant,
}

/// Takes events as they come, until `stop`.
pub async fn consume(log: Events, catalog: CatalogClient<Channel>, memory: Arc<Memory>, stop: CancellationToken) {
    let now = Instant::now();
    let mut reader = Reader { log, catalog, memory, list_at: now, note_at: now + NOTED_EVERY };
    let mut wait = FIRST_WAIT;
    loop {
        match stop.run_until_cancelled(reader.round()).await {
            None => return,
            Some(Ok(())) => wait = FIRST_WAIT,
            Some(Err(error)) => {
                tracing::warn!(%error, "events for recommendations wait, trying again");
                if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

impl Reader {
    async fn round(&mut self) -> Result<(), RecommendError> {
        if Instant::now() >= self.list_at {
            self.list_at = Instant::now() + LIST_EVERY;
            if let Err(error) = self.list().await {
                tracing::warn!(%error, "the catalogue can't be listed, trying again");
                self.list_at = Instant::now() + LIST_AGAIN;
            }
        }
        let mut read = 0;
        for topic in [CATALOG, ACCOUNTS, RATINGS, HEARTBEATS] {
            read += self.take(topic).await?;
        }
        if Instant::now() >= self.note_at {
            self.note_at = Instant::now() + NOTED_EVERY;
            for topic in [CATALOG, ACCOUNTS, RATINGS, HEARTBEATS] {
                self.log.commit(topic, GROUP, self.next(topic).await?).await?;
            }
        }
        if read > 0 {
            if read < AT_ONCE {
                tokio::time::sleep(GATHERED).await;
            }
            return Ok(());
        }
        let (catalog, accounts) = (self.next(CATALOG).await?, self.next(ACCOUNTS).await?);
        let (ratings, heartbeats) = (self.next(RATINGS).await?, self.next(HEARTBEATS).await?);
        // What is watched and thought waits until there are titles that it could be of.
        let titles = !self.memory.titles().is_empty();
        tokio::select! {
            there = self.log.wait(CATALOG, catalog) => { there?; }
            there = self.log.wait(ACCOUNTS, accounts) => { there?; }
            there = self.log.wait(RATINGS, ratings), if titles => { there?; }
            there = self.log.wait(HEARTBEATS, heartbeats), if titles => { there?; }
            () = tokio::time::sleep_until(self.list_at) => {}
        }
        Ok(())
    }

    async fn next(&self, topic: &'static str) -> Result<u64, RecommendError> {
        let store = self.memory.store.clone();
        tokio::task::spawn_blocking(move || store.next(topic)).await?
    }

    /// Reads a batch of a topic; says how many events.
    async fn take(&self, topic: &'static str) -> Result<usize, RecommendError> {
        if matches!(topic, RATINGS | HEARTBEATS) && self.memory.titles().is_empty() {
            return Ok(0);
        }
        let events = self.log.read(topic, self.next(topic).await?, AT_ONCE).await?;
        let (count, memory) = (events.len(), Arc::clone(&self.memory));
        if count > 0 {
            tokio::task::spawn_blocking(move || learn(&memory, topic, events)).await??;
        }
        Ok(count)
    }

    async fn list(&mut self) -> Result<(), RecommendError> {
        let mut after = String::new();
        loop {
            let request = ListTitlesRequest { limit: PAGE, after: after.clone(), ..ListTitlesRequest::default() };
            let page = self.catalog.list_titles(request).await;
            let page = page.map_err(|status| RecommendError::Answer {
                service: "the catalogue",
                reason: status.message().to_owned(),
            })?;
            let titles = page.into_inner().titles;
            let Some(last) = titles.last() else { return Ok(()) };
            let (whole, memory) = (titles.len() >= PAGE as usize, Arc::clone(&self.memory));
            after.clone_from(&last.id);
            let listed = |title| TitleChanged { title: Some(title), deleted: false, at_us: 0 };
            let changes = titles.into_iter().map(listed).collect();
            tokio::task::spawn_blocking(move || learn_titles(&memory, changes, None)).await??;
            if !whole {
                return Ok(());
            }
        }
    }
}

/// Takes events of a topic, in their order. One that can't be read is logged and passed over.
pub fn learn(memory: &Memory, topic: &'static str, events: Vec<Event>) -> Result<(), RecommendError> {
    let Some(next) = events.last().map(|last| last.offset + 1) else { return Ok(()) };
    if topic == CATALOG {
        let changes = events.into_iter().filter_map(read::<TitleChanged>).collect();
        return learn_titles(memory, changes, Some((CATALOG, next)));
    }
    let mut round = Round::new(memory);
    for event in events {
        match topic {
            ACCOUNTS => read::<AccountChanged>(event).map_or(Ok(()), |event| round.account(&event))?,
            RATINGS => read::<OpinionChanged>(event).map_or(Ok(()), |event| round.opinion(&event))?,
            _ => read::<Heartbeat>(event).map_or(Ok(()), |event| round.heartbeat(&event))?,
        }
    }
    round.keep(topic, next)
}

fn read<M: Message + Default>(event: Event) -> Option<M> {
    let number = event.offset;
    M::decode(event.payload).inspect_err(|error| tracing::warn!(event = number, %error, "an event can't be read")).ok()
}
