//! One topic on disk: its files, where the next event goes, and reading back.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::segment::{RecordError, read_record, record_length, write_record};
use super::{Event, EventError, EventLogConfig, io_error};

/// A place in a file is remembered about every so many bytes.
const INDEX_EVERY: u64 = 64 << 10;
/// Bytes read from a file at once.
const READ: usize = 1 << 20;

/// What readers and the writer both need to know; small enough to clone.
#[derive(Debug, Clone)]
pub struct SegmentIndex {
    pub path: PathBuf,
    // Durable bytes.
    pub length: u64,
    // Numbers of events and where they begin, in order; the first is the file's first event.
    pub marks: Vec<(u64, u64)>,
}

/// The files of a topic by the number of their first event.
pub type Segments = BTreeMap<u64, SegmentIndex>;

/// The writing side. One owner.
#[derive(Debug)]
pub struct TopicWriter {
    folder: PathBuf,
    config: EventLogConfig,
    file: File,
    base: u64,
    next: u64,
    length: u64,
    // Records that are not written yet, and where the index gets marks among them.
    pending: Vec<u8>,
    marks: Vec<(u64, u64)>,
    last_mark: u64,
    // Set when a sync failed: what is on disk is not known any more until the log is opened again.
    failed: Option<EventError>,
}

impl TopicWriter {
    /// Opens a topic, cutting off a record that a crash left half written.
    pub fn open(folder: &Path, config: EventLogConfig) -> Result<(Self, Segments), EventError> {
        let failed = |error: io::Error| io_error(folder, &error);
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(failed)?;
            folder.parent().map_or(Ok(()), sync_folder).map_err(failed)?;
        }
        let mut segments = Segments::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let stem = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse::<u64>().ok());
            let Some(base) = stem.filter(|_| path.extension().is_some_and(|e| e == "log")) else { continue };
            let length = path.metadata().map_err(failed)?.len();
            segments.insert(base, SegmentIndex { path, length, marks: vec![(base, 0)] });
        }
        let base = segments.last_key_value().map_or(0, |(base, _)| *base);
        let path = segments.get(&base).map_or_else(|| segment_path(folder, base), |s| s.path.clone());
        let existed = path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        if !existed {
            sync_folder(folder).map_err(failed)?;
        }
        let (index, next) = scan(&file, &path, base)?;
        if file.metadata().map_err(failed)?.len() > index.length {
            tracing::warn!(file = %path.display(), at = index.length, "cut off a half-written event");
            file.set_len(index.length).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let length = index.length;
        let last_mark = index.marks.last().map_or(0, |(_, at)| *at);
        segments.insert(base, index);
        let (pending, marks) = (Vec::new(), Vec::new());
        let folder = folder.to_owned();
        let writer = Self { folder, config, file, base, next, length, pending, marks, last_mark, failed: None };
        Ok((writer, segments))
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes an event into memory and returns its number.
    pub fn push(&mut self, at_us: i64, key: &str, payload: &[u8]) -> u64 {
        let at = self.length + self.pending.len() as u64;
        if at - self.last_mark >= INDEX_EVERY {
            self.marks.push((self.next, at));
            self.last_mark = at;
        }
        write_record(&mut self.pending, at_us, key, payload);
        self.next += 1;
        self.next - 1
    }

    /// Makes all that was pushed durable and visible in `segments`. On an error none of it is there.
    pub fn commit(&mut self, segments: &std::sync::RwLock<Segments>) -> Result<(), EventError> {
        if let Some(failed) = &self.failed {
            let failed = failed.clone();
            self.drop_pending();
            return Err(failed);
        }
        if let Err(error) = self.file.write_all_at(&self.pending, self.length) {
            self.drop_pending();
            let undone = self.file.set_len(self.length);
            let topic = self.folder.display().to_string();
            if let Err(undone) = undone {
                self.failed = Some(io_error(&self.folder, &undone));
            }
            return Err(match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => EventError::NoSpace { topic },
                _ => EventError::Io { place: topic, reason: error.to_string() },
            });
        }
        if let Err(error) = self.file.sync_data() {
            // The system may have dropped the pages: writing them again would acknowledge what is not there.
            let failed = io_error(&self.folder, &error);
            self.failed = Some(failed.clone());
            return Err(failed);
        }
        self.length += self.pending.len() as u64;
        self.pending.clear();
        {
            let mut segments = segments.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(index) = segments.get_mut(&self.base) {
                index.length = self.length;
                index.marks.append(&mut self.marks);
            }
        }
        if self.length >= self.config.segment_bytes
            && let Err(error) = self.roll(segments)
        {
            // The events are durable; the next commit tries again.
            tracing::warn!(folder = %self.folder.display(), %error, "a new file of events could not be begun");
        }
        Ok(())
    }

    fn drop_pending(&mut self) {
        let mut at = 0;
        let mut dropped = 0;
        while let Some(length) = self.pending.get(at..).and_then(|rest| record_length(rest).ok()) {
            at += length;
            dropped += 1;
        }
        self.next -= dropped;
        self.pending.clear();
        self.marks.clear();
        self.last_mark = self.last_mark.min(self.length);
    }

    fn roll(&mut self, segments: &std::sync::RwLock<Segments>) -> io::Result<()> {
        let path = segment_path(&self.folder, self.next);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        sync_folder(&self.folder)?;
        self.file = file;
        self.base = self.next;
        self.length = 0;
        self.last_mark = 0;
        let mut segments = segments.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        segments.insert(self.base, SegmentIndex { path, length: 0, marks: vec![(self.base, 0)] });
        let mut total: u64 = segments.values().map(|s| s.length).sum();
        while total > self.config.keep_bytes && segments.len() > 1 {
            let Some((_, oldest)) = segments.pop_first() else { break };
            total -= oldest.length;
            // A reader that has it open reads to its end.
            fs::remove_file(&oldest.path)?;
        }
        Ok(())
    }
}

