//! The edge over HTTP: `/v/{token}/{version}/{protection}/{profile}/…`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use matinee_model::codec::Protection;
use matinee_service::clock::Clock;
use matinee_service::content::{Content, answer};
use matinee_service::http::problem;
use matinee_service::signing::{SignatureError, Signer, covered};

use crate::cache::Cache;
use crate::told::{Cached, Told};

/// Seconds for which a browser need not ask again whether it may.
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("86400");

/// What players on other origins may send; CMCD may come in headers, too.
const ASKED_WITH: &str = "range, if-none-match, if-range, cmcd-request, cmcd-object, cmcd-status, cmcd-session";

/// An edge. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    cache: Cache,
    signer: Arc<Signer>,
    clock: Arc<dyn Clock>,
    told: Option<Told>,
}

impl Edge {
    /// Serves what is behind `cache` to who holds an address that `signer` signed.
    #[must_use]
    pub fn new(cache: Cache, signer: Signer, clock: Arc<dyn Clock>) -> Self {
        Self { cache, signer: Arc::new(signer), clock, told: None }
    }

    /// Hands on what players say of themselves with their requests.
    #[must_use]
    pub fn telling(self, told: Told) -> Self {
        Self { told: Some(told), ..self }
    }

    fn admitted(&self, token: &str, rest: &str) -> Result<(), SignatureError> {
        let mut parts = rest.split('/');
        let version = parts.next().unwrap_or_default();
        let protection = parts.next().and_then(Protection::from_name).ok_or(SignatureError::Malformed)?;
        self.signer.verify(token, &covered(version, protection), self.clock.now_seconds())
    }

    async fn answer(&self, token: &str, rest: &str, method: Method, headers: &HeaderMap) -> Response {
        if let Err(error) = self.admitted(token, rest) {
            return problem(StatusCode::FORBIDDEN, "not allowed", &error.to_string());
        }
        let path = format!("/origin/{rest}");
        // A whole track may be as long as the film: its ranges come straight from the origin's segments.
        if rest.ends_with("/track.mp4") {
            let mut response = self.cache.ask(&path, method, headers).await.into_response();
            response.headers_mut().insert("x-cache", HeaderValue::from_static("PASS"));
            return response;
        }
        match self.cache.get(&path).await {
            Ok((kept, here)) => {
                let content = Content { tag: &kept.tag, size: kept.body.len() as u64, media_type: &kept.media_type };
                let mut response = answer(headers, &content, |range| {
                    Body::from(kept.body.slice(range.start as usize..range.end as usize))
                });
                let found = HeaderValue::from_static(if here { "HIT" } else { "MISS" });
                response.headers_mut().insert("x-cache", found);
                response
            }
            Err(refused) => (refused.status, refused.headers.clone(), refused.body.clone()).into_response(),
        }
    }
}

/// Routes of the edge.
pub fn router(edge: Edge) -> Router {
    Router::new().route("/v/{token}/{*rest}", get(serve).options(preflight)).with_state(edge)
}

/// Players on other origins may read everything, and may measure how long it took.
fn open(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("content-length, content-range, etag, x-cache");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.insert("timing-allow-origin", HeaderValue::from_static("*"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

async fn serve(
    State(edge): State<Edge>,
    Path((token, rest)): Path<(String, String)>,
    address: Uri,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let mut response = edge.answer(&token, &rest, method, &headers).await;
    // Only of who may have it: whoever has no address of ours can't fill the event log.
    if let Some(told) = edge.told.as_ref().filter(|_| response.status().is_success()) {
        let here = response.headers().get("x-cache").is_some_and(|found| found == "HIT");
        let cached = if here { Cached::Here } else { Cached::Elsewhere };
        told.hear(address.query(), &headers, cached, edge.clock.now_us());
    }
    open(&mut response);
    response
}

async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    open(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ASKED_WITH));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    response
}
