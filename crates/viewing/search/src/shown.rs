//! Which titles a viewer is shown: published, licensed where they are at this moment, and for their age. Nothing else of
//! a title is told, not even that there is one.

use matinee_contracts::catalog::TitleKind;
use matinee_contracts::search::SearchRequest;
use matinee_contracts::viewer;
use matinee_model::licence::{Licensed, licensed};
use matinee_model::territory::Territory;

use crate::entry::{Entry, primary};
use crate::error::SearchError;
use crate::table::Table;

/// Genres that may be asked for at once.
const MOST_GENRES: usize = 50;
/// Languages of a viewer that are looked at.
const MOST_LANGUAGES: usize = 20;

/// Who asks, and when.
#[derive(Debug, Clone)]
pub struct Viewer {
    territory: Territory,
    // 0: no limit.
    maturity_limit: u32,
    /// BCP 47 in small letters, the preferred first.
    pub languages: Vec<String>,
    now_us: i64,
}

impl Viewer {
    /// As the contract says it, at `now_us`.
    pub fn of(viewer: Option<viewer::Viewer>, now_us: i64) -> Result<Self, SearchError> {
        let viewer = viewer.ok_or_else(|| SearchError::field("viewer", "it is missing"))?;
        let territory = Territory::parse(&viewer.territory)
            .map_err(|error| SearchError::field("viewer.territory", error.to_string()))?;
        let languages = viewer.languages.iter().take(MOST_LANGUAGES).map(|language| language.to_lowercase()).collect();
        Ok(Self { territory, maturity_limit: viewer.maturity_limit, languages, now_us })
    }

    /// Whether the title's own licences and age let them see it.
    fn may_see(&self, entry: &Entry) -> bool {
        let age =
            entry.ages.iter().find(|(territory, _)| *territory == self.territory).map_or(entry.age, |(_, age)| *age);
        (self.maturity_limit == 0 || age <= self.maturity_limit)
            && (entry.windows.is_empty()
                || matches!(licensed(&entry.windows, self.territory, self.now_us), Licensed::Until(_)))
    }

    /// Whether it can be watched here and now: a series where an episode of it can, an episode where its series may be seen.
    #[must_use]
    pub fn is_shown(&self, table: &Table, entry: &Entry) -> bool {
        if !self.may_see(entry) {
            return false;
        }
        match entry.kind {
            TitleKind::Series => {
                table.episodes(entry.id.as_str()).any(|episode| episode.published && self.may_see(episode))
            }
            TitleKind::Episode => {
                let series = table.slot(&entry.series).and_then(|slot| table.entry(slot));
                entry.published && series.is_none_or(|series| self.may_see(series))
            }
            _ => entry.published,
        }
    }
}

/// What else is asked of a title.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    genres: Vec<String>,
    kind: Option<TitleKind>,
    year_from: u32,
    year_until: u32,
    audio: String,
}

impl Filter {
    /// As the contract says it.
    pub fn of(request: &SearchRequest) -> Result<Self, SearchError> {
        let kind = match request.kind.as_str() {
            "" => None,
            "movie" => Some(TitleKind::Movie),
            "series" => Some(TitleKind::Series),
            "episode" => Some(TitleKind::Episode),
            other => {
                let other: String = other.chars().take(20).collect();
                return Err(SearchError::field("kind", format!("{other:?} is none of movie, series and episode")));
            }
        };
        if request.genres.len() > MOST_GENRES {
            let reason = format!("{} are named, at most {MOST_GENRES} can be", request.genres.len());
            return Err(SearchError::field("genres", reason));
        }
        let (year_from, year_until) = (request.year_from, request.year_until);
        if year_until > 0 && year_until < year_from {
            return Err(SearchError::field("year_until", format!("{year_until} is before {year_from}")));
        }
        if request.audio_language.len() > 35 {
            return Err(SearchError::field("audio_language", "it is longer than any language's tag"));
        }
        let audio = request.audio_language.to_lowercase();
        Ok(Self { genres: request.genres.clone(), kind, year_from, year_until, audio })
    }

    /// Whether a title is what is asked for.
    #[must_use]
    pub fn takes(&self, table: &Table, entry: &Entry) -> bool {
        self.takes_kind(entry)
            && (self.genres.is_empty() || entry.genres.iter().any(|genre| self.genres.contains(genre)))
            && (self.year_from == 0 || entry.year >= self.year_from)
            && (self.year_until == 0 || (entry.year > 0 && entry.year <= self.year_until))
            && (self.audio.is_empty() || self.is_heard(table, entry))
    }

    fn takes_kind(&self, entry: &Entry) -> bool {
        self.kind.map_or(entry.kind != TitleKind::Episode, |kind| entry.kind == kind)
    }

    /// Whether it speaks the language: "de" is spoken by "de-AT", not the other way round.
    fn is_heard(&self, table: &Table, entry: &Entry) -> bool {
        let speaks = |tag: &String| *tag == self.audio || primary(tag) == self.audio;
        entry.audio.iter().any(speaks)
            || (entry.kind == TitleKind::Series
                && entry.audio.is_empty()
                && table.episodes(entry.id.as_str()).any(|episode| episode.audio.iter().any(speaks)))
    }
}
