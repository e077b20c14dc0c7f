//! Answering a question: which titles, people and genres, how many, and what was understood where a word was misspelt.
//!
//! Everything that is told comes from titles that the viewer is shown; whether something else is there changes nothing.

use std::cmp::Ordering;

use matinee_contracts::catalog::TitleKind;
use matinee_contracts::search::{Hit, SearchReply, SearchRequest};

use crate::candidates::{Candidates, Marks, Source};
use crate::correct::corrected;
use crate::entry::Entry;
use crate::error::SearchError;
use crate::fold::folded;
use crate::index::{Live, View};
use crate::people::people;
use crate::rank::{Worth, likeness, source, weights};
use crate::shown::{Filter, Viewer};
use crate::table::Slot;
use crate::typed::{Tolerance, Typed};

/// Hits where the caller names no limit, and the most of one answer.
const HITS: u32 = 20;
const MOST_HITS: u32 = 100;
/// The furthest that can be paged.
const MOST_OFFSET: u32 = 1_000;
/// The best by their words, of which the names are compared as wholes.
const COMPARED: usize = 150;
/// With fewer titles than this, misspellings are looked for.
const ENOUGH: usize = 3;
/// From which share on of what was typed a title is shown that has not all of it.
const PARTLY: f32 = 0.5;
/// The same, where there is no title with so much.
const HARDLY: f32 = 0.3;
/// Genres of an answer.
const MOST_GENRES: usize = 50;
/// The longest name that is told.
const LONGEST: usize = 300;

/// A question that was checked.
#[derive(Debug)]
pub struct Question {
    typed: Typed,
    viewer: Viewer,
    filter: Filter,
    limit: usize,
    offset: usize,
}

/// A title that is shown.
struct Found<'a> {
    entry: &'a Entry,
    marks: Marks,
    score: f32,
}

impl Question {
    /// As the contract asks it, at `now_us`.
    pub fn of(request: SearchRequest, now_us: i64) -> Result<Self, SearchError> {
        let (typed, filter) = (Typed::read(&request.query)?, Filter::of(&request)?);
        if request.offset > MOST_OFFSET {
            let reason = format!("{} is past {MOST_OFFSET}, where paging ends", request.offset);
            return Err(SearchError::field("offset", reason));
        }
        let viewer = Viewer::of(request.viewer, now_us)?;
        let limit = if request.limit == 0 { HITS } else { request.limit.min(MOST_HITS) };
        Ok(Self { typed, viewer, filter, limit: limit as usize, offset: request.offset as usize })
    }

