//! Who may fetch what from the edge, and how often the origin is asked for it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::telemetry::telemetry_server::{Telemetry, TelemetryServer};
use matinee_contracts::telemetry::{
    PlayQualityReply, PlayQualityRequest, ReportReply, ReportRequest, SegmentRequest, SegmentsReply, SegmentsReport,
};
use matinee_edge::{Cache, Edge, Telling, router, told};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::content::{Content, answer};
use matinee_service::metrics::Metrics;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::signing::Signer;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tower::ServiceExt;

const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now_us(&self) -> i64 {
        NOW as i64 * 1_000_000
    }
}

fn signer() -> Signer {
    Signer::new(&KeyRing::of(SecretKey::new([7; 32])))
}

struct World {
    edge: Router,
    asked: Arc<AtomicUsize>,
    telling: Telling,
    metrics: Metrics,
}

/// An edge before an origin whose every content is its own path, and which has no path with "gone".
fn world() -> World {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let origin = Router::new().fallback(move |request: Request<Body>| async move {
        count.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_owned();
        if path.contains("gone") {
            return (StatusCode::NOT_FOUND, "no").into_response();
        }
        let content = Content { tag: &path, size: path.len() as u64, media_type: "video/mp4" };
        answer(request.headers(), &content, |range| {
            Body::from(path[range.start as usize..range.end as usize].to_owned())
        })
    });
    let metrics = Metrics::new();
    let (told, telling) = told(&metrics);
    let edge = Edge::new(Cache::new(origin, 1 << 20), signer(), Arc::new(Still)).telling(told);
    World { edge: router(edge), asked, telling, metrics }
}

impl World {
    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response: Response = self.edge.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
    }
}

fn address(covers: &str, rest: &str) -> String {
    format!("/v/{}/{rest}", signer().sign(covers, NOW + 60))
}

