//! Telemetry, through its contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use matinee_contracts::events::{Heartbeat, SegmentRequested};
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::telemetry::{
    Beat, PlayQualityRequest, PlayState, Quality, ReportRequest, SegmentRequest, SegmentsReport,
};
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use matinee_telemetry::TelemetryService;
use matinee_telemetry::service::{SEGMENTS, TOPIC};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const NOW_US: i64 = 1_800_000_000_000_000;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now_us(&self) -> i64 {
        NOW_US
    }
}

struct World {
    client: TelemetryClient<Channel>,
    log: Events,
    _folder: tempfile::TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let log = events::open(folder.path(), EventLogConfig::default()).await.unwrap();
    let service = TelemetryService::new(log.clone(), Arc::new(Fixed));
    World { client: TelemetryClient::new(Channel::local(service.server())), log, _folder: folder }
}

fn beat(sequence: u32, at_us: i64) -> Beat {
    Beat {
        title: "film".to_owned(),
        session: "s1".to_owned(),
        sequence,
        position_us: u64::from(sequence) * 10_000_000,
        duration_us: 100_000_000,
        at_us,
        state: PlayState::Playing.into(),
        quality: None,
    }
}

fn report(beats: Vec<Beat>) -> ReportRequest {
    ReportRequest { profile: "p1".to_owned(), territory: "FR".to_owned(), sent_us: 500, beats, ..Default::default() }
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_log_by_the_servers_time() {
    let world = world().await;
    let sent = report(vec![beat(1, 480), beat(2, 490), beat(3, 900)]);
    let reply = world.client.clone().report(sent).await.unwrap().into_inner();
    assert_eq!(reply.taken, 3);
    let mut kept: Vec<(u32, i64)> = Vec::new();
    for event in world.log.read(TOPIC, 0, 10).await.unwrap() {
        assert_eq!(event.key, "p1");
        let heartbeat = Heartbeat::decode(event.payload).unwrap();
        assert_eq!((heartbeat.territory.as_str(), heartbeat.received_us), ("FR", NOW_US));
        let beat = heartbeat.beat.unwrap();
        kept.push((beat.sequence, beat.at_us));
    }
    kept.sort_unstable();
    assert_eq!(kept, [(1, NOW_US - 20), (2, NOW_US - 10), (3, NOW_US)]);
}

#[tokio::test]
async fn a_report_is_taken_whole_or_not_at_all_and_the_field_is_named() {
    let world = world().await;
    let bad = Beat { title: "../etc".to_owned(), ..beat(2, 490) };
    let long = Beat { position_us: u64::MAX, ..beat(2, 490) };
    let nameless = Beat { session: String::new(), ..beat(2, 490) };
    let cases = [
        (report(vec![beat(1, 480), bad]), "beats[1].title"),
        (report(vec![long]), "beats[0].position_us"),
        (report(vec![nameless]), "beats[0].session"),
        (report(Vec::new()), "beats is refused: 0 came"),
        (report((0..1001).map(|n| beat(n, 1)).collect()), "beats is refused: 1001 came"),
        (ReportRequest { profile: "A B".to_owned(), ..report(vec![beat(1, 1)]) }, "profile is refused"),
        (ReportRequest { territory: "France".to_owned(), ..report(vec![beat(1, 1)]) }, "territory is refused"),
        (ReportRequest { device: "x".repeat(65), ..report(vec![beat(1, 1)]) }, "device is refused"),
        (ReportRequest { network: "a\nb".to_owned(), ..report(vec![beat(1, 1)]) }, "network is refused"),
    ];
    for (request, expected) in cases {
        let status = world.client.clone().report(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{expected}");
        assert!(status.message().contains(expected), "{}: {expected}", status.message());
    }
    assert!(world.log.read(TOPIC, 0, 10).await.unwrap().is_empty());
}

/// Until so many plays were heard of; the figures then.
async fn plays(client: &TelemetryClient<Channel>, plays: u64) -> matinee_contracts::telemetry::PlayQualityReply {
    let figures = async {
        loop {
            let reply = client.clone().play_quality(PlayQualityRequest::default()).await.unwrap().into_inner();
            if reply.rows[0].plays >= plays {
                return reply;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), figures).await.unwrap()
}

#[tokio::test]
async fn how_plays_go_is_known_at_once_and_again_after_a_restart() {
    // The log says by the machine's clock when an event came.
    let world = world().await;
    let now_us = SystemClock.now_us();
    let service = TelemetryService::open(world.log.clone());
    let client = TelemetryClient::new(Channel::local(service.server()));
    // One of two days ago, which no one asks for any more, and one of now.
    let old =
        Heartbeat { profile: "p0".to_owned(), beat: Some(beat(1, now_us - 200_000_000_000)), ..Heartbeat::default() };
    world.log.append(TOPIC, "p0", old.encode_to_vec().into()).await.unwrap();
    let stop = CancellationToken::new();
    let (watching, stopped) = (service, stop.clone());
    let running = tokio::spawn(async move { watching.watch(stopped).await });
    let quality = Some(Quality { start_ms: 800, bits_per_second: 3_000_000, ..Quality::default() });
    let sent = report(vec![Beat { quality, ..beat(1, 490) }, beat(2, 500)]);
    client.clone().report(sent).await.unwrap();
    let before = plays(&client, 1).await;
    assert_eq!((before.rows[0].playing, before.rows[0].plays), (1, 1));
    assert!((before.rows[0].start_p50_ms / 800.0 - 1.0).abs() < 0.03);
    stop.cancel();
    running.await.unwrap();
    let (service, stop) = (TelemetryService::open(world.log.clone()), CancellationToken::new());
    let client = TelemetryClient::new(Channel::local(service.server()));
    let stopped = stop.clone();
    let running = tokio::spawn(async move { service.watch(stopped).await });
    plays(&client, 1).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_names_its_field() {
    let world = world().await;
    let ask = |window_seconds, by: &str| PlayQualityRequest { window_seconds, by: by.to_owned() };
    for (request, expected) in [(ask(90_000, ""), "window_seconds is refused"), (ask(0, "title"), "by is refused")] {
        let status = world.client.clone().play_quality(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(expected), "{}", status.message());
    }
    let reply = world.client.clone().play_quality(ask(0, "network")).await.unwrap().into_inner();
    assert!(reply.rows.is_empty() && reply.points.is_empty());
}

#[tokio::test]
async fn what_players_say_with_their_requests_is_in_the_log_and_what_can_not_be_taken_is_left_out() {
    let world = world().await;
    let said = |session: &str, object: &str| SegmentRequest {
        session: session.to_owned(),
        object: object.to_owned(),
        buffer_ms: Some(0),
        ..SegmentRequest::default()
    };
    let requests = vec![said("s1", "video"), said("", "video"), said("s\u{7}", "video"), said("s2", &"v".repeat(99))];
    let reply = world.client.clone().report_segments(SegmentsReport { requests }).await.unwrap().into_inner();
    assert_eq!(reply.taken, 1);
    let mut kept = world.log.read(SEGMENTS, 0, 10).await.unwrap();
    assert_eq!(kept.len(), 1);
    let event = kept.remove(0);
    assert_eq!(event.key, "s1");
    let requested = SegmentRequested::decode(event.payload).unwrap();
    assert_eq!((requested.request, requested.received_us), (Some(said("s1", "video")), NOW_US));
    for requests in [Vec::new(), vec![said("s1", "video"); 1001]] {
        let refused = world.client.clone().report_segments(SegmentsReport { requests }).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}
