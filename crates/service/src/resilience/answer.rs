//! What a gRPC answer says of itself, and answers that are given without asking.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

use crate::channel::TransportError;
use crate::context;

/// Marks an answer that was given here, without asking the service.
#[derive(Debug, Clone, Copy)]
struct Refused;

/// `status`, given here.
pub(crate) fn refuse(status: Status) -> Response<Body> {
    let mut answer = status.into_http();
    answer.extensions_mut().insert(Refused);
    answer
}

/// Whether the service was not asked.
pub(crate) fn was_refused(answer: &Response<Body>) -> bool {
    answer.extensions().get::<Refused>().is_some()
}

/// The answer's status, as far as its head tells: what breaks off later is the reader's to handle.
pub(crate) fn code(answer: &Response<Body>) -> Code {
    match answer.headers().get(Status::GRPC_STATUS) {
        Some(code) => Code::from_bytes(code.as_bytes()),
        None if answer.status() == StatusCode::OK => Code::Ok,
        None if answer.status().is_server_error() => Code::Unavailable,
        None => Code::Unknown,
    }
}

/// The answer's message; empty where there is none.
pub(crate) fn message(answer: &Response<Body>) -> String {
    Status::from_header_map(answer.headers()).map(|status| status.message().to_owned()).unwrap_or_default()
}

/// Whether the code says that the service failed, and not that the request was at fault.
pub(crate) fn is_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// A code's name: "deadline_exceeded".
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The innermost of a client: whatever breaks below the contract becomes an answer with a status.
#[derive(Debug, Clone)]
pub(crate) struct Answered<S>(pub(crate) S);

impl<S> Service<Request<Body>> for Answered<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = TransportError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A connection is waited for in the call, within its deadline.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move { Ok(service.oneshot(request).await.unwrap_or_else(broken)) })
    }
}

fn broken(error: TransportError) -> Response<Body> {
    let status = Status::from_error(error);
    let late = context::Context::current().deadline().is_some_and(|at| at <= tokio::time::Instant::now());
    match status.code() {
        // The transport's own clock, which is set by ours.
        Code::Cancelled if late => Status::deadline_exceeded("the deadline passed").into_http(),
        _ => status.into_http(),
    }
}
