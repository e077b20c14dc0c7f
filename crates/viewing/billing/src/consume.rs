//! Hearing of accounts that were deleted.

use std::time::Duration;

use matinee_contracts::events::AccountChanged;
use matinee_contracts::events::account_changed::What;
use matinee_engines::events::{EventError, Events};
use matinee_model::ids::AccountId;
use prost::Message;
use tokio_util::sync::CancellationToken;

use crate::error::BillingError;
use crate::service::BillingService;

/// The topic.
pub const TOPIC: &str = "accounts";
/// Our name among its readers.
pub const GROUP: &str = "billing";

const AT_ONCE: usize = 1000;
/// The wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum ConsumeError {
    #[error(transparent)]
    Billing(#[from] BillingError),
    #[error(transparent)]
    Log(#[from] EventError),
}

impl BillingService {
    /// Takes events of accounts from `log` as they come, until `stop`. One process of an installation does so.
    pub async fn consume(&self, log: Events, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        loop {
            match stop.run_until_cancelled(self.round(&log)).await {
                None => return,
                Some(Ok(())) => wait = FIRST_WAIT,
                Some(Err(error)) => {
                    tracing::warn!(%error, "what was told of accounts waits, trying again");
                    if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                        return;
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    async fn round(&self, log: &Events) -> Result<(), ConsumeError> {
        let next = log.committed(TOPIC, GROUP).await?;
        log.wait(TOPIC, next).await?;
        for event in log.read(TOPIC, next, AT_ONCE).await? {
            let offset = event.offset;
            match AccountChanged::decode(event.payload) {
                Ok(AccountChanged { account, what: Some(What::Deleted(_)), .. }) => match AccountId::parse(&account) {
                    // Erasing twice changes nothing, so an event may come again.
                    Ok(account) => self.erase(&account).await?,
                    Err(error) => tracing::warn!(event = offset, %error, "an event names no account"),
                },
                Ok(_) => {}
                Err(error) => tracing::warn!(event = offset, %error, "this is no event of an account"),
            }
            log.commit(TOPIC, GROUP, offset + 1).await?;
        }
        Ok(())
    }
}
