//! An answer is waited for until it is worth nothing any more, and no longer.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::answer::refuse;
use super::around::{Around, Grpc, Next};
use crate::context::Context;

/// A client's: `patience`, or what is left of the request's own deadline where that is less.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Who is asked.
    pub(crate) name: &'static str,
    pub(crate) patience: Duration,
}

impl Around for Patience {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let begun = Instant::now();
        let at = begun + self.patience;
        let context = Context::current().until(at);
        let at = context.deadline().unwrap_or(at);
        if at <= begun {
            return refuse(Status::deadline_exceeded(format!("no time was left to ask {}", self.name)));
        }
        match timeout_at(at, context.scope(next.run(request))).await {
            Ok(answer) => answer,
            Err(_) => {
                let waited = begun.elapsed().as_millis();
                Status::deadline_exceeded(format!("{} did not answer within {waited} ms", self.name)).into_http()
            }
        }
    }
}

/// A server's: takes the context that the caller's headers tell, and stops working when nobody waits any more.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) name: &'static str,
}

impl Around for Expected {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let here = Context::current();
        let context = here.clone().told(request.headers());
        // A caller in this process watches the clock itself.
        let told = context.deadline().filter(|at| Some(*at) != here.deadline());
        let work = context.scope(next.run(request));
        let Some(at) = told else { return work.await };
        if at <= Instant::now() {
            return refuse(Status::deadline_exceeded(format!("the request reached {} too late", self.name)));
        }
        timeout_at(at, work).await.unwrap_or_else(|_| {
            Status::deadline_exceeded(format!("{} was not done when the deadline passed", self.name)).into_http()
        })
    }
}
