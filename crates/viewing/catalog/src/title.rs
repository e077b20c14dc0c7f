//! What a title is. One that is published and one that is not are two types, so that no one plays the second.

use matinee_contracts::catalog as contract;
use matinee_model::ids::{TitleId, VersionId};
use prost::Message;

use crate::details::{Details, Kind};
use crate::error::{CatalogError, refused};
use crate::text::{line, said, shortened, text};

/// The longest name, in characters.
pub const MOST_NAME: usize = 200;
/// The longest description and the longest credits, in characters.
pub const MOST_TEXT: usize = 5_000;
/// The longest licence of a work, in characters.
pub const MOST_LICENSE: usize = 200;
/// The longest title, as the contract tells it, in bytes: an event that tells of it must fit in the log.
pub const MOST_BYTES: usize = 256 << 10;
/// The longest object key, and the longest part of one between two `/`, in bytes.
const MOST_KEY: usize = 800;
const MOST_KEY_PART: usize = 200;
/// The longest film: a week, in microseconds.
const MOST_DURATION_US: u64 = 7 * 24 * 3600 * 1_000_000;

/// What is said about a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    name: String,
    description: String,
    credits: String,
    license: String,
}

impl Words {
    /// Takes the words that may be shown: a name, and no control characters (texts may have line breaks and tabs).
    pub fn new(name: String, description: String, credits: String, license: String) -> Result<Self, CatalogError> {
        said("name", &name, MOST_NAME)?;
        text("description", &description, MOST_TEXT)?;
        text("credits", &credits, MOST_TEXT)?;
        line("license", &license, MOST_LICENSE)?;
        Ok(Self { name, description, credits, license })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who made it.
    #[must_use]
    pub fn credits(&self) -> &str {
        &self.credits
    }

    /// The licence of the work.
    #[must_use]
    pub fn license(&self) -> &str {
        &self.license
    }
}

/// The key of a picture in the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artwork(String);

impl Artwork {
    /// Takes an object key; nothing where there is no artwork.
    pub fn parse(key: &str) -> Result<Option<Self>, CatalogError> {
        if key.is_empty() {
            return Ok(None);
        }
        // As the object store takes them.
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let whole = |part: &str| {
            !part.is_empty() && part.len() <= MOST_KEY_PART && !part.starts_with('.') && part.chars().all(legal)
        };
        if key.len() > MOST_KEY || !key.split('/').all(whole) {
            return Err(refused("artwork", format!("{:?} is not the key of an object", shortened(key))));
        }
        Ok(Some(Self(key.to_owned())))
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }
}

/// A packaged version, to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Which.
    pub version: VersionId,
    /// How long it plays, in microseconds.
    pub duration_us: u64,
}

impl Edition {
    /// Takes a version that lasts between nothing and a week, both not included.
    pub fn new(version: &str, duration_us: u64) -> Result<Self, CatalogError> {
        let version = VersionId::parse(version).map_err(|error| refused("version", error.to_string()))?;
        if !(1..MOST_DURATION_US).contains(&duration_us) {
            return Err(refused("duration_us", format!("{duration_us} is not between nothing and a week")));
        }
        Ok(Self { version, duration_us })
    }
}

/// What every title has.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Which.
    pub id: TitleId,
    /// What is said about it.
    pub words: Words,
    /// What it is, who made it, for whom and where.
    pub details: Details,
    /// The picture that came with its film, where there is one.
    pub artwork: Option<Artwork>,
    /// The pictures that were made for it, one a kind and language.
    pub pictures: Vec<contract::Artwork>,
    /// Since when it is here, in microseconds since 1970.
    pub created_us: i64,
    /// Rises by one with each change, from 1.
    pub revision: u64,
}

/// A title that no viewer sees.
#[derive(Debug, Clone, PartialEq)]
pub struct UnpublishedTitle {
    /// What it is.
    pub card: Card,
    /// Of a series: when the newest of its episodes was published, in microseconds since 1970; nothing where none is.
    pub shown_us: Option<i64>,
}

/// A title that plays.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedTitle {
    /// What it is.
    pub card: Card,
    /// What it plays in.
    pub edition: Edition,
    /// Since when, in microseconds since 1970.
    pub published_us: i64,
}

/// A title, as it is at the moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Title {
    /// Not to be played.
    Unpublished(UnpublishedTitle),
    /// To be played.
    Published(PublishedTitle),
}

impl Title {
    /// What it is, published or not.
    #[must_use]
    pub fn card(&self) -> &Card {
        match self {
            Self::Unpublished(title) => &title.card,
            Self::Published(title) => &title.card,
        }
    }

