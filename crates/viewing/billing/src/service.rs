//! The gRPC contract.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::billing as contract;
use matinee_contracts::billing::billing_server::{Billing, BillingServer};
use matinee_service::clock::{Clock, SystemClock};
use rand::TryRng;
use rand::rngs::SysRng;
use tokio::sync::{Mutex, Notify};
use tonic::{Request, Response, Status};

use crate::answer::Asked;
use crate::config::BillingConfig;
use crate::entitlement::{Entitlements, entitlement};
use crate::error::BillingError;
use crate::flows::Wanted;
use crate::message;
use crate::page::render;
use crate::payment::{Form, PaymentProvider, StripeProvider, TestProvider};
use crate::plan::{PlanId, default_plans, parse_plans};
use crate::store::{BillingStore, SqliteBilling};

/// Accounts that are changed at once in this process.
const TURNS: usize = 256;
/// Invoices of a list.
const MOST_INVOICES: u32 = 500;
/// Transactions of a page of the ledger, where the caller names no limit, and at most.
const LEDGER_PAGE: u32 = 100;
const MOST_LEDGER: u32 = 1000;
/// Transactions of an export.
const MOST_EXPORTED: u32 = 10_000;

const LONGEST_TOKEN: usize = 255;
const LONGEST_EMAIL: usize = 320;
const LONGEST_REASON: usize = 500;

/// Billing. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BillingService(Arc<Parts>);

/// What it is put together from.
#[derive(Debug)]
pub struct Parts {
    pub(crate) store: Arc<dyn BillingStore>,
    /// The first takes new payment methods.
    pub(crate) providers: Vec<Arc<dyn PaymentProvider>>,
    pub(crate) config: BillingConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entitlements: Entitlements,
    pub(crate) turns: Vec<Mutex<()>>,
    /// A subscription was changed in this process.
    pub(crate) news: Notify,
}

impl std::ops::Deref for BillingService {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl BillingService {
    /// Over the embedded store in the file at `path`, with Stripe where `config` has it and the built-in provider where
    /// it has not. A store without plans gets those that `config` names, or the built-in ones.
    pub async fn open(path: &Path, config: BillingConfig) -> Result<Self, BillingError> {
        let provider: Arc<dyn PaymentProvider> =
            match &config.stripe {
                Some(stripe) => {
                    let opened = StripeProvider::open(stripe);
                    let named = stripe.secret_key_file.display();
                    Arc::new(opened.map_err(|source| BillingError::File {
                        path: format!("a secret of Stripe ({named})"),
                        source,
                    })?)
                }
                None => {
                    let mut secret = [0; 32];
                    let made = SysRng.try_fill_bytes(&mut secret);
                    made.map_err(|error| BillingError::Damaged(format!("the system gave no randomness: {error}")))?;
                    Arc::new(TestProvider::new(&hex::encode(secret)))
                }
            };
        let store = Arc::new(SqliteBilling::open(path).await?);
        Self::new(store, vec![provider], config, Arc::new(SystemClock)).await
    }

