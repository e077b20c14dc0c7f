//! Ratings in an LSM tree (`fjall`): the default.
//!
//! The profile comes first in every key of what it says. A change, its title's votes, its place on the list and what is to
//! be told are one batch, synced before it is acknowledged; changes take turns, so no vote is counted twice or lost.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use matinee_model::ids::{ProfileId, TitleId};
use prost::Message;

use self::rows::{OpinionRow, ProfileRow, ToldRow, VotesRow, list_key, number, opinion_key, prefix};
use super::{Fate, MOST_LISTED, MOST_OPINIONS, RatingsStore};
use crate::error::RatingsError;
use crate::opinion::{Change, Opinion, Told, Votes};

mod rows;

const NEXT: &str = "next";

/// The adapter.
#[derive(Debug, Clone)]
pub struct EmbeddedRatings(Arc<Spaces>);

struct Spaces {
    database: Database,
    /// profile, title → [`OpinionRow`].
    opinions: Keyspace,
    /// profile, time (the latest first), title → nothing.
    lists: Keyspace,
    /// profile → [`ProfileRow`].
    profiles: Keyspace,
    /// title → [`VotesRow`].
    votes: Keyspace,
    /// number → [`ToldRow`].
    untold: Keyspace,
    /// How far deletions were read.
    place: Keyspace,
    /// Every change reads first; one at a time. The number of the next change that is to be told.
    writing: Mutex<u64>,
    /// Every change before this one was told: what is left of them until the tree is tidied is not read again.
    told: AtomicU64,
}

impl std::fmt::Debug for Spaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spaces")
    }
}

/// A write that is put together, with the rows that change more than once in it.
struct Write<'a> {
    spaces: &'a Spaces,
    batch: OwnedWriteBatch,
    profile: &'a ProfileId,
    row: ProfileRow,
    next: u64,
    at_us: i64,
}

impl EmbeddedRatings {
    /// Opens the store in `folder`, made where there is none.
    pub async fn open(folder: &Path) -> Result<Self, RatingsError> {
        let folder = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let database = Database::builder(&folder).open()?;
            let space = |name| database.keyspace(name, KeyspaceCreateOptions::default);
            let (opinions, lists, profiles) = (space("opinions")?, space("lists")?, space("profiles")?);
            let (votes, untold, place) = (space("votes")?, space("untold")?, space("place")?);
            let last = untold.last_key_value().map(fjall::Guard::key).transpose()?;
            let writing = Mutex::new(last.and_then(|key| number(&key)).map_or(0, |last| last + 1));
            Ok::<_, fjall::Error>(Spaces {
                opinions,
                lists,
                profiles,
                votes,
                untold,
                place,
                database,
                writing,
                told: AtomicU64::new(0),
            })
        });
        Ok(Self(Arc::new(opened.await??)))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spaces) -> Result<T, RatingsError> + Send + 'static,
    ) -> Result<T, RatingsError> {
        let spaces = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&spaces)).await?
    }
}

fn decoded<T: Message + Default>(bytes: &[u8], of: &str) -> Result<T, RatingsError> {
    T::decode(bytes).map_err(|error| RatingsError::Damaged { of: of.to_owned(), reason: error.to_string() })
}

/// The title at the end of a key, after `start` bytes.
fn title_of(key: &[u8], start: usize, of: &str) -> Result<TitleId, RatingsError> {
    let text = key.get(start..).and_then(|title| std::str::from_utf8(title).ok()).unwrap_or_default();
    TitleId::parse(text).map_err(|error| RatingsError::Damaged { of: of.to_owned(), reason: error.to_string() })
}

impl Spaces {
    fn opinion(&self, profile: &ProfileId, title: &TitleId) -> Result<Opinion, RatingsError> {
        let Some(bytes) = self.opinions.get(opinion_key(profile, title))? else { return Ok(Opinion::default()) };
        Ok(decoded::<OpinionRow>(&bytes, profile.as_str())?.opinion())
    }

    fn votes(&self, title: &TitleId) -> Result<Votes, RatingsError> {
        let Some(bytes) = self.votes.get(title.as_str())? else { return Ok(Votes::default()) };
        Ok(decoded::<VotesRow>(&bytes, title.as_str())?.votes())
    }

    fn said(&self, profile: &ProfileId) -> Result<Vec<(TitleId, Opinion)>, RatingsError> {
        let (prefix, of) = (prefix(profile), profile.as_str());
        let mut found = Vec::new();
        for entry in self.opinions.prefix(&prefix).take(MOST_OPINIONS as usize) {
            let (key, value) = entry.into_inner()?;
            found.push((title_of(&key, prefix.len(), of)?, decoded::<OpinionRow>(&value, of)?.opinion()));
        }
        Ok(found)
    }

