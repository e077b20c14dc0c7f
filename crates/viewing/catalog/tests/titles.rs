//! What is said about titles: every field, its bounds, and who may change it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use matinee_contracts::catalog::{
    Credit, GetPersonRequest, LicenceWindow, ListGenresRequest, ListPeopleRequest, ListTitlesRequest, LocalizedWords,
    MaturityRating, Person, PutPersonRequest, SetWindowsRequest, Title, TitleKind,
};
use tonic::Code;

use self::world::{episode, film, refused, said, series, whole, world};

#[tokio::test]
async fn everything_that_is_said_is_kept_and_saying_it_again_changes_nothing() {
    let world = world().await;
    world.person("ada", "Ada Lovelace").await.unwrap();
    let kept = world.put(whole("kite")).await.unwrap();
    assert_eq!(said(kept.clone()), said(whole("kite")));
    assert_eq!(world.put(whole("kite")).await.unwrap(), kept);
    assert_eq!(world.put(kept.clone()).await.unwrap(), kept, "what was read is taken as it is");
    assert_eq!(world.get("kite").await.unwrap(), kept);
    let less = Title { windows: Vec::new(), ..kept };
    assert_eq!(world.put(less).await.unwrap().windows, []);
}

#[tokio::test]
async fn every_field_has_its_bounds_and_names_itself() {
    let world = world().await;
    let credit = |person: &str, name: &str, job: &str| Credit {
        person: person.to_owned(),
        name: name.to_owned(),
        job: job.to_owned(),
        character: String::new(),
    };
    let rating = |territory: &str, system: &str, label: &str, age| MaturityRating {
        territory: territory.to_owned(),
        system: system.to_owned(),
        label: label.to_owned(),
        age,
    };
    let words = |language: &str, name: &str| LocalizedWords {
        language: language.to_owned(),
        name: name.to_owned(),
        description: String::new(),
    };
    let window =
        |territory: &str, from_us, until_us| LicenceWindow { territory: territory.to_owned(), from_us, until_us };
    let texts = |text: &str, count: usize| vec![text.to_owned(); count];
    let people: Vec<Credit> = (0..201).map(|i| credit("", &format!("N{i}"), "cast")).collect();
    for (field, title) in [
        ("kind", Title { kind: 77, ..film("a") }),
        ("series", Title { series: "b".to_owned(), ..film("a") }),
        ("season", Title { season: 1, ..film("a") }),
        ("series", Title { kind: TitleKind::Episode.into(), episode: 1, ..film("a") }),
        ("series", Title { id: "a".to_owned(), ..episode("../etc", 1, 1) }),
        ("season", Title { season: u32::MAX, ..episode("show", 1, 1) }),
        ("episode", Title { id: "a".to_owned(), ..episode("show", 1, 0) }),
        ("series", Title { id: "show".to_owned(), ..episode("show", 1, 1) }),
        ("original_name", Title { original_name: "x".repeat(201), ..film("a") }),
        ("original_name", Title { original_name: "a\u{202e}b".to_owned(), ..film("a") }),
        ("year", Title { year: 1869, ..film("a") }),
        ("year", Title { year: u32::MAX, ..film("a") }),
        ("genres", Title { genres: texts("drama", 11), ..film("a") }),
        ("genres[0]", Title { genres: texts("Sci Fi", 1), ..film("a") }),
        ("genres[0]", Title { genres: texts("'; DROP TABLE title; --", 1), ..film("a") }),
        ("people", Title { people, ..film("a") }),
        ("people[0].person", Title { people: vec![credit("A/..", "x", "cast")], ..film("a") }),
        ("people[0].person", Title { people: vec![credit("nobody", "x", "cast")], ..film("a") }),
        ("people[1].name", Title { people: vec![credit("", "x", "cast"), credit("", "", "cast")], ..film("a") }),
        ("people[0].job", Title { people: vec![credit("", "x", "")], ..film("a") }),
        ("people[0].job", Title { people: vec![credit("", "x", "a\nb")], ..film("a") }),
        ("maturity_age", Title { maturity_age: 22, ..film("a") }),
        ("ratings[0].territory", Title { ratings: vec![rating("DEU", "FSK", "12", 12)], ..film("a") }),
        ("ratings[0].system", Title { ratings: vec![rating("DE", "", "12", 12)], ..film("a") }),
        ("ratings[0].label", Title { ratings: vec![rating("DE", "FSK", "\0", 12)], ..film("a") }),
        ("ratings[0].age", Title { ratings: vec![rating("DE", "FSK", "12", 99)], ..film("a") }),
        (
            "ratings[1].system",
            Title { ratings: vec![rating("DE", "FSK", "12", 12), rating("de", "FSK", "16", 16)], ..film("a") },
        ),
        ("original_language", Title { original_language: "english!".to_owned(), ..film("a") }),
        ("audio_languages[1]", Title { audio_languages: vec!["en".to_owned(), "e".to_owned()], ..film("a") }),
        ("subtitle_languages", Title { subtitle_languages: texts("en", 101), ..film("a") }),
        ("localized[0].language", Title { localized: vec![words("en_US", "x")], ..film("a") }),
        ("localized[0].name", Title { localized: vec![words("en", "")], ..film("a") }),
        ("localized[1].language", Title { localized: vec![words("en", "x"), words("EN", "y")], ..film("a") }),
        ("windows[0].territory", Title { windows: vec![window("XYZ", 1, 2)], ..film("a") }),
        ("windows[0].from_us", Title { windows: vec![window("DE", -1, 2)], ..film("a") }),
        ("windows[0].until_us", Title { windows: vec![window("DE", 2, 2)], ..film("a") }),
        ("windows[0].until_us", Title { windows: vec![window("DE", 2, i64::MAX)], ..film("a") }),
        ("windows", Title { windows: vec![window("DE", 2, 3); 1001], ..film("a") }),
        ("intro_end_us", Title { intro_start_us: 9, intro_end_us: 3, ..film("a") }),
        ("credits_start_us", Title { intro_end_us: 9, credits_start_us: 3, ..film("a") }),
        (
            "title",
            Title {
                localized: (0..60)
                    .map(|i| LocalizedWords {
                        language: format!("en-x-{i}"),
                        name: "x".to_owned(),
                        description: "y".repeat(5_000),
                    })
                    .collect(),
                ..film("a")
            },
        ),
    ] {
        refused(world.put(title).await, field);
    }
    assert_eq!(world.get("a").await.unwrap_err().code(), Code::NotFound, "nothing of it was kept");
}

