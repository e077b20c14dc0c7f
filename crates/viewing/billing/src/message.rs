//! Between the contract's messages and our own words.

use matinee_contracts::billing as contract;
use matinee_model::ids::AccountId;
use matinee_model::money::{Currency, Money};
use matinee_model::territory::{Reach, Territory};

use crate::customer::PaymentMethod;
use crate::error::BillingError;
use crate::invoice::{Invoice, Line};
use crate::plan::{Plan, PlanId, Price};
use crate::subscription::{Renewal, State, Subscription};

pub(crate) fn account_id(value: &str) -> Result<AccountId, BillingError> {
    AccountId::parse(value).map_err(|error| BillingError::field("account", error.to_string()))
}

pub(crate) fn territory(value: &str) -> Result<Territory, BillingError> {
    Territory::parse(value).map_err(|error| BillingError::field("territory", error.to_string()))
}

/// Takes an id that this service made, or a text of an idempotency key's kind.
pub(crate) fn text<'a>(field: &'static str, value: &'a str, most: usize) -> Result<&'a str, BillingError> {
    if value.is_empty() || value.len() > most || value.chars().any(char::is_control) {
        let reason = format!("1 to {most} bytes without control characters are taken");
        return Err(BillingError::field(field, reason));
    }
    Ok(value)
}

pub(crate) fn money_of(field: &'static str, value: Option<&contract::Money>) -> Result<Money, BillingError> {
    let value = value.ok_or_else(|| BillingError::field(field, "it is missing"))?;
    let currency = Currency::parse(&value.currency).map_err(|error| BillingError::field(field, error.to_string()))?;
    if iso_currency::Currency::from_code(currency.as_str()).is_none() {
        return Err(BillingError::field(field, format!("{currency} is no currency of ISO 4217")));
    }
    Ok(Money::new(value.minor, currency))
}

pub(crate) fn money(amount: Money) -> contract::Money {
    contract::Money { minor: amount.minor, currency: amount.currency.as_str().to_owned() }
}

pub(crate) fn plan_of(message: contract::Plan) -> Result<Plan, BillingError> {
    let price = |price: &contract::Price| {
        let reach = Reach::parse(&price.territory);
        Ok::<_, BillingError>(Price {
            reach: reach.map_err(|error| BillingError::field("prices", error.to_string()))?,
            amount: money_of("prices", price.amount.as_ref())?,
        })
    };
    let plan = Plan {
        id: PlanId::parse("id", &message.id)?,
        name: message.name,
        prices: message.prices.iter().map(price).collect::<Result<_, _>>()?,
        max_height: message.max_height,
        streams: message.streams,
        trial_days: message.trial_days,
        offered: message.offered,
        rank: message.rank,
        revision: message.revision,
    };
    plan.checked()
}

pub(crate) fn plan(plan: &Plan) -> contract::Plan {
    contract::Plan {
        id: plan.id.as_str().to_owned(),
        name: plan.name.clone(),
        prices: plan.prices.iter().map(price).collect(),
        max_height: plan.max_height,
        streams: plan.streams,
        trial_days: plan.trial_days,
        offered: plan.offered,
        revision: plan.revision,
        rank: plan.rank,
    }
}

pub(crate) fn price(price: &Price) -> contract::Price {
    contract::Price { territory: price.reach.to_string(), amount: Some(money(price.amount)) }
}

pub(crate) fn payment_method(method: &PaymentMethod) -> contract::PaymentMethod {
    contract::PaymentMethod {
        provider: method.provider.clone(),
        reference: method.reference.clone(),
        label: method.label.clone(),
    }
}

pub(crate) fn subscription(
    account: &AccountId,
    subscription: &Subscription,
    method: Option<&PaymentMethod>,
) -> contract::Subscription {
    let state = match subscription.state {
        State::Trialing => contract::SubscriptionState::Trialing,
        State::Active => contract::SubscriptionState::Active,
        State::PastDue(_) => contract::SubscriptionState::PastDue,
        State::Ended => contract::SubscriptionState::Ended,
    };
    let (failed_attempts, next_attempt_us) = match &subscription.state {
        State::PastDue(dunning) => (dunning.failed, dunning.next_attempt_us),
        _ => (0, 0),
    };
    contract::Subscription {
        id: subscription.id.clone(),
        account: account.as_str().to_owned(),
        plan: subscription.terms.plan.as_str().to_owned(),
        state: state.into(),
        price: Some(money(subscription.terms.price)),
        period_start_us: subscription.period_start_us,
        period_end_us: subscription.period_end_us,
        trial_end_us: subscription.trial_end_us.unwrap_or(0),
        cancel_at_period_end: subscription.renewal == Renewal::Cancelled,
        next_plan: subscription.next_plan.as_ref().map(|plan| plan.as_str().to_owned()).unwrap_or_default(),
        payment_method: method.map(payment_method),
        failed_attempts,
        next_attempt_us,
        territory: subscription.territory.as_str().to_owned(),
    }
}

pub(crate) fn invoice(invoice: &Invoice) -> contract::Invoice {
    let of = |minor| Some(money(Money::new(minor, invoice.total.currency)));
    contract::Invoice {
        id: invoice.id.clone(),
        number: invoice.number.clone(),
        account: invoice.account.as_str().to_owned(),
        issued_us: invoice.issued_us,
        lines: invoice.lines.iter().map(line).collect(),
        total: Some(money(invoice.total)),
        paid: of(invoice.paid),
        refunded: of(invoice.refunded),
        state: invoice.state.as_str().to_owned(),
    }
}

fn line(line: &Line) -> contract::InvoiceLine {
    contract::InvoiceLine {
        description: line.description.clone(),
        amount: Some(money(line.amount)),
        from_us: line.from_us,
        until_us: line.until_us,
    }
}
