//! The rows of a home: which there are, what is in them, and in which order for this profile.
//!
//! Facts stand as they are ("continue", "top", "list"). The others prefer what no row above them shows, and leave out
//! what the profile finished or does not like; where that leaves few, they show a title again rather than nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::memory::{InUse, Memory};
use crate::popular::Ranking;
use crate::profile::{Reached, Record, Thumb};
use crate::taste::Taste;
use crate::titles::{Allowed, Titles};

/// Titles of the top row.
const TOP: usize = 10;
/// Rows of "because you watched".
const BECAUSE: usize = 2;
/// Rows of genres.
const GENRES: usize = 4;
/// Titles that a row shows again rather than being shorter.
const SHORT: usize = 8;
/// Titles of a row by which it is judged for its place.
const JUDGED: usize = 5;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As in the contract.
    pub kind: &'static str,
    /// What it is of, or empty.
    pub of: String,
    /// Shown titles, by number.
    pub titles: Vec<u32>,
}

impl Row {
    /// Its name among the rows.
    #[must_use]
    pub fn id(&self) -> String {
        if self.of.is_empty() { self.kind.to_owned() } else { format!("{}/{}", self.kind, self.of) }
    }
}

/// What a profile had to do with a shown title.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// How much it is interested; below 0 where it said no.
    pub interest: f32,
    /// When it had to do with it last.
    pub latest_us: i64,
    /// When it last finished it or an episode of it.
    pub finished_us: Option<i64>,
    /// When it last liked it.
    pub liked_us: Option<i64>,
    /// Whether it said no.
    pub down: bool,
}

/// All that the rows are made of.
pub struct View<'a> {
    /// The titles.
    pub titles: &'a Titles,
    /// Those that may be shown.
    pub allowed: &'a Allowed,
    /// The profile's record.
    pub record: &'a Record,
    /// In this territory.
    pub here: Arc<Ranking>,
    /// In all.
    pub everywhere: Arc<Ranking>,
    /// Whose neighbours are asked for.
    pub memory: &'a Memory,
    /// Titles like one, the most alike first (see [`crate::taste::alike`]).
    pub alike: &'a (dyn Fn(u32) -> Arc<Vec<u32>> + Sync),
    /// The model, if there is one.
    pub model: Option<Arc<InUse>>,
    /// The profile's factors in the model, where it watched what the model knows.
    pub vector: Option<Arc<Vec<f32>>>,
    /// Of the request.
    pub territory: &'a str,
    /// In microseconds since 1970.
    pub now_us: i64,
}

/// What a profile had to do with each shown title.
#[must_use]
pub fn seen(titles: &Titles, record: &Record) -> HashMap<u32, Seen> {
    let mut seen: HashMap<u32, Seen> = HashMap::new();
    for entry in record.entries().iter().filter(|entry| titles.fact(entry.title).is_some()) {
        let its = seen.entry(titles.shown(entry.title)).or_default();
        its.latest_us = its.latest_us.max(entry.latest_us());
        its.finished_us = its.finished_us.max(entry.finished_us());
        match entry.thumb() {
            Thumb::Down => its.down = true,
            Thumb::Up | Thumb::Love => its.liked_us = its.liked_us.max(Some(entry.said_us())),
            Thumb::None => {}
        }
        its.interest = its.interest.max(crate::profile::interest(entry.farthest(), entry.thumb()).unwrap_or(0.0));
    }
    for its in seen.values_mut().filter(|its| its.down) {
        its.interest = -0.5;
    }
    seen
}

/// The titles that a profile would go on with, the latest first, as they are shown.
fn continued(view: &View) -> Vec<u32> {
    let mut latest: HashMap<u32, (i64, u32, Reached)> = HashMap::new();
    for entry in view.record.entries().iter().filter(|entry| entry.watched_us() > 0) {
        let this = (entry.watched_us(), entry.title, entry.reached());
        let known = latest.entry(view.titles.shown(entry.title)).or_insert(this);
        *known = (*known).max(this);
    }
    let goes_on = |(_, title, reached): &(i64, u32, Reached)| match reached {
        Reached::Glanced => false,
        Reached::Begun => view.allowed.has(*title),
        Reached::Finished => next_episode(view, *title).is_some(),
    };
    let mut found: Vec<(i64, u32)> =
        latest.into_iter().filter(|(_, last)| goes_on(last)).map(|(shown, last)| (last.0, shown)).collect();
    found.retain(|(_, shown)| view.allowed.has(*shown));
    found.sort_unstable_by_key(|(at_us, shown)| (std::cmp::Reverse(*at_us), *shown));
    found.into_iter().map(|(_, shown)| shown).collect()
}

/// The episode that comes after one and may be watched.
fn next_episode(view: &View, episode: u32) -> Option<u32> {
    let its = view.titles.episodes(view.titles.shown(episode));
    let after = its.iter().position(|other| *other == episode)? + 1;
    its[after..].iter().copied().find(|next| view.allowed.has(*next))
}

fn listed(view: &View) -> Vec<u32> {
    let listed = view.record.entries().iter();
    let mut listed: Vec<(i64, u32)> = listed.filter_map(|entry| Some((entry.listed_us()?, entry.title))).collect();
    listed.sort_unstable_by_key(|(at_us, title)| (std::cmp::Reverse(*at_us), *title));
    let mut once = HashSet::new();
    let shown = listed.into_iter().map(|(_, title)| view.titles.shown(title));
    shown.filter(|title| view.allowed.has(*title) && once.insert(*title)).collect()
}

