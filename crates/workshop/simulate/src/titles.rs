//! A catalogue: movies, series and their episodes, with names in several languages, people, genres, licences and ages.

use std::collections::HashSet;

use matinee_contracts::catalog::{Credit, LicenceWindow, LocalizedWords, Title, TitleKind};

use crate::chance::Chance;
use crate::words::{ADJECTIVES, BEGINNINGS, ENDS, FIRST, GENRES, MIDDLES, MORE, NOUNS, TERRITORIES};

/// Languages of names, in the order of the words' columns.
const LANGUAGES: [&str; 5] = ["en", "de", "fr", "es", "it"];
/// Episodes of a series.
const EPISODES: usize = 4;
/// In a hundred titles, those that begin a series.
const SERIES: u32 = 3;
/// When the first of them was published: 2024-01-01.
const EPOCH_US: i64 = 1_704_067_200_000_000;
const HOUR_US: i64 = 3_600_000_000;
const YEAR_US: i64 = 365 * 24 * HOUR_US;

/// `count` titles, no two movies or series with the same name; all of them published.
///
/// Most may be watched everywhere and by all; some only somewhere, from or until some time, or from some age on.
#[must_use]
pub fn titles(seed: u64, count: usize) -> Vec<Title> {
    let mut chance = Chance::new(seed);
    let people: Vec<Credit> = (0..(count / 3).max(20)).map(|n| person(&mut chance, n)).collect();
    let (mut titles, mut taken) = (Vec::with_capacity(count), HashSet::new());
    while titles.len() < count {
        let names = loop {
            let names = names(&mut chance);
            if taken.insert(names.own.to_lowercase()) {
                break names;
            }
        };
        let number = titles.len();
        let mut title = title(&mut chance, number, names, &people);
        if chance.in_hundred(SERIES) && count - titles.len() > EPISODES {
            title.kind = TitleKind::Series.into();
            title.version.clear();
            title.duration_us = 0;
            let series = title.clone();
            titles.push(title);
            titles.extend((1..=EPISODES).map(|n| episode(&mut chance, number + n, n as u32, &series)));
        } else {
            titles.push(title);
        }
    }
    titles
}

/// The names of one title.
struct Names {
    own: String,
    // In the original's language, where that is not English.
    original: Option<(usize, String)>,
    localized: Vec<(usize, String)>,
}

fn person(chance: &mut Chance, number: usize) -> Credit {
    let name = format!("{} {}", chance.of(FIRST), proper(chance));
    Credit { person: format!("p{number:06}"), name, job: String::new(), character: String::new() }
}

/// A surname or a place.
fn proper(chance: &mut Chance) -> String {
    format!("{}{}{}", chance.of(BEGINNINGS), chance.of(MIDDLES), chance.of(ENDS))
}

fn names(chance: &mut Chance) -> Names {
    if chance.in_hundred(45) {
        return translated(chance);
    }
    let own = english(chance);
    Names { own, original: None, localized: Vec::new() }
}

/// A name that is known in other languages too.
fn translated(chance: &mut Chance) -> Names {
    let (noun, other, adjective) = (chance.of(NOUNS), chance.of(NOUNS), chance.of(ADJECTIVES));
    let (place, first) = (proper(chance), *chance.of(FIRST));
    let shape = chance.below(7);
    let sequel = if chance.in_hundred(8) { format!(" {}", 2 + chance.below(4)) } else { String::new() };
    let say = |l: usize| {
        let of = ["of", "von", "de", "de", "di"][l];
        let and = ["and", "und", "et", "y", "e"][l];
        let within = ["in", "in", "à", "en", "a"][l];
        let described = |noun: &str| match l {
            0 | 1 => format!("{} {noun}", adjective[l]),
            _ => format!("{noun} {}", adjective[l]),
        };
        let name = match shape {
            0 => format!("{} {of} {place}", noun[l]),
            1 => format!("{} {and} {}", noun[l], other[l]),
            2 => format!("{} {within} {place}", described(noun[l])),
            3 => format!("{first} {and} {}", described(noun[l])),
            4 => format!("{} {of} {first} {place}", noun[l]),
            5 => format!("{place}: {}", described(noun[l])),
            _ => format!("{} {of} {}", described(noun[l]), other[l]),
        };
        name + &sequel
    };
    let original = if chance.in_hundred(60) { Some(1 + chance.below(4)) } else { None };
    let mut localized: Vec<(usize, String)> = Vec::new();
    for l in 1..LANGUAGES.len() {
        if Some(l) != original && chance.in_hundred(40) {
            localized.push((l, say(l)));
        }
    }
    Names { own: say(0), original: original.map(|l| (l, say(l))), localized }
}

