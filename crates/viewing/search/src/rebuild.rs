//! Building an index anew: all titles from the catalogue, then the log from where it stood, beside the index that
//! answers; then the switch.
//!
//! The log's end is noted before the catalogue is listed. What is told before it was written before it, so the list has
//! it; what comes after it is read after the list, in order.

use std::sync::Arc;

use matinee_contracts::catalog::ListTitlesRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_engines::events::{EventError, Events};
use matinee_service::channel::Channel;

use crate::consume::{Round, TOPIC, follow};
use crate::error::SearchError;
use crate::index::{Change, Live};
use crate::shelf::Shelf;

/// The way to the catalogue.
pub type Catalogue = CatalogClient<Channel>;

/// Titles of one page.
const PAGE: u32 = 250;
/// Bytes of one page: each title is bounded by the catalogue.
pub const PAGE_BYTES: usize = 256 << 20;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The index that answers now.
    pub index: String,
    /// Titles in it.
    pub titles: u64,
}

/// Builds an index and switches to it. What fails or is interrupted leaves the one that answers as it is.
pub async fn rebuild(log: &Events, catalogue: &Catalogue, shelf: &Shelf) -> Result<Built, SearchError> {
    let Ok(_building) = shelf.building.try_lock() else { return Err(SearchError::Rebuilding) };
    let start = end(log).await?;
    let live = shelf.begin().await?;
    let filled = fill(log, catalogue, &live, start).await;
    if let Err(error) = filled {
        tokio::task::spawn_blocking(move || live.close()).await?;
        return Err(error);
    }
    // No change is taken meanwhile, so that the new one lacks none that the old one has.
    let _turn = shelf.turn.lock().await;
    catch_up(log, &live).await?;
    shelf.switch(Arc::clone(&live)).await?;
    let titles = live.view().table.len() as u64;
    Ok(Built { index: live.name().to_owned(), titles })
}

async fn fill(log: &Events, catalogue: &Catalogue, live: &Arc<Live>, start: u64) -> Result<(), SearchError> {
    let mut catalogue = catalogue.clone();
    let mut after = String::new();
    loop {
        let request = ListTitlesRequest { limit: PAGE, after: after.clone(), ..ListTitlesRequest::default() };
        let page = catalogue.list_titles(request).await.map_err(|status| SearchError::Catalog(Box::new(status)))?;
        let titles = page.into_inner().titles;
        let Some(last) = titles.last() else { break };
        after.clone_from(&last.id);
        let changes = titles.into_iter().map(|title| Change::Put(Box::new(title))).collect();
        let into = Arc::clone(live);
        tokio::task::spawn_blocking(move || into.stage(changes)).await??;
    }
    let into = Arc::clone(live);
    tokio::task::spawn_blocking(move || into.commit(start)).await??;
    catch_up(log, live).await
}

/// Reads the log to its end.
async fn catch_up(log: &Events, live: &Arc<Live>) -> Result<(), SearchError> {
    loop {
        match follow(log, live).await? {
            Round::Still => return Ok(()),
            Round::Read(_) => {}
            Round::Lost => {
                let reason = "the log lost changes while it was built".to_owned();
                return Err(SearchError::Damaged { index: live.name().to_owned(), reason });
            }
        }
    }
}

/// The number after the log's last event, which nothing but reading tells.
async fn end(log: &Events) -> Result<u64, EventError> {
    let is_past = async |at: u64| Ok::<_, EventError>(log.read(TOPIC, at, 1).await?.is_empty());
    // An event is at or after `low` - 1; none is at or after `high`.
    let (mut low, mut high) = (0, 1);
    while !is_past(high - 1).await? {
        (low, high) = (high, high.saturating_mul(2));
    }
    high -= 1;
    while low < high {
        let middle = low + (high - low) / 2;
        if is_past(middle).await? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use matinee_engines::events::{EventLogConfig, open};

    use super::*;

    #[tokio::test]
    async fn the_end_of_a_log_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path(), EventLogConfig::default()).await.unwrap();
        for length in 0..20 {
            assert_eq!(end(&log).await.unwrap(), length);
            log.append(TOPIC, "t", vec![1].into()).await.unwrap();
        }
    }
}
