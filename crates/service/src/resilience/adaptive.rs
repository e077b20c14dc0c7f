//! A process takes on as much at once as it can do in the usual time; beyond that it refuses, the least important first.
//!
//! Each priority may fill a share of the limit: what is fetched ahead is refused while there is still room for pages, and
//! pages while there is still room for plays. A play that finds no room waits a moment before it is refused: a machine
//! that stood still for some milliseconds is no machine that is full.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::gradient::Gradient;
pub use super::gradient::LimitSettings;
use super::{Priority, Resilience};
use crate::context::Context;
use crate::http::Problem;

/// When it is worth coming again.
const WAIT: Duration = Duration::from_secs(1);

/// Refused: more runs already than this priority may add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more requests come than can be answered")]
pub struct Shed {
    /// Of the request.
    pub priority: Priority,
    /// When it is worth coming again, at the earliest.
    pub wait: Duration,
}

impl From<Shed> for Problem {
    fn from(shed: Shed) -> Self {
        Self::unavailable(shed.to_string(), shed.wait).with_code("overloaded")
    }
}

/// Marks an answer that was given without doing anything for the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WasShed;

#[derive(Debug)]
struct Inner {
    /// The most that each priority may bring the running ones to.
    most: [AtomicUsize; 4],
    running: AtomicUsize,
    /// Plays that wait for room, and how long they do.
    waiting: AtomicUsize,
    freed: Notify,
    patience: Duration,
    /// Someone was refused since the window began.
    pressed: AtomicBool,
    shares: [f64; 4],
    window: Duration,
    gradient: Mutex<(Gradient, Instant)>,
    shown_limit: Gauge,
    shown_running: Gauge,
    shed: [Counter; 4],
}

/// How many requests are taken at once. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct AdaptiveLimit(Arc<Inner>);

/// A request that was taken. When it is dropped the request is answered, and how long it took counts.
#[derive(Debug)]
pub struct Permit {
    limit: Arc<Inner>,
    priority: Priority,
    begun: Instant,
    ended: Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Answered,
    Missed,
    Ignored,
}

impl AdaptiveLimit {
    /// A limit for one kind of work, shown as `name` in the measurements.
    #[must_use]
    pub fn new(name: &'static str, settings: LimitSettings, shared: &Resilience) -> Self {
        let (shown_limit, shown_running) = shared.measures.limit(name);
        let shed = Priority::ALL.map(|priority| shared.measures.shed(name, priority.as_str()));
        let inner = Inner {
            most: Default::default(),
            running: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
            patience: settings.patience,
            pressed: AtomicBool::new(false),
            shares: settings.shares,
            window: settings.window,
            gradient: Mutex::new((Gradient::new(settings), Instant::now())),
            shown_limit,
            shown_running,
            shed,
        };
        inner.set(settings.first.clamp(settings.least, settings.most));
        Self(Arc::new(inner))
    }

    /// Takes a request, or refuses it because too many run for its priority.
    pub fn try_acquire(&self, priority: Priority) -> Result<Permit, Shed> {
        self.room(priority).ok_or_else(|| self.0.refused(priority))
    }

    /// The same, but a play waits for room: so long at the most as the settings say, and no more of them than run.
    pub async fn acquire(&self, priority: Priority) -> Result<Permit, Shed> {
        let inner = &self.0;
        if let Some(permit) = self.room(priority) {
            return Ok(permit);
        }
        inner.pressed.store(true, Ordering::Relaxed);
        let Some(_place) = self.waits_for(priority).then(|| Waiting::enter(inner, self.limit())).flatten() else {
            return Err(inner.refused(priority));
        };
        let until = Instant::now() + inner.patience;
        loop {
            let freed = inner.freed.notified();
            if let Some(permit) = self.room(priority) {
                return Ok(permit);
            }
            if timeout_at(until, freed).await.is_err() {
                return Err(inner.refused(priority));
            }
        }
    }

    /// Refuses a request at a glance, where [`AdaptiveLimit::acquire`] would: before anything was done for it.
    pub(crate) fn glance(&self, priority: Priority) -> Option<Shed> {
        let inner = &self.0;
        if self.running() < inner.most[priority.place()].load(Ordering::Relaxed) {
            return None;
        }
        let room = inner.waiting.load(Ordering::Relaxed) < self.limit();
        (!room || !self.waits_for(priority)).then(|| inner.refused(priority))
    }

