//! Taking files in: from the first byte to the event that a master is there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{GetTitleRequest, PutTitleRequest, Title};
use matinee_contracts::events::MasterUploaded;
use matinee_engines::events::Events;
use matinee_engines::objects::ObjectStorage;
use matinee_model::ids::TitleId;
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::error::IngestError;
use crate::store::{Upload, UploadStore};

/// The topic that masters are announced on.
const TOPIC: &str = "masters";
/// Metadata of an upload, in bytes, keys and values.
const MOST_METADATA: usize = 16 << 10;
/// Between two looks at what was left undone.
const ROUND: Duration = Duration::from_secs(2);

/// What is taken.
#[derive(Debug, Clone)]
pub struct IngestConfig {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// After which an unfinished upload that nobody goes on with is thrown away.
    pub expire: Duration,
}

/// Ingest. Cheap to clone.
#[derive(Clone)]
pub struct IngestService {
    pub(crate) store: UploadStore,
    pub(crate) config: IngestConfig,
    pub(crate) objects: ObjectStorage,
    events: Events,
    catalog: CatalogClient<Channel>,
    clock: Arc<dyn Clock>,
    busy: Arc<Mutex<HashSet<String>>>,
    /// Hashes of what has come in, with how much that is. Lost at a restart, then made again from the store.
    pub(crate) hashes: Arc<Mutex<HashMap<String, (u64, blake3::Hasher)>>>,
}

