//! Implicit-feedback matrix factorisation: what a profile will like, learnt from what all of them watched.
//!
//! Alternating least squares with confidences. Half of each step solves one small system a profile, the other half one a
//! title, each by a few steps of conjugate gradients from where the last left off. Plain library code, over numbers
//! alone: it runs in whatever rayon pool calls it, and the same input gives the same factors, bit for bit.
//!
//! Sources: Y. Hu, Y. Koren, C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008); G. Takács,
//! I. Pilászy, D. Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering"
//! (2011); S. Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (2021) for
//! regularisation that grows with what a row was compared with.
//!
//! - [`sparse`]: who watched what.
//! - [`solve`]: the factors.
//! - [`fold`]: the factors of one profile more, from what it watched lately.
//! - [`evaluate`]: how well factors find what was held back.

pub mod evaluate;
pub mod fold;
pub mod solve;
pub mod sparse;

pub use evaluate::{Quality, evaluate};
pub use fold::FoldIn;
pub use solve::{Factorisation, factorise};
pub use sparse::Sparse;

use pulp::{Arch, Simd, WithSimd};

/// Floats that the widest processors work on at once; rows of factors are padded to it.
pub(crate) const LANES: usize = 16;

/// How to factorise.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Numbers a title: 1 to 512.
    pub factors: usize,
    /// λ.
    pub regularization: f32,
    /// ν: a row's λ is multiplied by (sum of its confidences above 1 + the number of columns)^ν. 0: the same λ for all;
    /// 1: as Rendle et al. found best.
    pub scaling: f32,
    /// Times both sides are solved.
    pub iterations: usize,
    /// Steps of conjugate gradients a row and iteration.
    pub steps: usize,
    /// Of the random beginning.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { factors: 64, regularization: 0.003, scaling: 1.0, iterations: 15, steps: 3, seed: 1 }
    }
}

impl Options {
    /// λ of a row with these confidences among `columns`.
    #[must_use]
    pub fn row_regularization(&self, confidences: &[f32], columns: usize) -> f32 {
        if self.scaling == 0.0 {
            return self.regularization;
        }
        let compared: f32 = confidences.iter().map(|c| (c - 1.0).max(0.0)).sum::<f32>() + columns as f32;
        self.regularization * compared.powf(self.scaling)
    }
}

/// A row of numbers for each profile, or for each title.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    rows: usize,
    width: usize,
    stride: usize,
    // Rows of `stride` numbers; those past `width` are 0.
    values: Vec<f32>,
}

impl Factors {
    /// All 0.
    #[must_use]
    pub fn zeroed(rows: usize, width: usize) -> Self {
        let stride = width.next_multiple_of(LANES);
        Self { rows, width, stride, values: vec![0.0; rows * stride] }
    }

    /// Of rows of `width` numbers, one after another. Nothing where the numbers are not whole rows.
    #[must_use]
    pub fn of(width: usize, numbers: &[f32]) -> Option<Self> {
        if width == 0 || !numbers.len().is_multiple_of(width) {
            return None;
        }
        let mut factors = Self::zeroed(numbers.len() / width, width);
        for (row, numbers) in factors.values.chunks_exact_mut(factors.stride).zip(numbers.chunks_exact(width)) {
            row[..width].copy_from_slice(numbers);
        }
        Some(factors)
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// A row, which must be there.
    #[must_use]
    pub fn row(&self, n: usize) -> &[f32] {
        &self.values[n * self.stride..][..self.width]
    }

    /// A row with its padding.
    pub(crate) fn padded(&self, n: usize) -> &[f32] {
        &self.values[n * self.stride..][..self.stride]
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Each row times `vector` (padded or not), into `scores`.
    pub fn scores(&self, vector: &[f32], scores: &mut Vec<f32>) {
        let mut padded = vec![0.0; self.stride];
        let known = vector.len().min(self.width);
        padded[..known].copy_from_slice(&vector[..known]);
        scores.clear();
        Arch::new().dispatch(Scores { factors: self, vector: &padded, scores });
    }
}

/// The product of two padded rows.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (S::as_simd_f32s(a).0, S::as_simd_f32s(b).0);
    let mut sum = simd.splat_f32s(0.0);
    for (a, b) in a.iter().zip(b) {
        sum = simd.mul_add_e_f32s(*a, *b, sum);
    }
    simd.reduce_sum_f32s(sum)
}

/// Adds `scale` times a padded row to another.
#[inline(always)]
pub(crate) fn add_scaled<S: Simd>(simd: S, to: &mut [f32], scale: f32, row: &[f32]) {
    let (to, row, scale) = (S::as_mut_simd_f32s(to).0, S::as_simd_f32s(row).0, simd.splat_f32s(scale));
    for (to, row) in to.iter_mut().zip(row) {
        *to = simd.mul_add_e_f32s(scale, *row, *to);
    }
}

/// Each row times a vector.
struct Scores<'a> {
    factors: &'a Factors,
    vector: &'a [f32],
    scores: &'a mut Vec<f32>,
}

impl WithSimd for Scores<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.factors.values.chunks_exact(self.factors.stride) {
            self.scores.push(dot(simd, row, self.vector));
        }
    }
}
