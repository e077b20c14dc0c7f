//! Words as they are compared: without accents, case and punctuation, whatever the script.
//!
//! Scripts that put no spaces between words (Chinese, Japanese, Thai) are taken letter by letter, so that any part of a
//! name is found in them. Source: Unicode Standard Annex 15 (compatibility decomposition).

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Letters of a word that count; what is beyond them is cut.
pub const LONGEST_WORD: usize = 40;

/// A word, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub folded: String,
    /// Its bytes in the text.
    pub place: Range<usize>,
}

/// The words of a text, in their order; at most `most`.
#[must_use]
pub fn words(text: &str, most: usize) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    // The word that is being read goes on; letters of it so far.
    let (mut open, mut letters) = (false, 0);
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let (mut heard, mut mark) = (false, false);
        for part in std::iter::once(c).nfkd().flat_map(char::to_lowercase) {
            if is_mark(part) {
                mark = true;
                continue;
            }
            for letter in plain(part).chars().chain(kept(part)) {
                let alone = stands_alone(letter);
                if !open || alone {
                    if found.len() == most {
                        return found;
                    }
                    found.push(Word { folded: String::new(), place: at..end });
                    letters = 0;
                }
                (open, heard) = (!alone, true);
                if let Some(word) = found.last_mut() {
                    word.place.end = end;
                    if letters < LONGEST_WORD {
                        word.folded.push(letter);
                        letters += 1;
                    }
                }
            }
        }
        // A mark belongs to the letter before it.
        if !heard && !mark {
            open = false;
        }
    }
    found
}

/// The words of a text with one space between them.
#[must_use]
pub fn folded(text: &str, most: usize) -> String {
    let words = words(text, most);
    let mut joined = String::with_capacity(text.len());
    for word in &words {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&word.folded);
    }
    joined
}

/// Accents and points that are left out: those of Latin, Greek and Cyrillic, of Hebrew and of Arabic.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{200b}'..='\u{200f}')
}

/// Letters with a plainer spelling that no decomposition knows.
fn plain(c: char) -> &'static str {
    match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ı' => "i",
        'ħ' => "h",
        'ŋ' => "n",
        _ => "",
    }
}

/// The letter itself, where it is one and has no plainer spelling.
fn kept(c: char) -> Option<char> {
    let combining = matches!(c, '\u{3099}' | '\u{309a}') || is_indic_sign(c);
    ((c.is_alphanumeric() || combining) && plain(c).is_empty()).then_some(c)
}

/// Vowel signs and the like, without which words of India's and Thailand's scripts are not themselves.
fn is_indic_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{d7f}' | '\u{e30}'..='\u{e4e}') && !c.is_ascii() && !matches!(c, '\u{964}' | '\u{965}')
}

/// Whether a letter is a word of its own.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accents_case_and_punctuation_do_not_count() {
        assert_eq!(folded("Amélie — Le Fabuleux Destin", 9), "amelie le fabuleux destin");
        assert_eq!(folded("STRASSE, Straße & Łódź", 9), "strasse strasse lodz");
        assert_eq!(folded("Ｆｕｌｌ　ｗｉｄｔｈ", 9), "full width");
        assert_eq!(folded("don't; l'été", 9), "don t l ete");
        assert_eq!(folded("Ёлки Ёжик", 9), "елки ежик");
        assert_eq!(folded("e\u{301}te\u{301}", 9), "ete");
        assert_eq!(folded("!?— ", 9), "");
    }

    #[test]
    fn scripts_without_spaces_are_taken_letter_by_letter() {
        assert_eq!(folded("千と千尋 2", 9), "千 と 千 尋 2");
    }

    #[test]
    fn a_word_knows_where_it_stands() {
        let text = "Über Café";
        let places: Vec<&str> = words(text, 9).into_iter().map(|word| &text[word.place]).collect();
        assert_eq!(places, ["Über", "Café"]);
    }

    proptest! {
        #[test]
        fn any_text_has_words_of_bounded_length(text: String, most in 0usize..20) {
            let words = words(&text, most);
            prop_assert!(words.len() <= most);
            for word in words {
                prop_assert!(!word.folded.is_empty() && word.folded.chars().count() <= LONGEST_WORD);
                prop_assert!(text.get(word.place).is_some());
            }
        }

        #[test]
        fn folding_again_changes_nothing(text in "\\PC{0,40}") {
            let once = folded(&text, 100);
            prop_assert_eq!(folded(&once, 1000), once);
        }
    }
}
