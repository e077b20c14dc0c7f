//! Attempts at what can be guessed, slowed down one key at a time, and starts of what anybody may start, at a bounded rate.
//!
//! The first few attempts are free; each further one doubles the wait, up to a minute. An attempt counts when it begins, so
//! a hundred at once are no better than one after the other. Known and unknown keys are treated alike. It is kept in this
//! process only, and bounded: the door's limits by address stand before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Attempts without a wait.
const FREE: u32 = 5;
const LONGEST_WAIT: u32 = 60;
/// Attempts are forgotten after so long without one, in microseconds.
const FORGET_US: i64 = 15 * 60 * 1_000_000;
/// Keys in each of two generations.
const MOST_KEYS: usize = 100_000;

const SECOND_US: i64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Tried {
    count: u32,
    last_us: i64,
    until_us: i64,
}

type Keys = HashMap<[u8; 32], Tried>;

/// Counts attempts by key.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<(Keys, Keys)>);

impl Attempts {
    /// Counts an attempt at `key`, or says how many seconds it has to wait.
    pub(crate) fn begin(&self, key: &str, now_us: i64) -> Result<(), u32> {
        let key: [u8; 32] = Sha256::digest(key).into();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *keys;
        let before = young.get(&key).or_else(|| old.get(&key)).copied();
        // Either way: a clock that was set back locks nobody out.
        let before = before.filter(|tried| now_us.abs_diff(tried.last_us) < FORGET_US.unsigned_abs());
        if let Some(tried) = before.filter(|tried| now_us < tried.until_us) {
            let seconds = (tried.until_us - now_us + SECOND_US - 1) / SECOND_US;
            return Err(u32::try_from(seconds).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT));
        }
        let count = before.map_or(0, |tried| tried.count).saturating_add(1);
        let wait = if count < FREE { 0 } else { (1 << (count - FREE).min(6)).min(LONGEST_WAIT) };
        if young.len() >= MOST_KEYS && !young.contains_key(&key) {
            *old = std::mem::take(young);
        }
        young.insert(key, Tried { count, last_us: now_us, until_us: now_us + i64::from(wait) * SECOND_US });
        Ok(())
    }

    /// Forgets the attempts at `key`: the last one was right.
    pub(crate) fn succeeded(&self, key: &str) {
        let key: [u8; 32] = Sha256::digest(key).into();
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.0.remove(&key);
        keys.1.remove(&key);
    }
}

/// At most so many a second, with room for a burst of so many seconds.
#[derive(Debug)]
pub(crate) struct Rate {
    a_second: f64,
    most: f64,
    /// Tokens left, and when that was counted.
    left: Mutex<(f64, i64)>,
}

impl Rate {
    pub(crate) fn new(a_second: u32, burst_seconds: u32) -> Self {
        let most = f64::from(a_second) * f64::from(burst_seconds);
        Self { a_second: f64::from(a_second), most, left: Mutex::new((most, i64::MIN)) }
    }

    /// Whether one more may start at `now_us`.
    pub(crate) fn admits(&self, now_us: i64) -> Admission {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let passed_us = now_us.saturating_sub(left.1).clamp(0, 3600 * SECOND_US);
        #[allow(clippy::cast_precision_loss, reason = "an hour of microseconds is exact in a double")]
        let grown = left.0 + passed_us as f64 / 1e6 * self.a_second;
        let now = grown.min(self.most);
        if now < 1.0 {
            *left = (now, now_us);
            return Admission::Later;
        }
        *left = (now - 1.0, now_us);
        Admission::Now
    }
}

/// Whether something may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Now,
    Later,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_attempt_waits_longer_up_to_a_minute() {
        let attempts = Attempts::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..13 {
            let wait = attempts.begin("a", now).err();
            waits.push(wait.unwrap_or(0));
            now += i64::from(wait.unwrap_or(0)) * SECOND_US;
            if wait.is_some() {
                attempts.begin("a", now).unwrap();
            }
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(attempts.begin("b", now).is_ok(), "others do not wait");
        assert!(attempts.begin("a", now + FORGET_US).is_ok());
        for _ in 0..3 {
            attempts.begin("a", now + FORGET_US).unwrap();
        }
        attempts.begin("a", now + FORGET_US).unwrap();
        assert!(attempts.begin("a", now + FORGET_US).is_err());
        attempts.succeeded("a");
        assert!(attempts.begin("a", now + FORGET_US).is_ok());
        assert!(attempts.begin("a", now - 1_000 * FORGET_US).is_ok(), "a clock that was set back locks nobody out");
    }

    #[test]
    fn a_flood_of_keys_stays_bounded_and_forgets_none_of_the_last() {
        let attempts = Attempts::default();
        for _ in 0..=FREE {
            let _ = attempts.begin("a", 0);
        }
        for i in 0..MOST_KEYS + 10 {
            attempts.begin(&i.to_string(), 0).unwrap();
        }
        assert!(attempts.begin("a", 0).is_err());
        let keys = attempts.0.lock().unwrap();
        assert!(keys.0.len() <= MOST_KEYS && keys.1.len() <= MOST_KEYS);
    }

    #[test]
    fn starts_are_bounded_by_a_rate() {
        let rate = Rate::new(2, 3);
        let admitted = |now: i64| (0..100).filter(|_| rate.admits(now) == Admission::Now).count();
        assert_eq!(admitted(0), 6);
        assert_eq!(admitted(SECOND_US), 2);
        assert_eq!(admitted(100 * SECOND_US), 6);
    }
}
