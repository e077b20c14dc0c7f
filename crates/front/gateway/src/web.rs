//! The viewer's application and the studio, as the program carries them.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use matinee_service::http::problem;
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::compression::predicate::{Predicate, SizeAbove};

#[derive(RustEmbed)]
#[folder = "../../../web/dist"]
struct Files;

/// What is worth compressing: text, not pictures or film, and never a stream of events.
#[derive(Clone, Copy)]
pub struct Compressible;

impl Predicate for Compressible {
    fn should_compress<B: http_body::Body>(&self, response: &http::Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let text = ["text/html", "text/css", "text/javascript", "application/json", "image/svg"];
        text.iter().any(|t| kind.starts_with(t)) && SizeAbove::new(512).should_compress(response)
    }
}

/// A page of the application: it finds its own way by the address.
pub async fn page(headers: HeaderMap) -> Response {
    match Files::get("index.html") {
        Some(index) => send(index, "text/html; charset=utf-8", "no-cache", &headers),
        None => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the pages are missing",
            "this program was built without the web application: run `make web` and build it again",
        ),
    }
}

/// A file of the application, or a page of it, or nothing.
pub async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return problem(StatusCode::NOT_FOUND, "not found", &format!("{method} {} is not served here", uri.path()));
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Files::get(path) {
        let kind = file.metadata.mimetype().to_owned();
        // Names under assets/ carry their content's hash, so they never change.
        let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        return send(file, &kind, cache, &headers);
    }
    let is_page = !path.contains('.') && !path.starts_with("api/");
    if is_page {
        return page(headers).await;
    }
    problem(StatusCode::NOT_FOUND, "not found", &format!("{} is not served here", uri.path()))
}

fn send(file: EmbeddedFile, kind: &str, cache: &'static str, asked: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash()[..16].iter().map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|k| k.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let headers =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CACHE_CONTROL, cache.to_owned()), (header::ETAG, etag)];
    (headers, Body::from(file.data.into_owned())).into_response()
}
