//! Licence windows: where and when a title may be watched.

use crate::territory::{Reach, Territory};

/// One licence: in its reach, from (included) until (not included), in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenceWindow {
    /// Where.
    pub reach: Reach,
    /// Since when.
    pub from_us: i64,
    /// Until when; nothing where it is open.
    pub until_us: Option<i64>,
}

/// Whether a title may be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Licensed {
    /// It may, until then; nothing where that is open.
    Until(Option<i64>),
    /// Never in this territory.
    NotHere,
    /// Not any more, or not yet: from then on, where a window is to come.
    NotNow(Option<i64>),
}

/// Whether a title with these windows may be watched in `territory` at `now_us`.
///
/// Without any window it may everywhere and always: the work is the organisation's own.
#[must_use]
pub fn licensed(windows: &[LicenceWindow], territory: Territory, now_us: i64) -> Licensed {
    if windows.is_empty() {
        return Licensed::Until(None);
    }
    let here = || windows.iter().filter(|window| window.reach.covers(territory));
    let open = here().filter(|w| w.from_us <= now_us && w.until_us.is_none_or(|until| now_us < until));
    // The longest of those that are open; an open end is the longest.
    if let Some(longest) = open.max_by_key(|w| w.until_us.unwrap_or(i64::MAX)) {
        return Licensed::Until(longest.until_us);
    }
    if here().next().is_none() {
        return Licensed::NotHere;
    }
    Licensed::NotNow(here().map(|w| w.from_us).filter(|from| *from > now_us).min())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(reach: &str, from_us: i64, until_us: Option<i64>) -> LicenceWindow {
        LicenceWindow { reach: Reach::parse(reach).unwrap(), from_us, until_us }
    }

    #[test]
    fn a_title_plays_in_its_windows_only() {
        let windows = [window("DE", 10, Some(20)), window("DE", 15, Some(30)), window("FR", 100, None)];
        let at = |territory: &str, now| licensed(&windows, Territory::parse(territory).unwrap(), now);
        assert_eq!(at("DE", 9), Licensed::NotNow(Some(10)));
        assert_eq!(at("DE", 10), Licensed::Until(Some(20)));
        assert_eq!(at("DE", 15), Licensed::Until(Some(30)));
        assert_eq!(at("DE", 30), Licensed::NotNow(None));
        assert_eq!(at("FR", i64::MAX), Licensed::Until(None));
        assert_eq!(at("US", 15), Licensed::NotHere);
    }

    #[test]
    fn what_has_no_window_is_ones_own() {
        assert_eq!(licensed(&[], Territory::parse("US").unwrap(), 0), Licensed::Until(None));
    }
}
