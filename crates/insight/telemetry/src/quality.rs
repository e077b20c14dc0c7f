//! How plays go at the moment, all of them, by territory and by network: figures for steps of time, in bounded memory.
//!
//! Two rings of steps: of ten seconds for an hour, of five minutes for a day. Heartbeats may come twice and in any order
//! (see [`Heard`]); each counts in the step of its own time. What players say with their requests to an edge is counted
//! beside them, as it comes.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use matinee_contracts::events::{Heartbeat, SegmentRequested};
use matinee_contracts::telemetry::{Beat, PlayQualityPoint, PlayQualityReply, PlayQualityRow, PlayState};

use crate::segments::Where;
use crate::sketch::Sketch;

/// The longest window, in seconds.
pub const LONGEST_WINDOW: u32 = 86_400;
const SECOND_US: i64 = 1_000_000;
/// A session of which nothing was heard for so long does not play any more.
const PLAYING_FOR_US: i64 = 30 * SECOND_US;
/// A heartbeat accounts for at most so much time since the one before: two were missed.
const LONGEST_BEAT_US: i64 = 30 * SECOND_US;
/// A session is forgotten when nothing was heard of it for so long.
const FORGOTTEN_AFTER_US: i64 = 900 * SECOND_US;
/// The most sessions that are known at once, and groups (territories and networks together).
const MOST_SESSIONS: usize = 500_000;
const MOST_GROUPS: usize = 512;
/// Rows of an answer, and points of its plot.
const MOST_ROWS: usize = 200;
const POINTS: i64 = 60;
/// Where a territory or a network is not known.
const UNKNOWN: &str = "unknown";

/// Of what figures are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// All plays.
    All,
    /// Those of a territory.
    Territory(Arc<str>),
    /// Those of a network.
    Network(Arc<str>),
}

/// By what an answer is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Not at all: one row.
    Nothing,
    /// A row a territory.
    Territory,
    /// A row a network.
    Network,
}

impl By {
    /// The name of a group of this kind.
    fn name(self, group: &Group) -> Option<&str> {
        match (self, group) {
            (Self::Nothing, Group::All) => Some(""),
            (Self::Territory, Group::Territory(name)) | (Self::Network, Group::Network(name)) => Some(name),
            _ => None,
        }
    }
}

/// What was counted.
#[derive(Debug, Clone, Default)]
struct Figures {
    // Sessions heard of in the step.
    playing: u64,
    plays: u64,
    errors: u64,
    stalled_ms: u64,
    watched_ms: u64,
    bits_times_ms: f64,
    starts: Sketch,
    // Of requests for pictures and sound.
    requests: u64,
    starved: u64,
    // Kilobits per second.
    throughput: Sketch,
    buffered_ms: Sketch,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.playing = self.playing.max(other.playing);
        self.plays += other.plays;
        self.errors += other.errors;
        self.stalled_ms += other.stalled_ms;
        self.watched_ms += other.watched_ms;
        self.bits_times_ms += other.bits_times_ms;
        self.starts.merge(&other.starts);
        self.requests += other.requests;
        self.starved += other.starved;
        self.throughput.merge(&other.throughput);
        self.buffered_ms.merge(&other.buffered_ms);
    }

    /// What a player measured of its network; 0: nothing yet.
    fn measured(&mut self, bits_per_second: u64) {
        if bits_per_second > 0 {
            self.throughput.add(u32::try_from(bits_per_second / 1000).unwrap_or(u32::MAX));
        }
    }

    fn stall_ratio(&self) -> f64 {
        // A stall may be told before the time in which it was.
        self.stalled_ms as f64 / self.watched_ms.max(self.stalled_ms).max(1) as f64
    }
}

/// Steps of time.
#[derive(Debug)]
struct Ring {
    step_us: i64,
    most: usize,
    // By the step's beginning.
    steps: BTreeMap<i64, HashMap<Group, Figures>>,
}

impl Ring {
    fn new(step_us: i64, most: usize) -> Self {
        Self { step_us, most, steps: BTreeMap::new() }
    }

