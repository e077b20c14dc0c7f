//! What is kept of a profile: for each title that it watched or said something of, the latest of each.
//!
//! Every field only ever rises in an order of its own, so heartbeats and opinions may come late, twice and in any order,
//! and a log that is replayed changes nothing.

use prost::Message;

/// The most titles that are kept of a profile; those that it had nothing to do with for longest are dropped.
pub const MOST: usize = 200;
/// How exactly it is known when something was watched last: a film that plays changes its record that often.
pub const GRAIN_US: i64 = 120_000_000;

// The same rules as viewing history's, so that the rows agree with it.
const CREDITS_US: u64 = 30_000_000;
const CREDITS_PERCENT: u64 = 5;
const BEGUN_US: u64 = 30_000_000;
const BEGUN_PERCENT: u64 = 5;

/// How far a play went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// The first moments only.
    Glanced,
    /// More than that.
    Begun,
    /// No more than the credits are left.
    Finished,
}

impl Reached {
    /// By a heartbeat's position and the film's duration (0: not known), in microseconds.
    #[must_use]
    pub fn of(position_us: u64, duration_us: u64) -> Self {
        let percent = |share: u64| duration_us / 100 * share;
        let credits = CREDITS_US.max(percent(CREDITS_PERCENT)).min(duration_us / 4);
        if duration_us > 0 && position_us.saturating_add(credits) >= duration_us {
            return Self::Finished;
        }
        if position_us > 0 && position_us >= BEGUN_US.min(percent(BEGUN_PERCENT)) { Self::Begun } else { Self::Glanced }
    }
}

/// What a profile thinks of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Thumb {
    /// Nothing was said.
    #[default]
    None,
    /// Not more of this.
    Down,
    /// Good.
    Up,
    /// More than good.
    Love,
}

/// How much a profile is interested in what it watched or judged so; nothing where that says nothing, or no.
#[must_use]
pub fn interest(reached: Reached, thumb: Thumb) -> Option<f32> {
    let watched = match reached {
        Reached::Glanced => 0.0,
        Reached::Begun => 0.4,
        Reached::Finished => 1.0,
    };
    match thumb {
        Thumb::Down => None,
        Thumb::None => Some(watched).filter(|watched| *watched > 0.0),
        Thumb::Up => Some(watched + 0.5),
        Thumb::Love => Some(watched + 1.0),
    }
}

/// A title of a profile.
#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    /// Its number.
    #[prost(uint32, tag = "1")]
    pub title: u32,
    /// When it was watched last, in [`GRAIN_US`], and how far that went: the later, then the farther, wins. 0: never.
    #[prost(int64, tag = "2")]
    last: i64,
    /// When it was finished last, in [`GRAIN_US`], from 1; 0: never.
    #[prost(int64, tag = "3")]
    finished: i64,
    /// When something was last said of it, and what: the later wins.
    #[prost(int64, tag = "4")]
    said_us: i64,
    #[prost(uint32, tag = "5")]
    thumb: u32,
    /// Since when it is listed; 0: it is not.
    #[prost(int64, tag = "6")]
    listed_us: i64,
    /// Whether it was ever begun.
    #[prost(bool, tag = "7")]
    begun: bool,
}

impl Entry {
    /// When it was watched last, in microseconds, to a grain; 0: never.
    #[must_use]
    pub fn watched_us(&self) -> i64 {
        self.last / 4 * GRAIN_US
    }

    /// How far the last play went.
    #[must_use]
    pub fn reached(&self) -> Reached {
        match self.last % 4 {
            2 => Reached::Begun,
            3 => Reached::Finished,
            _ => Reached::Glanced,
        }
    }

    /// When it was finished last, in microseconds, to a grain; nothing where it never was.
    #[must_use]
    pub fn finished_us(&self) -> Option<i64> {
        (self.finished > 0).then(|| (self.finished - 1) * GRAIN_US)
    }

    /// How far any play of it went.
    #[must_use]
    pub fn farthest(&self) -> Reached {
        match self.finished {
            0 if self.begun => Reached::Begun,
            0 => Reached::Glanced,
            _ => Reached::Finished,
        }
    }

