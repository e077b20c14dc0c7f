//! Headers that every answer of the door carries, and problems for what no route answers itself.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, header};
use http_body_util::BodyExt;
use matinee_service::http::Problem;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Of an error's text that is not a problem yet, in bytes.
const MOST_TEXT: usize = 4096;

/// What pages may load and hold: their own, films and pictures from anywhere, and scripts and frames of `sites`.
pub fn content_policy(sites: &[&'static str]) -> HeaderValue {
    let held = match sites.join(" ") {
        sites if sites.is_empty() => String::new(),
        sites => format!("script-src 'self' {sites}; frame-src 'self' {sites}; "),
    };
    let policy = format!(
        "default-src 'self'; {held}media-src 'self' blob: https: http:; connect-src 'self' https: http:; \
         img-src 'self' data: blob: https: http:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; \
         frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    );
    policy.try_into().expect("sites are written in ASCII")
}

/// Headers that every answer of the door carries.
pub async fn security(State(content_policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(content_policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Other sites whose pages may call, with their users' cookies.
pub fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let names = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(names(&[
            "accept",
            "authorization",
            "content-type",
            "idempotency-key",
            "if-none-match",
            "x-requested-with",
            "traceparent",
            "b3",
        ]))
        .expose_headers(names(&["etag", "location", "retry-after", "x-b3-traceid"]))
        .max_age(Duration::from_secs(3600))
}

/// Makes a problem of an error that is a plain text or nothing: a method that a route does not take, say.
pub async fn problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_some_and(|kind| !kind.starts_with(b"text/plain")) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = http_body_util::Limited::new(body, MOST_TEXT).collect().await;
    let text = text.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let title = status.canonical_reason().unwrap_or("not possible").to_ascii_lowercase();
    let mut problem = Problem::new(status, title, String::from_utf8_lossy(&text)).into_response();
    for (name, value) in &parts.headers {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            problem.headers_mut().entry(name).or_insert(value.clone());
        }
    }
    problem
}
