//! What events change: a batch at a time, each counted once.

use std::collections::HashMap;
use std::sync::Arc;

use matinee_contracts::catalog::Title;
use matinee_contracts::events::{AccountChanged, Heartbeat, OpinionChanged, TitleChanged, account_changed};
use matinee_contracts::ratings as contract;
use matinee_model::ids::{ProfileId, TitleId};
use matinee_model::territory::Territory;

use crate::error::RecommendError;
use crate::memory::Memory;
use crate::popular::{Heat, Place};
use crate::profile::{Change, Reached, Record, Thumb};
use crate::store::Batch;
use crate::titles::Titles;
use crate::together::{Neighbours, weight};

/// Earlier finishes that a new one is counted together with.
const TOGETHER: usize = 20;
/// In which another episode of a series is no new play of it.
const SAME_PLAY_US: i64 = 24 * 3_600_000_000;

/// A batch of one topic's events on its way.
pub struct Round<'a> {
    memory: &'a Memory,
    titles: Arc<Titles>,
    // With whether it changed.
    records: HashMap<String, (Record, bool)>,
    heats: HashMap<(Place, u32), Heat>,
    neighbours: HashMap<u32, Neighbours>,
}

impl<'a> Round<'a> {
    /// Over what is known so far.
    #[must_use]
    pub fn new(memory: &'a Memory) -> Self {
        let (records, heats, neighbours) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { memory, titles: memory.titles(), records, heats, neighbours }
    }

    /// Takes a heartbeat. One of a title that the catalogue does not have is passed over.
    pub fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<(), RecommendError> {
        let Some(beat) = &heartbeat.beat else { return Ok(()) };
        let Some(title) = self.titles.number(&beat.title) else { return Ok(()) };
        if ProfileId::parse(&heartbeat.profile).is_err() {
            return Ok(());
        }
        let known = self.titles.fact(title).map_or(0, |fact| fact.duration_us);
        let duration_us = if beat.duration_us == 0 { known } else { beat.duration_us };
        let (at_us, titles) = (beat.at_us, Arc::clone(&self.titles));
        let (record, changed) = self.record(&heartbeat.profile)?;
        let change = record.watch(title, at_us, Reached::of(beat.position_us, duration_us));
        *changed |= change != Change::None;
        let begun = matches!(change, Change::Begun | Change::Finished { begun: true });
        let counted = begun && !plays_already(&titles, record, title, at_us);
        let before = match change {
            Change::Finished { .. } => finished_before(&titles, record, title),
            _ => Vec::new(),
        };
        if counted {
            self.count(Place::Everywhere, title, at_us);
            if let Ok(territory) = Territory::parse(&heartbeat.territory) {
                self.count(Place::In(territory), title, at_us);
            }
        }
        if matches!(change, Change::Finished { .. }) {
            self.finished(titles.shown(title), &before, at_us);
        }
        Ok(())
    }

    /// Takes an opinion. One of a title that the catalogue does not have is passed over.
    pub fn opinion(&mut self, event: &OpinionChanged) -> Result<(), RecommendError> {
        let Some(opinion) = &event.opinion else { return Ok(()) };
        let Some(title) = self.titles.number(&opinion.title) else { return Ok(()) };
        if ProfileId::parse(&event.profile).is_err() {
            return Ok(());
        }
        let thumb = match opinion.thumb() {
            contract::Thumb::Unspecified => Thumb::None,
            contract::Thumb::Down => Thumb::Down,
            contract::Thumb::Up => Thumb::Up,
            contract::Thumb::Love => Thumb::Love,
        };
        let at_us = if event.at_us > 0 { event.at_us } else { opinion.rated_us.max(opinion.listed_us) };
        let listed_us = opinion.listed.then_some(if opinion.listed_us > 0 { opinion.listed_us } else { at_us });
        let (record, changed) = self.record(&event.profile)?;
        *changed |= record.say(title, at_us, thumb, listed_us);
        Ok(())
    }

    /// Takes what became of an account: what is gone is forgotten.
    pub fn account(&mut self, event: &AccountChanged) -> Result<(), RecommendError> {
        let gone = match &event.what {
            Some(account_changed::What::Deleted(deleted)) => deleted.profiles.as_slice(),
            Some(account_changed::What::ProfileDeleted(deleted)) => std::slice::from_ref(&deleted.profile),
            Some(account_changed::What::Made(_)) | None => &[],
        };
        for profile in gone.iter().filter(|profile| ProfileId::parse(profile).is_ok()) {
            let (record, changed) = self.record(profile)?;
            record.forget(event.at_us);
            *changed = true;
        }
        Ok(())
    }

