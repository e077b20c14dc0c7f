//! Why a call was refused or failed, and the one place where that becomes a gRPC status. No error holds a key.

use matinee_engines::sql::SqlError;
use matinee_model::ids::TitleId;
use matinee_service::secrets::KeyNumber;
use matinee_service::tokens::TokenError;
use tonic::{Code, Status};

use crate::keys::{KeyId, Label};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum LicenseError {
    /// There is no key of that id.
    #[error("key {0} does not exist")]
    UnknownKey(KeyId),
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it, and what would be taken.
        reason: String,
    },
    /// The licence request is none.
    #[error("the licence request is not understood: {0}")]
    Request(String),
    /// The token does not let its bearer in.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token opens other keys.
    #[error("the playback token does not cover key {0}")]
    NotCovered(KeyId),
    /// The master key is not the one under which keys rest.
    #[error(
        "master key {0} is not the one under which the stored content keys were sealed: put the right one back into \
         the secrets folder (master.key), or no stored film can be opened"
    )]
    WrongMaster(KeyNumber),
    /// A master key that is needed is not in the ring.
    #[error(
        "content keys are sealed under master key {0}, which is not in the secrets folder (master.key): put its line \
         back, after the current one"
    )]
    MissingMaster(KeyNumber),
    /// A sealed key was changed where it rests.
    #[error("the sealed key {id} of title {title} ({label}) is damaged: it was changed where it is stored")]
    Damaged {
        /// Its id.
        id: KeyId,
        /// Whose.
        title: TitleId,
        /// Of which tracks.
        label: String,
    },
    /// What is stored is not what was written.
    #[error("the licence store holds a damaged row: {0}")]
    Row(String),
    /// A key could not be made or sealed.
    #[error("a key for title {title} ({}) can't be made: {reason}", label.as_str())]
    Making {
        /// Whose.
        title: TitleId,
        /// Of which tracks.
        label: Label,
        /// The system's reason.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left for the licence store; it goes on when there is room")]
    NoSpace,
    /// The store's engine failed.
    #[error("the licence store failed: {0}")]
    Store(#[source] sqlx::Error),
    /// The store could not be opened.
    #[error("the licence store can't be opened: {0}")]
    Open(#[from] SqlError),
}

impl LicenseError {
    pub(crate) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field { field, reason: reason.into() }
    }
}

impl From<sqlx::Error> for LicenseError {
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

impl From<LicenseError> for Status {
    fn from(error: LicenseError) -> Self {
        let code = match &error {
            LicenseError::UnknownKey(_) => Code::NotFound,
            LicenseError::Field { .. } | LicenseError::Request(_) => Code::InvalidArgument,
            LicenseError::Token(TokenError::Signing(_)) | LicenseError::Making { .. } => Code::Internal,
            LicenseError::Token(_) => Code::Unauthenticated,
            LicenseError::NotCovered(_) => Code::PermissionDenied,
            LicenseError::WrongMaster(_) | LicenseError::MissingMaster(_) => Code::FailedPrecondition,
            LicenseError::Damaged { .. } | LicenseError::Row(_) => Code::DataLoss,
            LicenseError::NoSpace => Code::ResourceExhausted,
            LicenseError::Store(_) | LicenseError::Open(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
