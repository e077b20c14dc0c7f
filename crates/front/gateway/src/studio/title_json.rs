//! A title as the studio reads and writes it: all that the catalogue keeps of it. Times are RFC 3339, lengths seconds.

use matinee_contracts::catalog::{Artwork, Credit, LicenceWindow, LocalizedWords, MaturityRating, Title, TitleKind};
use matinee_service::clock::rfc3339;
use matinee_service::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of title it is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = TitleKind)]
#[serde(rename_all = "lowercase")]
pub enum KindJson {
    /// A film.
    #[default]
    Movie,
    /// Seasons of episodes.
    Series,
    /// One of a series.
    Episode,
}

/// Somebody who made a title.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = StudioCredit)]
#[serde(deny_unknown_fields)]
pub struct CreditJson {
    person: String,
    #[serde(default)]
    name: String,
    job: String,
    #[serde(default)]
    character: String,
}

/// An age limit of one territory.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = MaturityRating)]
#[serde(deny_unknown_fields)]
pub struct RatingJson {
    territory: String,
    system: String,
    label: String,
    age: u32,
}

/// Words in another language.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = LocalizedWords)]
#[serde(deny_unknown_fields)]
pub struct WordsJson {
    language: String,
    name: String,
    #[serde(default)]
    description: String,
}

/// A licence: where, from (included) until (not included).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = LicenceWindow)]
#[serde(deny_unknown_fields)]
pub struct WindowJson {
    /// ISO 3166-1 alpha-2, or "*" for everywhere.
    territory: String,
    /// RFC 3339; null: always.
    #[serde(default)]
    from: Option<String>,
    /// RFC 3339; null: for ever.
    #[serde(default)]
    until: Option<String>,
}

/// A picture of a title.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = StudioArtwork)]
pub struct PictureJson {
    kind: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    colour: String,
    #[serde(default)]
    url: Option<String>,
}

/// A title. Of what is written, `id`, `version`, `published`, `publishedAt`, `createdAt`, `durationSeconds`, `windows` and
/// `artworks` are not taken from here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = StudioTitle)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StudioTitleJson {
    #[serde(default)]
    id: String,
    /// At which it was read: a title that somebody else changed since is not changed. 0: whatever it is.
    #[serde(default)]
    revision: u64,
    #[serde(default)]
    kind: KindJson,
    name: String,
    #[serde(default)]
    original_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    credits: String,
    #[serde(default)]
    license: String,
    #[serde(default)]
    series: String,
    #[serde(default)]
    season: u32,
    #[serde(default)]
    episode: u32,
    #[serde(default)]
    year: u32,
    #[serde(default)]
    genres: Vec<String>,
    #[serde(default)]
    people: Vec<CreditJson>,
    #[serde(default)]
    maturity_age: u32,
    #[serde(default)]
    ratings: Vec<RatingJson>,
    #[serde(default)]
    original_language: String,
    #[serde(default)]
    audio_languages: Vec<String>,
    #[serde(default)]
    subtitle_languages: Vec<String>,
    #[serde(default)]
    localized: Vec<WordsJson>,
    #[serde(default)]
    windows: Vec<WindowJson>,
    #[serde(default)]
    artworks: Vec<PictureJson>,
    #[serde(default)]
    intro_start: f64,
    #[serde(default)]
    intro_end: f64,
    #[serde(default)]
    credits_start: f64,
    #[serde(default)]
    duration_seconds: f64,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    published: bool,
    #[serde(default)]
    published_at: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    /// The picture that came with its film.
    #[serde(default)]
    artwork: Option<String>,
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// A number that is none (not finite, negative) is 0; one that is too large is refused by the catalogue.
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

impl From<Title> for StudioTitleJson {
    fn from(title: Title) -> Self {
        let kind = match title.kind() {
            TitleKind::Movie | TitleKind::Unspecified => KindJson::Movie,
            TitleKind::Series => KindJson::Series,
            TitleKind::Episode => KindJson::Episode,
        };
        let pictures = title.artworks.into_iter().map(|artwork| picture(&title.id, artwork)).collect();
        let frame =
            (!title.artwork.is_empty()).then(|| format!("/api/titles/{}/artwork?r={}", title.id, title.revision));
        Self {
            kind,
            revision: title.revision,
            name: title.name,
            original_name: title.original_name,
            description: title.description,
            credits: title.credits,
            license: title.license,
            series: title.series,
            season: title.season,
            episode: title.episode,
            year: title.year,
            genres: title.genres,
            people: title.people.into_iter().map(CreditJson::from).collect(),
            maturity_age: title.maturity_age,
            ratings: title.ratings.into_iter().map(RatingJson::from).collect(),
            original_language: title.original_language,
            audio_languages: title.audio_languages,
            subtitle_languages: title.subtitle_languages,
            localized: title.localized.into_iter().map(WordsJson::from).collect(),
            windows: title.windows.into_iter().map(WindowJson::from).collect(),
            artworks: pictures,
            intro_start: seconds(title.intro_start_us),
            intro_end: seconds(title.intro_end_us),
            credits_start: seconds(title.credits_start_us),
            duration_seconds: seconds(title.duration_us),
            published: !title.version.is_empty(),
            version: (!title.version.is_empty()).then_some(title.version),
            published_at: rfc3339(title.published_us),
            created_at: rfc3339(title.created_us),
            artwork: frame,
            id: title.id,
        }
    }
}

