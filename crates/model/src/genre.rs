//! Genres: what kind of story a title tells. A genre is a slug (`science-fiction`); people see its name in their language.
//!
//! The names of the usual ones stand in `data/genres.toml`. An installation may use any other slug; it is shown by its
//! own words then.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The longest slug, in bytes.
const MOST: usize = 40;

/// Names by language, by slug.
static NAMES: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| toml::from_str(include_str!("../data/genres.toml")).expect("a test reads the data file"));

/// Whether `slug` is one: 1 to 40 of `a-z`, `0-9` and `-`, which stands between others only.
#[must_use]
pub fn is_slug(slug: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    slug.len() <= MOST && slug.split('-').all(part)
}

/// The slug of a genre that somebody else names: `science-fiction` of `Science Fiction`, `action-adventure` of
/// `Action & Adventure`. Nothing where no letter of it can stand in one.
#[must_use]
pub fn slug(name: &str) -> Option<String> {
    let known = NAMES.iter().find(|(_, names)| names.values().any(|known| known.eq_ignore_ascii_case(name.trim())));
    if let Some((slug, _)) = known {
        return Some(slug.clone());
    }
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && slug.len() < MOST {
            slug.push('-');
        }
        if slug.len() >= MOST {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// The name of a genre in `language` (BCP 47): in that language, else in English, else the slug's own words.
#[must_use]
pub fn name(slug: &str, language: &str) -> String {
    let primary = language.split('-').next().unwrap_or(language).to_ascii_lowercase();
    let known = NAMES.get(slug).and_then(|names| names.get(&primary).or_else(|| names.get("en")));
    known.cloned().unwrap_or_else(|| {
        let words = slug.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    })
}

/// The slugs whose names are known, in their order.
pub fn known() -> impl Iterator<Item = &'static str> {
    NAMES.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_genre_of_the_file_has_its_names() {
        assert!(known().count() > 20);
        for (genre, names) in NAMES.iter() {
            assert!(is_slug(genre), "{genre}");
            for language in ["en", "de", "fr", "es"] {
                assert!(names.get(language).is_some_and(|name| !name.is_empty()), "{genre} in {language}");
            }
        }
    }

    #[test]
    fn a_genre_is_named_in_the_viewers_language() {
        assert_eq!(name("science-fiction", "de-AT"), "Science-Fiction");
        assert_eq!(name("comedy", "fr"), "Comédie");
        assert_eq!(name("comedy", "xx"), "Comedy");
        assert_eq!(name("silent-slapstick", "de"), "Silent slapstick");
    }

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug("Science Fiction").as_deref(), Some("science-fiction"));
        assert_eq!(slug("Sci-Fi & Fantasy").as_deref(), Some("sci-fi-fantasy"));
        assert_eq!(slug(" Komödie ").as_deref(), Some("comedy"));
        assert_eq!(slug("日本"), None);
        assert!(is_slug(&slug(&"é x".repeat(40)).unwrap()));
        for bad in ["", "-", "a-", "a--b", "A", "a b", "ä"] {
            assert!(!is_slug(bad), "{bad:?}");
        }
    }
}
