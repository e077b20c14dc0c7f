//! Which titles the same profiles finished.
//!
//! A finish counts once a profile and title. Later ones weigh more: twice as much every [`HALF_US`], counted forward from
//! a fixed day, so that nothing has to fade. Source of that: G. Cormode et al., "Forward Decay" (2009).

/// In which a finish comes to weigh half as much as a new one.
const HALF_US: f64 = 60.0 * 24.0 * 3_600_000_000.0;
/// Where weights are 1: 2020-01-01.
const LANDMARK_US: i64 = 1_577_836_800_000_000;
/// The most neighbours that are kept of a title; the lightest are dropped.
const MOST: usize = 128;
/// Finishes that each pair lacks, in today's weight: so few do not make two titles alike.
const DOUBT: f64 = 2.0;

/// What a finish at `at_us` weighs.
#[must_use]
pub fn weight(at_us: i64) -> f64 {
    ((at_us - LANDMARK_US) as f64 / HALF_US).clamp(-500.0, 900.0).exp2()
}

/// A title's neighbours.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbours {
    /// The weight of all its finishes.
    pub total: f64,
    // Title and the weight of finishing both, by title.
    pairs: Vec<(u32, f64)>,
}

impl Neighbours {
    /// Counts a profile that finished this title and `other`.
    pub fn count(&mut self, other: u32, weight: f64) {
        match self.pairs.binary_search_by_key(&other, |(title, _)| *title) {
            Ok(place) => self.pairs[place].1 += weight,
            Err(place) => {
                self.pairs.insert(place, (other, weight));
                if self.pairs.len() > MOST {
                    let others = self.pairs.iter().enumerate().filter(|(_, (title, _))| *title != other);
                    let lightest = others.min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(place, _)| place);
                    lightest.map(|place| self.pairs.remove(place));
                }
            }
        }
    }

    /// For the store.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.total.to_be_bytes().to_vec();
        for (title, weight) in &self.pairs {
            bytes.extend_from_slice(&title.to_be_bytes());
            bytes.extend_from_slice(&weight.to_be_bytes());
        }
        bytes
    }

    /// From the store.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (total, rest) = bytes.split_first_chunk::<8>()?;
        let (rows, []) = rest.as_chunks::<12>() else { return None };
        let pair = |row: &[u8; 12]| {
            let (title, weight) = row.split_first_chunk::<4>()?;
            Some((u32::from_be_bytes(*title), f64::from_be_bytes(*weight.first_chunk::<8>()?)))
        };
        let pairs: Vec<(u32, f64)> = rows.iter().filter_map(pair).collect();
        let rising = pairs.is_sorted_by(|a, b| a.0 < b.0);
        rising.then_some(Self { total: f64::from_be_bytes(*total), pairs })
    }
}

/// All titles' neighbours, by number.
#[derive(Debug, Default)]
pub struct Together(Vec<Option<Neighbours>>);

impl Together {
    /// A title's.
    #[must_use]
    pub fn of(&self, title: u32) -> Option<&Neighbours> {
        self.0.get(title as usize)?.as_ref()
    }

    /// Takes a title's.
    pub fn set(&mut self, title: u32, neighbours: Neighbours) {
        let at = title as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(neighbours);
    }

    /// The titles that were finished by those who finished this one, each with how alike that makes them: 0 to 1.
    pub fn alike(&self, title: u32, now_us: i64) -> impl Iterator<Item = (u32, f32)> {
        let its = self.of(title);
        let (own, doubt) = (its.map_or(0.0, |its| its.total), DOUBT * weight(now_us));
        its.map_or(&[][..], |its| &its.pairs).iter().map(move |(other, both)| {
            let total = self.of(*other).map_or(0.0, |n| n.total);
            (*other, (both / ((own * total).sqrt() + doubt)).min(1.0) as f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_finished_together_is_more_alike() {
        let (mut all, now) = (Together::default(), LANDMARK_US);
        let mut first = Neighbours { total: 10.0, ..Neighbours::default() };
        (0..8).for_each(|_| first.count(2, weight(now)));
        first.count(3, weight(now));
        all.set(1, first);
        for title in [2, 3] {
            all.set(title, Neighbours { total: 10.0, ..Neighbours::default() });
        }
        let alike: Vec<_> = all.alike(1, now).collect();
        assert!(alike[0].0 == 2 && alike[0].1 > alike[1].1, "{alike:?}");
        assert_eq!(all.alike(9, now).count(), 0);
    }

    #[test]
    fn neighbours_are_bounded_and_come_back_from_the_store() {
        let mut neighbours = Neighbours::default();
        (0..500).for_each(|n| neighbours.count(n, f64::from(n)));
        neighbours.count(1000, 0.5);
        assert_eq!(neighbours.pairs.len(), MOST);
        assert_eq!(neighbours.pairs.last(), Some(&(1000, 0.5)));
        assert_eq!(Neighbours::decode(&neighbours.encode()), Some(neighbours));
        assert_eq!(Neighbours::decode(b"1234567"), None);
    }
}
