//! Which titles come into question for what was typed, and how well each of their words fits.
//!
//! Each typed word is looked up in the index's dictionaries: as it is, as a beginning, and within some edits of it, by a
//! Levenshtein automaton. What a match is worth says where it was found (see [`Source`]).

use std::collections::HashMap;

use tantivy::query::{DfaWrapper, FuzzyTermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, TERMINATED, Term};

use crate::distance::{End, distance};
use crate::document::Fields;
use crate::error::SearchError;
use crate::index::{NOWHERE, View};
use crate::table::Slot;
use crate::typed::{MOST_WORDS, Tolerance, Typed, TypedWord};

/// Words of the dictionary that one typed word may stand for: the best, where there are more.
const MOST_MEANT: usize = 4_096;
/// Where it may be misspelt.
const MOST_MISSPELT: usize = 256;
/// Letters from which on a word is looked for where it stands for more, or less, than a word of a name.
const LONG: usize = 4;
/// The least that a word of a name is worth.
const LEAST: f32 = 0.35;

/// Where a word was found. The ranges of what their words are worth do not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// In a description.
    Description,
    /// In a genre.
    Genre,
    /// In a person's name.
    Person,
    /// In one of the title's names.
    Name,
}

impl Source {
    /// The worth, there, of a word that is worth `fit` (up to 1) in a name.
    fn worth(self, fit: f32) -> f32 {
        match self {
            Self::Name => fit.max(LEAST),
            Self::Person => 0.2 + 0.09 * fit,
            Self::Genre => 0.15 + 0.04 * fit,
            Self::Description => 0.05 + 0.07 * fit,
        }
    }

    /// Where a word of this worth was found.
    #[must_use]
    pub fn of(worth: f32) -> Self {
        if worth >= LEAST {
            Self::Name
        } else if worth >= 0.2 {
            Self::Person
        } else if worth >= 0.15 {
            Self::Genre
        } else {
            Self::Description
        }
    }
}

/// What each word is worth in one title; 0 where it is not found.
pub type Marks = [f32; MOST_WORDS];

/// The titles that come into question.
#[derive(Debug)]
pub struct Candidates {
    // Where a slot's marks stand; 0 where it has none, else one more.
    places: Vec<u32>,
    slots: Vec<Slot>,
    marks: Vec<Marks>,
    // Whether the viewer is shown them; nothing where it was not asked yet.
    shown: Vec<Option<bool>>,
    /// For each typed word, the words of people's names that it may stand for, and how well.
    pub people: Vec<HashMap<String, f32>>,
}

impl Candidates {
    /// None yet.
    #[must_use]
    pub fn new(view: &View, typed: &Typed) -> Self {
        let people = vec![HashMap::new(); typed.words.len()];
        Self { places: vec![0; view.table.slots()], slots: Vec::new(), marks: Vec::new(), shown: Vec::new(), people }
    }

    /// Asks of each that was not asked about before whether the viewer is shown it.
    pub fn judge(&mut self, is_shown: impl Fn(Slot) -> bool) {
        for (slot, shown) in self.slots.iter().zip(&mut self.shown) {
            shown.get_or_insert_with(|| is_shown(*slot));
        }
    }

    /// Those of which it is known that the viewer is shown them.
    pub fn shown(&self) -> impl Iterator<Item = (Slot, &Marks)> {
        let all = self.slots.iter().zip(&self.marks).zip(&self.shown);
        all.filter(|(_, shown)| **shown == Some(true)).map(|((slot, marks), _)| (*slot, marks))
    }

    /// Adds those that are found with this much forgiven.
    pub fn find(
        &mut self,
        view: &View,
        fields: Fields,
        typed: &Typed,
        tolerance: Tolerance,
    ) -> Result<(), SearchError> {
        for (at, word) in typed.words.iter().enumerate() {
            let lookup = Lookup { view, word, tolerance, edits: word.forgiven(tolerance), scale: 1.0 };
            let long = word.letters.len() >= LONG;
            self.take(&lookup, fields.name, Source::Name, at..=at)?;
            if long {
                self.take(&Lookup { scale: 0.95, ..lookup }, fields.pair, Source::Name, at..=at)?;
            }
            if word.letters.len() > 1 {
                self.take(&lookup, fields.person, Source::Person, at..=at)?;
            }
            if word.letters.len() > 2 && tolerance < Tolerance::Wide {
                self.take(&lookup, fields.genre, Source::Genre, at..=at)?;
            }
            if tolerance == Tolerance::Exact && (long || !word.open) {
                self.take(&lookup, fields.description, Source::Description, at..=at)?;
            }
        }
        for (at, pair) in typed.pairs.iter().enumerate().filter(|(_, pair)| pair.letters.len() >= LONG) {
            // One edit was made already: the space.
            let edits = pair.forgiven(tolerance).saturating_sub(1);
            let lookup = Lookup { view, word: pair, tolerance, edits, scale: 0.93 };
            self.take(&lookup, fields.name, Source::Name, at..=at + 1)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        lookup: &Lookup<'_>,
        field: Field,
        source: Source,
        words: std::ops::RangeInclusive<usize>,
    ) -> Result<(), SearchError> {
        let meant = lookup.meant(field)?;
        for Meant { segment, term, fit, info } in meant {
            let (Some(reader), Some(slots)) =
                (lookup.view.searcher.segment_readers().get(segment), lookup.view.slots.get(segment))
            else {
                continue;
            };
            let worth = source.worth(fit);
            let index = reader.inverted_index(field)?;
            let mut postings = index
                .read_postings_from_terminfo(&info, IndexRecordOption::Basic)
                .map_err(tantivy::TantivyError::from)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                let slot = slots.get(doc as usize).copied().unwrap_or(NOWHERE);
                if slot != NOWHERE {
                    self.mark(slot, words.clone(), worth);
                }
                doc = postings.advance();
            }
            if source == Source::Person
                && let Some(people) = self.people.get_mut(*words.start())
            {
                let best = people.entry(term).or_default();
                *best = best.max(fit);
            }
        }
        Ok(())
    }

