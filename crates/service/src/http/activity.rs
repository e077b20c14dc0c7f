//! How busy a connection is: a request counts from its head until its answer's last byte was handed over.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// Of one connection.
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    running: AtomicU32,
    ever: AtomicU32,
    /// Milliseconds after `opened` at which the last request ended.
    ended_ms: AtomicU64,
}

impl Activity {
    /// Of a connection that was opened now.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            running: AtomicU32::new(0),
            ever: AtomicU32::new(0),
            ended_ms: AtomicU64::new(0),
        })
    }

    /// A request begins; it ends when the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.ever.store(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// How long nothing has run here; `None` while something does.
    pub fn idle(&self) -> Option<Duration> {
        if self.running.load(Ordering::Acquire) > 0 {
            return None;
        }
        let ended = Duration::from_millis(self.ended_ms.load(Ordering::Relaxed));
        Some(self.opened.elapsed().saturating_sub(ended))
    }

    /// Whether there was a request yet.
    pub fn used(&self) -> bool {
        self.ever.load(Ordering::Relaxed) > 0
    }
}

/// A request that is running.
#[derive(Debug)]
pub struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        let ms = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended_ms.fetch_max(ms, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

/// An answer's body, which keeps its request running until it was read.
pub struct Counted {
    body: Body,
    _running: Running,
}

impl Counted {
    /// Ties the two together.
    pub fn new(body: Body, running: Running) -> Self {
        Self { body, _running: running }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        http_body::Body::poll_frame(Pin::new(&mut self.body), cx)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_its_last_answer() {
        let activity = Activity::new();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(activity.idle(), Some(Duration::from_secs(3)));
        assert!(!activity.used());
        let (one, two) = (activity.begin(), activity.begin());
        drop(one);
        assert_eq!(activity.idle(), None);
        tokio::time::advance(Duration::from_secs(4)).await;
        drop(Counted::new(Body::from("x"), two));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(activity.idle(), Some(Duration::from_secs(5)));
        assert!(activity.used());
    }
}
