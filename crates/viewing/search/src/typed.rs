//! What was typed so far, as it is understood.

use crate::error::SearchError;
use crate::fold::words;

/// Letters that may be typed.
pub const MOST_LETTERS: usize = 500;
/// Words that count; what is typed after them is cut.
pub const MOST_WORDS: usize = 12;
/// Letters by which whole names are compared.
const COMPARED: usize = 80;

/// How much may be wrong with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tolerance {
    /// Nothing.
    Exact,
    /// One letter from 4 on, two from 8 on.
    Usual,
    /// One letter from 3 on, two from 5 on: where nothing else is found.
    Wide,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedWord {
    /// Folded.
    pub folded: String,
    /// The same, letter by letter.
    pub letters: Vec<char>,
    /// Whether it may go on.
    pub open: bool,
}

impl TypedWord {
    fn new(folded: String, open: bool) -> Self {
        Self { letters: folded.chars().collect(), folded, open }
    }

    /// Edits that are forgiven. Numbers are as they are typed: 1984 is not 1985.
    #[must_use]
    pub fn forgiven(&self, tolerance: Tolerance) -> u8 {
        if self.letters.iter().all(char::is_ascii_digit) {
            return 0;
        }
        match (tolerance, self.letters.len()) {
            (Tolerance::Exact, _) | (Tolerance::Usual, 0..=3) | (Tolerance::Wide, 0..=2) => 0,
            (Tolerance::Usual, 4..=7) | (Tolerance::Wide, 3..=4) => 1,
            (Tolerance::Usual | Tolerance::Wide, _) => 2,
        }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// Its words.
    pub words: Vec<TypedWord>,
    /// Each two that follow each other, as one: for "star dust".
    pub pairs: Vec<TypedWord>,
    /// All words, folded, with one space between them.
    pub text: String,
    /// The same, letter by letter, at most 80 of them.
    pub letters: Vec<char>,
}

impl Typed {
    /// Reads what was typed. Its last word may go on where nothing stands after it.
    pub fn read(query: &str) -> Result<Self, SearchError> {
        let length = query.chars().count();
        if length > MOST_LETTERS {
            let reason = format!("it has {length} letters, at most {MOST_LETTERS} are taken");
            return Err(SearchError::field("query", reason));
        }
        let found = words(query, MOST_WORDS);
        let ends = found.last().is_some_and(|word| word.place.end == query.len());
        let last = found.len();
        let typed: Vec<TypedWord> = found
            .into_iter()
            .enumerate()
            .map(|(at, word)| TypedWord::new(word.folded, ends && at + 1 == last))
            .collect();
        let pairs = typed.windows(2).filter_map(|two| match two {
            [one, other] => Some(TypedWord::new(format!("{}{}", one.folded, other.folded), other.open)),
            _ => None,
        });
        let pairs = pairs.collect();
        let text = typed.iter().map(|word| word.folded.as_str()).collect::<Vec<_>>().join(" ");
        let letters = text.chars().take(COMPARED).collect();
        Ok(Self { words: typed, pairs, text, letters })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_word_may_go_on() {
        let open = |query| Typed::read(query).unwrap().words.iter().map(|word| word.open).collect::<Vec<_>>();
        assert_eq!(open("The Mat"), [false, true]);
        assert_eq!(open("The Matrix "), [false, false]);
        assert_eq!(open("   "), [false; 0]);
    }

    #[test]
    fn short_words_and_numbers_are_taken_at_their_word() {
        let forgiven = |query, tolerance| Typed::read(query).unwrap().words[0].forgiven(tolerance);
        assert_eq!((forgiven("cat", Tolerance::Usual), forgiven("cat", Tolerance::Wide)), (0, 1));
        assert_eq!((forgiven("cats", Tolerance::Usual), forgiven("matrixes", Tolerance::Usual)), (1, 2));
        assert_eq!(forgiven("20012001", Tolerance::Wide), 0);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_refused_by_name(query: String) {
            match Typed::read(&query) {
                Ok(typed) => prop_assert!(typed.words.len() <= MOST_WORDS),
                Err(error) => prop_assert!(error.to_string().starts_with("query is refused")),
            }
        }
    }
}
