//! Who may fetch what from the edge, and how often the origin is asked for it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use matinee_edge::{Cache, Edge, router};
use matinee_service::clock::Clock;
use matinee_service::content::{Content, answer};
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::signing::Signer;
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
    World { edge: router(Edge::new(Cache::new(origin, 1 << 20), signer(), Arc::new(Still))), asked }
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
