//! What travels with a request: until when it is worth answering, how much it matters, which trace it belongs to, and
//! which faults are played for it.
//!
//! Within a process it is local to the task, so that no function passes it on by hand; between processes it stands in
//! headers (`grpc-timeout`, `x-matinee-priority`, `x-matinee-fault`, and those of [`crate::trace`]). A deadline is a point
//! in time here and a remaining time on the wire, so it shrinks by whatever was spent before the next call.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::resilience::Priority;
use crate::resilience::fault::Faults;
use crate::trace::wire::{self, Heard};

/// How long an answer is waited for, as gRPC writes it.
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// How much the request matters.
const PRIORITY: HeaderName = HeaderName::from_static("x-matinee-priority");

tokio::task_local! {
    static CONTEXT: Context;
}

/// What travels with a request. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Context {
    deadline: Option<Instant>,
    priority: Priority,
    faults: Option<Faults>,
    heard: Heard,
}

impl Context {
    /// Of the request that this task works for; an empty one outside of a request.
    #[must_use]
    pub fn current() -> Self {
        CONTEXT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Until when an answer is waited for.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How much the request matters.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// The faults that are played for this request.
    #[must_use]
    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    /// With an answer due at `at`, or earlier where it already is.
    #[must_use]
    pub fn until(mut self, at: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(at, |set| set.min(at)));
        self
    }

    /// With an answer due within `patience` from now, or earlier where it already is.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        self.until(Instant::now() + patience)
    }

    /// Mattering that much.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// With faults to play, here and wherever the request goes on.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Runs `work` with it.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CONTEXT.scope(self, work).await
    }

    /// What comes of `call`, made on behalf of the current request, if it comes within `patience`.
    ///
    /// The deadline goes with the call: only so does its circuit breaker hear that it was missed.
    pub async fn in_time<T>(patience: Duration, call: impl Future<Output = T>) -> Option<T> {
        let asked = Self::current().within(patience).scope(call);
        tokio::time::timeout(patience, asked).await.ok()
    }

    /// In the trace that a caller named.
    #[must_use]
    pub(crate) fn in_trace(mut self, heard: Heard) -> Self {
        self.heard = heard;
        self
    }

    /// What the caller said of its trace.
    pub(crate) fn heard() -> Heard {
        CONTEXT.try_with(|context| context.heard).unwrap_or_default()
    }

    /// With what a caller's headers say over it. What is not understood is passed over: a header is no reason to refuse.
    #[must_use]
    pub(crate) fn told(mut self, headers: &HeaderMap) -> Self {
        if let Some(remaining) = headers.get(TIMEOUT).and_then(|value| parse_timeout(value.to_str().ok()?)) {
            self = self.within(remaining);
        }
        let priority = headers.get(PRIORITY).and_then(|value| Priority::parse(value.to_str().ok()?));
        self.priority = priority.unwrap_or(self.priority);
        if let Ok(Some(faults)) = Faults::from_headers(headers) {
            self.faults = Some(faults);
        }
        match wire::read(headers) {
            Heard::Nothing => self,
            heard => self.in_trace(heard),
        }
    }

    /// Writes it for another process.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        if let Some(deadline) = self.deadline {
            let remaining = deadline.saturating_duration_since(Instant::now());
            put(headers, TIMEOUT, &timeout(remaining));
        }
        headers.insert(PRIORITY, HeaderValue::from_static(self.priority.as_str()));
        if let Some(faults) = &self.faults {
            put(headers, crate::resilience::fault::HEADER, &faults.to_string());
        }
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `remaining` as gRPC writes it: at most eight digits and a unit, rounded down.
fn timeout(remaining: Duration) -> String {
    const MOST: u128 = 99_999_999;
    let micros = remaining.as_micros();
    if micros <= MOST {
        return format!("{micros}u");
    }
    let millis = remaining.as_millis();
    if millis <= MOST {
        return format!("{millis}m");
    }
    format!("{}S", u128::from(remaining.as_secs()).min(MOST))
}

/// Reads "1500m" and its like.
/// Source: gRPC over HTTP/2, "Timeout".
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_shrinks_by_what_was_spent_before_calling_on() {
        let context = Context::default().within(Duration::from_secs(2)).with_priority(Priority::Play);
        tokio::time::advance(Duration::from_millis(500)).await;
        let mut headers = HeaderMap::new();
        context.tell(&mut headers);
        assert_eq!(headers[TIMEOUT], "1500000u");
        let there = Context::default().told(&headers);
        assert_eq!(there.deadline(), Some(Instant::now() + Duration::from_millis(1500)));
        assert_eq!(there.priority(), Priority::Play);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_never_moved_out() {
        let near = Context::default().within(Duration::from_secs(1));
        assert_eq!(near.clone().within(Duration::from_secs(9)).deadline(), near.deadline());
        assert!(near.clone().within(Duration::from_millis(9)).deadline() < near.deadline());
    }

    #[tokio::test]
    async fn a_task_sees_the_context_it_works_in() {
        assert_eq!(Context::current().priority(), Priority::Browse);
        let work = async { Context::current().priority() };
        assert_eq!(Context::default().with_priority(Priority::Telemetry).scope(work).await, Priority::Telemetry);
    }

    proptest! {
        #[test]
        fn a_timeout_is_never_read_back_as_longer(micros in 0_u64..=u64::MAX / 1000) {
            let given = Duration::from_micros(micros);
            let written = timeout(given);
            prop_assert!(written.len() <= 9, "{written}");
            let back = parse_timeout(&written).unwrap();
            prop_assert!(back <= given);
            prop_assert!(given - back <= Duration::from_secs(1) || written.starts_with("99999999"));
        }

        #[test]
        fn any_timeout_is_read_or_passed_over(text in "\\PC{0,12}") {
            let _ = parse_timeout(&text);
        }
    }
}
