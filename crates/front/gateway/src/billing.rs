//! What a viewer pays for: plans, the subscription, invoices, and what payment providers report.

mod invoices;
mod money;
mod subscription;
mod webhooks;

use matinee_contracts::billing::SubscriptionState;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Inside;

pub(crate) use self::invoices::{InvoiceJson, idempotency_key};
pub(crate) use self::money::{MoneyJson, money, plain_money};

/// Routes that nobody needs to sign in for.
pub(crate) fn for_strangers() -> OpenApiRouter<Inside> {
    OpenApiRouter::new().routes(routes!(webhooks::take))
}

/// Routes of viewers.
pub(crate) fn for_viewers() -> OpenApiRouter<Inside> {
    OpenApiRouter::new()
        .routes(routes!(subscription::plans))
        .routes(routes!(subscription::show, subscription::subscribe))
        .routes(routes!(subscription::preview))
        .routes(routes!(subscription::change))
        .routes(routes!(subscription::cancel))
        .routes(routes!(subscription::resume))
        .routes(routes!(subscription::open_form))
        .routes(routes!(subscription::pay_with))
        .routes(routes!(invoices::list))
        .routes(routes!(invoices::show))
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = SubscriptionState)]
#[serde(rename_all = "snake_case")]
pub enum StateJson {
    /// Not paid for yet.
    Trialing,
    /// Paid for.
    Active,
    /// A payment failed, and is tried again.
    PastDue,
    /// Over.
    Ended,
}

/// Nothing where there is no subscription.
pub(crate) fn state_json(state: SubscriptionState) -> Option<StateJson> {
    match state {
        SubscriptionState::Unspecified => None,
        SubscriptionState::Trialing => Some(StateJson::Trialing),
        SubscriptionState::Active => Some(StateJson::Active),
        SubscriptionState::PastDue => Some(StateJson::PastDue),
        SubscriptionState::Ended => Some(StateJson::Ended),
    }
}
