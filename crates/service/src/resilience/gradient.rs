//! How many requests at once are right, from how long they take.
//!
//! While requests take about as long as they did over the last while, the limit rises; when they take longer, others are
//! queueing before them, and it falls in proportion. Each class of requests is compared with itself alone, so that another
//! mix of quick and slow ones does not look like a change.
//! Source: Netflix, "Performance Under Load" (2018), and `Gradient2Limit` of concurrency-limits.

use std::time::Duration;

/// What a limit stays within, and how it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitSettings {
    /// The limit at the beginning.
    pub first: usize,
    /// The least that is taken at once, however long it takes.
    pub least: usize,
    /// The most.
    pub most: usize,
    /// How often the limit may move.
    pub window: Duration,
    /// How many times as long as usual requests may take before the limit falls.
    pub tolerance: f64,
    /// The share of the limit that each priority may fill, the least priority first (see [`super::Priority::ALL`]).
    pub shares: [f64; 4],
    /// How long a play waits for room before it is refused.
    pub patience: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            first: 24,
            least: 12,
            most: 1000,
            window: Duration::from_millis(100),
            tolerance: 1.5,
            shares: [0.4, 0.55, 0.8, 1.0],
            patience: Duration::from_millis(15),
        }
    }
}

/// Answers in a window before it says anything.
const LEAST_ANSWERS: u32 = 8;
/// Windows over which the usual time is an average (ten minutes).
const USUAL_OVER: f64 = 6000.0;
/// Windows of which the usual time is a plain average at the beginning.
const WARM_UP: u32 = 10;
/// By how much the limit rises when nothing speaks against it.
const ROOM: f64 = 4.0;
/// How much of a step is taken at once.
const SMOOTHING: f64 = 0.2;
/// The share of requests that missed their deadline, above which the limit is halved.
const MISSED: f64 = 0.1;

/// Answers of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Class {
    /// Of this window.
    answers: u32,
    seconds: f64,
    /// The usual time, in seconds, and of how many windows.
    usual: f64,
    windows: u32,
}

impl Class {
    /// Ends a window; how its answers compare with the usual: 1 where they are as quick, 0.5 where they take far longer.
    fn compare(&mut self, tolerance: f64) -> Option<(f64, f64)> {
        let answers = f64::from(std::mem::take(&mut self.answers));
        let seconds = std::mem::take(&mut self.seconds);
        if answers == 0.0 {
            return None;
        }
        let mean = (seconds / answers).max(1e-6);
        self.windows = self.windows.saturating_add(1);
        let over = if self.windows <= WARM_UP { f64::from(self.windows) } else { USUAL_OVER };
        self.usual += (mean - self.usual) / over;
        if self.usual > 2.0 * mean {
            // What was usual was a time of trouble.
            self.usual *= 0.95;
        }
        Some((answers, (tolerance * self.usual / mean).clamp(0.5, 1.0)))
    }
}

/// The limit and what it follows from.
#[derive(Debug)]
pub(crate) struct Gradient {
    settings: LimitSettings,
    limit: f64,
    classes: [Class; 4],
    answers: u32,
    missed: u32,
    most_running: usize,
}

impl Gradient {
    pub(crate) fn new(settings: LimitSettings) -> Self {
        let limit = settings.first.clamp(settings.least, settings.most) as f64;
        Self { settings, limit, classes: Default::default(), answers: 0, missed: 0, most_running: 0 }
    }

    /// An answer of `class` after so long, while `running` ran.
    pub(crate) fn answered(&mut self, class: usize, after: Duration, running: usize) {
        if let Some(class) = self.classes.get_mut(class) {
            class.answers += 1;
            class.seconds += after.as_secs_f64();
        }
        self.answers += 1;
        self.most_running = self.most_running.max(running);
    }

    /// A request that missed its deadline.
    pub(crate) fn missed(&mut self, running: usize) {
        self.answers += 1;
        self.missed += 1;
        self.most_running = self.most_running.max(running);
    }

