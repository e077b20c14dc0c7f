//! What a caller notices of a service that is slow, dead, failing or full.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::ratings_server::{Ratings, RatingsServer};
use matinee_contracts::ratings::{MyListReply, MyListRequest, Opinion, RateRequest, ScoresReply, ScoresRequest};
use matinee_service::channel::{Channel, admit};
use matinee_service::context::Context;
use matinee_service::http::{HostConfig, bind, serve};
use matinee_service::metrics::Metrics;
use matinee_service::resilience::breaker::BreakerSettings;
use matinee_service::resilience::{Faults, Policy, Priority, Resilience};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

/// A service that a test plays: it answers after `takes`, with `answers` first and well from then on.
#[derive(Clone, Default)]
struct Stage {
    asked: Arc<AtomicU32>,
    answers: Arc<Mutex<Vec<Status>>>,
    takes: Duration,
    /// What the last request came with.
    seen: Arc<Mutex<Option<(Context, MetadataMap)>>>,
    /// Asked before answering.
    behind: Option<RatingsClient<Channel>>,
}

impl Stage {
    fn failing(answers: impl IntoIterator<Item = Status>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn seen(&self) -> (Context, MetadataMap) {
        self.seen.lock().unwrap().clone().expect("it was asked")
    }
}

#[tonic::async_trait]
impl Ratings for Stage {
    async fn scores(&self, request: Request<ScoresRequest>) -> Result<Response<ScoresReply>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        *self.seen.lock().unwrap() = Some((Context::current(), request.metadata().clone()));
        tokio::time::sleep(self.takes).await;
        if let Some(mut behind) = self.behind.clone() {
            return behind.scores(ScoresRequest::default()).await;
        }
        let next = self.answers.lock().unwrap().pop();
        next.map_or_else(|| Ok(Response::new(ScoresReply::default())), Err)
    }

    async fn rate(&self, request: Request<RateRequest>) -> Result<Response<Opinion>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let next = self.answers.lock().unwrap().pop();
        next.map_or_else(|| Ok(Response::new(Opinion { title: request.into_inner().title, ..Opinion::default() })), Err)
    }

    async fn my_list(&self, _: Request<MyListRequest>) -> Result<Response<MyListReply>, Status> {
        Err(Status::not_found("no such profile"))
    }
}

fn local(stage: &Stage, policy: Policy, shared: &Resilience) -> RatingsClient<Channel> {
    let server = shared.served("ratings", RatingsServer::new(stage.clone()));
    RatingsClient::new(Channel::local(server).guarded("ratings", policy, shared))
}

async fn scores(client: &RatingsClient<Channel>) -> Result<ScoresReply, Status> {
    client.clone().scores(ScoresRequest::default()).await.map(Response::into_inner)
}

/// An essential service whose breaker never opens.
fn patient() -> Policy {
    let breaker = BreakerSettings { least_calls: u32::MAX, missed_in_a_row: u32::MAX, ..BreakerSettings::default() };
    Policy { breaker, ..Policy::essential() }
}

#[tokio::test(start_paused = true)]
async fn a_dead_service_costs_a_few_deadlines_then_nothing() {
    let shared = Resilience::new(&Metrics::new());
    let (stage, policy) = (Stage::default(), Policy::optional());
    let client = local(&stage, policy, &shared);
    shared.faults().set("ratings=dead").unwrap();
    let begun = Instant::now();
    let few = policy.breaker.missed_in_a_row;
    for missed in 1..=few {
        let status = scores(&client).await.unwrap_err();
        assert_eq!((status.code(), begun.elapsed()), (Code::DeadlineExceeded, policy.patience * missed));
    }
    for _ in 0..100 {
        let next = scores(&client).await.unwrap_err();
        assert_eq!(next.code(), Code::Unavailable);
        assert!(next.message().contains("circuit breaker is open"), "{}", next.message());
    }
    assert_eq!(begun.elapsed(), policy.patience * few, "the others cost nothing");
    assert_eq!(stage.asked(), 0);

    shared.faults().clear();
    tokio::time::advance(policy.breaker.open).await;
    scores(&client).await.unwrap();
    scores(&client).await.unwrap();
    assert_eq!(stage.asked(), 2, "it is back");
}

