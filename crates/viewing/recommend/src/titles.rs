//! What rows need to know of titles, all of it in memory: what may be shown to whom, what belongs to what, what is new.
//!
//! A title has a number here that it keeps for good. A *shown* title is a movie or a series; an episode is shown as its
//! series. A series may be shown where one of its episodes may be watched.

use std::collections::HashMap;
use std::sync::Arc;

use matinee_contracts::catalog::{Title, TitleKind};
use matinee_model::licence::{LicenceWindow, Licensed, licensed};
use matinee_model::territory::{Reach, Territory};

use crate::words::Words;

/// Who looks, as far as it decides what may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Audience {
    /// Where.
    pub territory: Territory,
    /// Titles for older people are hidden; 0: none are.
    pub maturity_limit: u32,
}

/// A title's facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Its number.
    pub number: u32,
    /// Its id.
    pub id: Arc<str>,
    /// What it is.
    pub kind: TitleKind,
    /// The id of an episode's series.
    pub series: Option<Arc<str>>,
    /// An episode's place: season, episode.
    pub place: (u32, u32),
    /// Slugs.
    pub genres: Vec<Arc<str>>,
    /// The ids of those who are named first.
    pub people: Vec<Arc<str>>,
    /// Whether a version of it plays.
    pub published: bool,
    /// Since when, in microseconds since 1970.
    pub published_us: i64,
    /// Since when it is in the catalogue.
    pub created_us: i64,
    /// Microseconds of a film.
    pub duration_us: u64,
    /// From which age on.
    pub maturity_age: u32,
    /// The same where a territory says otherwise.
    pub ages: Vec<(Territory, u32)>,
    /// Where and when it may be watched.
    pub windows: Vec<LicenceWindow>,
    /// Rises with each change.
    pub revision: u64,
}

/// People of a title that make it like another.
const PEOPLE: usize = 6;

impl Fact {
    /// Of the catalogue's title. A window or a rating that can't be read is as if it were not for anybody.
    #[must_use]
    pub fn of(number: u32, title: &Title) -> Self {
        let window = |w: &matinee_contracts::catalog::LicenceWindow| {
            let open = |reach| LicenceWindow {
                reach,
                from_us: w.from_us,
                until_us: Some(w.until_us).filter(|until| *until > 0),
            };
            // One that can't be read opens for no one; it is kept, closed, so that the title is not open to all.
            let closed = LicenceWindow { reach: Reach::Everywhere, from_us: i64::MIN, until_us: Some(i64::MIN) };
            Reach::parse(&w.territory).map_or(closed, open)
        };
        let rating =
            |r: &matinee_contracts::catalog::MaturityRating| Some((Territory::parse(&r.territory).ok()?, r.age));
        let kind = match title.kind() {
            TitleKind::Unspecified => TitleKind::Movie,
            kind => kind,
        };
        Self {
            number,
            id: title.id.as_str().into(),
            kind,
            series: (kind == TitleKind::Episode && !title.series.is_empty()).then(|| title.series.as_str().into()),
            place: (title.season, title.episode),
            genres: title.genres.iter().map(|genre| genre.as_str().into()).collect(),
            people: title.people.iter().take(PEOPLE).map(|credit| credit.person.as_str().into()).collect(),
            published: !title.version.is_empty(),
            published_us: title.published_us,
            created_us: title.created_us,
            duration_us: title.duration_us,
            maturity_age: title.maturity_age,
            ages: title.ratings.iter().filter_map(rating).collect(),
            windows: title.windows.iter().map(window).collect(),
            revision: title.revision,
        }
    }

    fn within(&self, audience: &Audience, now_us: i64) -> bool {
        let here = self.ages.iter().find(|(territory, _)| *territory == audience.territory);
        let age = here.map_or(self.maturity_age, |(_, age)| *age);
        (audience.maturity_limit == 0 || age <= audience.maturity_limit)
            && matches!(licensed(&self.windows, audience.territory, now_us), Licensed::Until(_))
    }
}

/// Which titles may be shown to an audience, until when that holds.
#[derive(Debug)]
pub struct Allowed {
    // By number.
    flags: Vec<bool>,
    // The same of movies and series only.
    shown: Vec<bool>,
    /// Until some window opens or closes, in microseconds since 1970.
    pub until_us: i64,
}

impl Allowed {
    /// Whether a title may be shown (a series or a movie) or watched (an episode).
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        self.flags.get(number as usize).copied().unwrap_or(false)
    }

    /// Whether a title may stand in a row: a movie or a series that may be shown.
    #[must_use]
    pub fn shows(&self, number: u32) -> bool {
        self.shown.get(number as usize).copied().unwrap_or(false)
    }
}

