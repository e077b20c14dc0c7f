//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::sql::SqlError;
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_service::access::AccessError;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::mail::MailError;

/// After how many seconds a caller may try again, in the metadata of a status with [`Code::ResourceExhausted`].
pub const RETRY_AFTER: &str = "retry-after";

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// There is none of that id.
    #[error("account {0} does not exist")]
    UnknownAccount(AccountId),
    /// The account has none of that id.
    #[error("profile {0} does not exist")]
    UnknownProfile(ProfileId),
    /// The account has none of that id.
    #[error("device {0} is not signed in")]
    UnknownDevice(DeviceId),
    /// Nobody waits for it, or not any more.
    #[error("the code is not known or has expired; ask the device for a new one")]
    UnknownCode,
    /// The operator configured none of that name.
    #[error("provider {0:?} is not known here")]
    UnknownProvider(String),
    /// A link out of a mail that was used, replaced or never sent.
    #[error("the link is not valid any more; ask for a new one")]
    UnknownLink,
    /// The address has an account.
    #[error("the e-mail address has an account already; sign in, or ask for a new password")]
    AddressTaken,
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it, and what would be taken.
        reason: String,
    },
    /// The address or the password; which of them is not told.
    #[error("the e-mail address or the password is wrong")]
    SignInRefused,
    /// It is none of ours, or its device was signed out.
    #[error("the refresh token is not known; sign in again")]
    RefreshUnknown,
    /// Its time is over.
    #[error("the refresh token has expired; sign in again")]
    RefreshExpired,
    /// It came a second time: somebody else may hold it.
    #[error("the refresh token was used before, so its device was signed out; sign in again")]
    RefreshReused,
    /// The device got another one a moment ago.
    #[error("the device was given a newer refresh token a moment ago; use that one")]
    RefreshReplaced,
    /// Too many wrong ones.
    #[error("too many attempts; try again in {0} s")]
    TooManyAttempts(u32),
    /// More is asked than this process takes at once.
    #[error("too many {0} at once; try again in a moment")]
    Busy(&'static str),
    /// Five are there.
    #[error("an account has at most {0} profiles")]
    TooManyProfiles(usize),
    /// The only one.
    #[error("the last profile of an account can't be deleted")]
    LastProfile,
    /// An account that signs in elsewhere.
    #[error("the account has no password; set one by \"forgot password\"")]
    NoPassword,
    /// The provider, or the browser that comes from it, said something that can't be true.
    #[error("the sign-in is refused: {0}")]
    OpenIdRefused(String),
    /// The provider does not answer as one.
    #[error("provider {provider} can't be used at the moment: {reason}")]
    ProviderFailed {
        /// Its name in the configuration.
        provider: String,
        /// What it did.
        reason: String,
    },
    /// A token could not be made.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Hashing(String),
    /// The system gave no randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(String),
    /// A mail could not be written or carried.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// What is configured can't be used.
    #[error("accounts.{key} is refused: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("the accounts' store holds a damaged row of {row}: {reason}")]
    Damaged {
        /// Whose.
        row: String,
        /// What is wrong.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left for accounts; it goes on when there is room")]
    NoSpace,
    /// The store's engine failed.
    #[error("the accounts' store failed: {0}")]
    Store(#[source] sqlx::Error),
    /// The store could not be opened.
    #[error("the accounts' store can't be opened: {0}")]
    Open(#[from] SqlError),
}

impl AccountsError {
    /// The field `field` holds what can't be taken.
    pub(crate) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field { field, reason: reason.into() }
    }

    /// A stored row is not what was written.
    pub(crate) fn damaged(row: &str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { row: row.to_owned(), reason: reason.to_string() }
    }
}

impl From<sqlx::Error> for AccountsError {
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

impl From<AccountsError> for Status {
    fn from(error: AccountsError) -> Self {
        use AccountsError as E;
        let code = match &error {
            E::UnknownAccount(_)
            | E::UnknownProfile(_)
            | E::UnknownDevice(_)
            | E::UnknownCode
            | E::UnknownProvider(_)
            | E::UnknownLink => Code::NotFound,
            E::AddressTaken => Code::AlreadyExists,
            E::Field { .. } => Code::InvalidArgument,
            E::SignInRefused | E::RefreshUnknown | E::RefreshExpired | E::RefreshReused | E::OpenIdRefused(_) => {
                Code::Unauthenticated
            }
            E::RefreshReplaced => Code::Aborted,
            E::TooManyAttempts(_) | E::Busy(_) | E::NoSpace => Code::ResourceExhausted,
            E::TooManyProfiles(_) | E::LastProfile | E::NoPassword => Code::FailedPrecondition,
            E::ProviderFailed { .. } | E::Store(_) | E::Open(_) => Code::Unavailable,
            E::Access(_) | E::Hashing(_) | E::Randomness(_) | E::Mail(_) | E::Config { .. } => Code::Internal,
            E::Damaged { .. } => Code::DataLoss,
        };
        let mut status = Self::new(code, error.to_string());
        let seconds = match &error {
            E::TooManyAttempts(seconds) => *seconds,
            E::Busy(_) => 1,
            _ => return status,
        };
        status.metadata_mut().insert(RETRY_AFTER, MetadataValue::from(seconds));
        status
    }
}
