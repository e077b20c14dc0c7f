//! Why playback does not start, and the one place where that becomes a gRPC status.

use matinee_model::ids::TitleId;
use matinee_service::tokens::TokenError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaybackError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it, and what would be taken.
        reason: String,
    },
    /// There is none of that id.
    #[error("title {0} does not exist")]
    UnknownTitle(TitleId),
    /// It is there, but not for viewers.
    #[error("title {0} is not published yet")]
    NotPublished(TitleId),
    /// Another service could not be asked.
    #[error("{service} can't be asked about title {title}: {reason}")]
    Unavailable {
        /// "the catalogue" or "the licence service".
        service: &'static str,
        /// About which title.
        title: TitleId,
        /// What it said.
        reason: String,
    },
    /// Another service's answer makes no sense.
    #[error("{service} answers what can't be about title {title}: {reason}")]
    Answer {
        /// "the catalogue" or "the licence service".
        service: &'static str,
        /// About which title.
        title: TitleId,
        /// What is wrong.
        reason: String,
    },
    /// The token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No session can be made with this configuration.
    #[error("the playback configuration is refused: {key}: {reason}")]
    Config {
        /// Which field.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl PlaybackError {
    pub(crate) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field { field, reason: reason.into() }
    }
}

impl From<PlaybackError> for Status {
    fn from(error: PlaybackError) -> Self {
        let code = match &error {
            PlaybackError::Field { .. } => Code::InvalidArgument,
            PlaybackError::UnknownTitle(_) => Code::NotFound,
            PlaybackError::NotPublished(_) => Code::FailedPrecondition,
            PlaybackError::Unavailable { .. } => Code::Unavailable,
            PlaybackError::Answer { .. } | PlaybackError::Token(_) | PlaybackError::Config { .. } => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}