    fn list(&self, profile: &ProfileId, most: usize) -> Result<Vec<(TitleId, Opinion)>, RatingsError> {
        let prefix = prefix(profile);
        let mut found = Vec::new();
        for entry in self.lists.prefix(&prefix) {
            if found.len() == most {
                break;
            }
            let title = title_of(&entry.key()?, prefix.len() + 8, profile.as_str())?;
            let opinion = self.opinion(profile, &title)?;
            // Else it was taken off since the list was begun to be read.
            if opinion.listed_us.is_some() {
                found.push((title, opinion));
            }
        }
        Ok(found)
    }

    fn write<'a>(&'a self, profile: &'a ProfileId, next: u64, at_us: i64) -> Result<Write<'a>, RatingsError> {
        let row = self.profiles.get(profile.as_str())?;
        let row = row.map_or_else(|| Ok(ProfileRow::default()), |bytes| decoded(&bytes, profile.as_str()))?;
        let batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        Ok(Write { spaces: self, batch, profile, row, next, at_us })
    }

    fn change(
        &self,
        profile: &ProfileId,
        title: &TitleId,
        change: Change,
        at_us: i64,
    ) -> Result<Opinion, RatingsError> {
        let mut turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut write = self.write(profile, *turn, at_us)?;
        if write.row.gone {
            return Err(RatingsError::Gone(profile.as_str().to_owned()));
        }
        let before = self.opinion(profile, title)?;
        let now = before.after(change, at_us);
        if now == before {
            // What made it so may have failed to be synced.
            self.database.persist(PersistMode::SyncAll)?;
            return Ok(now);
        }
        write.put(title, before, now)?;
        write.bounded(before, now)?;
        *turn = write.commit()?;
        Ok(now)
    }

    fn erase(&self, profile: &ProfileId, fate: Fate, at_us: i64) -> Result<(), RatingsError> {
        let mut turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut write = self.write(profile, *turn, at_us)?;
        for (title, before) in self.said(profile)? {
            write.put(&title, before, Opinion::default())?;
        }
        write.row.gone |= fate == Fate::Gone;
        *turn = write.commit()?;
        Ok(())
    }

    fn untold(&self, most: usize) -> Result<Vec<(u64, Told)>, RatingsError> {
        let mut found = Vec::new();
        let first = self.told.load(Ordering::Acquire);
        for entry in self.untold.range(first.to_be_bytes()..).take(most) {
            let (key, value) = entry.into_inner()?;
            let damaged = |reason: String| RatingsError::Damaged { of: "what is to be told".to_owned(), reason };
            let number = number(&key).ok_or_else(|| damaged("a key is no number".to_owned()))?;
            let told = ToldRow::decode(value.as_ref()).map_err(|error| error.to_string());
            found.push((number, told.and_then(ToldRow::told).map_err(damaged)?));
        }
        Ok(found)
    }

    fn told(&self, last: u64) -> Result<(), RatingsError> {
        // Not synced: what comes back is told again.
        let mut batch = self.database.batch();
        let first = self.told.load(Ordering::Acquire);
        for entry in self.untold.range(first.to_be_bytes()..=last.to_be_bytes()) {
            batch.remove(&self.untold, entry.key()?);
        }
        batch.commit()?;
        self.told.fetch_max(last + 1, Ordering::AcqRel);
        Ok(())
    }
}