/// All titles at one moment.
#[derive(Debug, Default)]
pub struct Titles {
    facts: Vec<Option<Arc<Fact>>>,
    numbers: HashMap<Arc<str>, u32>,
    // By series, in their order.
    episodes: HashMap<u32, Vec<u32>>,
    /// Shown titles, the newest first.
    pub newest: Vec<u32>,
    /// Each title's genres.
    pub genres: Words,
    people: Words,
    // Shown titles by genre, the newest first.
    by_genre: Vec<Vec<u32>>,
    // Of the shown title of each number: its own, or its series'.
    shown: Vec<u32>,
}

impl Titles {
    /// Of these facts, each at its number.
    #[must_use]
    pub fn of(facts: Vec<Option<Arc<Fact>>>) -> Self {
        let numbers: HashMap<Arc<str>, u32> =
            facts.iter().flatten().map(|fact| (Arc::clone(&fact.id), fact.number)).collect();
        let series_of = |fact: &Fact| {
            let number = *numbers.get(fact.series.as_ref()?)?;
            let series = facts.get(number as usize)?.as_ref()?;
            (series.kind == TitleKind::Series).then_some(number)
        };
        let mut shown: Vec<u32> = (0..facts.len() as u32).collect();
        let mut episodes: HashMap<u32, Vec<u32>> = HashMap::new();
        for fact in facts.iter().flatten() {
            if let Some(series) = series_of(fact) {
                shown[fact.number as usize] = series;
                episodes.entry(series).or_default().push(fact.number);
            }
        }
        let fact = |number: &u32| facts.get(*number as usize).and_then(Option::as_ref);
        for its in episodes.values_mut() {
            its.sort_by_key(|number| (fact(number).map(|f| f.place), *number));
        }
        let since = |number: &u32| {
            let its = episodes.get(number).into_iter().flatten().filter_map(fact);
            let newest = its.filter(|f| f.published).map(|f| f.published_us).max();
            newest.unwrap_or_else(|| fact(number).map_or(0, |f| f.published_us))
        };
        let stands = |f: &&Arc<Fact>| f.kind != TitleKind::Episode;
        let mut newest: Vec<u32> = facts.iter().flatten().filter(stands).map(|f| f.number).collect();
        newest.sort_by_cached_key(|number| (std::cmp::Reverse(since(number)), *number));
        let words =
            |of: fn(&Fact) -> &[Arc<str>]| Words::of(facts.iter().map(|fact| fact.as_deref().map_or(&[][..], of)));
        let (genres, people) = (words(|fact| &fact.genres), words(|fact| &fact.people));
        let mut by_genre = vec![Vec::new(); genres.names().len()];
        for title in &newest {
            genres.title(*title).iter().for_each(|genre| by_genre[*genre as usize].push(*title));
        }
        Self { facts, numbers, episodes, newest, genres, people, by_genre, shown }
    }

    /// Numbers that were given; higher than any title's.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.facts.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// A title's facts.
    #[must_use]
    pub fn fact(&self, number: u32) -> Option<&Arc<Fact>> {
        self.facts.get(number as usize)?.as_ref()
    }

    /// A title's number.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The movie or series as which a title is shown.
    #[must_use]
    pub fn shown(&self, number: u32) -> u32 {
        self.shown.get(number as usize).copied().unwrap_or(number)
    }

    /// A series' episodes, in their order.
    #[must_use]
    pub fn episodes(&self, series: u32) -> &[u32] {
        self.episodes.get(&series).map_or(&[], Vec::as_slice)
    }

    /// The facts by number, to be changed and made titles again.
    #[must_use]
    pub fn facts(&self) -> Vec<Option<Arc<Fact>>> {
        self.facts.clone()
    }

    /// Which titles an audience may be shown now.
    #[must_use]
    pub fn allowed(&self, audience: &Audience, now_us: i64) -> Allowed {
        let mut flags = vec![false; self.facts.len()];
        let mut until_us = i64::MAX;
        for fact in self.facts.iter().flatten() {
            for window in fact.windows.iter().filter(|w| w.reach.covers(audience.territory)) {
                let edges = [Some(window.from_us), window.until_us].into_iter().flatten();
                until_us = edges.filter(|edge| *edge > now_us).fold(until_us, i64::min);
            }
            flags[fact.number as usize] =
                fact.kind != TitleKind::Series && fact.published && fact.within(audience, now_us);
        }
        for (series, its) in &self.episodes {
            let one = its.iter().any(|number| flags[*number as usize]);
            flags[*series as usize] = one && self.fact(*series).is_some_and(|f| f.within(audience, now_us));
        }
        // An episode is no more open than its series.
        for (series, its) in &self.episodes {
            if !flags[*series as usize] {
                its.iter().for_each(|number| flags[*number as usize] = false);
            }
        }
        let mut shown = flags.clone();
        for fact in self.facts.iter().flatten().filter(|fact| fact.kind == TitleKind::Episode) {
            shown[fact.number as usize] = false;
        }
        Allowed { flags, shown, until_us }
    }

