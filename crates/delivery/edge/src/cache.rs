//! What the edge keeps: whole answers of the origin, by their path below the signature.
//!
//! However many viewers ask for a segment at once, the origin is asked once. Errors are not kept.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// The largest answer that is kept, in bytes.
const MOST_KEPT: usize = 256 << 20;

/// An answer of the origin that may be given to anybody who may see the version.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// All of it.
    pub body: Bytes,
    /// Its media type.
    pub media_type: String,
    /// Its entity tag, without quotes.
    pub tag: String,
}

/// What the origin said instead.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Answers in memory. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Cache {
    upstream: Router,
    kept: moka::future::Cache<String, Arc<Fetched>>,
}

impl Cache {
    /// Keeps up to `bytes` of what `upstream`, the origin's routes, answers.
    #[must_use]
    pub fn new(upstream: Router, bytes: u64) -> Self {
        let weight = |path: &String, fetched: &Arc<Fetched>| {
            u32::try_from(path.len() + fetched.body.len() + 256).unwrap_or(u32::MAX)
        };
        Self { upstream, kept: moka::future::Cache::builder().max_capacity(bytes).weigher(weight).build() }
    }

    /// What stands at `path` of the origin, and whether it was here already.
    pub async fn get(&self, path: &str) -> Result<(Arc<Fetched>, bool), Arc<Refused>> {
        if let Some(kept) = self.kept.get(path).await {
            return Ok((kept, true));
        }
        let fetched = self.kept.try_get_with_by_ref(path, self.fetch(path)).await?;
        Ok((fetched, false))
    }

    async fn fetch(&self, path: &str) -> Result<Arc<Fetched>, Refused> {
        let response = self.ask(path, Method::GET, &HeaderMap::new()).await;
        let (head, body) = response.into_parts();
        let text = |name: header::HeaderName| {
            head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (media_type, tag) = (text(header::CONTENT_TYPE), text(header::ETAG).trim_matches('"').to_owned());
        let broken = |reason: String| Refused {
            status: StatusCode::BAD_GATEWAY,
            headers: HeaderMap::new(),
            body: Bytes::from(reason),
        };
        let limited = http_body_util::Limited::new(body, MOST_KEPT);
        let body =
            limited.collect().await.map_err(|error| broken(format!("the origin broke off: {error}")))?.to_bytes();
        if head.status != StatusCode::OK {
            return Err(Refused { status: head.status, headers: head.headers, body });
        }
        Ok(Arc::new(Fetched { body, media_type, tag }))
    }

    /// Asks the origin straight, for what is too large to keep.
    pub async fn ask(&self, path: &str, method: Method, asked: &HeaderMap) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap_or_default();
        for name in [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH] {
            if let Some(value) = asked.get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        match self.upstream.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
