//! Search, through its contract and the event log: what is found, and what is not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::atomic::Ordering;

use matinee_contracts::catalog::{LicenceWindow, LocalizedWords, MaturityRating, Title, TitleKind};
use matinee_contracts::search::{PersonHit, SearchRequest};
use proptest::prelude::*;
use tonic::Code;
use world::{World, ids, movie, question, viewer, with};

fn localized(language: &str, name: &str) -> LocalizedWords {
    LocalizedWords { language: language.to_owned(), name: name.to_owned(), ..LocalizedWords::default() }
}

#[tokio::test]
async fn names_are_found_as_they_are_typed_in_every_language_and_misspelt() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let amelie = Title {
        original_name: "Le Fabuleux Destin d'Amélie Poulain".to_owned(),
        original_language: "fr".to_owned(),
        localized: vec![localized("de", "Die fabelhafte Welt der Amélie"), localized("ja", "アメリ")],
        ..movie("amelie", "Amélie")
    };
    world
        .put([
            amelie,
            movie("gladiator", "Gladiator"),
            movie("spider", "Spider-Man: Homecoming"),
            movie("stardust", "Stardust"),
            Title { original_name: "千と千尋の神隠し".to_owned(), ..movie("chihiro", "Spirited Away") },
            Title { original_name: "Ёлки".to_owned(), ..movie("yolki", "Six Degrees") },
        ])
        .await;
    for (query, title) in [
        ("glad", "gladiator"),
        ("GLADIATOR", "gladiator"),
        ("galdiator", "gladiator"),
        ("gladitor", "gladiator"),
        ("gladdiator", "gladiator"),
        ("glafiatpr", "gladiator"),
        ("galdia", "gladiator"),
        ("amelie", "amelie"),
        ("Amélie", "amelie"),
        ("fabelhafte welt", "amelie"),
        ("fabuleus destin", "amelie"),
        ("アメリ", "amelie"),
        ("spiderman", "spider"),
        ("spidermn homcoming", "spider"),
        ("spider man home", "spider"),
        ("star dust", "stardust"),
        ("千尋", "chihiro"),
        ("елки", "yolki"),
    ] {
        let found = world.found(query).await;
        assert_eq!(found.first().map(String::as_str), Some(title), "{query}: {found:?}");
    }
    for nothing in ["zzzz", "xq", "gladiolus garden"] {
        assert_eq!(world.found(nothing).await, [""; 0], "{nothing}");
    }
    world.close().await;
}

#[tokio::test]
async fn an_exact_name_comes_before_a_beginning_that_before_a_slip_that_before_people_and_descriptions() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world
        .put([
            Title { description: "Nobody hears of an alien here.".to_owned(), ..movie("e-described", "Prospect") },
            Title { people: vec![with("p1", "Ada Alien")], ..movie("d-person", "Arrival") },
            movie("c-slip", "Allen"),
            movie("b-beginning", "Aliens"),
            movie("a-exact", "Alien"),
        ])
        .await;
    let reply = world.answer("alien").await;
    let expected = ["a-exact", "b-beginning", "c-slip", "d-person", "e-described"];
    assert_eq!(ids(&reply), expected);
    let matched: Vec<&str> = reply.hits.iter().map(|hit| hit.matched.as_str()).collect();
    assert_eq!(matched, ["name", "name", "name", "person", "description"]);
    assert_eq!(reply.hits[3].matched_text, "Ada Alien");
    assert_eq!((reply.total, reply.corrected.as_str()), (5, ""));
    assert!(reply.hits.windows(2).all(|two| two[0].score > two[1].score));
    world.close().await;
}

#[tokio::test]
async fn people_genres_and_what_was_meant_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let genres = vec!["science-fiction".to_owned()];
    let ada = || with("ada", "Ada Lovelace");
    world
        .put([
            Title { people: vec![ada()], genres: genres.clone(), ..movie("one", "Engines") },
            Title { people: vec![ada(), with("bob", "Bob Love")], genres, ..movie("two", "Das Mädchen") },
        ])
        .await;
    let person = |id: &str, name: &str, titles| PersonHit { person: id.to_owned(), name: name.to_owned(), titles };
    let reply = world.answer("lov").await;
    assert_eq!(reply.people, [person("bob", "Bob Love", 1), person("ada", "Ada Lovelace", 2)]);
    assert_eq!(world.answer("ada lovelase").await.people, [person("ada", "Ada Lovelace", 2)]);
    assert_eq!(world.answer("ada lovelase").await.corrected, "ada lovelace");
    let reply = world.answer("science").await;
    assert_eq!((reply.genres, reply.total), (vec!["science-fiction".to_owned()], 2));
    assert_eq!(reply.hits[0].matched, "genre");
    assert_eq!(world.answer("das medchen").await.corrected, "das mädchen");
    assert_eq!(world.answer("das madch").await.corrected, "");
    world.close().await;
}

