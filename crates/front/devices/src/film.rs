//! A title as the adapters keep it: what a card or a page shows, and who may see it. Cast and files are left out, so that
//! the whole catalogue fits into memory.

use std::sync::Arc;

use matinee_contracts::catalog::{LicenceWindow as WindowMessage, Title, TitleKind};
use matinee_model::licence::{LicenceWindow, Licensed, licensed};
use matinee_model::territory::{Reach, Territory};
use matinee_service::viewer::Viewer;

/// What kind of title it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A film.
    Movie,
    /// Seasons of episodes.
    Series,
    /// One of a series.
    Episode,
}

/// A picture of a title.
#[derive(Debug, Clone)]
pub struct Picture {
    /// "poster", "backdrop", …
    pub kind: Arc<str>,
    /// Of a text in it; empty for none.
    language: Arc<str>,
    /// Changes when the picture does.
    tag: Arc<str>,
    /// To show until it is there.
    pub colour: Arc<str>,
}

/// A title's words in one language.
#[derive(Debug, Clone)]
struct Words {
    language: Arc<str>,
    name: Arc<str>,
    description: Arc<str>,
}

/// An age limit that holds in one territory.
#[derive(Debug, Clone)]
struct Rating {
    territory: String,
    label: Arc<str>,
    age: u32,
}

/// A title.
#[derive(Debug, Clone)]
pub struct Film {
    /// Its id.
    pub id: Arc<str>,
    /// What kind it is.
    pub kind: Kind,
    name: Arc<str>,
    description: Arc<str>,
    words: Vec<Words>,
    /// 0 where it is not known.
    pub year: u32,
    /// How long it is.
    pub duration_us: u64,
    maturity_age: u32,
    ratings: Vec<Rating>,
    windows: Vec<LicenceWindow>,
    /// Whether it has a version that plays.
    pub published: bool,
    /// When it was published, in microseconds since 1970.
    pub published_us: i64,
    pictures: Vec<Picture>,
    /// The revision at which the picture of its film was there, where it has one.
    frame: Option<u64>,
    /// Of an episode.
    pub series: Arc<str>,
    /// From 1; 0 for specials.
    pub season: u32,
    /// From 1.
    pub episode: u32,
}

/// Why a viewer can't watch a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// For an older age than the profile's limit.
    Maturity,
    /// Not in this territory.
    NotHere,
    /// Not at this time.
    NotNow,
}

impl Film {
    /// What is kept of a title.
    #[must_use]
    pub fn of(title: &Title) -> Self {
        let shared = |text: &str| -> Arc<str> { Arc::from(text) };
        let kind = match title.kind() {
            TitleKind::Movie | TitleKind::Unspecified => Kind::Movie,
            TitleKind::Series => Kind::Series,
            TitleKind::Episode => Kind::Episode,
        };
        let words = title.localized.iter().map(|words| Words {
            language: shared(&words.language),
            name: shared(&words.name),
            description: shared(&words.description),
        });
        let ratings = title.ratings.iter().map(|rating| Rating {
            territory: rating.territory.clone(),
            label: shared(&format!("{} {}", rating.system, rating.label)),
            age: rating.age,
        });
        let pictures = title.artworks.iter().map(|artwork| Picture {
            kind: shared(&artwork.kind),
            language: shared(&artwork.language),
            tag: shared(&artwork.blake3.chars().take(8).collect::<String>()),
            colour: shared(&artwork.colour),
        });
        Self {
            id: shared(&title.id),
            kind,
            name: shared(&title.name),
            description: shared(&title.description),
            words: words.collect(),
            year: title.year,
            duration_us: title.duration_us,
            maturity_age: title.maturity_age,
            ratings: ratings.collect(),
            windows: title.windows.iter().map(window).collect(),
            published: !title.version.is_empty(),
            published_us: title.published_us,
            pictures: pictures.collect(),
            frame: (!title.artwork.is_empty()).then_some(title.revision),
            series: shared(&title.series),
            season: title.season,
            episode: title.episode,
        }
    }

    /// As the catalogue would tell it, as far as that is kept: without people, genres and languages.
    #[must_use]
    pub fn title(&self) -> Title {
        Title {
            id: self.id.to_string(),
            name: self.name.to_string(),
            duration_us: self.duration_us,
            ..Title::default()
        }
    }

