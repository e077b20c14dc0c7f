//! The whole system under faults: the real program, killed at any point, with damaged files and a full disk.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod house;

use std::collections::BTreeMap;
use std::time::Duration;

use house::{House, film, wait};
use serde_json::Value;

const SMALL: &[(&str, &str)] = &[
    ("MATINEE_ENCODE__CHUNK_SECONDS", "4"),
    ("MATINEE_ENCODE__VMAF_SHARE", "0.05"),
    ("MATINEE_WORKER__CPU_SLOTS", "2"),
];

fn done(workflow: &Value) -> BTreeMap<String, String> {
    let tasks = workflow["taskList"].as_array().unwrap();
    let done = tasks.iter().filter(|t| t["state"] == "done");
    done.map(|t| (t["name"].as_str().unwrap().to_owned(), t["endedAt"].as_str().unwrap_or("").to_owned())).collect()
}

fn task<'a>(workflow: &'a Value, name: &str) -> Option<&'a Value> {
    workflow["taskList"].as_array()?.iter().find(|t| t["name"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_again_and_again_finishes_the_film_and_repeats_no_finished_task() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 22, "426x240", &[]);
    house.start(&[]).await;
    house.add("killed", &file);
    let mut finished = BTreeMap::new();
    // Killed as soon as there is one more finished task than at the last kill, until nothing is left to be killed.
    let mut kills = 0;
    while kills < 6 {
        let before = finished.len();
        let workflow = wait(Duration::from_secs(120), "one more finished task", async || {
            let workflow = house.workflow("killed").await?;
            (workflow["state"] == "completed" || done(&workflow).len() > before).then_some(workflow)
        })
        .await;
        finished = done(&workflow);
        if workflow["state"] == "completed" {
            break;
        }
        house.kill();
        kills += 1;
        house.start(&[]).await;
        let after = done(&house.workflow("killed").await.unwrap());
        for (name, ended) in &finished {
            assert_eq!(after.get(name), Some(ended), "{name} was finished before the kill");
        }
    }
    assert!(kills >= 3, "the film was finished after {kills} kills already");
    let title = house.published("killed").await;
    assert!((title["durationSeconds"].as_f64().unwrap() - 22.0).abs() < 0.1, "{title}");
    let workflow = house.workflow("killed").await.unwrap();
    for (name, ended) in &finished {
        assert_eq!(done(&workflow).get(name), Some(ended), "{name} was run again");
    }
    // Nothing half-written is left where readers look.
    let versions = house.data.join("objects/versions");
    assert_eq!(std::fs::read_dir(versions).unwrap().count(), 1, "published once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_costs_only_its_own_tasks() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 20, "640x360", &[]);
    house.start(&["ingest", "workflow", "catalog", "license", "playback", "origin", "edge", "gateway"]).await;
    let mut first = house.beside("first", "worker");
    house.add("worker", &file);
    let encoding = |w: &Value, state: &str| {
        let tasks = w["taskList"].as_array().unwrap();
        tasks.iter().filter(|t| t["type"] == "encode" && t["state"] == state).count()
    };
    let workflow = wait(Duration::from_secs(120), "encoding to run", async || {
        let workflow = house.workflow("worker").await?;
        (encoding(&workflow, "running") > 0).then_some(workflow)
    })
    .await;
    first.kill();
    let before = done(&workflow);
    let _second = house.beside("second", "worker");
    house.published("worker").await;
    let after = done(&house.workflow("worker").await.unwrap());
    for (name, ended) in &before {
        assert_eq!(after.get(name), Some(ended), "{name} was run again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_segment_is_rebuilt_and_never_served() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 9, "426x240", &[]);
    house.start(&[]).await;
    house.add("damaged", &file);
    house.published("damaged").await;
    let session = house.play("damaged", "cbcs").await;
    let playlist = format!("{}{}", house.address, session["hls"].as_str().unwrap());
    let segment = playlist.replace("master.m3u8", "video-240p-h264/1.m4s");
    let good = reqwest::get(&segment).await.unwrap();
    assert_eq!(good.status(), 200);
    let good = good.bytes().await.unwrap();

    // The caches go with the process; the damage is found by the next one.
    house.stop();
    let stored = find(&house.data.join("objects/work"), &good);
    let mut bytes = std::fs::read(&stored.0).unwrap();
    bytes[stored.1 + good.len() / 2] ^= 0x40;
    std::fs::write(&stored.0, bytes).unwrap();
    house.start(&[]).await;

    let refused = reqwest::get(&segment).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let rebuilt = wait(Duration::from_secs(60), "the segment to be rebuilt", async || {
        let response = reqwest::get(&segment).await.ok()?;
        assert!(matches!(response.status().as_u16(), 200 | 503), "{}", response.status());
        if response.status() == 200 { response.bytes().await.ok() } else { None }
    })
    .await;
    assert_eq!(rebuilt, good);
}

/// The file under `folder` that holds `bytes`, and where in it.
fn find(folder: &std::path::Path, bytes: &[u8]) -> (std::path::PathBuf, usize) {
    for key in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(key.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let held = std::fs::read(&path).unwrap();
            let at = held.windows(64).position(|w| w == &bytes[..64]);
            if let Some(at) = at.filter(|at| held[*at..].starts_with(bytes)) {
                return (path, at);
            }
        }
    }
    panic!("the segment is stored nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_master_says_what_is_wrong_and_can_be_seen_in_the_studio() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    std::fs::write(&file, "This is a letter, not a film.\n".repeat(50)).unwrap();
    house.start(&[]).await;
    house.add("letter", &file);
    let workflow = wait(Duration::from_secs(30), "the refusal", async || {
        let workflow = house.workflow("letter").await?;
        (workflow["state"] == "stuck").then_some(workflow)
    })
    .await;
    let inspect = task(&workflow, "inspect").unwrap();
    assert_eq!(inspect["attempt"], 1, "a refusal is not tried again");
    assert!(!inspect["error"].as_str().unwrap().is_empty());
    assert!(house.json("/api/titles/letter").await.is_none(), "it is not published");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_service_gives_its_tasks_back_and_goes_on_when_it_is_started() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 14, "426x240", &[]);
    house.start(&[]).await;
    house.add("stopped", &file);
    wait(Duration::from_secs(60), "work to run", async || {
        let workflow = house.workflow("stopped").await?;
        (workflow["running"].as_u64()? > 0).then_some(())
    })
    .await;
    assert!(house.stop().success());
    house.start(&[]).await;
    house.published("stopped").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_film_goes_on_when_there_is_room() {
    let disk = tempfile::tempdir().unwrap();
    let mount = |options: &str| {
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "none"]).arg(disk.path()).stderr(std::process::Stdio::null());
        command.status().is_ok_and(|s| s.success())
    };
    if !mount("size=24m") {
        eprintln!("skipped: a small disk can be made by root only");
        return;
    }
    struct Unmount<'a>(&'a std::path::Path);
    impl Drop for Unmount<'_> {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
        }
    }
    let _unmount = Unmount(disk.path());
    let objects = disk.path().join("objects").display().to_string();
    let mut settings = SMALL.to_vec();
    settings.push(("MATINEE_DATA__OBJECTS", &objects));
    let mut house = House::new(&settings);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 12, "426x240", &[]);
    house.start(&[]).await;
    house.add("full", &file);
    // Nearly everything that is left is taken by another.
    let ballast = disk.path().join("ballast");
    let taken = std::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", ballast.display()))
        .stderr(std::process::Stdio::null())
        .status();
    assert!(taken.is_ok());
    wait(Duration::from_secs(120), "the full disk to be told", async || {
        let workflow = house.workflow("full").await?;
        assert_ne!(workflow["state"], "completed");
        let tasks = workflow["taskList"].as_array()?;
        tasks.iter().any(|t| t["error"].as_str().is_some_and(|e| e.to_lowercase().contains("no space"))).then_some(())
    })
    .await;
    std::fs::remove_file(&ballast).unwrap();
    house.published("full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_elsewhere_serves_what_it_has_when_its_origin_is_gone() {
    let mut house = House::new(SMALL);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 9, "426x240", &[]);
    house.start(&[]).await;
    house.add("far", &file);
    house.published("far").await;
    let session = house.play("far", "cbcs").await;
    let mut edge = house.beside("edge", "edge");
    let near =
        |path: &str| format!("{}{}", edge.address, session["hls"].as_str().unwrap().replace("master.m3u8", path));
    let (playlist, first, second) = (near("master.m3u8"), near("video-240p-h264/0.m4s"), near("video-240p-h264/1.m4s"));
    let get = async |url: &str| {
        let response = reqwest::get(url).await.ok()?;
        let (status, again) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        Some((status, again, response.bytes().await.ok()?))
    };
    let (status, _, _) = wait(Duration::from_secs(20), "the edge to be ready", async || get(&playlist).await).await;
    assert_eq!(status, 200);
    let here = get(&first.replace(&edge.address, &house.address)).await.unwrap();
    assert_eq!(get(&first).await.unwrap(), here, "the same bytes by both edges");
    let range = reqwest::Client::new().get(near("video-240p-h264/track.mp4")).header("range", "bytes=10-19");
    let part = range.send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().len()), (206, 10));

    // Not by the public door, and not without the secret.
    let inside = format!("/origin/{}", session["hls"].as_str().unwrap().splitn(4, '/').nth(3).unwrap());
    let open = get(&format!("{}{inside}", house.address)).await.unwrap();
    assert!(!open.2.starts_with(b"#EXTM3U"), "the origin is not public");
    let unknown = get(&format!("{}{inside}", house.internal())).await.unwrap();
    assert_eq!(unknown.0, 401);

    house.kill();
    assert_eq!(get(&first).await.unwrap(), here, "what is kept is served without the origin");
    let (status, again, _) = get(&second).await.unwrap();
    assert_eq!((status, again), (503, true), "what is not kept has to wait");
    house.start(&[]).await;
    assert_eq!(get(&second).await.unwrap().0, 200);
    edge.kill();
}