/// The ten most watched here; where that is fewer, those of everywhere fill it.
fn top(view: &View) -> Vec<u32> {
    let mut once = HashSet::new();
    let ranked = view.here.top.iter().chain(&view.everywhere.top).map(|(title, _)| *title);
    ranked.filter(|title| view.allowed.shows(*title) && once.insert(*title)).take(TOP).collect()
}

/// What a profile finished and what it said no to, by number: asked of every title of a catalogue.
struct Marks {
    done: Vec<bool>,
    down: Vec<bool>,
}

impl Marks {
    fn of(seen: &HashMap<u32, Seen>, numbers: usize) -> Self {
        let mut marks = Self { done: vec![false; numbers], down: vec![false; numbers] };
        for (title, its) in seen {
            marks.done[*title as usize] = its.finished_us.is_some();
            marks.down[*title as usize] = its.down;
        }
        marks
    }
}

/// At most `rows` rows of at most `most` titles.
#[must_use]
pub fn home(view: &View, rows: usize, most: usize) -> Vec<Row> {
    let seen = seen(view.titles, view.record);
    let taste = Taste::of(view, &seen);
    let marks = Marks::of(&seen, view.titles.numbers());
    let done = |title: &u32| marks.done[*title as usize];
    let fits = |title: &u32| view.allowed.shows(*title) && !marks.down[*title as usize];
    let discovery = |title: &u32| fits(title) && !done(title);

    let row = |kind: &'static str, of: &str, titles: Vec<u32>| Row { kind, of: of.to_owned(), titles };
    let mut head = vec![row("continue", "", continued(view))];
    let mut rest = Vec::new();
    for (n, seed) in seeds(view, &seen).into_iter().enumerate() {
        let id = view.titles.fact(seed).map_or("", |fact| &*fact.id);
        let like: Vec<u32> = (view.alike)(seed).iter().copied().filter(discovery).take(most * 3).collect();
        let because = row("because", id, like);
        if n == 0 { head.push(because) } else { rest.push(because) }
    }
    if let Some(taste) = &taste {
        head.push(row("for-you", "", taste.best(most * 3, discovery)));
    }
    head.push(row("top", view.territory, top(view)));
    head.push(row("list", "", listed(view)));
    let trending = if view.here.trending.is_empty() { &view.everywhere.trending } else { &view.here.trending };
    rest.push(row("trending", "", trending.iter().copied().filter(discovery).collect()));
    let unfinished_first = |titles: Vec<u32>| -> Vec<u32> {
        let (finished, unfinished): (Vec<u32>, Vec<u32>) = titles.into_iter().partition(done);
        unfinished.into_iter().chain(finished).collect()
    };
    let newest = view.titles.newest.iter().copied().filter(fits).take(most * 3).collect();
    rest.push(row("new", "", unfinished_first(newest)));
    for genre in genres(view, taste.as_ref()) {
        let fitting = view.titles.of_genre(genre).iter().copied().filter(fits);
        let best = match &taste {
            Some(taste) => taste.sorted(fitting, most * 3),
            None => fitting.take(most * 3).collect(),
        };
        rest.push(row("genre", &view.titles.genres.names()[genre as usize], unfinished_first(best)));
    }
    if let Some(taste) = &taste {
        // What this profile likes more comes first.
        rest.sort_by_cached_key(|row| std::cmp::Reverse(ordered(taste.mean(row.titles.iter().take(JUDGED)))));
    }
    head.append(&mut rest);
    without_repetition(head, rows, most)
}

/// A float as an integer of the same order.
fn ordered(value: f32) -> i64 {
    (f64::from(value) * 1e9) as i64
}

fn without_repetition(all: Vec<Row>, rows: usize, most: usize) -> Vec<Row> {
    let mut above: HashSet<u32> = HashSet::new();
    let mut kept = Vec::new();
    for mut row in all {
        if !matches!(row.kind, "continue" | "top" | "list") {
            let (again, fresh): (Vec<u32>, Vec<u32>) = row.titles.iter().partition(|title| above.contains(title));
            let missing = SHORT.min(most).saturating_sub(fresh.len());
            row.titles = fresh;
            row.titles.extend(again.into_iter().take(missing));
        }
        row.titles.truncate(most);
        if row.titles.is_empty() {
            continue;
        }
        above.extend(&row.titles);
        kept.push(row);
        if kept.len() == rows {
            break;
        }
    }
    kept
}

/// What "because you watched" is said of: what was finished or liked last.
fn seeds(view: &View, seen: &HashMap<u32, Seen>) -> Vec<u32> {
    let reason = |(title, its): (&u32, &Seen)| {
        let at_us = its.finished_us.max(its.liked_us)?;
        (!its.down && view.allowed.has(*title)).then_some((at_us, *title))
    };
    let mut seeds: Vec<(i64, u32)> = seen.iter().filter_map(reason).collect();
    seeds.sort_unstable_by_key(|(at_us, title)| (std::cmp::Reverse(*at_us), *title));
    seeds.into_iter().take(BECAUSE).map(|(_, title)| title).collect()
}

/// The genres of which rows are shown: those that the profile likes, or the largest.
fn genres(view: &View, taste: Option<&Taste>) -> Vec<u32> {
    let names = view.titles.genres.names().iter();
    let mut ranked: Vec<(i64, usize, &str, u32)> = (0..)
        .zip(names)
        .map(|(genre, name)| {
            let liked = taste.map_or(0.0, |taste| taste.genre(genre));
            (ordered(liked), view.titles.of_genre(genre).len(), &**name, genre)
        })
        .collect();
    ranked.retain(|(liked, count, ..)| *liked >= 0 && *count > 0);
    ranked.sort_unstable_by(|a, b| (b.0, b.1, a.2).cmp(&(a.0, a.1, b.2)));
    ranked.into_iter().take(GENRES).map(|(.., genre)| genre).collect()
}
