//! Why a call was refused or failed, and the one place where that becomes a gRPC status.
//!
//! Where a program must tell refusals apart, the message begins with a code and a colon.

use matinee_engines::sql::SqlError;
use matinee_model::ids::AccountId;
use matinee_model::money::MoneyError;
use tonic::{Code, Status};

use crate::ledger::LedgerError;
use crate::payment::{ProviderError, WebhookError};
use crate::plan::{PlanId, PlansError};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it, and what would be taken.
        reason: String,
    },
    /// There is none of that id.
    #[error("plan {0} does not exist")]
    UnknownPlan(PlanId),
    /// There is none, or it is another account's.
    #[error("invoice {0} does not exist")]
    UnknownInvoice(String),
    /// No provider goes by that name here.
    #[error("payment provider {0:?} is not in use here")]
    UnknownProvider(String),
    /// It never had one.
    #[error("no_subscription: account {0} has no subscription")]
    NoSubscription(AccountId),
    /// It has one already.
    #[error("subscribed: account {0} has a subscription; its plan can be changed")]
    Subscribed(AccountId),
    /// The subscription's state does not allow it.
    #[error("not_now: {0}")]
    NotNow(&'static str),
    /// The account was deleted.
    #[error("account {0} was deleted")]
    Erased(AccountId),
    /// The payment provider said no. Nothing was charged.
    #[error("declined: the payment was declined: {0}")]
    Declined(String),
    /// A payment was begun, and nobody knows yet how it ended. The same call, repeated, tells.
    #[error("payment_under_way: a payment of this account is under way; repeat the same request in a moment")]
    UnderWay,
    /// The key stands for another request.
    #[error("idempotency_key is refused: it was used for another request; take a fresh one")]
    KeyReused,
    /// Somebody changed the plan in between.
    #[error("plan {plan} is at revision {current}, not at {expected}: read it again and repeat the change")]
    Changed {
        /// Which.
        plan: PlanId,
        /// Where it is.
        current: u64,
        /// Where the caller saw it.
        expected: u64,
    },
    /// Somebody changed the account in between, again and again.
    #[error("the account was changed at the same time; repeat the request")]
    Raced,
    /// A payment provider's event was taken in already.
    #[error("the event was taken in before")]
    Repeated,
    /// The provider can't be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// It is no webhook of the provider.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Amounts that can't be reckoned with.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Books that would not balance: nothing was written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The default plans.
    #[error(transparent)]
    Plans(#[from] PlansError),
    /// A file of secrets or plans that the configuration names.
    #[error("{path} can't be read: {source}")]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Keys of the configuration that can't be.
    #[error("billing.{key} is refused: {reason}")]
    Config {
        /// Which.
        key: &'static str,
        /// What would be taken.
        reason: &'static str,
    },
    /// A time outside of the calendar.
    #[error("time {0} (microseconds since 1970) is outside of the calendar")]
    Calendar(i64),
    /// What is stored is not what was written.
    #[error("the billing store holds a damaged row: {0}")]
    Damaged(String),
    /// The disk is full.
    #[error("no space left for the billing store; it goes on when there is room")]
    NoSpace,
    /// The store's engine failed.
    #[error("the billing store failed: {0}")]
    Store(#[source] sqlx::Error),
    /// The store could not be opened.
    #[error("the billing store can't be opened: {0}")]
    Open(#[from] SqlError),
}

impl BillingError {
    pub(crate) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Field { field, reason: reason.into() }
    }
}

impl From<sqlx::Error> for BillingError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(inner) => inner.code().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        // SQLITE_FULL, or the operating system's ENOSPC below it; a serialisation failure of PostgreSQL and CockroachDB.
        match (code.as_deref(), &error) {
            (Some("13"), _) => Self::NoSpace,
            (Some("40001"), _) => Self::Raced,
            (_, sqlx::Error::Io(inner)) if inner.kind() == std::io::ErrorKind::StorageFull => Self::NoSpace,
            _ => Self::Store(error),
        }
    }
}

impl From<serde_json::Error> for BillingError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<BillingError> for Status {
    fn from(error: BillingError) -> Self {
        use BillingError as E;
        let code = match &error {
            E::Field { .. } | E::KeyReused => Code::InvalidArgument,
            E::UnknownPlan(_) | E::UnknownInvoice(_) | E::UnknownProvider(_) | E::NoSubscription(_) => Code::NotFound,
            E::Subscribed(_) => Code::AlreadyExists,
            E::NotNow(_) | E::Declined(_) | E::Erased(_) => Code::FailedPrecondition,
            E::Changed { .. } | E::Raced | E::UnderWay => Code::Aborted,
            E::Repeated => Code::AlreadyExists,
            E::Provider(ProviderError::Refused(_)) => Code::InvalidArgument,
            E::Webhook(WebhookError::Signature(_)) => Code::Unauthenticated,
            E::Webhook(WebhookError::Body(_)) => Code::InvalidArgument,
            E::Damaged(_) => Code::DataLoss,
            E::NoSpace => Code::ResourceExhausted,
            E::Store(_) | E::Open(_) | E::Provider(_) => Code::Unavailable,
            E::Money(_) | E::Ledger(_) | E::Plans(_) | E::Calendar(_) => Code::Internal,
            E::File { .. } | E::Config { .. } => Code::FailedPrecondition,
        };
        Self::new(code, error.to_string())
    }
}
