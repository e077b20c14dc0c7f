//! What is kept of traces, on its way to whoever keeps it: a store in this process or another, OTLP, Zipkin.
//!
//! Each keeper has a queue of its own with a bound; one that is slow or gone loses spans, which are counted, and holds up
//! neither the others nor any request.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use matinee_contracts::traces::traces_client::TracesClient;
use matinee_contracts::traces::{CollectRequest, Span};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::parts::Batch;
use super::wire::Heard;
use crate::channel::Channel;
use crate::context::Context;
use crate::metrics::Metrics;

/// Spans that are handed over at once, at the most.
const AT_ONCE: usize = 2048;
/// How long spans wait for others to go with them.
const GATHERED: Duration = Duration::from_millis(200);
/// Hand-overs that wait for a keeper.
const WAITING: usize = 32;
/// How long a keeper may take for one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is tried, and how long is waited before.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Why a keeper did not take spans.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ExportError(pub String);

/// Whoever keeps spans.
#[async_trait::async_trait]
pub trait Export: Send + Sync + 'static {
    /// Its name in the log and the measurements.
    fn name(&self) -> &'static str;

    /// Takes spans. May be given the same ones again after a failure.
    async fn export(&self, spans: &[Span]) -> Result<(), ExportError>;
}

/// The service of traces, in this process or another.
#[derive(Debug, Clone)]
pub struct ToService(pub TracesClient<Channel>);

#[async_trait::async_trait]
impl Export for ToService {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        let request = CollectRequest { spans: spans.to_vec() };
        let sent = self.0.clone().collect(request).await;
        sent.map(|_| ()).map_err(|status| ExportError(status.to_string()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    keeper: &'static str,
    outcome: &'static str,
}

/// Where what is kept of traces comes out.
#[derive(Debug)]
pub struct Collected {
    batches: mpsc::Receiver<Batch>,
    lost: Counter,
}

impl Collected {
    pub(crate) fn new(batches: mpsc::Receiver<Batch>, lost: Counter) -> Self {
        Self { batches, lost }
    }

    /// Hands spans to `keepers` until `stop`, and then what is left. Without keepers they are thrown away.
    pub async fn run(mut self, keepers: Vec<Arc<dyn Export>>, metrics: &Metrics, stop: CancellationToken) {
        let counted: Family<Labels, Counter> = Family::default();
        metrics.register(|registry| {
            registry.register("trace_spans", "Spans handed over, by keeper and outcome", counted.clone());
            registry.register("trace_spans_lost", "Spans that found no room in the queue", self.lost.clone());
        });
        let mut queues = Vec::new();
        let mut running = Vec::new();
        for keeper in keepers {
            let (sender, receiver) = mpsc::channel(WAITING);
            let name = keeper.name();
            let of = |outcome| counted.get_or_create_owned(&Labels { keeper: name, outcome });
            queues.push((sender, of("lost")));
            running.push(keep(keeper, receiver, of("kept"), of("failed")));
        }
        let share = async {
            loop {
                let Some(spans) = self.gather(&stop).await else { break };
                for (queue, lost) in &queues {
                    if queue.try_send(Arc::clone(&spans)).is_err() {
                        lost.inc_by(spans.len() as u64);
                    }
                }
            }
            drop(queues);
        };
        // Handing spans over is not traced, or it would never end.
        let untraced = Context::default().in_trace(Heard::Untraced);
        untraced.scope(async { tokio::join!(share, join_all(running)) }).await;
    }

    /// The next spans; nothing when it is over.
    async fn gather(&mut self, stop: &CancellationToken) -> Option<Arc<[Span]>> {
        let first = tokio::select! {
            biased;
            first = self.batches.recv() => first?,
            () = stop.cancelled() => {
                self.batches.close();
                self.batches.recv().await?
            }
        };
        let mut spans: Vec<Span> = first.spans().collect();
        let until = tokio::time::Instant::now() + GATHERED;
        while spans.len() < AT_ONCE {
            tokio::select! {
                next = self.batches.recv() => match next {
                    Some(batch) => spans.extend(batch.spans()),
                    None => break,
                },
                () = tokio::time::sleep_until(until) => break,
                () = stop.cancelled(), if !self.batches.is_closed() => self.batches.close(),
            }
        }
        Some(spans.into())
    }
}

async fn keep(keeper: Arc<dyn Export>, mut queue: mpsc::Receiver<Arc<[Span]>>, kept: Counter, failed: Counter) {
    let mut well = true;
    while let Some(spans) = queue.recv().await {
        let mut outcome = Ok(());
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            outcome = match tokio::time::timeout(PATIENCE, keeper.export(&spans)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(ExportError(format!("no answer after {} s", PATIENCE.as_secs()))),
            };
            if outcome.is_ok() {
                break;
            }
        }
        match outcome {
            Ok(()) => {
                kept.inc_by(spans.len() as u64);
                well = true;
            }
            Err(error) => {
                failed.inc_by(spans.len() as u64);
                // Said once, and again when it had been well between.
                if std::mem::take(&mut well) {
                    tracing::warn!(keeper = keeper.name(), %error, "takes no spans; they are thrown away");
                }
            }
        }
    }
}