fn english(chance: &mut Chance) -> String {
    let noun = |chance: &mut Chance| {
        if chance.in_hundred(70) { *chance.of(MORE) } else { chance.of(NOUNS)[0] }
    };
    let name = match chance.below(12) {
        0 => format!("The {} {}", chance.of(ADJECTIVES)[0], noun(chance)),
        1 => format!("The {} of {}", noun(chance), proper(chance)),
        2 => format!("{} {}", proper(chance), noun(chance)),
        3 => proper(chance),
        4 => format!("{}'s {}", chance.of(FIRST), noun(chance)),
        5 => format!("{} {}", chance.of(FIRST), proper(chance)),
        6 => format!("A {} in {}", noun(chance), proper(chance)),
        7 => format!("{} and the {} {}", chance.of(FIRST), chance.of(ADJECTIVES)[0], noun(chance)),
        8 => format!("{} {}", chance.of(ADJECTIVES)[0], noun(chance)),
        9 => format!("The {}'s {}", noun(chance), noun(chance)),
        10 => format!("{}: {} of the {}", proper(chance), noun(chance), noun(chance)),
        _ => format!("Return to {}", proper(chance)),
    };
    if chance.in_hundred(6) { format!("{name} {}", 2 + chance.below(4)) } else { name }
}

fn title(chance: &mut Chance, number: usize, names: Names, people: &[Credit]) -> Title {
    let age = *chance.of(&[0, 0, 0, 6, 6, 12, 12, 12, 16, 18]);
    let mut cast: Vec<Credit> = Vec::new();
    for n in 0..3 + chance.below(8) {
        let mut credit = people[chance.popular(people.len())].clone();
        if cast.iter().all(|one| one.person != credit.person) {
            credit.job = if n == 0 { "director" } else { "cast" }.to_owned();
            cast.push(credit);
        }
    }
    let mut genres: Vec<String> = Vec::new();
    for _ in 0..1 + chance.below(3) {
        let genre = GENRES[chance.popular(GENRES.len())].to_owned();
        if !genres.contains(&genre) {
            genres.push(genre);
        }
    }
    let (original_language, original_name) =
        names.original.map_or_else(|| ("en".to_owned(), String::new()), |(l, name)| (LANGUAGES[l].to_owned(), name));
    let localized = names.localized.into_iter().map(|(l, name)| LocalizedWords {
        language: LANGUAGES[l].to_owned(),
        name,
        description: String::new(),
    });
    Title {
        id: format!("t{number:06}"),
        description: description(chance, &cast),
        version: format!("v{number}"),
        published_us: EPOCH_US + number as i64 * HOUR_US,
        created_us: EPOCH_US,
        revision: 1,
        duration_us: (40 + chance.below(120)) as u64 * 60_000_000,
        kind: TitleKind::Movie.into(),
        year: 2026 - chance.popular(95) as u32,
        genres,
        people: cast,
        maturity_age: age,
        audio_languages: audio(chance, &original_language),
        original_language,
        original_name,
        localized: localized.collect(),
        windows: windows(chance),
        name: names.own,
        ..Title::default()
    }
}

fn audio(chance: &mut Chance, original: &str) -> Vec<String> {
    let mut languages = vec![original.to_owned()];
    if original != "en" && chance.in_hundred(60) {
        languages.push("en".to_owned());
    }
    languages
}

fn description(chance: &mut Chance, cast: &[Credit]) -> String {
    let (hero, place) = (*chance.of(FIRST), proper(chance));
    let nouns: Vec<String> = (0..4).map(|_| chance.of(MORE).to_lowercase()).collect();
    let with = cast.last().map_or("", |credit| credit.name.as_str());
    format!(
        "In {place}, {hero} comes upon a {} that everybody thought was gone. With the {} on one side and a {} on the \
         other, there is one {} left. With {with}.",
        nouns[0], nouns[1], nouns[2], nouns[3]
    )
}

fn windows(chance: &mut Chance) -> Vec<LicenceWindow> {
    if chance.in_hundred(70) {
        return Vec::new();
    }
    let mut windows = Vec::new();
    for _ in 0..1 + chance.below(3) {
        let territory = if chance.in_hundred(30) { "*" } else { chance.of(TERRITORIES) };
        let from_us = EPOCH_US + chance.below(4) as i64 * YEAR_US;
        let until_us = if chance.in_hundred(50) { 0 } else { from_us + 2 * YEAR_US };
        windows.push(LicenceWindow { territory: territory.to_owned(), from_us, until_us });
    }
    windows
}

fn episode(chance: &mut Chance, number: usize, episode: u32, series: &Title) -> Title {
    let id = format!("t{number:06}");
    Title {
        version: format!("v{number}"),
        duration_us: (20 + chance.below(40)) as u64 * 60_000_000,
        kind: TitleKind::Episode.into(),
        series: series.id.clone(),
        season: 1,
        episode,
        name: english(chance),
        original_name: String::new(),
        localized: Vec::new(),
        id,
        ..series.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_catalogue_and_its_names_are_its_own() {
        let made = titles(7, 2_000);
        assert_eq!(made, titles(7, 2_000));
        assert_ne!(made, titles(8, 2_000));
        assert_eq!(made.len(), 2_000);
        let shown: Vec<&Title> = made.iter().filter(|title| title.kind() != TitleKind::Episode).collect();
        let names: HashSet<String> = shown.iter().map(|title| title.name.to_lowercase()).collect();
        assert_eq!(names.len(), shown.len());
        let ids: HashSet<&str> = made.iter().map(|title| title.id.as_str()).collect();
        assert_eq!(ids.len(), made.len());
        for series in made.iter().filter(|title| title.kind() == TitleKind::Series) {
            assert_eq!(made.iter().filter(|title| title.series == series.id).count(), EPISODES);
        }
    }
}
