//! What is kept, in an LSM tree (`fjall`): titles and their numbers, profiles' records, counts, and how far each topic
//! was read. All that a batch of events changes is one write with how far it was read, so that nothing counts twice.

use std::path::Path;
use std::sync::Arc;

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use matinee_contracts::catalog::Title;
use matinee_model::territory::Territory;
use prost::Message;

use crate::error::RecommendError;
use crate::popular::{Heat, Place, Popular};
use crate::profile::Record;
use crate::together::{Neighbours, Together};

/// For [`Place::Everywhere`] in keys.
const EVERYWHERE: &[u8; 2] = b"**";

/// What one batch of events changes.
#[derive(Debug, Default)]
pub struct Batch {
    /// Titles by id: their number and what the catalogue says; nothing of one that is gone.
    pub titles: Vec<(String, u32, Option<Title>)>,
    /// Profiles' records.
    pub records: Vec<(String, Record)>,
    /// Counts; nothing for one that is dropped.
    pub heats: Vec<(Place, u32, Option<Heat>)>,
    /// Titles' neighbours.
    pub neighbours: Vec<(u32, Neighbours)>,
    /// The topic that was read, and the event to read next.
    pub next: Option<(&'static str, u64)>,
}

/// What is read at the beginning.
#[derive(Debug, Default)]
pub struct Kept {
    /// By number; nothing for one that is gone.
    pub titles: Vec<(u32, Option<Title>)>,
    /// All counts.
    pub popular: Popular,
    /// All neighbours.
    pub together: Together,
}

/// The store. Its calls block. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Spaces>);

struct Spaces {
    database: Database,
    /// id → number (4 bytes), then what the catalogue says.
    titles: Keyspace,
    /// profile → [`Record`].
    profiles: Keyspace,
    /// territory, number → [`Heat`].
    popular: Keyspace,
    /// number → [`Neighbours`].
    together: Keyspace,
    /// topic → the event to read next.
    places: Keyspace,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

fn damaged(place: impl ToString, reason: impl ToString) -> RecommendError {
    RecommendError::Record { place: place.to_string(), reason: reason.to_string() }
}

fn heat_key(place: Place, title: u32) -> [u8; 6] {
    let mut key = [0; 6];
    match &place {
        Place::Everywhere => key[..2].copy_from_slice(EVERYWHERE),
        Place::In(territory) => key[..2].copy_from_slice(territory.as_str().as_bytes()),
    }
    key[2..].copy_from_slice(&title.to_be_bytes());
    key
}

impl Store {
    /// Opens the store in `folder`, made where there is none.
    pub async fn open(folder: &Path) -> Result<Self, RecommendError> {
        let folder = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let database = Database::builder(&folder).open()?;
            let space = |name| database.keyspace(name, KeyspaceCreateOptions::default);
            let (titles, profiles, popular) = (space("titles")?, space("profiles")?, space("popular")?);
            let (together, places) = (space("together")?, space("places")?);
            Ok::<_, fjall::Error>(Spaces { titles, profiles, popular, together, places, database })
        });
        Ok(Self(Arc::new(opened.await??)))
    }

    /// All but the profiles.
    #[tracing::instrument(level = "info", name = "store.kept", skip_all)]
    pub fn kept(&self) -> Result<Kept, RecommendError> {
        let mut kept = Kept::default();
        for entry in self.0.titles.iter() {
            let (key, value) = entry.into_inner()?;
            let id = || String::from_utf8_lossy(&key).into_owned();
            let (number, title) = value.split_first_chunk::<4>().ok_or_else(|| damaged(id(), "it is too short"))?;
            let title = match title {
                [] => None,
                bytes => Some(Title::decode(bytes).map_err(|error| damaged(id(), error))?),
            };
            kept.titles.push((u32::from_be_bytes(*number), title));
        }
        for entry in self.0.popular.iter() {
            let (key, value) = entry.into_inner()?;
            let read = || {
                let (territory, title) = key.split_first_chunk::<2>()?;
                let title = u32::from_be_bytes(*title.first_chunk::<4>()?);
                let place = match territory {
                    EVERYWHERE => Place::Everywhere,
                    letters => Place::In(Territory::parse(std::str::from_utf8(letters).ok()?).ok()?),
                };
                Some((place, title, Heat::decode(&value)?))
            };
            let (place, title, heat) = read().ok_or_else(|| damaged("a count", "it can't be read"))?;
            kept.popular.set(place, title, heat);
        }
        for entry in self.0.together.iter() {
            let (key, value) = entry.into_inner()?;
            let read = || Some((u32::from_be_bytes(*key.first_chunk::<4>()?), Neighbours::decode(&value)?));
            let (title, neighbours) = read().ok_or_else(|| damaged("a title's neighbours", "they can't be read"))?;
            kept.together.set(title, neighbours);
        }
        Ok(kept)
    }

    /// A profile's record; an empty one where there is none.
    #[tracing::instrument(level = "info", name = "store.record", skip_all)]
    pub fn record(&self, profile: &str) -> Result<Record, RecommendError> {
        let Some(bytes) = self.0.profiles.get(profile)? else { return Ok(Record::default()) };
        Record::decode(bytes.as_ref()).map_err(|error| damaged(profile, error))
    }

    /// The event of a topic to read next; 0 at the beginning.
    #[tracing::instrument(level = "info", name = "store.next", skip_all)]
    pub fn next(&self, topic: &str) -> Result<u64, RecommendError> {
        let found = self.0.places.get(topic)?;
        Ok(found.and_then(|bytes| bytes.as_ref().first_chunk::<8>().map(|b| u64::from_be_bytes(*b))).unwrap_or(0))
    }

    /// Writes a batch, all of it or nothing.
    ///
    /// Not synced: the log has the events, and how far it was read is lost together with what was read.
    #[tracing::instrument(level = "info", name = "store.commit", skip_all)]
    pub fn commit(&self, changes: &Batch) -> Result<(), RecommendError> {
        let mut batch = self.0.database.batch();
        for (id, number, title) in &changes.titles {
            let mut value = number.to_be_bytes().to_vec();
            value.extend(title.iter().flat_map(Message::encode_to_vec));
            batch.insert(&self.0.titles, id.as_str(), value);
        }
        for (profile, record) in &changes.records {
            batch.insert(&self.0.profiles, profile.as_str(), record.encode_to_vec());
        }
        for (place, title, heat) in &changes.heats {
            let key = heat_key(*place, *title);
            match heat {
                Some(heat) => batch.insert(&self.0.popular, key.as_slice(), heat.encode().as_slice()),
                None => batch.remove(&self.0.popular, key.as_slice()),
            }
        }
        for (title, neighbours) in &changes.neighbours {
            batch.insert(&self.0.together, title.to_be_bytes().as_slice(), neighbours.encode());
        }
        if let Some((topic, next)) = changes.next {
            batch.insert(&self.0.places, topic, next.to_be_bytes().as_slice());
        }
        Ok(batch.commit()?)
    }
}
