//! Who may watch what, here and now, and on how many devices: through the contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use matinee_contracts::events::Heartbeat;
use matinee_contracts::playback::{EndRequest, SessionsRequest, StartRequest};
use matinee_contracts::telemetry::{Beat, PlayState};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_playback::PlaybackConfig;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use self::world::{NOW, World, viewer, world};

async fn refusal(world: &World, viewer: Viewer, title: &str) -> String {
    let status = world.watch(viewer, title).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{}", status.message());
    status.message().split(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let world = world(PlaybackConfig::default());
    let premium = || viewer("premium", "tv");
    assert_eq!(refusal(&world, Viewer::default(), "kite").await, "sign_in");
    for account in ["no_subscription", "lapsed", "past_due"] {
        assert_eq!(refusal(&world, viewer(account, "tv"), "kite").await, account);
    }
    let french = Viewer { territory: "FR".to_owned(), ..premium() };
    assert_eq!(refusal(&world, french, "german").await, "not_licensed_here");
    let child = Viewer { maturity_limit: 12, ..premium() };
    assert_eq!(refusal(&world, child, "adult").await, "maturity");
    world.watch(premium(), "german").await.unwrap();
    world.watch(premium(), "adult").await.unwrap();
    let nowhere = Viewer { territory: "Mars".to_owned(), ..premium() };
    let status = world.watch(nowhere, "kite").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("viewer.territory is refused"), "{}", status.message());
}

#[tokio::test]
async fn a_plan_gives_the_keys_of_its_pictures_only() {
    let world = world(PlaybackConfig::default());
    for (account, height, keys, manifest) in [
        ("basic", 480, 2, "/master-480p.m3u8"),
        ("standard", 1080, 3, "/master-1080p.m3u8"),
        ("premium", 2160, 4, "/master.m3u8"),
    ] {
        let session = world.watch(viewer(account, "tv"), "kite").await.unwrap();
        assert_eq!((session.max_height, session.kids.len()), (height, keys), "{account}");
        let claims = world::tokens().verify(&session.token, NOW).unwrap();
        assert_eq!(claims.kids, session.kids);
        assert_eq!((session.resume_us, session.heartbeat_seconds), (3_000_000, 10));
        assert!(session.hls_url.ends_with(manifest), "{}", session.hls_url);
    }
}

#[tokio::test]
async fn members_get_no_clear_stream_unless_the_operator_says_so() {
    let ask = |profile: &str, protection: &str| StartRequest {
        title: "kite".to_owned(),
        viewer: Some(viewer("basic", "tv")),
        profile: profile.to_owned(),
        protection: protection.to_owned(),
        ..StartRequest::default()
    };
    let strict = world(PlaybackConfig::default());
    for (profile, protection, says) in [
        ("web", "clear", "members get no clear stream, and device profile web opens cbcs, cenc"),
        ("legacy-hls", "", "members get no clear stream, and device profile legacy-hls opens no other"),
    ] {
        let status = strict.ask(ask(profile, protection)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().ends_with(says), "{}", status.message());
    }
    let lenient = world(PlaybackConfig { clear_to_members: true, ..PlaybackConfig::default() });
    let session = lenient.ask(ask("legacy-hls", "")).await.unwrap();
    assert!(session.hls_ts_url.ends_with("/v1/clear/legacy-hls/ts/master-480p.m3u8"), "{}", session.hls_ts_url);
}

fn heartbeat(account: &str, device: &str, session: &str, state: PlayState, at_us: i64) -> Heartbeat {
    let beat =
        Beat { title: "kite".to_owned(), session: session.to_owned(), at_us, state: state.into(), ..Beat::default() };
    Heartbeat {
        account: account.to_owned(),
        profile: "me".to_owned(),
        device: device.to_owned(),
        beat: Some(beat),
        received_us: at_us,
        ..Heartbeat::default()
    }
}

async fn tell(log: &Events, heartbeat: Heartbeat) {
    log.append("heartbeats", "me", heartbeat.encode_to_vec().into()).await.unwrap();
}

/// Waits until the account plays so many sessions.
async fn plays(world: &World, account: &str, many: usize) {
    for _ in 0..5000 {
        let request = SessionsRequest { account: account.to_owned() };
        let playing = world.client.clone().sessions(request).await.unwrap().into_inner().sessions;
        // A session that was heard of counts here.
        if playing.iter().filter(|playing| playing.heard_us > 0).count() == many {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("{account} does not come to play {many} sessions");
}

#[tokio::test]
async fn a_full_plan_waits_until_one_device_stops() {
    let world = world(PlaybackConfig::default());
    let folder = tempfile::tempdir().unwrap();
    let log = events::open(folder.path(), EventLogConfig::default()).await.unwrap();
    let stop = CancellationToken::new();
    let following = {
        let (service, log, stop) = (world.service.clone(), Arc::clone(&log), stop.clone());
        tokio::spawn(async move { service.consume(log, stop).await })
    };
    let now_us = NOW as i64 * 1_000_000;
    let first = world.watch(viewer("basic", "tv"), "kite").await.unwrap();
    tell(&log, heartbeat("basic", "tv", &first.id, PlayState::Playing, now_us)).await;
    plays(&world, "basic", 1).await;
    assert_eq!(refusal(&world, viewer("basic", "phone"), "kite").await, "too_many_streams");
    world.watch(viewer("basic", "tv"), "kite").await.expect("the same device goes on");

    tell(&log, heartbeat("basic", "tv", &first.id, PlayState::Ended, now_us + 1)).await;
    plays(&world, "basic", 0).await;
    let second = world.watch(viewer("basic", "phone"), "kite").await.unwrap();
    tell(&log, heartbeat("basic", "phone", &second.id, PlayState::Playing, now_us + 2)).await;
    plays(&world, "basic", 1).await;
    let end = EndRequest { account: "basic".to_owned(), session: second.id };
    world.client.clone().end(end.clone()).await.unwrap();
    world.client.clone().end(end).await.expect("ending twice is ending");
    world.watch(viewer("basic", "tv"), "kite").await.unwrap();
    stop.cancel();
    following.await.unwrap();
}

#[tokio::test]
async fn who_paid_watches_while_billing_is_gone() {
    let world = world(PlaybackConfig::default());
    world.watch(viewer("standard", "tv"), "kite").await.unwrap();
    world.billing.gone.store(true, Ordering::SeqCst);
    let known = world.watch(viewer("standard", "tv"), "kite").await.unwrap();
    assert_eq!(known.max_height, 1080);
    let unknown = world.watch(viewer("premium", "tv"), "kite").await.unwrap();
    assert_eq!((unknown.max_height, unknown.kids.len()), (1080, 3), "in doubt, for the viewer, up to HD");
}

#[tokio::test(start_paused = true)]
async fn a_film_begins_although_history_hangs() {
    let world = world(PlaybackConfig::default());
    world.history.hangs.store(true, Ordering::SeqCst);
    let session = world.watch(viewer("premium", "tv"), "kite").await.unwrap();
    assert_eq!(session.resume_us, 0);
}