#[tokio::test]
async fn licence_windows_are_set_by_who_saw_the_title_as_it_is() {
    let world = world().await;
    let title = world.put(film("kite")).await.unwrap();
    let set = |revision, windows| {
        let request = SetWindowsRequest { title: "kite".to_owned(), revision, windows };
        let mut client = world.client.clone();
        async move { client.set_windows(request).await.map(tonic::Response::into_inner) }
    };
    let window = |from_us, until_us| LicenceWindow { territory: "de".to_owned(), from_us, until_us };
    let overlapping = vec![window(10, 30), window(20, 0)];
    let after = set(title.revision, overlapping.clone()).await.unwrap();
    assert_eq!((after.revision, after.windows.len()), (2, 2));
    assert_eq!(after.windows[0].territory, "DE");
    assert_eq!(set(0, overlapping).await.unwrap(), after, "again changes nothing");
    assert_eq!(set(1, Vec::new()).await.unwrap_err().code(), Code::Aborted);
    refused(set(0, vec![window(30, 10)]).await, "windows[0].until_us");
    assert_eq!(world.get("kite").await.unwrap(), after, "the next read sees it");
    assert_eq!(set(2, Vec::new()).await.unwrap().windows, []);
}

#[tokio::test]
async fn a_series_has_its_episodes_in_their_places() {
    let world = world().await;
    refused(world.put(episode("show", 1, 1)).await, "series");
    world.put(film("show-film")).await.unwrap();
    refused(world.put(episode("show-film", 1, 1)).await, "series");
    world.put(series("show")).await.unwrap();
    for (season, number) in [(2, 1), (1, 2), (1, 10), (0, 1), (1, 1)] {
        world.put(episode("show", season, number)).await.unwrap();
    }
    refused(world.put(Title { id: "other".to_owned(), ..episode("show", 1, 2) }).await, "episode");
    let of = |after: &str, limit| ListTitlesRequest {
        series: "show".to_owned(),
        after: after.to_owned(),
        limit,
        ..ListTitlesRequest::default()
    };
    let all = world.list(of("", 0)).await.unwrap();
    assert_eq!(all, ["show-s0e1", "show-s1e1", "show-s1e2", "show-s1e10", "show-s2e1"]);
    assert_eq!(world.list(of("show-s1e2", 1)).await.unwrap(), ["show-s1e10"]);
    assert_eq!(world.list(of("show-s2e1", 0)).await.unwrap(), Vec::<String>::new());
    refused(world.list(of("show-film", 0)).await, "after");

    refused(world.put(Title { kind: TitleKind::Movie.into(), ..series("show") }).await, "kind");
    let kept = world.delete("show", 0).await.unwrap_err();
    assert_eq!(kept.code(), Code::FailedPrecondition);
    assert_eq!(kept.message(), "series show has 5 episodes: delete them first");
}

