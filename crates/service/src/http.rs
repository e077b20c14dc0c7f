//! Hosting: serves routes on an address over HTTP/1.1 and HTTP/2, with or without TLS, until it is told to stop.
//!
//! Without TLS, HTTP/2 is taken by prior knowledge, so gRPC is hosted the same way (see [`crate::channel::admit`]). What
//! holds a connection has a bound: how long a request's head may take, how long nothing may happen, how long sent bytes
//! may stay unread, how many connections there are. At a shutdown running requests end, no longer than the drain allows.

mod activity;
mod body;
mod problem;
mod query;
mod tls;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::activity::{Activity, Counted};
pub use self::body::{BodyLimit, BytesBody, JsonBody, JsonOrNothing, parse_json};
pub use self::problem::{FieldError, Problem, problem};
pub use self::query::Queried;
pub use self::tls::{Tls, TlsError};

/// How often a connection is looked at, at the least, as parts of its patience.
const LOOKS: u32 = 4;
/// How long to wait before accepting again after the system ran out of something.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Why an address can't be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address can't be had.
    #[error("{address} can't be listened on: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

/// How routes are served.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// With it, HTTPS; without it, plain HTTP.
    pub tls: Option<Tls>,
    /// How long running requests may take to end at a shutdown.
    pub drain: Duration,
    /// Connections at once; more wait in the system's queue.
    pub max_connections: usize,
    /// How long a request's head, or a TLS handshake, may take. An HTTP/1.1 connection is also closed when it waits for
    /// its next request for so long.
    pub header_timeout: Duration,
    /// How long a connection may be open without a request.
    pub idle_timeout: Duration,
    /// How long a viewer may leave sent bytes unread.
    pub unread_timeout: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams: u32,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            tls: None,
            drain: Duration::from_secs(10),
            max_connections: 8192,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
            unread_timeout: Duration::from_secs(60),
            max_streams: 256,
        }
    }
}

/// Takes an address. Connections queue there until it is served.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address).await.map_err(|source| HttpError::Bind { address, source })
}

/// Serves `routes` on `listener` until `shutdown`, then lets running requests end; returns when the last has, or when
/// the drain is over and the rest were cut.
///
/// Each request carries its peer as [`ConnectInfo<SocketAddr>`].
pub async fn serve(listener: TcpListener, routes: Router, config: &HostConfig, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(config.max_connections));
    let cut = CancellationToken::new();
    let host = Arc::new(Host { routes, config: config.clone(), shutdown: shutdown.clone(), cut: cut.clone() });
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                let host = Arc::clone(&host);
                connections.spawn(async move {
                    host.connection(socket, peer).await;
                    drop(place);
                });
            }
            Err(error) if of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted; it is tried again");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(config.drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests still ran after {:?} and are cut", config.drain);
        cut.cancel();
        connections.wait().await;
    }
}

fn of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

struct Host {
    routes: Router,
    config: HostConfig,
    shutdown: CancellationToken,
    cut: CancellationToken,
}

impl Host {
    async fn connection(&self, socket: TcpStream, peer: SocketAddr) {
        // Neither is needed for an answer to be right, so a socket that refuses them is served all the same.
        let _ = socket.set_nodelay(true);
        let unread = u32::try_from(self.config.unread_timeout.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&socket, unread);
        let Some(tls) = &self.config.tls else { return self.exchange(socket, peer).await };
        let handshake = tokio::time::timeout(self.config.header_timeout, tls.acceptor().accept(socket));
        let secured = tokio::select! {
            () = self.shutdown.cancelled() => return,
            secured = handshake => secured,
        };
        match secured {
            Ok(Ok(stream)) => self.exchange(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS session came about"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    }

    /// Answers requests until one of both sides closes the connection.
    async fn exchange<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new();
        let counted = Arc::clone(&activity);
        let routes = self.routes.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            let running = counted.begin();
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = routes.clone().call(request.map(Body::new));
            async move {
                let response = answer.await?;
                Ok::<_, Infallible>(response.map(|body| Counted::new(body, running)))
            }
        });
        let builder = self.builder();
        let mut exchange = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut look = tokio::time::interval(self.config.header_timeout.min(self.config.idle_timeout) / LOOKS);
        let mut ending = false;
        loop {
            tokio::select! {
                ended = exchange.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection broke");
                    }
                    return;
                }
                () = self.cut.cancelled() => return,
                () = self.shutdown.cancelled(), if !ending => {
                    ending = true;
                    exchange.as_mut().graceful_shutdown();
                }
                _ = look.tick() => {
                    let patience =
                        if activity.used() { self.config.idle_timeout } else { self.config.header_timeout };
                    match activity.idle() {
                        Some(idle) if idle >= patience && !ending => {
                            ending = true;
                            exchange.as_mut().graceful_shutdown();
                        }
                        // It was told, and had time to say goodbye.
                        Some(idle) if idle >= 2 * patience => return,
                        _ => {}
                    }
                }
            }
        }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.config.header_timeout);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.config.max_streams)
            .keep_alive_interval(self.config.header_timeout)
            .keep_alive_timeout(self.config.header_timeout);
        builder
    }
}
