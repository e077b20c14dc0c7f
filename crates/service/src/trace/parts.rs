//! A trace's part in this process: its spans, kept together until the first of them ends and it is known whether they are
//! worth keeping.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matinee_contracts::traces::Span;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use super::ids::{SpanId, TraceId};

/// The most spans of a trace in one process.
const MOST_SPANS: usize = 1000;

const RUNNING: u8 = 0;
const KEPT: u8 = 1;
const THROWN_AWAY: u8 = 2;

/// A span that ended.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub name: Cow<'static, str>,
    pub service: Arc<str>,
    pub kind: &'static str,
    pub start_us: i64,
    pub duration: Duration,
    pub error: Option<String>,
    pub tags: Vec<(&'static str, String)>,
}

/// Spans of one trace, on their way to whoever keeps them.
#[derive(Debug)]
pub(crate) struct Batch {
    trace: TraceId,
    records: Vec<Record>,
}

/// Where parts that are worth keeping go. Never waits: what does not fit is counted and gone.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    pub sender: mpsc::Sender<Batch>,
    pub lost: Counter,
}

impl Outlet {
    fn send(&self, batch: Batch) {
        let spans = batch.records.len();
        if self.sender.try_send(batch).is_err() {
            self.lost.inc_by(spans as u64);
        }
    }
}

/// A trace's part in this process.
#[derive(Debug)]
pub(crate) struct Part {
    pub trace: TraceId,
    /// As it is told to others.
    pub sampled: bool,
    slow: Duration,
    failed: AtomicBool,
    waits: AtomicBool,
    state: AtomicU8,
    records: Mutex<Vec<Record>>,
}

impl Part {
    /// One that begins. It is kept where it is `sampled`, where a span fails, or where it takes `slow` or longer.
    pub(crate) fn new(trace: TraceId, sampled: bool, slow: Duration) -> Arc<Self> {
        let (failed, waits, state) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU8::new(RUNNING));
        Arc::new(Self { trace, sampled, slow, failed, waits, state, records: Mutex::default() })
    }

    /// It takes long on purpose.
    pub(crate) fn wait(&self) {
        self.waits.store(true, Ordering::Relaxed);
    }

    /// Something in it failed.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// A span ended. The `first` one ends the part.
    pub(crate) fn ended(&self, record: Record, first: bool, outlet: &Outlet) {
        if first {
            return self.end(record, outlet);
        }
        let late = {
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            match self.state.load(Ordering::Acquire) {
                THROWN_AWAY => return,
                KEPT => true,
                _ if records.len() >= MOST_SPANS => {
                    outlet.lost.inc();
                    return;
                }
                _ => {
                    records.push(record.clone());
                    false
                }
            }
        };
        // Work that went on after the answer.
        if late {
            outlet.send(Batch { trace: self.trace, records: vec![record] });
        }
    }

    fn end(&self, record: Record, outlet: &Outlet) {
        let slow = record.duration >= self.slow && !self.waits.load(Ordering::Relaxed);
        let keep = self.sampled || self.failed.load(Ordering::Relaxed) || slow;
        let mut records = {
            let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            self.state.store(if keep { KEPT } else { THROWN_AWAY }, Ordering::Release);
            std::mem::take(&mut *records)
        };
        if keep {
            records.push(record);
            outlet.send(Batch { trace: self.trace, records });
        }
    }
}

impl Batch {
    /// As the contract writes them.
    pub(crate) fn spans(self) -> impl Iterator<Item = Span> {
        let trace = self.trace.to_string();
        self.records.into_iter().map(move |record| Span {
            trace: trace.clone(),
            id: record.id.to_string(),
            parent: record.parent.map(|parent| parent.to_string()).unwrap_or_default(),
            name: record.name.into_owned(),
            service: record.service.to_string(),
            kind: record.kind.to_owned(),
            start_us: record.start_us,
            duration_us: u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX),
            error: record.error.unwrap_or_default(),
            tags: record.tags.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }
}
