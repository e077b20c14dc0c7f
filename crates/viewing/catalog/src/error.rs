//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::objects::ObjectError;
use matinee_engines::sql::SqlError;
use matinee_model::ids::{PersonId, TitleId};
use matinee_service::process::ProcessError;
use tonic::{Code, Status};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is none of that id.
    #[error("title {0} does not exist")]
    UnknownTitle(TitleId),
    /// There is none of that id.
    #[error("person {0} does not exist")]
    UnknownPerson(PersonId),
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract: `name`, `people[3].person`.
        field: String,
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
    /// Somebody else changed the person in between.
    #[error("person {person} is at revision {current}, not at {expected}: read it again and repeat the change")]
    PersonChanged {
        /// The person.
        person: PersonId,
        /// Where it is.
        current: u64,
        /// Where the caller saw it.
        expected: u64,
    },
    /// A series with episodes stays.
    #[error("series {series} has {episodes} episodes: delete them first")]
    HasEpisodes {
        /// The series.
        series: TitleId,
        /// How many.
        episodes: u64,
    },
    /// This process has no tool that makes pictures.
    #[error("pictures can't be made here: no ffmpeg is configured for the catalogue")]
    NoPictures,
    /// The tool that makes pictures failed.
    #[error("the picture can't be made: {0}")]
    Tool(#[from] ProcessError),
    /// The tool took too long.
    #[error("the picture can't be made: it took more than {0} s")]
    Slow(u64),
    /// Too many pictures at once.
    #[error("too many pictures are being made: send it again in a minute")]
    Busy,
    /// A file of a picture that is being made can't be read or written.
    #[error("the picture can't be made: {0}")]
    Scratch(String),
    /// A catalogue that is too large to be exported in one piece.
    #[error("the catalogue has more than {0} bytes: list it page by page")]
    TooLarge(usize),
    /// The object store failed.
    #[error("the picture can't be kept: {0}")]
    Objects(#[from] ObjectError),
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
            CatalogError::UnknownTitle(_) | CatalogError::UnknownPerson(_) => Code::NotFound,
            CatalogError::Field { .. } => Code::InvalidArgument,
            CatalogError::Changed { .. } | CatalogError::PersonChanged { .. } => Code::Aborted,
            CatalogError::HasEpisodes { .. } | CatalogError::NoPictures => Code::FailedPrecondition,
            CatalogError::Damaged { .. } => Code::DataLoss,
            CatalogError::NoSpace
            | CatalogError::Busy
            | CatalogError::TooLarge(_)
            | CatalogError::Objects(ObjectError::NoSpace { .. }) => Code::ResourceExhausted,
            CatalogError::Store(_)
            | CatalogError::Open(_)
            | CatalogError::Tool(_)
            | CatalogError::Slow(_)
            | CatalogError::Scratch(_)
            | CatalogError::Objects(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}

/// A refusal of a field.
pub(crate) fn refused(field: impl Into<String>, reason: impl Into<String>) -> CatalogError {
    CatalogError::Field { field: field.into(), reason: reason.into() }
}
