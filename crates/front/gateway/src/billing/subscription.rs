//! Plans, and the subscription of whoever is signed in.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use matinee_contracts::accounts::AccountRequest as WhichAccount;
use matinee_contracts::billing::{
    AccountRequest, CancelRequest, ChangePlanRequest, ListPlansRequest, PaymentForm, PaymentMethod, Plan,
    SetPaymentMethodRequest, SubscribeRequest, Subscription,
};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, JsonOrNothing, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::private;
use crate::billing::{MoneyJson, StateJson, idempotency_key, money, state_json};

/// A plan that is offered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
#[serde(rename_all = "camelCase")]
pub struct PlanJson {
    id: String,
    name: String,
    /// A month, tax included, where the viewer is.
    #[schema(required)]
    price: Option<MoneyJson>,
    max_height: u32,
    streams: u32,
    trial_days: u32,
    rank: u32,
}

/// By what is paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentMethod)]
pub struct MethodJson {
    provider: String,
    /// "Visa ending in 4242".
    label: String,
}

impl From<PaymentMethod> for MethodJson {
    fn from(method: PaymentMethod) -> Self {
        Self { provider: method.provider, label: method.label }
    }
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionJson {
    id: String,
    plan: String,
    state: StateJson,
    #[schema(required)]
    price: Option<MoneyJson>,
    #[schema(required)]
    period_start: Option<String>,
    #[schema(required)]
    period_end: Option<String>,
    #[schema(required)]
    trial_end: Option<String>,
    cancel_at_period_end: bool,
    /// From the next period on, where it is another.
    #[schema(required)]
    next_plan: Option<String>,
    #[schema(required)]
    payment_method: Option<MethodJson>,
    /// When a payment that failed is tried again.
    #[schema(required)]
    next_attempt: Option<String>,
    territory: String,
}

/// Nothing where it is none.
fn subscription(subscription: Subscription) -> Option<SubscriptionJson> {
    let state = state_json(subscription.state())?;
    Some(SubscriptionJson {
        id: subscription.id,
        plan: subscription.plan,
        state,
        price: money(subscription.price),
        period_start: rfc3339(subscription.period_start_us),
        period_end: rfc3339(subscription.period_end_us),
        trial_end: rfc3339(subscription.trial_end_us),
        cancel_at_period_end: subscription.cancel_at_period_end,
        next_plan: (!subscription.next_plan.is_empty()).then_some(subscription.next_plan),
        payment_method: subscription.payment_method.map(MethodJson::from),
        next_attempt: rfc3339(subscription.next_attempt_us),
        territory: subscription.territory,
    })
}

/// A plan to begin with.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Subscribe)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscribeJson {
    plan: String,
    /// Of the payment provider.
    payment_token: String,
}

/// A plan to change to.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChangePlan)]
#[serde(deny_unknown_fields)]
pub struct ChangeJson {
    plan: String,
}

/// Why it is cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Cancel)]
#[serde(deny_unknown_fields, default)]
pub struct CancelJson {
    reason: String,
}

/// A payment provider's token.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PayWith)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PayWithJson {
    payment_token: String,
}

/// What a page needs for the payment provider's own form, in which a payment method is typed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentForm)]
#[serde(rename_all = "camelCase")]
pub struct FormJson {
    /// "stripe", or "test": it has no form, and takes tokens that everybody knows.
    provider: String,
    publishable_key: String,
    /// Of one form: it takes one payment method.
    client_secret: String,
}

/// What a change of plan costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangePreview)]
#[serde(rename_all = "camelCase")]
pub struct PreviewJson {
    #[schema(required)]
    charge_now: Option<MoneyJson>,
    #[schema(required)]
    new_price: Option<MoneyJson>,
    #[schema(required)]
    effective: Option<String>,
}

/// The plans that are offered where the viewer is.
#[utoipa::path(get, path = "/api/plans", tag = "billing", responses((status = 200, body = Vec<PlanJson>)))]
pub async fn plans(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let territory = viewer.territory.to_string();
    let request = ListPlansRequest { territory: territory.clone(), offered_only: true };
    let plans = gateway.billing.list_plans(request).await?.into_inner().plans;
    let plans = plans.into_iter().map(|plan| plan_json(plan, &territory));
    Ok(private(plans.collect::<Vec<_>>()))
}

fn plan_json(plan: Plan, territory: &str) -> PlanJson {
    let here = plan.prices.iter().find(|price| price.territory == territory);
    let price = here.or_else(|| plan.prices.iter().find(|price| price.territory == "*"));
    PlanJson {
        price: money(price.and_then(|price| price.amount.clone())),
        id: plan.id,
        name: plan.name,
        max_height: plan.max_height,
        streams: plan.streams,
        trial_days: plan.trial_days,
        rank: plan.rank,
    }
}

