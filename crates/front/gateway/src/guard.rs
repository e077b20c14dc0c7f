//! Who may use the studio: those with its password (HTTP Basic, user "studio"), from its own pages.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use matinee_service::http::problem;

/// The studio's password; empty where it is open (on a loopback address only, as the configuration sees to).
#[derive(Clone, Default)]
pub struct StudioKey(pub String);

impl std::fmt::Debug for StudioKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StudioKey(…)")
    }
}

/// Lets a request through to the studio, or says why not.
pub async fn admit(State(key): State<StudioKey>, request: Request, next: Next) -> Response {
    if from_another_site(&request) {
        let detail = "the studio is changed only from its own pages";
        return problem(StatusCode::FORBIDDEN, "not allowed", detail);
    }
    if !key.0.is_empty() && !holds(&request, &key.0) {
        let mut response = problem(StatusCode::UNAUTHORIZED, "not signed in", "the studio asks for its password");
        let challenge = HeaderValue::from_static("Basic realm=\"Matinee studio\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    next.run(request).await
}

/// Whether a page of another site wants to change something here.
pub fn from_another_site(request: &Request) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let site = request.headers().get("sec-fetch-site").and_then(|v| v.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

fn holds(request: &Request, key: &str) -> bool {
    let Some(given) = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let Some(encoded) = given.strip_prefix("Basic ") else { return false };
    let Ok(decoded) = base64::engine::general_purpose::STANDARD.decode(encoded.trim()) else { return false };
    let expected = format!("studio:{key}");
    same(&decoded, expected.as_bytes())
}

/// Compares in a time that does not tell where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

/// Headers that every answer of the door carries.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; media-src 'self' blob: https: http:; connect-src 'self' https: http:; \
             img-src 'self' data: blob: https: http:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; \
             frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
        ),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
