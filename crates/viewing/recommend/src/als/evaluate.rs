//! How well factors find what was held back.

use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::{Factors, Sparse};

/// Where recall is counted.
const RECALL_AT: usize = 20;
/// Where the discounted gain is counted.
const NDCG_AT: usize = 100;

/// Means over the profiles of which something was held back.
///
/// Source of both: D. Liang et al., "Variational Autoencoders for Collaborative Filtering" (2018), section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// The share of what was held back that is among the first 20 (of 20 at most).
    pub recall_at_20: f64,
    /// The gain of the first 100, each discounted by its place, of the best there could be.
    pub ndcg_at_100: f64,
    /// Profiles that were asked.
    pub profiles: usize,
}

/// Ranks all titles for each profile by `user(n)` times the titles' factors, without those of row `n` of `seen`, and
/// looks for those of row `n` of `held`.
pub fn evaluate<U: AsRef<[f32]>>(
    items: &Factors,
    seen: &Sparse,
    held: &Sparse,
    user: impl Fn(usize) -> U + Sync,
) -> Quality {
    rank(seen, held, |n, scores| items.scores(user(n).as_ref(), scores))
}

/// The same by any scores.
pub fn rank(seen: &Sparse, held: &Sparse, scores: impl Fn(usize, &mut Vec<f32>) + Sync) -> Quality {
    let asked: Vec<usize> = (0..held.rows()).filter(|n| !held.row(*n).0.is_empty()).collect();
    let each = |n: &usize| {
        let mut numbers = Vec::new();
        scores(*n, &mut numbers);
        for column in seen.row(*n).0 {
            if let Some(score) = numbers.get_mut(*column as usize) {
                *score = f32::NEG_INFINITY;
            }
        }
        judge(&first(&numbers, NDCG_AT), held.row(*n).0)
    };
    let found: Vec<(f64, f64)> = asked.par_iter().map(each).collect();
    let count = found.len().max(1) as f64;
    let (recall, ndcg) = found.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Quality { recall_at_20: recall / count, ndcg_at_100: ndcg / count, profiles: found.len() }
}

/// The numbers of the `most` highest finite scores, the highest first; of equal ones the lower number.
#[must_use]
pub fn first(scores: &[f32], most: usize) -> Vec<u32> {
    /// Greater is worse, so that a heap's top is the one to be thrown out.
    #[derive(PartialEq)]
    struct Place(f32, u32);
    impl Eq for Place {}
    impl Ord for Place {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
        }
    }
    impl PartialOrd for Place {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    let mut best: BinaryHeap<Place> = BinaryHeap::with_capacity(most + 1);
    for (n, score) in scores.iter().enumerate() {
        if !score.is_finite() {
            continue;
        }
        let place = Place(*score, n as u32);
        if best.len() < most {
            best.push(place);
        } else if best.peek().is_some_and(|worst| place < *worst) {
            best.pop();
            best.push(place);
        }
    }
    best.into_sorted_vec().into_iter().map(|place| place.1).collect()
}

fn judge(ranked: &[u32], held: &[u32]) -> (f64, f64) {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let hit = |title: &u32| held.binary_search(title).is_ok();
    let hits = ranked.iter().take(RECALL_AT).filter(|title| hit(title)).count();
    let gained: f64 = ranked.iter().enumerate().filter(|(_, title)| hit(title)).map(|(place, _)| gain(place)).sum();
    let best: f64 = (0..held.len().min(NDCG_AT)).map(gain).sum();
    (hits as f64 / held.len().clamp(1, RECALL_AT) as f64, gained / best.max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_ranking_is_1_and_what_was_seen_is_not_asked_for() {
        let seen = Sparse::of(1, 5, vec![(0, 0, 1.0)]);
        let held = Sparse::of(1, 5, vec![(0, 3, 1.0), (0, 1, 1.0)]);
        let quality = rank(&seen, &held, |_, scores| *scores = vec![9.0, 4.0, 1.0, 5.0, 2.0]);
        assert_eq!(quality, Quality { recall_at_20: 1.0, ndcg_at_100: 1.0, profiles: 1 });
        let worse = rank(&seen, &held, |_, scores| *scores = vec![9.0, 4.0, 8.0, 5.0, 2.0]);
        assert!(worse.ndcg_at_100 < 1.0 && worse.recall_at_20 == 1.0);
    }

    #[test]
    fn the_first_are_the_highest() {
        assert_eq!(first(&[1.0, 5.0, f32::NEG_INFINITY, 5.0, 3.0, f32::NAN], 3), [1, 3, 4]);
        assert_eq!(first(&[], 3), [0; 0]);
    }
}
