//! History in an LSM tree (`fjall`): the default.
//!
//! The profile comes first in every key. The list of a profile's latest titles is an index that moves only when a title
//! was last listed some minutes ago, so that a film that plays does not rewrite it every ten seconds.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use matinee_model::ids::{ProfileId, TitleId};
use prost::Message;

use super::{Beat, HistoryStore, Shelf};
use crate::error::HistoryError;
use crate::watched::{Moment, Position, Watched};

/// Between the parts of a key; no id holds it.
const BETWEEN: u8 = 0;
/// How old a place in the list of latest titles may be before it is moved.
const LISTED_FOR_US: i64 = 600_000_000;
/// How many more of the list are read than asked for, as it is only that exact.
const SLACK: usize = 16;
const NEXT: &str = "next";

/// The adapter.
#[derive(Debug, Clone)]
pub struct EmbeddedHistory(Arc<Spaces>);

struct Spaces {
    database: Database,
    /// profile, title → [`Row`].
    titles: Keyspace,
    /// profile, time (the latest first), title → nothing.
    latest: Keyspace,
    /// profile, or profile and title → when it was forgotten.
    forgotten: Keyspace,
    /// How far events were read.
    place: Keyspace,
    /// Every change reads first; one at a time.
    writing: Mutex<()>,
}

impl std::fmt::Debug for Spaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spaces")
    }
}

/// A record on disk.
#[derive(Clone, PartialEq, Message)]
struct Row {
    #[prost(int64, tag = "1")]
    at_us: i64,
    #[prost(string, tag = "2")]
    session: String,
    #[prost(uint32, tag = "3")]
    sequence: u32,
    #[prost(uint64, tag = "4")]
    position_us: u64,
    #[prost(uint64, tag = "5")]
    duration_us: u64,
    #[prost(uint32, tag = "6")]
    times_finished: u32,
    #[prost(string, tag = "7")]
    finished_in: String,
    /// Its time in the list of latest titles.
    #[prost(int64, tag = "8")]
    listed_us: i64,
}

impl Row {
    fn of(watched: &Watched, listed_us: i64) -> Self {
        let Position { moment, position_us, duration_us } = watched.last.clone();
        Self {
            at_us: moment.at_us,
            session: moment.session,
            sequence: moment.sequence,
            position_us,
            duration_us,
            times_finished: watched.times_finished,
            finished_in: watched.finished_in.clone(),
            listed_us,
        }
    }

    fn watched(self) -> Watched {
        let moment = Moment { at_us: self.at_us, session: self.session, sequence: self.sequence };
        let last = Position { moment, position_us: self.position_us, duration_us: self.duration_us };
        Watched { last, times_finished: self.times_finished, finished_in: self.finished_in }
    }
}

fn prefix(profile: &ProfileId) -> Vec<u8> {
    let mut key = profile.as_str().as_bytes().to_vec();
    key.push(BETWEEN);
    key
}

fn title_key(profile: &ProfileId, title: &TitleId) -> Vec<u8> {
    let mut key = prefix(profile);
    key.extend_from_slice(title.as_str().as_bytes());
    key
}

fn latest_key(profile: &ProfileId, listed_us: i64, title: &TitleId) -> Vec<u8> {
    let mut key = prefix(profile);
    key.extend_from_slice(&(i64::MAX - listed_us.max(0)).to_be_bytes());
    key.extend_from_slice(title.as_str().as_bytes());
    key
}

fn damaged(profile: &ProfileId, reason: impl ToString) -> HistoryError {
    HistoryError::Damaged { profile: profile.as_str().to_owned(), reason: reason.to_string() }
}

impl EmbeddedHistory {
    /// Opens the store in `folder`, made where there is none.
    pub async fn open(folder: &Path) -> Result<Self, HistoryError> {
        let folder = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let database = Database::builder(&folder).open()?;
            let space = |name| database.keyspace(name, KeyspaceCreateOptions::default);
            let (titles, latest) = (space("titles")?, space("latest")?);
            let (forgotten, place) = (space("forgotten")?, space("place")?);
            Ok::<_, fjall::Error>(Spaces { titles, latest, forgotten, place, database, writing: Mutex::default() })
        });
        Ok(Self(Arc::new(opened.await??)))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spaces) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let spaces = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&spaces)).await?
    }
}

impl Spaces {
    fn row(&self, profile: &ProfileId, title: &TitleId) -> Result<Option<Row>, HistoryError> {
        let found = self.titles.get(title_key(profile, title))?;
        found.map(|bytes| Row::decode(bytes.as_ref()).map_err(|error| damaged(profile, error))).transpose()
    }

    /// When `key` was forgotten; before all time where it was not.
    fn forgotten(&self, key: &[u8]) -> Result<i64, HistoryError> {
        let found = self.forgotten.get(key)?;
        let time = found.and_then(|bytes| bytes.as_ref().first_chunk::<8>().map(|b| i64::from_be_bytes(*b)));
        Ok(time.unwrap_or(i64::MIN))
    }

