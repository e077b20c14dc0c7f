//! How patient a client is, by what the answer is worth to whoever waits.

use std::time::Duration;

use super::breaker::BreakerSettings;

/// How a client treats the service it calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// How long an answer's head is waited for, retries included.
    pub patience: Duration,
    /// How often a call is tried again when the service is not available.
    pub retries: u32,
    /// When the service is not asked for a while.
    pub breaker: BreakerSettings,
    /// Calls at once.
    pub at_once: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// How long they wait.
    pub turn: Duration,
}

impl Policy {
    /// Without the answer nothing goes on: a play, an account, a title.
    #[must_use]
    pub fn essential() -> Self {
        Self {
            patience: Duration::from_secs(3),
            retries: 2,
            breaker: BreakerSettings {
                least_calls: 20,
                failed: 0.5,
                slow: 0.9,
                slow_after: Duration::from_secs(1),
                missed_in_a_row: 5,
                ..BreakerSettings::default()
            },
            at_once: 512,
            waiting: 512,
            turn: Duration::from_millis(500),
        }
    }

    /// The answer is left out where it does not come: ratings, rows, where a film was left.
    #[must_use]
    pub fn optional() -> Self {
        Self {
            patience: Duration::from_millis(300),
            retries: 0,
            breaker: BreakerSettings {
                least_calls: 5,
                failed: 0.5,
                slow: 0.8,
                slow_after: Duration::from_millis(200),
                // One may be a hiccup, which must not cost everybody their rows.
                missed_in_a_row: 3,
                ..BreakerSettings::default()
            },
            at_once: 128,
            waiting: 128,
            turn: Duration::from_millis(50),
        }
    }

    /// Nobody looks: consumers of events, workers, the studio's long work. Who calls tries again by itself.
    #[must_use]
    pub fn background() -> Self {
        Self {
            patience: Duration::from_secs(60),
            retries: 0,
            breaker: BreakerSettings {
                least_calls: 20,
                failed: 0.9,
                slow: 1.1,
                missed_in_a_row: u32::MAX,
                ..BreakerSettings::default()
            },
            at_once: 64,
            waiting: 1024,
            turn: Duration::from_secs(30),
        }
    }

    /// With an answer within `patience`.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self.breaker.slow_after = self.breaker.slow_after.min(patience.mul_f64(0.8));
        self
    }

    /// With as many calls at once, and as many that wait for their turn.
    #[must_use]
    pub fn at_once(mut self, calls: usize) -> Self {
        (self.at_once, self.waiting) = (calls, calls);
        self
    }
}
