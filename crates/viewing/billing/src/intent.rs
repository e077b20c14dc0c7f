//! Intents: payments, written down before their provider is asked.
//!
//! An intent's id follows from what it is for, and is the provider's idempotency key: however often and by whomever it
//! is pursued, money moves once.

use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use serde::{Deserialize, Serialize};

use crate::customer::PaymentMethod;
use crate::invoice::{Line, Payment};
use crate::payment::Presence;
use crate::subscription::{Subscription, Terms};

/// Why a payment that is owed is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Occasion {
    /// Its time has come; a failure counts.
    Scheduled,
    /// Its payer named another method; a failure changes nothing.
    NewMethod,
}

/// What it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// The first period of a subscription, which begins when it is paid.
    Begin {
        /// As it would be if it were paid at once; it counts from when it is.
        subscription: Box<Subscription>,
    },
    /// A dearer plan, which begins when the difference is paid.
    Upgrade {
        /// The new plan's.
        terms: Box<Terms>,
        /// What is charged.
        lines: Vec<Line>,
    },
    /// An invoice that stands open.
    Collect {
        /// Which.
        invoice: String,
        /// Why now.
        occasion: Occasion,
    },
    /// A part of what was paid, back.
    Refund {
        /// Of which invoice.
        invoice: String,
        /// Of which payment.
        payment: Payment,
        /// For the books.
        reason: String,
    },
    /// Money that came in although nothing was owed any more, back.
    Return {
        /// Which payment.
        payment: Payment,
    },
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntentState {
    /// Nobody knows yet.
    Pending,
    /// The money moved.
    Succeeded,
    /// It did not.
    Failed {
        /// The provider's reason.
        reason: String,
    },
}

impl IntentState {
    /// Its word in the store.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A payment that is to be made, was made, or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Which; the provider's idempotency key.
    pub id: String,
    /// Whose.
    pub account: AccountId,
    /// How much, always above 0.
    pub amount: Money,
    /// By what; none for what goes back.
    pub method: Option<PaymentMethod>,
    /// What for.
    pub purpose: Purpose,
    /// Where it is.
    pub state: IntentState,
    /// The call that waits for its outcome.
    pub answers: Option<String>,
    /// When it was written down (microseconds since 1970).
    pub made_us: i64,
}

impl Intent {
    /// Drops what tells who paid.
    pub fn forget_payer(&mut self) {
        if let Some(method) = &mut self.method {
            method.label.clear();
            method.customer = None;
        }
    }

    /// Whether its payer is there.
    #[must_use]
    pub fn presence(&self) -> Presence {
        match self.purpose {
            Purpose::Collect { occasion: Occasion::Scheduled, .. } => Presence::Away,
            _ => Presence::Here,
        }
    }

    /// One that is to be pursued.
    #[must_use]
    pub fn pending(id: String, account: &AccountId, amount: Money, purpose: Purpose, now_us: i64) -> Self {
        Self {
            id,
            account: account.clone(),
            amount,
            method: None,
            purpose,
            state: IntentState::Pending,
            answers: None,
            made_us: now_us,
        }
    }
}
