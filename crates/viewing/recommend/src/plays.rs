//! What the lake knows of who watched what: one interest a profile and shown title.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::profile::{Reached, Thumb, interest};
use crate::titles::Titles;

/// Rows that are read at once.
const ROWS: usize = 8192;

/// What was heard of a profile and a title.
#[derive(Debug, Clone, Copy)]
struct Heard {
    reached: Reached,
    thumb: Thumb,
    said_us: i64,
}

/// Gathers plays from the lake's files, in any order, up to a bound.
#[derive(Debug)]
pub struct Gathered {
    most: usize,
    profiles: HashMap<String, u32>,
    // Profile and shown title's number.
    pairs: HashMap<(u32, u32), Heard>,
}

/// Interests, ready to be learnt from: profiles and titles are numbered from 0.
#[derive(Debug, Default)]
pub struct Plays {
    /// Of each profile: titles (places in `titles`) and interests.
    pub profiles: Vec<Vec<(u32, f32)>>,
    /// The shown titles' numbers.
    pub titles: Vec<u32>,
}

impl Gathered {
    /// At most so many pairs of a profile and a title.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, profiles: HashMap::new(), pairs: HashMap::new() }
    }

    /// Whether there is no room for new pairs.
    #[must_use]
    pub fn full(&self) -> bool {
        self.pairs.len() >= self.most
    }

    /// Reads a file of topic "heartbeats". Titles that are not in the catalogue are passed over.
    pub fn heartbeats(&mut self, file: &Path, titles: &Titles) -> Result<(), String> {
        each(file, &["profile", "title", "position_us", "duration_us"], |batch| {
            let (profile, title) = (text(batch, "profile")?, text(batch, "title")?);
            let (position, duration) = (number(batch, "position_us")?, number(batch, "duration_us")?);
            for row in 0..batch.num_rows() {
                let natural = |value: i64| u64::try_from(value).unwrap_or(0);
                let reached = Reached::of(natural(position.value(row)), natural(duration.value(row)));
                if reached > Reached::Glanced {
                    self.add(titles, profile.value(row), title.value(row), |heard| {
                        heard.reached = heard.reached.max(reached)
                    });
                }
            }
            Ok(())
        })
    }

    /// Reads a file of topic "ratings".
    pub fn ratings(&mut self, file: &Path, titles: &Titles) -> Result<(), String> {
        each(file, &["profile", "title", "thumb", "at"], |batch| {
            let (profile, title, thumb) = (text(batch, "profile")?, text(batch, "title")?, text(batch, "thumb")?);
            let at = time(batch, "at")?;
            for row in 0..batch.num_rows() {
                let said = match thumb.value(row) {
                    "down" => Thumb::Down,
                    "up" => Thumb::Up,
                    "love" => Thumb::Love,
                    _ => Thumb::None,
                };
                let at_us = at(row);
                self.add(titles, profile.value(row), title.value(row), |heard| {
                    if (at_us, said) > (heard.said_us, heard.thumb) {
                        (heard.said_us, heard.thumb) = (at_us, said);
                    }
                });
            }
            Ok(())
        })
    }

    fn add(&mut self, titles: &Titles, profile: &str, title: &str, change: impl Fn(&mut Heard)) {
        let Some(title) = titles.number(title).map(|number| titles.shown(number)) else { return };
        let full = self.full();
        let profile = match self.profiles.get(profile) {
            Some(number) => *number,
            None if full => return,
            None => {
                let number = self.profiles.len() as u32;
                self.profiles.insert(profile.to_owned(), number);
                number
            }
        };
        let nothing = Heard { reached: Reached::Glanced, thumb: Thumb::None, said_us: i64::MIN };
        match self.pairs.entry((profile, title)) {
            std::collections::hash_map::Entry::Occupied(mut entry) => change(entry.get_mut()),
            std::collections::hash_map::Entry::Vacant(entry) if !full => change(entry.insert(nothing)),
            std::collections::hash_map::Entry::Vacant(_) => {}
        }
    }

    /// The interests. Profiles come in an order of their names' hash, the same each time, so that a share of them is a
    /// sample.
    #[must_use]
    pub fn plays(self) -> Plays {
        let mut names: Vec<(blake3::Hash, u32)> =
            self.profiles.iter().map(|(name, number)| (blake3::hash(name.as_bytes()), *number)).collect();
        names.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let mut places = vec![0_usize; names.len()];
        for (place, (_, number)) in names.iter().enumerate() {
            places[*number as usize] = place;
        }
        let known = |(pair, heard): (&(u32, u32), &Heard)| Some((*pair, interest(heard.reached, heard.thumb)?));
        let pairs: Vec<((u32, u32), f32)> = self.pairs.iter().filter_map(known).collect();
        let mut titles: Vec<u32> = pairs.iter().map(|((_, title), _)| *title).collect();
        titles.sort_unstable();
        titles.dedup();
        let mut profiles = vec![Vec::new(); names.len()];
        for ((profile, title), interest) in pairs {
            if let Ok(column) = titles.binary_search(&title) {
                profiles[places[profile as usize]].push((column as u32, interest));
            }
        }
        profiles.retain(|its: &Vec<(u32, f32)>| !its.is_empty());
        profiles.iter_mut().for_each(|its| its.sort_unstable_by_key(|(column, _)| *column));
        Plays { profiles, titles }
    }
}

/// Hands a file's rows to `take`, with these columns only.
fn each(file: &Path, columns: &[&str], mut take: impl FnMut(&RecordBatch) -> Result<(), String>) -> Result<(), String> {
    let file = File::open(file).map_err(|error| error.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build().map_err(|error| error.to_string())?;
    for batch in reader {
        take(&batch.map_err(|error| error.to_string())?)?;
    }
    Ok(())
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array, String> {
    batch.column_by_name(name).map(|column| &**column).ok_or_else(|| format!("it has no column {name}"))
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b arrow::array::StringArray, String> {
    column(batch, name)?.as_string_opt::<i32>().ok_or_else(|| format!("column {name} is no text"))
}

fn number<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b arrow::array::Int64Array, String> {
    column(batch, name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| format!("column {name} is no 64-bit integer"))
}

/// Microseconds since 1970 of a row.
fn time<'b>(batch: &'b RecordBatch, name: &str) -> Result<impl Fn(usize) -> i64 + use<'b>, String> {
    let its = column(batch, name)?.as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>();
    let its = its.ok_or_else(|| format!("column {name} is no time in microseconds"))?;
    Ok(|row| its.value(row))
}
