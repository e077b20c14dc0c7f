//! A bounded cache of what was asked for lately.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Keeps at least the last `most` values that were put or found, and at most twice as many.
///
/// Two generations: what is found in the old one moves to the new one; a full new one becomes the old one.
#[derive(Debug)]
pub struct Recent<K, V> {
    most: usize,
    generations: Mutex<[HashMap<K, V>; 2]>,
}

impl<K: Eq + Hash + Clone, V: Clone> Recent<K, V> {
    /// Of about so many values.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, generations: Mutex::new([HashMap::new(), HashMap::new()]) }
    }

    /// The value, if it is still there and `holds`.
    pub fn get(&self, key: &K, holds: impl Fn(&V) -> bool) -> Option<V> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let [new, old] = &mut *generations;
        if let Some(value) = new.get(key) {
            return Some(value.clone()).filter(holds);
        }
        let value = old.remove(key).filter(holds)?;
        self.insert(&mut generations, key.clone(), value.clone());
        Some(value)
    }

    /// Keeps a value.
    pub fn put(&self, key: K, value: V) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut generations, key, value);
    }

    fn insert(&self, generations: &mut [HashMap<K, V>; 2], key: K, value: V) {
        let [new, old] = generations;
        if new.len() >= self.most && !new.contains_key(&key) {
            *old = std::mem::take(new);
        }
        new.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stay_and_there_is_a_bound() {
        let recent = Recent::new(10);
        for n in 0..1000 {
            recent.put(n, n * 2);
            assert_eq!(recent.get(&0, |_| true), Some(0), "what is found stays");
        }
        assert_eq!(recent.get(&999, |_| true), Some(1998));
        assert_eq!(recent.get(&999, |value| *value < 5), None);
        assert_eq!(recent.get(&500, |_| true), None);
        assert!(recent.generations.lock().unwrap().iter().map(HashMap::len).sum::<usize>() <= 20);
    }
}
