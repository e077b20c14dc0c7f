//! Who plays at the moment, by account: how many devices may at once, and when one has stopped.
//!
//! A session counts from its start until it ends, or until nothing was heard of it for [`SILENCE_US`]. Sessions of one
//! device are one stream. A session that was never heard of gives way to another device's start: pages that get a
//! stream ready while somebody reads must not keep anybody from watching. Kept in memory, and after a restart found
//! again in the heartbeats that come in: an installation never refuses a viewer because it restarted.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use matinee_model::ids::AccountId;

/// After how long without a heartbeat a session is over, in microseconds: six of them.
pub const SILENCE_US: i64 = 60_000_000;
/// Sessions of one account that are remembered; a plan never gives so many.
const MOST_SESSIONS: usize = 32;
const SHARDS: usize = 64;

/// One session that plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playing {
    /// Which.
    pub session: String,
    /// What.
    pub title: String,
    /// For whom.
    pub profile: String,
    /// On which device.
    pub device: String,
    /// Since when, in microseconds since 1970.
    pub started_us: i64,
    /// When it was last heard of; nothing where it never was.
    pub heard_us: Option<i64>,
}

impl Playing {
    fn over(&self, now_us: i64) -> bool {
        self.heard_us.unwrap_or(self.started_us).saturating_add(SILENCE_US) < now_us
    }
}

/// Every account's sessions.
#[derive(Debug)]
pub struct Streams {
    shards: Vec<Mutex<HashMap<AccountId, Vec<Playing>>>>,
    hasher: RandomState,
}

impl Default for Streams {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl Streams {
    /// Begins a session where fewer than `most` other devices play, and says which do where not.
    pub fn begin(&self, account: &AccountId, playing: Playing, most: u32, now_us: i64) -> Result<(), Vec<Playing>> {
        let mut shard = self.shard(account);
        let sessions = shard.entry(account.clone()).or_default();
        sessions.retain(|other| !other.over(now_us));
        let others = devices(sessions.iter().filter(|other| other.device != playing.device));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if others >= most {
            let heard = |other: &&Playing| other.device != playing.device && other.heard_us.is_some();
            let watching: Vec<Playing> = sessions.iter().filter(heard).cloned().collect();
            if devices(watching.iter()) >= most {
                return Err(watching);
            }
            sessions.retain(|other| other.device == playing.device || other.heard_us.is_some());
        }
        if sessions.len() >= MOST_SESSIONS {
            sessions.remove(0);
        }
        sessions.push(playing);
        Ok(())
    }

    /// A session was heard of at `heard_us`; one that is not known is taken up as it is.
    pub fn heard(&self, account: &AccountId, playing: Playing, heard_us: i64) {
        let mut shard = self.shard(account);
        let sessions = shard.entry(account.clone()).or_default();
        match sessions.iter_mut().find(|known| known.session == playing.session) {
            Some(known) => known.heard_us = Some(known.heard_us.map_or(heard_us, |before| before.max(heard_us))),
            None => {
                if sessions.len() >= MOST_SESSIONS {
                    sessions.remove(0);
                }
                sessions.push(Playing { heard_us: Some(heard_us), ..playing });
            }
        }
    }

    /// A session is over. Says nothing where it is not known.
    pub fn end(&self, account: &AccountId, session: &str) {
        let mut shard = self.shard(account);
        if let Some(sessions) = shard.get_mut(account) {
            sessions.retain(|playing| playing.session != session);
            if sessions.is_empty() {
                shard.remove(account);
            }
        }
    }

    /// What an account plays at `now_us`, the oldest first.
    #[must_use]
    pub fn of(&self, account: &AccountId, now_us: i64) -> Vec<Playing> {
        let shard = self.shard(account);
        shard.get(account).into_iter().flatten().filter(|playing| !playing.over(now_us)).cloned().collect()
    }

    /// Forgets sessions that are over: accounts that no longer play take no memory.
    pub fn sweep(&self, now_us: i64) {
        for shard in &self.shards {
            lock(shard).retain(|_, sessions| {
                sessions.retain(|playing| !playing.over(now_us));
                !sessions.is_empty()
            });
        }
    }

    fn shard(&self, account: &AccountId) -> MutexGuard<'_, HashMap<AccountId, Vec<Playing>>> {
        let at = usize::try_from(self.hasher.hash_one(account) % SHARDS as u64).unwrap_or(0);
        lock(&self.shards[at])
    }
}

/// Each change leaves the sessions whole, so what a panicking thread held is as good as before.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn devices<'a>(sessions: impl Iterator<Item = &'a Playing>) -> usize {
    let mut names: Vec<&str> = sessions.map(|playing| playing.device.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000_000;

    fn account() -> AccountId {
        AccountId::parse("family").unwrap()
    }

    fn play(device: &str, session: &str) -> Playing {
        Playing {
            session: session.to_owned(),
            title: "kite".to_owned(),
            profile: "me".to_owned(),
            device: device.to_owned(),
            started_us: NOW,
            heard_us: None,
        }
    }

    #[test]
    fn a_plan_for_two_takes_two_devices() {
        let streams = Streams::default();
        let begin = |device, session| streams.begin(&account(), play(device, session), 2, NOW);
        for (device, session) in [("tv", "a"), ("phone", "b")] {
            begin(device, session).unwrap();
            streams.heard(&account(), play(device, session), NOW);
        }
        let watching = begin("laptop", "c").unwrap_err();
        assert_eq!(watching.iter().map(|p| p.device.as_str()).collect::<Vec<_>>(), ["tv", "phone"]);
        begin("tv", "d").expect("the television may change its film");
        streams.end(&account(), "b");
        begin("laptop", "e").expect("an ended session frees its stream");
    }

    #[test]
    fn silence_ends_a_session() {
        let streams = Streams::default();
        streams.begin(&account(), play("tv", "a"), 1, NOW).unwrap();
        streams.heard(&account(), play("tv", "a"), NOW);
        let late = NOW + SILENCE_US;
        assert!(streams.begin(&account(), Playing { started_us: late, ..play("phone", "b") }, 1, late).is_err());
        let later = late + 1;
        streams.begin(&account(), Playing { started_us: later, ..play("phone", "b") }, 1, later).unwrap();
        assert_eq!(streams.of(&account(), later).len(), 1);
        streams.sweep(later + SILENCE_US + 1);
        assert!(streams.of(&account(), later).is_empty());
    }

    #[test]
    fn a_page_that_only_got_ready_gives_way() {
        let streams = Streams::default();
        streams.begin(&account(), play("tv", "a"), 1, NOW).unwrap();
        streams.begin(&account(), play("phone", "b"), 1, NOW).unwrap();
        assert_eq!(streams.of(&account(), NOW).len(), 1);
        streams.heard(&account(), play("phone", "b"), NOW);
        assert!(streams.begin(&account(), play("tv", "c"), 1, NOW).is_err());
    }

    #[test]
    fn a_restart_finds_who_plays_in_their_heartbeats() {
        let streams = Streams::default();
        streams.heard(&account(), play("tv", "a"), NOW);
        assert!(streams.begin(&account(), play("phone", "b"), 1, NOW).is_err());
        streams.end(&account(), "unknown");
        streams.end(&account(), "a");
        streams.begin(&account(), play("phone", "b"), 1, NOW).unwrap();
    }

    #[test]
    fn one_account_never_takes_much_memory() {
        let streams = Streams::default();
        for session in 0..100 {
            streams.heard(&account(), play("tv", &session.to_string()), NOW);
        }
        assert_eq!(streams.of(&account(), NOW).len(), MOST_SESSIONS);
    }
}
