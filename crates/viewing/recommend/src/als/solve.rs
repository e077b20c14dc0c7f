//! The factors of all profiles and titles, by alternating least squares.

use pulp::{Arch, Simd, WithSimd};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::{Factors, Options, Sparse, add_scaled, dot};

/// Rows that one task solves.
const ROWS_AT_ONCE: usize = 32;
/// Rows that one task multiplies.
const PRODUCTS_AT_ONCE: usize = 512;
/// Below this a residual is nothing.
const NOTHING: f32 = 1e-20;

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Factorisation {
    /// A row a profile.
    pub users: Factors,
    /// A row a title.
    pub items: Factors,
}

/// Factorises `plays` (a row a profile, a column a title, the values confidences; 1 is that of what was not watched).
///
/// `done` hears after each iteration how many are done.
pub fn factorise(plays: &Sparse, options: &Options, mut done: impl FnMut(usize)) -> Factorisation {
    let turned = plays.transposed();
    let mut random = StdRng::seed_from_u64(options.seed);
    let mut users = begin(plays.rows(), options.factors, &mut random);
    let mut items = begin(plays.width(), options.factors, &mut random);
    for iteration in 1..=options.iterations {
        solve_side(plays, &mut users, &items, options);
        solve_side(&turned, &mut items, &users, options);
        done(iteration);
    }
    Factorisation { users, items }
}

/// Small normal numbers; their spread is such that first products are about 0.1.
fn begin(rows: usize, width: usize, random: &mut StdRng) -> Factors {
    let mut factors = Factors::zeroed(rows, width);
    let (stride, spread) = (factors.stride(), 0.1 / (width.max(1) as f32).sqrt());
    for row in factors.values_mut().chunks_exact_mut(stride) {
        for value in &mut row[..width] {
            // Of four uniform numbers, near enough to normal for a beginning.
            let sum: f32 = (0..4).map(|_| random.random::<f32>() - 0.5).sum();
            *value = sum * spread * 1.7;
        }
    }
    factors
}

/// Σ y·yᵀ over all rows, `stride` × `stride`.
pub(super) fn gram(factors: &Factors) -> Vec<f32> {
    let stride = factors.stride();
    let parts: Vec<Vec<f32>> = factors
        .values()
        .par_chunks(PRODUCTS_AT_ONCE * stride)
        .map(|rows| {
            let mut sum = vec![0.0; stride * stride];
            Arch::new().dispatch(Products { rows, stride, sum: &mut sum });
            sum
        })
        .collect();
    // In their order, so that it is the same each time.
    let mut sum = vec![0.0; stride * stride];
    for part in parts {
        for (to, value) in sum.iter_mut().zip(part) {
            *to += value;
        }
    }
    sum
}

fn solve_side(plays: &Sparse, side: &mut Factors, other: &Factors, options: &Options) {
    let (gram, stride) = (gram(other), side.stride());
    side.values_mut().par_chunks_mut(ROWS_AT_ONCE * stride).enumerate().for_each(|(chunk, rows)| {
        let first = chunk * ROWS_AT_ONCE;
        Arch::new().dispatch(Rows { rows, first, plays, other, gram: &gram, options });
    });
}

/// Σ y·yᵀ over some rows.
struct Products<'a> {
    rows: &'a [f32],
    stride: usize,
    sum: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact(self.stride) {
            for (value, sum) in row.iter().zip(self.sum.chunks_exact_mut(self.stride)) {
                add_scaled(simd, sum, *value, row);
            }
        }
    }
}

/// Some rows that are to be solved.
struct Rows<'a> {
    rows: &'a mut [f32],
    // The number of the first.
    first: usize,
    plays: &'a Sparse,
    other: &'a Factors,
    gram: &'a [f32],
    options: &'a Options,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, first, plays, other, gram, options } = self;
        let mut room = Room::new(other.stride());
        for (n, row) in rows.chunks_exact_mut(other.stride()).enumerate() {
            let (columns, confidences) = plays.row(first + n);
            let regularization = options.row_regularization(confidences, plays.width());
            solve_row(simd, row, columns, confidences, other, gram, regularization, options.steps, &mut room);
        }
    }
}

