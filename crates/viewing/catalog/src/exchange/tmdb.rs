//! What The Movie Database tells: the details of films, series and people, with what was appended to them (`credits`,
//! `release_dates`, `content_ratings`, `translations`, `season/1`), or its daily exports.
//!
//! One object, an array, or one object a line. Fields that are not read are left aside. Ids become `tmdb-603`,
//! `tmdb-tv-1396`, `tmdb-tv-1396-s1e2` and, of people, `tmdb-6384`. Texts that are longer than the catalogue takes are
//! cut, and a title that nobody rated is for adults until somebody says otherwise.
//! Source: <https://developer.themoviedb.org/reference/movie-details>.

use std::collections::HashSet;

use matinee_contracts::catalog as contract;
use matinee_model::genre;
use matinee_model::language::Language;
use matinee_model::territory::Territory;
use serde_json::{Map, Value};

use super::elements::each;
use super::{Entry, Field, Patch, Problem, Reading, What};
use crate::certificate;
use crate::details::Kind;

/// The age of what nobody rated.
const UNRATED: u32 = 18;
const MOST_CAST: usize = 100;
const MOST_PEOPLE: usize = 200;
const MOST_GENRES: usize = 10;
const MOST_LOCALIZED: usize = 60;
const MOST_NAME: usize = 200;
const MOST_TEXT: usize = 5_000;
const MOST_LABEL: usize = 20;

/// Jobs that are credited, as the catalogue names them.
const JOBS: [(&str, &str); 11] = [
    ("Director", "director"),
    ("Writer", "writer"),
    ("Screenplay", "writer"),
    ("Story", "story"),
    ("Novel", "novel"),
    ("Producer", "producer"),
    ("Executive Producer", "executive producer"),
    ("Director of Photography", "director of photography"),
    ("Original Music Composer", "composer"),
    ("Editor", "editor"),
    ("Production Design", "production designer"),
];

type Object = Map<String, Value>;

/// Reads such a file.
pub fn read(body: &[u8]) -> Result<Vec<Entry>, Vec<Problem>> {
    let mut reading = Reading::default();
    each(body, &mut reading, |reading, line, element| {
        let Value::Object(object) = element else {
            return reading.refuse(line, "", "it is not an object of a film, a series or a person");
        };
        let has = |field: &str| object.contains_key(field);
        if has("title") || has("original_title") {
            film(line, &object, reading);
        } else if has("original_name") || has("first_air_date") {
            series(line, &object, reading);
        } else if has("name") {
            person(line, &object, reading);
        } else {
            reading.refuse(line, "title", "it is missing: neither a film, a series nor a person is named");
        }
    });
    reading.done()
}

fn film(line: u32, object: &Object, reading: &mut Reading) {
    let Some(id) = id(line, object, reading) else { return };
    let mut said = Sayings::new(format!("tmdb-{id}"), Kind::Movie);
    said.common(object, ["title", "original_title", "release_date"]);
    let dates = results(object, "release_dates");
    let labels = dates.iter().flat_map(|country| {
        let labels = list(country, "release_dates").iter().filter_map(Value::as_object);
        labels.map(|date| (text(country, "iso_3166_1"), text(date, "certification")))
    });
    said.rated(labels, object.contains_key("release_dates"));
    said.take(line, "title", reading);
}

fn series(line: u32, object: &Object, reading: &mut Reading) {
    let Some(id) = id(line, object, reading) else { return };
    let series = format!("tmdb-tv-{id}");
    let mut said = Sayings::new(series.clone(), Kind::Series);
    said.common(object, ["name", "original_name", "first_air_date"]);
    let ratings = results(object, "content_ratings");
    let labels = ratings.iter().map(|country| (text(country, "iso_3166_1"), text(country, "rating")));
    said.rated(labels, object.contains_key("content_ratings"));
    let (age, ratings) = (said.title.maturity_age, said.title.ratings.clone());
    said.take(line, "name", reading);
    let appended = object.iter().filter(|(key, _)| key.starts_with("season/")).filter_map(|(_, v)| v.as_object());
    let inside = list(object, "seasons").iter().filter_map(Value::as_object);
    for season in appended.chain(inside) {
        let number = number(season, "season_number");
        for episode in list(season, "episodes").iter().filter_map(Value::as_object) {
            let season = episode.get("season_number").and_then(Value::as_u64).map_or(number, narrow);
            let place = number_of(episode);
            let mut said = Sayings::new(format!("{series}-s{season}e{place}"), Kind::Episode);
            (said.title.series, said.title.season, said.title.episode) = (series.clone(), season, place);
            said.fields.extend([Field::Series, Field::Season, Field::Episode]);
            said.common(episode, ["name", "original_name", "air_date"]);
            if said.title.name.is_empty() {
                said.title.name = format!("{season}×{place:02}");
                said.fields.push(Field::Name);
            }
            // An episode is for whom its series is.
            (said.title.maturity_age, said.title.ratings) = (age, ratings.clone());
            said.of_new = vec![Field::MaturityAge, Field::Ratings];
            said.take(line, "episodes", reading);
        }
    }
}