/// An upload in the hands of one request.
pub(crate) struct Held {
    id: String,
    busy: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl IngestService {
    /// Opens the database of uploads at `path`.
    pub async fn open(
        path: &Path,
        objects: ObjectStorage,
        events: Events,
        catalog: CatalogClient<Channel>,
        config: IngestConfig,
    ) -> Result<Self, IngestError> {
        let (busy, hashes, clock) = (Arc::default(), Arc::default(), Arc::new(SystemClock));
        Ok(Self { store: UploadStore::open(path).await?, config, objects, events, catalog, clock, busy, hashes })
    }

    /// By another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    pub(crate) fn hold(&self, id: &str) -> Result<Held, IngestError> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if !busy.insert(id.to_owned()) {
            return Err(IngestError::Busy(id.to_owned()));
        }
        Ok(Held { id: id.to_owned(), busy: Arc::clone(&self.busy) })
    }

    pub(crate) fn expires_us(&self) -> i64 {
        let most = i64::try_from(self.config.expire.as_micros()).unwrap_or(i64::MAX);
        self.clock.now_us().saturating_add(most)
    }

    /// Begins an upload of `size` bytes.
    pub async fn begin(&self, size: u64, metadata: BTreeMap<String, String>) -> Result<Upload, IngestError> {
        if size == 0 {
            return Err(IngestError::Refused("the file is empty: there is nothing to take in".to_owned()));
        }
        if size > self.config.max_bytes {
            return Err(IngestError::TooLarge { size, most: self.config.max_bytes });
        }
        if metadata.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > MOST_METADATA {
            return Err(IngestError::Refused(format!("the metadata has more than {MOST_METADATA} bytes")));
        }
        let told = |key: &str| metadata.get(key).map_or("", String::as_str);
        let kind = match told("kind") {
            "" | "master" => "master",
            "subtitles" => "subtitles",
            "artwork" => "artwork",
            other => {
                return Err(IngestError::Refused(format!("kind {other:?} is not one of master, subtitles, artwork")));
            }
        };
        let (title, master) = if kind == "master" {
            let id = told("titleId");
            let id = if id.is_empty() { slug(name_of(told("title"), told("filename"))) } else { id.to_owned() };
            let id = TitleId::parse(&id).map_err(|error| IngestError::Refused(format!("titleId {id:?}: {error}")))?;
            (id.as_str().to_owned(), String::new())
        } else {
            match self.store.get(told("for")).await {
                Ok(master) => (master.title, master.id),
                Err(IngestError::Unknown(_)) => match TitleId::parse(told("for")) {
                    Ok(title) => (title.as_str().to_owned(), String::new()),
                    Err(_) => {
                        let reason = format!("for {:?} is neither an upload nor a title", told("for"));
                        return Err(IngestError::Refused(reason));
                    }
                },
                Err(other) => return Err(other),
            }
        };
        let id = fresh_id();
        let object = format!("masters/{id}");
        let parts = self.objects.begin_parts(&object).await?;
        let upload = Upload {
            id,
            size,
            offset: 0,
            kind: kind.to_owned(),
            title,
            master,
            object,
            parts,
            created_us: self.clock.now_us(),
            expires_us: self.expires_us(),
            metadata,
            blake3: String::new(),
            finished_us: 0,
        };
        self.store.add(&upload).await?;
        Ok(upload)
    }

    /// Seals an upload whose bytes are all there.
    pub(crate) async fn finish(&self, upload: &Upload) -> Result<(), IngestError> {
        self.objects.finish_parts(&upload.parts, &upload.object).await?;
        let known = self.hashed(&upload.id, upload.size);
        let hash = match known {
            Some(hasher) => hasher.finalize(),
            None => {
                let mut hasher = blake3::Hasher::new();
                let mut all = self.objects.stream(&upload.object, 0..upload.size).await?;
                while let Some(bytes) = all.next().await {
                    hasher.update(&bytes?);
                }
                hasher.finalize()
            }
        };
        self.store.sealed(&upload.id, hash.to_hex().as_str(), self.clock.now_us()).await?;
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).remove(&upload.id);
        tracing::info!(
            upload = upload.id,
            kind = upload.kind,
            title = upload.title,
            size = upload.size,
            "a file is in"
        );
        if let Err(error) = self.announce().await {
            tracing::warn!(%error, "a master could not be announced yet");
        }
        Ok(())
    }

    /// Announces each master that is whole and whose companions are.
    async fn announce(&self) -> Result<(), IngestError> {
        for master in self.store.unannounced().await? {
            let companions = self.store.companions(&master.id, &master.title).await?;
            let wanted: usize = master.told("sidecars").parse().unwrap_or(0);
            if companions.len() < wanted {
                continue;
            }
            self.title(&master, &companions).await?;
            let event = MasterUploaded {
                master: master.id.clone(),
                title: master.title.clone(),
                object: master.object.clone(),
                file_name: master.told("filename").to_owned(),
                size: master.size,
                blake3: master.blake3.clone(),
                at_us: master.finished_us,
                metadata: master.metadata.clone().into_iter().collect(),
            };
            let appended = self.events.append(TOPIC, &master.title, event.encode_to_vec().into()).await;
            appended.map_err(|e| IngestError::Call { called: "the event log", reason: e.to_string() })?;
            self.store.announced(&master.id, &companions).await?;
        }
        Ok(())
    }

    /// Makes the title, or changes what the upload says of it.
    async fn title(&self, master: &Upload, companions: &[Upload]) -> Result<(), IngestError> {
        let mut catalog = self.catalog.clone();
        let called = |status: tonic::Status| match status.code() {
            Code::InvalidArgument => IngestError::Refused(status.message().to_owned()),
            _ => IngestError::Call { called: "the catalogue", reason: status.message().to_owned() },
        };
        let known = match catalog.get_title(GetTitleRequest { id: master.title.clone() }).await {
            Ok(title) => title.into_inner(),
            Err(status) if status.code() == Code::NotFound => Title::default(),
            Err(status) => return Err(called(status)),
        };
        let or = |told: &str, known: String, most: usize| {
            if told.is_empty() { known } else { told.chars().take(most).collect() }
        };
        let name = match master.told("title") {
            "" if known.name.is_empty() => name_of("", master.told("filename")).to_owned(),
            told => told.to_owned(),
        };
        let artwork = companions.iter().rev().find(|c| c.kind == "artwork").map(|c| c.object.clone());
        let title = Title {
            id: master.title.clone(),
            name: or(&name, known.name, 200),
            description: or(master.told("description"), known.description, 5000),
            credits: or(master.told("credits"), known.credits, 5000),
            license: or(master.told("license"), known.license, 200),
            artwork: artwork.unwrap_or_default(),
            // What an upload does not tell of stays as it is; where somebody changes it meanwhile, this is done again.
            ..known
        };
        catalog.put_title(PutTitleRequest { title: Some(title) }).await.map_err(called)?;
        Ok(())
    }

    /// Throws an upload away that is not whole.
    pub async fn terminate(&self, id: &str) -> Result<(), IngestError> {
        let _held = self.hold(id)?;
        let upload = self.store.get(id).await?;
        if upload.finished_us > 0 {
            return Err(IngestError::Refused(format!("upload {id} is whole, it is not thrown away")));
        }
        self.objects.abort_parts(&upload.parts).await?;
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.store.remove(id).await
    }

    /// Finishes what was left undone, announces, and throws away what is too old, until `stop`.
    pub async fn maintain(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "uploads could not be looked after; it is tried again");
            }
            if stop.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_none() {
                return;
            }
        }
    }

    /// One look at what was left undone.
    pub async fn round(&self) -> Result<(), IngestError> {
        for upload in self.store.unsealed().await? {
            if let Ok(_held) = self.hold(&upload.id) {
                self.finish(&upload).await?;
            }
        }
        self.announce().await?;
        for upload in self.store.expired(self.clock.now_us()).await? {
            tracing::info!(upload = upload.id, "an upload expired");
            self.terminate(&upload.id).await?;
        }
        Ok(())
    }
}

/// 128 random bits, hex.
fn fresh_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

/// The title's name, or the file's without its ending.
fn name_of<'a>(title: &'a str, file: &'a str) -> &'a str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| if stem.is_empty() { file } else { stem });
    [title, stem].into_iter().find(|name| !name.trim().is_empty()).unwrap_or("film")
}

/// A name as an id: "Big Buck Bunny" is "big-buck-bunny".
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug: String = slug.chars().take(60).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "film".to_owned() } else { slug.to_owned() }
}
