//! Quantiles of many numbers from 1 to 600,000 (milliseconds, kilobits per second) in little memory, exact to 2 %.
//!
//! Source: C. Masson, J. Rim, H. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees" (2019).

/// Each bin's end is so many times its beginning.
const GROWTH: f64 = 1.04;

/// Counts by bins that grow: 340 at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    // Bin and count, by bin; only those that hold something.
    bins: Vec<(u16, u32)>,
}

/// What is more counts as this: ten minutes in milliseconds, 600 Mbit/s in kilobits.
const MOST: u32 = 600_000;

fn bin(value: u32) -> u16 {
    let value = f64::from(value.clamp(1, MOST));
    (value.ln() / GROWTH.ln()).ceil() as u16
}

/// The middle of a bin.
fn middle(bin: u16) -> f64 {
    2.0 * GROWTH.powi(i32::from(bin)) / (GROWTH + 1.0)
}

impl Sketch {
    /// Counts one.
    pub fn add(&mut self, value: u32) {
        self.add_times(bin(value), 1);
    }

    fn add_times(&mut self, bin: u16, times: u32) {
        match self.bins.binary_search_by_key(&bin, |(bin, _)| *bin) {
            Ok(place) => self.bins[place].1 = self.bins[place].1.saturating_add(times),
            Err(place) => self.bins.insert(place, (bin, times)),
        }
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        for (bin, times) in &other.bins {
            self.add_times(*bin, *times);
        }
    }

    /// The value that `share` (0 to 1) of all are not above; 0 where there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let all: u64 = self.bins.iter().map(|(_, times)| u64::from(*times)).sum();
        let rank = ((share * all as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (bin, times) in &self.bins {
            below += u64::from(*times);
            if below >= rank {
                return middle(*bin);
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_exact_to_two_percent(values in proptest::collection::vec(1_u32..600_000, 1..300), share in 0.01_f64..1.0) {
            let mut sketch = Sketch::default();
            values.iter().for_each(|value| sketch.add(*value));
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let exact = f64::from(sorted[((share * values.len() as f64).ceil() as usize).max(1) - 1]);
            prop_assert!((sketch.quantile(share) / exact - 1.0).abs() <= 0.021, "{} against {exact}", sketch.quantile(share));
        }

        #[test]
        fn merged_is_as_if_counted_together(one in proptest::collection::vec(any::<u32>(), 0..50), two in proptest::collection::vec(any::<u32>(), 0..50)) {
            let of = |values: &[u32]| {
                let mut sketch = Sketch::default();
                values.iter().for_each(|value| sketch.add(*value));
                sketch
            };
            let mut merged = of(&one);
            merged.merge(&of(&two));
            prop_assert_eq!(&merged, &of(&[one, two].concat()));
            prop_assert!(merged.bins.len() <= 342);
        }
    }

    #[test]
    fn of_nothing_it_is_0() {
        assert_eq!(Sketch::default().quantile(0.5), 0.0);
    }
}
