//! Why playback does not start, and the one place where that becomes a gRPC status.

use matinee_model::ids::TitleId;
use matinee_model::territory::Territory;
use matinee_service::tokens::TokenError;
use tonic::{Code, Status};

/// Why a viewer may not watch a title. Each begins with the code by which programs tell them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is signed in.
    SignIn,
    /// The account never had a subscription.
    NoSubscription,
    /// It had one.
    Lapsed,
    /// Its payment failed, and the days of grace are over.
    PastDue,
    /// As many devices play as the plan gives.
    TooManyStreams {
        /// The plan's.
        most: u32,
    },
    /// There is no licence for the territory.
    NotLicensedHere(Territory),
    /// There is one, for another time: from then on, where one is to come (microseconds since 1970).
    NotLicensedNow(Territory, Option<i64>),
    /// The title is for older viewers.
    Maturity {
        /// From this age on.
        age: u32,
        /// The profile's limit.
        limit: u32,
    },
}

impl Refusal {
    fn told(&self, title: &TitleId) -> String {
        match self {
            Self::SignIn => "sign_in: titles are watched by those who signed in".to_owned(),
            Self::NoSubscription => "no_subscription: the account has no subscription".to_owned(),
            Self::Lapsed => "lapsed: the account's subscription has ended".to_owned(),
            Self::PastDue => "past_due: the account's last payment failed".to_owned(),
            Self::TooManyStreams { most } => {
                format!("too_many_streams: the plan gives {most} at once, and so many devices are playing")
            }
            Self::NotLicensedHere(territory) => {
                format!("not_licensed_here: title {title} is not licensed in {territory}")
            }
            Self::NotLicensedNow(territory, from_us) => {
                match from_us.and_then(|from| jiff::Timestamp::from_microsecond(from).ok()) {
                    Some(from) => format!("not_licensed_now: title {title} is licensed in {territory} from {from} on"),
                    None => format!("not_licensed_now: the licence of title {title} in {territory} is over"),
                }
            }
            Self::Maturity { age, limit } => {
                format!("maturity: title {title} is for viewers from {age} on, the profile's limit is {limit}")
            }
        }
    }
}

/// What went wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaybackError {
    /// The viewer may not watch it.
    #[error("{}", why.told(title))]
    Refused {
        /// What.
        title: TitleId,
        /// Why not.
        why: Refusal,
    },
    /// Its episodes are watched.
    #[error("title {0} is a series; its episodes are played")]
    Series(TitleId),
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
            PlaybackError::NotPublished(_) | PlaybackError::Series(_) => Code::FailedPrecondition,
            PlaybackError::Refused { .. } => Code::PermissionDenied,
            PlaybackError::Unavailable { .. } => Code::Unavailable,
            PlaybackError::Answer { .. } | PlaybackError::Token(_) | PlaybackError::Config { .. } => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}
