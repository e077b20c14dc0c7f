//! The door, and what it refuses when more comes than can be done.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use matinee_service::context::Context;
use matinee_service::door::{Door, Entry};
use matinee_service::metrics::Metrics;
use matinee_service::resilience::{AdaptiveLimit, LimitSettings, Priority, Resilience};
use tokio::time::Instant;
use tower::ServiceExt;

fn entry(_: &Method, route: &str, headers: &HeaderMap) -> Entry {
    let priority = match route {
        "/play" => Priority::Play,
        "/beat" => Priority::Telemetry,
        _ if headers.contains_key("sec-purpose") => Priority::Prefetch,
        _ => Priority::Browse,
    };
    Entry { priority, patience: Some(Duration::from_secs(2)) }
}

async fn ask(routes: &Router, path: &str, purpose: Option<&str>) -> http::Response<Body> {
    let mut request = Request::builder().uri(path);
    if let Some(purpose) = purpose {
        request = request.header("sec-purpose", purpose);
    }
    routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// Each request takes as long as all that run share two processors among them.
fn machine(limit: &AdaptiveLimit, work: Duration) -> Router {
    let here = limit.clone();
    let worked = move || {
        let here = here.clone();
        async move {
            let crowd = f64::from(u32::try_from(here.running()).unwrap());
            tokio::time::sleep(work.mul_f64((crowd / 2.0).max(1.0))).await;
            Context::current().priority().as_str()
        }
    };
    let routes = ["/play", "/home", "/beat"].into_iter();
    limit.over(routes.fold(Router::new(), |router, path| router.route(path, get(worked.clone()))))
}

#[tokio::test(start_paused = true)]
async fn prefetch_is_refused_first_and_plays_last() {
    let metrics = Metrics::new();
    let settings = LimitSettings { first: 10, least: 10, most: 10, ..LimitSettings::default() };
    let limit = AdaptiveLimit::new("test", settings, &Resilience::new(&metrics));
    let routes = Door::new("gateway", entry).over(machine(&limit, Duration::from_millis(100)));
    let twenty = |path: &'static str, purpose: Option<&'static str>| {
        let routes = routes.clone();
        async move {
            let asked = (0..20).map(|_| ask(&routes, path, purpose));
            let answers = futures::future::join_all(asked).await;
            answers.iter().filter(|answer| answer.status() == StatusCode::OK).count()
        }
    };
    let (telemetry, prefetch, browse, play) = tokio::join!(
        twenty("/beat", None),
        twenty("/home", Some("prefetch")),
        twenty("/home", None),
        twenty("/play", None)
    );
    assert_eq!((telemetry, prefetch, browse, play), (4, 1, 3, 2), "each fills its share, and then there is none left");
    assert_eq!(twenty("/play", None).await, 10, "alone, plays fill it");
    assert_eq!(limit.running(), 0);
    assert!(metrics.text().contains(r#"matinee_requests_shed_total{limit="test",priority="prefetch"} 19"#));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_told_when_to_come_again() {
    let settings = LimitSettings { first: 1, least: 1, most: 1, ..LimitSettings::default() };
    let limit = AdaptiveLimit::new("test", settings, &Resilience::new(&Metrics::new()));
    let routes = Door::new("gateway", entry).over(machine(&limit, Duration::from_millis(100)));
    let running = limit.try_acquire(Priority::Play).unwrap();
    let answer = ask(&routes, "/play", None).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let wait: u32 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], "overloaded");
    drop(running);
    assert_eq!(ask(&routes, "/play", None).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_a_full_limit_would_refuse_the_door_refuses_at_a_glance() {
    let settings = LimitSettings { first: 1, least: 1, most: 1, ..LimitSettings::default() };
    let metrics = Metrics::new();
    let limit = AdaptiveLimit::new("test", settings, &Resilience::new(&metrics));
    let of = limit.clone();
    let door = Door::new("gateway", entry).shedding(move |route| (route != "/beat").then(|| of.clone()));
    let routes = door.over(machine(&limit, Duration::from_millis(1)));
    let running = limit.try_acquire(Priority::Play).unwrap();
    let refused = ask(&routes, "/home", None).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let begun = Instant::now();
    assert_eq!(ask(&routes, "/play", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(begun.elapsed(), settings.patience, "a play may still wait for room");
    assert!(metrics.text().contains(r#"matinee_requests_shed_total{limit="test",priority="browse"} 1"#));
    drop(running);
    assert_eq!(ask(&routes, "/home", None).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_play_waits_a_moment_for_room_and_a_page_does_not() {
    let settings = LimitSettings { first: 1, least: 1, most: 1, ..LimitSettings::default() };
    let limit = AdaptiveLimit::new("test", settings, &Resilience::new(&Metrics::new()));
    let routes = Door::new("gateway", entry).over(machine(&limit, Duration::from_millis(1)));
    let running = limit.try_acquire(Priority::Play).unwrap();
    let freed = async {
        tokio::time::sleep(settings.patience / 2).await;
        drop(running);
    };
    let (first, second, page, ()) =
        tokio::join!(ask(&routes, "/play", None), ask(&routes, "/play", None), ask(&routes, "/home", None), freed);
    assert_eq!((first.status(), page.status()), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE, "no more wait than run");
    assert_eq!((limit.running(), ask(&routes, "/play", None).await.status()), (0, StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn ten_times_too_much_costs_those_who_are_taken_little() {
    let limit = AdaptiveLimit::new("test", LimitSettings::default(), &Resilience::new(&Metrics::new()));
    let routes = Door::new("gateway", entry).over(machine(&limit, Duration::from_millis(2)));
    // Two processors do 1,000 a second; 200 plays and 9,800 pages come.
    let mut asked = Vec::new();
    for tick in 0..20_000_u32 {
        let routes = routes.clone();
        let play = tick % 50 == 0;
        asked.push(tokio::spawn(async move {
            let begun = Instant::now();
            let answer = ask(&routes, if play { "/play" } else { "/home" }, None).await;
            (play, answer.status() == StatusCode::OK, begun.elapsed())
        }));
        tokio::time::advance(Duration::from_micros(100)).await;
    }
    let (mut plays, mut done) = (0, 0);
    for answer in asked {
        let (play, well, after) = answer.await.unwrap();
        if well {
            assert!(after < Duration::from_millis(50), "{after:?}");
            done += 1;
            plays += u32::from(play);
        }
    }
    assert_eq!(plays, 400, "every play was taken");
    assert!(done > 1_500, "{done} requests were done in two seconds");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_is_given_up() {
    let slow = || async { tokio::time::sleep(Duration::from_secs(60)).await };
    let routes = Door::new("gateway", entry).over(Router::new().route("/home", get(slow)));
    let begun = Instant::now();
    let answer = ask(&routes, "/home", None).await;
    assert_eq!((answer.status().as_u16(), begun.elapsed()), (503, Duration::from_secs(2)));
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
}
