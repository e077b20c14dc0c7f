//! One trace, from the door to the store, over services in this process and elsewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use http::{Request, StatusCode};
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::ratings_server::{Ratings, RatingsServer};
use matinee_contracts::ratings::{MyListReply, MyListRequest, ScoresReply, ScoresRequest};
use matinee_contracts::traces::Span;
use matinee_service::channel::{Channel, admit};
use matinee_service::door::{Door, Entry};
use matinee_service::http::{HostConfig, bind, serve};
use matinee_service::metrics::Metrics;
use matinee_service::resilience::{Policy, Resilience};
use matinee_service::trace::{self, Export, ExportError, Spans, TraceSettings, spans};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::Instrument;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

const TRACE: &str = "463ac35c9f6413ad48485a3953bb6124";

/// Keeps spans for a test to look at.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Span>>>);

#[async_trait::async_trait]
impl Export for Kept {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        self.0.lock().unwrap().extend_from_slice(spans);
        Ok(())
    }
}

/// A process whose spans are kept, until it is closed.
struct Process {
    kept: Kept,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    _subscriber: tracing::subscriber::DefaultGuard,
}

impl Process {
    fn open(settings: TraceSettings) -> Self {
        let (layer, collected) = spans(settings);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(Spans::filter()));
        let guard = tracing::subscriber::set_default(subscriber);
        let (kept, stop) = (Kept::default(), CancellationToken::new());
        let (keepers, stopped): (Vec<Arc<dyn Export>>, _) = (vec![Arc::new(kept.clone())], stop.clone());
        let running = tokio::spawn(async move { collected.run(keepers, &Metrics::new(), stopped).await });
        Self { kept, stop, running, _subscriber: guard }
    }

    async fn close(self) -> Vec<Span> {
        self.stop.cancel();
        self.running.await.unwrap();
        let mut spans = self.kept.0.lock().unwrap().clone();
        spans.sort_by_key(|span| span.start_us);
        spans
    }
}

#[tracing::instrument(level = "info", target = "matinee_stage", name = "store.scores", skip_all)]
async fn read_store(fails: bool) -> Result<(), String> {
    tokio::task::yield_now().await;
    if fails {
        tracing::error!(target: "matinee_stage", "the disk is gone");
        return Err("gone".to_owned());
    }
    Ok(())
}

#[derive(Clone)]
struct Stage;

#[tonic::async_trait]
impl Ratings for Stage {
    async fn scores(&self, _: tonic::Request<ScoresRequest>) -> Result<tonic::Response<ScoresReply>, tonic::Status> {
        read_store(false).await.map_err(tonic::Status::internal)?;
        Ok(tonic::Response::new(ScoresReply::default()))
    }

    async fn my_list(&self, _: tonic::Request<MyListRequest>) -> Result<tonic::Response<MyListReply>, tonic::Status> {
        read_store(true).await.map_err(tonic::Status::internal)?;
        Ok(tonic::Response::new(MyListReply::default()))
    }
}

async fn page(State(client): State<RatingsClient<Channel>>) -> StatusCode {
    let (mut one, mut two) = (client.clone(), client.clone());
    let _both = tokio::join!(one.scores(ScoresRequest::default()), two.scores(ScoresRequest::default()));
    StatusCode::OK
}

async fn list(State(mut client): State<RatingsClient<Channel>>) -> StatusCode {
    let answer = client.my_list(MyListRequest::default()).await;
    if answer.is_ok() { StatusCode::OK } else { StatusCode::NO_CONTENT }
}

async fn waits() {
    trace::waits();
    slow().await;
}

async fn slow() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

fn door(client: RatingsClient<Channel>) -> Router {
    let routes = Router::new()
        .route("/titles/{id}", get(page))
        .route("/list", get(list))
        .route("/slow", get(slow))
        .route("/waits", get(waits))
        .with_state(client);
    Door::new("gateway", |_, _, _| Entry::default()).over(routes)
}

fn here(shared: &Resilience) -> RatingsClient<Channel> {
    let server = shared.served("ratings", RatingsServer::new(Stage));
    RatingsClient::new(Channel::local(server).guarded("ratings", Policy::essential(), shared))
}

async fn ask(routes: &Router, path: &str, headers: &[(&str, &str)]) -> http::Response<Body> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn rate(rate: f64) -> TraceSettings {
    TraceSettings { rate, slow: Duration::from_secs(1) }
}

/// Each span as "service name < its parent's name".
fn drawn(spans: &[Span]) -> Vec<String> {
    let names: HashMap<_, _> = spans.iter().map(|span| (span.id.as_str(), span.name.as_str())).collect();
    let parent = |span: &Span| names.get(span.parent.as_str()).copied().unwrap_or("-").to_owned();
    let mut drawn: Vec<_> =
        spans.iter().map(|span| format!("{} {} {} < {}", span.service, span.kind, span.name, parent(span))).collect();
    drawn.sort();
    drawn
}