impl Write<'_> {
    /// An opinion that was `before` and is `now`.
    fn put(&mut self, title: &TitleId, before: Opinion, now: Opinion) -> Result<(), RatingsError> {
        let spaces = self.spaces;
        let key = opinion_key(self.profile, title);
        if now.is_nothing() {
            self.batch.remove(&spaces.opinions, key);
        } else {
            self.batch.insert(&spaces.opinions, key, OpinionRow::of(now).encode_to_vec());
        }
        if before.thumb != now.thumb {
            let mut votes = spaces.votes(title)?;
            votes.moved(before.thumb, now.thumb);
            self.batch.insert(&spaces.votes, title.as_str(), VotesRow::of(votes).encode_to_vec());
        }
        if let Some(listed_us) = before.listed_us.filter(|_| now.listed_us.is_none()) {
            self.batch.remove(&spaces.lists, list_key(self.profile, listed_us, title));
            self.row.listed = self.row.listed.saturating_sub(1);
        }
        if let Some(listed_us) = now.listed_us.filter(|_| before.listed_us.is_none()) {
            self.batch.insert(&spaces.lists, list_key(self.profile, listed_us, title), b"".as_slice());
            self.row.listed += 1;
        }
        match (before.is_nothing(), now.is_nothing()) {
            (true, false) => self.row.opinions += 1,
            (false, true) => self.row.opinions = self.row.opinions.saturating_sub(1),
            _ => {}
        }
        let told = ToldRow::of(self.profile, title, now, self.at_us);
        self.batch.insert(&spaces.untold, self.next.to_be_bytes().as_slice(), told.encode_to_vec());
        self.next += 1;
        Ok(())
    }

    /// Refuses a change that adds to what is full already.
    fn bounded(&self, before: Opinion, now: Opinion) -> Result<(), RatingsError> {
        let full = |place, most| Err(RatingsError::Full { profile: self.profile.as_str().to_owned(), place, most });
        if before.listed_us.is_none() && now.listed_us.is_some() && self.row.listed > MOST_LISTED {
            return full("on its list", MOST_LISTED);
        }
        if before.is_nothing() && self.row.opinions > MOST_OPINIONS {
            return full("of which it says something", MOST_OPINIONS);
        }
        Ok(())
    }

    /// The number after the last that is to be told.
    fn commit(mut self) -> Result<u64, RatingsError> {
        if self.row == ProfileRow::default() {
            self.batch.remove(&self.spaces.profiles, self.profile.as_str());
        } else {
            self.batch.insert(&self.spaces.profiles, self.profile.as_str(), self.row.encode_to_vec());
        }
        self.batch.commit()?;
        Ok(self.next)
    }
}

#[async_trait]
impl RatingsStore for EmbeddedRatings {
    #[tracing::instrument(level = "info", name = "store.change_opinion", skip_all)]
    async fn change(
        &self,
        profile: &ProfileId,
        title: &TitleId,
        change: Change,
        at_us: i64,
    ) -> Result<Opinion, RatingsError> {
        let (profile, title) = (profile.clone(), title.clone());
        self.run(move |spaces| spaces.change(&profile, &title, change, at_us)).await
    }

    #[tracing::instrument(level = "info", name = "store.opinions", skip_all)]
    async fn opinions(&self, profile: &ProfileId, titles: &[TitleId]) -> Result<Vec<Opinion>, RatingsError> {
        let (profile, titles) = (profile.clone(), titles.to_vec());
        self.run(move |spaces| titles.iter().map(|title| spaces.opinion(&profile, title)).collect()).await
    }

    #[tracing::instrument(level = "info", name = "store.said", skip_all)]
    async fn said(&self, profile: &ProfileId) -> Result<Vec<(TitleId, Opinion)>, RatingsError> {
        let profile = profile.clone();
        self.run(move |spaces| spaces.said(&profile)).await
    }

    #[tracing::instrument(level = "info", name = "store.my_list", skip_all)]
    async fn list(&self, profile: &ProfileId, most: usize) -> Result<Vec<(TitleId, Opinion)>, RatingsError> {
        let profile = profile.clone();
        self.run(move |spaces| spaces.list(&profile, most)).await
    }

    #[tracing::instrument(level = "info", name = "store.votes", skip_all)]
    async fn votes(&self, titles: &[TitleId]) -> Result<Vec<Votes>, RatingsError> {
        let titles = titles.to_vec();
        self.run(move |spaces| titles.iter().map(|title| spaces.votes(title)).collect()).await
    }

    #[tracing::instrument(level = "info", name = "store.erase_opinions", skip_all)]
    async fn erase(&self, profile: &ProfileId, fate: Fate, at_us: i64) -> Result<(), RatingsError> {
        let profile = profile.clone();
        self.run(move |spaces| spaces.erase(&profile, fate, at_us)).await
    }

    #[tracing::instrument(level = "debug", name = "store.untold", skip_all)]
    async fn untold(&self, most: usize) -> Result<Vec<(u64, Told)>, RatingsError> {
        self.run(move |spaces| spaces.untold(most)).await
    }

    #[tracing::instrument(level = "debug", name = "store.told", skip_all)]
    async fn told(&self, last: u64) -> Result<(), RatingsError> {
        self.run(move |spaces| spaces.told(last)).await
    }

    #[tracing::instrument(level = "debug", name = "store.next_event", skip_all)]
    async fn next(&self) -> Result<u64, RatingsError> {
        let next = self.run(|spaces| Ok(spaces.place.get(NEXT)?)).await?;
        Ok(next.and_then(|bytes| number(&bytes)).unwrap_or(0))
    }

    #[tracing::instrument(level = "debug", name = "store.read_to", skip_all)]
    async fn read_to(&self, next: u64) -> Result<(), RatingsError> {
        self.run(move |spaces| Ok(spaces.place.insert(NEXT, next.to_be_bytes().as_slice())?)).await
    }
}
