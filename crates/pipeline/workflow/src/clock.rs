//! Time and chance, passed in, so that tests decide both.

use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970 (UTC).
    fn now_us(&self) -> i64;
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

/// Randomness for jitter and for the names of leases.
pub trait Chance: Send + Sync {
    /// From 0 (included) to 1 (not included).
    fn unit(&self) -> f64;

    /// A name that was never given before.
    fn lease(&self) -> String;
}

/// The machine's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn unit(&self) -> f64 {
        // 53 random bits, as many as a double's fraction holds.
        let bits = (uuid::Uuid::new_v4().as_u128() & ((1 << 53) - 1)) as u64;
        bits as f64 / (1u64 << 53) as f64
    }

    fn lease(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}
