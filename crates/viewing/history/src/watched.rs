//! Where a profile is in a title, and how heartbeats change that: the last one by event time wins, in whatever order and
//! however often they come.

use std::cmp::Ordering;

/// What is left of a film when it counts as finished: the credits.
const CREDITS_US: u64 = 30_000_000;
/// The same as a share of the film, in percent; the larger of the two holds.
const CREDITS_PERCENT: u64 = 5;
/// From where on a film counts as begun.
const BEGUN_US: u64 = 30_000_000;
/// The same as a share of the film, in percent; the smaller of the two holds.
const BEGUN_PERCENT: u64 = 5;

/// When a heartbeat was, in an order without ties: by its time, then its session, then its number in that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment {
    /// Microseconds since 1970: the device's time, corrected.
    pub at_us: i64,
    /// The playback session.
    pub session: String,
    /// Its number in the session.
    pub sequence: u32,
}

/// What a heartbeat says of where somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// When.
    pub moment: Moment,
    /// Microseconds from the film's start.
    pub position_us: u64,
    /// Microseconds of the whole film; 0 where the device did not know.
    pub duration_us: u64,
}

impl Position {
    /// Whether what is left is no more than the credits.
    #[must_use]
    pub fn finished(&self) -> bool {
        let credits = CREDITS_US.max(self.duration_us / 100 * CREDITS_PERCENT).min(self.duration_us / 4);
        self.duration_us > 0 && self.position_us + credits >= self.duration_us
    }

    /// Whether somebody watched more than the first moments.
    #[must_use]
    pub fn begun(&self) -> bool {
        self.position_us > 0 && self.position_us >= BEGUN_US.min(self.duration_us / 100 * BEGUN_PERCENT)
    }

    /// Where to go on from.
    #[must_use]
    pub fn resume_us(&self) -> u64 {
        if self.finished() || !self.begun() { 0 } else { self.position_us }
    }
}

/// A profile's record of a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The last position by event time.
    pub last: Position,
    /// Sessions in which it was watched to its end.
    pub times_finished: u32,
    /// The last session in which it was, so that one counts once.
    pub finished_in: String,
}

impl Watched {
    /// The record that one heartbeat makes.
    #[must_use]
    pub fn of(position: Position) -> Self {
        let mut record = Self { last: position, times_finished: 0, finished_in: String::new() };
        record.count();
        record
    }

    /// Takes one more heartbeat. Says whether it changed anything: one that is not later than the last does not.
    pub fn take(&mut self, position: Position) -> bool {
        if position.moment.cmp(&self.last.moment) != Ordering::Greater {
            return false;
        }
        self.last = position;
        self.count();
        true
    }

    fn count(&mut self) {
        if self.last.finished() && self.finished_in != self.last.moment.session {
            self.times_finished = self.times_finished.saturating_add(1);
            self.finished_in.clone_from(&self.last.moment.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000_000;

    fn at(position_us: u64, duration_us: u64) -> Position {
        Position { moment: Moment { at_us: 1, ..Moment::default() }, position_us, duration_us }
    }

    #[test]
    fn a_film_is_finished_in_its_credits() {
        assert!(!at(110 * MINUTE, 120 * MINUTE).finished());
        assert!(at(115 * MINUTE, 120 * MINUTE).finished());
        assert!(at(115 * MINUTE, 120 * MINUTE).begun());
        assert_eq!(at(115 * MINUTE, 120 * MINUTE).resume_us(), 0);
        assert!(!at(5_000_000, 12_000_000).finished(), "a short film is more than credits");
        assert!(at(9_000_000, 12_000_000).finished());
    }

    #[test]
    fn a_glance_is_not_a_beginning() {
        assert_eq!(at(20_000_000, 120 * MINUTE).resume_us(), 0);
        assert_eq!(at(31_000_000, 120 * MINUTE).resume_us(), 31_000_000);
        assert_eq!(at(1_000_000, 12_000_000).resume_us(), 1_000_000);
        assert_eq!(at(0, 0).resume_us(), 0);
        assert_eq!(at(7, 0).resume_us(), 7, "a device that does not know the duration resumes all the same");
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(
            beats in proptest::collection::vec((0_i64..50, 0_u32..4, 0_u64..100), 1..30),
            seed in proptest::collection::vec(0_usize..100, 0..60),
        ) {
            let beats: Vec<Position> = beats
                .into_iter()
                .enumerate()
                .map(|(n, (at_us, session, position_us))| Position {
                    moment: Moment { at_us, session: session.to_string(), sequence: n as u32 },
                    position_us,
                    duration_us: 400,
                })
                .collect();
            let play = |order: &[&Position]| {
                let mut record = Watched::of(order[0].clone());
                for position in &order[1..] {
                    record.take((*position).clone());
                }
                record.last
            };
            let straight: Vec<&Position> = beats.iter().collect();
            let mut shuffled = straight.clone();
            for (n, place) in seed.iter().enumerate() {
                let again = shuffled[place % shuffled.len()];
                shuffled.insert((n * 7) % shuffled.len(), again);
                let last = shuffled.len() - 1;
                shuffled.swap(place % (last + 1), last);
            }
            prop_assert_eq!(play(&straight), play(&shuffled));
        }
    }
}
