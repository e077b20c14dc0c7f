//! What others hear of: every write, in its order, and enough to know the whole catalogue at any time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::BTreeMap;

use matinee_contracts::catalog::{LicenceWindow, ListTitlesRequest, SetWindowsRequest, Title};
use matinee_contracts::events::TitleChanged;

use self::world::{SOON, changes, episode, film, series, service, world};

fn told(change: &TitleChanged) -> (String, u64, bool) {
    let title = change.title.as_ref().unwrap();
    (title.id.clone(), title.revision, change.deleted)
}

#[tokio::test]
async fn every_write_is_told_with_the_whole_title_and_none_twice() {
    let world = world().await;
    let (log, stop, announcing) = world.announcing().await;
    world.put(film("kite")).await.unwrap();
    world.put(film("kite")).await.unwrap();
    let published = world.publish("kite", "v1").await.unwrap();
    let windows = vec![LicenceWindow { territory: "DE".to_owned(), from_us: 1, until_us: 2 }];
    let request = SetWindowsRequest { title: "kite".to_owned(), revision: 0, windows };
    let licensed = world.client.clone().set_windows(request).await.unwrap().into_inner();
    world.delete("kite", 0).await.unwrap();
    world.put(film("boat")).await.unwrap();
    let heard = changes(&log, 5).await;
    let expected = [("kite", 1, false), ("kite", 2, false), ("kite", 3, false), ("kite", 4, true), ("boat", 1, false)];
    assert_eq!(heard.iter().map(told).collect::<Vec<_>>(), expected.map(|(id, r, gone)| (id.to_owned(), r, gone)));
    assert_eq!(heard[1].title.as_ref().unwrap(), &published);
    assert_eq!(heard[2].title.as_ref().unwrap(), &licensed);
    assert!(heard[3].at_us > 0);
    stop.cancel();
    tokio::time::timeout(SOON, announcing).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_series_tells_when_its_episodes_play() {
    let world = world().await;
    let (log, stop, announcing) = world.announcing().await;
    world.put(series("show")).await.unwrap();
    world.put(episode("show", 1, 1)).await.unwrap();
    world.publish("show-s1e1", "v1").await.unwrap();
    let heard = changes(&log, 4).await;
    let last = heard[3].title.as_ref().unwrap();
    assert_eq!((last.id.as_str(), last.revision), ("show", 2));
    assert!(last.published_us > 0);
    stop.cancel();
    announcing.await.unwrap();
}

#[tokio::test]
async fn renaming_a_person_tells_of_their_titles() {
    let world = world().await;
    world.person("ada", "Ada").await.unwrap();
    world.put(world::whole("kite")).await.unwrap();
    world.person("ada", "Ada Lovelace").await.unwrap();
    let (log, stop, announcing) = world.announcing().await;
    // The credit says "Ada Lovelace" by itself, so that is no change; the next name is.
    world.put(Title { people: Vec::new(), ..film("other") }).await.unwrap();
    world.person("ada", "Augusta Ada King").await.unwrap();
    let heard = changes(&log, 3).await;
    assert_eq!(heard.iter().map(told).collect::<Vec<_>>()[2], ("kite".to_owned(), 2, false));
    assert_eq!(heard[2].title.as_ref().unwrap().people[0].name, "Augusta Ada King");
    stop.cancel();
    announcing.await.unwrap();
}

#[tokio::test]
async fn what_nobody_heard_is_told_after_a_restart() {
    let world = world().await;
    for i in 0..250 {
        world.put(film(&format!("film-{i:03}"))).await.unwrap();
    }
    let again = service(world.folder.path(), &world.objects).await;
    let other = world::World { client: world::client(&again), service: again, ..world };
    let (log, stop, announcing) = other.announcing().await;
    let heard = changes(&log, 250).await;
    let ids: Vec<_> = heard.iter().map(|change| told(change).0).collect();
    assert_eq!(ids, (0..250).map(|i| format!("film-{i:03}")).collect::<Vec<_>>());
    stop.cancel();
    announcing.await.unwrap();
}

/// What a consumer holds that lists and then follows: the newest revision of each title, and whether it is there.
type Known = BTreeMap<String, (u64, Option<Title>)>;

fn follow(known: &mut Known, change: TitleChanged) {
    let title = change.title.unwrap();
    let newer = known.get(&title.id).is_none_or(|(revision, _)| title.revision > *revision);
    if newer {
        known.insert(title.id.clone(), (title.revision, (!change.deleted).then_some(title)));
    }
}

#[tokio::test]
async fn who_lists_all_and_then_follows_knows_the_catalogue() {
    let world = world().await;
    let (log, stop, announcing) = world.announcing().await;
    for id in ["a", "b", "c", "d"] {
        world.put(film(id)).await.unwrap();
    }
    // The position is taken before the list; here the log is read from its beginning, as if it had been kept that long.
    let mut known = Known::new();
    let request = |after: &str| ListTitlesRequest { limit: 2, after: after.to_owned(), ..ListTitlesRequest::default() };
    let page = world.client.clone().list_titles(request("")).await.unwrap().into_inner().titles;
    known.extend(page.into_iter().map(|title| (title.id.clone(), (title.revision, Some(title)))));
    // Between two pages somebody works on both sides.
    world.put(Title { name: "Other".to_owned(), ..film("a") }).await.unwrap();
    world.delete("b", 0).await.unwrap();
    world.delete("d", 0).await.unwrap();
    world.put(film("aa")).await.unwrap();
    let page = world.client.clone().list_titles(request("b")).await.unwrap().into_inner().titles;
    known.extend(page.into_iter().map(|title| (title.id.clone(), (title.revision, Some(title)))));
    for change in changes(&log, 8).await {
        follow(&mut known, change);
    }
    let listed = world.client.clone().list_titles(ListTitlesRequest::default()).await.unwrap().into_inner().titles;
    let held: Vec<Title> = known.into_values().filter_map(|(_, title)| title).collect();
    assert_eq!(held, listed);
    assert_eq!(held.iter().map(|title| title.id.as_str()).collect::<Vec<_>>(), ["a", "aa", "c"]);
    stop.cancel();
    announcing.await.unwrap();
}

#[tokio::test]
async fn racing_writers_and_readers_end_with_the_last_write() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let writes = (0..20).map(|i| world.put(Title { name: format!("Kite {i}"), ..film("kite") }));
    let reads = (0..20).map(|_| world.get("kite"));
    let (written, read) = tokio::join!(futures::future::join_all(writes), futures::future::join_all(reads));
    assert!(written.iter().all(Result::is_ok) && read.iter().all(Result::is_ok));
    let last = written.into_iter().map(Result::unwrap).max_by_key(|title| title.revision).unwrap();
    assert_eq!(last.revision, 21);
    assert_eq!(world.get("kite").await.unwrap(), last);
}