    /// Keeps all of it, and that the topic was read up to `next`.
    pub fn keep(self, topic: &'static str, next: u64) -> Result<(), RecommendError> {
        let changed = self.records.into_iter().filter(|(_, (_, changed))| *changed);
        let batch = Batch {
            titles: Vec::new(),
            records: changed.map(|(profile, (record, _))| (profile, record)).collect(),
            heats: self.heats.into_iter().map(|((place, title), heat)| (place, title, Some(heat))).collect(),
            neighbours: self.neighbours.into_iter().collect(),
            next: Some((topic, next)),
        };
        let _turn = self.memory.turn();
        self.memory.keep(batch)
    }

    fn record(&mut self, profile: &str) -> Result<&mut (Record, bool), RecommendError> {
        if !self.records.contains_key(profile) {
            let record = self.memory.store.record(profile)?;
            self.records.insert(profile.to_owned(), (record, false));
        }
        self.records.get_mut(profile).ok_or_else(|| RecommendError::Record {
            place: profile.to_owned(),
            reason: "it is gone from the batch".to_owned(),
        })
    }

    fn count(&mut self, place: Place, title: u32, at_us: i64) {
        let memory = self.memory;
        self.heats.entry((place, title)).or_insert_with(|| memory.popular().heat(place, title)).count(at_us);
    }

    fn finished(&mut self, title: u32, before: &[u32], at_us: i64) {
        let weight = weight(at_us);
        self.neighbours(title).total += weight;
        for other in before {
            self.neighbours(title).count(*other, weight);
            self.neighbours(*other).count(title, weight);
        }
    }

    fn neighbours(&mut self, title: u32) -> &mut Neighbours {
        let memory = self.memory;
        self.neighbours.entry(title).or_insert_with(|| memory.together().of(title).cloned().unwrap_or_default())
    }
}

/// Whether the profile begun another episode of the same series shortly before or after.
fn plays_already(titles: &Titles, record: &Record, title: u32, at_us: i64) -> bool {
    let shown = titles.shown(title);
    shown != title
        && record.entries().iter().any(|entry| {
            entry.title != title
                && titles.shown(entry.title) == shown
                && entry.farthest() >= Reached::Begun
                && (entry.watched_us() - at_us).abs() < SAME_PLAY_US
        })
}

/// The shown titles that a profile finished before this one, the latest first. Empty where it finished an episode of the
/// same series before: the series counts once.
fn finished_before(titles: &Titles, record: &Record, title: u32) -> Vec<u32> {
    let shown = titles.shown(title);
    let mut finished: Vec<(i64, u32)> = Vec::new();
    for entry in record.entries().iter().filter(|entry| entry.title != title) {
        let Some(at_us) = entry.finished_us() else { continue };
        let other = titles.shown(entry.title);
        if other == shown {
            return Vec::new();
        }
        match finished.iter_mut().find(|(_, known)| *known == other) {
            Some(known) => known.0 = known.0.max(at_us),
            None => finished.push((at_us, other)),
        }
    }
    finished.sort_unstable_by_key(|(at_us, title)| (std::cmp::Reverse(*at_us), *title));
    finished.into_iter().take(TOGETHER).map(|(_, title)| title).collect()
}

/// Takes what the catalogue says. `next` where it comes from the topic, nothing where it was listed.
///
/// Of two words on a title the one of the higher revision stays, however they come. A number is never given again: a
/// title that comes back after it was gone is another.
pub fn learn_titles(
    memory: &Memory,
    changes: Vec<TitleChanged>,
    next: Option<(&'static str, u64)>,
) -> Result<(), RecommendError> {
    let _turn = memory.turn();
    let titles = memory.titles();
    // What is known of a title that this batch has changed already, and its number.
    let mut changed: HashMap<String, (u32, Option<Title>)> = HashMap::new();
    let mut fresh = titles.numbers() as u32;
    for change in changes {
        let Some(title) = change.title else { continue };
        if TitleId::parse(&title.id).is_err() {
            continue;
        }
        let known = match changed.get(&title.id) {
            Some((_, title)) => title.as_ref().map(|t| (t.revision, t.created_us)),
            None => titles.number(&title.id).and_then(|n| titles.fact(n)).map(|f| (f.revision, f.created_us)),
        };
        let number = changed.get(&title.id).map(|(number, _)| *number);
        let number = number.or_else(|| titles.number(&title.id));
        let stale = match known {
            Some((_, created_us)) if change.deleted => change.at_us < created_us,
            Some((revision, _)) => title.revision < revision,
            None => change.deleted && number.is_none(),
        };
        if stale {
            continue;
        }
        let number = number.unwrap_or_else(|| {
            fresh += 1;
            fresh - 1
        });
        let id = title.id.clone();
        changed.insert(id, (number, (!change.deleted).then_some(title)));
    }
    let titles = changed.into_iter().map(|(id, (number, title))| (id, number, title)).collect();
    memory.keep(Batch { titles, next, ..Batch::default() })
}
