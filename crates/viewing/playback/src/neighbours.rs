//! What playback asks of other services, for how long, and what stands in where they don't answer.

use std::time::Duration;

use matinee_contracts::billing::EntitlementRequest;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::GetTitleRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::ResumeRequest;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_model::ids::{AccountId, ProfileId, TitleId};
use matinee_service::channel::Channel;
use matinee_service::context::Context;
use tonic::{Code, Response, Status};

use crate::entitlement::{Playable, Terms};
use crate::error::PlaybackError;
use crate::keys::KeyIds;
use crate::remembered::{Keeping, Remembered};

/// How long a service may take without which nothing plays.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take where an earlier answer can stand in.
pub const SHORT_PATIENCE: Duration = Duration::from_millis(300);
/// How long history may take; without it a film begins at its beginning.
const HISTORY_PATIENCE: Duration = Duration::from_millis(150);
/// A title that was withdrawn plays on for so long at the most.
const TITLES: Keeping = Keeping { most: 50_000, fresh: Duration::from_secs(2), stale: Duration::from_secs(3600) };
/// A subscription that ended plays on for so long at the most; one that began is asked about each time.
const ACCOUNTS: Keeping =
    Keeping { most: 200_000, fresh: Duration::from_secs(5), stale: Duration::from_secs(24 * 3600) };

/// The clients of the services that playback asks.
#[derive(Debug, Clone)]
pub struct Neighbours {
    /// Which version is published.
    pub catalog: CatalogClient<Channel>,
    /// Which keys a title has.
    pub license: LicenseClient<Channel>,
    /// What an account may watch with.
    pub billing: BillingClient<Channel>,
    /// Where a profile stopped.
    pub history: HistoryClient<Channel>,
}

/// Asks, and remembers.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    neighbours: Neighbours,
    titles: Remembered<TitleId, Playable>,
    accounts: Remembered<AccountId, Terms>,
    pub(crate) keys: KeyIds,
}

impl Asking {
    pub(crate) fn new(neighbours: Neighbours) -> Self {
        let keys = KeyIds::new(neighbours.license.clone());
        Self { neighbours, titles: Remembered::new(TITLES), accounts: Remembered::new(ACCOUNTS), keys }
    }

    /// The version of `title` that plays.
    pub(crate) async fn playable(&self, title: &TitleId) -> Result<Playable, PlaybackError> {
        let ask = async {
            let mut catalog = self.neighbours.catalog.clone();
            let request = GetTitleRequest { id: title.as_str().to_owned() };
            match in_time(self.titles.patience(title), catalog.get_title(request)).await {
                Ok(found) => Playable::of(title.clone(), found),
                Err(status) if status.code() == Code::NotFound => Err(PlaybackError::UnknownTitle(title.clone())),
                Err(status) => Err(unavailable("the catalogue", title, &status)),
            }
        };
        self.titles.get(title, ask).await
    }

    /// What `account` may watch `title` with. Where billing neither answers nor ever did, the account is given the
    /// benefit of the doubt: a viewer who paid must not be kept from watching.
    pub(crate) async fn terms(&self, account: &AccountId, title: &TitleId) -> Result<Terms, PlaybackError> {
        let ask = async {
            let mut billing = self.neighbours.billing.clone();
            let request = EntitlementRequest { account: account.as_str().to_owned() };
            match in_time(self.accounts.patience(account), billing.entitlement(request)).await {
                Ok(says) => Terms::of(title, &says),
                Err(status) => Err(unavailable("billing", title, &status)),
            }
        };
        match self.accounts.get(account, ask).await {
            Err(error @ PlaybackError::Unavailable { .. }) => {
                tracing::warn!(%account, %error, "the account plays in doubt");
                Ok(Terms::IN_DOUBT)
            }
            answer => answer,
        }
    }

    /// Where `profile` stopped in `title`, in microseconds; 0 where that is not known soon.
    pub(crate) async fn resume_us(&self, profile: &ProfileId, title: &TitleId) -> u64 {
        let mut history = self.neighbours.history.clone();
        let request = ResumeRequest { profile: profile.as_str().to_owned(), title: title.as_str().to_owned() };
        match in_time(HISTORY_PATIENCE, history.resume(request)).await {
            Ok(watched) => watched.resume_us,
            Err(status) => {
                tracing::warn!(%profile, %title, reason = status.message(), "a film begins at its beginning");
                0
            }
        }
    }
}

/// `service` did not answer what was asked of it for `title`.
pub(crate) fn unavailable(service: &'static str, title: &TitleId, status: &Status) -> PlaybackError {
    PlaybackError::Unavailable { service, title: title.clone(), reason: status.message().to_owned() }
}

/// What `answer` says, or that it took too long.
pub(crate) async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    let late = || Err(Status::deadline_exceeded(format!("no answer after {patience:?}")));
    Context::in_time(patience, answer).await.unwrap_or_else(late).map(Response::into_inner)
}
