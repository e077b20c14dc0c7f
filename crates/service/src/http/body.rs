//! A request's body: JSON into a type, or bytes, within a size and a time, with refusals that name the field.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;

use super::problem::{FieldError, Problem};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of a body where no layer says otherwise, in bytes.
const MOST_BYTES: usize = 256 << 10;

/// The most bytes of a request's body, as an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// A body that is JSON.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

/// A body that is JSON, or no body at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonOrNothing<T>(pub T);

/// A body as it came.
#[derive(Debug, Clone)]
pub struct BytesBody(pub Bytes);

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let most = request.extensions().get::<BodyLimit>().map_or(MOST_BYTES, |limit| limit.0);
    let too_large = || {
        let detail = format!("the body is larger than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large", detail)
    };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > most as u64) {
        return Err(too_large());
    }
    let body = http_body_util::Limited::new(request.into_body(), most).collect();
    match tokio::time::timeout(PATIENCE, body).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request("the body broke off")),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", PATIENCE.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the request is too slow", detail))
        }
    }
}

/// Takes `bytes` as JSON of `T`, or says which field is not as it must be.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        let reason = error.inner().to_string();
        if error.inner().is_data() {
            let place = if field == "." { "the body".to_owned() } else { field.clone() };
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "the request is refused",
                format!("{place} is refused: {reason}"),
            );
            return problem.with_errors([FieldError { field: named(field, &reason), reason }]);
        }
        Problem::bad_request(format!("the body is not JSON: {reason}"))
    })?;
    reader.end().map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    Ok(value)
}

/// A field that is missing or not known stands in the reason, not in the path.
fn named(path: String, reason: &str) -> String {
    let spoken = reason.strip_prefix("missing field `").or_else(|| reason.strip_prefix("unknown field `"));
    let Some(name) = spoken.and_then(|rest| rest.split_once('`')).map(|(name, _)| name) else { return path };
    if path == "." || path.ends_with(name) { name.to_owned() } else { format!("{path}.{name}") }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        if !is_json(request.headers()) {
            let detail = "the body must be JSON: Content-Type is application/json";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the request is not understood", detail);
            return Err(problem.into_response());
        }
        let bytes = read(request).await.map_err(IntoResponse::into_response)?;
        parse_json(&bytes).map(Self).map_err(IntoResponse::into_response)
    }
}

impl<S: Sync, T: DeserializeOwned + Default> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return JsonBody::from_request(request, state).await.map(|JsonBody(value)| Self(value));
        }
        let bytes = read(request).await.map_err(IntoResponse::into_response)?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        parse_json(&bytes).map(Self).map_err(IntoResponse::into_response)
    }
}

impl<S: Sync> FromRequest<S> for BytesBody {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        read(request).await.map(Self).map_err(IntoResponse::into_response)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::{any, prop_assert, proptest};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[allow(dead_code, reason = "only whether it is taken matters")]
        name: String,
    }

    async fn take(kind: &str, limit: usize, body: &'static str) -> (u16, serde_json::Value) {
        let mut request = Request::builder().header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        request.extensions_mut().insert(BodyLimit(limit));
        let answer = JsonBody::<Asked>::from_request(request, &()).await.map(|_| ()).into_response();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_body_is_said() {
        assert_eq!(take("application/json; charset=utf-8", 100, r#"{"name":"a"}"#).await.0, 200);
        assert_eq!(take("text/plain", 100, r#"{"name":"a"}"#).await.0, 415);
        assert_eq!(take("application/json", 5, r#"{"name":"a"}"#).await.0, 413);
        let (status, missing) = take("application/json", 100, "{}").await;
        assert_eq!((status, missing["errors"][0]["field"].as_str()), (400, Some("name")));
        let (_, unknown) = take("application/json", 100, r#"{"name":"a","nose":1}"#).await;
        assert_eq!(unknown["errors"][0]["field"], "nose");
        let (_, wrong) = take("application/json", 100, r#"{"name":1}"#).await;
        assert_eq!(wrong["errors"][0]["field"], "name");
        assert_eq!(take("application/json", 100, "{").await.0, 400);
        assert_eq!(take("application/json", 100, r#"{"name":"a"} x"#).await.0, 400);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(problem) = parse_json::<Asked>(&bytes) {
                prop_assert!(problem.status() == StatusCode::BAD_REQUEST);
            }
        }
    }
}
