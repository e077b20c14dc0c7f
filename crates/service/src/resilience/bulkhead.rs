//! One service's calls take no more than their part of the process: so many at once, so many that wait, for so long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;
use tonic::body::Body;

use super::answer::refuse;
use super::around::{Around, Grpc, Next};

/// Places for calls.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    name: &'static str,
    places: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
    turn: Duration,
}

/// One that waits, counted until it does not any more.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bulkhead {
    /// `at_once` run, `most_waiting` wait, each for at most `turn`.
    pub(crate) fn new(name: &'static str, at_once: usize, most_waiting: usize, turn: Duration) -> Self {
        let places = Semaphore::new(at_once.min(Semaphore::MAX_PERMITS));
        Self { name, places, waiting: AtomicUsize::new(0), most_waiting, turn }
    }

    async fn enter(&self) -> Result<SemaphorePermit<'_>, Status> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let full = |why: String| Status::unavailable(format!("{} has no place for the call: {why}", self.name));
        if before >= self.most_waiting {
            return Err(full(format!("{} wait already", self.most_waiting)));
        }
        match tokio::time::timeout(self.turn, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(full(format!("none became free within {} ms", self.turn.as_millis()))),
        }
    }
}

impl Around for Bulkhead {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let _place = match self.enter().await {
            Ok(place) => place,
            Err(status) => return refuse(status),
        };
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_waits_its_turn_and_no_longer() {
        let bulkhead = Bulkhead::new("test", 1, 1, Duration::from_millis(100));
        let first = bulkhead.enter().await.unwrap();
        let (second, third) = tokio::join!(bulkhead.enter(), bulkhead.enter());
        assert!(second.unwrap_err().message().contains("within 100 ms"));
        assert!(third.unwrap_err().message().contains("1 wait already"));
        let (second, ()) = tokio::join!(bulkhead.enter(), async { drop(first) });
        assert!(second.is_ok());
        assert_eq!(bulkhead.waiting.load(Ordering::Relaxed), 0);
    }
}
