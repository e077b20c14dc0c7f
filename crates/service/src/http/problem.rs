//! What went wrong, for whoever called: RFC 9457 `application/problem+json`.
//!
//! A problem that a program must tell from others of its status has a `code`; one about fields of the request names each
//! in `errors`. What failed on our side is logged, and its detail stays with us.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic::Code;

/// Between the first of those who come again and the last, as a part of how long all wait at the least.
const SPREAD: f64 = 1.0;

/// A field of the request that is not taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Which: "email", "beats[3].title".
    pub field: String,
    /// Why, for whoever wrote it.
    pub reason: String,
}

/// An answer that is a problem.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    title: Cow<'static, str>,
    detail: String,
    code: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
}

/// Messages of contracts whose fields stand in a body by themselves.
const WITHIN: [&str; 4] = ["profile.", "plan.", "title.", "person."];

/// Refusals of a play, as services say them before a colon, and the statuses by which a viewer's application tells them
/// apart.
const REFUSALS: [(&str, StatusCode, &str); 8] = [
    ("sign_in", StatusCode::UNAUTHORIZED, "not signed in"),
    ("no_subscription", StatusCode::PAYMENT_REQUIRED, "a subscription is needed"),
    ("lapsed", StatusCode::PAYMENT_REQUIRED, "the subscription ended"),
    ("past_due", StatusCode::PAYMENT_REQUIRED, "a payment is due"),
    ("too_many_streams", StatusCode::TOO_MANY_REQUESTS, "too many streams at once"),
    ("not_licensed_here", StatusCode::FORBIDDEN, "not licensed here"),
    ("not_licensed_now", StatusCode::FORBIDDEN, "not licensed at the moment"),
    ("maturity", StatusCode::FORBIDDEN, "not for this profile"),
];

impl Problem {
    /// An answer of `status`. `title` is the same for every problem of its kind, `detail` is about this one.
    #[must_use]
    pub fn new(status: StatusCode, title: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        let (title, detail) = (title.into(), detail.into());
        Self { status, title, detail, code: None, errors: Vec::new(), retry_after: None }
    }

    /// The request itself is at fault.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the request is not understood", detail)
    }

    /// One field of the request is at fault.
    #[must_use]
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        let (field, reason) = (field.into(), reason.into());
        let detail = format!("{field} is refused: {reason}");
        Self::new(StatusCode::BAD_REQUEST, "the request is refused", detail).with_errors([FieldError { field, reason }])
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    /// Whoever asks must sign in first.
    #[must_use]
    pub fn sign_in(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not signed in", detail).with_code("sign_in")
    }

    /// Whoever asks may not.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed", detail)
    }

    /// Too many requests of one; `wait` is how long until the next is taken.
    #[must_use]
    pub fn too_many(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", detail)
            .with_code("rate_limited")
            .with_retry_after(wait)
    }

    /// Not at the moment; `wait` is when it is worth coming again.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not available at the moment", detail).with_retry_after(wait)
    }

    /// With what a program tells it by.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With the fields that are at fault.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// With when to come again: not before `wait`, and spread over as long again, so that not all come at once.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.mul_f64(1.0 + SPREAD * rand::random::<f64>()));
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What a program tells it by, where it has that.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What is wrong with this request.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// The field and the reason of "`email is refused: …`", as services name what they refuse.
fn refused(message: &str) -> Option<FieldError> {
    let (field, reason) = message.split_once(" is refused: ")?;
    // Clients write a profile's or a plan's fields as they are, where contracts have them within a message.
    let field = WITHIN.iter().find_map(|within| field.strip_prefix(within)).unwrap_or(field);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']' | '-' | '/');
    let named = !field.is_empty() && field.len() <= 100 && field.chars().all(plain);
    // Names of fields in JSON are written in camel case, those of contracts are not.
    named.then(|| FieldError { field: camel(field), reason: reason.to_owned() })
}

fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raised = false;
    for c in name.chars() {
        match c {
            '_' => raised = !out.is_empty(),
            c if raised => {
                out.extend(c.to_uppercase());
                raised = false;
            }
            c => out.push(c),
        }
    }
    out
}

