//! The gRPC contract, and the loops beside it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::lake::lake_server::{Lake, LakeServer};
use matinee_contracts::lake::{File, FilesReply, FilesRequest, FlushReply, FlushRequest};
use matinee_engines::events::{Events, GATHERED};
use matinee_engines::objects::{ObjectError, ObjectStorage};
use matinee_service::clock::{Clock, SystemClock};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::columns::Topic;
use crate::error::LakeError;
use crate::place::{Place, checked_day};
use crate::tidy::Files;
use crate::write::{AT_ONCE, Writer};

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The longest that nothing is done.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
/// Files whose rows are remembered.
const REMEMBERED: usize = 20_000;

/// How the lake is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// How old events are at most when they are in a file.
    pub seal_after: Duration,
    /// Between two rounds of merging and erasing.
    pub tidy_every: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { seal_after: Duration::from_secs(300), tidy_every: Duration::from_secs(3600) }
    }
}

/// The lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LakeService(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    log: Events,
    files: Files,
    writers: HashMap<Topic, Mutex<Writer>>,
    keeping: Keeping,
    clock: Arc<dyn Clock>,
    // By object and size: of a file that was written anew they are counted anew.
    rows: std::sync::Mutex<HashMap<(String, u64), u64>>,
    // Held while files are merged and erased from.
    tidying: Mutex<()>,
}

impl LakeService {
    /// From this log to this store.
    #[must_use]
    pub fn open(log: Events, objects: ObjectStorage, keeping: Keeping) -> Self {
        Self::new(log, objects, keeping, Arc::new(SystemClock))
    }

    /// The same by any clock.
    #[must_use]
    pub fn new(log: Events, objects: ObjectStorage, keeping: Keeping, clock: Arc<dyn Clock>) -> Self {
        let writer = |topic| Mutex::new(Writer::new(topic, log.clone(), objects.clone(), keeping.seal_after));
        let writers = Topic::ALL.into_iter().map(|topic| (topic, writer(topic))).collect();
        let (files, rows, tidying) = (Files::new(objects), std::sync::Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { log, files, writers, keeping, clock, rows, tidying }))
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> LakeServer<Self> {
        LakeServer::new(self.clone())
    }

    /// Takes events as they come, and writes the rest when `stop` comes. One process of an installation does so.
    pub async fn consume(&self, stop: CancellationToken) {
        let topics = self.0.writers.iter().map(|(topic, writer)| self.consume_topic(*topic, writer, &stop));
        futures::future::join_all(topics).await;
    }

