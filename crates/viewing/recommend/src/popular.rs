//! How much titles are watched in each territory, lately and usually.
//!
//! A play counts when a profile begins a title for the first time. Counts fade by half in [`FAST_US`] and [`SLOW_US`] of
//! the plays' own time, so the order in which they are heard does not matter.

use std::collections::HashMap;

use matinee_model::territory::Territory;

/// In which half of a count of what is watched now is gone.
pub const FAST_US: i64 = 6 * HOUR_US;
/// The same of what is usually watched: the baseline, and the top ten.
pub const SLOW_US: i64 = 5 * 24 * HOUR_US;
const HOUR_US: i64 = 3_600_000_000;
/// The most titles that are counted in a territory; the coldest are dropped.
const MOST: usize = 4000;
/// Plays an hour below which a baseline is not believed.
const PRIOR: f64 = 0.02;

/// Where plays are counted: in a territory, or everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In all territories, and of viewers of whom it is not known.
    Everywhere,
    /// In one.
    In(Territory),
}

/// Two fading counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Heat {
    /// Of now.
    pub fast: f64,
    /// Of usually.
    pub slow: f64,
    /// Since when they fade, in microseconds since 1970.
    pub at_us: i64,
}

fn faded(count: f64, over_us: i64, half_us: i64) -> f64 {
    count * (-(over_us.max(0) as f64) / half_us as f64).exp2()
}

impl Heat {
    /// Counts a play.
    pub fn count(&mut self, at_us: i64) {
        let later = at_us.max(self.at_us);
        *self = self.at(later);
        self.fast += faded(1.0, later - at_us, FAST_US);
        self.slow += faded(1.0, later - at_us, SLOW_US);
    }

    /// As it is at a later time.
    #[must_use]
    pub fn at(&self, now_us: i64) -> Self {
        let over = now_us.saturating_sub(self.at_us);
        Self { fast: faded(self.fast, over, FAST_US), slow: faded(self.slow, over, SLOW_US), at_us: now_us }
    }

    /// By how much it is watched more now than usually, in deviations of a count of its size; not above 0 where it is
    /// not.
    #[must_use]
    pub fn trend(&self) -> f64 {
        let hourly = |count: f64, half_us: i64| count * std::f64::consts::LN_2 * HOUR_US as f64 / half_us as f64;
        let (now, usual) = (hourly(self.fast, FAST_US), hourly(self.slow, SLOW_US));
        (now - usual) / (usual + PRIOR).sqrt()
    }

    /// For the store.
    #[must_use]
    pub fn encode(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.fast.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.slow.to_be_bytes());
        bytes[16..].copy_from_slice(&self.at_us.to_be_bytes());
        bytes
    }

    /// From the store.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (parts, []) = bytes.as_chunks::<8>() else { return None };
        let [fast, slow, at] = parts else { return None };
        let heat =
            Self { fast: f64::from_be_bytes(*fast), slow: f64::from_be_bytes(*slow), at_us: i64::from_be_bytes(*at) };
        (heat.fast.is_finite() && heat.slow.is_finite()).then_some(heat)
    }
}

/// The counts of all places.
#[derive(Debug, Default)]
pub struct Popular(HashMap<Place, HashMap<u32, Heat>>);

/// Titles of a place, ranked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    /// The most watched first, each with its count.
    pub top: Vec<(u32, f64)>,
    /// Those that are watched more than usually, the most so first.
    pub trending: Vec<u32>,
    // By title's number; the last are left out where they are 0.
    shares: Vec<f32>,
}

impl Ranking {
    fn of(top: Vec<(u32, f64)>, trending: Vec<u32>) -> Self {
        let most = top.first().map_or(1.0, |(_, count)| *count);
        let mut shares = vec![0.0; top.iter().map(|(title, _)| *title as usize + 1).max().unwrap_or(0)];
        for (title, count) in &top {
            shares[*title as usize] = ((1.0 + count).ln() / (1.0 + most).ln()) as f32;
        }
        Self { top, trending, shares }
    }