    /// Ends a window, in which some were refused or none were (`pressed`). Says the limit, where there was enough to see.
    pub(crate) fn turn(&mut self, pressed: bool) -> Option<usize> {
        if self.answers < LEAST_ANSWERS {
            return None;
        }
        let tolerance = self.settings.tolerance;
        let compared = self.classes.iter_mut().filter_map(|class| class.compare(tolerance));
        let (mut weight, mut sum) = (0.0, 0.0);
        for (answers, gradient) in compared {
            weight += answers;
            sum += answers * gradient;
        }
        let mut gradient = if weight > 0.0 { sum / weight } else { 1.0 };
        if f64::from(self.missed) > MISSED * f64::from(self.answers) {
            gradient = 0.5;
        }
        let used = pressed || self.most_running as f64 >= self.limit / 2.0;
        (self.answers, self.missed, self.most_running) = (0, 0, 0);
        // A limit that was not felt says nothing about whether it is right.
        if used {
            let next = self.limit * gradient + ROOM;
            let moved = self.limit * (1.0 - SMOOTHING) + next * SMOOTHING;
            self.limit = moved.clamp(self.settings.least as f64, self.settings.most as f64);
        }
        Some(self.limit as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    /// A machine of `cores`, on which a request takes `work` seconds of one: how long it takes while `running` do.
    fn takes(running: usize, cores: f64, work: f64) -> Duration {
        Duration::from_secs_f64(work * (running as f64 / cores).max(1.0))
    }

    fn windows(gradient: &mut Gradient, count: usize, pressed: bool, after: impl Fn(usize) -> Duration) -> usize {
        let mut limit = gradient.limit as usize;
        for _ in 0..count {
            for _ in 0..20 {
                gradient.answered(3, after(limit), limit);
            }
            limit = gradient.turn(pressed).unwrap();
        }
        limit
    }

    #[test]
    fn where_requests_wait_for_each_other_the_limit_falls_and_where_they_do_not_it_rises() {
        let mut gradient = Gradient::new(LimitSettings::default());
        // Quiet: few run, nothing is learnt but how long they take.
        for _ in 0..50 {
            for _ in 0..20 {
                gradient.answered(3, takes(1, 2.0, 0.002), 2);
            }
            assert_eq!(gradient.turn(false), Some(24));
        }
        let limit = windows(&mut gradient, 100, true, |running| takes(running, 2.0, 0.002));
        assert_eq!(limit, 12, "two cores are full long before");
        let limit = windows(&mut gradient, 100, true, |running| takes(running, 64.0, 0.002));
        assert!((60..=140).contains(&limit), "{limit} for 64 cores");
    }

    #[test]
    fn another_mix_of_quick_and_slow_requests_is_not_taken_for_trouble() {
        let mut gradient = Gradient::new(LimitSettings::default());
        for slow in [2, 18, 2, 18, 10] {
            for _ in 0..20 {
                for _ in 0..slow {
                    gradient.answered(2, Duration::from_millis(80), 20);
                }
                for _ in slow..20 {
                    gradient.answered(3, Duration::from_millis(2), 20);
                }
                gradient.turn(true);
            }
        }
        assert!(gradient.limit > 60.0, "{}", gradient.limit);
    }

    #[test]
    fn many_missed_deadlines_bring_it_down() {
        let mut gradient = Gradient::new(LimitSettings { first: 500, ..LimitSettings::default() });
        for _ in 0..40 {
            for _ in 0..8 {
                gradient.missed(400);
            }
            gradient.turn(true);
        }
        assert!(gradient.limit < 60.0, "{}", gradient.limit);
    }

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(
            answers in proptest::collection::vec((0_usize..4, 0_u64..10_000_000, 0_usize..2000, any::<bool>()), 0..500),
        ) {
            let settings = LimitSettings::default();
            let mut gradient = Gradient::new(settings);
            for (class, micros, running, turn) in answers {
                gradient.answered(class, Duration::from_micros(micros), running);
                if turn && let Some(limit) = gradient.turn(running % 2 == 0) {
                    prop_assert!((settings.least..=settings.most).contains(&limit));
                }
            }
        }
    }
}
