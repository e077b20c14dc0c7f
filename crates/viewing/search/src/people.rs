//! People who are meant by what was typed: every word of it is in their names, and something of theirs is shown.

use std::collections::HashMap;

use matinee_contracts::search::PersonHit;

use crate::table::{Person, Slot, Table};

/// People of an answer.
const MOST: usize = 10;
/// People who are looked at.
const LOOKED_AT: usize = 1_000;

/// The people for whose names `meant` says, word by word of what was typed, how well their words fit.
#[must_use]
pub fn people(meant: &[HashMap<String, f32>], table: &Table, is_shown: impl Fn(Slot) -> bool) -> Vec<PersonHit> {
    // The word that the fewest have is where they are sought.
    let Some(rarest) = meant.iter().min_by_key(|words| words.len()) else { return Vec::new() };
    let mut fits: Vec<(&String, &f32)> = rarest.iter().collect();
    fits.sort_unstable_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let sought = fits.into_iter().flat_map(|(word, _)| table.people_by_word(word)).take(LOOKED_AT);
    let mut found: HashMap<&str, (f32, &Person)> = HashMap::new();
    for (key, person) in sought {
        if let Some(fit) = fit(meant, person) {
            found.insert(key, (fit, person));
        }
    }
    let mut ranked: Vec<(f32, &str, PersonHit)> = Vec::new();
    for (key, (fit, person)) in found {
        let titles = person.titles.iter().filter(|slot| is_shown(**slot)).count() as u32;
        if titles > 0 {
            let hit = PersonHit { person: person.id.clone(), name: person.name.clone(), titles };
            ranked.push((fit, key, hit));
        }
    }
    ranked.sort_unstable_by(|a, b| {
        b.0.total_cmp(&a.0).then_with(|| b.2.titles.cmp(&a.2.titles)).then_with(|| a.1.cmp(b.1))
    });
    ranked.into_iter().take(MOST).map(|(_, _, hit)| hit).collect()
}

/// How well what was typed fits a name; nothing where a word of it does not.
fn fit(meant: &[HashMap<String, f32>], person: &Person) -> Option<f32> {
    let mut sum = 0.0;
    for words in meant {
        sum += person.words.iter().filter_map(|word| words.get(word)).copied().reduce(f32::max)?;
    }
    Some(sum / meant.len() as f32)
}
