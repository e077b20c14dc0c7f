//! Where events lie in the lake: `lake/{topic}/day={YYYY-MM-DD}/{first}-{last}.parquet`.
//!
//! The day is that on which the events were appended to the log (UTC); `first` and `last` are their numbers, and no other
//! file of the topic holds one between them, but for files that one *covers*: its name spans theirs, on the same day. A
//! file that is covered is a leftover of what the covering one was made of.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::columns::Topic;

/// The folder of all.
pub const FOLDER: &str = "lake";

/// A file's place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Of which events.
    pub topic: Topic,
    /// Of which day, as `2026-11-25`.
    pub day: String,
    /// The number of its first event.
    pub first: u64,
    /// The number of its last event.
    pub last: u64,
}

impl Place {
    /// The object's key.
    #[must_use]
    pub fn object(&self) -> String {
        // Of one width, so that they are listed in their order.
        format!("{FOLDER}/{}/day={}/{:020}-{:020}.parquet", self.topic.name(), self.day, self.first, self.last)
    }

    /// Of an object's key; nothing where that is no file of the lake.
    #[must_use]
    pub fn parse(object: &str) -> Option<Self> {
        let mut parts = object.strip_prefix(FOLDER)?.strip_prefix('/')?.split('/');
        let topic = Topic::parse(parts.next()?)?;
        let day = checked_day(parts.next()?.strip_prefix("day=")?)?;
        let (first, last) = parts.next()?.strip_suffix(".parquet")?.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (parts.next().is_none() && first <= last).then_some(Self { topic, day, first, last })
    }

    /// Whether the other's events are in this file.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self != other
            && (self.topic, &self.day) == (other.topic, &other.day)
            && self.first <= other.first
            && other.last <= self.last
    }
}

/// The day, where it is one.
#[must_use]
pub fn checked_day(day: &str) -> Option<String> {
    let date: Date = day.parse().ok()?;
    Some(date.to_string()).filter(|written| written == day)
}

/// The day (UTC) of a time in microseconds since 1970. A time that no calendar has is on the first day.
#[must_use]
pub fn day_of(at_us: i64) -> String {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::UTC.to_datetime(at).date().to_string()
}

/// Of these files, in their order, those that no other covers, and those that one covers.
#[must_use]
pub fn sorted_out(mut places: Vec<Place>) -> (Vec<Place>, Vec<Place>) {
    places.sort_unstable();
    places.dedup();
    // By day and first; of those that begin at one event the widest comes last.
    let (mut kept, mut covered): (Vec<Place>, Vec<Place>) = (Vec::new(), Vec::new());
    for place in places {
        while kept.last().is_some_and(|last| place.covers(last)) {
            covered.extend(kept.pop());
        }
        if kept.last().is_some_and(|last| last.covers(&place)) {
            covered.push(place);
        } else {
            kept.push(place);
        }
    }
    (kept, covered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(day: u32, first: u64, last: u64) -> Place {
        Place { topic: Topic::Ratings, day: format!("2026-11-{day:02}"), first, last }
    }

    #[test]
    fn a_place_is_read_back() {
        let there = place(25, 7, 40);
        assert!(there.object().starts_with("lake/ratings/day=2026-11-25/"));
        assert_eq!(Place::parse(&there.object()), Some(there));
        for bad in [
            "lake/ratings/day=2026-11-25/9-7.parquet",
            "lake/x/day=2026-11-25/1-7.parquet",
            "lake/ratings/day=2026-02-30/1-7.parquet",
            "lake/ratings/1-7.parquet",
            "lake/erased",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
        assert_eq!(day_of(1_764_028_799_999_999), "2025-11-24");
        assert_eq!(day_of(1_764_028_800_000_000), "2025-11-25");
    }

    #[test]
    fn what_another_spans_is_covered_on_its_day_only() {
        let (kept, covered) =
            sorted_out(vec![place(1, 0, 9), place(1, 0, 4), place(1, 5, 9), place(2, 2, 3), place(1, 10, 12)]);
        assert_eq!(kept, [place(1, 0, 9), place(1, 10, 12), place(2, 2, 3)]);
        assert_eq!(covered.len(), 2);
    }

    proptest! {
        #[test]
        fn each_event_is_in_one_file_however_often_files_were_merged(cuts in proptest::collection::vec(1_u64..5, 1..20), merges in proptest::collection::vec((0_usize..20, 2_usize..6), 0..8)) {
            let mut files = Vec::new();
            let mut next = 0;
            for length in cuts {
                files.push(place(1, next, next + length - 1));
                next += length;
            }
            let mut all = files.clone();
            for (from, count) in merges {
                let from = from % files.len();
                let until = (from + count).min(files.len());
                let merged = place(1, files[from].first, files[until - 1].last);
                files.splice(from..until, [merged.clone()]);
                all.push(merged);
            }
            let (kept, covered) = sorted_out(all.clone());
            prop_assert_eq!(&kept, &files);
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(kept.len() + covered.len(), all.len());
        }
    }
}
