//! A catalogue as a table (RFC 4180, UTF-8): one title a row, its fields by the names in the head.
//!
//! Columns may be missing and in any order, but `id` must be there: what has no column stays as it is, what has an empty
//! cell becomes empty. A title that is new needs a `name`.
//!
//! | column | holds |
//! |---|---|
//! | `id` | the title's id |
//! | `kind` | `movie`, `series` or `episode` |
//! | `series`, `season`, `episode` | the place of an episode |
//! | `name`, `original_name`, `description`, `credits`, `license`, `artwork` | texts |
//! | `year`, `maturity_age` | numbers |
//! | `genres`, `audio_languages`, `subtitle_languages` | slugs or languages, divided by `\|` |
//! | `original_language` | a language |
//! | `people` | `person;name;job;character`, divided by `\|`; who is not there yet is made |
//! | `ratings` | `territory;system;label;age`, divided by `\|` |
//! | `localized` | `language;name;description`, divided by `\|` |
//! | `windows` | `territory;from;until` by RFC 3339, divided by `\|`; without until: open |
//! | `intro_start_us`, `intro_end_us`, `credits_start_us` | microseconds |
//!
//! `\` stands before a `|`, `;` or `\` that is meant as it stands. A cell that a spreadsheet would take for a formula is
//! written with a `'` before it, which is taken away again.

use csv::{ByteRecord, ReaderBuilder};
use matinee_contracts::catalog as contract;

use super::pieces::{guarded, join, split, unguarded};
use super::{Entry, Field, Patch, Problem, Reading, What};
use crate::details::Kind;

/// Reads a table; see the columns above.
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Vec<Problem>> {
    let mut reading = Reading::default();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut record = ByteRecord::new();
    let columns = match rows.read_byte_record(&mut record) {
        Ok(true) => columns(&record, &mut reading),
        Ok(false) => None,
        Err(error) => {
            reading.refuse(1, "", error.to_string());
            None
        }
    };
    let Some(columns) = columns else {
        reading.refuse(1, "id", "the head names no column id");
        return reading.done();
    };
    while reading.goes_on() {
        match rows.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().map_or(0, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
                row(line, &record, &columns, &mut reading);
            }
            Err(error) => {
                let line = error.position().map_or(0, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
                reading.refuse(line, "", error.to_string());
                break;
            }
        }
    }
    reading.done()
}

/// What each column holds: the id where there is no field. Nothing where there is no id.
fn columns(head: &ByteRecord, reading: &mut Reading) -> Option<Vec<Option<Field>>> {
    let mut columns = Vec::with_capacity(head.len());
    for cell in head {
        let name = String::from_utf8_lossy(cell);
        let column = match name.trim() {
            "id" => Some(None),
            name => Field::ALL.into_iter().find(|field| field.name() == name).map(Some),
        };
        match column {
            Some(column) if columns.contains(&column) => {
                reading.refuse(1, name.trim(), "the head names it twice");
            }
            Some(column) => columns.push(column),
            None => {
                let name: String = name.trim().chars().take(40).collect();
                reading.refuse(1, name, "the catalogue has no such column");
            }
        }
    }
    columns.contains(&None).then_some(columns)
}

fn row(line: u32, record: &ByteRecord, columns: &[Option<Field>], reading: &mut Reading) {
    if record.len() != columns.len() {
        let reason = format!("the row has {} cells, the head {}", record.len(), columns.len());
        return reading.refuse(line, "", reason);
    }
    let (mut title, before) = (contract::Title::default(), reading.problems.len());
    for (cell, column) in record.iter().zip(columns) {
        let name = column.map_or("id", Field::name);
        let Ok(cell) = std::str::from_utf8(cell) else {
            reading.refuse(line, name, "it is not UTF-8");
            continue;
        };
        let cell = unguarded(cell);
        let taken = match column {
            None => {
                title.id = cell.to_owned();
                Ok(())
            }
            Some(field) => set(*field, cell, &mut title),
        };
        if let Err(reason) = taken {
            reading.refuse(line, name, reason);
        }
    }
    if reading.problems.len() == before {
        let fields = columns.iter().copied().flatten().collect();
        reading.take(line, What::Title(Patch { title, fields, of_new: Vec::new() }));
    }
}

fn set(field: Field, cell: &str, title: &mut contract::Title) -> Result<(), String> {
    match field {
        Field::Kind => {
            let kind = if cell.is_empty() { Some(Kind::Movie) } else { Kind::parse(cell) };
            title.kind = kind.ok_or("it is none of movie, series and episode")?.told().into();
        }
        Field::Series => cell.clone_into(&mut title.series),
        Field::Season => title.season = number(cell)?,
        Field::Episode => title.episode = number(cell)?,
        Field::Name => cell.clone_into(&mut title.name),
        Field::OriginalName => cell.clone_into(&mut title.original_name),
        Field::Description => cell.clone_into(&mut title.description),
        Field::Credits => cell.clone_into(&mut title.credits),
        Field::License => cell.clone_into(&mut title.license),
        Field::Artwork => cell.clone_into(&mut title.artwork),
        Field::Year => title.year = number(cell)?,
        Field::Genres => title.genres = singles(cell)?,
        Field::People => {
            title.people =
                each(cell, |[person, name, job, character]| Ok(contract::Credit { person, name, job, character }))?;
        }
        Field::MaturityAge => title.maturity_age = number(cell)?,
        Field::Ratings => {
            title.ratings = each(cell, |[territory, system, label, age]| {
                Ok(contract::MaturityRating { territory, system, label, age: number(&age)? })
            })?;
        }
        Field::OriginalLanguage => cell.clone_into(&mut title.original_language),
        Field::AudioLanguages => title.audio_languages = singles(cell)?,
        Field::SubtitleLanguages => title.subtitle_languages = singles(cell)?,
        Field::Localized => {
            title.localized = each(cell, |[language, name, description]| {
                Ok(contract::LocalizedWords { language, name, description })
            })?;
        }
        Field::Windows => {
            title.windows = each(cell, |[territory, from, until]| {
                let until_us = if until.is_empty() { 0 } else { time(&until)? };
                Ok(contract::LicenceWindow { territory, from_us: time(&from)?, until_us })
            })?;
        }
        Field::IntroStart => title.intro_start_us = number(cell)?,
        Field::IntroEnd => title.intro_end_us = number(cell)?,
        Field::CreditsStart => title.credits_start_us = number(cell)?,
    }
    Ok(())
}