/// The subscription; null where there is none.
#[utoipa::path(get, path = "/api/subscription", tag = "billing",
    responses((status = 200, body = Option<SubscriptionJson>)))]
pub async fn show(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    match gateway.billing.get_subscription(AccountRequest { account }).await {
        Ok(answer) => Ok(private(subscription(answer.into_inner()))),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(private(None::<SubscriptionJson>)),
        Err(status) => Err(status.into()),
    }
}

/// Begins a subscription. The header `Idempotency-Key` makes it safe to send again.
#[utoipa::path(post, path = "/api/subscription", tag = "billing", request_body = SubscribeJson,
    params(("idempotency-key" = Option<String>, Header)), responses((status = 200, body = SubscriptionJson)))]
pub async fn subscribe(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<SubscribeJson>,
) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let (mut accounts, mut billing) = (gateway.accounts, gateway.billing);
    let of = accounts.get_account(WhichAccount { account: account.clone() }).await?.into_inner();
    let request = SubscribeRequest {
        account,
        plan: asked.plan,
        territory: viewer.territory.to_string(),
        payment_token: asked.payment_token,
        idempotency_key: idempotency_key(&headers)?,
        email: of.email,
    };
    Ok(private(subscription(billing.subscribe(request).await?.into_inner())))
}

fn change_request(viewer: &Viewer, headers: &HeaderMap, plan: String) -> Result<ChangePlanRequest, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    Ok(ChangePlanRequest { account, plan, idempotency_key: idempotency_key(headers)? })
}

/// What a change of plan would charge now.
#[utoipa::path(post, path = "/api/subscription/preview", tag = "billing", request_body = ChangeJson,
    responses((status = 200, body = PreviewJson)))]
pub async fn preview(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<ChangeJson>,
) -> Result<Response, Problem> {
    let request = change_request(&viewer, &headers, asked.plan)?;
    let preview = gateway.billing.preview_change(request).await?.into_inner();
    Ok(private(PreviewJson {
        charge_now: money(preview.charge_now),
        new_price: money(preview.new_price),
        effective: rfc3339(preview.effective_us),
    }))
}

/// Changes the plan: to a dearer one now, to a cheaper one at the period's end.
#[utoipa::path(post, path = "/api/subscription/change", tag = "billing", request_body = ChangeJson,
    params(("idempotency-key" = Option<String>, Header)), responses((status = 200, body = SubscriptionJson)))]
pub async fn change(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<ChangeJson>,
) -> Result<Response, Problem> {
    let request = change_request(&viewer, &headers, asked.plan)?;
    Ok(private(subscription(gateway.billing.change_plan(request).await?.into_inner())))
}

/// Ends the subscription at its period's end.
#[utoipa::path(post, path = "/api/subscription/cancel", tag = "billing", request_body = CancelJson,
    responses((status = 200, body = SubscriptionJson)))]
pub async fn cancel(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    JsonOrNothing(asked): JsonOrNothing<CancelJson>,
) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let request = CancelRequest { account, reason: asked.reason };
    Ok(private(subscription(gateway.billing.cancel(request).await?.into_inner())))
}

/// Takes a cancellation back.
#[utoipa::path(post, path = "/api/subscription/resume", tag = "billing",
    responses((status = 200, body = SubscriptionJson)))]
pub async fn resume(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    Ok(private(subscription(gateway.billing.resume(AccountRequest { account }).await?.into_inner())))
}

/// Opens the payment provider's form. What it makes of a payment method is the token by which to pay.
#[utoipa::path(post, path = "/api/subscription/payment-form", tag = "billing",
    responses((status = 200, body = FormJson)))]
pub async fn open_form(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let form = gateway.billing.open_payment_form(AccountRequest { account }).await?.into_inner();
    let PaymentForm { provider, publishable_key, client_secret } = form;
    Ok(private(FormJson { provider, publishable_key, client_secret }))
}

/// Changes by what is paid.
#[utoipa::path(put, path = "/api/subscription/payment-method", tag = "billing", request_body = PayWithJson,
    responses((status = 200, body = MethodJson)))]
pub async fn pay_with(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<PayWithJson>,
) -> Result<Response, Problem> {
    let request = SetPaymentMethodRequest {
        account: viewer.signed_in()?.account.to_string(),
        payment_token: asked.payment_token,
        idempotency_key: idempotency_key(&headers)?,
    };
    Ok(private(MethodJson::from(gateway.billing.set_payment_method(request).await?.into_inner())))
}
