//! Who pays: all that one account's decisions depend on, read and written as one.

use matinee_model::ids::AccountId;
use serde::{Deserialize, Serialize};

use crate::subscription::Subscription;

/// By what it pays. The number of a card is the provider's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// Whose.
    pub provider: String,
    /// The provider's name for the account, where it has one.
    pub customer: Option<String>,
    /// The provider's name for the method.
    pub reference: String,
    /// For people: "Visa ending in 4242".
    pub label: String,
}

/// An account, as billing knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Which.
    pub account: AccountId,
    /// Rises with each change; 0 where nothing is kept yet.
    #[serde(skip)]
    pub revision: u64,
    /// For receipts.
    pub email: Option<String>,
    /// By what it pays.
    pub method: Option<PaymentMethod>,
    /// Whether it had its trial.
    pub trialled: bool,
    /// The newest.
    pub subscription: Option<Subscription>,
    /// The payment that is under way. While there is one, no other begins.
    pub pending: Option<String>,
    /// When the account was deleted, where it was (microseconds since 1970).
    pub erased_us: Option<i64>,
}

impl Customer {
    /// One of whom nothing is kept yet.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            revision: 0,
            email: None,
            method: None,
            trialled: false,
            subscription: None,
            pending: None,
            erased_us: None,
        }
    }

    /// The subscription, where one is not over.
    #[must_use]
    pub fn current(&self) -> Option<&Subscription> {
        self.subscription.as_ref().filter(|subscription| !subscription.is_over())
    }
}