    /// Over any store, with any providers (the first takes new payment methods), by any clock.
    pub async fn new(
        store: Arc<dyn BillingStore>,
        providers: Vec<Arc<dyn PaymentProvider>>,
        config: BillingConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BillingError> {
        let config = config.checked()?;
        if store.plans().await?.is_empty() {
            let plans = match &config.plans {
                Some(path) => {
                    let read = std::fs::read_to_string(path);
                    let path = path.display().to_string();
                    parse_plans(&read.map_err(|source| BillingError::File { path, source })?)?
                }
                None => default_plans()?,
            };
            for plan in plans {
                store.put_plan(&plan, None, clock.now_us()).await?;
            }
        }
        let entitlements = Entitlements::new(config.entitlement_accounts, config.entitlement_age());
        let turns = (0..TURNS).map(|_| Mutex::new(())).collect();
        let parts = Parts { store, providers, config, clock, entitlements, turns, news: Notify::new() };
        Ok(Self(Arc::new(parts)))
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> BillingServer<Self> {
        BillingServer::new(self.clone())
    }

    async fn exported(&self, account: &str) -> Result<Vec<u8>, BillingError> {
        let account = message::account_id(account)?;
        let customer = self.store.customer(&account).await?;
        let invoices = self.store.invoices(&account, MOST_INVOICES).await?;
        let ledger = self.store.booked(Some(&account), "", MOST_EXPORTED).await?;
        let entry = |(name, amount): &(String, matinee_model::money::Money)| serde_json::json!({ "ledgerAccount": name, "amount": amount });
        let booked = ledger.iter().map(|booked| {
            let entries: Vec<_> = booked.entries.iter().map(entry).collect();
            serde_json::json!({ "id": booked.id, "atUs": booked.at_us, "reason": booked.reason, "entries": entries })
        });
        let all = serde_json::json!({
            "account": account,
            "email": customer.as_ref().and_then(|customer| customer.email.as_ref()),
            "paymentMethod": customer.as_ref().and_then(|customer| customer.method.as_ref()),
            "hadTrial": customer.as_ref().is_some_and(|customer| customer.trialled),
            "subscription": customer.as_ref().and_then(|customer| customer.subscription.as_ref()),
            "invoices": invoices,
            "ledger": booked.collect::<Vec<_>>(),
        });
        Ok(serde_json::to_vec_pretty(&all)?)
    }

    async fn ledger_page(&self, request: &contract::LedgerRequest) -> Result<contract::LedgerReply, BillingError> {
        let account = if request.account.is_empty() { None } else { Some(message::account_id(&request.account)?) };
        if !request.after.is_empty() {
            message::text("after", &request.after, 64)?;
        }
        let most = if request.limit == 0 { LEDGER_PAGE } else { request.limit.min(MOST_LEDGER) };
        let mut entries = Vec::new();
        for booked in self.store.booked(account.as_ref(), &request.after, most).await? {
            for (ledger_account, amount) in booked.entries {
                entries.push(contract::LedgerEntry {
                    transaction: booked.id.clone(),
                    ledger_account,
                    amount: Some(message::money(amount)),
                    at_us: booked.at_us,
                    reason: booked.reason.clone(),
                });
            }
        }
        let balances = self.store.balances(account.as_ref()).await?.into_iter();
        let balance =
            |(ledger_account, amount)| contract::Balance { ledger_account, amount: Some(message::money(amount)) };
        let sums = self.store.sums().await?.into_iter().map(message::money).collect();
        Ok(contract::LedgerReply { entries, balances: balances.map(balance).collect(), sums })
    }
}

#[tonic::async_trait]
impl Billing for BillingService {
    async fn list_plans(
        &self,
        request: Request<contract::ListPlansRequest>,
    ) -> Result<Response<contract::ListPlansReply>, Status> {
        let contract::ListPlansRequest { territory, offered_only } = request.into_inner();
        let here = if territory.is_empty() { None } else { Some(message::territory(&territory)?) };
        let mut plans = Vec::new();
        for plan in self.store.plans().await? {
            let mut told = message::plan(&plan);
            if let Some(here) = here {
                // Where it is not sold, it is not listed.
                let Some(price) = plan.price_in(here) else { continue };
                told.prices = vec![message::price(price)];
            }
            if plan.offered || !offered_only {
                plans.push(told);
            }
        }
        Ok(Response::new(contract::ListPlansReply { plans }))
    }

    async fn put_plan(&self, request: Request<contract::PutPlanRequest>) -> Result<Response<contract::Plan>, Status> {
        let plan = request.into_inner().plan.ok_or_else(|| BillingError::field("plan", "it is missing"))?;
        let plan = message::plan_of(plan)?;
        // 0 is what a caller sends who did not read the plan first.
        let expected = Some(plan.revision).filter(|revision| *revision > 0);
        let put = self.store.put_plan(&plan, expected, self.clock.now_us()).await?;
        Ok(Response::new(message::plan(&put)))
    }

    async fn entitlement(
        &self,
        request: Request<contract::EntitlementRequest>,
    ) -> Result<Response<contract::EntitlementReply>, Status> {
        let account = message::account_id(&request.get_ref().account)?;
        let held = self.entitlements.subscription(self.store.as_ref(), &account).await?;
        Ok(Response::new(entitlement(held.as_ref().as_ref(), self.clock.now_us())))
    }

    async fn get_subscription(
        &self,
        request: Request<contract::AccountRequest>,
    ) -> Result<Response<contract::Subscription>, Status> {
        let account = message::account_id(&request.get_ref().account)?;
        let customer = self.store.customer(&account).await?;
        let method = customer.as_ref().and_then(|customer| customer.method.as_ref());
        let held = customer.as_ref().and_then(|customer| customer.subscription.as_ref());
        let held = held.ok_or_else(|| BillingError::NoSubscription(account.clone()))?;
        Ok(Response::new(message::subscription(&account, held, method)))
    }

    async fn subscribe(
        &self,
        request: Request<contract::SubscribeRequest>,
    ) -> Result<Response<contract::Subscription>, Status> {
        let request = request.into_inner();
        let wanted = Wanted {
            account: message::account_id(&request.account)?,
            plan: PlanId::parse("plan", &request.plan)?,
            territory: message::territory(&request.territory)?,
            token: message::text("payment_token", &request.payment_token, LONGEST_TOKEN)?.to_owned(),
            email: request.email.clone(),
        };
        if !wanted.email.is_empty() {
            message::text("email", &wanted.email, LONGEST_EMAIL)?;
        }
        let asked = Asked::new("subscribe", &request.idempotency_key, &request)?;
        Ok(Response::new(self.begin_subscription(&wanted, &asked).await?))
    }

    async fn change_plan(
        &self,
        request: Request<contract::ChangePlanRequest>,
    ) -> Result<Response<contract::Subscription>, Status> {
        let request = request.into_inner();
        let account = message::account_id(&request.account)?;
        let plan = PlanId::parse("plan", &request.plan)?;
        let asked = Asked::new("change_plan", &request.idempotency_key, &request)?;
        Ok(Response::new(self.change_to(&account, &plan, &asked).await?))
    }

    async fn preview_change(
        &self,
        request: Request<contract::ChangePlanRequest>,
    ) -> Result<Response<contract::ChangePreview>, Status> {
        let request = request.into_inner();
        let account = message::account_id(&request.account)?;
        Ok(Response::new(self.preview(&account, &PlanId::parse("plan", &request.plan)?).await?))
    }

    async fn cancel(
        &self,
        request: Request<contract::CancelRequest>,
    ) -> Result<Response<contract::Subscription>, Status> {
        let request = request.into_inner();
        let account = message::account_id(&request.account)?;
        if !request.reason.is_empty() {
            let reason = message::text("reason", &request.reason, LONGEST_REASON)?;
            tracing::info!(%account, reason, "a subscription is cancelled");
        }
        Ok(Response::new(self.cancel_at_end(&account).await?))
    }

    async fn resume(
        &self,
        request: Request<contract::AccountRequest>,
    ) -> Result<Response<contract::Subscription>, Status> {
        let account = message::account_id(&request.get_ref().account)?;
        Ok(Response::new(self.take_back(&account).await?))
    }

    async fn open_payment_form(
        &self,
        request: Request<contract::AccountRequest>,
    ) -> Result<Response<contract::PaymentForm>, Status> {
        let account = message::account_id(&request.get_ref().account)?;
        let provider = self.for_new_methods()?;
        let Form { publishable_key, client_secret } =
            provider.open_form(&account).await.map_err(BillingError::Provider)?;
        let provider = provider.name().to_owned();
        Ok(Response::new(contract::PaymentForm { provider, publishable_key, client_secret }))
    }

    async fn set_payment_method(
        &self,
        request: Request<contract::SetPaymentMethodRequest>,
    ) -> Result<Response<contract::PaymentMethod>, Status> {
        let request = request.into_inner();
        let account = message::account_id(&request.account)?;
        let token = message::text("payment_token", &request.payment_token, LONGEST_TOKEN)?;
        let asked = Asked::new("set_payment_method", &request.idempotency_key, &request)?;
        Ok(Response::new(self.pay_by(&account, token, &asked).await?))
    }

    async fn list_invoices(
        &self,
        request: Request<contract::AccountRequest>,
    ) -> Result<Response<contract::ListInvoicesReply>, Status> {
        let account = message::account_id(&request.get_ref().account)?;
        let invoices = self.store.invoices(&account, MOST_INVOICES).await?;
        Ok(Response::new(contract::ListInvoicesReply { invoices: invoices.iter().map(message::invoice).collect() }))
    }

    async fn render_invoice(
        &self,
        request: Request<contract::InvoiceRequest>,
    ) -> Result<Response<contract::RenderedInvoice>, Status> {
        let request = request.into_inner();
        let account = message::account_id(&request.account)?;
        let id = message::text("invoice", &request.invoice, 64)?;
        // Another account's is none.
        let invoice = self.store.invoice(id).await?.filter(|invoice| invoice.account == account);
        let invoice = invoice.ok_or_else(|| BillingError::UnknownInvoice(id.to_owned()))?;
        Ok(Response::new(contract::RenderedInvoice { html: render(&invoice, &self.config.seller)? }))
    }

    async fn refund(&self, request: Request<contract::RefundRequest>) -> Result<Response<contract::Invoice>, Status> {
        let request = request.into_inner();
        let invoice = message::text("invoice", &request.invoice, 64)?;
        let amount = request.amount.as_ref().map(|amount| message::money_of("amount", Some(amount))).transpose()?;
        let reason = message::text("reason", &request.reason, LONGEST_REASON)?;
        let asked = Asked::new("refund", &request.idempotency_key, &request)?;
        Ok(Response::new(self.give_back(invoice, amount, reason, &asked).await?))
    }

    async fn ledger(
        &self,
        request: Request<contract::LedgerRequest>,
    ) -> Result<Response<contract::LedgerReply>, Status> {
        Ok(Response::new(self.ledger_page(request.get_ref()).await?))
    }

    async fn webhook(
        &self,
        request: Request<contract::WebhookRequest>,
    ) -> Result<Response<contract::WebhookReply>, Status> {
        let contract::WebhookRequest { provider, body, headers } = request.into_inner();
        let repeated_event = self.hear(&provider, &body, headers).await?;
        Ok(Response::new(contract::WebhookReply { repeated_event }))
    }

    async fn run_due(
        &self,
        request: Request<contract::RunDueRequest>,
    ) -> Result<Response<contract::RunDueReply>, Status> {
        let now_us = match request.get_ref().now_us {
            0 => self.clock.now_us(),
            asked if asked > 0 => asked,
            _ => return Err(BillingError::field("now_us", "0 or microseconds since 1970 are taken").into()),
        };
        Ok(Response::new(self.due_until(now_us).await?))
    }

    async fn export(
        &self,
        request: Request<contract::AccountRequest>,
    ) -> Result<Response<contract::ExportReply>, Status> {
        Ok(Response::new(contract::ExportReply { json: self.exported(&request.get_ref().account).await? }))
    }
}
