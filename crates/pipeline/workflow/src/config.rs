//! How the executor behaves: leases, retries and bounds.

use std::collections::BTreeMap;
use std::time::Duration;

/// What can be set. [`Config::default`] suits one machine and a few dozen.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a worker may be silent before its tasks are given to another.
    pub lease: Duration,
    /// Counted attempts of a task that does not say (from 1).
    pub max_attempts: u32,
    /// Longest run of a task that does not say, from its lease.
    pub timeout: Duration,
    /// Wait after the first failed attempt; doubles with each.
    pub backoff: Duration,
    /// The longest such wait.
    pub backoff_most: Duration,
    /// How often a task may lose its worker before it is taken for the cause and fails. A lost worker is not counted as an
    /// attempt: machines are restarted, and a film takes hours.
    pub max_lost_workers: u32,
    /// Most tasks that run at once in a pool over all workers; a pool that is not named has no limit.
    pub pool_limits: BTreeMap<String, u32>,
    /// Workers whose id starts so live in the service's own process: after a restart they are gone, and their leases are
    /// released at once.
    pub embedded_workers: String,
    /// Most streams of [`Watch`](crate::service) at once.
    pub max_watchers: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            max_attempts: 4,
            timeout: Duration::from_secs(24 * 3600),
            backoff: Duration::from_secs(2),
            backoff_most: Duration::from_secs(300),
            max_lost_workers: 10,
            pool_limits: BTreeMap::new(),
            embedded_workers: "embedded/".to_owned(),
            max_watchers: 256,
        }
    }
}

impl Config {
    /// The wait in microseconds after the `failures`-th failure (from 1): exponential, of which `chance` (0 to 1) takes
    /// away up to half, so that tasks that failed together do not come back together.
    #[must_use]
    pub fn backoff_us(&self, failures: i64, chance: f64) -> i64 {
        let doubled = self.backoff.as_secs_f64() * 2f64.powi(i32::try_from(failures.clamp(1, 40)).unwrap_or(40) - 1);
        let wait = doubled.min(self.backoff_most.as_secs_f64()) * (1.0 - chance.clamp(0.0, 1.0) / 2.0);
        (wait * 1e6) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn waits_double_up_to_the_longest_and_chance_takes_at_most_half() {
        let config = Config::default();
        assert_eq!(config.backoff_us(1, 0.0), 2_000_000);
        assert_eq!(config.backoff_us(3, 0.0), 8_000_000);
        assert_eq!(config.backoff_us(3, 1.0), 4_000_000);
        assert_eq!(config.backoff_us(1000, 0.0), 300_000_000);
    }
}
