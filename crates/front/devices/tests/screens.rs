//! What each device is shown, and what is shown instead where a service is down.

mod house;

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use house::{BOUND, HOUR_US, House, State, episode, film, only_in, picture, row, scattered};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use matinee_contracts::catalog::{Title, TitleKind};
use matinee_contracts::history::Watched;
use matinee_service::viewer::{Membership, Viewer};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

#[tokio::test]
async fn a_home_has_its_rows_with_headings_scores_and_progress() {
    let house = House::with_films(30);
    let watched = Watched {
        title: "film-3".to_owned(),
        position_us: HOUR_US / 4,
        resume_us: HOUR_US / 4,
        duration_us: HOUR_US,
        ..Watched::default()
    };
    house.fake.0.watched.lock().unwrap().push(watched);
    let (status, home) = house.get("/api/web/home").await;
    assert_eq!(status, 200);
    assert_eq!(home["stale"], false);
    assert_eq!(home["profile"]["name"], "Ada");
    let titles: Vec<_> = home["rows"].as_array().unwrap().iter().map(|row| row["title"].clone()).collect();
    assert_eq!(titles, ["Top 10 today", "Because you watched Film 1", "Science fiction & fantasy"]);
    let card = &home["rows"][0]["items"][3];
    assert_eq!((card["id"].as_str(), card["score"].as_u64()), (Some("film-3"), Some(71)));
    assert_eq!((card["progress"].as_f64(), card["resumeSeconds"].as_u64()), (Some(0.25), Some(900)));
}

