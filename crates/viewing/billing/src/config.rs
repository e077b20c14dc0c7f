//! What an operator decides about billing.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::BillingError;

/// When failed payments are tried again, who sells, and through whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BillingConfig {
    /// Days after a payment's first failure at which it is tried again. After the last the subscription ends.
    pub retry_days: Vec<u32>,
    /// Days after a payment's first failure in which plays go on.
    pub grace_days: u32,
    /// Seconds for which an entitlement is answered from memory. A change in this process is seen at once.
    pub entitlement_seconds: u64,
    /// Accounts whose entitlement is kept in memory.
    pub entitlement_accounts: u64,
    /// Where the plans of a new installation stand (TOML, as the built-in ones); none: the built-in ones.
    pub plans: Option<PathBuf>,
    /// Stands on invoices.
    pub seller: Seller,
    /// Takes payments through Stripe; none: through the built-in provider, which moves no money.
    pub stripe: Option<StripeConfig>,
}

impl Default for BillingConfig {
    fn default() -> Self {
        Self {
            retry_days: vec![1, 3, 5, 7],
            grace_days: 3,
            entitlement_seconds: 10,
            entitlement_accounts: 100_000,
            plans: None,
            seller: Seller::default(),
            stripe: None,
        }
    }
}

/// Attempts at most, and the day of the last: every dunning is over before the next period begins.
const MOST_RETRIES: usize = 10;
const LAST_RETRY_DAY: u32 = 27;

impl BillingConfig {
    /// Holds it against its bounds.
    pub fn checked(self) -> Result<Self, BillingError> {
        let days = &self.retry_days;
        let rising = days.windows(2).all(|pair| pair[0] < pair[1]);
        let within = days.first().is_none_or(|day| *day >= 1) && days.last().is_none_or(|day| *day <= LAST_RETRY_DAY);
        if !rising || !within || days.len() > MOST_RETRIES {
            let reason = "at most 10 rising days from 1 to 27 are taken";
            return Err(BillingError::Config { key: "retry_days", reason });
        }
        if self.grace_days > LAST_RETRY_DAY {
            return Err(BillingError::Config { key: "grace_days", reason: "0 to 27 are taken" });
        }
        if self.entitlement_seconds > 300 {
            return Err(BillingError::Config { key: "entitlement_seconds", reason: "0 to 300 are taken" });
        }
        if self.stripe.as_ref().is_some_and(|stripe| !stripe.publishable_key.starts_with("pk_")) {
            let reason = "a publishable key (pk_…) is taken; the secret one stands in a file";
            return Err(BillingError::Config { key: "stripe.publishable_key", reason });
        }
        Ok(self)
    }

    /// How long an entitlement is answered from memory.
    #[must_use]
    pub fn entitlement_age(&self) -> Duration {
        Duration::from_secs(self.entitlement_seconds)
    }
}

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seller {
    /// Its name.
    pub name: String,
    /// In several lines.
    pub address: String,
    /// Under which it pays taxes; none where empty.
    pub tax_id: String,
}

impl Default for Seller {
    fn default() -> Self {
        Self { name: "Matinee".to_owned(), address: String::new(), tax_id: String::new() }
    }
}

/// How Stripe is reached. Secrets stand in files of their own, not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeConfig {
    /// Its REST API.
    #[serde(default = "stripe_api")]
    pub api: String,
    /// The publishable key (`pk_…`), with which pages open Stripe's form.
    pub publishable_key: String,
    /// A file that holds the secret key (`sk_…`).
    pub secret_key_file: PathBuf,
    /// A file that holds the secrets of our webhook (`whsec_…`), one a line; more than one while they are changed.
    pub webhook_secrets_file: PathBuf,
}

impl StripeConfig {
    /// Whose scripts and frames its form is made of. Source: Stripe, "Integration security guide", content security policy.
    pub const SITES: [&str; 3] = ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"];
}

fn stripe_api() -> String {
    "https://api.stripe.com".to_owned()
}
