//! Hosting, over real sockets: both versions of HTTP, TLS, gRPC, bounds, and a shutdown that lets requests end.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::playback::playback_server::{Playback, PlaybackServer};
use matinee_contracts::playback::{Session, StartRequest};
use matinee_service::channel::{Channel, admit};
use matinee_service::http::{HostConfig, HttpError, Tls, bind, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

const SOON: Duration = Duration::from_secs(20);

struct Hosted {
    address: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn host(routes: Router, config: HostConfig) -> Hosted {
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let ended = tokio::spawn(async move { serve(listener, routes, &config, stop).await });
    Hosted { address, shutdown, ended }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.expect("it should have happened by now")
}

fn hello() -> Router {
    Router::new().route("/", get(|peer: ConnectInfo<SocketAddr>| async move { peer.0.ip().to_string() }))
}

#[tokio::test]
async fn one_address_speaks_both_versions_of_http() {
    let hosted = host(hello(), HostConfig::default()).await;
    let url = format!("http://{}/", hosted.address);
    let first = reqwest::Client::builder().http1_only().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(first.version(), reqwest::Version::HTTP_11);
    assert_eq!(first.text().await.unwrap(), "127.0.0.1");
    let second = reqwest::Client::builder().http2_prior_knowledge().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(second.version(), reqwest::Version::HTTP_2);
    assert_eq!(second.text().await.unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn tls_agrees_on_http_2_by_alpn() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = HostConfig { tls: Some(Tls::load(&cert, &key).unwrap()), ..HostConfig::default() };
    let hosted = host(hello(), config).await;
    let url = format!("https://localhost:{}/", hosted.address.port());
    let trusting = || {
        let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).resolve("localhost", hosted.address)
    };
    let second = trusting().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(second.version(), reqwest::Version::HTTP_2);
    let first = trusting().http1_only().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!((first.version(), first.status().as_u16()), (reqwest::Version::HTTP_11, 200));

    let message = Tls::load(&key, &key).unwrap_err().to_string();
    assert!(message.contains("key.pem") && message.contains("certificate chain"), "{message}");
    let message = Tls::load(&cert, &cert).unwrap_err().to_string();
    assert!(message.contains("cert.pem") && message.contains("private key"), "{message}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let hosted = host(hello(), HostConfig::default()).await;
    let HttpError::Bind { address, .. } = bind(hosted.address).await.unwrap_err();
    assert_eq!(address, hosted.address);
}

/// A route that says when it was entered and answers when it is let go.
fn gated() -> (Router, mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let (entered, entries) = mpsc::unbounded_channel();
    let route = get(move || async move {
        let (go, gone) = oneshot::channel();
        entered.send(go).unwrap();
        gone.await.ok();
        "done"
    });
    (Router::new().route("/slow", route), entries)
}

#[tokio::test]
async fn a_running_request_ends_before_the_host_does() {
    let (routes, mut entries) = gated();
    let hosted = host(routes, HostConfig::default()).await;
    let request = tokio::spawn(reqwest::get(format!("http://{}/slow", hosted.address)));
    let go = within(entries.recv()).await.unwrap();
    hosted.shutdown.cancel();
    // The address is given up at once, while the request still runs.
    within(async { while TcpStream::connect(hosted.address).await.is_ok() {} }).await;
    assert!(!hosted.ended.is_finished());
    go.send(()).unwrap();
    assert_eq!(within(request).await.unwrap().unwrap().text().await.unwrap(), "done");
    within(hosted.ended).await.unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_when_the_drain_is_over() {
    let (routes, mut entries) = gated();
    let config = HostConfig { drain: Duration::from_millis(50), ..HostConfig::default() };
    let hosted = host(routes, config).await;
    let request = tokio::spawn(reqwest::get(format!("http://{}/slow", hosted.address)));
    let _go = within(entries.recv()).await.unwrap();
    hosted.shutdown.cancel();
    within(hosted.ended).await.unwrap();
    assert!(within(request).await.unwrap().is_err());
}

#[tokio::test]
async fn who_never_finishes_a_request_is_let_go() {
    let short = Duration::from_millis(200);
    let config = HostConfig { header_timeout: short, idle_timeout: short, ..HostConfig::default() };
    let hosted = host(hello(), config).await;
    // Nothing; the beginning of either version; half a head; a whole request, and then nothing.
    for sent in ["", "PRI * HT", "GET / HTTP/1.1\r\nHos", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut socket = TcpStream::connect(hosted.address).await.unwrap();
        socket.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Closed or reset: the read ends either way.
        let _ = within(socket.read_to_end(&mut answer)).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), sent.ends_with("\r\n\r\n"), "{sent:?}");
    }
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait_and_are_served() {
    let (routes, mut entries) = gated();
    let hosted = host(routes, HostConfig { max_connections: 1, ..HostConfig::default() }).await;
    let url = format!("http://{}/slow", hosted.address);
    let ask = || {
        let request = reqwest::Client::new().get(&url).header("connection", "close");
        tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() })
    };
    let requests = [ask(), ask()];
    let first = within(entries.recv()).await.unwrap();
    assert!(entries.try_recv().is_err(), "one place, one request");
    first.send(()).unwrap();
    within(entries.recv()).await.unwrap().send(()).unwrap();
    for request in requests {
        assert_eq!(within(request).await.unwrap(), "done");
    }
}

/// Answers with the title that was asked for.
struct Echo;

#[tonic::async_trait]
impl Playback for Echo {
    async fn start(&self, request: Request<StartRequest>) -> Result<Response<Session>, Status> {
        Ok(Response::new(Session { title: request.into_inner().title, ..Session::default() }))
    }
}

#[tokio::test]
async fn grpc_is_hosted_the_same_way_for_those_who_hold_the_secret() {
    let services = tonic::service::Routes::new(PlaybackServer::new(Echo)).into_axum_router();
    let hosted = host(admit(services, "a secret"), HostConfig::default()).await;
    let address = format!("http://{}", hosted.address);
    let ask = StartRequest { title: "film".to_owned(), ..StartRequest::default() };
    let mut known = PlaybackClient::new(Channel::remote(&address, "a secret").unwrap());
    assert_eq!(known.start(ask.clone()).await.unwrap().into_inner().title, "film");
    let mut stranger = PlaybackClient::new(Channel::remote(&address, "a guess").unwrap());
    assert_eq!(stranger.start(ask).await.unwrap_err().code(), Code::Unauthenticated);
    hosted.shutdown.cancel();
    within(hosted.ended).await.unwrap();
}