#[tokio::test]
async fn a_series_is_shown_as_long_as_an_episode_plays() {
    let world = world().await;
    world.put(series("show")).await.unwrap();
    world.put(episode("show", 1, 1)).await.unwrap();
    world.put(episode("show", 1, 2)).await.unwrap();
    let shown = || world.list(ListTitlesRequest { published_only: true, ..ListTitlesRequest::default() });
    assert_eq!(shown().await.unwrap(), Vec::<String>::new());
    let first = world.publish("show-s1e1", "v1").await.unwrap();
    assert_eq!(shown().await.unwrap(), ["show", "show-s1e1"]);
    let show = world.get("show").await.unwrap();
    assert_eq!((show.published_us, show.version.as_str()), (first.published_us, ""));
    let second = world.publish("show-s1e2", "v1").await.unwrap();
    assert_eq!(world.get("show").await.unwrap().published_us, second.published_us);
    world.delete("show-s1e2", 0).await.unwrap();
    assert_eq!(world.get("show").await.unwrap().published_us, first.published_us);
    let request = matinee_contracts::catalog::UnpublishRequest { title: "show-s1e1".to_owned() };
    world.client.clone().unpublish(request).await.unwrap();
    assert_eq!(shown().await.unwrap(), Vec::<String>::new());
    refused(world.publish("show", "v1").await, "title");
    world.publish("show-s1e1", "v2").await.unwrap();
    refused(world.put(Title { kind: TitleKind::Series.into(), ..film("show-s1e1") }).await, "kind");
}

#[tokio::test]
async fn people_are_named_once_and_renamed_everywhere() {
    let world = world().await;
    let ada = world.person("ada", "Ada Lovelance").await.unwrap();
    assert_eq!(ada.revision, 1);
    let credit = |name: &str| Credit {
        person: "ada".to_owned(),
        name: name.to_owned(),
        job: "writer".to_owned(),
        character: String::new(),
    };
    let kite = world.put(Title { people: vec![credit(""), credit("Lady L.")], ..film("kite") }).await.unwrap();
    assert_eq!(kite.people[0].name, "Ada Lovelance", "a credit without a name has the person's");
    let renamed = world.person("ada", "Ada Lovelace").await.unwrap();
    assert_eq!(renamed.revision, 2);
    let after = world.get("kite").await.unwrap();
    assert_eq!((after.people[0].name.as_str(), after.people[1].name.as_str()), ("Ada Lovelace", "Lady L."));
    assert_eq!(after.revision, kite.revision + 1);
    assert_eq!(world.person("ada", "Ada Lovelace").await.unwrap(), renamed, "again changes nothing");

    let put = |person: Person| {
        let mut client = world.client.clone();
        async move { client.put_person(PutPersonRequest { person: Some(person) }).await }
    };
    assert_eq!(put(ada.clone()).await.unwrap_err().code(), Code::Aborted, "who read an older one reads again");
    for (field, person) in [
        ("id", Person { id: "A".to_owned(), ..ada.clone() }),
        ("name", Person { name: " ".to_owned(), ..ada.clone() }),
        ("biography", Person { biography: "x".repeat(5_001), ..ada.clone() }),
        ("born", Person { born: "1968-13-01".to_owned(), ..ada.clone() }),
    ] {
        refused(put(person).await, field);
    }
    world.person("bob", "Bob").await.unwrap();
    let request = ListPeopleRequest { limit: 1, after: "ada".to_owned() };
    let people = world.client.clone().list_people(request).await.unwrap().into_inner().people;
    assert_eq!(people.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["bob"]);
    let unknown = world.client.clone().get_person(GetPersonRequest { id: "eve".to_owned() }).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "person eve does not exist"));
}

