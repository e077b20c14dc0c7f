//! The service with a catalogue, a lake and a clock that the tests decide.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::File as LocalFile;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{ListTitlesReply, ListTitlesRequest, Title};
use matinee_contracts::events::Heartbeat;
use matinee_contracts::lake::lake_client::LakeClient;
use matinee_contracts::lake::lake_server::{Lake, LakeServer};
use matinee_contracts::lake::{File, FilesReply, FilesRequest, FlushReply, FlushRequest};
use matinee_contracts::recommend::HomeRequest;
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::telemetry::Beat;
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_engines::objects::{self, ObjectStorage, ObjectsConfig};
use matinee_recommend::als::Options;
use matinee_recommend::consume::{HEARTBEATS, RATINGS};
use matinee_recommend::{Outside, RecommendService, Training};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use parquet::arrow::ArrowWriter;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub const NOW_US: i64 = 1_800_000_000_000_000;
pub const MINUTE_US: i64 = 60_000_000;
const SOON: Duration = Duration::from_secs(30);
const FILM_US: u64 = 6_000_000_000;

#[derive(Debug)]
pub struct Hands(AtomicI64);

impl Hands {
    pub fn set(&self, now_us: i64) {
        self.0.store(now_us, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Clone)]
struct Titles(Vec<Title>);

#[tonic::async_trait]
impl Catalog for Titles {
    async fn list_titles(&self, request: Request<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        let ListTitlesRequest { after, limit, .. } = request.into_inner();
        let mut titles = self.0.clone();
        titles.sort_by(|a, b| a.id.cmp(&b.id));
        titles.retain(|title| title.id > after);
        titles.truncate(limit as usize);
        Ok(Response::new(ListTitlesReply { titles }))
    }
}

/// What somebody watched, as the lake has it.
#[derive(Debug, Clone)]
pub struct Play {
    pub profile: String,
    pub title: String,
    pub percent: i64,
}

/// A lake of one file.
#[derive(Debug, Clone)]
pub struct OneFile {
    folder: std::path::PathBuf,
    files: Arc<Mutex<Vec<File>>>,
}

const OBJECT: &str = "lake/heartbeats/day=2027-01-15/0-9.parquet";

impl OneFile {
    pub fn keep(&self, plays: &[Play]) {
        let text =
            |of: fn(&Play) -> &String| -> ArrayRef { Arc::new(StringArray::from_iter_values(plays.iter().map(of))) };
        let number =
            |of: fn(&Play) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(plays.iter().map(of))) };
        let batch = RecordBatch::try_from_iter([
            ("profile", text(|play| &play.profile)),
            ("title", text(|play| &play.title)),
            ("position_us", number(|play| play.percent * FILM_US as i64 / 100)),
            ("duration_us", number(|_| FILM_US as i64)),
        ])
        .unwrap();
        let path = self.folder.join("objects").join(OBJECT);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = ArrowWriter::try_new(LocalFile::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let file = File { topic: "heartbeats".to_owned(), object: OBJECT.to_owned(), ..File::default() };
        *self.files.lock().unwrap() = vec![file];
    }
}

#[tonic::async_trait]
impl Lake for OneFile {
    async fn files(&self, request: Request<FilesRequest>) -> Result<Response<FilesReply>, Status> {
        let mut files = self.files.lock().unwrap().clone();
        files.retain(|file| file.topic == request.get_ref().topic);
        Ok(Response::new(FilesReply { files }))
    }

    async fn flush(&self, _: Request<FlushRequest>) -> Result<Response<FlushReply>, Status> {
        Ok(Response::new(FlushReply::default()))
    }
}

