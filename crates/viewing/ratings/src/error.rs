//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::events::EventError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RatingsError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Its account or itself was deleted.
    #[error("profile {0} was deleted")]
    Gone(String),
    /// Nothing more is taken of this profile.
    #[error("profile {profile} has {most} titles {place}, which is the most")]
    Full {
        /// Whose.
        profile: String,
        /// What is full: "on its list".
        place: &'static str,
        /// The bound.
        most: u32,
    },
    /// What is stored is not what was written.
    #[error("what is kept of {of} is damaged: {reason}")]
    Damaged {
        /// A profile or a title.
        of: String,
        /// What is wrong.
        reason: String,
    },
    /// The store's engine failed.
    #[error("the ratings' store failed: {0}")]
    Store(#[from] fjall::Error),
    /// A thread of the store's died.
    #[error("the ratings' store stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// The event log failed.
    #[error("the event log can't be used: {0}")]
    Log(#[from] EventError),
}

impl From<RatingsError> for Status {
    fn from(error: RatingsError) -> Self {
        let code = match &error {
            RatingsError::Field { .. } => Code::InvalidArgument,
            RatingsError::Gone(_) => Code::NotFound,
            RatingsError::Full { .. } => Code::ResourceExhausted,
            RatingsError::Damaged { .. } => Code::DataLoss,
            RatingsError::Store(_) | RatingsError::Stopped(_) | RatingsError::Log(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
