//! Makes records of `tracing`'s spans, as a layer of its subscriber.
//!
//! A span with the target [`BEGINS`] begins this process's part of a trace, where it is not in one already; every other
//! span of the program (at `info`) belongs to the part that it is created in, and to none outside of one. Fields that mean
//! something: `name`, `service`, `kind`, `error`; the others become tags. An `error` event makes the span a failed one, a
//! `warn` event becomes a tag.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Level, Metadata, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::collect::Collected;
use super::ids::{SpanId, TraceId};
use super::parts::{Outlet, Part, Record};
use super::wire::{Heard, Link};

/// The target of spans that begin a part.
pub(crate) const BEGINS: &str = "matinee::trace::begins";
/// The program's targets.
const OURS: &str = "matinee";
/// Parts that wait for whoever keeps them.
const QUEUE: usize = 1024;
/// The most tags of a span, and the most bytes of one.
const MOST_TAGS: usize = 32;
const LONGEST_TAG: usize = 1024;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceSettings {
    /// The share of traces that are kept by chance, 0 to 1.
    pub rate: f64,
    /// A request that takes so long is kept.
    pub slow: Duration,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { rate: 0.01, slow: Duration::from_secs(1) }
    }
}

/// The subscriber's layer.
#[derive(Debug)]
pub struct Spans {
    settings: TraceSettings,
    outlet: Outlet,
}

/// The layer, and where what it keeps comes out.
#[must_use]
pub fn spans(settings: TraceSettings) -> (Spans, Collected) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = Counter::default();
    let outlet = Outlet { sender, lost: lost.clone() };
    (Spans { settings, outlet }, Collected::new(receiver, lost))
}

thread_local! {
    /// What was heard of the trace that the next span begins.
    static HEARD: Cell<Heard> = const { Cell::new(Heard::Nothing) };
}

/// Creates a span that continues what was `heard`.
pub(crate) fn begin(heard: Heard, create: impl FnOnce() -> Span) -> Span {
    HEARD.set(heard);
    let span = create();
    HEARD.set(Heard::Nothing);
    span
}

/// A span's place in its part, as it stands with the span.
struct Piece {
    part: Arc<Part>,
    id: SpanId,
    parent: Option<SpanId>,
    first: bool,
    service: Arc<str>,
    begun: Instant,
    start_us: i64,
    said: Said,
}

/// What a span's fields say.
#[derive(Default)]
struct Said {
    name: Option<String>,
    service: Option<Arc<str>>,
    kind: Option<&'static str>,
    error: Option<String>,
    tags: Vec<(&'static str, String)>,
}

impl Said {
    fn text(&mut self, field: &Field, value: Cow<'_, str>) {
        match field.name() {
            "name" => self.name = Some(value.into_owned()),
            "service" => self.service = Some(value.as_ref().into()),
            "kind" => {
                let kinds = ["server", "client", "internal", "producer", "consumer"];
                self.kind = kinds.into_iter().find(|kind| *kind == value);
            }
            "error" => self.error = Some(cut(value)),
            name => self.tag(name, value),
        }
    }

    fn tag(&mut self, name: &'static str, value: Cow<'_, str>) {
        if self.tags.len() < MOST_TAGS {
            self.tags.push((name, cut(value)));
        }
    }
}

fn cut(value: Cow<'_, str>) -> String {
    let mut text = value.into_owned();
    text.truncate(text.floor_char_boundary(LONGEST_TAG));
    text
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, Cow::Borrowed(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, Cow::Owned(format!("{value:?}")));
    }
}

/// What an event says.
#[derive(Default)]
struct Told {
    message: String,
    error: String,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = format!("{value:?}"),
            _ => {}
        }
    }
}

impl Told {
    fn whole(self) -> String {
        match (self.message.is_empty(), self.error.is_empty()) {
            (false, false) => format!("{}: {}", self.message, self.error),
            (true, _) => self.error,
            (_, true) => self.message,
        }
    }
}

