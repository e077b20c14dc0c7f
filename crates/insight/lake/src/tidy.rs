//! Making few files of many, and taking out the rows of those who were deleted.
//!
//! **Merging.** Files of a day that lie beside each other and are small become one, whose name spans theirs; those it
//! was made of go in the next round, so that who reads them just now can end. A process that dies in between leaves a
//! file that is covered (see [`crate::place`]): it counts for nothing and goes as well.
//!
//! **Erasing.** Rows are taken out, not disguised: what a profile watched when, even under another name, can be its own.
//! Each file that holds a row of a deleted account or profile is written anew without it, under the same name, so that
//! the numbers stay. Deletions are read from the lake's own topic "accounts", whose rows of deletion stay as the proof
//! (an id and a time). A deletion is applied in each round until it was applied a day after it happened, for heartbeats
//! that were on their way; `lake/erased` remembers how far that is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use matinee_engines::objects::{LocalFile, ObjectError, ObjectStorage};
use parquet::errors::ParquetError;
use serde::{Deserialize, Serialize};

use crate::columns::{DELETED, Topic};
use crate::error::LakeError;
use crate::file;
use crate::place::{FOLDER, Place, day_of, sorted_out};

/// Bytes of a merged file at most.
const MERGED: u64 = 128 << 20;
/// Small files of the day that is not over that are worth merging.
const WORTH: usize = 8;
/// How far deletions were applied.
const ERASED: &str = "lake/erased";
/// How long after it a deletion is applied again.
const SETTLED_US: i64 = 24 * 3_600_000_000;

/// Who is gone.
#[derive(Debug, Default)]
struct Gone {
    accounts: HashSet<String>,
    profiles: HashSet<String>,
    // The event after the last that need not be applied again.
    settled: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Erased {
    // The number of the first event of "accounts" that is to be looked at.
    next: u64,
}

/// The files of the lake.
#[derive(Debug, Clone)]
pub struct Files(ObjectStorage);

fn damaged(object: &str, reason: impl ToString) -> LakeError {
    LakeError::Damaged { object: object.to_owned(), reason: reason.to_string() }
}

impl Files {
    /// On this store.
    #[must_use]
    pub fn new(objects: ObjectStorage) -> Self {
        Self(objects)
    }

    /// The files of a topic, and those that they cover.
    #[tracing::instrument(level = "info", name = "store.lake.list", skip_all)]
    pub async fn list(&self, topic: Topic) -> Result<(Vec<Place>, Vec<Place>), LakeError> {
        let objects = self.0.list(&format!("{FOLDER}/{}", topic.name())).await?;
        Ok(sorted_out(objects.iter().filter_map(|object| Place::parse(object)).collect()))
    }

    /// A file's bytes; nothing where it is gone.
    pub async fn size(&self, place: &Place) -> Result<Option<u64>, LakeError> {
        Ok(self.0.size(&place.object()).await?)
    }

    /// A file's rows.
    #[tracing::instrument(level = "info", name = "store.lake.rows", skip_all)]
    pub async fn rows(&self, place: &Place) -> Result<u64, LakeError> {
        Ok(self.shape(place).await?.2)
    }

    async fn shape(&self, place: &Place) -> Result<(LocalFile, SchemaRef, u64), LakeError> {
        let object = place.object();
        let local = self.0.local_file(&object).await?;
        let read = tokio::task::spawn_blocking(move || {
            let (schema, rows) = file::shape(&local.path)?;
            Ok::<_, ParquetError>((local, schema, rows))
        });
        read.await?.map_err(|error| damaged(&object, error))
    }

    /// Removes what is covered, and merges what is small. Says how many files were merged.
    pub async fn merge(&self, topic: Topic, now_us: i64) -> Result<usize, LakeError> {
        let (kept, covered) = self.list(topic).await?;
        for place in covered {
            self.0.delete(&place.object()).await?;
        }
        let today = day_of(now_us);
        let mut sized = Vec::new();
        for place in kept {
            if let Some(size) = self.size(&place).await? {
                sized.push((place, size));
            }
        }
        let mut merged = 0;
        for run in runs(sized, &today) {
            merged += run.len();
            self.merge_run(&run).await?;
        }
        Ok(merged)
    }

