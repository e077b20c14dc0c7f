//! What a profile would like: the model, who finished what together, and what is said of titles, weighed together.

use std::collections::HashMap;

use crate::als::evaluate::first;
use crate::memory::InUse;
use crate::popular::Ranking;
use crate::rows::{Seen, View};
use crate::titles::Titles;
use crate::together::Together;

/// The latest titles by which a profile is judged.
const LATEST: usize = 30;
/// In which what was watched comes to say half as much.
const HALF_US: f64 = 60.0 * 24.0 * 3_600_000_000.0;
/// How much each says. The model's scores are about 0 to 1; the others are made so.
const MODEL: f32 = 1.0;
const TOGETHER: f32 = 0.3;
const GENRE: f32 = 0.15;
const POPULAR: f32 = 0.05;
/// How much is said by genres and people, of two titles.
const WORDS: f32 = 0.5;
/// Titles that are like one by the model, and the newest, which are compared with any.
const ALIKE: usize = 200;
/// Most titles that are compared word by word.
const COMPARED: usize = 2000;
/// Most titles that are said to be like one: of them, a viewer may not be shown some.
const NEAREST: usize = 600;

/// A profile's taste.
pub struct Taste {
    // By title's number.
    scores: Vec<f32>,
    // By genre's number.
    genres: Vec<f32>,
}

impl Taste {
    /// Of what it has seen; nothing where it showed no interest in anything yet.
    #[must_use]
    pub fn of(view: &View, seen: &HashMap<u32, Seen>) -> Option<Self> {
        let mut latest: Vec<(u32, &Seen)> = seen.iter().map(|(title, its)| (*title, its)).collect();
        latest.retain(|(_, its)| its.interest != 0.0);
        if !latest.iter().any(|(_, its)| its.interest > 0.0) {
            return None;
        }
        latest.sort_unstable_by_key(|(title, its)| (std::cmp::Reverse(its.latest_us), *title));
        latest.truncate(LATEST);
        let mut scores = vec![0.0_f32; view.titles.numbers()];
        add_model(view, &mut scores);
        let mut genres = vec![0.0_f32; view.titles.genres.names().len()];
        let together = view.memory.together();
        for (title, its) in latest {
            let age = (view.now_us - its.latest_us).max(0) as f64;
            let says = its.interest * (-age / HALF_US).exp2() as f32;
            for (other, alike) in together.alike(title, view.now_us) {
                if let Some(score) = scores.get_mut(other as usize) {
                    *score += TOGETHER * says * alike;
                }
            }
            let its_genres = view.titles.genres.title(title);
            for genre in its_genres {
                genres[*genre as usize] += says / (its_genres.len() as f32).sqrt();
            }
        }
        drop(together);
        let most = genres.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        genres.iter_mut().for_each(|liked| *liked /= most);
        for (title, score) in scores.iter_mut().enumerate() {
            let its_genres = view.titles.genres.title(title as u32);
            let liked: f32 = its_genres.iter().map(|genre| genres[*genre as usize]).sum();
            *score += GENRE * liked / (its_genres.len().max(1) as f32).sqrt();
        }
        add_popular(view, &mut scores);
        Some(Self { scores, genres })
    }

    /// How much a genre is liked: at most 1, below 0 where it is not.
    #[must_use]
    pub fn genre(&self, genre: u32) -> f32 {
        self.genres.get(genre as usize).copied().unwrap_or(0.0)
    }

    /// The best titles of all that fit.
    #[must_use]
    pub fn best(&self, most: usize, fits: impl Fn(&u32) -> bool) -> Vec<u32> {
        let score = |(n, score): (usize, &f32)| if fits(&(n as u32)) { *score } else { f32::NEG_INFINITY };
        first(&self.scores.iter().enumerate().map(score).collect::<Vec<f32>>(), most)
    }

    /// The best of these.
    #[must_use]
    pub fn sorted(&self, titles: impl Iterator<Item = u32>, most: usize) -> Vec<u32> {
        let titles: Vec<u32> = titles.collect();
        let scores: Vec<f32> = titles.iter().map(|title| self.score(*title)).collect();
        first(&scores, most).into_iter().map(|place| titles[place as usize]).collect()
    }

    /// The mean score of these titles.
    #[must_use]
    pub fn mean<'t>(&self, titles: impl Iterator<Item = &'t u32>) -> f32 {
        let (sum, count) = titles.fold((0.0, 0.0), |(sum, count), title| (sum + self.score(*title), count + 1.0_f32));
        sum / count.max(1.0)
    }

    fn score(&self, title: u32) -> f32 {
        self.scores.get(title as usize).copied().unwrap_or(0.0)
    }
}

fn add_model(view: &View, scores: &mut [f32]) {
    let (Some(model), Some(vector)) = (&view.model, &view.vector) else { return };
    let mut by_row = Vec::new();
    model.model.fold.items().scores(vector, &mut by_row);
    for (number, value) in model.numbers().iter().zip(by_row) {
        let number = number.map(|number| view.titles.shown(number) as usize);
        if let Some(score) = number.and_then(|number| scores.get_mut(number)) {
            *score += MODEL * value;
        }
    }
}

fn add_popular(view: &View, scores: &mut [f32]) {
    for ranking in [&view.here, &view.everywhere] {
        for (score, share) in scores.iter_mut().zip(ranking.shares()) {
            *score += POPULAR * share;
        }
    }
}

/// The shown titles that are most like one, whoever may be shown them: by the model, by who finished both, by what is
/// said of them; where all that is silent, those that are watched and new.
#[must_use]
pub fn alike(
    titles: &Titles,
    together: &Together,
    model: Option<&InUse>,
    watched: &Ranking,
    to: u32,
    now_us: i64,
) -> Vec<u32> {
    let mut scores: HashMap<u32, f32> = HashMap::new();
    if let Some((used, row)) = model.and_then(|used| Some((used, used.row(to)?))) {
        let items = used.model.fold.items();
        let size = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        let (its, mut products) = (items.row(row as usize), Vec::new());
        items.scores(its, &mut products);
        let own = size(its);
        for (n, product) in products.iter_mut().enumerate() {
            *product /= own * size(items.row(n));
        }
        for near in first(&products, ALIKE + 1) {
            if let Some(number) = used.numbers().get(near as usize).copied().flatten() {
                *scores.entry(titles.shown(number)).or_default() += MODEL * products[near as usize];
            }
        }
    }
    for (other, alike) in together.alike(to, now_us) {
        *scores.entry(other).or_default() += alike;
    }
    let candidates = titles.genres.title(to).iter().flat_map(|genre| titles.of_genre(*genre));
    for other in candidates.take(COMPARED).chain(titles.newest.iter().take(ALIKE)) {
        scores.entry(*other).or_default();
    }
    scores.remove(&to);
    let share = |title: u32| watched.shares().get(title as usize).copied().unwrap_or(0.0);
    let mut ranked: Vec<(f32, f32, u32)> = scores
        .into_iter()
        .map(|(other, score)| (score + WORDS * titles.alike(to, other), share(other), other))
        .collect();
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.cmp(&a.2)));
    ranked.truncate(NEAREST);
    ranked.into_iter().map(|(_, _, other)| other).collect()
}
