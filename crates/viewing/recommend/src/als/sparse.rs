//! Who watched what: rows of (column, confidence), held together.

/// A sparse matrix by rows, columns rising in each.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

impl Sparse {
    /// Of (row, column, confidence), in any order; of the same place the highest confidence stays. What lies outside of
    /// `rows` and `width` is left out.
    #[must_use]
    pub fn of(rows: usize, width: usize, mut entries: Vec<(u32, u32, f32)>) -> Self {
        entries.retain(|(row, column, _)| (*row as usize) < rows && (*column as usize) < width);
        entries.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
        entries.dedup_by_key(|entry| (entry.0, entry.1));
        let mut starts = vec![0; rows + 1];
        for (row, _, _) in &entries {
            starts[*row as usize + 1] += 1;
        }
        for n in 0..rows {
            starts[n + 1] += starts[n];
        }
        let columns = entries.iter().map(|(_, column, _)| *column).collect();
        let values = entries.iter().map(|(_, _, value)| *value).collect();
        Self { starts, columns, values, width }
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The columns and confidences of a row, which must be there.
    #[must_use]
    pub fn row(&self, n: usize) -> (&[u32], &[f32]) {
        let range = self.starts[n]..self.starts[n + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The same, columns for rows.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut starts = vec![0; self.width + 1];
        for column in &self.columns {
            starts[*column as usize + 1] += 1;
        }
        for n in 0..self.width {
            starts[n + 1] += starts[n];
        }
        let mut next = starts.clone();
        let (mut columns, mut values) = (vec![0; self.len()], vec![0.0; self.len()]);
        for row in 0..self.rows() {
            let (its, confidences) = self.row(row);
            for (column, value) in its.iter().zip(confidences) {
                let place = &mut next[*column as usize];
                columns[*place] = row as u32;
                values[*place] = *value;
                *place += 1;
            }
        }
        Self { starts, columns, values, width: self.rows() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn turned_twice_it_is_the_same(entries in proptest::collection::vec((0_u32..9, 0_u32..7, 0.0_f32..9.0), 0..60)) {
            let matrix = Sparse::of(9, 7, entries);
            prop_assert_eq!(&matrix.transposed().transposed(), &matrix);
        }
    }

    #[test]
    fn of_the_same_place_the_surest_stays() {
        let matrix = Sparse::of(2, 3, vec![(1, 2, 1.0), (1, 0, 4.0), (1, 2, 3.0), (7, 0, 1.0), (0, 3, 1.0)]);
        assert_eq!(matrix.row(0), (&[][..], &[][..]));
        assert_eq!(matrix.row(1), (&[0, 2][..], &[4.0, 3.0][..]));
    }
}
