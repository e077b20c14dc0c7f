//! One index: documents on disk, and the table of their titles in memory, which change together.
//!
//! How far the catalogue's events were read stands in the commit of what they changed, so that after any end of the
//! process none is lost and none is taken twice.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use matinee_contracts::catalog::Title;
use prost::Message;
use tantivy::indexer::LogMergePolicy;
use tantivy::schema::Value;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, SegmentReader, TantivyDocument};

use crate::document::{Fields, SLOT, schema};
use crate::entry::Entry;
use crate::error::SearchError;
use crate::table::{Slot, Table};

/// Of documents that are deleted.
pub const NOWHERE: Slot = Slot::MAX;
/// Bytes of documents that are gathered before they are written.
const GATHERED: usize = 32 << 20;
/// Small segments are joined when there are so many; each costs every search a little.
const SEGMENTS: usize = 4;
/// Documents up to which a segment is a small one.
const SMALL: u32 = 1_000;

/// What becomes of a title.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is so from then on.
    Put(Box<Title>),
    /// It is gone.
    Delete(String),
}

/// What searches read.
#[derive(Debug)]
pub struct View {
    /// The documents.
    pub searcher: Searcher,
    /// For each of its segments, the slot of each document's title.
    pub slots: Vec<Arc<[Slot]>>,
    /// The titles.
    pub table: Table,
    /// The event to read next.
    pub next: u64,
}

/// An index.
pub struct Live {
    name: String,
    folder: PathBuf,
    /// Its fields.
    pub fields: Fields,
    index: Index,
    reader: IndexReader,
    writing: Mutex<Writing>,
    view: RwLock<View>,
}

/// What is written and not yet committed.
#[derive(Default)]
struct Writing {
    // None until something is written, and again after a failure.
    writer: Option<IndexWriter>,
    // Titles by slot, in the order in which they changed.
    staged: Vec<(Slot, Option<Entry>)>,
    // Of titles that are staged, where they stand and their revision.
    known: HashMap<String, (Slot, u64)>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Live {
    /// Makes an empty one in `folder`, which must not be there yet.
    pub fn create(name: &str, folder: &Path) -> Result<Self, SearchError> {
        std::fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
        let (schema, fields) = schema();
        let index = Index::create_in_dir(folder, schema)?;
        Self::of(name, folder, index, fields)
    }

    /// Opens the one in `folder`. Fails where anything of it is missing or not as it was written.
    pub fn open(name: &str, folder: &Path) -> Result<Self, SearchError> {
        let damaged = |reason: String| SearchError::Damaged { index: name.to_owned(), reason };
        let index = Index::open_in_dir(folder)?;
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err(damaged("it has other fields".to_owned()));
        }
        if let Some(file) = index.validate_checksum()?.into_iter().next() {
            return Err(damaged(format!("{} is not as it was written", file.display())));
        }
        let live = Self::of(name, folder, index, fields)?;
        let payload = live.index.load_metas()?.payload;
        // Without a place it was never whole.
        let next = payload.as_deref().and_then(|place| place.parse().ok());
        let next = next.ok_or_else(|| damaged(format!("its place in the log is {payload:?}")))?;
        {
            let mut view = live.view.write().unwrap_or_else(PoisonError::into_inner);
            view.next = next;
            let mut entries = Vec::new();
            for (segment, slots) in view.searcher.segment_readers().iter().zip(&view.slots) {
                let store = segment.get_store_reader(8).map_err(SearchError::io(folder))?;
                for doc in segment.doc_ids_alive() {
                    let document: TantivyDocument = store.get(doc)?;
                    let bytes = document.get_first(fields.kept).and_then(|value| value.as_bytes()).unwrap_or_default();
                    let title = Title::decode(bytes).map_err(|error| damaged(error.to_string()))?;
                    let slot = slots.get(doc as usize).copied().unwrap_or(NOWHERE);
                    entries.push((slot, Entry::of(&title).map_err(damaged)?));
                }
            }
            for (slot, entry) in entries {
                view.table.put(slot, entry);
            }
        }
        Ok(live)
    }

