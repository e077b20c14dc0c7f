//! Load: requests that are due at a steady rate, whether or not the ones before are answered.
//!
//! A time is measured from the moment at which a request was due, so that one that had to wait for a free connection is
//! counted whole (G. Tene, "How NOT to Measure Latency": coordinated omission).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::measure::Failure;

/// One request.
pub struct Ask {
    /// Its method and path.
    pub method: &'static str,
    /// With the query.
    pub path: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Nothing for GET.
    pub body: Bytes,
}

/// How requests come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// A second.
    pub rate: u32,
    /// For how long.
    pub seconds: u32,
    /// Connections kept open.
    pub connections: u32,
}

impl Pace {
    /// How long after the start request `n` is due.
    fn after(&self, n: u64) -> Duration {
        Duration::from_secs_f64(n as f64 / f64::from(self.rate))
    }
}

/// What came of them.
#[derive(Debug)]
pub struct Outcome {
    /// Microseconds from when a request was due to its answer's last byte, of those that were answered with 2xx.
    pub times: Histogram<u64>,
    /// The same from when a request was sent: what the service alone took, where it is asked for more than can be sent.
    pub served: Histogram<u64>,
    /// Answered with 2xx.
    pub good: u64,
    /// Answered with 429 or 503.
    pub shed: u64,
    /// Anything else.
    pub failed: u64,
    /// The first of those.
    pub first_failure: Option<String>,
    /// Seconds from the first request to the last answer.
    pub seconds: f64,
}

impl Outcome {
    fn new() -> Result<Self, Failure> {
        let times = Histogram::new_with_bounds(1, 120_000_000, 3)?;
        let served = times.clone();
        Ok(Self { times, served, good: 0, shed: 0, failed: 0, first_failure: None, seconds: 0.0 })
    }

    /// The time below which `share` (0 to 1) of the good ones are, in milliseconds.
    pub fn ms(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / 1e3
    }

    /// The time below which `share` of the good ones are, in milliseconds, from when they were sent.
    pub fn service_ms(&self, share: f64) -> f64 {
        self.served.value_at_quantile(share) as f64 / 1e3
    }

    /// Fails where a request failed that should not have.
    pub fn all_good(self) -> Result<Self, Failure> {
        match &self.first_failure {
            None if self.shed == 0 => Ok(self),
            None => Err(format!("{} requests were shed", self.shed).into()),
            Some(reason) => Err(format!("{} requests failed, the first with {reason}", self.failed).into()),
        }
    }

    fn join(&mut self, other: Self) -> Result<(), Failure> {
        self.times.add(&other.times)?;
        self.served.add(&other.served)?;
        self.good += other.good;
        self.shed += other.shed;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        Ok(())
    }
}

/// Sends `ask(n)` for n from 0 at the pace.
pub async fn load(
    address: &str,
    pace: Pace,
    ask: impl Fn(u64) -> Ask + Send + Sync + 'static,
) -> Result<Outcome, Failure> {
    let target: SocketAddr = address.trim_start_matches("http://").parse()?;
    let (ask, next) = (Arc::new(ask), Arc::new(AtomicU64::new(0)));
    let total = u64::from(pace.rate) * u64::from(pace.seconds);
    let start = Instant::now() + Duration::from_millis(100);
    let turns = Arc::new(Semaphore::new(0));
    let metronome = std::thread::spawn({
        let turns = Arc::clone(&turns);
        move || beat(&turns, start, pace, total)
    });
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..pace.connections {
        let (ask, next, turns) = (Arc::clone(&ask), Arc::clone(&next), Arc::clone(&turns));
        connections.spawn(async move {
            let mut outcome = Outcome::new()?;
            let mut sender = None;
            loop {
                turns.acquire().await?.forget();
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= total {
                    return Ok::<_, Failure>(outcome);
                }
                let due = start + pace.after(n);
                let asking = ask(n);
                let sent = Instant::now();
                let answered = exchange(&mut sender, target, &asking).await;
                count(&mut outcome, due, sent, answered);
            }
        });
    }
    let mut all = Outcome::new()?;
    while let Some(outcome) = connections.join_next().await {
        all.join(outcome??)?;
    }
    all.seconds = start.elapsed().as_secs_f64();
    metronome.join().map_err(|_| "the metronome broke")?;
    Ok(all)
}

/// Gives a turn when a request is due, and in the end one to each connection. On a thread: the runtime's timers are a
/// millisecond late.
fn beat(turns: &Semaphore, start: Instant, pace: Pace, total: u64) {
    for n in 0..total {
        std::thread::sleep((start + pace.after(n)).saturating_duration_since(Instant::now()));
        turns.add_permits(1);
    }
    turns.add_permits(pace.connections as usize);
}

fn count(outcome: &mut Outcome, due: Instant, sent: Instant, answered: Result<(StatusCode, Bytes), Failure>) {
    let why = match answered {
        Ok((status, _)) if status.is_success() => {
            let micros = |since: Instant| u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
            outcome.times.saturating_record(micros(due));
            outcome.served.saturating_record(micros(sent));
            outcome.good += 1;
            return;
        }
        Ok((StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _)) => {
            outcome.shed += 1;
            return;
        }
        Ok((status, body)) => format!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(300)])),
        Err(error) => error.to_string(),
    };
    outcome.failed += 1;
    outcome.first_failure.get_or_insert(why);
}

/// Over the connection that is open, or a new one where it broke.
async fn exchange(
    sender: &mut Option<SendRequest<Full<Bytes>>>,
    target: SocketAddr,
    ask: &Ask,
) -> Result<(StatusCode, Bytes), Failure> {
    let alive = match sender.as_mut() {
        Some(open) => open.ready().await.is_ok(),
        None => false,
    };
    if !alive {
        *sender = Some(connect(target).await?);
    }
    let open = sender.as_mut().ok_or("there is no connection")?;
    let mut request = Request::builder().method(ask.method).uri(&ask.path).header("host", target.to_string());
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    if !ask.body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let answer = open.send_request(request.body(Full::new(ask.body.clone()))?).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

async fn connect(target: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let socket = TcpStream::connect(target).await?;
    socket.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