impl StudioTitleJson {
    /// As the catalogue takes it, under the address's `id`.
    pub fn title(self, id: String) -> Title {
        let kind = match self.kind {
            KindJson::Movie => TitleKind::Movie,
            KindJson::Series => TitleKind::Series,
            KindJson::Episode => TitleKind::Episode,
        };
        Title {
            id,
            name: self.name,
            description: self.description,
            credits: self.credits,
            license: self.license,
            revision: self.revision,
            kind: kind.into(),
            series: self.series,
            season: self.season,
            episode: self.episode,
            original_name: self.original_name,
            year: self.year,
            genres: self.genres,
            people: self.people.into_iter().map(Credit::from).collect(),
            maturity_age: self.maturity_age,
            ratings: self.ratings.into_iter().map(MaturityRating::from).collect(),
            original_language: self.original_language,
            audio_languages: self.audio_languages,
            subtitle_languages: self.subtitle_languages,
            localized: self.localized.into_iter().map(LocalizedWords::from).collect(),
            intro_start_us: micros(self.intro_start),
            intro_end_us: micros(self.intro_end),
            credits_start_us: micros(self.credits_start),
            ..Title::default()
        }
    }
}

/// Windows as the catalogue takes them; a time that can't be read is named.
pub fn windows(windows: &[WindowJson]) -> Result<Vec<LicenceWindow>, Problem> {
    let read = |index: usize, name: &str, text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(0),
        Some(text) => text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_microsecond).map_err(|error| {
            Problem::field(format!("windows[{index}].{name}"), format!("a time by RFC 3339 is taken: {error}"))
        }),
    };
    let windows = windows.iter().enumerate().map(|(index, window)| {
        Ok(LicenceWindow {
            territory: window.territory.clone(),
            from_us: read(index, "from", &window.from)?,
            until_us: read(index, "until", &window.until)?,
        })
    });
    windows.collect()
}

fn picture(title: &str, artwork: Artwork) -> PictureJson {
    let tag = artwork.blake3.get(..8).unwrap_or(&artwork.blake3);
    PictureJson {
        url: Some(format!("/api/artwork/{title}/{}?w=780&v={tag}", artwork.kind)),
        kind: artwork.kind,
        language: artwork.language,
        width: artwork.width,
        height: artwork.height,
        colour: artwork.colour,
    }
}

impl From<Credit> for CreditJson {
    fn from(credit: Credit) -> Self {
        Self { person: credit.person, name: credit.name, job: credit.job, character: credit.character }
    }
}

impl From<CreditJson> for Credit {
    fn from(json: CreditJson) -> Self {
        Self { person: json.person, name: json.name, job: json.job, character: json.character }
    }
}

impl From<MaturityRating> for RatingJson {
    fn from(rating: MaturityRating) -> Self {
        Self { territory: rating.territory, system: rating.system, label: rating.label, age: rating.age }
    }
}

impl From<RatingJson> for MaturityRating {
    fn from(json: RatingJson) -> Self {
        Self { territory: json.territory, system: json.system, label: json.label, age: json.age }
    }
}

impl From<LocalizedWords> for WordsJson {
    fn from(words: LocalizedWords) -> Self {
        Self { language: words.language, name: words.name, description: words.description }
    }
}

impl From<WordsJson> for LocalizedWords {
    fn from(json: WordsJson) -> Self {
        Self { language: json.language, name: json.name, description: json.description }
    }
}

impl From<LicenceWindow> for WindowJson {
    fn from(window: LicenceWindow) -> Self {
        Self { territory: window.territory, from: rfc3339(window.from_us), until: rfc3339(window.until_us) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_studio_reads_it_can_write_back() {
        let title = Title {
            id: "metropolis".to_owned(),
            name: "Metropolis".to_owned(),
            revision: 7,
            kind: TitleKind::Movie.into(),
            year: 1927,
            genres: vec!["science-fiction".to_owned()],
            windows: vec![LicenceWindow { territory: "DE".to_owned(), from_us: 1_000_000, until_us: 0 }],
            credits_start_us: 61_500_000,
            ..Title::default()
        };
        let json = serde_json::to_value(StudioTitleJson::from(title.clone())).unwrap();
        let read: StudioTitleJson = serde_json::from_value(json).unwrap();
        assert_eq!(windows(&read.windows).unwrap(), title.windows);
        let back = read.title("metropolis".to_owned());
        assert_eq!(back, Title { windows: Vec::new(), ..title });
    }

    #[test]
    fn a_time_that_is_none_is_named() {
        let window = WindowJson { territory: "DE".to_owned(), from: Some("yesterday".to_owned()), until: None };
        assert!(windows(&[window]).unwrap_err().detail().starts_with("windows[0].from is refused"));
    }
}
