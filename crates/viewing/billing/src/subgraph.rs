//! Billing's part of the graph: what is sold, and what the viewer's account has.

use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, ID, Object, Result, SimpleObject};
use matinee_contracts::billing as contract;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::{AccountRequest, ListPlansRequest, SubscriptionState};
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, refused, viewer};
use tonic::Code;

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(billing: BillingClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("billing", Query { billing }, EmptyMutation))
}

/// Of the currency's minor unit.
#[derive(SimpleObject)]
struct Money {
    minor: i64,
    currency: String,
}

impl From<contract::Money> for Money {
    fn from(money: contract::Money) -> Self {
        Self { minor: money.minor, currency: money.currency }
    }
}

/// What is sold.
#[derive(SimpleObject)]
struct Plan {
    id: ID,
    name: String,
    /// A month, in the viewer's territory.
    price: Option<Money>,
    max_height: u32,
    /// Devices at once.
    streams: u32,
    trial_days: u32,
}

/// What the account has.
#[derive(SimpleObject)]
struct Subscription {
    plan: ID,
    /// "trialing", "active", "past_due" or "ended".
    state: &'static str,
    price: Option<Money>,
    cancel_at_period_end: bool,
}

struct Query {
    billing: BillingClient<Channel>,
}

#[Object]
impl Query {
    /// What is offered in the viewer's territory, the smallest first.
    async fn plans(&self, context: &Context<'_>) -> Result<Option<Vec<Plan>>> {
        let territory = viewer(context).territory;
        let request = ListPlansRequest { territory: territory.clone(), offered_only: true };
        let found = self.billing.clone().list_plans(request).await.map_err(|status| refused(&status))?.into_inner();
        let plan = |plan: contract::Plan| {
            let of = |place: &str| plan.prices.iter().find(|price| price.territory == place);
            let price = of(&territory).or_else(|| of("*")).and_then(|price| price.amount.clone()).map(Money::from);
            let (max_height, streams, trial_days) = (plan.max_height, plan.streams, plan.trial_days);
            Plan { price, id: plan.id.into(), name: plan.name, max_height, streams, trial_days }
        };
        Ok(Some(found.plans.into_iter().map(plan).collect()))
    }

    /// The viewer's; nothing where the account never had one.
    async fn subscription(&self, context: &Context<'_>) -> Result<Option<Subscription>> {
        let account = viewer(context).account;
        if account.is_empty() {
            return Ok(None);
        }
        match self.billing.clone().get_subscription(AccountRequest { account }).await {
            Ok(found) => {
                let found = found.into_inner();
                let state = match found.state() {
                    SubscriptionState::Trialing => "trialing",
                    SubscriptionState::Active => "active",
                    SubscriptionState::PastDue => "past_due",
                    SubscriptionState::Ended | SubscriptionState::Unspecified => "ended",
                };
                let (plan, price) = (found.plan.into(), found.price.map(Money::from));
                Ok(Some(Subscription { plan, state, price, cancel_at_period_end: found.cancel_at_period_end }))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(refused(&status)),
        }
    }
}