pub struct World {
    pub client: RecommendClient<Channel>,
    pub clock: Arc<Hands>,
    pub lake: OneFile,
    pub objects: ObjectStorage,
    service: RecommendService,
    log: Events,
    titles: Vec<Title>,
    als: Options,
    stop: CancellationToken,
    loops: Vec<tokio::task::JoinHandle<()>>,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn open(titles: &[Title]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(NOW_US)));
        let lake = OneFile { folder: folder.path().to_owned(), files: Arc::default() };
        let als = Options { factors: 8, ..Options::default() };
        Self::start(folder, titles.to_vec(), clock, lake, als).await
    }

    async fn start(
        folder: tempfile::TempDir,
        titles: Vec<Title>,
        clock: Arc<Hands>,
        lake: OneFile,
        als: Options,
    ) -> Self {
        let log = events::open(&folder.path().join("events"), EventLogConfig::default()).await.unwrap();
        let objects = objects::open(&ObjectsConfig::Folder(folder.path().join("objects"))).await.unwrap();
        let outside = Outside {
            objects: objects.clone(),
            catalog: CatalogClient::new(Channel::local(CatalogServer::new(Titles(titles.clone())))),
            lake: LakeClient::new(Channel::local(LakeServer::new(lake.clone()))),
        };
        let training = Training { threads: 1, als: als.clone(), ..Training::default() };
        let store = folder.path().join("recommend");
        let service = RecommendService::with_clock(&store, outside, training, clock.clone()).await.unwrap();
        let client = RecommendClient::new(Channel::local(service.server()));
        let stop = CancellationToken::new();
        let (reader, keeper) = (service.clone(), service.clone());
        let (events, stopped, also) = (log.clone(), stop.clone(), stop.clone());
        let loops = vec![
            tokio::spawn(async move { reader.consume(events, stopped).await }),
            tokio::spawn(async move { keeper.maintain(also).await }),
        ];
        let world = Self { client, clock, lake, objects, service, log, titles, als, stop, loops, folder };
        world.until(|rows| async move { !rows.is_empty() }).await;
        world
    }

    /// Until the home of nobody in particular is as it should be.
    async fn until<F: Future<Output = bool>>(&self, there: impl Fn(Vec<(String, Vec<String>)>) -> F) {
        let wait = async {
            while !there(self.home("").await).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.unwrap();
    }

    async fn end(self) -> (tempfile::TempDir, Vec<Title>, Arc<Hands>, OneFile, Options) {
        self.stop.cancel();
        for running in self.loops {
            running.await.unwrap();
        }
        (self.folder, self.titles, self.clock, self.lake, self.als)
    }

    pub async fn close(self) {
        self.end().await;
    }

    pub async fn restarted(self) -> Self {
        let als = self.als.clone();
        self.with(als).await
    }

    /// Started again, with other options of training.
    pub async fn with(self, als: Options) -> Self {
        let (folder, titles, clock, lake, _) = self.end().await;
        Self::start(folder, titles, clock, lake, als).await
    }

    pub async fn tell(&self, topic: &'static str, key: &str, event: &impl Message) {
        let offset = self.log.append(topic, key, event.encode_to_vec().into()).await.unwrap();
        self.until_read(topic, offset).await;
    }

    /// A heartbeat at a place of the film, in percent.
    pub async fn watch(&self, profile: &str, title: &str, at_us: i64, percent: u64) {
        let position_us = FILM_US / 100 * percent;
        let beat = Beat {
            title: title.to_owned(),
            session: "s".to_owned(),
            position_us,
            duration_us: FILM_US,
            at_us,
            ..Beat::default()
        };
        let event = Heartbeat {
            profile: profile.to_owned(),
            territory: "DE".to_owned(),
            beat: Some(beat),
            ..Heartbeat::default()
        };
        self.tell(HEARTBEATS, profile, &event).await;
    }

    async fn until_read(&self, topic: &'static str, offset: u64) {
        let wait = async {
            while self.service.next(topic).await.unwrap() <= offset {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.unwrap();
    }

    /// Appends all heartbeats and opinions once more.
    pub async fn replay(&self) {
        for topic in [RATINGS, HEARTBEATS] {
            for event in self.log.read(topic, 0, 10_000).await.unwrap() {
                let offset = self.log.append(topic, &event.key, event.payload).await.unwrap();
                self.until_read(topic, offset).await;
            }
        }
    }

    pub async fn home_of(&self, viewer: Viewer) -> Vec<(String, Vec<String>)> {
        let request = HomeRequest { viewer: Some(viewer), ..HomeRequest::default() };
        let rows = self.client.clone().home(request).await.unwrap().into_inner().rows;
        rows.into_iter().map(|row| (row.id, row.titles)).collect()
    }

    pub async fn home(&self, profile: &str) -> Vec<(String, Vec<String>)> {
        self.home_of(viewer(profile).unwrap()).await
    }

    /// The titles of a row; none where it is not there.
    pub async fn row(&self, profile: &str, id: &str) -> Vec<String> {
        // Rankings are as old as a second.
        let rows = self.home(profile).await;
        rows.into_iter().find(|row| row.0 == id).map(|row| row.1).unwrap_or_default()
    }

    /// The model in use, or nothing.
    pub async fn model(&self) -> String {
        let request = HomeRequest { viewer: viewer("p1"), ..HomeRequest::default() };
        self.client.clone().home(request).await.unwrap().into_inner().model
    }

    pub async fn until_model(&self, id: &str) {
        let wait = async {
            while self.model().await != id {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.unwrap();
    }
}

pub fn movie(id: &str) -> Title {
    let (id, version) = (id.to_owned(), "v1".to_owned());
    Title { name: id.clone(), id, version, duration_us: FILM_US, revision: 1, created_us: 1, ..Title::default() }
}

pub fn viewer(profile: &str) -> Option<Viewer> {
    Some(Viewer { profile: profile.to_owned(), territory: "DE".to_owned(), ..Viewer::default() })
}
