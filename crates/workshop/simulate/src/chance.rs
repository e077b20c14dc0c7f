//! Numbers that look random and are the same for the same seed, whatever libraries change.
//!
//! Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators" (SplitMix64, 2014).

/// A source of numbers.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// One that always begins the same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 (included) to `end` (not included); 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.number() % end as u64) as usize }
    }

    /// From 0 (included) to 1 (not included).
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in `percent` of a hundred cases.
    pub fn in_hundred(&mut self, percent: u32) -> bool {
        self.number() % 100 < u64::from(percent)
    }

    /// One of them.
    ///
    /// # Panics
    /// Where there are none.
    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// One of `count` by Zipf's law: the first is as frequent as the second and third together.
    pub fn popular(&mut self, count: usize) -> usize {
        let most = (count as f64 + 1.0).ln();
        (((self.share() * most).exp() - 1.0) as usize).min(count.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_the_popular_are_frequent() {
        let numbers = |seed| {
            (0..5)
                .map({
                    let mut chance = Chance::new(seed);
                    move |_| chance.number()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        let mut chance = Chance::new(3);
        let mut counts = [0; 10];
        for _ in 0..10_000 {
            counts[chance.popular(10)] += 1;
        }
        assert!(counts[0] > counts[1] && counts[1] > counts[9] && counts[9] > 0, "{counts:?}");
    }
}