    /// What was said of it.
    #[must_use]
    pub fn thumb(&self) -> Thumb {
        match self.thumb {
            1 => Thumb::Down,
            2 => Thumb::Up,
            3 => Thumb::Love,
            _ => Thumb::None,
        }
    }

    /// When its thumb was last set or its place in the list last changed.
    #[must_use]
    pub fn said_us(&self) -> i64 {
        self.said_us
    }

    /// Since when it is in the profile's list.
    #[must_use]
    pub fn listed_us(&self) -> Option<i64> {
        (self.listed_us > 0).then_some(self.listed_us)
    }

    /// When the profile had to do with it last.
    #[must_use]
    pub fn latest_us(&self) -> i64 {
        self.watched_us().max(self.said_us).max(self.finished_us().unwrap_or(0))
    }
}

/// What a heartbeat changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// When it was watched, or how far.
    Moved,
    /// It was begun for the first time.
    Begun,
    /// It was finished for the first time; `begun` where it was not even begun before.
    Finished {
        /// Whether this is its first play, too.
        begun: bool,
    },
}

/// All that is kept of a profile.
#[derive(Clone, PartialEq, Message)]
pub struct Record {
    /// What was before then is forgotten, in microseconds since 1970.
    #[prost(int64, tag = "1")]
    forgotten_us: i64,
    /// By title.
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
}

impl Record {
    /// The titles, by number.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes a heartbeat.
    pub fn watch(&mut self, title: u32, at_us: i64, reached: Reached) -> Change {
        if at_us <= self.forgotten_us || at_us <= 0 {
            return Change::None;
        }
        let grain = at_us / GRAIN_US;
        let moment = grain * 4 + reached as i64 + 1;
        let Some(entry) = self.entry(title, at_us) else { return Change::None };
        let before = entry.clone();
        entry.last = entry.last.max(moment);
        entry.begun |= reached >= Reached::Begun;
        if reached == Reached::Finished {
            entry.finished = entry.finished.max(grain + 1);
        }
        let begun = entry.begun && !before.begun;
        let change = if entry.finished > 0 && before.finished == 0 {
            Change::Finished { begun }
        } else if begun {
            Change::Begun
        } else if *entry == before {
            Change::None
        } else {
            Change::Moved
        };
        self.bound();
        change
    }

    /// Takes an opinion, whole, as it is from `at_us` on. Says whether that changed anything.
    pub fn say(&mut self, title: u32, at_us: i64, thumb: Thumb, listed_us: Option<i64>) -> bool {
        if at_us <= self.forgotten_us || at_us <= 0 {
            return false;
        }
        let Some(entry) = self.entry(title, at_us) else { return false };
        let said = (at_us, thumb as u32, listed_us.unwrap_or(0));
        if said <= (entry.said_us, entry.thumb, entry.listed_us) {
            return false;
        }
        (entry.said_us, entry.thumb, entry.listed_us) = said;
        self.bound();
        true
    }

    /// Forgets all of before `at_us`, for good.
    pub fn forget(&mut self, at_us: i64) {
        self.forgotten_us = self.forgotten_us.max(at_us);
        let since = self.forgotten_us;
        self.entries.retain(|entry| entry.latest_us() > since);
    }

    /// The title's entry, made where there is none; nothing where a full record would drop it at once.
    fn entry(&mut self, title: u32, at_us: i64) -> Option<&mut Entry> {
        match self.entries.binary_search_by_key(&title, |entry| entry.title) {
            Ok(place) => self.entries.get_mut(place),
            Err(place) => {
                let full = self.entries.len() >= MOST;
                if full && self.entries.iter().all(|entry| entry.latest_us() >= at_us) {
                    return None;
                }
                self.entries.insert(place, Entry { title, ..Entry::default() });
                self.entries.get_mut(place)
            }
        }
    }

