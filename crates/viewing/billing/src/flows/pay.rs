//! Pursuing a payment: its provider is asked, and what it says is taken in. May be begun again at any time, by anyone.

use matinee_model::ids::AccountId;

use crate::error::BillingError;
use crate::intent::{Intent, IntentState, Purpose};
use crate::payment::{Charge, Outcome, PaymentProvider, Refund};
use crate::service::BillingService;
use crate::settle::{Settlement, settle};

/// Providers know a key for a day at least; past this age a payment is looked for, and not asked for again.
const ASKED_FOR_US: i64 = 20 * 3_600_000_000;
/// What stands in a bank's statement beside the amount.
const DESCRIPTION: &str = "Subscription";

impl BillingService {
    /// Finds out how a payment ends. Fails with [`BillingError::UnderWay`] where the provider does not know yet, or
    /// does not answer.
    pub(crate) async fn pursue(&self, account: &AccountId, id: &str, now_us: i64) -> Result<(), BillingError> {
        let intent = self.store.intent(account, id).await?;
        let intent = intent.ok_or_else(|| BillingError::Damaged(format!("payment {id} is not there")))?;
        let settlement = match intent.state {
            IntentState::Succeeded | IntentState::Failed { .. } => return Ok(()),
            IntentState::Pending => match self.ask(&intent, now_us).await? {
                Outcome::Processing => return Err(BillingError::UnderWay),
                Outcome::Succeeded { reference } => Settlement::Succeeded(reference),
                Outcome::Declined { reason } => Settlement::Declined(reason),
            },
        };
        self.settle(account, id, &settlement, None, now_us).await
    }

    async fn ask(&self, intent: &Intent, now_us: i64) -> Result<Outcome, BillingError> {
        let old = now_us.saturating_sub(intent.made_us) > ASKED_FOR_US;
        let declined = |reason: &str| Ok(Outcome::Declined { reason: reason.to_owned() });
        let asked = match &intent.purpose {
            Purpose::Refund { payment, .. } | Purpose::Return { payment } => {
                let Some(provider) = self.provider(&payment.provider) else {
                    return declined("its payment provider is not in use any more");
                };
                let (key, account) = (intent.id.as_str(), &intent.account);
                let refund = Refund { key, account, payment: &payment.reference, amount: intent.amount };
                if old { provider.find_refund(refund).await } else { provider.refund(refund).await.map(Some) }
            }
            _ => {
                let Some(method) = &intent.method else { return declined("no payment method is kept") };
                let Some(provider) = self.provider(&method.provider) else {
                    return declined("its payment provider is not in use any more");
                };
                let charge = Charge {
                    key: &intent.id,
                    account: &intent.account,
                    amount: intent.amount,
                    method,
                    description: DESCRIPTION,
                    presence: intent.presence(),
                };
                if old { provider.find(charge).await } else { provider.charge(charge).await.map(Some) }
            }
        };
        match asked {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => declined("it never reached the payment provider"),
            Err(error) => {
                tracing::warn!(intent = intent.id, account = %intent.account, %error, "a payment's outcome is not known");
                Err(BillingError::UnderWay)
            }
        }
    }

    /// Takes in how a payment ended, with the provider's `event` that says so.
    pub(crate) async fn settle(
        &self,
        account: &AccountId,
        id: &str,
        settlement: &Settlement,
        event: Option<(String, String)>,
        now_us: i64,
    ) -> Result<(), BillingError> {
        let event = &event;
        self.in_turn(account, || async move {
            // The account first: whatever else is read may only be newer, and then the step is refused.
            let customer = self.store.customer(account).await?;
            let intent = self.store.intent(account, id).await?;
            let (Some(customer), Some(intent)) = (customer, intent) else {
                return Err(BillingError::Damaged(format!("payment {id} is not there")));
            };
            let invoice = match &intent.purpose {
                Purpose::Collect { invoice, .. } | Purpose::Refund { invoice, .. } => {
                    self.store.invoice(invoice).await?
                }
                _ => None,
            };
            match settle(customer, intent, settlement, invoice, &self.config, now_us)? {
                Some(mut step) => {
                    step.event.clone_from(event);
                    self.take(&step).await
                }
                None => match event {
                    Some((provider, id)) if !self.store.note_event(provider, id, now_us).await? => {
                        Err(BillingError::Repeated)
                    }
                    _ => Ok(()),
                },
            }
        })
        .await
    }

    pub(crate) fn provider(&self, name: &str) -> Option<&dyn PaymentProvider> {
        self.providers.iter().find(|provider| provider.name() == name).map(AsRef::as_ref)
    }
}
