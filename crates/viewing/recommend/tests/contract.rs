//! Recommendations, through their contract and the event log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use matinee_contracts::catalog::{LicenceWindow, Title, TitleKind};
use matinee_contracts::events::{
    AccountChanged, AccountDeleted, OpinionChanged, ProfileDeleted, TitleChanged, account_changed::What,
};
use matinee_contracts::ratings::{Opinion, Thumb};
use matinee_contracts::recommend::{HomeRequest, SimilarRequest};
use matinee_recommend::consume::{ACCOUNTS, CATALOG, RATINGS};
use tonic::Code;

use crate::world::{MINUTE_US, NOW_US, World, movie, viewer};

fn drama(id: &str) -> Title {
    Title { genres: vec!["drama".to_owned()], ..movie(id) }
}

#[tokio::test]
async fn with_no_events_at_all_there_is_what_is_new_and_genres() {
    let world = World::open(&[drama("a"), Title { published_us: 5, ..drama("b") }, movie("c")]).await;
    let rows = world.home("p1").await;
    assert_eq!(rows, [("new".to_owned(), strings(&["b", "a", "c"])), ("genre/drama".to_owned(), strings(&["b", "a"]))]);
    assert_eq!(world.home("").await, rows, "nobody in particular sees the same");
    world.close().await;
}