    /// As the contract tells it.
    #[must_use]
    pub fn message(&self) -> contract::Title {
        let card = self.card();
        let mut message = contract::Title {
            id: card.id.as_str().to_owned(),
            name: card.words.name.clone(),
            description: card.words.description.clone(),
            credits: card.words.credits.clone(),
            license: card.words.license.clone(),
            artwork: card.artwork.as_ref().map_or_else(String::new, |artwork| artwork.0.clone()),
            created_us: card.created_us,
            revision: card.revision,
            artworks: card.pictures.clone(),
            ..card.details.message().clone()
        };
        match self {
            Self::Published(title) => {
                message.version = title.edition.version.as_str().to_owned();
                message.duration_us = title.edition.duration_us;
                message.published_us = title.published_us;
            }
            Self::Unpublished(title) => message.published_us = title.shown_us.unwrap_or_default(),
        }
        message
    }
}

/// What a caller says about a title, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Which.
    pub id: TitleId,
    /// In words.
    pub words: Words,
    /// The rest.
    pub details: Details,
    /// The picture that came with its film; nothing to keep the one that is there.
    pub artwork: Option<Artwork>,
}

impl Said {
    /// Takes what [`contract::Title`] says, but for what the catalogue itself decides: version, times, pictures.
    ///
    /// Fails with the first field that can't be taken, or where all of it is longer than [`MOST_BYTES`].
    pub fn parse(mut title: contract::Title) -> Result<Self, CatalogError> {
        let id = title_id("id", &title.id)?;
        let artwork = Artwork::parse(&title.artwork)?;
        title.artworks.clear();
        let size = title.encoded_len();
        if size > MOST_BYTES {
            return Err(refused("title", format!("it has {size} bytes, at most {MOST_BYTES} are taken")));
        }
        let take = |text: &mut String| std::mem::take(text);
        let (name, description) = (take(&mut title.name), take(&mut title.description));
        let (credits, license) = (take(&mut title.credits), take(&mut title.license));
        let words = Words::new(name, description, credits, license)?;
        let details = Details::parse(title)?;
        if details.kind() == Kind::Episode && details.message().series == id.as_str() {
            return Err(refused("series", "a title is not an episode of itself"));
        }
        Ok(Self { id, words, details, artwork })
    }
}

/// A title's id, or why the field `field` holds none.
pub fn title_id(field: &str, id: &str) -> Result<TitleId, CatalogError> {
    TitleId::parse(id).map_err(|error| refused(field, error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn words(name: &str, description: &str) -> Result<Words, CatalogError> {
        Words::new(name.to_owned(), description.to_owned(), String::new(), String::new())
    }

    #[test]
    fn a_refused_field_is_named_with_what_is_wrong() {
        let message = |result: Result<Words, CatalogError>| result.unwrap_err().to_string();
        assert_eq!(message(words(" ", "")), "name is refused: it is empty");
        assert_eq!(message(words("a\u{7}b", "")), "name is refused: character 2 is U+0007, which is not shown");
        assert_eq!(message(words("a\nb", "")), "name is refused: character 2 is U+000A, which is not shown");
        assert!(message(words("a", &"x".repeat(5_001))).contains("description is refused: it has 5001 characters"));
        assert!(message(words("\u{202e}gpj.exe", "")).contains("U+202E"));
        assert!(words(&"é".repeat(200), "two\nlines\tand a tab").is_ok());
    }

    #[test]
    fn artwork_stays_in_the_object_store() {
        for bad in ["../x", "/x", "a//b", "a/", "a/./b", "a b", "a\0", ".a/b", &"x".repeat(201)] {
            assert!(Artwork::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Artwork::parse("").unwrap(), None);
        assert_eq!(Artwork::parse("work/0af/art-1.jpg").unwrap().unwrap().key(), "work/0af/art-1.jpg");
    }

    #[test]
    fn an_edition_has_a_version_and_a_length() {
        assert!(Edition::new("v1", 1).is_ok());
        assert!(Edition::new("", 1).unwrap_err().to_string().starts_with("version is refused"));
        assert!(Edition::new("v1", 0).unwrap_err().to_string().starts_with("duration_us is refused"));
        assert!(Edition::new("v1", u64::MAX).is_err());
    }

    proptest! {
        #[test]
        fn what_is_taken_can_be_shown(name in any::<String>()) {
            if let Ok(words) = words(&name, "") {
                prop_assert!(!words.name().chars().any(char::is_control));
                prop_assert!(words.name().chars().count() <= MOST_NAME);
            }
        }
    }
}
