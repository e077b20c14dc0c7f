//! Webhooks: a payment provider says how a payment ended.
//!
//! An event is noted in the transaction of what it changes, so it is taken in once. Events may come late, twice, in any
//! order, and before the answer to our own call: what counts is where the payment is.

use std::collections::HashMap;

use crate::error::BillingError;
use crate::message;
use crate::payment::Outcome;
use crate::service::BillingService;
use crate::settle::Settlement;

const LONGEST_BODY: usize = 1 << 20;
const LONGEST_EVENT: usize = 255;

impl BillingService {
    /// Takes a webhook in; whether its event was taken in before.
    pub(crate) async fn hear(
        &self,
        provider: &str,
        body: &[u8],
        headers: HashMap<String, String>,
    ) -> Result<bool, BillingError> {
        let told = self
            .provider(provider)
            .ok_or_else(|| BillingError::UnknownProvider(provider.chars().take(40).collect()))?;
        if body.len() > LONGEST_BODY {
            return Err(BillingError::field("body", format!("at most {LONGEST_BODY} bytes are taken")));
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let now_us = self.clock.now_us();
        let notice = told.notice(body, &headers, now_us)?;
        let (provider, event) = (told.name(), message::text("body", &notice.event, LONGEST_EVENT)?);
        if self.store.knows_event(provider, event).await? {
            return Ok(true);
        }
        let news = notice.news.and_then(|news| {
            let settlement = match news.outcome {
                Outcome::Processing => return None,
                Outcome::Succeeded { reference } => Settlement::Succeeded(reference),
                Outcome::Declined { reason } => Settlement::Declined(reason),
            };
            Some((message::account_id(&news.account).ok()?, news.intent, settlement))
        });
        let Some((account, intent, settlement)) = news else {
            return Ok(!self.store.note_event(provider, event, now_us).await?);
        };
        if self.store.intent(&account, &intent).await?.is_none() {
            tracing::warn!(provider, event, %account, intent, "a webhook tells of a payment that is not ours");
            return Ok(!self.store.note_event(provider, event, now_us).await?);
        }
        let noted = Some((provider.to_owned(), event.to_owned()));
        match self.settle(&account, &intent, &settlement, noted, now_us).await {
            Ok(()) => Ok(false),
            Err(BillingError::Repeated) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