#[tokio::test]
async fn each_device_gets_its_own_shape() {
    let house = House::with_films(30);
    let card = |home: &serde_json::Value| home["rows"][0]["items"][0].clone();
    let web = card(&house.get("/api/web/home").await.1);
    let mobile = card(&house.get("/api/mobile/home").await.1);
    let tv = card(&house.get("/api/tv/home").await.1);
    assert!(web["artwork"]["backdrop"].as_str().unwrap().contains("w=780"));
    assert!(mobile["artwork"]["backdrop"].is_null() && mobile["description"].is_null());
    assert!(tv["artwork"]["backdrop"].as_str().unwrap().contains("w=3840"), "{tv}");
    assert_eq!(tv["description"], "A film.");
    assert_eq!(house.get("/api/fridge/home").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn without_recommendations_home_is_the_top_ten_as_it_was_last() {
    let house = House::with_films(30);
    assert_eq!(house.get("/api/web/home").await.0, 200);
    for state in [State::Dead, State::Hanging] {
        house.state("recommend", state);
        let (status, home) = house.get("/api/web/home").await;
        assert_eq!((status.as_u16(), home["stale"].as_bool()), (200, Some(true)));
        let row = &home["rows"][0];
        assert_eq!((row["kind"].as_str(), row["items"].as_array().unwrap().len()), (Some("top"), 10));
        assert_eq!(row["items"][0]["id"], "film-0");
    }
}

#[tokio::test(start_paused = true)]
async fn a_house_that_never_heard_recommendations_shows_its_newest_titles() {
    let house = House::with_films(30);
    house.state("recommend", State::Dead);
    let stop = CancellationToken::new();
    let (devices, stopped) = (house.devices.clone(), stop.clone());
    let maintained = tokio::spawn(async move { devices.maintain(stopped).await });
    let shown = async {
        loop {
            let (status, home) = house.get("/api/web/home").await;
            assert_eq!(status, 200);
            if home["rows"][0]["items"][0]["id"] == "film-29" {
                return home;
            }
            tokio::time::advance(BOUND / 100).await;
        }
    };
    let home = tokio::time::timeout(BOUND, shown).await.expect("the catalogue was read");
    assert_eq!(home["rows"][0]["items"].as_array().unwrap().len(), 10);
    stop.cancel();
    maintained.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_ratings_cards_have_no_score_and_without_history_no_progress() {
    for state in [State::Dead, State::Hanging] {
        let house = House::with_films(12);
        for service in ["ratings", "history", "accounts", "billing"] {
            house.state(service, state.clone());
        }
        let (status, home) = house.get("/api/mobile/home").await;
        assert_eq!((status.as_u16(), home["stale"].as_bool()), (200, Some(false)));
        let card = &home["rows"][0]["items"][0];
        assert!(card["score"].is_null() && card["progress"].is_null() && home["profile"].is_null());
        let (status, page) = house.get("/api/web/titles/film-1").await;
        assert_eq!(status, 200);
        assert!(page["score"].is_null() && page["thumb"].is_null() && page["listed"].is_null());
        assert_eq!(page["playable"], true, "the play itself asks again");
        assert_eq!(house.get("/api/my-list").await, (http::StatusCode::OK, serde_json::json!([])));
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_catalogue_home_shows_what_it_showed_before() {
    let house = House::with_films(12);
    let (_, before) = house.get("/api/web/home").await;
    house.state("catalog", State::Hanging);
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    let (status, after) = house.get("/api/web/home").await;
    assert_eq!((status.as_u16(), &after["rows"]), (200, &before["rows"]));
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_that_is_down_for_hours_leaves_homes_and_pages_as_they_were() {
    for state in [State::Dead, State::Hanging] {
        let house = House::with_films(12);
        series(&house);
        let uris = ["/api/web/home", "/api/web/titles/film-1", "/api/tv/titles/saga"];
        let mut before = Vec::new();
        for uri in uris {
            before.push(house.get(uri).await.1);
        }
        house.state("catalog", state.clone());
        tokio::time::advance(std::time::Duration::from_secs(5 * 3600)).await;
        for (uri, before) in uris.into_iter().zip(before) {
            assert_eq!(house.get(uri).await, (http::StatusCode::OK, before), "{uri} while it is {state:?}");
        }
        // One whose page nobody saw has what its card knows.
        let (status, page) = house.get("/api/web/titles/film-7").await;
        assert_eq!((status.as_u16(), page["name"].as_str()), (200, Some("Film 7")));
        if state == State::Dead {
            assert_eq!(house.get("/api/web/titles/unknown").await.0, 503);
        }
        // What is gone when it is back is not shown once more.
        house.fake.0.states.lock().unwrap().clear();
        house.fake.0.titles.lock().unwrap().remove("film-1");
        let (_, home) = house.get("/api/web/home").await;
        assert!(!home.to_string().contains(r#""id":"film-1""#), "{home}");
        assert_eq!(house.get("/api/web/titles/film-1").await.0, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn with_everything_down_home_is_still_a_home() {
    let house = House::with_films(12);
    for service in ["catalog", "recommend", "ratings", "history", "accounts", "billing"] {
        house.state(service, State::Hanging);
    }
    let (status, home) = house.get("/api/tv/home").await;
    assert_eq!((status.as_u16(), home["stale"].as_bool()), (200, Some(true)));
    assert_eq!(home["rows"], serde_json::json!([]));
}

#[tokio::test]
async fn a_change_in_the_catalogue_is_seen_on_the_next_look_but_one() {
    let house = House::with_films(12);
    tokio::time::pause();
    house.get("/api/web/home").await;
    house.fake.put(Title { name: "Renamed".to_owned(), ..film(0) });
    let named = async {
        loop {
            tokio::time::advance(std::time::Duration::from_secs(6)).await;
            let (_, home) = house.get("/api/web/home").await;
            if home["rows"][0]["items"][0]["name"] == "Renamed" {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), named).await.expect("it is read again");
}

#[tokio::test]
async fn only_search_itself_fails_without_search() {
    let house = House::with_films(12);
    let (status, found) = house.get("/api/web/search?q=film&genre=science-fiction&yearFrom=1980").await;
    assert_eq!(status, 200);
    assert_eq!(found["hits"].as_array().unwrap().len(), 12);
    assert_eq!(found["hits"][0]["matched"], "name");
    assert_eq!(
        (found["corrected"].as_str(), found["people"][0]["name"].as_str()),
        (Some("metropolis"), Some("Fritz Lang"))
    );
    assert_eq!(found["genres"][0]["name"], "Science fiction & fantasy");
    house.state("search", State::Dead);
    assert_eq!(house.get("/api/web/search?q=film").await.0, 503);
    assert_eq!(house.get("/api/web/home").await.0, 200);
    assert_eq!(house.get("/api/web/titles/film-1").await.0, 200);
}

#[tokio::test]
async fn a_wrong_search_is_told_by_its_field() {
    let house = House::with_films(1);
    for (uri, field) in [
        ("/api/web/search?yearFrom=MCM", "yearFrom"),
        ("/api/web/search?colour=red", "colour"),
        ("/api/web/search?limit=1000", "limit"),
    ] {
        let (status, problem) = house.get(uri).await;
        assert_eq!((status.as_u16(), problem["errors"][0]["field"].as_str()), (400, Some(field)), "{problem}");
    }
    let long = format!("/api/web/search?q={}", "x".repeat(201));
    assert_eq!(house.get(&long).await.1["errors"][0]["field"], "q");
}

#[tokio::test]
async fn a_child_is_never_shown_what_is_for_older_viewers() {
    let mut house = House::with_films(12);
    house.fake.put(Title { maturity_age: 16, ..film(0) });
    house.viewer = Viewer { maturity_limit: 12, ..house.viewer };
    let (_, home) = house.get("/api/web/home").await;
    assert!(!home.to_string().contains("film-0"), "{home}");
    let (_, found) = house.get("/api/web/search?q=film").await;
    assert!(!found.to_string().contains("\"film-0\""));
    let (status, page) = house.get("/api/web/titles/film-0").await;
    assert_eq!((status.as_u16(), page["code"].as_str()), (403, Some("maturity")));
}

#[tokio::test]
async fn a_title_without_a_licence_here_says_so() {
    let house = House::with_films(12);
    house.fake.put(Title { windows: only_in("FR"), ..film(0) });
    let (status, page) = house.get("/api/web/titles/film-0").await;
    assert_eq!((status.as_u16(), page["playable"].as_bool()), (200, Some(false)));
    assert_eq!(page["notPlayable"]["code"], "not_licensed_here");
    let (_, home) = house.get("/api/web/home").await;
    assert!(!home.to_string().contains("\"film-0\""), "no row shows what can't be watched");
}

#[tokio::test]
async fn a_page_says_what_keeps_a_viewer_from_playing() {
    let mut house = House::with_films(3);
    house.state("billing", State::Refusing("lapsed"));
    assert_eq!(house.get("/api/web/titles/film-1").await.1["notPlayable"]["code"], "lapsed");
    house.viewer = Viewer { member: None, profile: None, ..house.viewer };
    assert_eq!(house.get("/api/web/titles/film-1").await.1["notPlayable"]["code"], "sign_in");
    house.viewer = Viewer { membership: Membership::Open, ..house.viewer };
    assert_eq!(house.get("/api/web/titles/film-1").await.1["playable"], true);
    assert_eq!(house.get("/api/web/titles/none").await.0, 404);
}

fn series(house: &House) {
    let of = Title { id: "saga".to_owned(), kind: TitleKind::Series.into(), version: String::new(), ..film(0) };
    house.fake.put(of);
    for (season, number) in [(1, 1), (1, 2), (2, 1), (0, 1)] {
        house.fake.put(episode("saga", season, number));
    }
}

#[tokio::test]
async fn a_series_is_shown_by_seasons_and_goes_on_where_it_was_left() {
    let house = House::with_films(3);
    series(&house);
    let (_, page) = house.get("/api/tv/titles/saga").await;
    let seasons: Vec<_> = page["seasons"].as_array().unwrap().iter().map(|s| s["season"].as_u64().unwrap()).collect();
    assert_eq!(seasons, [1, 2, 0], "specials come last");
    assert_eq!(page["next"]["title"], "saga-1-1");
    let left = Watched { title: "saga-1-2".to_owned(), finished: true, duration_us: HOUR_US, ..Watched::default() };
    house.fake.0.watched.lock().unwrap().push(left);
    let (_, page) = house.get("/api/tv/titles/saga").await;
    assert_eq!(page["next"]["title"], "saga-2-1");
    let (_, page) = house.get("/api/tv/titles/saga-1-1").await;
    assert_eq!((page["series"]["id"].as_str(), page["next"]["title"].as_str()), (Some("saga"), Some("saga-1-2")));
    assert_eq!((page["season"].as_u64(), page["episode"].as_u64()), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_play_has_everything_that_a_player_needs() {
    let house = House::with_films(3);
    series(&house);
    let (status, session) = house.ask(Method::POST, "/api/tv/play", r#"{"title":"saga-1-2"}"#).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!((session["session"].as_str(), session["resumeSeconds"].as_f64()), (Some("s1"), Some(61.5)));
    assert_eq!((session["heartbeatSeconds"].as_u64(), session["maxHeight"].as_u64()), (Some(10), Some(1080)));
    assert_eq!(
        (session["next"]["title"].as_str(), session["title"]["name"].as_str()),
        (Some("saga-2-1"), Some("Episode 2"))
    );
    let asked = house.fake.0.asked.lock().unwrap().clone().unwrap();
    assert_eq!((asked.profile.as_str(), asked.open), ("tv-4k", false));
    let viewer = asked.viewer.unwrap();
    assert_eq!((viewer.account.as_str(), viewer.profile.as_str(), viewer.territory.as_str()), ("a1", "p1", "DE"));
    let (status, _) = house.ask(Method::POST, "/api/play", r#"{"title":"film-1","profile":"tv-hd"}"#).await;
    assert_eq!(status, 200);
    assert_eq!(house.fake.0.asked.lock().unwrap().clone().unwrap().profile, "tv-hd");
}

#[tokio::test]
async fn a_refused_play_says_why() {
    let house = House::with_films(3);
    for (why, status, code) in [
        ("no_subscription: none", 402, "no_subscription"),
        ("past_due: the card failed", 402, "past_due"),
        ("too_many_streams: 2 of 2", 429, "too_many_streams"),
        ("not_licensed_here: not in DE", 403, "not_licensed_here"),
        ("sign_in: who is it", 401, "sign_in"),
        ("maturity: for 16", 403, "maturity"),
    ] {
        house.state("playback", State::Refusing(why));
        let (got, problem) = house.ask(Method::POST, "/api/web/play", r#"{"title":"film-1"}"#).await;
        assert_eq!((got.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    }
    let (status, problem) = house.ask(Method::POST, "/api/web/play", r#"{"film":"film-1"}"#).await;
    assert_eq!((status.as_u16(), problem["errors"][0]["field"].as_str()), (400, Some("film")));
}

#[tokio::test(start_paused = true)]
async fn a_play_starts_whatever_else_is_down() {
    for state in [State::Dead, State::Hanging] {
        let house = House::with_films(3);
        for service in ["catalog", "recommend", "ratings", "history", "accounts", "billing", "search"] {
            house.state(service, state.clone());
        }
        let (status, session) = house.ask(Method::POST, "/api/mobile/play", r#"{"title":"film-1"}"#).await;
        assert_eq!((status.as_u16(), session["hls"].as_str()), (200, Some("/stream/master.m3u8")));
    }
}

#[tokio::test]
async fn what_a_profile_says_of_titles_is_kept() {
    let mut house = House::with_films(5);
    let (status, said) = house.ask(Method::PUT, "/api/titles/film-1/thumb", r#"{"thumb":"love"}"#).await;
    assert_eq!((status.as_u16(), said["thumb"].as_str()), (200, Some("love")));
    let (status, _) = house.ask(Method::PUT, "/api/titles/film-1/thumb", r#"{"thumb":"sideways"}"#).await;
    assert_eq!(status, 400);
    let (status, _) = house.ask(Method::PUT, "/api/my-list/film-2", "").await;
    assert_eq!(status, 200);
    assert_eq!(house.get("/api/my-list").await.1[0]["id"], "film-2");
    let (_, said) = house.ask(Method::DELETE, "/api/my-list/film-2", "").await;
    assert_eq!(said["listed"], false);
    assert_eq!(house.ask(Method::PUT, "/api/my-list/..%2Fetc", "").await.0, 400);
    house.viewer = Viewer { member: None, profile: None, ..house.viewer };
    let (status, problem) = house.get("/api/my-list").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (401, Some("sign_in")));
}

#[tokio::test]
async fn a_home_that_did_not_change_is_not_sent_again() {
    let house = House::with_films(12);
    let get = |tag: Option<http::HeaderValue>| {
        let mut request = Request::builder().uri("/api/web/home");
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        house.routes().oneshot(request.body(Body::empty()).unwrap())
    };
    let first = get(None).await.unwrap();
    let again = get(first.headers().get(header::ETAG).cloned()).await.unwrap();
    assert_eq!(again.status(), 304);
}

/// Words of which names are made.
const WORDS: [&str; 48] = [
    "amber", "garden", "silent", "river", "north", "last", "winter", "captain", "paper", "moon", "broken", "empire",
    "letters", "from", "nowhere", "golden", "hour", "second", "chance", "hidden", "daughter", "storm", "crossing",
    "red", "harbour", "lost", "station", "quiet", "machine", "stranger", "house", "summer", "iron", "kingdom", "echo",
    "valley", "seven", "keys", "night", "train", "ordinary", "heroes", "glass", "mountain", "wild", "orchard", "final",
    "signal",
];

/// A title whose name is as long as real ones are, and repeats as little.
fn generated(number: usize) -> Title {
    let chance = scattered(number as u64);
    let words: Vec<_> = (0..2 + chance % 3).map(|n| WORDS[(chance >> (8 * (n + 1))) as usize % WORDS.len()]).collect();
    let name: Vec<_> = words.iter().map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect();
    Title {
        id: format!("{}-{:04x}", words.join("-"), chance & 0xffff),
        name: name.join(" "),
        year: 1920 + (chance % 106) as u32,
        maturity_age: [0, 6, 12, 16, 18][chance as usize % 5],
        duration_us: (4_000 + chance % 6_000) * 1_000_000,
        artworks: ["poster", "backdrop"].into_iter().map(|kind| picture(kind, number)).collect(),
        ..film(number)
    }
}

#[tokio::test]
async fn a_mobile_home_fits_into_25_kilobytes() {
    let house = House::new();
    let titles: Vec<Title> = (0..10_000).map(generated).collect();
    for title in &titles {
        house.fake.put(title.clone());
    }
    // Twelve rows of twenty different titles, half of them begun.
    let picked = |row: usize| -> Vec<String> {
        (0..20).map(|n| titles[scattered((row * 20 + n) as u64) as usize % titles.len()].id.clone()).collect()
    };
    let rows: Vec<_> = (0..12)
        .map(|n| {
            let (kind, of) = if n % 2 == 0 { ("genre", "science-fiction") } else { ("trending", "") };
            row(kind, &format!("{kind}/{n}"), of, picked(n))
        })
        .collect();
    *house.fake.0.watched.lock().unwrap() = rows
        .iter()
        .flat_map(|row| row.titles.iter().step_by(2))
        .enumerate()
        .map(|(n, title)| {
            let position_us = scattered(n as u64) % HOUR_US;
            Watched {
                title: title.clone(),
                position_us,
                resume_us: position_us,
                duration_us: HOUR_US,
                ..Watched::default()
            }
        })
        .collect();
    *house.fake.0.rows.lock().unwrap() = rows;
    let request = Request::builder().uri("/api/mobile/home").body(Body::empty()).unwrap();
    let body = house.routes().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let home: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let cards: usize = home["rows"].as_array().unwrap().iter().map(|row| row["items"].as_array().unwrap().len()).sum();
    assert_eq!(cards, 240);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(4));
    gzip.write_all(&body).unwrap();
    let compressed = gzip.finish().unwrap().len();
    println!("a mobile home of 240 cards: {} bytes, {compressed} compressed", body.len());
    assert!(compressed <= 25_000, "{compressed} bytes of {}", body.len());
}