    fn bound(&mut self) {
        while self.entries.len() > MOST {
            let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| (entry.latest_us(), entry.title));
            let Some((place, _)) = oldest else { return };
            self.entries.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn reaching_is_judged_as_history_does() {
        assert_eq!(Reached::of(20_000_000, 7_200_000_000), Reached::Glanced);
        assert_eq!(Reached::of(31_000_000, 7_200_000_000), Reached::Begun);
        assert_eq!(Reached::of(6_900_000_000, 7_200_000_000), Reached::Finished);
        assert_eq!(Reached::of(5_000_000, 12_000_000), Reached::Begun);
        assert_eq!(Reached::of(u64::MAX, 0), Reached::Begun, "a duration that is not known is not reached");
    }

    #[test]
    fn a_first_play_and_a_first_finish_are_told_once() {
        let mut record = Record::default();
        let change = [
            (1, Reached::Glanced),
            (2, Reached::Begun),
            (4, Reached::Begun),
            (90, Reached::Finished),
            (300, Reached::Begun),
            (390, Reached::Finished),
        ]
        .map(|(minute, reached)| record.watch(7, minute * MINUTE, reached));
        use Change::{Begun, Finished, Moved};
        assert_eq!(change, [Moved, Begun, Moved, Finished { begun: false }, Moved, Moved]);
        assert_eq!(record.entries()[0].finished_us(), Some(390 * MINUTE));
    }

    #[test]
    fn what_was_forgotten_does_not_come_back() {
        let mut record = Record::default();
        record.watch(1, 10 * MINUTE, Reached::Finished);
        record.say(2, 10 * MINUTE, Thumb::Up, None);
        record.forget(20 * MINUTE);
        assert_eq!(record.entries(), []);
        assert_eq!(record.watch(1, 15 * MINUTE, Reached::Finished), Change::None);
        assert!(!record.say(2, 15 * MINUTE, Thumb::Up, None));
        assert_eq!(record.watch(1, 21 * MINUTE, Reached::Begun), Change::Begun);
    }

    #[test]
    fn the_oldest_are_dropped() {
        let mut record = Record::default();
        for title in 0..300 {
            record.watch(title, (i64::from(title) + 1) * 10 * MINUTE, Reached::Begun);
        }
        assert_eq!(record.entries().len(), MOST);
        assert_eq!(record.entries()[0].title, 100);
        assert_eq!(record.watch(5, 60 * MINUTE, Reached::Finished), Change::None);
    }

    #[derive(Debug, Clone)]
    enum Event {
        Watch(u32, i64, Reached),
        Say(u32, i64, Thumb, Option<i64>),
    }

    fn event() -> impl Strategy<Value = Event> {
        let reached = prop_oneof![Just(Reached::Glanced), Just(Reached::Begun), Just(Reached::Finished)];
        let thumb = prop_oneof![Just(Thumb::None), Just(Thumb::Down), Just(Thumb::Up), Just(Thumb::Love)];
        prop_oneof![
            (0_u32..6, 1_i64..400, reached).prop_map(|(t, at, r)| Event::Watch(t, at * MINUTE / 3, r)),
            (0_u32..6, 1_i64..400, thumb, proptest::option::of(1_i64..9))
                .prop_map(|(t, at, thumb, listed)| Event::Say(t, at * MINUTE / 3, thumb, listed)),
        ]
    }

    fn play(record: &mut Record, events: &[Event]) -> Vec<Change> {
        let mut changes = Vec::new();
        for event in events {
            match event.clone() {
                Event::Watch(title, at, reached) => changes.push(record.watch(title, at, reached)),
                Event::Say(title, at, thumb, listed) => {
                    record.say(title, at, thumb, listed);
                }
            }
        }
        changes
    }

    proptest! {
        #[test]
        fn a_replayed_log_changes_nothing(events in proptest::collection::vec(event(), 0..60), from in 0_usize..60) {
            let mut once = Record::default();
            play(&mut once, &events);
            let mut twice = once.clone();
            let changes = play(&mut twice, &events[from.min(events.len())..]);
            prop_assert_eq!(&once, &twice);
            prop_assert!(changes.iter().all(|change| *change == Change::None));
        }

        #[test]
        fn order_does_not_matter(events in proptest::collection::vec(event(), 0..60), seed in any::<u64>()) {
            let (mut straight, mut turned) = (Record::default(), Record::default());
            play(&mut straight, &events);
            let mut shuffled = events.clone();
            for n in 0..shuffled.len() {
                let other = (seed as usize).wrapping_mul(n * 2 + 7) % shuffled.len();
                shuffled.swap(n, other);
            }
            play(&mut turned, &shuffled);
            prop_assert_eq!(straight, turned);
        }
    }
}
