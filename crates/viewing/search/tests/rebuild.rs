//! The index: kept over restarts, built anew beside the one that answers, and mended by itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use matinee_contracts::catalog::Title;
use matinee_contracts::search::RebuildRequest;
use matinee_search::consume::TOPIC;
use tonic::Code;
use world::{SOON, World, movie};

fn indexes(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("search")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

#[tokio::test]
async fn the_index_goes_on_after_a_restart_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("one", "Meridian One"), movie("two", "Meridian Two")]).await;
    let before = world.read_to(0).await;
    let catalogue = world.close().await;
    let world = World::with(folder.path(), catalogue).await;
    assert_eq!(world.read_to(2).await, before, "nothing is built again");
    assert_eq!(world.answer("meridian").await.total, 2);
    world.put([Title { revision: 2, ..movie("two", "Equator") }, movie("three", "Meridian Three")]).await;
    assert_eq!(world.answer("meridian").await.total, 2);
    assert_eq!(world.found("equator").await, ["two"]);
    world.delete("one").await;
    world.put([movie("one", "Meridian Once More")]).await;
    let catalogue = world.close().await;
    let world = World::with(folder.path(), catalogue).await;
    assert_eq!(world.read_to(0).await.titles, 3);
    assert_eq!(world.found("once more").await, ["one"]);
    world.close().await;
}

#[tokio::test]
async fn an_older_state_does_not_replace_a_newer_one_and_what_is_no_change_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([Title { revision: 5, ..movie("film", "Newer") }]).await;
    world.log.append(TOPIC, "film", vec![0xff; 9].into()).await.unwrap();
    world.log.append(TOPIC, "film", Vec::new().into()).await.unwrap();
    world.put([Title { revision: 4, ..movie("film", "Older") }]).await;
    assert_eq!((world.answer("newer").await.total, world.answer("older").await.total), (1, 0));
    world.close().await;
}

#[tokio::test]
async fn a_rebuilt_index_has_all_and_the_old_one_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("film", "Meridian")]).await;
    // In the catalogue, but its event was lost.
    world.catalogue.titles.lock().unwrap().insert("lost".to_owned(), movie("lost", "Meridian Lost"));
    // Written while the list is read.
    let late = (world.log.clone(), movie("late", "Meridian Late"));
    *world.catalogue.meanwhile.lock().unwrap() = Some(late);
    let before = world.read_to(0).await;
    let built = world.client.clone().rebuild(RebuildRequest {}).await.unwrap().into_inner();
    assert_ne!(built.index, before.index);
    assert_eq!(built.titles, 3);
    assert_eq!(world.answer("meridian").await.total, 3);
    assert_eq!(indexes(folder.path()), [folder.path().join("search").join(&built.index)]);
    world.put([movie("after", "Meridian After")]).await;
    assert_eq!(world.answer("meridian").await.total, 4);
    let catalogue = world.close().await;
    let world = World::with(folder.path(), catalogue).await;
    assert_eq!(world.read_to(0).await.index, built.index);
    assert_eq!(world.answer("meridian").await.total, 4);
    world.close().await;
}

#[tokio::test]
async fn a_rebuild_that_fails_or_is_cut_short_leaves_the_old_index() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("film", "Meridian")]).await;
    let before = world.read_to(0).await;
    world.catalogue.fails.store(true, Ordering::SeqCst);
    let status = world.client.clone().rebuild(RebuildRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(world.read_to(0).await, before);
    assert_eq!(world.answer("meridian").await.total, 1);
    let catalogue = world.close().await;
    // What a process that died half way leaves.
    let begun = folder.path().join("search/index-00000099");
    fs::create_dir_all(&begun).unwrap();
    fs::write(begun.join("meta.json"), b"{").unwrap();
    let world = World::with(folder.path(), catalogue).await;
    assert_eq!(world.read_to(0).await, before);
    assert!(!begun.exists());
    world.close().await;
}

/// Spoils the index in `folder`, and says how.
type Spoil = fn(&Path);

fn cut_short(folder: &Path) {
    for file in files(folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "idx" || e == "term")) {
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
}

fn one_bit(folder: &Path) {
    let file = files(folder).into_iter().find(|path| path.extension().is_some_and(|e| e == "store")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[3] ^= 1;
    fs::write(&file, &bytes).unwrap();
}

fn no_meta(folder: &Path) {
    fs::write(folder.join("meta.json"), b"").unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn an_index_that_is_damaged_or_missing_is_built_again_by_itself() {
    let spoils: [Spoil; 5] = [
        cut_short,
        one_bit,
        no_meta,
        |folder| fs::remove_dir_all(folder).unwrap(),
        |folder| fs::remove_dir_all(folder.parent().unwrap()).unwrap(),
    ];
    for (n, spoil) in spoils.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open(folder.path()).await;
        world.put([movie("film", "Meridian"), movie("other", "Equator")]).await;
        let catalogue = world.close().await;
        spoil(&indexes(folder.path())[0]);
        catalogue.fails.store(true, Ordering::SeqCst);
        let world = World::with(folder.path(), catalogue).await;
        let status = world.ask(world::question("meridian")).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "the index is being built"), "{n}");
        world.catalogue.fails.store(false, Ordering::SeqCst);
        assert_eq!(world.read_to(2).await.titles, 2, "{n}");
        assert_eq!(world.found("meridian").await, ["film"], "{n}");
        world.close().await;
    }
}

#[tokio::test]
async fn where_the_named_index_is_damaged_an_older_one_that_is_whole_answers() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("film", "Meridian")]).await;
    let catalogue = world.close().await;
    let old = indexes(folder.path()).remove(0);
    let damaged = folder.path().join("search/index-00000099");
    fs::create_dir(&damaged).unwrap();
    fs::write(folder.path().join("search/current"), "index-00000099\n").unwrap();
    catalogue.fails.store(true, Ordering::SeqCst);
    let world = World::with(folder.path(), catalogue).await;
    assert_eq!(world.read_to(1).await.index, old.file_name().unwrap().to_str().unwrap());
    world.put([movie("other", "Equator")]).await;
    assert_eq!((world.answer("meridian").await.total, world.answer("equator").await.total), (1, 1));
    world.close().await;
}

#[tokio::test]
async fn where_the_log_is_another_one_the_index_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.put([movie("one", "Meridian One"), movie("two", "Meridian Two")]).await;
    let before = world.read_to(0).await;
    let catalogue = world.close().await;
    fs::remove_dir_all(folder.path().join("events")).unwrap();
    let world = World::with(folder.path(), catalogue).await;
    let switched = async {
        while world.read_to(0).await.index == before.index {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, switched).await.unwrap();
    world.put([movie("three", "Meridian Three")]).await;
    assert_eq!(world.answer("meridian").await.total, 3);
    world.close().await;
}
