//! Why something is not served, and what it is answered with.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use matinee_media::offer::OfferError;
use matinee_media::reprotect::ReprotectError;
use matinee_media::ts::TsError;
use matinee_service::http::problem;

use crate::verified::PieceError;

/// Seconds after which what is being rebuilt may be asked for again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Why something is not served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OriginError {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Stored bytes are damaged or can't be read.
    #[error(transparent)]
    Piece(#[from] PieceError),
    /// A service or the store does not answer as it should.
    #[error("{0}")]
    Unavailable(String),
}

impl From<OfferError> for OriginError {
    fn from(error: OfferError) -> Self {
        Self::NotFound(error.to_string())
    }
}

impl From<ReprotectError> for OriginError {
    fn from(error: ReprotectError) -> Self {
        match error {
            ReprotectError::NoKey(_) => Self::NotFound(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<TsError> for OriginError {
    fn from(error: TsError) -> Self {
        Self::NotFound(error.to_string())
    }
}

impl IntoResponse for OriginError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        if matches!(self, Self::NotFound(_)) {
            return problem(StatusCode::NOT_FOUND, "not found", &detail);
        }
        tracing::warn!(error = detail, "a request can't be served");
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "not available now", &detail);
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_SECONDS);
        response
    }
}