#[tokio::test]
async fn names_are_told_in_the_viewers_language() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([Title { localized: vec![localized("de", "Das Boot")], ..movie("boat", "The Boat") }]).await;
    let mut request = question("boat");
    request.viewer.as_mut().unwrap().languages = vec!["de-AT".to_owned()];
    let hit = world.ask(request).await.unwrap().hits.remove(0);
    assert_eq!((hit.name.as_str(), hit.matched_text.as_str()), ("Das Boot", "The Boat"));
    world.close().await;
}

#[tokio::test]
async fn filters_leave_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    let series = Title {
        kind: TitleKind::Series.into(),
        version: String::new(),
        audio_languages: tags(&["de-AT"]),
        ..movie("series", "Star Series")
    };
    let episode = |id: &str, name: &str| Title {
        kind: TitleKind::Episode.into(),
        series: "series".to_owned(),
        ..movie(id, name)
    };
    world
        .put([
            Title { year: 1990, genres: tags(&["drama"]), ..movie("old", "Star Old") },
            Title {
                year: 2020,
                genres: tags(&["war", "drama"]),
                audio_languages: tags(&["fr"]),
                ..movie("new", "Star New")
            },
            Title { year: 0, ..movie("undated", "Star Undated") },
            series,
            episode("episode", "Star Episode"),
        ])
        .await;
    let ask = async |change: fn(&mut SearchRequest)| {
        let mut request = question("star");
        change(&mut request);
        let mut found = ids(&world.ask(request).await.unwrap());
        found.sort();
        found
    };
    assert_eq!(ask(|_| {}).await, ["new", "old", "series", "undated"]);
    assert_eq!(ask(|r| r.kind = "movie".to_owned()).await, ["new", "old", "undated"]);
    assert_eq!(ask(|r| r.kind = "episode".to_owned()).await, ["episode"]);
    assert_eq!(ask(|r| r.genres = vec!["war".to_owned(), "none".to_owned()]).await, ["new"]);
    assert_eq!(ask(|r| r.year_from = 2000).await, ["new", "series"]);
    assert_eq!(ask(|r| r.year_until = 2000).await, ["old", "series"]);
    assert_eq!(ask(|r| r.audio_language = "de".to_owned()).await, ["series"]);
    assert_eq!(ask(|r| r.audio_language = "de-DE".to_owned()).await, [""; 0]);
    // Everything, page by page.
    let page = async |offset| {
        let request = SearchRequest { limit: 2, offset, ..question("") };
        let reply = world.ask(request).await.unwrap();
        assert_eq!((reply.total, reply.genres.len()), (4, 2));
        ids(&reply)
    };
    assert_eq!(
        (page(0).await, page(2).await, page(4).await),
        (vec!["new".to_owned(), "series".to_owned()], vec!["old".to_owned(), "undated".to_owned()], Vec::new())
    );
    world.close().await;
}

#[tokio::test]
async fn a_licence_opens_and_closes_by_itself_where_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let window = LicenceWindow { territory: "DE".to_owned(), from_us: 3_600_000_000, until_us: 7_200_000_000 };
    world.put([Title { windows: vec![window], ..movie("film", "Sunrise") }]).await;
    let at = async |now_us: i64, territory: &str| {
        world.clock.0.store(now_us, Ordering::SeqCst);
        let request = SearchRequest { viewer: viewer(territory, 0), ..question("sunrise") };
        world.ask(request).await.unwrap().total
    };
    assert_eq!(at(3_599_999_999, "DE").await, 0);
    assert_eq!(at(3_600_000_000, "DE").await, 1);
    assert_eq!(at(3_600_000_000, "FR").await, 0);
    assert_eq!(at(7_200_000_000, "DE").await, 0);
    world.close().await;
}

#[tokio::test]
async fn only_what_is_published_is_found_and_a_series_by_its_episodes() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let series =
        || Title { kind: TitleKind::Series.into(), version: String::new(), ..movie("series", "The Lighthouse") };
    let episode = |version: &str, revision, territory: &str| {
        let window = LicenceWindow { territory: territory.to_owned(), ..LicenceWindow::default() };
        let (kind, series, version) = (TitleKind::Episode.into(), "series".to_owned(), version.to_owned());
        Title { kind, series, version, revision, windows: vec![window], ..movie("episode", "Pilot") }
    };
    world.put([Title { version: String::new(), ..movie("draft", "The Lighthouse Draft") }]).await;
    world.put([episode("", 1, "DE"), series()]).await;
    assert_eq!(world.answer("lighthouse").await.total, 0);
    world.put([episode("v1", 2, "FR")]).await;
    assert_eq!(world.answer("lighthouse").await.total, 0, "its only episode is not licensed here");
    world.put([episode("v1", 3, "DE")]).await;
    assert_eq!(world.found("lighthouse").await, ["series"]);
    world.put([episode("", 4, "DE")]).await;
    assert_eq!(world.answer("lighthouse").await.total, 0);
    world.put([episode("v2", 5, "DE")]).await;
    world.delete("episode").await;
    assert_eq!(world.answer("lighthouse").await.total, 0);
    world.close().await;
}

