//! A log whose times the tests decide, a folder of objects, and the lake between them.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::fs::File as LocalFile;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use matinee_contracts::lake::lake_client::LakeClient;
use matinee_contracts::lake::{File, FilesRequest, FlushRequest};
use matinee_engines::events::{Event, EventError, EventLog};
use matinee_engines::objects::{self, ObjectStorage, ObjectsConfig};
use matinee_lake::{Keeping, LakeService};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use prost::Message;
use tokio::sync::Notify;

/// 2026-11-25 at noon.
pub const NOON_US: i64 = 1_795_608_000_000_000;
pub const HOUR_US: i64 = 3_600_000_000;

#[derive(Debug, Default)]
pub struct Shelf {
    topics: Mutex<HashMap<String, Vec<Event>>>,
    groups: Mutex<HashMap<String, u64>>,
    news: Notify,
    pub now_us: AtomicI64,
    pub commits_fail: AtomicBool,
}

#[async_trait]
impl EventLog for Shelf {
    async fn append_all(&self, topic: &str, appended: Vec<(String, Bytes)>) -> Result<u64, EventError> {
        let mut topics = self.topics.lock().unwrap();
        let events = topics.entry(topic.to_owned()).or_default();
        let at_us = self.now_us.load(Ordering::SeqCst);
        for (key, payload) in appended {
            events.push(Event { offset: events.len() as u64, at_us, key, payload });
        }
        self.news.notify_waiters();
        Ok(events.len() as u64 - 1)
    }

    async fn read(&self, topic: &str, from: u64, max: usize) -> Result<Vec<Event>, EventError> {
        let topics = self.topics.lock().unwrap();
        Ok(topics.get(topic).into_iter().flatten().skip(from as usize).take(max).cloned().collect())
    }

    async fn wait(&self, topic: &str, from: u64) -> Result<u64, EventError> {
        loop {
            let news = self.news.notified();
            if !self.read(topic, from, 1).await?.is_empty() {
                return Ok(self.topics.lock().unwrap()[topic].len() as u64);
            }
            news.await;
        }
    }

    async fn committed(&self, topic: &str, group: &str) -> Result<u64, EventError> {
        Ok(self.groups.lock().unwrap().get(&format!("{topic}.{group}")).copied().unwrap_or(0))
    }

    async fn commit(&self, topic: &str, group: &str, next: u64) -> Result<(), EventError> {
        if self.commits_fail.load(Ordering::SeqCst) {
            return Err(EventError::Closed);
        }
        self.groups.lock().unwrap().insert(format!("{topic}.{group}"), next);
        Ok(())
    }
}

impl Clock for Shelf {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }
}

pub struct World {
    pub log: Arc<Shelf>,
    pub objects: ObjectStorage,
    pub service: LakeService,
    pub client: LakeClient<Channel>,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(Shelf { now_us: AtomicI64::new(NOON_US), ..Shelf::default() });
        let objects = objects::open(&ObjectsConfig::Folder(folder.path().to_owned())).await.unwrap();
        Self::over(folder, log, objects)
    }

    fn over(folder: tempfile::TempDir, log: Arc<Shelf>, objects: ObjectStorage) -> Self {
        let service = LakeService::new(log.clone(), objects.clone(), Keeping::default(), log.clone());
        let client = LakeClient::new(Channel::local(service.server()));
        Self { log, objects, service, client, folder }
    }

    /// As after a crash: what was in memory is gone.
    pub fn restarted(self) -> Self {
        Self::over(self.folder, self.log, self.objects)
    }

    pub async fn tell(&self, topic: &str, event: &impl Message) {
        self.log.append(topic, "key", event.encode_to_vec().into()).await.unwrap();
    }

    pub fn at(&self, now_us: i64) {
        self.log.now_us.store(now_us, Ordering::SeqCst);
    }

    pub async fn flush(&self) -> u64 {
        self.client.clone().flush(FlushRequest {}).await.unwrap().into_inner().rows
    }

    pub async fn files(&self, topic: &str) -> Vec<File> {
        let request = FilesRequest { topic: topic.to_owned(), ..FilesRequest::default() };
        self.client.clone().files(request).await.unwrap().into_inner().files
    }

    /// All rows of a topic, as the listed files have them.
    pub async fn rows(&self, topic: &str) -> Vec<RecordBatch> {
        let mut rows = Vec::new();
        for file in self.files(topic).await {
            let path = self.objects.local_file(&file.object).await.unwrap().path.clone();
            let reader = ParquetRecordBatchReaderBuilder::try_new(LocalFile::open(path).unwrap()).unwrap();
            rows.extend(reader.build().unwrap().map(Result::unwrap));
        }
        rows
    }

    /// The numbers of all events in a topic's files.
    pub async fn offsets(&self, topic: &str) -> Vec<i64> {
        let rows = self.rows(topic).await;
        rows.iter().flat_map(|rows| rows["offset"].as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    /// A column of text, of all rows.
    pub async fn texts(&self, topic: &str, column: &str) -> Vec<String> {
        let rows = self.rows(topic).await;
        rows.iter()
            .flat_map(|rows| {
                rows[column].as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect()
    }
}
