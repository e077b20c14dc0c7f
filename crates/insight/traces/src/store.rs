//! Spans in memory: the latest traces, each with so many spans, all of them within so many bytes.
//!
//! A trace comes in pieces, from several processes and in any order; it is as old as its last piece. When there is no room,
//! the oldest goes. Spans that come twice are kept once.

use std::collections::{BTreeMap, HashMap};

use matinee_contracts::traces::{Span, TraceSummary};

/// What a span costs beside its texts, in bytes, about.
const SPAN_BYTES: usize = 300;
/// What a trace costs beside its spans.
const TRACE_BYTES: usize = 200;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Traces.
    pub traces: usize,
    /// Spans of one trace; what comes after them is counted and thrown away.
    pub spans_a_trace: usize,
    /// All of it, in bytes, about.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { traces: 5_000, spans_a_trace: 1_000, bytes: 64 << 20 }
    }
}

/// Which traces are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// With a span of this service; empty for any.
    pub service: String,
    /// With a span whose name contains this, whatever its case; empty for any.
    pub name: String,
    /// Whose first span took at least so long, in microseconds.
    pub min_duration_us: u64,
    /// Where something failed.
    pub errors_only: bool,
}

/// One trace.
#[derive(Debug, Default)]
struct Trace {
    spans: Vec<Span>,
    bytes: usize,
    /// When its last piece came, as a count of pieces.
    touched: u64,
}

/// The spans that are kept.
#[derive(Debug)]
pub struct SpanStore {
    bounds: Bounds,
    traces: HashMap<String, Trace>,
    /// Ids by when the last piece came, the oldest first.
    order: BTreeMap<u64, String>,
    pieces: u64,
    bytes: usize,
}

fn size(span: &Span) -> usize {
    let tags: usize = span.tags.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
    SPAN_BYTES + span.name.len() + span.service.len() + span.error.len() + tags
}

impl Trace {
    fn summary(&self, id: &str) -> Option<TraceSummary> {
        // The first is the one that no other began; where its own piece is missing, the one that began earliest.
        let known = |id: &str| self.spans.iter().any(|span| span.id == id);
        let roots = self.spans.iter().filter(|span| span.parent.is_empty() || !known(&span.parent));
        let first = roots.min_by_key(|span| (!span.parent.is_empty(), span.start_us))?;
        let errors = self.spans.iter().filter(|span| !span.error.is_empty()).count();
        Some(TraceSummary {
            trace: id.to_owned(),
            name: first.name.clone(),
            service: first.service.clone(),
            start_us: first.start_us,
            duration_us: first.duration_us,
            spans: u32::try_from(self.spans.len()).unwrap_or(u32::MAX),
            errors: u32::try_from(errors).unwrap_or(u32::MAX),
        })
    }

    fn may_be(&self, wanted: &Wanted) -> bool {
        let name = wanted.name.to_lowercase();
        let of = |span: &Span| {
            (wanted.service.is_empty() || span.service == wanted.service)
                && (name.is_empty() || span.name.to_lowercase().contains(&name))
        };
        self.spans.iter().any(of) && (!wanted.errors_only || self.spans.iter().any(|span| !span.error.is_empty()))
    }
}

impl SpanStore {
    /// Empty.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, traces: HashMap::new(), order: BTreeMap::new(), pieces: 0, bytes: 0 }
    }

    /// Takes a span that was checked; the oldest traces make room for it.
    pub fn take(&mut self, span: Span) {
        self.pieces += 1;
        let trace = self.traces.entry(span.trace.clone()).or_default();
        if trace.spans.is_empty() {
            trace.bytes = TRACE_BYTES;
            self.bytes += TRACE_BYTES;
        }
        self.order.remove(&trace.touched);
        trace.touched = self.pieces;
        self.order.insert(self.pieces, span.trace.clone());
        let full = trace.spans.len() >= self.bounds.spans_a_trace;
        if !full && !trace.spans.iter().any(|known| known.id == span.id) {
            let size = size(&span);
            trace.bytes += size;
            self.bytes += size;
            trace.spans.push(span);
        }
        while self.traces.len() > self.bounds.traces || (self.bytes > self.bounds.bytes && self.traces.len() > 1) {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            if let Some(gone) = self.traces.remove(&oldest) {
                self.bytes -= gone.bytes;
            }
        }
    }

    /// The latest traces that are `wanted`, at most `limit`.
    #[must_use]
    pub fn list(&self, wanted: &Wanted, limit: usize) -> Vec<TraceSummary> {
        let latest = self.order.values().rev().filter_map(|id| Some((id, self.traces.get(id)?)));
        latest
            .filter(|(_, trace)| trace.may_be(wanted))
            .filter_map(|(id, trace)| trace.summary(id))
            .filter(|summary| summary.duration_us >= wanted.min_duration_us)
            .take(limit)
            .collect()
    }

    /// A trace's spans, the earliest first; nothing where it is not kept.
    #[must_use]
    pub fn get(&self, trace: &str) -> Option<Vec<Span>> {
        let mut spans = self.traces.get(trace)?.spans.clone();
        spans.sort_by(|a, b| (a.start_us, b.duration_us).cmp(&(b.start_us, a.duration_us)));
        Some(spans)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn span(trace: u32, id: u32, parent: u32) -> Span {
        Span {
            trace: format!("{trace:032x}"),
            id: format!("{id:016x}"),
            parent: if parent == 0 { String::new() } else { format!("{parent:016x}") },
            name: format!("span {id}"),
            service: "gateway".to_owned(),
            start_us: i64::from(id),
            duration_us: 100,
            ..Span::default()
        }
    }

    #[test]
    fn the_traces_that_nothing_was_heard_of_for_longest_make_room() {
        let mut store = SpanStore::new(Bounds { traces: 2, ..Bounds::default() });
        for trace in [1, 2, 1, 3] {
            store.take(span(trace, trace, 0));
        }
        let names: Vec<_> = store.list(&Wanted::default(), 9).into_iter().map(|trace| trace.name).collect();
        assert_eq!(names, ["span 3", "span 1"]);
        assert!(store.get(&format!("{:032x}", 2)).is_none());
    }

    #[test]
    fn a_trace_is_called_by_what_it_began_with_whichever_piece_comes_first() {
        let mut store = SpanStore::new(Bounds::default());
        store.take(span(1, 30, 20));
        let early = store.list(&Wanted::default(), 9);
        assert_eq!(early[0].name, "span 30");
        store.take(span(1, 20, 10));
        store.take(span(1, 10, 0));
        let whole = store.list(&Wanted::default(), 9);
        assert_eq!((whole[0].name.as_str(), whole[0].spans), ("span 10", 3));
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            spans in proptest::collection::vec((0_u32..20, 1_u32..40, 0_usize..3000), 1..300),
        ) {
            let bounds = Bounds { traces: 8, spans_a_trace: 10, bytes: 20_000 };
            let mut store = SpanStore::new(bounds);
            for (trace, id, long) in spans {
                let mut next = span(trace, id, 0);
                next.error = "x".repeat(long);
                store.take(next);
                prop_assert!(store.traces.len() <= bounds.traces && store.order.len() == store.traces.len());
                prop_assert!(store.bytes <= bounds.bytes || store.traces.len() == 1);
                let counted: usize = store.traces.values().map(|trace| trace.bytes).sum();
                prop_assert!(counted == store.bytes);
                prop_assert!(store.traces.values().all(|trace| trace.spans.len() <= bounds.spans_a_trace));
            }
        }
    }
}
