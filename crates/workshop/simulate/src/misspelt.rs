//! What people type when they mean a title: its name with a slip of the finger or two, often without its accents.

use std::collections::HashSet;

use matinee_contracts::catalog::{Title, TitleKind};

use crate::chance::Chance;

/// Letters of a name from which on a second slip may happen.
const LONG: usize = 9;
const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// `count` queries, each with the id of the movie or series that is meant, by any of its names.
///
/// Slips: a key beside the right one, two letters swapped, one left out, one doubled. What is another title's right name is
/// not among them.
#[must_use]
pub fn misspelt(seed: u64, titles: &[Title], count: usize) -> Vec<(String, String)> {
    let mut chance = Chance::new(seed);
    let meant: Vec<&Title> = titles.iter().filter(|title| title.kind() != TitleKind::Episode).collect();
    let right: HashSet<String> = meant.iter().flat_map(|title| names(title)).map(|name| name.to_lowercase()).collect();
    let mut queries = Vec::with_capacity(count);
    // Bounded, as a catalogue may have nothing that can be misspelt.
    for _ in 0..count.saturating_mul(20) {
        if queries.len() == count || meant.is_empty() {
            break;
        }
        let title = *chance.of(&meant);
        let name = (*chance.of(&names(title))).to_lowercase();
        let mut typed: Vec<char> = if chance.in_hundred(60) { plain(&name) } else { name.clone() }.chars().collect();
        let letters = typed.iter().filter(|c| c.is_alphabetic()).count();
        if letters < 5 {
            continue;
        }
        let slips = if letters >= LONG && chance.in_hundred(35) { 2 } else { 1 };
        for _ in 0..slips {
            slip(&mut chance, &mut typed);
        }
        let typed: String = typed.into_iter().collect();
        if !right.contains(&typed) && typed != plain(&name) {
            queries.push((typed, title.id.clone()));
        }
    }
    queries
}

fn names(title: &Title) -> Vec<&str> {
    let localized = title.localized.iter().map(|words| words.name.as_str());
    let all = [title.name.as_str(), title.original_name.as_str()].into_iter().chain(localized);
    all.filter(|name| !name.is_empty()).collect()
}

/// Without the accents of the languages that names are in.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'á' | 'à' | 'â' | 'ä' => "a",
        'é' | 'è' | 'ê' | 'ë' => "e",
        'í' | 'î' | 'ï' => "i",
        'ó' | 'ô' | 'ö' | 'ø' => "o",
        'ú' | 'û' | 'ü' => "u",
        'ñ' => "n",
        'ç' => "c",
        'œ' => "oe",
        'ß' => "ss",
        _ => "",
    };
    name.chars().fold(String::new(), |mut plain, c| {
        match letter(c) {
            "" => plain.push(c),
            letters => plain.push_str(letters),
        }
        plain
    })
}

/// One slip, at some letter.
fn slip(chance: &mut Chance, typed: &mut Vec<char>) {
    let places: Vec<usize> = (0..typed.len()).filter(|at| typed[*at].is_alphabetic()).collect();
    if places.is_empty() {
        return;
    }
    let at = *chance.of(&places);
    let swappable = typed.get(at + 1).is_some_and(|next| next.is_alphabetic() && *next != typed[at]);
    match chance.below(4) {
        0 if swappable => typed.swap(at, at + 1),
        1 => {
            typed.remove(at);
        }
        2 => typed.insert(at, typed[at]),
        _ => typed[at] = beside(chance, typed[at]),
    }
}

/// A key beside this one's.
fn beside(chance: &mut Chance, letter: char) -> char {
    let found = KEYS.iter().enumerate().find_map(|(row, keys)| keys.find(letter).map(|at| (row, at)));
    let Some((row, at)) = found else { return 'e' };
    let key = |row: usize, at: usize| KEYS.get(row).and_then(|keys| keys.chars().nth(at));
    let mut around = Vec::new();
    around.extend(at.checked_sub(1).and_then(|at| key(row, at)));
    around.extend(key(row, at + 1));
    if row > 0 {
        around.extend([key(row - 1, at), key(row - 1, at + 1)].into_iter().flatten());
    }
    around.extend(at.checked_sub(1).and_then(|at| key(row + 1, at)));
    around.extend(key(row + 1, at));
    *chance.of(&around)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::titles;

    #[test]
    fn every_query_is_misspelt_and_means_a_title() {
        let made = titles(1, 500);
        let queries = misspelt(2, &made, 300);
        assert_eq!((queries.len(), &queries), (300, &misspelt(2, &made, 300)));
        for (query, id) in &queries {
            let title = made.iter().find(|title| title.id == *id).unwrap();
            assert!(names(title).iter().all(|name| name.to_lowercase() != *query), "{query} is no misspelling");
        }
        assert!(misspelt(2, &[], 10).is_empty());
    }
}
