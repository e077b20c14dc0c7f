//! Which title is first: an exact name before a beginning, that before a misspelling, that before a person, a genre and a
//! description.

use crate::candidates::{Marks, Source};
use crate::distance::{End, FAR, distance};
use crate::entry::{Entry, Name};
use crate::typed::{Typed, TypedWord};

/// Titles of a large catalogue. How many there are of which the viewer is shown nothing must not matter.
const MANY: f32 = 10_000.0;

/// How much each typed word says; their sum is 1. A rare and long word says more than a frequent and short one.
///
/// `known[i]` of the titles that the viewer is shown have word `i` in a name.
#[must_use]
pub fn weights(typed: &Typed, known: &[u32]) -> Vec<f32> {
    let weight = |(word, known): (&TypedWord, &u32)| {
        let rare = 1.0 - (1.0 + *known as f32).ln() / MANY.ln();
        rare.max(0.08) * (0.5 + word.letters.len().min(8) as f32 / 16.0)
    };
    let weights: Vec<f32> = typed.words.iter().zip(known).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum.max(f32::MIN_POSITIVE)).collect()
}

/// What its words are worth together, and how much of what was typed was found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Worth {
    /// From 0 to 1.
    pub words: f32,
    /// From 0 to 1.
    pub found: f32,
}

impl Worth {
    /// Of a title with these marks.
    #[must_use]
    pub fn of(marks: &Marks, weights: &[f32]) -> Self {
        let mut worth = Self::default();
        for (mark, weight) in marks.iter().zip(weights) {
            worth.words += mark * weight;
            worth.found += if *mark > 0.0 { *weight } else { 0.0 };
        }
        worth
    }

    /// Whether every word was found.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.found > 0.999
    }
}

/// Where the word was found by which a title is shown: the one that says most.
#[must_use]
pub fn source(marks: &Marks, weights: &[f32]) -> Source {
    let worths = marks.iter().zip(weights).map(|(mark, weight)| mark * weight);
    let best = worths.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at);
    marks.get(best).map_or(Source::Description, |mark| Source::of(*mark))
}

/// What comes to a title's worth by its names as wholes: from 0 to 1.
#[must_use]
pub fn likeness(entry: &Entry, typed: &Typed) -> f32 {
    entry.names.iter().map(|name| alike(name, typed)).fold(0.0, f32::max)
}

fn alike(name: &Name, typed: &Typed) -> f32 {
    if name.folded == typed.text {
        return 1.0;
    }
    let share = typed.text.len() as f32 / name.folded.len().max(1) as f32;
    if let Some(rest) = name.folded.strip_prefix(typed.text.as_str()) {
        return if rest.starts_with(' ') { 0.62 } else { 0.5 } + 0.2 * share;
    }
    if let Some(at) = name.folded.find(&typed.text)
        && name.folded.get(..at).is_some_and(|before| before.ends_with(' '))
    {
        return 0.3 + 0.1 * share;
    }
    let like = |end, length: usize| {
        let far = distance(&typed.letters, &name.letters, end);
        (far < FAR).then(|| 1.0 - far / length.max(FAR as usize) as f32)
    };
    let whole = like(End::Whole, typed.letters.len().max(name.letters.len()));
    whole.map_or_else(|| 0.3 * like(End::Open, typed.letters.len()).unwrap_or(0.0), |whole| 0.45 * whole)
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::Title;

    use super::*;

    fn like(name: &str, query: &str) -> f32 {
        let title = Title { id: "t".to_owned(), name: name.to_owned(), ..Title::default() };
        likeness(&Entry::of(&title).unwrap(), &Typed::read(query).unwrap())
    }

    #[test]
    fn a_whole_name_is_more_than_its_beginning_and_that_more_than_a_misspelling() {
        let falling = [
            like("Alien", "alien"),
            like("Alien: Covenant", "alien"),
            like("Aliens in the Attic", "alien"),
            like("The Alien Within", "alien"),
            like("Ailen", "alien"),
            like("Something Else", "alien"),
        ];
        // "Ailen" may be nearer than a name that holds the word: what words are worth decides between those.
        assert!(falling[0] > falling[1] && falling[1] > falling[2] && falling[2] > falling[3], "{falling:?}");
        assert!(falling[4] > falling[5] && falling[5] < 0.2, "{falling:?}");
    }

    #[test]
    fn a_rare_word_says_more_than_a_frequent_one() {
        let typed = Typed::read("the matrix ").unwrap();
        let weights = weights(&typed, &[4_000, 1]);
        assert!(weights[1] > 4.0 * weights[0] && (weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{weights:?}");
    }
}
