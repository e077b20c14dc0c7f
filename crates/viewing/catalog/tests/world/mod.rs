//! A catalogue in a folder of its own, through its contract.

#![allow(dead_code, clippy::unwrap_used, reason = "each suite uses some of it, and a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use matinee_catalog::store::SqliteCatalog;
use matinee_catalog::{CatalogService, Pictures};
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{
    Credit, DeleteTitleRequest, ExportRequest, GetTitleRequest, GetTitlesRequest, ImportReply, ImportRequest,
    LicenceWindow, ListTitlesRequest, LocalizedWords, MaturityRating, Person, PublishRequest, PutPersonRequest,
    PutTitleRequest, Title, TitleKind,
};
use matinee_contracts::events::TitleChanged;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use prost::Message;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

pub const SOON: Duration = Duration::from_secs(60);

/// Counts microseconds, one a look.
#[derive(Debug)]
pub struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

pub struct World {
    pub client: CatalogClient<Channel>,
    pub service: CatalogService,
    pub folder: tempfile::TempDir,
    pub objects: ObjectStorage,
}

pub fn ffmpeg() -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    let tools = Path::new(&home).join(".cache/matinee/tools/bin/ffmpeg");
    if tools.exists() { tools } else { "ffmpeg".into() }
}

pub async fn service(folder: &Path, objects: &ObjectStorage) -> CatalogService {
    let store = SqliteCatalog::open(&folder.join("catalog.db")).await.unwrap();
    CatalogService::new(Arc::new(store), Arc::new(Ticks(AtomicI64::new(1_000))))
        .with_pictures(Pictures::new(ffmpeg(), objects.clone()))
}

pub fn client(service: &CatalogService) -> CatalogClient<Channel> {
    CatalogClient::new(Channel::local(service.server())).max_decoding_message_size(300 << 20)
}

pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let objects: ObjectStorage = Arc::new(FolderStore::open(&folder.path().join("objects")).unwrap());
    let service = service(folder.path(), &objects).await;
    World { client: client(&service), service, folder, objects }
}

pub fn film(id: &str) -> Title {
    Title { id: id.to_owned(), name: format!("The {id}"), ..Title::default() }
}

pub fn series(id: &str) -> Title {
    Title { kind: TitleKind::Series.into(), ..film(id) }
}

pub fn episode(series: &str, season: u32, episode: u32) -> Title {
    let id = format!("{series}-s{season}e{episode}");
    Title { kind: TitleKind::Episode.into(), series: series.to_owned(), season, episode, ..film(&id) }
}

/// A title that says something in every field.
pub fn whole(id: &str) -> Title {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Title {
        description: "About; a | kite\\n, \"quoted\"\nand a second line".to_owned(),
        credits: "=Made by us".to_owned(),
        license: "CC BY 4.0".to_owned(),
        artwork: "masters/kite.jpg".to_owned(),
        original_name: "Der Drachen".to_owned(),
        year: 1927,
        genres: texts(&["drama", "science-fiction"]),
        people: vec![
            Credit {
                person: "ada".to_owned(),
                name: "Ada Lovelace".to_owned(),
                job: "director".to_owned(),
                character: String::new(),
            },
            Credit {
                person: String::new(),
                name: "A; name | alone".to_owned(),
                job: "cast".to_owned(),
                character: "Herself".to_owned(),
            },
        ],
        maturity_age: 12,
        ratings: vec![MaturityRating {
            territory: "DE".to_owned(),
            system: "FSK".to_owned(),
            label: "12".to_owned(),
            age: 12,
        }],
        original_language: "de".to_owned(),
        audio_languages: texts(&["de", "pt-BR"]),
        subtitle_languages: texts(&["en"]),
        localized: vec![LocalizedWords {
            language: "fr".to_owned(),
            name: "Le cerf-volant".to_owned(),
            description: "Un film".to_owned(),
        }],
        windows: vec![
            LicenceWindow { territory: "DE".to_owned(), from_us: 0, until_us: 1_900_000_000_123_456 },
            LicenceWindow { territory: "*".to_owned(), from_us: 1_700_000_000_000_000, until_us: 0 },
        ],
        intro_start_us: 1,
        intro_end_us: 5_000_000,
        credits_start_us: 9_000_000,
        ..film(id)
    }
}