    /// How much titles are watched, beside the most watched one, in orders of magnitude: 0 to 1, by number. Those at the
    /// end that are not watched at all are left out.
    #[must_use]
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }
}

impl Popular {
    /// A title's counts in a place.
    #[must_use]
    pub fn heat(&self, place: Place, title: u32) -> Heat {
        self.0.get(&place).and_then(|counts| counts.get(&title)).copied().unwrap_or_default()
    }

    /// Takes a title's counts, and says which titles were dropped for them.
    pub fn set(&mut self, place: Place, title: u32, heat: Heat) -> Vec<u32> {
        let counts = self.0.entry(place).or_default();
        counts.insert(title, heat);
        if counts.len() <= MOST {
            return Vec::new();
        }
        let now_us = counts.values().map(|heat| heat.at_us).max().unwrap_or(0);
        let mut by_heat: Vec<(f64, u32)> = counts.iter().map(|(title, heat)| (heat.at(now_us).slow, *title)).collect();
        by_heat.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        by_heat.truncate(MOST / 10);
        let dropped: Vec<u32> = by_heat.into_iter().map(|(_, title)| title).collect();
        dropped.iter().for_each(|title| {
            counts.remove(title);
        });
        dropped
    }

    /// The ranking of a place. `shown` says as what a title is shown.
    #[must_use]
    pub fn ranking(&self, place: Place, now_us: i64, shown: impl Fn(u32) -> u32) -> Ranking {
        let mut sums: HashMap<u32, Heat> = HashMap::new();
        for (title, heat) in self.0.get(&place).into_iter().flatten() {
            let (heat, sum) = (heat.at(now_us), sums.entry(shown(*title)).or_default());
            sum.fast += heat.fast;
            sum.slow += heat.slow;
        }
        let ranked = |score: fn(&Heat) -> f64, least: f64| {
            let mut ranked: Vec<(u32, f64)> =
                sums.iter().map(|(title, heat)| (*title, score(heat))).filter(|(_, score)| *score > least).collect();
            ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            ranked
        };
        let top = ranked(|heat| heat.slow, 0.001);
        let trending = ranked(|heat| if heat.fast < 0.5 { 0.0 } else { heat.trend() }, 0.0);
        Ranking::of(top, trending.into_iter().map(|(title, _)| title).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_watched_more_than_usually_trends() {
        let mut popular = Popular::default();
        let now = 60 * 24 * HOUR_US;
        let mut watch = |title: u32, at_us: i64| {
            let mut heat = popular.heat(Place::Everywhere, title);
            heat.count(at_us);
            popular.set(Place::Everywhere, title, heat);
        };
        // An evergreen, every hour for 60 days; a new one, ten times in the last hours.
        (0..60 * 24).for_each(|hour| watch(1, hour * HOUR_US));
        (0..10).for_each(|n| watch(2, now - n * HOUR_US / 2));
        let ranking = popular.ranking(Place::Everywhere, now, |title| title);
        assert_eq!(ranking.top.iter().map(|(title, _)| *title).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(ranking.trending, [2]);
        let later = popular.ranking(Place::Everywhere, now + 30 * 24 * HOUR_US, |title| title);
        assert_eq!(later.trending, [0_u32; 0]);
    }

    proptest! {
        #[test]
        fn the_order_of_plays_does_not_matter(mut times in proptest::collection::vec(0..90 * 24 * HOUR_US, 1..30)) {
            let count = |times: &[i64]| {
                let mut heat = Heat::default();
                times.iter().for_each(|at| heat.count(*at));
                heat
            };
            let straight = count(&times);
            times.reverse();
            let turned = count(&times);
            prop_assert_eq!(straight.at_us, turned.at_us);
            prop_assert!((straight.slow - turned.slow).abs() < 1e-9 && (straight.fast - turned.fast).abs() < 1e-9);
            prop_assert_eq!(Heat::decode(&straight.encode()), Some(straight));
        }
    }
}
