//! A service that fails or is too slow is not asked for a while, so that neither it nor those who wait for it are held up.
//!
//! Closed, calls go through and are counted over a sliding window; where too many fail or are slow, or several in a row
//! miss their deadline, it opens. Open, calls are refused at once. After a while a few are let through (half-open): when
//! they are answered it closes, when one is not it opens for twice as long.
//! A fault that a request asked for itself (a tester's header) does not count: it is no sign of how the service is for others.
//! Source: M. Nygard, "Release It!" (2018), "Circuit Breaker"; the ratios over a window are those of Resilience4j.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::answer::{code, is_failure, refuse, was_refused};
use super::around::{Around, Grpc, Next};
use crate::context::Context;

/// Parts of the window that are counted apart.
const BUCKETS: u32 = 10;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// How far back calls count.
    pub window: Duration,
    /// Calls in the window before shares mean anything.
    pub least_calls: u32,
    /// The share of calls that fail at which it opens, 0 to 1.
    pub failed: f64,
    /// The share of slow calls at which it opens; above 1 it never does.
    pub slow: f64,
    /// How long a call may take without being slow.
    pub slow_after: Duration,
    /// So many calls in a row that miss their deadline open it, however many there are.
    pub missed_in_a_row: u32,
    /// For how long it opens first; twice as long each time that it did not help.
    pub open: Duration,
    /// For how long at the most.
    pub longest_open: Duration,
    /// Calls that are let through to see whether the service is back, and must be answered.
    pub probes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            least_calls: 20,
            failed: 0.5,
            slow: 0.9,
            slow_after: Duration::from_secs(1),
            missed_in_a_row: 5,
            open: Duration::from_secs(1),
            longest_open: Duration::from_secs(15),
            probes: 1,
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Slow,
    Failed,
    /// No answer before the deadline.
    Missed,
    /// The caller did not wait for it.
    Left,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u32,
    failed: u32,
    slow: u32,
}

/// Calls of the last while, in buckets of a tenth of it.
#[derive(Debug, Default)]
struct Window {
    buckets: VecDeque<(Instant, Counts)>,
    missed_in_a_row: u32,
}

impl Window {
    fn add(&mut self, outcome: Outcome, now: Instant, length: Duration) {
        while self.buckets.front().is_some_and(|(begun, _)| now.duration_since(*begun) >= length) {
            self.buckets.pop_front();
        }
        if self.buckets.back().is_none_or(|(begun, _)| now.duration_since(*begun) >= length / BUCKETS) {
            self.buckets.push_back((now, Counts::default()));
        }
        let Some((_, counts)) = self.buckets.back_mut() else { return };
        counts.calls += 1;
        counts.failed += u32::from(matches!(outcome, Outcome::Failed | Outcome::Missed));
        counts.slow += u32::from(matches!(outcome, Outcome::Slow | Outcome::Missed));
        self.missed_in_a_row = if outcome == Outcome::Missed { self.missed_in_a_row + 1 } else { 0 };
    }

    fn is_bad(&self, settings: &BreakerSettings) -> bool {
        if self.missed_in_a_row >= settings.missed_in_a_row {
            return true;
        }
        let sum = |of: fn(&Counts) -> u32| self.buckets.iter().map(|(_, counts)| of(counts)).sum::<u32>();
        let calls = sum(|counts| counts.calls);
        let share = |count: u32| f64::from(count) / f64::from(calls.max(1));
        calls >= settings.least_calls
            && (share(sum(|c| c.failed)) >= settings.failed || share(sum(|c| c.slow)) >= settings.slow)
    }
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open { until: Instant },
    HalfOpen { running: u32, answered: u32 },
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Rises with every change of the state: who began before it does not count after it.
    epoch: u64,
    /// For how long it opens next.
    open: Duration,
}

/// One service's breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    name: &'static str,
    settings: BreakerSettings,
    inner: Mutex<Inner>,
    /// 0 closed, 1 half-open, 2 open.
    shown: Gauge,
    opened: Counter,
}

/// A call that was let through.
#[derive(Debug)]
struct Ticket {
    breaker: Arc<Breaker>,
    epoch: u64,
    begun: Instant,
    deadline: Option<Instant>,
    ended: bool,
}