    fn take(&self, beats: Vec<Beat>, next: u64) -> Result<(), HistoryError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch();
        let mut held: HashMap<(ProfileId, TitleId), (Option<Watched>, i64, i64)> = HashMap::new();
        for Beat { profile, title, position } in beats {
            let entry = match held.entry((profile, title)) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    let (profile, title) = entry.key();
                    let row = self.row(profile, title)?;
                    let listed_us = row.as_ref().map_or(i64::MIN, |r| r.listed_us);
                    let since = self.forgotten(&prefix(profile))?.max(self.forgotten(&title_key(profile, title))?);
                    entry.insert((row.map(Row::watched), listed_us, since))
                }
            };
            if position.moment.at_us <= entry.2 {
                continue;
            }
            match &mut entry.0 {
                Some(watched) => {
                    watched.take(position);
                }
                nothing => *nothing = Some(Watched::of(position)),
            }
        }
        for ((profile, title), (watched, listed_us, _)) in held {
            let Some(watched) = watched else { continue };
            let at_us = watched.last.moment.at_us;
            let mut listed = listed_us;
            if listed_us == i64::MIN || at_us.saturating_sub(listed_us) >= LISTED_FOR_US {
                if listed_us != i64::MIN {
                    batch.remove(&self.latest, latest_key(&profile, listed_us, &title));
                }
                batch.insert(&self.latest, latest_key(&profile, at_us, &title), b"".as_slice());
                listed = at_us;
            }
            batch.insert(&self.titles, title_key(&profile, &title), Row::of(&watched, listed).encode_to_vec());
        }
        batch.insert(&self.place, NEXT, next.to_be_bytes().as_slice());
        // Not synced: the log has the heartbeats, and how far it was read is lost together with what was read.
        batch.commit()?;
        Ok(())
    }

    fn latest(&self, profile: &ProfileId, shelf: Shelf, most: usize) -> Result<Vec<(TitleId, Watched)>, HistoryError> {
        let prefix = prefix(profile);
        let mut found = Vec::new();
        for entry in self.latest.prefix(&prefix) {
            if found.len() >= most + SLACK {
                break;
            }
            let key = entry.key()?;
            let title = key.get(prefix.len() + 8..).and_then(|t| std::str::from_utf8(t).ok()).unwrap_or_default();
            let title = TitleId::parse(title).map_err(|error| damaged(profile, error))?;
            // Taken away since the list was begun to be read.
            let Some(row) = self.row(profile, &title)? else { continue };
            let watched = row.watched();
            if shelf == Shelf::All || watched.last.resume_us() > 0 {
                found.push((title, watched));
            }
        }
        found.sort_by(|a, b| b.1.last.moment.cmp(&a.1.last.moment));
        found.truncate(most);
        Ok(found)
    }

    fn forget(&self, batch: &mut OwnedWriteBatch, profile: &ProfileId, title: &TitleId) -> Result<(), HistoryError> {
        if let Some(row) = self.row(profile, title)? {
            batch.remove(&self.titles, title_key(profile, title));
            batch.remove(&self.latest, latest_key(profile, row.listed_us, title));
        }
        Ok(())
    }

    fn remove(&self, profile: &ProfileId, title: &TitleId, at_us: i64) -> Result<(), HistoryError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        self.forget(&mut batch, profile, title)?;
        batch.insert(&self.forgotten, title_key(profile, title), at_us.to_be_bytes().as_slice());
        Ok(batch.commit()?)
    }

    fn erase(&self, profile: &ProfileId, at_us: i64) -> Result<(), HistoryError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        let prefix = prefix(profile);
        for space in [&self.titles, &self.latest, &self.forgotten] {
            for entry in space.prefix(&prefix) {
                batch.remove(space, entry.key()?);
            }
        }
        batch.insert(&self.forgotten, prefix, at_us.to_be_bytes().as_slice());
        Ok(batch.commit()?)
    }
}

#[async_trait]
impl HistoryStore for EmbeddedHistory {
    #[tracing::instrument(level = "info", name = "store.take", skip_all)]
    async fn take(&self, beats: Vec<Beat>, next: u64) -> Result<(), HistoryError> {
        self.run(move |spaces| spaces.take(beats, next)).await
    }

    #[tracing::instrument(level = "info", name = "store.next", skip_all)]
    async fn next(&self) -> Result<u64, HistoryError> {
        let read = |spaces: &Spaces| Ok(spaces.place.get(NEXT)?);
        let next = self.run(read).await?;
        Ok(next.and_then(|bytes| bytes.as_ref().first_chunk::<8>().map(|b| u64::from_be_bytes(*b))).unwrap_or(0))
    }

    #[tracing::instrument(level = "info", name = "store.watched", skip_all)]
    async fn watched(&self, profile: &ProfileId, title: &TitleId) -> Result<Option<Watched>, HistoryError> {
        let (profile, title) = (profile.clone(), title.clone());
        self.run(move |spaces| Ok(spaces.row(&profile, &title)?.map(Row::watched))).await
    }

    #[tracing::instrument(level = "info", name = "store.positions", skip_all)]
    async fn positions(&self, profile: &ProfileId, titles: &[TitleId]) -> Result<Vec<Option<Watched>>, HistoryError> {
        let (profile, titles) = (profile.clone(), titles.to_vec());
        let read = move |spaces: &Spaces| {
            titles.iter().map(|title| Ok(spaces.row(&profile, title)?.map(Row::watched))).collect()
        };
        self.run(read).await
    }

    #[tracing::instrument(level = "info", name = "store.latest", skip_all)]
    async fn latest(
        &self,
        profile: &ProfileId,
        shelf: Shelf,
        most: usize,
    ) -> Result<Vec<(TitleId, Watched)>, HistoryError> {
        let profile = profile.clone();
        self.run(move |spaces| spaces.latest(&profile, shelf, most)).await
    }

    #[tracing::instrument(level = "info", name = "store.remove", skip_all)]
    async fn remove(&self, profile: &ProfileId, title: &TitleId, at_us: i64) -> Result<(), HistoryError> {
        let (profile, title) = (profile.clone(), title.clone());
        self.run(move |spaces| spaces.remove(&profile, &title, at_us)).await
    }

    #[tracing::instrument(level = "info", name = "store.erase", skip_all)]
    async fn erase(&self, profile: &ProfileId, at_us: i64) -> Result<(), HistoryError> {
        let profile = profile.clone();
        self.run(move |spaces| spaces.erase(&profile, at_us)).await
    }
}
