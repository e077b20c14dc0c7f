//! How a service's client reaches it: straight into the tonic service when it is in this process, over the network
//! when it is elsewhere. The client's type is the same: `WorkflowClient<Channel>`.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::resilience::{Policy, Resilience};

/// What went wrong below the contract.
pub type TransportError = Box<dyn std::error::Error + Send + Sync>;

type Way = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, TransportError>;

/// A way to a gRPC service. Cheap to clone: its layers are copied where it is called, not where it is handed on, as a
/// request's handler is given the ways to all services and calls a few.
#[derive(Clone)]
pub struct Channel(Arc<Way>);

impl Channel {
    /// Into a tonic server in this process (`WorkflowServer::new(…)`): no socket, no serialisation of HTTP.
    pub fn local<S>(server: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        Self(Arc::new(Way::new(server.map_err(|never| match never {}))))
    }

    /// To a service elsewhere (`http://host:port`), connecting when it is first used and again when it broke.
    ///
    /// Every request carries `secret`, by which the other process knows its own kind (see [`admit`]). Fails only where
    /// `address` is not one or the secret can't stand in a header.
    pub fn remote(address: &str, secret: &str) -> Result<Self, TransportError> {
        let mut bearer = http::HeaderValue::from_str(&format!("Bearer {secret}"))?;
        bearer.set_sensitive(true);
        let channel = tonic::transport::Endpoint::from_shared(address.to_owned())?
            .connect_timeout(std::time::Duration::from_secs(2))
            .http2_keep_alive_interval(std::time::Duration::from_secs(10))
            .keep_alive_while_idle(true)
            .connect_lazy();
        let named = tower::util::MapRequest::new(channel, move |mut request: http::Request<Body>| {
            request.headers_mut().insert(http::header::AUTHORIZATION, bearer.clone());
            request
        });
        Ok(Self(Arc::new(Way::new(named.map_err(Into::into)))))
    }

    /// With a client's layers around it (see [`crate::resilience`]): as the way to the service `name`. Its clones share
    /// their breaker, their budget and their places, so one process makes one of a service.
    #[must_use]
    pub fn guarded(self, name: &'static str, policy: Policy, shared: &Resilience) -> Self {
        let guarded = crate::resilience::client(name, policy, shared, self);
        Self(Arc::new(Way::new(guarded.map_err(|never| match never {}))))
    }
}

/// Lets only callers that hold `secret` through to `services`: the other end of [`Channel::remote`].
pub fn admit(services: axum::Router, secret: &str) -> axum::Router {
    let expected = format!("Bearer {secret}").into_bytes();
    services.layer(axum::middleware::from_fn(move |request: axum::extract::Request, next: axum::middleware::Next| {
        let given = request.headers().get(http::header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let kind = request.headers().get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let grpc = kind.is_some_and(|kind| kind.starts_with(b"application/grpc"));
        let known = given.is_some_and(|given| same(given, &expected));
        async move {
            if known {
                return next.run(request).await;
            }
            let reason = "the caller does not hold this installation's service secret";
            if grpc {
                return tonic::Status::unauthenticated(reason).into_http();
            }
            crate::http::problem(http::StatusCode::UNAUTHORIZED, "not signed in", reason)
        }
    }))
}

/// Compares in a time that does not tell where two secrets differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel")
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // It is waited for in the call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(Way::clone(&self.0).oneshot(request))
    }
}
