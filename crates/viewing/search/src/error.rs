//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use std::path::{Path, PathBuf};

use matinee_engines::events::EventError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no index yet.
    #[error("the index is being built")]
    NotReady,
    /// As many searches as may wait do so.
    #[error("{0} searches wait already")]
    Busy(usize),
    /// Somebody else rebuilds.
    #[error("the index is being rebuilt already")]
    Rebuilding,
    /// What is stored is not what was written.
    #[error("index {index} is damaged: {reason}")]
    Damaged {
        /// Which.
        index: String,
        /// What is wrong.
        reason: String,
    },
    /// The index's engine failed.
    #[error("the index failed: {0}")]
    Engine(#[from] tantivy::TantivyError),
    /// A file or a folder could not be used.
    #[error("{path} can't be used: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A thread of the index's died.
    #[error("a search stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// Changes can't be read.
    #[error("changes of the catalogue can't be read: {0}")]
    Log(#[from] EventError),
    /// The catalogue does not answer.
    #[error("the catalogue can't be listed: {0}")]
    Catalog(Box<Status>),
}

impl SearchError {
    /// Of a file that could not be used.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    /// Of a field.
    pub(crate) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field { field, reason: reason.into() }
    }
}

impl From<SearchError> for Status {
    fn from(error: SearchError) -> Self {
        let code = match &error {
            SearchError::Field { .. } => Code::InvalidArgument,
            SearchError::Busy(_) => Code::ResourceExhausted,
            SearchError::Rebuilding => Code::Aborted,
            SearchError::Damaged { .. } => Code::DataLoss,
            SearchError::NotReady
            | SearchError::Engine(_)
            | SearchError::Io { .. }
            | SearchError::Stopped(_)
            | SearchError::Log(_)
            | SearchError::Catalog(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
