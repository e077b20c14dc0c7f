//! What a screen can do without: a call that has a short time, and whose failure costs no more than what it would have
//! said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use matinee_service::context::Context;
use tonic::{Response, Status};

/// A service that need not answer. Said once when it stops answering, and once when it does again.
#[derive(Debug)]
pub struct Optional {
    what: &'static str,
    patience: Duration,
    failing: AtomicBool,
}

impl Optional {
    /// `what` is the service's name, for the log.
    #[must_use]
    pub fn new(what: &'static str, patience: Duration) -> Self {
        Self { what, patience, failing: AtomicBool::new(false) }
    }

    /// What it answers in time.
    pub async fn ask<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Option<T> {
        let reason = match Context::in_time(self.patience, call).await {
            Some(Ok(answer)) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(service = self.what, "answers again");
                }
                return Some(answer.into_inner());
            }
            Some(Err(status)) => status.to_string(),
            None => format!("no answer within {} ms", self.patience.as_millis()),
        };
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(service = self.what, reason, "does not answer; screens go on without it");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_screen_waits_no_longer_than_it_must() {
        let service = Optional::new("ratings", Duration::from_millis(50));
        let hanging = std::future::pending::<Result<Response<()>, Status>>();
        assert_eq!(service.ask(hanging).await, None);
        assert_eq!(service.ask(async { Err::<Response<()>, _>(Status::internal("broken")) }).await, None);
        assert_eq!(service.ask(async { Ok(Response::new(7)) }).await, Some(7));
    }
}