/// Writes a table of all columns.
#[derive(Debug)]
pub struct Writer(csv::Writer<Vec<u8>>);

impl Writer {
    /// With its head.
    #[must_use]
    pub fn new() -> Self {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = std::iter::once("id").chain(Field::ALL.iter().map(|field| field.name()));
        // Writing into memory does not fail, and every row has as many cells as the head.
        let _ = writer.write_record(head);
        Self(writer)
    }

    /// One row.
    pub fn title(&mut self, title: &contract::Title) {
        let cells = std::iter::once(title.id.clone()).chain(Field::ALL.iter().map(|field| cell(*field, title)));
        let _ = self.0.write_record(cells.map(guarded));
    }

    /// About how long it is so far, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.get_ref().len()
    }

    /// The table.
    #[must_use]
    pub fn done(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

fn cell(field: Field, title: &contract::Title) -> String {
    let count = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let singles = |texts: &[String]| join(texts.iter().map(|text| vec![text.as_str()]));
    match field {
        Field::Kind => Kind::heard(title.kind).unwrap_or_default().as_str().to_owned(),
        Field::Series => title.series.clone(),
        // The specials' season is 0, and told.
        Field::Season if title.series.is_empty() => String::new(),
        Field::Season => title.season.to_string(),
        Field::Episode => count(title.episode.into()),
        Field::Name => title.name.clone(),
        Field::OriginalName => title.original_name.clone(),
        Field::Description => title.description.clone(),
        Field::Credits => title.credits.clone(),
        Field::License => title.license.clone(),
        Field::Artwork => title.artwork.clone(),
        Field::Year => count(title.year.into()),
        Field::Genres => singles(&title.genres),
        Field::People => join(title.people.iter().map(|c| vec![c.person.as_str(), &c.name, &c.job, &c.character])),
        Field::MaturityAge => count(title.maturity_age.into()),
        Field::Ratings => {
            let ages: Vec<String> = title.ratings.iter().map(|rating| rating.age.to_string()).collect();
            let rows = title.ratings.iter().zip(&ages);
            join(rows.map(|(r, age)| vec![r.territory.as_str(), &r.system, &r.label, age]))
        }
        Field::OriginalLanguage => title.original_language.clone(),
        Field::AudioLanguages => singles(&title.audio_languages),
        Field::SubtitleLanguages => singles(&title.subtitle_languages),
        Field::Localized => join(title.localized.iter().map(|w| vec![w.language.as_str(), &w.name, &w.description])),
        Field::Windows => {
            let times = |window: &contract::LicenceWindow| (written(window.from_us), written(window.until_us));
            let times: Vec<_> = title.windows.iter().map(times).collect();
            let rows = title.windows.iter().zip(&times);
            // From the very beginning on is told; only an open end is not.
            let from = |w: &contract::LicenceWindow| w.from_us == 0;
            let zero = "1970-01-01T00:00:00Z";
            join(rows.map(|(w, (start, end))| vec![w.territory.as_str(), if from(w) { zero } else { start }, end]))
        }
        Field::IntroStart => count(title.intro_start_us),
        Field::IntroEnd => count(title.intro_end_us),
        Field::CreditsStart => count(title.credits_start_us),
    }
}

fn number<N: std::str::FromStr + Default>(cell: &str) -> Result<N, String> {
    match cell.trim() {
        "" => Ok(N::default()),
        text => text.parse().map_err(|_| format!("{:?} is not a number that is taken", shortened(text))),
    }
}

fn singles(cell: &str) -> Result<Vec<String>, String> {
    each(cell, |[single]| Ok(single))
}

/// Items of exactly `N` parts.
fn each<const N: usize, T>(cell: &str, make: impl Fn([String; N]) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut made = Vec::new();
    for (i, parts) in split(cell)?.into_iter().enumerate() {
        let count = parts.len();
        let parts = parts.try_into().map_err(|_| format!("item {} has {count} parts divided by ;, not {N}", i + 1))?;
        made.push(make(parts)?);
    }
    Ok(made)
}

/// Microseconds since 1970 of a time by RFC 3339.
pub(super) fn time(text: &str) -> Result<i64, String> {
    let time: Result<jiff::Timestamp, _> = text.trim().parse();
    time.map(jiff::Timestamp::as_microsecond)
        .map_err(|_| format!("{:?} is not a time such as 2026-11-25T00:00:00Z", shortened(text)))
}

/// A time by RFC 3339; nothing of 0.
pub(super) fn written(us: i64) -> String {
    match jiff::Timestamp::from_microsecond(us) {
        Ok(time) if us != 0 => time.to_string(),
        _ => String::new(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
