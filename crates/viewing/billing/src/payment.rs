//! The port to payment providers.
//!
//! A provider takes each charge under a key and, asked again under the same key, answers the same: that is all on which
//! it rests that nothing is charged twice.

mod signature;
mod stripe;
mod trial;

use std::collections::HashMap;

use async_trait::async_trait;
use matinee_model::ids::AccountId;
use matinee_model::money::Money;

pub use self::signature::{Signed, sign, verify};
pub use self::stripe::StripeProvider;
pub use self::trial::TestProvider;
use crate::customer::PaymentMethod;

/// Why a provider did not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    /// The token stands for no payment method that can be charged.
    #[error("payment_token is refused: {0}")]
    Refused(String),
    /// Whether it did is not known: it is asked again under the same key.
    #[error("the payment provider gave no answer: {0}")]
    Unknown(String),
}

/// Why a webhook is refused.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum WebhookError {
    /// It does not come from the provider, or is too old.
    #[error("the webhook's signature does not hold: {0}")]
    Signature(&'static str),
    /// It is signed and yet not understood.
    #[error("body is refused: {0}")]
    Body(String),
}

/// How a payment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money moved.
    Succeeded {
        /// The provider's name for the payment.
        reference: String,
    },
    /// It did not, and will not under this key.
    Declined {
        /// For its payer.
        reason: String,
    },
    /// The provider is at it.
    Processing,
}

/// Whether its payer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It asked for it just now.
    Here,
    /// A renewal.
    Away,
}

/// A payment method that an account names.
#[derive(Debug, Clone)]
pub struct Attach<'a> {
    /// The provider's token.
    pub token: &'a str,
    /// Whose.
    pub account: &'a AccountId,
    /// For the provider's receipts; may be empty.
    pub email: &'a str,
    /// The provider's name for the account, where it has one.
    pub customer: Option<&'a str>,
    /// The same for the same call.
    pub key: &'a str,
}

/// What a page needs for the provider's own form; empty where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// By which the form knows the installation.
    pub publishable_key: String,
    /// By which it knows what it is to take.
    pub client_secret: String,
}

/// A charge.
#[derive(Debug, Clone)]
pub struct Charge<'a> {
    /// The intent's id.
    pub key: &'a str,
    /// Whose.
    pub account: &'a AccountId,
    /// How much.
    pub amount: Money,
    /// By what.
    pub method: &'a PaymentMethod,
    /// For its payer.
    pub description: &'a str,
    /// Whether it is there.
    pub presence: Presence,
}

/// A payment, or a part of it, back.
#[derive(Debug, Clone)]
pub struct Refund<'a> {
    /// The intent's id.
    pub key: &'a str,
    /// Whose.
    pub account: &'a AccountId,
    /// The provider's name for the payment.
    pub payment: &'a str,
    /// How much.
    pub amount: Money,
}

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The provider's id for the event.
    pub event: String,
    /// What happened; none where it is nothing that concerns us.
    pub news: Option<News>,
}

/// A payment whose outcome is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Whose.
    pub account: String,
    /// Which.
    pub intent: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// A payment provider.
#[async_trait]
pub trait PaymentProvider: Send + Sync + std::fmt::Debug {
    /// Its name, in the ledger and in the address of its webhook: `a-z`.
    fn name(&self) -> &'static str;

    /// Opens its form for an account.
    async fn open_form(&self, account: &AccountId) -> Result<Form, ProviderError>;

    /// Makes what the token stands for the account's, so that it can be charged later on.
    async fn attach(&self, attach: Attach<'_>) -> Result<PaymentMethod, ProviderError>;

    /// Charges once under the key.
    async fn charge(&self, charge: Charge<'_>) -> Result<Outcome, ProviderError>;

    /// How the charge of that key stands, where the provider ever had one; nothing is charged. For charges so old that
    /// the provider may have forgotten their keys.
    async fn find(&self, charge: Charge<'_>) -> Result<Option<Outcome>, ProviderError>;

    /// Gives back once under the key.
    async fn refund(&self, refund: Refund<'_>) -> Result<Outcome, ProviderError>;

    /// How the refund of that key stands, where the provider ever had one; nothing is given back.
    async fn find_refund(&self, refund: Refund<'_>) -> Result<Option<Outcome>, ProviderError>;

    /// Drops what it keeps about a customer beside its payments. Holds also where there is none of that name.
    async fn forget(&self, customer: &str) -> Result<(), ProviderError>;

    /// Reads a webhook whose signature holds at `now_us`; `headers` have lower case names.
    fn notice(&self, body: &[u8], headers: &HashMap<String, String>, now_us: i64) -> Result<Notice, WebhookError>;
}
