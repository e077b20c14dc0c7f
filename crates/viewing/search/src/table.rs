//! All titles of an index in memory, by the slot that their document names; and who and what leads to which of them.

use std::collections::{BTreeSet, HashMap};

use crate::entry::{Credit, Entry};

/// Where a title stands in the table. A slot of a title that is gone is given to another.
pub type Slot = u32;

/// Somebody, with the titles that name them.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Empty where the catalogue has no page of them.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Its words, folded.
    pub words: Vec<String>,
    /// Their titles.
    pub titles: BTreeSet<Slot>,
}

/// The table.
#[derive(Debug, Default)]
pub struct Table {
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
    by_id: HashMap<String, Slot>,
    // By series.
    episodes: HashMap<String, BTreeSet<Slot>>,
    people: HashMap<String, Person>,
    // A person's key by each word of the name.
    by_word: HashMap<String, BTreeSet<String>>,
    genres: HashMap<String, BTreeSet<Slot>>,
}

impl Table {
    /// Titles in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Slots, of which some may be free.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.entries.len()
    }

    /// A title.
    #[must_use]
    pub fn entry(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot as usize)?.as_ref()
    }

    /// Where a title stands.
    #[must_use]
    pub fn slot(&self, id: &str) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// All titles.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        self.entries.iter().enumerate().filter_map(|(slot, entry)| Some((slot as Slot, entry.as_ref()?)))
    }

    /// The episodes of a series.
    pub fn episodes(&self, series: &str) -> impl Iterator<Item = &Entry> {
        self.episodes.get(series).into_iter().flatten().filter_map(|slot| self.entry(*slot))
    }

    /// People in whose names this word stands, by their keys.
    pub fn people_by_word(&self, word: &str) -> impl Iterator<Item = (&str, &Person)> {
        let keys = self.by_word.get(word).into_iter().flatten();
        keys.filter_map(|key| Some((key.as_str(), self.people.get(key)?)))
    }

    /// All genres, each with its titles.
    pub fn genres(&self) -> impl Iterator<Item = (&str, &BTreeSet<Slot>)> {
        self.genres.iter().map(|(genre, titles)| (genre.as_str(), titles))
    }

    /// Slots for titles that are to come: free ones, then new ones.
    pub fn vacant(&self) -> impl Iterator<Item = Slot> + use<> {
        let new = self.entries.len() as Slot..;
        self.free.clone().into_iter().rev().chain(new)
    }

    /// Puts a title in its slot, where the same one or none stood.
    pub fn put(&mut self, slot: Slot, entry: Entry) {
        self.remove(slot);
        self.free.retain(|free| *free != slot);
        while self.entries.len() <= slot as usize {
            if self.entries.len() < slot as usize {
                self.free.push(self.entries.len() as Slot);
            }
            self.entries.push(None);
        }
        self.by_id.insert(entry.id.as_str().to_owned(), slot);
        if !entry.series.is_empty() {
            self.episodes.entry(entry.series.clone()).or_default().insert(slot);
        }
        for genre in &entry.genres {
            self.genres.entry(genre.clone()).or_default().insert(slot);
        }
        for credit in &entry.people {
            self.credit(slot, credit);
        }
        if let Some(place) = self.entries.get_mut(slot as usize) {
            *place = Some(entry);
        }
    }

    fn credit(&mut self, slot: Slot, credit: &Credit) {
        let person = self.people.entry(credit.key().to_owned()).or_default();
        person.titles.insert(slot);
        if person.name == credit.name {
            return;
        }
        // New, or called otherwise since.
        for word in person.words.drain(..) {
            forget(&mut self.by_word, &word, credit.key());
        }
        (person.id, person.name) = (credit.id.clone(), credit.name.clone());
        person.words = credit.folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        for word in &person.words {
            self.by_word.entry(word.clone()).or_default().insert(credit.key().to_owned());
        }
    }

    /// Takes a title out.
    pub fn remove(&mut self, slot: Slot) {
        let Some(entry) = self.entries.get_mut(slot as usize).and_then(Option::take) else { return };
        self.free.push(slot);
        self.by_id.remove(entry.id.as_str());
        forget(&mut self.episodes, &entry.series, &slot);
        for genre in &entry.genres {
            forget(&mut self.genres, genre, &slot);
        }
        for credit in &entry.people {
            let Some(person) = self.people.get_mut(credit.key()) else { continue };
            person.titles.remove(&slot);
            if person.titles.is_empty() {
                for word in std::mem::take(&mut person.words) {
                    forget(&mut self.by_word, &word, credit.key());
                }
                self.people.remove(credit.key());
            }
        }
    }
}

/// Takes `what` out of a set, and the set away where it is empty then.
fn forget<T: Ord + std::borrow::Borrow<Q>, Q: Ord + ?Sized>(
    sets: &mut HashMap<String, BTreeSet<T>>,
    name: &str,
    what: &Q,
) {
    if let Some(set) = sets.get_mut(name) {
        set.remove(what);
        if set.is_empty() {
            sets.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use matinee_contracts::catalog::{Credit as Named, Title};
    use proptest::prelude::*;

    use super::*;

    fn entry(id: u8, people: &[u8]) -> Entry {
        let people =
            people.iter().map(|n| Named { person: format!("p{n}"), name: format!("Ann N{n}"), ..Named::default() });
        let (genres, series) = (vec![format!("g{}", id % 3)], "s".to_owned());
        let kind = matinee_contracts::catalog::TitleKind::Episode.into();
        Entry::of(&Title { id: format!("t{id}"), kind, series, genres, people: people.collect(), ..Title::default() })
            .unwrap()
    }

    proptest! {
        #[test]
        fn a_table_that_was_emptied_keeps_nothing(steps in proptest::collection::vec((0u8..6, proptest::collection::vec(0u8..4, 0..3), any::<bool>()), 0..30)) {
            let mut table = Table::default();
            for (id, people, keep) in steps {
                let found = table.slot(&format!("t{id}"));
                match (found, keep) {
                    (found, true) => {
                        let slot = found.or_else(|| table.vacant().next()).unwrap();
                        table.put(slot, entry(id, &people));
                        prop_assert_eq!(table.slot(&format!("t{id}")), Some(slot));
                    }
                    (Some(slot), false) => table.remove(slot),
                    (None, false) => {}
                }
                prop_assert_eq!(table.iter().count(), table.len());
                prop_assert_eq!(table.len() + table.free.len(), table.slots());
            }
            let slots: Vec<Slot> = table.iter().map(|(slot, _)| slot).collect();
            for slot in slots {
                table.remove(slot);
            }
            prop_assert!(table.is_empty() && table.people.is_empty() && table.by_word.is_empty());
            prop_assert!(table.genres.is_empty() && table.episodes.is_empty());
        }
    }
}