/// What a row's solution needs beside it.
struct Room {
    residual: Vec<f32>,
    direction: Vec<f32>,
    product: Vec<f32>,
}

impl Room {
    fn new(stride: usize) -> Self {
        Self { residual: vec![0.0; stride], direction: vec![0.0; stride], product: vec![0.0; stride] }
    }
}

/// Solves (G + λ + Σ (c − 1) y yᵀ) x = Σ c y by conjugate gradients, from what `x` is.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the parts of one formula")]
fn solve_row<S: Simd>(
    simd: S,
    x: &mut [f32],
    columns: &[u32],
    confidences: &[f32],
    other: &Factors,
    gram: &[f32],
    regularization: f32,
    steps: usize,
    room: &mut Room,
) {
    if columns.is_empty() {
        x.fill(0.0);
        return;
    }
    let Room { residual, direction, product } = room;
    multiply(simd, product, x, gram, regularization);
    for (to, value) in residual.iter_mut().zip(product.iter()) {
        *to = -value;
    }
    for (column, confidence) in columns.iter().zip(confidences) {
        let y = other.padded(*column as usize);
        add_scaled(simd, residual, confidence - (confidence - 1.0) * dot(simd, y, x), y);
    }
    direction.copy_from_slice(residual);
    let mut size = dot(simd, residual, residual);
    for _ in 0..steps {
        if size < NOTHING {
            return;
        }
        multiply(simd, product, direction, gram, regularization);
        for (column, confidence) in columns.iter().zip(confidences) {
            let y = other.padded(*column as usize);
            add_scaled(simd, product, (confidence - 1.0) * dot(simd, y, direction), y);
        }
        let length = size / dot(simd, direction, product);
        add_scaled(simd, x, length, direction);
        add_scaled(simd, residual, -length, product);
        let next = dot(simd, residual, residual);
        let turn = next / size;
        for (to, value) in direction.iter_mut().zip(residual.iter()) {
            *to = value + turn * *to;
        }
        size = next;
    }
}

/// (G + λ) times a vector. G is symmetric, so its rows are its columns.
#[inline(always)]
fn multiply<S: Simd>(simd: S, product: &mut [f32], vector: &[f32], gram: &[f32], regularization: f32) {
    for (to, value) in product.iter_mut().zip(vector) {
        *to = regularization * value;
    }
    for (value, row) in vector.iter().zip(gram.chunks_exact(vector.len())) {
        add_scaled(simd, product, *value, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tastes: even profiles watch even titles, odd ones odd titles, each but one.
    fn two_tastes() -> Sparse {
        let mut entries = Vec::new();
        for user in 0_u32..40 {
            for item in (0_u32..20).filter(|item| item % 2 == user % 2 && item / 2 != user % 10) {
                entries.push((user, item, 11.0));
            }
        }
        Sparse::of(40, 20, entries)
    }

    fn options() -> Options {
        Options { factors: 8, iterations: 10, ..Options::default() }
    }

    #[test]
    fn what_alike_profiles_watched_scores_above_the_rest() {
        let plays = two_tastes();
        let found = factorise(&plays, &options(), |_| {});
        let mut scores = Vec::new();
        for user in 0..40 {
            found.items.scores(found.users.row(user), &mut scores);
            let missing = 2 * (user % 10) + user % 2;
            let strange = (0..20).filter(|item| item % 2 != user % 2).map(|item| scores[item]).fold(f32::MIN, f32::max);
            assert!(scores[missing] > strange, "profile {user}: {} against {strange}", scores[missing]);
        }
    }

    #[test]
    fn the_same_plays_give_the_same_factors() {
        let plays = two_tastes();
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let one = alone.install(|| factorise(&plays, &options(), |_| {}));
        assert_eq!(one, three.install(|| factorise(&plays, &options(), |_| {})));
    }
}
