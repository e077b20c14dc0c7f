//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::sql::SqlError;
use matinee_model::ids::TitleId;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is none of that id.
    #[error("title {0} does not exist")]
    UnknownTitle(TitleId),
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it, and what would be taken.
        reason: String,
    },
    /// Somebody else changed the title in between.
    #[error("title {title} is at revision {current}, not at {expected}: read it again and repeat the change")]
    Changed {
        /// The title.
        title: TitleId,
        /// Where it is.
        current: u64,
        /// Where the caller saw it.
        expected: u64,
    },
    /// What is stored is not what was written.
    #[error("the catalogue holds a damaged row of title {title}: {reason}")]
    Damaged {
        /// The title.
        title: String,
        /// What is wrong.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left for the catalogue; it goes on when there is room")]
    NoSpace,
    /// The store's engine failed.
    #[error("the catalogue's store failed: {0}")]
    Store(#[source] sqlx::Error),
    /// The store could not be opened.
    #[error("the catalogue's store can't be opened: {0}")]
    Open(#[from] SqlError),
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL, or the operating system's ENOSPC below it.
        let full = match &error {
            sqlx::Error::Database(inner) => inner.code().as_deref() == Some("13"),
            sqlx::Error::Io(inner) => inner.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        };
        if full { Self::NoSpace } else { Self::Store(error) }
    }
}

impl From<CatalogError> for Status {
    fn from(error: CatalogError) -> Self {
        let code = match &error {
            CatalogError::UnknownTitle(_) => Code::NotFound,
            CatalogError::Field { .. } => Code::InvalidArgument,
            CatalogError::Changed { .. } => Code::Aborted,
            CatalogError::Damaged { .. } => Code::DataLoss,
            CatalogError::NoSpace => Code::ResourceExhausted,
            CatalogError::Store(_) | CatalogError::Open(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