fn strings(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn who_finishes_a_film_sees_because_you_watched_it() {
    let world = World::open(&[drama("a"), drama("b"), movie("c"), movie("d")]).await;
    world.watch("p1", "a", NOW_US - 90 * MINUTE_US, 50).await;
    assert_eq!(world.row("p1", "continue").await, ["a"]);
    assert_eq!(world.row("p1", "because/a").await, [""; 0]);
    world.watch("p1", "a", NOW_US - MINUTE_US, 99).await;
    let because = world.row("p1", "because/a").await;
    assert_eq!(because.first().unwrap(), "b", "{because:?}: what is alike comes first");
    assert!(!because.contains(&"a".to_owned()));
    assert_eq!(world.row("p1", "continue").await, [""; 0], "what is finished is not continued");
    assert_eq!(world.row("p1", "top/DE").await, ["a"]);
    assert!(!world.row("p1", "for-you").await.contains(&"a".to_owned()));
    assert_eq!(world.row("p2", "because/a").await, [""; 0]);
    world.close().await;
}

#[tokio::test]
async fn what_others_finished_together_is_recommended_together() {
    let titles: Vec<Title> = ["a", "b", "c", "d", "e"].map(movie).to_vec();
    let world = World::open(&titles).await;
    for n in 0..6 {
        let profile = format!("other-{n}");
        world.watch(&profile, "a", NOW_US - 300 * MINUTE_US, 99).await;
        world.watch(&profile, "d", NOW_US - 150 * MINUTE_US, 99).await;
    }
    world.watch("p1", "d", NOW_US - MINUTE_US, 99).await;
    assert_eq!(world.row("p1", "because/d").await.first().unwrap(), "a");
    let request = SimilarRequest { viewer: viewer("p1"), title: "a".to_owned(), limit: 1 };
    assert_eq!(world.client.clone().similar(request).await.unwrap().into_inner().titles, ["d"]);
    world.close().await;
}

#[tokio::test]
async fn only_what_may_be_watched_here_and_now_is_shown() {
    let window =
        |territory: &str, from_us, until_us| LicenceWindow { territory: territory.to_owned(), from_us, until_us };
    let with = |id: &str, windows| Title { windows, ..movie(id) };
    let world = World::open(&[
        with("here", vec![window("DE", 0, NOW_US + 10)]),
        with("there", vec![window("FR", 0, 0)]),
        with("soon", vec![window("*", NOW_US + 10, 0)]),
        Title { version: String::new(), ..movie("unpublished") },
        Title { maturity_age: 18, ..movie("grown") },
    ])
    .await;
    for title in ["here", "there", "soon", "grown"] {
        world.watch("p1", title, NOW_US - MINUTE_US, 50).await;
    }
    let all = |rows: Vec<(String, Vec<String>)>| {
        let mut all: Vec<String> = rows.into_iter().flat_map(|(_, titles)| titles).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    assert_eq!(all(world.home("p1").await), ["grown", "here"]);
    let mut child = viewer("p1").unwrap();
    child.maturity_limit = 12;
    assert_eq!(all(world.home_of(child).await), ["here"]);
    world.clock.set(NOW_US + 10);
    assert_eq!(all(world.home("p1").await), ["grown", "soon"]);
    world.close().await;
}

#[tokio::test]
async fn a_series_is_shown_as_one_and_goes_on_with_its_next_episode() {
    let episode = |id: &str, episode| {
        let (kind, series) = (TitleKind::Episode.into(), "show".to_owned());
        Title { kind, series, season: 1, episode, ..movie(id) }
    };
    let show = Title { kind: TitleKind::Series.into(), version: String::new(), ..drama("show") };
    let world = World::open(&[show, episode("e1", 1), episode("e2", 2), drama("other")]).await;
    world.watch("p1", "e1", NOW_US - 90 * MINUTE_US, 99).await;
    assert_eq!(world.row("p1", "continue").await, ["show"]);
    assert_eq!(world.row("p1", "because/show").await, ["other"]);
    assert_eq!(world.row("p1", "top/DE").await, ["show"]);
    world.watch("p1", "e2", NOW_US - MINUTE_US, 99).await;
    assert_eq!(world.row("p1", "continue").await, [""; 0], "there is no next one");
    world.close().await;
}

#[tokio::test]
async fn lists_and_thumbs_are_heard() {
    let world = World::open(&[drama("a"), drama("b"), drama("c")]).await;
    let say = |title: &str, thumb: Thumb, listed, at_us| OpinionChanged {
        profile: "p1".to_owned(),
        opinion: Some(Opinion {
            title: title.to_owned(),
            thumb: thumb.into(),
            listed,
            listed_us: at_us,
            rated_us: at_us,
        }),
        at_us,
    };
    world.tell(RATINGS, "p1", &say("a", Thumb::Unspecified, true, 10)).await;
    world.tell(RATINGS, "p1", &say("b", Thumb::Unspecified, true, 20)).await;
    assert_eq!(world.row("p1", "list").await, ["b", "a"]);
    world.tell(RATINGS, "p1", &say("b", Thumb::Down, false, 30)).await;
    world.tell(RATINGS, "p1", &say("b", Thumb::Love, true, 25)).await;
    world.tell(RATINGS, "p1", &say("a", Thumb::Love, true, 40)).await;
    assert_eq!(world.row("p1", "list").await, ["a"]);
    let because = world.row("p1", "because/a").await;
    assert_eq!(because, ["c"], "what the profile does not like is not recommended");
    world.close().await;
}

#[tokio::test]
async fn a_replayed_log_gives_the_same_rows() {
    let titles: Vec<Title> = ('a'..='h').map(|c| drama(&c.to_string())).collect();
    let world = World::open(&titles).await;
    for (n, title) in ["a", "b", "c", "a", "d", "b"].into_iter().enumerate() {
        let at_us = NOW_US - (200 - 20 * n as i64) * MINUTE_US;
        world.watch("p1", title, at_us, if n % 2 == 0 { 99 } else { 40 }).await;
        world.watch("p2", title, at_us, 99).await;
    }
    let before = (world.home("p1").await, world.home("p2").await);
    world.replay().await;
    assert_eq!((world.home("p1").await, world.home("p2").await), before);
    let world = world.restarted().await;
    assert_eq!((world.home("p1").await, world.home("p2").await), before, "what was learnt is on disk");
    world.close().await;
}

#[tokio::test]
async fn who_is_deleted_is_forgotten() {
    let world = World::open(&[drama("a"), drama("b")]).await;
    for profile in ["p1", "p2", "p3"] {
        world.watch(profile, "a", NOW_US - 10 * MINUTE_US, 50).await;
    }
    let account = |what| AccountChanged { account: "acc".to_owned(), what: Some(what), at_us: NOW_US - MINUTE_US };
    let deleted = What::Deleted(AccountDeleted { profiles: strings(&["p1"]) });
    world.tell(ACCOUNTS, "acc", &account(deleted)).await;
    world.tell(ACCOUNTS, "acc", &account(What::ProfileDeleted(ProfileDeleted { profile: "p2".to_owned() }))).await;
    // Late ones do not bring it back.
    world.watch("p1", "a", NOW_US - 5 * MINUTE_US, 60).await;
    assert_eq!(world.row("p1", "continue").await, [""; 0]);
    assert_eq!(world.row("p2", "continue").await, [""; 0]);
    assert_eq!(world.row("p3", "continue").await, ["a"]);
    world.close().await;
}

#[tokio::test]
async fn what_the_catalogue_says_later_holds() {
    let world = World::open(&[drama("a"), drama("b")]).await;
    let change = |title, deleted| TitleChanged { title: Some(title), deleted, at_us: NOW_US };
    let renamed = Title { revision: 2, genres: vec!["war".to_owned()], ..movie("b") };
    world.tell(CATALOG, "b", &change(renamed, false)).await;
    // An older word on it, late.
    world.tell(CATALOG, "b", &change(drama("b"), false)).await;
    assert_eq!(world.row("p1", "genre/war").await, ["b"]);
    world.tell(CATALOG, "a", &change(Title { id: "a".to_owned(), ..Title::default() }, true)).await;
    world.tell(CATALOG, "c", &change(drama("c"), false)).await;
    assert_eq!(world.row("p1", "genre/drama").await, ["c"]);
    world.close().await;
}

#[tokio::test]
async fn fields_that_cannot_be_taken_are_named() {
    let world = World::open(&[movie("a")]).await;
    let mut bad = viewer("p1").unwrap();
    bad.territory = "Germany".to_owned();
    let status =
        world.client.clone().home(HomeRequest { viewer: Some(bad), ..HomeRequest::default() }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("viewer.territory is refused"), "{}", status.message());
    let request = SimilarRequest { viewer: viewer("p1"), title: "A B".to_owned(), limit: 0 };
    assert!(world.client.clone().similar(request).await.unwrap_err().message().starts_with("title is refused"));
    world.close().await;
}

#[tokio::test]
async fn rows_and_titles_are_as_many_as_were_asked_for() {
    let titles: Vec<Title> = (0..60).map(|n| drama(&format!("t{n}"))).collect();
    let world = World::open(&titles).await;
    world.watch("p1", "t1", NOW_US - MINUTE_US, 99).await;
    let request = HomeRequest { viewer: viewer("p1"), rows: 3, titles_a_row: 7 };
    let rows = world.client.clone().home(request).await.unwrap().into_inner().rows;
    assert_eq!(rows.iter().map(|row| row.titles.len()).collect::<Vec<_>>(), [7, 7, 1]);
    let all: std::collections::HashSet<&String> = rows.iter().flat_map(|row| &row.titles).collect();
    assert_eq!(all.len(), 15, "no title is shown twice where there are others");
    world.close().await;
}
