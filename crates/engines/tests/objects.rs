//! The contract of the object store, over every adapter: a folder, a bucket in memory, and S3 itself where
//! `MATINEE_TEST_S3` names an endpoint (`tests/engines/engine start versitygw` prints one).

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use matinee_engines::objects::bucket::BucketStore;
use matinee_engines::objects::folder::FolderStore;
use matinee_engines::objects::{ObjectError, ObjectStorage, Objects, S3Config};
use tempfile::TempDir;

/// The adapters, each over an empty store, and what keeps them alive.
async fn stores() -> Vec<(&'static str, ObjectStorage, TempDir)> {
    let mut stores: Vec<(&'static str, ObjectStorage, TempDir)> = Vec::new();
    let root = tempfile::tempdir().unwrap();
    stores.push(("folder", Arc::new(FolderStore::open(root.path()).unwrap()), root));
    let root = tempfile::tempdir().unwrap();
    stores.push(("memory", Arc::new(BucketStore::in_memory(root.path()).unwrap()), root));
    if let Some(config) = s3() {
        let root = tempfile::tempdir().unwrap();
        let config = S3Config { scratch: root.path().to_owned(), ..config };
        let store = BucketStore::s3(&config).unwrap();
        for key in store.list("").await.unwrap() {
            store.delete(&key).await.unwrap();
        }
        stores.push(("s3", Arc::new(store), root));
    }
    stores
}

/// A bucket of its own for each test, made by the S3 API's own request.
fn s3() -> Option<S3Config> {
    let endpoint = std::env::var("MATINEE_TEST_S3").ok()?;
    let bucket = format!("matinee-{}", uuid::Uuid::new_v4().simple());
    let created = std::process::Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--request", "PUT", "--user", "matinee:matinee-secret"])
        .args(["--aws-sigv4", "aws:amz:us-east-1:s3", &format!("{endpoint}/{bucket}")])
        .status()
        .unwrap();
    assert!(created.success(), "the bucket could not be made");
    Some(S3Config {
        endpoint,
        bucket,
        region: "us-east-1".to_owned(),
        access_key: "matinee".to_owned(),
        secret_key: "matinee-secret".to_owned(),
        scratch: std::env::temp_dir(),
    })
}

/// Bytes that repeat nowhere soon.
fn film(size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes.into()
}

#[tokio::test]
async fn what_is_put_is_read_back_whole_and_in_ranges() {
    for (name, store, _root) in stores().await {
        let film = film(3_000_000);
        let stored = store.put("work/ab12/chunk.mp4", film.clone()).await.unwrap();
        assert_eq!((stored.size, stored.blake3), (3_000_000, blake3::hash(&film).to_hex().to_string()), "{name}");
        assert_eq!(store.get("work/ab12/chunk.mp4").await.unwrap(), film, "{name}");
        for range in [0..1, 1_234_567..2_345_678, 2_999_999..3_000_000, 5..5, 3_000_000..3_000_000] {
            let expected = film.slice(range.start as usize..range.end as usize);
            assert_eq!(store.get_range("work/ab12/chunk.mp4", range.clone()).await.unwrap(), expected, "{name}");
            let pieces: Vec<Bytes> =
                store.stream("work/ab12/chunk.mp4", range).await.unwrap().try_collect().await.unwrap();
            assert_eq!(pieces.concat(), expected, "{name}");
        }
        for range in [0..3_000_001, 3_000_001..3_000_002, 4_000_000..5_000_000] {
            let refused = store.get_range("work/ab12/chunk.mp4", range.clone()).await;
            assert!(
                matches!(refused, Err(ObjectError::Range { size: 3_000_000, .. })),
                "{name} {range:?}: {refused:?}"
            );
            assert!(store.stream("work/ab12/chunk.mp4", range).await.is_err(), "{name}");
        }
        assert_eq!(store.size("work/ab12/chunk.mp4").await.unwrap(), Some(3_000_000), "{name}");
    }
}

#[tokio::test]
async fn a_put_replaces_and_a_removal_removes() {
    for (name, store, _root) in stores().await {
        store.put("a/b", Bytes::from_static(b"old and longer")).await.unwrap();
        store.put("a/b", Bytes::from_static(b"new")).await.unwrap();
        assert_eq!(store.get("a/b").await.unwrap(), "new", "{name}");
        store.delete("a/b").await.unwrap();
        store.delete("a/b").await.unwrap();
        assert!(matches!(store.get("a/b").await, Err(ObjectError::NotFound(_))), "{name}");
        assert!(matches!(store.get_range("a/b", 0..1).await, Err(ObjectError::NotFound(_))), "{name}");
        assert!(matches!(store.get_range("a/b", 0..0).await, Err(ObjectError::NotFound(_))), "{name}");
        assert!(matches!(store.stream("a/b", 0..1).await, Err(ObjectError::NotFound(_))), "{name}");
        assert!(matches!(store.local_file("a/b").await, Err(ObjectError::NotFound(_))), "{name}");
        assert_eq!(store.size("a/b").await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn a_key_that_could_leave_its_folder_is_refused() {
    let long = format!("a/{}", "x".repeat(201));
    let bad = [
        "",
        "/",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        "./a",
        ".parts/x",
        "a/.hidden",
        "a\\b",
        "é",
        "a b",
        "a\0",
        &long,
    ];
    for (name, store, _root) in stores().await {
        for key in bad {
            let refused = |error: Option<ObjectError>| {
                assert!(matches!(error, Some(ObjectError::Key(_))), "{name} {key:?}: {error:?}");
            };
            refused(store.put(key, Bytes::new()).await.err());
            refused(store.get(key).await.err());
            refused(store.get_range(key, 0..1).await.err());
            refused(store.stream(key, 0..1).await.err());
            refused(store.size(key).await.err());
            refused(store.local_file(key).await.err());
            refused(store.delete(key).await.err());
            refused(store.begin_parts(key).await.err());
        }
        assert!(matches!(store.list("../").await, Err(ObjectError::Key(_))), "{name}");
    }
}

#[tokio::test]
async fn keys_are_listed_by_whole_parts_and_in_order() {
    for (name, store, _root) in stores().await {
        for key in ["work/b/2", "work/b/1", "work/bb/1", "work/b/c/3", "masters/x"] {
            store.put(key, Bytes::from_static(b"x")).await.unwrap();
        }
        let parts = store.begin_parts("masters/begun").await.unwrap();
        store.write_part(&parts, 0, Bytes::from_static(b"hidden")).await.unwrap();
        store.sync_parts(&parts).await.unwrap();
        for prefix in ["work/b", "work/b/"] {
            assert_eq!(store.list(prefix).await.unwrap(), ["work/b/1", "work/b/2", "work/b/c/3"], "{name}");
        }
        assert_eq!(store.list("").await.unwrap().len(), 5, "{name}");
        assert!(store.list("nothing/here").await.unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_finished_file_is_taken_in_and_gone() {
    for (name, store, _root) in stores().await {
        for size in [0, 1000, 20_000_000] {
            let film = film(size);
            let elsewhere = tempfile::tempdir().unwrap();
            let (ours, theirs) = (store.scratch_path("../track one.mp4"), elsewhere.path().join("track.mp4"));
            for file in [ours, theirs] {
                std::fs::write(&file, &film).unwrap();
                let stored = store.put_file("work/k/track.mp4", &file).await.unwrap();
                assert_eq!(stored.size, size as u64, "{name}");
                assert_eq!(stored.blake3, blake3::hash(&film).to_hex().to_string(), "{name}");
                assert!(!file.exists(), "{name}");
                assert_eq!(store.get("work/k/track.mp4").await.unwrap(), film, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_local_file_is_what_was_stored_and_its_copy_goes() {
    for (name, store, _root) in stores().await {
        let film = film(100_000);
        store.put("masters/m/film.mp4", film.clone()).await.unwrap();
        let local = store.local_file("masters/m/film.mp4").await.unwrap();
        assert_eq!(std::fs::read(&local.path).unwrap(), film, "{name}");
        let copy = local.copy.as_ref().map(|copy| copy.0.clone());
        drop(local);
        assert!(copy.is_none_or(|copy| !copy.exists()), "{name}");
        assert_eq!(store.size("masters/m/film.mp4").await.unwrap(), Some(100_000), "{name}");
    }
}

#[tokio::test]
async fn parts_become_one_object_at_once() {
    for (name, store, _root) in stores().await {
        let film = film(30_000_000);
        let parts = store.begin_parts("masters/m/film.mp4").await.unwrap();
        assert_eq!(store.sync_parts(&parts).await.unwrap(), 0, "{name}");
        let mut at = 0;
        for piece in [1, 999_999, 4_000_000, 13_000_000, 30_000_000_usize] {
            let end = piece.max(at);
            store.write_part(&parts, at as u64, film.slice(at..end)).await.unwrap();
            assert_eq!(store.sync_parts(&parts).await.unwrap(), end as u64, "{name}");
            assert_eq!(store.size("masters/m/film.mp4").await.unwrap(), None, "{name}");
            at = end;
        }
        store.finish_parts(&parts, "masters/m/film.mp4").await.unwrap();
        assert!(store.get("masters/m/film.mp4").await.unwrap() == film, "{name}");
        store.finish_parts(&parts, "masters/m/film.mp4").await.unwrap();
        assert!(store.write_part(&parts, 0, Bytes::new()).await.is_err(), "{name}");
        assert_eq!(store.list("").await.unwrap(), ["masters/m/film.mp4"], "{name}");
    }
}

#[tokio::test]
async fn parts_go_back_to_what_was_synced() {
    for (name, store, _root) in stores().await {
        let film = film(25_000_000);
        let parts = store.begin_parts("m").await.unwrap();
        store.write_part(&parts, 0, film.slice(..10_000_000)).await.unwrap();
        assert_eq!(store.sync_parts(&parts).await.unwrap(), 10_000_000);
        store.write_part(&parts, 10_000_000, Bytes::from(vec![0; 9_000_000])).await.unwrap();
        store.write_part(&parts, 10_000_000, film.slice(10_000_000..12_000_000)).await.unwrap();
        assert_eq!(store.sync_parts(&parts).await.unwrap(), 12_000_000, "{name}");
        store.write_part(&parts, 12_000_000, Bytes::from(vec![0; 100])).await.unwrap();
        assert_eq!(store.sync_parts(&parts).await.unwrap(), 12_000_100, "{name}");
        // The caller was killed before it noted the last sync.
        store.write_part(&parts, 12_000_000, film.slice(12_000_000..)).await.unwrap();
        let gap = store.write_part(&parts, 26_000_000, Bytes::from_static(b"x")).await;
        assert!(matches!(gap, Err(ObjectError::Engine { .. })), "{name}: {gap:?}");
        store.finish_parts(&parts, "m").await.unwrap();
        assert!(store.get("m").await.unwrap() == film, "{name}");
    }
}

#[tokio::test]
async fn an_empty_object_and_thrown_away_parts() {
    for (name, store, _root) in stores().await {
        let empty = store.begin_parts("empty").await.unwrap();
        store.finish_parts(&empty, "empty").await.unwrap();
        assert_eq!(store.size("empty").await.unwrap(), Some(0), "{name}");
        let parts = store.begin_parts("gone").await.unwrap();
        store.write_part(&parts, 0, film(9_000_000)).await.unwrap();
        store.sync_parts(&parts).await.unwrap();
        store.abort_parts(&parts).await.unwrap();
        store.abort_parts(&parts).await.unwrap();
        assert!(matches!(store.sync_parts(&parts).await, Err(ObjectError::NotFound(_))), "{name}");
        assert!(matches!(store.finish_parts(&parts, "gone").await, Err(ObjectError::NotFound(_))), "{name}");
        assert_eq!(store.size("gone").await.unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn parts_survive_a_restart_of_the_process() {
    let film = film(20_000_000);
    let root = tempfile::tempdir().unwrap();
    let folder = || FolderStore::open(root.path()).unwrap();
    restart(folder(), folder, &film).await;
    if let Some(config) = s3() {
        let scratch = tempfile::tempdir().unwrap();
        let config = S3Config { scratch: scratch.path().to_owned(), ..config };
        let bucket = || BucketStore::s3(&config).unwrap();
        restart(bucket(), bucket, &film).await;
    }
}

async fn restart<S: Objects>(first: S, again: impl Fn() -> S, film: &Bytes) {
    let parts = first.begin_parts("m").await.unwrap();
    first.write_part(&parts, 0, film.slice(..11_000_000)).await.unwrap();
    first.sync_parts(&parts).await.unwrap();
    drop(first);
    let second = again();
    assert_eq!(second.sync_parts(&parts).await.unwrap(), 11_000_000);
    second.write_part(&parts, 11_000_000, film.slice(11_000_000..12_000_000)).await.unwrap();
    second.sync_parts(&parts).await.unwrap();
    drop(second);
    let third = again();
    third.write_part(&parts, 12_000_000, film.slice(12_000_000..)).await.unwrap();
    third.finish_parts(&parts, "m").await.unwrap();
    drop(third);
    let last = again();
    last.finish_parts(&parts, "m").await.unwrap();
    assert!(last.get("m").await.unwrap() == film);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_the_old_whole_or_the_new_whole() {
    for (name, store, _root) in stores().await {
        let (one, two) = (Bytes::from(vec![1; 300_000]), Bytes::from(vec![2; 400_000]));
        store.put("k", one.clone()).await.unwrap();
        let (writer, other, first) = (Arc::clone(&store), two.clone(), one.clone());
        let writing = tokio::spawn(async move {
            for turn in 0..20 {
                writer.put("k", if turn % 2 == 0 { other.clone() } else { first.clone() }).await.unwrap();
            }
        });
        while !writing.is_finished() {
            let seen = store.get("k").await.unwrap();
            assert!(seen == one || seen == two, "{name}: {} bytes of both", seen.len());
            // An adapter that never waits would leave the writer no turn.
            tokio::task::yield_now().await;
        }
        writing.await.unwrap();
    }
}

/// On a file system of one mebibyte, where this user may mount one.
#[test]
fn a_full_disk_is_said_so_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "matinee-test"])
        .arg(root.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: a small file system can't be mounted here");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = FolderStore::open(root.path()).unwrap();
        let parts = store.begin_parts("m").await.unwrap();
        store.write_part(&parts, 0, Bytes::from(vec![1; 600_000])).await.unwrap();
        let full = store.write_part(&parts, 600_000, Bytes::from(vec![2; 600_000])).await;
        assert!(matches!(full, Err(ObjectError::NoSpace { .. })), "{full:?}");
        assert_eq!(store.sync_parts(&parts).await.unwrap(), 600_000);
        let full = store.put("other", Bytes::from(vec![3; 900_000])).await;
        assert!(matches!(full, Err(ObjectError::NoSpace { .. })), "{full:?}");
        store.write_part(&parts, 600_000, Bytes::from(vec![2; 100_000])).await.unwrap();
        store.finish_parts(&parts, "m").await.unwrap();
        assert_eq!(store.size("m").await.unwrap(), Some(700_000));
        assert_eq!(store.size("other").await.unwrap(), None);
    });
    drop(runtime);
    let unmounted = std::process::Command::new("umount").arg(root.path()).status().unwrap();
    assert!(unmounted.success());
}
