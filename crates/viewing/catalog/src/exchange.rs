//! Whole catalogues, in and out: [`csv`] for tables, [`json`] for everything, [`tmdb`] for what The Movie Database tells.
//!
//! A file is read into [`Entry`]s, each of which knows its line. An entry says some fields of a title; those that it does
//! not say stay as they are. Nothing here looks at the store: whether a series exists is asked when an entry is taken.

pub mod csv;
mod elements;
pub mod json;
mod pieces;
pub mod tmdb;

use matinee_contracts::catalog as contract;

/// The longest file, in bytes.
pub const MOST_BYTES: usize = 32 << 20;
/// The most titles and people of one.
pub const MOST_ENTRIES: usize = 100_000;
/// The most problems that are told.
pub const MOST_PROBLEMS: usize = 100;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: u32,
    /// Its name in the file's format.
    pub field: String,
    /// What is wrong, and what would be taken.
    pub reason: String,
}

/// One title or person of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it begins, from 1.
    pub line: u32,
    /// What it says.
    pub what: What,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every entry is a title")]
pub enum What {
    /// About a person, all of it.
    Person(contract::Person),
    /// About a title.
    Title(Patch),
}

/// Some fields of a title.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// With its id.
    pub title: contract::Title,
    /// Which of them are said.
    pub fields: Vec<Field>,
    /// Which of them are said of a title that is new only.
    pub of_new: Vec<Field>,
}

/// A field of a title that an import may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are named as in the contract")]
pub enum Field {
    Kind,
    Series,
    Season,
    Episode,
    Name,
    OriginalName,
    Description,
    Credits,
    License,
    Artwork,
    Year,
    Genres,
    People,
    MaturityAge,
    Ratings,
    OriginalLanguage,
    AudioLanguages,
    SubtitleLanguages,
    Localized,
    Windows,
    IntroStart,
    IntroEnd,
    CreditsStart,
}

impl Field {
    /// All of them, in the order in which they are exported.
    pub const ALL: [Self; 23] = [
        Self::Kind,
        Self::Series,
        Self::Season,
        Self::Episode,
        Self::Name,
        Self::OriginalName,
        Self::Description,
        Self::Credits,
        Self::License,
        Self::Artwork,
        Self::Year,
        Self::Genres,
        Self::People,
        Self::MaturityAge,
        Self::Ratings,
        Self::OriginalLanguage,
        Self::AudioLanguages,
        Self::SubtitleLanguages,
        Self::Localized,
        Self::Windows,
        Self::IntroStart,
        Self::IntroEnd,
        Self::CreditsStart,
    ];

    /// As the contract and the table's head name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Series => "series",
            Self::Season => "season",
            Self::Episode => "episode",
            Self::Name => "name",
            Self::OriginalName => "original_name",
            Self::Description => "description",
            Self::Credits => "credits",
            Self::License => "license",
            Self::Artwork => "artwork",
            Self::Year => "year",
            Self::Genres => "genres",
            Self::People => "people",
            Self::MaturityAge => "maturity_age",
            Self::Ratings => "ratings",
            Self::OriginalLanguage => "original_language",
            Self::AudioLanguages => "audio_languages",
            Self::SubtitleLanguages => "subtitle_languages",
            Self::Localized => "localized",
            Self::Windows => "windows",
            Self::IntroStart => "intro_start_us",
            Self::IntroEnd => "intro_end_us",
            Self::CreditsStart => "credits_start_us",
        }
    }

    /// Moves the field out of one title into another.
    fn carry(self, from: &mut contract::Title, into: &mut contract::Title) {
        use std::mem::swap;
        match self {
            Self::Kind => swap(&mut from.kind, &mut into.kind),
            Self::Series => swap(&mut from.series, &mut into.series),
            Self::Season => swap(&mut from.season, &mut into.season),
            Self::Episode => swap(&mut from.episode, &mut into.episode),
            Self::Name => swap(&mut from.name, &mut into.name),
            Self::OriginalName => swap(&mut from.original_name, &mut into.original_name),
            Self::Description => swap(&mut from.description, &mut into.description),
            Self::Credits => swap(&mut from.credits, &mut into.credits),
            Self::License => swap(&mut from.license, &mut into.license),
            Self::Artwork => swap(&mut from.artwork, &mut into.artwork),
            Self::Year => swap(&mut from.year, &mut into.year),
            Self::Genres => swap(&mut from.genres, &mut into.genres),
            Self::People => swap(&mut from.people, &mut into.people),
            Self::MaturityAge => swap(&mut from.maturity_age, &mut into.maturity_age),
            Self::Ratings => swap(&mut from.ratings, &mut into.ratings),
            Self::OriginalLanguage => swap(&mut from.original_language, &mut into.original_language),
            Self::AudioLanguages => swap(&mut from.audio_languages, &mut into.audio_languages),
            Self::SubtitleLanguages => swap(&mut from.subtitle_languages, &mut into.subtitle_languages),
            Self::Localized => swap(&mut from.localized, &mut into.localized),
            Self::Windows => swap(&mut from.windows, &mut into.windows),
            Self::IntroStart => swap(&mut from.intro_start_us, &mut into.intro_start_us),
            Self::IntroEnd => swap(&mut from.intro_end_us, &mut into.intro_end_us),
            Self::CreditsStart => swap(&mut from.credits_start_us, &mut into.credits_start_us),
        }
    }
}

impl Patch {
    /// The title as it is with this: over the one that is there, or a new one.
    #[must_use]
    pub fn over(self, before: Option<contract::Title>) -> contract::Title {
        let Self { mut title, mut fields, of_new } = self;
        let mut after = before.unwrap_or_else(|| {
            let unsaid: Vec<Field> = of_new.into_iter().filter(|field| !fields.contains(field)).collect();
            fields.extend(unsaid);
            contract::Title { id: title.id.clone(), ..contract::Title::default() }
        });
        for field in fields {
            field.carry(&mut title, &mut after);
        }
        after
    }
}

/// The formats by their names in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table of titles.
    Csv,
    /// Titles and people, whole.
    Json,
    /// What The Movie Database tells of films and series.
    Tmdb,
}

impl Format {
    /// `csv`, `json` or `tmdb`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "tmdb" => Some(Self::Tmdb),
            _ => None,
        }
    }

    /// Reads a file of at most [`MOST_BYTES`] bytes; or says what is wrong with it, at most [`MOST_PROBLEMS`] things.
    pub fn read(self, body: &[u8]) -> Result<Vec<Entry>, Vec<Problem>> {
        match self {
            Self::Csv => csv::read(body),
            Self::Json => json::read(body),
            Self::Tmdb => tmdb::read(body),
        }
    }
}

/// What was read so far, and what is wrong with it.
#[derive(Debug, Default)]
struct Reading {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reading {
    /// Whether there is room for more.
    fn goes_on(&self) -> bool {
        self.problems.len() < MOST_PROBLEMS
    }

    fn take(&mut self, line: u32, what: What) {
        if self.entries.len() >= MOST_ENTRIES {
            self.refuse(line, "", format!("there are more than {MOST_ENTRIES} titles and people"));
            return;
        }
        self.entries.push(Entry { line, what });
    }

    fn refuse(&mut self, line: u32, field: impl Into<String>, reason: impl Into<String>) {
        if self.goes_on() {
            self.problems.push(Problem { line, field: field.into(), reason: reason.into() });
        }
    }

    fn done(self) -> Result<Vec<Entry>, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.entries) } else { Err(self.problems) }
    }
}