impl Breaker {
    /// Closed.
    pub(crate) fn new(name: &'static str, settings: BreakerSettings, shown: Gauge, opened: Counter) -> Self {
        shown.set(0);
        let inner = Inner { state: State::Closed(Window::default()), epoch: 0, open: settings.open };
        Self { name, settings, inner: Mutex::new(inner), shown, opened }
    }

    /// Lets a call through, or says in how long it is worth asking again.
    fn enter(self: &Arc<Self>) -> Result<Ticket, Duration> {
        let now = Instant::now();
        let mut inner = self.lock();
        match &mut inner.state {
            State::Closed(_) => {}
            State::Open { until } if *until > now => return Err(*until - now),
            State::Open { .. } => {
                inner.state = State::HalfOpen { running: 1, answered: 0 };
                inner.epoch += 1;
                self.shown.set(1);
            }
            State::HalfOpen { running, answered } => {
                if *running + *answered >= self.settings.probes {
                    return Err(self.settings.open);
                }
                *running += 1;
            }
        }
        let epoch = inner.epoch;
        let deadline = Context::current().deadline();
        Ok(Ticket { breaker: Arc::clone(self), epoch, begun: now, deadline, ended: false })
    }

    fn leave(&self, epoch: u64, outcome: Outcome) {
        let now = Instant::now();
        let mut inner = self.lock();
        if inner.epoch != epoch {
            return;
        }
        let worse = match &mut inner.state {
            State::Open { .. } => return,
            State::Closed(window) => {
                if outcome == Outcome::Left {
                    return;
                }
                window.add(outcome, now, self.settings.window);
                window.is_bad(&self.settings)
            }
            State::HalfOpen { running, answered } => {
                *running = running.saturating_sub(1);
                match outcome {
                    Outcome::Left => return,
                    Outcome::Answered => {
                        *answered += 1;
                        if *answered < self.settings.probes {
                            return;
                        }
                        false
                    }
                    Outcome::Slow | Outcome::Failed | Outcome::Missed => true,
                }
            }
        };
        let was_closed = matches!(inner.state, State::Closed(_));
        if worse {
            let open = inner.open;
            inner.state = State::Open { until: now + open };
            inner.open = (open * 2).min(self.settings.longest_open);
            self.shown.set(2);
            if was_closed {
                self.opened.inc();
                tracing::warn!(service = self.name, ?outcome, "is not asked for {open:?}: its circuit breaker opened");
            }
        } else if was_closed {
            return;
        } else {
            inner.state = State::Closed(Window::default());
            inner.open = self.settings.open;
            self.shown.set(0);
            tracing::info!(service = self.name, "answers again: its circuit breaker closed");
        }
        inner.epoch += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    fn end(mut self, code: Code) {
        self.ended = true;
        let outcome = match code {
            Code::DeadlineExceeded => Outcome::Missed,
            code if is_failure(code) => Outcome::Failed,
            _ if self.begun.elapsed() >= self.breaker.settings.slow_after => Outcome::Slow,
            _ => Outcome::Answered,
        };
        self.breaker.leave(self.epoch, outcome);
    }

    fn left(mut self) {
        self.ended = true;
        self.breaker.leave(self.epoch, Outcome::Left);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.ended {
            let late = self.deadline.is_some_and(|at| at <= Instant::now());
            self.breaker.leave(self.epoch, if late { Outcome::Missed } else { Outcome::Left });
        }
    }
}

impl Around for Breaker {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let ticket = match self.enter() {
            Ok(ticket) => ticket,
            Err(wait) => {
                let wait = wait.as_millis();
                let reason = format!("{} is not asked for {wait} ms: its circuit breaker is open", self.name);
                return refuse(Status::unavailable(reason));
            }
        };
        // Also where the tester does not wait for the answer, so before it.
        if Context::current().faults().is_some_and(|faults| faults.names(self.name)) {
            ticket.left();
            return next.run(request).await;
        }
        let answer = next.run(request).await;
        if was_refused(&answer) {
            ticket.left();
        } else {
            ticket.end(code(&answer));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn breaker(settings: BreakerSettings) -> Arc<Breaker> {
        Arc::new(Breaker::new("test", settings, Gauge::default(), Counter::default()))
    }

    fn settings() -> BreakerSettings {
        BreakerSettings { least_calls: 4, missed_in_a_row: 3, ..BreakerSettings::default() }
    }

    async fn seconds(count: f64) {
        tokio::time::advance(Duration::from_secs_f64(count)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_the_calls_failing_opens_it_and_an_answered_probe_closes_it() {
        let breaker = breaker(settings());
        for code in [Code::Ok, Code::Internal, Code::Ok] {
            breaker.enter().unwrap().end(code);
        }
        assert_eq!(breaker.shown.get(), 0, "three calls say little");
        breaker.enter().unwrap().end(Code::Unavailable);
        assert_eq!(breaker.shown.get(), 2);
        assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(1));
        seconds(1.0).await;
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_err(), "one probe at once");
        probe.end(Code::Ok);
        assert_eq!(breaker.shown.get(), 0);
        breaker.enter().unwrap().end(Code::Internal);
        assert_eq!(breaker.shown.get(), 0, "it begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_bound() {
        let breaker = breaker(settings());
        for _ in 0..4 {
            breaker.enter().unwrap().end(Code::Internal);
        }
        for open in [1.0, 2.0, 4.0, 8.0, 15.0, 15.0] {
            assert_eq!(breaker.enter().unwrap_err().as_secs_f64(), open);
            seconds(open).await;
            breaker.enter().unwrap().end(Code::Unavailable);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_at_fault_themselves_do_not_open_it() {
        let breaker = breaker(settings());
        for _ in 0..100 {
            breaker.enter().unwrap().end(Code::NotFound);
            breaker.enter().unwrap().end(Code::InvalidArgument);
        }
        assert_eq!(breaker.shown.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_open_it_as_well() {
        let breaker = breaker(settings());
        for _ in 0..4 {
            let ticket = breaker.enter().unwrap();
            seconds(1.0).await;
            ticket.end(Code::Ok);
        }
        assert_eq!(breaker.shown.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_long_ago_do_not_count() {
        let breaker = breaker(settings());
        for _ in 0..3 {
            breaker.enter().unwrap().end(Code::Internal);
        }
        seconds(10.0).await;
        breaker.enter().unwrap().end(Code::Internal);
        assert_eq!(breaker.shown.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_before_the_deadline_says_nothing_of_the_service() {
        let breaker = breaker(settings());
        for _ in 0..10 {
            drop(breaker.enter().unwrap());
        }
        assert_eq!(breaker.shown.get(), 0);
        Context::default()
            .within(Duration::from_secs(1))
            .scope(async {
                let tickets: Vec<_> = (0..3).map(|_| breaker.enter().unwrap()).collect();
                seconds(1.0).await;
                drop(tickets);
            })
            .await;
        assert_eq!(breaker.shown.get(), 2, "three in a row missed their deadline");
        // A probe whose caller leaves makes room for another.
        seconds(1.0).await;
        drop(breaker.enter().unwrap());
        breaker.enter().unwrap().end(Code::Ok);
        assert_eq!(breaker.shown.get(), 0);
    }

    proptest! {
        #[test]
        fn while_it_is_open_none_and_half_open_few_go_through(
            steps in proptest::collection::vec((0_u64..1500, any::<bool>(), 0_usize..4), 1..200),
            probes in 1_u32..4,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let breaker = breaker(BreakerSettings { probes, ..settings() });
                let mut running = Vec::new();
                for (pause, good, ends) in steps {
                    tokio::time::advance(Duration::from_millis(pause)).await;
                    let before = breaker.shown.get();
                    let may = !matches!(breaker.lock().state, State::Open { until } if until > Instant::now());
                    if let Ok(ticket) = breaker.enter() {
                        prop_assert!(may, "an open breaker let a call through");
                        running.push(ticket);
                    } else {
                        prop_assert!(before != 0, "a closed breaker refused a call");
                    }
                    if let State::HalfOpen { running, answered } = breaker.lock().state {
                        prop_assert!(running + answered <= probes);
                    }
                    for ticket in running.drain(..ends.min(running.len())) {
                        ticket.end(if good { Code::Ok } else { Code::Internal });
                    }
                }
                Ok(())
            })?;
        }
    }
}
