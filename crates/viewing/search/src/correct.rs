//! What was understood where a word was misspelt: the words of the first hit in place of those that were typed.

use crate::candidates::{Marks, Source};
use crate::distance::{End, FAR, distance};
use crate::entry::Entry;
use crate::fold::words;
use crate::typed::{Typed, TypedWord};

/// Words of a text that are looked at.
const WORDS: usize = 40;

/// What was typed as `entry`, the first hit, has it; empty where it is as it was typed.
#[must_use]
pub fn corrected(typed: &Typed, entry: &Entry, marks: &Marks) -> String {
    let names = entry.names.iter().map(|name| name.text.as_str());
    let people = entry.people.iter().map(|person| person.name.as_str());
    // Small letters, as people type; the accents stay.
    let mut written: Vec<(Vec<char>, String)> = Vec::new();
    let mut of_names = 0;
    for (at, text) in names.chain(people).enumerate() {
        for word in words(text, WORDS) {
            let shown = text.get(word.place.clone()).unwrap_or_default().to_lowercase();
            written.push((word.folded.chars().collect(), shown));
        }
        if at + 1 == entry.names.len() {
            of_names = written.len();
        }
    }
    let mut understood = Vec::new();
    let mut differs = false;
    for (word, mark) in typed.words.iter().zip(marks) {
        let among = match Source::of(*mark) {
            Source::Name => written.get(..of_names),
            Source::Person => written.get(of_names..),
            Source::Genre | Source::Description => None,
        };
        let better = among.filter(|_| *mark > 0.0).and_then(|among| meant(word, among));
        differs |= better.is_some();
        understood.push(better.unwrap_or_else(|| word.folded.clone()));
    }
    if differs { understood.join(" ") } else { String::new() }
}

/// The written word that is nearest to a misspelt one; nothing where it is not misspelt, or nothing is near.
fn meant(word: &TypedWord, among: &[(Vec<char>, String)]) -> Option<String> {
    let spelt = |written: &[char]| written == word.letters || (word.open && written.starts_with(&word.letters));
    if among.iter().any(|(written, _)| spelt(written)) {
        return None;
    }
    let far = |written: &[char]| {
        let whole = distance(&word.letters, written, End::Whole);
        if word.open { whole.min(distance(&word.letters, written, End::Open) + 0.3) } else { whole }
    };
    let nearest = among.iter().map(|(written, shown)| (far(written), shown)).min_by(|a, b| a.0.total_cmp(&b.0))?;
    // Else two words were written as one, which is no misspelling of either.
    (nearest.0 < FAR.min(2.8) && nearest.0 < word.letters.len() as f32 / 2.0).then(|| nearest.1.clone())
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::{Credit, Title};

    use super::*;

    fn understood(query: &str, marks: &[f32]) -> String {
        let people = vec![Credit { name: "Zoë Saldaña".to_owned(), ..Credit::default() }];
        let title = Title { id: "t".to_owned(), name: "Das Mädchen Gladiator".to_owned(), people, ..Title::default() };
        let mut all = Marks::default();
        for (to, from) in all.iter_mut().zip(marks) {
            *to = *from;
        }
        corrected(&Typed::read(query).unwrap(), &Entry::of(&title).unwrap(), &all)
    }

    #[test]
    fn misspelt_words_are_told_as_they_are_written() {
        assert_eq!(understood("das medchen", &[1.0, 0.6]), "das mädchen");
        assert_eq!(understood("galdia", &[0.6]), "gladiator");
        assert_eq!(understood("saldanna", &[0.25]), "saldaña");
        assert_eq!(understood("das madchen glad", &[1.0, 1.0, 0.9]), "", "accents are no misspellings");
        assert_eq!(understood("das xyz", &[1.0, 0.0]), "");
    }
}
