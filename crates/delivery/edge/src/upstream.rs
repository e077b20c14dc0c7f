//! The way to an origin in another process: its internal address, with the installation's service secret.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use matinee_service::http::problem;

/// For the connection to stand.
const CONNECT: Duration = Duration::from_secs(2);
/// Between two pieces of an answer.
const STALL: Duration = Duration::from_secs(15);
/// Whether the first connection or the second: the origin may just have been started again.
const ATTEMPTS: u32 = 2;
/// When a player may ask again for what the origin did not give.
const AGAIN_SECONDS: HeaderValue = HeaderValue::from_static("2");
/// What of its answer matters to a player.
const ANSWERED: [HeaderName; 8] = [
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
];

/// Why there is no way to an origin.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The address is none.
    #[error("the origin's address {address:?} is refused: http://host:port or https://host:port is taken")]
    Address {
        /// What was given.
        address: String,
    },
    /// The secret can't stand in a header, or the client can't be made.
    #[error("no client for the origin: {0}")]
    Client(String),
}

#[derive(Clone)]
struct Elsewhere {
    client: reqwest::Client,
    address: String,
}

/// The routes of the origin at `address` (`http://host:port`), whose processes hold `secret`.
///
/// Where it can't be reached, the answer is 503 with `Retry-After`.
pub fn elsewhere(address: &str, secret: &str) -> Result<Router, UpstreamError> {
    let address = address.trim_end_matches('/').to_owned();
    let uri: Option<http::Uri> = address.parse().ok();
    if !uri.is_some_and(|u| matches!(u.scheme_str(), Some("http" | "https")) && u.host().is_some()) {
        return Err(UpstreamError::Address { address });
    }
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {secret}")).map_err(|error| UpstreamError::Client(error.to_string()))?;
    bearer.set_sensitive(true);
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    let client = reqwest::Client::builder().default_headers(headers).connect_timeout(CONNECT).read_timeout(STALL);
    let client = client.redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| UpstreamError::Client(error.to_string()))?;
    Ok(Router::new().fallback(ask).with_state(Elsewhere { client, address }))
}

async fn ask(State(origin): State<Elsewhere>, request: Request) -> Response {
    let url = format!("{}{}", origin.address, request.uri().path());
    let mut failed = String::new();
    for _ in 0..ATTEMPTS {
        // The cache has left only what matters to the origin.
        let asking = origin.client.request(request.method().clone(), &url).headers(request.headers().clone());
        match asking.send().await {
            Ok(answer) => return passed_on(answer),
            Err(error) if error.is_connect() || error.is_request() => failed = error.to_string(),
            Err(error) => {
                failed = error.to_string();
                break;
            }
        }
    }
    tracing::warn!(origin = origin.address, failed, "the origin can't be reached");
    let detail = "the origin can't be reached from this edge; what is not here already has to wait";
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "not available at the moment", detail);
    response.headers_mut().insert(header::RETRY_AFTER, AGAIN_SECONDS);
    response
}

fn passed_on(answer: reqwest::Response) -> Response {
    if answer.status() == StatusCode::UNAUTHORIZED {
        tracing::error!("the origin does not know this edge: they hold different service secrets");
        let detail = "the origin does not know this edge";
        return problem(StatusCode::BAD_GATEWAY, "not available at the moment", detail);
    }
    let (status, mut headers) = (answer.status(), HeaderMap::new());
    for name in ANSWERED {
        if let Some(value) = answer.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    (status, headers, Body::from_stream(answer.bytes_stream())).into_response()
}
