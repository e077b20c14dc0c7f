//! What is said about a title beyond its words: what it is, who made it, for whom it is, where and when it may be watched.

use std::collections::HashSet;

use matinee_contracts::catalog as contract;
use matinee_contracts::catalog::{Credit, LicenceWindow, LocalizedWords, MaturityRating};
use matinee_model::genre;
use matinee_model::ids::PersonId;
use matinee_model::language::Language;
use matinee_model::territory::{Reach, Territory};
use prost::Message;

use crate::error::{CatalogError, refused};
pub use crate::kind::{Kind, Place};
use crate::text::{line, said, shortened, text};
use crate::title::{MOST_NAME, MOST_TEXT, title_id};

const MOST_GENRES: usize = 10;
const MOST_PEOPLE: usize = 200;
const MOST_LANGUAGES: usize = 100;
const MOST_RATINGS: usize = 300;
/// The most licence windows of a title.
pub const MOST_WINDOWS: usize = 1_000;
const MOST_JOB: usize = 40;
const MOST_LABEL: usize = 20;
const MOST_SEASON: u32 = 1_000;
const MOST_EPISODE: u32 = 10_000;
const MOST_AGE: u32 = 21;
/// From the first films on, and as far as somebody may plan.
const YEARS: std::ops::RangeInclusive<u32> = 1870..=2200;
/// A week, in microseconds.
const MOST_MARKER_US: u64 = 7 * 24 * 3600 * 1_000_000;
/// The beginning of the year 9999: what a time in a file or an answer can hold.
const LAST_US: i64 = 253_370_764_800_000_000;

/// The details of a title, checked. Kept in the contract's own form: answering with them changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    kind: Kind,
    place: Option<Place>,
    /// No field is set but those that are details.
    message: contract::Title,
}

impl Default for Details {
    fn default() -> Self {
        let message = contract::Title { kind: Kind::Movie.told().into(), ..contract::Title::default() };
        Self { kind: Kind::Movie, place: None, message }
    }
}

impl Details {
    /// Takes the details of what a caller says; the rest of it is left aside.
    ///
    /// Languages and territories are brought into their usual spelling.
    pub fn parse(title: contract::Title) -> Result<Self, CatalogError> {
        let kind = Kind::heard(title.kind)?;
        let place = place(kind, &title)?;
        line("original_name", &title.original_name, MOST_NAME)?;
        if title.year != 0 && !YEARS.contains(&title.year) {
            let (first, last) = (YEARS.start(), YEARS.end());
            return Err(refused("year", format!("{} is neither 0 nor from {first} to {last}", title.year)));
        }
        if title.maturity_age > MOST_AGE {
            return Err(refused("maturity_age", format!("{} is more than {MOST_AGE} years", title.maturity_age)));
        }
        markers(&title)?;
        let original_language = match title.original_language.as_str() {
            "" => String::new(),
            tag => language("original_language".to_owned(), tag)?,
        };
        let message = contract::Title {
            kind: kind.told().into(),
            series: title.series,
            season: title.season,
            episode: title.episode,
            original_name: title.original_name,
            year: title.year,
            genres: genres(title.genres)?,
            people: people(title.people)?,
            maturity_age: title.maturity_age,
            ratings: ratings(title.ratings)?,
            original_language,
            audio_languages: languages("audio_languages", &title.audio_languages)?,
            subtitle_languages: languages("subtitle_languages", &title.subtitle_languages)?,
            localized: localized(title.localized)?,
            windows: windows(title.windows)?,
            intro_start_us: title.intro_start_us,
            intro_end_us: title.intro_end_us,
            credits_start_us: title.credits_start_us,
            ..contract::Title::default()
        };
        Ok(Self { kind, place, message })
    }

    /// Those that were stored by [`Details::stored`]; they were checked then.
    pub(crate) fn restore(bytes: &[u8]) -> Result<Self, String> {
        let message = contract::Title::decode(bytes).map_err(|error| error.to_string())?;
        let kind = Kind::heard(message.kind).map_err(|error| error.to_string())?;
        let place = place(kind, &message).map_err(|error| error.to_string())?;
        Ok(Self { kind, place, message })
    }