    fn of(name: &str, folder: &Path, index: Index, fields: Fields) -> Result<Self, SearchError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let slots = slots(&searcher, None)?;
        let view = RwLock::new(View { searcher, slots, table: Table::default(), next: 0 });
        let (name, folder) = (name.to_owned(), folder.to_owned());
        Ok(Self { name, folder, fields, index, reader, writing: Mutex::default(), view })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What searches read, for as long as it is held.
    pub fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes changes, in their order. They are found and durable after [`Live::commit`].
    ///
    /// A title's older revision does not replace a newer one; a title that can't be read is taken out, which is logged.
    pub fn stage(&self, changes: Vec<Change>) -> Result<(), SearchError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let staged = self.stage_in(&mut writing, changes);
        if staged.is_err() {
            // What was staged is read again by whoever tries again.
            *writing = Writing::default();
        }
        staged
    }

    fn stage_in(&self, writing: &mut Writing, changes: Vec<Change>) -> Result<(), SearchError> {
        let view = self.view();
        let taken: std::collections::HashSet<Slot> = writing.known.values().map(|(slot, _)| *slot).collect();
        let mut vacant = view.table.vacant().filter(move |slot| !taken.contains(slot));
        for change in changes {
            let id = match &change {
                Change::Put(title) => &title.id,
                Change::Delete(id) => id,
            };
            let stands = || Some((view.table.slot(id)?, view.table.entry(view.table.slot(id)?)?.revision));
            let known = writing.known.get(id).copied().or_else(stands);
            let (slot, entry) = match &change {
                Change::Put(title) if known.is_some_and(|(_, revision)| title.revision < revision) => continue,
                Change::Put(title) => {
                    let warned = |error: &String| tracing::warn!(title = title.id, error, "this title can't be found");
                    let slot = known.map(|(slot, _)| slot).or_else(|| vacant.next()).unwrap_or(NOWHERE);
                    (slot, Entry::of(title).inspect_err(warned).ok())
                }
                Change::Delete(_) => match known {
                    Some((slot, _)) => (slot, None),
                    None => continue,
                },
            };
            // One that was deleted and is there again begins to count anew.
            let revision = entry.as_ref().map_or(0, |entry| entry.revision);
            writing.known.insert(id.clone(), (slot, revision));
            let writer = self.writer(&mut writing.writer)?;
            writer.delete_term(self.fields.term(id));
            if let (Change::Put(title), Some(entry)) = (&change, &entry) {
                writer.add_document(self.fields.document(slot, title, entry))?;
            }
            writing.staged.push((slot, entry));
        }
        Ok(())
    }

    fn writer<'a>(&self, writer: &'a mut Option<IndexWriter>) -> Result<&'a mut IndexWriter, SearchError> {
        if writer.is_none() {
            let new: IndexWriter = self.index.writer_with_num_threads(1, GATHERED)?;
            let mut policy = LogMergePolicy::default();
            policy.set_min_num_segments(SEGMENTS);
            policy.set_min_layer_size(SMALL);
            new.set_merge_policy(Box::new(policy));
            *writer = Some(new);
        }
        writer.as_mut().ok_or(SearchError::NotReady)
    }

    /// Makes what was staged durable, with the place `next` in the log of events, and shows it to searches.
    pub fn commit(&self, next: u64) -> Result<(), SearchError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let committed = self.commit_in(&mut writing, next);
        if committed.is_err() {
            *writing = Writing::default();
        }
        committed
    }

    fn commit_in(&self, writing: &mut Writing, next: u64) -> Result<(), SearchError> {
        let mut commit = self.writer(&mut writing.writer)?.prepare_commit()?;
        commit.set_payload(&next.to_string());
        commit.commit()?;
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let slots = slots(&searcher, Some(&self.view()))?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        for (slot, entry) in writing.staged.drain(..) {
            match entry {
                Some(entry) => view.table.put(slot, entry),
                None => view.table.remove(slot),
            }
        }
        writing.known.clear();
        (view.searcher, view.slots, view.next) = (searcher, slots, next);
        Ok(())
    }

    /// Stops writing; its folder may go then.
    pub fn close(&self) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = Writing::default();
    }
}

/// The slots of each segment's documents; of segments that are as they were in `before`, those of then.
fn slots(searcher: &Searcher, before: Option<&View>) -> Result<Vec<Arc<[Slot]>>, SearchError> {
    let same = |a: &SegmentReader, b: &SegmentReader| {
        a.segment_id() == b.segment_id() && a.delete_opstamp() == b.delete_opstamp()
    };
    let mut all = Vec::new();
    for segment in searcher.segment_readers() {
        let known = before.and_then(|view| {
            let at = view.searcher.segment_readers().iter().position(|other| same(segment, other))?;
            view.slots.get(at).cloned()
        });
        all.push(match known {
            Some(slots) => slots,
            None => segment_slots(segment)?,
        });
    }
    Ok(all)
}

fn segment_slots(segment: &SegmentReader) -> Result<Arc<[Slot]>, SearchError> {
    let column = segment.fast_fields().u64(SLOT)?;
    let slot = |doc| {
        let found = column.first(doc).filter(|_| !segment.is_deleted(doc));
        found.and_then(|slot| Slot::try_from(slot).ok()).unwrap_or(NOWHERE)
    };
    Ok((0..segment.max_doc()).map(slot).collect())
}