#[tokio::test]
async fn one_trace_covers_the_door_the_call_the_service_and_the_store() {
    let process = Process::open(rate(0.0));
    let routes = door(here(&Resilience::new(&Metrics::new())));
    let answer = ask(
        &routes,
        "/titles/7",
        &[("x-b3-traceid", TRACE), ("x-b3-spanid", "a2fb4a1d1a96d312"), ("x-b3-sampled", "1")],
    )
    .await;
    assert_eq!(answer.headers()["x-b3-traceid"], TRACE);
    assert!(answer.headers()["traceparent"].to_str().unwrap().starts_with(&format!("00-{TRACE}-")));
    let spans = process.close().await;
    assert!(spans.iter().all(|span| span.trace == TRACE));
    let call = "matinee.ratings.v1.Ratings/Scores";
    let one = [
        format!("gateway client {call} < GET /titles/{{id}}"),
        "gateway server GET /titles/{id} < -".to_owned(),
        format!("ratings internal store.scores < {call}"),
        format!("ratings server {call} < {call}"),
    ];
    assert_eq!(drawn(&spans), [&one[0], &one[0], &one[1], &one[2], &one[2], &one[3], &one[3]].map(String::clone));
    let first = spans.iter().find(|span| span.kind == "server" && span.service == "gateway").unwrap();
    assert_eq!((first.parent.as_str(), first.tags["status"].as_str()), ("a2fb4a1d1a96d312", "200"));
    assert!(spans.iter().all(|span| span.start_us >= first.start_us && span.duration_us <= first.duration_us));
}

#[tokio::test]
async fn a_trace_goes_on_in_the_process_that_is_called() {
    let process = Process::open(rate(1.0));
    let shared = Resilience::new(&Metrics::new());
    let routes = tonic::service::Routes::default().add_service(shared.served("ratings", RatingsServer::new(Stage)));
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, services) = (CancellationToken::new(), admit(routes.into_axum_router(), "secret"));
    let stopped = stop.clone();
    let hosted = tokio::spawn(async move { serve(listener, services, &HostConfig::default(), stopped).await });
    let channel = Channel::remote(&address, "secret").unwrap().guarded("ratings", Policy::essential(), &shared);
    let answer = ask(&door(RatingsClient::new(channel)), "/titles/7", &[]).await;
    let trace = answer.headers()["x-b3-traceid"].to_str().unwrap().to_owned();
    stop.cancel();
    hosted.await.unwrap();
    let spans = process.close().await;
    assert!(spans.iter().all(|span| span.trace == trace), "{spans:?}");
    assert_eq!(spans.len(), 7);
    let call = "matinee.ratings.v1.Ratings/Scores";
    assert!(drawn(&spans).contains(&format!("ratings server {call} < {call}")));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sampled_is_kept_only_where_it_fails_or_is_slow() {
    let process = Process::open(rate(0.0));
    let routes = door(here(&Resilience::new(&Metrics::new())));
    ask(&routes, "/titles/7", &[]).await;
    ask(&routes, "/list", &[]).await;
    ask(&routes, "/slow", &[]).await;
    ask(&routes, "/waits", &[]).await;
    let spans = process.close().await;
    let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    assert!(of("GET /titles/{id}").is_empty());
    assert_eq!(of("GET /slow").len(), 1);
    assert_eq!(of("GET /waits").len(), 0, "it takes long on purpose");
    let (store, door) = (of("store.scores"), of("GET /list"));
    assert_eq!((store.len(), door.len(), spans.len()), (1, 1, 5));
    assert_eq!(store[0].error, "the disk is gone");
    assert_eq!(of("matinee.ratings.v1.Ratings/MyList")[0].tags["code"], "internal");
}

#[tokio::test]
async fn whoever_asks_not_to_be_traced_is_not() {
    let process = Process::open(rate(1.0));
    let routes = door(here(&Resilience::new(&Metrics::new())));
    let answer = ask(&routes, "/titles/7", &[("b3", "0")]).await;
    assert!(!answer.headers().contains_key("x-b3-traceid"));
    assert!(process.close().await.is_empty());
}

#[tokio::test]
async fn strangers_cannot_have_more_traces_kept_than_some() {
    let process = Process::open(rate(0.0));
    let routes = door(here(&Resilience::new(&Metrics::new())));
    for _ in 0..200 {
        ask(&routes, "/titles/7", &[("x-b3-sampled", "1")]).await;
    }
    let spans = process.close().await;
    let kept = spans.iter().filter(|span| span.service == "gateway" && span.kind == "server").count();
    assert!((20..120).contains(&kept), "{kept} of 200");
}

#[tokio::test]
async fn an_event_continues_the_trace_that_it_carries() {
    let process = Process::open(rate(0.0));
    let parent = format!("00-{TRACE}-a2fb4a1d1a96d312-01");
    let work = async {
        assert_eq!(trace::current_id().as_deref(), Some(TRACE));
        read_store(false).await.unwrap();
    };
    work.instrument(trace::continued("history", "heartbeats", &parent)).await;
    read_store(false).await.unwrap();
    assert_eq!(trace::current_id(), None);
    let spans = process.close().await;
    assert_eq!(drawn(&spans), ["history consumer heartbeats < -", "history internal store.scores < heartbeats"]);
    assert_eq!(spans.iter().find(|span| span.kind == "consumer").unwrap().parent, "a2fb4a1d1a96d312");
}