impl From<tonic::Status> for Problem {
    fn from(status: tonic::Status) -> Self {
        let message = status.message();
        let refusal = message
            .split_once(": ")
            .and_then(|(code, rest)| REFUSALS.iter().find(|(known, ..)| *known == code).map(|refusal| (refusal, rest)));
        if let Some(((code, status, title), rest)) = refusal {
            return Self::new(*status, *title, rest).with_code(*code);
        }
        let (code, title) = match status.code() {
            Code::InvalidArgument | Code::OutOfRange => (StatusCode::BAD_REQUEST, "the request is refused"),
            Code::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => {
                (StatusCode::CONFLICT, "not possible as things are")
            }
            Code::PermissionDenied => (StatusCode::FORBIDDEN, "not allowed"),
            Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "not signed in"),
            Code::ResourceExhausted => {
                let wait = status.metadata().get(header::RETRY_AFTER.as_str());
                let wait = wait.and_then(|wait| wait.to_str().ok()?.parse().ok()).unwrap_or(1);
                return Self::too_many(message, Duration::from_secs(wait));
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => {
                tracing::warn!(code = ?status.code(), message, "a service did not answer");
                return Self::unavailable("a service does not answer at the moment", Duration::from_secs(1));
            }
            _ => {
                tracing::error!(code = ?status.code(), message, "a service failed");
                let detail = "it is written in the log, and worth telling the operator";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side", detail);
            }
        };
        Self::new(code, title, message).with_errors(refused(message))
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: &self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code.as_deref(),
            errors: &self.errors,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
        }
        response
    }
}

/// An answer of `status`. `title` is the same for every problem of its kind, `detail` is about this one.
#[must_use]
pub fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    Problem::new(status, title.to_owned(), detail).into_response()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn read(problem: Problem) -> serde_json::Value {
        let body = problem.into_response().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn a_refused_field_is_named() {
        let status = tonic::Status::invalid_argument("email_address is refused: it has no @");
        let body = read(status.into()).await;
        assert_eq!(body["status"], 400);
        assert_eq!(body["errors"][0]["field"], "emailAddress");
        assert_eq!(body["errors"][0]["reason"], "it has no @");
    }

    #[tokio::test]
    async fn a_service_says_when_to_come_again() {
        let mut status = tonic::Status::resource_exhausted("too many attempts; try again in 60 s");
        status.metadata_mut().insert("retry-after", tonic::metadata::MetadataValue::from(60));
        let answer = Problem::from(status).into_response();
        let seconds: u64 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((60..=120).contains(&seconds), "{seconds}");
        let within =
            read(tonic::Status::invalid_argument("profile.maturity_limit is refused: at most 12").into()).await;
        assert_eq!(within["errors"][0]["field"], "maturityLimit");
    }

    #[tokio::test]
    async fn a_refused_play_has_its_code_and_status() {
        let status = tonic::Status::permission_denied("too_many_streams: 2 of 2 play at the moment");
        let body = read(status.into()).await;
        assert_eq!((body["status"].as_u64(), body["code"].as_str()), (Some(429), Some("too_many_streams")));
        assert_eq!(body["detail"], "2 of 2 play at the moment");
        let other = read(tonic::Status::permission_denied("unknown: why").into()).await;
        assert_eq!((other["status"].as_u64(), &other["code"]), (Some(403), &serde_json::Value::Null));
    }

    #[tokio::test]
    async fn what_failed_inside_is_not_told_outside() {
        let body = read(tonic::Status::internal("sqlite: /srv/secret.db is damaged").into()).await;
        assert!(!body.to_string().contains("secret"), "{body}");
    }

    #[test]
    fn those_who_come_again_are_spread() {
        for _ in 0..100 {
            let answer = Problem::unavailable("busy", Duration::from_secs(4)).into_response();
            let seconds: u64 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((4..=8).contains(&seconds), "{seconds}");
        }
    }
}
