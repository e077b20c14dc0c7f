//! Telemetry, through its contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use matinee_contracts::events::Heartbeat;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::telemetry::{Beat, PlayState, ReportRequest};
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_telemetry::TelemetryService;
use matinee_telemetry::service::TOPIC;
use prost::Message;
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
