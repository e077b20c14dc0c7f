//! Words of titles as numbers, so that titles are compared without comparing letters.

use std::collections::HashMap;
use std::sync::Arc;

/// The words of each title: its genres, or its people.
#[derive(Debug, Default)]
pub struct Words {
    names: Vec<Arc<str>>,
    // Where each title's begin; one more than there are titles.
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Words {
    /// Of the words of each title, by its number.
    #[must_use]
    pub fn of<'t>(titles: impl Iterator<Item = &'t [Arc<str>]>) -> Self {
        let mut words = Self { starts: vec![0], ..Self::default() };
        let mut known: HashMap<Arc<str>, u32> = HashMap::new();
        for title in titles {
            for word in title {
                let number = *known.entry(Arc::clone(word)).or_insert_with(|| {
                    words.names.push(Arc::clone(word));
                    words.names.len() as u32 - 1
                });
                words.numbers.push(number);
            }
            words.starts.push(words.numbers.len() as u32);
        }
        words
    }

    /// All words, by number.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// A title's words.
    #[must_use]
    pub fn title(&self, title: u32) -> &[u32] {
        let bounds = self.starts.get(title as usize).zip(self.starts.get(title as usize + 1));
        bounds.map_or(&[], |(from, to)| &self.numbers[*from as usize..*to as usize])
    }

    /// The share of their words that two titles have in common: 0 to 1, as a cosine.
    #[must_use]
    pub fn shared(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (self.title(a), self.title(b));
        let both = a.iter().filter(|word| b.contains(word)).count();
        if both == 0 {
            return 0.0;
        }
        both as f32 / ((a.len() * b.len()) as f32).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_share_what_both_say() {
        let say = |words: &[&str]| -> Vec<Arc<str>> { words.iter().map(|word| Arc::from(*word)).collect() };
        let said = [say(&["drama", "war"]), say(&[]), say(&["drama"]), say(&["comedy"])];
        let words = Words::of(said.iter().map(Vec::as_slice));
        assert_eq!(words.names().len(), 3);
        assert_eq!(words.title(0), [0, 1]);
        assert_eq!(words.title(9), [0_u32; 0]);
        assert!((words.shared(0, 2) - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!((words.shared(0, 1), words.shared(2, 3)), (0.0, 0.0));
    }
}
