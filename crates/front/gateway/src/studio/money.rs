//! Plans, invoices and the ledger, as support sees them.

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use matinee_contracts::billing::{
    AccountRequest, LedgerRequest, ListPlansRequest, Plan, Price, PutPlanRequest, RefundRequest,
};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, Problem, Queried};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Gateway;
use crate::account::private;
use crate::billing::{InvoiceJson, MoneyJson, idempotency_key, money, plain_money};

/// What a plan costs somewhere.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Price)]
#[serde(deny_unknown_fields)]
pub struct PriceJson {
    /// ISO 3166-1 alpha-2, or "*" where no other is named.
    territory: String,
    amount: MoneyJson,
}

/// A plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = StudioPlan)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanJson {
    id: String,
    name: String,
    /// A month, tax included.
    prices: Vec<PriceJson>,
    /// 480, 1080, 2160.
    max_height: u32,
    /// At once.
    streams: u32,
    #[serde(default)]
    trial_days: u32,
    /// To new subscribers.
    #[serde(default)]
    offered: bool,
    #[serde(default)]
    revision: u64,
    /// Rises with what it gives.
    #[serde(default)]
    rank: u32,
}

impl From<Plan> for PlanJson {
    fn from(plan: Plan) -> Self {
        let prices = plan.prices.into_iter().map(|price| PriceJson {
            territory: price.territory,
            amount: plain_money(price.amount.unwrap_or_default()),
        });
        Self {
            id: plan.id,
            name: plan.name,
            prices: prices.collect(),
            max_height: plan.max_height,
            streams: plan.streams,
            trial_days: plan.trial_days,
            offered: plan.offered,
            revision: plan.revision,
            rank: plan.rank,
        }
    }
}

/// Part of an invoice, or all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Refund)]
#[serde(deny_unknown_fields)]
pub struct RefundJson {
    /// All that was paid, where it is not said.
    #[serde(default)]
    amount: Option<MoneyJson>,
    #[serde(default)]
    reason: String,
}

/// A part of the ledger.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LedgerQuery {
    /// Of this account; empty: all.
    account: String,
    limit: u32,
    /// After this transaction.
    after: String,
}

/// A line of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
#[serde(rename_all = "camelCase")]
pub struct EntryJson {
    transaction: String,
    ledger_account: String,
    #[schema(required)]
    amount: Option<MoneyJson>,
    #[schema(required)]
    at: Option<String>,
    reason: String,
}

/// What stands on an account of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Balance)]
#[serde(rename_all = "camelCase")]
pub struct BalanceJson {
    ledger_account: String,
    #[schema(required)]
    amount: Option<MoneyJson>,
}

/// The ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ledger)]
pub struct LedgerJson {
    entries: Vec<EntryJson>,
    balances: Vec<BalanceJson>,
    /// One a currency; always 0.
    sums: Vec<MoneyJson>,
}

/// Plans, offered or not, with their prices everywhere.
#[utoipa::path(get, path = "/api/studio/plans", tag = "studio", responses((status = 200, body = Vec<PlanJson>)))]
pub async fn plans(State(mut gateway): State<Gateway>) -> Result<Response, Problem> {
    let plans = gateway.billing.list_plans(ListPlansRequest::default()).await?.into_inner().plans;
    Ok(private(plans.into_iter().map(PlanJson::from).collect::<Vec<_>>()))
}

/// Adds a plan, or a new edition of one; what was sold keeps its price until its period ends.
#[utoipa::path(put, path = "/api/studio/plans", tag = "studio", request_body = PlanJson,
    responses((status = 200, body = PlanJson)))]
pub async fn put_plan(
    State(mut gateway): State<Gateway>,
    JsonBody(json): JsonBody<PlanJson>,
) -> Result<Response, Problem> {
    let prices =
        json.prices.into_iter().map(|price| Price { territory: price.territory, amount: Some(price.amount.into()) });
    let plan = Plan {
        id: json.id,
        name: json.name,
        prices: prices.collect(),
        max_height: json.max_height,
        streams: json.streams,
        trial_days: json.trial_days,
        offered: json.offered,
        revision: json.revision,
        rank: json.rank,
    };
    Ok(private(PlanJson::from(gateway.billing.put_plan(PutPlanRequest { plan: Some(plan) }).await?.into_inner())))
}

/// The invoices of an account.
#[utoipa::path(get, path = "/api/studio/accounts/{id}/invoices", tag = "studio",
    responses((status = 200, body = Vec<InvoiceJson>)))]
pub async fn invoices(State(mut gateway): State<Gateway>, Path(account): Path<String>) -> Result<Response, Problem> {
    let invoices = gateway.billing.list_invoices(AccountRequest { account }).await?.into_inner().invoices;
    Ok(private(invoices.into_iter().map(InvoiceJson::from).collect::<Vec<_>>()))
}

/// Gives back what was paid, or part of it. The header `Idempotency-Key` makes it safe to send again.
#[utoipa::path(post, path = "/api/studio/invoices/{id}/refund", tag = "studio", request_body = RefundJson,
    params(("idempotency-key" = Option<String>, Header)), responses((status = 200, body = InvoiceJson)))]
pub async fn refund(
    State(mut gateway): State<Gateway>,
    Path(invoice): Path<String>,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<RefundJson>,
) -> Result<Response, Problem> {
    let request = RefundRequest {
        invoice,
        amount: asked.amount.map(Into::into),
        reason: asked.reason,
        idempotency_key: idempotency_key(&headers)?,
    };
    Ok(private(InvoiceJson::from(gateway.billing.refund(request).await?.into_inner())))
}

/// The ledger, with the balance of each of its accounts.
#[utoipa::path(get, path = "/api/studio/ledger", tag = "studio", params(LedgerQuery),
    responses((status = 200, body = LedgerJson)))]
pub async fn ledger(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<LedgerQuery>,
) -> Result<Response, Problem> {
    let request = LedgerRequest { account: asked.account, limit: asked.limit, after: asked.after };
    let ledger = gateway.billing.ledger(request).await?.into_inner();
    let entries = ledger.entries.into_iter().map(|entry| EntryJson {
        transaction: entry.transaction,
        ledger_account: entry.ledger_account,
        amount: money(entry.amount),
        at: rfc3339(entry.at_us),
        reason: entry.reason,
    });
    let balances = ledger
        .balances
        .into_iter()
        .map(|balance| BalanceJson { ledger_account: balance.ledger_account, amount: money(balance.amount) });
    Ok(private(LedgerJson {
        entries: entries.collect(),
        balances: balances.collect(),
        sums: ledger.sums.into_iter().map(plain_money).collect(),
    }))
}
