//! Viewing history, through its contract and the event log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use matinee_contracts::events::Heartbeat;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::{EraseRequest, ListRequest, PositionsRequest, RemoveRequest, ResumeRequest, Watched};
use matinee_contracts::telemetry::Beat;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_history::HistoryService;
use matinee_history::consume::TOPIC;
use matinee_history::store::{EmbeddedHistory, HistoryStore};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const SOON: Duration = Duration::from_secs(20);
const SECOND: u64 = 1_000_000;
const FILM: u64 = 6_000 * SECOND;

/// A clock that is set.
#[derive(Debug, Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct World {
    client: HistoryClient<Channel>,
    store: Arc<EmbeddedHistory>,
    log: Events,
    clock: Arc<Hands>,
    stop: CancellationToken,
    reader: tokio::task::JoinHandle<()>,
}

impl World {
    async fn open(folder: &Path) -> Self {
        let store = Arc::new(EmbeddedHistory::open(&folder.join("history")).await.unwrap());
        let log = events::open(&folder.join("events"), EventLogConfig::default()).await.unwrap();
        let clock = Arc::new(Hands::default());
        let service = HistoryService::new(store.clone(), clock.clone());
        let (stop, events) = (CancellationToken::new(), log.clone());
        let client = HistoryClient::new(Channel::local(service.server()));
        let stopped = stop.clone();
        let reader = tokio::spawn(async move { service.consume(events, stopped).await });
        Self { client, store, log, clock, stop, reader }
    }

    async fn close(self) {
        self.stop.cancel();
        self.reader.await.unwrap();
    }

    /// Sends a heartbeat and waits until history has read it.
    async fn beat(&self, profile: &str, title: &str, at_us: i64, seconds: u64) {
        let session = format!("session-{}", at_us / 1_000_000_000);
        let (sequence, position_us) = (u32::try_from(at_us % 1_000_000_000).unwrap(), seconds * SECOND);
        let (title, duration_us) = (title.to_owned(), FILM);
        let beat = Beat { title, session, sequence, position_us, duration_us, at_us, ..Beat::default() };
        let event = Heartbeat { profile: profile.to_owned(), beat: Some(beat), ..Heartbeat::default() };
        self.append(profile, event.encode_to_vec()).await;
    }

    async fn append(&self, key: &str, payload: Vec<u8>) {
        let offset = self.log.append(TOPIC, key, payload.into()).await.unwrap();
        let read = async {
            while self.store.next().await.unwrap() <= offset {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, read).await.unwrap();
    }

    async fn resume(&self, profile: &str, title: &str) -> Watched {
        let request = ResumeRequest { profile: profile.to_owned(), title: title.to_owned() };
        self.client.clone().resume(request).await.unwrap().into_inner()
    }

    async fn list(&self, profile: &str, unfinished_only: bool) -> Vec<String> {
        let request = ListRequest { profile: profile.to_owned(), unfinished_only, limit: 0 };
        let reply = self.client.clone().list(request).await.unwrap().into_inner();
        reply.titles.into_iter().map(|watched| watched.title).collect()
    }

    async fn remove(&self, profile: &str, title: &str) {
        let request = RemoveRequest { profile: profile.to_owned(), title: title.to_owned() };
        self.client.clone().remove(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_film_is_resumed_where_the_latest_heartbeat_was() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "film", 20, 600).await;
    world.beat("p1", "film", 30, 610).await;
    // Late, and twice.
    world.beat("p1", "film", 10, 300).await;
    world.beat("p1", "film", 30, 610).await;
    let there = world.resume("p1", "film").await;
    assert_eq!((there.resume_us, there.at_us, there.finished), (610 * SECOND, 30, false));
    assert_eq!(world.resume("p1", "other").await.resume_us, 0);
    assert_eq!(world.resume("p2", "film").await.resume_us, 0);
    world.close().await;
}

#[tokio::test]
async fn positions_in_many_titles_are_read_at_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("me", "kite", 1_000_000_000, 100).await;
    world.beat("me", "boat", 2_000_000_000, 200).await;
    let ask = async |titles: Vec<String>| {
        let request = PositionsRequest { profile: "me".to_owned(), titles };
        world.client.clone().positions(request).await.map(|reply| reply.into_inner().titles)
    };
    let found = ask(["boat", "unknown", "kite"].map(str::to_owned).to_vec()).await.unwrap();
    let told: Vec<_> = found.iter().map(|watched| (watched.title.as_str(), watched.position_us / SECOND)).collect();
    assert_eq!(told, [("boat", 200), ("unknown", 0), ("kite", 100)]);
    assert_eq!(found[2], world.resume("me", "kite").await);
    assert_eq!(ask(Vec::new()).await.unwrap(), []);
    for wrong in [vec!["../etc".to_owned()], vec!["kite".to_owned(); 501]] {
        let refused = ask(wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with("titles is refused: "), "{}", refused.message());
    }
    world.close().await;
}

#[tokio::test]
async fn a_finished_film_begins_again_and_is_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "half", 10, 3_000).await;
    world.beat("p1", "whole", 20, 5_900).await;
    world.beat("p1", "whole", 21, 6_000).await;
    world.beat("p1", "glance", 30, 5).await;
    let whole = world.resume("p1", "whole").await;
    assert_eq!((whole.resume_us, whole.finished, whole.times_finished), (0, true, 1));
    assert_eq!(world.list("p1", true).await, ["half"]);
    assert_eq!(world.list("p1", false).await, ["glance", "whole", "half"]);
    // Watched again in another session.
    world.beat("p1", "whole", 2_000_000_000, 60).await;
    assert_eq!(world.list("p1", true).await, ["whole", "half"]);
    world.beat("p1", "whole", 2_000_000_010, 6_000).await;
    assert_eq!(world.resume("p1", "whole").await.times_finished, 2);
    world.close().await;
}