    /// The answer that `live` gives.
    pub fn answer(&self, live: &Live) -> Result<SearchReply, SearchError> {
        let view = live.view();
        if self.typed.words.is_empty() {
            return Ok(self.all(&view));
        }
        let mut candidates = Candidates::new(&view, &self.typed);
        let (mut found, mut weights) = (Vec::new(), Vec::new());
        for (tolerance, enough) in [(Tolerance::Exact, ENOUGH), (Tolerance::Usual, 1), (Tolerance::Wide, 0)] {
            candidates.find(&view, live.fields, &self.typed, tolerance)?;
            candidates.judge(|slot| self.is_shown(&view, slot));
            if tolerance == Tolerance::Exact {
                weights = self.weights(&candidates);
            }
            found = shown(&view, &candidates, &weights, PARTLY);
            let whole = |title: &&Found<'_>| {
                let worth = Worth::of(&title.marks, &weights);
                worth.is_whole() && Source::of(worth.words) == Source::Name
            };
            if found.iter().filter(whole).count() >= enough {
                break;
            }
        }
        if found.is_empty() {
            found = shown(&view, &candidates, &weights, HARDLY);
        }
        let found = self.ranked(found, &weights);
        let hits: Vec<&Found<'_>> = found.iter().skip(self.offset).take(self.limit).collect();
        let best = found.first().map(|title| (title.entry, &title.marks));
        Ok(SearchReply {
            hits: hits.into_iter().map(|title| self.hit(title, &weights)).collect(),
            total: found.len() as u32,
            people: people(&candidates.people, &view.table, |slot| self.is_shown(&view, slot)),
            genres: self.genres(&view),
            corrected: best.map_or_else(String::new, |(entry, marks)| corrected(&self.typed, entry, marks)),
        })
    }

    fn weights(&self, candidates: &Candidates) -> Vec<f32> {
        let mut known = vec![0; self.typed.words.len()];
        for (_, marks) in candidates.shown() {
            for (known, mark) in known.iter_mut().zip(marks) {
                *known += u32::from(*mark >= 1.0);
            }
        }
        weights(&self.typed, &known)
    }

    fn is_shown(&self, view: &View, slot: Slot) -> bool {
        let takes = |entry: &&Entry| self.filter.takes(&view.table, entry) && self.viewer.is_shown(&view.table, entry);
        view.table.entry(slot).filter(takes).is_some()
    }

    /// The best first. Of those that come into question for it, the names are compared as wholes.
    fn ranked<'a>(&self, mut found: Vec<Found<'a>>, weights: &[f32]) -> Vec<Found<'a>> {
        let order =
            |a: &Found<'_>, b: &Found<'_>| b.score.total_cmp(&a.score).then_with(|| newest_first(a.entry, b.entry));
        if found.len() > COMPARED {
            found.select_nth_unstable_by(COMPARED, order);
        }
        let compared = found.len().min(COMPARED);
        let (best, rest) = found.split_at_mut(compared);
        for title in best.iter_mut() {
            let likeness = likeness(title.entry, &self.typed);
            let named = source(&title.marks, weights) == Source::Name;
            title.score += if named { likeness } else { likeness * 0.02 };
        }
        best.sort_unstable_by(order);
        rest.sort_unstable_by(order);
        found
    }

    fn hit(&self, title: &Found<'_>, weights: &[f32]) -> Hit {
        let source = source(&title.marks, weights);
        let matched = match source {
            Source::Name => "name",
            Source::Person => "person",
            Source::Genre => "genre",
            Source::Description => "description",
        };
        let words: Vec<&str> = self.typed.words.iter().map(|word| word.folded.as_str()).collect();
        let holds = |text: &str| words.iter().filter(|word| text.split(' ').any(|has| has.starts_with(**word))).count();
        let most = |texts: Vec<(&str, String)>| {
            // Of equals the first, which is named first.
            let best = texts.into_iter().rev().max_by_key(|(_, folded)| holds(folded));
            best.map_or_else(String::new, |(text, _)| text.to_owned())
        };
        let matched_text = match source {
            Source::Name => most(title.entry.names.iter().map(|n| (n.text.as_str(), n.folded.clone())).collect()),
            Source::Person => most(title.entry.people.iter().map(|p| (p.name.as_str(), p.folded.clone())).collect()),
            Source::Genre => most(title.entry.genres.iter().map(|g| (g.as_str(), folded(g, 10))).collect()),
            Source::Description => String::new(),
        };
        self.card(title.entry, title.score, matched, matched_text)
    }

    fn card(&self, entry: &Entry, score: f32, matched: &str, matched_text: String) -> Hit {
        let kind = match entry.kind {
            TitleKind::Series => "series",
            TitleKind::Episode => "episode",
            _ => "movie",
        };
        Hit {
            title: entry.id.as_str().to_owned(),
            name: entry.name(&self.viewer.languages).chars().take(LONGEST).collect(),
            kind: kind.to_owned(),
            year: entry.year,
            score: f64::from(score),
            matched: matched.to_owned(),
            matched_text: matched_text.chars().take(LONGEST).collect(),
        }
    }

    /// Everything that the filters leave, the newest first.
    fn all(&self, view: &View) -> SearchReply {
        let shown = view.table.iter().filter(|(slot, _)| self.is_shown(view, *slot));
        let mut entries: Vec<&Entry> = shown.map(|(_, entry)| entry).collect();
        entries.sort_unstable_by(|a, b| newest_first(a, b));
        let hits = entries.iter().skip(self.offset).take(self.limit);
        SearchReply {
            hits: hits.map(|entry| self.card(entry, 0.0, "", String::new())).collect(),
            total: entries.len() as u32,
            genres: self.genres(view),
            ..SearchReply::default()
        }
    }

    /// The genres that were typed, or all where nothing was, of which something is shown.
    fn genres(&self, view: &View) -> Vec<String> {
        let typed = |genre: &str| {
            let folded = folded(genre, 10);
            self.typed.words.iter().all(|word| {
                let is = |has: &str| has == word.folded || (word.letters.len() > 2 && has.starts_with(&word.folded));
                folded.split(' ').any(is)
            })
        };
        let mut genres: Vec<String> = view
            .table
            .genres()
            .filter(|(genre, titles)| typed(genre) && titles.iter().any(|slot| self.is_shown(view, *slot)))
            .map(|(genre, _)| genre.to_owned())
            .collect();
        genres.sort_unstable();
        genres.truncate(MOST_GENRES);
        genres
    }
}

/// Of those that the viewer is shown: with all that was typed, or, where they are worth more than these, with this share
/// of it.
fn shown<'a>(view: &'a View, candidates: &Candidates, weights: &[f32], share: f32) -> Vec<Found<'a>> {
    let mut found: Vec<(Found<'a>, bool)> = Vec::new();
    let mut least: f32 = 0.0;
    for (slot, marks) in candidates.shown() {
        let worth = Worth::of(marks, weights);
        let Some(entry) = view.table.entry(slot).filter(|_| worth.found >= share) else { continue };
        if worth.is_whole() {
            least = least.max(worth.words);
        }
        found.push((Found { entry, marks: *marks, score: worth.words }, worth.is_whole()));
    }
    found.retain(|(title, whole)| *whole || title.score > least);
    found.into_iter().map(|(title, _)| title).collect()
}

fn newest_first(a: &Entry, b: &Entry) -> Ordering {
    let year = b.year.cmp(&a.year);
    year.then_with(|| b.published_us.cmp(&a.published_us)).then_with(|| a.id.cmp(&b.id))
}
