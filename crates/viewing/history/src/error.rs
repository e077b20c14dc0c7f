//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::events::EventError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("the history of profile {profile} holds a damaged record: {reason}")]
    Damaged {
        /// Whose.
        profile: String,
        /// What is wrong.
        reason: String,
    },
    /// The store's engine failed.
    #[error("the history's store failed: {0}")]
    Store(#[from] fjall::Error),
    /// A thread of the store's died.
    #[error("the history's store stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// Heartbeats can't be read.
    #[error("heartbeats can't be read: {0}")]
    Log(#[from] EventError),
}

impl From<HistoryError> for Status {
    fn from(error: HistoryError) -> Self {
        let code = match &error {
            HistoryError::Field { .. } => Code::InvalidArgument,
            HistoryError::Damaged { .. } => Code::DataLoss,
            HistoryError::Store(_) | HistoryError::Stopped(_) | HistoryError::Log(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