fn number_of(episode: &Object) -> u32 {
    number(episode, "episode_number")
}

fn person(line: u32, object: &Object, reading: &mut Reading) {
    let Some(id) = id(line, object, reading) else { return };
    let name = shown(&text(object, "name"), MOST_NAME, Lines::One);
    if name.is_empty() {
        return reading.refuse(line, "name", "it is empty");
    }
    let biography = shown(&text(object, "biography"), MOST_TEXT, Lines::Many);
    let born = Some(text(object, "birthday")).filter(|day| day.parse::<jiff::civil::Date>().is_ok());
    let born = born.unwrap_or_default();
    reading.take(line, What::Person(contract::Person { id: format!("tmdb-{id}"), name, biography, born, revision: 0 }));
}

/// What an object says about a title.
struct Sayings {
    title: contract::Title,
    fields: Vec<Field>,
    of_new: Vec<Field>,
}

impl Sayings {
    fn new(id: String, kind: Kind) -> Self {
        let title =
            contract::Title { id, kind: kind.told().into(), maturity_age: UNRATED, ..contract::Title::default() };
        Self { title, fields: vec![Field::Kind], of_new: vec![Field::MaturityAge] }
    }

    /// What films, series and episodes have, by the names of their name, their original name and their day.
    fn common(&mut self, object: &Object, [name, original_name, day]: [&str; 3]) {
        let original = shown(&text(object, original_name), MOST_NAME, Lines::One);
        let mut named = shown(&text(object, name), MOST_NAME, Lines::One);
        if named.is_empty() {
            named.clone_from(&original);
        }
        if !named.is_empty() {
            (self.title.name, self.title.original_name) = (named, original);
            self.fields.push(Field::Name);
            if object.contains_key(original_name) {
                self.fields.push(Field::OriginalName);
            }
        }
        if object.contains_key("overview") {
            self.title.description = shown(&text(object, "overview"), MOST_TEXT, Lines::Many);
            self.fields.push(Field::Description);
        }
        let year = text(object, day).get(..4).and_then(|year| year.parse().ok());
        if let Some(year) = year.filter(|year| (1870..=2200).contains(year)) {
            self.title.year = year;
            self.fields.push(Field::Year);
        }
        if let Some(language) = language(&text(object, "original_language")) {
            self.title.original_language = language;
            self.fields.push(Field::OriginalLanguage);
        }
        if object.contains_key("genres") {
            let genres = list(object, "genres").iter().filter_map(Value::as_object).filter_map(genre_of);
            self.title.genres = genres.take(MOST_GENRES).collect();
            self.fields.push(Field::Genres);
        }
        self.people(object);
        self.words(object, name);
    }

    fn people(&mut self, object: &Object) {
        let appended = object.get("credits").or_else(|| object.get("aggregate_credits")).and_then(Value::as_object);
        // Of an episode, they stand in it.
        let (cast, crew) = match appended {
            Some(credits) => (list(credits, "cast"), list(credits, "crew")),
            None => (list(object, "guest_stars"), list(object, "crew")),
        };
        let makers = list(object, "created_by");
        if appended.is_none() && cast.is_empty() && crew.is_empty() && makers.is_empty() {
            return;
        }
        let mut people = Vec::new();
        let mut seen = HashSet::new();
        let mut credit = |person: &Value, job: &str, character: String| {
            let Some(person) = person.as_object() else { return };
            let name = shown(&text(person, "name"), MOST_NAME, Lines::One);
            let Some(id) = person.get("id").and_then(Value::as_u64).map(|id| format!("tmdb-{id}")) else { return };
            if !name.is_empty() && people.len() < MOST_PEOPLE && seen.insert((id.clone(), job.to_owned())) {
                people.push(contract::Credit { person: id, name, job: job.to_owned(), character });
            }
        };
        for maker in makers {
            credit(maker, "creator", String::new());
        }
        for person in crew {
            let job = person.as_object().map(|person| text(person, "job")).unwrap_or_default();
            if let Some((_, job)) = JOBS.iter().find(|(known, _)| *known == job) {
                credit(person, job, String::new());
            }
        }
        let mut cast: Vec<_> = cast.iter().collect();
        cast.sort_by_key(|person| person.get("order").and_then(Value::as_u64).unwrap_or(u64::MAX));
        for person in cast.into_iter().take(MOST_CAST) {
            let character = person.get("character").and_then(Value::as_str).unwrap_or_default();
            credit(person, "cast", shown(character, MOST_NAME, Lines::One));
        }
        self.title.people = people;
        self.fields.push(Field::People);
    }

