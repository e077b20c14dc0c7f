//! The licence over HTTP, for players: `POST /license/clearkey` with the playback token as bearer (RFC 6750).
//!
//! Any site may ask: who holds a token may play, wherever the player stands.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use matinee_service::http::problem;
use tower_http::cors::{Any, CorsLayer};

use crate::clearkey::MOST_BYTES;
use crate::error::LicenseError;
use crate::service::LicenseService;

/// How long a browser may remember that it may ask.
const PREFLIGHT: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// The routes that viewers reach.
pub fn router(service: LicenseService) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .max_age(PREFLIGHT);
    Router::new()
        .route("/license/clearkey", post(clear_key))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(cors)
        .with_state(service)
}

async fn clear_key(
    State(service): State<LicenseService>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(token) = bearer(&headers) else {
        let detail = "the licence request carries no playback token (Authorization: Bearer …)";
        return challenged(problem(StatusCode::UNAUTHORIZED, "not signed in", detail), "Bearer");
    };
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("a licence request has at most {MOST_BYTES} bytes");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large", &detail);
        }
        Err(rejection) => return problem(rejection.status(), "the request can't be read", &rejection.body_text()),
    };
    match service.clear_key_license(token, &body).await {
        Ok(license) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, license.to_vec()).into_response()
        }
        Err(error) => refusal(&error),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refusal(error: &LicenseError) -> Response {
    let detail = error.to_string();
    match error {
        LicenseError::Request(_) | LicenseError::Field { .. } => {
            problem(StatusCode::BAD_REQUEST, "the licence request is refused", &detail)
        }
        LicenseError::Token(_) => {
            let response = problem(StatusCode::UNAUTHORIZED, "the playback token is refused", &detail);
            challenged(response, "Bearer error=\"invalid_token\"")
        }
        LicenseError::NotCovered(_) => {
            let response = problem(StatusCode::FORBIDDEN, "not allowed", &detail);
            challenged(response, "Bearer error=\"insufficient_scope\"")
        }
        LicenseError::UnknownKey(_) => problem(StatusCode::NOT_FOUND, "not found", &detail),
        _ => {
            // What is wrong with the store is for its operator, not for viewers.
            tracing::error!(%error, "a licence can't be given");
            let detail = "the licence service can't give keys at the moment";
            problem(StatusCode::SERVICE_UNAVAILABLE, "not available at the moment", detail)
        }
    }
}

fn challenged(mut response: Response, challenge: &'static str) -> Response {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
