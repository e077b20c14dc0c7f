//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::events::EventError;
use matinee_engines::objects::ObjectError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the lake is not what was written.
    #[error("object {object} of the lake is damaged: {reason}")]
    Damaged {
        /// Which.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// Rows can't be made Parquet.
    #[error("events of topic {topic} can't be written as Parquet: {reason}")]
    Encode {
        /// Of what.
        topic: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Events can't be read.
    #[error("events can't be read: {0}")]
    Log(#[from] EventError),
    /// Files can't be read or written.
    #[error("the lake's files can't be kept: {0}")]
    Objects(#[from] ObjectError),
    /// A local file can't be read or written.
    #[error("a file of the lake can't be made: {0}")]
    Io(#[from] std::io::Error),
    /// A thread died.
    #[error("a thread of the lake stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl From<LakeError> for Status {
    fn from(error: LakeError) -> Self {
        let code = match &error {
            LakeError::Field { .. } => Code::InvalidArgument,
            LakeError::Damaged { .. } => Code::DataLoss,
            LakeError::Objects(ObjectError::NoSpace { .. }) => Code::ResourceExhausted,
            LakeError::Encode { .. }
            | LakeError::Log(_)
            | LakeError::Objects(_)
            | LakeError::Io(_)
            | LakeError::Stopped(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