    fn mark(&mut self, slot: Slot, words: std::ops::RangeInclusive<usize>, worth: f32) {
        let Some(place) = self.places.get_mut(slot as usize) else { return };
        if *place == 0 {
            self.slots.push(slot);
            self.marks.push([0.0; MOST_WORDS]);
            self.shown.push(None);
            *place = self.marks.len() as u32;
        }
        let Some(marks) = self.marks.get_mut(*place as usize - 1) else { return };
        for mark in marks.get_mut(words).into_iter().flatten() {
            *mark = mark.max(worth);
        }
    }
}

/// A typed word that is looked up.
#[derive(Clone, Copy)]
struct Lookup<'a> {
    view: &'a View,
    word: &'a TypedWord,
    tolerance: Tolerance,
    edits: u8,
    scale: f32,
}

/// A word of a segment's dictionary that a typed one may stand for.
struct Meant {
    segment: usize,
    term: String,
    fit: f32,
    info: tantivy::postings::TermInfo,
}

impl Lookup<'_> {
    fn meant(&self, field: Field) -> Result<Vec<Meant>, SearchError> {
        let Self { word, edits, .. } = *self;
        // What is forgiven elsewhere was found there.
        if edits == 0 && self.tolerance > Tolerance::Exact {
            return Ok(Vec::new());
        }
        let automaton = if edits > 0 { Some(automaton(word, edits)?) } else { None };
        let mut found = Vec::new();
        for (segment, reader) in self.view.searcher.segment_readers().iter().enumerate() {
            let index = reader.inverted_index(field)?;
            let dictionary = index.terms();
            let failed = tantivy::TantivyError::from;
            let mut add = |term: &[u8], info: &tantivy::postings::TermInfo| {
                if let Ok(term) = std::str::from_utf8(term)
                    && let Some(fit) = self.fit(term)
                {
                    found.push(Meant { segment, term: term.to_owned(), fit: fit * self.scale, info: info.clone() });
                }
            };
            let start = word.folded.as_bytes();
            match &automaton {
                Some(automaton) => {
                    let mut stream = dictionary.search(automaton).into_stream().map_err(failed)?;
                    while let Some((term, info)) = stream.next() {
                        add(term, info);
                    }
                }
                None if word.open => {
                    let mut stream = dictionary.range().ge(start).into_stream().map_err(failed)?;
                    while let Some((term, info)) = stream.next() {
                        if !term.starts_with(start) {
                            break;
                        }
                        add(term, info);
                    }
                }
                None => {
                    if let Some(info) = dictionary.get(start).map_err(failed)? {
                        add(start, &info);
                    }
                }
            }
        }
        let most = if edits > 0 { MOST_MISSPELT } else { MOST_MEANT };
        if found.len() > most {
            found.sort_by(|a, b| b.fit.total_cmp(&a.fit));
            found.truncate(most);
        }
        Ok(found)
    }

    /// How well a written word is what was typed: 1 for itself, less for a beginning, less again for a misspelling.
    fn fit(&self, term: &str) -> Option<f32> {
        let word = self.word;
        if term == word.folded {
            return Some(1.0);
        }
        if word.open && term.starts_with(&word.folded) {
            return Some(0.8 + 0.15 * word.folded.len() as f32 / term.len() as f32);
        }
        if self.tolerance == Tolerance::Exact {
            return None;
        }
        let letters: Vec<char> = term.chars().collect();
        let misspelt = |end, most: f32| (most - 0.2 * distance(&word.letters, &letters, end)).max(LEAST);
        let whole = misspelt(End::Whole, 0.8);
        Some(if word.open { whole.max(misspelt(End::Open, 0.74)) } else { whole })
    }
}

fn automaton(word: &TypedWord, edits: u8) -> Result<DfaWrapper, SearchError> {
    // The field is of no matter to the automaton.
    let term = Term::from_field_text(Field::from_field_id(0), &word.folded);
    let query = if word.open && word.letters.len() >= 4 {
        FuzzyTermQuery::new_prefix(term, edits, true)
    } else {
        FuzzyTermQuery::new(term, edits, true)
    };
    Ok(query.automaton()?)
}
