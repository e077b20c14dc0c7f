//! A request's query (`?a=b`), with refusals that name the field.

use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{FieldError, Problem};

/// A query as `T`.
#[derive(Debug, Clone, Copy)]
pub struct Queried<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Queried<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(|rejection| {
            let text = rejection.body_text();
            let reason = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, reason)| reason);
            let title = "the request is refused";
            let problem = Problem::new(StatusCode::BAD_REQUEST, title, format!("the query is refused: {reason}"));
            problem.with_errors(field(reason)).into_response()
        })
    }
}

/// The field of "`yearFrom: invalid digit found in string`" or of "``unknown field `x`, …``".
fn field(reason: &str) -> Option<FieldError> {
    let of = |field: &str, reason: &str| FieldError { field: field.to_owned(), reason: reason.to_owned() };
    for prefix in ["unknown field `", "missing field `", "duplicate field `"] {
        let named = reason.split_once(prefix).and_then(|(_, rest)| rest.split_once('`'));
        if let Some((name, _)) = named {
            return Some(of(name, reason));
        }
    }
    let (name, reason) = reason.split_once(": ")?;
    Some(of(name, reason))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::{prop_assert, proptest};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[derive(Default)]
    struct Asked {
        #[allow(dead_code, reason = "only whether it is taken matters")]
        year: u32,
    }

    async fn ask(uri: &str) -> Result<(), (StatusCode, serde_json::Value)> {
        let (mut parts, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
        let Err(answer) = Queried::<Asked>::from_request_parts(&mut parts, &()).await else { return Ok(()) };
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Err((status, serde_json::from_slice(&body).unwrap()))
    }

    #[tokio::test]
    async fn a_wrong_field_of_a_query_is_named() {
        assert!(ask("/?year=1990").await.is_ok() && ask("/").await.is_ok());
        let (status, body) = ask("/?year=MCMXC").await.unwrap_err();
        assert_eq!((status.as_u16(), body["errors"][0]["field"].as_str()), (400, Some("year")), "{body}");
        let (_, body) = ask("/?yaer=1990").await.unwrap_err();
        assert_eq!(body["errors"][0]["field"], "yaer", "{body}");
    }

    proptest! {
        #[test]
        fn any_query_is_taken_or_refused(query in "[a-zA-Z0-9%&=+._-]{0,80}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            if let Err((status, _)) = runtime.block_on(ask(&format!("/?{query}"))) {
                prop_assert!(status == StatusCode::BAD_REQUEST);
            }
        }
    }
}
