//! The embedded log: a folder a topic, written by one thread that gathers all appends of a moment into one sync.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::topic::{Segments, TopicWriter, read, sync_folder};
use super::{Event, EventError, EventLog, EventLogConfig, MAX_KEY, MAX_PAYLOAD, checked_name, io_error};

/// Appends that may wait for the writer; more wait in their callers.
const QUEUE: usize = 8192;
/// Appends that share one sync at most.
const BATCH: usize = 4096;

/// The adapter.
#[derive(Debug)]
pub struct EmbeddedLog {
    folder: PathBuf,
    config: EventLogConfig,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
    // Both are there until the log is dropped.
    queue: Option<mpsc::Sender<Append>>,
    writer: Option<JoinHandle<()>>,
    // Serialises changes of groups' files.
    groups: tokio::sync::Mutex<()>,
    // Held as long as the log is open.
    _lock: File,
}

/// A topic as readers see it.
#[derive(Debug)]
struct Topic {
    name: String,
    writer: Mutex<TopicWriter>,
    segments: RwLock<Segments>,
    // The number after the last durable event.
    next: watch::Sender<u64>,
}

struct Append {
    topic: Arc<Topic>,
    /// Key and payload of each; at least one.
    events: Vec<(String, Bytes)>,
    done: oneshot::Sender<Result<u64, EventError>>,
}

/// How long another process may go on to hold the log.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

impl EmbeddedLog {
    /// Opens the log in `folder`. Fails where another process has it, and still has it after two seconds.
    pub fn open(folder: &Path, config: EventLogConfig) -> Result<Self, EventError> {
        let failed = |error: std::io::Error| io_error(folder, &error);
        fs::create_dir_all(folder.join("topics")).map_err(failed)?;
        fs::create_dir_all(folder.join("groups")).map_err(failed)?;
        sync_folder(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        // A process that was killed a moment ago may still be held open by a program that it was about to call.
        let since = Instant::now();
        while lock.try_lock().is_err() {
            if since.elapsed() > LOCK_PATIENCE {
                return Err(EventError::InUse(folder.to_owned()));
            }
            std::thread::sleep(LOCK_PATIENCE / 50);
        }
        let (queue, appends) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new().name("events".to_owned());
        let writer = writer.spawn(move || write_appends(appends)).map_err(failed)?;
        let (topics, groups) = (Mutex::default(), tokio::sync::Mutex::default());
        let (queue, writer) = (Some(queue), Some(writer));
        Ok(Self { folder: folder.to_owned(), config, topics, queue, writer, groups, _lock: lock })
    }

    async fn topic(&self, name: &str) -> Result<Arc<Topic>, EventError> {
        checked_name("topic", name)?;
        if let Some(open) = self.topics.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Arc::clone(open));
        }
        let (folder, config) = (self.folder.join("topics").join(name), self.config);
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // Two callers must not open one topic twice, so the opening is under the lock; it reads one file.
        if let Some(open) = topics.get(name) {
            return Ok(Arc::clone(open));
        }
        let (writer, segments) = TopicWriter::open(&folder, config)?;
        let next = watch::Sender::new(writer.next());
        let (writer, segments) = (Mutex::new(writer), RwLock::new(segments));
        let topic = Arc::new(Topic { name: name.to_owned(), writer, segments, next });
        topics.insert(name.to_owned(), Arc::clone(&topic));
        Ok(topic)
    }

    fn group_path(&self, topic: &str, group: &str) -> Result<PathBuf, EventError> {
        Ok(self.folder.join("groups").join(format!(
            "{}.{}",
            checked_name("topic", topic)?,
            checked_name("group", group)?
        )))
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        // The lock must not be given back while the writer still writes.
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// The writer: takes what has gathered, writes and syncs each topic once, then answers.
fn write_appends(mut appends: mpsc::Receiver<Append>) {
    let mut batch = Vec::with_capacity(BATCH);
    while appends.blocking_recv_many(&mut batch, BATCH) > 0 {
        let mut by_topic: HashMap<String, Vec<Append>> = HashMap::new();
        for append in batch.drain(..) {
            by_topic.entry(append.topic.name.clone()).or_default().push(append);
        }
        for appends in by_topic.into_values() {
            write_topic(appends);
        }
    }
}

fn write_topic(appends: Vec<Append>) {
    let Some(topic) = appends.first().map(|append| Arc::clone(&append.topic)) else { return };
    let at_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
    let mut writer = topic.writer.lock().unwrap_or_else(PoisonError::into_inner);
    let mut answers = Vec::with_capacity(appends.len());
    for append in appends {
        // An append has an event at least.
        let mut last = writer.next();
        for (key, payload) in &append.events {
            last = writer.push(at_us, key, payload);
        }
        answers.push((append.done, last));
    }
    let committed = writer.commit(&topic.segments);
    if committed.is_ok() {
        topic.next.send_replace(writer.next());
    }
    drop(writer);
    for (done, offset) in answers {
        // A caller that went away has its event all the same.
        let _ = done.send(committed.clone().map(|()| offset));
    }
}

#[async_trait]
impl EventLog for EmbeddedLog {
    async fn append_all(&self, topic: &str, events: Vec<(String, Bytes)>) -> Result<u64, EventError> {
        for (key, payload) in &events {
            if key.len() > MAX_KEY || payload.len() > MAX_PAYLOAD {
                let (size, most) = (key.len() + payload.len(), MAX_PAYLOAD);
                return Err(EventError::TooLong { topic: topic.to_owned(), size, most });
            }
        }
        let topic = self.topic(topic).await?;
        if events.is_empty() {
            return Ok(topic.next.borrow().saturating_sub(1));
        }
        let (done, answer) = oneshot::channel();
        let append = Append { topic, events, done };
        let queue = self.queue.as_ref().ok_or(EventError::Closed)?;
        queue.send(append).await.map_err(|_| EventError::Closed)?;
        answer.await.map_err(|_| EventError::Closed)?
    }

    async fn read(&self, topic: &str, from: u64, max: usize) -> Result<Vec<Event>, EventError> {
        let topic = self.topic(topic).await?;
        if *topic.next.borrow() <= from {
            return Ok(Vec::new());
        }
        let read = tokio::task::spawn_blocking(move || {
            let segments = topic.segments.read().unwrap_or_else(PoisonError::into_inner).clone();
            read(&topic.name, &segments, from, max)
        });
        read.await.map_err(|_| EventError::Closed)?
    }

    async fn wait(&self, topic: &str, from: u64) -> Result<u64, EventError> {
        let topic = self.topic(topic).await?;
        let mut next = topic.next.subscribe();
        let next = next.wait_for(|next| *next > from).await.map_err(|_| EventError::Closed)?;
        Ok(*next)
    }

    async fn committed(&self, topic: &str, group: &str) -> Result<u64, EventError> {
        let path = self.group_path(topic, group)?;
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(io_error(&path, &error)),
            Ok(text) => text.trim().parse().map_err(|_| EventError::Io {
                place: path.display().to_string(),
                reason: format!("{text:?} is not the number of an event"),
            }),
        }
    }

    async fn commit(&self, topic: &str, group: &str, next: u64) -> Result<(), EventError> {
        let path = self.group_path(topic, group)?;
        let _turn = self.groups.lock().await;
        let place = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let staged = path.with_added_extension("new");
            let mut file = File::create(&staged)?;
            writeln!(file, "{next}")?;
            file.sync_all()?;
            fs::rename(&staged, &path)?;
            path.parent().map_or(Ok(()), sync_folder)
        });
        written.await.map_err(|_| EventError::Closed)?.map_err(|error| io_error(&place, &error))
    }
}