    async fn merge_run(&self, run: &[Place]) -> Result<(), LakeError> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        let whole = Place { last: last.last, ..first.clone() };
        let mut files = Vec::new();
        let mut columns: Option<SchemaRef> = None;
        for place in run {
            let (local, schema, _) = self.shape(place).await?;
            if columns.get_or_insert_with(|| schema.clone()) != &schema {
                // Written by another version of this program: they stay beside each other.
                return Ok(());
            }
            files.push(local);
        }
        let Some(columns) = columns else { return Ok(()) };
        self.copy(&whole, files, columns, Ok).await?;
        Ok(())
    }

    /// Writes what `keep` leaves of some files as one object. Says how many rows.
    async fn copy(
        &self,
        to: &Place,
        from: Vec<LocalFile>,
        columns: SchemaRef,
        keep: impl FnMut(RecordBatch) -> Result<RecordBatch, ParquetError> + Send + 'static,
    ) -> Result<u64, LakeError> {
        let (object, scratch) = (to.object(), self.0.scratch_path("lake.parquet"));
        let target: PathBuf = scratch.clone();
        let copied = tokio::task::spawn_blocking(move || {
            let paths: Vec<&Path> = from.iter().map(|local| local.path.as_path()).collect();
            file::copy(&paths, &target, columns, keep)
        });
        let rows = match copied.await? {
            Ok(rows) => rows,
            Err(error) => {
                // Nobody could act on a failure here; the scratch folder is emptied at the next start.
                let _ = std::fs::remove_file(&scratch);
                return Err(damaged(&object, error));
            }
        };
        self.0.put_file(&object, &scratch).await?;
        Ok(rows)
    }

    /// Takes out the rows of those who were deleted. Says how many rows.
    pub async fn erase(&self, now_us: i64) -> Result<u64, LakeError> {
        let erased: Erased = match self.0.get(ERASED).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(ERASED, error))?,
            Err(ObjectError::NotFound(_)) => Erased::default(),
            Err(error) => return Err(error.into()),
        };
        let gone = std::sync::Arc::new(self.gone(erased.next, now_us).await?);
        let mut rows = 0;
        if !(gone.accounts.is_empty() && gone.profiles.is_empty()) {
            for topic in Topic::ALL.into_iter().filter(|topic| !topic.owners().is_empty()) {
                let (kept, covered) = self.list(topic).await?;
                for place in covered {
                    self.0.delete(&place.object()).await?;
                }
                for place in kept {
                    rows += self.erase_from(&place, &gone).await?;
                }
            }
        }
        if gone.settled > erased.next {
            let next = serde_json::to_vec(&Erased { next: gone.settled }).unwrap_or_default();
            self.0.put(ERASED, Bytes::from(next)).await?;
        }
        Ok(rows)
    }

    async fn gone(&self, next: u64, now_us: i64) -> Result<Gone, LakeError> {
        let mut gone = Gone { settled: next, ..Gone::default() };
        let mut open = false;
        for place in self.list(Topic::Accounts).await?.0 {
            if place.last < next {
                continue;
            }
            let (object, local) = (place.object(), self.0.local_file(&place.object()).await?);
            let read = tokio::task::spawn_blocking(move || {
                for batch in file::reader(&local.path, None)? {
                    deletions(&batch?, next, now_us, &mut gone, &mut open)?;
                }
                Ok::<_, ParquetError>((gone, open))
            });
            (gone, open) = read.await?.map_err(|error| damaged(&object, error))?;
        }
        Ok(gone)
    }

    async fn erase_from(&self, place: &Place, gone: &std::sync::Arc<Gone>) -> Result<u64, LakeError> {
        let (object, topic) = (place.object(), place.topic);
        let (local, columns, all) = self.shape(place).await?;
        let known = std::sync::Arc::clone(gone);
        let looked = tokio::task::spawn_blocking(move || {
            let mut names = topic.owners().to_vec();
            if topic == Topic::Accounts {
                names.push("what");
            }
            let mut theirs = false;
            for batch in file::reader(&local.path, Some(&names))? {
                theirs |= staying(&batch?, topic, &known)?.false_count() > 0;
            }
            Ok::<_, ParquetError>((local, theirs))
        });
        let (local, theirs) = looked.await?.map_err(|error| damaged(&object, error))?;
        if !theirs {
            return Ok(0);
        }
        let known = std::sync::Arc::clone(gone);
        let keep = move |batch: RecordBatch| Ok(filter_record_batch(&batch, &staying(&batch, topic, &known)?)?);
        let left = self.copy(place, vec![local], columns, keep).await?;
        Ok(all.saturating_sub(left))
    }
}