#[tokio::test]
async fn the_latest_is_first_however_the_list_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let minute = 60_000_000;
    for (title, at) in [("a", 1), ("b", 2), ("a", 3), ("b", 14), ("c", 15), ("a", 16), ("b", 17)] {
        world.beat("p1", title, at * minute, 1_000).await;
    }
    assert_eq!(world.list("p1", false).await, ["b", "a", "c"]);
    world.close().await;
}

#[tokio::test]
async fn what_is_removed_stays_away_until_it_is_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "film", 100, 600).await;
    world.beat("p2", "film", 100, 600).await;
    world.clock.0.store(200, Ordering::SeqCst);
    world.remove("p1", "film").await;
    world.beat("p1", "film", 150, 700).await;
    assert_eq!(world.list("p1", false).await, [""; 0]);
    assert_eq!(world.list("p2", false).await, ["film"]);
    world.beat("p1", "film", 250, 800).await;
    assert_eq!(world.resume("p1", "film").await.resume_us, 800 * SECOND);
    world.close().await;
}

#[tokio::test]
async fn an_erased_profile_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "film", 100, 600).await;
    world.beat("p1", "other", 110, 600).await;
    world.beat("p10", "film", 100, 600).await;
    world.clock.0.store(200, Ordering::SeqCst);
    world.client.clone().erase(EraseRequest { profile: "p1".to_owned() }).await.unwrap();
    world.beat("p1", "film", 150, 700).await;
    assert_eq!(world.list("p1", false).await, [""; 0]);
    assert_eq!(world.list("p10", false).await, ["film"], "a profile whose id only begins alike stays");
    world.close().await;
}

#[tokio::test]
async fn history_is_there_after_a_restart_and_reads_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "film", 100, 600).await;
    let next = world.store.next().await.unwrap();
    world.close().await;
    let world = World::open(folder.path()).await;
    assert_eq!(world.store.next().await.unwrap(), next);
    assert_eq!(world.resume("p1", "film").await.resume_us, 600 * SECOND);
    world.beat("p1", "film", 110, 610).await;
    assert_eq!(world.resume("p1", "film").await.resume_us, 610 * SECOND);
    world.close().await;
}

#[tokio::test]
async fn history_that_is_lost_is_made_again_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p1", "film", 100, 600).await;
    world.close().await;
    std::fs::remove_dir_all(folder.path().join("history")).unwrap();
    let world = World::open(folder.path()).await;
    world.beat("p2", "film", 100, 600).await;
    assert_eq!(world.resume("p1", "film").await.resume_us, 600 * SECOND);
    world.close().await;
}

#[tokio::test]
async fn what_is_no_heartbeat_is_passed_over_and_bad_ids_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.append("p1", vec![0xff; 9]).await;
    world.append("p1", Vec::new()).await;
    world.beat("p1", "film", 100, 600).await;
    assert_eq!(world.list("p1", false).await, ["film"]);
    for (profile, title, field) in [("", "film", "profile"), ("p1", "../x", "title")] {
        let request = ResumeRequest { profile: profile.to_owned(), title: title.to_owned() };
        let status = world.client.clone().resume(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(&format!("{field} is refused")), "{}", status.message());
    }
    world.close().await;
}
