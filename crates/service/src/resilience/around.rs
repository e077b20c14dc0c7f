//! A layer around gRPC calls, as a function of a request and of what comes next.
//!
//! Each layer is an [`Around`]; the readiness of services and their cloning, which every tower layer must get right, is
//! here once. Within the stack nothing fails: what went wrong is an answer with a status.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt};

/// A gRPC service that answers everything.
pub(crate) trait Grpc:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Grpc for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// One idea around calls.
pub(crate) trait Around: Send + Sync + 'static {
    /// Answers `request`, by asking `next` or without.
    fn around<S: Grpc>(
        self: Arc<Self>,
        request: Request<Body>,
        next: Next<S>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// The layers further in, and what they guard.
#[derive(Debug, Clone)]
pub(crate) struct Next<S>(S);

impl<S: Grpc> Next<S> {
    /// Asks once.
    pub(crate) async fn run(&mut self, request: Request<Body>) -> Response<Body> {
        let Ok(answer) = async { self.0.ready().await?.call(request).await }.await;
        answer
    }
}

/// A layer of one idea. Clones share it.
pub(crate) struct Idea<A>(Arc<A>);

impl<A> Idea<A> {
    /// As a layer.
    pub(crate) fn new(around: A) -> Self {
        Self(Arc::new(around))
    }
}

impl<A, S> Layer<S> for Idea<A> {
    type Service = Surrounded<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Surrounded { around: Arc::clone(&self.0), inner }
    }
}

/// A service with an idea around it.
pub(crate) struct Surrounded<A, S> {
    around: Arc<A>,
    inner: S,
}

impl<A, S: Clone> Clone for Surrounded<A, S> {
    fn clone(&self) -> Self {
        Self { around: Arc::clone(&self.around), inner: self.inner.clone() }
    }
}

impl<A: Around, S: Grpc> Service<Request<Body>> for Surrounded<A, S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready is used; a clone takes its place.
        let fresh = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, fresh);
        let answer = Arc::clone(&self.around).around(request, Next(ready));
        Box::pin(async move { Ok(answer.await) })
    }
}
