//! The lake, through its contract and the event log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};
use matinee_contracts::catalog::Title;
use matinee_contracts::events::{
    AccountChanged, AccountDeleted, AccountMade, Heartbeat, OpinionChanged, ProfileDeleted, SegmentRequested,
    SubscriptionChanged, TitleChanged, account_changed::What,
};
use matinee_contracts::lake::FilesRequest;
use matinee_contracts::ratings::Opinion;
use matinee_contracts::telemetry::{Beat, PlayState, Quality, SegmentRequest};
use matinee_engines::events::EventLog;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::world::{HOUR_US, NOON_US, World};

fn heartbeat(account: &str, profile: &str) -> Heartbeat {
    let quality =
        Some(Quality { start_ms: 800, bits_per_second: u32::MAX, error: "3016".to_owned(), ..Quality::default() });
    let state = PlayState::Stalled.into();
    let beat = Beat {
        title: "film".to_owned(),
        session: "s".to_owned(),
        sequence: 3,
        at_us: 77,
        state,
        quality,
        ..Beat::default()
    };
    let (account, profile) = (account.to_owned(), profile.to_owned());
    Heartbeat { account, profile, beat: Some(beat), received_us: 78, ..Heartbeat::default() }
}

#[tokio::test]
async fn a_caller_that_leaves_early_loses_no_event() {
    let world = World::open().await;
    for patience in 0..40 {
        world.tell("heartbeats", &heartbeat("acc", "p1")).await;
        let mut flush = Box::pin(world.flush());
        // So many times it is looked whether it is done.
        for _ in 0..patience {
            if futures::poll!(&mut flush).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(flush);
        world.tell("heartbeats", &heartbeat("acc", "p2")).await;
    }
    world.flush().await;
    assert_eq!(world.offsets("heartbeats").await, (0..80).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_become_typed_rows_of_their_day() {
    let world = World::open().await;
    world.tell("heartbeats", &heartbeat("acc", "p1")).await;
    assert_eq!(world.flush().await, 1);
    let files = world.files("heartbeats").await;
    assert_eq!(files.len(), 1);
    let file = &files[0];
    assert!(file.object.starts_with("lake/heartbeats/day=2026-11-25/"), "{}", file.object);
    assert_eq!((file.rows, file.first_offset, file.last_offset, file.day.as_str()), (1, 0, 0, "2026-11-25"));
    assert_eq!(world.objects.size(&file.object).await.unwrap(), Some(file.size));
    let rows = world.rows("heartbeats").await.remove(0);
    assert_eq!(rows["state"].as_string::<i32>().value(0), "stalled");
    assert_eq!(rows["error"].as_string::<i32>().value(0), "3016");
    assert_eq!(rows["at"].as_primitive::<TimestampMicrosecondType>().value(0), 77);
    assert_eq!(rows["start_ms"].as_primitive::<Int32Type>().value(0), 800);
    assert_eq!(
        rows["bits_per_second"].as_primitive::<Int32Type>().value(0),
        i32::MAX,
        "what no column holds is the most"
    );
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(rows.schema().field_with_name("logged").unwrap().data_type(), &utc);
}

#[tokio::test]
async fn each_topic_has_its_columns() {
    let world = World::open().await;
    let opinion = Some(Opinion { title: "film".to_owned(), thumb: 3, listed: true, ..Opinion::default() });
    world.tell("ratings", &OpinionChanged { profile: "p1".to_owned(), opinion, at_us: 5 }).await;
    let genres = vec!["drama".to_owned(), "war".to_owned()];
    let title = Some(Title { id: "film".to_owned(), genres, kind: 2, ..Title::default() });
    world.tell("catalog", &TitleChanged { title, deleted: false, at_us: 6 }).await;
    world
        .tell("subscriptions", &SubscriptionChanged { plan: "basic".to_owned(), ..SubscriptionChanged::default() })
        .await;
    let what = Some(What::Made(AccountMade { territory: "FR".to_owned() }));
    world.tell("accounts", &AccountChanged { account: "acc".to_owned(), what, at_us: 7 }).await;
    let request = SegmentRequest { object: "video".to_owned(), starved: true, ..SegmentRequest::default() };
    let (request, territory) = (Some(request), "FR".to_owned());
    world.tell("segments", &SegmentRequested { request, territory, ..SegmentRequested::default() }).await;
    assert_eq!(world.flush().await, 5);
    let segments = world.rows("segments").await.remove(0);
    assert!(segments["starved"].as_boolean().value(0));
    assert_eq!(segments["buffer_ms"].as_primitive::<Int32Type>().value(0), -1);
    assert_eq!(world.texts("segments", "object").await, ["video"]);
    assert_eq!(world.texts("ratings", "thumb").await, ["love"]);
    assert_eq!(world.texts("catalog", "kind").await, ["series"]);
    let rows = world.rows("catalog").await.remove(0);
    let its = rows["genres"].as_list::<i32>().value(0);
    assert_eq!(its.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["drama", "war"]);
    assert_eq!(world.texts("subscriptions", "plan").await, ["basic"]);
    assert_eq!(world.texts("accounts", "territory").await, ["FR"]);
}

#[tokio::test]
async fn a_crash_after_a_file_was_written_writes_no_event_twice() {
    let world = World::open().await;
    for _ in 0..3 {
        world.tell("heartbeats", &heartbeat("acc", "p1")).await;
    }
    world.log.commits_fail.store(true, Ordering::SeqCst);
    world.client.clone().flush(matinee_contracts::lake::FlushRequest {}).await.unwrap_err();
    world.log.commits_fail.store(false, Ordering::SeqCst);
    // More events came before the next try: the file of the first would not be the same.
    world.tell("heartbeats", &heartbeat("acc", "p1")).await;
    let world = world.restarted();
    world.flush().await;
    assert_eq!(world.offsets("heartbeats").await, [0, 1, 2, 3]);
    assert_eq!(world.files("heartbeats").await.len(), 2);
}

#[tokio::test]
async fn a_day_has_files_of_its_own() {
    let world = World::open().await;
    for hour in [0, 6, 11, 13, 14] {
        world.at(NOON_US + hour * HOUR_US);
        world.tell("heartbeats", &heartbeat("acc", "p1")).await;
    }
    world.flush().await;
    let files = world.files("heartbeats").await;
    let days: Vec<(&str, u64)> = files.iter().map(|file| (file.day.as_str(), file.rows)).collect();
    assert_eq!(days, [("2026-11-25", 3), ("2026-11-26", 2)]);
    let request =
        FilesRequest { topic: String::new(), from_day: "2026-11-26".to_owned(), until_day: "2026-11-26".to_owned() };
    assert_eq!(world.client.clone().files(request).await.unwrap().into_inner().files.len(), 1);
}

#[tokio::test]
async fn what_no_one_can_read_is_passed_over() {
    let world = World::open().await;
    world.log.append("ratings", "key", b"\xff\xff".as_slice().into()).await.unwrap();
    assert_eq!(world.flush().await, 0);
    assert!(world.files("ratings").await.is_empty());
    world.tell("ratings", &OpinionChanged { profile: "p1".to_owned(), ..OpinionChanged::default() }).await;
    let world = world.restarted();
    assert_eq!(world.flush().await, 1);
    assert_eq!(world.offsets("ratings").await, [1]);
}

#[tokio::test]
async fn small_files_become_one_and_nothing_is_lost_or_doubled() {
    let world = World::open().await;
    for n in 0..5 {
        world.tell("heartbeats", &heartbeat("acc", &format!("p{n}"))).await;
        world.flush().await;
    }
    assert_eq!(world.files("heartbeats").await.len(), 5);
    world.at(NOON_US + 24 * HOUR_US);
    world.service.tidy().await.unwrap();
    let files = world.files("heartbeats").await;
    assert_eq!((files.len(), files[0].rows, files[0].first_offset, files[0].last_offset), (1, 5, 0, 4));
    assert_eq!(world.objects.list("lake/heartbeats").await.unwrap().len(), 6, "who reads the old ones can end");
    world.service.tidy().await.unwrap();
    assert_eq!(world.objects.list("lake/heartbeats").await.unwrap().len(), 1);
    world.tell("heartbeats", &heartbeat("acc", "p9")).await;
    let world = world.restarted();
    world.flush().await;
    assert_eq!(world.offsets("heartbeats").await, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn who_was_deleted_is_taken_out() {
    let world = World::open().await;
    for (account, profile) in [("a1", "p1"), ("a1", "p2"), ("a2", "p3"), ("a2", "p4")] {
        world.tell("heartbeats", &heartbeat(account, profile)).await;
        world.tell("ratings", &OpinionChanged { profile: profile.to_owned(), ..OpinionChanged::default() }).await;
        world
            .tell(
                "subscriptions",
                &SubscriptionChanged { account: account.to_owned(), ..SubscriptionChanged::default() },
            )
            .await;
    }
    let account = |what| AccountChanged { account: "a1".to_owned(), what: Some(what), at_us: 7 };
    world.tell("accounts", &account(What::Made(AccountMade::default()))).await;
    let profiles = vec!["p1".to_owned(), "p2".to_owned()];
    world.tell("accounts", &account(What::Deleted(AccountDeleted { profiles }))).await;
    let what = Some(What::ProfileDeleted(ProfileDeleted { profile: "p3".to_owned() }));
    world.tell("accounts", &AccountChanged { account: "a2".to_owned(), what, at_us: 8 }).await;
    world.flush().await;
    world.service.tidy().await.unwrap();
    assert_eq!(world.texts("heartbeats", "profile").await, ["p4"]);
    assert_eq!(world.texts("ratings", "profile").await, ["p4"]);
    assert_eq!(world.texts("subscriptions", "account").await, ["a2", "a2"]);
    assert_eq!(world.texts("accounts", "what").await, ["deleted", "profile_deleted"]);
    // One that was on its way comes later; in a day it is gone too, and the numbers go on.
    world.tell("heartbeats", &heartbeat("a1", "p1")).await;
    let world = world.restarted();
    world.flush().await;
    assert_eq!(world.texts("heartbeats", "profile").await, ["p4", "p1"]);
    world.at(NOON_US + 25 * HOUR_US);
    world.service.tidy().await.unwrap();
    assert_eq!(world.texts("heartbeats", "profile").await, ["p4"]);
    // Settled now: a round looks at nothing any more.
    assert_eq!(world.objects.get("lake/erased").await.unwrap(), r#"{"next":3}"#);
}

#[tokio::test]
async fn events_are_taken_as_they_come_and_the_rest_when_it_stops() {
    let world = World::open().await;
    let (service, stop) = (world.service.clone(), CancellationToken::new());
    let stopped = stop.clone();
    let running = tokio::spawn(async move { service.consume(stopped).await });
    world.tell("heartbeats", &heartbeat("acc", "p1")).await;
    let written = async {
        // A flush waits for the loop's turn.
        while world.flush().await == 0 && world.files("heartbeats").await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written).await.unwrap();
    world.tell("heartbeats", &heartbeat("acc", "p2")).await;
    stop.cancel();
    running.await.unwrap();
    world.flush().await;
    assert_eq!(world.texts("heartbeats", "profile").await, ["p1", "p2"]);
}

#[tokio::test]
async fn fields_that_cannot_be_taken_are_named() {
    let world = World::open().await;
    let ask = |topic: &str, from: &str, until: &str| FilesRequest {
        topic: topic.to_owned(),
        from_day: from.to_owned(),
        until_day: until.to_owned(),
    };
    for (request, expected) in [
        (ask("masters", "", ""), "topic is refused"),
        (ask("", "yesterday", ""), "from_day is refused"),
        (ask("", "", "2026-02-30"), "until_day is refused"),
    ] {
        let status = world.client.clone().files(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(expected), "{}", status.message());
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Tell,
    Flush,
    /// A flush whose commit fails.
    Fail,
    Crash,
    Tidy,
    Later,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn each_event_is_there_once_whatever_happens(steps in proptest::collection::vec(prop_oneof![
        4 => Just(Step::Tell), 2 => Just(Step::Flush), 1 => Just(Step::Fail), 1 => Just(Step::Crash), 1 => Just(Step::Tidy), 1 => Just(Step::Later),
    ], 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut world, mut told, mut now_us) = (World::open().await, 0_i64, NOON_US);
            for step in steps {
                match step {
                    Step::Tell => {
                        world.tell("heartbeats", &heartbeat("acc", "p1")).await;
                        told += 1;
                    }
                    Step::Flush => {
                        world.flush().await;
                    }
                    Step::Fail => {
                        world.log.commits_fail.store(true, Ordering::SeqCst);
                        let _ = world.client.clone().flush(matinee_contracts::lake::FlushRequest {}).await;
                        world.log.commits_fail.store(false, Ordering::SeqCst);
                    }
                    Step::Crash => world = world.restarted(),
                    Step::Tidy => world.service.tidy().await.unwrap(),
                    Step::Later => {
                        now_us += 9 * HOUR_US;
                        world.at(now_us);
                    }
                }
            }
            world.flush().await;
            let mut offsets = world.offsets("heartbeats").await;
            offsets.sort_unstable();
            assert_eq!(offsets, (0..told).collect::<Vec<_>>());
        });
    }
}