#[tokio::test]
async fn a_childs_profile_finds_what_is_for_its_age() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let rating = MaturityRating { territory: "DE".to_owned(), age: 6, ..MaturityRating::default() };
    world
        .put([
            Title { maturity_age: 18, ..movie("grown", "Moon Grown") },
            Title { maturity_age: 16, ratings: vec![rating], ..movie("milder", "Moon Milder") },
            movie("all", "Moon All"),
        ])
        .await;
    let limited = async |territory: &str, limit| {
        let request = SearchRequest { viewer: viewer(territory, limit), ..question("moon") };
        let mut found = ids(&world.ask(request).await.unwrap());
        found.sort();
        found
    };
    assert_eq!(limited("DE", 6).await, ["all", "milder"]);
    assert_eq!(limited("FR", 12).await, ["all"]);
    assert_eq!(limited("DE", 0).await, ["all", "grown", "milder"]);
    world.close().await;
}

#[tokio::test]
async fn what_is_not_shown_is_not_hinted_at() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("open", "Harmless")]).await;
    let questions = ["zanzibar", "zanzibra", "zan", "ada", "ada zanzibar", "noir", "the harmles", ""];
    let mut before = Vec::new();
    for query in questions {
        before.push(world.answer(query).await);
    }
    let hidden = |id: &str| Title {
        people: vec![with("ada", "Ada Zanzibar")],
        genres: vec!["noir".to_owned()],
        description: "Harmless Zanzibar".to_owned(),
        ..movie(id, "Zanzibar the Harmless")
    };
    let window = LicenceWindow { territory: "FR".to_owned(), ..LicenceWindow::default() };
    world
        .put([
            Title { windows: vec![window], ..hidden("elsewhere") },
            Title { version: String::new(), ..hidden("draft") },
            Title { maturity_age: 18, ..hidden("grown") },
        ])
        .await;
    for (query, before) in questions.into_iter().zip(before) {
        let request = SearchRequest { viewer: viewer("DE", 12), ..question(query) };
        let mut reply = world.ask(request).await.unwrap();
        for (hit, was) in reply.hits.iter_mut().zip(&before.hits) {
            hit.score = was.score;
        }
        assert_eq!(reply, before, "{query}");
    }
    world.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("film", "Film")]).await;
    let refused = async |field: &str, request: SearchRequest| {
        let status = world.ask(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(&format!("{field} is refused: ")), "{}", status.message());
    };
    refused("viewer", SearchRequest { viewer: None, ..question("x") }).await;
    refused("viewer.territory", SearchRequest { viewer: viewer("Germany", 0), ..question("x") }).await;
    refused("query", question(&"x".repeat(501))).await;
    refused("kind", SearchRequest { kind: "film".to_owned(), ..question("x") }).await;
    refused("offset", SearchRequest { offset: 1_001, ..question("x") }).await;
    refused("genres", SearchRequest { genres: vec![String::new(); 51], ..question("x") }).await;
    refused("year_until", SearchRequest { year_from: 2000, year_until: 1999, ..question("x") }).await;
    refused("audio_language", SearchRequest { audio_language: "x".repeat(36), ..question("x") }).await;
    let many = SearchRequest { limit: u32::MAX, ..question("film") };
    assert_eq!(world.ask(many).await.unwrap().total, 1);
    world.close().await;
}

#[test]
fn any_question_is_answered_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(async {
        let world = World::open(folder.path()).await;
        let names = [
            "The Last Garden",
            "Größenwahn",
            "千と千尋の神隠し",
            "ऊँट",
            "한국",
            "Ω",
            "🎬 Clapper",
            "a",
            "1984",
            "e\u{301}",
        ];
        for (n, name) in names.into_iter().enumerate() {
            world.put([Title { people: vec![with("p", name)], ..movie(&format!("t{n}"), name) }]).await;
        }
        world
    });
    let config = ProptestConfig { cases: 400, ..ProptestConfig::default() };
    proptest!(config, |(query in prop_oneof!["\\PC{0,60}", any::<String>(), "[a-zé千한ऊ ]{0,40}", "(.{0,9} ){0,80}"])| {
        match runtime.block_on(world.ask(question(&query))) {
            Ok(reply) => prop_assert!(reply.total as usize >= reply.hits.len()),
            Err(status) => {
                prop_assert!(query.chars().count() > 500, "{status:?}");
                prop_assert!(status.message().starts_with("query is refused"));
            }
        }
    });
    runtime.block_on(world.close());
}
