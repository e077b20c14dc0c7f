//! A catalogue as JSON, whole: an array of `{"person": {…}}` and `{"title": {…}}`, each on a line of its own.
//!
//! An import also takes one such object a line without the array. Keys are the contract's in camel case, times are by
//! RFC 3339. What a title's object does not name stays as it is. What the catalogue itself decides (`revision`,
//! `version`, `durationUs`, `publishedAt`, `createdAt`, `artworks`) is exported and not taken in.

use matinee_contracts::catalog as contract;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::csv::{time, written};
use super::elements::each;
use super::{Entry, Field, Patch, Problem, Reading, What};
use crate::details::Kind;

/// Keys of what the catalogue decides.
const NOT_TAKEN: [&str; 6] = ["revision", "version", "durationUs", "publishedAt", "createdAt", "artworks"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[derive(Default)]
struct CreditJson {
    #[serde(skip_serializing_if = "String::is_empty")]
    person: String,
    name: String,
    job: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    character: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingJson {
    territory: String,
    system: String,
    label: String,
    age: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsJson {
    language: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowJson {
    territory: String,
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// Reads such a file.
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Vec<Problem>> {
    let mut reading = Reading::default();
    each(body, &mut reading, |reading, line, element| {
        let before = reading.problems.len();
        let Value::Object(element) = element else {
            return reading.refuse(line, "", "it is not an object with a title or a person");
        };
        for (key, value) in element {
            match (key.as_str(), value) {
                ("title", Value::Object(fields)) => {
                    let patch = title(line, fields, reading);
                    if reading.problems.len() == before {
                        reading.take(line, What::Title(patch));
                    }
                }
                ("person", Value::Object(fields)) => {
                    let person = person(line, fields, reading);
                    if reading.problems.len() == before {
                        reading.take(line, What::Person(person));
                    }
                }
                ("title" | "person", _) => reading.refuse(line, key, "it is not an object"),
                _ => reading.refuse(line, shortened(&key), "only a title or a person is taken"),
            }
        }
    });
    reading.done()
}

fn title(line: u32, fields: Map<String, Value>, reading: &mut Reading) -> Patch {
    let (mut title, mut said) = (contract::Title::default(), Vec::new());
    for (key, value) in fields {
        if key == "id" {
            match value.as_str() {
                Some(id) => id.clone_into(&mut title.id),
                None => reading.refuse(line, key, "it is not a text"),
            }
            continue;
        }
        if NOT_TAKEN.contains(&key.as_str()) {
            continue;
        }
        let Some(field) = Field::ALL.into_iter().find(|field| camel(field.name()) == key) else {
            reading.refuse(line, shortened(&key), "a title has no such field");
            continue;
        };
        match set(field, value, &mut title) {
            Ok(()) => said.push(field),
            Err(reason) => reading.refuse(line, key, reason),
        }
    }
    Patch { title, fields: said, of_new: Vec::new() }
}

fn person(line: u32, fields: Map<String, Value>, reading: &mut Reading) -> contract::Person {
    let mut person = contract::Person::default();
    for (key, value) in fields {
        let text = match key.as_str() {
            "id" => &mut person.id,
            "name" => &mut person.name,
            "biography" => &mut person.biography,
            "born" => &mut person.born,
            "revision" => continue,
            _ => {
                reading.refuse(line, shortened(&key), "a person has no such field");
                continue;
            }
        };
        match value {
            Value::String(value) => *text = value,
            _ => reading.refuse(line, key, "it is not a text"),
        }
    }
    person
}

fn set(field: Field, value: Value, title: &mut contract::Title) -> Result<(), String> {
    match field {
        Field::Kind => {
            let kind: String = taken(value)?;
            title.kind = Kind::parse(&kind).ok_or("it is none of movie, series and episode")?.told().into();
        }
        Field::Series => title.series = taken(value)?,
        Field::Season => title.season = taken(value)?,
        Field::Episode => title.episode = taken(value)?,
        Field::Name => title.name = taken(value)?,
        Field::OriginalName => title.original_name = taken(value)?,
        Field::Description => title.description = taken(value)?,
        Field::Credits => title.credits = taken(value)?,
        Field::License => title.license = taken(value)?,
        Field::Artwork => title.artwork = taken(value)?,
        Field::Year => title.year = taken(value)?,
        Field::Genres => title.genres = taken(value)?,
        Field::People => {
            let people: Vec<CreditJson> = taken(value)?;
            let credit =
                |CreditJson { person, name, job, character }| contract::Credit { person, name, job, character };
            title.people = people.into_iter().map(credit).collect();
        }
        Field::MaturityAge => title.maturity_age = taken(value)?,
        Field::Ratings => {
            let ratings: Vec<RatingJson> = taken(value)?;
            let rating = |RatingJson { territory, system, label, age }| contract::MaturityRating {
                territory,
                system,
                label,
                age,
            };
            title.ratings = ratings.into_iter().map(rating).collect();
        }
        Field::OriginalLanguage => title.original_language = taken(value)?,
        Field::AudioLanguages => title.audio_languages = taken(value)?,
        Field::SubtitleLanguages => title.subtitle_languages = taken(value)?,
        Field::Localized => {
            let localized: Vec<WordsJson> = taken(value)?;
            let words =
                |WordsJson { language, name, description }| contract::LocalizedWords { language, name, description };
            title.localized = localized.into_iter().map(words).collect();
        }
        Field::Windows => {
            let windows: Vec<WindowJson> = taken(value)?;
            let window = |WindowJson { territory, from, until }| {
                let until_us = until.map_or(Ok(0), |until| time(&until))?;
                Ok(contract::LicenceWindow { territory, from_us: time(&from)?, until_us })
            };
            title.windows = windows.into_iter().map(window).collect::<Result<_, String>>()?;
        }
        Field::IntroStart => title.intro_start_us = taken(value)?,
        Field::IntroEnd => title.intro_end_us = taken(value)?,
        Field::CreditsStart => title.credits_start_us = taken(value)?,
    }
    Ok(())
}

/// A value of that shape, or why it is none.
fn taken<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string().chars().take(200).collect())
}

/// `original_name` as `originalName`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

fn shortened(key: &str) -> String {
    key.chars().take(40).collect()
}

/// Writes such a file, as an array.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        Self(b"[".to_vec())
    }

    /// One person.
    pub fn person(&mut self, person: &contract::Person) {
        self.element(&json!({"person": {
            "id": person.id,
            "name": person.name,
            "biography": person.biography,
            "born": person.born,
            "revision": person.revision,
        }}));
    }

    /// One title.
    pub fn title(&mut self, title: &contract::Title) {
        let mut fields = Map::new();
        fields.insert("id".to_owned(), title.id.clone().into());
        for field in Field::ALL {
            let is_place = matches!(field, Field::Series | Field::Season | Field::Episode);
            if is_place && title.series.is_empty() {
                continue;
            }
            fields.insert(camel(field.name()), value(field, title));
        }
        fields.insert("revision".to_owned(), title.revision.into());
        fields.insert("createdAt".to_owned(), written(title.created_us).into());
        if !title.version.is_empty() {
            fields.insert("version".to_owned(), title.version.clone().into());
            fields.insert("durationUs".to_owned(), title.duration_us.into());
        }
        if title.published_us > 0 {
            fields.insert("publishedAt".to_owned(), written(title.published_us).into());
        }
        fields.insert("artworks".to_owned(), title.artworks.iter().map(artwork).collect());
        self.element(&json!({"title": fields}));
    }

    fn element(&mut self, element: &Value) {
        self.0.extend_from_slice(if self.0.len() > 1 { b",\n" } else { b"\n" });
        self.0.extend_from_slice(element.to_string().as_bytes());
    }

    /// How long it is so far, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// The file.
    #[must_use]
    pub fn done(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\n]\n");
        self.0
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

fn value(field: Field, title: &contract::Title) -> Value {
    match field {
        Field::Kind => Kind::heard(title.kind).unwrap_or_default().as_str().into(),
        Field::Series => title.series.clone().into(),
        Field::Season => title.season.into(),
        Field::Episode => title.episode.into(),
        Field::Name => title.name.clone().into(),
        Field::OriginalName => title.original_name.clone().into(),
        Field::Description => title.description.clone().into(),
        Field::Credits => title.credits.clone().into(),
        Field::License => title.license.clone().into(),
        Field::Artwork => title.artwork.clone().into(),
        Field::Year => title.year.into(),
        Field::Genres => title.genres.clone().into(),
        Field::People => list(title.people.iter().cloned(), |contract::Credit { person, name, job, character }| {
            CreditJson { person, name, job, character }
        }),
        Field::MaturityAge => title.maturity_age.into(),
        Field::Ratings => {
            list(title.ratings.iter().cloned(), |contract::MaturityRating { territory, system, label, age }| {
                RatingJson { territory, system, label, age }
            })
        }
        Field::OriginalLanguage => title.original_language.clone().into(),
        Field::AudioLanguages => title.audio_languages.clone().into(),
        Field::SubtitleLanguages => title.subtitle_languages.clone().into(),
        Field::Localized => {
            list(title.localized.iter().cloned(), |contract::LocalizedWords { language, name, description }| {
                WordsJson { language, name, description }
            })
        }
        Field::Windows => list(title.windows.iter().cloned(), |window| WindowJson {
            territory: window.territory,
            from: jiff::Timestamp::from_microsecond(window.from_us).unwrap_or_default().to_string(),
            until: Some(written(window.until_us)).filter(|until| !until.is_empty()),
        }),
        Field::IntroStart => title.intro_start_us.into(),
        Field::IntroEnd => title.intro_end_us.into(),
        Field::CreditsStart => title.credits_start_us.into(),
    }
}

fn list<A, B: Serialize>(items: impl Iterator<Item = A>, shape: impl Fn(A) -> B) -> Value {
    // Texts and numbers always become JSON.
    items.map(|item| serde_json::to_value(shape(item)).unwrap_or_default()).collect()
}

fn artwork(artwork: &contract::Artwork) -> Value {
    let files: Value = artwork
        .files
        .iter()
        .map(|f| json!({"object": f.object, "format": f.format, "width": f.width, "height": f.height, "size": f.size}))
        .collect();
    json!({
        "kind": artwork.kind,
        "language": artwork.language,
        "width": artwork.width,
        "height": artwork.height,
        "blake3": artwork.blake3,
        "colour": artwork.colour,
        "files": files,
    })
}
