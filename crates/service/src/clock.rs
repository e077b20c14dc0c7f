//! What time it is, passed in, so that tests decide it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Microseconds since 1970 (UTC).
    fn now_us(&self) -> i64;

    /// Whole seconds since 1970 (UTC), as tokens and signed addresses count.
    fn now_seconds(&self) -> u64 {
        u64::try_from(self.now_us().div_euclid(1_000_000)).unwrap_or(0)
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}