/// Which rows are of nobody who is gone.
fn staying(batch: &RecordBatch, topic: Topic, gone: &Gone) -> Result<BooleanArray, ParquetError> {
    let column = |name: &str| text(batch, name);
    let account = topic.owners().contains(&"account").then(|| column("account")).transpose()?;
    let profile = topic.owners().contains(&"profile").then(|| column("profile")).transpose()?;
    let what = (topic == Topic::Accounts).then(|| column("what")).transpose()?;
    let stays = |row: usize| {
        // A deletion stays, as the proof of it.
        what.is_some_and(|what| DELETED.contains(&what.value(row)))
            || !(account.is_some_and(|its| gone.accounts.contains(its.value(row)))
                || profile.is_some_and(|its| gone.profiles.contains(its.value(row))))
    };
    Ok(BooleanArray::from_iter((0..batch.num_rows()).map(|row| Some(stays(row)))))
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b arrow::array::StringArray, ParquetError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ParquetError::General(format!("it has no texts {name}")))
}

/// Reads who was deleted, of events from `next` on. `open` says whether a deletion was met that is to be applied again.
fn deletions(
    batch: &RecordBatch,
    next: u64,
    now_us: i64,
    gone: &mut Gone,
    open: &mut bool,
) -> Result<(), ParquetError> {
    let missing = |name: &str| ParquetError::General(format!("it has no {name}"));
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| missing(name));
    let offset = column("offset")?.as_primitive_opt::<Int64Type>().ok_or_else(|| missing("offset"))?;
    let logged = column("logged")?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| missing("logged"))?;
    let profiles = column("profiles")?.as_list_opt::<i32>().ok_or_else(|| missing("profiles"))?;
    let (what, account) = (text(batch, "what")?, text(batch, "account")?);
    for row in 0..batch.num_rows() {
        let number = u64::try_from(offset.value(row)).unwrap_or(0);
        if number < next {
            continue;
        }
        if DELETED.contains(&what.value(row)) {
            if what.value(row) == DELETED[0] {
                gone.accounts.insert(account.value(row).to_owned());
            }
            let its = profiles.value(row);
            let its = its.as_string_opt::<i32>().ok_or_else(|| missing("profiles"))?;
            gone.profiles.extend(its.iter().flatten().map(str::to_owned));
            *open |= logged.value(row) > now_us - SETTLED_US;
        }
        if !*open {
            gone.settled = gone.settled.max(number + 1);
        }
    }
    Ok(())
}

/// The runs of files that are worth merging.
fn runs(sized: Vec<(Place, u64)>, today: &str) -> Vec<Vec<Place>> {
    let mut runs: Vec<(u64, Vec<Place>)> = Vec::new();
    for (place, size) in sized {
        let fits =
            |run: &(u64, Vec<Place>)| run.0 + size <= MERGED && run.1.last().is_some_and(|last| last.day == place.day);
        match runs.last_mut() {
            Some(run) if fits(run) => {
                run.0 += size;
                run.1.push(place);
            }
            _ => runs.push((size, vec![place])),
        }
    }
    let worth = |run: &Vec<Place>| run.len() >= if run[0].day == today { WORTH } else { 2 };
    runs.into_iter().map(|(_, run)| run).filter(worth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(day: &str, first: u64) -> Place {
        Place { topic: Topic::Heartbeats, day: day.to_owned(), first, last: first + 9 }
    }

    #[test]
    fn small_files_of_one_day_are_merged_and_today_waits_for_more() {
        let yesterday = (0..3).map(|n| (place("2026-11-24", n * 10), 1000));
        let today = (3..10).map(|n| (place("2026-11-25", n * 10), 1000));
        let sized: Vec<(Place, u64)> = yesterday.chain(today).collect();
        let found = runs(sized.clone(), "2026-11-25");
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3]);
        assert_eq!(runs(sized, "2026-11-26").iter().map(Vec::len).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn large_files_stay() {
        let sized = (0..4).map(|n| (place("2026-11-24", n * 10), 100 << 20)).collect();
        assert_eq!(runs(sized, "2026-11-25"), Vec::<Vec<Place>>::new());
    }
}