    /// Shown titles of a genre, by its number, the newest first.
    #[must_use]
    pub fn of_genre(&self, genre: u32) -> &[u32] {
        self.by_genre.get(genre as usize).map_or(&[], Vec::as_slice)
    }

    /// How alike two shown titles are by what is said of them: 0 to 1.
    #[must_use]
    pub fn alike(&self, a: u32, b: u32) -> f32 {
        0.6 * self.genres.shared(a, b) + 0.4 * self.people.shared(a, b)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use matinee_contracts::catalog as contract;

    use super::*;

    /// Titles of the catalogue, numbered as they stand.
    pub fn titles(of: &[Title]) -> Titles {
        Titles::of(of.iter().enumerate().map(|(n, title)| Some(Arc::new(Fact::of(n as u32, title)))).collect())
    }

    pub fn movie(id: &str) -> Title {
        Title { id: id.to_owned(), version: "v1".to_owned(), duration_us: 6_000_000_000, ..Title::default() }
    }

    fn episode(id: &str, episode: u32) -> Title {
        let (series, kind) = ("show".to_owned(), TitleKind::Episode.into());
        Title { series, kind, season: 1, episode, published_us: i64::from(episode), ..movie(id) }
    }

    fn series() -> Title {
        Title { id: "show".to_owned(), kind: TitleKind::Series.into(), ..Title::default() }
    }

    fn here(maturity_limit: u32) -> Audience {
        Audience { territory: Territory::parse("DE").unwrap(), maturity_limit }
    }

    #[test]
    fn a_series_shows_where_an_episode_plays_and_an_episode_is_shown_as_its_series() {
        let unpublished = Title { version: String::new(), ..episode("e2", 2) };
        let with = titles(&[episode("e3", 3), series(), unpublished.clone(), episode("e1", 1), movie("film")]);
        let allowed = with.allowed(&here(0), 0);
        let shows = |id: &str| allowed.has(with.number(id).unwrap());
        assert!(shows("show") && shows("e1") && shows("e3") && shows("film") && !shows("e2"));
        assert_eq!(with.shown(with.number("e1").unwrap()), with.number("show").unwrap());
        assert_eq!(with.episodes(1), [3, 2, 0]);
        assert_eq!(with.newest, [1, 4]);
        let without = titles(&[series(), unpublished]);
        assert!(!without.allowed(&here(0), 0).has(0));
    }

    #[test]
    fn what_may_be_shown_holds_until_the_next_window() {
        let window = |territory: &str, from_us, until_us| contract::LicenceWindow {
            territory: territory.to_owned(),
            from_us,
            until_us,
        };
        let all = titles(&[
            Title { windows: vec![window("DE", 10, 20)], ..movie("a") },
            Title { windows: vec![window("FR", 5, 0)], ..movie("b") },
            Title { windows: vec![window("?", 5, 0)], ..movie("c") },
            Title { maturity_age: 16, ..movie("d") },
        ]);
        let at = |now, limit| {
            let allowed = all.allowed(&here(limit), now);
            ((0..4).map(|n| allowed.has(n)).collect::<Vec<_>>(), allowed.until_us)
        };
        assert_eq!(at(0, 0), (vec![false, false, false, true], 10));
        assert_eq!(at(10, 0), (vec![true, false, false, true], 20));
        assert_eq!(at(20, 12), (vec![false; 4], i64::MAX));
    }

    #[test]
    fn titles_of_one_genre_and_its_people_are_alike() {
        let genres =
            |id: &str, of: &[&str]| Title { genres: of.iter().map(|g| (*g).to_owned()).collect(), ..movie(id) };
        let all = titles(&[genres("a", &["drama", "war"]), genres("b", &["drama"]), genres("c", &["comedy"])]);
        assert!(all.alike(0, 1) > all.alike(0, 2));
        assert_eq!(all.alike(0, 2), 0.0);
    }
}