    /// The step of a time; nothing where it is over.
    fn step(&mut self, at_us: i64) -> Option<&mut HashMap<Group, Figures>> {
        let begin = at_us.div_euclid(self.step_us) * self.step_us;
        let newest = self.steps.last_key_value().map_or(begin, |(newest, _)| (*newest).max(begin));
        let oldest = newest - self.step_us * self.most as i64;
        if begin <= oldest {
            return None;
        }
        self.steps = self.steps.split_off(&(oldest + 1));
        Some(self.steps.entry(begin).or_default())
    }
}

/// What was heard of a session.
#[derive(Debug, Clone)]
struct Heard {
    last_us: i64,
    // The highest number of a heartbeat, and a bit for each of the 64 up to it that was heard.
    sequence: u32,
    numbers: u64,
    state: PlayState,
    counted: bool,
    territory: Group,
    network: Group,
}

/// Where a session plays, as its first heartbeat says: nobody else's can move it.
#[derive(Debug, Clone)]
struct Placed {
    profile: u64,
    last_us: i64,
    place: Where,
}

impl Heard {
    /// Whether the heartbeat of this number is new; those of more than 64 ago are not.
    fn takes(&mut self, sequence: u32) -> bool {
        if sequence > self.sequence {
            let ahead = sequence - self.sequence;
            self.numbers = self.numbers.checked_shl(ahead).unwrap_or(0) | 1;
            self.sequence = sequence;
            return true;
        }
        let bit = 1_u64.checked_shl(self.sequence - sequence).unwrap_or(0);
        let new = bit != 0 && self.numbers & bit == 0;
        self.numbers |= bit;
        new
    }
}

/// The figures.
#[derive(Debug)]
pub struct Quality {
    fine: Ring,
    coarse: Ring,
    sessions: HashMap<u64, Heard>,
    places: HashMap<u64, Placed>,
    // When each was heard of last.
    groups: HashMap<Group, i64>,
    tidied_us: i64,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            fine: Ring::new(10 * SECOND_US, 361),
            coarse: Ring::new(300 * SECOND_US, 289),
            sessions: HashMap::new(),
            places: HashMap::new(),
            groups: HashMap::new(),
            tidied_us: i64::MIN,
        }
    }
}

