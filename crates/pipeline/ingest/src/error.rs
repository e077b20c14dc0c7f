//! Why an upload is not taken, and what that is to a caller.

use matinee_engines::objects::ObjectError;
use matinee_engines::sql::SqlError;
use tonic::Status;

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is no such upload.
    #[error("there is no upload {0}")]
    Unknown(String),
    /// What is asked for can't be right.
    #[error("{0}")]
    Refused(String),
    /// It is larger than this installation takes.
    #[error("{size} bytes are more than the {most} that are taken here")]
    TooLarge {
        /// Bytes.
        size: u64,
        /// Bytes.
        most: u64,
    },
    /// The client is somewhere else in the file.
    #[error("the upload is at byte {is}, not at {asked}")]
    Offset {
        /// Bytes.
        is: u64,
        /// Bytes.
        asked: u64,
    },
    /// Another request is writing to it.
    #[error("upload {0} is being written to by another request")]
    Busy(String),
    /// The bytes are not those that were sent.
    #[error("the checksum of the bytes from {offset} on does not match; they are not kept")]
    Checksum {
        /// Of their first one.
        offset: u64,
    },
    /// The object store failed.
    #[error("the object store: {0}")]
    Objects(#[from] ObjectError),
    /// The database failed.
    #[error("the uploads' database: {0}")]
    Store(#[from] SqlError),
    /// The database refused a statement.
    #[error("the uploads' database: {0}")]
    Statement(#[from] sqlx::Error),
    /// The sender broke off.
    #[error("the sender broke off at byte {offset}: {reason}")]
    Broken {
        /// Bytes that are kept.
        offset: u64,
        /// Why.
        reason: String,
    },
    /// A file of this machine can't be read.
    #[error("{path} can't be read: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Another service failed; it is tried again.
    #[error("{called}: {reason}")]
    Call {
        /// What was asked.
        called: &'static str,
        /// What it said.
        reason: String,
    },
}

impl From<IngestError> for Status {
    fn from(error: IngestError) -> Self {
        let text = error.to_string();
        match error {
            IngestError::Unknown(_) => Self::not_found(text),
            IngestError::Refused(_) | IngestError::TooLarge { .. } | IngestError::File { .. } => {
                Self::invalid_argument(text)
            }
            IngestError::Objects(ObjectError::NoSpace { .. }) => Self::resource_exhausted(text),
            IngestError::Offset { .. } | IngestError::Busy(_) | IngestError::Checksum { .. } => Self::aborted(text),
            _ => Self::unavailable(text),
        }
    }
}
