//! The layers of a client and of a server, in the order in which they read.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder};

use super::Resilience;
use super::answer::Answered;
use super::around::{Grpc, Idea};
use super::breaker::Breaker;
use super::bulkhead::Bulkhead;
use super::deadline::{Expected, Patience};
use super::fault::Played;
use super::policy::Policy;
use super::retry::Retry;
use crate::channel::TransportError;
use crate::trace::calls::{Answering, Asking, Onward};

/// Calls that a server works on at once, and as many that wait.
const SERVED_AT_ONCE: usize = 1024;
/// How long they wait.
const SERVED_TURN: std::time::Duration = std::time::Duration::from_secs(1);

/// A client's way to the service `name`, through `transport`.
pub(crate) fn client<S>(name: &'static str, policy: Policy, shared: &Resilience, transport: S) -> impl Grpc
where
    S: Service<Request<Body>, Response = Response<Body>, Error = TransportError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let Policy { patience, retries, breaker, at_once, waiting, turn } = policy;
    let measures = &shared.measures;
    ServiceBuilder::new()
        .layer(Idea::new(measures.client(name)))
        .layer(Idea::new(Patience { name, patience }))
        .layer(Idea::new(Asking { name }))
        .layer(Idea::new(Retry::new(retries, measures.retries(name))))
        .layer(Idea::new(Breaker::new(name, breaker, measures.breaker(name), measures.opened(name))))
        .layer(Idea::new(Bulkhead::new(name, at_once, waiting, turn)))
        .layer(Idea::new(Played { name, switch: shared.faults.clone() }))
        .layer(Idea::new(Onward))
        .service(Answered(transport))
}

/// What is around the server of the service `name`.
fn server<S: Grpc>(name: &'static str, shared: &Resilience, server: S) -> impl Grpc {
    ServiceBuilder::new()
        .layer(Idea::new(shared.measures.server(name)))
        .layer(Idea::new(Expected { name }))
        .layer(Idea::new(Answering { name }))
        .layer(Idea::new(Bulkhead::new(name, SERVED_AT_ONCE, SERVED_AT_ONCE, SERVED_TURN)))
        .service(server)
}

impl Resilience {
    /// `server` with its layers around it, to be called by [`crate::channel::Channel::local`] or hosted.
    pub fn served<S>(&self, name: &'static str, server: S) -> Served<S>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        Served { stack: BoxCloneSyncService::new(self::server(name, self, server)), of: PhantomData }
    }
}

/// A tonic server with its layers around it. Clones share the layers.
pub struct Served<S> {
    stack: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    of: PhantomData<fn() -> S>,
}

impl<S> std::fmt::Debug for Served<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Served")
    }
}

impl<S> Clone for Served<S> {
    fn clone(&self) -> Self {
        Self { stack: self.stack.clone(), of: PhantomData }
    }
}

impl<S: NamedService> NamedService for Served<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Served<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.stack.call(request))
    }
}
