//! The catalogue, through its contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use matinee_catalog::CatalogService;
use matinee_catalog::announce::TOPIC;
use matinee_catalog::store::SqliteCatalog;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{
    GetTitleRequest, ListTitlesRequest, PublishRequest, PutTitleRequest, Title, UnpublishRequest,
};
use matinee_contracts::events::TitlePublished;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

const SOON: Duration = Duration::from_secs(20);

/// Counts microseconds, one a look.
#[derive(Debug)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

struct World {
    client: CatalogClient<Channel>,
    service: CatalogService,
    folder: tempfile::TempDir,
}

async fn service(folder: &Path) -> CatalogService {
    let store = SqliteCatalog::open(&folder.join("catalog.db")).await.unwrap();
    CatalogService::new(Arc::new(store), Arc::new(Ticks(AtomicI64::new(1_000))))
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    World { client: CatalogClient::new(Channel::local(service.server())), service, folder }
}

fn film(id: &str) -> Title {
    Title { id: id.to_owned(), name: format!("The {id}"), credits: "A maker".to_owned(), ..Title::default() }
}

impl World {
    async fn put(&self, title: Title) -> Result<Title, Status> {
        let request = PutTitleRequest { title: Some(title) };
        Ok(self.client.clone().put_title(request).await?.into_inner())
    }

    async fn get(&self, id: &str) -> Result<Title, Status> {
        Ok(self.client.clone().get_title(GetTitleRequest { id: id.to_owned() }).await?.into_inner())
    }

    async fn publish(&self, title: &str, version: &str) -> Result<Title, Status> {
        let (title, version) = (title.to_owned(), version.to_owned());
        let request = PublishRequest { title, version, duration_us: 5_000_000, artwork: String::new() };
        Ok(self.client.clone().publish(request).await?.into_inner())
    }

    async fn listed(&self, published_only: bool, limit: u32, after: &str) -> Vec<String> {
        let request =
            ListTitlesRequest { published_only, limit, after: after.to_owned(), ..ListTitlesRequest::default() };
        let reply = self.client.clone().list_titles(request).await.unwrap().into_inner();
        reply.titles.into_iter().map(|title| title.id).collect()
    }
}

#[tokio::test]
async fn a_title_is_added_once_and_its_words_can_change() {
    let world = world().await;
    let added = world.put(film("kite")).await.unwrap();
    assert_eq!((added.revision, added.name.as_str(), added.version.as_str()), (1, "The kite", ""));
    assert!(added.created_us > 0);
    assert_eq!(world.put(film("kite")).await.unwrap(), added, "the same again changes nothing");
    let changed = world.put(Title { name: "Kites".to_owned(), ..film("kite") }).await.unwrap();
    assert_eq!((changed.revision, changed.name.as_str()), (2, "Kites"));
    assert_eq!(changed.created_us, added.created_us);
    assert_eq!(world.get("kite").await.unwrap(), changed);
    assert_eq!(world.get("none").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_read_an_older_revision_must_read_again() {
    let world = world().await;
    let read = world.put(film("kite")).await.unwrap();
    world.put(Title { name: "Kites".to_owned(), ..read.clone() }).await.unwrap();
    let late = world.put(Title { name: "A kite".to_owned(), ..read }).await.unwrap_err();
    assert_eq!(late.code(), Code::Aborted);
    assert!(late.message().contains("revision 2, not at 1"), "{}", late.message());
    let none = world.put(Title { revision: 3, ..film("other") }).await.unwrap_err();
    assert_eq!(none.code(), Code::Aborted, "a title that does not exist has no revision");
}

#[tokio::test]
async fn every_refused_field_is_named() {
    let world = world().await;
    let long = "x".repeat(6_000);
    for (field, title) in [
        ("id", Title { id: "../etc".to_owned(), ..film("a") }),
        ("id", Title { id: String::new(), ..film("a") }),
        ("name", Title { name: String::new(), ..film("a") }),
        ("name", Title { name: "a\0b".to_owned(), ..film("a") }),
        ("description", Title { description: long.clone(), ..film("a") }),
        ("credits", Title { credits: long.clone(), ..film("a") }),
        ("license", Title { license: "CC\nBY".to_owned(), ..film("a") }),
        ("artwork", Title { artwork: "a/../../secret".to_owned(), ..film("a") }),
    ] {
        let refused = world.put(title).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert!(refused.message().starts_with(&format!("{field} is refused")), "{}", refused.message());
        assert!(refused.message().len() < 300, "a refusal is short");
    }
    let missing = world.client.clone().put_title(PutTitleRequest { title: None }).await.unwrap_err();
    assert!(missing.message().contains("title is refused"), "{}", missing.message());
    world.put(film("a")).await.unwrap();
    let version = world.publish("a", "V 1").await.unwrap_err();
    assert!(version.message().starts_with("version is refused"), "{}", version.message());
    let request = PublishRequest { title: "a".to_owned(), version: "v1".to_owned(), ..PublishRequest::default() };
    let duration = world.client.clone().publish(request).await.unwrap_err();
    assert!(duration.message().starts_with("duration_us is refused"), "{}", duration.message());
}

#[tokio::test]
async fn words_may_hold_what_sql_does_not_like() {
    let world = world().await;
    let name = "Robert'); DROP TABLE title;-- %_\"`";
    let title = Title { name: name.to_owned(), description: "日本語 and\nmore".to_owned(), ..film("bobby") };
    world.put(title).await.unwrap();
    let read = world.get("bobby").await.unwrap();
    assert_eq!((read.name.as_str(), read.description.as_str()), (name, "日本語 and\nmore"));
}

#[tokio::test]
async fn publishing_switches_once_and_is_idempotent() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let first = world.publish("kite", "v1").await.unwrap();
    assert_eq!((first.version.as_str(), first.duration_us, first.revision), ("v1", 5_000_000, 2));
    assert!(first.published_us > first.created_us);
    assert_eq!(world.publish("kite", "v1").await.unwrap(), first, "again changes nothing");
    let second = world.publish("kite", "v2").await.unwrap();
    assert_eq!(second.version, "v2");
    assert!(second.published_us > first.published_us);
    let unknown = world.publish("none", "v1").await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "title none does not exist"));
}

