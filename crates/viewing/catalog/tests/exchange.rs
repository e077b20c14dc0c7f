//! Whole catalogues, in and out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use matinee_catalog::exchange::{Field, Format, What, csv, json};
use matinee_contracts::catalog::{
    Credit, LicenceWindow, ListPeopleRequest, ListTitlesRequest, LocalizedWords, MaturityRating, Title, TitleKind,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use tonic::Code;

use self::world::{World, episode, film, refused, said, series, whole, world};

async fn all(world: &World) -> Vec<Title> {
    world.client.clone().list_titles(ListTitlesRequest::default()).await.unwrap().into_inner().titles
}

async fn filled() -> World {
    let world = world().await;
    world.person("ada", "Ada Lovelace").await.unwrap();
    world.put(whole("kite")).await.unwrap();
    world.put(series("show")).await.unwrap();
    world.put(episode("show", 0, 1)).await.unwrap();
    world.put(Title { name: "-2+3, 'quoted' \"\r\n😀".replace("\r\n", " "), ..film("odd") }).await.unwrap();
    world.publish("kite", "v1").await.unwrap();
    world
}

#[tokio::test]
async fn what_is_exported_is_imported_elsewhere_as_it_was() {
    let from = filled().await;
    for format in ["json", "csv"] {
        let file = from.export(format).await;
        let reply = from.import(format, file.clone()).await;
        assert_eq!((reply.added, reply.changed, reply.unchanged, reply.problems), (0, 0, 4, Vec::new()), "{format}");
        let into = world().await;
        let reply = into.import(format, file).await;
        assert_eq!((reply.added, reply.problems), (4, Vec::new()), "{format}");
        let plain = |titles: Vec<Title>| titles.into_iter().map(said).collect::<Vec<_>>();
        assert_eq!(plain(all(&into).await), plain(all(&from).await), "{format}");
        let people = into.client.clone().list_people(ListPeopleRequest::default()).await.unwrap().into_inner().people;
        assert_eq!(people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["Ada Lovelace"], "{format}");
    }
}

#[tokio::test]
async fn a_table_says_what_its_columns_say_and_leaves_the_rest() {
    let world = filled().await;
    let before = world.get("kite").await.unwrap();
    let table =
        "id,name,windows\nkite,Kites,\nnew,New,DE;2026-01-01T00:00:00Z;|FR;2026-01-01T00:00:00Z;2027-01-01T00:00:00Z\n";
    let reply = world.import("csv", table).await;
    assert_eq!((reply.added, reply.changed, reply.problems), (1, 1, Vec::new()));
    let after = world.get("kite").await.unwrap();
    assert_eq!((after.name.as_str(), after.windows.len()), ("Kites", 0));
    assert_eq!((after.people, after.version), (before.people, before.version));
    assert_eq!(world.get("new").await.unwrap().windows.len(), 2);
}

#[tokio::test]
async fn all_of_a_file_is_taken_or_none_with_what_is_wrong_by_line() {
    let world = world().await;
    let table = "id,kind,name,series,season,episode,year\n\
        a,movie,A,,,,1999\n\
        B!,movie,B,,,,\n\
        c,film,C,,,,\n\
        d,movie,\"D\nin two lines\",,,,\n\
        e,episode,E,show,1,1,\n\
        f,movie,F,,,,12\n\
        a,movie,A again,,,,\n\
        g,movie,G\n";
    let reply = world.import("csv", table).await;
    let problems: Vec<_> = reply.problems.iter().map(|p| (p.line, p.field.as_str())).collect();
    assert_eq!(problems, [(4, "kind"), (10, "")], "what can't be read is told first");
    let table = table.replace("c,film", "c,movie").replace("g,movie,G\n", "");
    let reply = world.import("csv", table).await;
    let problems: Vec<_> = reply.problems.iter().map(|p| (p.line, p.field.as_str())).collect();
    assert_eq!(problems, [(3, "id"), (5, "name"), (7, "series"), (8, "year"), (9, "id")]);
    assert_eq!((reply.added, reply.changed, reply.unchanged), (0, 0, 0));
    assert_eq!(all(&world).await, []);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_keeps_nothing() {
    let world = world().await;
    world.put(film("a")).await.unwrap();
    let table = "id,name\na,Other\nb,B\n";
    let reply = world.try_import("csv", table, true).await.unwrap();
    assert_eq!((reply.added, reply.changed, reply.problems), (1, 1, Vec::new()));
    assert_eq!(all(&world).await.iter().map(|title| title.name.as_str()).collect::<Vec<_>>(), ["The a"]);
    let reply = world.import("csv", table).await;
    assert_eq!((reply.added, reply.changed), (1, 1));
    assert_eq!(world.import("csv", table).await.unchanged, 2);
}

#[tokio::test]
async fn an_episode_may_stand_before_its_series() {
    let world = world().await;
    let file = r#"{"title": {"id": "show-1", "kind": "episode", "name": "One", "series": "show", "season": 1, "episode": 1}}
        {"title": {"id": "show", "kind": "series", "name": "Show"}}"#;
    let reply = world.import("json", file).await;
    assert_eq!((reply.added, reply.problems), (2, Vec::new()));
}

#[tokio::test]
async fn json_problems_are_named() {
    let world = world().await;
    for (file, line, field) in [
        ("[\n{\"title\": {\"id\": \"a\", \"name\": 7}}]", 2, "name"),
        ("[\n{\"title\": {\"id\": \"a\", \"nam\": \"x\"}}]", 2, "nam"),
        (
            "{\"title\": {\"id\": \"a\", \"name\": \"x\", \"windows\": [{\"territory\": \"DE\", \"from\": \"soon\"}]}}",
            1,
            "windows",
        ),
        ("{\"title\": {\"id\": \"a\", \"name\": \"x\", \"people\": [{\"nam\": \"x\"}]}}", 1, "people"),
        ("{\"title\": 5}", 1, "title"),
        ("{\"person\": {\"id\": \"a\", \"name\": \"\"}}", 1, "name"),
        ("{\"film\": {}}", 1, "film"),
        ("\n\n{", 3, ""),
        ("7", 1, ""),
    ] {
        let reply = world.import("json", file).await;
        let told: Vec<_> = reply.problems.iter().map(|p| (p.line, p.field.as_str())).collect();
        assert_eq!(told, [(line, field)], "{file}: {:?}", reply.problems);
    }
}

#[tokio::test]
async fn files_are_bounded_and_formats_known() {
    let world = world().await;
    refused(world.try_import("xml", "", false).await, "format");
    refused(world.try_import("csv", vec![b'a'; (32 << 20) + 1], false).await, "body");
    let request = matinee_contracts::catalog::ExportRequest { format: "tmdb".to_owned() };
    let status = world.client.clone().export(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let many: String = (0..300).map(|i| format!("!{i},x\n")).collect();
    let reply = world.import("csv", format!("id,name\n{many}")).await;
    assert_eq!(reply.problems.len(), 100, "more problems are not told at once");
}

const FILM: &str = r#"{"adult": false, "id": 603, "imdb_id": "tt0133093", "title": "The Matrix", "original_title": "The Matrix",
 "overview": "Set in the 22nd century.", "release_date": "1999-03-31", "runtime": 136, "original_language": "en",
 "genres": [{"id": 28, "name": "Action"}, {"id": 878, "name": "Science Fiction"}],
 "credits": {"cast": [
    {"id": 2975, "name": "Laurence Fishburne", "character": "Morpheus", "order": 1},
    {"id": 6384, "name": "Keanu Reeves", "character": "Thomas A. Anderson / Neo", "order": 0}],
  "crew": [{"id": 9340, "name": "Lana Wachowski", "job": "Director"}, {"id": 9340, "name": "Lana Wachowski", "job": "Writer"},
    {"id": 9340, "name": "Lana Wachowski", "job": "Screenplay"}, {"id": 1, "name": "A Driver", "job": "Driver"}]},
 "release_dates": {"results": [
    {"iso_3166_1": "US", "release_dates": [{"certification": "", "type": 1}, {"certification": "R", "type": 3}]},
    {"iso_3166_1": "DE", "release_dates": [{"certification": "16", "type": 3}]}]},
 "translations": {"translations": [
    {"iso_3166_1": "DE", "iso_639_1": "de", "data": {"title": "Matrix", "overview": "Im 22. Jahrhundert."}},
    {"iso_3166_1": "BR", "iso_639_1": "pt", "data": {"title": "", "overview": ""}}]}}"#;

#[tokio::test]
async fn a_film_of_the_movie_database_is_taken_whole() {
    let world = world().await;
    let reply = world.import("tmdb", FILM).await;
    assert_eq!((reply.added, reply.problems), (1, Vec::new()));
    let title = world.get("tmdb-603").await.unwrap();
    assert_eq!((title.name.as_str(), title.year, title.maturity_age), ("The Matrix", 1999, 17));
    assert_eq!(title.genres, ["action", "science-fiction"]);
    let people: Vec<_> = title.people.iter().map(|c| (c.person.as_str(), c.job.as_str())).collect();
    let expected = [("tmdb-9340", "director"), ("tmdb-9340", "writer"), ("tmdb-6384", "cast"), ("tmdb-2975", "cast")];
    assert_eq!(people, expected);
    let ratings: Vec<_> = title.ratings.iter().map(|r| (r.territory.as_str(), r.system.as_str(), r.age)).collect();
    assert_eq!(ratings, [("US", "MPA", 17), ("DE", "FSK", 16)]);
    assert_eq!(
        title.localized.iter().map(|w| (w.language.as_str(), w.name.as_str())).collect::<Vec<_>>(),
        [("de", "Matrix")]
    );
    assert_eq!(world.import("tmdb", FILM).await.unchanged, 1);

    // What the database does not know of stays.
    let windows = vec![LicenceWindow { territory: "DE".to_owned(), from_us: 1, until_us: 2 }];
    world.put(Title { windows: windows.clone(), revision: 0, ..title }).await.unwrap();
    let line = r#"{"adult":false,"id":603,"original_title":"The Matrix Reborn","popularity":2.4,"video":false}"#;
    assert_eq!(world.import("tmdb", line).await.changed, 1);
    let after = world.get("tmdb-603").await.unwrap();
    assert_eq!((after.windows, after.maturity_age, after.people.len()), (windows, 17, 4));
}

#[tokio::test]
async fn a_series_of_the_movie_database_brings_its_episodes() {
    let world = world().await;
    let show = r#"[{"id": 1396, "name": "Breaking Bad", "original_name": "Breaking Bad", "first_air_date": "2008-01-20",
        "genres": [{"id": 18, "name": "Drama"}], "created_by": [{"id": 66633, "name": "Vince Gilligan"}],
        "content_ratings": {"results": [{"iso_3166_1": "US", "rating": "TV-MA"}]},
        "season/1": {"season_number": 1, "episodes": [
            {"id": 62085, "name": "Pilot", "episode_number": 1, "season_number": 1, "overview": "x", "air_date": "2008-01-20"},
            {"id": 62086, "name": "", "episode_number": 2, "season_number": 1}]}},
        {"id": 17419, "name": "Bryan Cranston", "birthday": "1956-03-07", "biography": "An actor.", "known_for_department": "Acting"}]"#;
    let reply = world.import("tmdb", show).await;
    assert_eq!((reply.added, reply.problems), (3, Vec::new()));
    let second = world.get("tmdb-tv-1396-s1e2").await.unwrap();
    assert_eq!((second.kind(), second.name.as_str(), second.maturity_age), (TitleKind::Episode, "1×02", 17));
    assert_eq!(second.series, "tmdb-tv-1396");
    let reply = world
        .import(
            "tmdb",
            show.replace(
                "1396, \"name\": \"Breaking Bad\", \"original_name\": \"Breaking Bad\"",
                "7, \"original_name\": \"\"",
            ),
        )
        .await;
    assert_eq!(reply.problems[0].field, "name");
}

