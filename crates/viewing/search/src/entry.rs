//! What is known of a title while searching: its names, and all that decides whether it is shown.

use matinee_contracts::catalog::{LicenceWindow as Window, Title, TitleKind};
use matinee_model::ids::TitleId;
use matinee_model::licence::LicenceWindow;
use matinee_model::territory::{Reach, Territory};
use prost::Message;

use crate::fold::folded;

/// Words of a name that are looked at.
pub const NAME_WORDS: usize = 30;
/// Credits of a title that are looked at.
const MOST_PEOPLE: usize = 200;

/// One of a title's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// BCP 47, in small letters; empty for the catalogue's own.
    pub language: String,
    /// As it is written.
    pub text: String,
    /// Its words, folded, with one space between them.
    pub folded: String,
    /// The same, letter by letter.
    pub letters: Box<[char]>,
}

/// Somebody who made a title or acts in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Empty where the catalogue has no page of them.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Folded.
    pub folded: String,
}

impl Credit {
    /// By what one person is told from another.
    #[must_use]
    pub fn key(&self) -> &str {
        if self.id.is_empty() { &self.folded } else { &self.id }
    }
}

/// A title.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: TitleId,
    /// What it is.
    pub kind: TitleKind,
    /// The catalogue's count of its changes.
    pub revision: u64,
    /// Its names, the catalogue's own first.
    pub names: Vec<Name>,
    /// Of an episode.
    pub series: String,
    /// 0 where it is not known.
    pub year: u32,
    /// When it was published, in microseconds since 1970; 0 where it is not.
    pub published_us: i64,
    /// Whether a version of it plays.
    pub published: bool,
    /// Where and when it may be watched; none: everywhere, always.
    pub windows: Vec<LicenceWindow>,
    /// From which age on, where no territory says otherwise.
    pub age: u32,
    /// From which age on, by territory.
    pub ages: Vec<(Territory, u32)>,
    /// Slugs.
    pub genres: Vec<String>,
    /// Languages of its sound, BCP 47, in small letters.
    pub audio: Vec<String>,
    /// Who made it.
    pub people: Vec<Credit>,
}

impl Entry {
    /// Of a title as the catalogue has it. Fails where a part that decides whether it is shown can't be read.
    pub fn of(title: &Title) -> Result<Self, String> {
        let id = TitleId::parse(&title.id).map_err(|error| error.to_string())?;
        let windows = title.windows.iter().map(window).collect::<Result<_, _>>()?;
        let rating = |rating: &matinee_contracts::catalog::MaturityRating| {
            let territory = Territory::parse(&rating.territory).map_err(|error| error.to_string())?;
            Ok::<_, String>((territory, rating.age))
        };
        let kind = match title.kind() {
            TitleKind::Unspecified => TitleKind::Movie,
            kind => kind,
        };
        let people = title.people.iter().filter(|credit| !credit.name.is_empty()).take(MOST_PEOPLE);
        let people = people.map(|credit| Credit {
            id: credit.person.clone(),
            name: credit.name.clone(),
            folded: folded(&credit.name, NAME_WORDS),
        });
        Ok(Self {
            id,
            kind,
            revision: title.revision,
            names: names(title),
            series: if kind == TitleKind::Episode { title.series.clone() } else { String::new() },
            year: title.year,
            published_us: title.published_us,
            published: !title.version.is_empty(),
            windows,
            age: title.maturity_age,
            ages: title.ratings.iter().map(rating).collect::<Result<_, _>>()?,
            genres: title.genres.clone(),
            audio: title.audio_languages.iter().map(|language| language.to_lowercase()).collect(),
            people: people.collect(),
        })
    }

    /// The name in the first of these languages (small letters) that it has one in, else the catalogue's own.
    #[must_use]
    pub fn name(&self, languages: &[String]) -> &str {
        let exact = |wanted: &str| self.names.iter().find(|name| name.language == wanted);
        let related = |wanted: &str| self.names.iter().find(|name| primary(&name.language) == primary(wanted));
        let found = languages.iter().find_map(|wanted| exact(wanted).or_else(|| related(wanted)));
        found.or(self.names.first()).map_or("", |name| &name.text)
    }
}

/// The language of a tag, without its region.
#[must_use]
pub fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

fn names(title: &Title) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let mut add = |language: &str, text: &str| {
        if !text.is_empty() {
            let folded = folded(text, NAME_WORDS);
            let letters = folded.chars().collect();
            names.push(Name { language: language.to_lowercase(), text: text.to_owned(), folded, letters });
        }
    };
    add("", &title.name);
    for words in &title.localized {
        add(&words.language, &words.name);
    }
    add(&title.original_language, &title.original_name);
    names
}

fn window(window: &Window) -> Result<LicenceWindow, String> {
    let reach = Reach::parse(&window.territory).map_err(|error| error.to_string())?;
    Ok(LicenceWindow { reach, from_us: window.from_us, until_us: Some(window.until_us).filter(|until| *until > 0) })
}

/// What of a title stands in the index, to make an [`Entry`] of it again.
#[must_use]
pub fn kept(title: &Title) -> Vec<u8> {
    let mut kept = title.clone();
    kept.description.clear();
    kept.credits.clear();
    kept.license.clear();
    kept.artwork.clear();
    kept.artworks.clear();
    kept.subtitle_languages.clear();
    for words in &mut kept.localized {
        words.description.clear();
    }
    kept.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::LocalizedWords;

    use super::*;

    #[test]
    fn a_viewer_reads_the_name_in_the_first_language_there_is() {
        let words = |language: &str, name: &str| LocalizedWords {
            language: language.to_owned(),
            name: name.to_owned(),
            ..LocalizedWords::default()
        };
        let title = Title {
            id: "t".to_owned(),
            name: "The Boat".to_owned(),
            original_name: "Das Boot".to_owned(),
            original_language: "de".to_owned(),
            localized: vec![words("pt-BR", "O Barco"), words("fr", "Le Bateau")],
            ..Title::default()
        };
        let entry = Entry::of(&title).unwrap();
        let name = |languages: &[&str]| {
            let languages: Vec<String> = languages.iter().map(|&language| language.to_owned()).collect();
            entry.name(&languages).to_owned()
        };
        assert_eq!(name(&["de-at"]), "Das Boot");
        assert_eq!(name(&["pt"]), "O Barco");
        assert_eq!(name(&["it", "fr"]), "Le Bateau");
        assert_eq!((name(&["it"]), name(&[])), ("The Boat".to_owned(), "The Boat".to_owned()));
    }

    #[test]
    fn a_title_whose_licences_cannot_be_read_is_none() {
        let windows = vec![Window { territory: "nowhere".to_owned(), from_us: 0, until_us: 0 }];
        assert!(Entry::of(&Title { id: "t".to_owned(), windows, ..Title::default() }).is_err());
    }
}
