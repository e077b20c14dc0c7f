//! A call that found its service not available is tried again, after a wait that grows and is spread, as long as the
//! budget allows: when much fails, retries must not add to the load.
//!
//! Only `unavailable` is tried again; it says that the call was most likely not carried out, and where it was, every write
//! here is idempotent. What this process refused itself (an open breaker, a full bulkhead) is not. A request that is larger
//! than [`MOST_BUFFERED`], or whose body is not there yet, is sent once.
//! Source: M. Brooker, "Exponential Backoff and Jitter" (AWS, 2015), full jitter; Finagle's `RetryBudget`.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;
use tower::retry::budget::{Budget, TpsBudget};

use super::answer::{code, was_refused};
use super::around::{Around, Grpc, Next};
use crate::context::Context;

/// The longest request that is kept for another try, in bytes.
const MOST_BUFFERED: usize = 64 << 10;
/// The longest wait before the first retry; it doubles with each.
const FIRST: Duration = Duration::from_millis(25);
/// The longest wait before any.
const LONGEST: Duration = Duration::from_millis(500);
/// How long a call counts for the budget.
const COUNTED: Duration = Duration::from_secs(10);
/// Retries a second that are always allowed.
const ALWAYS: u32 = 5;
/// Retries that calls allow, as a part of these.
const SHARE: f32 = 0.2;

/// Tries again.
pub(crate) struct Retry {
    most: u32,
    budget: TpsBudget,
    counted: Counter,
}

impl Retry {
    /// At most `most` times a call, each counted.
    pub(crate) fn new(most: u32, counted: Counter) -> Self {
        Self { most, budget: TpsBudget::new(COUNTED, ALWAYS, SHARE), counted }
    }

    /// How long to wait before retry `number`, from 0; nothing where there is no budget or no time for it.
    fn wait(&self, number: u32) -> Option<Duration> {
        if number >= self.most {
            return None;
        }
        let longest = FIRST.saturating_mul(1 << number.min(16)).min(LONGEST);
        let wait = longest.mul_f64(rand::random::<f64>());
        let in_time = Context::current().deadline().is_none_or(|at| Instant::now() + wait < at);
        (in_time && self.budget.withdraw()).then_some(wait)
    }
}

impl Around for Retry {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        if self.most == 0 {
            return next.run(request).await;
        }
        self.budget.deposit();
        let (head, body) = request.into_parts();
        let body = match buffered(body).await {
            Ok(bytes) => bytes,
            Err(streamed) => return next.run(Request::from_parts(head, streamed)).await,
        };
        let mut number = 0;
        loop {
            let copy = Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
            let answer = next.run(copy).await;
            if code(&answer) != Code::Unavailable || was_refused(&answer) {
                return answer;
            }
            let Some(wait) = self.wait(number) else { return answer };
            number += 1;
            self.counted.inc();
            tokio::time::sleep(wait).await;
        }
    }
}

/// The body as a whole, where it is there already and not too long; as it was otherwise.
async fn buffered(mut body: Body) -> Result<Bytes, Body> {
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    loop {
        let length = first.len() + more.len();
        let so_far = |first: Bytes, more: BytesMut| if more.is_empty() { first } else { joined(&first, &more) };
        match futures::poll!(std::pin::pin!(body.frame())) {
            std::task::Poll::Ready(None) => return Ok(so_far(first, more)),
            std::task::Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                let data = frame.into_data().unwrap_or_default();
                if length + data.len() > MOST_BUFFERED {
                    return Err(followed([Ok(Frame::data(so_far(first, more))), Ok(Frame::data(data))], body));
                }
                if length == 0 {
                    first = data;
                } else {
                    more.extend_from_slice(&data);
                }
            }
            std::task::Poll::Ready(Some(other)) => {
                return Err(followed([Ok(Frame::data(so_far(first, more))), other], body));
            }
            std::task::Poll::Pending => return Err(followed([Ok(Frame::data(so_far(first, more)))], body)),
        }
    }
}

fn joined(first: &Bytes, more: &BytesMut) -> Bytes {
    [first.as_ref(), more.as_ref()].concat().into()
}

/// What was read already, and then the rest.
fn followed<const N: usize>(read: [Result<Frame<Bytes>, tonic::Status>; N], rest: Body) -> Body {
    let read = futures::stream::iter(read);
    Body::new(StreamBody::new(read.chain(http_body_util::BodyStream::new(rest))))
}
