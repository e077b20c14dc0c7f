//! How often someone may: a rate limit for each account, address or name, in bounded memory.
//!
//! `governor` was looked at: its keyed store grows by every key that is ever seen, which is for a public door what an
//! attacker wants. The algorithm itself is one number a key (GCRA: the time at which the key's requests so far would have
//! been due), kept here in two generations: when the young one is full it becomes the old one, and the old one, of keys
//! that were not seen for that long, is forgotten.
//! Source: ITU-T I.371, "Generic cell rate algorithm", virtual scheduling.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::Problem;

/// Parts that are locked apart from each other.
const SHARDS: usize = 16;

/// How often: `burst` at once, and one more for each `every` that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// At once.
    pub burst: u32,
    /// Until there is one more.
    pub every: Duration,
}

impl Quota {
    /// `count` a second, all of them at once if need be. At least one.
    #[must_use]
    pub fn per_second(count: u32) -> Self {
        Self { burst: count.max(1), every: Duration::from_secs(1) / count.max(1) }
    }

    /// `count` a minute, all of them at once if need be. At least one.
    #[must_use]
    pub fn per_minute(count: u32) -> Self {
        Self { burst: count.max(1), every: Duration::from_secs(60) / count.max(1) }
    }

    /// With `burst` at once. At least one.
    #[must_use]
    pub fn with_burst(mut self, burst: u32) -> Self {
        self.burst = burst.max(1);
        self
    }
}

/// Not now: how long until the next is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the next is taken in {:.1} s", .0.as_secs_f64())]
pub struct Wait(pub Duration);

impl From<Wait> for Problem {
    fn from(wait: Wait) -> Self {
        Self::too_many("wait before the next request", wait.0)
    }
}

/// A rate limit for each of many keys.
#[derive(Debug)]
pub struct KeyedLimiter<K> {
    quota: Quota,
    began: Instant,
    hasher: RandomState,
    shards: Vec<Mutex<Generations<K>>>,
}

/// When each key's requests so far would have been due, in nanoseconds after the limiter began.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, u64>,
    old: HashMap<K, u64>,
    most: usize,
}

impl<K: Hash + Eq + Clone> Generations<K> {
    fn due(&self, key: &K) -> u64 {
        self.young.get(key).or_else(|| self.old.get(key)).copied().unwrap_or(0)
    }

    fn set(&mut self, key: &K, due: u64) {
        if let Some(known) = self.young.get_mut(key) {
            *known = due;
            return;
        }
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), due);
    }
}

impl<K: Hash + Eq + Clone> KeyedLimiter<K> {
    /// `quota` for each key; about `most_keys` are known at once, those seen last.
    #[must_use]
    pub fn new(quota: Quota, most_keys: usize) -> Self {
        let most = (most_keys / SHARDS / 2).max(1);
        let shard = || Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), most });
        let shards = std::iter::repeat_with(shard).take(SHARDS).collect();
        Self { quota, began: Instant::now(), hasher: RandomState::new(), shards }
    }

    /// Counts one for `key`, or says how long to wait; then it is not counted.
    pub fn check(&self, key: &K) -> Result<(), Wait> {
        self.check_many(key, 1)
    }

    /// Counts `count` for `key`, all or none. More than the burst are never taken.
    pub fn check_many(&self, key: &K, count: u32) -> Result<(), Wait> {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let every = nanos(self.quota.every);
        let most = every.saturating_mul(u64::from(self.quota.burst));
        let now = nanos(self.began.elapsed());
        let mut shard = self.shard(key);
        let known = shard.due(key);
        let due = known.max(now).saturating_add(every.saturating_mul(u64::from(count)));
        let over = due.saturating_sub(now.saturating_add(most));
        if over > 0 {
            // Who insists stays among those who are known.
            shard.set(key, known);
            return Err(Wait(Duration::from_nanos(over)));
        }
        shard.set(key, due);
        Ok(())
    }

    /// Forgets what was counted for `key`.
    pub fn forgive(&self, key: &K) {
        let mut shard = self.shard(key);
        shard.young.remove(key);
        shard.old.remove(key);
    }

    fn shard(&self, key: &K) -> std::sync::MutexGuard<'_, Generations<K>> {
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands for an address among keys: itself, or of IPv6 the network of 64 bits, for a host has all addresses of one.
#[must_use]
pub fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_taken_and_then_one_for_each_interval() {
        let limiter = KeyedLimiter::new(Quota { burst: 3, every: Duration::from_secs(10) }, 100);
        for _ in 0..3 {
            assert_eq!(limiter.check(&"a"), Ok(()));
        }
        assert_eq!(limiter.check(&"a"), Err(Wait(Duration::from_secs(10))));
        assert_eq!(limiter.check(&"b"), Ok(()), "another key is not concerned");
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(limiter.check(&"a"), Err(Wait(Duration::from_secs(6))), "a refused one costs nothing");
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(limiter.check(&"a"), Ok(()));
        assert!(limiter.check(&"a").is_err());
        limiter.forgive(&"a");
        assert_eq!(limiter.check_many(&"a", 3), Ok(()));
        assert!(limiter.check_many(&"b", 4).is_err(), "more than the burst are never taken");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_keys_is_forgotten_and_who_insists_is_not() {
        let limiter = KeyedLimiter::new(Quota { burst: 1, every: Duration::from_secs(3600) }, 1_000);
        assert!(limiter.check(&0).is_ok());
        for key in 1..100_000_u32 {
            assert!(limiter.check(&key).is_ok());
            if key % 10 == 0 {
                assert!(limiter.check(&0).is_err(), "after {key} others");
            }
        }
        let known: usize = limiter.shards.iter().map(|s| s.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(known <= 1_000, "{known} keys are known");
    }

    #[test]
    fn a_host_does_not_get_a_limit_for_each_of_its_addresses() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    proptest! {
        #[test]
        fn no_more_are_taken_than_the_quota_allows(
            burst in 1_u32..20,
            every_ms in 1_u64..500,
            steps in proptest::collection::vec((0_u64..300, 1_u32..4), 1..200),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let (taken, passed) = runtime.block_on(async {
                let limiter = KeyedLimiter::new(Quota { burst, every: Duration::from_millis(every_ms) }, 64);
                let (mut taken, mut passed) = (0_u64, 0_u64);
                for (step, count) in steps {
                    tokio::time::advance(Duration::from_millis(step)).await;
                    passed += step;
                    if limiter.check_many(&(), count).is_ok() {
                        taken += u64::from(count);
                    }
                }
                (taken, passed)
            });
            prop_assert!(taken <= u64::from(burst) + passed / every_ms + 1, "{taken} in {passed} ms");
        }
    }
}