#[tokio::test]
async fn an_address_opens_its_version_in_its_protection_and_nothing_else() {
    let world = world();
    let (status, headers, body) = world.get(&address("v1/cbcs", "v1/cbcs/web/live.mpd"), &[]).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "/origin/v1/cbcs/web/live.mpd"));
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    let expired = format!("/v/{}/v1/cbcs/web/live.mpd", signer().sign("v1/cbcs", NOW - 5));
    for refused in [
        address("v1/cbcs", "v2/cbcs/web/live.mpd"),
        address("v1/cbcs", "v1/clear/web/live.mpd"),
        address("v1/cbcs", "v1/none/web/live.mpd"),
        "/v/nonsense/v1/cbcs/web/live.mpd".to_owned(),
        expired,
    ] {
        let (status, headers, body) = world.get(&refused, &[]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{refused}: {body}");
        assert_eq!(headers["access-control-allow-origin"], "*", "a page must be able to read why");
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_fetched_once_is_served_from_memory_by_whole_range_and_tag() {
    let world = world();
    let path = address("v1/cbcs", "v1/cbcs/web/t/0.m4s");
    let (_, first, whole) = world.get(&path, &[]).await;
    assert_eq!(first["x-cache"], "MISS");
    let (status, again, part) = world.get(&path, &[("range", "bytes=1-6")]).await;
    assert_eq!(
        (status, part.as_str(), &again["x-cache"]),
        (StatusCode::PARTIAL_CONTENT, "origin", &"HIT".parse().unwrap())
    );
    assert_eq!(again["content-range"], format!("bytes 1-6/{}", whole.len()));
    let tag = first["etag"].to_str().unwrap();
    assert_eq!(world.get(&path, &[("if-none-match", tag)]).await.0, StatusCode::NOT_MODIFIED);
    assert_eq!(world.get(&path, &[("range", "bytes=900-")]).await.0, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_fetch_and_a_refusal_is_not_kept() {
    let world = world();
    let path = address("v1/cbcs", "v1/cbcs/web/t/1.m4s");
    let all = futures::future::join_all((0..50).map(|_| world.get(&path, &[]))).await;
    assert!(all.iter().all(|(status, ..)| *status == StatusCode::OK));
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
    let gone = address("v1/cbcs", "v1/cbcs/web/gone.mpd");
    for _ in 0..2 {
        assert_eq!(world.get(&gone, &[]).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn ranges_of_a_whole_track_come_straight_from_the_origin() {
    let world = world();
    let path = address("v1/cbcs", "v1/cbcs/web/t/track.mp4");
    let (status, headers, body) = world.get(&path, &[("range", "bytes=0-6")]).await;
    assert_eq!((status, body.as_str()), (StatusCode::PARTIAL_CONTENT, "/origin"));
    assert_eq!(headers["x-cache"], "PASS");
}

/// Telemetry that keeps what it is told, or does not answer.
struct Listening {
    heard: mpsc::UnboundedSender<Vec<SegmentRequest>>,
    answers: bool,
}

#[tonic::async_trait]
impl Telemetry for Listening {
    async fn report(&self, _: tonic::Request<ReportRequest>) -> Result<tonic::Response<ReportReply>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn report_segments(
        &self,
        told: tonic::Request<SegmentsReport>,
    ) -> Result<tonic::Response<SegmentsReply>, Status> {
        let requests = told.into_inner().requests;
        let taken = u32::try_from(requests.len()).unwrap();
        self.heard.send(requests).unwrap();
        if self.answers { Ok(tonic::Response::new(SegmentsReply { taken })) } else { Err(Status::unavailable("away")) }
    }

    async fn play_quality(
        &self,
        _: tonic::Request<PlayQualityRequest>,
    ) -> Result<tonic::Response<PlayQualityReply>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// All that telemetry is told, when the edge has stopped.
async fn told_of(telling: Telling, answers: bool) -> Vec<SegmentRequest> {
    let (heard, mut hears) = mpsc::unbounded_channel();
    let client = TelemetryClient::new(Channel::local(TelemetryServer::new(Listening { heard, answers })));
    let stop = CancellationToken::new();
    stop.cancel();
    telling.carry(client, stop).await;
    let mut all = Vec::new();
    while let Ok(batch) = hears.try_recv() {
        assert!(batch.len() <= 1000);
        all.extend(batch);
    }
    all
}

const SAID: &str = "CMCD=bl%3D21300%2Cbr%3D3200%2Cbs%2Ccid%3D%22film%22%2Cmtp%3D25400%2Cot%3Dv%2Csid%3D%22s1%22";

#[tokio::test]
async fn what_a_player_says_changes_no_byte_and_no_entry() {
    let world = world();
    let path = address("v1/cbcs", "v1/cbcs/web/t/1.m4s");
    let plain = world.get(&path, &[]).await;
    let said = world.get(&format!("{path}?{SAID}"), &[]).await;
    let other = world.get(&format!("{path}?CMCD=ot%3Da%2Csid%3D%22s2%22"), &[]).await;
    let header = world.get(&path, &[("cmcd-session", "sid=\"s3\""), ("cmcd-request", "bl=0,su")]).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), 1, "one entry");
    for (status, headers, body) in [&said, &other, &header] {
        assert_eq!((status, body), (&plain.0, &plain.2));
        assert_eq!((&headers["x-cache"], &headers["etag"]), (&"HIT".parse().unwrap(), &plain.1["etag"]));
    }
    let told = told_of(world.telling, true).await;
    let first = SegmentRequest {
        session: "s1".to_owned(),
        title: "film".to_owned(),
        object: "video".to_owned(),
        bits_per_second: 3_200_000,
        throughput_bits_per_second: 25_400_000,
        buffer_ms: Some(21_300),
        starved: true,
        startup: false,
        cached: true,
        at_us: NOW as i64 * 1_000_000,
    };
    assert_eq!(told[0], first);
    assert_eq!((told[1].session.as_str(), told[1].object.as_str()), ("s2", "audio"));
    assert_eq!((told[2].session.as_str(), told[2].buffer_ms, told[2].startup), ("s3", Some(0), true));
    assert_eq!(told.len(), 3);
}

#[tokio::test]
async fn cmcd_that_is_wrong_costs_nobody_a_segment() {
    let world = world();
    let path = address("v1/cbcs", "v1/cbcs/web/t/1.m4s");
    let long = format!("CMCD=sid%3D%22{}%22", "a".repeat(9000));
    for query in ["CMCD=", "CMCD=%", "CMCD=%00%ff,,,=", "CMCD=bl%3Dx%2Cbr%3D-1", long.as_str()] {
        let (status, ..) = world.get(&format!("{path}?{query}"), &[]).await;
        assert_eq!(status, StatusCode::OK, "{query}");
    }
    assert!(
        world.metrics.text().contains("matinee_edge_cmcd_total{outcome=\"unreadable\"} 5"),
        "{}",
        world.metrics.text()
    );
    assert!(told_of(world.telling, true).await.is_empty());
}

#[tokio::test]
async fn whoever_has_no_address_is_not_heard() {
    let world = world();
    let (status, ..) = world.get(&format!("/v/0-forged/v1/cbcs/web/t/1.m4s?{SAID}"), &[]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(told_of(world.telling, true).await.is_empty());
}

#[tokio::test]
async fn more_than_can_be_sent_is_dropped_and_counted_and_no_segment_waits() {
    let world = world();
    let path = format!("{}?{SAID}", address("v1/cbcs", "v1/cbcs/web/t/1.m4s"));
    for _ in 0..16_384 + 7 {
        assert_eq!(world.get(&path, &[]).await.0, StatusCode::OK);
    }
    assert_eq!(told_of(world.telling, false).await.len(), 16_384);
    let counted = world.metrics.text();
    for line in ["{outcome=\"dropped\"} 7", "{outcome=\"lost\"} 16384"] {
        assert!(counted.contains(line), "{counted}");
    }
}
