//! A model as it stands on the object store: which titles it knows, their factors, and how good it was found.
//!
//! It holds nothing of any profile: profiles are folded in when they ask (see [`crate::als::FoldIn`]).
//!
//! The object `models/{id}`, numbers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `MTNALS1\n` |
//! | 4 | length of the header |
//! | … | the header: [`Header`] as JSON |
//! | titles × factors × 4 | the factors, a row a title, 32-bit floats |
//! | 32 | BLAKE3 of all before it |

use serde::{Deserialize, Serialize};

use crate::als::{Factors, FoldIn, Options};

const MAGIC: &[u8; 8] = b"MTNALS1\n";
const HASH: usize = 32;
/// Bytes of a header: 200,000 titles' ids.
const LONGEST_HEADER: usize = 16 << 20;
/// Bytes of a whole model.
pub const LONGEST: u64 = 1 << 30;

/// Why bytes are no model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DamagedModel {
    /// They begin otherwise, or end early.
    #[error("it is not a model of version 1")]
    Shape,
    /// They are not what was written.
    #[error("its hash differs from its content")]
    Hash,
    /// The header can't be read.
    #[error("its header is wrong: {0}")]
    Header(String),
}

/// What is said of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Its name.
    pub id: String,
    /// When, in microseconds since 1970.
    pub trained_us: i64,
    /// Numbers a title.
    pub factors: usize,
    /// See [`Options`].
    pub regularization: f32,
    /// See [`Options`].
    pub scaling: f32,
    /// How much surer a finished title is than one that was not watched: confidence 1 + alpha × interest.
    pub alpha: f32,
    /// Profiles that it was learnt from.
    pub profiles: u64,
    /// Plays that it was learnt from.
    pub plays: u64,
    /// On profiles that were held back.
    pub recall_at_20: f64,
    /// On profiles that were held back.
    pub ndcg_at_100: f64,
    /// Of training.
    pub seconds: f64,
    /// Their ids, in the order of the factors' rows.
    pub titles: Vec<String>,
}

/// A model, ready for use.
#[derive(Debug)]
pub struct Model {
    /// What is said of it.
    pub header: Header,
    /// Its factors.
    pub fold: FoldIn,
}

impl Model {
    /// Of factors, a row a title of the header.
    #[must_use]
    pub fn new(header: Header, items: Factors) -> Self {
        let Header { factors, regularization, scaling, .. } = header;
        let options = Options { factors, regularization, scaling, ..Options::default() };
        Self { header, fold: FoldIn::new(items, options) }
    }

    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let header = serde_json::to_vec(&self.header).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&header);
        for n in 0..self.fold.items().rows() {
            bytes.extend(self.fold.items().row(n).iter().flat_map(|value| value.to_le_bytes()));
        }
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DamagedModel> {
        let (content, hash) = bytes.split_last_chunk::<HASH>().ok_or(DamagedModel::Shape)?;
        let rest = content.strip_prefix(MAGIC).ok_or(DamagedModel::Shape)?;
        if blake3::hash(content) != blake3::Hash::from_bytes(*hash) {
            return Err(DamagedModel::Hash);
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(DamagedModel::Shape)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > LONGEST_HEADER {
            return Err(DamagedModel::Shape);
        }
        let (header, factors) = rest.split_at_checked(length).ok_or(DamagedModel::Shape)?;
        let header: Header = serde_json::from_slice(header).map_err(|e| DamagedModel::Header(e.to_string()))?;
        if !(1..=512).contains(&header.factors)
            || Some(factors.len()) != header.titles.len().checked_mul(header.factors * 4)
        {
            return Err(DamagedModel::Header("its sizes do not fit its factors".to_owned()));
        }
        let numbers: Vec<f32> = factors.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if numbers.iter().any(|n| !n.is_finite()) {
            return Err(DamagedModel::Header("a factor is no number".to_owned()));
        }
        let items = Factors::of(header.factors, &numbers).ok_or(DamagedModel::Shape)?;
        Ok(Self::new(header, items))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model() -> Model {
        let header = Header {
            id: "m1".to_owned(),
            trained_us: 7,
            factors: 3,
            regularization: 0.01,
            scaling: 1.0,
            alpha: 10.0,
            profiles: 5,
            plays: 9,
            recall_at_20: 0.25,
            ndcg_at_100: 0.5,
            seconds: 1.5,
            titles: vec!["film".to_owned(), "other".to_owned()],
        };
        Model::new(header, Factors::of(3, &[1.0, 2.0, 3.0, -4.0, 0.5, 0.0]).unwrap())
    }

    #[test]
    fn a_model_comes_back_as_it_was_written() {
        let again = Model::decode(&model().encode()).unwrap();
        assert_eq!(again.header, model().header);
        assert_eq!(again.fold.items(), model().fold.items());
    }

    proptest! {
        #[test]
        fn a_damaged_model_is_refused(at in 0_usize..400, bit in 0_u8..8, cut in 0_usize..400) {
            let whole = model().encode();
            let mut damaged = whole.clone();
            let at = at % damaged.len();
            damaged[at] ^= 1 << bit;
            prop_assert!(Model::decode(&damaged).is_err());
            prop_assert!(Model::decode(&whole[..cut % whole.len()]).is_err());
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut sealed = [MAGIC.as_slice(), &bytes].concat();
            sealed.extend_from_slice(blake3::hash(&sealed).as_bytes());
            let _ = Model::decode(&sealed);
        }
    }
}