    fn words(&mut self, object: &Object, name: &str) {
        let Some(translations) = object.get("translations").and_then(Value::as_object) else { return };
        let mut seen = HashSet::new();
        for translation in list(translations, "translations").iter().filter_map(Value::as_object) {
            let Some(data) = translation.get("data").and_then(Value::as_object) else { continue };
            let (primary, region) = (text(translation, "iso_639_1"), text(translation, "iso_3166_1"));
            // A language's own country says it for the language: "de" and not "de-DE".
            let plain = language(&primary).filter(|language| !seen.contains(language));
            let Some(language) = plain.or_else(|| language(&format!("{primary}-{region}"))) else { continue };
            let words = contract::LocalizedWords {
                name: shown(&text(data, name), MOST_NAME, Lines::One),
                description: shown(&text(data, "overview"), MOST_TEXT, Lines::Many),
                language: language.clone(),
            };
            let said = !words.name.is_empty() || !words.description.is_empty();
            if said && self.title.localized.len() < MOST_LOCALIZED && seen.insert(language) {
                self.title.localized.push(words);
            }
        }
        self.fields.push(Field::Localized);
    }

    /// By territory and label. Outside of these territories the highest age holds.
    fn rated(&mut self, labels: impl Iterator<Item = (String, String)>, told: bool) {
        if !told {
            return;
        }
        let kind = Kind::heard(self.title.kind).unwrap_or_default();
        let mut seen = HashSet::new();
        for (territory, label) in labels {
            let label = shown(label.trim(), MOST_LABEL, Lines::One);
            let Ok(territory) = Territory::parse(&territory) else { continue };
            let Some((system, age)) = certificate::age(territory, kind, &label) else { continue };
            if seen.insert(territory) {
                let (territory, system) = (territory.into(), system.to_owned());
                self.title.ratings.push(contract::MaturityRating { territory, system, label, age });
            }
        }
        self.fields.push(Field::Ratings);
        if let Some(highest) = self.title.ratings.iter().map(|rating| rating.age).max() {
            self.title.maturity_age = highest;
            self.fields.push(Field::MaturityAge);
        }
    }

    fn take(self, line: u32, field: &str, reading: &mut Reading) {
        if self.title.name.is_empty() {
            return reading.refuse(line, field, "it is missing");
        }
        let Self { title, fields, of_new } = self;
        reading.take(line, What::Title(Patch { title, fields, of_new }));
    }
}

fn id(line: u32, object: &Object, reading: &mut Reading) -> Option<u64> {
    let id = object.get("id").and_then(Value::as_u64);
    if id.is_none() {
        reading.refuse(line, "id", "it is not a number");
    }
    id
}

fn text(object: &Object, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(object: &Object, field: &str) -> u32 {
    object.get(field).and_then(Value::as_u64).map_or(0, narrow)
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn list<'a>(object: &'a Object, field: &str) -> &'a [Value] {
    object.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The objects of an appended field's results.
fn results<'a>(object: &'a Object, field: &str) -> Vec<&'a Object> {
    let appended = object.get(field).and_then(Value::as_object);
    appended.map(|a| list(a, "results").iter().filter_map(Value::as_object).collect()).unwrap_or_default()
}

fn genre_of(object: &Object) -> Option<String> {
    genre::slug(&text(object, "name"))
}

/// Its codes are ISO 639-1, but for two of its own.
fn language(code: &str) -> Option<String> {
    let tag = match code {
        "cn" => "yue",
        "xx" => "zxx",
        code => code,
    };
    Language::parse(tag).ok().map(String::from)
}

/// How many lines a text may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// A text as the catalogue takes it: what can't be shown is left out, what is too long is cut.
fn shown(value: &str, most: usize, lines: Lines) -> String {
    let kept = |c: &char| match c {
        '\n' | '\r' | '\t' => lines == Lines::Many,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    let cut: String = value.trim().chars().filter(kept).take(most).collect();
    cut.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(body: &str) -> Patch {
        match read(body.as_bytes()).unwrap().remove(0).what {
            What::Title(patch) => patch,
            What::Person(person) => panic!("{person:?}"),
        }
    }

    #[test]
    fn what_nobody_rated_is_for_adults_where_it_is_new() {
        let patch = only(r#"{"adult":false,"id":3924,"original_title":"Blondie","popularity":2.4,"video":false}"#);
        assert_eq!(patch.clone().over(None).maturity_age, 18);
        let known = contract::Title { id: "tmdb-3924".to_owned(), maturity_age: 6, ..contract::Title::default() };
        let after = patch.over(Some(known));
        assert_eq!((after.name.as_str(), after.maturity_age), ("Blondie", 6));
    }

    #[test]
    fn texts_are_cut_and_cleaned() {
        let long = "x".repeat(300);
        let patch = only(&format!(r#"{{"id":1,"title":"a\u0007b {long}","overview":"one\ntwo"}}"#));
        assert_eq!(patch.title.name.chars().count(), 200);
        assert!(patch.title.name.starts_with("ab x"));
        assert_eq!(patch.title.description, "one\ntwo");
    }
}