#[tokio::test]
async fn words_change_without_touching_what_is_published() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let request = PublishRequest {
        title: "kite".to_owned(),
        version: "v1".to_owned(),
        duration_us: 7,
        artwork: "art/kite.jpg".to_owned(),
    };
    world.client.clone().publish(request).await.unwrap();
    let changed = world.put(Title { name: "Kites".to_owned(), ..film("kite") }).await.unwrap();
    assert_eq!((changed.version.as_str(), changed.duration_us), ("v1", 7));
    assert_eq!(changed.artwork, "art/kite.jpg", "who names no artwork keeps it");
}

#[tokio::test]
async fn an_unpublished_title_is_listed_only_where_all_are() {
    let world = world().await;
    for id in ["a", "b", "c", "d"] {
        world.put(film(id)).await.unwrap();
        world.publish(id, "v1").await.unwrap();
    }
    let request = UnpublishRequest { title: "b".to_owned() };
    let unpublished = world.client.clone().unpublish(request.clone()).await.unwrap().into_inner();
    assert_eq!((unpublished.version.as_str(), unpublished.published_us, unpublished.duration_us), ("", 0, 0));
    assert_eq!(world.client.clone().unpublish(request).await.unwrap().into_inner(), unpublished);
    assert_eq!(world.listed(true, 0, "").await, ["a", "c", "d"]);
    assert_eq!(world.listed(false, 0, "").await, ["a", "b", "c", "d"]);
    assert_eq!(world.listed(true, 2, "").await, ["a", "c"]);
    assert_eq!(world.listed(true, 2, "c").await, ["d"]);
}

#[tokio::test]
async fn racing_publishers_leave_one_version_whole() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let versions: Vec<String> = (0..8).map(|i| format!("v{i}")).collect();
    let races: Vec<_> = versions.iter().map(|version| world.publish("kite", version)).collect();
    for result in futures::future::join_all(races).await {
        result.unwrap();
    }
    let title = world.get("kite").await.unwrap();
    assert!(versions.contains(&title.version));
    assert_eq!(title.revision, 9, "each took effect once");
}

async fn heard(log: &Events, count: usize) -> Vec<(String, String)> {
    let read = async {
        loop {
            let events = log.read(TOPIC, 0, 100).await.unwrap();
            if events.len() >= count {
                return events;
            }
            log.wait(TOPIC, events.len() as u64).await.unwrap();
        }
    };
    let events = tokio::time::timeout(SOON, read).await.expect("the events should be there by now");
    let decoded = events.into_iter().map(|event| {
        let published = TitlePublished::decode(event.payload).unwrap();
        assert_eq!(event.key, published.title);
        (published.title, published.version)
    });
    decoded.collect()
}

fn pair(title: &str, version: &str) -> (String, String) {
    (title.to_owned(), version.to_owned())
}

#[tokio::test]
async fn each_switch_is_announced_in_order_and_none_is_lost_by_a_restart() {
    let world = world().await;
    let log = events::open(&world.folder.path().join("events"), EventLogConfig::default()).await.unwrap();
    world.put(film("kite")).await.unwrap();
    world.put(film("boat")).await.unwrap();
    // Published while nobody announces: the process is stopped here and another one goes on.
    world.publish("kite", "v1").await.unwrap();
    world.publish("boat", "v1").await.unwrap();
    world.publish("kite", "v1").await.unwrap();
    let again = service(world.folder.path()).await;
    let shutdown = CancellationToken::new();
    let (announcer, events, stop) = (again.clone(), log.clone(), shutdown.clone());
    let announcing = tokio::spawn(async move { announcer.announce(events, stop).await });
    assert_eq!(heard(&log, 2).await, [pair("kite", "v1"), pair("boat", "v1")]);
    // And while it runs.
    let mut client = CatalogClient::new(Channel::local(again.server()));
    let request = PublishRequest {
        title: "kite".to_owned(),
        version: "v2".to_owned(),
        duration_us: 1,
        ..PublishRequest::default()
    };
    client.publish(request).await.unwrap();
    assert_eq!(heard(&log, 3).await, [pair("kite", "v1"), pair("boat", "v1"), pair("kite", "v2")]);
    shutdown.cancel();
    tokio::time::timeout(SOON, announcing).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let world = world().await;
    world.put(film("kite")).await.unwrap();
    let published = world.publish("kite", "v1").await.unwrap();
    let again = service(world.folder.path()).await;
    let mut client = CatalogClient::new(Channel::local(again.server()));
    let read = client.get_title(GetTitleRequest { id: "kite".to_owned() }).await.unwrap().into_inner();
    assert_eq!(read, published);
    drop(world.service);
}