    /// Its name in the first of these languages that it has one in.
    #[must_use]
    pub fn name(&self, languages: &[String]) -> &Arc<str> {
        self.in_languages(languages).map(|words| &words.name).filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// What it is about, alike.
    #[must_use]
    pub fn description(&self, languages: &[String]) -> &Arc<str> {
        let said = self.in_languages(languages).map(|words| &words.description);
        said.filter(|text| !text.is_empty()).unwrap_or(&self.description)
    }

    fn in_languages(&self, languages: &[String]) -> Option<&Words> {
        let base = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        languages.iter().find_map(|wanted| {
            let exact = self.words.iter().find(|words| words.language.eq_ignore_ascii_case(wanted));
            exact.or_else(|| self.words.iter().find(|words| base(&words.language) == base(wanted)))
        })
    }

    /// From which age on it is for people in `territory`; 0: for all.
    #[must_use]
    pub fn age(&self, territory: Territory) -> u32 {
        self.rating(territory).map_or(self.maturity_age, |rating| rating.age)
    }

    /// How that is said there: "FSK 12".
    #[must_use]
    pub fn rating_label(&self, territory: Territory) -> Option<&str> {
        self.rating(territory).map(|rating| rating.label.trim()).filter(|label| !label.is_empty())
    }

    fn rating(&self, territory: Territory) -> Option<&Rating> {
        self.ratings.iter().find(|rating| rating.territory == territory.as_str())
    }

    /// Why `viewer` can't watch it at `now_us`, where that is so.
    #[must_use]
    pub fn barred(&self, viewer: &Viewer, now_us: i64) -> Option<Barred> {
        if viewer.maturity_limit > 0 && self.age(viewer.territory) > viewer.maturity_limit {
            return Some(Barred::Maturity);
        }
        match licensed(&self.windows, viewer.territory, now_us) {
            Licensed::Until(_) => None,
            Licensed::NotHere => Some(Barred::NotHere),
            Licensed::NotNow(_) => Some(Barred::NotNow),
        }
    }

    /// Whether a row shows it to `viewer` at `now_us`: a series, or what plays, that the viewer may watch.
    #[must_use]
    pub fn shown(&self, viewer: &Viewer, now_us: i64) -> bool {
        (self.published || self.kind == Kind::Series) && self.barred(viewer, now_us).is_none()
    }

    /// The address of its picture of `kind`, `width` pixels wide or the next that there is.
    #[must_use]
    pub fn picture(&self, kind: &str, width: u32, languages: &[String]) -> Option<String> {
        if let Some(picture) = self.picture_of(kind, languages) {
            return Some(format!("/api/artwork/{}/{kind}?w={width}&v={}", self.id, picture.tag));
        }
        // The picture that came with its film is as wide as a screen.
        let frame = self.frame.filter(|_| kind == "backdrop")?;
        Some(format!("/api/titles/{}/artwork?r={frame}", self.id))
    }

    /// What stands in place of its picture until that is there.
    #[must_use]
    pub fn colour(&self) -> Arc<str> {
        let first =
            |kind: &str| self.pictures.iter().find(|picture| *picture.kind == *kind && !picture.colour.is_empty());
        let picture = first("poster").or_else(|| first("backdrop"));
        picture.map_or_else(|| Arc::from("#202028"), |picture| Arc::clone(&picture.colour))
    }

    fn picture_of(&self, kind: &str, languages: &[String]) -> Option<&Picture> {
        let of_kind = || self.pictures.iter().filter(|picture| *picture.kind == *kind);
        let spoken = languages.iter().find_map(|wanted| of_kind().find(|p| p.language.eq_ignore_ascii_case(wanted)));
        spoken.or_else(|| of_kind().find(|picture| picture.language.is_empty())).or_else(|| of_kind().next())
    }
}

/// One that can't be read opens nothing: it ends before it begins.
fn window(window: &WindowMessage) -> LicenceWindow {
    match Reach::parse(&window.territory) {
        Ok(reach) => {
            let until_us = (window.until_us != 0).then_some(window.until_us);
            LicenceWindow { reach, from_us: window.from_us, until_us }
        }
        Err(_) => LicenceWindow { reach: Reach::Everywhere, from_us: i64::MAX, until_us: Some(i64::MIN) },
    }
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::{LocalizedWords, MaturityRating};
    use matinee_service::viewer::Membership;

    use super::*;

    fn viewer(territory: &str, limit: u32) -> Viewer {
        let nobody = Viewer::nobody(Territory::parse(territory).unwrap(), Membership::Open);
        Viewer { maturity_limit: limit, ..nobody }
    }

    #[test]
    fn a_title_is_named_in_the_viewers_language() {
        let words = |language: &str, name: &str| LocalizedWords {
            language: language.to_owned(),
            name: name.to_owned(),
            description: String::new(),
        };
        let title = Title {
            name: "The Tramp".to_owned(),
            description: "A man walks.".to_owned(),
            localized: vec![words("de", "Der Vagabund"), words("pt-BR", "O Vagabundo")],
            ..Title::default()
        };
        let film = Film::of(&title);
        let named =
            |languages: &[&str]| film.name(&languages.iter().map(|&l| l.to_owned()).collect::<Vec<_>>()).to_string();
        assert_eq!(named(&["de-AT"]), "Der Vagabund");
        assert_eq!(named(&["pt"]), "O Vagabundo");
        assert_eq!(named(&["fr", "de"]), "Der Vagabund");
        assert_eq!(named(&[]), "The Tramp");
        assert_eq!(&**film.description(&["de".to_owned()]), "A man walks.");
    }

    #[test]
    fn the_age_limit_is_the_territorys_own() {
        let rating =
            MaturityRating { territory: "DE".to_owned(), system: "FSK".to_owned(), label: "16".to_owned(), age: 16 };
        let film = Film::of(&Title { maturity_age: 12, ratings: vec![rating], ..Title::default() });
        assert_eq!(film.barred(&viewer("DE", 12), 0), Some(Barred::Maturity));
        assert_eq!(film.barred(&viewer("FR", 12), 0), None);
        assert_eq!(film.rating_label(Territory::parse("DE").unwrap()), Some("FSK 16"));
    }

    #[test]
    fn a_window_that_can_not_be_read_opens_nothing() {
        let broken = WindowMessage { territory: "everywhere".to_owned(), from_us: 0, until_us: 0 };
        let film = Film::of(&Title { windows: vec![broken.clone()], ..Title::default() });
        assert_eq!(film.barred(&viewer("DE", 0), 5), Some(Barred::NotNow));
        let elsewhere = WindowMessage { territory: "FR".to_owned(), from_us: 0, until_us: 0 };
        let film = Film::of(&Title { windows: vec![broken, elsewhere.clone()], ..Title::default() });
        assert!(film.barred(&viewer("DE", 0), 5).is_some());
        assert_eq!(film.barred(&viewer("FR", 0), 5), None);
        let film = Film::of(&Title { windows: vec![elsewhere], ..Title::default() });
        assert_eq!(film.barred(&viewer("DE", 0), 5), Some(Barred::NotHere));
    }
}