#[tokio::test]
async fn genres_and_kinds_have_lists_of_their_own() {
    let world = world().await;
    let of = |id: &str, genres: &[&str]| Title {
        genres: genres.iter().map(|genre| (*genre).to_owned()).collect(),
        ..film(id)
    };
    for title in [of("a", &["drama"]), of("b", &["drama", "film-noir"]), of("c", &["my-own"]), series("d")] {
        world.put(title).await.unwrap();
    }
    world.put(of("c", &["my-own", "drama"])).await.unwrap();
    world.put(of("a", &[])).await.unwrap();
    let genres = world.client.clone().list_genres(ListGenresRequest {}).await.unwrap().into_inner().genres;
    let told: Vec<_> = genres.iter().map(|g| (g.id.as_str(), g.name.as_str(), g.titles)).collect();
    assert_eq!(told, [("drama", "Drama", 2), ("film-noir", "Film noir", 1), ("my-own", "My own", 1)]);
    let drama = |after: &str| ListTitlesRequest {
        genre: "drama".to_owned(),
        after: after.to_owned(),
        ..ListTitlesRequest::default()
    };
    assert_eq!(world.list(drama("")).await.unwrap(), ["b", "c"]);
    assert_eq!(world.list(drama("b")).await.unwrap(), ["c"]);
    let kind = ListTitlesRequest { kind: TitleKind::Series.into(), ..ListTitlesRequest::default() };
    assert_eq!(world.list(kind).await.unwrap(), ["d"]);
    refused(world.list(ListTitlesRequest { genre: "%' OR 1=1".to_owned(), ..drama("") }).await, "genre");
    refused(world.list(ListTitlesRequest { after: "../x".to_owned(), ..drama("") }).await, "after");
    world.delete("b", 0).await.unwrap();
    assert_eq!(world.list(drama("")).await.unwrap(), ["c"]);
}

#[tokio::test]
async fn many_titles_are_read_in_the_order_asked_for() {
    let world = world().await;
    for id in ["a", "b", "c"] {
        world.put(film(id)).await.unwrap();
    }
    let ids = |titles: Vec<Title>| titles.into_iter().map(|title| title.id).collect::<Vec<_>>();
    assert_eq!(ids(world.get_all(&["c", "none", "a"]).await.unwrap()), ["c", "a"]);
    assert_eq!(ids(world.get_all(&["b", "c", "a"]).await.unwrap()), ["b", "c", "a"], "some were read lately");
    world.delete("c", 0).await.unwrap();
    assert_eq!(ids(world.get_all(&["b", "c", "a"]).await.unwrap()), ["b", "a"]);
    refused(world.get_all(&["a", "B"]).await, "ids[1]");
    refused(world.get_all(&vec!["a"; 501]).await, "ids");
    assert_eq!(world.get_all(&vec!["a"; 500]).await.unwrap().len(), 500);
}

#[tokio::test]
async fn a_title_that_is_gone_is_gone_and_comes_back_newer() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let known = world.publish("kite", "v1").await.unwrap();
    assert_eq!(world.get("kite").await.unwrap(), known);
    assert_eq!(world.delete("kite", 1).await.unwrap_err().code(), Code::Aborted);
    world.delete("kite", known.revision).await.unwrap();
    world.delete("kite", 0).await.unwrap();
    assert_eq!(world.get("kite").await.unwrap_err().code(), Code::NotFound);
    let again = world.put(film("kite")).await.unwrap();
    assert_eq!((again.revision, again.version.as_str()), (4, ""));
    assert_eq!(world.get("kite").await.unwrap(), again);
}

#[tokio::test]
async fn long_titles_come_in_shorter_pages_and_none_is_left_out() {
    let world = world().await;
    let long = |id: &str| Title {
        localized: (0..50)
            .map(|i| LocalizedWords {
                language: format!("en-x-{i}"),
                name: "x".to_owned(),
                description: "y".repeat(4_900),
            })
            .collect(),
        ..film(id)
    };
    let ids: Vec<String> = (0..20).map(|i| format!("long-{i:02}")).collect();
    for id in &ids {
        world.put(long(id)).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let request = ListTitlesRequest { after, ..ListTitlesRequest::default() };
        let page = world.list(request).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() < 20, "a page is bounded");
        after = last.clone();
        seen.extend(page);
    }
    assert_eq!(seen, ids);
}
