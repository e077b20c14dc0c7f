//! How far a profile is in what it watched lately.

use std::collections::HashMap;

use matinee_contracts::history::{ListRequest, Watched};
use matinee_service::viewer::Viewer;

use crate::Devices;

/// Titles that a profile watched lately and whose progress is shown.
const LATELY: u32 = 200;

/// What a profile watched lately.
#[derive(Debug, Default)]
pub struct Progress {
    /// The latest first.
    pub latest: Vec<String>,
    by_title: HashMap<String, Watched>,
}

impl Progress {
    /// Of this viewer, as far as history answers.
    pub async fn of(devices: &Devices, viewer: &Viewer) -> Self {
        let Some(profile) = &viewer.profile else { return Self::default() };
        let request = ListRequest { profile: profile.to_string(), unfinished_only: false, limit: LATELY };
        let mut history = devices.services.history.clone();
        let answer = devices.optional.history.ask(history.list(request)).await;
        let titles = answer.unwrap_or_default().titles;
        Self {
            latest: titles.iter().map(|watched| watched.title.clone()).collect(),
            by_title: titles.into_iter().map(|watched| (watched.title.clone(), watched)).collect(),
        }
    }

    /// How far it is in a title.
    #[must_use]
    pub fn in_title(&self, title: &str) -> Option<&Watched> {
        self.by_title.get(title)
    }

    /// What was begun and not finished, the latest first.
    pub fn unfinished(&self) -> impl Iterator<Item = &str> {
        let begun = |title: &&String| self.in_title(title).is_some_and(|w| !w.finished && w.resume_us > 0);
        self.latest.iter().filter(begun).map(String::as_str)
    }
}

/// The part of a title that was watched, 0 to 1, to three digits.
#[must_use]
pub fn share(watched: &Watched) -> Option<f64> {
    if watched.finished {
        return Some(1.0);
    }
    if watched.duration_us == 0 || watched.position_us == 0 {
        return None;
    }
    let share = watched.position_us as f64 / watched.duration_us as f64;
    Some((share.min(1.0) * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_share_is_never_more_than_the_whole(position_us in any::<u64>(), duration_us in any::<u64>()) {
            let watched = Watched { position_us, duration_us, ..Watched::default() };
            if let Some(share) = share(&watched) {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }
    }
}
