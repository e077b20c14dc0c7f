//! What players say of themselves with their requests (CMCD), from the edge to telemetry.
//!
//! Nothing of it touches an answer: it is read after the answer is made, queued without waiting, and sent in batches
//! behind everybody's back. Where the queue is full or telemetry does not answer, it is lost, and counted.

use std::time::Duration;

use http::HeaderMap;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::telemetry::{SegmentRequest, SegmentsReport};
use matinee_media::cmcd::{Cmcd, HEADERS, Object};
use matinee_service::channel::Channel;
use matinee_service::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Requests that wait to be sent: a few seconds of a busy edge, about 4 MB.
const QUEUED: usize = 16_384;
/// Requests of one batch, as telemetry takes them.
const AT_ONCE: usize = 1000;
/// How long a batch is gathered.
const GATHERED: Duration = Duration::from_secs(1);

/// What became of what a player said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counts by outcome. Cheap to clone.
#[derive(Debug, Clone, Default)]
struct Counts(Family<Outcome, Counter>);

impl Counts {
    fn add(&self, outcome: &'static str, requests: usize) {
        self.0.get_or_create(&Outcome { outcome }).inc_by(requests as u64);
    }
}

/// Hears what players say. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Told {
    queue: mpsc::Sender<SegmentRequest>,
    counts: Counts,
}

/// Sends on what was heard.
#[derive(Debug)]
pub struct Telling {
    queue: mpsc::Receiver<SegmentRequest>,
    counts: Counts,
}

/// An ear, and what sends on what it hears.
#[must_use]
pub fn told(metrics: &Metrics) -> (Told, Telling) {
    let (sender, receiver) = mpsc::channel(QUEUED);
    let counts = Counts::default();
    metrics.register(|registry| {
        let help =
            "Requests with CMCD: sent on, unreadable, dropped (the queue was full), lost (telemetry did not answer)";
        registry.register("edge_cmcd", help, counts.0.clone());
    });
    (Told { queue: sender, counts: counts.clone() }, Telling { queue: receiver, counts })
}

impl Told {
    /// Hears a request that was answered, whether from what is kept (`cached`) or not. Never waits.
    pub(crate) fn hear(&self, query: Option<&str>, headers: &HeaderMap, cached: Cached, now_us: i64) {
        let named = |query: &str| query.split('&').any(|argument| argument.starts_with("CMCD="));
        let sent = || HEADERS.iter().filter_map(|name| headers.get(*name));
        let said = match query.filter(|query| named(query)) {
            Some(query) => Cmcd::of_query(query),
            None if sent().next().is_none() => return,
            None => Cmcd::of_headers(sent().filter_map(|value| value.to_str().ok())),
        };
        // Who does not name a session can't be told from others: it would count for nobody.
        let Some((session, said)) = said.and_then(|said| Some((said.session.clone()?, said))) else {
            self.counts.add("unreadable", 1);
            return;
        };
        if self.queue.try_send(request(session, said, cached, now_us)).is_err() {
            self.counts.add("dropped", 1);
        }
    }
}

/// Whether the edge had what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cached {
    /// In memory.
    Here,
    /// Only the origin had it.
    Elsewhere,
}

fn request(session: String, said: Cmcd, cached: Cached, at_us: i64) -> SegmentRequest {
    SegmentRequest {
        session,
        title: said.content.unwrap_or_default(),
        object: said.object.map(name).unwrap_or_default().to_owned(),
        bits_per_second: said.bits_per_second.unwrap_or(0),
        throughput_bits_per_second: said.throughput_bits_per_second.unwrap_or(0),
        buffer_ms: said.buffer_ms,
        starved: said.starved,
        startup: said.startup,
        cached: cached == Cached::Here,
        at_us,
    }
}

fn name(object: Object) -> &'static str {
    match object {
        Object::Manifest => "manifest",
        Object::Audio => "audio",
        Object::Video => "video",
        Object::Muxed => "muxed",
        Object::Init => "init",
        Object::Caption => "caption",
        Object::TimedText => "timed-text",
        Object::Key => "key",
        Object::Other => "other",
    }
}

impl Telling {
    /// Sends on what is heard, until `stop`; then what is left.
    pub async fn carry(mut self, mut telemetry: TelemetryClient<Channel>, stop: CancellationToken) {
        let mut failing = false;
        while let Some(batch) = self.batch(&stop).await {
            let requests = batch.len();
            match telemetry.report_segments(SegmentsReport { requests: batch }).await {
                Ok(_) => {
                    self.counts.add("sent", requests);
                    failing = false;
                }
                Err(status) => {
                    self.counts.add("lost", requests);
                    // Once, not a second for as long as telemetry is away.
                    if !failing {
                        tracing::warn!(%status, requests, "what players said is lost");
                    }
                    failing = true;
                }
            }
        }
    }

    /// What was heard in a second, or as much as one batch takes; nothing when all is over.
    async fn batch(&mut self, stop: &CancellationToken) -> Option<Vec<SegmentRequest>> {
        let mut batch = Vec::new();
        if stop.run_until_cancelled(self.queue.recv_many(&mut batch, AT_ONCE)).await.is_none() {
            while let Some(request) = (batch.len() < AT_ONCE).then(|| self.queue.try_recv().ok()).flatten() {
                batch.push(request);
            }
            return (!batch.is_empty()).then_some(batch);
        }
        let until = Instant::now() + GATHERED;
        while !batch.is_empty() && batch.len() < AT_ONCE {
            let room = AT_ONCE - batch.len();
            let more = tokio::time::timeout_at(until, self.queue.recv_many(&mut batch, room));
            match stop.run_until_cancelled(more).await {
                Some(Ok(1..)) => {}
                _ => break,
            }
        }
        (!batch.is_empty()).then_some(batch)
    }
}