/// What a caller says about a title, of what the catalogue answered.
pub fn said(title: Title) -> Title {
    Title {
        revision: 0,
        created_us: 0,
        published_us: 0,
        duration_us: 0,
        version: String::new(),
        artworks: Vec::new(),
        kind: if title.kind == 0 { 1 } else { title.kind },
        ..title
    }
}

impl World {
    pub async fn put(&self, title: Title) -> Result<Title, Status> {
        Ok(self.client.clone().put_title(PutTitleRequest { title: Some(title) }).await?.into_inner())
    }

    pub async fn person(&self, id: &str, name: &str) -> Result<Person, Status> {
        let person = Person { id: id.to_owned(), name: name.to_owned(), ..Person::default() };
        Ok(self.client.clone().put_person(PutPersonRequest { person: Some(person) }).await?.into_inner())
    }

    pub async fn get(&self, id: &str) -> Result<Title, Status> {
        Ok(self.client.clone().get_title(GetTitleRequest { id: id.to_owned() }).await?.into_inner())
    }

    pub async fn get_all(&self, ids: &[&str]) -> Result<Vec<Title>, Status> {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Ok(self.client.clone().get_titles(GetTitlesRequest { ids }).await?.into_inner().titles)
    }

    pub async fn publish(&self, title: &str, version: &str) -> Result<Title, Status> {
        let (title, version) = (title.to_owned(), version.to_owned());
        let request = PublishRequest { title, version, duration_us: 5_000_000, artwork: String::new() };
        Ok(self.client.clone().publish(request).await?.into_inner())
    }

    pub async fn delete(&self, id: &str, revision: u64) -> Result<(), Status> {
        let request = DeleteTitleRequest { id: id.to_owned(), revision };
        self.client.clone().delete_title(request).await.map(|_| ())
    }

    pub async fn list(&self, request: ListTitlesRequest) -> Result<Vec<String>, Status> {
        let reply = self.client.clone().list_titles(request).await?.into_inner();
        Ok(reply.titles.into_iter().map(|title| title.id).collect())
    }

    pub async fn import(&self, format: &str, body: impl Into<Vec<u8>>) -> ImportReply {
        self.try_import(format, body, false).await.unwrap()
    }

    pub async fn try_import(
        &self,
        format: &str,
        body: impl Into<Vec<u8>>,
        dry_run: bool,
    ) -> Result<ImportReply, Status> {
        let request = ImportRequest { format: format.to_owned(), body: body.into(), dry_run };
        Ok(self.client.clone().import(request).await?.into_inner())
    }

    pub async fn export(&self, format: &str) -> String {
        let request = ExportRequest { format: format.to_owned() };
        String::from_utf8(self.client.clone().export(request).await.unwrap().into_inner().body).unwrap()
    }

    /// An event log, to which the catalogue announces until the token is cancelled.
    pub async fn announcing(&self) -> (Events, CancellationToken, JoinHandle<()>) {
        let log = events::open(&self.folder.path().join("events"), EventLogConfig::default()).await.unwrap();
        let stop = CancellationToken::new();
        let (service, events, stopped) = (self.service.clone(), log.clone(), stop.clone());
        let announcing = tokio::spawn(async move { service.announce(events, stopped).await });
        (log, stop, announcing)
    }
}

/// The first `count` changes that the log has, when it has them.
pub async fn changes(log: &Events, count: usize) -> Vec<TitleChanged> {
    let topic = matinee_catalog::announce::CHANGES;
    let read = async {
        loop {
            let events = log.read(topic, 0, count).await.unwrap();
            if events.len() >= count {
                return events;
            }
            log.wait(topic, events.len() as u64).await.unwrap();
        }
    };
    let events = tokio::time::timeout(SOON, read).await.expect("the events should be there by now");
    let decoded = events.into_iter().map(|event| {
        let changed = TitleChanged::decode(event.payload).unwrap();
        assert_eq!(event.key, changed.title.as_ref().unwrap().id);
        changed
    });
    decoded.collect()
}

/// Asserts that a call was refused for `field`.
pub fn refused<T: std::fmt::Debug>(result: Result<T, Status>, field: &str) {
    let status = result.expect_err(field);
    assert_eq!(status.code(), Code::InvalidArgument, "{field}: {}", status.message());
    assert!(status.message().starts_with(&format!("{field} is refused")), "{field}: {}", status.message());
    assert!(status.message().len() < 400, "a refusal is short: {}", status.message());
}
