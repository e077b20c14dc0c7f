//! What one profile says of one title, how a change changes it, and what votes are worth together.

use matinee_model::ids::{ProfileId, TitleId};

/// The quantile of the normal distribution for an interval of 90 %.
const Z: f64 = 1.644_853_626_951_472_2;

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thumb {
    /// None.
    #[default]
    None,
    /// Not liked.
    Down,
    /// Liked.
    Up,
    /// Loved, which also is a liking.
    Love,
}

/// What a profile says of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opinion {
    /// Its vote.
    pub thumb: Thumb,
    /// When it voted, in microseconds since 1970; 0 without a vote.
    pub rated_us: i64,
    /// When the title came onto its list, in microseconds since 1970; nothing where it is not on it.
    pub listed_us: Option<i64>,
}

/// What a profile does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Votes, or takes its vote back.
    Rate(Thumb),
    /// Puts the title on its list.
    List,
    /// Takes it off.
    Unlist,
}

impl Opinion {
    /// What it is after `change` at `at_us`. The same change again changes nothing, not even the time.
    #[must_use]
    pub fn after(self, change: Change, at_us: i64) -> Self {
        match change {
            Change::Rate(thumb) if thumb == self.thumb => self,
            Change::Rate(Thumb::None) => Self { thumb: Thumb::None, rated_us: 0, ..self },
            Change::Rate(thumb) => Self { thumb, rated_us: at_us, ..self },
            Change::List => Self { listed_us: self.listed_us.or(Some(at_us)), ..self },
            Change::Unlist => Self { listed_us: None, ..self },
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.thumb == Thumb::None && self.listed_us.is_none()
    }
}

/// A profile's opinion of a title that changed, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whose.
    pub profile: ProfileId,
    /// Of what.
    pub title: TitleId,
    /// What it is from then on.
    pub opinion: Opinion,
    /// When it changed, in microseconds since 1970.
    pub at_us: i64,
}

/// The votes for a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Votes {
    /// Profiles that do not like it.
    pub down: u64,
    /// Profiles that like it.
    pub up: u64,
    /// Profiles that love it.
    pub love: u64,
}

impl Votes {
    /// Counts a vote that was `before` and is `now`.
    pub fn moved(&mut self, before: Thumb, now: Thumb) {
        if let Some(count) = self.of(before) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.of(now) {
            *count += 1;
        }
    }

    fn of(&mut self, thumb: Thumb) -> Option<&mut u64> {
        match thumb {
            Thumb::None => None,
            Thumb::Down => Some(&mut self.down),
            Thumb::Up => Some(&mut self.up),
            Thumb::Love => Some(&mut self.love),
        }
    }

    /// The lower bound, in percent, of a 90 % interval for the share of those who like it; 0 without votes.
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    #[must_use]
    pub fn percent(self) -> f64 {
        let liked = (self.up + self.love) as f64;
        let all = liked + self.down as f64;
        if all == 0.0 {
            return 0.0;
        }
        let share = liked / all;
        let (square, spread) = (Z * Z, Z * (share * (1.0 - share) / all + Z * Z / (4.0 * all * all)).sqrt());
        (100.0 * (share + square / (2.0 * all) - spread) / (1.0 + square / all)).clamp(0.0, 100.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_votes_weigh_little() {
        let percent = |up, down| Votes { up, down, love: 0 }.percent();
        assert!(percent(0, 0) == 0.0 && percent(0, 9) < 1e-9);
        assert!(percent(1, 0) < percent(10, 0) && percent(10, 0) < percent(1000, 0));
        assert!(percent(1, 0) < percent(90, 10), "one vote is worth less than ninety of a hundred");
        // By hand: 8 of 10.
        assert!((percent(8, 2) - 54.079).abs() < 0.01, "{}", percent(8, 2));
        let loved = Votes { love: 8, down: 2, up: 0 };
        assert!((loved.percent() - percent(8, 2)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn a_score_is_a_share_and_rises_with_each_liking(up in 0u64..1 << 40, down in 0u64..1 << 40) {
            let votes = Votes { up, down, love: 0 };
            prop_assert!((0.0..=100.0).contains(&votes.percent()));
            let more = Votes { up: up + 1, ..votes };
            prop_assert!(more.percent() >= votes.percent() - 1e-6);
        }
    }

    #[test]
    fn the_same_change_again_keeps_its_first_time() {
        let once = Opinion::default().after(Change::Rate(Thumb::Up), 10).after(Change::List, 11);
        assert_eq!(once.after(Change::Rate(Thumb::Up), 20).after(Change::List, 21), once);
        assert!(once.after(Change::Rate(Thumb::None), 30).after(Change::Unlist, 31).is_nothing());
    }
}
