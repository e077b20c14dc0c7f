//! The factors of one profile more: an exact solution of its system, by Cholesky, while titles stay as they are.

use super::solve::gram;
use super::{Factors, Options};

/// Titles' factors, ready for profiles that were not there when they were learnt.
#[derive(Debug)]
pub struct FoldIn {
    items: Factors,
    // Σ y·yᵀ, width × width.
    gram: Vec<f64>,
    options: Options,
}

impl FoldIn {
    /// Over these titles' factors, with the options that they were made with.
    #[must_use]
    pub fn new(items: Factors, options: Options) -> Self {
        let (padded, stride, width) = (gram(&items), items.stride(), items.width());
        let gram = (0..width * width).map(|n| f64::from(padded[n / width * stride + n % width])).collect();
        Self { items, gram, options }
    }

    /// The titles' factors.
    #[must_use]
    pub fn items(&self) -> &Factors {
        &self.items
    }

    /// With which options the factors were made.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The factors of a profile that watched these titles (rows of the factors, each with its confidence). Titles past
    /// the factors' rows are left out; all 0 where nothing is left.
    #[must_use]
    pub fn fold(&self, watched: &[(u32, f32)]) -> Vec<f32> {
        let width = self.items.width();
        let known: Vec<(u32, f32)> =
            watched.iter().copied().filter(|(item, _)| (*item as usize) < self.items.rows()).collect();
        if known.is_empty() {
            return vec![0.0; width];
        }
        let confidences: Vec<f32> = known.iter().map(|(_, confidence)| *confidence).collect();
        let regularization = f64::from(self.options.row_regularization(&confidences, self.items.rows()));
        let (mut system, mut right) = (self.gram.clone(), vec![0.0_f64; width]);
        for (item, confidence) in &known {
            let (y, confidence) = (self.items.row(*item as usize), f64::from(*confidence));
            for (n, a) in y.iter().enumerate() {
                let a = f64::from(*a);
                right[n] += confidence * a;
                // The lower half is enough.
                for (to, b) in system[n * width..].iter_mut().zip(&y[..=n]) {
                    *to += (confidence - 1.0) * a * f64::from(*b);
                }
            }
        }
        for n in 0..width {
            system[n * width + n] += regularization;
        }
        solve(&mut system, &mut right, width);
        right.iter().map(|value| *value as f32).collect()
    }
}

/// Solves a symmetric positive definite system, given by its lower half, in place: `right` becomes the solution.
fn solve(system: &mut [f64], right: &mut [f64], width: usize) {
    for row in 0..width {
        for column in 0..=row {
            let (above, below) = system.split_at(row * width);
            let (earlier, this) = if column < row { (&above[column * width..], below) } else { (below, below) };
            let dot: f64 = this[..column].iter().zip(&earlier[..column]).map(|(a, b)| a * b).sum();
            let left = this[column] - dot;
            system[row * width + column] =
                if column == row { left.max(f64::MIN_POSITIVE).sqrt() } else { left / system[column * width + column] };
        }
    }
    for row in 0..width {
        let dot: f64 = system[row * width..][..row].iter().zip(&right[..row]).map(|(a, b)| a * b).sum();
        right[row] = (right[row] - dot) / system[row * width + row];
    }
    for row in (0..width).rev() {
        let dot: f64 = (row + 1..width).map(|later| system[later * width + row] * right[later]).sum();
        right[row] = (right[row] - dot) / system[row * width + row];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::als::{Sparse, factorise};

    #[test]
    fn a_profile_that_is_folded_in_is_where_it_was_learnt() {
        let entries = (0_u32..30).flat_map(|u| (0_u32..12).filter(move |i| (i + u) % 3 != 0).map(move |i| (u, i, 6.0)));
        let plays = Sparse::of(30, 12, entries.collect());
        // More steps than factors: an exact solution either way.
        let options = Options { factors: 6, iterations: 40, steps: 8, ..Options::default() };
        let found = factorise(&plays, &options, |_| {});
        // Users were solved before the last change of the items, which was a small one by then.
        let fold = FoldIn::new(found.items, options);
        let (columns, confidences) = plays.row(4);
        let watched: Vec<(u32, f32)> = columns.iter().copied().zip(confidences.iter().copied()).collect();
        for (folded, learnt) in fold.fold(&watched).iter().zip(found.users.row(4)) {
            assert!((folded - learnt).abs() < 0.02, "{folded} against {learnt}");
        }
    }

    proptest! {
        #[test]
        fn the_solution_solves(numbers in proptest::collection::vec(-1.0_f64..1.0, 30)) {
            // A·Aᵀ + 1 is positive definite.
            let (a, right) = numbers.split_at(25);
            let full: Vec<f64> = (0..25)
                .map(|n| (0..5).map(|k| a[n / 5 * 5 + k] * a[n % 5 * 5 + k]).sum::<f64>() + f64::from(u8::from(n / 5 == n % 5)))
                .collect();
            let (mut system, mut x) = (full.clone(), right.to_vec());
            solve(&mut system, &mut x, 5);
            for row in 0..5 {
                let product: f64 = (0..5).map(|k| full[row * 5 + k] * x[k]).sum();
                prop_assert!((product - right[row]).abs() < 1e-9);
            }
        }

        #[test]
        fn nothing_that_is_watched_breaks_it(watched in proptest::collection::vec((0_u32..20, 0.0_f32..50.0), 0..40)) {
            let items = Factors::of(3, &[0.1; 30]).unwrap();
            let fold = FoldIn::new(items, Options { factors: 3, ..Options::default() });
            prop_assert!(fold.fold(&watched).iter().all(|value| value.is_finite()));
        }
    }
}
