//! How far a typed word is from a written one: what fingers do wrong costs less than what they do not.
//!
//! Optimal string alignment (insertions, deletions, substitutions, transpositions of neighbours), weighted. Source:
//! F. J. Damerau, "A technique for computer detection and correction of spelling errors" (1964).

/// Further than this is far; nothing beyond it is told apart.
pub const FAR: f32 = 4.0;

const INSERT: f32 = 0.95;
/// A letter typed twice, or one of two left out.
const DOUBLE: f32 = 0.7;
const SWAP: f32 = 0.75;
const NEAR_KEY: f32 = 0.8;
const OTHER_KEY: f32 = 1.0;
/// The first letter is seldom wrong.
const FIRST: f32 = 0.15;
/// How far the two may be out of step, in letters.
const BAND: usize = 4;

/// Whether the whole of the written text is meant, or the typed one may be its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Whole.
    Whole,
    /// It goes on.
    Open,
}

/// Edits between `typed` and `written`, weighted, at most [`FAR`]. Linear in their length.
#[must_use]
pub fn distance(typed: &[char], written: &[char], end: End) -> f32 {
    let written = match end {
        End::Open => written.get(..typed.len() + BAND).unwrap_or(written),
        End::Whole => written,
    };
    if typed.len() > written.len() + BAND || (end == End::Whole && written.len() > typed.len() + BAND) {
        return FAR;
    }
    let width = written.len() + 1;
    let mut rows = [vec![FAR; width], vec![FAR; width], vec![FAR; width]];
    for (j, cost) in rows[1].iter_mut().enumerate().take(BAND + 1) {
        *cost = j as f32 * INSERT;
    }
    for i in 1..=typed.len() {
        // before = i - 2, last = i - 1, row = i.
        let [before, last, row] = &mut rows;
        row.fill(FAR);
        if i <= BAND {
            row[0] = i as f32 * INSERT;
        }
        let mut least = row[0];
        for j in i.saturating_sub(BAND).max(1)..=(i + BAND).min(written.len()) {
            let (a, b) = (typed[i - 1], written[j - 1]);
            let mut cost = last[j - 1] + substitution(a, b);
            // A letter too much was typed.
            let twice = i > 1 && typed[i - 2] == a;
            cost = cost.min(last[j] + if twice { DOUBLE } else { INSERT });
            // One was left out.
            let doubled = j > 1 && written[j - 2] == b;
            cost = cost.min(row[j - 1] + if doubled { DOUBLE } else { INSERT });
            if i > 1 && j > 1 && a == written[j - 2] && typed[i - 2] == b && a != b {
                cost = cost.min(before[j - 2] + SWAP);
            }
            if i == 1 && j == 1 && a != b {
                cost += FIRST;
            }
            row[j] = cost.min(FAR);
            least = least.min(row[j]);
        }
        if least >= FAR {
            return FAR;
        }
        rows.rotate_left(1);
    }
    match end {
        End::Whole => rows[1][width - 1],
        End::Open => rows[1].iter().copied().fold(FAR, f32::min),
    }
}

fn substitution(a: char, b: char) -> f32 {
    if a == b {
        0.0
    } else if near(a, b) {
        NEAR_KEY
    } else {
        OTHER_KEY
    }
}

/// Where each letter from a to z stands on the usual keyboard: its row, and its place in that.
const KEYS: [(u8, u8); 26] = {
    const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let mut keys = [(0, 0); 26];
    let mut row = 0;
    while row < ROWS.len() {
        let mut at = 0;
        while at < ROWS[row].len() {
            keys[(ROWS[row][at] - b'a') as usize] = (row as u8, at as u8);
            at += 1;
        }
        row += 1;
    }
    keys
};

/// Whether two keys are neighbours.
fn near(a: char, b: char) -> bool {
    let key = |c: char| KEYS.get((c as usize).wrapping_sub('a' as usize)).copied();
    let (Some((row, at)), Some((other_row, other))) = (key(a), key(b)) else { return false };
    match row.abs_diff(other_row) {
        0 => at.abs_diff(other) == 1,
        // Each row is half a key further to the right than the one above it.
        1 => {
            let (upper, lower) = if row < other_row { (at, other) } else { (other, at) };
            upper == lower || upper == lower + 1
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(typed: &str, written: &str, end: End) -> f32 {
        distance(&typed.chars().collect::<Vec<_>>(), &written.chars().collect::<Vec<_>>(), end)
    }

    #[test]
    fn slips_of_the_finger_cost_less() {
        let whole = |typed, written| between(typed, written, End::Whole);
        assert!(whole("matrix", "matrix") == 0.0);
        assert!(whole("matirx", "matrix") < whole("matpix", "matrix"));
        assert!(whole("maatrix", "matrix") < whole("mxatrix", "matrix"));
        assert!(whole("natrix", "matrix") < whole("patrix", "matrix"));
        assert!(whole("matrix", "matrix") < whole("matrx", "matrix"));
        assert!(whole("metropolis", "matrix") >= FAR - 1.0);
    }

    #[test]
    fn a_beginning_is_near_to_its_end() {
        assert!(between("gladi", "gladiator", End::Open) == 0.0);
        assert!(between("galdi", "gladiator", End::Open) < 1.0);
        assert!(between("gladi", "gladiator", End::Whole) > 3.0);
        assert!(between("", "", End::Whole) == 0.0);
    }

    proptest! {
        #[test]
        fn it_has_bounds_and_is_nothing_only_between_equals(a in "[a-e]{0,9}", b in "[a-e]{0,9}") {
            let whole = between(&a, &b, End::Whole);
            prop_assert!((0.0..=FAR).contains(&whole));
            prop_assert_eq!(whole == 0.0, a == b);
            prop_assert!(between(&a, &b, End::Open) <= whole);
        }
    }
}
