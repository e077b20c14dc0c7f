//! How a service's refusal reaches a browser: the gRPC status as an RFC 9457 problem.

use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use matinee_service::http::problem;
use tonic::Code;

/// An answer that is a problem.
pub struct Problem(StatusCode, &'static str, String);

impl Problem {
    /// The request itself is at fault.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, "the request is not understood", detail.into())
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, "not found", detail.into())
    }
}

impl From<tonic::Status> for Problem {
    fn from(status: tonic::Status) -> Self {
        let (code, title) = match status.code() {
            Code::InvalidArgument | Code::OutOfRange => (StatusCode::BAD_REQUEST, "the request is refused"),
            Code::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => {
                (StatusCode::CONFLICT, "not possible as things are")
            }
            Code::PermissionDenied => (StatusCode::FORBIDDEN, "not allowed"),
            Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "not signed in"),
            Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Code::Unavailable | Code::DeadlineExceeded => {
                (StatusCode::SERVICE_UNAVAILABLE, "not available at the moment")
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side"),
        };
        if code.is_server_error() {
            tracing::error!(code = ?status.code(), message = status.message(), "a service failed");
        }
        Self(code, title, status.message().to_owned())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, title, detail) = self;
        problem(status, title, &detail)
    }
}

/// Microseconds since the epoch as RFC 3339 in UTC; nothing for 0.
pub fn time(micros: i64) -> Option<String> {
    if micros <= 0 {
        return None;
    }
    let seconds = micros.div_euclid(1_000_000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since the epoch. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let millis = micros.rem_euclid(1_000_000) / 1000;
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(time(0), None);
        assert_eq!(time(1_000).as_deref(), Some("1970-01-01T00:00:00.001Z"));
        assert_eq!(time(951_825_600_000_000).as_deref(), Some("2000-02-29T12:00:00.000Z"));
        assert_eq!(time(1_795_478_399_999_000).as_deref(), Some("2026-11-23T23:59:59.999Z"));
    }
}