impl Spans {
    /// What the layer looks at: spans of the program, and its events that tell of trouble. To be used with
    /// [`Layer::with_filter`], so that what the log shows does not decide what is traced.
    #[must_use]
    pub fn filter<S: Subscriber>() -> impl Filter<S> + Send + Sync + 'static {
        tracing_subscriber::filter::filter_fn(is_ours).with_max_level_hint(tracing::level_filters::LevelFilter::INFO)
    }

    fn first(&self) -> Option<(Arc<Part>, Option<SpanId>)> {
        let heard = HEARD.get();
        let (link, wanted) = match heard {
            Heard::Untraced => return None,
            Heard::Nothing => (None, None),
            Heard::Wanted => (None, Some(true)),
            Heard::Link(link) => (Some(link), link.sampled),
        };
        let trace = link.map_or_else(TraceId::random, |link| link.trace);
        let sampled = wanted.unwrap_or_else(|| trace.chance() < self.settings.rate);
        Some((Part::new(trace, sampled, self.settings.slow), link.and_then(|link| link.span)))
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let most = if metadata.is_span() { Level::INFO } else { Level::WARN };
    *metadata.level() <= most && metadata.target().starts_with(OURS)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let around = match attributes.parent() {
            Some(parent) => context.span(parent),
            None if attributes.is_contextual() => context.lookup_current(),
            None => None,
        };
        let inherited = around.and_then(|around| {
            let extensions = around.extensions();
            let piece: &Piece = extensions.get()?;
            Some((Arc::clone(&piece.part), piece.id, Arc::clone(&piece.service)))
        });
        let (part, parent, service, first) = match inherited {
            Some((part, parent, service)) => (part, Some(parent), Some(service), false),
            None if attributes.metadata().target() == BEGINS => {
                let Some((part, parent)) = self.first() else { return };
                (part, parent, None, true)
            }
            None => return,
        };
        let mut said = Said::default();
        attributes.record(&mut said);
        let service = said.service.take().or(service).unwrap_or_else(|| "matinee".into());
        let start_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let start_us = i64::try_from(start_us).unwrap_or(i64::MAX);
        let piece = Piece { part, id: SpanId::random(), parent, first, service, begun: Instant::now(), start_us, said };
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(piece);
        }
    }

    fn on_record(&self, id: &Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(piece) = extensions.get_mut::<Piece>() else { return };
        values.record(&mut piece.said);
        if piece.said.error.is_some() {
            piece.part.fail();
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut extensions = span.extensions_mut();
        let Some(piece) = extensions.get_mut::<Piece>() else { return };
        let mut told = Told::default();
        event.record(&mut told);
        if *event.metadata().level() == Level::ERROR {
            piece.part.fail();
            piece.said.error.get_or_insert_with(|| cut(told.whole().into()));
        } else {
            piece.said.tag("warning", told.whole().into());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(piece) = span.extensions_mut().remove::<Piece>() else { return };
        let Piece { part, id, parent, first, service, begun, start_us, said } = piece;
        let record = Record {
            id,
            parent,
            name: said.name.map_or(Cow::Borrowed(span.name()), Cow::Owned),
            service,
            kind: said.kind.unwrap_or("internal"),
            start_us,
            duration: begun.elapsed(),
            error: said.error,
            tags: said.tags,
        };
        part.ended(record, first, &self.outlet);
    }
}

/// The innermost span of a trace that this task is in.
pub(crate) fn current() -> Option<Link> {
    innermost(link)
}

/// The request that this task works for waits for something to happen: that it takes long is no reason to keep its trace.
pub fn waits() {
    innermost(|piece| piece.part.wait());
}

fn innermost<T>(read: impl Fn(&Piece) -> T) -> Option<T> {
    tracing::dispatcher::get_default(|dispatch| found(dispatch, &dispatch.current_span().id().cloned()?, &read))
}

fn link(piece: &Piece) -> Link {
    Link { trace: piece.part.trace, span: Some(piece.id), sampled: Some(piece.part.sampled) }
}

fn found<T>(dispatch: &Dispatch, id: &Id, read: &impl Fn(&Piece) -> T) -> Option<T> {
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    span.scope().find_map(|span| span.extensions().get().map(read))
}