fn hash(words: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

fn name(text: &str) -> Arc<str> {
    (if text.is_empty() { UNKNOWN } else { text }).into()
}

impl Quality {
    /// Takes a heartbeat.
    pub fn take(&mut self, heartbeat: &Heartbeat) {
        let Some(beat) = &heartbeat.beat else { return };
        self.see(heartbeat, beat);
        let first = Heard {
            last_us: beat.at_us,
            sequence: beat.sequence,
            numbers: 0,
            state: PlayState::Unspecified,
            counted: false,
            territory: Group::Territory(name(&heartbeat.territory)),
            network: Group::Network(name(&heartbeat.network)),
        };
        let key = hash((&heartbeat.profile, &beat.session));
        let new = !self.sessions.contains_key(&key);
        let heard = self.sessions.entry(key).or_insert(first);
        if !heard.takes(beat.sequence) {
            return;
        }
        let counted = count(heard, beat);
        let (territory, network) = (heard.territory.clone(), heard.network.clone());
        // A session counts once as heard of in a step.
        let before = heard.last_us.div_euclid(self.fine.step_us);
        let heard_again = !new && before >= beat.at_us.div_euclid(self.fine.step_us);
        if beat.at_us >= heard.last_us {
            heard.last_us = beat.at_us;
            heard.state = beat.state();
        }
        for group in [Group::All, territory, network] {
            self.add(group, beat.at_us, &counted, u64::from(!heard_again));
        }
        self.tidy(beat.at_us);
    }

    /// Takes what a player said with a request for a piece of picture or sound.
    pub fn hear(&mut self, requested: &SegmentRequested) {
        let Some(request) = requested.request.as_ref() else { return };
        if !matches!(request.object.as_str(), "audio" | "video" | "muxed") {
            return;
        }
        let mut counted = Figures { requests: 1, starved: u64::from(request.starved), ..Figures::default() };
        counted.measured(request.throughput_bits_per_second);
        if let Some(buffer_ms) = request.buffer_ms {
            counted.buffered_ms.add(buffer_ms);
        }
        let mut groups = vec![Group::All];
        if !requested.territory.is_empty() {
            groups.push(Group::Territory(name(&requested.territory)));
        }
        if !requested.network.is_empty() {
            groups.push(Group::Network(name(&requested.network)));
        }
        for group in groups {
            self.add(group, request.at_us.min(requested.received_us), &counted, 0);
        }
    }

    /// Where a session plays, as far as its heartbeats said so.
    #[must_use]
    pub fn place(&self, session: &str) -> Where {
        self.places.get(&hash(session)).map(|placed| placed.place.clone()).unwrap_or_default()
    }

    fn see(&mut self, heartbeat: &Heartbeat, beat: &Beat) {
        let profile = hash(&heartbeat.profile);
        let place = Where { territory: heartbeat.territory.clone(), network: heartbeat.network.clone() };
        let placed =
            self.places.entry(hash(beat.session.as_str())).or_insert(Placed { profile, last_us: beat.at_us, place });
        if placed.profile == profile {
            placed.last_us = placed.last_us.max(beat.at_us);
        }
    }

    fn add(&mut self, group: Group, at_us: i64, counted: &Figures, session: u64) {
        let mut playing = 0;
        if let Some(step) = self.fine.step(at_us) {
            let figures = step.entry(group.clone()).or_default();
            figures.add(counted);
            figures.playing += session;
            playing = figures.playing;
        }
        if let Some(step) = self.coarse.step(at_us) {
            let figures = step.entry(group.clone()).or_default();
            figures.add(counted);
            figures.playing = figures.playing.max(playing);
        }
        if group == Group::All {
            return;
        }
        let latest = self.groups.entry(group).or_insert(at_us);
        *latest = (*latest).max(at_us);
        if self.groups.len() > MOST_GROUPS {
            let oldest = self.groups.iter().min_by_key(|(group, at_us)| (**at_us, (*group).clone()));
            if let Some(group) = oldest.map(|(group, _)| group.clone()) {
                self.groups.remove(&group);
                for step in self.fine.steps.values_mut().chain(self.coarse.steps.values_mut()) {
                    step.remove(&group);
                }
            }
        }
    }

    fn tidy(&mut self, at_us: i64) {
        let due = at_us.saturating_sub(self.tidied_us) > 60 * SECOND_US;
        if !due && self.sessions.len().max(self.places.len()) <= MOST_SESSIONS {
            return;
        }
        self.tidied_us = self.tidied_us.max(at_us);
        let since = self.tidied_us - FORGOTTEN_AFTER_US;
        self.sessions.retain(|_, heard| heard.last_us >= since);
        self.places.retain(|_, placed| placed.last_us >= since);
        if self.places.len() > MOST_SESSIONS {
            // Those who play say it again within ten seconds.
            self.places.clear();
        }
        if self.sessions.len() > MOST_SESSIONS {
            let mut times: Vec<i64> = self.sessions.values().map(|heard| heard.last_us).collect();
            let tenth = times.len() / 10;
            let (_, until, _) = times.select_nth_unstable(tenth);
            let until = *until;
            let mut left = tenth + 1;
            self.sessions.retain(|_, heard| {
                let goes = heard.last_us <= until && left > 0;
                left -= usize::from(goes);
                !goes
            });
        }
    }

    /// The figures of the last `window_seconds`.
    #[must_use]
    pub fn answer(&self, now_us: i64, window_seconds: u32, by: By) -> PlayQualityReply {
        let window_us = i64::from(window_seconds) * SECOND_US;
        let ring = if window_us <= self.fine.step_us * (self.fine.most as i64 - 1) { &self.fine } else { &self.coarse };
        // Steps that began within the window, or one that the window begins in.
        let first = (now_us - window_us).div_euclid(ring.step_us) * ring.step_us;
        let mut groups: HashMap<&Group, Figures> = HashMap::new();
        let width = ((window_us / POINTS).max(ring.step_us) + ring.step_us - 1).div_euclid(ring.step_us) * ring.step_us;
        let mut points: BTreeMap<i64, Figures> = BTreeMap::new();
        for (begin, step) in ring.steps.range(first..=now_us) {
            for (group, figures) in step {
                if by.name(group).is_some() {
                    groups.entry(group).or_default().add(figures);
                }
            }
            if let Some(all) = step.get(&Group::All) {
                points.entry(begin.div_euclid(width) * width).or_default().add(all);
            }
        }
        let mut playing: HashMap<&Group, u64> = HashMap::new();
        let recent = self.sessions.values().filter(|heard| heard.state != PlayState::Ended);
        for heard in recent.filter(|heard| heard.last_us >= now_us - PLAYING_FOR_US) {
            for group in [&Group::All, &heard.territory, &heard.network] {
                if by.name(group).is_some() {
                    *playing.entry(group).or_default() += 1;
                }
            }
        }
        if by == By::Nothing {
            groups.entry(&Group::All).or_default();
        }
        let row = |(group, figures): (&Group, Figures)| PlayQualityRow {
            group: by.name(group).unwrap_or_default().to_owned(),
            playing: playing.get(group).copied().unwrap_or(0),
            plays: figures.plays,
            start_p50_ms: figures.starts.quantile(0.5),
            start_p95_ms: figures.starts.quantile(0.95),
            stall_ratio: figures.stall_ratio(),
            mean_bits_per_second: figures.bits_times_ms / figures.watched_ms.max(1) as f64,
            errors: figures.errors,
            requests: figures.requests,
            throughput_p50_bits_per_second: figures.throughput.quantile(0.5) * 1000.0,
            buffer_p50_ms: figures.buffered_ms.quantile(0.5),
            starved_ratio: figures.starved as f64 / figures.requests.max(1) as f64,
        };
        let mut rows: Vec<PlayQualityRow> = groups.into_iter().map(row).collect();
        rows.sort_by(|a, b| (b.playing, b.plays, &a.group).cmp(&(a.playing, a.plays, &b.group)));
        rows.truncate(MOST_ROWS);
        let point = |(at_us, figures): (i64, Figures)| PlayQualityPoint {
            at_us,
            playing: figures.playing,
            start_p95_ms: figures.starts.quantile(0.95),
            stall_ratio: figures.stall_ratio(),
            errors: figures.errors,
        };
        PlayQualityReply { rows, points: points.into_iter().map(point).collect() }
    }
}

/// What a heartbeat adds.
fn count(heard: &mut Heard, beat: &Beat) -> Figures {
    let quality = beat.quality.clone().unwrap_or_default();
    let mut figures = Figures::default();
    // A session that is heard of in its middle was begun before anybody listened.
    let begins = quality.start_ms > 0 || beat.sequence <= 1;
    if begins && !heard.counted {
        heard.counted = true;
        figures.plays = 1;
        if quality.start_ms > 0 {
            figures.starts.add(quality.start_ms);
        }
    }
    let watches = matches!(heard.state, PlayState::Playing | PlayState::Stalled);
    let since_us = beat.at_us.saturating_sub(heard.last_us).clamp(0, LONGEST_BEAT_US);
    if watches {
        figures.watched_ms = (since_us / 1000) as u64;
        figures.bits_times_ms = f64::from(quality.bits_per_second) * figures.watched_ms as f64;
    }
    // No more than the time that could have been stalled.
    figures.stalled_ms = u64::from(quality.stalled_ms).min((LONGEST_BEAT_US / 1000) as u64);
    figures.errors = u64::from(!quality.error.is_empty());
    figures.measured(quality.throughput_bits_per_second);
    figures
}

#[cfg(test)]
mod tests;
