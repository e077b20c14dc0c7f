//! The contract of the event log, over every adapter that this build has: the embedded one.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use matinee_engines::events::{self, EmbeddedLog, EventError, EventLog, EventLogConfig, Events};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

async fn open(folder: &Path) -> Events {
    events::open(folder, EventLogConfig::default()).await.unwrap()
}

fn payload(number: u64) -> Bytes {
    Bytes::from(format!("event {number}"))
}

#[tokio::test]
async fn events_are_numbered_and_read_back_in_order_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).await;
    for number in 0..5 {
        assert_eq!(log.append("masters", "film", payload(number)).await.unwrap(), number);
    }
    assert_eq!(log.append("titles", "film", payload(0)).await.unwrap(), 0);
    drop(log);
    let log = open(folder.path()).await;
    assert_eq!(log.append("masters", "film", payload(5)).await.unwrap(), 5);
    let read = log.read("masters", 2, 3).await.unwrap();
    assert_eq!(read.iter().map(|e| e.offset).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!((read[0].key.as_str(), &read[0].payload), ("film", &payload(2)));
    assert_eq!(log.read("masters", 6, 10).await.unwrap(), []);
    assert_eq!(log.read("nothing-yet", 0, 10).await.unwrap(), []);
}

#[tokio::test]
async fn many_appends_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).await;
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..2000 {
        let log = Arc::clone(&log);
        appends.spawn(async move { (log.append("load", "k", payload(number)).await.unwrap(), number) });
    }
    let given: BTreeSet<(u64, u64)> = appends.join_all().await.into_iter().collect();
    let read = log.read("load", 0, 5000).await.unwrap();
    assert_eq!(read.len(), 2000);
    for (event, (offset, number)) in read.iter().zip(&given) {
        assert_eq!((event.offset, &event.payload), (*offset, &payload(*number)));
    }
}

#[tokio::test]
async fn a_group_goes_on_where_it_was_and_waits_for_more() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).await;
    assert_eq!(log.committed("masters", "workflow").await.unwrap(), 0);
    log.append("masters", "film", payload(0)).await.unwrap();
    log.wait("masters", 0).await.unwrap();
    log.commit("masters", "workflow", 1).await.unwrap();
    drop(log);
    let log = open(folder.path()).await;
    assert_eq!(log.committed("masters", "workflow").await.unwrap(), 1);
    assert_eq!(log.committed("masters", "another").await.unwrap(), 0);
    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.wait("masters", 1).await }
    });
    log.append("masters", "film", payload(1)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn the_oldest_files_go_and_reading_begins_with_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = EventLogConfig { segment_bytes: 1000, keep_bytes: 3000 };
    let log = events::open(folder.path(), config).await.unwrap();
    for number in 0..200 {
        log.append("masters", "film", payload(number)).await.unwrap();
    }
    let read = log.read("masters", 0, 1000).await.unwrap();
    let first = read[0].offset;
    assert!(first > 0 && first < 190, "{first}");
    assert_eq!(read.iter().map(|e| e.offset).collect::<Vec<_>>(), (first..200).collect::<Vec<_>>());
    let kept: u64 = std::fs::read_dir(folder.path().join("topics/masters"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(kept <= 4100, "{kept} bytes are kept");
    drop(log);
    let log = events::open(folder.path(), config).await.unwrap();
    assert_eq!(log.append("masters", "film", payload(200)).await.unwrap(), 200);
    assert_eq!(log.read("masters", 150, 1000).await.unwrap().len(), 51);
}

#[tokio::test]
async fn what_can_not_be_kept_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).await;
    for bad in ["", "../x", "Masters", "a/b", "a.b"] {
        assert!(matches!(log.append(bad, "k", Bytes::new()).await, Err(EventError::Name { .. })), "{bad:?}");
        assert!(matches!(log.committed("masters", bad).await, Err(EventError::Name { .. })), "{bad:?}");
    }
    let long = Bytes::from(vec![0; events::MAX_PAYLOAD + 1]);
    assert!(matches!(log.append("masters", "k", long).await, Err(EventError::TooLong { .. })));
    let second = events::open(folder.path(), EventLogConfig::default()).await;
    assert!(matches!(second, Err(EventError::InUse(_))), "{second:?}");
}

#[tokio::test]
async fn damage_among_older_events_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = EventLogConfig { segment_bytes: 500, keep_bytes: 1 << 20 };
    let log = events::open(folder.path(), config).await.unwrap();
    for number in 0..100 {
        log.append("masters", "film", payload(number)).await.unwrap();
    }
    let first = folder.path().join("topics/masters/00000000000000000000.log");
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    let read = log.read("masters", 0, 1000).await;
    assert!(matches!(&read, Err(EventError::Damaged { topic, .. }) if topic == "masters"), "{read:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A crash can leave any number of bytes of the last write, with anything after them.
    #[test]
    fn a_log_torn_at_any_byte_keeps_all_whole_events(
        sizes in proptest::collection::vec(0usize..300, 1..20), cut in any::<usize>(), rubbish: Vec<u8>
    ) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (whole, kept) = runtime.block_on(async {
            let log = EmbeddedLog::open(folder.path(), EventLogConfig::default()).unwrap();
            for size in &sizes {
                log.append("t", "key", Bytes::from(vec![7; *size])).await.unwrap();
            }
            drop(log);
            let file = folder.path().join("topics/t/00000000000000000000.log");
            let mut bytes = std::fs::read(&file).unwrap();
            let cut = cut % (bytes.len() + 1);
            let mut ends = sizes.iter().scan(0, |end, size| { *end += 8 + 10 + 3 + size; Some(*end) });
            let whole = ends.by_ref().take_while(|end| *end <= cut).count();
            bytes.truncate(cut);
            bytes.extend_from_slice(&rubbish);
            std::fs::write(&file, bytes).unwrap();
            let log = EmbeddedLog::open(folder.path(), EventLogConfig::default()).unwrap();
            let next = log.append("t", "key", Bytes::from_static(b"after")).await.unwrap();
            let kept = log.read("t", 0, 100).await.unwrap();
            assert_eq!(next + 1, kept.len() as u64);
            assert_eq!(kept.last().unwrap().payload, "after");
            for (event, size) in kept.iter().zip(&sizes).take(whole) {
                assert_eq!(event.payload.len(), *size);
            }
            (whole, kept.len() - 1)
        });
        prop_assert_eq!(whole, kept);
    }
}