#[tokio::test]
async fn a_thousand_lines_are_one_transaction() {
    let world = world().await;
    let lines: String =
        (0..1_000).map(|i| format!("{{\"adult\":false,\"id\":{i},\"original_title\":\"Film {i}\"}}\n")).collect();
    assert_eq!(world.import("tmdb", lines.clone()).await.added, 1_000);
    let broken = lines.replace("\"Film 999\"", "\"\"").replace("\"Film 5\"", "\"Film five\"");
    let reply = world.import("tmdb", broken).await;
    assert_eq!(reply.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [1_000]);
    assert_eq!(world.get("tmdb-5").await.unwrap().name, "Film 5");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[-=+@'|;\\\\,\"\n\r a]{0,6}", Just(String::new())]
}

fn title() -> impl Strategy<Value = Title> {
    let credit = [text(), text(), text(), text()].prop_map(|[person, name, job, character]| Credit {
        person,
        name,
        job,
        character,
    });
    let rating = (text(), text(), text(), any::<u32>()).prop_map(|(territory, system, label, age)| MaturityRating {
        territory,
        system,
        label,
        age,
    });
    let words = [text(), text(), text()].prop_map(|[language, name, description]| LocalizedWords {
        language,
        name,
        description,
    });
    let until = prop_oneof![Just(0), 1..253_370_764_800_000_000_i64];
    let window = (text(), 0..253_370_764_800_000_000_i64, until)
        .prop_map(|(territory, from_us, until_us)| LicenceWindow { territory, from_us, until_us });
    let lists = (vec(credit, 0..3), vec(rating, 0..3), vec(words, 0..3), vec(window, 0..3), vec("[a-z|;]{1,4}", 0..3));
    let texts = [text(), text(), text(), text(), text(), text(), text()];
    (texts, lists, any::<[u32; 2]>(), any::<[u64; 3]>(), 1..4).prop_map(
        |(
            [id, name, description, credits, license, original_name, original_language],
            (people, ratings, localized, windows, genres),
            [year, maturity_age],
            [intro_start_us, intro_end_us, credits_start_us],
            kind,
        )| Title {
            id,
            name,
            description,
            credits,
            license,
            original_name,
            original_language,
            people,
            ratings,
            localized,
            windows,
            audio_languages: genres.clone(),
            genres,
            year,
            maturity_age,
            intro_start_us,
            intro_end_us,
            credits_start_us,
            kind,
            ..Title::default()
        },
    )
}

proptest! {
    #[test]
    fn a_table_holds_any_title(titles in vec(title(), 1..4)) {
        let mut writer = csv::Writer::new();
        titles.iter().for_each(|title| writer.title(title));
        let read = csv::read(&writer.done()).unwrap();
        let read: Vec<_> = read.into_iter().map(|entry| match entry.what {
            What::Title(patch) => { assert_eq!(patch.fields.len(), Field::ALL.len()); patch.over(None) }
            What::Person(person) => panic!("{person:?}"),
        }).collect();
        prop_assert_eq!(read, titles);
    }

    #[test]
    fn json_holds_any_title(titles in vec(title(), 1..4)) {
        let mut writer = json::Writer::new();
        titles.iter().for_each(|title| writer.title(title));
        let read = json::read(&writer.done()).unwrap();
        let read: Vec<_> = read.into_iter().map(|entry| match entry.what {
            What::Title(patch) => patch.over(None),
            What::Person(person) => panic!("{person:?}"),
        }).collect();
        prop_assert_eq!(read, titles);
    }

    #[test]
    fn no_bytes_break_a_reader(body in vec(any::<u8>(), 0..400), at in 0..3_usize) {
        let _ = [Format::Csv, Format::Json, Format::Tmdb][at].read(&body);
    }

    #[test]
    fn no_damage_to_a_film_breaks_its_reader(at in 0..FILM.len(), with in any::<u8>(), length in 0..20_usize) {
        let mut body = FILM.as_bytes().to_vec();
        let end = (at + length).min(body.len());
        body.splice(at..end, [with]);
        let _ = Format::Tmdb.read(&body);
        let _ = Format::Json.read(&body);
    }

    #[test]
    fn no_table_breaks_its_reader(
        head in vec("[a-z_]{0,12}|id|people|windows|year|name", 0..4),
        rows in vec(vec("[-=|;\\\\\"a0-9TZ:]{0,24}", 0..4), 0..4),
    ) {
        let table: Vec<String> = std::iter::once(head.join(",")).chain(rows.iter().map(|row| row.join(","))).collect();
        let _ = Format::Csv.read(table.join("\n").as_bytes());
    }
}
