//! tus 1.0 over HTTP: creation, checksum, termination, expiration. Source: tus.io/protocols/resumable-upload.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{head, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use matinee_engines::objects::ObjectError;
use matinee_service::http::problem;

use crate::error::IngestError;
use crate::intake::IngestService;
use crate::receive::Expected;
use crate::store::Upload;

const VERSION: &str = "1.0.0";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// "Checksum Mismatch" of the protocol.
const MISMATCH: u16 = 460;

/// Routes below `/uploads`.
pub fn router(service: IngestService) -> Router {
    Router::new()
        .route("/uploads", post(create).options(options))
        .route("/uploads/{id}", head(offset).patch(write).delete(terminate).options(options))
        .layer(axum::middleware::from_fn(versioned))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(service)
}

/// Every request but OPTIONS names the version; every response does.
async fn versioned(request: Request, next: axum::middleware::Next) -> Response {
    let named = request.headers().get(RESUMABLE).is_some_and(|v| v.as_bytes() == VERSION.as_bytes());
    let mut response = if named || request.method() == http::Method::OPTIONS {
        next.run(request).await
    } else {
        let mut refused = problem(
            StatusCode::PRECONDITION_FAILED,
            "another version of the protocol",
            "the header Tus-Resumable must be 1.0.0",
        );
        refused.headers_mut().insert("tus-version", HeaderValue::from_static(VERSION));
        refused
    };
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

impl IntoResponse for IngestError {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::Unknown(_) => (StatusCode::NOT_FOUND, "no such upload"),
            Self::Refused(_) | Self::Broken { .. } | Self::File { .. } => (StatusCode::BAD_REQUEST, "not taken"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Self::Offset { .. } => (StatusCode::CONFLICT, "somewhere else"),
            Self::Busy(_) => (StatusCode::LOCKED, "busy"),
            Self::Checksum { .. } => {
                (StatusCode::from_u16(MISMATCH).unwrap_or(StatusCode::BAD_REQUEST), "checksum mismatch")
            }
            Self::Objects(ObjectError::NoSpace { .. }) => (StatusCode::INSUFFICIENT_STORAGE, "the disk is full"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "not available now"),
        };
        if status.is_server_error() {
            tracing::error!(error = %self, "an upload failed");
        }
        problem(status, title, &self.to_string())
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, IngestError> {
    let value = headers.get(name).and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    value.ok_or_else(|| IngestError::Refused(format!("the header {name} must be a number of bytes")))
}

/// `key base64(value), key base64(value), key`.
pub(crate) fn metadata(header: &str) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let bytes = STANDARD.decode(value.trim()).map_err(|error| format!("metadata {key:?} is no base64: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("metadata {key:?} is no UTF-8"))?;
        if all.insert(key.to_owned(), text).is_some() {
            return Err(format!("metadata {key:?} stands there twice"));
        }
    }
    Ok(all)
}

fn checksum(headers: &HeaderMap) -> Result<Option<Expected>, IngestError> {
    let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
    let refused =
        || IngestError::Refused("the header Upload-Checksum must be \"sha1\" or \"sha256\" and base64".to_owned());
    let (algorithm, sum) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(refused)?;
    let sum = STANDARD.decode(sum.trim()).map_err(|_| refused())?;
    match algorithm {
        "sha1" => Ok(Some(Expected::Sha1(sum))),
        "sha256" => Ok(Some(Expected::Sha256(sum))),
        _ => Err(refused()),
    }
}

fn describe(headers: &mut HeaderMap, upload: &Upload) {
    headers.insert(OFFSET, HeaderValue::from(upload.offset));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if upload.finished_us == 0 {
        let at = UNIX_EPOCH + Duration::from_micros(upload.expires_us.unsigned_abs());
        if let Ok(date) = HeaderValue::from_str(&http_date(at)) {
            headers.insert(EXPIRES, date);
        }
    }
}

/// As RFC 9110 writes dates.
fn http_date(at: SystemTime) -> String {
    httpdate::fmt_http_date(at)
}

async fn options(State(service): State<IngestService>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(VERSION));
    headers.insert("tus-extension", HeaderValue::from_static("creation,checksum,termination,expiration"));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static("sha1,sha256"));
    headers.insert("tus-max-size", HeaderValue::from(service.config.max_bytes));
    response
}

async fn create(State(service): State<IngestService>, headers: HeaderMap) -> Result<Response, IngestError> {
    let size = number(&headers, &LENGTH)?;
    let told = headers.get(METADATA).map_or(Ok(""), |v| v.to_str());
    let told = told.map_err(|_| IngestError::Refused("the header Upload-Metadata is no ASCII".to_owned()))?;
    let upload = service.begin(size, metadata(told).map_err(IngestError::Refused)?).await?;
    let mut response = StatusCode::CREATED.into_response();
    describe(response.headers_mut(), &upload);
    let location = HeaderValue::from_str(&format!("/uploads/{}", upload.id));
    response.headers_mut().insert(header::LOCATION, location.unwrap_or(HeaderValue::from_static("/uploads")));
    Ok(response)
}

async fn offset(State(service): State<IngestService>, Path(id): Path<String>) -> Result<Response, IngestError> {
    let upload = service.store.get(&id).await?;
    let mut response = StatusCode::OK.into_response();
    describe(response.headers_mut(), &upload);
    response.headers_mut().insert(LENGTH, HeaderValue::from(upload.size));
    let pairs: Vec<String> = upload.metadata.iter().map(|(k, v)| format!("{k} {}", STANDARD.encode(v))).collect();
    if let Ok(value) = HeaderValue::from_str(&pairs.join(",")) {
        response.headers_mut().insert(METADATA, value);
    }
    Ok(response)
}

async fn write(
    State(service): State<IngestService>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, IngestError> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(b"application/offset+octet-stream") {
        let detail = "the content type must be application/offset+octet-stream";
        return Ok(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "another media type", detail));
    }
    let (from, expected) = (number(&headers, &OFFSET)?, checksum(&headers)?);
    // What came is kept even where the client is gone by then: the request's end does not end the writing.
    let writing = tokio::spawn(async move { service.write(&id, from, expected, body.into_data_stream()).await });
    let written = writing.await.map_err(|error| IngestError::Refused(error.to_string()))?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    describe(response.headers_mut(), &written?);
    Ok(response)
}

async fn terminate(State(service): State<IngestService>, Path(id): Path<String>) -> Result<Response, IngestError> {
    service.terminate(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn metadata_that_is_malformed_is_refused_by_name() {
        assert_eq!(metadata("filename !").unwrap_err().split(':').next(), Some("metadata \"filename\" is no base64"));
        assert!(metadata("a Yg==,a Yg==").unwrap_err().contains("twice"));
        assert_eq!(metadata("is_draft").unwrap()["is_draft"], "");
    }

    proptest! {
        #[test]
        fn metadata_comes_back_as_it_was_sent(all in proptest::collection::btree_map("[a-z]{1,9}", ".{0,20}", 0..6)) {
            let pairs: Vec<String> = all.iter().map(|(k, v)| format!("{k} {}", STANDARD.encode(v))).collect();
            prop_assert_eq!(metadata(&pairs.join(",")).unwrap(), all);
        }

        #[test]
        fn no_header_panics(text in ".*") {
            let _ = metadata(&text);
        }
    }
}
