//! From the event log into files, each event exactly once.
//!
//! What is durable is told by the files' names: a topic goes on after the highest number that one of them holds (or that
//! was committed, where the last events were none that could be read). A file is written whole and at once, and only
//! then is its place committed; a process that dies in between finds the file and goes on after it. So the same event is
//! never in two files, and none is left out. One process of an installation writes.

use std::time::Duration;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use matinee_engines::events::{Event, Events};
use matinee_engines::objects::ObjectStorage;
use parquet::arrow::ArrowWriter;
use tokio::time::Instant;

use crate::columns::Topic;
use crate::error::LakeError;
use crate::file;
use crate::place::{FOLDER, Place, day_of};

/// Our name among the topics' readers.
pub const GROUP: &str = "lake";
/// Events that are read at once.
pub const AT_ONCE: usize = 4096;
/// Rows and encoded bytes at which a file is full.
const MOST_ROWS: u64 = 500_000;
const MOST_BYTES: usize = 32 << 20;

/// A file that is being made.
struct Open {
    day: String,
    first: u64,
    last: u64,
    rows: u64,
    writer: ArrowWriter<Vec<u8>>,
    /// When it is written, full or not.
    due: Instant,
}

/// The writer of one topic.
pub struct Writer {
    topic: Topic,
    log: Events,
    objects: ObjectStorage,
    seal_after: Duration,
    // The event that is read next; nothing until that was looked up.
    next: Option<u64>,
    open: Option<Open>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("topic", &self.topic).field("next", &self.next).finish_non_exhaustive()
    }
}

/// Joins the runs of events of one day.
fn by_day(events: Vec<Event>) -> Vec<(String, Vec<Event>)> {
    let mut days: Vec<(String, Vec<Event>)> = Vec::new();
    for event in events {
        let day = day_of(event.at_us);
        match days.last_mut() {
            Some((last, its)) if *last == day => its.push(event),
            _ => days.push((day, vec![event])),
        }
    }
    days
}

impl Writer {
    /// Of a topic; a file is written when it is full or this old.
    #[must_use]
    pub fn new(topic: Topic, log: Events, objects: ObjectStorage, seal_after: Duration) -> Self {
        Self { topic, log, objects, seal_after, next: None, open: None }
    }

    /// The event that is read next.
    pub async fn next(&mut self) -> Result<u64, LakeError> {
        if let Some(next) = self.next {
            return Ok(next);
        }
        let committed = self.log.committed(self.topic.name(), GROUP).await?;
        let files = self.objects.list(&format!("{FOLDER}/{}", self.topic.name())).await?;
        let written = files.iter().filter_map(|object| Place::parse(object)).map(|place| place.last + 1).max();
        let next = committed.max(written.unwrap_or(0));
        self.next = Some(next);
        Ok(next)
    }

    /// When what is being made is to be written.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.due)
    }

    /// Reads at most one batch of events, and writes what is full or due. Says how many events it read, and how many
    /// rows became durable.
    ///
    /// On a failure all that is not durable is dropped, to be read again. Once begun it must be waited for, unless the
    /// writer is given up with it.
    pub async fn step(&mut self) -> Result<(usize, u64), LakeError> {
        let done = self.try_step().await;
        if done.is_err() {
            (self.next, self.open) = (None, None);
        }
        done
    }

    async fn try_step(&mut self) -> Result<(usize, u64), LakeError> {
        let mut durable = 0;
        if self.due().is_some_and(|due| Instant::now() >= due) {
            durable += self.try_seal().await?;
        }
        let next = self.next().await?;
        let events = self.log.read(self.topic.name(), next, AT_ONCE).await?;
        let count = events.len();
        for (day, events) in by_day(events) {
            if self.open.as_ref().is_some_and(|open| open.day != day) {
                durable += self.try_seal().await?;
            }
            self.push(day, events).await?;
            if self.open.as_ref().is_some_and(full) {
                durable += self.try_seal().await?;
            }
        }
        Ok((count, durable))
    }

    async fn push(&mut self, day: String, events: Vec<Event>) -> Result<(), LakeError> {
        let (Some(first), Some(last)) = (events.first().map(|e| e.offset), events.last().map(|e| e.offset)) else {
            return Ok(());
        };
        let (topic, due, open) = (self.topic, Instant::now() + self.seal_after, self.open.take());
        let pushed = tokio::task::spawn_blocking(move || {
            let batch: RecordBatch = topic.rows(&events)?;
            let encode = |error: parquet::errors::ParquetError| LakeError::Encode {
                topic: topic.name(),
                reason: error.to_string(),
            };
            let mut open = match open {
                Some(open) => open,
                None => {
                    let writer = file::writer(Vec::new(), batch.schema()).map_err(encode)?;
                    Open { day, first, last, rows: 0, writer, due }
                }
            };
            open.writer.write(&batch).map_err(encode)?;
            open.last = last;
            open.rows += batch.num_rows() as u64;
            Ok::<_, LakeError>(open)
        });
        self.open = Some(pushed.await??);
        self.next = Some(last + 1);
        Ok(())
    }

    /// Writes what is being made, full or not; returns when it is on disk, and says how many rows that are.
    pub async fn seal(&mut self) -> Result<u64, LakeError> {
        let done = self.try_seal().await;
        if done.is_err() {
            (self.next, self.open) = (None, None);
        }
        done
    }

    async fn try_seal(&mut self) -> Result<u64, LakeError> {
        let Some(open) = self.open.take() else { return Ok(0) };
        let Open { day, first, last, rows, writer, .. } = open;
        let topic = self.topic;
        // Of events that none could read there is no file, only their place.
        if rows > 0 {
            let bytes = tokio::task::spawn_blocking(move || writer.into_inner()).await?;
            let bytes = bytes.map_err(|error| LakeError::Encode { topic: topic.name(), reason: error.to_string() })?;
            let place = Place { topic, day, first, last };
            put(&self.objects, &place, bytes.into()).await?;
        }
        self.log.commit(topic.name(), GROUP, last + 1).await?;
        Ok(rows)
    }
}

#[tracing::instrument(level = "info", name = "store.lake.put", skip_all)]
async fn put(objects: &ObjectStorage, place: &Place, bytes: Bytes) -> Result<(), LakeError> {
    objects.put(&place.object(), bytes).await?;
    Ok(())
}

fn full(open: &Open) -> bool {
    open.rows >= MOST_ROWS || open.writer.bytes_written() + open.writer.in_progress_size() >= MOST_BYTES
}