/// Reads at most `max` events from number `from` on out of `segments`.
pub fn read(topic: &str, segments: &Segments, from: u64, max: usize) -> Result<Vec<Event>, EventError> {
    let mut events = Vec::new();
    let first = segments.range(..=from).next_back().or_else(|| segments.iter().next()).map_or(0, |(base, _)| *base);
    for index in segments.range(first..).map(|(_, index)| index) {
        if events.len() >= max {
            break;
        }
        read_segment(topic, index, from, max, &mut events)?;
    }
    Ok(events)
}

fn read_segment(
    topic: &str,
    index: &SegmentIndex,
    from: u64,
    max: usize,
    events: &mut Vec<Event>,
) -> Result<(), EventError> {
    let file = match File::open(&index.path) {
        // Removed since, being the oldest: the next one holds what is left.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(|error| io_error(&index.path, &error))?,
    };
    let mark = index.marks.partition_point(|(offset, _)| *offset <= from).max(1) - 1;
    let (offset, at) = index.marks.get(mark).copied().unwrap_or((from, 0));
    let mut records = Records::new(file, at, index.length, offset).map_err(|error| io_error(&index.path, &error))?;
    while events.len() < max {
        let offset = records.offset;
        match records.next().map_err(|error| io_error(&index.path, &error))? {
            None => break,
            Some(Ok(event)) if event.offset >= from => events.push(event),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let (topic, file) = (topic.to_owned(), index.path.clone());
                return Err(EventError::Damaged { topic, offset, file, reason: error.to_string() });
            }
        }
    }
    Ok(())
}

/// Finds how far a file is whole: its index up to there, and the number after its last event.
fn scan(file: &File, path: &Path, base: u64) -> Result<(SegmentIndex, u64), EventError> {
    let failed = |error: io::Error| io_error(path, &error);
    let length = file.metadata().map_err(failed)?.len();
    let mut records = Records::new(file.try_clone().map_err(failed)?, 0, length, base).map_err(failed)?;
    let mut marks = vec![(base, 0)];
    loop {
        let (offset, at) = (records.offset, records.at);
        match records.next().map_err(failed)? {
            Some(Ok(_)) => {
                if at - marks.last().map_or(0, |(_, at)| *at) >= INDEX_EVERY {
                    marks.push((offset, at));
                }
            }
            None | Some(Err(_)) => {
                return Ok((SegmentIndex { path: path.to_owned(), length: at, marks }, offset));
            }
        }
    }
}

/// The records of a file between two places.
struct Records {
    file: File,
    buffer: Vec<u8>,
    // Where the next record begins in the buffer, and in the file.
    start: usize,
    at: u64,
    end: u64,
    offset: u64,
}

impl Records {
    fn new(mut file: File, at: u64, end: u64, offset: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, buffer: Vec::new(), start: 0, at, end, offset })
    }

    fn next(&mut self) -> io::Result<Option<Result<Event, RecordError>>> {
        if self.at >= self.end {
            return Ok(None);
        }
        loop {
            match read_record(&self.buffer[self.start..], self.offset) {
                Ok((event, length)) => {
                    self.start += length;
                    self.at += length as u64;
                    self.offset += 1;
                    return Ok(Some(Ok(event)));
                }
                Err(RecordError::Torn) => {
                    self.buffer.drain(..self.start);
                    self.start = 0;
                    let ahead = self.at + self.buffer.len() as u64;
                    let most = (READ as u64).min(self.end.saturating_sub(ahead));
                    if (&mut self.file).take(most).read_to_end(&mut self.buffer)? == 0 {
                        return Ok(Some(Err(RecordError::Torn)));
                    }
                }
                Err(wrong) => return Ok(Some(Err(wrong))),
            }
        }
    }
}

fn segment_path(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.log"))
}

pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