#[tokio::test(start_paused = true)]
async fn a_tester_s_faults_are_nobody_else_s() {
    let shared = Resilience::new(&Metrics::new());
    let (stage, policy) = (Stage::default(), Policy::optional());
    let client = local(&stage, policy, &shared);
    for fault in ["ratings=dead", "ratings=error:unavailable", "ratings=slow:250"] {
        let tester = Context::default().with_faults(Faults::parse(fault).unwrap());
        for _ in 0..20 {
            let _ = tester.clone().scope(scores(&client)).await;
            // One that is not waited for to its end.
            let _ = tokio::time::timeout(policy.patience / 3, tester.clone().scope(scores(&client))).await;
            scores(&client).await.expect("others are answered");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_back_in_a_moment_is_not_missed() {
    let metrics = Metrics::new();
    let stage = Stage::failing([Status::unavailable("restarts"), Status::unavailable("restarts")]);
    let client = local(&stage, Policy::essential(), &Resilience::new(&metrics));
    let request = RateRequest { title: "film".to_owned(), ..RateRequest::default() };
    let answer = client.clone().rate(request).await.unwrap().into_inner();
    assert_eq!((answer.title.as_str(), stage.asked()), ("film", 3), "each try carried the whole request");
    let text = metrics.text();
    for line in [
        r#"matinee_grpc_client_retries_total{service="ratings"} 2"#,
        r#"matinee_grpc_client_calls_total{service="ratings",method="Rate",code="ok"} 1"#,
        r#"matinee_grpc_server_calls_total{service="ratings",method="Rate",code="unavailable"} 2"#,
        r#"matinee_grpc_client_duration_seconds_count{service="ratings",method="Rate"} 1"#,
        r#"matinee_breaker_state{service="ratings"} 0"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_was_not_available_is_tried_again() {
    for (code, asked) in [(Code::Internal, 1), (Code::NotFound, 1), (Code::InvalidArgument, 1), (Code::Unavailable, 2)]
    {
        let stage = Stage::failing([Status::new(code, "no")]);
        let client = local(&stage, patient(), &Resilience::new(&Metrics::new()));
        assert_eq!(scores(&client).await.is_ok(), code == Code::Unavailable);
        assert_eq!(stage.asked(), asked, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retries_do_not_multiply_the_load_on_a_service_that_is_down() {
    let stage = Stage::failing(std::iter::repeat_n(Status::unavailable("down"), 10_000));
    let client = local(&stage, patient(), &Resilience::new(&Metrics::new()));
    for _ in 0..1000 {
        let calls = (0..5).map(|_| scores(&client));
        assert!(futures::future::join_all(calls).await.iter().all(Result::is_err));
    }
    // A fifth of the calls, and a few a second.
    let most = 5000 * 12 / 10 + 600;
    assert!(stage.asked() <= most, "{} calls reached it", stage.asked());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_large_to_keep_is_sent_once_and_whole() {
    let stage = Stage::failing([Status::unavailable("restarts")]);
    let client = local(&stage, patient(), &Resilience::new(&Metrics::new()));
    let request = RateRequest { title: "x".repeat(100_000), ..RateRequest::default() };
    assert_eq!(client.clone().rate(request.clone()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(stage.asked(), 1);
    assert_eq!(client.clone().rate(request).await.unwrap().into_inner().title.len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_slow_service_is_not_waited_for_beyond_the_request_s_own_deadline() {
    let shared = Resilience::new(&Metrics::new());
    let stage = Stage { takes: Duration::from_secs(9), ..Stage::default() };
    let client = local(&stage, patient(), &shared);
    let begun = Instant::now();
    let asked = Context::default().within(Duration::from_millis(700)).scope(scores(&client)).await;
    assert_eq!((asked.unwrap_err().code(), begun.elapsed().as_millis()), (Code::DeadlineExceeded, 700));
    let late = Context::default().until(begun).scope(scores(&client)).await.unwrap_err();
    assert_eq!(late.message(), "no time was left to ask ratings");
    assert_eq!(stage.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_and_faults_reach_the_service_behind_the_service() {
    let shared = Resilience::new(&Metrics::new());
    let far = Stage::default();
    let behind = RatingsClient::new(Channel::local(shared.served("history", RatingsServer::new(far.clone()))).guarded(
        "history",
        patient(),
        &shared,
    ));
    let near = Stage { takes: Duration::from_millis(300), behind: Some(behind), ..Stage::default() };
    let client = local(&near, patient(), &shared);
    let context = Context::default().within(Duration::from_secs(1)).with_priority(Priority::Play);
    context.clone().scope(scores(&client)).await.unwrap();
    let (seen, _) = far.seen();
    assert_eq!(seen.deadline().unwrap() - Instant::now(), Duration::from_millis(700));
    assert_eq!(seen.priority(), Priority::Play);

    let faults = Faults::parse("history=error:internal").unwrap();
    let failed = Context::default().with_faults(faults).scope(scores(&client)).await.unwrap_err();
    assert_eq!((failed.code(), far.asked()), (Code::Internal, 1));
    scores(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_full_refuses_the_rest_at_once() {
    let stage = Stage { takes: Duration::from_millis(100), ..Stage::default() };
    let policy = Policy { at_once: 2, waiting: 1, turn: Duration::from_secs(1), ..patient() };
    let client = local(&stage, policy, &Resilience::new(&Metrics::new()));
    let answers = futures::future::join_all((0..5).map(|_| scores(&client))).await;
    let (well, full): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((well.len(), full.len(), stage.asked()), (3, 2, 3));
    let status = full.into_iter().next().unwrap().unwrap_err();
    assert!(status.message().contains("has no place"), "{}", status.message());
}

#[tokio::test]
async fn a_service_elsewhere_hears_the_deadline_the_priority_the_faults_and_the_trace() {
    let shared = Resilience::new(&Metrics::new());
    let stage = Stage::default();
    let mut routes = tonic::service::Routes::default();
    routes = routes.add_service(shared.served("ratings", RatingsServer::new(stage.clone())));
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let services = admit(routes.into_axum_router(), "secret");
    let hosted = tokio::spawn(async move { serve(listener, services, &HostConfig::default(), stopped).await });

    let channel = Channel::remote(&address, "secret").unwrap().guarded("ratings", Policy::essential(), &shared);
    let client = RatingsClient::new(channel);
    let context = Context::default()
        .within(Duration::from_secs(2))
        .with_priority(Priority::Prefetch)
        .with_faults(Faults::parse("search=dead").unwrap());
    context.scope(scores(&client)).await.unwrap();
    let (seen, metadata) = stage.seen();
    let left = seen.deadline().unwrap() - Instant::now();
    assert!(left <= Duration::from_secs(2), "{left:?}");
    assert_eq!(seen.priority(), Priority::Prefetch);
    assert_eq!(seen.faults().unwrap().to_string(), "search=dead");
    assert_eq!(metadata.get("x-matinee-priority").unwrap(), "prefetch");
    assert!(metadata.contains_key("grpc-timeout"));

    let missing = client.clone().my_list(MyListRequest::default()).await.unwrap_err();
    assert_eq!((missing.code(), missing.message()), (Code::NotFound, "no such profile"));
    stop.cancel();
    hosted.await.unwrap();
    assert_eq!(scores(&client).await.unwrap_err().code(), Code::Unavailable, "nobody listens there any more");
}