    /// For [`Details::restore`].
    pub(crate) fn stored(&self) -> Vec<u8> {
        self.message.encode_to_vec()
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where an episode stands; nothing of another kind.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The details alone, in the contract's form.
    #[must_use]
    pub fn message(&self) -> &contract::Title {
        &self.message
    }

    /// The same with other licence windows, which [`windows`] took.
    #[must_use]
    pub fn with_windows(&self, windows: Vec<LicenceWindow>) -> Self {
        let mut details = self.clone();
        details.message.windows = windows;
        details
    }

    /// Those who are credited, to be named as the catalogue knows them.
    pub(crate) fn people_mut(&mut self) -> &mut [Credit] {
        &mut self.message.people
    }
}

fn place(kind: Kind, title: &contract::Title) -> Result<Option<Place>, CatalogError> {
    if kind != Kind::Episode {
        for (field, given) in
            [("series", !title.series.is_empty()), ("season", title.season > 0), ("episode", title.episode > 0)]
        {
            if given {
                return Err(refused(field, format!("a {} has none", kind.as_str())));
            }
        }
        return Ok(None);
    }
    if title.series.is_empty() {
        return Err(refused("series", "an episode needs one"));
    }
    let series = title_id("series", &title.series)?;
    if title.season > MOST_SEASON {
        return Err(refused("season", format!("{} is more than {MOST_SEASON}", title.season)));
    }
    if !(1..=MOST_EPISODE).contains(&title.episode) {
        return Err(refused("episode", format!("{} is not from 1 to {MOST_EPISODE}", title.episode)));
    }
    Ok(Some(Place { series, season: title.season, episode: title.episode }))
}

fn markers(title: &contract::Title) -> Result<(), CatalogError> {
    let (start, end, credits) = (title.intro_start_us, title.intro_end_us, title.credits_start_us);
    if end > MOST_MARKER_US || (end > 0 && end <= start) || (end == 0 && start > 0) {
        return Err(refused("intro_end_us", format!("{end} is not after the opening's start at {start}")));
    }
    if credits > MOST_MARKER_US || (credits > 0 && credits < end) {
        return Err(refused("credits_start_us", format!("{credits} is not after the opening's end at {end}")));
    }
    Ok(())
}

/// Refuses more than `most` of a field.
fn at_most(field: &str, count: usize, most: usize) -> Result<(), CatalogError> {
    if count > most {
        return Err(refused(field, format!("there are {count}, at most {most} are taken")));
    }
    Ok(())
}

fn language(field: String, tag: &str) -> Result<String, CatalogError> {
    Language::parse(tag).map(String::from).map_err(|error| refused(field, error.to_string()))
}

fn languages(field: &str, tags: &[String]) -> Result<Vec<String>, CatalogError> {
    at_most(field, tags.len(), MOST_LANGUAGES)?;
    let mut taken = Vec::with_capacity(tags.len());
    for (i, tag) in tags.iter().enumerate() {
        let language = language(format!("{field}[{i}]"), tag)?;
        // Somebody who names a language twice has still said it.
        if !taken.contains(&language) {
            taken.push(language);
        }
    }
    Ok(taken)
}

fn genres(slugs: Vec<String>) -> Result<Vec<String>, CatalogError> {
    at_most("genres", slugs.len(), MOST_GENRES)?;
    let mut taken = Vec::with_capacity(slugs.len());
    for (i, slug) in slugs.into_iter().enumerate() {
        if !genre::is_slug(&slug) {
            let reason = format!("{:?} is not a slug such as science-fiction", shortened(&slug));
            return Err(refused(format!("genres[{i}]"), reason));
        }
        if !taken.contains(&slug) {
            taken.push(slug);
        }
    }
    Ok(taken)
}

fn people(credits: Vec<Credit>) -> Result<Vec<Credit>, CatalogError> {
    at_most("people", credits.len(), MOST_PEOPLE)?;
    for (i, credit) in credits.iter().enumerate() {
        let field = |name: &str| format!("people[{i}].{name}");
        if !credit.person.is_empty() {
            PersonId::parse(&credit.person).map_err(|error| refused(field("person"), error.to_string()))?;
        }
        match credit.name.as_str() {
            "" if credit.person.is_empty() => {
                return Err(refused(field("name"), "neither a person nor a name is told"));
            }
            "" => {}
            name => said(&field("name"), name, MOST_NAME)?,
        }
        said(&field("job"), &credit.job, MOST_JOB)?;
        line(&field("character"), &credit.character, MOST_NAME)?;
    }
    Ok(credits)
}

fn ratings(ratings: Vec<MaturityRating>) -> Result<Vec<MaturityRating>, CatalogError> {
    at_most("ratings", ratings.len(), MOST_RATINGS)?;
    let mut seen = HashSet::new();
    let mut taken = Vec::with_capacity(ratings.len());
    for (i, rating) in ratings.into_iter().enumerate() {
        let field = |name: &str| format!("ratings[{i}].{name}");
        let territory = Territory::parse(&rating.territory).map_err(|e| refused(field("territory"), e.to_string()))?;
        said(&field("system"), &rating.system, MOST_LABEL)?;
        said(&field("label"), &rating.label, MOST_LABEL)?;
        if rating.age > MOST_AGE {
            return Err(refused(field("age"), format!("{} is more than {MOST_AGE} years", rating.age)));
        }
        if !seen.insert((territory, rating.system.clone())) {
            return Err(refused(field("system"), format!("{} has one by {} already", territory, rating.system)));
        }
        taken.push(MaturityRating { territory: territory.into(), ..rating });
    }
    Ok(taken)
}

fn localized(words: Vec<LocalizedWords>) -> Result<Vec<LocalizedWords>, CatalogError> {
    at_most("localized", words.len(), MOST_LANGUAGES)?;
    let mut seen = HashSet::new();
    let mut taken = Vec::with_capacity(words.len());
    for (i, words) in words.into_iter().enumerate() {
        let field = |name: &str| format!("localized[{i}].{name}");
        let language = language(field("language"), &words.language)?;
        line(&field("name"), &words.name, MOST_NAME)?;
        text(&field("description"), &words.description, MOST_TEXT)?;
        if words.name.is_empty() && words.description.is_empty() {
            return Err(refused(field("name"), "neither a name nor a description is told"));
        }
        if !seen.insert(language.clone()) {
            return Err(refused(field("language"), format!("{language} is there already")));
        }
        taken.push(LocalizedWords { language, ..words });
    }
    Ok(taken)
}

/// Takes licence windows: each from before until, in a territory or everywhere. They may overlap; the same one twice is
/// one.
pub fn windows(windows: Vec<LicenceWindow>) -> Result<Vec<LicenceWindow>, CatalogError> {
    at_most("windows", windows.len(), MOST_WINDOWS)?;
    let mut seen = HashSet::new();
    let mut taken = Vec::with_capacity(windows.len());
    for (i, window) in windows.into_iter().enumerate() {
        let field = |name: &str| format!("windows[{i}].{name}");
        let reach = Reach::parse(&window.territory).map_err(|error| refused(field("territory"), error.to_string()))?;
        let (from, until) = (window.from_us, window.until_us);
        if !(0..=LAST_US).contains(&from) {
            return Err(refused(field("from_us"), format!("{from} is not between the years 1970 and 9999")));
        }
        if !(0..=LAST_US).contains(&until) || (until > 0 && until <= from) {
            return Err(refused(field("until_us"), format!("{until} is neither 0 nor later than the window's start")));
        }
        if seen.insert((reach, from, until)) {
            taken.push(LicenceWindow { territory: reach.to_string(), from_us: from, until_us: until });
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::TitleKind;

    use super::*;

    fn why(change: impl FnOnce(&mut contract::Title)) -> String {
        let mut title = contract::Title::default();
        change(&mut title);
        Details::parse(title).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
    }

    #[test]
    fn an_episode_has_a_place_and_nothing_else_has() {
        let episode = |season, number| {
            move |t: &mut contract::Title| {
                (t.kind, t.series) = (TitleKind::Episode.into(), "show".to_owned());
                (t.season, t.episode) = (season, number);
            }
        };
        assert_eq!(why(episode(0, 1)), "taken", "a special");
        assert!(why(episode(1, 0)).starts_with("episode is refused: 0"));
        assert!(why(episode(1_001, 1)).starts_with("season is refused"));
        assert!(why(|t| t.kind = TitleKind::Episode.into()).starts_with("series is refused: an episode needs one"));
        assert_eq!(why(|t| t.series = "show".to_owned()), "series is refused: a movie has none");
        assert!(why(|t| t.kind = 9).starts_with("kind is refused"));
    }

    #[test]
    fn markers_follow_each_other() {
        let marked = |start, end, credits| {
            why(move |t| (t.intro_start_us, t.intro_end_us, t.credits_start_us) = (start, end, credits))
        };
        assert_eq!(marked(0, 5, 9), "taken");
        assert_eq!(marked(0, 0, 9), "taken");
        assert!(marked(5, 5, 0).starts_with("intro_end_us is refused"));
        assert!(marked(5, 0, 0).starts_with("intro_end_us is refused"));
        assert!(marked(1, 5, 4).starts_with("credits_start_us is refused"));
        assert!(marked(0, 0, u64::MAX).starts_with("credits_start_us is refused"));
    }

    #[test]
    fn spellings_are_made_one_and_doubles_are_dropped() {
        let title = contract::Title {
            audio_languages: ["EN", "pt-br", "en"].map(str::to_owned).to_vec(),
            genres: ["drama", "drama"].map(str::to_owned).to_vec(),
            windows: vec![LicenceWindow { territory: "de".to_owned(), from_us: 1, until_us: 2 }; 2],
            ..contract::Title::default()
        };
        let details = Details::parse(title).unwrap();
        let message = details.message();
        assert_eq!(message.audio_languages, ["en", "pt-BR"]);
        assert_eq!((message.genres.len(), message.windows.len()), (1, 1));
        assert_eq!(message.windows[0].territory, "DE");
        assert_eq!(Details::restore(&details.stored()).unwrap(), details);
        assert_eq!(Details::parse(message.clone()).unwrap(), details, "what was taken is taken again");
    }
}