    async fn consume_topic(&self, topic: Topic, writer: &Mutex<Writer>, stop: &CancellationToken) {
        let mut wait = FIRST_WAIT;
        loop {
            match stop.run_until_cancelled(self.round(topic, writer)).await {
                None => break,
                Some(Ok(())) => wait = FIRST_WAIT,
                Some(Err(error)) => {
                    tracing::warn!(%error, topic = topic.name(), "events wait for the lake, trying again");
                    if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                        break;
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
        // What is in memory only is read again after a start; written now, the file is larger than its two halves.
        if let Err(error) = writer.lock().await.seal().await {
            tracing::warn!(%error, topic = topic.name(), "the last events are not in the lake yet");
        }
    }

    async fn round(&self, topic: Topic, writer: &Mutex<Writer>) -> Result<(), LakeError> {
        let (read, _) = writer.lock().await.step().await?;
        if read > 0 {
            if read < AT_ONCE {
                tokio::time::sleep(GATHERED).await;
            }
            return Ok(());
        }
        let (next, due) = {
            let mut writer = writer.lock().await;
            (writer.next().await?, writer.due().unwrap_or_else(|| Instant::now() + LONGEST_SLEEP))
        };
        tokio::select! {
            there = self.0.log.wait(topic.name(), next) => { there?; }
            () = tokio::time::sleep_until(due) => {}
        }
        Ok(())
    }

    /// Merges files and takes out the rows of those who were deleted, in rounds, until `stop`. In the process that
    /// consumes.
    pub async fn maintain(&self, stop: CancellationToken) {
        loop {
            if stop.run_until_cancelled(tokio::time::sleep(self.0.keeping.tidy_every)).await.is_none() {
                return;
            }
            match stop.run_until_cancelled(self.tidy()).await {
                None => return,
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::warn!(%error, "the lake is not tidy, trying again later"),
            }
        }
    }

    /// One round of [`LakeService::maintain`].
    pub async fn tidy(&self) -> Result<(), LakeError> {
        let _turn = self.0.tidying.lock().await;
        let now_us = self.0.clock.now_us();
        let rows = self.0.files.erase(now_us).await?;
        if rows > 0 {
            tracing::info!(rows, "rows of deleted accounts and profiles were taken out of the lake");
        }
        for topic in Topic::ALL {
            self.0.files.merge(topic, now_us).await?;
        }
        Ok(())
    }

    async fn flushed(&self) -> Result<u64, LakeError> {
        let mut rows = 0;
        for writer in self.0.writers.values() {
            let mut writer = writer.lock().await;
            loop {
                let (read, durable) = writer.step().await?;
                rows += durable;
                if read == 0 {
                    break;
                }
            }
            rows += writer.seal().await?;
        }
        Ok(rows)
    }

    async fn file(&self, place: &Place) -> Result<Option<File>, LakeError> {
        let Some(size) = self.0.files.size(place).await? else { return Ok(None) };
        let key = (place.object(), size);
        let known = self.0.rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key).copied();
        let rows = match known {
            Some(rows) => rows,
            None => match self.0.files.rows(place).await {
                // Merged away while it was looked at.
                Err(LakeError::Objects(ObjectError::NotFound(_))) => return Ok(None),
                rows => rows?,
            },
        };
        let mut remembered = self.0.rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, rows);
        Ok(Some(File {
            topic: place.topic.name().to_owned(),
            day: place.day.clone(),
            object: place.object(),
            rows,
            size,
            first_offset: place.first,
            last_offset: place.last,
        }))
    }
}

fn topics(name: &str) -> Result<Vec<Topic>, LakeError> {
    if name.is_empty() {
        return Ok(Topic::ALL.to_vec());
    }
    let names = Topic::ALL.map(Topic::name).join(", ");
    let refused = || LakeError::Field { field: "topic", reason: format!("nothing, or one of {names} is taken") };
    Topic::parse(name).map(|topic| vec![topic]).ok_or_else(refused)
}

/// The day, or `open` where none is named.
fn day(field: &'static str, named: &str, open: &str) -> Result<String, LakeError> {
    if named.is_empty() {
        return Ok(open.to_owned());
    }
    let reason = "a day as 2026-11-25 is taken".to_owned();
    checked_day(named).ok_or(LakeError::Field { field, reason })
}

#[tonic::async_trait]
impl Lake for LakeService {
    async fn files(&self, request: Request<FilesRequest>) -> Result<Response<FilesReply>, Status> {
        let FilesRequest { topic, from_day, until_day } = request.into_inner();
        let (from, until) = (day("from_day", &from_day, "")?, day("until_day", &until_day, "~")?);
        let mut files = Vec::new();
        for topic in topics(&topic)? {
            for place in self.0.files.list(topic).await?.0 {
                if from <= place.day && place.day <= until {
                    files.extend(self.file(&place).await?);
                }
            }
        }
        Ok(Response::new(FilesReply { files }))
    }

    async fn flush(&self, _: Request<FlushRequest>) -> Result<Response<FlushReply>, Status> {
        let service = self.clone();
        // To its end, though the caller may leave: a batch that is given up halfway would be missing from the files.
        let flushing = tokio::spawn(async move { service.flushed().await });
        let rows = flushing.await.map_err(LakeError::from)??;
        Ok(Response::new(FlushReply { rows }))
    }
}
