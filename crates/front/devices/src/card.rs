//! A title as rows show it.

use std::collections::HashMap;
use std::sync::Arc;

use matinee_service::viewer::Viewer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::device::Shape;
use crate::film::{Film, Kind};
use crate::history::{Progress, share};

/// Of a description that stands on a card, at the most, in characters.
const BLURB: usize = 240;

/// Where a title's pictures are.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Artwork)]
pub struct ArtworkJson {
    /// Upright, 2:3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<String>,
    /// Lying, 16:9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backdrop: Option<String>,
    /// To show until they are there: "#rrggbb".
    #[schema(value_type = String)]
    pub colour: Arc<str>,
}

/// A title as rows show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// The title's id.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// In the viewer's language.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What kind it is.
    pub kind: Kind,
    /// When it was made; 0 where that is not known.
    pub year: u32,
    /// From which age on it is, where the viewer is; 0: for all.
    pub maturity_age: u32,
    /// How long it is; 0 for a series.
    pub duration_seconds: u64,
    /// Its pictures.
    pub artwork: ArtworkJson,
    /// How much of it the profile watched, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_seconds: Option<u64>,
    /// Of those who rated it, how many liked it, in percent; absent where nobody did, or ratings do not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// What it is about, on devices whose cards say that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What cards are made with.
#[derive(Debug)]
pub struct Deck<'a> {
    /// For whom.
    pub viewer: &'a Viewer,
    /// For which screen.
    pub shape: Shape,
    /// How far the profile is.
    pub progress: &'a Progress,
    /// What others say.
    pub scores: &'a HashMap<Arc<str>, u8>,
}

impl Deck<'_> {
    /// The card of a title.
    #[must_use]
    pub fn card(&self, film: &Film) -> Card {
        let languages = &self.viewer.languages;
        let watched = self.progress.in_title(&film.id);
        let resume = watched.map(|w| w.resume_us / 1_000_000).filter(|seconds| *seconds > 0);
        Card {
            id: Arc::clone(&film.id),
            name: Arc::clone(film.name(languages)),
            kind: film.kind,
            year: film.year,
            maturity_age: film.age(self.viewer.territory),
            duration_seconds: film.duration_us / 1_000_000,
            artwork: artwork(film, self.shape.poster, self.shape.backdrop, languages),
            progress: watched.and_then(share),
            resume_seconds: resume,
            score: self.scores.get(&film.id).copied(),
            description: self.shape.blurb.then(|| blurb(film.description(languages))).filter(|text| !text.is_empty()),
        }
    }
}

/// Where pictures of these widths are.
#[must_use]
pub fn artwork(film: &Film, poster: u32, backdrop: Option<u32>, languages: &[String]) -> ArtworkJson {
    let poster = film.picture("poster", poster, languages);
    // Where there is no poster, a backdrop stands in for it, on each screen.
    let width = backdrop.or_else(|| poster.is_none().then_some(780));
    ArtworkJson {
        backdrop: width.and_then(|width| film.picture("backdrop", width, languages)),
        poster,
        colour: film.colour(),
    }
}

/// The beginning of a text, to the end of a word.
fn blurb(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(BLURB) else { return text.to_owned() };
    let cut = &text[..end];
    let words = cut.rsplit_once(char::is_whitespace).map_or(cut, |(words, _)| words);
    format!("{}…", words.trim_end_matches([' ', ',', ';', '.']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_blurb_is_short_whatever_the_text(text in "\\PC{0,400}") {
            prop_assert!(blurb(&text).chars().count() <= BLURB + 1);
        }
    }
}
