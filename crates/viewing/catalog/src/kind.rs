//! Films, series and their episodes.

use matinee_contracts::catalog::TitleKind;
use matinee_model::ids::TitleId;

use crate::error::{CatalogError, refused};

/// What a title is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// It stands for itself.
    #[default]
    Movie,
    /// It is watched by its episodes.
    Series,
    /// One of a series.
    Episode,
}

impl Kind {
    /// As it is stored and exported.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Series => "series",
            Self::Episode => "episode",
        }
    }

    /// As [`Kind::as_str`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Movie, Self::Series, Self::Episode].into_iter().find(|kind| kind.as_str() == text)
    }

    /// As the contract says it.
    #[must_use]
    pub fn told(self) -> TitleKind {
        match self {
            Self::Movie => TitleKind::Movie,
            Self::Series => TitleKind::Series,
            Self::Episode => TitleKind::Episode,
        }
    }

    /// What the contract says; a movie where it says nothing.
    pub fn heard(kind: i32) -> Result<Self, CatalogError> {
        match TitleKind::try_from(kind) {
            Ok(TitleKind::Unspecified | TitleKind::Movie) => Ok(Self::Movie),
            Ok(TitleKind::Series) => Ok(Self::Series),
            Ok(TitleKind::Episode) => Ok(Self::Episode),
            Err(_) => Err(refused("kind", format!("{kind} is none of movie, series and episode"))),
        }
    }
}

/// The place of an episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Of which series.
    pub series: TitleId,
    /// From 1; 0 for specials.
    pub season: u32,
    /// From 1.
    pub episode: u32,
}
