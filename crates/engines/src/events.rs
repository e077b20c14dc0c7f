//! What happened, in order, for whoever wants to know: an append-only log of events by topic.
//!
//! An event that was acknowledged is on disk. Each topic numbers its events from 0; a group of consumers keeps the number
//! from which it goes on, so every event reaches every group at least once, and a group can go back and replay.

mod embedded;
mod segment;
mod topic;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::embedded::EmbeddedLog;

/// Any adapter, shared.
pub type Events = Arc<dyn EventLog>;

/// The longest payload, in bytes.
pub const MAX_PAYLOAD: usize = 1 << 20;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 1 << 10;

/// Why an event could not be kept or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventError {
    /// The name is not one.
    #[error("{kind} {name:?} is refused: 1 to 64 of a-z, 0-9 and '-' are taken")]
    Name {
        /// "topic" or "group".
        kind: &'static str,
        /// What was given.
        name: String,
    },
    /// It is too long.
    #[error("an event of {size} bytes for topic {topic} is refused: {most} are taken")]
    TooLong {
        /// Where it was to go.
        topic: String,
        /// Its key and payload.
        size: usize,
        /// The bound.
        most: usize,
    },
    /// No room left. Worth trying again when there is.
    #[error("no space left for events of topic {topic}")]
    NoSpace {
        /// The topic.
        topic: String,
    },
    /// An event on disk is not what was written.
    #[error("event {offset} of topic {topic} is damaged in {file}: {reason}")]
    Damaged {
        /// The topic.
        topic: String,
        /// The first event that can't be read.
        offset: u64,
        /// Where it lies.
        file: PathBuf,
        /// What differs.
        reason: String,
    },
    /// Another process has the log open.
    #[error("the event log {0} is in use by another process")]
    InUse(PathBuf),
    /// The system failed.
    #[error("the event log failed at {place}: {reason}")]
    Io {
        /// A file, or a topic.
        place: String,
        /// The system's reason.
        reason: String,
    },
    /// The log is closed.
    #[error("the event log is closed")]
    Closed,
}

/// One event, as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in its topic.
    pub offset: u64,
    /// When it was appended, in microseconds since 1970.
    pub at_us: i64,
    /// What it is about (a title's id).
    pub key: String,
    /// A message of `events.proto`.
    pub payload: Bytes,
}

/// The port.
#[async_trait]
pub trait EventLog: Send + Sync + std::fmt::Debug {
    /// Appends events, each a key and a payload, in their order and none between them; returns the number of the last.
    /// They are on disk then; appends at one time share one sync. Where one is refused, none is appended.
    async fn append_all(&self, topic: &str, events: Vec<(String, Bytes)>) -> Result<u64, EventError>;

    /// Appends one event and returns its number.
    async fn append(&self, topic: &str, key: &str, payload: Bytes) -> Result<u64, EventError> {
        self.append_all(topic, vec![(key.to_owned(), payload)]).await
    }

    /// At most `max` events from number `from`, or from the oldest that is kept. None where there are none yet.
    async fn read(&self, topic: &str, from: u64, max: usize) -> Result<Vec<Event>, EventError>;

    /// Returns when an event numbered `from` or higher is there, and the number that the next event will have.
    async fn wait(&self, topic: &str, from: u64) -> Result<u64, EventError>;

    /// The number of the event that the group reads next; 0 where it never committed.
    async fn committed(&self, topic: &str, group: &str) -> Result<u64, EventError>;

    /// Remembers, durably, that the group has done with every event before `next`.
    async fn commit(&self, topic: &str, group: &str, next: u64) -> Result<(), EventError>;
}

/// How long readers that may be a moment behind let events gather: a round of a few events costs as much as one of many.
pub const GATHERED: Duration = Duration::from_millis(100);

/// At most `max` events from number `from`, as soon as there are some and they had [`GATHERED`] to become more.
pub async fn gathered(log: &dyn EventLog, topic: &str, from: u64, max: usize) -> Result<Vec<Event>, EventError> {
    let next = log.wait(topic, from).await?;
    if next.saturating_sub(from) < max as u64 {
        tokio::time::sleep(GATHERED).await;
    }
    log.read(topic, from, max).await
}

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct EventLogConfig {
    /// Bytes after which a topic begins a new file.
    pub segment_bytes: u64,
    /// Bytes of a topic above which its oldest files are removed. The newest file always stays.
    pub keep_bytes: u64,
}

impl Default for EventLogConfig {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, keep_bytes: 1 << 30 }
    }
}

/// Opens the embedded log in `folder`, made where there is none.
pub async fn open(folder: &Path, config: EventLogConfig) -> Result<Events, EventError> {
    let folder = folder.to_owned();
    let opened = tokio::task::spawn_blocking(move || EmbeddedLog::open(&folder, config)).await;
    Ok(Arc::new(opened.map_err(|error| EventError::Io { place: "open".to_owned(), reason: error.to_string() })??))
}

fn checked_name<'a>(kind: &'static str, name: &'a str) -> Result<&'a str, EventError> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(EventError::Name { kind, name: name.chars().take(80).collect() });
    }
    Ok(name)
}

fn io_error(place: &Path, error: &std::io::Error) -> EventError {
    EventError::Io { place: place.display().to_string(), reason: error.to_string() }
}