    /// Whether a request may wait for room.
    fn waits_for(&self, priority: Priority) -> bool {
        priority == Priority::Play && !self.0.patience.is_zero()
    }

    fn room(&self, priority: Priority) -> Option<Permit> {
        let inner = &self.0;
        let most = inner.most[priority.place()].load(Ordering::Relaxed);
        let add = |running: usize| (running < most).then_some(running + 1);
        inner.running.fetch_update(Ordering::AcqRel, Ordering::Relaxed, add).ok()?;
        Some(Permit { limit: Arc::clone(inner), priority, begun: Instant::now(), ended: Ended::Answered })
    }

    /// How many the greatest priority may bring it to.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.most[Priority::Play.place()].load(Ordering::Relaxed)
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.running.load(Ordering::Relaxed)
    }

    /// `routes` under this limit, by the priority of each request's [`Context`].
    pub fn over(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), admit))
    }
}

async fn admit(State(limit): State<AdaptiveLimit>, request: Request, next: Next) -> Response {
    let priority = Context::current().priority();
    let permit = match limit.acquire(priority).await {
        Ok(permit) => permit,
        Err(shed) => {
            let mut answer = Problem::from(shed).into_response();
            answer.extensions_mut().insert(WasShed);
            return answer;
        }
    };
    // Also when the caller leaves or the door's patience is over.
    let mut running = Running(Some(permit));
    let answer = next.run(request).await;
    if let Some(permit) = running.0.take() {
        match answer.status() {
            StatusCode::GATEWAY_TIMEOUT => permit.overloaded(),
            // What is refused at a glance says nothing about how long work takes.
            status if status.is_client_error() => permit.ignored(),
            _ => drop(permit),
        }
    }
    answer
}

/// A request whose answer has not begun.
struct Running(Option<Permit>);

impl Drop for Running {
    fn drop(&mut self) {
        let late = || Context::current().deadline().is_some_and(|at| at <= Instant::now());
        if let Some(permit) = self.0.take() {
            if late() { permit.overloaded() } else { permit.ignored() }
        }
    }
}

/// A play that waits for room.
struct Waiting<'a>(&'a Inner);

impl<'a> Waiting<'a> {
    fn enter(inner: &'a Inner, most: usize) -> Option<Self> {
        let add = |waiting: usize| (waiting < most).then_some(waiting + 1);
        inner.waiting.fetch_update(Ordering::AcqRel, Ordering::Relaxed, add).ok()?;
        Some(Self(inner))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Inner {
    fn refused(&self, priority: Priority) -> Shed {
        self.pressed.store(true, Ordering::Relaxed);
        self.shed[priority.place()].inc();
        Shed { priority, wait: WAIT }
    }

    fn set(&self, limit: usize) {
        for (most, share) in self.most.iter().zip(self.shares) {
            most.store(((limit as f64 * share) as usize).max(1), Ordering::Relaxed);
        }
        self.shown_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

    fn end(&self, priority: Priority, begun: Instant, ended: Ended) {
        let running = self.running.fetch_sub(1, Ordering::AcqRel);
        self.freed.notify_one();
        if ended == Ended::Ignored {
            return;
        }
        let now = Instant::now();
        let mut locked = self.gradient.lock().unwrap_or_else(PoisonError::into_inner);
        let (gradient, since) = &mut *locked;
        match ended {
            Ended::Missed => gradient.missed(running),
            _ => gradient.answered(priority.place(), now.duration_since(begun), running),
        }
        if now.duration_since(*since) < self.window {
            return;
        }
        let pressed = self.pressed.load(Ordering::Relaxed);
        if let Some(limit) = gradient.turn(pressed) {
            *since = now;
            self.pressed.store(false, Ordering::Relaxed);
            self.set(limit);
            self.shown_running.set(i64::try_from(running).unwrap_or(i64::MAX));
        }
    }
}

impl Permit {
    /// The request was answered, but how long it took says nothing.
    pub fn ignored(mut self) {
        self.ended = Ended::Ignored;
    }

    /// The request was not answered in time.
    pub fn overloaded(mut self) {
        self.ended = Ended::Missed;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.end(self.priority, self.begun, self.ended);
    }
}
